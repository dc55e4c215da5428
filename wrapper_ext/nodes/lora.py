"""What a LoRA file is for."""

from __future__ import annotations

from typing import Any

from ..host import files as host_files
from .inputs import CATEGORY


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
        from ...svi_embeds.models.lora import describe_lora, read_lora

        facts = read_lora(host_files.lora_path(lora))
        info = "\n".join([lora, *(f"{head}: {text}" for head, text in describe_lora(facts))])
        return {"ui": {"text": [info]}, "result": (facts.modes[0] if facts.modes else "", info)}


NODE_CLASS_MAPPINGS = {"WanVideoSVILoraInfo": WanVideoSVILoraInfo}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVILoraInfo": "WanVideo SVI LoRA Info"}
