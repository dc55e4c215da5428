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
from pair_workflows import holocine_pair, pro_chain, svi2_pair
from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_graph import ROOT, Graph, Source
from workflow_notes import DISTILL_LORA, FUN_MODEL, MODEL, SVI_LORA, VAE, custom_note, fun_note, keyframes_note, note
from workflow_parts import HEIGHT, PROMPTS, TOP, WIDTH, Loaders, finish, loaders, prompt_node, sample_and_decode


def chain(mode: str) -> dict[str, Any]:
    """A three-clip chain in `mode`: film or shot. The first clip runs without the SVI LoRA."""
    overlap = recipe(mode).motion_frames
    graph = Graph()
    parts = loaders(graph, text=note(mode, overlap), model_file=MODEL, svi_file=SVI_LORA[mode], svi_title=mode)
    image, vae, vision, x = parts.image, parts.vae, parts.vision, parts.x
    video: Source | None = None
    clip: Source = (image, 0)
    for index, prompt in enumerate(PROMPTS[mode]):
        left, right = x, x + WIDTH + 40
        text = prompt_node(graph, index, prompt, x=left)
        seen = clip
        if index:
            motion = graph.add("WanVideoSVIMotionFrames", (left, -140), (WIDTH, 120), links={"images": clip},
                               values={"overlap_frames": overlap})  # fmt: skip
            seen = (motion, 2)
        embeds_of = graph.add("WanVideoClipVisionEncode", (left, 20), (WIDTH, 270),
                              links={"clip_vision": (vision, 0), "image_1": seen})  # fmt: skip
        links: dict[str, Source] = {"vae": (vae, 0), "start_image": clip, "clip_embeds": (embeds_of, 0)}
        this_mode = mode if index else "i2v"  # without the LoRA, reference padding would only hold the motion back
        if recipe(this_mode).padding == "reference":
            links["ref_image"] = (image, 0)
        embeds = graph.add("WanVideoSVIEmbeds", (left, 350), (WIDTH, 540), title=f"Clip {index + 1}: {this_mode}",
                           links=links, values={"mode": this_mode}, colour="#2a363b")  # fmt: skip
        clip = sample_and_decode(graph, parts, index=index, x=right, embeds=(embeds, 0), text=text)
        if video is None:
            video = clip
        else:
            joined = graph.add(
                "WanVideoSVIStitch", (right, 880), (WIDTH, 110), title=f"Clips 1-{index + 1} stitched",
                links={"images_1": video, "images_2": clip}, values={"overlap_frames": overlap},
            )  # fmt: skip
            video = (joined, 0)
        graph.group(f"Clip {index + 1}", (left - 30, TOP, 2 * WIDTH + 100, HEIGHT), "#3f789e" if index % 2 else "#8a8")
        x += 2 * WIDTH + 140
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
    vision = graph.add("WanVideoClipVisionEncode", (x, 20), (WIDTH, 270),
                       links={"clip_vision": (parts.vision, 0), "image_1": seen})  # fmt: skip
    mask = graph.add("WanVideoSVITemporalMask", (x, 350), (WIDTH, 560), title=title, links=links, values=values,
                     colour="#2a363b")  # fmt: skip
    encode = graph.add(
        "WanVideoImageToVideoEncode", (x + WIDTH + 40, -140), (WIDTH, 420),
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
        text = prompt_node(graph, index, prompt, x=x, columns=3)
        seen = clip
        if index:
            motion = graph.add("WanVideoSVIMotionFrames", (x, -140), (WIDTH, 120), links={"images": clip},
                               values={"overlap_frames": overlap})  # fmt: skip
            seen = (motion, 2)
        embeds = through_host(
            graph, parts, x=x, links={"motion_frames": clip}, seen=seen,
            values={"overlap_frames": 0 if index else 1}, title=f"Clip {index + 1}: frames and mask",
        )  # fmt: skip
        clip = sample_and_decode(graph, parts, index=index, x=x + 2 * (WIDTH + 40), embeds=embeds, text=text)
        if video is None:
            video = clip
        else:
            joined = graph.add(
                "WanVideoSVIStitch", (x + 2 * (WIDTH + 40), 880), (WIDTH, 110), title=f"Clips 1-{index + 1} stitched",
                links={"images_1": video, "images_2": clip}, values={"overlap_frames": overlap},
            )  # fmt: skip
            video = (joined, 0)
        graph.group(f"Clip {index + 1}", (x - 30, TOP, 3 * WIDTH + 140, HEIGHT), "#3f789e" if index % 2 else "#8a8")
        x += 3 * WIDTH + 180
    finish(graph, "fun_inp_film_chain", video, x=x)
    return graph.save()


def fun_keyframes() -> dict[str, Any]:
    """One Fun InP clip through three pictures: first, middle and last frame."""
    graph = Graph()
    parts = loaders(graph, text=keyframes_note(), model_file=FUN_MODEL, svi_file=SVI_LORA["film"], svi_title="film")
    x = parts.x
    middle = graph.add("LoadImage", (x, -100), (WIDTH, 400), title="Middle image", values={"image": "example.png"})
    last = graph.add("LoadImage", (x, 360), (WIDTH, 400), title="Last image", values={"image": "example.png"})
    two = graph.add("ImageBatch", (x, 820), (WIDTH, 60), links={"image1": (parts.image, 0), "image2": (middle, 0)})
    three = graph.add("ImageBatch", (x, 940), (WIDTH, 60), title="Keyframes, in order",
                      links={"image1": (two, 0), "image2": (last, 0)})  # fmt: skip
    graph.group("Keyframes", (x - 30, TOP, WIDTH + 60, HEIGHT), "#b58b2a")
    x += WIDTH + 100
    text = prompt_node(graph, 0, PROMPTS["film"][0], x=x, columns=3)
    embeds = through_host(
        graph, parts, x=x, links={"keyframe_images": (three, 0)}, seen=(parts.image, 0),
        values={"keyframes": "0, 40, -1"}, title="Frames and mask",
    )  # fmt: skip
    clip = sample_and_decode(graph, parts, index=0, x=x + 2 * (WIDTH + 40), embeds=embeds, text=text)
    graph.group("Clip 1", (x - 30, TOP, 3 * WIDTH + 140, HEIGHT), "#8a8")
    finish(graph, "fun_inp_keyframes", clip, x=x + 3 * WIDTH + 180)
    return graph.save()


def custom_shot() -> dict[str, Any]:
    """Two shot clips the WanEx way: frames and a native mask from a generator node, encoded, then custom embeds."""
    graph, frames = Graph(), 81
    x = 0
    graph.add("MarkdownNote", (x, -520), (2 * WIDTH + 60, 360), title="Read me", values={"text": custom_note()},
              colour="#432")  # fmt: skip
    image = graph.add("LoadImage", (x, -100), (WIDTH, 400), title="First image", values={"image": "example.png"})
    sized = graph.add("ImageScale", (x, 360), (WIDTH, 140), title="To the size of the clips",
                      links={"image": (image, 0)},
                      values={"upscale_method": "lanczos", "width": 832, "height": 480, "crop": "center"})  # fmt: skip
    copies = graph.add("RepeatImageBatch", (x, 560), (WIDTH, 60), title="Reference padding: the original image",
                       links={"image": (sized, 0)}, values={"amount": frames})  # fmt: skip
    vae = graph.add("WanVideoVAELoader", (x, 680), (WIDTH, 140), values={"model_name": VAE})
    vision = graph.add("CLIPVisionLoader", (x, 880), (WIDTH, 60), values={"clip_name": "clip_vision_h.safetensors"})
    x += WIDTH + 60
    model = graph.add(
        "WanVideoModelLoader", (x, -100), (WIDTH, 320),
        values={"model": MODEL, "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"},
    )  # fmt: skip
    distill = graph.add("WanVideoLoraSelect", (x, 280), (WIDTH, 160), title="Distill LoRA (8 steps, cfg 1)",
                        values={"lora": DISTILL_LORA, "merge_loras": False})  # fmt: skip
    svi = graph.add("WanVideoLoraSelect", (x, 500), (WIDTH, 160), title="SVI LoRA: shot",
                    links={"prev_lora": (distill, 0)},
                    values={"lora": SVI_LORA["shot"], "merge_loras": False})  # fmt: skip
    models = [
        graph.add("WanVideoSetLoRAs", (x, 720 + 120 * index), (WIDTH, 60), title=title,
                  links={"model": (model, 0), "lora": (lora, 0)})
        for index, (title, lora) in enumerate(
            (("Model for the first clip (no SVI LoRA)", distill), ("Model for the following clip", svi)))
    ]  # fmt: skip
    graph.group("Models and first image", (-30, TOP, 2 * WIDTH + 120, HEIGHT), "#3f789e")

    x += WIDTH + 100
    video: Source | None = None
    for index, prompt in enumerate(PROMPTS["shot"][:2]):
        left, middle, right = (x + (WIDTH + 40) * i for i in range(3))
        text = prompt_node(graph, index, prompt, x=left, columns=3)
        first: Source = (sized, 0)
        if video is not None:
            motion = graph.add("WanVideoSVIMotionFrames", (left, -140), (WIDTH, 120), links={"images": video},
                               values={"overlap_frames": 1})  # fmt: skip
            first = (motion, 0)
        vision_embeds = graph.add("WanVideoClipVisionEncode", (left, 20), (WIDTH, 270),
                                  links={"clip_vision": (vision, 0), "image_1": first})  # fmt: skip
        parts: dict[str, Source] = {"start_image": first}
        if index:  # without the SVI LoRA, reference padding would only hold the motion back
            parts["control_images"] = (copies, 0)
        made = graph.add("WanVideoVACEStartToEndFrame", (left, 350), (WIDTH, 170), links=parts,
                         title="1 frame, then the reference" if index else "1 frame, then grey",
                         values={"num_frames": frames})  # fmt: skip
        encoded = graph.add("WanVideoEncode", (left, 580), (WIDTH, 220), links={"vae": (vae, 0), "image": (made, 0)})
        embeds = graph.add(
            "WanVideoI2VCustomEmbeds", (middle, -140), (WIDTH, 620), title=f"Clip {index + 1}: custom embeds",
            links={"clip_embeds": (vision_embeds, 0), "concat_latent_image": (encoded, 0), "concat_mask": (made, 1)},
            values={"length": frames, "latent_space": "wrapper"}, colour="#2a363b",
        )  # fmt: skip
        sampler = graph.add(
            "WanVideoSampler", (right, -140), (WIDTH, 700),
            links={"model": (models[index], 0), "image_embeds": (embeds, 0), "text_embeds": (text, 0)},
            values={"steps": 8, "cfg": 1.0, "shift": 5.0, "seed": 42 * (index + 1), "scheduler": "euler"},
        )  # fmt: skip
        decode = graph.add("WanVideoDecode", (right, 620), (WIDTH, 200),
                           links={"vae": (vae, 0), "samples": (sampler, 0)})  # fmt: skip
        if video is None:
            video = (decode, 0)
        else:
            joined = graph.add("WanVideoSVIStitch", (right, 880), (WIDTH, 110), title="Clips 1-2 stitched",
                               links={"images_1": video, "images_2": (decode, 0)},
                               values={"overlap_frames": 1})  # fmt: skip
            video = (joined, 0)
        graph.group(f"Clip {index + 1}", (left - 30, TOP, 3 * WIDTH + 140, HEIGHT), "#3f789e" if index % 2 else "#8a8")
        x += 3 * WIDTH + 180
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
    "long_video_talk": long_talk,
}


def main() -> None:
    for name, build in WORKFLOWS.items():
        target = ROOT / "example_workflows" / f"{name}.json"
        target.write_text(json.dumps(build(), indent=1) + "\n")
        print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
