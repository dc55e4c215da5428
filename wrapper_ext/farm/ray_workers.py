"""Workers as Ray actors: several cards of a machine, or machines of a cluster.

Ray says where processes run, on which card, and whether they live; what runs next is said by `schedule`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from .jobs import Job, LostError, Parcel, Result, Sent
from .worker import ComfyWorker, WorkerSettings

_PLACE = "svi-ray-"  # folders of Ray in the temp folder, with the id of the process that made them
_STORE_BYTES = 512 * 2**20  # of shared memory for what is handed over; more is spilled to the disk
NEEDS_RAY = 'several workers need Ray: pip install "ray>=2.54", or take one worker (--gpus 1)'


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, running on this machine alone, or the cluster at an address.

    On one machine everything listens on the loopback interface only. Raises SVIError without Ray, and for an address
    that does not answer.
    """
    # Plain Ray would bind to all interfaces, also on one machine; so it does on macOS and Windows, where it knows no
    # clusters.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0" if address is None else "1"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise SVIError(NEEDS_RAY) from error
    if address is not None:
        _check_answers(address)
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "ignore_reinit_error": False}
    try:
        if address is None:
            clear_left()
            # Paths of sockets are short: a folder of the user's may be too long for them.
            with tempfile.TemporaryDirectory(prefix=f"{_PLACE}{os.getpid()}-", ignore_cleanup_errors=True) as place:
                ray.init(_temp_dir=place, include_dashboard=False, object_store_memory=_STORE_BYTES, **quiet)
                try:
                    yield ray
                finally:
                    ray.shutdown()
        else:
            ray.init(address=address, **quiet)
            try:
                yield ray
            finally:
                ray.shutdown()
    except (ConnectionError, RuntimeError) as error:
        if ray.is_initialized():
            raise
        where = "on this machine" if address is None else f"at {address}"
        raise SVIError(f"Ray {where} does not answer: {' '.join(str(error).split())[:300]}") from error


def clear_left() -> None:
    """End what is left of the Ray of a batch that was killed: two helpers of its own outlive it, and so does its
    folder."""
    for place in Path(tempfile.gettempdir()).glob(f"{_PLACE}*"):
        owner = place.name.removeprefix(_PLACE).partition("-")[0]
        if not owner.isdigit() or _is_there(int(owner)):
            continue
        for entry in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):  # ended meanwhile, or of another user
                if entry.readlink().is_relative_to(place) and _is_rays(entry.parents[1]):
                    os.kill(int(entry.parts[2]), signal.SIGKILL)
        shutil.rmtree(place, ignore_errors=True)


def _is_rays(process: Path) -> bool:
    """Whether a process of /proc is one of Ray's, of this user."""
    name = (process / "comm").read_text()
    return process.stat().st_uid == os.getuid() and name.startswith(("ray", "gcs_server"))


def _is_there(pid: int) -> bool:
    """Whether a process runs; on Windows it cannot be asked without ending it."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _check_answers(address: str) -> None:
    """Raises SVIError when nothing is at an address as host:port, which Ray would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():  # "auto", or a name of Ray's own
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise SVIError(
            f"Ray at {address} does not answer ({error.strerror or error}): start it there (ray start --head), or "
            "leave --address out for this machine"
        ) from error


class _Board:
    """What workers say of themselves, for whoever looks."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self.previews: dict[str, tuple[bytes, str]] = {}

    def line(self, worker: str, line: str) -> None:
        self.lines[worker] = line

    def preview(self, worker: str, picture: bytes, suffix: str) -> None:
        self.previews[worker] = picture, suffix

    def take(self) -> tuple[dict[str, str], dict[str, tuple[bytes, str]]]:
        lines, previews, self.lines, self.previews = self.lines, self.previews, {}, {}
        return lines, previews


class _ToBoard:
    """A worker's report that goes to the board and waits for nothing."""

    def __init__(self, board: Any) -> None:
        self.board = board

    def line(self, worker: str, line: str) -> None:
        self.board.line.remote(worker, line)

    def preview(self, worker: str, picture: bytes, suffix: str) -> None:
        self.board.preview.remote(worker, picture, suffix)


class _Actor:
    """A worker in a process of Ray's, which ends itself when its raylet is gone: Ray does not see to that."""

    def __init__(self, name: str, settings: WorkerSettings, board: str) -> None:
        import ray

        self.raylet = os.getppid()
        if settings.base is None:
            settings = replace(settings, base=Path(tempfile.gettempdir()) / board / name)
        self.worker = ComfyWorker(name, settings, _ToBoard(ray.get_actor(board)), self._has_raylet)

    def ready(self) -> str:
        self.worker.ready()
        return self.worker.url

    def nodes(self) -> dict[str, Any]:
        return self.worker.nodes()

    def names_of(self, story: str) -> list[str]:
        return self.worker.names_of(story)

    def render(self, sent: Sent) -> Result:
        try:
            return self.worker.render(sent)
        finally:
            if not self._has_raylet():
                self.worker.stop()
                os._exit(1)

    def left(self, story: str, known: list[str]) -> Parcel | None:
        return self.worker.left(story, known)

    def stop(self) -> None:
        self.worker.stop()
        if self.worker.base is not None and not self.worker.shares:
            shutil.rmtree(self.worker.base, ignore_errors=True)

    def _has_raylet(self) -> bool:
        return os.getppid() == self.raylet


class RayWorker:
    """A worker of the driver's, over an actor. pack: makes a job ready to be sent, with what the actor has of its reel
    left out."""

    def __init__(self, ray: Any, actor: Any, pack: Callable[[Job, list[str] | None], Sent], *, shares: bool) -> None:
        self.ray, self.actor, self.pack, self.shares = ray, actor, pack, shares

    def ready(self) -> Future[Any]:
        return self._told(self.actor.ready.remote())

    def nodes(self) -> Future[dict[str, Any]]:
        return self._told(self.actor.nodes.remote())

    def render(self, job: Job) -> Future[Result]:
        try:
            names = None if self.shares else self.ray.get(self.actor.names_of.remote(job.story), timeout=60)
        except Exception as error:
            failed: Future[Result] = Future()
            failed.set_exception(LostError(f"the worker does not answer ({type(error).__name__})"))
            return failed
        return self._told(self.actor.render.remote(self.pack(job, names)))

    def left(self, story: str, known: list[str]) -> Parcel | None:
        """What the actor has of a reel; None when it does not say so in time."""
        with suppress(Exception):
            parcel: Parcel | None = self.ray.get(self.actor.left.remote(story, known), timeout=60)
            return parcel
        return None

    def stop(self) -> None:
        """End the actor's ComfyUI and the actor, in the middle of a job too."""
        if not self.shares:
            with suppress(Exception):  # one that is busy is ended all the same, and its folder stays
                self.ray.get(self.actor.stop.remote(), timeout=10)
        self.ray.kill(self.actor)

    def _told(self, ref: Any) -> Future[Any]:
        """The future of a call, its errors as the scheduler knows them."""
        told: Future[Any] = Future()

        def landed(future: Future[Any]) -> None:
            error = future.exception()
            if error is None:
                told.set_result(future.result())
                return
            cause = getattr(error, "cause", None)
            if isinstance(cause, SVIError):
                told.set_exception(cause)
            elif isinstance(error, self.ray.exceptions.RayActorError):
                told.set_exception(LostError("the worker's process is gone"))
            else:
                told.set_exception(cause or error)

        ref.future().add_done_callback(landed)
        return told


def start_board(ray: Any, name: str) -> Any:
    """The board that workers report to, which they find by its name."""
    return ray.remote(num_cpus=0, max_restarts=-1)(_Board).options(name=name).remote()


def start_worker(ray: Any, board: str, name: str, settings: WorkerSettings, *, gpu: bool) -> Any:
    """The actor of a worker. board: its name. settings: without a base, it makes a folder in the temp folder of its
    machine.

    It is started again by Ray when its process dies; what it was doing is tried again by the scheduler.
    """

    class Actor(_Actor):
        # Asked while Ray starts the process again, which takes longer than Ray waits for other calls.
        ready = ray.method(max_task_retries=-1)(_Actor.ready)
        left = ray.method(max_task_retries=-1)(_Actor.left)

    placed = {"num_cpus": 0, "num_gpus": int(gpu), "scheduling_strategy": "SPREAD"}
    actor = ray.remote(max_restarts=-1, max_task_retries=0, **placed)(Actor)
    return actor.remote(name, settings, board)
