"""How long a take takes on each worker, measured before a batch, and when the batch will be done."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from .batch import BatchEvents
from .estimate import estimate
from .graph import for_clips
from .jobs import Job, Result
from .prepare import Prepared
from .schedule import Scheduler, Worker, run_jobs
from .worker import REELS

_REEL = "bench"  # the reels that it makes, which go when it is done


class _Times:
    """Seconds of the last job of each worker."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def began(self, job: Job, worker: str) -> None: ...

    def finish(self, job: Job, worker: str, result: Result) -> None:  # noqa: ARG002
        self.seconds[worker] = result.seconds

    def tried(self, job: Job, worker: str, error: str) -> None: ...
    def gone(self, worker: str, error: str) -> None: ...
    def waits(self) -> None: ...


def measure(
    ready: Prepared, jobs: Sequence[Job], workers: Mapping[str, Worker], events: BatchEvents
) -> dict[str, float]:
    """Seconds of a take by worker: of the second of two, since the first waits for the models.

    ready: the story whose first clip is made. jobs: those that are to be done, for the estimate that is shown.
    """
    times, asked = _Times(), []
    for name in workers:
        for number, after in ((1, ()), (2, (f"{_REEL} {name} 1",))):
            graph: dict[str, Any] = for_clips(ready.graph, ready.node, "1.1")
            inputs = graph[ready.node]["inputs"]
            inputs |= {"reel": f"{_REEL}_{name}", "mend": ""}
            if isinstance(inputs.get("seed"), int):
                inputs["seed"] += number  # or it would be the take that is there
            asked.append(Job(
                name=f"{_REEL} {name} {number}", story=f"{_REEL}_{name}", key=name, graph=graph, node=ready.node,
                only="1.1", after=after, images=ready.images,
            ))  # fmt: skip
    scheduler = Scheduler(asked, workers, times, retries=0, may_run=lambda key, worker: key == worker)
    try:
        run_jobs(scheduler, times)
    finally:
        for name in workers:
            shutil.rmtree(events.folders.home(f"{_REEL}_{name}"), ignore_errors=True)
            if base := events.bases.get(name):
                shutil.rmtree(base / "output" / REELS / f"{_REEL}_{name}", ignore_errors=True)
    show = events.show
    wrong = [outcome.error for outcome in scheduler.outcomes.values() if outcome.error]
    if not times.seconds:
        show.note(f"no take could be measured: {wrong[0] if wrong else 'no worker took it'}")
        return {}
    told = ", ".join(f"{seconds:.1f} s on {name}" for name, seconds in sorted(times.seconds.items()))
    each = mean(times.seconds.values())
    found = estimate(jobs, len(times.seconds), lambda job: each * job.makes)
    done = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() + found.seconds))
    show.note(f"a take: {told}; {sum(job.makes for job in jobs)} takes, {found.seconds / 60:.0f} min, done at {done}")
    return times.seconds
