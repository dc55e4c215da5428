"""HoloCine prompts: shots to one prompt text and its cut frames."""

from __future__ import annotations

from typing import Any

from .inputs import CATEGORY


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
        """See `svi_embeds.story.holocine.plan_scene`, whose parameters the inputs are."""
        from ...svi_embeds.story.holocine import plan_scene

        plan = plan_scene(global_caption=global_caption, shots=shots, num_frames=num_frames, cuts=cuts)
        frames, latents = (", ".join(map(str, numbers)) for numbers in (plan.cuts, plan.cut_latents))
        return {"ui": {"text": [plan.info]}, "result": (plan.scene.prompt, frames, latents, num_frames, plan.info)}


NODE_CLASS_MAPPINGS = {"WanVideoHoloCinePrompt": WanVideoHoloCinePrompt}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoHoloCinePrompt": "WanVideo HoloCine Prompt"}
