"""Subgraph blueprints from nodes, links and widget values: a graph with inputs and outputs of its own.

The form is that of ComfyUI's own blueprints: the root has one node, whose type is the id of the one subgraph. A widget
is on the block when the block's input of it goes to the node's; its value stands on the node inside.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from workflow_graph import Graph, Node, Source
from workflow_nodes import WIDGET_TYPES, definition

CATEGORY = "WanVideo SVI"  # the folder in the node library
INPUT_ID, OUTPUT_ID = -10, -20  # of the two ends inside a subgraph; the frontend knows them by these numbers
WIDTH = 420  # of a block
_ROW, _PROMPT, _TITLE = 24, 180, 60  # heights of what is on a block
_END = 200  # width of the two ends


@dataclass(frozen=True)
class _Given:
    name: str
    label: str


class Block(Graph):
    """Collects the nodes of a subgraph. `take` names an input for their links, `give` an output."""

    def __init__(self) -> None:
        super().__init__()
        self._edge = Node("", (0, 0), (0, 0), 0, id=INPUT_ID)
        self._given: list[_Given] = []
        self._made: list[tuple[str, Source]] = []

    def take(self, name: str, label: str = "") -> Source:
        """An input of the block, after those before it; it may go to several nodes. label: shown in its place."""
        self._given.append(_Given(name, label))
        return (self._edge, len(self._given) - 1)

    def give(self, name: str, source: Source) -> None:
        """An output of the block, after those before it."""
        self._made.append((name, source))

    def blueprint(self, name: str, description: str) -> dict[str, Any]:
        """The file `name`.json."""
        graph = self._subgraph(name)
        inputs = [
            {**_shown(entry), "link": None, **({"widget": {"name": entry["name"]}} if self._is_widget(slot) else {})}
            for slot, entry in enumerate(graph["inputs"])
        ]
        prompts = sum(entry["name"] == "prompt" for entry in inputs)
        height = _TITLE + _ROW * len(inputs) + _PROMPT * prompts
        host = {
            "id": 1, "type": graph["id"], "pos": [0, 0], "size": [WIDTH, height], "flags": {}, "order": 0, "mode": 0,
            "inputs": inputs,
            "outputs": [{**_shown(entry), "links": []} for entry in graph["outputs"]],
            "properties": {}, "widgets_values": [],
        }  # fmt: skip
        return {
            "version": 0.4, "revision": 0, "last_node_id": 1, "last_link_id": 0, "nodes": [host], "links": [],
            "definitions": {"subgraphs": [graph]}, "extra": {"BlueprintDescription": description},
        }  # fmt: skip

    def _targets(self, slot: int) -> list[tuple[Node, str]]:
        """Where an input of the block goes."""
        ends = [(node, name) for node in self.nodes for name, link in node.links.items() if link == (self._edge, slot)]
        if not ends:
            raise ValueError(f"{self._given[slot].name} goes nowhere")
        return ends

    def _kind(self, slot: int) -> str:
        """The type of an input of the block: what all take that it goes to."""
        kinds = [str(definition(node.type)["inputs"][name][0]) for node, name in self._targets(slot)]
        if len(set(kinds)) == 1:
            return kinds[0]
        return ",".join(kind for kind in kinds[0].split(",") if all(kind in other.split(",") for other in kinds))

    def _is_widget(self, slot: int) -> bool:
        return self._kind(slot) in WIDGET_TYPES

    def _subgraph(self, title: str) -> dict[str, Any]:
        saved = {node.id: self._node(node) for node in self.nodes}
        links: list[dict[str, Any]] = []

        def join(source: Source, target: int, slot: int, kind: str) -> int:
            links.append({
                "id": len(links) + 1, "origin_id": source[0].id, "origin_slot": source[1], "target_id": target,
                "target_slot": slot, "type": kind,
            })  # fmt: skip
            if source[0] is not self._edge:
                saved[source[0].id]["outputs"][source[1]]["links"].append(len(links))
            return len(links)

        for node in self.nodes:
            for name, source in node.links.items():
                entries = saved[node.id]["inputs"]
                slot = next(index for index, entry in enumerate(entries) if entry["name"] == name)
                edge = source[0] is self._edge
                kind = self._kind(source[1]) if edge else definition(source[0].type)["outputs"][source[1]][1]
                entries[slot]["link"] = join(source, node.id, slot, kind)
        outputs = []
        for slot, (name, (node, output)) in enumerate(self._made):
            kind = definition(node.type)["outputs"][output][1]
            link = join((node, output), OUTPUT_ID, slot, kind)
            outputs.append({"id": _id(title, "output", name), "name": name, "type": kind, "linkIds": [link]})
        inputs = []
        for slot, given in enumerate(self._given):
            ids = [link["id"] for link in links if (link["origin_id"], link["origin_slot"]) == (INPUT_ID, slot)]
            entry = {"id": _id(title, "input", given.name), "name": given.name, "type": self._kind(slot)}
            inputs.append({**entry, "linkIds": ids, **({"label": given.label} if given.label else {})})
        left = min(node.pos[0] for node in self.nodes) - _END - 80
        right = max(node.pos[0] + node.size[0] for node in self.nodes) + 80
        return {
            "id": _id(title), "version": 1, "revision": 0, "config": {}, "name": title, "category": CATEGORY,
            "state": {"lastGroupId": 0, "lastNodeId": len(self.nodes), "lastLinkId": len(links), "lastRerouteId": 0},
            "inputNode": {"id": INPUT_ID, "bounding": [left, 0, _END, 40 + 20 * len(inputs)]},
            "outputNode": {"id": OUTPUT_ID, "bounding": [right, 0, _END, 40 + 20 * len(outputs)]},
            "inputs": inputs, "outputs": outputs, "widgets": [], "nodes": list(saved.values()), "groups": [],
            "links": links, "extra": {},
        }  # fmt: skip


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("name", "label", "type") if key in entry}


def _id(*words: str) -> str:
    """The same each time the tool runs."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("wanvideo-svi", "subgraphs", *words))))
