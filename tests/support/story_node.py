"""SVI Long Video as the page describes it to the server."""

from __future__ import annotations

import json
from typing import Any

from wanvideo_svi.wrapper_ext.answers.story import answer

SETTINGS = "WanVideoSamplerSettings"


# The node's own defaults where `run` gives none.
VALUES: dict[str, Any] = {
    "story": "a\n---\nb", "mode": "film", "width": 64, "height": 64, "num_frames": 17, "overlap_frames": 0, "seed": 0,
    "fps": 16, "reel": "test", "resume": True, "negative_prompt": "", "split_step": 0, "fun_or_fl2v_model": True,
    "tiled_vae": False, "color_match": "off", "color_match_strength": 1, "color_match_to": "clip_1",
    "skip_repeated": False, "takes": 1, "mend": "",
}  # fmt: skip


CONNECTED = {"sampler_inputs": SETTINGS, "vae": "WanVideoVAELoader", "start_image": "LoadImage", "t5": "T5"}


def node(
    *, linked: list[str] | None = None, connected: dict[str, str] | None = None, sampler: Any = ..., **values: Any
) -> dict[str, Any]:
    """A node as the page describes it. sampler: what is connected to the settings node."""
    settings = {"model": "WanVideoModelLoader", "image_embeds": "WanVideoEmptyEmbeds"}
    return {
        "values": {**VALUES, **values},
        "linked": linked or [],
        "connected": CONNECTED if connected is None else connected,
        "sampler": settings if sampler is ... else sampler,
    }


def ask(**asked: Any) -> dict[str, Any]:
    status, said = answer(json.dumps({"nodes": [node(**asked)]}))
    assert status == 200, said
    json.dumps(said, allow_nan=False)
    (found,) = said["answers"]
    return found
