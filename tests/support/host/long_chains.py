"""Chains for the tests in a real host: a long video by one node, and the same wired by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from host.comfyui import Comfy
from host.graphs import Builder, Link
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel

long_only = pytest.mark.skipif(
    not os.environ.get("SVI_LONG_TESTS"), reason="set SVI_LONG_TESTS=1 for kills, memory and 300 clips (half an hour)"
)

PROMPTS = ("a lake at dawn", "a boat appears", "the fog lifts", "gulls take off", "evening light")
SIZE, FRAMES = 64, 17


def settings(build: Builder, model: Link, *, size: int = SIZE, frames: int = FRAMES, **inputs: Any) -> Link:
    """SAMPLER_ARGS of two steps; the embeds stand in for those of the chain."""
    empty = build.full("WanVideoEmptyEmbeds", width=size, height=size, num_frames=frames)
    return build.full("WanVideoSamplerSettings", model=model, image_embeds=empty,
                      **{"steps": 2, "cfg": 1.0, "scheduler": "euler", **inputs})  # fmt: skip


def long_video(build: Builder, story: str, **inputs: Any) -> str:
    values = {
        "width": SIZE, "height": SIZE, "num_frames": FRAMES, "overlap_frames": 0, "seed": 3, "fps": 16.0,
        "reel": "test", "resume": True, "negative_prompt": "bad",
    }  # fmt: skip
    return build.add("WanVideoSVILongVideo", **{**values, "story": story, **inputs})


def story(prompts: tuple[str, ...] = PROMPTS, *heads: str) -> str:
    padded = (*heads, *("",) * (len(prompts) - len(heads)))
    return "\n---\n".join(f"{head}\n{prompt}" for head, prompt in zip(padded, prompts, strict=True))


class Scene:
    """Models, images and text that both ways share."""

    def __init__(self, build: Builder) -> None:
        self.build = build
        self.vae = build.vae()
        self.first = build.model()
        lora = build.full("WanVideoLoraSelect", lora="svi-film-opt-10212025.safetensors", strength=0.7)
        self.lora = lora
        self.t5 = build.link("SVITestT5", model_name="t5")
        self.vision = build.link("SVITestClipVision", clip_name="")
        self.start = build.images(1, seed=5)
        self.reference = build.images(1, seed=6)


def hand_wired(
    build: Builder, scene: Scene, mode: str, overlap: int, model: Link, prompts: tuple[str, ...] = PROMPTS,
    others: Mapping[int, Link] | None = None,
) -> tuple[Link, Link]:  # fmt: skip
    """The same chain with the nodes that users wire: the stitched frames, and the last clip's motion frames.

    others: models of clips that have one of their own.
    """
    joined = decoded = scene.start
    for index, prompt in enumerate(prompts):
        if index:
            motion = build.add("WanVideoSVIMotionFrames", images=decoded, overlap_frames=overlap)
            first: Link = [motion, 2]
        else:
            first = scene.start
        vision = build.full("WanVideoClipVisionEncode", clip_vision=scene.vision, image_1=first)
        text = build.full("WanVideoTextEncode", t5=scene.t5, positive_prompt=prompt, negative_prompt="bad")
        embeds = build.full(
            "WanVideoSVIEmbeds", vae=scene.vae, mode=mode if index else "i2v", width=SIZE, height=SIZE,
            num_frames=FRAMES, start_image=decoded, clip_embeds=vision,
            **({"ref_image": scene.reference} if mode == "shot" and index else {}),
        )  # fmt: skip
        own = (others or {}).get(index, model if index else scene.first)
        samples = build.sample(own, embeds, text, seed=3 + 42 * index)
        decoded = build.decode(scene.vae, samples)
        joined = (
            build.link("WanVideoSVIStitch", images_1=joined, images_2=decoded, overlap_frames=overlap, drop="new")
            if index else decoded
        )  # fmt: skip
    tail = build.add("WanVideoSVIMotionFrames", images=decoded, overlap_frames=overlap)
    return joined, [tail, 0]


def wired_into_reel(
    build: Builder, scene: Scene, name: str, prompts: tuple[str, ...], *, size: int = SIZE, steps: int = 2
) -> list[str]:
    """The film chain of `hand_wired`, each clip kept in a reel and led by what comes out there; the ids of those nodes.

    Nothing but the reel takes a clip.
    """
    kept: list[str] = []
    for index, prompt in enumerate(prompts):
        lead: Link = [kept[-1], 1] if kept else scene.start
        first = build.link("ImageFromBatch", image=lead, batch_index=0, length=1)
        vision = build.full("WanVideoClipVisionEncode", clip_vision=scene.vision, image_1=first)
        text = build.full("WanVideoTextEncode", t5=scene.t5, positive_prompt=prompt, negative_prompt="bad")
        embeds = build.full(
            "WanVideoSVIEmbeds", vae=scene.vae, mode="film" if kept else "i2v", width=size, height=size,
            num_frames=FRAMES, start_image=lead, clip_embeds=vision,
        )  # fmt: skip
        samples = build.sample(scene.first, embeds, text, seed=3 + 42 * index, steps=steps)
        kept.append(build.add(
            "WanVideoSVIReelAdd", images=build.decode(scene.vae, samples), reel="" if kept else name,
            overlap_frames=-1, motion_frames=5, prompt=prompt, seed=3 + 42 * index,
            **({"reel_before": [kept[-1], 0]} if kept else {}),
        ))  # fmt: skip
    return kept


def chain(story_text: str, reel: str, **inputs: Any) -> tuple[dict[str, Any], str]:
    """A graph of one long video with one model, and the node's id."""
    build = Builder()
    scene = Scene(build)
    size, frames = inputs.get("width", SIZE), inputs.get("num_frames", FRAMES)
    settings_of = {key: inputs.pop(key) for key in ("steps",) if key in inputs}
    node = long_video(
        build, story_text, sampler_inputs=settings(build, scene.first, size=size, frames=frames, **settings_of),
        vae=scene.vae, start_image=scene.start, ref_image=scene.reference, t5=scene.t5, reel=reel,
        clip_vision=scene.vision, **{"mode": "film", **inputs},
    )  # fmt: skip
    return build.graph, node


def reel_of(comfy: Comfy, name: str) -> Reel:
    return open_reel(comfy.base / "output" / "svi_reels" / name)


def pixels(reel: Reel) -> np.ndarray:
    return np.stack(list(reel.frames()))
