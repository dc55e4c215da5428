"""What several example workflows share: columns of loaders, a prompt, a sampler, the finished video."""

from __future__ import annotations

from typing import Any, NamedTuple

from workflow_files import CLIP_VISION, DISTILL_LORA, TEXT_ENCODER, VAE
from workflow_graph import COLUMN, Graph, Node, Source

CLIP_GAP = 80  # between clips, beyond that of columns: their groups have sides
PROMPT_ROOM = 110  # for a prompt of some lines, and the negative one
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
SIZE = {"width": 832, "height": 480}


class Loaders(NamedTuple):
    """What the clips of a Wan 2.1 chain share. models: for the first clip, and for the following ones."""

    image: Node
    vae: Node
    vision: Node
    models: tuple[Node, Node]
    x: int  # where the clips begin


def model_loader(graph: Graph, x: int, file: str, **rest: Any) -> Node:
    """A model with the settings that all examples have."""
    values = {"model": file, "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"}
    return graph.add("WanVideoModelLoader", x, values=values, **rest)


def lora(graph: Graph, x: int, file: str, *, title: str, behind: Node | None = None, **values: Any) -> Node:
    """A LoRA, unmerged so that the model is loaded once."""
    links: dict[str, Source] = {"prev_lora": (behind, 0)} if behind else {}
    return graph.add("WanVideoLoraSelect", x, title=title, links=links,
                     values={"lora": file, "merge_loras": False, **values})  # fmt: skip


def set_loras(graph: Graph, x: int, model: Node, loras: Node, *, title: str) -> Node:
    """The model with LoRAs."""
    return graph.add("WanVideoSetLoRAs", x, title=title, links={"model": (model, 0), "lora": (loras, 0)})


def picture(graph: Graph, x: int, title: str) -> Node:
    """An image that ComfyUI has in its input folder."""
    return graph.add("LoadImage", x, title=title, values={"image": "example.png"})


def to_size(graph: Graph, x: int, image: Source, *, title: str = "To the size of the clips") -> Node:
    """An image or video in the size of the clips."""
    return graph.add("ImageScale", x, title=title, links={"image": image},
                     values={"upscale_method": "lanczos", **SIZE, "crop": "center"})  # fmt: skip


def loaders(graph: Graph, *, text: str, model_file: str, svi_file: str, svi_title: str) -> Loaders:
    """The two columns with models and the first image. What clips take stands in the second: no wire runs under it."""
    graph.note(text)
    model = model_loader(graph, 0, model_file)
    distill = lora(graph, 0, DISTILL_LORA, title="Distill LoRA (8 steps, cfg 1)")
    svi = lora(graph, 0, svi_file, title=f"SVI LoRA: {svi_title}", behind=distill)
    x = COLUMN
    image = picture(graph, x, "First image")
    vae = graph.add("WanVideoVAELoader", x, values={"model_name": VAE})
    vision = graph.add("CLIPVisionLoader", x, values={"clip_name": CLIP_VISION})
    first = set_loras(graph, x, model, distill, title="Model for the first clip (no SVI LoRA)")
    following = set_loras(graph, x, model, svi, title="Model for the following clips")
    graph.group("Models and first image", "#3f789e")
    return Loaders(image, vae, vision, (first, following), x + COLUMN + CLIP_GAP)


def sampler(graph: Graph, x: int, *, index: int, links: dict[str, Source], title: str = "", **values: Any) -> Node:
    """The sampler of a clip: another seed in each."""
    usual = {"steps": 8, "cfg": 1.0, "shift": 5.0, "seed": 42 * (index + 1), "scheduler": "euler"}
    return graph.add("WanVideoSampler", x, title=title, links=links, values={**usual, **values})


def sample_and_decode(graph: Graph, parts: Loaders, *, index: int, x: int, embeds: Source, text: Node) -> Source:
    """The right column of a clip: sampler and decode. Returns the frames."""
    model = parts.models[min(index, 1)]
    samples = sampler(
        graph, x, index=index, links={"model": (model, 0), "image_embeds": embeds, "text_embeds": (text, 0)}
    )
    decode = graph.add("WanVideoDecode", x, links={"vae": (parts.vae, 0), "samples": (samples, 0)})
    return (decode, 0)


def stitch(graph: Graph, x: int, video: Source | None, clip: Source, *, index: int, **more: Any) -> Source:
    """The video up to this clip. more: links or values of the node."""
    if video is None:
        return clip
    links = {"images_1": video, "images_2": clip, **more.pop("links", {})}
    joined = graph.add("WanVideoSVIStitch", x, title=f"Clips 1-{index + 1} stitched", links=links, **more)
    return (joined, 0)


def close_clip(graph: Graph, index: int) -> None:
    """The group of a clip."""
    graph.group(f"Clip {index + 1}", "#3f789e" if index % 2 else "#8a8")


def finish(
    graph: Graph, name: str, video: Source | None, *, x: int, fps: float = 16.0, audio: Source | None = None
) -> None:
    """The last column: a video file, and frames for who wants them."""
    if video is None:
        raise ValueError("no clip was made")
    links = {"images": video, "audio": audio} if audio else {"images": video}
    make = graph.add("CreateVideo", x, links=links, values={"fps": fps})
    graph.add("SaveVideo", x, links={"video": (make, 0)}, values={"filename_prefix": f"video/{name}"})
    graph.add("SaveImage", x, title="Frames as PNG (muted: Ctrl+M to turn on)", links={"images": video},
              values={"filename_prefix": f"{name}/frame"}, muted=True)  # fmt: skip
    graph.group("The finished video", "#b58b2a")


def prompt_node(graph: Graph, index: int, prompt: str, *, x: int) -> Node:
    """A clip's prompt, on top of its first column."""
    return graph.add(
        "WanVideoTextEncodeCached", x, title=f"Prompt of clip {index + 1}", room=PROMPT_ROOM,
        values={"model_name": TEXT_ENCODER, "positive_prompt": prompt, "negative_prompt": NEGATIVE},
    )  # fmt: skip


def motion_frames(graph: Graph, x: int, clip: Source, overlap: int) -> Node:
    """The end of the clip before."""
    return graph.add("WanVideoSVIMotionFrames", x, links={"images": clip}, values={"overlap_frames": overlap})


def see(graph: Graph, x: int, vision: Node, image: Source) -> Node:
    """An image as CLIP vision sees it."""
    return graph.add("WanVideoClipVisionEncode", x, links={"clip_vision": (vision, 0), "image_1": image})
