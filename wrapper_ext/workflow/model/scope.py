"""The nodes and links of a saved workflow, or of one of its subgraphs, and edits that keep the rest.

The JSON is changed in place, so what no edit touches is saved as it was loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ....svi_embeds.errors import SVIError
from .definitions import Definition
from .link import Link, as_list
from .signatures import read_widgets, widget_index

ACTIVE, MUTED, BYPASSED = 0, 2, 4
_MODES = (ACTIVE, 1, MUTED, 3, BYPASSED)
SUBGRAPH_INPUT, SUBGRAPH_OUTPUT = -10, -20


class Source(NamedTuple):
    """Where a link comes from. node: an id of the same scope, SUBGRAPH_INPUT inside a subgraph."""

    node: int | str
    slot: int


class Use(NamedTuple):
    """Where a link goes: an input of a node, or (input None) an output of the subgraph."""

    node: Node | None
    input: str | None
    slot: int


class Node:
    """A node as it was saved; `raw` is its JSON."""

    __slots__ = ("id", "raw", "scope", "type")

    def __init__(self, scope: Scope, node_id: int | str, raw: dict[str, Any]) -> None:
        self.scope, self.id, self.raw = scope, node_id, raw
        self.type = scope.type_of(raw)

    @property
    def mode(self) -> int:
        mode = self.raw.get("mode", ACTIVE)
        return mode if mode in _MODES else ACTIVE

    @property
    def title(self) -> str:
        """What the user sees on the node: its title, else its type."""
        return self.scope.title_of(self.raw) or self.type

    def source(self, name: str) -> Source | None:
        """Where an input's link comes from; None for no link, also for one that is broken."""
        return self.scope.source(self, name)

    def values(self) -> dict[str, Any]:
        """Widget values by name. Raises SVIError when they do not fit any recorded version of the node."""
        return self.scope.values(self)

    def __repr__(self) -> str:
        return f"Node({self.id}, {self.type})"


class Scope:
    """The nodes and links of a workflow in UI format, or of one of its subgraphs."""

    def __init__(self, raw: dict[str, Any], own: Mapping[str, Definition], name: str = "") -> None:
        self.raw, self.own, self.name = raw, own, name
        self.nodes: dict[int | str, Node] = {}
        self.links: dict[Any, Link] = {}
        # What was removed, by identity. The values keep it alive: its identity must not become another object's.
        self._gone: dict[int, Any] = {}
        self._uses: dict[int | str, list[Link]] = {}
        self._last: dict[str, int] = {}
        self._load()

    def _load(self) -> None:
        nodes = self.raw.get("nodes")
        if not isinstance(nodes, list):
            raise SVIError(
                "this is not a ComfyUI workflow: it has no list of nodes. Save it with Workflow > Save or Export"
            )
        for raw in nodes:
            if not isinstance(raw, dict) or not isinstance(raw.get("id"), (int, str)):
                raise SVIError("this is not a ComfyUI workflow: a node has no id")
            self.nodes.setdefault(raw["id"], Node(self, raw["id"], raw))
        for raw in as_list(self.raw.get("links")):
            link = Link.read(raw)
            if link is not None and link.id not in self.links:
                self.links[link.id] = link
                self._uses.setdefault(link.origin, []).append(link)

    # What is there

    def type_of(self, raw: Mapping[str, Any]) -> str:
        return raw["type"] if isinstance(raw.get("type"), str) else ""

    def title_of(self, raw: Mapping[str, Any]) -> str:
        return raw["title"] if isinstance(raw.get("title"), str) else ""

    def source(self, node: Node, name: str) -> Source | None:
        entry = self.entry(node, name)
        link = self._link_of(entry) if entry else None
        if link is None or (link.origin not in self.nodes and link.origin != SUBGRAPH_INPUT):
            return None
        return Source(link.origin, link.origin_slot)

    def source_at(self, node: Node, index: int) -> Source | None:
        """The same, by the input's position."""
        entries = self.entries(node)
        return self.source(node, entries[index]["name"]) if index < len(entries) else None

    def values(self, node: Node) -> dict[str, Any]:
        values = node.raw.get("widgets_values")
        own = self.own.get(node.type)
        return own.read_values(values) if own else read_widgets(node.type, values)

    def entries(self, node: Node) -> list[dict[str, Any]]:
        """Inputs that have a name, linked or not, as saved."""
        found = as_list(node.raw.get("inputs"))
        return [entry for entry in found if isinstance(entry, dict) and isinstance(entry.get("name"), str)]

    def entry(self, node: Node, name: str) -> dict[str, Any] | None:
        inputs = node.raw.get("inputs")
        if isinstance(inputs, list):
            for entry in inputs:
                if isinstance(entry, dict) and entry.get("name") == name:
                    return entry
        return None

    def input_names(self, node: Node) -> list[str]:
        """Names of the inputs that are linked."""
        return [entry["name"] for entry in self.entries(node) if self._link_of(entry)]

    def feeders(self, node: Node) -> list[Node]:
        """The nodes of this scope that its links come from."""
        sources = [self.source(node, name) for name in self.input_names(node)]
        return [self.nodes[source.node] for source in sources if source and source.node in self.nodes]

    def uses(self, node: Node) -> Iterator[Use]:
        """What the node's outputs are linked to."""
        for link in self._uses.get(node.id, ()):
            if id(link.raw) in self._gone:
                continue
            if link.target == SUBGRAPH_OUTPUT:
                yield Use(None, None, link.origin_slot)
                continue
            target = self.nodes.get(link.target)
            for entry in self.entries(target) if target else ():
                if self._link_of(entry) is link:
                    yield Use(target, entry["name"], link.origin_slot)

    def into(self, slot: int) -> Source | None:
        """What an output of this subgraph is linked to inside."""
        for link in self.links.values():
            if link.target == SUBGRAPH_OUTPUT and link.target_slot == slot and link.origin in self.nodes:
                return Source(link.origin, link.origin_slot)
        return None

    def _link_of(self, entry: Mapping[str, Any]) -> Link | None:
        link_id = entry.get("link")
        if link_id is None:
            return None
        link = self.links.get(link_id) if isinstance(link_id, (int, str)) else None
        return None if link is None or (self._gone and id(link.raw) in self._gone) else link

    # Edits

    def disconnect(self, node: Node, name: str) -> None:
        entry = self.entry(node, name)
        link = self._link_of(entry) if entry else None
        if entry is None or link is None:
            return
        entry["link"] = None
        self._drop(link)

    def _drop(self, link: Link) -> None:
        self._gone[id(link.raw)] = link.raw
        self._note_at_border(link, gone=True)
        origin = self.nodes.get(link.origin)
        for output in as_list(origin.raw.get("outputs")) if origin else ():
            if isinstance(output, dict) and isinstance(output.get("links"), list) and link.id in output["links"]:
                output["links"] = [other for other in output["links"] if other != link.id]

    def connect(self, source: Source, node: Node, name: str, kind: str) -> None:
        """Links `source` to an input, whose entry is made if there is none."""
        self.disconnect(node, name)
        entry = self.entry(node, name)
        if entry is None:
            entry = {"name": name, "type": kind, "link": None, "widget": {"name": name}}
            node.raw.setdefault("inputs", []).append(entry)
        index = next(i for i, other in enumerate(node.raw["inputs"]) if other is entry)
        link_id = self._next("link")
        origin = self.nodes.get(source.node)
        if origin:
            outputs = as_list(origin.raw.get("outputs"))
            if source.slot < len(outputs) and isinstance(outputs[source.slot], dict):
                output = outputs[source.slot]
                output["links"] = [*as_list(output.get("links")), link_id]
                kind = output["type"] if isinstance(output.get("type"), str) and output["type"] != "*" else kind
        raw = self._new_link(link_id, source, node.id, index, kind)
        entry["link"] = link_id
        self.raw.setdefault("links", []).append(raw)
        link = Link(link_id, source.node, source.slot, node.id, index, raw)
        self.links[link_id] = link
        self._uses.setdefault(source.node, []).append(link)
        self._note_at_border(link)

    def _note_at_border(self, link: Link, *, gone: bool = False) -> None:
        """A subgraph's inputs and outputs list their links."""
        for end, slot, side in (
            (link.origin, link.origin_slot, "inputs"), (link.target, link.target_slot, "outputs"),
        ):  # fmt: skip
            entries = as_list(self.raw.get(side)) if end in (SUBGRAPH_INPUT, SUBGRAPH_OUTPUT) else []
            if slot < len(entries) and isinstance(entries[slot], dict):
                others = [other for other in as_list(entries[slot].get("linkIds")) if other != link.id]
                entries[slot]["linkIds"] = others if gone else [*others, link.id]

    def _new_link(self, link_id: int, source: Source, target: Any, index: int, kind: str) -> Any:
        if self.name or any(isinstance(link, dict) for link in as_list(self.raw.get("links"))[:1]):
            return {
                "id": link_id, "origin_id": source.node, "origin_slot": source.slot,
                "target_id": target, "target_slot": index, "type": kind,
            }  # fmt: skip
        return [link_id, source.node, source.slot, target, index, kind]

    def _next(self, what: str) -> int:
        """A fresh id of a node or a link, noted where this workflow notes the last one."""
        state = self.raw.get("state")
        home, key = (state, f"last{what.title()}Id") if isinstance(state, dict) else (self.raw, f"last_{what}_id")
        if what not in self._last:
            used = self.links if what == "link" else self.nodes
            noted = home.get(key)
            self._last[what] = max(
                noted if isinstance(noted, int) else 0, max((key for key in used if isinstance(key, int)), default=0)
            )
        self._last[what] += 1
        home[key] = self._last[what]
        return self._last[what]

    def remove(self, node: Node) -> None:
        for entry in self.entries(node):
            self.disconnect(node, entry["name"])
        for use in list(self.uses(node)):
            if use.node is not None and use.input is not None:
                self.disconnect(use.node, use.input)
        self._gone[id(node.raw)] = node.raw
        if self.nodes.get(node.id) is node:
            del self.nodes[node.id]

    def replace(
        self, node: Node, definition: Definition, values: Mapping[str, Any], sources: Mapping[str, Source | None],
        outputs: Mapping[int, int],
    ) -> None:  # fmt: skip
        """Make another node of one, at its place and with its id.

        sources: its links. outputs: which output of the old one is which of the new; links of others are dropped.
        """
        for entry in self.entries(node):
            self.disconnect(node, entry["name"])
        kept: dict[int, list[Link]] = {}
        for link in [link for link in self._uses.get(node.id, ()) if id(link.raw) not in self._gone]:
            if link.origin_slot in outputs:
                link.move_origin(outputs[link.origin_slot])
                kept.setdefault(link.origin_slot, []).append(link)
                continue
            target = self.nodes.get(link.target)
            for entry in self.entries(target) if target else ():
                if entry.get("link") == link.id:
                    entry["link"] = None
            self._drop(link)
        self._become(node, definition, values, [name for name, source in sources.items() if source])
        for slot, links in kept.items():
            node.raw["outputs"][slot]["links"] = [link.id for link in links]
        for name, source in sources.items():
            if source is not None:
                self.connect(source, node, name, definition.inputs[name].kind)

    def _become(self, node: Node, definition: Definition, values: Mapping[str, Any], linked: list[str]) -> None:
        raw = node.raw
        if is_default_title(node.title, node.type):
            raw.pop("title", None)
        raw["type"] = node.type = definition.id
        raw["inputs"] = [
            {"name": name, "type": spec.kind, "link": None, **({"widget": {"name": name}} if spec.widget else {})}
            for name, spec in definition.inputs.items()
            if not spec.widget or name in linked
        ]
        raw["outputs"] = [{"name": name, "type": kind, "links": []} for name, kind in definition.outputs]
        raw["widgets_values"] = definition.widget_values(values)
        raw["properties"] = {"Node name for S&R": definition.id}
        size = raw.get("size")
        width = size[0] if isinstance(size, list) and size and isinstance(size[0], (int, float)) else 0
        raw["size"] = [max(width, definition.size[0]), definition.size[1]]

    def add(self, definition: Definition, values: Mapping[str, Any], pos: tuple[float, float]) -> Node:
        """A new node without links."""
        node_id = self._next("node")
        order = len(self.nodes)
        raw: dict[str, Any] = {
            "id": node_id,
            "type": definition.id,
            "pos": list(pos),
            "flags": {},
            "order": order,
            "mode": ACTIVE,
        }
        node = Node(self, node_id, raw)
        self._become(node, definition, values, [])
        self.raw["nodes"].append(raw)
        self.nodes[node_id] = node
        return node

    def untitle(self, node: Node) -> None:
        """Have a node show the name of its type."""
        node.raw.pop("title", None)

    def set_value(self, node: Node, name: str, value: Any) -> None:
        """Raises SVIError when the node's values do not fit any recorded version of it."""
        index = widget_index(node.type, node.raw.get("widgets_values"), name)
        node.raw["widgets_values"][index] = value

    def tidy(self) -> None:
        """Take what was removed out of the JSON."""
        for key in ("nodes", "links"):
            if self._gone and isinstance(self.raw.get(key), list):
                self.raw[key] = [entry for entry in self.raw[key] if id(entry) not in self._gone]


def is_default_title(title: str, node_type: str) -> bool:
    """Whether a title is only the type's name, written with or without blanks."""
    plain = re.compile(r"[\W_]+")
    return plain.sub("", title).lower() == plain.sub("", node_type).lower()
