"""One line of what `wanvideo-svi doctor` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["problem", "note", "ok"]
WORST_FIRST: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Finding:
    """status: problem is what will not work. topic: one word. text: what is so, why, and what to do about it."""

    status: Status
    topic: str
    text: str


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Problems, notes, and what is well; each in the order given."""
    return sorted(findings, key=lambda finding: WORST_FIRST.index(finding.status))
