"""Every node of the pack, by id. Ids are kept by saved graphs: never rename one.

The nodes import what they run on when they run, so that ComfyUI starts as fast with the pack as without.
"""

from __future__ import annotations

from typing import Any

from . import (
    nodes_canvas,
    nodes_chain,
    nodes_custom,
    nodes_drift,
    nodes_embeds,
    nodes_files,
    nodes_holocine,
    nodes_latents,
    nodes_long_video,
    nodes_lora,
    nodes_masks,
    nodes_pairing,
    nodes_reel,
    nodes_temporal_mask,
    nodes_windows,
)

_TOPICS = (
    nodes_embeds, nodes_latents, nodes_custom, nodes_temporal_mask, nodes_canvas, nodes_pairing,
    nodes_holocine, nodes_lora, nodes_chain, nodes_masks, nodes_files, nodes_long_video, nodes_reel, nodes_windows,
    nodes_drift,
)  # fmt: skip

NODE_CLASS_MAPPINGS: dict[str, type[Any]] = {
    node_id: cls for topic in _TOPICS for node_id, cls in topic.NODE_CLASS_MAPPINGS.items()
}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    node_id: name for topic in _TOPICS for node_id, name in topic.NODE_DISPLAY_NAME_MAPPINGS.items()
}
