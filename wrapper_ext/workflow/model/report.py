"""What a migration found and did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .scope import Node

Kind = Literal["rewrite", "defect", "left", "note"]
_HEADS: dict[str, str] = {"rewrite": "replaced", "defect": "defect", "left": "left as it is", "note": "note"}


@dataclass(frozen=True, slots=True)
class Finding:
    """kind: rewrite (nodes that were replaced), defect, left (known, but not replaced), note.

    node, title: where. subgraph: its name when the node is in one. fix: what was or is to be done. fixed: whether the
    migration did it. about: a key for code that asks what a note is of; it is shown to nobody.
    """

    kind: Kind
    node: int | str
    title: str
    what: str
    fix: str = ""
    fixed: bool = False
    subgraph: str = ""
    pattern: str = ""
    about: str = ""

    def line(self) -> str:
        where = f" in subgraph {self.subgraph}" if self.subgraph else ""
        text = f"{_HEADS[self.kind]}: {self.title} (node {self.node}{where}): {self.what}"
        if self.fix:
            text += f"; {'fixed: ' if self.fixed else 'fix: ' if self.kind == 'defect' else ''}{self.fix}"
        return text


@dataclass(frozen=True, slots=True)
class Report:
    """findings: in the graph's order. nodes_before, nodes_after: of the whole workflow."""

    findings: Sequence[Finding]
    nodes_before: int
    nodes_after: int
    removed: Sequence[str] = field(default_factory=tuple)

    @property
    def to_do(self) -> bool:
        """Whether there is anything to replace or to repair, by the migration or by hand."""
        return any(finding.kind in ("rewrite", "defect") for finding in self.findings)

    @property
    def changes(self) -> bool:
        """Whether the workflow was changed."""
        return any(finding.kind == "rewrite" or finding.fixed for finding in self.findings)

    def lines(self) -> list[str]:
        found = [finding.line() for finding in self.findings]
        if self.removed:
            found.append(f"no longer used and taken out: {', '.join(self.removed)}")
        if not found:
            found.append("nothing to migrate: no known pattern and no known defect")
        return [*found, f"{self.nodes_before} nodes before, {self.nodes_after} after"]

    def as_json(self) -> dict[str, Any]:
        findings = [asdict(finding) for finding in self.findings]
        for found in findings:
            del found["about"]
        return {
            "to_do": self.to_do,
            "changes": self.changes,
            "findings": findings,
            "removed": list(self.removed),
            "nodes_before": self.nodes_before,
            "nodes_after": self.nodes_after,
        }


def finding(kind: Kind, node: Node, what: str, fix: str = "", *, fixed: bool = False, pattern: str = "") -> Finding:
    """A finding about this node."""
    return Finding(kind, node.id, node.title, what, fix, fixed, node.scope.name, pattern)
