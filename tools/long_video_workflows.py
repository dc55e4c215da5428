"""Example workflows of a whole story in one node: film and shot on Wan 2.1, SVI 2.0 Pro on the Wan 2.2 pair."""

from __future__ import annotations

from typing import Any

from wanvideo_svi.svi_embeds.chain_plan import plan_chain
from wanvideo_svi.svi_embeds.chain_settings import ChainSettings
from workflow_graph import Graph, Node, Source
from workflow_notes import (
    DISTILL_LORA,
    MODEL,
    PRO_DISTILL,
    PRO_LORA,
    PRO_MODEL,
    SVI_LORA,
    TEXT_ENCODER,
    VAE,
    long_video_note,
)
from workflow_parts import NEGATIVE, PROMPTS, STORY_HEIGHT, TOP, WIDTH

STEPS = 8
_APPS = ("film", "svi2_pro")  # stories that open as an app, where the frontend has apps
_STORIES = {
    "film": (*PROMPTS["film"], "[frames=49]\nThe red panda curls up on a branch and falls asleep as the sun sets"),
    "shot": ("[repeat=4]\n" + PROMPTS["shot"][0],),
    "svi2_pro": (*PROMPTS["film"], "The red panda curls up on a branch and falls asleep as the sun sets"),
}


def story_of(mode: str) -> str:
    """Four clips."""
    return "\n---\n".join(_STORIES[mode])


def long_video(mode: str) -> dict[str, Any]:
    """A story of four clips in `mode`: one node in place of the chain."""
    graph, pair = Graph(), mode == "svi2_pro"
    story = story_of(mode)
    plan = plan_chain(story, ChainSettings(mode=mode, num_frames=81))
    noises = ("HIGH", "LOW") if pair else ("",)
    x, columns = 0, len(noises)
    text = long_video_note(mode, f"{len(plan.clips)} clips, {plan.total_frames} frames, {plan.seconds:.0f} s")
    graph.add("MarkdownNote", (x, -520), (2 * WIDTH + 60, 360), title="Read me", values={"text": text}, colour="#432")
    image = graph.add("LoadImage", (x, -100), (WIDTH, 400), title="First image", values={"image": "example.png"})
    vae = graph.add("WanVideoVAELoader", (x, 360), (WIDTH, 140), values={"model_name": VAE})
    t5 = graph.add("LoadWanVideoT5TextEncoder", (x, 560), (WIDTH, 160), values={"model_name": TEXT_ENCODER})
    links: dict[str, Source] = {"vae": (vae, 0), "start_image": (image, 0), "t5": (t5, 0)}
    if not pair:
        vision = graph.add("CLIPVisionLoader", (x, 780), (WIDTH, 60), values={"clip_name": "clip_vision_h.safetensors"})
        links["clip_vision"] = (vision, 0)
    empty = graph.add("WanVideoEmptyEmbeds", (x, 900), (WIDTH, 140), title="Stands in for the clips' own embeds")
    x += WIDTH + 60
    for noise in noises:
        files = (
            (PRO_MODEL.format(noise), PRO_DISTILL.format(noise), PRO_LORA.format(noise))
            if pair else (MODEL, DISTILL_LORA, SVI_LORA[mode])
        )  # fmt: skip
        first, following = _models(graph, x, files, noise)
        x += WIDTH + 60
        if noise == "LOW":
            links |= {"low_noise_model": (following, 0), "first_clip_low_noise_model": (first, 0)}
            continue
        settings = graph.add(
            "WanVideoSamplerSettings", (0, 0), (WIDTH, 660),
            links={"model": (following, 0), "image_embeds": (empty, 0)},
            values={"steps": STEPS, "cfg": 1.0, "shift": 5.0, "scheduler": "euler"},
        )  # fmt: skip
        links |= {"sampler_inputs": (settings, 0), "first_clip_model": (first, 0)}
    settings.pos = (x, -100)
    x += WIDTH + 60
    graph.group("Models, first image and settings", (-30, TOP, (columns + 2) * (WIDTH + 60), STORY_HEIGHT),
                "#3f789e")  # fmt: skip
    x += 40
    values: dict[str, Any] = {
        "story": story, "mode": mode, "seed": 42, "reel": f"svi_{mode}_story", "negative_prompt": NEGATIVE,
    }  # fmt: skip
    if pair:
        values["split_step"] = STEPS // 2
    node = graph.add("WanVideoSVILongVideo", (x, -520), (2 * WIDTH, 1180), title="The whole video", links=links,
                     values=values, colour="#2a363b")  # fmt: skip
    graph.group("The story", (x - 30, TOP, 2 * WIDTH + 60, 1320), "#b58b2a")
    if not pair:  # with two models there are nodes enough; the video lies in the reel's folder all the same
        x += 2 * WIDTH + 100
        graph.add("SaveVideo", (x, -520), (WIDTH, 360), links={"video": (node, 2)},
                  values={"filename_prefix": f"video/long_video_{mode}"})  # fmt: skip
        graph.group("The finished video", (x - 30, TOP, WIDTH + 60, 500), "#b58b2a")
    saved = graph.save()
    if mode in _APPS:
        saved["extra"] |= _app(image, node)
    return saved


def _app(image: Node, node: Node) -> dict[str, Any]:
    """What ComfyUI shows of a graph that opens as an app. An advanced widget would have no control there."""
    inputs: list[list[Any]] = [
        [image.id, "image", {"height": 160}],
        [node.id, "story", {"description": "One prompt per clip, --- between", "height": 220}],
        [node.id, "svi_plan"],
        [node.id, "num_frames", {"description": "Frames of a clip: 81 are 5 s"}],
        [node.id, "seed"],
    ]
    return {"linearMode": True, "linearData": {"inputs": inputs, "outputs": [node.id]}}


def _models(graph: Graph, x: int, files: tuple[str, str, str], noise: str) -> tuple[Node, Node]:
    """A model with its distill LoRA, for the first clip, and the same with the SVI LoRA, for the others."""
    of = f" ({noise.lower()} noise)" if noise else ""
    distill = graph.add("WanVideoLoraSelect", (x, -100), (WIDTH, 160), title=f"Distill LoRA{of}",
                        values={"lora": files[1], "merge_loras": False})  # fmt: skip
    model = graph.add(
        "WanVideoModelLoader", (x, 120), (WIDTH, 320), title=f"Model for the first clip{of}",
        links={"lora": (distill, 0)},
        values={"model": files[0], "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"},
    )  # fmt: skip
    svi = graph.add("WanVideoLoraSelect", (x, 500), (WIDTH, 160), title=f"SVI LoRA{of}",
                    values={"lora": files[2], "merge_loras": False})  # fmt: skip
    following = graph.add("WanVideoSetLoRAs", (x, 720), (WIDTH, 60), title=f"Model for the following clips{of}",
                          links={"model": (model, 0), "lora": (svi, 0)})  # fmt: skip
    return model, following
