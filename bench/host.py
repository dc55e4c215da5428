"""The host's own nodes, out of a ComfyUI checkout with the wrapper: COMFYUI_DIR, and WANVIDEO_WRAPPER_DIR elsewhere."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


def available() -> bool:
    return bool(os.environ.get("COMFYUI_DIR"))


def _import_comfyui() -> Path:
    comfyui = Path(os.environ["COMFYUI_DIR"]).resolve()
    if str(comfyui) not in sys.path:
        sys.path.insert(0, str(comfyui))
        sys.argv = ["main.py", *([] if torch.cuda.is_available() else ["--cpu"])]
        importlib.import_module("comfy.options").enable_args_parsing()
        # As main.py does first of all: later a module of the same name stands before it on the path.
        importlib.import_module("utils.install_util")
    return comfyui


def wrapper(module: str) -> ModuleType:
    """A module of the wrapper, without the rest of its nodes."""
    comfyui = _import_comfyui()
    named = os.environ.get("WANVIDEO_WRAPPER_DIR")
    found = [Path(named)] if named else sorted((comfyui / "custom_nodes").glob("*WanVideoWrapper*"))
    if not found:
        raise SystemExit("COMFYUI_DIR has no WanVideoWrapper in custom_nodes; set WANVIDEO_WRAPPER_DIR to one")
    if "wan_wrapper" not in sys.modules:
        # A package without its __init__, which would import every node.
        package = ModuleType("wan_wrapper")
        package.__path__ = [str(found[0])]
        sys.modules["wan_wrapper"] = package
    return importlib.import_module(f"wan_wrapper.{module}")


def node(name: str) -> Any:
    """A node of ComfyUI or the wrapper, by class name."""
    _import_comfyui()
    modules = [importlib.import_module(f"comfy_extras.{module}") for module in ("nodes_images", "nodes_mask")]
    for module in (*modules, wrapper("nodes_utility"), wrapper("nodes")):
        if (found := getattr(module, name, None)) is not None:
            return found()
    raise LookupError(name)
