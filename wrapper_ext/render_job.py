"""What a chain is rendered from, and whether its parts fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from ..svi_embeds.chain import ChainPlan
from ..svi_embeds.checks import check_choice, check_share
from ..svi_embeds.colour import check_mkl
from ..svi_embeds.colour_choices import COLOUR_CHOICES, COLOUR_TARGETS
from ..svi_embeds.encode import channels_of
from ..svi_embeds.errors import SVIError
from ..svi_embeds.file_names import SVI_ON_CONTROL
from ..svi_embeds.guides import Guides
from ..svi_embeds.models import seen_facts
from ..svi_embeds.recipes import SVI2_PRO, check_channels, recipe


class Host(Protocol):
    """What rendering needs of the host; the module `host` is one."""

    def call(self, node_id: str, **inputs: Any) -> tuple[Any, ...]: ...
    def device(self) -> torch.device: ...
    def offload_device(self) -> torch.device: ...
    def free_memory(self) -> None: ...
    def stop_if_cancelled(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that decides a chain's clips.

    sampler: the host's SAMPLER_ARGS. low_sampler: those of the low noise stage. split_step: the step at which it takes
    over, 0 for what the two say. first_model, first_low_model: models without the SVI LoRA.
    text: exactly one of t5, clip and text_embeds; negative_prompt goes with the first two.
    color_match, color_match_strength: how the end of each clip is brought back to the colours of color_match_to, the
    first clip or the reference; of clips on latents to the anchor's statistics. See `colour`.
    guides: what the clips follow frame by frame; it comes with the sampler settings.
    origin: a digest of the graph upstream of what cannot be looked into, by name: vae, t5, clip, clip_vision,
    sampler_inputs and low_noise_sampler_inputs (but for their models), FIRST_MODELS and MAIN_MODELS.
    """

    plan: ChainPlan
    vae: Any
    width: int
    height: int
    sampler: Mapping[str, Any]
    low_sampler: Mapping[str, Any] | None = None
    split_step: int = 0
    first_model: Any = None
    first_low_model: Any = None
    start_image: Tensor | None = None
    ref_image: Tensor | None = None
    end_images: Tensor | None = None
    t5: Any = None
    clip: Any = None
    text_embeds: Mapping[str, Any] | None = None
    negative_prompt: str = ""
    clip_vision: Any = None
    fun_or_fl2v_model: bool = True
    tiled_vae: bool = False
    color_match: str = "off"
    color_match_strength: float = 1.0
    color_match_to: str = "clip_1"
    guides: Guides = field(default_factory=Guides)
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> Tensor | None:
        """The original image: ref_image, or the start image when that is one."""
        if self.ref_image is None and self.start_image is not None and len(self.start_image) == 1:
            return self.start_image
        return self.ref_image

    @property
    def anchor(self) -> Tensor | None:
        """What clips on latents hold on to: the original image, or else the first frame of the video gone on from."""
        if self.reference is None and self.start_image is not None:
            return self.start_image[:1]
        return self.reference

    @property
    def encodes_text(self) -> bool:
        """Whether the story's prompts are encoded, rather than one text that was encoded before."""
        return self.t5 is not None or self.clip is not None


def check_job(job: Job) -> None:
    """Raises SVIError for parts that do not fit together, before anything is sampled."""
    clips = job.plan.clips
    check_choice("color_match", job.color_match, COLOUR_CHOICES)
    check_choice("color_match_to", job.color_match_to, COLOUR_TARGETS)
    check_share("color_match_strength", job.color_match_strength)
    methods = {clip.color or job.color_match for clip in clips} - {"off"}
    if methods and job.color_match_to == "reference" and job.reference is None:
        raise SVIError(
            "color_match_to reference needs the original image: connect ref_image, or hold the colours of clip_1"
        )
    if "mkl" in methods:
        check_mkl()
    if any(clip.works_on_latents for clip in clips) and job.anchor is None:
        raise SVIError("svi2_pro needs an anchor: connect ref_image, the original image (or a start_image)")
    if job.clip_vision is not None and any(clip.works_on_latents for clip in clips):
        raise SVIError("svi2_pro is for Wan 2.2, which takes no CLIP vision: disconnect clip_vision")
    _check_text(job)
    _check_samplers(job)
    main, first = [("the model of sampler_inputs", job.sampler["model"])], [("first_clip_model", job.first_model)]
    if job.low_sampler is not None:
        job.guides.check_pair()
        main.append(("the low noise model", job.low_sampler["model"]))
        first.append(("first_clip_low_noise_model", job.first_low_model))
    uses = {clip.model for clip in clips}
    models = (main if "main" in uses else []) + (first if "first" in uses else [])
    for name, model in models:
        job.guides.check_model(name, model)
    _check_family(job, models)


def _check_family(job: Job, models: Sequence[tuple[str, Any]]) -> None:
    """Raises SVIError for modes, models and a VAE that do not share their latents. What cannot be seen is passed over.

    The sampler would find it after clips were encoded, or sampled, and in words of its own.
    """
    factor = getattr(job.vae, "upsampling_factor", None)
    channels = channels_of(factor) if factor is not None else None
    if channels is not None:
        for clip in job.plan.clips:
            try:
                check_channels(SVI2_PRO if clip.works_on_latents else recipe(clip.mode), channels)
            except SVIError as error:
                raise SVIError(f"clip {clip.index + 1} (line {clip.line} of the story): {error}") from error
    for name, model in models:
        facts = seen_facts(name, model)
        if facts is None:
            continue
        if channels not in (None, facts.out_dim):
            raise SVIError(
                f"{name} samples latents of {facts.out_dim} channels, and this VAE makes {channels}: load "
                f"{'the VAE of the 5B models' if facts.is_5b else 'the Wan 2.1 VAE'}, or another model"
            )
        if facts.takes_empty:
            raise SVIError(
                f"{name} is {facts}, which takes no image, and every clip of a chain begins with one: load an "
                "image-to-video model"
            )
        if facts.kind == "fun_control":
            raise SVIError(
                f"{name} is {facts}, which follows a control signal, and a chain has none: load a model without, or "
                f"wire the clips by hand, with control_embeds in WanVideo SVI Embeds ({SVI_ON_CONTROL})"
            )


def _check_text(job: Job) -> None:
    given = [name for name, value in (("t5", job.t5), ("clip", job.clip), ("text_embeds", job.text_embeds))
             if value is not None]  # fmt: skip
    if len(given) != 1:
        came = f"got {' and '.join(given)}" if given else "none is connected"
        raise SVIError(
            f"the prompts need exactly one of t5, clip and text_embeds, {came}: t5 (WanVideo T5 Text Encoder Loader) "
            "or clip encode the story's prompts, text_embeds is one prompt for all clips"
        )
    prompts = {clip.prompt for clip in job.plan.clips}
    if job.text_embeds is not None:
        if len(prompts) > 1:
            raise SVIError(
                f"the story has {len(prompts)} prompts, but text_embeds is one prompt for all clips: connect t5 or "
                "clip instead"
            )
        return
    for clip in job.plan.clips:
        if not clip.prompt:
            raise SVIError(f"clip {clip.index + 1} (line {clip.line} of the story) has no prompt: write one")


def _check_samplers(job: Job) -> None:
    stages = [("sampler_inputs", job.sampler), ("low_noise_sampler_inputs", job.low_sampler)]
    for name, stage in stages:
        if stage is None:
            continue
        if not isinstance(stage, Mapping) or "model" not in stage or not isinstance(stage.get("steps"), int):
            raise SVIError(f"{name} must come from WanVideo Sampler Settings")
        if stage.get("samples") is not None:
            raise SVIError(f"{name} has samples connected, but the chain makes its own: disconnect them")
    low = job.low_sampler
    uses_first = any(clip.model == "first" for clip in job.plan.clips)
    if low is None:
        if job.split_step:
            raise SVIError(
                "split_step needs low_noise_model or low_noise_sampler_inputs: connect one, or set split_step to 0"
            )
        if job.first_low_model is not None:
            raise SVIError("first_clip_low_noise_model needs low_noise_model: connect it, or disconnect this one")
        return
    if uses_first and job.first_low_model is None:
        raise SVIError("first_clip_model needs first_clip_low_noise_model beside it: a pair samples with two models")
    for key in ("steps", "shift", "scheduler"):
        ours, theirs = job.sampler.get(key), low.get(key)
        if isinstance(ours, (int, float, str)) and isinstance(theirs, (int, float, str)) and ours != theirs:
            raise SVIError(
                f"both samplers of a pair need one {key}, got {ours} (sampler_inputs) and {theirs} "
                "(low_noise_sampler_inputs): set both alike, or wire them from WanVideo High/Low Pair"
            )
    steps = job.sampler["steps"]
    end, start = (job.split_step,) * 2 if job.split_step else (job.sampler.get("end_step"), low.get("start_step"))
    # The wrapper also takes a noise level there (WanVideo Sigma To Step): the step at which it is passed.
    is_split = 1 <= end < steps if isinstance(end, int) else isinstance(end, float) and 0 < end < 1
    if not is_split or end != start:
        raise SVIError(
            f"the high noise sampler must end at the step where the low noise one starts, within 1..{steps - 1}: got "
            f"end_step {end} and start_step {start}; set split_step, or both (WanVideo High/Low Pair finds the step)"
        )
    if low.get("add_noise_to_samples"):
        raise SVIError(
            "low_noise_sampler_inputs has add_noise_to_samples on, which noises what is half done: turn it off"
        )
