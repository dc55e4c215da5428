"""Takes out of a workflow what served a chain that is gone, and leaves what never had to do with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set

from ..find.wires import MUTED_OR_BYPASSED, Wires, wire_name
from ..model.graph import Workflow
from ..model.scope import ACTIVE, Node, Scope
from ..rewrite.carry import CONSTANTS, position

_NOTES = ("Note", "MarkdownNote")
# Nodes that people look at or save with; whether a node is an output is not in a saved graph.
_ENDS = re.compile(r"save|preview|combine|show|display", re.IGNORECASE)
# Nodes that are for sure no outputs: without a use they do nothing. Of others it is not known.
_IDLE = (
    *CONSTANTS, "Reroute", "GetNode", "SetNode", "RepeatImageBatch", "GetImageRangeFromBatch", "GetImageSizeAndCount",
    "InvertMask", "SimpleMath+", "WanVideoEmptyEmbeds", "CreateCFGScheduleFloatList",
)  # fmt: skip


def fed_by(wires: Wires, nodes: Iterable[Node]) -> set[Node]:
    """These nodes and everything behind them, named wires followed."""
    return _reached(nodes, lambda node: _users(wires, node))


def needed_by(wires: Wires, nodes: Iterable[Node]) -> set[Node]:
    """These nodes and everything that they get something from, named wires followed."""
    return _reached(nodes, lambda node: _feeders(wires, node))


def prune(wires: Wires, kept: Node, *, fed: Set[Node], old: Set[Node]) -> list[str]:
    """Take out what served a chain and serves nothing any more. Returns those nodes, in words.

    kept: what took the chain's place. old: the nodes that had to do with the chain, `fed` those that it fed. Of the
    others only those go that cannot do anything: what is muted and leads nowhere, and what nothing uses.
    """
    scope = kept.scope
    outside = {node for node in scope.nodes.values() if node not in old and node.type not in _NOTES}
    outside -= _asleep(wires, outside)
    outside -= _idle(wires, outside - {kept}, old)
    ends = [node for node in scope.nodes.values() if node not in fed and _is_end(wires, node)]
    staying = needed_by(wires, [kept, *ends, *outside])
    gone = [node for node in scope.nodes.values() if node not in staying and node.type not in _NOTES]
    for node in gone:
        scope.remove(node)
    _drop_empty_groups(wires.workflow, gone)
    return [f"{node.title} ({node.id})" for node in gone]


def _asleep(wires: Wires, outside: Set[Node]) -> set[Node]:
    """Nodes of parts that hang on nothing else, of which nothing runs, and which would show nothing if it did."""
    found: set[Node] = set()
    done: set[Node] = set()
    for node in outside:
        if node in done or node.mode not in MUTED_OR_BYPASSED:
            continue
        part = _reached([node], lambda each: [*_users(wires, each), *_feeders(wires, each)])
        done |= part
        asleep = all(each.mode in MUTED_OR_BYPASSED or wires.is_wire(each) for each in part)
        if asleep and part <= outside and not any(_ENDS.search(each.type) for each in part):
            found |= part
    return found


def _idle(wires: Wires, outside: Set[Node], old: Set[Node]) -> set[Node]:
    """Nodes that nothing uses, of kinds that do nothing by themselves, with nothing behind them but such nodes and what
    the chain has too."""
    found: set[Node] = set()
    if wires.workflow.is_api:  # there every node that nothing uses was an output
        return found
    waiting = [node for node in outside if node.type in _IDLE]
    while waiting:
        node = waiting.pop()
        if node in found or node not in outside or node.type not in _IDLE:
            continue
        if any(user not in found for user in _users(wires, node)):
            continue
        behind = _reached([node], lambda each: [] if each in old else _feeders(wires, each))
        if all(each in old or each.type in _IDLE for each in behind):
            found.add(node)
            waiting += _feeders(wires, node)
    return found


def _is_end(wires: Wires, node: Node) -> bool:
    if node.mode != ACTIVE or any(True for _ in node.scope.uses(node)) or wires.is_wire(node):
        return False
    return wires.workflow.is_api or not node.raw.get("outputs") or bool(_ENDS.search(node.type))


def _users(wires: Wires, node: Node) -> list[Node]:
    """The nodes of its scope that a node's outputs go to."""
    found = [use.node for use in node.scope.uses(node) if use.node is not None]
    if node.type == "SetNode" and (name := wire_name(node)):
        for each in node.scope.nodes.values():
            inner = wires.workflow.subgraphs.get(each.type)
            if (each.type == "GetNode" and wire_name(each) == name) or (inner and name in _read_inside(wires, inner)):
                found.append(each)
    return found


def _feeders(wires: Wires, node: Node) -> list[Node]:
    """The nodes of its scope that a node gets something from."""
    scope = node.scope
    found = scope.feeders(node)
    if node.type == "GetNode":
        found += wires.setters(node)
    elif inner := wires.workflow.subgraphs.get(node.type):
        names = _read_inside(wires, inner)
        found += [each for each in scope.nodes.values() if each.type == "SetNode" and wire_name(each) in names]
    return [feeder for feeder in found if feeder.scope is scope]


def _read_inside(wires: Wires, scope: Scope) -> set[str]:
    """Names of the named wires that are read in a subgraph or in those within, which see the wires around them."""
    names: set[str] = set()
    waiting, seen = [scope], set[int]()
    while waiting:
        here = waiting.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        for node in here.nodes.values():
            if node.type == "GetNode" and (name := wire_name(node)):
                names.add(name)
            if inner := wires.workflow.subgraphs.get(node.type):
                waiting.append(inner)
    return names


def _reached(start: Iterable[Node], step: Callable[[Node], Iterable[Node]]) -> set[Node]:
    waiting, seen = list(start), set[Node]()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
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
