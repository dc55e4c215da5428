"""Masks in both polarities, and what they mean."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...svi_embeds.ground.checks import check_choice
from .inputs import CATEGORY

_VIEWS = ["known_mask", "concat_mask"]


class WanVideoSVIMaskPolarity:
    """known_mask <-> concat_mask, and what a mask means, in words."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Gives a mask in both polarities and says which frames it keeps. known_mask: white = kept (WanVideoWrapper). "
        "concat_mask: black = kept (native ComfyUI, VACE, WanEx)."
    )
    FUNCTION = "convert"
    RETURN_TYPES = ("MASK", "MASK", "STRING")
    RETURN_NAMES = ("known_mask", "concat_mask", "info")
    OUTPUT_TOOLTIPS = (
        "White = frame is kept: for the wrapper's temporal_mask.",
        "Black = frame is kept: for native ComfyUI, VACE and WanEx nodes.",
        "Which frames are kept, in words.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "mask": ("MASK", {"tooltip": "One mask per frame."}),
                "mask_is": (
                    _VIEWS,
                    {
                        "default": "concat_mask",
                        "tooltip": "What the mask is now. known_mask: white = kept (from the wrapper's side). "
                        "concat_mask: black = kept (from native, VACE or WanEx nodes).",
                    },
                ),
            }
        }

    def convert(self, mask: Tensor, mask_is: str) -> tuple[Tensor, Tensor, str]:
        """mask: F h w in 0..1. Returns it as known_mask and as concat_mask, and in words."""
        from ...svi_embeds.ground.words import write_info
        from ...svi_embeds.masks.known import (
            check_mask,
            concat_from_known,
            count_concat,
            describe_known,
            looks_inverted,
            per_frame,
        )

        check_choice("mask_is", mask_is, _VIEWS)
        check_mask("mask", mask)
        other = concat_from_known(mask)
        known, concat = (mask, other) if mask_is == "known_mask" else (other, mask)
        values = per_frame(known)
        lines = [
            f"{len(values)} frames of {mask.shape[2]}x{mask.shape[1]}, read as {mask_is}",
            f"known_mask (wrapper temporal_mask): {describe_known(values)}",
            f"concat_mask (native, VACE, WanEx): {count_concat(values)}",
        ]
        view = next(view for view in _VIEWS if view != mask_is)
        notes = [f"most frames are kept, but not the first: is mask a {view}? Then set mask_is to it"]
        return known, concat, write_info(lines, notes if looks_inverted(values) else [])


NODE_CLASS_MAPPINGS = {"WanVideoSVIMaskPolarity": WanVideoSVIMaskPolarity}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVIMaskPolarity": "WanVideo SVI Mask Polarity"}
