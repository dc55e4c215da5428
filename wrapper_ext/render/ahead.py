"""The chain's video joined while its clips are made, so that a run ends soon after its last clip."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.threads import give_way
from ...svi_embeds.files.track import Soundtrack
from ...svi_embeds.files.video import FORMATS, Pixels, to_pixels, write_video
from ...svi_embeds.files.whole import sync_folder
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.reel import Reel


@dataclass(frozen=True, slots=True, eq=False)
class _Ending:
    """A take that is still on its way to the disk: its frames F H W 3 in 0..1, and how many of the first ones the video
    leaves out."""

    frames: Tensor
    overlap: int


class JoinAhead:
    """Joins takes as they come, in a thread that gives way to others, to a file beside the video. Use as a context
    manager: what is not finished at its end goes.

    folder: of the reel. fps, track: of the video. length: frames that it has at most, None for all.
    """

    def __init__(self, folder: Path, *, fps: float, track: Soundtrack | None = None, length: int | None = None) -> None:
        self.reel, self.track, self.length = Reel(folder, fps, ()), track, length
        self.beside = folder / f".svi_{uuid.uuid4().hex}.mp4"  # a killed run's is cleared as those of `moved_in`
        self.takes: list[Take] = []
        self._ending: tuple[str, int] | None = None  # digest and overlap of one that is joined from memory
        self._coming: queue.Queue[Take | _Ending | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._written: int | None = None

    def __enter__(self) -> JoinAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._end()
        with suppress(OSError):
            self.beside.unlink(missing_ok=True)

    def add(self, place: int, take: Take) -> None:
        """The clip of the chain at a place is this one; what comes out of order ends the joining."""
        if self._stopped or place != len(self.takes):
            self._stopped = True
            return
        self.takes.append(take)
        if self._ending is None:
            self._join(take)
        elif (take.digest, take.overlap) != self._ending:
            self._stopped = True

    def add_ending(self, place: int, digest: str, frames: Tensor, overlap: int) -> None:
        """The chain's last clip, at a place, has these frames, the first `overlap` of which the video leaves out; `add`
        gives the take, when it is on the disk."""
        if not self._stopped and place == len(self.takes):
            self._ending = digest, overlap
            self._join(_Ending(frames, overlap))

    def _join(self, clip: Take | _Ending) -> None:
        self._coming.put(clip)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="svi-join", daemon=True)
            self._thread.start()

    def finish(self, reel: Reel, path: Path) -> bool:
        """Make it the reel's video, and wait for that. Returns False, with nothing changed, where that is not what was
        joined, or the disk refused: then it is to be joined as a whole, which says why."""
        as_joined = [(take.video.sha256, take.overlap) for take in self.takes]
        self._stopped |= as_joined != [(take.video.sha256, take.overlap) for take in reel.clips]
        self._end()
        if self._stopped or self._written != reel.shown_frames:
            return False
        try:
            self.beside.replace(path)
        except OSError:
            return False
        sync_folder(path.parent)
        return True

    def _end(self) -> None:
        self._coming.put(None)
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        import av

        give_way()
        # Whatever is wrong is found again, and said, when it is joined as a whole.
        with suppress(SVIError, OSError, av.error.FFmpegError, _StoppedError):
            first = self._coming.get()
            if first is None:
                return
            height, width = first.frames.shape[1:3] if isinstance(first, _Ending) else (first.height, first.width)
            track = None if self.track is None else self.track.after(first.overlap, self.reel.fps)
            self._written = write_video(
                self.beside, self._frames(first), width=width, height=height, fps=self.reel.fps,
                video_format=FORMATS["h264"], track=track,
            )  # fmt: skip

    def _frames(self, first: Take | _Ending) -> Iterator[Pixels]:
        clip: Take | _Ending | None = first
        done = 0
        while clip is not None:
            for pixels in self._frames_of(clip):
                if self._stopped:
                    raise _StoppedError
                if self.length is not None and done >= self.length:
                    return
                yield pixels
                done += 1
            clip = self._coming.get()

    def _frames_of(self, clip: Take | _Ending) -> Iterator[Pixels]:
        if isinstance(clip, _Ending):
            return map(to_pixels, clip.frames[clip.overlap :])
        return self.reel.clip_frames(clip, clip.overlap)


class _StoppedError(Exception):
    """Nobody wants what is joined any more."""
