"""What the inputs of nodes get in the end: through the nodes that only the frontend has, and through subgraphs."""

from __future__ import annotations

from typing import Any, NamedTuple

from ....svi_embeds.errors import SVIError
from ..model.link import as_list
from ..model.scope import BYPASSED, MUTED, SUBGRAPH_INPUT
from .places import At, Graph, Place, subgraph_inputs


class Sent(NamedTuple):
    """An output that a link comes from."""

    id: str
    slot: int


class Held(NamedTuple):
    """What the node of a subgraph holds for an input that nothing is linked to."""

    value: Any


class _Into(NamedTuple):
    at: At
    name: str
    kind: str


class _OutOf(NamedTuple):
    at: At
    slot: int
    kind: str


class Wires:
    """The links of a graph, followed to their sources."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def source(self, at: At, name: str) -> Sent | Held | None:
        """What an input gets in the end; None for nothing. Raises SVIError for links that run in a circle."""
        step: _Into | _OutOf | Sent | Held | None = _Into(at, name, self._graph.inputs(at).get(name, "*"))
        seen = set()
        while isinstance(step, (_Into, _OutOf)):
            key = (type(step), step.at.id, step[1])
            if key in seen:
                raise SVIError(f"the links of {name} of {at} run in a circle: cut one of them")
            seen.add(key)
            step = self._up(step) if isinstance(step, _Into) else self._through(step)
        return step

    def _up(self, step: _Into) -> _Into | _OutOf | Held | None:
        """From an input to what its link comes from."""
        place, name = step.at.place, step.name
        source = place.scope.source(step.at.node, name)
        if source is None:
            return None
        if source.node != SUBGRAPH_INPUT:
            return _OutOf(At(place, place.scope.nodes[source.node]), source.slot, step.kind)
        names = list(subgraph_inputs(place.scope).items())
        if place.host is None or source.slot >= len(names):
            return None
        outer, kind = names[source.slot]
        if place.host.place.scope.source(place.host.node, outer) is not None:
            return _Into(place.host, outer, kind)
        held = self._graph.held(place.host)
        return Held(held[outer]) if outer in held else None

    def _through(self, step: _OutOf) -> _Into | _OutOf | Sent | None:
        """From an output to itself, or through a node that is not sent."""
        at = step.at
        if at.node.mode == MUTED:
            return None
        if at.node.mode == BYPASSED:
            return self._past(step)
        place = self._graph.inside(at)
        if place is not None:
            inner = place.scope.into(step.slot)
            return None if inner is None else _OutOf(At(place, place.scope.nodes[inner.node]), inner.slot, step.kind)
        if at.node.type == "GetNode" and self._graph.is_virtual(at):
            return self._of_setter(step)
        if self._graph.is_virtual(at):
            names = list(self._graph.inputs(at))
            return _Into(at, names[step.slot], step.kind) if step.slot < len(names) else None
        return Sent(at.id, step.slot)

    def _past(self, step: _OutOf) -> _Into | None:
        """The input of a bypassed node that stands for one of its outputs."""
        inputs = list(self._graph.inputs(step.at).items())
        output = self._output_type(step.at, step.slot)

        def fits(kind: str) -> bool:
            return _match(kind, output) and _match(kind, step.kind)

        if step.kind in ("*", ""):
            order = [step.slot if step.slot < len(inputs) else 0]
        else:
            order = [step.slot] if step.slot < len(inputs) and fits(inputs[step.slot][1]) else []
            order += [index for index, (_, kind) in enumerate(inputs) if kind == step.kind]
            order += [index for index, (_, kind) in enumerate(inputs) if fits(kind)]
        return _Into(step.at, *inputs[order[0]]) if order and inputs else None

    def _output_type(self, at: At, slot: int) -> str:
        saved = as_list(at.node.raw.get("outputs"))
        kind = saved[slot].get("type") if slot < len(saved) and isinstance(saved[slot], dict) else "*"
        told = as_list((self._graph.known.get(at.node.type) or {}).get("output"))
        if slot < len(told) and told[slot] != "COMFY_MATCHTYPE_V3":
            kind = told[slot]
        return "COMBO" if isinstance(kind, list) else str(kind)

    def _of_setter(self, step: _OutOf) -> _Into | _OutOf | None:
        """KJNodes' Get: of the Set of its graph with its name, else of the only one in the graphs around."""
        name, place = _first(step.at), step.at.place
        here = _setters(place, name)
        if here:
            return _Into(here[0], next(iter(self._graph.inputs(here[0])), ""), step.kind)
        around: list[At] = []
        while place.host is not None:
            place = place.host.place
            around += _setters(place, name)
        if len(around) != 1:
            return None
        (setter,) = around
        source = setter.place.scope.source_at(setter.node, 0)
        if source is None or source.node == SUBGRAPH_INPUT:
            return None
        return _OutOf(At(setter.place, setter.place.scope.nodes[source.node]), source.slot, step.kind)


def _setters(place: Place, name: Any) -> list[At]:
    found = [At(place, node) for node in place.scope.nodes.values() if node.type == "SetNode"]
    return [at for at in found if name not in (None, "") and _first(at) == name]


def _first(at: At) -> Any:
    values = at.node.raw.get("widgets_values")
    return next(iter(values.values() if isinstance(values, dict) else as_list(values)), None)


def _match(one: str, two: str) -> bool:
    """Whether the frontend lets a link go between these types."""
    if {one, two} & {"*", "", "0"}:
        return True
    return bool(set(one.lower().split(",")) & set(two.lower().split(",")))
