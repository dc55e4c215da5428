"""Drift of what lies on disk or in memory: a reel, a video file, a batch of images. Read once, frame by frame."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .checks import check_int
from .clip_video import Pixels, read_video
from .drift import Drift, DriftMeter
from .drift_plot import ClipEnds, draw_drift
from .errors import SVIError
from .frames import check_finite, check_images, to_picture
from .reel import Reel

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A drift with what the clips ended on, and the reference if there was one."""

    drift: Drift
    ends: ClipEnds
    reference: Image.Image | None

    def picture(self, title: str) -> Image.Image:
        """See `draw_drift`."""
        return draw_drift(self.drift, self.ends, reference=self.reference, title=title)


def measure_reel(reel: Reel, *, reference: Tensor | None = None, tick: Tick | None = None) -> Measured:
    """The clips of a reel, each without the frames that it shares with the one before. tick: called per frame.

    reference: 1 H W C in 0..1. Raises SVIError for a reel without clips, or a damaged one.
    """
    if not reel.clips:
        raise SVIError(f"reel {reel.name} has no clip yet")
    clips = (reel.clip_frames(clip, clip.overlap) for clip in reel.clips)
    return _measure(map(_as_frames, clips), reference, tick)


def measure_video(
    path: Path, *, clip_frames: int, overlap_frames: int = 0, reference: Tensor | None = None, tick: Tick | None = None
) -> Measured:  # fmt: skip
    """A joined video of clips that add `clip_frames` frames each, the first one `overlap_frames` more.

    A first clip has no frames of a clip before to drop: 81 + 76 + 76 for film. 0: where the clip before gave way, all
    but the last add the same. Raises SVIError for a file that is no video.
    """
    return _measure(_split(_as_frames(read_video(path)), clip_frames, overlap_frames), reference, tick)


def measure_images(
    images: Tensor, *, clip_frames: int, overlap_frames: int = 0, reference: Tensor | None = None,
    tick: Tick | None = None,
) -> Measured:  # fmt: skip
    """The same of a batch, F H W C in 0..1."""
    checked, _ = check_images("images", images)
    check_finite("images", checked)
    return _measure(_split(iter(checked.detach()), clip_frames, overlap_frames), reference, tick)


def _as_frames(pixels: Iterable[Pixels]) -> Iterator[Tensor]:
    for each in pixels:
        yield torch.from_numpy(np.ascontiguousarray(each)).float() / 255


def _split(frames: Iterator[Tensor], clip_frames: int, overlap_frames: int) -> Iterator[Iterator[Tensor]]:
    check_int("clip_frames", clip_frames, minimum=1)
    count = clip_frames + check_int("overlap_frames", overlap_frames, minimum=0)
    while (first := next(frames, None)) is not None:
        yield chain([first], islice(frames, min(count, sys.maxsize) - 1))
        count = clip_frames


def _measure(clips: Iterable[Iterator[Tensor]], reference: Tensor | None, tick: Tick | None) -> Measured:
    original = None
    if reference is not None:
        checked, _ = check_images("reference", reference)
        original = checked[0].detach()
        check_finite("reference", original)
    meter = DriftMeter(original)
    ends = ClipEnds()
    last: list[Tensor] = []

    def watched(frames: Iterator[Tensor]) -> Iterator[Tensor]:
        for frame in frames:
            last[:] = [frame]
            if tick is not None:
                tick()
            yield frame

    for index, clip in enumerate(clips):
        meter.add_clip(watched(clip))
        ends.add(index, to_picture(last[0][None]))
    return Measured(meter.result(), ends, None if original is None else to_picture(original[None]))
