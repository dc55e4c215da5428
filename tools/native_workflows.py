"""Example workflow of a story through ComfyUI's own sampling: SVI 2.0 Pro on the Wan 2.2 pair, without the wrapper."""

from __future__ import annotations

from typing import Any

from long_video_workflows import STEPS, STORY_ROOM, story_of
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.svi_embeds.story.settings import ChainSettings
from workflow_files import NATIVE_DISTILL, NATIVE_MODEL, NATIVE_TEXT_ENCODER, NATIVE_VAE, PRO_LORA
from workflow_graph import COLUMN, WIDTH, Graph, Node, Source
from workflow_parts import CLIP_GAP, NEGATIVE, picture

_REEL = "svi_native_story"


def native_story() -> dict[str, Any]:
    """A story of four clips in svi2_pro: one node, and ComfyUI's own loaders."""
    graph, story = Graph(), story_of("svi2_pro")
    plan = plan_chain(story, ChainSettings(mode="svi2_pro", num_frames=81))
    graph.note(_note(f"{len(plan.clips)} clips, {plan.total_frames} frames, {plan.seconds:.0f} s"))
    low = _models(graph, 0, "LOW")
    high = _models(graph, COLUMN, "HIGH")
    x = 2 * COLUMN
    image = picture(graph, x, "First image")
    clip = graph.add("CLIPLoader", x, values={"clip_name": NATIVE_TEXT_ENCODER, "type": "wan"})
    vae = graph.add("VAELoader", x, values={"vae_name": NATIVE_VAE})
    graph.group("Models, first image and text encoder", "#3f789e")
    x += COLUMN + CLIP_GAP
    links: dict[str, Source] = {
        "model": (high[1], 0), "clip": (clip, 0), "vae": (vae, 0), "start_image": (image, 0),
        "first_clip_model": (high[0], 0), "low_noise_model": (low[1], 0), "first_clip_low_noise_model": (low[0], 0),
    }  # fmt: skip
    values = {
        "story": story, "mode": "svi2_pro", "seed": 42, "reel": _REEL, "negative_prompt": NEGATIVE, "steps": STEPS,
        "cfg": 1.0, "split_step": STEPS // 2,
    }  # fmt: skip
    graph.add("WanVideoSVILongVideoNative", x, width=2 * WIDTH, room=STORY_ROOM, title="The whole video", links=links,
              values=values, colour="#2a363b")  # fmt: skip
    graph.group("The story", "#b58b2a")
    return graph.save()


def _models(graph: Graph, x: int, noise: str) -> tuple[Node, Node]:
    """A model with its distill LoRA, for the first clip, and the same with the SVI LoRA, for the others."""
    of = f" ({noise.lower()} noise)"
    loaded = graph.add("UNETLoader", x, title=f"Model{of}", values={"unet_name": NATIVE_MODEL[noise]})
    shifted = graph.add("ModelSamplingSD3", x, links={"model": (loaded, 0)}, values={"shift": 5.0})
    first = _lora(graph, x, shifted, NATIVE_DISTILL[noise], f"Distill LoRA{of}: model for the first clip")
    return first, _lora(graph, x, first, PRO_LORA.format(noise), f"SVI LoRA{of}: model for the following clips")


def _lora(graph: Graph, x: int, model: Node, file: str, title: str) -> Node:
    return graph.add("LoraLoaderModelOnly", x, title=title, links={"model": (model, 0)},
                     values={"lora_name": file, "strength_model": 1.0})  # fmt: skip


def _note(length: str) -> str:
    both = {
        kind: " and ".join(files)
        for kind, files in (
            ("model", NATIVE_MODEL.values()),
            ("distill", NATIVE_DISTILL.values()),
            ("svi", [PRO_LORA.format(noise) for noise in NATIVE_MODEL]),
        )
    }
    return f"""## SVI 2.0 Pro as a story, without WanVideoWrapper: {length}

**Models** (folder in ComfyUI/models)
- `diffusion_models`: {both["model"]}
- `loras`: {both["svi"]}; {both["distill"]}
- `vae`: {NATIVE_VAE}
- `text_encoders`: {NATIVE_TEXT_ENCODER}

**How it works**
- `story` has one prompt per clip, with a line `---` between them. A prompt may begin with settings: `[frames=49]`.
- Each clip is saved in `output/svi_reels/{_REEL}` when it is done. Stop when you like: the next run continues
  there. Change a prompt: that clip and the clips after it are rendered again.
- The first clip runs **without** the SVI LoRA, which would freeze its motion.
- Every clip has its own seed: that of the clip before plus 42.
- The joined video plays on the node and is saved in the same folder.

**To change**
- More clips: more prompts. The same prompt four times: `[repeat=4]`.
- To keep this video and make another: write another name into `reel`.
- The step at which the low noise model takes over: `split_step`.
- No distill LoRA: strength 0, 20 steps, cfg 3.5, `split_step` 10.
- Nodes that speed up ComfyUI's own sampling go between a model and its LoRAs.
"""
