"""Builds example_workflows/*.json (UI format) from the host's recorded inputs and this pack's own.

usage: python tools/example_workflows.py        (from the repository's root, with the pack installed)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from guided_workflows import guided_chain, long_talk
from long_video_workflows import long_video
from native_workflows import native_story
from pair_workflows import holocine_pair, pro_chain, svi2_pair
from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_files import CLIP_VISION, DISTILL_LORA, FUN_MODEL, MODEL, SVI_LORA, VAE
from workflow_graph import COLUMN, Graph, Source
from workflow_nodes import ROOT
from workflow_notes import custom_note, fun_note, keyframes_note, note
from workflow_parts import (
    CLIP_GAP,
    PROMPTS,
    Loaders,
    close_clip,
    finish,
    loaders,
    lora,
    model_loader,
    motion_frames,
    picture,
    prompt_node,
    sample_and_decode,
    see,
    set_loras,
    stitch,
    to_size,
)


def chain(mode: str) -> dict[str, Any]:
    """A three-clip chain in `mode`: film or shot. The first clip runs without the SVI LoRA."""
    overlap = recipe(mode).motion_frames
    graph = Graph()
    parts = loaders(graph, text=note(mode, overlap), model_file=MODEL, svi_file=SVI_LORA[mode], svi_title=mode)
    x = parts.x
    video: Source | None = None
    clip: Source = (parts.image, 0)
    for index, prompt in enumerate(PROMPTS[mode]):
        text = prompt_node(graph, index, prompt, x=x)
        seen = (motion_frames(graph, x, clip, overlap), 2) if index else clip
        vision = see(graph, x, parts.vision, seen)
        links: dict[str, Source] = {"vae": (parts.vae, 0), "start_image": clip, "clip_embeds": (vision, 0)}
        this_mode = mode if index else "i2v"  # without the LoRA, reference padding would only hold the motion back
        if recipe(this_mode).padding == "reference":
            links["ref_image"] = (parts.image, 0)
        embeds = graph.add("WanVideoSVIEmbeds", x, title=f"Clip {index + 1}: {this_mode}", links=links,
                           values={"mode": this_mode}, colour="#2a363b")  # fmt: skip
        x += COLUMN
        clip = sample_and_decode(graph, parts, index=index, x=x, embeds=(embeds, 0), text=text)
        video = stitch(graph, x, video, clip, index=index, values={"overlap_frames": overlap})
        close_clip(graph, index)
        x += COLUMN + CLIP_GAP
    finish(graph, f"svi_{mode}_chain", video, x=x)
    return graph.save()


def through_host(
    graph: Graph,
    parts: Loaders,
    *,
    x: int,
    links: dict[str, Source],
    values: dict[str, Any],
    seen: Source,
    title: str,
) -> Source:
    """A clip's frames and mask by SVI Temporal Mask, encoded by the host's own node. Returns its image_embeds."""
    vision = see(graph, x, parts.vision, seen)
    mask = graph.add("WanVideoSVITemporalMask", x, title=title, links=links, values=values, colour="#2a363b")
    encode = graph.add(
        "WanVideoImageToVideoEncode", x + COLUMN,
        links={"vae": (parts.vae, 0), "clip_embeds": (vision, 0), "start_image": (mask, 0), "temporal_mask": (mask, 1),
               "fun_or_fl2v_model": (mask, 3)},
    )  # fmt: skip
    return (encode, 0)


def fun_chain() -> dict[str, Any]:
    """Three film clips on Fun InP: our frames and masks, the host's own encode node."""
    overlap = recipe("fun_inp").motion_frames
    graph = Graph()
    parts = loaders(graph, text=fun_note(overlap), model_file=FUN_MODEL, svi_file=SVI_LORA["film"], svi_title="film")
    x = parts.x
    video: Source | None = None
    clip: Source = (parts.image, 0)
    for index, prompt in enumerate(PROMPTS["film"]):
        seen = (motion_frames(graph, x, clip, overlap), 2) if index else clip
        text = prompt_node(graph, index, prompt, x=x + COLUMN)
        embeds = through_host(
            graph, parts, x=x, links={"motion_frames": clip}, seen=seen,
            values={"overlap_frames": 0 if index else 1}, title=f"Clip {index + 1}: frames and mask",
        )  # fmt: skip
        x += 2 * COLUMN
        clip = sample_and_decode(graph, parts, index=index, x=x, embeds=embeds, text=text)
        video = stitch(graph, x, video, clip, index=index, values={"overlap_frames": overlap})
        close_clip(graph, index)
        x += COLUMN + CLIP_GAP
    finish(graph, "fun_inp_film_chain", video, x=x)
    return graph.save()


def fun_keyframes() -> dict[str, Any]:
    """One Fun InP clip through three pictures: first, middle and last frame."""
    graph = Graph()
    parts = loaders(graph, text=keyframes_note(), model_file=FUN_MODEL, svi_file=SVI_LORA["film"], svi_title="film")
    x = parts.x
    middle = picture(graph, x, "Middle image")
    last = picture(graph, x, "Last image")
    two = graph.add("ImageBatch", x, links={"image1": (parts.image, 0), "image2": (middle, 0)})
    three = graph.add("ImageBatch", x, title="Keyframes, in order",
                      links={"image1": (two, 0), "image2": (last, 0)})  # fmt: skip
    graph.group("Keyframes", "#b58b2a")
    x += COLUMN + CLIP_GAP
    text = prompt_node(graph, 0, PROMPTS["film"][0], x=x + COLUMN)
    embeds = through_host(
        graph, parts, x=x, links={"keyframe_images": (three, 0)}, seen=(parts.image, 0),
        values={"keyframes": "0, 40, -1"}, title="Frames and mask",
    )  # fmt: skip
    x += 2 * COLUMN
    clip = sample_and_decode(graph, parts, index=0, x=x, embeds=embeds, text=text)
    close_clip(graph, 0)
    finish(graph, "fun_inp_keyframes", clip, x=x + COLUMN + CLIP_GAP)
    return graph.save()


def custom_shot() -> dict[str, Any]:
    """Two shot clips the WanEx way: frames and a native mask from a generator node, encoded, then custom embeds."""
    graph, frames = Graph(), 81
    graph.note(custom_note())
    model = model_loader(graph, 0, MODEL)
    distill = lora(graph, 0, DISTILL_LORA, title="Distill LoRA (8 steps, cfg 1)")
    svi = lora(graph, 0, SVI_LORA["shot"], title="SVI LoRA: shot", behind=distill)
    image = picture(graph, 0, "First image")
    x = COLUMN
    sized = to_size(graph, x, (image, 0))
    copies = graph.add("RepeatImageBatch", x, title="Reference padding: the original image",
                       links={"image": (sized, 0)}, values={"amount": frames})  # fmt: skip
    vae = graph.add("WanVideoVAELoader", x, values={"model_name": VAE})
    vision = graph.add("CLIPVisionLoader", x, values={"clip_name": CLIP_VISION})
    models = (
        set_loras(graph, x, model, distill, title="Model for the first clip (no SVI LoRA)"),
        set_loras(graph, x, model, svi, title="Model for the following clip"),
    )
    graph.group("Models and first image", "#3f789e")

    parts = Loaders(image, vae, vision, models, x + COLUMN + CLIP_GAP)
    x = parts.x
    video: Source | None = None
    for index, prompt in enumerate(PROMPTS["shot"][:2]):
        first: Source = (sized, 0) if video is None else (motion_frames(graph, x, video, 1), 0)
        seen = see(graph, x, vision, first)
        start: dict[str, Source] = {"start_image": first}
        if index:  # without the SVI LoRA, reference padding would only hold the motion back
            start["control_images"] = (copies, 0)
        made = graph.add("WanVideoVACEStartToEndFrame", x, links=start, values={"num_frames": frames},
                         title="1 frame, then the reference" if index else "1 frame, then grey")  # fmt: skip
        encoded = graph.add("WanVideoEncode", x, links={"vae": (vae, 0), "image": (made, 0)})
        x += COLUMN
        text = prompt_node(graph, index, prompt, x=x)
        embeds = graph.add(
            "WanVideoI2VCustomEmbeds", x, title=f"Clip {index + 1}: custom embeds",
            links={"clip_embeds": (seen, 0), "concat_latent_image": (encoded, 0), "concat_mask": (made, 1)},
            values={"length": frames, "latent_space": "wrapper"}, colour="#2a363b",
        )  # fmt: skip
        x += COLUMN
        clip = sample_and_decode(graph, parts, index=index, x=x, embeds=(embeds, 0), text=text)
        video = stitch(graph, x, video, clip, index=index, values={"overlap_frames": 1})
        close_clip(graph, index)
        x += COLUMN + CLIP_GAP
    finish(graph, "custom_embeds_shot", video, x=x)
    return graph.save()


WORKFLOWS: dict[str, Callable[[], dict[str, Any]]] = {
    "svi_film_chain": partial(chain, "film"),
    "svi_shot_chain": partial(chain, "shot"),
    "svi2_pro_chain": pro_chain,
    "custom_embeds_shot": custom_shot,
    "fun_inp_film_chain": fun_chain,
    "fun_inp_keyframes": fun_keyframes,
    "wan22_svi2_pair": svi2_pair,
    "holocine_pusa_magref_pair": holocine_pair,
    "svi_talk_chain": partial(guided_chain, "talk"),
    "svi_dance_chain": partial(guided_chain, "dance"),
    "svi_shot_humo": partial(guided_chain, "shot"),
    "long_video_film": partial(long_video, "film"),
    "long_video_shot": partial(long_video, "shot"),
    "long_video_svi2_pro": partial(long_video, "svi2_pro"),
    "long_video_native_svi2_pro": native_story,
    "long_video_talk": long_talk,
    "long_video_takes": partial(long_video, "film", "takes"),
}


def main() -> None:
    for name, build in WORKFLOWS.items():
        target = ROOT / "example_workflows" / f"{name}.json"
        target.write_text(json.dumps(build(), indent=1) + "\n")
        print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
