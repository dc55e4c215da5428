"""ComfyUI's own nodes as what samples a chain.

`Sources.sampler` holds what KSampler (Advanced) takes: model, steps, cfg, sampler_name, scheduler, and instead of the
last two what Sampler Custom takes: sampler (SAMPLER) and sigmas (SIGMAS); `low_sampler` the same with the low noise
model.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any

from torch import Tensor

from ...svi_embeds.clips.comfy_vae import as_wan_vae
from ...svi_embeds.clips.latent_space import LatentSpace
from ...svi_embeds.clips.native.to_native import to_native
from ...svi_embeds.clips.vae import Encoder, channels_of
from ...svi_embeds.errors import SVIError
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.text import Loras
from .engine import Given, Models
from .job import Host, Job
from .modes import NATIVE_MODES

_LAST = 10_000  # KSampler Advanced's own word for the last step
# As `ComfyVAE` encodes in tiles. Whole in time: the second of two parts would know nothing of the frames before it.
TILES = {"tile_size": 256, "overlap": 64, "temporal_size": 4096, "temporal_overlap": 8}


class NativeEngine:
    """ComfyUI's own nodes; see `Engine`. A text is {"positive": CONDITIONING, "negative": CONDITIONING}."""

    space: LatentSpace = "native"

    def __init__(self, job: Job, host: Host) -> None:
        self.job, self.host = job, host
        self.negative: Any = None

    # Text

    def texts(self, prompts: Sequence[str]) -> Generator[tuple[str, Any], None, None]:
        if prompts and self.negative is None:
            self.negative = self._text(self.job.settings.negative_prompt)
        for prompt in prompts:
            self.host.stop_if_cancelled()
            yield prompt, {"positive": self._text(prompt), "negative": self.negative}

    def _text(self, prompt: str) -> Any:
        return self.host.call("CLIPTextEncode", clip=self.job.sources.clip, text=prompt)[0]

    # Images

    def vision(self, image: Tensor) -> dict[str, Any] | None:
        if self.job.sources.clip_vision is None:
            return None
        # As ComfyUI's own templates of Wan 2.1 have it.
        (seen,) = self.host.call(
            "CLIPVisionEncode", clip_vision=self.job.sources.clip_vision, image=image, crop="none"
        )  # fmt: skip
        return {"clip_embeds": seen.penultimate_hidden_states, "negative_clip_embeds": None}

    def encoder(self) -> Encoder:
        return Encoder(
            vae=as_wan_vae(self.job.sources.vae), tiled=self.job.settings.tiled_vae, device=self.host.device(),
            before_encode=self.host.stop_if_cancelled,
        )  # fmt: skip

    def encode(self, video: Tensor) -> dict[str, Any]:
        vae = self.job.sources.vae
        if self.job.settings.tiled_vae:
            made = self.host.call("VAEEncodeTiled", pixels=video, vae=vae, **TILES)
        else:
            made = self.host.call("VAEEncode", pixels=video, vae=vae)
        samples: dict[str, Any] = made[0]
        return samples

    def decode(self, samples: Mapping[str, Any]) -> Tensor:
        vae = self.job.sources.vae
        if self.job.settings.tiled_vae:
            made = self.host.call("VAEDecodeTiled", samples=samples, vae=vae, **TILES)
        else:
            made = self.host.call("VAEDecode", samples=samples, vae=vae)
        images: Tensor = made[0].cpu().float()  # with --gpu-only they are on the card
        return images

    # Sampling

    def models(self, clip: ChainClip) -> Models:
        high, low = self.job.sources.models_of(clip)
        return self._with_loras(high, clip.lora), self._with_loras(low, clip.lora_low)

    def _with_loras(self, model: Any, loras: Loras) -> Any:
        for name, strength in loras:
            (model,) = self.host.call("LoraLoaderModelOnly", model=model, lora_name=name, strength_model=strength)
        return model

    def sample(self, clip: ChainClip, given: Given) -> dict[str, Any]:
        native = to_native(given.embeds)
        sources, split = self.job.sources, self.job.settings.split_step
        shared = {
            "positive": native.condition(given.text["positive"]),
            "negative": native.condition(given.text["negative"], name="negative", negative=True),
        }
        sampler = dict(sources.sampler) if clip.cfg is None else {**sources.sampler, "cfg": clip.cfg}
        if sources.low_sampler is None:
            samples = self._run(sampler, given.models[0], clip.seed, native.latent(), (0, None), **shared)
        else:
            low = dict(sources.low_sampler) if clip.cfg is None else {**sources.low_sampler, "cfg": clip.cfg}
            samples = self._run(sampler, given.models[0], clip.seed, native.latent(), (0, split), **shared)
            samples = self._run(low, given.models[1], clip.seed, samples, (split, None), **shared)
        made: Tensor = samples["samples"].cpu()
        return {"samples": made[:, :, native.trim_front : made.shape[2] - native.trim_end]}

    def _run(
        self, sampler: Mapping[str, Any], model: Any, seed: int, latent: Mapping[str, Any],
        steps: tuple[int, int | None], **shared: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """steps: the first, and the one before which it ends; None runs to the last, without noise left over."""
        start, end = steps
        inputs = {**shared, "model": model, "noise_seed": seed, "cfg": sampler["cfg"], "latent_image": latent}
        if sampler.get("sigmas") is not None:
            sigmas = sampler["sigmas"][start : None if end is None else end + 1]
            made = self.host.call(
                "SamplerCustom", add_noise=not start, sampler=sampler["sampler"], sigmas=sigmas, **inputs
            )  # fmt: skip
        else:
            made = self.host.call(
                "KSamplerAdvanced", add_noise="disable" if start else "enable", steps=sampler["steps"],
                sampler_name=sampler["sampler_name"], scheduler=sampler["scheduler"], start_at_step=start,
                end_at_step=_LAST if end is None else end,
                return_with_leftover_noise="disable" if end is None else "enable", **inputs,
            )  # fmt: skip
        samples: dict[str, Any] = made[0]
        return samples


def check_native(job: Job) -> None:
    """Raises SVIError for models and settings that ComfyUI's sampling would not take, or not as they are meant."""
    sources, sampler, split = job.sources, job.sources.sampler, job.settings.split_step
    vae = as_wan_vae(sources.vae)
    if vae is sources.vae:
        raise SVIError(f"vae must be ComfyUI's own VAE, got {type(vae).__name__}: connect Load VAE")
    linked = tuple(name for name in ("sampler", "sigmas") if sampler.get(name) is not None)
    steps = sampler["steps"] if "sigmas" not in linked else len(sampler["sigmas"]) - 1
    if steps is not None and steps < 1:
        raise SVIError(f"sigmas must hold two values or more, got {steps + 1}: connect a scheduler node")
    check_native_plan(job.plan, linked, steps=steps, split=None if sources.low_sampler is None else split)
    for name, model in _models_of(job):
        _check_model(name, model, vae.upsampling_factor)


def check_native_plan(plan: ChainPlan, linked: Collection[str], *, steps: int | None, split: int | None) -> None:
    """The part of `check_native` that needs no models. linked: which of sampler and sigmas are connected. steps: None
    where they are not known. split: None without a low noise model."""
    for clip in plan.clips:
        if clip.mode not in NATIVE_MODES:
            raise clip.wrong(
                f"mode {clip.mode} follows a voice or poses, which ComfyUI's own sampling of Wan image-to-video does "
                "not take: use WanVideo SVI Long Video with the wrapper's models"
            )
    if len(set(linked) & {"sampler", "sigmas"}) == 1:
        raise SVIError("sampler and sigmas come together: connect both, or neither, and set sampler_name and scheduler")
    if split is not None and (split < 1 or (steps is not None and split >= steps)):
        among = "" if steps is None else f" of the {steps} steps"
        raise SVIError(
            f"split_step is {split}: low_noise_model must take over at step 1 or later, before the last one{among}; "
            "half of the steps is usual"
        )


def _models_of(job: Job) -> list[tuple[str, Any]]:
    sources = job.sources
    uses = {clip.model for clip in job.plan.clips}
    main = [("model", sources.sampler["model"]), ("low_noise_model", (sources.low_sampler or {}).get("model"))]
    first = [("first_clip_model", sources.first_model), ("first_clip_low_noise_model", sources.first_low_model)]
    found = (main if "main" in uses else []) + (first if "first" in uses else [])
    return [(name, model) for name, model in found if model is not None]


def _check_model(name: str, model: Any, factor: int) -> None:
    """Raises SVIError for a model that would not see the clip's images. What cannot be looked into is passed over.

    Source: ComfyUI, comfy/model_base.py, WAN21.concat_cond: a model takes as many channels of images and masks as its
    patch embedding has more than the noise, and none where it has no more.
    """
    base = getattr(model, "model", None)
    channels = getattr(getattr(base, "latent_format", None), "latent_channels", None)
    embedding = getattr(getattr(base, "diffusion_model", None), "patch_embedding", None)
    taken = getattr(embedding, "in_channels", None)
    if not isinstance(channels, int) or not isinstance(taken, int):
        return
    if channels != channels_of(factor):
        raise SVIError(
            f"{name} samples latents of {channels} channels, and this VAE makes {channels_of(factor)}: load the VAE "
            "that goes with the model"
        )
    if taken == channels == 48:
        raise SVIError(
            f"{name} is Wan 2.2 TI2V 5B, which takes its image as the first latent (Wan22ImageToVideoLatent) and no "
            "conditioning latents, so SVI does not work with it: load an image-to-video model"
        )
    if taken == channels:
        raise SVIError(
            f"{name} takes no image ({taken} input channels: text-to-video), and every clip of a chain begins with "
            "one: load an image-to-video model"
        )
    if taken != 2 * channels + 4:
        raise SVIError(
            f"{name} has {taken} input channels, an image-to-video model {2 * channels + 4}: models that follow a "
            "control signal have more, and a chain has none for them"
        )
