"""Which job goes to which worker, and again to another when one is lost.

Workers are whatever answers with a `Future`: threads, Ray actors, tests.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...svi_embeds.errors import SVIError
from .jobs import FailedError, Job, LostError, Result


class Worker(Protocol):
    """ready: done when it can take a job, and fails when it never will. render: fails with LostError when the worker
    is gone for a while, with any other error when the job is at fault."""

    def ready(self) -> Future[Any]: ...
    def render(self, job: Job) -> Future[Result]: ...


@dataclass(slots=True)
class Outcome:
    """How a job went. tried: worker and what went wrong, for every try that failed. error: why it is not done."""

    job: Job
    worker: str = ""
    result: Result | None = None
    error: str = ""
    tried: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0


class Events(Protocol):
    """What happens, as it happens. finish: takes what a job made; an SVIError of it sets the job aside."""

    def began(self, job: Job, worker: str) -> None: ...
    def finish(self, job: Job, worker: str, result: Result) -> None: ...
    def tried(self, job: Job, worker: str, error: str) -> None: ...
    def gone(self, worker: str, error: str) -> None: ...
    def waits(self) -> None: ...


def run_jobs(scheduler: Scheduler, events: Events, *, poll: float = 1.0) -> None:
    """Run a scheduler's jobs until none is left that could be run; what became of them is in its `outcomes`.

    poll: seconds between two calls of `events.waits`.
    """
    scheduler.begin()
    while scheduler.goes_on():
        done, _ = wait(list(scheduler.flying), timeout=poll, return_when=FIRST_COMPLETED)
        for future in done:
            scheduler.landed(future)
        events.waits()


class Scheduler:
    """Jobs, and which worker does which next.

    retries: how often a job is tried again after its worker was lost, elsewhere where there is an elsewhere. may_run:
    whether a worker can do jobs of a key at all: it may lack a model. None: every worker can.
    outcomes: what became of each job, by name. ready: jobs that could run now, by their key, in order. lacking: of the
    others, how many jobs each waits for. warm: by worker, the key of the models that it has. having: by key, how many
    workers have its models.
    """

    def __init__(
        self, jobs: Iterable[Job], workers: Mapping[str, Worker], events: Events, *, retries: int,
        may_run: Callable[[str, str], bool] | None = None,
    ) -> None:  # fmt: skip
        jobs = list(jobs)
        self.workers, self.events, self.retries, self._may_run = dict(workers), events, retries, may_run
        self.outcomes = {job.name: Outcome(job) for job in jobs}
        self.behind: dict[str, list[str]] = {}
        self.lacking: dict[str, int] = {}
        self.ready: dict[str, deque[Job]] = {}
        self.warm: dict[str, str] = {}
        self.having: Counter[str] = Counter()
        self.idle: dict[str, None] = {}
        self.flying: dict[Future[Any], tuple[str, Job | None, float]] = {}
        for job in jobs:
            self.lacking[job.name] = len(job.after)
            for name in job.after:
                self.behind.setdefault(name, []).append(job.name)
            if not job.after:
                self._put(job)

    def begin(self) -> None:
        for name in self.workers:
            self._await(name)

    def goes_on(self) -> bool:
        """Gives idle workers what they can do. False when nothing runs and nothing can be run."""
        # Those first that have a job's models, so that no other takes it from them.
        for name in sorted(self.idle, key=lambda name: not self._has_work(name)):
            if not any(self.ready.values()):
                break
            while name in self.idle and (job := self._next(name)) is not None:
                self._begin(job, name)
        if self.flying:
            return True
        left = "no worker is left" if not self.workers else "no worker can do it: each lacks a file or was tried"
        for outcome in self.outcomes.values():
            if outcome.result is None and not outcome.error:
                outcome.error = left
        return False

    def _begin(self, job: Job, name: str) -> None:
        self.events.began(job, name)
        try:
            flight = self.workers[name].render(job)
        except (SVIError, OSError) as error:  # it could not be made ready to be sent
            self._failed(job, name, error, self.outcomes[job.name])
            return
        del self.idle[name]
        self._warms(name, job.key)
        self.flying[flight] = name, job, time.monotonic()

    def landed(self, future: Future[Any]) -> None:
        """A job, or a worker that was awaited."""
        name, job, began = self.flying.pop(future)
        error = future.exception()
        if job is None:
            if error is None:
                self.idle[name] = None
            else:
                del self.workers[name]
                self.events.gone(name, str(error))
            return
        outcome = self.outcomes[job.name]
        outcome.seconds += time.monotonic() - began
        if isinstance(error, LostError):
            self._warms(name, None)
            self._await(name)
        else:
            self.idle[name] = None
        if error is None:
            error = self._finish(job, name, future.result(), outcome)
        if error is not None:
            self._failed(job, name, error, outcome)

    def _finish(self, job: Job, name: str, result: Result, outcome: Outcome) -> Exception | None:
        try:
            self.events.finish(job, name, result)
        except Exception as error:  # whatever a worker sent, the others go on
            return error if isinstance(error, SVIError) else SVIError(f"{type(error).__name__}: {error}")
        outcome.worker, outcome.result = name, result
        for other in self.behind.get(job.name, ()):
            self._lacks_one_less(other)
        return None

    def _lacks_one_less(self, name: str) -> None:
        self.lacking[name] -= 1
        if not self.lacking[name] and not self.outcomes[name].error:
            self._put(self.outcomes[name].job)

    def _failed(self, job: Job, name: str, error: BaseException, outcome: Outcome) -> None:
        outcome.tried.append((name, str(error)))
        self.events.tried(job, name, str(error))
        again = isinstance(error, LostError) or (isinstance(error, FailedError) and error.out_of_memory)
        if again and len(outcome.tried) <= self.retries:
            self._put(job, first=True)
            return
        outcome.error = str(error)
        lost = isinstance(error, LostError)
        waiting = [*self.behind.get(job.name, ())]
        while waiting:  # what hangs on it cannot be made
            other = self.outcomes[waiting.pop()]
            if other.job.anyway and not lost:
                self._lacks_one_less(other.job.name)
            elif not other.error:
                other.error = f"not made: {job.name} failed"
                waiting += self.behind.get(other.job.name, ())

    def _await(self, name: str) -> None:
        self.idle.pop(name, None)
        self.flying[self.workers[name].ready()] = name, None, time.monotonic()

    def _put(self, job: Job, *, first: bool = False) -> None:
        queue = self.ready.setdefault(job.key, deque())
        if first:
            queue.appendleft(job)
        else:
            queue.append(job)

    def may_run(self, key: str, worker: str) -> bool:
        return self._may_run is None or self._may_run(key, worker)

    def _has_work(self, worker: str) -> bool:
        """Whether a job waits whose models the worker has."""
        return bool(self.ready.get(self.warm.get(worker, "")))

    def _warms(self, worker: str, key: str | None) -> None:
        """A worker has the models of a key from now on, or none."""
        had = self.warm.pop(worker, None)
        if had is not None:
            self.having[had] -= 1
        if key is not None:
            self.warm[worker] = key
            self.having[key] += 1

    def _next(self, worker: str) -> Job | None:
        """A job for an idle worker: one whose models it has, else one whose models the fewest workers have."""
        for key in self._keys(worker):
            for job in self.ready[key]:
                if self._may_try(job, worker):
                    self.ready[key].remove(job)
                    return job
        return None

    def _keys(self, worker: str) -> Iterator[str]:
        """Keys of jobs that wait and that a worker can do, in the order in which it is given them.

        Asked for every idle worker whenever a job ends: it stops at the first key that will do.
        """
        has = self.warm.get(worker)
        if has is not None and self.ready.get(has) and self.may_run(has, worker):
            yield has
        others = []
        for key, queue in self.ready.items():
            if queue and key != has and self.may_run(key, worker):
                if self.having[key]:
                    others.append(key)
                else:
                    yield key
        yield from sorted(others, key=lambda key: self.having[key])

    def _may_try(self, job: Job, worker: str) -> bool:
        """Not the worker that it failed on, unless there is no other that could do it."""
        tried = {name for name, _ in self.outcomes[job.name].tried}
        return worker not in tried or all(name in tried or not self.may_run(job.key, name) for name in self.workers)
