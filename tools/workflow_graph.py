"""Saved workflows (UI format) from nodes, links and widget values.

Widget values are stored by position, so they are written from the node definitions: the host's recorded ones and this
pack's own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wanvideo_svi import NODE_CLASS_MAPPINGS

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = json.loads((ROOT / "tests/data/host_contract.json").read_text())["nodes"]

WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}

Source = tuple["Node", int]


def definition(node_type: str) -> dict[str, Any]:
    """Inputs and outputs of a node: {"inputs": {name: (type, options, required)}, "outputs": [(name, type)]}."""
    if node_type in NODE_CLASS_MAPPINGS:
        cls = NODE_CLASS_MAPPINGS[node_type]
        groups, types, names = cls.INPUT_TYPES(), cls.RETURN_TYPES, cls.RETURN_NAMES
    else:
        recorded = CONTRACT[node_type]
        groups, types, names = recorded["input"], recorded["output"], recorded["output_name"]
    inputs = {}
    for group in ("required", "optional"):
        for name, spec in groups.get(group, {}).items():
            kind, options = spec[0], spec[1] if len(spec) > 1 else {}
            if not isinstance(kind, str):
                kind, options = "COMBO", {"default": next(iter(kind), ""), **options}
            inputs[name] = (kind, options)
    kinds = [kind if isinstance(kind, str) else "COMBO" for kind in types]
    return {"inputs": inputs, "outputs": list(zip(names, kinds, strict=True))}


def has_control(name: str, options: dict[str, Any]) -> bool:
    """Whether the frontend puts a widget of its own (control_after_generate) behind this one."""
    return bool(options.get("control_after_generate", name == "seed"))


def widgets(node: dict[str, Any]) -> dict[str, Any]:
    """Widget values of a saved node by name. The frontend's own extras (control_after_generate, upload) are left out.

    Raises ValueError when the values do not fit the node's definition.
    """
    values = list(node["widgets_values"])
    named = {}
    for name, (kind, options) in definition(node["type"])["inputs"].items():
        if kind in WIDGET_TYPES:
            named[name] = values.pop(0)
            if has_control(name, options):
                values.pop(0)
    if values not in ([], ["image"]):
        raise ValueError(f"{node['type']} has {len(values)} values too many: {values}")
    return named


@dataclass(eq=False)
class Node:
    """A node to be: `links` are inputs from other nodes, `values` the widgets that differ from their defaults."""

    type: str
    pos: tuple[int, int]
    size: tuple[int, int]
    title: str = ""
    links: dict[str, Source] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    muted: bool = False
    colour: str = ""
    id: int = 0


class Graph:
    """Collects nodes and writes them as a saved workflow."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.groups: list[dict[str, Any]] = []

    def add(self, node_type: str, pos: tuple[int, int], size: tuple[int, int], **rest: Any) -> Node:
        node = Node(node_type, pos, size, id=len(self.nodes) + 1, **rest)
        self.nodes.append(node)
        return node

    def group(self, title: str, box: tuple[int, int, int, int], colour: str) -> None:
        self.groups.append(
            {"id": len(self.groups) + 1, "title": title, "bounding": list(box), "color": colour, "font_size": 24}
        )

    def save(self) -> dict[str, Any]:
        links: list[list[Any]] = []
        saved = {node.id: self._node(node) for node in self.nodes}
        for node in self.nodes:
            for name, (source, slot) in node.links.items():
                kind = definition(source.type)["outputs"][slot][1]
                inputs = saved[node.id]["inputs"]
                index = next(i for i, entry in enumerate(inputs) if entry["name"] == name)
                link = [len(links) + 1, source.id, slot, node.id, index, kind]
                links.append(link)
                inputs[index]["link"] = link[0]
                saved[source.id]["outputs"][slot]["links"].append(link[0])
        return {
            "last_node_id": len(self.nodes), "last_link_id": len(links), "nodes": list(saved.values()), "links": links,
            "groups": self.groups, "config": {}, "extra": {}, "version": 0.4,
        }  # fmt: skip

    def _node(self, node: Node) -> dict[str, Any]:
        base: dict[str, Any] = {
            "id": node.id, "type": node.type, "pos": list(node.pos), "size": list(node.size), "flags": {},
            "order": node.id - 1, "mode": 2 if node.muted else 0, "inputs": [], "outputs": [],
            "properties": {"Node name for S&R": node.type}, "widgets_values": [],
        }  # fmt: skip
        if node.title:
            base["title"] = node.title
        if node.colour:
            base["color"], base["bgcolor"] = node.colour, node.colour
        if node.type == "MarkdownNote":
            return {**base, "properties": {}, "widgets_values": [node.values["text"]]}
        known = definition(node.type)
        unknown = (set(node.links) | set(node.values)) - set(known["inputs"])
        if unknown:
            raise ValueError(f"{node.type} has no input {', '.join(sorted(unknown))}")
        for name, (kind, options) in known["inputs"].items():
            if kind in WIDGET_TYPES:
                base["widgets_values"].append(node.values.get(name, options.get("default", "")))
                if has_control(name, options):
                    base["widgets_values"].append("fixed")
                if name in node.links:  # the widget stays, with an input of its name in front of it
                    base["inputs"].append({"name": name, "type": kind, "link": None, "widget": {"name": name}})
            else:
                base["inputs"].append({"name": name, "type": kind, "link": None})
        if node.type == "LoadImage":
            base["widgets_values"].append("image")
        base["outputs"] = [{"name": name, "type": kind, "links": []} for name, kind in known["outputs"]]
        return base
