"""What existing SVI graphs look like, as declarations. `migrate.py` says what becomes of them.

Sources: two widely shared wrapper graphs, the wrapper's and KJNodes' SVI 2.0 Pro examples, and the input names of
WanExperiments and Steerable-Motion. Nodes of other packs that are only named are in `others.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .match import Absent, LastFramesOf, Leaf, OneOf, Part, Same
from .videos import CONCATENATORS, EXTEND


@dataclass(frozen=True, slots=True)
class Pattern:
    """shape: the nodes. title: what people call it."""

    id: str
    title: str
    shape: Part


_ENCODE = ("WanVideoImageToVideoEncode",)
_RANGE = ("GetImageRangeFromBatch",)

# The last frames of what came before.
_MOTION = LastFramesOf("motion", "previous")
_CANVAS = Part(
    "canvas", ("WanVideoVACEStartToEndFrame",),
    inputs={
        "start_image": _MOTION,
        "control_images": OneOf((
            Part("repeat", ("RepeatImageBatch",), inputs={"image": Leaf("reference")}),
            Leaf("controls"),
            Absent(),
        )),
    },
    widgets={"start_index": 0},
)  # fmt: skip
_CANVAS_MASK = OneOf((
    Part("mask_range", _RANGE, output=1, inputs={"masks": Same("canvas", 1)}, widgets={"start_index": 0}),
    Same("canvas", 1),
))  # fmt: skip

PIXEL_CHAIN = Pattern(
    "P1", "motion frames and padding through VACE Start To End Frame",
    Part(
        "encode", _ENCODE,
        inputs={
            "start_image": _CANVAS,
            "temporal_mask": OneOf((
                Part("invert", ("InvertMask",), inputs={"mask": _CANVAS_MASK}),
                Part("mask_range", _RANGE, output=1, widgets={"start_index": 0}, inputs={
                    "masks": Part("invert", ("InvertMask",), inputs={"mask": Same("canvas", 1)}),
                }),
                _CANVAS_MASK,
                Absent(),
                Leaf("mask"),
            )),
        },
    ),
)  # fmt: skip

PIXEL_START = Pattern(
    "P1", "motion frames as the start of ImageToVideo Encode",
    Part(
        "encode", _ENCODE,
        inputs={
            "start_image": _MOTION,
            "empty_frame_pad_image": OneOf((Leaf("reference"), Absent())),
        },
    ),
)  # fmt: skip

STITCH_OLD = Pattern(
    "P1 stitch", "frames taken off a clip, then a batch of both", Part("join", CONCATENATORS, output=0)
)  # fmt: skip

STITCH_EXTEND = Pattern("P2 stitch", "Image Batch Extend With Overlap", Part("extend", (EXTEND,), output=2))

PRO = Pattern(
    "P2", "the wrapper's SVI Pro Embeds",
    Part(
        "pro", ("WanVideoSVIProEmbeds",),
        inputs={"anchor_samples": Leaf("anchor"), "prev_samples": OneOf((Leaf("previous"), Absent()))},
    ),
)  # fmt: skip

WANEX = Pattern("P4", "WanEx I2VCustomEmbeds", Part("wanex", ("WanEx_I2VCustomEmbeds",)))

EMBEDS: tuple[Pattern, ...] = (PIXEL_CHAIN, PIXEL_START, PRO, WANEX)
