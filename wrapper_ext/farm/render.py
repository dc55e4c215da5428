"""What `wanvideo-svi render` does: workers, the batch on them, and the report."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.whole import whole_files
from .batch import BatchEvents, Show, report_of
from .client import Client
from .folders import Folders
from .graph import check_graph
from .jobs import Job
from .measure import measure
from .prepare import Prepared, jobs_of, prepare, who_can
from .process import ComfyProcess, Program
from .schedule import Outcome, Scheduler, Worker, run_jobs
from .stories import Story
from .threads import ThreadWorker
from .worker import ComfyWorker, WorkerSettings

REPORT = "report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a batch is rendered.

    out: where all goes. comfyui, python, arguments, threads: of the ComfyUI that workers start. servers: addresses of
    those that run; headers: sent to them. address: of a Ray cluster. workers: how many, 0 for a cluster's cards. cards:
    of this machine, as CUDA names them. retries, hang: see `Scheduler` and `WorkerSettings`. split: whether stories are
    made in parts, None for as it pays. store: workers share no folder with this machine. again: look at finished videos
    too. bench: measure a take on each worker before.
    """

    out: Path
    comfyui: Path | None = None
    python: str = ""
    arguments: Sequence[str] = ()
    servers: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None
    workers: int = 1
    cards: Sequence[str] = ()
    threads: int = 0
    retries: int = 2
    hang: float = 600.0
    split: bool | None = None
    store: bool = False
    again: bool = False
    bench: bool = False


class Handle(Worker, Protocol):
    """A worker that can be asked what it has, and ended."""

    def nodes(self) -> Future[dict[str, Any]]: ...
    def stop(self) -> None: ...


@contextmanager
def working(options: Options, folders: Folders, events: BatchEvents, show: Show) -> Iterator[dict[str, Handle]]:
    """The batch's workers by name, started when they are asked whether they are ready; ended behind it."""
    with ExitStack() as stack:
        stack.callback(_keep_logs, folders)
        handles: dict[str, Handle] = {}
        direct = _Direct(show, events)
        for number, url in enumerate(options.servers, start=1):
            settings = WorkerSettings(url=url, headers=options.headers, hang=options.hang)
            worker = ComfyWorker(f"server-{number}", settings, direct)
            handles[worker.name] = ThreadWorker(worker, events.pack_images)
        if options.comfyui is not None and (options.address is not None or options.workers > 1):
            handles |= _on_ray(options, folders, events, stack)
        elif options.comfyui is not None:
            worker = ComfyWorker("worker-1", _settings(options, folders, events, "worker-1"), direct)
            handles[worker.name] = ThreadWorker(worker, events.pack)
        stack.callback(_stop_all, handles)
        yield handles


def _stop_all(handles: Mapping[str, Handle]) -> None:
    for handle in handles.values():
        with suppress(Exception):
            handle.stop()


def _on_ray(options: Options, folders: Folders, events: BatchEvents, stack: ExitStack) -> dict[str, Handle]:
    from . import ray_workers

    ray = stack.enter_context(ray_workers.connected(options.address))
    batch = f"svi-farm-{uuid.uuid4().hex[:12]}"
    board = ray_workers.start_board(ray, batch)
    events.board = lambda: ray.get(board.take.remote())
    gpu = bool(options.cards) or (options.address is not None and ray.cluster_resources().get("GPU", 0) > 0)
    have = int(ray.cluster_resources().get("GPU", 0))
    if gpu and options.workers > have:
        raise SVIError(f"{options.workers} workers are wanted, and Ray has {have} cards: --gpus {have}, or add nodes")
    handles: dict[str, Handle] = {}
    for number in range(1, (options.workers or have or 1) + 1):
        name = f"worker-{number}"
        settings = _settings(options, folders, events, name, gpu=gpu)
        actor = ray_workers.start_worker(ray, batch, name, settings, gpu=gpu)
        handles[name] = worker = ray_workers.RayWorker(ray, actor, events.pack, shares=not options.store)
        if options.store:
            events.left[name] = worker.left
    return handles


def _settings(
    options: Options, folders: Folders, events: BatchEvents, name: str, *, gpu: bool = False
) -> WorkerSettings:
    """gpu: whether Ray says which card is the worker's."""
    alone = options.address is None and options.workers == 1
    card = None if gpu or (alone and not options.cards) else options.cards[0] if alone else ""
    program = _program(options, card)
    if options.store:
        return WorkerSettings(program=program, shares=False, hang=options.hang)
    events.bases[name] = folders.workers / name
    return WorkerSettings(program=program, base=events.bases[name], hang=options.hang)


def _program(options: Options, card: str | None) -> Program:
    assert options.comfyui is not None
    return Program(
        folder=options.comfyui, python=options.python, arguments=tuple(options.arguments), card=card,
        threads=options.threads,
    )  # fmt: skip


class _Direct:
    """A worker's report in this process."""

    def __init__(self, show: Show, events: BatchEvents) -> None:
        self.show, self.events = show, events

    def line(self, worker: str, line: str) -> None:
        self.show.worker(worker, line)

    def preview(self, worker: str, picture: bytes, suffix: str) -> None:
        self.events.keep_preview(worker, picture, suffix)


def _keep_logs(folders: Folders) -> None:
    """Logs of the workers' ComfyUIs, beside the videos."""
    for log in folders.workers.glob("*/comfyui.log"):
        with suppress(OSError):
            place = folders.out / "logs"
            place.mkdir(exist_ok=True)
            shutil.copyfile(log, place / f"{log.parent.name}.log")


def ready_nodes(handles: dict[str, Handle], show: Show) -> dict[str, dict[str, Any]]:
    """What each worker's ComfyUI has, by worker; those that do not start are taken out. Raises SVIError without any."""
    starting = {handle.ready(): name for name, handle in handles.items()}
    why = ""
    for future in as_completed(starting):
        name = starting[future]
        if (error := future.exception()) is not None:
            why = str(error)
            show.note(f"{name} is not there: {error}")
            handles.pop(name).stop()
    if not handles:
        raise SVIError(f"no worker started: {why}")
    asked = {name: handle.nodes() for name, handle in handles.items()}
    told: dict[str, dict[str, Any]] = {}
    for name, future in asked.items():
        try:
            told[name] = future.result()
        except SVIError as error:
            why = str(error)
            show.note(f"{name} does not say what nodes it has: {error}")
            handles.pop(name).stop()
    if not told:
        raise SVIError(f"no worker says what nodes it has: {why}")
    return told


def nodes_of_one(options: Options) -> dict[str, Any]:
    """What a ComfyUI of the batch has: a server, or one that is started for it; {} where none is named."""
    if options.servers:
        return Client(options.servers[0], options.headers).nodes()
    if options.comfyui is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="svi-nodes-") as base:
        process = ComfyProcess(_program(options, ""), Path(base))
        try:
            process.start()
            return Client(process.url).nodes()
        finally:
            process.stop()


def render(
    graph_of: Callable[[Mapping[str, Any]], dict[str, Any]], stories: Sequence[Story], sets: Sequence[tuple[str, Any]],
    options: Options, show: Show,
) -> tuple[dict[str, Any], int]:  # fmt: skip
    """Render a batch. Returns its report, and the exit code: 0 all is there, 1 something is not.

    graph_of: the API graph, from what a ComfyUI has. Raises SVIError for what makes the whole batch impossible.
    """
    began, folders = time.monotonic(), Folders(options.out)
    with folders.held():
        for trouble in folders.troubles.values():
            show.note(trouble)
        events = BatchEvents(folders, show)
        outcomes: dict[str, Outcome] = {}
        ready: list[Prepared] = []
        stopped = False
        try:
            with working(options, folders, events, show) as handles:
                nodes = ready_nodes(handles, show)
                graph = graph_of(next(iter(nodes.values())))
                check_graph(graph)
                ready = [prepare(graph, story, folders, sets) for story in stories]
                jobs = planned_jobs(ready, folders, options, len(handles))
                events.stories = {each.name: each for each in ready}
                jobs, lacking, nobody = who_can(jobs, nodes)
                for each in ready:
                    each.error = each.error or nobody.get(each.name, "")
                bad = {each.name for each in ready if each.error}
                jobs = [job for job in jobs if job.story not in bad]
                if options.bench and jobs:
                    first = next(each for each in ready if each.name == jobs[0].story)
                    measure(first, jobs, handles, events)
                show.begin(ready, len(jobs))
                scheduler = Scheduler(
                    jobs, handles, events, retries=options.retries,
                    may_run=lambda key, worker: worker not in lacking.get(key, ()),
                )  # fmt: skip
                outcomes = scheduler.outcomes
                run_jobs(scheduler, events)
        except KeyboardInterrupt:
            stopped = True
            show.note("stopped: what is finished stays, and the same command continues from there")
            for outcome in outcomes.values():
                if outcome.result is None:
                    outcome.error = outcome.error or "stopped before it was done"
        report = report_of(ready, outcomes, events, time.monotonic() - began)
        report["stopped"] = stopped
        options.out.mkdir(parents=True, exist_ok=True)
        with whole_files(options.out / REPORT) as (beside,):
            beside.write_text(json.dumps(report, indent=1), encoding="utf-8")
    for trouble in folders.troubles.values():
        show.note(trouble)
    failed = stopped or bool(folders.troubles) or any(row["state"] not in ("done", "kept") for row in report["stories"])
    return report, int(failed)


def planned_jobs(ready: Sequence[Prepared], folders: Folders, options: Options, workers: int) -> list[Job]:
    """The jobs of what is to be done. In parts where there are fewer stories than twice the workers: a part costs
    encoding its text again."""
    finished = {} if options.again else folders.finished()
    todo: list[Prepared] = []
    for each in ready:
        each.kept = not each.error and finished.get(each.name) == each.print
        if not each.kept and not each.error:
            todo.append(each)
    split = options.split if options.split is not None else len(todo) < 2 * workers and workers > 1
    return [job for each in todo for job in jobs_of(each, split=split and not options.servers)]
