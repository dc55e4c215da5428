"""Example workflows of a whole story in one node: film and shot on Wan 2.1, SVI 2.0 Pro on the Wan 2.2 pair."""

from __future__ import annotations

from typing import Any

from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.svi_embeds.story.settings import ChainSettings
from workflow_files import (
    CLIP_VISION,
    DISTILL_LORA,
    MODEL,
    PRO_DISTILL,
    PRO_LORA,
    PRO_MODEL,
    SVI_LORA,
    TEXT_ENCODER,
    VAE,
)
from workflow_graph import COLUMN, WIDTH, Graph, Node, Source
from workflow_notes import long_video_note
from workflow_parts import CLIP_GAP, NEGATIVE, PROMPTS, lora, model_loader, picture, set_loras

# For the story, its plan and, after a run, the video: all of the story is seen then too.
STORY_ROOM = 700
STEPS = 8
_APPS = ("film", "svi2_pro")  # stories that open as an app, where the frontend has apps
_STORIES = {
    "film": (*PROMPTS["film"], "[frames=49]\nThe red panda curls up on a branch and falls asleep as the sun sets"),
    "shot": ("[repeat=4]\n" + PROMPTS["shot"][0],),
    "svi2_pro": (*PROMPTS["film"], "The red panda curls up on a branch and falls asleep as the sun sets"),
    "takes": (
        PROMPTS["film"][0], f"[takes=3]\n{PROMPTS['film'][1]}",
        "[cut start=0]\nInside a hollow tree a second red panda wakes up and blinks into the light",
        "[from=2]\nThe red panda on the branch hears it, and turns its head",
    ),
}  # fmt: skip


def story_of(kind: str) -> str:
    """Four clips."""
    return "\n---\n".join(_STORIES[kind])


def long_video(mode: str, kind: str = "") -> dict[str, Any]:
    """A story of four clips in `mode`: one node in place of the chain. kind: `takes` for one of takes and scenes."""
    graph, pair, kind = Graph(), mode == "svi2_pro", kind or mode
    has_scenes = kind == "takes"
    story = story_of(kind)
    plan = plan_chain(story, ChainSettings(mode=mode, num_frames=81))
    length = f"{len(plan.clips)} clips, {plan.total_frames} frames, {plan.seconds:.0f} s"
    graph.note(long_video_note(mode, length, reel=f"svi_{kind}_story", has_scenes=has_scenes))
    links: dict[str, Source] = {}
    if pair:
        low = _models(graph, 0, 0, mode, "LOW")
        main = _models(graph, COLUMN, COLUMN, mode, "HIGH")
        links |= {"low_noise_model": (low[1], 0), "first_clip_low_noise_model": (low[0], 0)}
    else:
        main = _models(graph, 0, COLUMN, mode, "")
    empty = graph.add("WanVideoEmptyEmbeds", COLUMN, title="Placeholder: each clip gets its own embeds")
    x = 2 * COLUMN  # what the story takes stands next to it: no wire runs under it
    image = picture(graph, x, "First image")
    second = picture(graph, x, "First image of the second scene") if has_scenes else None
    settings = graph.add(
        "WanVideoSamplerSettings", x, links={"model": (main[1], 0), "image_embeds": (empty, 0)},
        values={"steps": STEPS, "cfg": 1.0, "shift": 5.0, "scheduler": "euler"},
    )  # fmt: skip
    vae = graph.add("WanVideoVAELoader", x, values={"model_name": VAE})
    t5 = graph.add("LoadWanVideoT5TextEncoder", x, values={"model_name": TEXT_ENCODER})
    links = {"sampler_inputs": (settings, 0), "vae": (vae, 0), "start_image": (image, 0), "t5": (t5, 0),
             "first_clip_model": (main[0], 0), **links}  # fmt: skip
    if second:
        links["start_images"] = (second, 0)
    if not pair:
        vision = graph.add("CLIPVisionLoader", x, values={"clip_name": CLIP_VISION})
        links["clip_vision"] = (vision, 0)
    graph.group("Models, first image and settings", "#3f789e")
    x += COLUMN + CLIP_GAP
    values: dict[str, Any] = {
        "story": story, "mode": mode, "seed": 42, "reel": f"svi_{kind}_story", "negative_prompt": NEGATIVE,
    }  # fmt: skip
    if pair:
        values["split_step"] = STEPS // 2
    node = graph.add("WanVideoSVILongVideo", x, width=2 * WIDTH, room=STORY_ROOM, title="The whole video", links=links,
                     values=values, colour="#2a363b")  # fmt: skip
    graph.group("The story", "#b58b2a")
    if not pair:  # with two models there are nodes enough; the video is in the reel's folder all the same
        x += WIDTH + COLUMN + CLIP_GAP
        graph.add("SaveVideo", x, links={"video": (node, 2)}, values={"filename_prefix": f"video/long_video_{kind}"})
        graph.group("The finished video", "#b58b2a")
    saved = graph.save()
    if kind in _APPS:
        saved["extra"] |= _app(image, node, settings)
    return saved


def _app(image: Node, node: Node, settings: Node) -> dict[str, Any]:
    """What ComfyUI shows of a graph that opens as an app. An advanced widget would have no control there."""
    inputs: list[list[Any]] = [
        [image.id, "image", {"height": 160}],
        [node.id, "story", {"description": "One prompt per clip, --- between", "height": 220}],
        [node.id, "svi_plan"],
        [node.id, "width"],
        [node.id, "height"],
        [node.id, "num_frames", {"description": "Frames of a clip: 81 are 5 s"}],
        [settings.id, "steps"],
        [node.id, "seed"],
    ]
    return {"linearMode": True, "linearData": {"inputs": inputs, "outputs": [node.id]}}


def _models(graph: Graph, x: int, last_x: int, mode: str, noise: str) -> tuple[Node, Node]:
    """A model with its distill LoRA, for the first clip, and at last_x the same with the SVI LoRA, for the others."""
    files = (
        (PRO_MODEL.format(noise), PRO_DISTILL.format(noise), PRO_LORA.format(noise))
        if noise else (MODEL, DISTILL_LORA, SVI_LORA[mode])
    )  # fmt: skip
    of = f" ({noise.lower()} noise)" if noise else ""
    distill = lora(graph, x, files[1], title=f"Distill LoRA{of}")
    model = model_loader(graph, x, files[0], title=f"Model for the first clip{of}", links={"lora": (distill, 0)})
    svi = lora(graph, x, files[2], title=f"SVI LoRA{of}")
    return model, set_loras(graph, last_x, model, svi, title=f"Model for the following clips{of}")
