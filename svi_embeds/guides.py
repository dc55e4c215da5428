"""What the clips of a chain follow frame by frame: a voice, a dance. Whole for the chain, cut per clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .chain import ChainClip, ChainPlan
from .errors import SVIError
from .fingerprint import fingerprint
from .humo import HUMO_FPS, holds_voice, humo_voice, join_humo, window_humo
from .models import lacks_layers
from .poses import check_pose_size, pose_length, pose_of, window_poses
from .soundtrack import Soundtrack, check_covers
from .voice import VOICE_FPS, Silence, check_time_base, speakers_of, voice_length, window_multitalk
from .window import Window

VOICE, POSES = "multitalk_embeds", "unianimate_poses"  # arguments of the host's sampler


@dataclass(frozen=True, slots=True, eq=False)
class Guides:
    """What sampler settings bring along. Frame 0 of each is frame 0 of the joined chain.

    multitalk_embeds: MULTITALK_EMBEDS. humo_embeds: WANVIDIMAGE_EMBEDS of HuMo. unianimate_poses: UNIANIMATE_POSE.
    silence: entries of recorded silence for a voice, see `window_multitalk`.
    """

    multitalk_embeds: Mapping[str, Any] | None = None
    humo_embeds: Mapping[str, Any] | None = None
    unianimate_poses: Mapping[str, Any] | None = None
    silence: Silence | None = None

    @property
    def voice_frames(self) -> int | None:
        """Frames of the voice, None without one."""
        if self.multitalk_embeds is not None:
            return voice_length(speakers_of(self.multitalk_embeds))
        return len(humo_voice(self.humo_embeds)) if self.humo_embeds is not None else None

    @property
    def pose_frames(self) -> int | None:
        """Frames of the dance, None without one."""
        return pose_length(pose_of(self.unianimate_poses)) if self.unianimate_poses is not None else None

    @property
    def frames(self) -> int | None:
        """How long a chain that follows them is: as the voice, or else as the dance; None without either."""
        return self.voice_frames or self.pose_frames

    def check(self, plan: ChainPlan, *, width: int, height: int, track: Soundtrack | None) -> list[str]:
        """Notes on how they fit a chain. track: the sound that the voice was made of, if it is known.

        Raises SVIError when they do not: another rate or size, or clips that they do not reach.
        """
        if self.multitalk_embeds is not None and self.humo_embeds is not None:
            raise SVIError("sampler_inputs has both multitalk_embeds and HuMo Embeds: a model takes one of them")
        notes = []
        if self.voice_frames is not None:
            self._check_rate(plan, self.voice_frames, track)
            notes += _check_reach(plan, self.voice_frames, "audio", "is silent")
        if self.unianimate_poses is not None:
            pose = pose_of(self.unianimate_poses)
            check_pose_size("the poses", pose.shape[4], pose.shape[3], width=width, height=height)
            notes += _check_reach(plan, pose_length(pose), "poses", "holds the last pose")
        return notes + _mode_notes(self, plan)

    def _check_rate(self, plan: ChainPlan, frames: int, track: Soundtrack | None) -> None:
        if self.humo_embeds is not None:
            check_time_base(fps=plan.fps, voice_fps=HUMO_FPS, frames=plan.clips[0].num_frames)
        if track is not None:
            check_covers(track, frames=frames, fps=plan.fps)
        elif plan.fps != VOICE_FPS and self.humo_embeds is None:
            raise SVIError(
                f"fps is {plan.fps:g}, and multitalk_embeds do not say at which rate they were made: set fps to "
                f"{VOICE_FPS:g}, the rate that talk models are trained at, or connect the audio, which tells"
            )

    def check_model(self, name: str, model: Any) -> None:
        """Raises SVIError for a model that lacks the layers which the sampler reaches for."""
        if self.unianimate_poses is not None and lacks_layers(model, "dwpose_embedding"):
            raise SVIError(
                f"{name} has no UniAnimate layers, yet unianimate_poses is connected: connect the UniAnimate LoRA to "
                "the lora input of WanVideo Model Loader (WanVideo Set LoRAs cannot load it)"
            )
        if self.multitalk_embeds is not None and lacks_layers(model, "multitalk_audio_proj"):
            raise SVIError(
                f"{name} has no talk layers, yet multitalk_embeds is connected: connect Multi/InfiniteTalk Model "
                "Loader to multitalk_model of WanVideo Model Loader"
            )
        if self.humo_embeds is not None and lacks_layers(model, "audio_proj"):
            raise SVIError(f"{name} is no HuMo model, yet image_embeds of sampler_inputs are HuMo's: load one")

    def of(self, clip: ChainClip, *, width: int, height: int) -> dict[str, Any]:
        """Sampler arguments of one clip, cut to its frames."""
        window, found = _window(clip), {}
        if self.multitalk_embeds is not None:
            found[VOICE] = window_multitalk(self.multitalk_embeds, window, silence=self.silence)[0]
        if self.unianimate_poses is not None:
            found[POSES] = window_poses(self.unianimate_poses, window, width=width, height=height)[0]
        return found

    def join(self, clip: ChainClip, embeds: dict[str, Any]) -> dict[str, Any]:
        """A clip's embeds with HuMo's voice, when there is one."""
        if self.humo_embeds is None:
            return embeds
        return join_humo(window_humo(self.humo_embeds, _window(clip), end="silence")[0], embeds)[0]

    def print_of(self, clip: ChainClip, *, width: int, height: int) -> str | None:
        """A short name for all that decides this clip; None without guides."""
        if self.frames is None:
            return None
        humo = self.humo_embeds
        voice = window_humo(humo, _window(clip), end="silence")[0] if humo is not None else None
        return fingerprint([self.of(clip, width=width, height=height), voice])


def guides_of(*stages: Mapping[str, Any] | None, silence: Silence | None = None) -> Guides:
    """What sampler settings (SAMPLER_ARGS) bring along; of the first stage that has it."""

    def first(name: str) -> Any:
        return next((stage[name] for stage in stages if stage and stage.get(name) is not None), None)

    embeds = first("image_embeds")
    return Guides(first(VOICE), embeds if holds_voice(embeds) else None, first(POSES), silence)


def _window(clip: ChainClip) -> Window:
    return Window(clip.start, clip.num_frames)


def _check_reach(plan: ChainPlan, total: int, what: str, then: str) -> list[str]:
    beyond = [clip for clip in plan.clips if clip.start >= total]
    if beyond:
        covered = len(plan.clips) - len(beyond)
        raise SVIError(
            f"the story has {len(plan.clips)} clips, but the {what} of {total} frames end"
            f"{'s' if what == 'audio' else ''} with clip {covered}: take out the last {len(beyond)} (repeat=auto in "
            f"the last block does), or connect longer {what}"
        )
    lacking = plan.total_frames - total
    if lacking <= 0:
        left = -lacking
        return [f"the {what} goes on for {left} frames after the video"] if left and what == "audio" else []
    if plan.length is not None and plan.length <= total:
        return []  # those frames are not in the video
    return [f"the video {then} for its last {lacking} frames, after the {what} of {total}"]


def _mode_notes(guides: Guides, plan: ChainPlan) -> list[str]:
    notes = []
    modes = {clip.mode for clip in plan.clips}
    if "talk" in modes and guides.voice_frames is None:
        notes.append("mode talk without audio: connect multitalk_embeds to WanVideo Sampler Settings")
    if "dance" in modes and guides.unianimate_poses is None:
        notes.append("mode dance without poses: connect unianimate_poses to WanVideo Sampler Settings")
    if guides.unianimate_poses is not None and guides.unianimate_poses.get("ref") is not None:
        notes.append(
            "a reference pose is connected: SVI-dance was made without one, leave reference_pose_image unconnected"
        )
    return notes
