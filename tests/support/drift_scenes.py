"""Scenes and chains with a known drift: each clip adds the same change to what it was led by, as models do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor
from wanvideo_svi.svi_embeds.colour.match import colour_sample, find_match, match_clip
from wanvideo_svi.svi_embeds.drift.figures import Drift, DriftMeter, Seam, jump_of
from wanvideo_svi.wrapper_ext.demo.scene import draw_scene

Look = Callable[[Tensor], Tensor]  # a frame H W 3 in 0..1 to another

OVERLAP, NEW = 2, 8  # frames that a clip shares with the one before, and that it adds


FINE = 4  # the picture is that much larger than its frames, which move in steps of its pixels and stay equally sharp


def photograph(seed: int = 0, *, height: int = 96, width: int = 160, margin: int = 4) -> Tensor:
    """A picture with the statistics of a photograph (1/f noise in each colour), H W 3 in 0..1, FINE times as large."""
    generator = torch.Generator().manual_seed(seed)
    size = (FINE * (height + 2 * margin), FINE * (width + 2 * margin))
    spectrum = torch.fft.rfft2(torch.randn(4, *size, generator=generator))
    fy, fx = torch.fft.fftfreq(size[0])[:, None], torch.fft.rfftfreq(size[1])[None]
    shaped = torch.fft.irfft2(spectrum / (fy**2 + fx**2).sqrt().clamp(min=0.03 / FINE), s=size)
    shaped = (shaped - shaped.mean((1, 2), keepdim=True)) / shaped.std((1, 2), keepdim=True)
    luma = 0.45 + 0.13 * shaped[3]
    return (luma[..., None] + 0.035 * shaped[:3].permute(1, 2, 0)).clamp(0.02, 0.98)


def drawing(*, height: int = 96, width: int = 160, margin: int = 4) -> Tensor:
    """The demo's landscape, with flat areas and white ones, as `photograph` gives its picture."""
    size = (FINE * (width + 2 * margin), FINE * (height + 2 * margin))
    pixels = np.asarray(draw_scene(0.3).resize(size), dtype=np.float32)
    return torch.from_numpy(pixels / 255)


SCENES = {"photograph": photograph, "drawing": drawing}
# What every clip adds to the drift: a few per cent of each kind.
DRIFTS: dict[str, Look] = {
    "exposure": lambda frame: frame * 0.975,
    "gamma": lambda frame: frame.clamp(0, 1) ** 1.03,
    "contrast": lambda frame: 0.45 + (frame - 0.45) * 1.025,
    "cast": lambda frame: frame + torch.tensor([0.006, 0.0, -0.006]),
}


def measured(clips: list[Tensor]) -> Drift:
    """The drift of clips as they are shown."""
    meter = DriftMeter()
    for clip in clips:
        meter.add_clip(clip)
    return meter.result()


def jump(seam: Seam) -> float:
    """How much the look jumps at a seam. Not in clipped pixels: what was white and drifted is white again when held."""
    return jump_of(seam.jump)[1]


@cache  # chains of one picture show the same frames
def scene_frame(picture: Tensor, index: int, *, margin: int = 4) -> Tensor:
    """A frame of a slow pan that comes back: a quarter of a pixel a frame, so every step looks alike. Not to be changed
    in place."""
    height, width = (side - 2 * margin * FINE for side in picture.shape[:2])
    reach = 2 * margin * FINE
    x, y = reach - abs(index % (2 * reach) - reach), margin * FINE
    window = picture[y : y + height, x : x + width].permute(2, 0, 1)[None]
    return torch.nn.functional.avg_pool2d(window, FINE)[0].permute(1, 2, 0)


# Scenes that do not drift, in which the picture changes all the same: what holding must leave alone.


_picture = cache(photograph)  # a frame each is taken of it


def _long_pan(index: int, *, width: int = 160) -> Tensor:
    """A pan of a pixel a frame over a picture that is two frames wide."""
    wide = _picture(7, height=96, width=2 * width, margin=0)
    x = FINE * min(index, width)
    window = wide[:, x : x + FINE * width].permute(2, 0, 1)[None]
    return torch.nn.functional.avg_pool2d(window, FINE)[0].permute(1, 2, 0)


def _newcomer(index: int) -> Tensor:
    """Somebody in a red coat walks into the picture and stays: a fifth of it in the end."""
    frame = scene_frame(_picture(), index).clone()
    frame[20:80, : min(index, 50)] = torch.tensor([0.6, 0.12, 0.1])
    return frame


def _sunset(index: int) -> Tensor:
    """The light goes down by a stop over the chain, and warmer."""
    share = min(1.0, index / (20 * NEW))
    light = (1 - 0.5 * share) * torch.tensor([1, 1 - 0.1 * share, 1 - 0.2 * share])
    return (scene_frame(_picture(), index) * light).clamp(0, 1)


UNDRIFTED: dict[str, Callable[[int], Tensor]] = {
    "a short pan": lambda index: scene_frame(_picture(), index), "a long pan": _long_pan,
    "somebody comes in": _newcomer, "a sunset": _sunset,
}  # fmt: skip


def harm(scene_of: Callable[[int], Tensor], method: str) -> tuple[float, float]:
    """What holding does to a chain that does not drift, in 8-bit levels: the largest mean change of a frame, and of a
    pixel's channel."""
    still: Look = lambda frame: frame  # noqa: E731
    free = run_chain(_picture(), still, scene_of=scene_of)
    held = run_chain(_picture(), still, scene_of=scene_of, method=method)
    changes = [(one - other).abs() * 255 for one, other in zip(free, held, strict=True)]
    return max(float(each.mean((1, 2, 3)).max()) for each in changes), max(float(each.max()) for each in changes)


def blur(sigma: float) -> Look:
    kernel = torch.exp(-(torch.arange(-9, 10) ** 2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()

    def apply(frame: Tensor) -> Tensor:
        planes = torch.nn.functional.pad(frame.permute(2, 0, 1)[:, None], (9, 9, 9, 9), mode="reflect")
        for shape in ((1, 1, 1, 19), (1, 1, 19, 1)):
            planes = torch.nn.functional.conv2d(planes, kernel.reshape(shape))
        return planes[:, 0].permute(1, 2, 0)

    return apply


def cast(amount: float) -> Look:
    return lambda frame: frame + torch.tensor([amount, 0.0, -amount])


def saturate(factor: float) -> Look:
    def apply(frame: Tensor) -> Tensor:
        grey = frame.mean(-1, keepdim=True)
        return grey + (frame - grey) * factor

    return apply


def drifted(picture: Tensor, looks: list[Look]) -> list[Tensor]:
    """Clips of a chain, F H W 3: clip n is the scene with looks[n]."""
    return [
        torch.stack([look(scene_frame(picture, NEW * index + k)) for k in range(NEW)]).clamp(0, 1)
        for index, look in enumerate(looks)
    ]


def run_chain(
    picture: Tensor, inject: Look, *, clips: int = 20, method: str = "off", gradual: bool = False,
    scene_of: Callable[[int], Tensor] | None = None,
) -> list[Tensor]:  # fmt: skip
    """Clips as they are shown, each drifting by `inject` from what leads it; the corrected end of each leads the next.

    gradual: the drift grows within a clip, else the whole clip has it. scene_of: frames by their number, instead of the
    pan over the picture.
    """
    frame_of = scene_of or (lambda index: scene_frame(picture, index))
    look: Look = lambda frame: frame  # noqa: E731
    shown: list[Tensor] = []
    target = None
    for index in range(clips):
        lead = OVERLAP if index else 0
        scene = [frame_of(NEW * index - lead + k) for k in range(NEW + lead)]
        before, after = look, (look if index == 0 else _then(look, inject))
        frames = []
        for k, frame in enumerate(scene):
            share = 0.0 if k < lead else min(1.0, (k - lead + 1) / (NEW - OVERLAP)) if gradual else 1.0
            frames.append(torch.lerp(before(frame), after(frame), share))
        clip = torch.stack(frames).clamp(0, 1)
        look = after
        if target is None:
            target = colour_sample(clip)
        elif method != "off":
            mapping = find_match(colour_sample(clip[-OVERLAP:]), target, method)
            clip = match_clip(clip, target, method=method, lead=lead, tail=OVERLAP)
            look = _then(look, mapping)
        shown.append(clip[lead:])
    return shown


def _then(first: Look, second: Look) -> Look:
    return lambda frame: second(first(frame))
