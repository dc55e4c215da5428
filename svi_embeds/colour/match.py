"""Holding colours: what makes a clip look like the one that the chain began with, found and applied.

A match is found between two samples of pixels and applied to whole clips along a ramp: nothing at the start of a clip,
which continues the one before, all of it at the end, which leads the next. So a correction makes no jump of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ..errors import SVIError
from ..files.video import Pixels, to_pixels
from ..ground.checks import check_choice, check_share
from ..ground.images import check_finite, check_images
from .choices import COLOUR_CHOICES, check_mkl

SAMPLE_PIXELS = 2**16  # of a clip or an image; statistics need no more
_LEVELS = 1024  # of a histogram
_LEAST_SPREAD = 1e-3  # a channel that is flatter has no contrast to scale
_LARGEST_SCALE = 4.0

Mapping = Callable[[Tensor], Tensor]  # pixels ... 3 in 0..1 to pixels in 0..1


def colour_sample(images: Tensor) -> Tensor:
    """Pixels that stand for the colours of images F H W C: N 3, evenly spread, in the 256 steps of a video.

    In those steps, so that a clip gives the same sample before it is written and after it is read back.
    """
    step = _sample_step(*images.shape[:3])
    return _as_sample(map(to_pixels, images[:, ::step, ::step, :3]))


def sample_video(frames: Iterable[Pixels], *, count: int, height: int, width: int) -> Tensor:
    """The same of `count` frames as they lie on disk, H W 3 uint8, one at a time."""
    step = _sample_step(count, height, width)
    return _as_sample(frame[::step, ::step] for frame in frames)


def _sample_step(count: int, height: int, width: int) -> int:
    return max(1, math.ceil(math.sqrt(count * height * width / SAMPLE_PIXELS)))


def _as_sample(frames: Iterable[Pixels]) -> Tensor:
    parts = [torch.from_numpy(frame.reshape(-1, 3).astype("float32")) for frame in frames]
    if not parts:
        raise SVIError("there are no frames to take colours from")
    return torch.cat(parts) / 255


def find_match(source: Tensor, target: Tensor, method: str) -> Mapping:
    """What turns the colours of one sample (N 3) into those of another.

    mean_std: mean and standard deviation of each channel. histogram: each channel's whole distribution. mkl: mean and
    covariance of all three, by the color-matcher package.
    Raises SVIError for an unknown method, and where mkl's package is not installed.
    """
    check_choice("color_match", method, COLOUR_CHOICES)
    if method == "off":
        return lambda pixels: pixels
    if method == "mean_std":
        return _mean_std(source, target)
    return _histogram(source, target) if method == "histogram" else _mkl(source, target)


def match_clip(
    images: Tensor,
    target: Tensor,
    *,
    method: str,
    strength: float = 1.0,
    lead: int = 0,
    tail: int = 1,
    in_place: bool = False,
) -> Tensor:
    """A clip whose end has the colours of `target`, along a ramp. F H W 3 in 0..1.

    A copy, unless there is nothing to do or in_place allows to change `images`.

    target: a `colour_sample`. lead: frames at the start that stay as they are, since the clip before shows them too.
    tail: frames at the end that lead the next clip; what they differ by is measured on them, and they get all of it.
    strength: 0..1, how much of the difference is taken back.
    """
    check_choice("color_match", method, COLOUR_CHOICES)
    check_share("color_match_strength", strength)
    if method == "off" or strength == 0:
        return images
    count = len(images)
    tail = min(max(1, tail), count)
    mapping = find_match(colour_sample(images[count - tail :]), target, method)
    matched = images if in_place else images.clone()
    for index in range(count):
        weight = strength * _weight(index, count, lead, tail)
        if weight > 0:
            frame = images[index, ..., :3].float()
            matched[index, ..., :3] = torch.lerp(frame, mapping(frame), weight).to(images.dtype)
    return matched


def match_latents(latents: Tensor, target: Tensor, *, strength: float, lead: int = 0, tail: int = 0) -> Tensor:
    """Latents C t h w whose mean and spread, channel by channel, come nearer to those of `target` (C t h w).

    strength: 0..1. lead, tail: as in `match_clip`, in latents; tail 0: all of them alike.
    Raises SVIError for latents of other channels.
    """
    check_share("motion_match", strength)
    if latents.shape[0] != target.shape[0]:
        raise SVIError(f"latents to match must have the anchor's {target.shape[0]} channels, got {latents.shape[0]}")
    if strength == 0:
        return latents
    axes = (1, 2, 3)
    values, wanted = latents.float(), target.float()
    count = latents.shape[1]
    end = values[:, count - (tail or count) :]
    mean, spread = end.mean(axes, keepdim=True), end.std(axes, keepdim=True, correction=0)
    scale = wanted.std(axes, keepdim=True, correction=0) / spread.clamp(min=1e-6)
    matched = (values - mean) * scale.clamp(1 / _LARGEST_SCALE, _LARGEST_SCALE) + wanted.mean(axes, keepdim=True)
    weights = torch.tensor([_weight(index, count, lead, tail or count) for index in range(count)])
    return torch.lerp(values, matched, strength * weights.to(values)[None, :, None, None]).to(latents.dtype)


def _weight(index: int, count: int, lead: int, tail: int) -> float:
    """How much of a match a frame gets: 0 up to `lead`, rising, 1 for the last `tail`."""
    if index >= count - tail:
        return 1.0
    return max(0.0, min(1.0, (index - lead + 1) / max(1, count - tail - lead + 1)))


def target_of(name: str, images: Tensor) -> Tensor:
    """The colour sample of images that a user connected. Raises SVIError when they are none."""
    checked, _ = check_images(name, images)
    check_finite(name, checked)
    return colour_sample(checked)


def _mean_std(source: Tensor, target: Tensor) -> Mapping:
    mean, spread = source.mean(0), source.std(0, correction=0)
    wanted, wanted_spread = target.mean(0), target.std(0, correction=0)
    scale = torch.where(spread < _LEAST_SPREAD, 1.0, wanted_spread / spread.clamp(min=_LEAST_SPREAD))
    scale = scale.clamp(1 / _LARGEST_SCALE, _LARGEST_SCALE)
    return lambda pixels: ((pixels - mean.to(pixels)) * scale.to(pixels) + wanted.to(pixels)).clamp(0, 1)


def _histogram(source: Tensor, target: Tensor) -> Mapping:
    """A curve per channel, from the ranks of one sample to the values of the other, as a table."""
    ranks = (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _LEVELS
    grid = torch.arange(_LEVELS + 1, dtype=torch.float64) / _LEVELS
    table = torch.stack([
        _curve(
            grid, torch.quantile(source[:, channel].double(), ranks), torch.quantile(target[:, channel].double(), ranks)
        )
        for channel in range(3)
    ]).float()  # fmt: skip

    def apply(pixels: Tensor) -> Tensor:
        place = pixels.float().clamp(0, 1) * _LEVELS
        below = place.long().clamp(max=_LEVELS - 1)
        rows = table.to(pixels.device)
        matched = [
            torch.lerp(row[index], row[index + 1], share)
            for row, index, share in zip(rows, below.unbind(-1), (place - below).unbind(-1), strict=True)
        ]
        return torch.stack(matched, dim=-1).clamp(0, 1)

    return apply


def _curve(values: Tensor, xs: Tensor, ys: Tensor) -> Tensor:
    """Values through a curve of points; beyond its ends they keep their distance to the last point."""
    # Equal xs (flat areas) stand for one point: the mean of their ys.
    points, where = torch.unique_consecutive(xs, return_inverse=True)
    sums = torch.zeros_like(points).scatter_add_(0, where, ys)
    means = sums / torch.zeros_like(points).scatter_add_(0, where, torch.ones_like(ys))
    if len(points) == 1:
        shifted: Tensor = values + (means[0] - points[0])
        return shifted
    index = torch.searchsorted(points, values).clamp(1, len(points) - 1)
    left, right = points[index - 1], points[index]
    inside = ((values - left) / (right - left)).clamp(0, 1)
    beyond = values - values.clamp(float(points[0]), float(points[-1]))
    found: Tensor = means[index - 1] + inside * (means[index] - means[index - 1]) + beyond
    return found


def _mkl(source: Tensor, target: Tensor) -> Mapping:
    # It wants pictures: a column of pixels is one.
    solver = check_mkl()(src=source.double().numpy()[:, None, :], ref=target.double().numpy()[:, None, :], method="mkl")
    solver.init_vars()
    matrix = torch.from_numpy(solver.mkl_solver().real.copy())
    if not bool(torch.isfinite(matrix).all()):
        raise SVIError("color_match mkl finds no match for a picture of one colour: choose mean_std")
    mean, wanted = source.double().mean(0), target.double().mean(0)

    def apply(pixels: Tensor) -> Tensor:
        centred = pixels.double() - mean.to(pixels.device)
        matched: Tensor = (centred @ matrix.T.to(pixels.device) + wanted.to(pixels.device)).clamp(0, 1)
        return matched.to(pixels.dtype)

    return apply
