"""WanVideoI2VCustomEmbeds: latents and a mask of one's own, as WanEx I2VCustomEmbeds takes them."""

from __future__ import annotations

from typing import Any

from ...svi_embeds.ground.checks import check_bool
from ..host import comfy
from ..host import show as host_show
from .inputs import CATEGORY, EMBEDS_OUTPUTS, fold, repeat_padding_input, vae_input


class WanVideoI2VCustomEmbeds:
    """image_embeds from given latents and a mask."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Builds image_embeds from latents and a mask of your own: WanEx I2VCustomEmbeds for wrapper graphs, with its "
        "input names. Masks are read in native polarity (black = kept) and native latents are converted."
    )
    FUNCTION = "build"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES = ("WANVIDIMAGE_EMBEDS", "LATENT", "MASK", "MASK", "STRING")
    RETURN_NAMES = ("image_embeds", "latent_preview", "concat_mask", "known_mask", "info")
    OUTPUT_TOOLTIPS = (
        EMBEDS_OUTPUTS.tooltips[0],
        "The image latents as the model gets them, in the wrapper's space: WanVideo Decode shows them.",
        EMBEDS_OUTPUTS.tooltips[2],
        EMBEDS_OUTPUTS.tooltips[1],
        "How each input was read, in words.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.clips.custom.settings import SPACE_CHOICES
        from ...svi_embeds.masks.concat import POLARITY_CHOICES, RATE_CHOICES

        size = {"min": 16, "max": 8096, "step": 16}
        inputs = {
            "required": {
                "width": ("INT", {**size, "default": 832, "tooltip": "Width of the clip in pixels, in steps of 16."}),
                "height": ("INT", {**size, "default": 480, "tooltip": "Height of the clip in pixels, in steps of 16."}),
                "length": (
                    "INT",
                    {"default": 81, "min": 1, "max": 10001, "step": 4, "tooltip": "Frames of this clip: 4k+1."},
                ),
            },
            "optional": {
                "vae": vae_input(" Only start_image needs it."),
                "clip_embeds": (
                    "WANVIDIMAGE_CLIPEMBEDS",
                    {"tooltip": "WanVideo ClipVision Encode, where WanEx had clip_vision_output (Wan 2.1 models)."},
                ),
                "concat_latent_image": (
                    "LATENT",
                    {"tooltip": "The clip's conditioning latents, as many as the clip has: motion frames and padding."},
                ),
                "start_image": (
                    "IMAGE",
                    {
                        "tooltip": "Used when concat_latent_image is not connected: encoded with grey behind it. "
                        "Another aspect is cut at the centre."
                    },
                ),
                "concat_mask": (
                    "MASK",
                    {"tooltip": "Which frames are kept: one mask per frame or per latent, or one for the first frame."},
                ),
                "concat_mask_index": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 32, "step": 1,
                        "tooltip": "Channel that the mask goes before: 0, or 16 with latents of 32 channels.",
                    },
                ),
                "mask_polarity": (
                    list(POLARITY_CHOICES),
                    {
                        "default": "native",
                        "tooltip": "native: black = kept (WanEx, VACE, native nodes). wrapper: white = kept "
                        "(temporal_mask, known_mask).",
                    },
                ),
                "mask_rate": (
                    list(RATE_CHOICES),
                    {
                        "default": "auto",
                        "tooltip": "auto: by the number of masks, refused when it could mean both. pixel: one per "
                        "frame. latent: one per latent. What is left over is generated.",
                    },
                ),
                "latent_space": (
                    list(SPACE_CHOICES),
                    {
                        "default": "auto",
                        "tooltip": "wrapper: LATENTs of WanVideo Encode or Sampler. native: of VAE Encode or "
                        "KSampler, converted. auto: decided by their statistics; an error asks you when these are "
                        "not clear.",
                    },
                ),
                "tiled_vae": ("BOOLEAN", {"default": False, "tooltip": "Encode start_image in tiles: less memory."}),
                "force_offload": (
                    "BOOLEAN",
                    {"default": True, "tooltip": "Move the VAE off the GPU after encoding start_image."},
                ),
                **repeat_padding_input(),
            },
        }  # fmt: skip
        return fold(inputs, "concat_mask_index", "tiled_vae", "force_offload", "repeat_padding_latents")

    def build(
        self, vae: Any = None, force_offload: bool = True, tiled_vae: bool = False, **inputs: Any
    ) -> dict[str, Any]:
        """See `svi_embeds.clips.custom.make.make_custom_clip`, whose settings and inputs the others are."""
        from ...svi_embeds.clips.comfy_vae import as_wan_vae
        from ...svi_embeds.clips.custom.make import make_custom_clip
        from ...svi_embeds.clips.custom.settings import CustomInputs, CustomSettings
        from ...svi_embeds.clips.latent_space import samples_of
        from ...svi_embeds.clips.vae import Encoder
        from ...svi_embeds.ground.settings import filled

        check_bool("force_offload", force_offload)
        encoder = Encoder(
            vae=as_wan_vae(vae),
            tiled=tiled_vae,
            device=comfy.device(),
            offload_device=comfy.offload_device() if force_offload else None,
            before_encode=self._before_encode,
        )
        clip = make_custom_clip(
            filled(CustomSettings, inputs), filled(CustomInputs, inputs), None if vae is None else encoder
        )
        return {
            "ui": {"images": host_show.show(clip.sheet(), "svi_custom_embeds")},
            "result": (clip.embeds, samples_of(clip.latents), clip.concat_mask, clip.known_mask, clip.info),
        }

    @staticmethod
    def _before_encode() -> None:
        comfy.stop_if_cancelled()
        comfy.free_memory()


NODE_CLASS_MAPPINGS = {"WanVideoI2VCustomEmbeds": WanVideoI2VCustomEmbeds}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoI2VCustomEmbeds": "WanVideo I2V Custom Embeds"}
