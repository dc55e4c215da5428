"""SVI Long Video and the reel nodes, called as ComfyUI calls them."""

from __future__ import annotations

from typing import Any

from fake_host import sampler
from guided import numbered, voice
from helpers import TraceVAE, frames
from wanvideo_svi import NODE_CLASS_MAPPINGS

LongVideo = NODE_CLASS_MAPPINGS["WanVideoSVILongVideo"]


Open, Frames, Video = (NODE_CLASS_MAPPINGS[f"WanVideoSVIReel{name}"] for name in ("Open", "Frames", "Video"))


PROMPT = {
    "1": {"class_type": "WanVideoModelLoader", "inputs": {"model": "wan.safetensors"}},
    "2": {"class_type": "WanVideoSamplerSettings", "inputs": {"model": ["1", 0], "seed": 1, "steps": 8}},
    "3": {"class_type": "WanVideoSVILongVideo", "inputs": {"sampler_inputs": ["2", 0]}},
}


def run(story: str = "a\n---\nb", **inputs: Any) -> dict[str, Any]:
    return LongVideo().render(
        **{
            "sampler_inputs": sampler(), "vae": TraceVAE(), "story": story, "mode": "film", "width": 64, "height": 64,
            "num_frames": 17, "overlap_frames": 0, "seed": 0, "fps": 16.0, "reel": "test", "resume": True,
            "start_image": frames(1), "t5": "T5", "negative_prompt": "", "unique_id": "3", "prompt": PROMPT, **inputs,
        }
    )  # fmt: skip


TALK: dict[str, Any] = {"mode": "talk", "fps": 25.0}


def talking(count: int, **other: Any) -> dict[str, Any]:
    return {**TALK, "sampler_inputs": sampler(multitalk_embeds=voice(numbered(count)), **other)}
