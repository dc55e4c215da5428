"""The settings of this pack, as ComfyUI's settings dialog keeps them on the server.

A graph does not say who queued it, so with several users (`--multi-user`) those of the first one, `default`, count.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError

REELS = "svi_reels"
_REELS_KEY, _WIDTH_KEY = "WanVideoSVI.ReelFolder", "WanVideoSVI.PreviewWidth"
_MAX_BYTES = 2**22


def read_settings(user_folder: Path) -> dict[str, Any]:
    """What is set; {} where there is no file of settings, or none that can be read."""
    from ...svi_embeds.ground.json_text import read_json

    try:
        with (user_folder / "default" / "comfy.settings.json").open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        found = read_json(data.decode()) if len(data) <= _MAX_BYTES else None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def reels_name(settings: dict[str, Any]) -> str:
    """The folder of reels, a name inside ComfyUI's output folder. Raises SVIError for what is none."""
    from ...svi_embeds.reel.reel import check_reel_name

    try:
        return check_reel_name(settings.get(_REELS_KEY) or REELS)
    except SVIError as error:
        raise SVIError(
            "Reel folder in ComfyUI's settings must be the name of a folder in the output folder, under the rule for "
            f"reels: {error}. Change it under Settings > WanVideo SVI"
        ) from error


def preview_width(settings: dict[str, Any]) -> int | None:
    """How many pixels wide pictures on nodes may be, 64 at least; None: as they are drawn."""
    width = settings.get(_WIDTH_KEY)
    return max(width, 64) if isinstance(width, int) and not isinstance(width, bool) and width > 0 else None
