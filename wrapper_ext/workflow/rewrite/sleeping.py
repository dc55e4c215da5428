"""Clips that are switched off: not migrated, and named where turning them on would change that."""

from __future__ import annotations

from collections.abc import Iterator

from ....svi_embeds.errors import SVIError
from ..find.clips import Clips
from ..find.wires import MUTED_OR_BYPASSED, Wires
from ..model.graph import Workflow
from ..model.report import Finding, finding
from ..model.scope import ACTIVE, BYPASSED, MUTED, Node
from .planner import Planner

Spot = tuple[int, int | str]  # which scope, which node


def sleeping(workflow: Workflow) -> Iterator[Finding]:
    """Nodes that do not run, and would be replaced if everything that is muted or bypassed ran."""
    if workflow.is_api or not any(node.mode in MUTED_OR_BYPASSED for _, node in _all(workflow)):
        return
    running = {id(at.node) for at in Wires(workflow).places()}
    awake = Workflow(workflow.raw, workflow.root.own)
    for _, node in _all(awake):
        if node.mode in MUTED_OR_BYPASSED:
            node.raw["mode"] = ACTIVE
    wires = Wires(awake)
    try:
        rewrites, _ = Planner(wires, Clips(wires)).plan()
    except SVIError:  # with these subgraphs too, it unfolds into more than is read
        return
    new: dict[Spot, str] = {}
    scopes = {id(scope): index for index, scope in enumerate(awake.scopes)}
    for rewrite in rewrites:
        for node in (rewrite.at.node, *(target for target, _, _ in rewrite.links)):
            new[scopes[id(node.scope)], node.id] = rewrite.new
    for spot, node in _all(workflow):
        if spot in new and id(node) not in running:
            yield finding("note", node, f"{_why(node)}: with its clip turned on it would become {new[spot]}")


def _all(workflow: Workflow) -> Iterator[tuple[Spot, Node]]:
    for index, scope in enumerate(workflow.scopes):
        for node in scope.nodes.values():
            yield (index, node.id), node


def _why(node: Node) -> str:
    if node.mode == MUTED:
        return "it is muted"
    return "it is bypassed" if node.mode == BYPASSED else "it is in a subgraph that does not run"
