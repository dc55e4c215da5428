"""Nodes of the GPU benchmark: the chain by hand compared with a reel, and what clips follow without models for it."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import folder_paths
import nodes as host
import torch


class SVIBenchTexts:
    """Prompts encoded one after the other, the text encoder leaving the GPU after the last, as the chain does it."""

    CATEGORY, FUNCTION = "svi_bench", "encode"
    RETURN_TYPES = ("WANVIDEOTEXTEMBEDS",) * 8

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        texts = {name: ("STRING", {"default": "", "multiline": True}) for name in ("prompts", "negative_prompt")}
        return {"required": {"t5": ("WANTEXTENCODER",), **texts}}

    def encode(self, t5: Any, prompts: str, negative_prompt: str) -> tuple[Any, ...]:
        blocks = [block.strip() for block in prompts.split("\n---\n")]
        node = host.NODE_CLASS_MAPPINGS["WanVideoTextEncode"]
        made = [
            getattr(node(), node.FUNCTION)(
                positive_prompt=prompt, negative_prompt=negative_prompt, t5=t5, force_offload=prompt == blocks[-1]
            )[0]
            for prompt in blocks
        ]
        return tuple(made + made[-1:] * (8 - len(made)))


class SVIBenchCompare:
    """How many frames are those that a reel begins with, bit for bit."""

    CATEGORY, FUNCTION, OUTPUT_NODE = "svi_bench", "compare", True
    RETURN_TYPES = ()
    installed: Sequence[str] = ()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"images": ("IMAGE",), "reel": ("STRING", {"default": ""})}}

    def compare(self, images: Any, reel: str) -> dict[str, Any]:
        pack = self.installed[0]
        open_reel = importlib.import_module(f"{pack}.svi_embeds.reel.reel").open_reel
        to_pixels = importlib.import_module(f"{pack}.svi_embeds.files.video").to_pixels
        kept = open_reel(Path(folder_paths.get_output_directory()) / "svi_reels" / reel).frames()
        equal = [bool((to_pixels(image) == frame).all()) for image, frame in zip(images.cpu(), kept, strict=False)]
        spread = float(images.std())
        return {"ui": {"svi_bench": [{"frames": len(images), "equal": sum(equal), "spread": spread}]}}


def _drawn(*shape: int) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5)) * 0.1


class SVIBenchVoice:
    """MULTITALK_EMBEDS of a voice of noise, 25 entries a second."""

    CATEGORY, FUNCTION, RETURN_TYPES = "svi_bench", "make", ("MULTITALK_EMBEDS",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"frames": ("INT", {"default": 81})}}

    def make(self, frames: int) -> tuple[Any]:
        features = [_drawn(frames, 12, 768)]
        return ({"audio_features": features, "audio_scale": 1.0, "audio_cfg_scale": 1.0, "ref_target_masks": None},)


class SVIBenchHuMo:
    """The wrapper's HuMo Embeds without sound, and then a voice of noise in them."""

    CATEGORY, FUNCTION, RETURN_TYPES = "svi_bench", "make", ("WANVIDIMAGE_EMBEDS",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        sizes = {name: ("INT", {"default": 81}) for name in ("width", "height", "frames", "voice")}
        return {"required": {"vae": ("WANVAE",), **sizes}}

    def make(self, vae: Any, width: int, height: int, frames: int, voice: int) -> tuple[Any]:
        """frames: of a clip. voice: entries of the voice, 25 a second."""
        silent = {"model": None, "feature_extractor": None, "dtype": torch.float16}
        (embeds,) = host.NODE_CLASS_MAPPINGS["HuMoEmbeds"]().process(
            num_frames=frames, width=width, height=height, audio_scale=1.0, audio_cfg_scale=1.0,
            audio_start_percent=0.0, audio_end_percent=1.0, whisper_model=silent, vae=vae,
        )  # fmt: skip
        like = embeds["humo_audio_emb"]
        heard = {
            "humo_audio_emb": _drawn(voice, *like.shape[1:]),
            "humo_audio_emb_neg": torch.zeros(voice, *like.shape[1:]),
        }
        return ({**embeds, **{name: value.to(like) for name, value in heard.items()}},)


class SVIBenchPoses:
    """An IMAGE of noise, in place of drawn poses."""

    CATEGORY, FUNCTION, RETURN_TYPES = "svi_bench", "make", ("IMAGE",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {name: ("INT", {"default": 81}) for name in ("width", "height", "frames")}}

    def make(self, width: int, height: int, frames: int) -> tuple[Any]:
        return (torch.rand(frames, height, width, 3, generator=torch.Generator().manual_seed(5)),)


class _Clip:
    """As far as CLIP Text Encode asks it: what it makes depends on the prompt."""

    def tokenize(self, text: str) -> str:
        return text

    def encode_from_tokens_scheduled(self, tokens: str) -> Any:
        seed = torch.Generator().manual_seed(zlib.crc32(tokens.encode()))
        return [[torch.randn(1, 12, 4096, generator=seed) * 0.1, {"pooled_output": None}]]


class SVIBenchClip:
    """A CLIP without a model, where small ones are used: ComfyUI's own text encoder has one size."""

    CATEGORY, FUNCTION, RETURN_TYPES = "svi_bench", "make", ("CLIP",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {}}

    def make(self) -> tuple[Any]:
        return (_Clip(),)


class SVIBenchConcat:
    """Whether two conditionings give a model the same image channels and CLIP vision, bit for bit, on its device."""

    CATEGORY, FUNCTION, OUTPUT_NODE = "svi_bench", "compare", True
    RETURN_TYPES = ()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        given = {"model": ("MODEL",), "theirs": ("CONDITIONING",), "ours": ("CONDITIONING",), "latent": ("LATENT",)}
        return {"required": {**given, "name": ("STRING", {"default": ""})}}

    def compare(self, model: Any, theirs: Any, ours: Any, latent: Any, name: str) -> dict[str, Any]:
        device = importlib.import_module("comfy.model_management").get_torch_device()
        noise = torch.zeros_like(latent["samples"], device=device)
        values = [conditioning[0][1] for conditioning in (theirs, ours)]
        concats = [
            model.model.concat_cond(
                noise=noise, device=device,
                **{key: value.clone() for key, value in each.items() if key.startswith("concat_")},
            )
            for each in values
        ]  # fmt: skip
        seen = [each["clip_vision_output"].penultimate_hidden_states for each in values if "clip_vision_output" in each]
        told = {
            "compared": name, "shape": list(concats[0].shape), "equal": torch.equal(*concats),
            "vision": len(seen) != 1 and (not seen or torch.equal(*(each.to(device) for each in seen))),
            "device": str(concats[1].device), "latents": [str(each["concat_latent_image"].device) for each in values],
        }  # fmt: skip
        return {"ui": {"svi_bench": [told]}}


def nodes(installed: Sequence[str]) -> dict[str, Any]:
    """installed: the packages of this pack and of the wrapper, once they are known."""
    SVIBenchCompare.installed = installed
    made = (
        SVIBenchTexts, SVIBenchCompare, SVIBenchVoice, SVIBenchHuMo, SVIBenchPoses, SVIBenchClip, SVIBenchConcat,
    )  # fmt: skip
    return {kind.__name__: kind for kind in made}
