"""What is refused when a graph is queued: what SVI Long Video would say only behind its loaders, and the graph tells.

ComfyUI asks a node about its inputs and shows the answer at each input that was asked for. So the whole node is looked
at as the graph comes in, and its story alone is asked about: one error, at the story.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..nodes.long_video import NODE_CLASS_MAPPINGS as LONG_VIDEOS
from ..nodes.troubles import TROUBLES
from ..running.wiring import RunningGraph


def look_at(request: dict[str, Any]) -> dict[str, Any]:
    """Remembers what is wrong in a graph that is queued, for `trouble_of`. request: as posted; returned as it is."""
    TROUBLES.set(None)
    prompt = request.get("prompt") if isinstance(request, dict) else None
    found: dict[str, list[str | None]] = {}
    nodes = prompt if isinstance(prompt, Mapping) else {}
    for node_id, node in nodes.items():
        if not isinstance(node, Mapping) or node.get("class_type") not in LONG_VIDEOS:
            continue
        story = RunningGraph(nodes).inputs(node_id).get("story")
        if isinstance(story, str):
            found.setdefault(story, []).append(_trouble(RunningGraph(nodes), node_id))
    # Of several nodes with one story, each is told only where all are in trouble: the others run.
    TROUBLES.set({story: all_of[0] for story, all_of in found.items() if all_of[0] and all(all_of)})
    return request


def _trouble(graph: RunningGraph, node_id: str) -> str | None:
    from .story import refusal_of

    return refusal_of(question_of(graph, node_id))


def question_of(graph: RunningGraph, node_id: str) -> dict[str, Any]:
    """What the story editor would ask of a Long Video in a graph; see `story.answer`."""
    groups = LONG_VIDEOS[_type(graph, node_id)].INPUT_TYPES()
    values, connected, linked = {}, {}, []
    given = graph.inputs(node_id)
    for name, spec in {**groups["required"], **groups["optional"]}.items():
        source = graph.source(node_id, name)
        is_widget = isinstance(spec[0], list) or spec[0] in ("STRING", "INT", "FLOAT", "BOOLEAN")
        if is_widget:
            values[name] = spec[1].get("default", "") if source or name not in given else given[name]
            if source:
                linked.append(name)
        elif source:
            connected[name] = _type(graph, source[0])
    settings = graph.source(node_id, "sampler_inputs")
    sampler = None
    if settings:
        sampler = {name: _type(graph, behind[0]) for name in graph.inputs(settings[0])
                   if (behind := graph.source(settings[0], name))}  # fmt: skip
    return {"values": values, "linked": linked, "connected": connected, "sampler": sampler}


def _type(graph: RunningGraph, node_id: str) -> str:
    node = graph.nodes.get(node_id)
    kind = node.get("class_type") if isinstance(node, Mapping) else None
    return kind if isinstance(kind, str) else ""
