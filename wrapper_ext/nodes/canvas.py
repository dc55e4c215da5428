"""References on a canvas, with the mask of where they are."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...svi_embeds.ground.words import write_info
from ..host import show as host_show
from .inputs import CATEGORY, size_inputs


class WanVideoReferenceCanvas:
    """References on a white canvas with their region mask."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Puts one or more reference images on a white canvas, none cut or stretched, as MAGREF models take them. "
        "canvas goes to motion_frames and to CLIP vision, region to region of SVI Temporal Mask or SVI Embeds."
    )
    FUNCTION = "place"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES = ("IMAGE", "MASK", "BBOX", "STRING")
    RETURN_NAMES = ("canvas", "region", "boxes", "info")
    OUTPUT_TOOLTIPS = (
        "The canvas, one frame.",
        "White where a reference is.",
        "x, y, width and height of each reference, in pixels.",
        "Where each reference went.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        tip = "A reference, or a batch of them. Any size."
        return {
            "required": {
                "image_1": ("IMAGE", {"tooltip": tip}),
                **size_inputs(),
                "margin": (
                    "INT",
                    {
                        "default": 16, "min": 0, "max": 512, "step": 8,
                        "tooltip": "Pixels of canvas around each reference.",
                    },
                ),
                "level": (
                    "FLOAT",
                    {
                        "default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01,
                        "tooltip": "Grey level of the canvas: 1 = white, what MAGREF was trained with.",
                    },
                ),
            },
            "optional": {f"image_{number}": ("IMAGE", {"tooltip": tip}) for number in (2, 3, 4)},
        }  # fmt: skip

    def place(self, width: int, height: int, margin: int, level: float, **images: Tensor | None) -> dict[str, Any]:
        """images: image_1 to image_4, F H W C in 0..1. Returns 1 H W 3, 1 H W, boxes, and what went where."""
        from ...svi_embeds.clips.inpaint.canvas import reference_canvas
        from ...svi_embeds.ground.images import to_picture

        given = {name: image for name, image in sorted(images.items()) if image is not None}
        made = reference_canvas(given, width=width, height=height, margin=margin, level=level)
        head = [f"{len(made.boxes)} references on {width}x{height}"]
        head += [f"reference {i + 1}: {w}x{h} at {x}, {y}" for i, (x, y, w, h) in enumerate(made.boxes)]
        picture = host_show.show(to_picture(made.image), "svi_reference_canvas")
        return {
            "ui": {"images": picture},
            "result": (made.image, made.region, list(made.boxes), write_info(head, made.notes)),
        }


NODE_CLASS_MAPPINGS = {"WanVideoReferenceCanvas": WanVideoReferenceCanvas}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoReferenceCanvas": "WanVideo Reference Canvas"}
