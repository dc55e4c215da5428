"""What this process renders at the moment, for pages that ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Now:
    """clip, take: which take of which clip is being made, from 0. takes: of that clip. since: when it began, by
    `time.time`."""

    clip: int
    take: int
    takes: int
    since: float


_now: dict[str, Now] = {}  # by the reel's folder


def renders(folder: Path, now: Now | None) -> None:
    """A reel's run is there now; None when it has ended."""
    if now is None:
        _now.pop(str(folder), None)
    else:
        _now[str(folder)] = now


def rendered_now(folder: Path) -> Now | None:
    """Where the run of a reel is, None where this process renders none into it."""
    return _now.get(str(folder))
