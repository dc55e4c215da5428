"""The folder that a batch writes to: reels, what workers leave, and which videos are done."""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.ground.json_text import read_json
from ...svi_embeds.reel.manifest import MANIFEST, Take
from ...svi_embeds.reel.merge import take_in
from ...svi_embeds.reel.reel import Reel, list_reels, open_reel, writing
from ...svi_embeds.reel.writer import ReelWriter
from .worker import REELS

DONE = "done.jsonl"  # a line a finished video
HIDDEN = ".farm"  # folder of what is there only while a batch runs


class Folders:
    """What a batch writes. out: videos and reports; reels: a reel a story; hidden: what goes when it is done; workers:
    of this batch in it. troubles: by a folder in it that stays, what could not be added."""

    def __init__(self, out: Path) -> None:
        self.out, self.reels, self.hidden = out, out / "reels", out / HIDDEN
        self.workers = self.hidden / uuid.uuid4().hex[:8]  # what a batch that was killed left may still be written to
        self.troubles: dict[Path, str] = {}

    def home(self, name: str) -> Path:
        return self.reels / name

    @contextmanager
    def held(self) -> Iterator[None]:
        """One batch at a time writes into a folder; what one that was killed left is added, then deleted."""
        from filelock import FileLock, Timeout

        with writing(str(self.out)):
            self.hidden.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.hidden / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise SVIError(
                f"another batch writes to {self.out}: wait for it, or name another folder with --out"
            ) from error
        try:
            self.take_left()
            with writing(str(self.out)):
                self.workers.mkdir(exist_ok=True)
            yield
        finally:
            self.troubles.clear()
            self.take_left()
            if not self.troubles:
                shutil.rmtree(self.hidden, ignore_errors=True)
            lock.release()  # behind it, or the next batch would begin in a folder that goes
            if sys.platform == "win32" and not self.troubles:
                shutil.rmtree(self.hidden, ignore_errors=True)

    def take_left(self) -> None:
        """Add what workers have finished of reels, and delete their folders; one that cannot be added stays."""
        for reels in sorted(self.hidden.glob(f"**/output/{REELS}")):
            for name in list_reels(reels):
                try:
                    self.salvage(reels.parent.parent, name)
                except SVIError as error:
                    self.troubles[reels / name] = f"what was finished of {name} stays in {reels / name}: {error}"
        for folder in sorted(self.hidden.iterdir()) if self.hidden.is_dir() else ():
            if folder.is_dir() and not any(stays.is_relative_to(folder) for stays in self.troubles):
                shutil.rmtree(folder, ignore_errors=True)

    def salvage(self, base: Path, name: str) -> int:
        """Add what a worker has finished of a reel; how many takes came. The chain stays as it is."""
        folder = base / "output" / REELS / name
        return len(self.merge(name, open_reel(folder))) if (folder / MANIFEST).is_file() else 0

    def merge(self, name: str, other: Reel, *, chain: bool = False) -> list[Take]:
        """Takes of a worker's reel into the batch's own."""
        with ReelWriter(self.home(name), fps=other.fps) as writer:
            return take_in(writer, other, chain=chain)

    def make_home(self, name: str) -> None:
        """A reel of no clip, where there is none."""
        if not (self.home(name) / MANIFEST).exists():
            with ReelWriter(self.home(name), fps=16.0):
                pass

    def finished(self) -> dict[str, str]:
        """Prints of the stories whose videos are done, and there, by name."""
        found: dict[str, str] = {}
        try:
            lines = (self.out / DONE).read_bytes().splitlines()
        except OSError:
            return found
        for line in lines:
            with suppress(ValueError, KeyError, TypeError, OSError):  # the last line of a run that was killed
                told = read_json(line.decode())
                name = told["name"]
                found.pop(name, None)
                is_there = (self.out / told["video"]).stat().st_size == told["size"]
                if is_there and told["reel"] == self.state(name):
                    found[name] = told["print"]
        return found

    def finish(self, name: str, print_: str, video: str) -> None:
        """A line for a video that is done."""
        size = (self.out / video).stat().st_size
        told = {"name": name, "print": print_, "video": video, "size": size, "reel": self.state(name)}
        with writing(str(self.out / DONE)), (self.out / DONE).open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut = file.read(1) not in (b"", b"\n")  # a line of a run that was killed
            file.write(b"\n" * cut + json.dumps(told).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def state(self, name: str) -> str:
        """What a story's reel shows, and what a person picked in it; "" for one that a server has."""
        try:
            reel = open_reel(self.home(name))
        except SVIError:
            return ""
        return fingerprint([reel.chain, dict(reel.picked)])[:16]
