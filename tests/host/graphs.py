"""API graphs for the tests in a real host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from example_workflows import widgets

WORKFLOWS = Path(__file__).resolve().parents[2] / "example_workflows"
VAE_FILE = "tiny_vae.safetensors"

Link = list[Any]

_FOLDERS = {  # widget that names a file -> kind of tiny model
    ("WanVideoModelLoader", "model"): "i2v",
    ("WanVideoVAELoader", "model_name"): "vae",
    ("WanVideoLoraSelect", "lora"): "loras",
    ("WanVideoTextEncodeCached", "model_name"): "text_encoders",
}


def model_names() -> dict[str, list[str]]:
    """What the example workflows load, for make_models.py."""
    found: dict[str, list[str]] = {kind: [] for kind in (*_FOLDERS.values(), "prompts")}
    for path in sorted(WORKFLOWS.glob("*.json")):
        for node in api_graph(json.loads(path.read_text())).values():
            for name, value in node["inputs"].items():
                kind = _FOLDERS.get((node["class_type"], name))
                if name in ("positive_prompt", "negative_prompt"):
                    kind = "prompts"
                if kind and value not in found[kind]:
                    found[kind].append(value)
    return found


def api_graph(workflow: dict[str, Any], *, unmute: tuple[str, ...] = ()) -> dict[str, Any]:
    """A saved (UI) graph as ComfyUI's server takes it. Muted nodes are left out, but for types in `unmute`."""
    source = {link: [str(origin), slot] for link, origin, slot, *_ in workflow["links"]}
    graph = {}
    for node in workflow["nodes"]:
        if node["type"] == "MarkdownNote" or (node["mode"] == 2 and node["type"] not in unmute):
            continue
        links = {entry["name"]: source[entry["link"]] for entry in node["inputs"] if entry["link"] is not None}
        graph[str(node["id"])] = {"class_type": node["type"], "inputs": {**widgets(node), **links}}
    return graph


def tiny_chain(name: str, *, frames: int, size: int) -> dict[str, Any]:
    """A shipped workflow made small: few frames and pixels, two steps, and a CLIP vision model that needs no file."""
    graph = api_graph(json.loads((WORKFLOWS / f"{name}.json").read_text()), unmute=("SaveImage",))
    for node in graph.values():
        if node["class_type"] == "WanVideoSVIEmbeds":
            node["inputs"] |= {"width": size, "height": size, "num_frames": frames}
        if node["class_type"] == "WanVideoSampler":
            node["inputs"]["steps"] = 2
        if node["class_type"] == "WanVideoTextEncodeCached":
            node["inputs"]["device"] = "cpu"
        if node["class_type"] == "WanVideoVAELoader":
            node["inputs"]["precision"] = "fp32"  # bf16 takes a CPU without bf16 instructions 30 times as long
        if node["class_type"] == "CLIPVisionLoader":
            node["class_type"] = "SVITestClipVision"
    return graph


class Builder:
    """Collects the nodes of an API graph: `add` returns the node's id, `link` refers to one of its outputs."""

    def __init__(self) -> None:
        self.graph: dict[str, Any] = {}

    def add(self, class_type: str, **inputs: Any) -> str:
        node_id = str(len(self.graph) + 1)
        self.graph[node_id] = {"class_type": class_type, "inputs": inputs}
        return node_id

    def link(self, class_type: str, **inputs: Any) -> Link:
        return [self.add(class_type, **inputs), 0]

    def dump(self, value: Link, name: str) -> None:
        self.add("SVITestDump", value=value, name=name)

    def vae(self, precision: str = "fp32") -> Link:
        return self.link("WanVideoVAELoader", model_name=VAE_FILE, precision=precision)

    def images(self, frames: int = 1, *, width: int = 64, height: int = 64, seed: int = 0) -> Link:
        return self.link("SVITestImages", frames=frames, width=width, height=height, seed=seed, channels=3)

    def tail(self, images: Link, *, frames: int, count: int) -> Link:
        """The last `count` of `frames` frames by ComfyUI's own node."""
        return self.link("ImageFromBatch", image=images, batch_index=frames - count, length=count)
