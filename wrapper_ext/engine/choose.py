"""The engine of a job."""

from __future__ import annotations

from .engine import Engine
from .job import Host, Job
from .spent import CountingEngine, Spent
from .wrapper import WrapperEngine


def engine_of(job: Job, host: Host, spent: Spent) -> Engine:
    """spent: where its work is counted."""
    return CountingEngine(WrapperEngine(job, host), host, spent)
