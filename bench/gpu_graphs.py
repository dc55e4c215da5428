"""Graphs of the benchmark on a GPU: chains by one node and by hand, with the models that they are wired with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gpu_models import DISTILL, FILM, I2V, PAIR, PAIR_DISTILL, PAIR_PRO, TALK, TEXT, UNIANIMATE, VAE, VISION

Link = list[Any]

NEGATIVE = "overexposed, static, blurred details, subtitles, worst quality, low quality, jpeg artifacts, deformed"
PROMPTS = (
    "A red panda walks along a mossy branch in a misty forest, the camera follows slowly",
    "The red panda stops and looks up as light rain begins to fall",
    "The red panda climbs down the trunk and drinks from a clear stream",
    "The red panda curls up on a branch and falls asleep as the sun sets",
)
SEED, SEED_STEP, OVERLAP = 42, 42, 5


@dataclass(frozen=True)
class Size:
    width: int = 832
    height: int = 480
    frames: int = 81
    steps: int = 4


class Graph:
    """Collects the nodes of an API graph, with the defaults that the host says."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known
        self.nodes: dict[str, Any] = {}

    def add(self, class_type: str, output: int = 0, **inputs: Any) -> Link:
        """A node; returns a link to one of its outputs."""
        found = {}
        for group in ("required", "optional"):
            for name, spec in self.known[class_type]["input"].get(group, {}).items():
                options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
                choices = spec[0] if isinstance(spec[0], list) else options.get("options")
                if "default" in options or choices:
                    found[name] = options.get("default", choices[0] if choices else None)
        node_id = str(len(self.nodes) + 1)
        kept = {name: value for name, value in found.items() if value is not None}
        self.nodes[node_id] = {"class_type": class_type, "inputs": {**kept, **inputs}}
        return [node_id, output]


@dataclass(frozen=True)
class Models:
    """How a chain's models are wired.

    file, distill, svi: the model, the LoRA of every clip, and that of all clips but the first; "" for none. swap:
    blocks that wait in RAM. merged: the LoRAs are added to the weights. vision: whether images go through CLIP vision.
    guide: what the clips follow, a voice, HuMo's or poses; "" for nothing.
    """

    file: str = I2V
    distill: str = DISTILL
    svi: str = FILM
    vae: str = VAE
    mode: str = "film"
    guide: str = ""
    precision: str = "fp16"
    merged: bool = False
    swap: int = 0
    force_offload: bool = True
    cfg: float = 1.0
    pair: bool = False
    vision: bool = True
    compiled: bool = False


class Scene:
    """What a chain by one node and one by hand share. known: ComfyUI's nodes."""

    def __init__(self, known: dict[str, Any], size: Size, models: Models) -> None:
        self.size, self.models, self.graph = size, models, Graph(known)
        add = self.graph.add
        self.vae = add("WanVideoVAELoader", model_name=models.vae, precision="bf16")
        self.start = add("LoadImage", image="start.png")
        self.t5 = add("LoadWanVideoT5TextEncoder", model_name=TEXT, precision="bf16")
        if models.vision and not models.pair:
            self.vision = add("CLIPVisionLoader", clip_name=VISION)
        if models.pair:
            high, low = ([name.format(noise) for name in (PAIR, PAIR_DISTILL, PAIR_PRO)] for noise in ("HIGH", "LOW"))
            self.first, self.main = self._model(*high)
            self.first_low, self.low = self._model(*low)
        else:
            self.first, self.main = self._model(models.file, models.distill, models.svi)

    def _model(self, file: str, distill: str, svi: str) -> tuple[Link, Link]:
        """A model as the first clip has it, and with the SVI LoRA."""
        add, models = self.graph.add, self.models
        inputs: dict[str, Any] = {"base_precision": models.precision, "attention_mode": "sdpa"}
        if models.swap:
            inputs["block_swap_args"] = add("WanVideoBlockSwap", blocks_to_swap=models.swap)
        if models.compiled:
            inputs["compile_args"] = add("WanVideoTorchCompileSettings")
        if models.guide == "voice":
            inputs["multitalk_model"] = add("MultiTalkModelLoader", model=TALK)
        lora: dict[str, Any] = {"strength": 1.0, "low_mem_load": False, "merge_loras": models.merged}
        first: Link | None = None
        for name in (distill, UNIANIMATE if models.guide == "poses" else ""):
            if name:
                before = {} if first is None else {"prev_lora": first}
                first = add("WanVideoLoraSelect", lora=name, **before, **lora)
        if models.merged:  # the chain has one model then: what is merged cannot be taken off
            first = add("WanVideoLoraSelect", lora=svi, prev_lora=first, **lora)
        model = add("WanVideoModelLoader", model=file, **({} if first is None else {"lora": first}), **inputs)
        if models.merged or not svi:
            return model, model
        return model, add("WanVideoSetLoRAs", model=model, lora=add("WanVideoLoraSelect", lora=svi, **lora))

    def _follows(self, clips: int, overlap: int) -> dict[str, Any]:
        """What the sampler settings bring along, as long as the chain."""
        add, size, guide = self.graph.add, self.size, self.models.guide
        total = size.frames + (clips - 1) * (size.frames - overlap)
        empty = {
            "image_embeds": add("WanVideoEmptyEmbeds", width=size.width, height=size.height, num_frames=size.frames)
        }
        if guide == "humo":
            sizes = {"width": size.width, "height": size.height, "frames": size.frames}
            return {"image_embeds": add("SVIBenchHuMo", vae=self.vae, voice=total, **sizes)}
        if guide == "voice":
            return {**empty, "multitalk_embeds": add("SVIBenchVoice", frames=total)}
        if guide == "poses":
            poses = add("SVIBenchPoses", width=size.width, height=size.height, frames=total)
            return {**empty, "unianimate_poses": add("WanVideoUniAnimatePoseInput", pose_images=poses)}
        return empty

    def story(self, story: str, reel: str, **inputs: Any) -> Graph:
        add, size, models = self.graph.add, self.size, self.models
        follows = self._follows(story.count("\n---\n") + 1, overlap=1)
        settings = add(
            "WanVideoSamplerSettings", model=self.main, steps=size.steps, cfg=models.cfg, shift=5.0, scheduler="euler",
            force_offload=models.force_offload, seed=0, **follows,
        )  # fmt: skip
        if models.pair:
            inputs = {
                "mode": "svi2_pro", "low_noise_model": self.low, "first_clip_low_noise_model": self.first_low,
                "split_step": max(1, size.steps // 2), **inputs,
            }  # fmt: skip
        else:
            inputs = {"mode": models.mode, **({"clip_vision": self.vision} if models.vision else {}), **inputs}
        if self.first is not self.main:
            inputs["first_clip_model"] = self.first
        add(
            "WanVideoSVILongVideo", story=story, width=size.width, height=size.height, num_frames=size.frames,
            seed=SEED, fps=25.0 if models.guide in ("voice", "humo") else 16.0, reel=reel, negative_prompt=NEGATIVE,
            sampler_inputs=settings, vae=self.vae, start_image=self.start, t5=self.t5, **inputs,
        )  # fmt: skip
        return self.graph

    def by_hand(self, prompts: tuple[str, ...], reel: str) -> Graph:
        """The same clips with the nodes that users wire, compared with a reel."""
        add, size = self.graph.add, self.size
        joined = decoded = self.start
        texts = add("SVIBenchTexts", t5=self.t5, prompts="\n---\n".join(prompts), negative_prompt=NEGATIVE)
        for index in range(len(prompts)):
            first = self.start
            if index:
                first = add("WanVideoSVIMotionFrames", 2, images=decoded, overlap_frames=OVERLAP)
            vision = add("WanVideoClipVisionEncode", clip_vision=self.vision, image_1=first)
            embeds = add(
                "WanVideoSVIEmbeds", vae=self.vae, mode="film" if index else "i2v", width=size.width,
                height=size.height, num_frames=size.frames, start_image=decoded, clip_embeds=vision,
            )  # fmt: skip
            samples = add(
                "WanVideoSampler", model=self.main if index else self.first, image_embeds=embeds,
                text_embeds=[texts[0], index], steps=size.steps, cfg=1.0, shift=5.0, scheduler="euler",
                seed=SEED + SEED_STEP * index, force_offload=True,
            )  # fmt: skip
            decoded = add("WanVideoDecode", vae=self.vae, samples=samples, enable_vae_tiling=False)
            joined = (
                add("WanVideoSVIStitch", images_1=joined, images_2=decoded, overlap_frames=OVERLAP, drop="new")
                if index else decoded
            )  # fmt: skip
        add("SVIBenchCompare", images=joined, reel=reel)
        return self.graph


def a_story(prompts: tuple[str, ...], **heads: str) -> str:
    """heads: lines before the prompts, by clip: clip2="[mend]"."""
    blocks = [f"{heads.get(f'clip{number}', '')}\n{prompt}".strip() for number, prompt in enumerate(prompts, 1)]
    return "\n---\n".join(blocks)
