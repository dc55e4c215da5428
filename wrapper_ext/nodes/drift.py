"""WanVideoSVIDrift: how a chain's look drifts, as a picture and in figures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...svi_embeds.drift.choices import CLIP_FRAMES, JOINED_CHOICES, OVERLAP_FRAMES
from ...svi_embeds.errors import SVIError
from ..host import comfy
from ..host import show as host_show
from .inputs import CATEGORY

if TYPE_CHECKING:
    from ...svi_embeds.drift.measure import Measured
    from ...svi_embeds.reel.reel import Reel


class WanVideoSVIDrift:
    """A picture and figures of drift over a chain."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Shows how the look of each clip departs from the first one's (exposure, contrast, saturation, colour cast, "
        "sharpness, clipped pixels), and how visible the seams are. Nothing is changed."
    )
    FUNCTION = "measure"
    OUTPUT_NODE = True
    RETURN_TYPES = ("IMAGE", "FLOAT", "FLOAT", "STRING", "STRING")
    RETURN_NAMES = ("picture", "drift", "seam", "report", "figures")
    OUTPUT_TOOLTIPS = (
        "The curves, the seams, and the last frame of each clip.",
        "The largest change of any clip from the first one. From 1 on it is visible side by side.",
        "How visible the worst seam is: 1 = nobody sees it, 2 = twice the usual step between frames.",
        "The figures of each clip, as text.",
        "All figures as JSON.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "clip_frames": (
                    "INT",
                    {
                        "default": CLIP_FRAMES, "min": 0, "max": 100000, "step": 1,
                        "tooltip": "Length of each clip in frames, as it was sampled: 81 for most. 0: the seams are "
                        "looked for in the picture. Not used with reel, which knows its clips.",
                    },
                ),
            },
            "optional": {
                "images": ("IMAGE", {"tooltip": "A joined video."}),
                "reel": ("SVI_REEL", {"tooltip": "Instead of images: read from disk, a frame in memory at a time."}),
                "reference": ("IMAGE", {"tooltip": "The original image, to compare the clips with as well."}),
                "overlap_frames": (
                    "INT",
                    {
                        "default": OVERLAP_FRAMES, "min": 0, "max": 1000, "step": 1,
                        "tooltip": "Frames that each clip shares with the one before: 5 for film, 1 for shot.",
                    },
                ),
                "drop": (
                    list(JOINED_CHOICES),
                    {
                        "default": "new",
                        "tooltip": "How images was joined. new: the start of the later clip was dropped (the default "
                        "of SVI Stitch). old: the end of the earlier one. already_dropped: clip_frames counts "
                        "what each clip but the first adds (76), as in graphs saved before this input existed.",
                    },
                ),
            },
            "hidden": {"unique_id": "UNIQUE_ID"},
        }  # fmt: skip

    def measure(
        self,
        clip_frames: int,
        images: Tensor | None = None,
        reel: Reel | None = None,
        reference: Tensor | None = None,
        overlap_frames: int = OVERLAP_FRAMES,
        drop: str = "already_dropped",
        unique_id: str | None = None,
    ) -> dict[str, Any]:
        """images: F H W C in 0..1. Returns the picture 1 H W 3, two numbers, and text and JSON.

        A prompt without `drop` was saved before that input was there, when clip_frames counted what a clip adds.
        """
        from ...svi_embeds.drift.measure import measure_images, measure_reel
        from ...svi_embeds.ground.images import check_images
        from ...svi_embeds.reel.reel import Reel

        if (images is None) == (reel is None):
            came = "both are connected" if reel is not None else "none is connected"
            raise SVIError(f"SVI Drift measures images or a reel, {came}: connect one of them")
        frames = 0 if images is None else len(check_images("images", images)[0])
        tick = _Tick(unique_id, frames, reel)
        if reel is not None:
            if not isinstance(reel, Reel):
                raise SVIError("reel must come from SVI Long Video, SVI Reel Add or SVI Reel Open")
            measured = measure_reel(reel, reference=reference, tick=tick)
        else:
            assert images is not None
            measured = measure_images(
                images, clip_frames=clip_frames, overlap_frames=overlap_frames, drop=drop, reference=reference,
                tick=tick,
            )  # fmt: skip
        return _answer(measured, reel.name if reel is not None else "Drift")


class _Tick:
    """Moves the progress bar, and stops when the user cancels."""

    def __init__(self, node: str | None, frames: int, reel: Reel | None) -> None:
        from ...svi_embeds.reel.reel import Reel

        self.node, self.done = node, 0
        self.total = reel.total_frames if isinstance(reel, Reel) else frames

    def __call__(self) -> None:
        self.done += 1
        comfy.stop_if_cancelled()
        if self.done % 8 == 0 or self.done == self.total:
            host_show.show_progress(self.node, self.done, self.total)


def _answer(measured: Measured, title: str) -> dict[str, Any]:
    picture = measured.picture(title)
    pixels = torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255.0)[None]
    drift = measured.drift
    report = "\n".join(measured.lines())
    figures = json.dumps(measured.as_dict(), indent=1)
    return {
        "ui": {"images": host_show.show(picture, "svi_drift")},
        "result": (pixels, drift.drift, drift.seam, report, figures),
    }


NODE_CLASS_MAPPINGS = {"WanVideoSVIDrift": WanVideoSVIDrift}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVIDrift": "WanVideo SVI Drift"}
