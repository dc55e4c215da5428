"""Builds subgraphs/*.json: one clip of a chain as a block to drop in. ComfyUI lists them in its node library.

usage: python tools/subgraph_blueprints.py        (from the repository's root, with the pack installed)

What is in a block is what the example workflows have for that clip. A first clip is a block of its own: it has no clip
before it, runs in mode i2v and has nothing to be joined to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from guided_workflows import FPS
from guided_workflows import PROMPTS as GUIDED_PROMPTS
from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_graph import COLUMN, Node, Source
from workflow_nodes import ROOT
from workflow_parts import NEGATIVE, PROMPTS
from workflow_subgraph import Block

FOLDER = ROOT / "subgraphs"
STEPS, SEED = 8, 42

FIRST = {"frames": "SVI first clip", "talk": "SVI first clip (talk)", "svi2_pro": "SVI first clip (2.0 Pro)"}
NEXT = {
    "film": "SVI film clip", "shot": "SVI shot clip", "talk": "SVI talk clip", "svi2_pro": "SVI 2.0 Pro clip",
}  # fmt: skip
_OWN_SEED = "seed (its own in each clip)"


def _text(block: Block, t5: Source, prompt: str) -> Node:
    return block.add(
        "WanVideoTextEncode", 0, links={"t5": t5, "positive_prompt": block.take("prompt")},
        values={"positive_prompt": prompt, "negative_prompt": NEGATIVE},
    )  # fmt: skip


def frames_block(mode: str, *, first: bool) -> Block:
    """A clip that the frames of the one before lead: film, shot or talk."""
    block, talk = Block(), mode == "talk"
    this_mode = "i2v" if first else mode
    overlap = recipe(mode).motion_frames
    model, vae, t5 = (block.take(name) for name in ("model", "vae", "t5"))
    vision = block.take("clip_vision")
    voice = block.take("multitalk_embeds") if talk else None
    so_far = None if first else block.take("joined_so_far")
    lead = block.take("first_image" if first else "previous_clip")
    reference = block.take("reference") if recipe(this_mode).padding == "reference" else None
    text = _text(block, t5, GUIDED_PROMPTS["talk"] if talk else PROMPTS[mode][0 if first else 1])
    size = {name: block.take(name) for name in ("width", "height", "num_frames")}
    index = block.take("clip_index", "clip_index (1 = second clip)") if talk and not first else None
    sampling = {"steps": block.take("steps"), "cfg": block.take("cfg"), "seed": block.take("seed", _OWN_SEED)}

    seen = lead
    if not first:
        motion = block.add("WanVideoSVIMotionFrames", 0, links={"images": lead},
                           values={"overlap_frames": overlap})  # fmt: skip
        seen = (motion, 2)
    vision_embeds = block.add("WanVideoClipVisionEncode", 0,
                              links={"clip_vision": vision, "image_1": seen})  # fmt: skip
    links = {"vae": vae, "start_image": lead, "clip_embeds": (vision_embeds, 0), **size}
    if reference:
        links["ref_image"] = reference
    embeds = block.add("WanVideoSVIEmbeds", COLUMN, links=links, values={"mode": this_mode},
                       colour="#2a363b")  # fmt: skip
    sampler_links: dict[str, Source] = {"model": model, "image_embeds": (embeds, 0), "text_embeds": (text, 0)}
    if voice:
        links = {"multitalk_embeds": voice, "num_frames": size["num_frames"]}
        if index:
            links["clip_index"] = index
        window = block.add(
            "WanVideoSVIAudioWindow", COLUMN, links=links, colour="#2a363b",
            values={"clip_index": 0 if first else 1, "overlap_frames": overlap, "fps": FPS},
        )  # fmt: skip
        sampler_links["multitalk_embeds"] = (window, 0)
    sampler = block.add(
        "WanVideoSampler", 2 * COLUMN, links={**sampler_links, **sampling},
        values={"steps": STEPS, "cfg": 1.0, "shift": 5.0, "seed": SEED * (1 if first else 2), "scheduler": "euler"},
    )  # fmt: skip
    clip = _decoded(block, vae, (sampler, 0), x=3 * COLUMN)
    _joined(block, so_far, clip, x=3 * COLUMN, values={"overlap_frames": overlap})
    block.give("clip", clip)
    return block


def pro_block(*, first: bool) -> Block:
    """A clip of SVI 2.0 Pro with the Wan 2.2 pair, which the latents of the one before lead."""
    block = Block()
    high, low, vae, t5 = (block.take(name) for name in ("high_noise_model", "low_noise_model", "vae", "t5"))
    so_far = None if first else block.take("joined_so_far")
    previous = None if first else block.take("previous_latents")
    image = block.take("first_image" if first else "reference")
    text = _text(block, t5, PROMPTS["film"][0 if first else 1])
    width, height, num_frames = (block.take(name) for name in ("width", "height", "num_frames"))
    steps, split, cfg = (block.take(name) for name in ("steps", "split_step", "cfg"))
    shared = {"text_embeds": (text, 0), "steps": steps, "cfg": cfg, "seed": block.take("seed", _OWN_SEED)}

    sized = block.add(
        "ImageScale", 0, links={"image": image, "width": width, "height": height},
        values={"upscale_method": "lanczos", "width": 832, "height": 480, "crop": "center"},
    )  # fmt: skip
    anchor = block.add("WanVideoEncode", 0, title="Anchor: the same in every clip",
                       links={"vae": vae, "image": (sized, 0)})  # fmt: skip
    links: dict[str, Source] = {"anchor_samples": (anchor, 0), "num_frames": num_frames}
    if previous:
        links["prev_samples"] = previous
    embeds = block.add("WanVideoSVILatentEmbeds", COLUMN, links=links, colour="#2a363b")
    samples: Source | None = None
    for column, (noise, model) in enumerate((("high", high), ("low", low)), 2):
        links = {"model": model, "image_embeds": (embeds, 0), **shared}
        if samples is None:
            links["end_step"] = split
        else:
            links |= {"start_step": split, "samples": samples}
        sampler = block.add(
            "WanVideoSampler", column * COLUMN, title=f"{noise} noise", links=links,
            values={"steps": STEPS, "cfg": 1.0, "shift": 5.0, "seed": SEED * (1 if first else 2),
                    "scheduler": "euler", "start_step" if samples else "end_step": STEPS // 2},
        )  # fmt: skip
        samples = (sampler, 0)
    assert samples is not None
    clip = _decoded(block, vae, samples, x=4 * COLUMN)
    _joined(block, so_far, clip, x=4 * COLUMN, links={"overlap_frames": (embeds, 4)})
    block.give("clip", clip)
    block.give("latents", samples)
    return block


def _decoded(block: Block, vae: Source, samples: Source, *, x: int) -> Source:
    return (block.add("WanVideoDecode", x, links={"vae": vae, "samples": samples}), 0)


def _joined(
    block: Block,
    so_far: Source | None,
    clip: Source,
    *,
    x: int,
    links: dict[str, Source] | None = None,
    values: dict[str, Any] | None = None,
) -> None:
    joined = clip
    if so_far:
        stitch = block.add("WanVideoSVIStitch", x, values=values or {},
                           links={"images_1": so_far, "images_2": clip, **(links or {})})  # fmt: skip
        joined = (stitch, 0)
    block.give("joined_so_far", joined)


_SAME = "width, height and num_frames (4k+1) are the same in all clips of a chain"
_DISTILL = "steps 8 and cfg 1 are for a distill LoRA; without one take 50 and 5"
_LENGTH = "For Create Video and Save Video connect joined_so_far of the last block"
_NEEDS = "Needs ComfyUI-WanVideoWrapper."


def _first_text(kind: str) -> str:
    models = {
        "frames": "a Wan 2.1 image-to-video model without the SVI LoRA, which would only freeze the motion here",
        "talk": "a Wan 2.1 image-to-video model with MultiTalk or InfiniteTalk and without the SVI LoRA, which would "
        "only freeze the motion here",
        "svi2_pro": "the two models of a Wan 2.2 image-to-video pair without the SVI LoRA, which would only freeze the "
        "motion here",
    }[kind]
    following = {"frames": f"{NEXT['film']} or {NEXT['shot']}"}.get(kind) or NEXT[kind]
    lead = "latents to previous_latents" if kind == "svi2_pro" else "clip to previous_clip"
    voice = " multitalk_embeds: the features of the whole voice; the clip takes its part." if kind == "talk" else ""
    return (
        f"The first clip of a chain, from first_image. Model: {models}.{voice} The next block is {following}: connect "
        f"{lead} and joined_so_far to joined_so_far. {_SAME}. {_split(kind)}{_DISTILL}. {_LENGTH}. {_NEEDS}"
    )


def _next_text(mode: str) -> str:
    if mode == "svi2_pro":
        leads = "the last latent of the clip before leads it; reference, the original image, is its anchor"
        model = "the two models of a Wan 2.2 image-to-video pair, each with its SVI 2.0 Pro LoRA"
    else:
        row = recipe(mode)
        leads = f"the last {row.motion_frames} frames of the clip before lead it"
        if row.motion_frames == 1:
            leads = "the last frame of the clip before leads it"
        if row.padding == "reference":
            leads += "; reference is the original image, never the last frame of the clip before"
        talk = " and MultiTalk or InfiniteTalk" if mode == "talk" else ""
        model = f"a Wan 2.1 image-to-video model with the SVI {mode} LoRA{talk}"
    first = FIRST.get(mode, FIRST["frames"])
    lead = "latents of the block before to previous_latents" if mode == "svi2_pro" else (
        "clip of the block before to previous_clip"
    )  # fmt: skip
    voice = (
        " multitalk_embeds: the features of the whole voice; clip_index, 1 for the second clip and one more for each "
        "after it, says which part the clip takes."
        if mode == "talk"
        else ""
    )
    return (
        f"One more clip of an SVI chain: {leads}. Begin with {first}, then one of this block for each clip: connect "
        f"{lead}, and its joined_so_far to joined_so_far. Model: {model}.{voice} Give each clip its own seed: the same "
        f"noise in each builds up artefacts. {_SAME}. {_split(mode)}{_DISTILL}. {_LENGTH}. {_NEEDS}"
    )


def _split(kind: str) -> str:
    return "split_step is the step at which the low noise model takes over. " if kind == "svi2_pro" else ""


BLUEPRINTS: dict[str, tuple[Callable[[], Block], str]] = {
    FIRST["frames"]: (partial(frames_block, "film", first=True), _first_text("frames")),
    FIRST["talk"]: (partial(frames_block, "talk", first=True), _first_text("talk")),
    FIRST["svi2_pro"]: (partial(pro_block, first=True), _first_text("svi2_pro")),
    NEXT["film"]: (partial(frames_block, "film", first=False), _next_text("film")),
    NEXT["shot"]: (partial(frames_block, "shot", first=False), _next_text("shot")),
    NEXT["talk"]: (partial(frames_block, "talk", first=False), _next_text("talk")),
    NEXT["svi2_pro"]: (partial(pro_block, first=False), _next_text("svi2_pro")),
}


def text_of(name: str) -> str:
    """What the file of a blueprint holds."""
    build, description = BLUEPRINTS[name]
    return json.dumps(build().blueprint(name, description), indent=1) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in BLUEPRINTS:
        target = FOLDER / f"{name}.json"
        target.write_text(text_of(name), encoding="utf-8")
        print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
