"""How long a batch takes on so many workers, by the times of its jobs: the scheduler's own order, without workers."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from .jobs import Job
from .schedule import Scheduler


@dataclass(frozen=True, slots=True)
class Estimate:
    """seconds: until all is done. busy: seconds of work on all workers together. loads: how often models were loaded.
    path: seconds that no number of workers goes below."""

    seconds: float
    busy: float
    loads: int
    path: float

    def used(self, workers: int) -> float:
        """The share of the workers' time that is work."""
        return self.busy / (self.seconds * workers) if self.seconds else 1.0


def estimate(jobs: Sequence[Job], workers: int, seconds: Callable[[Job], float], *, load: float = 0.0) -> Estimate:
    """Seconds that the jobs take. seconds: of a job; load: of loading models where a worker has others."""
    clock = _Clock(seconds, load)
    run = Scheduler(jobs, {f"worker-{number}": _Simulated(clock) for number in range(workers)}, clock, retries=0)
    run.begin()
    while run.goes_on():
        run.landed(clock.next())
    return Estimate(clock.now, clock.busy, clock.loads, _path(jobs, seconds))


class _Clock:
    """Time that goes on when something ends. Takes what the scheduler tells, and forgets it."""

    def __init__(self, seconds: Callable[[Job], float], load: float) -> None:
        self.seconds, self.load = seconds, load
        self.now, self.busy, self.loads = 0.0, 0.0, 0
        self._ends: list[tuple[float, int, Future[Any], Any]] = []
        self._count = itertools.count()

    def later(self, seconds: float, result: Any) -> Future[Any]:
        future: Future[Any] = Future()
        heapq.heappush(self._ends, (self.now + seconds, next(self._count), future, result))
        return future

    def next(self) -> Future[Any]:
        self.now, _, future, result = heapq.heappop(self._ends)
        future.set_result(result)
        return future

    def began(self, job: Job, worker: str) -> None: ...
    def finish(self, job: Job, worker: str, result: Any) -> None: ...
    def tried(self, job: Job, worker: str, error: str) -> None: ...
    def gone(self, worker: str, error: str) -> None: ...
    def waits(self) -> None: ...


class _Simulated:
    def __init__(self, clock: _Clock) -> None:
        self.clock, self.has = clock, ""

    def ready(self) -> Future[Any]:
        return self.clock.later(0, None)

    def render(self, job: Job) -> Future[Any]:
        spent = self.clock.seconds(job)
        if self.has != job.key:
            self.has, self.clock.loads = job.key, self.clock.loads + 1
            spent += self.clock.load
        self.clock.busy += spent
        return self.clock.later(spent, job.name)


def _path(jobs: Sequence[Job], seconds: Callable[[Job], float]) -> float:
    """Of jobs in an order in which each comes after those it waits for."""
    ends: dict[str, float] = {}
    for job in jobs:
        ends[job.name] = seconds(job) + max((ends.get(name, 0.0) for name in job.after), default=0.0)
    return max(ends.values(), default=0.0)
