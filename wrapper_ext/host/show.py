"""What a running node shows: progress, text, pictures, video. Nothing outside ComfyUI."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import comfy, files

if TYPE_CHECKING:
    from PIL import Image


def show_progress(node_id: str | None, done: int, total: int, picture: Callable[[], Image.Image] | None = None) -> None:
    """Move a node's progress bar, with a picture on the node.

    Raises ComfyUI's interrupt when the user cancelled.
    """
    if (utils := comfy.module("comfy.utils")) and node_id is not None:
        preview = ("JPEG", _as_shown(picture()), 1024) if picture else None
        utils.ProgressBar(total, node_id=node_id).update_absolute(done, total, preview)


def show_picture(node_id: str | None, done: int, total: int, draw: Callable[[], Image.Image]) -> None:
    """The same from a thread beside the one that works. A cancel that ComfyUI tells of here is left to that one."""
    management = comfy.module("comfy.model_management")
    if management is None:
        return
    try:
        show_progress(node_id, done, total, draw)
    except management.InterruptProcessingException:
        management.interrupt_current_processing(True)


def is_watched() -> bool:
    """Whether the page that queued what runs is open: pictures of progress go to it alone."""
    module = comfy.module("server")
    server = getattr(getattr(module, "PromptServer", None), "instance", None)
    sockets = getattr(server, "sockets", None)
    return sockets is None or getattr(server, "client_id", None) in sockets


def show_text(node_id: str | None, text: str) -> None:
    """Show a line of text on a running node; ComfyUI before 2025-05 cannot."""
    module = comfy.module("server")
    server = getattr(module.PromptServer, "instance", None) if module else None
    if node_id is not None and server is not None and hasattr(server, "send_progress_text"):
        server.send_progress_text(text, node_id)


def video_from_file(path: Path) -> Any:
    """ComfyUI's VIDEO of a file; None outside ComfyUI."""
    api = comfy.module("comfy_api.input_impl")
    return api.VideoFromFile(str(path)) if api else None


def _as_shown(picture: Image.Image) -> Image.Image:
    """A picture no wider than the user wants them on nodes."""
    from .settings import preview_width

    width = preview_width(files.user_settings())
    if width is None or picture.width <= width:
        return picture
    return picture.resize((width, max(1, round(picture.height * width / picture.width))), reducing_gap=2)


def show(picture: Image.Image, name: str) -> list[dict[str, str]]:
    """Save a picture to ComfyUI's temp folder. Returns what a node's `ui.images` takes; [] outside ComfyUI."""
    from ...svi_embeds.files.whole import whole_files

    paths = comfy.module("folder_paths")
    if paths is None:
        return []
    folder = Path(paths.get_temp_directory())
    filename = f"{name}_{uuid.uuid4().hex[:12]}.png"
    with whole_files(folder / filename) as (beside,):
        folder.mkdir(parents=True, exist_ok=True)
        _as_shown(picture).save(beside, compress_level=1)
    return [{"filename": filename, "subfolder": "", "type": "temp"}]
