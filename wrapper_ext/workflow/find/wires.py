"""Where things in a workflow come from: links followed through reroutes, named wires, bypasses and subgraphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ....svi_embeds.errors import SVIError
from ..model.graph import MAX_NODES, Workflow
from ..model.scope import ACTIVE, BYPASSED, MUTED, SUBGRAPH_INPUT, Node, Scope, Source, Use
from .computed import COMPUTES, CONSTANTS, COUNTERS, compute, inputs_of

_MAX_DEPTH = 32
_MAX_STEPS = 10_000
_USUAL_STEPS = 8
_MOST_SUMS = 64  # nodes that compute, for one number

# Outputs that give an input on unchanged, by node type and output.
_PASSING: dict[str, Mapping[int, str]] = {
    "GetImageSizeAndCount": {0: "image"},
    "WanVideoScheduler": {1: "steps", 2: "shift", 3: "scheduler", 4: "start_step", 5: "end_step"},
    "WanVideoSetBlockSwap": {0: "model"},
}


_REROUTES = ("Reroute", "Reroute (rgthree)")


class At(NamedTuple):
    """A node where it runs: inside these subgraph nodes, outermost first."""

    path: tuple[Node, ...]
    node: Node


class Origin(NamedTuple):
    """An output of a node. slot: which."""

    at: At
    slot: int

    @property
    def type(self) -> str:
        return self.at.node.type


class Unknown:
    """A value that only a run can tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Wires:
    """Follows the wires of a workflow. Broken and circular ones lead nowhere (None)."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self._setters: dict[int, dict[str, Node]] = {}

    def places(self) -> Iterator[At]:
        """Every node that runs, subgraph by subgraph. Raises SVIError when subgraphs unfold into too many."""
        waiting: list[tuple[tuple[Node, ...], Scope]] = [((), self.workflow.root)]
        count = 0
        while waiting:
            path, scope = waiting.pop()
            for node in scope.nodes.values():
                if node.mode in MUTED_OR_BYPASSED:
                    continue
                count += 1
                if count > MAX_NODES:
                    raise SVIError(f"the subgraphs of this workflow unfold into more than {MAX_NODES} nodes")
                yield At(path, node)
                inner = self.workflow.subgraphs.get(node.type)
                if inner is not None and len(path) < _MAX_DEPTH and all(outer.type != node.type for outer in path):
                    waiting.append(((*path, node), inner))

    def linked(self, at: At, name: str) -> bool:
        """Whether an input has a link at all, wherever it leads."""
        return at.node.source(name) is not None

    def origin(self, at: At, name: str, *, passing: bool = True) -> Origin | None:
        """What an input gets. passing: also through nodes that give an input on unchanged."""
        source = at.node.source(name)
        return None if source is None else self._follow(at.path, at.node.scope, source, passing=passing)

    def hop(self, at: At, name: str, *, passing: bool = True) -> Source | None:
        """The last output at the top level on the way to what an input gets: of what makes it, or of the subgraph that
        holds that. None when nothing makes it, or no output at the top level carries it."""
        source, hops = at.node.source(name), list[Source]()
        if source is None or self._follow(at.path, at.node.scope, source, passing=passing, hops=hops) is None:
            return None
        return hops[-1] if hops else None

    def behind(self, at: At) -> Origin | None:
        """What the first output of a reroute or a named wire gives on."""
        return self._follow(at.path, at.node.scope, Source(at.node.id, 0), passing=True)

    def value(self, at: At, name: str, count: Callable[[At, str], Any] | None = None) -> Any:
        """The value of a widget, also one that is a linked input; UNKNOWN when only a run can tell, or not saved.

        Numbers that nodes compute from others are computed. count: how many frames an input has, for nodes that count
        them, as an int or a Count. Raises SVIError when the node's values fit no recorded version of it.
        """
        return self._value(at, name, count, {})

    def _value(self, at: At, name: str, count: Callable[[At, str], Any] | None, sums: dict[Origin, Any]) -> Any:
        """sums: what has been computed on the way, so that nothing is computed twice and a circle ends."""
        for _ in range(_MAX_DEPTH):
            if not self.linked(at, name):
                return at.node.values().get(name, UNKNOWN)
            origin = self.origin(at, name)
            if origin is None:
                return UNKNOWN
            at, kind = origin.at, origin.type
            if kind == "PrimitiveNode":
                values = at.node.raw.get("widgets_values")
                return values[0] if isinstance(values, list) and values else UNKNOWN
            if kind in COMPUTES:
                if origin not in sums:
                    sums[origin] = UNKNOWN
                    if len(sums) <= _MOST_SUMS:
                        sums[origin] = self._computed(origin, count, sums)
                return sums[origin]
            if counted := COUNTERS.get((kind, origin.slot)):
                return count(at, counted) if count else UNKNOWN
            if kind in CONSTANTS:
                name = CONSTANTS[kind]
                continue
            passed = _PASSING.get(kind, {}).get(origin.slot)
            if passed is None or self.linked(at, passed):
                return UNKNOWN
            name = passed
        return UNKNOWN

    def _computed(self, origin: Origin, count: Callable[[At, str], Any] | None, sums: dict[Origin, Any]) -> Any:
        def read(name: str) -> Any:
            try:
                value = self._value(origin.at, name, count, sums)
            except SVIError:
                return None
            return None if value is UNKNOWN else value

        value = compute(origin.type, origin.slot, read)
        return UNKNOWN if value is None else value

    def sums(self, at: At, *names: str) -> list[At]:
        """The nodes that compute, or count, what these inputs get."""
        found: list[At] = []
        waiting = [(at, name) for name in names]
        while waiting:
            here, name = waiting.pop()
            origin = self.origin(here, name)
            if origin is None or origin.at in found:
                continue
            if origin.type in COMPUTES:
                waiting += [(origin.at, each) for each in inputs_of(origin.type)]
            elif (origin.type, origin.slot) not in COUNTERS:
                continue
            found.append(origin.at)
        return found

    def same(self, at: At, name: str, other: At, other_name: str) -> bool:
        """Whether two inputs get the same number: one constant, or one wire."""
        first, second = self.value(at, name), self.value(other, other_name)
        if first is not UNKNOWN or second is not UNKNOWN:
            return first is not UNKNOWN and second is not UNKNOWN and bool(first == second)
        origin = self.origin(at, name)
        return origin is not None and origin == self.origin(other, other_name)

    def uses_through(self, node: Node, slot: int | None = None) -> Iterator[Use]:
        """What a node's outputs reach within its scope, reroutes and named wires followed. slot: of that one only."""
        waiting = [use for use in node.scope.uses(node) if slot is None or use.slot == slot]
        seen: set[int] = set()
        while waiting:
            use = waiting.pop()
            if use.node is None or not self.is_wire(use.node):
                yield use
            elif id(use.node) not in seen:
                seen.add(id(use.node))
                waiting += node.scope.uses(use.node)
                if use.node.type == "SetNode":
                    for getter in node.scope.nodes.values():
                        if getter.type == "GetNode" and wire_name(getter) == wire_name(use.node):
                            waiting += node.scope.uses(getter)

    @staticmethod
    def is_wire(node: Node) -> bool:
        """Whether it is part of the drawing only: a reroute or a named wire."""
        return node.type in (*_REROUTES, "SetNode", "GetNode")

    def setters(self, getter: Node) -> list[Node]:
        """The starts of a named wire, wherever it may be seen from."""
        name = wire_name(getter)
        return [
            node for scope in self.workflow.scopes for node in scope.nodes.values()
            if node.type == "SetNode" and name and wire_name(node) == name
        ]  # fmt: skip

    def _follow(
        self, path: tuple[Node, ...], scope: Scope, source: Source, *, passing: bool, hops: list[Source] | None = None
    ) -> Origin | None:  # fmt: skip
        """hops: takes the outputs at the top level that it comes by, of nodes and of subgraphs."""
        seen = set()
        for step in range(_MAX_STEPS):
            if step > _USUAL_STEPS:  # a circle is found sooner than by walking it to the end
                key = (path, id(scope), source)
                if key in seen:
                    return None
                seen.add(key)
            if source.node == SUBGRAPH_INPUT:
                outer = self._outward(path, scope, source.slot)
                if outer is None:
                    return None
                path, scope, source = outer
                continue
            node = scope.nodes.get(source.node)
            if node is None or node.mode not in (ACTIVE, 1, 3, BYPASSED):
                return None
            further = self._through(path, node, source.slot, passing=passing)
            inward = node.mode != BYPASSED and node.type in self.workflow.subgraphs
            if hops is not None and not path and (further is _HERE or inward):
                hops.append(source)
            if further is _HERE:
                return Origin(At(path, node), source.slot)
            if further is None:
                return None
            path, scope, source = further
        return None

    def _through(self, path: tuple[Node, ...], node: Node, slot: int, *, passing: bool) -> Any:
        """What is behind an output, as (path, scope, source); _HERE when the node makes it, None for nothing."""
        scope = node.scope
        if node.mode == BYPASSED:
            found = _behind_bypass(node, slot)
        elif node.type in _REROUTES:
            found = scope.source_at(node, 0)
        elif node.type == "GetNode":
            return self._setter(path, scope, wire_name(node))
        elif node.type == "SetNode":
            found = scope.source_at(node, 0)
        elif passing and (name := _PASSING.get(node.type, {}).get(slot)) and node.source(name):
            found = node.source(name)
        elif inner := self.workflow.subgraphs.get(node.type):
            if len(path) >= _MAX_DEPTH or any(outer.type == node.type for outer in path):
                return None
            found = inner.into(slot)
            return None if found is None else ((*path, node), inner, found)
        else:
            return _HERE
        return None if found is None else (path, scope, found)

    def _setter(self, path: tuple[Node, ...], scope: Scope, name: str | None) -> Any:
        """The wire of that name, in this scope or the nearest around it."""
        for depth in range(len(path), -1, -1):
            where = path[depth].scope if depth < len(path) else scope
            if id(where) not in self._setters:
                setters: dict[str, Node] = {}
                for node in where.nodes.values():
                    if node.type == "SetNode" and (own := wire_name(node)):
                        setters.setdefault(own, node)
                self._setters[id(where)] = setters
            setter = self._setters[id(where)].get(name) if name else None
            if setter is not None:
                found = setter.scope.source_at(setter, 0)
                return None if found is None else (path[:depth], where, found)
        return None

    def _outward(self, path: tuple[Node, ...], scope: Scope, slot: int) -> Any:
        """From a subgraph's input to what is linked to it outside."""
        inputs = scope.raw.get("inputs")
        if not path or not isinstance(inputs, list) or slot >= len(inputs) or not isinstance(inputs[slot], dict):
            return None
        name = inputs[slot].get("name")
        found = path[-1].source(name) if isinstance(name, str) else None
        return None if found is None else (path[:-1], path[-1].scope, found)


MUTED_OR_BYPASSED = (MUTED, BYPASSED)
_HERE = object()


def wire_name(node: Node) -> str | None:
    """The name of a named wire, at either end."""
    try:
        name = node.values().get("name")
    except SVIError:
        return None
    return name if isinstance(name, str) and name else None


def _behind_bypass(node: Node, slot: int) -> Source | None:
    """What ComfyUI sends for a bypassed node's output: its input of that type, at the same place or the first."""
    outputs = node.raw.get("outputs")
    kind = outputs[slot].get("type") if isinstance(outputs, list) and slot < len(outputs) else None
    entries = node.scope.entries(node)
    for index in [slot, *range(len(entries))]:
        if index < len(entries) and entries[index].get("type") == kind:
            return node.source(entries[index]["name"])
    return None
