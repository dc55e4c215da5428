"""Frames and masks for the host's own encode node: Fun InP keyframes, and MAGREF's canvas of references."""

from __future__ import annotations

from typing import Any

from ..host import show as host_show
from .inputs import CATEGORY, fold, keyframe_inputs, size_inputs


class WanVideoSVITemporalMask:
    """start_image and temporal_mask for the host's ImageToVideo Encode, made together."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Makes the two inputs that Fun InP users feed WanVideo ImageToVideo Encode: frames (to start_image) and "
        "temporal_mask, equally long, empty where they are generated. Motion frames, an end and keyframes anywhere."
    )
    FUNCTION = "make"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES = ("IMAGE", "MASK", "MASK", "BOOLEAN", "STRING")
    RETURN_NAMES = ("frames", "temporal_mask", "concat_mask", "fun_or_fl2v_model", "info")
    OUTPUT_TOOLTIPS = (
        "For start_image of WanVideo ImageToVideo Encode.",
        "For its temporal_mask: white = frame is kept. Latent size.",
        "The same mask in native polarity: black = frame is kept.",
        "For its fun_or_fl2v_model.",
        "What each frame is, as a strip (full: kept, dot: generated) and in words.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        inputs = {
            "required": {
                "num_frames": (
                    "INT",
                    {
                        "default": 81, "min": 5, "max": 10001, "step": 4,
                        "tooltip": "Frames of this clip, motion frames included: 4k+1. As in the wrapper's encode.",
                    },
                ),
                **size_inputs(),
            },
            "optional": {
                "motion_frames": (
                    "IMAGE",
                    {"tooltip": "The whole previous clip (its last frames are taken), or the first image. Any size."},
                ),
                "end_image": ("IMAGE", {"tooltip": "The image that the clip ends on: one frame or several. Any size."}),
                "keyframe_images": keyframe_inputs()["keyframe_images"],
                "region": keyframe_inputs()["region"],
                "overlap_frames": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 1000, "step": 1,
                        "tooltip": "Motion frames taken from the end of motion_frames. 0 = 5, as svi-film needs.",
                    },
                ),
                "end_frames": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 1000, "step": 1,
                        "tooltip": "How many frames of end_image the clip ends on: its first ones. 0 = all of them.",
                    },
                ),
                "keyframes": keyframe_inputs()["keyframes"],
                "feather": keyframe_inputs()["feather"],
                "empty_level": (
                    "FLOAT",
                    {
                        "default": 0.5, "min": 0.0, "max": 1.0, "step": 0.01,
                        "tooltip": "Grey level of frames to generate, 0 black to 1 white. 0.5 is what models know.",
                    },
                ),
                "outside_region": keyframe_inputs()["outside_region"],
                "fun_or_fl2v_model": (
                    "BOOLEAN",
                    {
                        "default": True,
                        "tooltip": "On for Fun InP and FLF2V models. Off: the end is one frame more behind the clip, "
                        "with a mask of its own, and exactly 1 motion frame leads the clip.",
                    },
                ),
            },
        }  # fmt: skip
        return fold(inputs, "end_frames", "feather", "empty_level", "fun_or_fl2v_model")

    def make(self, **inputs: Any) -> dict[str, Any]:
        """See `svi_embeds.clips.inpaint.make.make_temporal_mask`, whose settings and inputs these are."""
        from ...svi_embeds.clips.inpaint.make import make_temporal_mask
        from ...svi_embeds.clips.inpaint.settings import MaskInputs, MaskSettings
        from ...svi_embeds.ground.settings import filled

        made = make_temporal_mask(filled(MaskSettings, inputs), filled(MaskInputs, inputs))
        return {
            "ui": {"images": host_show.show(made.sheet(), "svi_temporal_mask")},
            "result": (made.frames, made.known_mask, made.concat_mask, made.fun_or_fl2v_model, made.info),
        }


NODE_CLASS_MAPPINGS = {"WanVideoSVITemporalMask": WanVideoSVITemporalMask}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVITemporalMask": "WanVideo SVI Temporal Mask"}
