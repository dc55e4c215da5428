"""Which frames of a whole (a voice, a dance) one clip of a chain covers. Integers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SVIError
from ..ground.checks import check_int
from ..timeline import clip_start, clips_needed, latent_count


@dataclass(frozen=True, slots=True)
class Window:
    """Frames start..start+num_frames of a whole, motion frames included. clips: how many clips the whole needs.

    clips is None where the clips of the chain differ, so that it cannot be determined from one of them.
    """

    start: int
    num_frames: int
    clips: int | None = None

    @property
    def stop(self) -> int:
        return self.start + self.num_frames

    @property
    def enough(self) -> str:
        """How many clips the whole is enough for, in brackets; "" when that is not known."""
        return f" (enough for {self.clips} clip{'s' if self.clips != 1 else ''})" if self.clips else ""

    def missing(self, total: int) -> int:
        """How many of its frames a whole of `total` frames lacks."""
        return min(self.num_frames, max(0, self.stop - total))

    def describe(self, total: int, what: str, fps: float | None = None) -> str:
        """One line: which frames, of how many, and when."""
        last = min(self.stop, total) - 1
        span = f"frames {self.start}-{last} of the {total} of {what}" if last >= self.start else f"no frame of {what}"
        when = f" ({self.start / fps:.2f} s to {self.stop / fps:.2f} s)" if fps else ""
        need = f"; all of it needs {self.clips} clip{'s' if self.clips != 1 else ''}" if self.clips else ""
        return f"{span}{when}{need}"


_CUT = "svi_window"  # of a voice or dance that was cut: the window's first frame in the whole, and its frames


def with_window(cut: Mapping[str, Any], window: Window) -> dict[str, Any]:
    """A voice or dance that was cut to `window`, with a note of that for the next who cuts it; samplers ignore it."""
    return {**cut, _CUT: (window.start, window.num_frames)}


def check_uncut(name: str, given: Mapping[str, Any], window: Window) -> None:
    """Raises SVIError when `given` was cut to a clip before, and does not reach to the end of `window`."""
    cut = given.get(_CUT)
    if cut is None or window.stop <= cut[1]:
        return
    raise SVIError(
        f"{name} is cut to frames {cut[0]}-{sum(cut) - 1} already, by another window, and this clip takes frames "
        f"{window.start}-{window.stop - 1} of what comes: connect the whole of it to every window"
    )


def window_of(*, clip_index: int, start_frame: int, num_frames: int, overlap_frames: int, total: int) -> Window:
    """The window of clip `clip_index` (from 0), or the one that begins at `start_frame` unless that is -1.

    num_frames: of every clip, 4k+1. overlap_frames: motion frames between clips. total: frames of the whole.
    With `start_frame` clips may differ, so that `clips` of the window is None.
    Raises SVIError for numbers that make no clip.
    """
    latent_count(num_frames)
    check_int("total", total, minimum=1)
    check_int("start_frame", start_frame, minimum=-1)
    start = clip_start(clip_index, num_frames=num_frames, overlap_frames=overlap_frames)
    if start_frame >= 0:
        if clip_index:
            raise SVIError(
                f"both clip_index {clip_index} and start_frame {start_frame} say where the clip begins: set "
                "clip_index to 0, or start_frame to -1"
            )
        return Window(start_frame, num_frames)
    return Window(start, num_frames, clips_needed(total, num_frames=num_frames, overlap_frames=overlap_frames))
