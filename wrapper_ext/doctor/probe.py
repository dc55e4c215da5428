"""What a ComfyUI has, told by its own Python: a program of its own that `wanvideo-svi doctor` runs.

    python probe.py REQUEST

REQUEST is JSON: `comfyui` and `wrapper` (folders, the second may be null), `nodes` (ids to describe), `packages`
(distribution -> module) and `files` (folder of models -> names to look for). Prints one line of JSON, see `examine`. No
server is started and nothing is written.

That Python may have nothing of this pack, so nothing of it is imported here. Besides host/comfy.py this is the
only file that reaches ComfyUI, and ComfyUI never loads it.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import inspect
import json
import logging
import os
import platform
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

# What the wrapper's log says when a part of it cannot be imported and the rest continues.
_PART_MISSING = "nodes not available"
# A combo of newer ComfyUIs, each of whose values may bring inputs of its own; in a graph it is a combo like others.
_COMBO_WITH_INPUTS = "COMFY_DYNAMICCOMBO_V3"


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the host prints is no answer
    answers.write(json.dumps(examine(json.loads(sys.argv[1])), default=str) + "\n")
    answers.flush()
    os._exit(0)  # threads that the host left running do not keep this one


def examine(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is there. Whatever fails in the host is a sentence under `error` of its part, "" when it works.

    python: version. executable: its program. packages: versions by distribution, None for what is missing. torch:
    error, cuda. comfyui: version, error. wrapper: folders, version, error, nodes (how many), missing (parts that it
    could not import). kjnodes: whether it is there. nodes: by id, see `sockets_of`; ids that the host lacks are left
    out. loras: paths by name, None when ComfyUI cannot say. files: names that are there, by folder, as ComfyUI has them
    (sub/name when in a sub-folder). output: folder.
    """
    comfyui = Path(request["comfyui"])
    named = request["wrapper"] and Path(request["wrapper"])
    _make_no_folder_in([comfyui, *([named] if named else [])])
    nodes, error = _attempt(lambda: _load_comfyui(comfyui))
    torch, torch_error = _attempt(lambda: importlib.import_module("torch"))
    packs = list(_custom_nodes(comfyui))
    folders = [named] if named else [path for path in packs if "wanvideowrapper" in path.name.lower()]
    table: dict[str, Any] = dict(getattr(nodes, "NODE_CLASS_MAPPINGS", {}))
    wrapper: dict[str, Any] = {
        "folders": [str(path) for path in folders], "version": "", "error": "", "nodes": 0, "missing": [],
    }  # fmt: skip
    if folders:
        wrapper["version"] = _project_version(folders[0])
    if folders and not error:
        missing: list[str] = wrapper["missing"]
        own, wrapper["error"] = _attempt(lambda: _load_wrapper(folders[0], missing))
        wrapper["nodes"] = len(own or {})
        table |= own or {}
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "packages": {name: _package(name, module) for name, module in request["packages"].items()},
        "torch": {"error": torch_error, "cuda": not torch_error and bool(torch.cuda.is_available())},
        "comfyui": {"version": _comfyui_version(comfyui), "error": error},
        "wrapper": wrapper,
        "kjnodes": any("kjnodes" in path.name.lower() for path in packs),
        "nodes": {name: sockets_of(table[name]) for name in request["nodes"] if name in table},
        "loras": _loras(),
        "files": _files(request["files"]),
        "output": str(_output(comfyui)),
    }


def sockets_of(node: Any) -> dict[str, Any]:
    """What `sockets` says of a node's class; or error, when the class fails."""
    said, error = _attempt(
        lambda: sockets(node.INPUT_TYPES(), node.RETURN_TYPES, getattr(node, "RETURN_NAMES", None) or ())
    )
    return {"error": error} if error else said


def sockets(groups: Mapping[str, Any], types: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """required, optional: what `spec_of` says of each input by name. outputs: [name, type] of each, in order."""
    kinds = ["COMBO" if isinstance(kind, (list, tuple)) else str(kind) for kind in types]
    return {
        **{
            group: {name: spec_of(entry) for name, entry in groups.get(group, {}).items()}
            for group in ("required", "optional")
        },
        # As ComfyUI does: an output without a name is called by its type.
        "outputs": [[str(names[at]) if at < len(names) else kind, kind] for at, kind in enumerate(kinds)],
    }


def spec_of(entry: Any) -> dict[str, Any]:
    """An input of INPUT_TYPES in one form: type, values (of a COMBO, in each of ComfyUI's ways), default if any."""
    kind, options = entry[0], (entry[1] if len(entry) > 1 and isinstance(entry[1], Mapping) else {})
    values = options.get("options", ()) if isinstance(kind, str) else kind
    if kind == _COMBO_WITH_INPUTS:
        kind, values = "COMBO", [value["key"] for value in values]
    spec: dict[str, Any] = {"type": "COMBO" if isinstance(kind, (list, tuple)) else str(kind)}
    if spec["type"] == "COMBO":
        spec["values"] = list(values)
    if "default" in options:
        spec["default"] = options["default"]
    return spec


def _attempt(act: Callable[[], Any]) -> tuple[Any, str]:
    """What `act` gives and "", or None and a sentence: foreign code may raise anything, and parsers exit."""
    try:
        return act(), ""
    except (Exception, SystemExit) as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())[:500]
        return None, f"{type(error).__name__}: {text} ({Path(at.filename).name}, line {at.lineno})"


def _make_no_folder_in(places: list[Path]) -> None:
    """ComfyUI makes a missing input folder when it is imported; what is examined stays as it is."""
    make = os.mkdir

    def mkdir(path: Any, *args: Any, **options: Any) -> None:
        here = Path(os.fsdecode(path)).absolute()
        if not any(here.is_relative_to(place.absolute()) for place in places):
            make(path, *args, **options)

    os.mkdir = mkdir


class _NoServer:
    """Packs reach for the server while they are imported. None is started: this one takes every call and does nothing,
    and gives a function back that it decorates."""

    def __getattr__(self, name: str) -> _NoServer:
        return self

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) else self


def _load_comfyui(folder: Path) -> ModuleType:
    """ComfyUI's node module with its own nodes loaded, on the CPU, as main.py would."""
    here = Path(__file__).resolve().parent
    # This folder may have files of the same names as ComfyUI's.
    sys.path[:] = [str(folder), *(path for path in sys.path if Path(path or ".").resolve() != here)]
    sys.argv = ["main.py", "--cpu"]
    importlib.import_module("comfy.options").enable_args_parsing()
    with suppress(ModuleNotFoundError):
        importlib.import_module("utils")  # later a module of another pack may stand before it on the path
    paths = folder / "extra_model_paths.yaml"
    if paths.is_file():
        importlib.import_module("utils.extra_config").load_extra_path_config(str(paths))
    nodes = importlib.import_module("nodes")
    importlib.import_module("server").PromptServer.instance = _NoServer()
    started = nodes.init_extra_nodes(init_custom_nodes=False, init_api_nodes=False)
    if inspect.iscoroutine(started):
        asyncio.run(started)
    return nodes


def _load_wrapper(folder: Path, missing: list[str]) -> Mapping[str, Any]:
    """The wrapper's node table. missing: gets what the wrapper says of parts that it could not import."""
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: _note_part(record.getMessage(), missing)  # type: ignore[method-assign]
    logging.getLogger().addHandler(listener)
    name = str(folder).replace(".", "_x_")  # as ComfyUI names it
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} has no __init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    table: Mapping[str, Any] = module.NODE_CLASS_MAPPINGS
    return table


def _note_part(message: str, missing: list[str]) -> None:
    if _PART_MISSING in message:
        missing.append(message.partition("WARNING: ")[2] or message)


def _paths() -> Any:
    """ComfyUI's folder_paths, if it could be imported."""
    return sys.modules.get("folder_paths")


def _custom_nodes(comfyui: Path) -> Iterator[Path]:
    """Folders of packs that ComfyUI would load, sorted within each place."""
    paths = _paths()
    places = paths.get_folder_paths("custom_nodes") if paths else [comfyui / "custom_nodes"]
    for place in map(Path, places):
        if place.is_dir():
            yield from sorted(path for path in place.iterdir() if path.is_dir() and path.suffix != ".disabled")


def _loras() -> dict[str, str] | None:
    paths = _paths()
    if paths is None:
        return None
    return {name: paths.get_full_path("loras", name) or "" for name in paths.get_filename_list("loras")}


def _files(wanted: Mapping[str, Sequence[str]]) -> dict[str, list[str]] | None:
    paths = _paths()
    if paths is None:
        return None
    there = {
        folder: _attempt(partial(paths.get_filename_list, folder))[0] or () for folder in wanted
    }  # some are unknown
    return {
        folder: [name for name in there[folder] if name.replace("\\", "/").rpartition("/")[2] in names]
        for folder, names in wanted.items()
    }


def _output(comfyui: Path) -> Path:
    paths = _paths()
    return Path(paths.get_output_directory()) if paths else comfyui / "output"


def _comfyui_version(comfyui: Path) -> str:
    version, _ = _attempt(lambda: importlib.import_module("comfyui_version").__version__)
    return str(version or _project_version(comfyui))


def _project_version(folder: Path) -> str:
    """What a folder's pyproject.toml says, "" when it says nothing."""
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""
    found = re.search(r"^version\s*=\s*[\"']([^\"']+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def _package(distribution: str, module: str) -> str | None:
    """The version of a package, "" when it does not say, None when it is not there."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "" if importlib.util.find_spec(module) else None


if __name__ == "__main__":
    main()
