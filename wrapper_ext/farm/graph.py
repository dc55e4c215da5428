"""The graph of a batch: where its Long Video is, and what a story changes on it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.stored import hash_file
from ...svi_embeds.ground.fingerprint import fingerprint
from ..nodes.long_video import NODE_CLASS_MAPPINGS as LONG_VIDEOS
from ..running.wiring import RunningGraph

IMAGES = ("start_image", "ref_image", "end_images", "start_images")
_LOAD = "LoadImage"
_OTHERS = ("audio", *IMAGES)  # what is behind these is no model

Graph = dict[str, Any]


def check_graph(graph: Graph) -> str:
    """The id of its Long Video. Raises SVIError for a graph whose nodes are none, and as `find_long_video` does."""
    for node_id, node in graph.items():
        if not isinstance(node, dict) or not isinstance(node.get("inputs"), dict) or not node.get("class_type"):
            raise SVIError(f"node {node_id} of the graph has no class_type or no inputs: export it from ComfyUI again")
    return find_long_video(graph)


def find_long_video(graph: Mapping[str, Any]) -> str:
    """The id of the graph's Long Video. Raises SVIError when it has none, or several."""
    found = [node_id for node_id, node in graph.items() if node.get("class_type") in LONG_VIDEOS]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SVIError(
            f"the graph has no {' or '.join(LONG_VIDEOS)}, which render a story: add one, or start from the template "
            "long_video_film"
        )
    names = ", ".join(f"{_title(graph[node_id])} ({node_id})" for node_id in found)
    raise SVIError(f"the graph has {len(found)} Long Videos ({names}): keep one, which gets the stories")


def set_value(graph: Graph, key: str, value: Any) -> None:
    """Set an input, named as `title.input` or `id.input`. Raises SVIError for one that is not there."""
    said, splits = key[:100], [place for place, letter in enumerate(key) if letter == "." and 0 < place < len(key) - 1]
    if not splits:
        raise SVIError(f'{said} must be "title or id.input", as in "Sampler Settings.steps"')
    # Titles and inputs may have dots of their own.
    found = [(nodes, key[place + 1 :]) for place in reversed(splits) if (nodes := _called(graph, key[:place]))]
    if not found:
        there = ", ".join(sorted({_title(node) for node in graph.values()}))
        raise SVIError(f"{said}: no node is called {key[: splits[-1]]!r} (the graph has {there[:600]})")
    nodes, field = next(((nodes, field) for nodes, field in found if field in nodes[0]["inputs"]), found[0])
    if len(nodes) > 1:
        raise SVIError(f"{said}: {len(nodes)} nodes are called {key[: -len(field) - 1]!r}: name one by its id")
    inputs = nodes[0]["inputs"]
    if field not in inputs:
        raise SVIError(f"{said}: {_title(nodes[0])} has no input {field!r}, it has {', '.join(inputs)}")
    if isinstance(inputs[field], list):
        raise SVIError(f"{said}: a link gives {field}: set the value on the node that it comes from")
    inputs[field] = _like(inputs[field], value, said)


def _called(graph: Graph, name: str) -> list[dict[str, Any]]:
    return [node for here, node in graph.items() if name in (here, _title(node), node.get("class_type"))]


def _like(old: Any, value: Any, said: str) -> Any:
    """A value as text, as the type that stood there. Raises SVIError for one that is none."""
    if isinstance(value, (list, dict)):
        raise SVIError(f"{said}: a text, a number, true or false is expected, got {str(value)[:60]}")
    if not isinstance(value, str) or isinstance(old, str):
        return value
    try:
        if isinstance(old, bool):
            return {"true": True, "false": False}[value.strip().lower()]
        if isinstance(old, (int, float)):
            # Graphs are saved with 1 for 1.0, so a whole number may stand for either kind.
            return int(value) if re.fullmatch(r"\s*[+-]?\d+\s*", value) and isinstance(old, int) else float(value)
    except (ValueError, KeyError):
        kind = "true or false" if isinstance(old, bool) else "a number"
        raise SVIError(f"{said}: {kind} is expected, as {old!r}, got {value[:60]!r}") from None
    return value


def set_image(graph: Graph, node_id: str, name: str, image: Path) -> str:
    """Make an input of Long Video come from an image file. Returns the name that it has to be uploaded under.

    The loader that it comes from gets the file, through whatever stands between; one that is not there, or that gives
    another input its image too, is added. Raises SVIError where several loaders are behind it, or one behind several
    inputs and not right before this one.
    """
    running, upload = RunningGraph(graph), upload_name(image)
    source = running.source(node_id, name)
    others = {here for other in IMAGES if other != name and (link := running.source(node_id, other))
              for here in behind(graph, link[0])}  # fmt: skip
    if source is None or (source[0] in others and graph[source[0]].get("class_type") == _LOAD):
        loader = next(str(number) for number in range(1, len(graph) + 2) if str(number) not in graph)
        graph[loader] = {"class_type": _LOAD, "inputs": {"image": ""}, "_meta": {"title": name}}
        graph[node_id]["inputs"][name] = [loader, 0]
    else:
        loaders = [here for here in behind(graph, source[0]) if graph[here].get("class_type") == _LOAD]
        if len(loaders) != 1:
            what = f"{len(loaders)} of {_LOAD} are" if loaders else f"no {_LOAD} is"
            raise SVIError(
                f"{name} of a story cannot be put in: {what} behind {name} of Long Video; connect one, or name the "
                "loader's file with --set"
            )
        loader = loaders[0]
        if loader in others:
            raise SVIError(
                f"{name} of a story cannot be put in: its {_LOAD} gives other inputs of Long Video their images too; "
                "give each input a loader of its own"
            )
    graph[loader]["inputs"]["image"] = f"{upload} [temp]"
    return upload


def upload_name(image: Path) -> str:
    """A name that tells what is in a file, so that a worker that has it loads nothing again."""
    with image.open("rb") as file:
        return f"svi_{hash_file(file)[:24]}{image.suffix.lower()}"


def behind(graph: Mapping[str, Any], node_id: str) -> Iterator[str]:
    """A node and all that it is made from, each once."""
    waiting, seen = [node_id], {node_id}
    running = RunningGraph(graph)
    while waiting:
        here = waiting.pop()
        yield here
        for name in running.inputs(here):
            source = running.source(here, name)
            if source and source[0] in graph and source[0] not in seen:
                seen.add(source[0])
                waiting.append(source[0])


def for_clips(graph: Mapping[str, Any], node_id: str, only: str) -> Graph:
    """The part of a graph that makes some clips: Long Video and what it is made from."""
    part = {here: copy.deepcopy(graph[here]) for here in behind(graph, node_id)}
    part[node_id]["inputs"]["only"] = only
    return part


def models_key(graph: Mapping[str, Any], node_id: str) -> str:
    """Equal for graphs that load the same models in the same way."""
    running = RunningGraph(graph)
    links = {name: source for name in running.inputs(node_id) if (source := running.source(node_id, name))}
    nodes = {here for name, source in links.items() if name not in _OTHERS and source[0] in graph
             for here in behind(graph, source[0])}  # fmt: skip
    rows = [[here, graph[here].get("class_type"), graph[here].get("inputs")] for here in sorted(nodes)]
    return fingerprint(rows)[:16]


def missing_files(graph: Mapping[str, Any], nodes: Mapping[str, Any]) -> list[str]:
    """What a graph wants and a ComfyUI lacks: node types, and files that its lists do not have. nodes: /object_info."""
    found = []
    for node in graph.values():
        kind = str(node.get("class_type"))
        if kind not in nodes:
            found.append(f"node {kind}")
            continue
        groups = nodes[kind].get("input") or {}
        specs = {name: spec for group in ("required", "optional") for name, spec in (groups.get(group) or {}).items()}
        for name, value in (node.get("inputs") or {}).items():
            spec = specs.get(name)
            choices = None if _is_uploaded(spec) else _choices(spec)
            if choices is not None and _is_file(value) and value not in choices:
                found.append(f"{name} {value} of {_title(node)}")
    return sorted(set(found))


def _is_file(value: Any) -> bool:
    """Whether a value names a file of a list; one that is uploaded, or comes out of a run, is in none."""
    return isinstance(value, str) and "." in value and not value.endswith((" [temp]", " [input]", " [output]"))


def _is_uploaded(spec: Any) -> bool:
    """Whether a list is of files that people upload: it shows the top folder, and more is taken."""
    options = spec[1] if isinstance(spec, (list, tuple)) and len(spec) > 1 else None
    return isinstance(options, dict) and any(key.endswith("_upload") for key in options)


def _choices(spec: Any) -> list[Any] | None:
    """What a combo offers; None for any other input."""
    if not isinstance(spec, (list, tuple)) or not spec:
        return None
    if isinstance(spec[0], list):
        return spec[0]
    options = spec[1].get("options") if len(spec) > 1 and isinstance(spec[1], dict) else None
    return options if spec[0] == "COMBO" and isinstance(options, list) else None


def _title(node: Mapping[str, Any]) -> str:
    return str((node.get("_meta") or {}).get("title") or node.get("class_type"))
