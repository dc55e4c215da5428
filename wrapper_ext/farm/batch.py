"""What comes back from the workers of a batch: into reels, videos and a report."""

from __future__ import annotations

import itertools
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.whole import moved_in
from ...svi_embeds.reel.merge import all_takes, place_file
from ...svi_embeds.reel.reel import Reel, open_reel, writing
from .folders import Folders
from .jobs import Job, Parcel, Result, Sent
from .prepare import Prepared
from .schedule import Events, Outcome
from .worker import REELS, parcel_of, unpack

# Files that come out of a graph, and are put beside each other.
_SUFFIXES = {
    ".mp4", ".mkv", ".mov", ".webm", ".avi", ".webp", ".gif", ".png", ".jpg", ".jpeg", ".apng", ".exr", ".wav", ".flac",
    ".mp3", ".opus", ".ogg", ".safetensors", ".latent", ".json", ".txt",
}  # fmt: skip


class Show(Protocol):
    """Where a batch's progress goes. begin: once it is known what is to be done. jobs: how many."""

    def begin(self, stories: Sequence[Prepared], jobs: int) -> None: ...
    def story(self, name: str, state: str) -> None: ...
    def worker(self, name: str, state: str) -> None: ...
    def note(self, line: str) -> None: ...


class BatchEvents(Events):
    """Takes in what comes back. bases: by worker, its folder where this process sees it."""

    def __init__(self, folders: Folders, show: Show) -> None:
        self.folders, self.show = folders, show
        self.stories: Mapping[str, Prepared] = {}
        self.bases: dict[str, Path] = {}
        self.left: dict[str, Callable[[str, list[str]], Parcel | None]] = {}  # the same of those that share no disk
        self.made: dict[str, int] = {}  # takes that came, by story
        self.waiting: dict[str, str] = {}  # stories whose chain ends before they do, and why
        self.doing: dict[str, str] = {}  # by worker, its story
        self.board: Callable[[], tuple[Mapping[str, str], Mapping[str, tuple[bytes, str]]]] | None = None

    def pack_images(self, job: Job) -> Sent:
        """A job for a server that keeps its reels itself."""
        return Sent(job=job, images={name: path.read_bytes() for name, path in job.images.items()})

    def pack(self, job: Job, known: Sequence[str] | None = None) -> Sent:
        """A job as it is sent. known: files of its reel that the other side has; None where it sees the folder."""
        self.folders.make_home(job.story)
        home = self.folders.home(job.story)
        if known is None:
            return replace(self.pack_images(job), reel=home)
        return replace(self.pack_images(job), reel=parcel_of(home, known))

    def began(self, job: Job, worker: str) -> None:
        self.show.story(job.story, f"clip {job.only} on {worker}" if job.only else f"on {worker}")
        self.show.worker(worker, job.name)
        self.doing[worker] = job.story

    def finish(self, job: Job, worker: str, result: Result) -> None:
        if result.reel is None:
            self._count(job.story, result.made)
        else:
            self._take_in(job, result.reel, chain=not job.only)
        self.show.worker(worker, "idle")
        if job.only:
            self.show.story(job.story, f"clip {job.only} made ({result.seconds:.0f} s)")
            return
        if result.waits:
            self.waiting[job.story] = result.waits
        video = self._place(job, result)
        if job.story not in self.waiting:
            self.folders.finish(job.story, self.stories[job.story].print, video)
        self.show.story(job.story, self.waiting.get(job.story) or f"done: {video}")

    def _count(self, story: str, takes: int) -> None:
        self.made[story] = self.made.get(story, 0) + takes

    def _take_in(self, job: Job, sent: Path | Parcel, *, chain: bool) -> None:
        if isinstance(sent, Path):
            self._count(job.story, len(self.folders.merge(job.story, open_reel(sent), chain=chain)))
            return
        place = self.folders.hidden / "incoming" / "output" / REELS / job.story
        unpack(sent, place)
        # What the worker did not send is here already.
        self._count(job.story, len(self.folders.merge(job.story, _completed(place, self.folders.home(job.story)),
                                                      chain=chain)))  # fmt: skip
        shutil.rmtree(place, ignore_errors=True)

    def _place(self, job: Job, result: Result) -> str:
        """Put outputs beside each other; the joined video is called as its story. Returns that one's name."""
        if not result.outputs:
            raise SVIError("the graph gave no video: is its Long Video muted, or nothing of it saved?")
        names: dict[str, Path | bytes] = {}
        for name, data in result.outputs.items():
            suffix = Path(name).suffix.lower()
            if suffix not in _SUFFIXES:
                raise SVIError(f"the graph gave a file of a kind that is not taken: {name[:100]!r}")
            plain = re.sub(r"[^\w .()+-]", "_", Path(name).stem)[:80]
            wanted = f"{job.story}_{plain}" if names else job.story
            taken = itertools.chain([wanted], (f"{wanted}-{count}" for count in itertools.count(2)))
            names[next(f"{one}{suffix}" for one in taken if f"{one}{suffix}" not in names)] = data
        with writing(str(self.folders.out)):
            for name, data in names.items():
                place = self.folders.out / name
                if isinstance(data, Path):
                    place.unlink(missing_ok=True)
                    place_file(data, place)
                else:
                    with moved_in(place) as (beside,):
                        beside.write_bytes(data)
        return next(iter(names))

    def tried(self, job: Job, worker: str, error: str) -> None:
        try:
            if worker in self.bases:
                self._count(job.story, self.folders.salvage(self.bases[worker], job.story))
            elif worker in self.left:
                there = open_reel(self.folders.home(job.story))
                known = [file.name for take in all_takes(there) for file in (take.video, take.tail)]
                if parcel := self.left[worker](job.story, known):
                    self._take_in(job, parcel, chain=False)
        except SVIError as trouble:
            self.show.note(f"{job.name}: what {worker} had finished could not be added: {trouble}")
        self.show.note(f"{job.name} failed on {worker}: {error}")

    def gone(self, worker: str, error: str) -> None:
        self.show.worker(worker, "gone")
        self.show.note(f"{worker} is gone: {error}")

    def waits(self) -> None:
        if self.board is not None:
            with suppress(Exception):  # it is told again
                lines, previews = self.board()
                for worker, line in lines.items():
                    self.show.worker(worker, line)
                for worker, (picture, suffix) in previews.items():
                    self.keep_preview(worker, picture, suffix)

    def keep_preview(self, worker: str, picture: bytes, suffix: str) -> None:
        """The last picture that a story's node showed, as a file."""
        if (name := self.doing.get(worker)) is None:
            return
        folder = self.folders.out / "previews"
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            beside = folder / f".{worker}{suffix}"
            beside.write_bytes(picture)
            beside.replace(folder / f"{name}{suffix}")


def _completed(place: Path, home: Path) -> Reel:
    """A reel that came in part, with the files that are at home."""
    reel = open_reel(place)
    for take in all_takes(reel):
        for file in (take.video, take.tail):
            if not (place / file.name).exists() and (home / file.name).exists():
                place_file(home / file.name, place / file.name)
    return reel


def report_of(
    stories: Sequence[Prepared], outcomes: Mapping[str, Outcome], events: BatchEvents, seconds: float
) -> dict[str, Any]:
    """What became of a batch, for people and programs."""
    by_story: dict[str, list[Outcome]] = {}
    for outcome in outcomes.values():
        by_story.setdefault(outcome.job.story, []).append(outcome)
    rows = []
    for ready in stories:
        mine = by_story.get(ready.name, [])
        whole = outcomes.get(ready.name)
        error = ready.error or (whole.error if whole else "")
        if error.startswith("not made"):
            error = next((outcome.error for outcome in mine if not outcome.error.startswith("not made")
                          and outcome.error), error)  # fmt: skip
        waits = events.waiting.get(ready.name, "")
        told = ((ready.kept, "kept"), (error, "failed"), (whole is None, "stopped"), (waits, "waits"), (True, "done"))
        results = [outcome.result for outcome in mine if outcome.result]
        rows.append({
            "story": ready.name, "state": next(state for so, state in told if so),
            "clips": 0 if ready.planned is None else len(ready.planned.plan.clips),
            "takes_made": events.made.get(ready.name, 0),
            "seconds": round(sum(outcome.seconds for outcome in mine), 1),
            "retries": sum(len(outcome.tried) - bool(outcome.error and outcome.tried) for outcome in mine),
            "workers": sorted({outcome.worker for outcome in mine if outcome.worker}),
            "memory_mb": max((result.memory_mb for result in results), default=0),
            "error": error or waits,
            "tried": [{"job": outcome.job.name, "worker": worker, "error": said}
                      for outcome in mine for worker, said in outcome.tried],
        })  # fmt: skip
    return {"seconds": round(seconds, 1), "finished": time.strftime("%Y-%m-%dT%H:%M:%S"), "stories": rows}
