"""Which models a worker is given work for, without workers."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from wanvideo_svi.wrapper_ext.farm.jobs import Job, LostError
from wanvideo_svi.wrapper_ext.farm.schedule import Scheduler


class Stand:
    """A worker whose jobs end when the test says so."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def ready(self) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(None)
        return future

    def render(self, job: Job) -> Future[Any]:  # noqa: ARG002
        self.futures.append(Future())
        return self.futures[-1]


class Log:
    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []

    def began(self, job: Job, worker: str) -> None:
        self.given.append((worker, job.name))

    def finish(self, job: Job, worker: str, result: Any) -> None: ...
    def tried(self, job: Job, worker: str, error: str) -> None: ...
    def gone(self, worker: str, error: str) -> None: ...
    def waits(self) -> None: ...


def started(names: str, workers: int, **given: Any) -> tuple[Scheduler, dict[str, Stand], Log]:
    """Jobs, called by their key and a number, on workers that are ready."""
    jobs = [Job(name=f"{key}{at}", story="s", key=key, graph={}, node="1") for at, key in enumerate(names)]
    stands, log = {f"w{number}": Stand() for number in range(workers)}, Log()
    scheduler = Scheduler(jobs, stands, log, retries=2, **given)
    scheduler.begin()
    for future in list(scheduler.flying):
        scheduler.landed(future)
    scheduler.goes_on()
    return scheduler, stands, log


def test_a_worker_goes_on_with_its_models_and_a_new_one_takes_those_that_the_fewest_have() -> None:
    scheduler, stands, log = started("aaabbc", 4)
    assert log.given == [("w0", "a0"), ("w1", "b3"), ("w2", "c5"), ("w3", "a1")]
    stands["w1"].futures[-1].set_result("made")
    scheduler.landed(stands["w1"].futures[-1])
    scheduler.goes_on()
    assert log.given[-1] == ("w1", "b4")
    stands["w2"].futures[-1].set_result("made")
    scheduler.landed(stands["w2"].futures[-1])
    scheduler.goes_on()
    assert log.given[-1] == ("w2", "a2"), "it leaves its models when no job wants them"
    assert scheduler.having == {"a": 3, "b": 1, "c": 0}


def test_a_lost_worker_has_no_models_until_it_is_given_a_job() -> None:
    scheduler, stands, log = started("ab", 1)
    stands["w0"].futures[-1].set_exception(LostError("gone"))
    scheduler.landed(stands["w0"].futures[-1])
    assert scheduler.having["a"] == 0
    assert scheduler.warm == {}
    for future in list(scheduler.flying):
        scheduler.landed(future)
    scheduler.goes_on()
    assert log.given == [("w0", "a0"), ("w0", "a0")], "where no other is there, it tries again"


def test_a_worker_that_lacks_a_file_is_given_other_jobs() -> None:
    scheduler, _, log = started("aab", 3, may_run=lambda key, worker: key == "b" or worker == "w1")
    assert log.given == [("w0", "b2"), ("w1", "a0")]
    assert list(scheduler.idle) == ["w2"]
