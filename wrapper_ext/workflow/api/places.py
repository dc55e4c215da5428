"""The nodes of a saved workflow where they are used, once for each node that shows their subgraph, and their values."""

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


class Graph:
    """A workflow's nodes in all their places. nodes: the JSON of `/object_info`."""

    def __init__(self, workflow: Workflow, nodes: Mapping[str, Any]) -> None:
        self._workflow, self.known = workflow, nodes
        self.root = Place(workflow.root, None)
        self._places: dict[str, Place] = {}
        self._values: dict[str, dict[str, tuple[Spec, Any]]] = {}
        self._held: dict[str, dict[str, Any]] = {}
        self._told: dict[tuple[str, str], Any] = {}  # values that older frontends noted outside: (node, widget)

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
        return at.node.type in VIRTUAL and at.node.type not in self.known

    # Values

    def values(self, at: At) -> dict[str, tuple[Spec, Any]]:
        """A node's widgets and what they hold, by name."""
        if at.id not in self._values:
            definition = self.known.get(at.node.type)
            found = widget_values(definition, at.node.raw.get("widgets_values")) if definition else {}
            told = {name: (spec, self._told.get((at.id, name), value)) for name, (spec, value) in found.items()}
            self._values[at.id] = told
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
        for slot, name in enumerate(subgraph_inputs(place.scope)):
            for inner, input_name in _linked_inside(place, slot):
                widgets = {key: value for key, (_, value) in self.values(inner).items()}
                held = self.held(inner) if self.inside(inner) else widgets
                if input_name in held:
                    yield name, held[input_name]
                    break

    def _read_told(self, at: At, place: Place) -> None:
        entries = as_list(properties_of(at.node).get("proxyWidgets"))
        saved = as_list(at.node.raw.get("widgets_values"))
        names = list(subgraph_inputs(place.scope))
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

    def inputs(self, at: At) -> dict[str, str]:
        """The type of each input by name, in the frontend's order, which counts when a node is bypassed."""
        saved = {entry["name"]: str(entry.get("type", "*")) for entry in at.place.scope.entries(at.node)}
        place = self.inside(at)
        if place is not None:
            return dict(subgraph_inputs(place.scope))
        definition = self.known.get(at.node.type)
        if definition is None:
            return saved
        found = dict(slots(definition, self.values(at)))
        return found | {name: kind for name, kind in saved.items() if name not in found or found[name] == "*"}


def properties_of(node: Node) -> dict[str, Any]:
    found = node.raw.get("properties")
    return found if isinstance(found, dict) else {}


def subgraph_inputs(scope: Scope) -> dict[str, str]:
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
