"""What a saved graph holds, and whether it is whole."""

from __future__ import annotations

from typing import Any

from old_graphs import (
    Raw,
)
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.wrapper_ext.answers.migrate import own_nodes
from wanvideo_svi.wrapper_ext.workflow.model.report import Finding, Report


def nodes(raw: Raw, kind: str) -> list[Raw]:
    return [node for node in raw["nodes"] if node["type"] == kind]


def values(node: Raw) -> dict[str, Any]:
    """Widget values of a node of this pack."""
    return own_nodes()[node["type"]].read_values(node["widgets_values"])


def feeds(raw: Raw, node: Raw, name: str) -> tuple[str, int] | None:
    """Type and output of what an input is linked to."""
    link = next((entry["link"] for entry in node["inputs"] if entry["name"] == name), None)
    if link is None:
        return None
    origin = next(entry for entry in raw["links"] if entry[0] == link)
    return next(other["type"] for other in raw["nodes"] if other["id"] == origin[1]), origin[2]


def of_kind(report: Report, kind: str) -> list[Finding]:
    return [found for found in report.findings if found.kind == kind]


def check_links(raw: Raw) -> None:
    """Raises AssertionError where the two ends of a link do not agree, or a node's values do not fit it."""
    by_id = {node["id"]: node for node in raw["nodes"]}
    links = {link[0]: link for link in raw["links"]}
    assert len(links) == len(raw["links"])
    seen = []
    for node in raw["nodes"]:
        for index, entry in enumerate(node.get("inputs") or ()):
            if entry.get("link") is not None:
                link = links[entry["link"]]
                assert link[3:5] == [node["id"], index], (node["id"], entry)
                seen.append(entry["link"])
        for slot, output in enumerate(node.get("outputs") or ()):
            for link_id in output.get("links") or ():
                assert links[link_id][1:3] == [node["id"], slot], (node["id"], output)
        assert {
            "id",
            "type",
            "pos",
            "size",
            "flags",
            "order",
            "mode",
            "properties",
        } <= node.keys()  # the frontend's schema
        if node["type"] in NODE_CLASS_MAPPINGS:
            spec = own_nodes()[node["type"]]
            assert len(node["widgets_values"]) == len(spec.widget_values({}))
            assert [entry["name"] for entry in node["outputs"]] == [name for name, _ in spec.outputs]
            assert {entry["name"] for entry in node["inputs"]} <= set(spec.inputs)
            for entry in node["inputs"]:
                if entry["link"] is not None and links[entry["link"]][5] != "*":
                    assert links[entry["link"]][5] in spec.inputs[entry["name"]].kind.split(","), entry
    assert sorted(seen) == sorted(links)
    assert raw["last_link_id"] >= max(links, default=0)
    assert raw["last_node_id"] >= max(by_id, default=0)
