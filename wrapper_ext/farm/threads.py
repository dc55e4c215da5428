"""Workers as threads of this process: one machine with one card, and servers that already run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .jobs import Job, Result, Sent
from .worker import ComfyWorker


class ThreadWorker:
    """A worker whose calls run in one thread of its own. pack: makes a job ready to be sent."""

    def __init__(self, worker: ComfyWorker, pack: Callable[[Job], Sent]) -> None:
        self.worker, self.pack = worker, pack
        # One that lives as long as its ComfyUI does: on Linux a child ends with the thread that started it.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"svi-{worker.name}")

    def ready(self) -> Future[Any]:
        return self._thread.submit(self.worker.ready)

    def nodes(self) -> Future[dict[str, Any]]:
        return self._thread.submit(self.worker.nodes)

    def render(self, job: Job) -> Future[Result]:
        return self._thread.submit(self.worker.render, self.pack(job))

    def stop(self) -> None:
        """End its ComfyUI, in the middle of a job too."""
        self.worker.stop()
        self._thread.shutdown(cancel_futures=True)
