"""Edits of saved graphs in UI format, for the tests of the migration."""

from __future__ import annotations

from typing import Any

from old_graphs import Raw
from read_graphs import nodes

OUTER = "22222222-0000-4000-8000-000000000000"


class Edit:
    """Changes a graph in UI format."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def all(self, kind: str) -> list[Raw]:
        return sorted(nodes(self.raw, kind), key=lambda node: int(node["order"]))

    def add(self, kind: str, values: Any = (), *outputs: tuple[str, str], mode: int = 0, **links: Any) -> Raw:
        """outputs: (name, type). links: inputs by name, each (node, output)."""
        self.raw["last_node_id"] += 1
        node: Raw = {
            "id": self.raw["last_node_id"], "type": kind, "pos": [0, 5000], "size": [300, 200], "flags": {},
            "order": len(self.raw["nodes"]), "mode": mode, "inputs": [], "properties": {},
            "outputs": [{"name": name, "type": of, "links": []} for name, of in outputs],
            "widgets_values": values if isinstance(values, dict) else list(values),
        }  # fmt: skip
        self.raw["nodes"].append(node)
        for name, (source, slot) in links.items():
            self.link(source, slot, node, name)
        return node

    def source(self, node: Raw, name: str) -> tuple[Raw, int]:
        link_id = next(entry["link"] for entry in node["inputs"] if entry["name"] == name)
        link = next(link for link in self.raw["links"] if link[0] == link_id)
        return next(other for other in self.raw["nodes"] if other["id"] == link[1]), link[2]

    def cut(self, node: Raw, name: str) -> None:
        for entry in node["inputs"]:
            if entry["name"] == name and entry["link"] is not None:
                self.raw["links"] = [link for link in self.raw["links"] if link[0] != entry["link"]]
                for other in self.raw["nodes"]:
                    for output in other["outputs"]:
                        output["links"] = [each for each in output["links"] if each != entry["link"]]
                entry["link"] = None

    def link(self, source: Raw, slot: int, node: Raw, name: str) -> None:
        self.cut(node, name)
        self.raw["last_link_id"] += 1
        link, output = self.raw["last_link_id"], source["outputs"][slot]
        output["links"].append(link)
        index = next((i for i, entry in enumerate(node["inputs"]) if entry["name"] == name), len(node["inputs"]))
        if index == len(node["inputs"]):
            node["inputs"].append({"name": name, "type": output["type"], "link": None})
        node["inputs"][index]["link"] = link
        self.raw["links"].append([link, source["id"], slot, node["id"], index, output["type"]])

    def insert(self, kind: str, node: Raw, name: str, via: str, values: Any = ()) -> Raw:
        """A node between an input and what it is linked to."""
        source, slot = self.source(node, name)
        out = source["outputs"][slot]
        made = self.add(kind, values, (out["name"], out["type"]), **{via: (source, slot)})
        self.link(made, 0, node, name)
        return made

    def into_subgraph(self, *moved: Raw, id_inside: int) -> Raw:
        """Put nodes into a subgraph. id_inside: what the first is called there."""
        ids = {node["id"]: id_inside + index for index, node in enumerate(moved)}
        outer = self.add(OUTER)
        inner_links: list[Raw] = []
        inputs: list[Raw] = []
        outputs: list[Raw] = []
        slots: dict[tuple[int, int], int] = {}
        for link in list(self.raw["links"]):
            link_id, origin, slot, target, index, kind = link
            if origin not in ids and target not in ids:
                continue
            if origin in ids and target in ids:
                ends = (ids[origin], slot, ids[target], index)
                self.raw["links"].remove(link)
            elif origin in ids:
                number = slots.setdefault((origin, slot), len(outputs))
                if number == len(outputs):
                    outputs.append({"id": f"o{number}", "name": f"out {number}", "type": kind, "linkIds": []})
                    outer["outputs"].append({"name": f"out {number}", "type": kind, "links": []})
                    inner_id = 9000 + number
                    outputs[number]["linkIds"].append(inner_id)
                    inner_links.append(_inner(inner_id, ids[origin], slot, -20, number, kind))
                    node = next(node for node in moved if node["id"] == origin)
                    node["outputs"][slot]["inner"] = inner_id
                outer["outputs"][number]["links"].append(link_id)
                link[1:3] = [outer["id"], number]
                continue
            else:
                number = len(inputs)
                inputs.append({"id": f"i{number}", "name": f"in {number}", "type": kind, "linkIds": [link_id]})
                outer["inputs"].append({"name": f"in {number}", "type": kind, "link": link_id})
                link[3:5] = [outer["id"], number]
                ends = (-10, number, ids[target], index)
            inner_links.append(_inner(link_id, *ends, kind))
        for node in moved:
            self.raw["nodes"].remove(node)
            for output in node["outputs"]:
                output["links"] = [output.pop("inner")] if "inner" in output else output["links"]
            node["id"] = ids[node["id"]]
        inner = {
            "id": OUTER, "version": 1, "name": "packed", "state": {"lastNodeId": 9999, "lastLinkId": 9999},
            "inputs": inputs, "outputs": outputs, "nodes": list(moved), "links": inner_links,
        }  # fmt: skip
        self.raw["definitions"] = {"subgraphs": [inner]}
        return outer


def _inner(link_id: int, origin: int, slot: int, target: int, index: int, kind: str) -> Raw:
    return {
        "id": link_id, "origin_id": origin, "origin_slot": slot, "target_id": target, "target_slot": index,
        "type": kind,
    }  # fmt: skip
