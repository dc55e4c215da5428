"""Frames and regions that a model is given in the middle of a clip: how they are written, and what of them is known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_int
from ..timeline import latent_count
from .known import check_mask, frame_masks, resize_masks

OutsideRegion = Literal["empty", "keep"]
OUTSIDE_CHOICES: tuple[str, ...] = get_args(OutsideRegion)

_MAX_TEXT = 1_000_000
_PART = re.compile(r"(-?[0-9]{1,9})(?:\s*-\s*(-?[0-9]{1,9}))?")


def parse_keyframes(text: str, *, num_frames: int) -> tuple[int, ...]:
    """Frames written as `0-4, 40, 76-80`. Negative numbers count from the end: -1 is the last frame.

    num_frames: frames of the clip, 4k+1. Returns the frames in the order of the text. Raises SVIError that quotes the
    part which does not read or lies outside the clip.
    """
    latent_count(num_frames)
    if not isinstance(text, str):
        raise SVIError(f"keyframes must be text like 0-4, 40, 76-80; got {type(text).__name__}")
    frames: list[int] = []
    if len(text) > _MAX_TEXT:
        raise SVIError(f"keyframes has {len(text)} characters, at most {_MAX_TEXT} are read")
    for part in (piece.strip() for piece in text.split(",")):
        if not part:
            if text.strip():
                raise SVIError(f"keyframes has an empty part in {text[:60]!r}: write frames like 0-4, 40, 76-80")
            continue
        found = _PART.fullmatch(part)
        if found is None:
            raise SVIError(
                f"keyframes part {part[:60]!r} is neither a frame nor a range: write frames like 0-4, 40, 76-80"
            )
        first, last = (_frame(number, part, num_frames) for number in (found[1], found[2] or found[1]))
        if last < first:
            raise SVIError(f"keyframes part {part[:60]!r} runs backwards (frame {first} to {last}): turn it round")
        if len(frames) + last - first >= num_frames:  # before they are listed: a short text can name billions
            raise SVIError(f"keyframes names more frames than the {num_frames} of the clip: name each once")
        frames += range(first, last + 1)
    return tuple(frames)


def _frame(number: str, part: str, num_frames: int) -> int:
    frame = int(number)
    if not -num_frames <= frame < num_frames:
        raise SVIError(
            f"keyframes part {part[:60]!r} is outside the clip: its {num_frames} frames are 0-{num_frames - 1} "
            f"(or -{num_frames} to -1 from the end)"
        )
    return frame % num_frames


def feather_known(values: Sequence[float], feather: int) -> list[float]:
    """Known values that fade towards generated frames. values: one per frame. feather: frames that fade at each border.

    A known frame n frames away from the nearest generated one (1 at the border) keeps n / (feather + 1), at most all.
    Raises SVIError when frame 0 would fade: its latent holds that frame alone.
    """
    check_int("feather", feather, minimum=0)
    if not feather:
        return list(values)
    count = len(values)
    generated = [i for i, value in enumerate(values) if value <= 0]
    distance = [feather + 1] * count
    for start, step in ((0, 1), (count - 1, -1)):
        last = None
        for i in range(start, count if step > 0 else -1, step):
            last = i if values[i] <= 0 else last
            if last is not None:
                distance[i] = min(distance[i], abs(i - last))
    if values[0] > 0 and distance[0] <= feather:
        raise SVIError(
            f"feather {feather} reaches frame 0: only frames 0-{generated[0] - 1} are known there, so feather must be "
            f"{generated[0] - 1} or less"
        )
    return [value * min(1.0, distance[i] / (feather + 1)) for i, value in enumerate(values)]


def check_region(region: Tensor, *, frames: int) -> None:
    """Raises SVIError unless `region` is a MASK of one frame or of one for each of the clip's `frames`."""
    check_mask("region", region)
    if len(region) not in (1, frames):
        raise SVIError(
            f"region has {len(region)} masks, the clip {frames} frames: give one for all frames, or one for each"
        )


def region_notes(region: Tensor | None, *, width: int, height: int) -> list[str]:
    """What is done to a region of another shape than the clip's."""
    if region is None or abs(width * region.shape[1] / (height * region.shape[2]) - 1) < 0.01:
        return []
    return [f"region was stretched from {region.shape[2]}x{region.shape[1]} to {width}x{height}"]


def known_masks(
    values: Sequence[float], *, height: int, width: int, region: Tensor | None = None, feather: int = 0
) -> Tensor:
    """A known_mask F h w float32 from one value per frame.

    region: 1 or F H' W', 1 = known there, see `check_region`; resized by nearest neighbour. feather: see
    `feather_known`.
    """
    masks = frame_masks(feather_known(values, feather), height=height, width=width)
    if region is not None:
        check_region(region, frames=len(values))
        masks *= resize_masks(region, height=height, width=width)
    return masks


def left_out_pixels(
    values: Sequence[float], region: Tensor, *, height: int, width: int
) -> Iterator[tuple[int, Tensor]]:
    """The known frames of a clip, each with the pixels that the region leaves out: index, H W bool.

    values: one per frame. region: as in `known_masks`; a pixel belongs to it from 0.5 on.
    """
    for frame, value in enumerate(values):
        if value > 0:
            one = region[min(frame, len(region) - 1)][None]
            yield frame, resize_masks(one, height=height, width=width)[0] < 0.5
