"""Ids of nodes inside subgraphs, which the frontend keeps apart from all others when it loads a workflow."""

from __future__ import annotations

from typing import Any

from ..model.graph import Workflow
from ..model.link import as_list


def keep_apart(workflow: Workflow) -> None:
    """Number those nodes of subgraphs again, in `workflow.raw`, whose ids others have; links and values follow.

    Blueprints have such ids, and files from before the frontend did so. What was read of `raw` is out of date then.
    """
    raw = workflow.raw
    state = raw["state"] if isinstance(raw.get("state"), dict) else {}
    noted = raw.get("last_node_id") or state.get("lastNodeId")
    last = noted if isinstance(noted, int) else 0
    used = {str(node["id"]) for node in raw["nodes"]}
    renumbered: dict[str, dict[str, int]] = {}
    for kind, scope in workflow.subgraphs.items():
        new = renumbered[kind] = {}
        for node in scope.raw["nodes"]:
            key = str(node["id"])
            if key in used:
                last = next(number for number in range(last + 1, last + len(used) + 2) if str(number) not in used)
                new[key] = node["id"] = last
            elif isinstance(node["id"], int):
                last = max(last, node["id"])
            used.add(str(node["id"]))
        for link in as_list(scope.raw.get("links")):
            _renumber(link, new, *(("origin_id", "target_id") if isinstance(link, dict) else (1, 3)))
    for node in [node for scope in workflow.scopes for node in scope.raw["nodes"]]:
        properties = node.get("properties")
        for entry in as_list(properties.get("proxyWidgets")) if isinstance(properties, dict) else ():
            _renumber(entry, renumbered.get(str(node.get("type")), {}), 0)


def _renumber(entry: Any, new: dict[str, int], *keys: Any) -> None:
    for key in keys if isinstance(entry, (dict, list)) else ():
        if key in entry if isinstance(entry, dict) else key < len(entry):
            entry[key] = new.get(str(entry[key]), entry[key])
