"""What several example workflows share: columns of loaders, a prompt, a sampler, the finished video."""

from __future__ import annotations

from typing import NamedTuple

from workflow_graph import Graph, Node, Source
from workflow_notes import DISTILL_LORA, TEXT_ENCODER, VAE

WIDTH = 400  # of a node
TOP = -620  # of the groups
HEIGHT = 1960  # of the groups of a chain; Vue nodes are taller than those on the canvas
STORY_HEIGHT = 1660  # of the loaders beside a story
NEGATIVE = (
    "overexposed, static, blurred details, subtitles, worst quality, low quality, jpeg artifacts, deformed, "
    "fused fingers, still picture, cluttered background"
)
PROMPTS = {
    "film": (
        "A red panda walks along a mossy branch in a misty forest, the camera follows slowly",
        "The red panda stops and looks up as light rain begins to fall",
        "The red panda climbs down the trunk and drinks from a clear stream",
    ),
    "shot": ("A red panda sits on a mossy branch, looks around and scratches its ear, misty forest",) * 3,
}


class Loaders(NamedTuple):
    """What the clips of a Wan 2.1 chain share. models: for the first clip, and for the following ones."""

    image: Node
    vae: Node
    vision: Node
    models: tuple[Node, Node]
    x: int  # where the clips begin


def loaders(graph: Graph, *, text: str, model_file: str, svi_file: str, svi_title: str) -> Loaders:
    """The two columns with models and the first image."""
    x = 0
    graph.add("MarkdownNote", (x, -520), (2 * WIDTH + 60, 360), title="Read me", values={"text": text}, colour="#432")
    image = graph.add("LoadImage", (x, -100), (WIDTH, 400), title="First image", values={"image": "example.png"})
    model = graph.add(
        "WanVideoModelLoader", (x, 360), (WIDTH, 320),
        values={"model": model_file, "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"},
    )  # fmt: skip
    vae = graph.add("WanVideoVAELoader", (x, 740), (WIDTH, 140), values={"model_name": VAE})
    vision = graph.add("CLIPVisionLoader", (x, 940), (WIDTH, 60), values={"clip_name": "clip_vision_h.safetensors"})
    x += WIDTH + 60
    distill = graph.add("WanVideoLoraSelect", (x, -100), (WIDTH, 160), title="Distill LoRA (8 steps, cfg 1)",
                        values={"lora": DISTILL_LORA, "merge_loras": False})  # fmt: skip
    svi = graph.add("WanVideoLoraSelect", (x, 120), (WIDTH, 160), title=f"SVI LoRA: {svi_title}",
                    links={"prev_lora": (distill, 0)},
                    values={"lora": svi_file, "merge_loras": False})  # fmt: skip
    first = graph.add("WanVideoSetLoRAs", (x, 340), (WIDTH, 60), title="Model for the first clip (no SVI LoRA)",
                      links={"model": (model, 0), "lora": (distill, 0)})  # fmt: skip
    following = graph.add("WanVideoSetLoRAs", (x, 460), (WIDTH, 60), title="Model for the following clips",
                          links={"model": (model, 0), "lora": (svi, 0)})  # fmt: skip
    graph.group("Models and first image", (-30, TOP, 2 * WIDTH + 120, HEIGHT), "#3f789e")
    return Loaders(image, vae, vision, (first, following), x + WIDTH + 100)


def sample_and_decode(graph: Graph, parts: Loaders, *, index: int, x: int, embeds: Source, text: Node) -> Source:
    """The right column of a clip: sampler and decode. Returns the frames."""
    sampler = graph.add(
        "WanVideoSampler", (x, -140), (WIDTH, 700),
        links={"model": (parts.models[min(index, 1)], 0), "image_embeds": embeds, "text_embeds": (text, 0)},
        values={"steps": 8, "cfg": 1.0, "shift": 5.0, "seed": 42 * (index + 1), "scheduler": "euler"},
    )  # fmt: skip
    decode = graph.add("WanVideoDecode", (x, 620), (WIDTH, 200),
                       links={"vae": (parts.vae, 0), "samples": (sampler, 0)})  # fmt: skip
    return (decode, 0)


def finish(graph: Graph, name: str, video: Source | None, *, x: int) -> None:
    """The last column: a video file, and frames for who wants them."""
    if video is None:
        raise ValueError("no clip was made")
    make = graph.add("CreateVideo", (x, -520), (WIDTH, 80), links={"images": video}, values={"fps": 16.0})
    graph.add("SaveVideo", (x, -380), (WIDTH, 360), links={"video": (make, 0)},
              values={"filename_prefix": f"video/{name}"})  # fmt: skip
    graph.add("SaveImage", (x, 40), (WIDTH, 320), title="Frames as PNG (muted: Ctrl+M to turn on)",
              links={"images": video}, values={"filename_prefix": f"{name}/frame"}, muted=True)  # fmt: skip
    graph.group("The finished video", (x - 30, TOP, WIDTH + 60, 1020), "#b58b2a")


def prompt_node(graph: Graph, index: int, prompt: str, *, x: int, columns: int = 2) -> Node:
    """The prompt above a clip's columns."""
    return graph.add(
        "WanVideoTextEncodeCached", (x, -520), (columns * (WIDTH + 40) - 40, 320), title=f"Prompt of clip {index + 1}",
        values={"model_name": TEXT_ENCODER, "positive_prompt": prompt, "negative_prompt": NEGATIVE},
    )  # fmt: skip
