"""Stories put into the graph of a batch, and the jobs that they are."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.reel.reel import open_reel
from ..answers.queue import question_of
from ..answers.stands import KEPT, Planned, states_of
from ..answers.story import plan_of_node
from ..render.standing import stood_of
from ..running.wiring import RunningGraph
from .folders import Folders
from .graph import Graph, find_long_video, for_clips, missing_files, models_key, set_image, set_value
from .jobs import Job
from .parts import critical_path, parts_of
from .stories import Story, check_image


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A story as it will be made. print: of all that the batch knows of it. planned: None where only the run knows.
    error: why it is not made. kept: its video is there already. states: of its clips, as far as the reel tells. picked:
    whether someone chose takes in the reel, so that which clips follow is known to the run alone."""

    story: Story
    graph: Graph = field(default_factory=dict)
    node: str = ""
    print: str = ""
    planned: Planned | None = None
    images: dict[str, Path] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    picked: bool = False
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
        return sum(clip.takes for clip in self.planned.plan.clips if not self.has(clip.index))

    def has(self, clip: int) -> bool:
        """Whether its reel has a clip, as far as that is known without a run."""
        return bool(self.states) and self.states[clip] == KEPT

    @property
    def path(self) -> int:
        """Takes of it that are made one after another, however many workers there are."""
        return 1 if self.planned is None else critical_path(self.planned.plan, self.planned.settings)


@cache
def _defaults(node: str) -> dict[str, Any]:
    """What the widgets of a Long Video hold when nobody touched them. node: its class."""
    from ..nodes.long_video import NODE_CLASS_MAPPINGS

    groups = NODE_CLASS_MAPPINGS[node].INPUT_TYPES()
    specs = {name: spec for group in ("required", "optional") for name, spec in groups[group].items()}
    return {name: spec[1]["default"] for name, spec in specs.items() if "default" in spec[1]}


def prepare(graph: Graph, story: Story, folders: Folders, sets: Iterable[tuple[str, Any]] = ()) -> Prepared:
    """A story put into the batch's graph. What is wrong with it is its `error`. sets: of the whole batch."""
    ready = Prepared(story=story, graph=copy.deepcopy(graph))
    ready.node = find_long_video(ready.graph)
    inputs = ready.graph[ready.node]["inputs"]
    defaults = _defaults(ready.graph[ready.node]["class_type"])
    try:
        for key, value in (*sets, *story.values.items()):
            if key in defaults:  # an older graph may have been saved without it
                inputs.setdefault(key, defaults[key])
                key = f"{ready.node}.{key}"
            set_value(ready.graph, key, value)
        if story.text is not None:
            inputs["story"] = story.text
        inputs |= {"reel": story.name, "resume": True, "clips_per_run": 0, "only": ""}
        for name, path in story.images.items():
            check_image(path, story.where)
            ready.images[set_image(ready.graph, ready.node, name, path)] = path
        reel = None
        with suppress(SVIError):  # there is none yet, or the run says what is wrong with it
            reel = open_reel(folders.home(story.name))
        stood = () if reel is None else stood_of(reel)
        planned, is_sure = plan_of_node(question_of(RunningGraph(ready.graph), ready.node), stood)
        if is_sure:
            ready.planned = planned
        if is_sure and reel is not None:
            ready.states, ready.picked = states_of(reel, planned, resume=True), bool(reel.picked)
    except SVIError as error:
        ready.error = str(error)
    ready.print = fingerprint(ready.graph)
    return ready


def jobs_of(ready: Prepared, *, split: bool) -> list[Job]:
    """The jobs of a story: its parts, and the whole, which joins its video. split: whether it is made in parts."""
    key = models_key(ready.graph, ready.node)
    common: dict[str, Any] = {"story": ready.name, "key": key, "node": ready.node, "images": ready.images}
    jobs: list[Job] = []
    if split and ready.planned is not None and not ready.picked:
        plan = ready.planned.plan
        stop = next((clip.index + 1 for clip in plan.clips if clip.pick == "stop"), len(plan.clips))
        parts = parts_of(plan, ready.planned.settings)
        made: dict[int, str] = {}
        for number, part in enumerate(parts):
            if part.clips[0] >= stop or all(map(ready.has, part.clips)):
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
    jobs.append(Job(name=ready.name, graph=ready.graph, after=after, anyway=True, makes=makes, **common))
    return jobs


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
