"""A node run as ComfyUI runs it."""

from __future__ import annotations

from typing import Any

from wanvideo_svi import NODE_CLASS_MAPPINGS


def visible_inputs(cls: type) -> dict[str, Any]:
    """Inputs by group, without those that ComfyUI fills in."""
    return {group: entries for group, entries in cls.INPUT_TYPES().items() if group != "hidden"}


def call(node_id: str, **inputs: Any) -> Any:
    """Run a node as ComfyUI does: optional inputs that are not connected are absent, widgets have their defaults."""
    cls = NODE_CLASS_MAPPINGS[node_id]
    defaults = {
        name: options[0]["default"]
        for entries in visible_inputs(cls).values()
        for name, (_, *options) in entries.items()
        if "default" in options[0]
    }
    return getattr(cls(), cls.FUNCTION)(**{**defaults, **inputs})
