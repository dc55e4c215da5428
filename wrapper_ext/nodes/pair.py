"""High and low noise models as a pair."""

from __future__ import annotations

from typing import Any

from ...svi_embeds.errors import SVIError
from ..host import comfy
from ..host import nodes as host_nodes
from ..host import show as host_show
from ..running.wiring import PAIR_OUTPUTS
from .inputs import CATEGORY, fold, size_inputs


class _PairTypes:
    """RETURN_TYPES with the host's own list of schedulers, which is only known once the wrapper is loaded."""

    def __get__(self, _: object, owner: type | None = None) -> tuple[Any, ...]:
        return (
            "WANVIDEOMODEL", "WANVIDEOMODEL", "WANVIDIMAGE_EMBEDS", "WANVIDIMAGE_EMBEDS", "INT", "FLOAT",
            host_nodes.schedulers(), "INT", "INT", "STRING",
        )  # fmt: skip


class WanVideoHighLowPair:
    """Checks a high/low pair and gives both samplers their settings."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "For two models that sample one clip, the high noise model first: Wan 2.2 pairs, HoloCine + Pusa with MAGREF, "
        "and others. Finds the step at which they change, makes or checks the embeds of both, and refuses what the "
        "wrapper would sample wrongly without a message. Connect its outputs to both samplers."
    )
    FUNCTION = "pair"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES: Any = _PairTypes()
    RETURN_NAMES = PAIR_OUTPUTS
    OUTPUT_TOOLTIPS = (
        "The high noise model, unchanged, for the first sampler.",
        "The low noise model, unchanged, for the second sampler.",
        "For image_embeds of the first sampler.",
        "For image_embeds of the second sampler.",
        "For steps of both samplers.",
        "For shift of both samplers.",
        "For scheduler of both samplers.",
        "For end_step of the first sampler; its start_step stays 0.",
        "For start_step of the second sampler; its end_step stays -1.",
        "Which model runs which steps, and what to look out for.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.pair.plan import BOUNDARY_CHOICES

        sizes = size_inputs()
        inputs = {
            "required": {
                "high_model": ("WANVIDEOMODEL", {"tooltip": "The model for high noise: the first steps."}),
                "low_model": ("WANVIDEOMODEL", {"tooltip": "The model for low noise: the remaining steps."}),
                **sizes,
                "num_frames": (
                    "INT",
                    {
                        "default": 81, "min": 1, "max": 10001, "step": 4,
                        "tooltip": "Frames of the clip, 4k+1. Must agree with the embeds. HoloCine: 81, 161 or 241.",
                    },
                ),
                "steps": (
                    "INT",
                    {
                        "default": 8, "min": 2, "max": 10000, "step": 1,
                        "tooltip": "Steps of both samplers together.",
                    },
                ),
                "shift": (
                    "FLOAT",
                    {
                        "default": 5.0, "min": 0.01, "max": 1000.0, "step": 0.01,
                        "tooltip": "Moves the steps towards high noise, the same for both samplers. Wan 2.2: 5 to 8.",
                    },
                ),
                "scheduler": (
                    host_nodes.schedulers(),
                    {"default": "unipc", "tooltip": "The same for both samplers. Clean latents need flowmatch_pusa."},
                ),
                "boundary": (
                    list(BOUNDARY_CHOICES),
                    {
                        "default": "auto",
                        "tooltip": "Share of noise (sigma) down to which the high noise model works. t2v: 0.875, i2v: "
                        "0.900, auto: what high_model was trained with, custom: custom_boundary.",
                    },
                ),
            },
            "optional": {
                "low_embeds": (
                    "WANVIDIMAGE_EMBEDS",
                    {
                        "tooltip": "Embeds of an image-to-video low noise model: SVI Embeds, or an encode. Serves both "
                        "stages when both models take an image. Not needed for text-to-video."
                    },
                ),
                "high_embeds": (
                    "WANVIDIMAGE_EMBEDS",
                    {"tooltip": "Embeds of the high noise model, when they differ from low_embeds. For text-to-video "
                    "models this node makes them."},
                ),
                "clean_latents": (
                    "LATENT",
                    {"tooltip": "Pusa: latents that stay as they are in both stages. From WanVideo Encode."},
                ),
                "clean_index": (
                    "INT",
                    {
                        "default": 0, "min": -10000, "max": 10000, "step": 1,
                        "tooltip": "The latent at which clean_latents begin: 0 is the first, -1 the last. Latent n is "
                        "frames 4n-3 to 4n.",
                    },
                ),
                "custom_boundary": (
                    "FLOAT",
                    {
                        "default": 0.9, "min": 0.001, "max": 0.999, "step": 0.001,
                        "tooltip": "Used when boundary is custom.",
                    },
                ),
            },
            "hidden": {"prompt": "PROMPT", "unique_id": "UNIQUE_ID"},
        }  # fmt: skip
        return fold(inputs, "clean_index", "custom_boundary")

    @classmethod
    def VALIDATE_INPUTS(cls) -> bool | str:
        """Without the wrapper there is nothing to sample with."""
        return True if comfy.has_wrapper() or not comfy.running() else comfy.INSTALL_HINT

    def pair(
        self,
        high_model: Any,
        low_model: Any,
        prompt: dict[str, Any] | None = None,
        unique_id: str | None = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        """See `svi_embeds.pair.plan.plan_pair`. prompt, unique_id: the graph that runs and this node in it."""
        from ...svi_embeds.ground.settings import filled
        from ...svi_embeds.models.facts import model_facts
        from ...svi_embeds.pair.plan import PairInputs, PairSettings, plan_pair
        from ..running.wiring import RunningGraph, lora_names, wiring_problems

        comfy.require_wrapper()
        graph, node_id = RunningGraph(prompt or {}), str(unique_id)
        high, low = (
            model_facts(name, model, loras=lora_names(graph, node_id, name))
            for name, model in (("high_model", high_model), ("low_model", low_model))
        )
        settings = filled(PairSettings, inputs)
        sigmas = host_nodes.sigmas(settings.scheduler, settings.steps, settings.shift)
        made = plan_pair(high, low, settings, filled(PairInputs, inputs), sigmas=sigmas)
        if problems := wiring_problems(graph, node_id, made):
            raise SVIError("the samplers behind this pair would not sample it: " + "; ".join(problems))
        return {
            "ui": {"images": host_show.show(made.picture(), "svi_pair")},
            "result": (
                high_model, low_model, made.high_embeds, made.low_embeds, settings.steps, settings.shift,
                settings.scheduler, made.split, made.split, made.info,
            ),
        }  # fmt: skip


NODE_CLASS_MAPPINGS = {"WanVideoHighLowPair": WanVideoHighLowPair}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoHighLowPair": "WanVideo High/Low Pair"}
