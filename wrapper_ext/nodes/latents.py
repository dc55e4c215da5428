"""WanVideoSVILatentEmbeds: SVI 2.0 Pro, latents in and image_embeds out."""

from __future__ import annotations

from typing import Any

from ..host import show as host_show
from .inputs import CATEGORY, EMBEDS_OUTPUTS, fold, strength


class WanVideoSVILatentEmbeds:
    """A clip's image_embeds from latents."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Builds image_embeds for one SVI 2.0 Pro clip from latents, with no decode and encode between clips. Connect "
        "the original image (WanVideo Encode) as anchor_samples and the sampler of the clip before as prev_samples."
    )
    FUNCTION = "build"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES = (*EMBEDS_OUTPUTS.types, "INT")
    RETURN_NAMES = (*EMBEDS_OUTPUTS.names, "overlap_frames")
    OUTPUT_TOOLTIPS = (
        *EMBEDS_OUTPUTS.tooltips,
        "For SVI Stitch, drop new: frames at this clip's start to drop, the anchor and what the clip before ended on.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.clips.latent_space import LATENT_SPACES
        from ...svi_embeds.clips.latents.plan import (
            LATENT_END_PADDING_CHOICES,
            LATENT_KNOWN_CHOICES,
            LATENT_PADDING_CHOICES,
        )
        from ...svi_embeds.recipes import SVI2_PRO

        inputs = {
            "required": {
                "anchor_samples": (
                    "LATENT",
                    {"tooltip": "The original image, encoded: the same anchor in every clip."},
                ),
                "num_frames": (
                    "INT",
                    {
                        "default": 81, "min": 1, "max": 10001, "step": 4,
                        "tooltip": "Frames of this clip, anchor and motion included: 4k+1, usually 81.",
                    },
                ),
            },
            "optional": {
                "prev_samples": (
                    "LATENT",
                    {"tooltip": "The sampler's samples of the clip before. Leave it out in the first clip."},
                ),
                "end_samples": ("LATENT", {"tooltip": "The image that the clip ends on, of the clips' size, encoded."}),
                "clip_embeds": (
                    "WANVIDIMAGE_CLIPEMBEDS",
                    {"tooltip": "CLIP vision, for Wan 2.1 models only; Wan 2.2 takes none."},
                ),
                "motion_latents": (
                    "INT",
                    {
                        "default": SVI2_PRO.motion_latents, "min": 0, "max": 100, "step": 1,
                        "tooltip": "How many of prev_samples' last latents lead this clip (4 frames each).",
                    },
                ),
                "known_frames": (
                    list(LATENT_KNOWN_CHOICES),
                    {
                        "default": "first_latent",
                        "tooltip": "What the model is told to keep. first_latent: the anchor's first frame (Pro's own "
                        "rule). anchor_and_motion: the motion latents too. inverted: all but it (an experiment).",
                    },
                ),
                "padding": (
                    list(LATENT_PADDING_CHOICES),
                    {
                        "default": "zero",
                        "tooltip": "What fills the latents to generate. zero: what Pro was trained with. reference: "
                        "copies of the anchor (an experiment).",
                    },
                ),
                "anchor_strength": strength(1.0, "Multiplies the anchor's latents."),
                "ref_strength": strength(1.0, "Multiplies the latents of reference padding. 0.75: the clip follows "
                "the reference less."),
                "fun_or_fl2v_model": (
                    "BOOLEAN",
                    {
                        "default": True,
                        "tooltip": "Matters only with end_samples. On: the end is the clip's last latents. Off: a "
                        "latent of its own behind the clip, for models not trained with an end.",
                    },
                ),
                "end_latents": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 100, "step": 1,
                        "tooltip": "How many latents of end_samples the clip ends on: its first ones. 0 = all of them.",
                    },
                ),
                "end_strength": strength(1.0, "Multiplies the latents of the end. Lower: the clip is pulled less "
                "towards its end."),
                "end_padding": (
                    list(LATENT_END_PADDING_CHOICES),
                    {
                        "default": "same",
                        "tooltip": "What fills the latents right before the end. same: as the rest. end: copies of the "
                        "end's first latent.",
                    },
                ),
                "end_padding_latents": (
                    "INT",
                    {
                        "default": 1, "min": 1, "max": 100, "step": 1,
                        "tooltip": "How many latents before the end get end_padding.",
                    },
                ),
                "latent_space": (
                    list(LATENT_SPACES),
                    {
                        "default": "wrapper",
                        "tooltip": "Where the LATENTs come from. wrapper: WanVideo Encode and WanVideo Sampler. "
                        "native: ComfyUI's VAE Encode and KSampler; they are converted.",
                    },
                ),
                "motion_match": (
                    "FLOAT",
                    {
                        "default": 0.0, "min": 0.0, "max": 1.0, "step": 0.01,
                        "tooltip": "Holds colours: how much the motion latents get the anchor's mean and spread per "
                        "channel, 0..1. Off for stories whose light changes on purpose.",
                    },
                ),
            },
        }  # fmt: skip
        return fold(
            inputs,
            "known_frames", "padding", "anchor_strength", "ref_strength", "fun_or_fl2v_model", "end_latents",
            "end_strength", "end_padding", "end_padding_latents",
        )  # fmt: skip

    def build(self, **inputs: Any) -> dict[str, Any]:
        """See `svi_embeds.clips.latents.make.make_latent_clip`, whose settings and inputs these are."""
        from ...svi_embeds.clips.latents.make import make_latent_clip
        from ...svi_embeds.clips.latents.settings import LatentInputs, LatentSettings
        from ...svi_embeds.ground.settings import filled

        clip = make_latent_clip(filled(LatentSettings, inputs), filled(LatentInputs, inputs))
        return {
            "ui": {"images": host_show.show(clip.sheet(), "svi_latent_embeds")},
            "result": (clip.embeds, clip.known_mask, clip.concat_mask, clip.info, clip.plan.overlap_frames),
        }


NODE_CLASS_MAPPINGS = {"WanVideoSVILatentEmbeds": WanVideoSVILatentEmbeds}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVILatentEmbeds": "WanVideo SVI Latent Embeds"}
