"""Drift of what is on disk or in memory: a reel, a video file, a batch of images. Files are read frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..colour.look import measure
from ..errors import SVIError
from ..files.video import Pixels, read_video
from ..ground.images import check_finite, check_images, to_picture
from ..reel.reel import Reel
from .cuts import cuts_of
from .figures import Drift, DriftMeter, FrameLooks, drift_of
from .plot import ClipEnds, draw_drift

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A drift with what the clips ended on, the reference if there was one, and what is to be said of the cuts.
    guessed: the cuts come from the picture."""

    drift: Drift
    ends: ClipEnds
    reference: Image.Image | None
    notes: tuple[str, ...] = ()
    guessed: bool = False

    def picture(self, title: str) -> Image.Image:
        """See `draw_drift`."""
        return draw_drift(self.drift, self.ends, reference=self.reference, title=title, notes=self.notes)

    def lines(self) -> list[str]:
        """Figures as text, and the notes below them."""
        return [*self.drift.lines(), *(f"- {note}" for note in self.notes)]

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return {**self.drift.as_dict(), "guessed": self.guessed, "notes": list(self.notes)}


def measure_reel(reel: Reel, *, reference: Tensor | None = None, tick: Tick | None = None) -> Measured:
    """The clips of a reel, each without the frames that it shares with the one before. tick: called per frame.

    reference: 1 H W C in 0..1. Raises SVIError for a reel without clips, or a damaged one.
    """
    if not reel.clips:
        raise SVIError(f"reel {reel.name} has no clip yet")
    original = _reference(reference)
    meter, ends = DriftMeter(original), ClipEnds()
    for index, clip in enumerate(reel.clips):
        last = _Last(_as_frames(reel.clip_frames(clip, clip.overlap)), tick)
        meter.add_clip(last, new_scene=index > 0 and not clip.follows)
        ends.add(index, to_picture(last.frame[None]))
    notes = ("the reel has one clip: render the next, then measure again",) if len(reel.clips) == 1 else ()
    return Measured(meter.result(), ends, _shown(original), notes)


def measure_video(
    path: Path, *, clip_frames: int | None = None, overlap_frames: int | None = None, drop: str = "new",
    reference: Tensor | None = None, tick: Tick | None = None,
) -> Measured:  # fmt: skip
    """A joined video of clips of `clip_frames` frames, of which each shares `overlap_frames` with the one before.

    drop: which of the two gave way at a seam, as in `stitch`: with `new` film is 81 + 76 + 76, with `old` 76 + 76 + 81.
    `already_dropped`: clip_frames counts what each clip but the first adds, 76. Without clip_frames (None or 0) the
    seams are looked for in the picture, and the notes say what was found and how sure that is; overlap_frames None
    is 5. Raises SVIError for a file that is no video, and for numbers that no chain has.
    """
    seen = _look(_as_frames(read_video(path)), tick)
    return _measured(seen, (clip_frames, overlap_frames, drop), reference, lambda: _as_frames(read_video(path)))


def measure_images(
    images: Tensor, *, clip_frames: int | None = None, overlap_frames: int | None = None, drop: str = "new",
    reference: Tensor | None = None, tick: Tick | None = None,
) -> Measured:  # fmt: skip
    """The same of a batch, F H W C in 0..1."""
    checked, _ = check_images("images", images)
    check_finite("images", checked)
    frames = checked.detach()
    return _measured(_look(iter(frames), tick), (clip_frames, overlap_frames, drop), reference, lambda: iter(frames))


def _as_frames(pixels: Iterable[Pixels]) -> Iterator[Tensor]:
    for each in pixels:
        yield torch.from_numpy(np.ascontiguousarray(each)).float() / 255


def _look(frames: Iterable[Tensor], tick: Tick | None) -> FrameLooks:
    seen = FrameLooks()
    for frame in frames:
        seen.add(frame)
        if tick is not None:
            tick()
    if not seen.looks:
        raise SVIError("there are no frames to measure")
    return seen


def _measured(
    seen: FrameLooks, numbers: tuple[int | None, int | None, str], reference: Tensor | None,
    again: Callable[[], Iterator[Tensor]],
) -> Measured:  # fmt: skip
    """again: the same frames once more, for small pictures of those that a clip ends on."""
    original = _reference(reference)
    cuts = cuts_of(seen, *numbers)
    spans = cuts.spans(len(seen.looks))
    look = None if original is None else measure(original)
    drift = drift_of([seen.clip(start, stop) for start, stop in spans], look)
    ends, clips = ClipEnds(), {stop - 1: index for index, (_, stop) in enumerate(spans)}
    for place, frame in enumerate(again()):
        if place in clips:
            ends.add(clips[place], to_picture(frame[None]))
    return Measured(drift, ends, _shown(original), cuts.notes, cuts.guessed)


def _reference(reference: Tensor | None) -> Tensor | None:
    if reference is None:
        return None
    checked, _ = check_images("reference", reference)
    original = checked[0].detach()
    check_finite("reference", original)
    return original


def _shown(original: Tensor | None) -> Image.Image | None:
    return None if original is None else to_picture(original[None])


class _Last:
    """Frames as they come, and the last one that came."""

    def __init__(self, frames: Iterator[Tensor], tick: Tick | None) -> None:
        self._frames, self._tick = frames, tick
        self.frame: Tensor

    def __iter__(self) -> Iterator[Tensor]:
        for frame in self._frames:
            self.frame = frame
            if self._tick is not None:
                self._tick()
            yield frame
