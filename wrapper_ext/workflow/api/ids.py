"""Ids of nodes inside subgraphs, which the frontend keeps apart from all others when it loads a workflow."""

from __future__ import annotations

from typing import Any

from ..model.link import as_list


def keep_apart(workflow: dict[str, Any]) -> None:
    """Number those nodes of subgraphs anew, in place, whose ids others have; links and notes of widgets follow.

    Files from before the frontend did so, and blueprints, have such ids.
    """
    definitions = workflow.get("definitions")
    subgraphs = (
        [each for each in as_list(definitions.get("subgraphs")) if isinstance(each, dict)]
        if isinstance(definitions, dict)
        else []
    )
    used = {str(node.get("id")) for node in _nodes(workflow)}
    state = workflow.get("state")
    last = workflow.get("last_node_id") or (state.get("lastNodeId") if isinstance(state, dict) else 0)
    last = last if isinstance(last, int) else 0
    renumbered: dict[Any, dict[str, int]] = {}
    for subgraph in subgraphs:
        new = renumbered.setdefault(subgraph.get("id"), {})
        for node in _nodes(subgraph):
            key = str(node.get("id"))
            if key in used:
                last = next(number for number in range(last + 1, last + len(used) + 2) if str(number) not in used)
                new[key] = node["id"] = last
            elif key.isdecimal():
                last = max(last, int(key))
            used.add(str(node["id"]))
        for link in as_list(subgraph.get("links")):
            _renumber(link, new, *(("origin_id", "target_id") if isinstance(link, dict) else (1, 3)))
    for node in [node for graph in (workflow, *subgraphs) for node in _nodes(graph)]:
        properties = node.get("properties")
        for entry in as_list(properties.get("proxyWidgets")) if isinstance(properties, dict) else ():
            _renumber(entry, renumbered.get(node.get("type"), {}), 0)


def _nodes(graph: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in as_list(graph.get("nodes")) if isinstance(node, dict) and "id" in node]


def _renumber(entry: Any, new: dict[str, int], *keys: Any) -> None:
    for key in keys:
        try:
            entry[key] = new.get(str(entry[key]), entry[key])
        except (LookupError, TypeError):  # what is no link is passed over when links are read
            continue
