"""A reel: a chain's clips on disk, with the manifest that lets it resume.

    <folder>/manifest.json            what there is; a file that it does not name does not count
    <folder>/clip_0001_….mkv          the frames of one clip, without loss (FFV1, 8-bit RGB)
    <folder>/clip_0001_….safetensors  what leads the next clip, exact: its last frames, for 2.0 Pro its last latents,
                                      and how the clip looks

`ReelWriter` writes it so that at every moment a reader (or a power cut) finds a whole reel. A clip is a take with a
digest of all that decides it; takes that the chain no longer uses stay, and count again when their digest comes up
again, until `clean`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..colour.look import ClipLook
from ..errors import SVIError
from ..files.header import read_header
from ..files.paths import is_device
from ..files.stored import StoredFile, damage_of, is_as_written, size_of
from ..files.track import Soundtrack
from ..files.video import DEFAULT_QUALITY, Pixels, check_even, check_format, read_video, write_video
from ..files.whole import moved_in
from ..ground.checks import check_int, check_rate
from ..ground.json_text import read_json
from ..ground.words import align, not_shown, shorten
from .manifest import MANIFEST, OURS, Take, read_manifest

LOCK = ".lock"
LOOK = "look"  # of the clip, in the metadata of its tail
TailSpace = Literal["wrapper", "native"]
# What a tail calls its latents, by their space: that of the wrapper, or that of ComfyUI's own nodes.
TAIL_LATENTS: dict[TailSpace, str] = {"wrapper": "latents", "native": "native_latents"}
_NAME = re.compile(r"[^\W_](?:[\w .()+-]*[\w)+-])?")


@dataclass(frozen=True, slots=True, repr=False)
class Reel:
    """A reel as it stands on disk.

    clips: the chain, in order; what the first one drops at its start repeats what the chain goes on from. spare: takes
    that the chain does not use. length: frames of the joined chain that its video shows, where that ends before the
    last clip does (repeat=auto); None for all. picked: the take that a person chose, by clip; see `Take.clip`.
    """

    folder: Path
    fps: float
    clips: tuple[Take, ...]
    spare: tuple[Take, ...] = ()
    length: int | None = None
    picked: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def spare_size(self) -> int:
        """Bytes that the spare takes have on disk."""
        return sum(file.size for take in self.spare for file in (take.video, take.tail))

    @property
    def skipped_frames(self) -> int:
        """Frames of the first clip that the joined chain leaves out."""
        return self.clips[0].overlap if self.clips else 0

    @property
    def total_frames(self) -> int:
        """Frames of the joined chain."""
        return sum(clip.frames - clip.overlap for clip in self.clips)

    @property
    def shown_frames(self) -> int:
        """Frames of the chain's video."""
        return self.total_frames if self.length is None else min(self.length, self.total_frames)

    @property
    def seconds(self) -> float:
        """Length of the chain's video."""
        return self.shown_frames / self.fps

    @property
    def cut(self) -> str:
        """In words, what the chain's video does not show; "" when it shows all."""
        return not_shown(self.skipped_frames, self.total_frames - self.shown_frames)

    @property
    def chain(self) -> str:
        """A short name for exactly these clips in this order, and for what the chain leaves out at its start."""
        parts = [clip.video.sha256 for clip in self.clips]
        if self.skipped_frames:  # else it is the name that it had before a chain could do so
            parts.append(f"without {self.skipped_frames}")
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:8]

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Pixels]:
        """Frames start..stop (excluded) of the joined chain, H W 3 uint8, one at a time."""
        stop = self.total_frames if stop is None else stop
        if not 0 <= start <= stop <= self.total_frames:
            raise SVIError(f"reel {self.name} has frames 0..{self.total_frames - 1}, asked for {start}..{stop - 1}")
        first = 0
        for clip in self.clips:
            shown = clip.frames - clip.overlap
            begin, end = max(start - first, 0), min(stop - first, shown)
            if begin < end:
                yield from self.clip_frames(clip, clip.overlap + begin, clip.overlap + end)
            first += shown

    def clip_frames(self, clip: Take, start: int = 0, stop: int | None = None) -> Iterator[Pixels]:
        """Frames start..stop (excluded, None for all) of one clip, H W 3 uint8, one at a time.

        Raises SVIError for a video that is damaged, of another size than the manifest says, or a link.
        """
        for pixels in read_video(self.path(clip.video), start, clip.frames if stop is None else stop):
            if pixels.shape != (clip.height, clip.width, 3):
                raise SVIError(
                    f"{clip.video.name} is {pixels.shape[1]}x{pixels.shape[0]}, {clip.width}x{clip.height} was written"
                )
            yield pixels

    def path(self, file: StoredFile) -> Path:
        """Where a file of the reel is. Raises SVIError for a link: a reel of a stranger may lead anywhere."""
        path = self.folder / file.name
        if path.is_symlink():
            raise SVIError(f"reel {self.name}: {file.name} is a link, which is not followed: put the file itself there")
        return path

    def tail(self, clip: Take) -> tuple[Tensor, Tensor | None]:
        """What leads the clip after `clip`: its last frames F H W 3 in 0..1, and its last latents C t h w if kept, in
        `tail_space`."""
        path = self.path(clip.tail)
        try:
            shapes = read_header(path).shapes
            if shapes["frames"] != (clip.tail_frames, clip.height, clip.width, 3):
                raise ValueError(f"its frames are {list(shapes['frames'])[:8]}")
            name = TAIL_LATENTS[_space_in(shapes)]
            if clip.tail_latents and (len(shapes[name]) != 4 or shapes[name][1] != clip.tail_latents):
                raise ValueError(f"its latents are {list(shapes[name])[:8]}")
            with safe_open(path, framework="pt") as file:
                latents = file.get_tensor(name) if clip.tail_latents else None
                return file.get_tensor("frames"), latents
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise SVIError(f"reel {self.name}: {clip.tail.name} cannot be read: {error}") from error

    def tail_space(self, clip: Take) -> TailSpace:
        """The space of the latents of `tail`."""
        path = self.path(clip.tail)
        try:
            return _space_in(read_header(path).shapes) if clip.tail_latents else "wrapper"
        except (OSError, ValueError) as error:
            raise SVIError(f"reel {self.name}: {clip.tail.name} cannot be read: {error}") from error

    def look(self, clip: Take) -> ClipLook | None:
        """How a clip looks, as it was measured when it was written; None when that cannot be read."""
        try:
            return ClipLook.from_dict(read_json(read_header(self.path(clip.tail)).metadata[LOOK]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def is_whole(self, clip: Take) -> bool:
        """Whether the files of a clip are as they were written. Reads them only when their time has changed."""
        return all(is_as_written(self.folder, file) for file in (clip.video, clip.tail))

    def has(self, clip: Take) -> bool:
        """Whether the files of a clip are there with the size they were written with. Reads none of them."""
        return all(size_of(self.folder, file) == file.size for file in (clip.video, clip.tail))

    def problems(self, progress: Callable[[int, int], None] | None = None) -> list[str]:
        """What is wrong, a line each; [] for a whole reel. Reads every byte.

        progress: called after each clip with clips done, of all.
        """
        found = []
        takes = (*self.clips, *self.spare)
        for index, clip in enumerate(takes):
            where = f"clip {index + 1}" if index < len(self.clips) else f"spare take {clip.digest[:8]}"
            bad = [
                f"{where}: {file.name} {reason}"
                for file in (clip.video, clip.tail)
                if (reason := damage_of(self.folder, file))
            ]
            if not bad:
                try:
                    count = sum(1 for _ in self.clip_frames(clip))
                    if count != clip.frames:
                        bad.append(f"{where}: {clip.video.name} has {count} frames, {clip.frames} were written")
                    self.tail(clip)
                except SVIError as error:
                    bad.append(f"{where}: {error}")
            found += bad
            if progress:
                progress(index + 1, len(takes))
        if not is_being_written(self.folder):  # else they may be of the clip that is on its way
            try:
                found += [f"{name} belongs to no clip (left by a run that was stopped)" for name in strays(self)]
            except OSError as error:
                found.append(f"{self.folder} cannot be read: {error}")
        return found

    def assemble(
        self,
        path: Path,
        *,
        video_format: str = "h264",
        quality: int = DEFAULT_QUALITY,
        fps: float | None = None,
        track: Soundtrack | None = None,
        frames: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Write the chain's video to one file, which replaces what was there once it is whole.

        video_format: a key of FORMATS. quality: 0..100 for formats with loss. fps: None for the reel's.
        track: the chain's sound, from the first frame of its first clip on: what that leaves out at its start is left
        out of the sound too. frames: how many of the chain's to write, None for those that its video shows.
        progress: called after each frame with frames done, of all; what it raises ends the work.
        One frame is in memory at a time.
        Returns the number of frames. Raises SVIError for an empty or damaged reel, or when the disk refuses.
        """
        row = check_format(video_format)
        rate = self.fps if fps is None else check_rate("fps", fps)
        if check_int("quality", quality, minimum=0) > 100:
            raise SVIError(f"quality must be 0..100, got {quality}")
        if not self.clips:
            raise SVIError(f"reel {self.name} has no clip yet")
        total, first = self.shown_frames, self.clips[0]
        check_even(row, width=first.width, height=first.height)
        if frames is not None:
            total = min(self.total_frames, check_int("frames", frames, minimum=1))
        if track is not None:
            track = track.after(self.skipped_frames, rate)
        done = 0

        def tick() -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done, total)

        with writing(f"reel {self.name}: {path.name}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with moved_in(path) as (beside,):
                count = write_video(
                    beside, self.frames(0, total), width=first.width, height=first.height, fps=rate,
                    video_format=row.at(quality), track=track, after_frame=tick,
                )  # fmt: skip
        return count

    def up_to(self, count: int) -> Reel:
        """The same reel with its first `count` clips as the chain."""
        return replace(self, clips=self.clips[:count])

    def takes_of(self, clip: Take) -> tuple[Take, ...]:
        """All takes of the clip that this is one of, in order."""
        alike = (take for take in (*self.clips, *self.spare) if take.clip == clip.clip)
        return tuple(sorted(alike, key=lambda take: take.take))

    def __repr__(self) -> str:
        return f"Reel({self.name}: {len(self.clips)} clips, {self.total_frames} frames)"


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Says what could not be written, and what to do, when the disk refuses."""
    import av

    try:
        yield
    except (OSError, SafetensorError, av.error.FFmpegError) as error:
        raise SVIError(
            f"{what} could not be written: {error}. What was finished before is kept: free disk space or the folder's "
            "permissions, then queue again"
        ) from error


def check_reel_name(name: object) -> str:
    """`name` when it can be a folder's name on every system. Raises SVIError otherwise."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or is_device(name) or len(name.encode()) > 120:
        raise SVIError(
            f"reel must be a name of letters, digits, blanks and _ . - ( ) + (a letter or digit first, at most 120 "
            f"bytes, none that Windows keeps for devices), got {str(name)[:100]!r}"
        )
    return name


def list_reels(folder: Path) -> list[str]:
    """Names of the reels in a folder, sorted."""
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):  # of another user: the others are there all the same
                if (path / MANIFEST).is_file():
                    found.append(path.name)
    return sorted(found)


def open_reel(folder: Path) -> Reel:
    """Read a reel. Raises SVIError when there is none, or one that this version cannot read."""
    found = read_manifest(folder)
    return Reel(folder, found.fps, found.clips, found.spare, found.length, found.picked)


def describe_reel(reel: Reel) -> list[str]:
    """A reel in lines: its length, then one row per clip."""
    rows: list[tuple[str, ...]] = [("clip", "mode", "seed", "frames", "overlap", "MB", "prompt")]
    for index, clip in enumerate(reel.clips):
        rows.append((
            str(index + 1), clip.mode, str(clip.seed), str(clip.frames), str(clip.overlap),
            f"{clip.video.size / 2**20:.1f}", shorten(clip.prompt),
        ))  # fmt: skip
    spare = f"; {len(reel.spare)} spare takes ({reel.spare_size / 2**20:.0f} MB)" if reel.spare else ""
    head = f"{reel.name}: {len(reel.clips)} clips, {reel.shown_frames} frames, {reel.seconds:.1f} s at {reel.fps:g} fps"
    return [head + reel.cut + spare, *align(rows)]


def reel_state(folder: Path, *others: Path) -> str:
    """A text that changes when the reel does: its chain, or any file of it, or `others`. "" without a reel."""
    try:
        reel = open_reel(folder)
    except SVIError:
        return ""
    files = [folder / file.name for clip in reel.clips for file in (clip.video, clip.tail)]
    states = []
    for path in (*files, *others):
        try:
            state = path.stat()
            states.append(f"{state.st_size} {state.st_mtime_ns}")
        except OSError:
            states.append("gone")
    return hashlib.sha256(f"{reel.chain} {reel.fps} {reel.length} {states}".encode()).hexdigest()


def is_being_written(folder: Path) -> bool:
    """Whether a run holds the reel's lock."""
    from filelock import FileLock, Timeout

    if (folder / LOCK).is_symlink():
        return False
    try:
        (folder / LOCK).stat()  # else the lock would be made
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # of another user: nobody knows
        return False


def strays(reel: Reel) -> list[str]:
    """Files of this pack's making that no take of the reel names. Raises OSError when the folder cannot be read."""
    named = {file.name for take in (*reel.clips, *reel.spare) for file in (take.video, take.tail)}
    return sorted(path.name for path in reel.folder.iterdir() if OURS.fullmatch(path.name) and path.name not in named)


def _space_in(shapes: Mapping[str, object]) -> TailSpace:
    return "native" if TAIL_LATENTS["native"] in shapes else "wrapper"
