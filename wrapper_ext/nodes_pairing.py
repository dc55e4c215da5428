"""High and low noise models as a pair, HoloCine prompts, and what a LoRA file is."""

from __future__ import annotations

from typing import Any

from ..svi_embeds.errors import SVIError
from .common import CATEGORY, fold, size_inputs
from .host import comfy
from .host import files as host_files
from .host import nodes as host_nodes
from .host import show as host_show
from .sampler_wiring import PAIR_OUTPUTS


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
        "Two models that sample one clip, the high noise one first: Wan 2.2 pairs, HoloCine + Pusa with MAGREF, and "
        "others. Finds the step at which they change, makes or checks the embeds of both, and refuses what the wrapper "
        "would sample wrongly in silence. Wire its outputs to both samplers."
    )
    FUNCTION = "pair"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES: Any = _PairTypes()
    RETURN_NAMES = PAIR_OUTPUTS
    OUTPUT_TOOLTIPS = (
        "The high noise model as it came, for the first sampler.",
        "The low noise model as it came, for the second sampler.",
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
        from ..svi_embeds.pairing import BOUNDARY_CHOICES

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
                    {"tooltip": "Embeds of the high noise model, where they are not low_embeds. Text-to-video: made."},
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
        """See `svi_embeds.pairing.plan_pair`. prompt, unique_id: the graph that runs and this node in it."""
        from ..svi_embeds.models import model_facts
        from ..svi_embeds.pairing import PairInputs, PairSettings, plan_pair
        from ..svi_embeds.settings import filled
        from .sampler_wiring import RunningGraph, lora_names, wiring_problems

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


class WanVideoHoloCinePrompt:
    """A scene and its shots as a HoloCine prompt."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Writes a scene and its shots in the form that HoloCine was trained with, and finds the frames at which shots "
        "change. Refuses text that the wrapper would take for something else."
    )
    FUNCTION = "write"
    HAS_INTERMEDIATE_OUTPUT = True  # its text comes with a node from the cache too
    RETURN_TYPES = ("STRING", "STRING", "STRING", "INT", "STRING")
    RETURN_NAMES = ("prompt", "cut_frames", "cut_latents", "num_frames", "info")
    OUTPUT_TOOLTIPS = (
        "For positive_prompt of a text encode.",
        "Frames at which shots 2, 3, ... begin, as text: 41, 81.",
        "The latents at which they begin, as text.",
        "The clip's frames, for the nodes that make its embeds.",
        "Each shot with its frames, and what was moved or is too long.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        text = {"multiline": True, "default": ""}
        return {
            "required": {
                "global_caption": (
                    "STRING",
                    {**text, "tooltip": "The whole scene: place, characters, light. The number of shots is added."},
                ),
                "shots": (
                    "STRING",
                    {**text, "tooltip": "What each shot shows: one a line, or blocks between lines of ---."},
                ),
                "num_frames": (
                    "INT",
                    {
                        "default": 241,
                        "min": 5,
                        "max": 10001,
                        "step": 4,
                        "tooltip": "Frames of the clip, 4k+1. HoloCine was trained with 81, 161 and 241.",
                    },
                ),
                "cuts": (
                    "STRING",
                    {
                        "default": "auto",
                        "tooltip": "auto: shots of equal length. Or the frames at which shots 2, 3, ... begin, like "
                        "41, 81; each moves to the nearest 4t+1.",
                    },
                ),
            }
        }

    def write(self, global_caption: str, shots: str, num_frames: int, cuts: str) -> dict[str, Any]:
        """See `svi_embeds.holocine.plan_scene`, whose parameters the inputs are."""
        from ..svi_embeds.holocine import plan_scene

        plan = plan_scene(global_caption=global_caption, shots=shots, num_frames=num_frames, cuts=cuts)
        frames, latents = (", ".join(map(str, numbers)) for numbers in (plan.cuts, plan.cut_latents))
        return {"ui": {"text": [plan.info]}, "result": (plan.scene.prompt, frames, latents, num_frames, plan.info)}


class WanVideoSVILoraInfo:
    """What a LoRA file is for."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Reads a LoRA's header (never its weights) and says what it is for: SVI variant and mode, Wan version and "
        "size, high or low noise, rank, and what it must not meet."
    )
    FUNCTION = "read"
    OUTPUT_NODE = True
    RETURN_TYPES = ("STRING", "STRING")
    RETURN_NAMES = ("mode", "info")
    OUTPUT_TOOLTIPS = (
        "The mode of SVI Embeds that goes with it, svi2_pro for the latent node; empty for other LoRAs.",
        "What it is, what it goes with, and what it must not meet.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"lora": (host_files.lora_files(), {"tooltip": "A LoRA file in ComfyUI's loras folders."})}}

    @classmethod
    def IS_CHANGED(cls, lora: str) -> str:
        """Time and size of the file: it may be replaced under its name."""
        return host_files.file_state(host_files.lora_path, lora)

    def read(self, lora: str) -> dict[str, Any]:
        """lora: a name as ComfyUI lists it."""
        from ..svi_embeds.lora import describe_lora, read_lora

        facts = read_lora(host_files.lora_path(lora))
        info = "\n".join([lora, *(f"{head}: {text}" for head, text in describe_lora(facts))])
        return {"ui": {"text": [info]}, "result": (facts.modes[0] if facts.modes else "", info)}


NODE_CLASS_MAPPINGS = {
    "WanVideoHighLowPair": WanVideoHighLowPair,
    "WanVideoHoloCinePrompt": WanVideoHoloCinePrompt,
    "WanVideoSVILoraInfo": WanVideoSVILoraInfo,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "WanVideoHighLowPair": "WanVideo High/Low Pair",
    "WanVideoHoloCinePrompt": "WanVideo HoloCine Prompt",
    "WanVideoSVILoraInfo": "WanVideo SVI LoRA Info",
}
