"""python -m bench.farm [--quick] [--only simulated|ray]

Batches on many workers, as tables. Simulated: the scheduler's own order on a clock that jumps, with no worker behind
it. Real: Ray's actors, which do nothing or sleep, behind the pack's own workers and scheduler.
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.story.chain import ChainPlan
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.svi_embeds.story.settings import ChainSettings
from wanvideo_svi.wrapper_ext.farm import ray_workers
from wanvideo_svi.wrapper_ext.farm.estimate import Estimate, estimate
from wanvideo_svi.wrapper_ext.farm.jobs import Job
from wanvideo_svi.wrapper_ext.farm.parts import Part, parts_of
from wanvideo_svi.wrapper_ext.farm.schedule import Scheduler, run_jobs

CLIP, SPREAD = 26.0, 0.25  # seconds that half the clips stay below, and the spread of their logarithm
LOAD = 60.0  # seconds of loading models
EACH = 3.0  # seconds of a job beside its clips: texts encoded, a video joined
KEYS = {"one": 0.7, "other": 0.3}  # graphs by the models that they load, and their share of the stories
SLEEP = 0.5  # seconds of a clip of a worker that is none
GOAL_MS = 50.0  # of overhead a clip, with GOAL_WORKERS
GOAL_WORKERS = 64


@dataclass(frozen=True, slots=True)
class Tale:
    """A story: seconds are by clip and take."""

    name: str
    key: str
    parts: Sequence[Part]
    seconds: Sequence[Sequence[float]]

    def spent(self, part: Part) -> float:
        clip, dot, take = part.only.partition(".")
        if dot:
            return self.seconds[int(clip) - 1][int(take) - 1]
        return sum(self.seconds[index][0] for index in part.clips)


def tales(count: int, *, seed: int = 7) -> list[Tale]:
    """Three in five plain, one with scenes, one with takes of a clip."""
    chance, made = random.Random(seed), []
    for number in range(count):
        kind = chance.choices(("plain", "scenes", "takes"), (60, 20, 20))[0]
        blocks = [""] * chance.randint(3, 8)
        if kind == "scenes":
            scenes = [["[cut]", *[""] * chance.randint(1, 3)] for _ in range(chance.randint(2, 4))]
            blocks = [block for scene in scenes for block in scene]
            blocks[0] = ""
        elif kind == "takes":
            blocks[chance.randrange(len(blocks))] = f"[takes={chance.randint(2, 4)}]"
        plan, parts = _planned(tuple(blocks))
        seconds = [[CLIP * chance.lognormvariate(0, SPREAD) for _ in range(clip.takes)] for clip in plan.clips]
        key = chance.choices(tuple(KEYS), tuple(KEYS.values()))[0]
        made.append(Tale(f"story-{number}", key, parts, seconds))
    return made


@functools.cache
def _planned(blocks: tuple[str, ...]) -> tuple[ChainPlan, list[Part]]:
    """blocks: what stands before the prompt of each clip."""
    text = "\n---\n".join(f"{block}\nshe walks on" for block in blocks)
    settings = ChainSettings(mode="film", num_frames=81)
    plan = plan_chain(text, settings)
    return plan, parts_of(plan, settings)


def jobs_of(told: Sequence[Tale], *, split: bool) -> list[tuple[Job, float]]:
    """The jobs of stories as a batch makes them, each with its seconds."""
    found = []
    for tale in told:
        common: dict[str, Any] = {"story": tale.name, "key": tale.key, "graph": {}, "node": "1"}
        names: list[str] = []
        if split and len(tale.parts) > 1:
            for part in tale.parts:
                names.append(f"{tale.name}: clip {part.only}")
                after = tuple(names[other] for other in sorted(part.after))
                job = Job(name=names[-1], only=part.only, after=after, makes=part.makes, **common)
                found.append((job, EACH + tale.spent(part)))
        takes = [seconds for clip in tale.seconds for seconds in clip if not names]
        whole = Job(name=tale.name, after=tuple(names), makes=len(takes), **common)
        found.append((whole, EACH + sum(takes)))
    return found


def simulated(told: Sequence[Tale], workers: int, *, split: bool) -> tuple[Estimate, int, float]:
    """How a batch goes, its jobs, and seconds of the processor for each."""
    jobs = jobs_of(told, split=split)
    seconds = {job.name: spent for job, spent in jobs}
    began = time.process_time()
    found = estimate([job for job, _ in jobs], workers, lambda job: seconds[job.name], load=LOAD)
    return found, len(jobs), (time.process_time() - began) / len(jobs)


def table_of_sizes(told: Sequence[Tale], sizes: Sequence[int]) -> Iterator[str]:
    clips = sum(len(tale.seconds) for tale in told)
    takes = sum(len(clip) for tale in told for clip in tale.seconds)
    yield f"{len(told):,} stories of {clips:,} clips, {takes:,} takes; {CLIP:g} s a take, {LOAD:g} s to load models.\n"
    yield from _head(
        "workers", "stories made", "jobs", "hours", "used", "models loaded", "critical path", "time / floor",
        "CPU a job",
    )  # fmt: skip
    for workers in sizes:
        for split in (False, True):
            found, jobs, cost = simulated(told, workers, split=split)
            yield (
                f"| {workers:,} | {'in parts' if split else 'whole'} | {jobs:,} | {found.seconds / 3600:.2f} "
                f"| {found.used(workers):.1%} | {found.loads:,} | {found.path:.0f} s "
                f"| {found.seconds / _floor(found, workers):.3f} | {cost * 1e6:.0f} µs |"
            )


def _floor(found: Estimate, workers: int) -> float:
    """Seconds that no order goes below."""
    return max(LOAD + found.path, found.busy / workers)


def _head(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"| {' | '.join('---' if name in _TEXT else '---:' for name in names)} |"


_TEXT = ("stories made", "the command makes")  # columns that are no numbers


def table_of_parts(told: Sequence[Tale], workers: int, counts: Sequence[int], draws: int) -> Iterator[str]:
    """Where parts pay. Each row is the median of several batches."""
    yield from _head(
        f"stories on {workers} workers", "whole", "in parts", "parts / whole", "used whole", "used in parts",
        "the command makes",
    )  # fmt: skip
    for count in counts:
        batches = [told[draw * count : (draw + 1) * count] for draw in range(draws)]
        whole, parts = ([simulated(some, workers, split=split)[0] for some in batches] for split in (False, True))
        ratio = statistics.median(one.seconds / other.seconds for one, other in zip(parts, whole, strict=True))
        times, shares = (
            [statistics.median(value(each) for each in made) for made in (whole, parts)]
            for value in (lambda each: each.seconds, lambda each: each.used(workers))
        )
        takes = "parts" if count < 2 * workers else "whole"
        yield (
            f"| {count} | {times[0]:.0f} s | {times[1]:.0f} s | {ratio:.2f} | {shares[0]:.0%} | {shares[1]:.0%} "
            f"| {takes} |"
        )


class _Silent:
    """A batch that tells nobody. It asks the board as often as the command does. gaps: seconds that workers had
    nothing to do between two jobs."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self.ask, self.gaps, self.seen = ask, list[float](), set[str]()

    def began(self, job: Job, worker: str) -> None: ...
    def finish(self, job: Job, worker: str, result: Any) -> None:  # noqa: ARG002
        if worker in self.seen:
            self.gaps.append(result)
        self.seen.add(worker)

    def tried(self, job: Job, worker: str, error: str) -> None:
        raise RuntimeError(f"{job.name} failed on {worker}: {error}")

    def gone(self, worker: str, error: str) -> None:
        raise RuntimeError(f"{worker} is gone: {error}")

    def waits(self) -> None:
        self.ask()


def _start(ray: Any) -> Any:
    """An actor that stands in for a worker, started as one. It gets its job as bytes: reading them takes torch, which
    64 processes would load for nothing."""

    class Stand:
        def __init__(self) -> None:
            self.ended = 0.0

        def ready(self) -> str:
            return ""

        def render(self, sent: tuple[float, bytes]) -> float:
            """Seconds since the job before."""
            gap = time.monotonic() - self.ended
            if sent[0]:
                time.sleep(sent[0])
            self.ended = time.monotonic()
            return gap

    return ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=0)(Stand).remote()


# As large as the graph of an example, so that it costs what one costs to be sent.
_GRAPH: Mapping[str, Any] = {
    str(number): {
        "class_type": f"Node{number % 9}", "_meta": {"title": f"A node of a graph, {number}"},
        "inputs": {f"input_{name}": [str(number - 1), 0] if name == 0 else number + name for name in range(12)},
    }
    for number in range(40)
}  # fmt: skip


@contextmanager
def real() -> Iterator[Callable[[int, Sequence[float]], tuple[float, float]]]:
    """Ray, and a function of workers and seconds of jobs: how long they take, and the mean gap between two jobs."""
    with ray_workers.connected(None) as ray:
        board = ray_workers.start_board(ray, "bench")
        events = _Silent(lambda: ray.get(board.take.remote()))
        actors: list[Any] = []

        def run(workers: int, seconds: Sequence[float]) -> tuple[float, float]:
            while len(actors) < workers:  # a few at a time: each is a Python that starts
                new = [_start(ray) for _ in range(min(8, workers - len(actors)))]
                ray.get([actor.ready.remote() for actor in new])
                actors.extend(new)
            events.ask()

            def pack(job: Job, _: list[str] | None) -> Any:
                return seconds[int(job.name)], json.dumps({"name": job.name, "graph": job.graph}).encode()

            handles = {
                f"worker-{number}": ray_workers.RayWorker(ray, actor, pack, shares=True)
                for number, actor in enumerate(actors[:workers], start=1)
            }
            jobs = [Job(name=f"{n}", story=f"{n}", key="one", graph=_GRAPH, node="1") for n in range(len(seconds))]
            events.gaps, events.seen = [], set()
            scheduler = Scheduler(jobs, handles, events, retries=0)
            began = time.perf_counter()
            run_jobs(scheduler, events)
            spent = time.perf_counter() - began
            assert all(not outcome.error for outcome in scheduler.outcomes.values())
            return spent, statistics.mean(events.gaps)

        yield run


def table_of_ray(sizes: Sequence[int]) -> Iterator[str]:
    """The overhead of a job: of one that does nothing, and what a worker loses between two that sleep."""
    chance = random.Random(3)
    try:
        with real() as run:
            yield (
                f"Jobs that do nothing; of {SLEEP:g} s each, so that all workers end at once; and of "
                f"{SLEEP / 2:g} to {1.5 * SLEEP:g} s.\n"
            )
            yield from _head(
                "workers", "jobs", "doing nothing, each", "alike, all", "beyond the sleep", "lost a job",
                "gap between two", "unlike, gap between two",
            )  # fmt: skip
            lost = alike = unlike = 0.0
            for workers in sizes:
                empty, count = max(200, 10 * workers), 6 * workers
                nothing = run(workers, [0.0] * empty)[0] / empty
                wall, alike = run(workers, [SLEEP] * count)
                lost = wall * workers / count - SLEEP
                _, unlike = run(workers, [SLEEP * chance.uniform(0.5, 1.5) for _ in range(count)])
                yield (
                    f"| {workers} | {empty}, {count} | {1e3 * nothing:.1f} ms | {wall:.2f} s "
                    f"| {lost / SLEEP:.1%} | {1e3 * lost:.1f} ms | {1e3 * alike:.1f} ms | {1e3 * unlike:.1f} ms |"
                )
            if sizes[-1] == GOAL_WORKERS:
                yield f"\nOverhead a clip with {GOAL_WORKERS} workers (goal {GOAL_MS:g} ms):"
                for what, value in (
                    ("of the whole batch, its start and its end too", lost), ("between two that are alike", alike),
                    ("between two that are not", unlike),
                ):  # fmt: skip
                    yield f"{'ok    ' if 1e3 * value <= GOAL_MS else 'MISSED'} {1e3 * value:.1f} ms {what}"
    except SVIError as error:
        yield f"Left out: {error}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.farm", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small batches and few workers, to see that it runs")
    parser.add_argument("--only", choices=("simulated", "ray"), help="one of the two; both")
    args = parser.parse_args()
    print(f"python {platform.python_version()}, processor {platform.machine()}\n", flush=True)
    if args.only != "ray":
        told = tales(300 if args.quick else 10_000)
        sizes = (1, 16, 64) if args.quick else (1, 4, 16, 64, 256, 1_000)
        counts, draws = ((20, 64), 3) if args.quick else ((20, 32, 64, 96, 128, 192, 256, 512, 1_000), 9)
        for line in (*table_of_sizes(told, sizes), "", *table_of_parts(told, 64, counts, draws), ""):
            print(line, flush=True)
    if args.only != "simulated":
        for line in table_of_ray((1, 4) if args.quick else (1, 4, 16, GOAL_WORKERS)):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
