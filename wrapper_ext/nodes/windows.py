"""The part of a voice or of a dance that one clip needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.words import write_info
from ..host import nodes as host_nodes
from .inputs import CATEGORY, fold, size_inputs


def _window_inputs() -> dict[str, Any]:
    return {
        "clip_index": (
            "INT",
            {
                "default": 0, "min": 0, "max": 100_000, "step": 1,
                "tooltip": "Which clip of the chain, counted from 0. It begins at clip_index x (num_frames - "
                "overlap_frames).",
            },
        ),
        "num_frames": (
            "INT",
            {
                "default": 81, "min": 1, "max": 10_001, "step": 4,
                "tooltip": "Frames of each clip, motion frames included: 4k+1, as on WanVideo SVI Embeds.",
            },
        ),
        "overlap_frames": (
            "INT",
            {
                "default": 1, "min": 0, "max": 1000, "step": 1,
                "tooltip": "Motion frames between clips: 1 for talk, dance and shot, 5 for film.",
            },
        ),
        "start_frame": (
            "INT",
            {
                "default": -1, "min": -1, "max": 10_000_000, "step": 1,
                "tooltip": "Frame of the joined video where the clip begins, for chains whose clips differ. -1 = by "
                "clip_index.",
            },
        ),
    }  # fmt: skip


class WanVideoSVIAudioWindow:
    """The part of a voice that one clip needs."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Cuts the audio features of a whole voice to one clip of a chain. The wrapper starts every clip's audio at its "
        "beginning; with this node clip 2 continues where clip 1 ended. For MultiTalk, InfiniteTalk and HuMo."
    )
    FUNCTION = "cut"
    RETURN_TYPES = ("MULTITALK_EMBEDS", "WANVIDIMAGE_EMBEDS", "AUDIO", "INT", "INT", "STRING")
    RETURN_NAMES = ("multitalk_embeds", "image_embeds", "audio", "clips", "start_frame", "info")
    OUTPUT_TOOLTIPS = (
        "For multitalk_embeds of the sampler.",
        "HuMo's embeds for the sampler's image_embeds, joined with the clip's when image_embeds is connected.",
        "The sound of the clip, its motion frames included, when audio is connected.",
        "How many clips the whole audio needs. 0 when start_frame is used.",
        "Frame of the joined video where the clip begins.",
        "Which frames were cut, and what fills the end.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.guides.voice import VOICE_END_CHOICES, VOICE_FPS

        rate = {"min": 1.0, "max": 120.0, "step": 0.01}
        inputs = {
            "required": {
                **_window_inputs(),
                "fps": ("FLOAT", {**rate, "default": VOICE_FPS, "tooltip": "Frames per second of the video."}),
                "audio_fps": (
                    "FLOAT",
                    {
                        **rate, "default": VOICE_FPS,
                        "tooltip": "Audio features per second: fps of the Wav2vec2 Embeds node. HuMo's are always 25.",
                    },
                ),
                "end": (
                    list(VOICE_END_CHOICES),
                    {
                        "default": "silence",
                        "tooltip": "When the audio ends before the clip. silence: the wrapper's recorded silence "
                        "(zeros for HuMo). hold: the last sound. error: stop.",
                    },
                ),
            },
            "optional": {
                "multitalk_embeds": (
                    "MULTITALK_EMBEDS",
                    {"tooltip": "The whole voice, from Multi/InfiniteTalk Wav2vec2 Embeds. Masks of speakers stay."},
                ),
                "humo_embeds": (
                    "WANVIDIMAGE_EMBEDS",
                    {"tooltip": "The whole voice, from HuMo Embeds with the clip's num_frames, width and height."},
                ),
                "image_embeds": (
                    "WANVIDIMAGE_EMBEDS",
                    {"tooltip": "With humo_embeds: the clip's embeds of WanVideo SVI Embeds, to be joined with them."},
                ),
                "audio": (
                    "AUDIO",
                    {"tooltip": "The sound itself: its part for the clip comes out, and the features are checked."},
                ),
            },
        }  # fmt: skip
        return fold(inputs, "start_frame", "audio_fps", "end")

    def cut(
        self,
        clip_index: int,
        num_frames: int,
        overlap_frames: int,
        start_frame: int,
        fps: float,
        audio_fps: float,
        end: str,
        multitalk_embeds: Mapping[str, Any] | None = None,
        humo_embeds: Mapping[str, Any] | None = None,
        image_embeds: Mapping[str, Any] | None = None,
        audio: Mapping[str, Any] | None = None,
    ) -> tuple[Any, Any, Any, int, int, str]:
        """See `window_multitalk`, `window_humo` and `join_humo`."""
        from ...svi_embeds.files.track import check_covers, soundtrack_of
        from ...svi_embeds.guides.humo import HUMO_FPS, humo_voice, join_humo, window_humo
        from ...svi_embeds.guides.voice import check_time_base, speakers_of, voice_length, window_multitalk
        from ...svi_embeds.guides.window import check_uncut, window_of, with_window

        if (multitalk_embeds is None) == (humo_embeds is None):
            came = "none is connected" if humo_embeds is None else "both are connected"
            raise SVIError(f"connect either multitalk_embeds or humo_embeds; {came}")
        if image_embeds is not None and humo_embeds is None:
            raise SVIError("image_embeds are joined with humo_embeds only: connect them to the sampler instead")
        if humo_embeds is not None:
            total, made_at = len(humo_voice(humo_embeds)), HUMO_FPS
            if audio_fps != HUMO_FPS:
                raise SVIError(f"HuMo's features are always {HUMO_FPS:g} per second: set audio_fps to {HUMO_FPS:g}")
        else:
            total, made_at = voice_length(speakers_of(multitalk_embeds)), audio_fps
        window = window_of(
            clip_index=clip_index, start_frame=start_frame, num_frames=num_frames, overlap_frames=overlap_frames,
            total=total,
        )  # fmt: skip
        check_time_base(fps=fps, voice_fps=made_at, frames=num_frames)
        for name, voice in (("multitalk_embeds", multitalk_embeds), ("humo_embeds", humo_embeds)):
            if voice is not None:
                check_uncut(name, voice, window)
        sound: Any = host_nodes.blocked("audio of SVI Audio Window is empty: audio is not connected")
        if audio is not None:
            track = soundtrack_of(audio)
            check_covers(track, frames=total, fps=fps)
            sound = track.cut(window.start, window.num_frames, fps).audio()
        talk: Any = host_nodes.blocked(
            "multitalk_embeds of SVI Audio Window is empty: multitalk_embeds is not connected"
        )
        image: Any = host_nodes.blocked("image_embeds of SVI Audio Window is empty: humo_embeds is not connected")
        if multitalk_embeds is not None:
            talk, notes = window_multitalk(multitalk_embeds, window, end=end, silence=host_nodes.silent_voice)
            talk = with_window(talk, window)
        else:
            assert humo_embeds is not None
            image, notes = window_humo(humo_embeds, window, end=end)
            if image_embeds is not None:
                image, said = join_humo(image, image_embeds)
                notes += said
            image = with_window(image, window)
        info = write_info([window.describe(total, "the audio", fps)], notes)
        return talk, image, sound, window.clips or 0, window.start, info


class WanVideoSVIPoseWindow:
    """The part of a dance that one clip needs."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Cuts the poses of a whole dance to one clip of a chain: the motion frames get the poses that they were made "
        "with, the last pose is held at the end. For UniAnimate with SVI-dance."
    )
    FUNCTION = "cut"
    RETURN_TYPES = ("UNIANIMATE_POSE", "IMAGE", "INT", "INT", "STRING")
    RETURN_NAMES = ("unianimate_poses", "pose_images", "clips", "start_frame", "info")
    OUTPUT_TOOLTIPS = (
        "For unianimate_poses of the sampler.",
        "The clip's pose pictures, when pose_images is connected.",
        "How many clips the whole dance needs. 0 when start_frame is used.",
        "Frame of the joined video where the clip begins.",
        "Which poses were cut, and how long the last one is held.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.guides.poses import POSE_END_CHOICES

        inputs = {
            "required": {
                **_window_inputs(),
                **size_inputs(),
                "end": (
                    list(POSE_END_CHOICES),
                    {
                        "default": "hold",
                        "tooltip": "When the poses end before the clip. hold: the last pose stays. error: stop.",
                    },
                ),
            },
            "optional": {
                "unianimate_poses": (
                    "UNIANIMATE_POSE",
                    {"tooltip": "The whole dance, from WanVideo UniAnimate Pose Input, at the clip's size."},
                ),
                "pose_images": (
                    "IMAGE",
                    {"tooltip": "Instead or besides: pose pictures of the whole dance, at the clip's size."},
                ),
            },
        }  # fmt: skip
        return fold(inputs, "start_frame", "end")

    def cut(
        self,
        clip_index: int,
        num_frames: int,
        overlap_frames: int,
        start_frame: int,
        width: int,
        height: int,
        end: str,
        unianimate_poses: Mapping[str, Any] | None = None,
        pose_images: Tensor | None = None,
    ) -> tuple[Any, Any, int, int, str]:
        """See `window_poses` and `window_pose_images`."""
        from ...svi_embeds.ground.images import check_images
        from ...svi_embeds.guides.poses import pose_length, pose_of, window_pose_images, window_poses
        from ...svi_embeds.guides.window import Window, check_uncut, window_of, with_window

        if unianimate_poses is None and pose_images is None:
            raise SVIError("connect unianimate_poses or pose_images; none is connected")

        def window(total: int) -> Window:
            return window_of(
                clip_index=clip_index, start_frame=start_frame, num_frames=num_frames, overlap_frames=overlap_frames,
                total=total,
            )  # fmt: skip

        poses: Any = host_nodes.blocked(
            "unianimate_poses of SVI Pose Window is empty: unianimate_poses is not connected"
        )
        images: Any = host_nodes.blocked("pose_images of SVI Pose Window is empty: pose_images is not connected")
        head: list[str] = []
        notes: list[str] = []
        clips, start = 0, 0
        if unianimate_poses is not None:
            total = pose_length(pose_of(unianimate_poses))
            part = window(total)
            check_uncut("unianimate_poses", unianimate_poses, part)
            poses, notes = window_poses(unianimate_poses, part, width=width, height=height, end=end)
            poses = with_window(poses, part)
            head.append(part.describe(total, "the poses"))
            clips, start = part.clips or 0, part.start
        if pose_images is not None:
            pictures, cleaned = check_images("pose_images", pose_images)
            part = window(len(pictures))
            images, held = window_pose_images(pictures, part, width=width, height=height, end=end)
            head.append(part.describe(len(pictures), "pose_images"))
            notes += [note for note in (*cleaned, *held) if note not in notes]
            clips, start = max(clips, part.clips or 0), part.start
        return poses, images, clips, start, write_info(head, notes)


NODE_CLASS_MAPPINGS = {
    "WanVideoSVIAudioWindow": WanVideoSVIAudioWindow,
    "WanVideoSVIPoseWindow": WanVideoSVIPoseWindow,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "WanVideoSVIAudioWindow": "WanVideo SVI Audio Window",
    "WanVideoSVIPoseWindow": "WanVideo SVI Pose Window",
}
