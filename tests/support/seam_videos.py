"""Videos with and without seams, for the search for seams in a picture: what moves in them, and what a seam does."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from drift_scenes import photograph
from torch import Tensor

HEIGHT, WIDTH = 24, 40
_FINE = 4  # of photograph's pixels to one of the frame's


@cache
def _picture(seed: int) -> Tensor:
    return photograph(seed, height=48, width=80, margin=0)


def _window(picture: Tensor, x: float, y: float) -> Tensor:
    """H W 3 of a picture that repeats; x, y in pixels of the frame."""
    rolled = torch.roll(picture, (-round(y * _FINE), -round(x * _FINE)), (0, 1))[: HEIGHT * _FINE, : WIDTH * _FINE]
    return torch.nn.functional.avg_pool2d(rolled.permute(2, 0, 1)[None], _FINE)[0].permute(1, 2, 0)


Motion = Callable[[Tensor, int, torch.Generator], Tensor]


def _pan(picture: Tensor, t: int, _: torch.Generator) -> Tensor:
    return _window(picture, 0.5 * t, 0)


def _eased(picture: Tensor, t: int, _: torch.Generator) -> Tensor:
    return _window(picture, 40 * math.sin(t / 25), 10 * math.sin(t / 40))


def _shaken(picture: Tensor, t: int, noise: torch.Generator) -> Tensor:
    dx, dy = torch.randn(2, generator=noise).tolist()
    return _window(picture, 0.4 * t + 0.6 * dx, 0.6 * dy)


def _still(picture: Tensor, _: int, noise: torch.Generator) -> Tensor:
    return _window(picture, 0, 0) + 0.004 * torch.randn(HEIGHT, WIDTH, 3, generator=noise)


def _walk(picture: Tensor, t: int, _: torch.Generator) -> Tensor:
    return _window(picture, 0.3 * t + max(0.0, 3 * math.sin(2 * math.pi * t / 16)), 2 * abs(math.sin(math.pi * t / 16)))


def _flicker(picture: Tensor, t: int, noise: torch.Generator) -> Tensor:
    return _window(picture, 0.5 * t, 0) * (1 + 0.02 * float(torch.randn(1, generator=noise)))


def _lightning(picture: Tensor, t: int, noise: torch.Generator) -> Tensor:
    flash = 1.3 if float(torch.rand(1, generator=noise)) < 0.01 else 1.0
    return (_window(picture, 0.5 * t, 0) * flash).clamp(0, 1)


MOTIONS: dict[str, Motion] = {
    "pan": _pan, "eased": _eased, "shaken": _shaken, "still": _still, "walk": _walk, "flicker": _flicker,
    "lightning": _lightning,
}  # fmt: skip

# What a seam does to all that follows it, at a size in levels of 255: the look of clip n, and how far it has moved on.
Seams = Callable[[int, float], tuple[Tensor, float]]


def _tint(clip: int, size: float) -> tuple[Tensor, float]:
    return torch.tensor([size, 0.0, -size]) / 255 * (clip % 2), 0.0


def _exposure(clip: int, size: float) -> tuple[Tensor, float]:
    return torch.full((3,), -size / 255 * clip), 0.0


def _skip(clip: int, size: float) -> tuple[Tensor, float]:
    return torch.zeros(3), size * clip  # frames that are missing: the picture moves on by so many


SEAMS: dict[str, Seams] = {"tint": _tint, "exposure": _exposure, "skip": _skip}


def video(
    motion: str, seed: int, total: int, starts: tuple[int, ...] = (0,), kind: str = "tint", size: float = 0
) -> Tensor:
    """F H W 3 in 0..1, 8-bit levels, whose clips start at `starts`. size: of each seam, in levels or frames."""
    noise = torch.Generator().manual_seed(seed)
    picture = _picture(seed)
    frames = []
    for t in range(total):
        clip = sum(start <= t for start in starts) - 1
        tint, skipped = SEAMS[kind](clip, size)
        frames.append(MOTIONS[motion](picture, t + round(skipped), noise) + tint)
    return (torch.stack(frames).clamp(0, 1) * 255).round() / 255


def starts_of(length: int, overlap: int, total: int) -> tuple[int, ...]:
    return (0, *range(length, total, length - overlap))
