"""Leaves of a workflow what one node needs, the notes, and what never had to do with its chain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .graph import Workflow
from .rewrite import position
from .scope import ACTIVE, Node
from .wires import Wires

_NOTES = ("Note", "MarkdownNote")
# Nodes that people look at or save with; whether a node is an output is not in a saved graph.
_ENDS = re.compile(r"save|preview|combine|show|display", re.IGNORECASE)


def fed_by(wires: Wires, nodes: Iterable[Node]) -> set[int]:
    """Identities of these nodes and of everything behind them, named wires followed."""
    return _reached(nodes, lambda node: [use.node for use in wires.uses_through(node) if use.node is not None])


def prune(wires: Wires, kept: Node, fed: set[int]) -> list[str]:
    """Take out what neither `kept` needs nor an output that the chain did not feed. Returns those nodes, in words.

    fed: identities of the nodes that the chain fed.
    """
    scope = kept.scope
    ends = [node for node in scope.nodes.values() if id(node) not in fed and _is_end(wires, node)]
    staying = _reached([kept, *ends], lambda node: _feeders(wires, node))
    gone = [node for node in scope.nodes.values() if id(node) not in staying and node.type not in _NOTES]
    for node in gone:
        scope.remove(node)
    _drop_empty_groups(wires.workflow, gone)
    return [f"{node.title} ({node.id})" for node in gone]


def _is_end(wires: Wires, node: Node) -> bool:
    if node.mode != ACTIVE or any(True for _ in node.scope.uses(node)) or wires.is_wire(node):
        return False
    return wires.workflow.is_api or not node.raw.get("outputs") or bool(_ENDS.search(node.type))


def _feeders(wires: Wires, node: Node) -> list[Node]:
    scope = node.scope
    found = [scope.nodes.get(source.node) for name in scope.input_names(node) if (source := node.source(name))]
    if node.type == "GetNode":
        found += wires.setters(node)
    return [feeder for feeder in found if feeder is not None]


def _reached(start: Iterable[Node], step: Callable[[Node], Iterable[Node]]) -> set[int]:
    waiting, seen = list(start), set()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            waiting += step(node)
    return seen


def _drop_empty_groups(workflow: Workflow, gone: list[Node]) -> None:
    """Take out the groups that held nothing but nodes that are gone."""
    groups = workflow.raw.get("groups")
    if not isinstance(groups, list):
        return
    spots = [position(node) for node in workflow.root.nodes.values()]
    before = [position(node) for node in gone]
    workflow.raw["groups"] = [
        group for group in groups if not _holds(group, before) or _holds(group, spots)
    ]  # fmt: skip


def _holds(group: object, spots: list[tuple[float, float] | None]) -> bool:
    box = group.get("bounding") if isinstance(group, dict) else None
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(part, (int, float)) for part in box):
        return False
    left, top, width, height = box
    return any(spot and left <= spot[0] <= left + width and top <= spot[1] <= top + height for spot in spots)
