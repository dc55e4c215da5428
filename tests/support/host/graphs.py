"""API graphs for the tests in a real host."""

from __future__ import annotations

import json
from typing import Any

from project import ROOT
from wanvideo_svi import NODE_CLASS_MAPPINGS
from workflow_files import HOLOCINE, MAGREF, MODEL, PRO_MODEL
from workflow_graph import WIDGET_TYPES, definition, widgets
from workflow_parts import NEGATIVE, PROMPTS

WORKFLOWS = ROOT / "example_workflows"
VAE_FILE = "tiny_vae.safetensors"
CONTROL_FILE = "tiny_fun_control.safetensors"
UNIANIMATE_FILE = "tiny_unianimate.safetensors"
MULTITALK_FILE = "tiny_multitalk.safetensors"
HUMO_FILE = "tiny_humo.safetensors"

Link = list[Any]

_FOLDERS = {  # widget that names a file -> kind of tiny model
    ("WanVideoModelLoader", "model"): "i2v",
    ("WanVideoVAELoader", "model_name"): "vae",
    ("WanVideoLoraSelect", "lora"): "loras",
    ("WanVideoTextEncodeCached", "model_name"): "text_encoders",
    ("MultiTalkModelLoader", "model"): "multitalk",
}
# Nodes that load files or fetch models, and those of the tests that stand in for them.
STAND_INS = {
    "LoadWanVideoT5TextEncoder": "SVITestT5", "CLIPVisionLoader": "SVITestClipVision",
    "Wav2VecModelLoader": "SVITestWav2Vec", "WhisperModelLoader": "SVITestWhisper",
    "WanVideoUniAnimateDWPoseDetector": "SVITestPoses",
}  # fmt: skip
FEATURES = 100  # more than the audio of the tests has frames


def model_names() -> dict[str, list[str]]:
    """What the example workflows load, for make_models.py."""
    found: dict[str, list[str]] = {
        kind: []
        for kind in (*_FOLDERS.values(), "pair", "control", "t2v", "humo", "multitalk", "unianimate", "prompts")
    }
    for path in sorted(WORKFLOWS.glob("*.json")):
        for node in api_graph(json.loads(path.read_text())).values():
            if node["class_type"] == "WanVideoHoloCinePrompt":
                answer = NODE_CLASS_MAPPINGS["WanVideoHoloCinePrompt"]().write(**node["inputs"])
                found["prompts"].append(answer["result"][0])
            for name, value in node["inputs"].items():
                if isinstance(value, list):
                    continue
                kind = _FOLDERS.get((node["class_type"], name))
                if name in ("positive_prompt", "negative_prompt"):
                    kind = "prompts"
                if kind == "i2v" and value.startswith("Wan2_2"):
                    kind = "t2v" if "T2V" in value else "pair"
                if kind == "i2v" and "HuMo" in value:
                    kind = "humo"
                if kind == "loras" and "UniAnimate" in value:
                    kind = "unianimate"
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
    smaller = {"width": size, "height": size, "num_frames": frames, "length": frames, "amount": frames}
    for node in graph.values():
        if node["class_type"] not in ("CreateVideo", "SaveVideo", "SaveImage"):
            node["inputs"] |= {key: value for key, value in smaller.items() if key in node["inputs"]}
        if node["inputs"].get("keyframes"):
            node["inputs"]["keyframes"] = "0, 8, -1"
        node["class_type"] = STAND_INS.get(node["class_type"], node["class_type"])
        if node["class_type"] == "MultiTalkWav2VecEmbeds":
            node["inputs"] |= {"num_frames": FEATURES, "normalize_loudness": False}  # wants a package more
        if node["class_type"] == "WanVideoModelLoader" and "Uni" in name_of(graph, node["inputs"].get("lora")):
            node["inputs"]["base_precision"] = "fp32"  # convolutions in fp16 take a CPU minutes
        if node["class_type"] == "WanVideoSVILongVideo":
            node["inputs"]["story"] = node["inputs"]["story"].replace("frames=49", "frames=13")
            node["inputs"]["split_step"] = min(node["inputs"]["split_step"], 1)
        if node["class_type"] == "WanVideoSamplerSettings":
            node["inputs"]["steps"] = 2
        if node["class_type"] == "WanVideoHighLowPair":
            node["inputs"]["steps"] = 2
        if node["class_type"] == "WanVideoSampler" and not isinstance(steps := node["inputs"]["steps"], list):
            node["inputs"]["steps"] = 2
            for key in ("start_step", "end_step"):
                if node["inputs"][key] > 0:
                    node["inputs"][key] = node["inputs"][key] * 2 // steps
        if node["class_type"] == "WanVideoTextEncodeCached":
            node["inputs"]["device"] = "cpu"
        if node["class_type"] == "WanVideoVAELoader":
            node["inputs"]["precision"] = "fp32"  # bf16 takes a CPU without bf16 instructions 30 times as long
    return graph


def name_of(graph: dict[str, Any], link: Link | None) -> str:
    """Files of the LoRAs behind a loader's input."""
    if link is None:
        return ""
    inputs = graph[link[0]]["inputs"]
    return f"{inputs['lora']} {name_of(graph, inputs.get('prev_lora'))}"


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

    def full(self, class_type: str, **inputs: Any) -> Link:
        """A node with the defaults of its widgets, but for `inputs`."""
        known = definition(class_type)["inputs"]
        defaults = {name: options.get("default", "") for name, (kind, options) in known.items() if kind in WIDGET_TYPES}
        return self.link(class_type, **{**defaults, **inputs})

    def text(self) -> Link:
        return self.full("WanVideoTextEncodeCached", model_name="umt5-xxl-enc-bf16.safetensors",
                         positive_prompt=PROMPTS["film"][0], negative_prompt=NEGATIVE, device="cpu")  # fmt: skip

    def model(self, name: str = MODEL) -> Link:
        return self.full("WanVideoModelLoader", model=name, base_precision="fp16", attention_mode="sdpa")

    def talk_and_dance_model(self) -> Link:
        """The tiny model with talk layers and UniAnimate's pose layers (whose convolutions take minutes in fp16)."""
        return self.full("WanVideoModelLoader", model=MODEL, base_precision="fp32", attention_mode="sdpa",
                         lora=self.full("WanVideoLoraSelect", lora=UNIANIMATE_FILE, strength=1.0),
                         multitalk_model=self.link("MultiTalkModelLoader", model=MULTITALK_FILE))  # fmt: skip

    def pair(self) -> tuple[Link, Link]:
        """The high and the low noise model."""
        return self.model(PRO_MODEL.format("HIGH")), self.model(PRO_MODEL.format("LOW"))

    def text_and_image(self) -> tuple[Link, Link]:
        """HoloCine for high noise (text-to-video) and MAGREF for low (image-to-video)."""
        return self.model(HOLOCINE), self.model(MAGREF)

    def sample(self, model: Link, embeds: Link, text: Link, **inputs: Any) -> Link:
        """Two steps of euler."""
        return self.full("WanVideoSampler", model=model, image_embeds=embeds, text_embeds=text,
                         **{"steps": 2, "cfg": 1.0, "scheduler": "euler", **inputs})  # fmt: skip

    def sample_pair(self, pair: tuple[Link, Link], embeds: Link, text: Link, *, seed: int = 0) -> Link:
        """One step of each model."""
        high = self.sample(pair[0], embeds, text, seed=seed, end_step=1)
        return self.sample(pair[1], embeds, text, seed=seed, samples=high, start_step=1)

    def encode(self, vae: Link, image: Link) -> Link:
        return self.full("WanVideoEncode", vae=vae, image=image)

    def decode(self, vae: Link, samples: Link) -> Link:
        return self.full("WanVideoDecode", vae=vae, samples=samples)

    def latent(self, count: int = 1, *, seed: int = 0, **inputs: Any) -> Link:
        """Seeded random latents [batch, 16, count, height, width]."""
        shape = {"channels": 16, "height": 8, "width": 8, "batch": 1, "dtype": "float32", "axes": 5}
        return self.link("SVITestLatent", count=count, seed=seed, **{**shape, **inputs})

    def dump(self, value: Link, name: str) -> None:
        self.add("SVITestDump", value=value, name=name)

    def vae(self, precision: str = "fp32") -> Link:
        return self.link("WanVideoVAELoader", model_name=VAE_FILE, precision=precision)

    def images(self, frames: int = 1, *, width: int = 64, height: int = 64, seed: int = 0) -> Link:
        return self.link("SVITestImages", frames=frames, width=width, height=height, seed=seed, channels=3)

    def tail(self, images: Link, *, frames: int, count: int) -> Link:
        """The last `count` of `frames` frames by ComfyUI's own node."""
        return self.link("ImageFromBatch", image=images, batch_index=frames - count, length=count)
