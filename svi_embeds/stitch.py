"""Joins clips: the overlap is dropped from one of them, exactly, or blended from one into the other."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from .checks import check_choice, check_int
from .colour import colour_sample, match_clip, target_of
from .colour_choices import COLOUR_CHOICES
from .errors import SVIError
from .frames import check_images

Drop = Literal["new", "old"]
DROP_CHOICES: tuple[str, ...] = get_args(Drop)
Blend = Literal["none", "linear", "cosine"]
BLEND_CHOICES: tuple[str, ...] = get_args(Blend)


def stitch(
    images_1: Tensor,
    images_2: Tensor,
    *,
    overlap_frames: int,
    drop: str = "new",
    blend: str = "none",
    color_match: str = "off",
    color_match_strength: float = 1.0,
    color_reference: Tensor | None = None,
) -> tuple[Tensor, list[str]]:
    """Two clips as one. Returns F1 + F2 - overlap_frames frames, and notes.

    images_1, images_2: F H W C in 0..1, of one size. overlap_frames: frames that both clips show, the motion frames
    of the second. drop: `new` drops them from the start of images_2, `old` from the end of images_1.
    blend: how images_1 fades into images_2 over the overlap, frame by frame; with it neither side is dropped, and both
    clips must be longer than the overlap.
    color_match, color_match_strength: see `colour.match_clip`; images_2 gets the colours of color_reference, or of the
    first frames of images_1, as many as images_2 has.
    """
    check_choice("drop", drop, DROP_CHOICES)
    check_choice("blend", blend, BLEND_CHOICES)
    check_choice("color_match", color_match, COLOUR_CHOICES)
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
    if color_match != "off":
        if color_reference is None:
            target = colour_sample(first[: len(second)])
        else:
            target = target_of("color_reference", color_reference)
        second = match_clip(
            second, target, method=color_match, strength=color_match_strength, lead=overlap_frames,
            tail=max(1, overlap_frames),
        )  # fmt: skip
        of = "color_reference" if color_reference is not None else "the first clip"
        notes.append(f"the end of images_2 has the colours of {of} ({color_match}, strength {color_match_strength:g})")
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
