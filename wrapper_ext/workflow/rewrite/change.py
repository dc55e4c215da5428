"""Carries rewrites out, and clears away what only served the nodes that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..find.wires import Wires, wire_name
from ..model.definitions import Definition
from ..model.scope import Node, Scope, Source
from .carry import CONSTANTS, Rewrite

# Nodes that only serve a pattern beside its own: they go with it when nothing else uses them.
_SERVING = ("Reroute", "GetNode", "SetNode", "GetImageSizeAndCount", *CONSTANTS)
PREVIEWS = ("PreviewImage", "MaskPreview", "MaskPreview+", "PreviewAnimation")


def carry_out(wires: Wires, own: Mapping[str, Definition], rewrites: Sequence[Rewrite]) -> list[str]:
    """Make the rewrites. Returns the nodes that were taken out, in words."""
    moved: dict[tuple[int, int | str], Mapping[int, int]] = {}
    waiting: list[Node] = []
    counters: set[int] = set()
    for rewrite in rewrites:
        node = rewrite.at.node
        counters |= {id(feeder) for part in (node, *rewrite.parts) for feeder in _counted_by(part)}
        for part in (node, *rewrite.parts, *(target for target, _, _ in rewrite.links)):
            waiting += [part, *part.scope.feeders(part)]
        sources = {name: _moved(moved, node.scope, source) for name, source in rewrite.sources.items()}
        definition = rewrite.definition or own[rewrite.new]
        node.scope.replace(node, definition, rewrite.values, sources, rewrite.outputs)
        for target, name, slot in rewrite.links:
            node.scope.connect(Source(node.id, slot), target, name, definition.outputs[slot][1])
        moved[id(node.scope), node.id] = rewrite.outputs
    new = {id(rewrite.at.node) for rewrite in rewrites}
    parts = {id(part) for rewrite in rewrites for part in rewrite.parts}
    return [f"{node.title} ({node.id})" for node in _clear(wires, waiting, new, parts, counters)]


def _moved(
    moved: Mapping[tuple[int, int | str], Mapping[int, int]], scope: Scope, source: Source | None
) -> Source | None:  # fmt: skip
    """A source as it is after the rewrites so far. The rewrites to come move their links themselves."""
    if source is None:
        return None
    outputs = moved.get((id(scope), source.node))
    return source if outputs is None else Source(source.node, outputs.get(source.slot, source.slot))


def _clear(wires: Wires, waiting: list[Node], new: set[int], parts: set[int], counters: set[int]) -> list[Node]:
    """Take out what lost its last user.

    new: nodes to keep in any case. parts: nodes of a pattern that was replaced. counters: nodes that measured for one.
    """
    gone: list[Node] = []
    done: set[int] = set()
    while waiting:
        node = waiting.pop()
        own_part = id(node) in parts
        if id(node) in new or id(node) in done or not (own_part or node.type in _SERVING):
            continue
        if id(node) in counters:
            _lead_past(node)
        users = [use.node for use in node.scope.uses(node)]
        previews = [user for user in users if user and own_part and user.type in PREVIEWS]
        if len(previews) < len(users) or (node.type == "SetNode" and _is_read(wires, node)):
            continue
        waiting += node.scope.feeders(node)
        if node.type == "GetNode":
            waiting += wires.setters(node)
        for each in (*dict.fromkeys(previews), node):
            done.add(id(each))
            gone.append(each)
            each.scope.remove(each)
    return gone


def _counted_by(node: Node) -> list[Node]:
    """Nodes that a node's sizes and counts come from."""
    sources = [node.source(name) for name in node.scope.input_names(node)]
    feeders = [node.scope.nodes.get(source.node) for source in sources if source and source.slot]
    return [feeder for feeder in feeders if feeder and feeder.type == "GetImageSizeAndCount"]


def _lead_past(counter: Node) -> None:
    """Link whoever gets the images of a node that nobody asks for sizes any more to where these come from."""
    scope, source = counter.scope, counter.source("image")
    uses = list(scope.uses(counter))
    if source is None or any(use.slot or use.node is None for use in uses):
        return
    for use in uses:
        if use.node is not None and use.input is not None:
            scope.connect(source, use.node, use.input, "IMAGE")


def _is_read(wires: Wires, setter: Node) -> bool:
    """Whether a named wire still ends somewhere: inside subgraphs too, which see those around them."""
    return any(
        node.type == "GetNode" and wire_name(node) == wire_name(setter)
        for scope in wires.workflow.scopes
        for node in scope.nodes.values()
    )
