"""Saved workflows (UI format) from nodes, links and widget values.

Widget values are stored by position, so they are written from the node definitions: the host's recorded ones and this
pack's own. Nodes stand in columns: each below those that were added before it and share some of its width.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workflow_heights import TITLE, height_of, note_height
from workflow_models import models_of
from workflow_nodes import WIDGET_TYPES, definition, has_control

WIDTH = 400  # of a node
GAP = 40  # between nodes of a column
COLUMN = WIDTH + 60  # from one column to the next
_GROUP_SIDE, _GROUP_TITLE = 30, 60  # around the nodes of a group, and above them

Source = tuple["Node", int]


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
    """A node to be: `links` are inputs from other nodes, `values` the widgets that differ from their defaults.

    kept: height that is kept free for it, title included.
    """

    type: str
    pos: tuple[int, int]
    size: tuple[int, int]
    kept: int
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
        self._grouped = 0  # nodes that are in a group

    def add(self, node_type: str, x: int, *, width: int = WIDTH, room: int = 0, **rest: Any) -> Node:
        """A node at x, below those of its column. room: height for its text boxes, beyond their least."""
        above = [node for node in self.nodes if x < node.pos[0] + node.size[0] and node.pos[0] < x + width]
        top = max((_bottom(node) + GAP for node in above), default=0)
        height = height_of(node_type, linked=rest.get("links", ()), room=room)
        return self._put(Node(node_type, (x, top + TITLE), (width, height.saved), height.kept, **rest))

    def note(self, text: str) -> Node:
        """The note that is read first: at the top left, over two columns. Added before the nodes below it."""
        width = COLUMN + WIDTH
        height = note_height(text, width)
        return self._put(Node("MarkdownNote", (0, TITLE), (width, height.saved), height.kept, title="Read me",
                              values={"text": text}, colour="#432"))  # fmt: skip

    def _put(self, node: Node) -> Node:
        node.id = len(self.nodes) + 1
        self.nodes.append(node)
        return node

    def group(self, title: str, colour: str) -> None:
        """A group around all nodes that are in none yet."""
        inside, self._grouped = self.nodes[self._grouped :], len(self.nodes)
        left = min(node.pos[0] for node in inside) - _GROUP_SIDE
        right = max(node.pos[0] + node.size[0] for node in inside) + _GROUP_SIDE
        top = min(node.pos[1] - TITLE for node in inside) - _GROUP_TITLE
        bottom = max(map(_bottom, inside)) + _GROUP_SIDE
        box = [left, top, right - left, bottom - top]
        self.groups.append(
            {"id": len(self.groups) + 1, "title": title, "bounding": box, "color": colour, "font_size": 24}
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
        if models := models_of(base["widgets_values"]):
            base["properties"]["models"] = models
        return base


def _bottom(node: Node) -> int:
    return node.pos[1] - TITLE + node.kept
