"""How a frame looks, in figures: exposure, contrast, saturation, colour cast, sharpness, clipped pixels.

All of it is measured on the picture as it is shown (gamma-encoded RGB), but for the cast, which is CIE Lab. One frame
is in memory at a time. The figures are identical on any number of threads, since reels hold them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import SVIError

BANDS = 8

_LUMA = (0.2126, 0.7152, 0.0722)  # BT.709
_CB, _CR = 1.8556, 1.5748  # BT.709: (B - Y) / 1.8556, (R - Y) / 1.5748
# Linear sRGB to XYZ, each row over that axis' white (D65).
_XYZ = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)
_LAB_PIXELS = 2**16  # as many as the mean of a cast needs
_LEVELS = 1024  # of the histogram behind the quantiles
_MOST = 1e6  # no figure of a picture is as large
_DARKEST, _BRIGHTEST = 0.5 / 255, 254.5 / 255


@dataclass(frozen=True, slots=True)
class Look:
    """Figures of a frame, or the mean of several frames'.

    exposure: mean luma, 0..1. contrast: standard deviation of luma. saturation: how far colours spread from their mean
    (root of the variances of Cb and Cr). cast_a, cast_b: mean a* and b* of CIE Lab. sharpness: variance of the
    Laplacian of luma. detail: share of luma's variance that is finer than 5 pixels. clipped: share of pixels with a
    channel at 0 or 255. low, high: 1st and 99th percentile of luma. tones: mean luma of the darkest eighth of the
    pixels, of the next, and so on; unlike percentiles they move little when a flat area grows or shrinks.
    """

    exposure: float
    contrast: float
    saturation: float
    cast_a: float
    cast_b: float
    sharpness: float
    detail: float
    clipped: float
    low: float
    high: float
    tones: tuple[float, ...]

    def as_dict(self) -> dict[str, float | list[float]]:
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Look:
        """What `as_dict` gave. Raises TypeError or ValueError for anything else."""
        plain = {
            name: tuple(map(_figure, value)) if name == "tones" else _figure(value) for name, value in data.items()
        }
        look = cls(**plain)  # type: ignore[arg-type]
        if len(look.tones) != BANDS:
            raise ValueError(f"a look has {BANDS} tones, got {len(look.tones)}")
        return look


def _figure(value: Any) -> float:
    """A figure that was kept: what is told of it is a number too. Raises TypeError or ValueError for anything else."""
    if not abs(value) <= _MOST:
        raise ValueError(f"no figure of a picture is {str(value)[:20]}")
    return float(value)


def measure(frame: Tensor) -> Look:
    """The look of one frame, H W 3 in 0..1. Raises SVIError for a frame too small to have one."""
    if frame.ndim != 3 or frame.shape[-1] < 3 or min(frame.shape[:2]) < 5:
        raise SVIError(f"a frame to measure must be H W 3 with at least 5x5 pixels, got {tuple(frame.shape)}")
    rgb = frame.detach()[..., :3].float()
    red, green, blue = rgb.unbind(-1)
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    contrast = math.sqrt(_variance(luma))
    saturation = math.hypot(math.sqrt(_variance(blue - luma)) / _CB, math.sqrt(_variance(red - luma)) / _CR)
    centre = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * centre
    blurred = torch.nn.functional.avg_pool2d(luma[None, None], 5, stride=1)[0, 0]
    fine = _variance(luma[2:-2, 2:-2] - blurred)
    cast_a, cast_b = _mean_ab(rgb)
    low, high, tones = _tones(luma)
    clipped = ((rgb <= _DARKEST) | (rgb >= _BRIGHTEST)).any(-1)
    return Look(
        exposure=mean_of(luma), contrast=contrast, saturation=saturation, cast_a=cast_a, cast_b=cast_b,
        sharpness=_variance(laplacian), detail=fine / max(contrast**2, 1e-12),
        clipped=mean_of(clipped.float()), low=low, high=high, tones=tones,
    )  # fmt: skip


def mean_look(looks: Sequence[Look]) -> Look:
    """The mean of each figure. Raises SVIError for no look at all."""
    if not looks:
        raise SVIError("there are no frames to measure")
    count = len(looks)
    plain = {
        field.name: sum(getattr(look, field.name) for look in looks) / count
        for field in fields(Look) if field.name != "tones"
    }  # fmt: skip
    columns = zip(*(look.tones for look in looks), strict=True)
    return Look(**plain, tones=tuple(sum(column) / count for column in columns))


def mean_of(values: Tensor) -> float:
    """The mean of H W values. Each row is summed by one thread, and the few sums of rows are too few to be divided."""
    return float(values.mean(-1).double().mean())


def _variance(values: Tensor) -> float:
    return mean_of((values - mean_of(values)).square())


def _mean_ab(rgb: Tensor) -> tuple[float, float]:
    height, width = rgb.shape[:2]
    step = max(1, math.isqrt(height * width // _LAB_PIXELS))
    # By numpy: torch's powers of an element depend on where in a thread's share it lies.
    sample = rgb[::step, ::step].clamp(0, 1).reshape(-1, 3).cpu().numpy()
    linear = np.where(sample <= 0.04045, sample / 12.92, ((sample + 0.055) / 1.055) ** 2.4)
    xyz = np.stack([sum(share * linear[:, i] for i, share in enumerate(row)) for row in _XYZ])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    fx, fy, fz = f.mean(axis=1, dtype=np.float64)
    return float(500 * (fx - fy)), float(200 * (fy - fz))


def _tones(luma: Tensor) -> tuple[float, float, tuple[float, ...]]:
    """1st and 99th percentile, and the means of bands of equally many pixels; from a histogram, which needs no sort."""
    levels = (luma.flatten().clamp(0, 1) * (_LEVELS - 1) + 0.5).long()
    counts = torch.bincount(levels, minlength=_LEVELS).double()
    below = counts.cumsum(0) / len(levels)
    values = torch.arange(_LEVELS, dtype=torch.float64, device=luma.device) / (_LEVELS - 1)
    ends = torch.searchsorted(below, torch.tensor((0.01, 0.99), dtype=torch.float64, device=luma.device))
    low, high = (float(values[min(int(end), _LEVELS - 1)]) for end in ends)
    # How much of each level is in each band.
    edges = torch.arange(BANDS + 1, dtype=torch.float64, device=luma.device) / BANDS
    reach = torch.cat([below.new_zeros(1), below])
    inside = (torch.minimum(reach[1:], edges[1:, None]) - torch.maximum(reach[:-1], edges[:-1, None])).clamp(min=0)
    return low, high, tuple((inside @ values * BANDS).tolist())


@dataclass(frozen=True, slots=True)
class ClipLook:
    """A clip. mean: over its frames. first, last: of its first and last frame. typical: median of the differences
    between neighbouring frames, mean absolute RGB 0..1; None for a single frame. across: the difference between the
    last frame of the clip before and its first; None for the first clip. unrest: median change of the look between
    neighbouring frames, see `jump_of`; None where that was not measured."""

    frames: int
    mean: Look
    first: Look
    last: Look
    typical: float | None
    across: float | None = None
    unrest: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "frames": self.frames, "mean": self.mean.as_dict(), "first": self.first.as_dict(),
            "last": self.last.as_dict(), "typical_step": self.typical, "step_before": self.across,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ClipLook:
        """What `as_dict` gave. Raises KeyError, TypeError or ValueError for anything else."""
        looks = {name: Look.from_dict(data[name]) for name in ("mean", "first", "last")}
        steps = [None if data[name] is None else _figure(data[name]) for name in ("typical_step", "step_before")]
        return cls(int(data["frames"]), looks["mean"], looks["first"], looks["last"], steps[0], steps[1])


def glance(images: Tensor, before: Tensor | None = None, *, count: int = 9) -> ClipLook:
    """The look of a clip from `count` frames spread over it, which is close to that of all and much sooner had.

    images: F H W 3 in 0..1, without the frames that it shares with the clip before. before: the last frame of that.
    """
    frames = len(images)
    count = min(count, frames)
    places = [round(index * (frames - 1) / max(1, count - 1)) for index in range(count)]
    looks = [measure(images[place]) for place in places]
    steps = [step_between(images[place - 1], images[place]) for place in places if place]
    across = None if before is None else step_between(before, images[0])
    return ClipLook(frames, mean_look(looks), looks[0], looks[-1], median(steps) if steps else None, across)


def step_between(before: Tensor, after: Tensor) -> float:
    """Mean absolute difference of two frames, H W C in 0..1."""
    return mean_of((after[..., :3].float() - before[..., :3].float()).abs().flatten(1))
