"""ComfyUI as it runs, and the wrapper's nodes. The only file that imports ComfyUI, and only when called.

Outside ComfyUI (scripts, tests, the demo) everything runs on the CPU.
"""

from __future__ import annotations

import importlib
import inspect
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ...svi_embeds.errors import SVIError

WRAPPER = "ComfyUI-WanVideoWrapper"

# A node that every supported wrapper has, and that this pack stands in for.
WRAPPER_NODE = "WanVideoImageToVideoEncode"

# Nodes of ComfyUI itself that are run here or needed; all others are the wrapper's.
COMFYUI_NODES = (
    "CLIPTextEncode", "SaveVideo", "KSamplerAdvanced", "SamplerCustom", "VAEEncode", "VAEDecode", "VAEEncodeTiled",
    "VAEDecodeTiled", "CLIPVisionEncode", "LoraLoaderModelOnly",
)  # fmt: skip

INSTALL_HINT = (
    f"{WRAPPER} is not installed: install it with ComfyUI-Manager (search for WanVideoWrapper by kijai), or clone it "
    "into ComfyUI's custom_nodes folder, then restart ComfyUI"
)


def module(module: str) -> Any | None:
    """A module of ComfyUI, or None outside ComfyUI."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        return None


def running() -> bool:
    """Whether this is a ComfyUI process."""
    return module("comfy.model_management") is not None


def has_wrapper() -> bool:
    """Whether the running ComfyUI has loaded WanVideoWrapper, asked of its node table."""
    return node_class(WRAPPER_NODE) is not None


def require_wrapper() -> None:
    """Raises SVIError that says what to install when ComfyUI runs without the wrapper."""
    if running() and not has_wrapper():
        raise SVIError(INSTALL_HINT)


def device() -> torch.device:
    """Where models run."""
    management = module("comfy.model_management")
    return management.get_torch_device() if management else torch.device("cpu")


def offload_device() -> torch.device:
    """Where models wait."""
    management = module("comfy.model_management")
    return management.unet_offload_device() if management else torch.device("cpu")


def free_memory() -> None:
    """Give cached device memory back, as the host does around an encode.

    Without a search for circular garbage: it took 0.8 s of a clip of 26.5 s on an H200 and freed nothing there, since
    the wrapper's sampler does it three times a call.
    """
    if management := module("comfy.model_management"):
        management.soft_empty_cache()


def stop_if_cancelled() -> None:
    """Raises ComfyUI's interrupt when the user pressed cancel."""
    if management := module("comfy.model_management"):
        management.throw_exception_if_processing_interrupted()


@contextmanager
def hear_progress(tell: Callable[[float, float], None]) -> Iterator[None]:
    """Calls `tell` with how much of how much is done, whenever a node says so in this thread; never outside ComfyUI."""
    progress = module("comfy_execution.progress") if running() else None
    if progress is None or not hasattr(progress, "add_progress_handler"):
        yield
        return

    here = threading.get_ident()  # pictures are sent from another one

    class Listener(progress.ProgressHandler):  # type: ignore[name-defined, misc]
        def update_handler(self, node_id: str, value: float, max_value: float, *_: object, **__: object) -> None:  # noqa: ARG002
            if threading.get_ident() == here:
                tell(value, max_value)

    listener = Listener("wanvideo_svi")
    progress.add_progress_handler(listener)
    try:
        yield
    finally:
        progress.get_progress_state().unregister_handler(listener.name)


# What some wrappers call otherwise. Nodes: this pack's name, and theirs. Inputs: by this pack's name of the node, this
# pack's name and theirs. `wanvideo-svi doctor` reads both tables too.
RENAMED_NODES: dict[str, tuple[str, ...]] = {}
RENAMED_INPUTS: dict[str, dict[str, str]] = {
    "WanVideoEncode": {"image": "driving_video"},  # the fork of 2026-06 (ef95cfa)
}


def names_of(node_id: str) -> tuple[str, ...]:
    """A node's id, and what it is called elsewhere."""
    return (node_id, *RENAMED_NODES.get(node_id, ()))


def called(node_id: str, there: Container[str]) -> str | None:
    """What a host calls a node; None when it has none. there: ids that the host knows."""
    return next((name for name in names_of(node_id) if name in there), None)


def node_class(node_id: str) -> Any | None:
    """A node class of the running ComfyUI by id, or None."""
    nodes = module("nodes") if running() else None
    name = None if nodes is None else called(node_id, nodes.NODE_CLASS_MAPPINGS)
    return None if nodes is None or name is None else nodes.NODE_CLASS_MAPPINGS[name]


def _owner(node_id: str) -> str:
    return "ComfyUI" if node_id in COMFYUI_NODES else WRAPPER


def call(node_id: str, **inputs: Any) -> tuple[Any, ...]:
    """Run a node of ComfyUI or the wrapper by id. inputs: by name; required widgets left out get their defaults. Nodes
    and inputs that this host calls otherwise are found by RENAMED_NODES and RENAMED_INPUTS.

    Returns its outputs. Raises SVIError when this host has no such node or input; what the node raises passes through.
    """
    node = node_class(node_id)
    if node is None:
        way = "Update ComfyUI" if node_id in COMFYUI_NODES else f"{INSTALL_HINT}; if it is there, update it"
        raise SVIError(f"this ComfyUI has no node {node_id}. {way}")
    groups = node.INPUT_TYPES()
    required, optional = groups.get("required", {}), groups.get("optional", {})
    for name, other in RENAMED_INPUTS.get(node_id, {}).items():
        if name in inputs and name not in {**required, **optional} and other in {**required, **optional}:
            inputs[other] = inputs.pop(name)
    if unknown := [name for name in inputs if name not in required and name not in optional]:
        raise SVIError(f"this {node_id} has no input {', '.join(unknown)}: update {_owner(node_id)}")
    defaults = {name: rest[0]["default"] for name, (_, *rest) in required.items() if rest and "default" in rest[0]}
    method = getattr(node(), node.FUNCTION)
    # ComfyUI fills hidden inputs in; here there is no node of a graph. Nodes of its newer schema take none by name.
    hidden = dict.fromkeys(groups.get("hidden", {}).keys() & inspect.signature(method).parameters.keys())
    made = method(**{**defaults, **hidden, **inputs})
    if isinstance(made, dict):
        made = made["result"]
    return tuple(getattr(made, "result", made))  # nodes of ComfyUI's newer schema return an object
