"""Builds example_workflows/*.json (UI format) from the host's recorded inputs and this pack's own.

usage: python tools/example_workflows.py        (from the repository's root, with the pack installed)

Widget values are stored by position, so they are written from the node definitions and never by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.recipes import recipe

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = json.loads((ROOT / "tests/data/host_contract.json").read_text())["nodes"]

WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
NEGATIVE = (
    "overexposed, static, blurred details, subtitles, worst quality, low quality, jpeg artifacts, deformed, "
    "fused fingers, still picture, cluttered background"
)
MODEL = "Wan2_1-I2V-14B-480P_fp8_e4m3fn.safetensors"
DISTILL_LORA = "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors"
SVI_LORA = {"film": "svi-film-opt-10212025.safetensors", "shot": "svi-shot.safetensors"}
PROMPTS = {
    "film": (
        "A red panda walks along a mossy branch in a misty forest, the camera follows slowly",
        "The red panda stops and looks up as light rain begins to fall",
        "The red panda climbs down the trunk and drinks from a clear stream",
    ),
    "shot": ("A red panda sits on a mossy branch, looks around and scratches its ear, misty forest",) * 3,
}

Source = tuple["Node", int]


def definition(node_type: str) -> dict[str, Any]:
    """Inputs and outputs of a node: {"inputs": {name: (type, options, required)}, "outputs": [(name, type)]}."""
    if node_type in NODE_CLASS_MAPPINGS:
        cls = NODE_CLASS_MAPPINGS[node_type]
        groups, types, names = cls.INPUT_TYPES(), cls.RETURN_TYPES, cls.RETURN_NAMES
    else:
        recorded = CONTRACT[node_type]
        groups, types, names = recorded["input"], recorded["output"], recorded["output_name"]
    inputs = {}
    for group in ("required", "optional"):
        for name, spec in groups.get(group, {}).items():
            kind, options = spec[0], spec[1] if len(spec) > 1 else {}
            if not isinstance(kind, str):
                kind, options = "COMBO", {"default": next(iter(kind), ""), **options}
            inputs[name] = (kind, options)
    return {"inputs": inputs, "outputs": list(zip(names, types, strict=True))}


def widgets(node: dict[str, Any]) -> dict[str, Any]:
    """Widget values of a saved node by name. The frontend's own extras (control_after_generate, upload) are left out.

    Raises ValueError when the values do not fit the node's definition.
    """
    values = list(node["widgets_values"])
    named = {}
    for name, (kind, _) in definition(node["type"])["inputs"].items():
        if kind in WIDGET_TYPES:
            named[name] = values.pop(0)
            if name == "seed":
                values.pop(0)
    if values not in ([], ["image"]):
        raise ValueError(f"{node['type']} has {len(values)} values too many: {values}")
    return named


@dataclass(eq=False)
class Node:
    """A node to be: `links` are inputs from other nodes, `values` the widgets that differ from their defaults."""

    type: str
    pos: tuple[int, int]
    size: tuple[int, int]
    title: str = ""
    links: dict[str, Source] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    muted: bool = False
    colour: str = ""
    id: int = 0


class Graph:
    """Collects nodes and writes them as a saved workflow."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.groups: list[dict[str, Any]] = []

    def add(self, node_type: str, pos: tuple[int, int], size: tuple[int, int], **rest: Any) -> Node:
        node = Node(node_type, pos, size, id=len(self.nodes) + 1, **rest)
        self.nodes.append(node)
        return node

    def group(self, title: str, box: tuple[int, int, int, int], colour: str) -> None:
        self.groups.append(
            {"id": len(self.groups) + 1, "title": title, "bounding": list(box), "color": colour, "font_size": 24}
        )

    def save(self) -> dict[str, Any]:
        links: list[list[Any]] = []
        saved = {node.id: self._node(node) for node in self.nodes}
        for node in self.nodes:
            for name, (source, slot) in node.links.items():
                kind = definition(source.type)["outputs"][slot][1]
                inputs = saved[node.id]["inputs"]
                index = next(i for i, entry in enumerate(inputs) if entry["name"] == name)
                link = [len(links) + 1, source.id, slot, node.id, index, kind]
                links.append(link)
                inputs[index]["link"] = link[0]
                saved[source.id]["outputs"][slot]["links"].append(link[0])
        return {
            "last_node_id": len(self.nodes), "last_link_id": len(links), "nodes": list(saved.values()), "links": links,
            "groups": self.groups, "config": {}, "extra": {}, "version": 0.4,
        }  # fmt: skip

    def _node(self, node: Node) -> dict[str, Any]:
        base: dict[str, Any] = {
            "id": node.id, "type": node.type, "pos": list(node.pos), "size": list(node.size), "flags": {},
            "order": node.id - 1, "mode": 2 if node.muted else 0, "inputs": [], "outputs": [],
            "properties": {"Node name for S&R": node.type}, "widgets_values": [],
        }  # fmt: skip
        if node.title:
            base["title"] = node.title
        if node.colour:
            base["color"], base["bgcolor"] = node.colour, node.colour
        if node.type == "MarkdownNote":
            return {**base, "properties": {}, "widgets_values": [node.values["text"]]}
        known = definition(node.type)
        unknown = (set(node.links) | set(node.values)) - set(known["inputs"])
        if unknown:
            raise ValueError(f"{node.type} has no input {', '.join(sorted(unknown))}")
        for name, (kind, options) in known["inputs"].items():
            if kind in WIDGET_TYPES:
                base["widgets_values"].append(node.values.get(name, options.get("default", "")))
                if name == "seed":
                    base["widgets_values"].append("fixed")
            else:
                base["inputs"].append({"name": name, "type": kind, "link": None})
        if node.type == "LoadImage":
            base["widgets_values"].append("image")
        base["outputs"] = [{"name": name, "type": kind, "links": []} for name, kind in known["outputs"]]
        return base


def chain(mode: str) -> dict[str, Any]:
    """A three-clip chain in `mode`: film or shot. The first clip runs without the SVI LoRA."""
    overlap = recipe(mode).motion_frames
    graph = Graph()
    x, width = 0, 400
    top, height = -620, 1660  # of the groups
    graph.add("MarkdownNote", (x, -520), (2 * width + 60, 360), title="Read me", values={"text": note(mode, overlap)},
              colour="#432")  # fmt: skip
    image = graph.add("LoadImage", (x, -100), (width, 400), title="First image", values={"image": "example.png"})
    model = graph.add(
        "WanVideoModelLoader", (x, 360), (width, 320),
        values={"model": MODEL, "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"},
    )  # fmt: skip
    vae = graph.add("WanVideoVAELoader", (x, 740), (width, 140),
                    values={"model_name": "Wan2_1_VAE_bf16.safetensors"})  # fmt: skip
    vision = graph.add("CLIPVisionLoader", (x, 940), (width, 60), values={"clip_name": "clip_vision_h.safetensors"})
    x += width + 60
    distill = graph.add("WanVideoLoraSelect", (x, -100), (width, 160), title="Distill LoRA (8 steps, cfg 1)",
                        values={"lora": DISTILL_LORA, "merge_loras": False})  # fmt: skip
    svi = graph.add("WanVideoLoraSelect", (x, 120), (width, 160), title=f"SVI LoRA: {mode}",
                    links={"prev_lora": (distill, 0)},
                    values={"lora": SVI_LORA[mode], "merge_loras": False})  # fmt: skip
    first_model = graph.add("WanVideoSetLoRAs", (x, 340), (width, 60), title="Model for the first clip (no SVI LoRA)",
                            links={"model": (model, 0), "lora": (distill, 0)})  # fmt: skip
    main_model = graph.add("WanVideoSetLoRAs", (x, 460), (width, 60), title="Model for the following clips",
                           links={"model": (model, 0), "lora": (svi, 0)})  # fmt: skip
    graph.group("Models and first image", (-30, top, 2 * width + 120, height), "#3f789e")

    x += width + 100
    video: Source | None = None
    clip: Source = (image, 0)
    for index, prompt in enumerate(PROMPTS[mode]):
        left, right = x, x + width + 40
        text = graph.add(
            "WanVideoTextEncodeCached", (left, -520), (2 * width + 40, 320), title=f"Prompt of clip {index + 1}",
            values={"model_name": "umt5-xxl-enc-bf16.safetensors", "positive_prompt": prompt,
                    "negative_prompt": NEGATIVE},
        )  # fmt: skip
        seen = clip
        if index:
            motion = graph.add("WanVideoSVIMotionFrames", (left, -140), (width, 120), links={"images": clip},
                               values={"overlap_frames": overlap})  # fmt: skip
            seen = (motion, 2)
        embeds_of = graph.add("WanVideoClipVisionEncode", (left, 20), (width, 270),
                              links={"clip_vision": (vision, 0), "image_1": seen})  # fmt: skip
        links: dict[str, Source] = {"vae": (vae, 0), "start_image": clip, "clip_embeds": (embeds_of, 0)}
        this_mode = mode if index else "i2v"  # without the LoRA, reference padding would only hold the motion back
        if recipe(this_mode).padding == "reference":
            links["ref_image"] = (image, 0)
        embeds = graph.add("WanVideoSVIEmbeds", (left, 350), (width, 540), title=f"Clip {index + 1}: {this_mode}",
                           links=links, values={"mode": this_mode}, colour="#2a363b")  # fmt: skip
        sampler = graph.add(
            "WanVideoSampler", (right, -140), (width, 700),
            links={"model": (main_model if index else first_model, 0), "image_embeds": (embeds, 0),
                   "text_embeds": (text, 0)},
            values={"steps": 8, "cfg": 1.0, "shift": 5.0, "seed": 42 * (index + 1), "scheduler": "euler"},
        )  # fmt: skip
        decode = graph.add("WanVideoDecode", (right, 620), (width, 200),
                           links={"vae": (vae, 0), "samples": (sampler, 0)})  # fmt: skip
        clip = (decode, 0)
        if video is None:
            video = clip
        else:
            joined = graph.add(
                "WanVideoSVIStitch", (right, 880), (width, 110), title=f"Clips 1-{index + 1} stitched",
                links={"images_1": video, "images_2": clip}, values={"overlap_frames": overlap},
            )  # fmt: skip
            video = (joined, 0)
        graph.group(f"Clip {index + 1}", (left - 30, top, 2 * width + 100, height), "#3f789e" if index % 2 else "#8a8")
        x += 2 * width + 140
    make = graph.add("CreateVideo", (x, -520), (width, 80), links={"images": video}, values={"fps": 16.0})
    graph.add("SaveVideo", (x, -380), (width, 360), links={"video": (make, 0)},
              values={"filename_prefix": f"video/svi_{mode}_chain"})  # fmt: skip
    graph.add("SaveImage", (x, 40), (width, 320), title="Frames as PNG (muted: Ctrl+M to turn on)",
              links={"images": video}, values={"filename_prefix": f"svi_{mode}_chain/frame"}, muted=True)  # fmt: skip
    graph.group("The finished video", (x - 30, top, width + 60, 1020), "#b58b2a")
    return graph.save()


def note(mode: str, overlap: int) -> str:
    """What the workflow needs and how to change it."""
    row = recipe(mode)
    frames = f"The last {overlap} frames of each clip lead" if overlap > 1 else "The last frame of each clip leads"
    reference = (
        "\n- The following clips have your first image as `ref_image`: the original, never the last frame of the clip "
        "before."
        if row.padding == "reference"
        else ""
    )
    return f"""## SVI {mode}: three clips, {3 * 81 - 2 * overlap} frames

**Models** (folder in ComfyUI/models)
- `diffusion_models`: {MODEL}
- `loras`: {SVI_LORA[mode]} (SVI 1.0), {DISTILL_LORA}
- `vae`: Wan2_1_VAE_bf16.safetensors
- `text_encoders`: umt5-xxl-enc-bf16.safetensors
- `clip_vision`: clip_vision_h.safetensors

**How it works**
- {frames} the next, so the overlap is {overlap} in *Motion Frames* and *Stitch*.
- The first clip runs **without** the SVI LoRA, which would only freeze its motion, and in mode `i2v`.{reference}
- Every clip has its own seed: the same noise in each clip builds up artefacts.
- CLIP vision sees the first motion frame of each clip.

**To change**
- Clip length: `num_frames` in all three *SVI Embeds* (4k+1).
- No distill LoRA: 50 steps, cfg 5.
- More clips: copy a clip group, wire its `start_image` to the decode before it, then one more *Stitch*.
- LoRAs are applied unmerged, so that the model is loaded once. Merged (`merge_loras` on, the LoRA wired to its own
  model loader) is the safest setting if you have the memory for two.
"""


def main() -> None:
    for mode in ("film", "shot"):
        target = ROOT / "example_workflows" / f"svi_{mode}_chain.json"
        target.write_text(json.dumps(chain(mode), indent=1) + "\n")
        print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
