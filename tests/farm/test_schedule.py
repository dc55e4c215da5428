"""Which job goes to which worker, and what becomes of those that fail."""

from __future__ import annotations

import random
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.farm.estimate import estimate
from wanvideo_svi.wrapper_ext.farm.jobs import FailedError, Job, LostError, RefusedError, Result
from wanvideo_svi.wrapper_ext.farm.schedule import Scheduler, run_jobs
from wanvideo_svi.wrapper_ext.farm.worker import parcel_of, unpack


def job(name: str, key: str = "a", after: tuple[str, ...] = (), makes: int = 1) -> Job:
    return Job(name=name, story=name, key=key, graph={}, node="1", after=after, makes=makes)


RESULT = Result(made=1, seconds=1, reel=None, outputs={})


class Log:
    """What happened. bad: names of jobs whose results cannot be taken."""

    def __init__(self, bad: str = "") -> None:
        self.bad, self.runs, self.left = bad, [], []

    def began(self, job: Job, worker: str) -> None:
        self.runs.append((job.name, worker))

    def finish(self, job: Job, worker: str, result: Any) -> None:  # noqa: ARG002
        if job.name == self.bad:
            raise SVIError("the disk is full")

    def tried(self, job: Job, worker: str, error: str) -> None: ...

    def gone(self, worker: str, error: str) -> None:  # noqa: ARG002
        self.left.append(worker)

    def waits(self) -> None: ...


class Worker:
    """Answers at once. fails: by job, the errors of its tries, one after another. dead_after: how many are answered."""

    def __init__(self, fails: dict[str, list[Exception]] | None = None, dead_after: int = 10**9) -> None:
        self.fails, self.dead_after, self.done, self.starts = fails or {}, dead_after, 0, 0

    def ready(self) -> Future[Any]:
        self.starts += 1
        future: Future[Any] = Future()
        if self.done >= self.dead_after:
            future.set_exception(LostError("it does not start"))
        else:
            future.set_result(None)
        return future

    def render(self, job: Job) -> Future[Result]:
        future: Future[Result] = Future()
        if errors := self.fails.get(job.name):
            future.set_exception(errors.pop(0))
        elif self.done >= self.dead_after:
            future.set_exception(LostError("it died"))
        else:
            self.done += 1
            future.set_result(RESULT)
        return future


def run(
    jobs: list[Job], workers: dict[str, Worker], *, retries: int = 2, bad: str = "", **more: Any
) -> tuple[Any, Log]:
    log = Log(bad)
    scheduler = Scheduler(jobs, workers, log, retries=retries, **more)
    run_jobs(scheduler, log, poll=0.1)
    return scheduler.outcomes, log


def test_jobs_come_after_those_they_wait_for() -> None:
    jobs = [job("d", after=("b", "c")), job("b", after=("a",)), job("c", after=("a",)), job("a")]
    outcomes, log = run(jobs, {"w": Worker()})
    order = [name for name, _ in log.runs]
    assert order[0] == "a"
    assert order[-1] == "d"
    assert all(outcome.result for outcome in outcomes.values())


def test_a_lost_worker_is_started_again_and_its_job_goes_elsewhere() -> None:
    one, two = Worker({"x": [LostError("died")]}), Worker({"x": [LostError("died")]})
    outcomes, log = run([job("x"), job("y")], {"one": one, "two": two})
    tried = [worker for name, worker in log.runs if name == "x"]
    assert tried[:2] in (["one", "two"], ["two", "one"])
    assert outcomes["x"].result
    assert [name for name, _ in outcomes["x"].tried] == tried[:-1]
    assert one.starts + two.starts == 2 + len(outcomes["x"].tried)


def test_a_job_that_loses_each_worker_is_set_aside_and_what_hangs_on_it_too() -> None:
    fails = {"x": [LostError("died")] * 9}
    outcomes, log = run([job("x"), job("y", after=("x",)), job("z", after=("y",)), job("u")], {"w": Worker(fails)})
    assert len([name for name, _ in log.runs if name == "x"]) == 3
    assert outcomes["x"].error == "died"
    assert (
        outcomes["y"].error == outcomes["z"].error.replace("y failed", "x failed") or "not made" in outcomes["z"].error
    )
    assert outcomes["y"].error == "not made: x failed"
    assert outcomes["u"].result


@pytest.mark.parametrize(("error", "tries"), [
    (RefusedError("no such node"), 1), (FailedError("wrong"), 1), (FailedError("no memory", True), 3),
    (ValueError("?"), 1),
])  # fmt: skip
def test_what_is_tried_again(error: Exception, tries: int) -> None:
    outcomes, log = run([job("x")], {"one": Worker({"x": [error] * 9}), "two": Worker({"x": [error] * 9})})
    assert len(log.runs) == tries
    assert outcomes["x"].error == str(error)
    assert outcomes["x"].result is None


def test_no_retries_means_one_try() -> None:
    outcomes, log = run([job("x")], {"w": Worker({"x": [LostError("died")]})}, retries=0)
    assert (len(log.runs), outcomes["x"].error) == (1, "died")


def test_when_all_workers_are_gone_the_rest_is_told() -> None:
    outcomes, log = run([job(str(number)) for number in range(5)], {"w": Worker(dead_after=2)})
    assert log.left == ["w"]
    assert sum(bool(outcome.result) for outcome in outcomes.values()) == 2
    assert {outcome.error for outcome in outcomes.values() if not outcome.result} == {"no worker is left"}


def test_a_result_that_cannot_be_taken_fails_the_job() -> None:
    outcomes, _ = run([job("x"), job("y", after=("x",)), job("z")], {"w": Worker()}, bad="x")
    assert outcomes["x"].error == "the disk is full"
    assert outcomes["y"].error == "not made: x failed"
    assert outcomes["z"].result


def test_models_stay_where_they_are_while_there_is_work_for_them() -> None:
    chance = random.Random(1)
    jobs = [job(f"{number}", chance.choice("ab")) for number in range(200)]
    found = estimate(jobs, 4, lambda job: 1.0 + int(job.name) % 3)
    assert found.loads <= 6
    assert found.used(4) > 0.97
    one = estimate(jobs, 1, lambda job: 1.0)  # noqa: ARG005
    assert one.loads == 2


def test_a_worker_that_lacks_a_model_gets_no_job_for_it() -> None:
    jobs = [job(f"{number}", "ab"[number % 2]) for number in range(20)]
    outcomes, log = run(
        jobs, {"one": Worker(), "two": Worker()}, may_run=lambda key, worker: (key, worker) != ("b", "one")
    )
    assert {worker for name, worker in log.runs if int(name) % 2} == {"two"}
    assert all(outcome.result for outcome in outcomes.values())
    outcomes, _ = run(jobs[:2], {"one": Worker()}, may_run=lambda key, worker: key == "a")  # noqa: ARG005
    assert outcomes["1"].error.startswith("no worker can do it")


@given(st.data())
def test_whatever_happens_each_job_is_done_once_or_told(data: st.DataObject) -> None:
    """Random dependencies, faults and deaths: nothing runs before what it waits for, nothing is done twice."""
    count = data.draw(st.integers(1, 12))
    jobs = []
    for number in range(count):
        after = (
            data.draw(st.lists(st.sampled_from([str(n) for n in range(number)]), max_size=3, unique=True))
            if number
            else []
        )
        jobs.append(job(str(number), data.draw(st.sampled_from("ab")), tuple(after)))
    errors = [LostError("died"), FailedError("wrong"), FailedError("no memory", True)]
    workers = {
        name: Worker(
            {str(n): data.draw(st.lists(st.sampled_from(errors), max_size=2)) for n in range(count)},
            dead_after=data.draw(st.integers(0, 20)),
        )
        for name in data.draw(st.sampled_from([["one"], ["one", "two"], ["one", "two", "three"]]))
    }
    outcomes, _ = run(jobs, workers)
    assert sum(worker.done for worker in workers.values()) == sum(bool(outcome.result) for outcome in outcomes.values())
    for outcome in outcomes.values():
        assert bool(outcome.result) != bool(outcome.error)
        assert len(outcome.tried) <= 3
        if outcome.result:
            assert all(outcomes[name].result for name in outcome.job.after)


def test_an_estimate_is_what_the_path_and_the_workers_allow() -> None:
    jobs = [job("a", makes=3), job("b", after=("a",)), job("c", makes=2)]
    for workers, seconds in ((1, 60), (2, 40), (9, 40)):
        found = estimate(jobs, workers, lambda job: 10 * job.makes)
        assert (found.seconds, found.path, found.busy) == (seconds, 40, 60)
    loading = estimate(jobs, 1, lambda job: 10 * job.makes, load=5)
    assert (loading.seconds, loading.loads) == (65, 1)


def test_a_parcel_brings_no_file_that_its_manifest_does_not_name(tmp_path: Path) -> None:
    with ReelWriter(tmp_path / "home", fps=16):
        pass
    sent = parcel_of(tmp_path / "home", ())
    for name in ("../out.mkv", "clip_0001_00000000_00000000.mkv", "x.bat"):
        with pytest.raises(SVIError, match="which its manifest does not name"):
            unpack(replace(sent, files={name: b"x"}), tmp_path / "in")
    assert [path.name for path in (tmp_path / "in").iterdir()] == []
    assert not (tmp_path / "out.mkv").exists()


def test_errors_keep_their_words_on_the_way_between_processes() -> None:
    import pickle

    for error in (RefusedError("a"), FailedError("b", True), LostError("c")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
        assert getattr(again, "out_of_memory", None) == getattr(error, "out_of_memory", None)
