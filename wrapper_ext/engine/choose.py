"""The engine of a job."""

from __future__ import annotations

from .engine import Engine
from .job import Host, Job
from .native import NativeEngine
from .spent import CountingEngine, Spent
from .wrapper import WrapperEngine


def engine_of(job: Job, host: Host, spent: Spent) -> Engine:
    """spent: where its work is counted."""
    made: Engine = NativeEngine(job, host) if job.sources.engine == "native" else WrapperEngine(job, host)
    return CountingEngine(made, host, spent)
