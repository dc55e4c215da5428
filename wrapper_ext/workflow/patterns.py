"""What existing SVI graphs look like, as declarations. `migrate.py` says what becomes of them.

Sources: two widely shared wrapper graphs, the wrapper's and KJNodes' SVI 2.0 Pro examples, and the input names of
WanExperiments, Steerable-Motion and the native SVI packs.
"""

from __future__ import annotations

from dataclasses import dataclass

from .match import Absent, LastFramesOf, Leaf, OneOf, Part, Same
from .videos import CONCATENATORS, EXTEND


@dataclass(frozen=True, slots=True)
class Pattern:
    """shape: the nodes. title: what people call it. advice: for patterns that are reported only, what to do."""

    id: str
    title: str
    shape: Part
    advice: str = ""


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

NATIVE_PRO = Pattern(
    "P3", "native SVI 2.0 Pro", Part("native", ("WanImageToVideoSVIPro",)),
    advice="it makes conditioning for native samplers (KSampler), whose models and samplers this migration does not "
    "exchange. In a wrapper graph: WanVideo Encode for the anchor, WanVideo SVI Latent Embeds, WanVideo Sampler; or "
    "one WanVideo SVI Long Video in mode svi2_pro, which needs no loop nodes",
)  # fmt: skip
NATIVE_SVI = Pattern(
    "P6", "native SVI image to video", Part("native", ("WanSVIImageToVideo",)),
    advice="it makes conditioning for native samplers. In a wrapper graph WanVideo SVI Embeds takes the previous clip "
    "as start_image and the original image as ref_image; for latents of your own there is WanVideo I2V Custom Embeds, "
    "which reads the same mask polarity",
)  # fmt: skip
NATIVE_FRAMES = Pattern(
    "P6", "last latents for native SVI", Part("native", ("SVIExtractLastFrames",)),
    advice="WanVideo SVI Latent Embeds takes the last latents of prev_samples itself, WanVideo SVI Embeds the last "
    "frames of start_image",
)  # fmt: skip

STITCHES: tuple[Pattern, ...] = (STITCH_OLD, STITCH_EXTEND)
EMBEDS: tuple[Pattern, ...] = (PIXEL_CHAIN, PIXEL_START, PRO, WANEX)
REPORTED: tuple[Pattern, ...] = (NATIVE_PRO, NATIVE_SVI, NATIVE_FRAMES)
