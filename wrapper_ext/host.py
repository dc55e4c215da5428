"""The host: ComfyUI and WanVideoWrapper. The only file that imports ComfyUI, and only when called.

Outside ComfyUI (scripts, tests, the demo) everything runs on the CPU and pictures are not shown.
"""

from __future__ import annotations

import gc
import importlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..svi_embeds.errors import SVIError

if TYPE_CHECKING:
    from PIL import Image

WRAPPER = "ComfyUI-WanVideoWrapper"
# A node that every supported wrapper has, and that this pack stands in for.
WRAPPER_NODE = "WanVideoImageToVideoEncode"

INSTALL_HINT = (
    f"{WRAPPER} is not installed: install it with ComfyUI-Manager (search for WanVideoWrapper by kijai), or clone it "
    "into ComfyUI's custom_nodes folder, then restart ComfyUI"
)


def _comfy(module: str) -> Any | None:
    """A module of ComfyUI, or None outside ComfyUI."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        return None


def running() -> bool:
    """Whether this is a ComfyUI process."""
    return _comfy("comfy.model_management") is not None


def has_wrapper() -> bool:
    """Whether the running ComfyUI has loaded WanVideoWrapper, asked of its node table."""
    nodes = _comfy("nodes") if running() else None
    return nodes is not None and WRAPPER_NODE in nodes.NODE_CLASS_MAPPINGS


def require_wrapper() -> None:
    """Raises SVIError that says what to install when ComfyUI runs without the wrapper."""
    if running() and not has_wrapper():
        raise SVIError(INSTALL_HINT)


def device() -> torch.device:
    """Where models run."""
    management = _comfy("comfy.model_management")
    return management.get_torch_device() if management else torch.device("cpu")


def offload_device() -> torch.device:
    """Where models wait."""
    management = _comfy("comfy.model_management")
    return management.unet_offload_device() if management else torch.device("cpu")


def free_memory() -> None:
    """Give cached device memory back, as the host does around an encode."""
    gc.collect()
    if management := _comfy("comfy.model_management"):
        management.soft_empty_cache()


def stop_if_cancelled() -> None:
    """Raises ComfyUI's interrupt when the user pressed cancel."""
    if management := _comfy("comfy.model_management"):
        management.throw_exception_if_processing_interrupted()


def show(picture: Image.Image, name: str) -> list[dict[str, str]]:
    """Save a picture to ComfyUI's temp folder. Returns what a node's `ui.images` takes; [] outside ComfyUI."""
    paths = _comfy("folder_paths")
    if paths is None:
        return []
    folder = Path(paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    filename = f"{name}_{uuid.uuid4().hex[:12]}.png"
    picture.save(folder / filename, compress_level=1)
    return [{"filename": filename, "subfolder": "", "type": "temp"}]
