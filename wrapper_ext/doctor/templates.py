"""What `wanvideo-svi doctor` says of the model files that the example workflows load."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from .finding import Finding

_WORKFLOWS = Path(__file__).resolve().parents[2] / "example_workflows"
_SUFFIX = ".safetensors"

_FEW = 4  # examples that are named one by one


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that examples load.

    name: as they name it. folder: in ComfyUI/models. url: where it can be fetched, "" when no address is known.
    templates: the examples, by name.
    """

    name: str
    folder: str
    url: str
    templates: tuple[str, ...]


@cache
def model_files() -> tuple[ModelFile, ...]:
    """What the examples load, by folder and name. ComfyUI reads `properties.models` of their nodes too."""
    nodes = [(path.stem, node) for path in sorted(_WORKFLOWS.glob("*.json")) for node in _nodes(path)]
    known = {model["name"]: model for _, node in nodes for model in _models(node)}
    # A file without an address lies where the node's others do.
    folders = {node["type"]: model["directory"] for _, node in nodes for model in _models(node)}
    users: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for template, node in nodes:
        for value in node.get("widgets_values", ()):
            if node["type"] in folders and isinstance(value, str) and value.endswith(_SUFFIX):
                users[folders[node["type"]], value][template] = None
    return tuple(
        ModelFile(name, folder, known.get(name, {}).get("url", ""), tuple(templates))
        for (folder, name), templates in sorted(users.items())
    )


def _nodes(path: Path) -> list[Any]:
    nodes: list[Any] = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    return nodes


def _models(node: Mapping[str, Any]) -> list[Any]:
    models: list[Any] = node["properties"].get("models", [])
    return models


def wanted() -> dict[str, list[str]]:
    """Names to look for, by folder."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for file in model_files():
        names[file.folder].append(file.name)
    return dict(names)


def template_findings(there: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Which files are there and which are not, each once; then the examples, by whether theirs are.

    there: names as ComfyUI has them, by folder; those in a sub-folder bring it along.
    """
    needs: defaultdict[str, list[bool]] = defaultdict(list)  # by example: whether each of its files is there
    found: defaultdict[str, list[str]] = defaultdict(list)
    missing: list[tuple[ModelFile, str]] = []
    for file in model_files():
        names = there.get(file.folder, ())
        is_there = file.name in names
        for template in file.templates:
            needs[template].append(is_there)
        if is_there:
            found[file.folder].append(file.name)
        else:
            missing.append((file, _instead(file, names)))
    for file, text in missing:
        others = [name for name in needs if name not in file.templates]
        who = ", ".join(file.templates)
        if len(others) < len(file.templates) > _FEW:
            who = f"all examples but {', '.join(others)}" if others else "all examples"
        yield Finding("note", "model", f"{text} (for {who})")
    for folder, files in found.items():
        yield Finding("ok", "model", f"there, in models/{folder}: {', '.join(files)}")
    if short := [
        f"{name} ({each.count(False)} of {len(each)})" for name, each in sorted(needs.items()) if not all(each)
    ]:
        yield Finding("note", "example", f"these lack files: {', '.join(short)}")
    if whole := [name for name, each in sorted(needs.items()) if all(each)]:
        yield Finding("ok", "example", f"all files are there for {', '.join(whole)}")


def _instead(file: ModelFile, names: Sequence[str]) -> str:
    """What to do about a file that is not there under its name. An address ends with it."""
    for name in names:
        if PurePath(name.replace("\\", "/")).name == file.name:
            return f"in models/{file.folder} it is {name}: pick that in the example"
    from_where = file.url or f"{file.name}; the note in the example says where to get it"
    return f"not in models/{file.folder}: {from_where}"
