"""Where the links of a saved workflow come from in the end: through what only the frontend has, and subgraphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ....svi_embeds.errors import SVIError
from ..model.graph import Workflow
from ..model.link import as_list
from ..model.scope import BYPASSED, MUTED, SUBGRAPH_INPUT, Node, Scope
from .widgets import Spec, slots, widget_values

# Nodes that no host has: what goes into them comes out of them, or nothing does.
VIRTUAL = {
    "Bookmark (rgthree)", "Fast Bypasser (rgthree)", "Fast Groups Bypasser (rgthree)", "Fast Groups Muter (rgthree)",
    "Fast Muter (rgthree)", "GetNode", "Label (rgthree)", "MarkdownNote", "Note", "PrimitiveNode", "Reroute",
    "Reroute (rgthree)", "SetNode",
}  # fmt: skip
_MAX_DEPTH, _MAX_PLACES = 40, 5000  # of subgraphs
EXPORT = "export the graph with *Workflow > Export (API)* and take that file"


class Place:
    """A scope as one node shows it: the workflow itself, or a subgraph. host: that node."""

    def __init__(self, scope: Scope, host: At | None) -> None:
        self.scope, self.host = scope, host
        self.depth: int = 0 if host is None else host.place.depth + 1


class At(NamedTuple):
    """A node in one of the places where it is."""

    place: Place
    node: Node

    @property
    def id(self) -> str:
        """As the API graph has it: the ids of the subgraphs' nodes around it before its own."""
        return str(self.node.id) if self.place.host is None else f"{self.place.host.id}:{self.node.id}"

    def __str__(self) -> str:
        return f"{self.node.title} (node {self.id})"


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
    """A workflow's nodes in all their places, their values, and what they are linked to."""

    def __init__(self, workflow: Workflow, nodes: Mapping[str, Any]) -> None:
        self._workflow, self._nodes = workflow, nodes
        self.root = Place(workflow.root, None)
        self._places: dict[str, Place] = {}
        self._values: dict[str, dict[str, tuple[Spec, Any]]] = {}
        self._held: dict[str, dict[str, Any]] = {}
        self._told: dict[tuple[str, str], Any] = {}  # values that older frontends noted outside: (node, widget)

    # Nodes

    def inside(self, at: At) -> Place | None:
        """What a subgraph's node shows; None for another node. Raises SVIError for subgraphs without end."""
        scope = self._workflow.subgraphs.get(at.node.type)
        if scope is None:
            return None
        if at.id not in self._places:
            if at.place.depth == _MAX_DEPTH or len(self._places) == _MAX_PLACES:
                raise SVIError(f"subgraphs are nested without end at {at}: is one inside itself?")
            self._places[at.id] = place = Place(scope, at)
            self._read_told(at, place)
        return self._places[at.id]

    def walk(self, place: Place | None = None) -> Iterator[At]:
        """All nodes; those of a subgraph behind its own node.

        As in the frontend, one that is muted or bypassed hides its own only at the top level.
        """
        place = place or self.root
        for node in place.scope.nodes.values():
            yield (at := At(place, node))
            inner = self.inside(at)
            if inner is not None and (place.depth or node.mode not in (MUTED, BYPASSED)):
                yield from self.walk(inner)

    def is_virtual(self, at: At) -> bool:
        return at.node.type in VIRTUAL and at.node.type not in self._nodes

    # Values

    def values(self, at: At) -> dict[str, tuple[Spec, Any]]:
        """A node's widgets and what they hold, by name. Raises SVIError for what only the frontend knows."""
        if at.id not in self._values:
            definition = self._nodes.get(at.node.type)
            found = {}
            if definition is not None:
                try:
                    found = widget_values(at.node.type, definition, at.node.raw.get("widgets_values"))
                except SVIError as error:
                    raise SVIError(f"{at}: {error}: {EXPORT}") from None
            for name, (spec, _) in found.items():
                if (at.id, name) in self._told:
                    found[name] = spec, self._told[at.id, name]
            self._values[at.id] = found
        return self._values[at.id]

    def held(self, at: At) -> dict[str, Any]:
        """What a subgraph's node holds for those of its inputs that have a widget inside, by name."""
        if at.id not in self._held:
            self._held[at.id] = {}
            saved = as_list(at.node.raw.get("widgets_values"))
            for name, value in self._of_inner_widgets(at):
                index = len(self._held[at.id])
                given = saved[index] if index < len(saved) and saved[index] is not None else value
                self._held[at.id][name] = self._told.get((at.id, name), given)
        return self._held[at.id]

    def _of_inner_widgets(self, at: At) -> Iterator[tuple[str, Any]]:
        place = self.inside(at)
        assert place is not None
        for slot, name in enumerate(_inputs(place.scope)):
            for inner, input_name in _linked_inside(place, slot):
                values = (
                    self.held(inner)
                    if self.inside(inner)
                    else {key: value for key, (_, value) in self.values(inner).items()}
                )
                if input_name in values:
                    yield name, values[input_name]
                    break

    def _read_told(self, at: At, place: Place) -> None:
        entries = as_list(properties_of(at.node).get("proxyWidgets"))
        saved = as_list(at.node.raw.get("widgets_values"))
        names = list(_inputs(place.scope))
        linked = {
            (str(inner.node.id), name): names[slot]
            for slot in range(len(names))
            for inner, name in _linked_inside(place, slot)
        }
        for entry, value in zip(entries, saved, strict=False):
            if value is None or not isinstance(entry, list) or len(entry) < 2:
                continue
            inner, name = str(entry[0]), str(entry[1])
            if inner == "-1" or (inner, name) in linked:
                self._told[at.id, linked.get((inner, name), name)] = value
            else:
                self._told[f"{at.id}:{inner}", name] = value

    # Links

    def inputs(self, at: At) -> dict[str, str]:
        """The type of each input by name, in the frontend's order, which counts when a node is bypassed."""
        saved = {entry["name"]: str(entry.get("type", "*")) for entry in at.place.scope.entries(at.node)}
        place = self.inside(at)
        if place is not None:
            return dict(_inputs(place.scope))
        definition = self._nodes.get(at.node.type)
        if definition is None:
            return saved
        found = dict(slots(definition, self.values(at)))
        return found | {name: kind for name, kind in saved.items() if name not in found or found[name] == "*"}

    def source(self, at: At, name: str) -> Sent | Held | None:
        """What an input gets in the end; None for nothing. Raises SVIError for links that run in a circle."""
        step: _Into | _OutOf | Sent | Held | None = _Into(at, name, self.inputs(at).get(name, "*"))
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
        names = list(_inputs(place.scope).items())
        if place.host is None or source.slot >= len(names):
            return None
        outer, kind = names[source.slot]
        if place.host.place.scope.source(place.host.node, outer) is not None:
            return _Into(place.host, outer, kind)
        held = self.held(place.host)
        return Held(held[outer]) if outer in held else None

    def _through(self, step: _OutOf) -> _Into | _OutOf | Sent | None:
        """From an output to itself, or through a node that is not sent."""
        at = step.at
        if at.node.mode == MUTED:
            return None
        if at.node.mode == BYPASSED:
            return self._past(step)
        place = self.inside(at)
        if place is not None:
            inner = place.scope.into(step.slot)
            return None if inner is None else _OutOf(At(place, place.scope.nodes[inner.node]), inner.slot, step.kind)
        if at.node.type == "GetNode" and self.is_virtual(at):
            return self._of_setter(step)
        if self.is_virtual(at):
            names = list(self.inputs(at))
            return _Into(at, names[step.slot], step.kind) if step.slot < len(names) else None
        return Sent(at.id, step.slot)

    def _past(self, step: _OutOf) -> _Into | None:
        """The input of a bypassed node that stands for one of its outputs."""
        inputs = list(self.inputs(step.at).items())
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
        told = as_list((self._nodes.get(at.node.type) or {}).get("output"))
        if slot < len(told) and told[slot] != "COMFY_MATCHTYPE_V3":
            kind = told[slot]
        return "COMBO" if isinstance(kind, list) else str(kind)

    def _of_setter(self, step: _OutOf) -> _Into | _OutOf | None:
        """KJNodes' Get: of the Set of its graph with its name, else of the only one in the graphs around."""
        name, place = _first(step.at), step.at.place
        here = _setters(place, name)
        if here:
            return _Into(here[0], next(iter(self.inputs(here[0])), ""), step.kind)
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


def properties_of(node: Node) -> dict[str, Any]:
    found = node.raw.get("properties")
    return found if isinstance(found, dict) else {}


def _setters(place: Place, name: Any) -> list[At]:
    found = [At(place, node) for node in place.scope.nodes.values() if node.type == "SetNode"]
    return [at for at in found if name not in (None, "") and _first(at) == name]


def _first(at: At) -> Any:
    values = at.node.raw.get("widgets_values")
    return next(iter(values.values() if isinstance(values, dict) else as_list(values)), None)


def _inputs(scope: Scope) -> dict[str, str]:
    """A subgraph's inputs: the type of each by name."""
    slots = [slot for slot in as_list(scope.raw.get("inputs")) if isinstance(slot, dict)]
    return {str(slot.get("name")): str(slot.get("type", "*")) for slot in slots}


def _linked_inside(place: Place, slot: int) -> Iterator[tuple[At, str]]:
    """The inputs inside a subgraph that one of its own is linked to."""
    for link in place.scope.links.values():
        node = place.scope.nodes.get(link.target)
        if link.origin == SUBGRAPH_INPUT and link.origin_slot == slot and node is not None:
            for entry in place.scope.entries(node):
                if entry.get("link") == link.id:
                    yield At(place, node), entry["name"]


def _match(one: str, two: str) -> bool:
    """Whether the frontend lets a link go between these types."""
    if {one, two} & {"*", "", "0"}:
        return True
    return bool(set(one.lower().split(",")) & set(two.lower().split(",")))
