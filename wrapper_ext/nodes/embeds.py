"""WanVideoSVIEmbeds: the drop-in for the host's ImageToVideo Encode."""

from __future__ import annotations

from typing import Any

from ...svi_embeds.ground.checks import check_bool
from ..host import comfy
from ..host import show as host_show
from .inputs import (
    CATEGORY,
    EMBEDS_OUTPUTS,
    fold,
    keyframe_inputs,
    repeat_padding_input,
    size_inputs,
    strength,
    vae_input,
)


class WanVideoSVIEmbeds:
    """A clip's image_embeds from images."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Builds image_embeds for one clip of an SVI chain, in place of WanVideo ImageToVideo Encode. Connect the "
        "previous clip (or the first image) as start_image and pick a mode; masks and padding follow from it."
    )
    FUNCTION = "encode"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES = EMBEDS_OUTPUTS.types
    RETURN_NAMES = EMBEDS_OUTPUTS.names
    OUTPUT_TOOLTIPS = EMBEDS_OUTPUTS.tooltips

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.clips.pixels.settings import END_PADDING_FRAMES
        from ...svi_embeds.recipes import END_PADDING_CHOICES, KNOWN_CHOICES, MODES, PADDING_CHOICES, RECIPES

        motion = {
            row.id: f"{row.motion_frames} motion frame{'s' if row.motion_frames > 1 else ''}, {row.padding} padding."
            for row in RECIPES.values()
        }
        modes = " ".join(f"{mode}: {said}" for mode, said in motion.items())
        inputs = {
            "required": {
                "vae": vae_input(),
                "mode": (list(MODES), {"default": "film", "tooltip": f"Which SVI LoRA the clip is for. {modes}"}),
                **size_inputs(),
                "num_frames": (
                    "INT",
                    {
                        "default": 81, "min": 5, "max": 10001, "step": 4,
                        "tooltip": "Frames of this clip, motion frames included: 4k+1, usually 81.",
                    },
                ),
                "force_offload": (
                    "BOOLEAN",
                    {"default": True, "tooltip": "Move the VAE off the GPU after encoding."},
                ),
            },
            "optional": {
                "start_image": (
                    "IMAGE",
                    {"tooltip": "The whole previous clip (its last frames are taken), or the first image. Any size."},
                ),
                "ref_image": (
                    "IMAGE",
                    {
                        "tooltip": "The original image, for modes with reference padding: the same one in every clip, "
                        "never the last frame of the previous clip."
                    },
                ),
                "end_image": (
                    "IMAGE",
                    {"tooltip": "The image that the clip ends on: one frame, or the first frames of the clip that "
                    "follows. Any size."},
                ),
                "clip_embeds": (
                    "WANVIDIMAGE_CLIPEMBEDS",
                    {"tooltip": "CLIP vision of the clip's first motion frame (Wan 2.1 models)."},
                ),
                "control_embeds": ("WANVIDIMAGE_EMBEDS", {"tooltip": "Control signal for Fun-Control models."}),
                "extra_latents": (
                    "LATENT",
                    {"tooltip": "Latents put before the clip (SkyReels A2 references), of the clip's size."},
                ),
                "add_cond_latents": ("ADD_COND_LATENTS", {"tooltip": "Additional condition latents of the wrapper."}),
                "temporal_mask": (
                    "MASK",
                    {
                        "tooltip": "White = frame is kept. Replaces known_frames as a whole; shorter masks are filled "
                        "with black. Native masks (black = kept) go through SVI Mask Polarity first."
                    },
                ),
                "overlap_frames": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 1000, "step": 1,
                        "tooltip": "Motion frames taken from the end of start_image. 0 = what the mode needs. "
                        "Stitch with the same number.",
                    },
                ),
                "known_frames": (
                    list(KNOWN_CHOICES),
                    {
                        "default": "recipe",
                        "tooltip": "Which frames the model is told to keep. recipe: what the mode needs. overlap: all "
                        "motion frames. first_frame: frame 0 only. inverted: all but frame 0 (an experiment).",
                    },
                ),
                "padding": (
                    list(PADDING_CHOICES),
                    {
                        "default": "recipe",
                        "tooltip": "What fills the frames to generate. recipe: what the mode needs. grey: 0.5. "
                        "reference: ref_image. last: the last motion frame.",
                    },
                ),
                "ref_strength": strength(
                    1.0,
                    "Multiplies the latents of reference or last padding. Lower (0.75): the clip follows the "
                    "reference less.",
                ),
                "fun_or_fl2v_model": (
                    "BOOLEAN",
                    {"default": True, "tooltip": "On for Fun InP and FLF2V models. Matters only with end_image."},
                ),
                "tiled_vae": ("BOOLEAN", {"default": False, "tooltip": "Encode in tiles: less memory, other latents."}),
                "noise_aug_strength": strength(
                    0.0, "Noise on the motion frames (standard deviation, pixels in -1..1); never on padding or end."
                ),
                "start_latent_strength": strength(1.0, "Multiplies the first latent. Lower allows more motion."),
                "end_latent_strength": strength(1.0, "Multiplies the last latent, whatever it holds."),
                "end_frames": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 1000, "step": 1,
                        "tooltip": "How many frames of end_image the clip ends on: its first ones. 0 = all of them.",
                    },
                ),
                "end_strength": strength(
                    1.0, "Multiplies the latents that hold end frames. Lower: the clip is pulled less towards its end."
                ),
                "end_padding": (
                    list(END_PADDING_CHOICES),
                    {
                        "default": "same",
                        "tooltip": "What fills the frames right before the end. same: as the rest. grey: 0.5, what "
                        "first-last-frame models were trained with. end: the first end frame.",
                    },
                ),
                "end_padding_frames": (
                    "INT",
                    {
                        "default": END_PADDING_FRAMES, "min": 1, "max": 1000, "step": 1,
                        "tooltip": "How many frames before the end get end_padding. 3 fill the latent that one end "
                        "frame is in.",
                    },
                ),
                **keyframe_inputs(),
                **repeat_padding_input(),
            },
        }  # fmt: skip
        return fold(
            inputs,
            "force_offload", "known_frames", "padding", "fun_or_fl2v_model", "tiled_vae", "noise_aug_strength",
            "start_latent_strength", "end_latent_strength", "end_frames", "end_strength", "end_padding",
            "end_padding_frames", "feather", "outside_region", "repeat_padding_latents",
        )  # fmt: skip

    def encode(self, vae: Any, force_offload: bool, tiled_vae: bool = False, **inputs: Any) -> dict[str, Any]:
        """See `svi_embeds.clips.pixels.make.make_clip`, whose settings and inputs the others are."""
        from ...svi_embeds.clips.comfy_vae import ComfyVAE, as_wan_vae
        from ...svi_embeds.clips.pixels.make import make_clip
        from ...svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
        from ...svi_embeds.clips.vae import Encoder
        from ...svi_embeds.ground.settings import filled

        vae = as_wan_vae(vae)
        if not isinstance(vae, ComfyVAE):
            comfy.require_wrapper()
        check_bool("force_offload", force_offload)
        comfy.free_memory()
        encoder = Encoder(
            vae=vae,
            tiled=tiled_vae,
            device=comfy.device(),
            offload_device=comfy.offload_device() if force_offload else None,
            before_encode=comfy.stop_if_cancelled,
        )
        clip = make_clip(filled(ClipSettings, inputs), filled(ClipInputs, inputs), encoder)
        comfy.free_memory()
        return {
            "ui": {"images": host_show.show(clip.sheet(), "svi_embeds")},
            "result": (clip.embeds, clip.known_mask, clip.concat_mask, clip.info),
        }


NODE_CLASS_MAPPINGS = {"WanVideoSVIEmbeds": WanVideoSVIEmbeds}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVIEmbeds": "WanVideo SVI Embeds"}
