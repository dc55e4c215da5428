"""Joins clips: the overlap is dropped from one of them, exactly, or blended from one into the other."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from .checks import check_choice, check_int
from .errors import SVIError
from .frames import check_images

Drop = Literal["new", "old"]
DROP_CHOICES: tuple[str, ...] = get_args(Drop)
Blend = Literal["none", "linear", "cosine"]
BLEND_CHOICES: tuple[str, ...] = get_args(Blend)


def stitch(
    images_1: Tensor, images_2: Tensor, *, overlap_frames: int, drop: str = "new", blend: str = "none"
) -> tuple[Tensor, list[str]]:
    """Two clips as one. Returns F1 + F2 - overlap_frames frames, and notes.

    images_1, images_2: F H W C in 0..1, of one size. overlap_frames: frames that both clips show, the motion frames
    of the second. drop: `new` drops them from the start of images_2, `old` from the end of images_1.
    blend: how images_1 fades into images_2 over the overlap, frame by frame; with it neither side is dropped, and both
    clips must be longer than the overlap.
    """
    check_choice("drop", drop, DROP_CHOICES)
    check_choice("blend", blend, BLEND_CHOICES)
    first, notes = check_images("images_1", images_1)
    second, said = check_images("images_2", images_2)
    notes += said
    if first.shape[1:] != second.shape[1:]:
        raise SVIError(
            f"both clips must have one size, got {_size(first)} and {_size(second)}: "
            "resize one before, or render both clips at the same width and height"
        )
    # Only the clip that gives way must be longer: a Pro clip's overlap begins with anchor frames that the first lacks.
    giving_way = {"images_1": first, "images_2": second}
    if blend == "none":
        giving_way.pop("images_1" if drop == "new" else "images_2")
    check_int("overlap_frames", overlap_frames, minimum=0)
    for name, cut in giving_way.items():
        if overlap_frames >= len(cut):
            raise SVIError(
                f"overlap_frames must be 0..{len(cut) - 1}, got {overlap_frames}: {name} has {len(cut)} frames, "
                "and nothing of it would be left"
            )
    if blend != "none":
        if not overlap_frames:
            raise SVIError(f"blend {blend} needs an overlap: set overlap_frames, or blend to none")
        if drop != "new":
            notes.append("drop has no effect: both clips' overlap is blended")
        keep = len(first) - overlap_frames
        faded = torch.lerp(
            first[keep:], second[:overlap_frames].to(first), blend_weights(overlap_frames, blend).to(first)
        )
        return torch.cat([first[:keep], faded, second[overlap_frames:].to(first)]), notes
    if drop == "new":
        second = second[overlap_frames:]
    else:
        first = first[: len(first) - overlap_frames]
    return torch.cat([first, second]), notes


def blend_weights(count: int, blend: str) -> Tensor:
    """How much of the later clip each of `count` frames shows, F 1 1 1: rising, and never 0 or 1."""
    position = torch.arange(1, count + 1, dtype=torch.float32) / (count + 1)
    if blend == "cosine":
        position = (1 - torch.cos(position * torch.pi)) / 2
    return position[:, None, None, None]


def _size(images: Tensor) -> str:
    return f"{images.shape[2]}x{images.shape[1]}"
