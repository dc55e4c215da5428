"""What several nodes share: where they stand in the menu, and inputs and outputs that mean the same everywhere."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...svi_embeds.colour.choices import COLOUR_CHOICES

CATEGORY = "WanVideoWrapper/SVI"


class Outputs(NamedTuple):
    """Outputs of a node, as its class attributes take them."""

    types: tuple[str, ...]
    names: tuple[str, ...]
    tooltips: tuple[str, ...]


EMBEDS_OUTPUTS = Outputs(
    ("WANVIDIMAGE_EMBEDS", "MASK", "MASK", "STRING"),
    ("image_embeds", "known_mask", "concat_mask", "info"),
    (
        "For the sampler's image_embeds.",
        "White = frame is kept. What the wrapper's temporal_mask takes. Latent size, one mask per frame.",
        "Black = frame is kept. What native ComfyUI, VACE and WanEx nodes take. Latent size, one mask per frame.",
        "What the node did and what it adjusted.",
    ),
)


def fold(inputs: dict[str, Any], *names: str) -> dict[str, Any]:
    """INPUT_TYPES whose widgets of these names are advanced: most people leave them as they are.

    Frontends that know the flag fold such widgets away (Vue nodes), others show all. Their values stay where they are,
    in graphs and in prompts. What every chain needs stays in sight, and what one must say when an input is linked.
    """
    for name in names:
        group = next(entries for entries in inputs.values() if name in entries)
        kind, options = group[name]
        group[name] = (kind, {**options, "advanced": True})
    return inputs


def strength(default: float, tooltip: str) -> tuple[str, dict[str, Any]]:
    """A FLOAT input that multiplies something."""
    return "FLOAT", {"default": default, "min": 0.0, "max": 10.0, "step": 0.001, "tooltip": tooltip}


def vae_input(more: str = "") -> tuple[str, dict[str, Any]]:
    """A VAE of the wrapper, or ComfyUI's own. Without a space, which frontends would take for part of the type."""
    return "WANVAE,VAE", {"tooltip": f"From WanVideo VAE Loader, or ComfyUI's own Load VAE (a Wan VAE).{more}"}


def size_inputs() -> dict[str, Any]:
    """Width and height of a clip."""
    size = {"min": 64, "max": 8096, "step": 16}
    return {
        "width": ("INT", {**size, "default": 832, "tooltip": "Width of the clip in pixels, in steps of 16."}),
        "height": ("INT", {**size, "default": 480, "tooltip": "Height of the clip in pixels, in steps of 16."}),
    }


def color_inputs(what: str) -> dict[str, Any]:
    """How colours are held, in the order in which nodes that had none add it. what: that gets them."""
    return {
        "color_match": (
            list(COLOUR_CHOICES),
            {
                "default": "off",
                "tooltip": f"Corrects colour drift: {what} gets the colours that the chain began with. mean_std: mean "
                "and contrast of each channel. histogram: its whole curve. mkl: all channels together (color-matcher "
                "package). Leave it off when the light changes on purpose.",
            },
        ),
        "color_match_strength": (
            "FLOAT",
            {
                "default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01,
                "tooltip": "How much of the difference is corrected, 0..1.",
            },
        ),
    }  # fmt: skip


def repeat_padding_input() -> dict[str, Any]:
    """The switch of constant padding, as nodes that had none add it."""
    return {
        "repeat_padding_latents": (
            "BOOLEAN",
            {
                "default": True,
                "tooltip": "Clips of more than 125 frames: constant padding is encoded until its latents no longer "
                "change, then repeated. Same latents, less time. Off: every frame is encoded.",
            },
        ),
    }


def keyframe_inputs() -> dict[str, Any]:
    """What is given in the middle of a clip, in the order in which nodes that had none add it."""
    from ...svi_embeds.masks.keyframes import OUTSIDE_CHOICES

    return {
        "keyframe_images": (
            "IMAGE",
            {"tooltip": "One image for each of keyframes, in order. For Fun InP models. Any size."},
        ),
        "region": (
            "MASK",
            {
                "tooltip": "White = known: only that area of the known frames is kept. One mask for all frames, or one "
                "for each."
            },
        ),
        "keyframes": (
            "STRING",
            {
                "default": "",
                "tooltip": "Frames that keyframe_images are for, like 0-4, 40, 76-80. Negative numbers count from the "
                "end: -1 is the last frame.",
            },
        ),
        "feather": (
            "INT",
            {
                "default": 0, "min": 0, "max": 100, "step": 1,
                "tooltip": "Number of frames over which a known frame fades into generated ones. 0 = off: models were "
                "trained with masks of 0 and 1.",
            },
        ),
        "outside_region": (
            list(OUTSIDE_CHOICES),
            {
                "default": "empty",
                "tooltip": "Pixels of known frames outside region. empty: filled with grey, as inpainting models "
                "expect. keep: left as they are (the white canvas of MAGREF).",
            },
        ),
    }  # fmt: skip
