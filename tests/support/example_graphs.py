"""The example workflows, and the nodes that they may hold."""

from __future__ import annotations

import json
from typing import Any

from project import DATA, ROOT
from wanvideo_svi import NODE_CLASS_MAPPINGS
from workflow_heights import Height, height_of, note_height

WORKFLOWS = sorted((ROOT / "example_workflows").glob("*.json"))


HOST = json.loads((DATA / "host_contract.json").read_text())["nodes"]


def signature(node_type: str) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Required inputs, optional inputs and output types, from the recorded host or from this pack."""
    if cls := NODE_CLASS_MAPPINGS.get(node_type):
        groups, outputs = cls.INPUT_TYPES(), list(cls.RETURN_TYPES)
    else:
        groups, outputs = HOST[node_type]["input"], HOST[node_type]["output"]
    return groups.get("required", {}), groups.get("optional", {}), [type_name(kind) for kind in outputs]


def type_name(kind: Any) -> str:
    return kind if isinstance(kind, str) else "COMBO"


def is_widget(spec: Any) -> bool:
    return isinstance(spec[0], list) or spec[0] in ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")


Graph = dict[str, Any]


def height(node: Graph) -> Height:
    """What its texts were given beyond their least is room."""
    if node["type"] == "MarkdownNote":
        return note_height(node["widgets_values"][0], node["size"][0])
    linked = {entry["name"] for entry in node["inputs"] if entry["link"] is not None}
    least = height_of(node["type"], linked=linked, room=0).saved
    return height_of(node["type"], linked=linked, room=max(node["size"][1] - least, 0))
