"""The bridge: image_embeds to and from ComfyUI's own conditioning."""

from __future__ import annotations

from typing import Any

from ..host import show as host_show
from .inputs import CATEGORY, EMBEDS_OUTPUTS


class WanVideoSVIToNative:
    """image_embeds as CONDITIONING for native samplers."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Gives image_embeds to ComfyUI's own sampling: positive and negative with the clip's latents, mask and CLIP "
        "vision, and the LATENT to sample. Takes embeds of this pack and of the wrapper's image-to-video nodes."
    )
    FUNCTION = "convert"
    RETURN_TYPES = ("CONDITIONING", "CONDITIONING", "LATENT", "STRING", "INT")
    RETURN_NAMES = ("positive", "negative", "latent", "info", "trim_latent")
    OUTPUT_TOOLTIPS = (
        "For KSampler's positive (a Wan image-to-video model).",
        "For its negative.",
        "For its latent_image: empty, of the clip's size.",
        "What the model is given, and what was adjusted, in words.",
        "For Trim Video Latent behind the sampler: latents in front of the clip. 0 but for embeds with extra_latents.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image_embeds": (
                    "WANVIDIMAGE_EMBEDS",
                    {"tooltip": "From SVI Embeds, SVI Latent Embeds, or any image-to-video encode."},
                ),
                "positive": ("CONDITIONING", {"tooltip": "The prompt, from CLIP Text Encode."}),
                "negative": ("CONDITIONING", {"tooltip": "The negative prompt, from CLIP Text Encode."}),
            },
            "optional": {
                "clip_vision_output": (
                    "CLIP_VISION_OUTPUT",
                    {
                        "tooltip": "CLIP vision of the clip's first motion frame, from CLIP Vision Encode (Wan 2.1 "
                        "models). In place of what image_embeds hold."
                    },
                ),
            },
        }

    def convert(
        self, image_embeds: Any, positive: Any, negative: Any, clip_vision_output: Any = None
    ) -> tuple[Any, ...]:
        """See `svi_embeds.clips.native.to_native.to_native`."""
        from ...svi_embeds.clips.native.to_native import to_native

        clip = to_native(image_embeds, clip_vision_output=clip_vision_output)
        return (
            clip.condition(positive),
            clip.condition(negative, name="negative", negative=True),
            clip.latent(),
            clip.info,
            clip.trim_front,
        )


class WanVideoSVIFromNative:
    """image_embeds from CONDITIONING that native nodes made."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Makes image_embeds for the wrapper of what a native image-to-video node put into its conditioning: "
        "WanImageToVideo, WanFirstLastFrameToVideo, WanFunInpaintToVideo, WanImageToVideoSVIPro and their like. The "
        "prompts do not come with it."
    )
    FUNCTION = "convert"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES = EMBEDS_OUTPUTS.types
    RETURN_NAMES = EMBEDS_OUTPUTS.names
    OUTPUT_TOOLTIPS = (*EMBEDS_OUTPUTS.tooltips[:3], "How the conditioning was read, in words.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "positive": ("CONDITIONING", {"tooltip": "The positive output of a native image-to-video node."}),
            },
            "optional": {
                "negative": (
                    "CONDITIONING",
                    {"tooltip": "Its negative output: checked against positive, and its CLIP vision where it differs."},
                ),
                "latent": (
                    "LATENT",
                    {"tooltip": "Its latent output: the clip gets that size. Not needed when all are of one size."},
                ),
            },
        }

    def convert(self, positive: Any, negative: Any = None, latent: Any = None) -> dict[str, Any]:
        """See `svi_embeds.clips.native.from_native.from_native`."""
        from ...svi_embeds.clips.native.from_native import from_native

        clip = from_native(positive, negative, latent)
        return {
            "ui": {"images": host_show.show(clip.sheet(), "svi_from_native")},
            "result": (clip.embeds, clip.known_mask, clip.concat_mask, clip.info),
        }


NODE_CLASS_MAPPINGS = {"WanVideoSVIToNative": WanVideoSVIToNative, "WanVideoSVIFromNative": WanVideoSVIFromNative}
NODE_DISPLAY_NAME_MAPPINGS = {
    "WanVideoSVIToNative": "WanVideo SVI To Native",
    "WanVideoSVIFromNative": "WanVideo SVI From Native",
}
