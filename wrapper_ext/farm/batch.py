"""A batch of stories: from a graph and a table to videos, and the same again from where it was stopped."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.whole import moved_in
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.ground.json_text import read_json
from ...svi_embeds.reel.manifest import MANIFEST
from ...svi_embeds.reel.merge import all_takes, place_file, take_in
from ...svi_embeds.reel.reel import Reel, list_reels, open_reel, writing
from ...svi_embeds.reel.writer import ReelWriter
from ..answers.queue import question_of
from ..answers.reel import KEPT, Planned, states_of
from ..answers.story import plan_of_node
from ..render.long_video import WAITS
from ..render.standing import stood_in
from ..running.wiring import RunningGraph
from .graph import Graph, find_long_video, for_clips, missing_files, models_key, set_image, set_value
from .jobs import Job, Parcel, Result, Sent
from .parts import critical_path, parts_of
from .schedule import Events, Outcome
from .stories import Story, check_image
from .worker import REELS, unpack

DONE = "done.jsonl"  # a line a finished video
# Files that come out of a graph, and are put beside each other.
_SUFFIXES = {
    ".mp4", ".mkv", ".mov", ".webm", ".avi", ".webp", ".gif", ".png", ".jpg", ".jpeg", ".apng", ".exr", ".wav", ".flac",
    ".mp3", ".opus", ".ogg", ".safetensors", ".latent", ".json", ".txt",
}  # fmt: skip
HIDDEN = ".farm"  # folder of what is there only while a batch runs


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A story as it will be made. print: of all that the batch knows of it. planned: None where only the run knows.
    error: why it is not made. kept: its video is there already. states: of its clips, as far as the reel tells."""

    story: Story
    graph: Graph = field(default_factory=dict)
    node: str = ""
    print: str = ""
    planned: Planned | None = None
    images: dict[str, Path] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    error: str = ""
    kept: bool = False

    @property
    def name(self) -> str:
        return self.story.name

    @property
    def makes(self) -> int:
        """Takes that it makes at most; 1 where that is not known."""
        if self.planned is None:
            return 1
        clips = self.planned.plan.clips
        todo = [clip for clip, state in zip(clips, self.states or [""] * len(clips), strict=True) if state != KEPT]
        return sum(clip.takes for clip in todo)

    @property
    def path(self) -> int:
        """Takes of it that are made one after another, however many workers there are."""
        return 1 if self.planned is None else critical_path(self.planned.plan, self.planned.settings)


class Folders:
    """What a batch writes. out: videos and reports; reels: a reel a story; hidden: what goes when it is done; workers:
    of this batch in it. troubles: what could not be taken in, and where it stays."""

    def __init__(self, out: Path) -> None:
        self.out, self.reels, self.hidden = out, out / "reels", out / HIDDEN
        self.workers = self.hidden / uuid.uuid4().hex[:8]  # what a batch that was killed left may still be written to
        self.troubles: list[str] = []

    def home(self, name: str) -> Path:
        return self.reels / name

    @contextmanager
    def held(self) -> Iterator[None]:
        """One batch at a time writes into a folder; what one that was killed left is taken in, then deleted."""
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
        """Take in what workers have finished of reels, and delete their folders; one that cannot be taken in stays."""
        for reels in sorted(self.hidden.glob(f"**/output/{REELS}")):
            for name in list_reels(reels):
                try:
                    self.salvage(reels.parent.parent, name)
                except SVIError as error:
                    self.troubles.append(f"what was finished of {name} stays in {reels / name}: {error}")
        for folder in sorted(self.hidden.iterdir()) if self.hidden.is_dir() else ():
            if folder.is_dir() and not any(str(folder) in trouble for trouble in self.troubles):
                shutil.rmtree(folder, ignore_errors=True)

    def salvage(self, base: Path, name: str) -> int:
        """Take in what a worker has finished of a reel; how many takes came. The chain stays as it is."""
        folder = base / "output" / REELS / name
        return len(self.merge(name, open_reel(folder))) if (folder / MANIFEST).is_file() else 0

    def merge(self, name: str, other: Reel, *, chain: bool = False) -> Sequence[object]:
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
                found.pop(told["name"], None)
                if (self.out / told["video"]).stat().st_size == told["size"] and told["reel"] == self.state(
                    told["name"]
                ):
                    found[told["name"]] = told["print"]
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


@cache
def _defaults() -> dict[str, Any]:
    """What the widgets of Long Video hold when nobody touched them."""
    from ..nodes.long_video import WanVideoSVILongVideo

    groups = WanVideoSVILongVideo.INPUT_TYPES()
    specs = {name: spec for group in ("required", "optional") for name, spec in groups[group].items()}
    return {name: spec[1]["default"] for name, spec in specs.items() if "default" in spec[1]}


def prepare(graph: Graph, story: Story, folders: Folders, sets: Iterable[tuple[str, Any]] = ()) -> Prepared:
    """A story put into the batch's graph. What is wrong with it is its `error`. sets: of the whole batch."""
    ready = Prepared(story=story, graph=copy.deepcopy(graph))
    ready.node = find_long_video(ready.graph)
    inputs = ready.graph[ready.node]["inputs"]
    try:
        for key, value in (*sets, *story.values.items()):
            if key in _defaults():  # an older graph may have been saved without it
                inputs.setdefault(key, _defaults()[key])
                key = f"{ready.node}.{key}"
            set_value(ready.graph, key, value)
        if story.text is not None:
            inputs["story"] = story.text
        inputs |= {"reel": story.name, "resume": True, "clips_per_run": 0, "only": ""}
        for name, path in story.images.items():
            check_image(path, story.where)
            ready.images[set_image(ready.graph, ready.node, name, path)] = path
        home = folders.home(story.name)
        stood = stood_in(home)
        planned, is_sure = plan_of_node(question_of(RunningGraph(ready.graph), ready.node), stood)
        if is_sure:
            ready.planned = planned
            with suppress(SVIError):
                ready.states = states_of(open_reel(home), planned, resume=True)
    except SVIError as error:
        ready.error = str(error)
    ready.print = fingerprint(ready.graph)
    return ready


def jobs_of(ready: Prepared, folders: Folders, *, split: bool) -> list[Job]:
    """The jobs of a story: its parts, and the whole, which joins its video. split: whether it is made in parts."""
    key = models_key(ready.graph, ready.node)
    common: dict[str, Any] = {"story": ready.name, "key": key, "node": ready.node, "images": ready.images}
    whole = ready.name
    jobs: list[Job] = []
    if split and ready.planned is not None and not _is_chosen(ready, folders):
        plan = ready.planned.plan
        stop = next((clip.index + 1 for clip in plan.clips if clip.pick == "stop"), len(plan.clips))
        parts = parts_of(plan, ready.planned.settings)
        made: dict[int, str] = {}
        for number, part in enumerate(parts):
            if part.clips[0] >= stop or all(_is_kept(ready, clip) for clip in part.clips):
                continue
            made[number] = f"{ready.name}: clip {part.only}"
            after = tuple(made[other] for other in sorted(part.after) if other in made)
            jobs.append(Job(
                name=made[number], graph=for_clips(ready.graph, ready.node, part.only), only=part.only, after=after,
                makes=part.makes, **common,
            ))  # fmt: skip
        if len(jobs) == 1:  # nothing to be made beside it
            jobs = []
    after = tuple(job.name for job in jobs)
    makes = 0 if jobs else max(1, ready.makes)
    jobs.append(Job(name=whole, graph=ready.graph, after=after, anyway=True, makes=makes, **common))
    return jobs


def _is_chosen(ready: Prepared, folders: Folders) -> bool:
    """Whether somebody picked takes in the reel: which clips follow is known to the run alone."""
    with suppress(SVIError):
        return bool(open_reel(folders.home(ready.name)).picked)
    return False


def _is_kept(ready: Prepared, clip: int) -> bool:
    return bool(ready.states) and ready.states[clip] == KEPT


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
        there = open_reel(home)
        files = {file.name: there.path(file) for take in all_takes(there) if there.has(take)
                 for file in (take.video, take.tail) if file.name not in known}  # fmt: skip
        data = {name: path.read_bytes() for name, path in files.items()}
        return replace(self.pack_images(job), reel=Parcel((home / MANIFEST).read_bytes(), data))

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
        if (lines := result.info.splitlines()[1:2]) and lines[0].endswith(WAITS):
            self.waiting[job.story] = lines[0]
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
            self.show.note(f"{job.name}: what {worker} had finished could not be taken in: {trouble}")
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


def who_can(
    jobs: Sequence[Job], nodes: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Job], dict[str, frozenset[str]], dict[str, str]]:
    """The jobs, those that some workers cannot do with keys of their own; by key who lacks something; and by story
    what no worker has. nodes: of each worker."""
    known: dict[str, dict[str, list[str]]] = {}
    given: list[Job] = []
    lacking: dict[str, frozenset[str]] = {}
    nobody: dict[str, str] = {}
    for job in jobs:
        wants = _wants(job.graph)
        if wants not in known:
            known[wants] = {worker: missing_files(job.graph, there) for worker, there in nodes.items()}
        lacks = known[wants]
        if lacks and all(lacks.values()):
            least: list[str] = min(lacks.values(), key=lambda found: len(found))
            nobody[job.story] = f"no worker has {', '.join(least)}"
        without = frozenset(worker for worker, found in lacks.items() if found)
        if without:
            job = replace(job, key=f"{job.key} without {sorted(without)}")
        lacking[job.key] = without
        given.append(job)
    return given, lacking, nobody


def _wants(graph: Mapping[str, Any]) -> str:
    """Equal for graphs that want the same nodes and files."""
    rows = [(str(node.get("class_type")), name, value) for node in graph.values()
            for name, value in {"": "", **(node.get("inputs") or {})}.items()
            if isinstance(value, str) and len(value) < 500 and "\n" not in value]  # fmt: skip
    return fingerprint(sorted(rows))


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
        state = "kept" if ready.kept else "failed" if error else "stopped" if whole is None else "waits" if (
            ready.name in events.waiting
        ) else "done"  # fmt: skip
        results = [outcome.result for outcome in mine if outcome.result]
        rows.append({
            "story": ready.name, "state": state, "clips": 0 if ready.planned is None else len(ready.planned.plan.clips),
            "takes_made": events.made.get(ready.name, 0),
            "seconds": round(sum(outcome.seconds for outcome in mine), 1),
            "retries": sum(len(outcome.tried) - bool(outcome.error and outcome.tried) for outcome in mine),
            "workers": sorted({outcome.worker for outcome in mine if outcome.worker}),
            "memory_mb": max((result.memory_mb for result in results), default=0),
            "error": error or events.waiting.get(ready.name, ""),
            "tried": [{"job": outcome.job.name, "worker": worker, "error": said}
                      for outcome in mine for worker, said in outcome.tried],
        })  # fmt: skip
    return {"seconds": round(seconds, 1), "finished": time.strftime("%Y-%m-%dT%H:%M:%S"), "stories": rows}
