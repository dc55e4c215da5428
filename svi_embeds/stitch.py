"""Joins clips: the overlap is dropped from one of them, exactly."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from .checks import check_choice, check_int
from .errors import SVIError
from .frames import check_images

Drop = Literal["new", "old"]
DROP_CHOICES: tuple[str, ...] = get_args(Drop)


def stitch(images_1: Tensor, images_2: Tensor, *, overlap_frames: int, drop: str = "new") -> tuple[Tensor, list[str]]:
    """Two clips as one. Returns F1 + F2 - overlap_frames frames, and notes.

    images_1, images_2: F H W C in 0..1, of one size. overlap_frames: frames that both clips show, the motion frames
    of the second. drop: `new` drops them from the start of images_2, `old` from the end of images_1.
    """
    check_choice("drop", drop, DROP_CHOICES)
    first, notes = check_images("images_1", images_1)
    second, said = check_images("images_2", images_2)
    notes += said
    if first.shape[1:] != second.shape[1:]:
        raise SVIError(
            f"both clips must have one size, got {_size(first)} and {_size(second)}: "
            "resize one before, or render both clips at the same width and height"
        )
    # Only the clip that gives way must be longer: a Pro clip's overlap begins with anchor frames that the first lacks.
    name, cut = ("images_2", second) if drop == "new" else ("images_1", first)
    if check_int("overlap_frames", overlap_frames, minimum=0) >= len(cut):
        raise SVIError(
            f"overlap_frames must be 0..{len(cut) - 1}, got {overlap_frames}: {name} has {len(cut)} frames, "
            "and nothing of it would be left"
        )
    if drop == "new":
        second = second[overlap_frames:]
    else:
        first = first[: len(first) - overlap_frames]
    return torch.cat([first, second]), notes


def _size(images: Tensor) -> str:
    return f"{images.shape[2]}x{images.shape[1]}"
