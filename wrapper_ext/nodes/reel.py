"""Reels opened, read and joined: what Long Video and Reel Add left on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.checks import check_int
from ...svi_embeds.ground.words import write_info
from ..host import files as host_files
from ..host import show as host_show
from .inputs import CATEGORY

if TYPE_CHECKING:
    from ...svi_embeds.reel.reel import Reel


def _reels() -> list[str]:
    from ...svi_embeds.reel.reel import list_reels

    try:
        return list_reels(host_files.reels_folder())
    except SVIError:
        return []


class WanVideoSVIReelOpen:
    """A reel by name."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Opens a reel that SVI Long Video or SVI Reel Add left in output/svi_reels, finished or stopped: its clips for "
        "the other SVI Reel nodes, and the exact last frames, to continue from."
    )
    FUNCTION = "open"
    RETURN_TYPES = ("SVI_REEL", "IMAGE", "STRING")
    RETURN_NAMES = ("reel", "last_frames", "info")
    OUTPUT_TOOLTIPS = (
        "The clips on disk.",
        "The exact last frames of the last clip taken, in the video or not: connect them to start_image of a chain "
        "that continues.",
        "The clips, their seeds and prompts.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "name": (_reels(), {"tooltip": "A folder in output/svi_reels. Press R to read the list again."}),
                "clips": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 100000, "step": 1,
                        "tooltip": "How many clips to take, from the first. 0 = all.",
                    },
                ),
            }
        }  # fmt: skip

    @classmethod
    def VALIDATE_INPUTS(cls, name: str | None = None) -> bool | str:
        """Takes reels that came after the list was made. name is None when it is linked."""
        from ...svi_embeds.reel.reel import check_reel_name, open_reel

        if name is None:
            return True
        try:
            open_reel(host_files.reels_folder() / check_reel_name(name))
        except SVIError as error:
            return str(error)
        return True

    @classmethod
    def IS_CHANGED(cls, name: str, **_: Any) -> str:
        """Changes with the reel."""
        from ...svi_embeds.reel.reel import check_reel_name, reel_state

        try:
            return reel_state(host_files.reels_folder() / check_reel_name(name))
        except SVIError:
            return ""

    def open(self, name: str, clips: int) -> tuple[Reel, Tensor, str]:
        """name: a reel's. clips: how many, 0 for all. Returns the reel, its last frames F H W 3, and words."""
        from ...svi_embeds.reel.reel import check_reel_name, describe_reel, open_reel

        reel = open_reel(host_files.reels_folder() / check_reel_name(name))
        if not reel.clips:
            raise SVIError(f"reel {name} has no clip yet")
        if check_int("clips", clips, minimum=0) > len(reel.clips):
            raise SVIError(
                f"reel {name} has {len(reel.clips)} clips, {clips} were asked for: lower clips, or set it to 0"
            )
        reel = reel.up_to(clips or len(reel.clips))
        return reel, reel.tail(reel.clips[-1])[0], "\n".join(describe_reel(reel))


class WanVideoSVIReelFrames:
    """Frames of a reel as IMAGE."""

    CATEGORY = CATEGORY
    DESCRIPTION = "Reads frames of a reel's video from disk as images, only those that you ask for."
    FUNCTION = "read"
    RETURN_TYPES = ("IMAGE", "STRING")
    RETURN_NAMES = ("images", "info")
    OUTPUT_TOOLTIPS = ("The frames, 8-bit as they were kept.", "Which frames were read, of how many.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "reel": ("SVI_REEL", {"tooltip": "From SVI Long Video, SVI Reel Add or SVI Reel Open."}),
                "start_frame": (
                    "INT",
                    {
                        "default": 0, "min": -1000000, "max": 1000000, "step": 1,
                        "tooltip": "First frame, from 0. Negative numbers count from the end: -5 is the fifth to last.",
                    },
                ),
                "count": (
                    "INT",
                    {
                        "default": 81, "min": 0, "max": 1000000, "step": 1,
                        "tooltip": "How many frames, all in memory at once. 0 = up to the end.",
                    },
                ),
            }
        }  # fmt: skip

    def read(self, reel: Reel, start_frame: int, count: int) -> tuple[Tensor, str]:
        """start_frame: from 0, or from the end when negative. count: frames, 0 for the rest. Returns F H W 3."""
        from ...svi_embeds.files.video import to_images

        total = _reel(reel).shown_frames
        start = check_int("start_frame", start_frame) + (total if start_frame < 0 else 0)
        stop = start + check_int("count", count, minimum=0) if count else total
        if not 0 <= start < stop <= total:
            raise SVIError(
                f"reel {reel.name} has frames 0..{total - 1}, asked for {count or 'all'} from {start_frame} on: "
                "lower start_frame or count"
            )
        images = to_images(reel.frames(start, stop), stop - start)
        return images, f"frames {start}..{stop - 1} of {total} of reel {reel.name}{reel.cut}"


class WanVideoSVIReelVideo:
    """A reel as one video file."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Joins a reel's clips to one video file in the reel's folder, frame by frame: a chain of any length takes no "
        "more memory than a frame. The overlap is shown once. A story with repeat=auto ends with its audio."
    )
    FUNCTION = "join"
    OUTPUT_NODE = True
    RETURN_TYPES = ("VIDEO", "STRING")
    RETURN_NAMES = ("video", "info")
    OUTPUT_TOOLTIPS = ("The video, for Save Video.", "The file, its length and format.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.files.video import DEFAULT_QUALITY, FORMATS

        return {
            "required": {
                "reel": ("SVI_REEL", {"tooltip": "From SVI Long Video, SVI Reel Add or SVI Reel Open."}),
                "format": (
                    list(FORMATS),
                    {
                        "default": "h264",
                        "tooltip": "h264: plays everywhere. h265: 10 bit, smaller. prores: 422 HQ, for editing. "
                        "ffv1: without any loss.",
                    },
                ),
                "quality": (
                    "INT",
                    {
                        "default": DEFAULT_QUALITY, "min": 0, "max": 100, "step": 1,
                        "tooltip": "0 to 100, for h264 and h265; 85 shows no loss. prores and ffv1 have their own.",
                    },
                ),
                "fps": (
                    "FLOAT",
                    {
                        "default": 0.0, "min": 0.0, "max": 120.0, "step": 0.01,
                        "tooltip": "Frames per second. 0 = those of the reel.",
                    },
                ),
            },
            "optional": {
                "audio": (
                    "AUDIO",
                    {
                        "tooltip": "The sound of the chain, from the first frame of clip 1 on. Where the video leaves "
                        "that out (skip_repeated), the sound begins where the video does."
                    },
                ),
            },
            "hidden": {"unique_id": "UNIQUE_ID"},
        }  # fmt: skip

    def join(
        self,
        reel: Reel,
        format: str,  # noqa: A002
        quality: int,
        fps: float,
        audio: Mapping[str, Any] | None = None,
        unique_id: str | None = None,
    ) -> dict[str, Any]:
        """See `Reel.assemble`. Returns VIDEO, and the file in words."""
        from ...svi_embeds.files.track import soundtrack_of
        from ...svi_embeds.files.video import check_format
        from ..render.join import assemble, cut_name, sound_name

        row = check_format(format)
        _reel(reel)
        rate = fps or reel.fps
        track = soundtrack_of(audio) if audio is not None else None
        scale = f"_q{quality}" if row.option else ""
        name = f"{reel.name}_{reel.chain}_{rate:g}fps_{format}{scale}{sound_name(track)}{cut_name(reel)}{row.suffix}"
        path = reel.folder / name
        notes = ["it was there already"] if path.is_file() and not path.is_symlink() else []
        if not notes:
            assemble(reel, path, unique_id, video_format=format, quality=quality, fps=rate, track=track)
        if track is not None and reel.skipped_frames:
            notes.append(f"the sound begins {reel.skipped_frames / rate:.2f} s in, where the video does")
        head = (
            f"{path.name}: {reel.shown_frames} frames, {reel.shown_frames / rate:.1f} s at {rate:g} fps{reel.cut}, "
            f"{format}, {path.stat().st_size / 2**20:.1f} MB"
        )
        info = write_info([head, f"in output/{reel.folder.parent.name}/{reel.name}"], notes)
        return {
            "ui": {"images": [host_files.output_file(path)], "animated": (True,), "text": [info]},
            "result": (host_show.video_from_file(path), info),
        }


def _reel(reel: object) -> Reel:
    from ...svi_embeds.reel.reel import Reel

    if not isinstance(reel, Reel):
        raise SVIError(f"reel must come from SVI Long Video, SVI Reel Add or SVI Reel Open, got {type(reel).__name__}")
    return reel


NODE_CLASS_MAPPINGS = {
    "WanVideoSVIReelOpen": WanVideoSVIReelOpen,
    "WanVideoSVIReelFrames": WanVideoSVIReelFrames,
    "WanVideoSVIReelVideo": WanVideoSVIReelVideo,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "WanVideoSVIReelOpen": "WanVideo SVI Reel Open",
    "WanVideoSVIReelFrames": "WanVideo SVI Reel Frames",
    "WanVideoSVIReelVideo": "WanVideo SVI Reel Video",
}
