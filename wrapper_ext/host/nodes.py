"""What nodes of ComfyUI and the wrapper give that this pack needs besides its own work."""

from __future__ import annotations

from typing import Any

import torch

from ...svi_embeds.errors import SVIError
from . import comfy


def silent_voice(count: int) -> torch.Tensor | None:
    """`count` entries of the wrapper's recorded silence, [count, 12, 768]; None when this wrapper has none."""
    if comfy.node_class("MultiTalkSilentEmbeds") is None:
        return None
    (embeds,) = comfy.call("MultiTalkSilentEmbeds", num_frames=count)
    features: torch.Tensor = embeds["audio_features"]
    return features


def schedulers() -> list[str]:
    """The schedulers of the wrapper's sampler: its own list, so that a link to it fits. Outside ComfyUI: SCHEDULERS."""
    from ...svi_embeds.pair.sigmas import SCHEDULERS

    sampler = comfy.node_class("WanVideoSampler")
    if sampler is None:
        return list(SCHEDULERS)
    offered: list[str] = sampler.INPUT_TYPES()["required"]["scheduler"][0]
    return offered


# What KSampler (Advanced) offers outside ComfyUI, where it cannot be asked.
_NATIVE_CHOICES = {"sampler_name": ["euler"], "scheduler": ["simple"]}


def native_choices(name: str) -> list[str]:
    """What KSampler Advanced offers for `sampler_name` or `scheduler`: its own list, so that a link to it fits."""
    sampler = comfy.node_class("KSamplerAdvanced")
    if sampler is None:
        return list(_NATIVE_CHOICES[name])
    offered: list[str] = sampler.INPUT_TYPES()["required"][name][0]
    return offered


def sigmas(scheduler: str, steps: int, shift: float) -> torch.Tensor:
    """The share of noise at each step, float32 [steps run]: as the installed wrapper computes it, else `sigmas_of`.

    Wrappers before 2025-11-05 cannot be asked. Raises SVIError when the scheduler refuses these values.
    """
    from ...svi_embeds.pair.sigmas import check_schedule, noise_levels, sigmas_of

    check_schedule(scheduler, steps, shift)
    node = comfy.node_class("WanVideoScheduler")
    if node is None or "steps" not in node.INPUT_TYPES()["required"]:
        return sigmas_of(scheduler, steps, shift)
    try:
        made = node().process(
            scheduler=scheduler, steps=steps, start_step=0, end_step=-1, shift=shift, unique_id=None
        )  # fmt: skip
    except Exception as error:
        raise SVIError(
            f"the wrapper's scheduler {scheduler} refuses {steps} steps at shift {shift:g}: {error}"
        ) from error
    state = next((part for part in made if isinstance(part, dict)), None)
    if state is None:  # a wrapper whose node passes the name on
        return sigmas_of(scheduler, steps, shift)
    raw = getattr(state["sample_scheduler"], "full_sigmas", state["sample_scheduler"].sigmas)
    return noise_levels(scheduler, raw[: len(state["timesteps"])].detach().to("cpu", torch.float32))


def blocked(why: str) -> Any:
    """An output that stops whatever is connected to it, with a sentence; None outside ComfyUI."""
    module = comfy.module("comfy_execution.graph_utils")
    return module.ExecutionBlocker(why) if module else None
