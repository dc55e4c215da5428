"""Whether the parts of a job fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...svi_embeds.clips.vae import channels_of
from ...svi_embeds.errors import SVIError
from ...svi_embeds.models.facts import seen_facts, takes_no_loras
from ...svi_embeds.models.names import SVI_ON_CONTROL
from ...svi_embeds.recipes import SVI2_PRO, check_channels, recipe
from ...svi_embeds.story.check import check_chain
from .job import Job
from .native import check_native


def check_job(job: Job) -> None:
    """Raises SVIError for parts that do not fit together, before anything is sampled."""
    check_chain(job.plan, job.settings, job.sources.connected())
    if job.sources.engine == "native":
        check_native(job)
    else:
        _check_wrapper(job)


def _check_wrapper(job: Job) -> None:
    """Raises SVIError for models and settings that the wrapper's sampler would not take, or not as they are meant."""
    plan, sources = job.plan, job.sources
    _check_samplers(job)
    main = [("the model of sampler_inputs", sources.sampler["model"])]
    first = [("first_clip_model", sources.first_model)]
    if sources.low_sampler is not None:
        sources.guides.check_pair()
        main.append(("the low noise model", sources.low_sampler["model"]))
        first.append(("first_clip_low_noise_model", sources.first_low_model))
    uses = {clip.model for clip in plan.clips}
    models = (main if "main" in uses else []) + (first if "first" in uses else [])
    for name, model in models:
        sources.guides.check_model(name, model)
    _check_family(job, models)
    for clip in plan.clips:
        high, low = (main if clip.model == "main" else first)[:1], (main if clip.model == "main" else first)[1:]
        for (name, model), loras in [*((each, clip.lora) for each in high), *((each, clip.lora_low) for each in low)]:
            if loras and (why := takes_no_loras(model)):
                raise clip.wrong(f"{loras[0][0]} cannot be put on {name}: {why}")


def _check_family(job: Job, models: Sequence[tuple[str, Any]]) -> None:
    """Raises SVIError for modes, models and a VAE that do not share their latents. What cannot be seen is passed over.

    The sampler would find it after clips were encoded, or sampled, and in words of its own.
    """
    factor = getattr(job.sources.vae, "upsampling_factor", None)
    channels = channels_of(factor) if factor is not None else None
    if channels is not None:
        for clip in job.plan.clips:
            try:
                check_channels(SVI2_PRO if clip.works_on_latents else recipe(clip.mode), channels)
            except SVIError as error:
                raise clip.wrong(error) from error
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


def _check_samplers(job: Job) -> None:
    sampler, low, split_step = job.sources.sampler, job.sources.low_sampler, job.settings.split_step
    for name, stage in (("sampler_inputs", sampler), ("low_noise_sampler_inputs", low)):
        if stage is None:
            continue
        if not isinstance(stage, Mapping) or "model" not in stage or not isinstance(stage.get("steps"), int):
            raise SVIError(f"{name} must come from WanVideo Sampler Settings")
        if stage.get("samples") is not None:
            raise SVIError(f"{name} has samples connected, but the chain makes its own: disconnect them")
    if low is None:
        return
    for key in ("steps", "shift", "scheduler"):
        ours, theirs = sampler.get(key), low.get(key)
        if isinstance(ours, (int, float, str)) and isinstance(theirs, (int, float, str)) and ours != theirs:
            raise SVIError(
                f"both samplers of a pair need one {key}, got {ours} (sampler_inputs) and {theirs} "
                "(low_noise_sampler_inputs): set both alike, or wire them from WanVideo High/Low Pair"
            )
    steps = sampler["steps"]
    end, start = (split_step,) * 2 if split_step else (sampler.get("end_step"), low.get("start_step"))
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
