"""How clips of pixels look in existing SVI graphs, as declarations.

Sources: two widely shared wrapper graphs. What becomes of them, and of other patterns, is in `rewrite/`; nodes of other
packs that are only named are in `others.py`.
"""

from __future__ import annotations

from .match import Absent, LastFramesOf, Leaf, OneOf, Part, Same

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

# Motion frames and padding through VACE Start To End Frame.
LED_BY_CANVAS = Part(
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
)  # fmt: skip

# Motion frames as the start of ImageToVideo Encode.
LED_BY_FRAMES = Part(
    "encode", _ENCODE,
    inputs={
        "start_image": _MOTION,
        "empty_frame_pad_image": OneOf((Leaf("reference"), Absent())),
    },
)  # fmt: skip
