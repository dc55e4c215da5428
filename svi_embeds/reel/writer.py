"""Writes a reel: clip by clip, each whole or not there.

A file is written beside its place, flushed to the disk and moved in, the manifest last, and no file is written twice.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from ..colour.look import ClipLook
from ..errors import SVIError
from ..files.stored import StoredFile, hash_file
from ..files.video import LOSSLESS, to_pixels, write_video
from ..files.whole import clear_left, sync_folder
from .manifest import FORMAT, MANIFEST, MAX_MANIFEST, VERSION, Take
from .previews import delete_previews
from .reel import LOCK, LOOK, TAIL_LATENTS, Reel, TailSpace, open_reel, strays, writing
from .texts import delete_texts

_PAUSES = (0.01, 0.05, 0.25)  # seconds
_JOINED = re.compile(r"(.+)_([0-9a-f]{8})_[\d.]+fps\S*\.(?:mp4|mkv|mov)")  # as the nodes name them


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTake:
    """A clip that was rendered, to be kept.

    images: F H W 3 in 0..1. overlap: frames dropped at its start when joined. tail: its last frames, copied.
    latents: its last latents C t h w, in `space`. seconds: of work so far. look: of what it adds to the chain, where it
    was measured. values, of, take, led_by, number, follows, score, ends_as, landing: see `Take`.
    """

    digest: str
    images: Tensor
    overlap: int
    tail: Tensor
    latents: Tensor | None = None
    space: TailSpace = "wrapper"
    prompt: str
    seed: int
    mode: str
    seconds: float
    look: ClipLook | None = None
    values: str = ""
    of: str = ""
    take: int = 0
    led_by: str = ""
    number: int = 0
    follows: bool = True
    score: float | None = None
    ends_as: str = ""
    landing: float | None = None


class ReelWriter:
    """Writes a reel; one at a time, in whatever process. Use as a context manager.

    fps, length: of the reel, see `Reel`.
    """

    def __init__(self, folder: Path, *, fps: float, length: int | None = None) -> None:
        from filelock import FileLock

        self.folder, self.fps, self.length = folder, fps, length
        # Who only looks whether it is held holds it for a moment.
        self._lock = FileLock(folder / LOCK, timeout=0.5)

    def __enter__(self) -> ReelWriter:
        from filelock import Timeout

        with writing(f"reel {self.folder.name}"):
            self.folder.mkdir(parents=True, exist_ok=True)
            if (self.folder / LOCK).is_symlink():  # older filelocks empty the file that it leads to
                raise SVIError(f"reel {self.folder.name}: its {LOCK} is a link: delete it, or choose another reel name")
            try:
                self._lock.acquire()
            except Timeout as error:
                raise SVIError(
                    f"reel {self.folder.name} is being written by another run: wait for it, or choose another reel name"
                ) from error
        try:
            with writing(f"reel {self.folder.name}: {MANIFEST}"):
                self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _open(self) -> None:
        if _is_there(self.folder / MANIFEST):
            self.reel = open_reel(self.folder)
        else:
            self.reel = Reel(self.folder, self.fps, ())
            if found := [name for name in strays(self.reel) if name.startswith("clip_")]:
                raise SVIError(
                    f"reel {self.folder.name} has clips but no {MANIFEST} ({found[0]}, ...): put it back from a copy, "
                    "delete the folder, or choose another reel name"
                )
            # From here on a clip that is on the disk and not in the manifest is one that was not finished.
            self._commit((), ())
        for name in strays(self.reel):
            with suppress(OSError):
                (self.folder / name).unlink()
        clear_left(self.folder)  # of joined videos

    def find(self, digest: str) -> Take | None:
        """The take of that digest, if it is whole."""
        for take in (*self.reel.clips, *self.reel.spare):
            if take.digest == digest:
                return take if self.reel.is_whole(take) else None
        return None

    def add(
        self, new: NewTake, *, before: Sequence[Take] | None, after_frame: Callable[[], None] | None = None
    ) -> Take:
        """Write a clip and make it the one after the takes `before`; what the chain had there becomes spare.

        before: None to leave the chain as it is; the clip is spare. Raises SVIError when the disk refuses; the reel is
        as before.
        """
        images, latents = new.images, new.latents
        place = 1 + (new.number if before is None else len(before))
        stem = f"clip_{place:04}_{new.digest[:8]}_{uuid.uuid4().hex[:8]}"
        height, width = images.shape[1:3]
        with writing(f"reel {self.folder.name}: clip {place}"):
            video = self._write(
                f"{stem}{LOSSLESS.suffix}",
                lambda path: write_video(
                    path, map(to_pixels, images), width=width, height=height, fps=self.fps, after_frame=after_frame
                ),
            )
            tensors = {"frames": new.tail.contiguous()}
            if latents is not None:
                tensors[TAIL_LATENTS[new.space]] = latents.contiguous()
            told = None if new.look is None else {LOOK: json.dumps(new.look.as_dict())}
            try:
                data = save(tensors, metadata=told)  # save_file leaves files of its own when it is killed
                kept = self._write(f"{stem}.safetensors", lambda path: path.write_bytes(data))
            except BaseException:
                with suppress(OSError):
                    (self.folder / video.name).unlink(missing_ok=True)
                raise
        take = Take(
            digest=new.digest, frames=len(images), overlap=new.overlap, width=width, height=height, video=video,
            tail=kept, tail_frames=len(new.tail), tail_latents=0 if latents is None else latents.shape[1],
            prompt=new.prompt, seed=new.seed, mode=new.mode, seconds=round(new.seconds, 1), values=new.values,
            of=new.of, take=new.take, led_by=new.led_by, number=new.number, follows=new.follows, score=new.score,
            ends_as=new.ends_as, landing=new.landing,
        )  # fmt: skip
        replaced = [old for old in (*self.reel.clips, *self.reel.spare) if old.digest == new.digest]
        if before is None:
            with writing(f"reel {self.folder.name}: {MANIFEST}"):
                self._put(take)
        else:
            self.set_chain([*before, take])
        self._delete(replaced)
        return take

    def _put(self, take: Take) -> None:
        """A take comes to the reel, in the place of one with its digest, else spare; the chain stays."""
        chain = [take if one.digest == take.digest else one for one in self.reel.clips]
        spare = [one for one in self.reel.spare if one.digest != take.digest]
        self._commit(chain, spare if take in chain else [*spare, take])

    def set_chain(self, chain: Sequence[Take]) -> None:
        """Make these takes the chain; all others become spare."""
        used = {take.digest for take in chain}
        spare = [take for take in (*self.reel.clips, *self.reel.spare) if take.digest not in used]
        if ((*chain,), self.fps, self.length) != (self.reel.clips, self.reel.fps, self.reel.length):
            with writing(f"reel {self.folder.name}: {MANIFEST}"):
                self._commit(chain, spare)

    def set_takes(self, chain: Sequence[Take], takes: Iterable[Take], picked: Mapping[str, str]) -> None:
        """Make these the reel's takes, whose files are in its folder, some of them its chain, in this order.

        Files of takes that are no longer told are deleted by the next run.
        """
        used = {take.digest for take in chain}
        with writing(f"reel {self.folder.name}: {MANIFEST}"):
            self._commit(chain, [take for take in takes if take.digest not in used], picked)

    def pick(self, take: Take) -> None:
        """A person chooses this take of its clip, which stays until another is chosen.

        The chain goes on from it with the takes that it leads, those written last; what followed another take is spare.
        """
        reel = self.reel
        picked = {**reel.picked, take.clip: take.digest}
        place = next((index for index, clip in enumerate(reel.clips) if clip.clip == take.clip), None)
        chain = list(reel.clips)
        if place is not None and chain[place].digest != take.digest:
            chain[place:] = [take, *_led_by(take, (*reel.clips, *reel.spare))]
        used = {one.digest for one in chain}
        spare = [one for one in (*reel.clips, *reel.spare) if one.digest not in used]
        with writing(f"reel {self.folder.name}: {MANIFEST}"):
            self._commit(chain, spare, picked)

    def drop(self, take: Take) -> int:
        """Delete a take that the chain does not use, with its previews. Returns how many bytes its files had.

        Raises SVIError for one that the chain uses, and one that the reel does not have.
        """
        if take in self.reel.clips:
            raise SVIError(
                f"take {take.take + 1} of this clip is what reel {self.reel.name} continues from: pick another take "
                "first, queue, then delete this one"
            )
        if take not in self.reel.spare:
            raise SVIError(f"reel {self.reel.name} does not have this take any more")
        with writing(f"reel {self.folder.name}: {MANIFEST}"):
            self._commit(self.reel.clips, [one for one in self.reel.spare if one != take])
        self._delete([take])
        delete_previews(self.folder, (take,))
        return take.video.size + take.tail.size

    def clean(self) -> tuple[int, int]:
        """Delete spare takes, joined videos of other chains than this, previews and texts. Returns how many takes, and
        all bytes."""
        spare, size = self.reel.spare, self.reel.spare_size
        with writing(f"reel {self.folder.name}: {MANIFEST}"):
            videos = [path for path in self.folder.iterdir() if (match := _JOINED.fullmatch(path.name))
                      and match[1] == self.reel.name and match[2] != self.reel.chain]  # fmt: skip
            self._commit(self.reel.clips, ())
        self._delete(spare)
        for path in videos:
            with suppress(OSError):
                size += path.stat().st_size
                path.unlink()
        return len(spare), size + delete_previews(self.folder) + delete_texts(self.folder)

    def _delete(self, takes: Iterable[Take]) -> None:
        """Delete the files of takes that are gone from the manifest, but those that it names for another."""
        named = {file.name for take in (*self.reel.clips, *self.reel.spare) for file in (take.video, take.tail)}
        for take in takes:
            for file in (take.video, take.tail):
                if file.name not in named:
                    with suppress(OSError):
                        (self.folder / file.name).unlink(missing_ok=True)

    def _commit(self, chain: Iterable[Take], spare: Iterable[Take], picked: Mapping[str, str] | None = None) -> None:
        """picked: None for those that there are; of takes that are gone there is none."""
        picked = self.reel.picked if picked is None else picked
        chain, spare = tuple(chain), tuple(spare)
        there = {take.digest for take in (*chain, *spare)}
        picked = {clip: digest for clip, digest in picked.items() if digest in there}
        reel = Reel(self.folder, self.fps, chain, spare, self.length, picked)
        data = {
            "format": FORMAT,
            "version": VERSION,
            "fps": self.fps,
            "length": self.length,
            "chain": [take.digest for take in reel.clips],
            "picked": reel.picked,
            "takes": [asdict(take) for take in (*reel.clips, *reel.spare)],
        }
        text = json.dumps(data, indent=1)
        if len(text) > MAX_MANIFEST:  # it could be written and never read again
            raise SVIError(
                f"reel {self.folder.name} has {len(reel.clips) + len(reel.spare)} takes, more than a manifest "
                "can hold: clean it (wanvideo-svi reel clean), or continue in another reel"
            )
        self._write(MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))
        self.reel = reel

    def _write(self, name: str, write: Callable[[Path], Any]) -> StoredFile:
        """Write a file beside its place, bring it to the disk, move it in."""
        beside = self.folder / f".{uuid.uuid4().hex}.tmp"
        try:
            write(beside)
            with beside.open("r+b") as file:  # Windows brings only files to the disk that are open for writing
                os.fsync(file.fileno())
                sha256 = "" if name == MANIFEST else hash_file(file)
            _move(beside, self.folder / name)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        sync_folder(self.folder)
        state = (self.folder / name).stat()
        return StoredFile(name, state.st_size, state.st_mtime_ns, sha256)


def _led_by(take: Take, takes: Sequence[Take]) -> Iterator[Take]:
    """The takes that go on from one, of each clip the one that was written last."""
    end_of = {one.digest: one.end for one in takes}
    led: dict[str, list[Take]] = {}
    for one in takes:
        if one.led_by:
            led.setdefault(end_of.get(one.led_by, one.led_by), []).append(one)
    seen = {take.digest}
    while after := [one for one in led.get(take.end, ()) if one.digest not in seen]:
        take = max(after, key=lambda one: one.video.time)
        seen.add(take.digest)
        yield take


def _move(path: Path, place: Path) -> None:
    """Move a file in. Windows refuses while another program reads what is there, which pages that look at reels do."""
    for pause in _PAUSES:
        try:
            path.replace(place)
            return
        except PermissionError:
            time.sleep(pause)
    path.replace(place)


def _is_there(path: Path) -> bool:
    """Whether a file exists. Raises OSError where that is not known: Path.exists may say no there."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True
