"""WanVideoSVIReelAdd: clips of a chain that is wired by hand, kept in a reel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from ...svi_embeds.errors import SVIError
from ..host import files as host_files
from ..host import show as host_show
from .inputs import CATEGORY

if TYPE_CHECKING:
    from ...svi_embeds.reel.reel import Reel

_NOT_CONNECTED: Any = object()


class WanVideoSVIReelAdd:
    """One clip into a reel."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Keeps one clip of a chain that you wire by hand, of any model, in a reel on disk. The first clip begins the "
        "reel; each later node takes reel from the one before. SVI Drift, SVI Reel Video and the command "
        "wanvideo-svi reel then work with it."
    )
    FUNCTION = "add"
    OUTPUT_NODE = True
    RETURN_TYPES = ("SVI_REEL", "IMAGE", "STRING")
    RETURN_NAMES = ("reel", "motion_frames", "info")
    OUTPUT_TOOLTIPS = (
        "The clips on disk up to this one: reel_before of the next, or for the SVI Reel nodes and SVI Drift.",
        "The last motion_frames frames, exact, to lead the next clip.",
        "What was written, how long the chain is, and what happened to clips that were in this place.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.story.text import MAX_SEED

        return {
            "required": {
                "images": ("IMAGE", {"tooltip": "A decoded clip, all of its frames. Any model's, any number."}),
                "reel": (
                    "STRING",
                    {
                        "default": "",
                        "tooltip": "Name of the folder in output/svi_reels that keeps the clips (ComfyUI's settings "
                        "can name another place). For the first clip; leave it empty when reel_before is "
                        "connected.",
                    },
                ),
                "overlap_frames": (
                    "INT",
                    {
                        "default": -1, "min": -1, "max": 1000, "step": 1,
                        "tooltip": "Frames at the clip's start that the clip before shows too; the joined video drops "
                        "them. -1 = the motion_frames of the node before (none for the first clip). 0 = none.",
                    },
                ),
                "motion_frames": (
                    "INT",
                    {
                        "default": 5, "min": 1, "max": 1000, "step": 1,
                        "tooltip": "How many of the clip's last frames the node gives to lead the next clip: 5 for "
                        "film, 1 for shot.",
                    },
                ),
            },
            "optional": {
                "reel_before": (
                    "SVI_REEL",
                    {
                        "tooltip": "reel of the SVI Reel Add of the clip before, or of SVI Reel Open to continue a "
                        "reel. Not connected: this is the first clip."
                    },
                ),
                "prompt": (
                    "STRING",
                    {"default": "", "multiline": True, "tooltip": "The clip's prompt, kept with it as a note."},
                ),
                "seed": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": MAX_SEED, "control_after_generate": False,
                        "tooltip": "The clip's seed, kept with it as a note.",
                    },
                ),
                "fps": (
                    "FLOAT",
                    {
                        "default": 0.0, "min": 0.0, "max": 120.0, "step": 0.01,
                        "tooltip": "Frames per second of the reel; its first clip sets it. 0 = 16 for the first clip, "
                        "and the reel's rate for the others.",
                    },
                ),
                "new_scene": (
                    "BOOLEAN",
                    {
                        "default": False,
                        "tooltip": "On: a cut; the clip does not continue from the one before. SVI Drift then "
                        "measures no seam there.",
                    },
                ),
            },
            "hidden": {"unique_id": "UNIQUE_ID"},
        }  # fmt: skip

    @classmethod
    def VALIDATE_INPUTS(
        cls,
        reel: str | None = None,
        overlap_frames: int | None = None,
        new_scene: bool | None = None,
        reel_before: Any = _NOT_CONNECTED,
    ) -> bool | str:
        """Answers what is wrong with the node before anything runs. What is linked is None here."""
        from ..render.by_hand import trouble_of

        return trouble_of(reel, overlap_frames, new_scene, is_first=reel_before is _NOT_CONNECTED) or True

    @classmethod
    def IS_CHANGED(cls, reel: str | None = None, **_: Any) -> str:
        """Another value when clips are gone from the disk: all nodes run behind the first, which names the reel."""
        from ...svi_embeds.reel.reel import check_reel_name
        from ..render.by_hand import times_gone

        try:
            return str(times_gone(host_files.reels_folder() / check_reel_name(reel)))
        except SVIError:
            return ""

    def add(
        self,
        images: Tensor,
        reel: str,
        overlap_frames: int,
        motion_frames: int,
        reel_before: Reel | None = None,
        prompt: str = "",
        seed: int = 0,
        fps: float = 0.0,
        new_scene: bool = False,
        unique_id: str | None = None,
    ) -> dict[str, Any]:
        """images: F H W C in 0..1. Returns the reel, k H W 3 motion frames, and words."""
        from ...svi_embeds.reel.add import GivenClip
        from ..render.by_hand import add_by_hand

        clip = GivenClip(
            images=images, overlap_frames=overlap_frames, motion_frames=motion_frames, new_scene=new_scene,
            prompt=prompt, seed=seed,
        )  # fmt: skip
        made, motion, info = add_by_hand(clip, name=reel, before=reel_before, fps=fps, unique_id=unique_id)
        host_show.show_text(unique_id, info.splitlines()[0])
        return {"ui": {"text": [info]}, "result": (made, motion, info)}


NODE_CLASS_MAPPINGS = {"WanVideoSVIReelAdd": WanVideoSVIReelAdd}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVIReelAdd": "WanVideo SVI Reel Add"}
