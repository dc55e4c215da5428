"""What the clips of a chain follow frame by frame: a voice, a dance. Whole for the chain, cut per clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..clips.embeds import holds_voice, reference_latents
from ..errors import SVIError
from ..files.track import Soundtrack, check_covers
from ..ground.fingerprint import fingerprint
from ..models.facts import VOICE_LAYERS, is_small, lacks_layers
from ..story.chain import ChainClip, ChainPlan
from ..story.settings import ChainSettings
from .humo import HUMO_FPS, check_humo_size, humo_voice, is_silent, join_humo, window_humo
from .poses import check_pose_size, pose_length, pose_of, window_poses
from .voice import VOICE_FPS, Silence, check_time_base, speakers_of, voice_length, window_multitalk
from .window import Window

VOICE, POSES = "multitalk_embeds", "unianimate_poses"  # arguments of the host's sampler


@dataclass(frozen=True, slots=True, eq=False)
class Guides:
    """What sampler settings bring along. Frame 0 of each is frame 0 of clip 1, in the video or not.

    multitalk_embeds: MULTITALK_EMBEDS. humo_embeds: WANVIDIMAGE_EMBEDS of HuMo. unianimate_poses: UNIANIMATE_POSE.
    silence: entries of recorded silence for a voice, see `window_multitalk`.
    """

    multitalk_embeds: Mapping[str, Any] | None = None
    humo_embeds: Mapping[str, Any] | None = None
    unianimate_poses: Mapping[str, Any] | None = None
    silence: Silence | None = None

    @property
    def voice_frames(self) -> int | None:
        """Frames of the voice, None without one. HuMo Embeds may be there for their references alone."""
        if self.multitalk_embeds is not None:
            return voice_length(speakers_of(self.multitalk_embeds))
        if self.humo_embeds is None or is_silent(self.humo_embeds):
            return None
        return len(humo_voice(self.humo_embeds))

    @property
    def pose_frames(self) -> int | None:
        """Frames of the dance, None without one."""
        return pose_length(pose_of(self.unianimate_poses)) if self.unianimate_poses is not None else None

    @property
    def frames(self) -> int | None:
        """How long a chain that follows them is: as the voice, or else as the dance; None without either."""
        return self.voice_frames or self.pose_frames

    def check(
        self,
        plan: ChainPlan,
        settings: ChainSettings,
        *,
        track: Soundtrack | None,
        voice_fps: float | None,
    ) -> list[str]:
        """Notes on how they fit a chain.

        track: the sound that the voice was made of, if it is known.
        voice_fps: entries of multitalk_embeds per second, None when that is not known.
        Raises SVIError when they do not fit: another rate or size, or clips that they do not reach.
        """
        if self.multitalk_embeds is not None and self.humo_embeds is not None:
            raise SVIError("sampler_inputs has both multitalk_embeds and HuMo Embeds: a model takes one of them")
        if plan.length is not None and plan.length <= plan.skipped_frames:
            raise SVIError(
                f"the video would be empty: it begins after frame {plan.skipped_frames} of clip 1, and ends with the "
                f"audio or the poses after {plan.length}: connect longer ones"
            )
        notes = []
        if self.voice_frames is not None:
            notes += self._check_rate(plan, self.voice_frames, track, voice_fps)
            notes += _check_reach(plan, self.voice_frames, "audio", "is silent")
        elif track is not None:
            if self.pose_frames is None and plan.length is not None:
                _check_reach(plan, plan.length, "audio", "is silent")
            notes += _sound_notes(plan, track)
        if track is not None and plan.skipped_frames:
            notes.append(
                f"the sound is that of clip 1 from frame 0 on: it begins {plan.skipped_frames / plan.fps:.2f} s "
                "in, where the video does"
            )
        if self.unianimate_poses is not None:
            pose = pose_of(self.unianimate_poses)
            check_pose_size("the poses", pose.shape[4], pose.shape[3], width=settings.width, height=settings.height)
            notes += _check_reach(plan, pose_length(pose), "poses", "holds the last pose")
        if not settings.fun_or_fl2v_model:
            self._check_ends(plan)
        if self.humo_embeds is not None:
            self._check_humo(plan, self.humo_embeds, settings)
        return notes + _mode_notes(self, plan)

    def _check_rate(self, plan: ChainPlan, frames: int, track: Soundtrack | None, voice_fps: float | None) -> list[str]:
        rate = HUMO_FPS if self.humo_embeds is not None else voice_fps
        if rate is not None:
            check_time_base(fps=plan.fps, voice_fps=rate, frames=plan.clips[0].num_frames)
        if track is not None:
            check_covers(track, frames=frames, fps=plan.fps)
        if rate is not None or plan.fps == VOICE_FPS:
            return []
        if track is None:
            raise SVIError(
                f"fps is {plan.fps:g}, and multitalk_embeds do not say at which rate they were made: set fps to "
                f"{VOICE_FPS:g}, the rate that talk models are trained at, or connect the audio, which tells"
            )
        # As long as the audio at this rate is also what num_frames cuts from longer audio at another.
        note = (
            "at which rate multitalk_embeds were made cannot be seen in this graph: lips are in time only if it is "
            f"{plan.fps:g} a second, as the video"
        )
        return [note]

    def _check_ends(self, plan: ChainPlan) -> None:
        """Raises SVIError for an end in a latent of its own, which what is followed does not have."""
        clip = next((clip for clip in plan.clips if clip.end is not None), None)
        if clip is None:
            return
        way = f"turn it on (Fun InP and FLF2V models), or take end={clip.end} out"
        if self.unianimate_poses is not None:
            raise clip.wrong(
                "ends on an image with fun_or_fl2v_model off: it would be one latent longer than its "
                f"poses, which the sampler fills with the first pose; {way}",
                joint=" ",
            )
        if self.humo_embeds is not None:
            raise clip.wrong(
                "ends on an image with fun_or_fl2v_model off: HuMo's frames have no place for the "
                f"latent that this adds; {way}",
                joint=" ",
            )

    def _check_humo(self, plan: ChainPlan, humo_embeds: Mapping[str, Any], settings: ChainSettings) -> None:
        lengths = sorted({clip.num_frames for clip in plan.clips})
        if len(lengths) > 1:
            raise SVIError(
                f"the story has clips of {' and '.join(map(str, lengths))} frames, but HuMo Embeds has one num_frames "
                "for all of them: take frames=... out of the story"
            )
        try:
            check_humo_size(humo_embeds, num_frames=lengths[0], lat_h=settings.height // 8, lat_w=settings.width // 8)
        except SVIError as error:
            raise SVIError(f"image_embeds of sampler_inputs: {error}") from error

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
        if self.humo_embeds is not None and lacks_layers(model, VOICE_LAYERS):
            raise SVIError(f"{name} is not a HuMo model, yet image_embeds of sampler_inputs are HuMo's: load one")
        if self.humo_embeds is not None and is_small(model):
            raise SVIError(
                f"{name} is the small HuMo model (1.7B), which takes no image conditioning: no clip would "
                "continue where the one before ended. Load the large one (14B)"
            )

    def check_pair(self) -> None:
        """Raises SVIError for what two models that sample one clip after the other cannot follow."""
        if self.humo_embeds is not None and (count := reference_latents("humo_embeds", self.humo_embeds)):
            raise SVIError(
                f"HuMo Embeds have {count} reference latent(s), which the sampler of a pair's first model drops: for "
                "the second one the wrapper repeats the clip's first latent in their place, silently. Leave "
                "reference_images of HuMo Embeds unconnected, or sample with one model"
            )

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
        humo = self.humo_embeds
        if self.multitalk_embeds is None and humo is None and self.unianimate_poses is None:
            return None
        voice = window_humo(humo, _window(clip), end="silence")[0] if humo is not None else None
        return fingerprint([self.of(clip, width=width, height=height), voice])


def guides_of(*stages: Mapping[str, Any] | None, silence: Silence | None = None) -> Guides:
    """What sampler settings (SAMPLER_ARGS) of a chain's stages bring along, for all of them.

    One stage is enough. Raises SVIError when two bring different ones.
    """

    def only(name: str, what: str, counts: Callable[[Any], bool] = lambda found: found is not None) -> Any:
        first, *others = [stage[name] for stage in stages if stage and counts(stage.get(name))] or [None]
        if any(other is not first and fingerprint(other) != fingerprint(first) for other in others):
            raise SVIError(
                f"sampler_inputs and low_noise_sampler_inputs have different {what}, but both stages sample the same "
                "clip: connect the same to both, or to one of them alone"
            )
        return first

    return Guides(only(VOICE, VOICE), only("image_embeds", "HuMo Embeds", holds_voice), only(POSES, POSES), silence)


def _window(clip: ChainClip) -> Window:
    return Window(clip.start, clip.num_frames)


def _check_reach(plan: ChainPlan, total: int, what: str, then: str) -> list[str]:
    # What a clip adds counts: its motion frames are in the video already.
    beyond = [clip for clip in plan.clips if clip.index and clip.start + clip.overlap_frames >= total]
    if beyond:
        covered = len(plan.clips) - len(beyond)
        longer = f"connect longer {what}"
        if plan.length is None:
            way = f"take out the last {len(beyond)} (repeat=auto in the last block does), or {longer}"
        elif plan.length > total:
            way = f"repeat=auto fills the {plan.length} frames of the audio, so {longer}, of as many"
        else:
            way = f"the blocks before repeat=auto make too many: take out {len(beyond)} of their clips, or {longer}"
        raise SVIError(
            f"the story has {len(plan.clips)} clips, but the {what} of {total} frames end"
            f"{'s' if what == 'audio' else ''} with clip {covered}: {way}"
        )
    lacking = plan.skipped_frames + plan.shown_frames - total
    if lacking <= 0:
        left = -lacking
        return [f"the {what} continues for {left} frames after the video"] if left and what == "audio" else []
    return [f"the video {then} for its last {lacking} frames, after the {what} of {total}"]


def _sound_notes(plan: ChainPlan, track: Soundtrack) -> list[str]:
    """Whether sound that nothing follows is as long as the video, to a frame."""
    before, video = plan.skipped_frames / plan.fps, plan.shown_frames / plan.fps
    if abs(track.seconds - before - video) <= 1 / plan.fps:
        return []
    if track.seconds > before + video:
        return [f"the audio of {track.seconds:.2f} s is cut where the video ends, after {before + video:.2f} s"]
    shown = f", of which the video leaves out {before:.2f} s" if before else ""
    return [f"the video of {video:.2f} s is silent after the audio, which lasts {track.seconds:.2f} s{shown}"]


def _mode_notes(guides: Guides, plan: ChainPlan) -> list[str]:
    notes = []
    modes = {clip.mode for clip in plan.clips}
    if "talk" in modes and guides.voice_frames is None:
        notes.append("mode talk without audio: connect multitalk_embeds to WanVideo Sampler Settings")
    if guides.humo_embeds is not None and guides.voice_frames is None:
        notes.append("HuMo Embeds have no audio: nobody speaks, only their reference images count")
    if "dance" in modes and guides.unianimate_poses is None:
        notes.append("mode dance without poses: connect unianimate_poses to WanVideo Sampler Settings")
    if guides.unianimate_poses is not None and guides.unianimate_poses.get("ref") is not None:
        notes.append(
            "a reference pose is connected: SVI-dance was made without one, leave reference_pose_image unconnected"
        )
    return notes
