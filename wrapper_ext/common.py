"""What several nodes share: where they stand in the menu, and inputs and outputs that mean the same everywhere."""

from __future__ import annotations

from typing import Any, NamedTuple

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
        "What the node did and adjusted, in words.",
    ),
)


def strength(default: float, tooltip: str) -> tuple[str, dict[str, Any]]:
    """A FLOAT input that multiplies something."""
    return "FLOAT", {"default": default, "min": 0.0, "max": 10.0, "step": 0.001, "tooltip": tooltip}
