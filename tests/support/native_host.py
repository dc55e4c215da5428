"""ComfyUI's own nodes as a chain calls them, standing in, and a chain to render with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from fake_host import FakeHost, job
from helpers import frames
from native_vae import NativeVAE
from torch import Tensor
from wanvideo_svi.svi_embeds.ground.fingerprint import fingerprint
from wanvideo_svi.wrapper_ext.engine.job import Job


def native_model(name: str = "main", *, channels: int = 16, taken: int = 36) -> Any:
    """A MODEL as far as it is looked into."""
    inside = SimpleNamespace(
        latent_format=SimpleNamespace(latent_channels=channels),
        diffusion_model=SimpleNamespace(patch_embedding=SimpleNamespace(in_channels=taken)),
    )
    return SimpleNamespace(name=name, model=inside)


class NativeHost(FakeHost):
    """Values depend on what the nodes were given: on the conditioning, the latent, the seed and the steps."""

    def CLIPTextEncode(self, clip: Any, text: str) -> tuple[Any]:  # noqa: ARG002
        seed = int(fingerprint(text)[:8], 16)
        made = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(seed))
        return ([[made, {"pooled_output": None}]],)

    def CLIPVisionEncode(self, clip_vision: Any, image: Tensor, crop: str) -> tuple[Any]:  # noqa: ARG002
        assert crop == "none"
        return (SimpleNamespace(penultimate_hidden_states=image.mean().expand(1, 257, 8).clone()),)

    def VAEEncode(self, pixels: Tensor, vae: NativeVAE) -> tuple[Any]:
        return ({"samples": vae.encode(pixels[..., :3])},)

    def VAEDecode(self, samples: dict[str, Any], vae: Any) -> tuple[Tensor]:  # noqa: ARG002
        assert set(samples) == {"samples"}
        latents = samples["samples"]
        return (frames(4 * latents.shape[2] - 3, seed=int(fingerprint(latents)[:8], 16)),)

    def VAEEncodeTiled(self, pixels: Tensor, vae: NativeVAE, **_: int) -> tuple[Any]:
        return ({"samples": vae.encode_tiled(pixels[..., :3])},)

    def VAEDecodeTiled(self, samples: dict[str, Any], vae: Any, **_: int) -> tuple[Tensor]:
        return self.VAEDecode(samples, vae)

    def LoraLoaderModelOnly(self, model: Any, lora_name: str, strength_model: float) -> tuple[Any]:
        return (SimpleNamespace(name=f"{model.name} with {lora_name} {strength_model}", model=model.model),)

    def KSamplerAdvanced(self, **inputs: Any) -> tuple[Any]:
        return self._sampled(inputs)

    def SamplerCustom(self, **inputs: Any) -> tuple[Any, Any]:
        (made,) = self._sampled({**inputs, "sampler": str(inputs["sampler"])})
        return made, made

    def _sampled(self, inputs: dict[str, Any]) -> tuple[Any]:
        told: dict[str, Any] = {key: value for key, value in inputs.items() if key not in ("positive", "negative")}
        for key in ("positive", "negative"):
            ((text, values),) = inputs[key]
            vision = values.get("clip_vision_output")
            told[key] = [text, values["concat_latent_image"], values["concat_mask"],
                         None if vision is None else vision.penultimate_hidden_states]  # fmt: skip
        told["model"] = inputs["model"].name
        shape = inputs["latent_image"]["samples"].shape
        seed = int(fingerprint(told)[:8], 16)
        return ({"samples": torch.randn(shape, generator=torch.Generator().manual_seed(seed))},)


SAMPLING = {"steps": 8, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple", "sampler": None, "sigmas": None}


def native_sampler(name: str = "main", **values: Any) -> dict[str, Any]:
    return {"model": native_model(name), **SAMPLING, **values}


def native_job(story: str = "a lake\n---\na boat\n---\nthe fog lifts", **options: Any) -> Job:
    """options: as of `job`."""
    given = {
        "engine": "native", "vae": NativeVAE(), "sampler": native_sampler(), "t5": None, "clip": "CLIP",
        "origin": {"model": "m1", "clip": "c1"}, **options,
    }  # fmt: skip
    return job(story, **given)


NATIVE_PAIR = {"sampler": native_sampler("high"), "low_sampler": native_sampler("low"), "split_step": 4}
