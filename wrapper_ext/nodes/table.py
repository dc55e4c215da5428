"""Every node of the pack, by id. Ids are kept by saved graphs: never rename one.

The nodes import what they run on when they run, so that ComfyUI starts as fast with the pack as without.
"""

from __future__ import annotations

from typing import Any

from . import (
    canvas,
    chain,
    custom,
    drift,
    embeds,
    files,
    holocine,
    latents,
    long_video,
    lora,
    masks,
    native,
    pair,
    reel,
    reel_add,
    temporal_mask,
    windows,
)

_TOPICS = (
    embeds, latents, custom, temporal_mask, canvas, pair, holocine, lora, chain, masks, files, native, long_video,
    reel, reel_add, windows, drift,
)  # fmt: skip

NODE_CLASS_MAPPINGS: dict[str, type[Any]] = {
    node_id: cls for topic in _TOPICS for node_id, cls in topic.NODE_CLASS_MAPPINGS.items()
}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    node_id: name for topic in _TOPICS for node_id, name in topic.NODE_DISPLAY_NAME_MAPPINGS.items()
}
