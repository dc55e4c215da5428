"""Joins clips: the overlap is dropped from one of them, exactly, or blended from one into the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_choice, check_int, check_share
from ..ground.images import check_finite, check_images
from .choices import COLOUR_CHOICES
from .match import colour_sample, match_clip, target_of

Drop = Literal["new", "old"]
DROP_CHOICES: tuple[str, ...] = get_args(Drop)
Blend = Literal["none", "linear", "cosine"]
BLEND_CHOICES: tuple[str, ...] = get_args(Blend)


def stitch(
    *clips: Tensor,
    overlap_frames: int,
    drop: str = "new",
    blend: str = "none",
    color_match: str = "off",
    color_match_strength: float = 1.0,
    color_reference: Tensor | None = None,
) -> tuple[Tensor, list[str]]:
    """Clips as one, and notes. Returns the frames of all, less overlap_frames at each seam.

    clips: at least two, in order, F H W C in 0..1, of one size; errors call them images_1, images_2, ... Joining them
    in one call is the same as one after the other, and writes every frame once.
    overlap_frames: frames that a clip and the one before it both show, the motion frames of the later. drop: `new`
    drops them from the start of the later clip, `old` from the end of what stands before it.
    blend: how what stands before fades into the later clip over the overlap, frame by frame; with it neither side is
    dropped, and both must be longer than the overlap.
    color_match, color_match_strength: see `match.match_clip`; each later clip gets the colours of color_reference, or
    of the first frames of images_1, as many as it has itself.
    """
    check_choice("drop", drop, DROP_CHOICES)
    check_choice("blend", blend, BLEND_CHOICES)
    check_choice("color_match", color_match, COLOUR_CHOICES)
    check_share("color_match_strength", color_match_strength)
    checked, notes = _check_clips(clips, overlap_frames, drop=drop, blend=blend)
    first = checked[0]
    dtype = first.dtype
    for clip in checked if blend == "none" else ():
        dtype = torch.promote_types(dtype, clip.dtype)
    target = None
    if color_match != "off":
        target = None if color_reference is None else target_of("color_reference", color_reference)
        of = "color_reference" if color_reference is not None else "the first clip"
        who = "images_2" if len(checked) == 2 else "each later clip"
        notes.append(f"the end of {who} has the colours of {of} ({color_match}, strength {color_match_strength:g})")
    elif color_reference is not None:
        notes.append("color_reference is not used: color_match is off")
    if blend != "none" and drop != "new":
        notes.append("drop has no effect: both clips' overlap is blended")
    total = sum(map(len, checked)) - overlap_frames * (len(checked) - 1)
    joined = torch.empty((total, *first.shape[1:]), dtype=dtype, device=first.device)
    cut_end = overlap_frames if drop == "old" and blend == "none" else 0
    done = 0
    for number, clip in enumerate(checked, 1):
        if number > 1 and color_match != "off":
            clip = match_clip(
                clip, colour_sample(first[: len(clip)]) if target is None else target, method=color_match,
                strength=color_match_strength, lead=overlap_frames, tail=max(1, overlap_frames),
            )  # fmt: skip
        if number > 1 and blend != "none":
            shared = joined[done - overlap_frames : done]
            weights = blend_weights(overlap_frames, blend).to(joined)
            shared.copy_(torch.lerp(shared, clip[:overlap_frames].to(joined), weights))
        start = overlap_frames if number > 1 and not cut_end else 0
        stop = len(clip) - (cut_end if number < len(checked) else 0)
        joined[done : done + stop - start] = clip[start:stop]
        done += stop - start
    return joined, notes


def _check_clips(clips: Sequence[Tensor], overlap: int, *, drop: str, blend: str) -> tuple[list[Tensor], list[str]]:
    """The clips as F H W 3, and notes. Raises SVIError unless they join."""
    if len(clips) < 2:
        raise SVIError(f"stitching takes two clips or more, got {len(clips)}")
    checked: list[Tensor] = []
    notes: list[str] = []
    for number, images in enumerate(clips, 1):
        clip, said = check_images(f"images_{number}", images)
        if checked and clip.shape[1:] != checked[0].shape[1:]:
            raise SVIError(
                f"all clips must have one size, got {_size(checked[0])} and {_size(clip)} (images_{number}): "
                "resize one before, or render all clips at the same width and height"
            )
        check_finite(f"images_{number}", clip)
        checked.append(clip)
        notes += said
    check_int("overlap_frames", overlap, minimum=0)
    if blend != "none" and not overlap:
        raise SVIError(f"blend {blend} needs an overlap: set overlap_frames, or blend to none")
    for number, clip in enumerate(checked, 1):
        # Only what gives way must be longer: a Pro clip's overlap begins with anchor frames that the first lacks.
        gives_way = number > 1 if drop == "new" else number < len(checked)
        if (gives_way or blend != "none") and overlap >= len(clip):
            raise SVIError(
                f"overlap_frames must be 0..{len(clip) - 1}, got {overlap}: images_{number} has {len(clip)} frames, "
                "and nothing of it would be left"
            )
    return checked, notes


def blend_weights(count: int, blend: str) -> Tensor:
    """How much of the later clip each of `count` frames shows, F 1 1 1: rising, and never 0 or 1."""
    position = torch.arange(1, count + 1, dtype=torch.float32) / (count + 1)
    if blend == "cosine":
        position = (1 - torch.cos(position * torch.pi)) / 2
    return position[:, None, None, None]


def _size(images: Tensor) -> str:
    return f"{images.shape[2]}x{images.shape[1]}"
