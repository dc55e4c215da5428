"""Nodes between the clips of a chain: take the motion frames, join the clips."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.checks import check_int
from ...svi_embeds.ground.words import write_info
from .inputs import CATEGORY, color_inputs

MOST_CLIPS = 8  # that one Stitch node joins


class WanVideoSVIMotionFrames:
    """The last k frames of a clip, and the clip without them."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Splits a clip into its last frames, which lead the next clip, and the rest. first_frame is the one that CLIP "
        "vision should see for the next clip."
    )
    FUNCTION = "split"
    RETURN_TYPES = ("IMAGE", "IMAGE", "IMAGE", "STRING")
    RETURN_NAMES = ("motion_frames", "rest", "first_frame", "info")
    OUTPUT_TOOLTIPS = (
        "The last overlap_frames frames.",
        "The clip without them.",
        "The first of the motion frames: for CLIP vision of the next clip.",
        "How many frames went where.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "images": ("IMAGE", {"tooltip": "A decoded clip."}),
                "overlap_frames": (
                    "INT",
                    {
                        "default": 5, "min": 1, "max": 1000, "step": 1,
                        "tooltip": "How many frames to take from the end: 5 for film, 1 for shot.",
                    },
                ),
            }
        }  # fmt: skip

    def split(self, images: Tensor, overlap_frames: int) -> tuple[Tensor, Tensor, Tensor, str]:
        """images: F H W C in 0..1. Returns k H W 3, F-k H W 3, 1 H W 3, and what was done."""
        from ...svi_embeds.ground.images import check_finite, check_images, last_frames

        clip, notes = check_images("images", images)
        check_finite("images", clip)
        if check_int("overlap_frames", overlap_frames, minimum=1) >= len(clip):
            raise SVIError(
                f"overlap_frames must be smaller than the clip, got {overlap_frames} of {len(clip)} frames: "
                "nothing would be left of the clip"
            )
        motion = last_frames(clip, overlap_frames)
        head = f"{len(clip)} frames: {len(clip) - overlap_frames} + {overlap_frames} motion frames"
        return motion, clip[: len(clip) - overlap_frames], motion[:1], write_info([head], notes)


class WanVideoSVIStitch:
    """Joins clips without showing the overlap twice."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Joins clips of a chain, two or up to eight. The overlap is in both; it is dropped from one of them, exactly. "
        "Use the overlap that the later clips were made with."
    )
    FUNCTION = "stitch"
    RETURN_TYPES = ("IMAGE", "STRING")
    RETURN_NAMES = ("images", "info")
    OUTPUT_TOOLTIPS = ("All clips as one.", "How many frames came from where.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.colour.stitch import BLEND_CHOICES, DROP_CHOICES

        return {
            "required": {
                "images_1": ("IMAGE", {"tooltip": "The earlier clip, or everything stitched so far."}),
                "images_2": ("IMAGE", {"tooltip": "The clip that follows, of the same size."}),
                "overlap_frames": (
                    "INT",
                    {
                        "default": 5, "min": 0, "max": 1000, "step": 1,
                        "tooltip": "Motion frames that images_2 starts with: 5 for film, 1 for shot.",
                    },
                ),
                "drop": (
                    list(DROP_CHOICES),
                    {
                        "default": "new",
                        "tooltip": "Which copy of the overlap is dropped. new: the start of images_2. old: the end of "
                        "images_1 (as the SVI authors do).",
                    },
                ),
            },
            "optional": {
                "blend": (
                    list(BLEND_CHOICES),
                    {
                        "default": "none",
                        "tooltip": "Fade from images_1 to images_2 over the overlap, instead of dropping one. Hides a "
                        "jump in colour. Not for 2.0 Pro, whose overlap begins with the anchor.",
                    },
                ),
                **color_inputs("each later clip, towards its end,"),
                "color_reference": (
                    "IMAGE",
                    {
                        "tooltip": "Whose colours to hold: the original image. Left out: those of the first frames of "
                        "images_1."
                    },
                ),
                **{
                    f"images_{number}": (
                        "IMAGE",
                        {"tooltip": "One more clip, with the same overlap. Joined at once, the video is copied once."},
                    )
                    for number in range(3, MOST_CLIPS + 1)
                },
            },
        }  # fmt: skip

    def stitch(
        self,
        images_1: Tensor,
        images_2: Tensor,
        overlap_frames: int,
        drop: str,
        blend: str = "none",
        color_match: str = "off",
        color_match_strength: float = 1.0,
        color_reference: Tensor | None = None,
        **more: Tensor,
    ) -> tuple[Tensor, str]:
        """F H W C in 0..1, each -> H W 3 frames of all less overlap_frames at each seam, and what was done.

        more: images_3 to images_8, as far as they are connected.
        """
        from ...svi_embeds.colour.stitch import stitch

        clips = [images_1, images_2]
        for number in range(3, MOST_CLIPS + 1):
            if (images := more.get(f"images_{number}")) is not None:
                if len(clips) < number - 1:
                    raise SVIError(f"images_{number} is connected, images_{len(clips) + 1} is not: leave no gap")
                clips.append(images)
        images, notes = stitch(
            *clips, overlap_frames=overlap_frames, drop=drop, blend=blend, color_match=color_match,
            color_match_strength=color_match_strength, color_reference=color_reference,
        )  # fmt: skip
        where = "start of the later clip" if drop == "new" else "end of the earlier clip"
        if blend != "none":
            where = f"blended, {blend}"
        counts = " + ".join(str(len(clip)) for clip in clips)
        seams = f"{len(clips) - 1} x {overlap_frames}" if len(clips) > 2 else overlap_frames
        head = f"{counts} - {seams} ({where}) = {len(images)} frames"
        return images, write_info([head], notes)


NODE_CLASS_MAPPINGS = {
    "WanVideoSVIMotionFrames": WanVideoSVIMotionFrames,
    "WanVideoSVIStitch": WanVideoSVIStitch,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "WanVideoSVIMotionFrames": "WanVideo SVI Motion Frames",
    "WanVideoSVIStitch": "WanVideo SVI Stitch",
}
