"""A chain planned: from a story to one row per clip, every length and seed decided. No torch, no pixels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from .beginning import Beginning
from .checks import check_bool, check_choice, check_int, check_rate
from .clip_settings import ClipSettings, Connected
from .errors import SVIError
from .latent_plan import (
    LATENT_END_PADDING_CHOICES,
    LATENT_KNOWN_CHOICES,
    LATENT_PADDING_CHOICES,
    LatentKnown,
    LatentPadding,
    LatentPlan,
)
from .plan import plan_clip
from .recipes import KNOWN_CHOICES, PADDING_CHOICES, SVI2_PRO, recipe, too_long
from .story import AUTO, CHAIN_MODES, MAX_CLIPS, MAX_SEED, Block, Model, check_seed, parse_story
from .timeline import FRAMES_PER_LATENT, latent_count
from .words import not_shown, shorten

SEED_STEP = 42  # between clips, as in the SVI authors' scripts


@dataclass(frozen=True, slots=True)
class ChainClip:
    """One clip of a chain.

    index: from 0. line: of the story. motion_frames: frames of the clip before (of the start image, in the first clip)
    that lead it. overlap_frames: how many of its own frames are dropped when the chain is joined, of the first clip
    those that `Beginning` leaves out.
    end: index into the end images. model: `first` is the model without the SVI LoRA. cfg: None for the sampler's own.
    until: frames of the chain up to this clip's end, from the first frame of clip 1 on, whether the video shows that
    or not: voice, poses and sound begin there. color: how its colours are held, None for the chain's own way.
    """

    index: int
    line: int
    prompt: str
    mode: str
    model: Model
    seed: int
    num_frames: int
    motion_frames: int
    overlap_frames: int
    known: str
    padding: str
    ref_strength: float
    end: int | None
    cfg: float | None
    until: int
    color: str | None = None

    @property
    def start(self) -> int:
        """Frame of the chain where it begins, its overlap included; counted as `until`."""
        return self.until - self.num_frames

    @property
    def adds(self) -> int:
        """Frames that the chain grows by."""
        return self.num_frames - self.overlap_frames

    @property
    def works_on_latents(self) -> bool:
        """Whether it is led by latents of the clip before, not by its frames."""
        return self.mode == SVI2_PRO.id

    @property
    def motion_latents(self) -> int:
        """Latents of the clip before that lead it; 0 unless it works on latents."""
        return (self.motion_frames - 1) // FRAMES_PER_LATENT if self.works_on_latents and self.motion_frames else 0


@dataclass(frozen=True, slots=True, repr=False)
class ChainPlan:
    """A chain, clip by clip.

    fps: frames per second. length: where the video is to end, when the story fills it (repeat=auto), counted as
    `ChainClip.until`; the last clip may go beyond. notes: what a reader should know, a sentence each.
    """

    clips: tuple[ChainClip, ...]
    fps: float
    default_motion_frames: int
    notes: tuple[str, ...] = ()
    length: int | None = None

    @property
    def skipped_frames(self) -> int:
        """Frames of clip 1 that the joined chain leaves out at its start."""
        return self.clips[0].overlap_frames

    @property
    def total_frames(self) -> int:
        """Frames of the joined chain."""
        return self.clips[-1].until - self.skipped_frames

    @property
    def seconds(self) -> float:
        return self.total_frames / self.fps

    @property
    def video_length(self) -> int | None:
        """Frames that the video is to have, None for all of the joined chain's."""
        return None if self.length is None else self.length - self.skipped_frames

    @property
    def shown_frames(self) -> int:
        """Frames of the video: the joined chain up to its length."""
        return self.total_frames if self.video_length is None else min(self.video_length, self.total_frames)

    def motion_after(self, index: int) -> tuple[int, int]:
        """Frames and latents that the clip after clip `index` takes from it.

        After the last clip: the mode's own number, so that the chain can be continued.
        """
        if index + 1 < len(self.clips):
            following = self.clips[index + 1]
            return following.motion_frames, following.motion_latents
        last = self.clips[index]
        count = min(self.default_motion_frames, last.num_frames - 1)
        return max(1, count), SVI2_PRO.motion_latents if last.works_on_latents else 0

    def shown_until(self, clip: ChainClip) -> int:
        """Frames of the joined chain up to a clip's end."""
        return clip.until - self.skipped_frames

    def table(self) -> list[tuple[str, ...]]:
        """Heading and one row per clip, as text."""
        rows: list[tuple[str, ...]] = [
            ("clip", "mode", "model", "seed", "frames", "overlap", "adds", "total", "time", "prompt")
        ]
        for clip in self.clips:
            until = self.shown_until(clip)
            rows.append((
                str(clip.index + 1), clip.mode, clip.model, str(clip.seed), str(clip.num_frames),
                str(clip.overlap_frames), str(clip.adds), str(until), f"{until / self.fps:.1f} s",
                shorten(clip.prompt),
            ))  # fmt: skip
        return rows

    def describe(self) -> str:
        """How many clips, frames and seconds."""
        count = len(self.clips)
        frames = self.shown_frames
        cut = not_shown(self.skipped_frames, self.total_frames - frames)
        clips = f"{count} clip{'s' if count > 1 else ''}"
        return f"{clips}, {frames} frames, {frames / self.fps:.1f} s at {self.fps:g} fps{cut}"

    def __repr__(self) -> str:
        return f"ChainPlan({self.describe()})"


def plan_chain(
    story: str,
    *,
    mode: str,
    num_frames: int,
    overlap_frames: int = 0,
    seed: int = 0,
    fps: float = 16.0,
    start_frames: int = 1,
    reference_frames: int = 1,
    end_images: int | None = None,
    fun_or_fl2v_model: bool = True,
    first_clip_model: bool = True,
    length: int | None = None,
    skip_repeated: bool = False,
) -> ChainPlan:
    """Plan a chain from a story.

    mode: of every clip whose block names none; one of CHAIN_MODES. The first clip is then a plain `i2v` clip when the
    model without the SVI LoRA samples it, or when the start image has fewer frames than the mode needs.
    num_frames: of every clip, 4k+1. overlap_frames: motion frames, 0 means the mode's own. seed: of the first clip, the
    others' are SEED_STEP apart.
    start_frames, reference_frames: frames in the start and the reference image. end_images: how many there are; None
    when that is not known yet. fun_or_fl2v_model: as on WanVideoSVIEmbeds. first_clip_model: whether there is a model
    without the SVI LoRA; it samples the first clip, unless that goes on from the latents of a video. length: frames
    that a block with repeat=auto fills up to; when the clips before it do already, it makes none. skip_repeated: leave
    out of the video what clip 1 shows again of start_image, see `Beginning`.

    Raises SVIError, naming the line, for a story or a clip that cannot be.
    """
    check_choice("mode", mode, CHAIN_MODES)
    latent_count(num_frames)
    check_int("overlap_frames", overlap_frames, minimum=0)
    check_seed(seed)
    check_bool("first_clip_model", first_clip_model)
    check_bool("skip_repeated", skip_repeated)
    begins = Beginning(start_frames, bool(reference_frames), skip_repeated)
    reference_frames = reference_frames or int(start_frames == 1)  # a single image is the original
    check_rate("fps", fps)
    if length is not None:
        check_int("length", length, minimum=1)
    clips: list[ChainClip] = []
    blocks = parse_story(story)
    fills = blocks[-1].repeat == AUTO
    if fills and length is None:
        raise SVIError(
            f"line {blocks[-1].line} of the story: repeat=auto needs a length: connect the audio or the poses (or say "
            "how often, as in repeat=4)"
        )
    for block in blocks:
        for repetition in range(block.repeat) if block.repeat != AUTO else itertools.count():
            if block.repeat == AUTO and _reaches(clips, length, block):
                break
            try:
                clip = _clip(
                    block, clips[-1] if clips else None, repetition, mode=mode, num_frames=num_frames,
                    overlap_frames=overlap_frames, seed=seed, begins=begins, has_first=first_clip_model,
                )  # fmt: skip
                _check_clip(
                    clip, start_frames=clips[-1].num_frames if clips else start_frames,
                    reference_frames=reference_frames, end_images=end_images,
                    fun_or_fl2v_model=fun_or_fl2v_model,
                )  # fmt: skip
            except SVIError as error:
                raise SVIError(f"clip {len(clips) + 1} (line {block.line} of the story): {error}") from error
            clips.append(clip)
    notes = [*_notes(clips, mode), *begins.notes(clips[0].mode, clips[0].motion_frames)]
    if fills and clips[-1].line != blocks[-1].line:
        notes.append(
            f"the block with repeat=auto (line {blocks[-1].line} of the story) makes no clip: those before it fill the "
            f"{length} frames already"
        )
    return ChainPlan(
        tuple(clips), float(fps), overlap_frames or _own_motion(mode), tuple(notes),
        length if fills else None,
    )  # fmt: skip


def _reaches(clips: list[ChainClip], length: int | None, block: Block) -> bool:
    """Whether the clips so far fill the length. A chain has at least one clip, and at most MAX_CLIPS."""
    if len(clips) >= MAX_CLIPS:
        raise SVIError(
            f"line {block.line} of the story: repeat=auto would make more than {MAX_CLIPS} clips for {length} frames: "
            "use longer clips or a smaller overlap"
        )
    return bool(clips) and clips[-1].until >= (length or 0)


def _own_motion(mode: str) -> int:
    """Motion frames that a mode wants of its own."""
    return FRAMES_PER_LATENT * SVI2_PRO.motion_latents + 1 if mode == SVI2_PRO.id else recipe(mode).motion_frames


def _clip(
    block: Block,
    before: ChainClip | None,
    repetition: int,
    *,
    mode: str,
    num_frames: int,
    overlap_frames: int,
    seed: int,
    begins: Beginning,
    has_first: bool,
) -> ChainClip:
    index = before.index + 1 if before else 0
    wanted = block.mode or mode
    goes_on = not before and begins.goes_on(wanted)
    # A video's latents are what the SVI LoRA was made to go on from; the model without it knows none.
    model: Model = block.model or ("first" if has_first and not before and not goes_on else "main")
    if model == "first" and not has_first:
        raise SVIError("model=first needs first_clip_model: connect the model without the SVI LoRA, or use model=main")
    motion = block.overlap or overlap_frames or _own_motion(wanted)
    is_plain = not before and not block.mode and wanted != SVI2_PRO.id
    if is_plain and (model == "first" or begins.frames < motion):
        wanted, motion = "i2v", block.overlap or 1
    if wanted == SVI2_PRO.id:
        if not before and not goes_on:
            motion = 0  # the anchor leads it
        elif (motion - 1) % FRAMES_PER_LATENT or motion < FRAMES_PER_LATENT + 1:
            raise SVIError(
                f"{wanted} is led by whole latents, so its overlap is 5, 9, 13, ... frames, got {motion}: use 5"
            )
        elif not before:
            begins.check_motion(motion)
    frames = block.frames or num_frames
    overlap = motion if before else begins.left_out(wanted, motion)
    if before and motion >= before.num_frames:
        raise SVIError(
            f"it is led by {motion} frames of the clip before, which has {before.num_frames}: lower the overlap"
        )
    if (known := motion if goes_on else overlap) >= frames:
        raise SVIError(f"the overlap is {known} of {frames} frames, nothing would be added: lower it")
    own = block.seed + SEED_STEP * repetition if block.seed is not None else seed + SEED_STEP * index
    return ChainClip(
        index=index, line=block.line, prompt=block.prompt, mode=wanted, model=model, seed=own % (MAX_SEED + 1),
        num_frames=frames, motion_frames=motion, overlap_frames=overlap, known=block.known or "recipe",
        padding=block.padding or "recipe", ref_strength=1.0 if block.ref_strength is None else block.ref_strength,
        end=block.end, cfg=block.cfg, color=block.color, until=before.until + frames - overlap if before else frames,
    )  # fmt: skip


def _check_clip(
    clip: ChainClip, *, start_frames: int, reference_frames: int, end_images: int | None, fun_or_fl2v_model: bool
) -> None:
    """Raises SVIError for a clip that could not be made once its turn comes. start_frames: of what comes before it."""
    if clip.end is not None and end_images is not None and clip.end >= end_images:
        have = f"there are {end_images} (0..{end_images - 1})" if end_images else "end_images is not connected"
        raise SVIError(f"end={clip.end} is none of the end images: {have}")
    ends = int(clip.end is not None)
    if clip.works_on_latents:
        known, padding = latent_choices(clip)
        LatentPlan(
            num_frames=clip.num_frames, anchor=1, motion=clip.motion_latents, end=ends, known=known, padding=padding,
            end_padding=LATENT_END_PADDING_CHOICES[0], end_padding_latents=0,
            end_apart=bool(ends) and not fun_or_fl2v_model,
        )  # fmt: skip
        return
    if not start_frames:
        raise SVIError("there is nothing to begin with: connect start_image, the first image of the video")
    check_choice("known", clip.known, KNOWN_CHOICES)
    check_choice("padding", clip.padding, PADDING_CHOICES)
    plan_clip(
        ClipSettings(
            mode=clip.mode, num_frames=clip.num_frames, overlap_frames=clip.motion_frames, known_frames=clip.known,
            padding=clip.padding, fun_or_fl2v_model=fun_or_fl2v_model,
        ),
        Connected(start_image=start_frames, ref_image=reference_frames, end_image=ends),
    )  # fmt: skip


def latent_choices(clip: ChainClip) -> tuple[LatentKnown, LatentPadding]:
    """known_frames and padding of a clip that works on latents. Raises SVIError for those of the other modes."""
    known = LATENT_KNOWN_CHOICES[0] if clip.known == "recipe" else clip.known
    padding = LATENT_PADDING_CHOICES[0] if clip.padding == "recipe" else clip.padding
    check_choice("known", known, LATENT_KNOWN_CHOICES)
    check_choice("padding", padding, LATENT_PADDING_CHOICES)
    return cast(LatentKnown, known), cast(LatentPadding, padding)


def _notes(clips: Sequence[ChainClip], mode: str) -> list[str]:
    notes = []
    first = clips[0]
    if first.mode != mode:
        notes.append(f"clip 1 is a plain {first.mode} clip; the chain's mode is {mode}")
    # Several frames of a video say how it moves; from one image the LoRA makes a still.
    if all(clip.model == "main" for clip in clips) and len(clips) > 1 and first.motion_frames <= 1:
        notes.append("no clip runs without the SVI LoRA: in the first one it freezes motion (first_clip_model)")
    with_lora = [clip for clip in clips if clip.model == "main"]
    for each in dict.fromkeys(clip.mode for clip in with_lora):
        longest = max((clip for clip in with_lora if clip.mode == each), key=lambda clip: clip.num_frames)
        row = SVI2_PRO if longest.works_on_latents else recipe(each)
        notes += [f"clip {longest.index + 1}: {said}" for said in too_long(row, longest.num_frames)]
    seen: dict[int, int] = {}
    repeated = []
    for clip in clips:
        if clip.seed in seen:
            repeated.append(f"clips {seen[clip.seed] + 1} and {clip.index + 1} have the same seed {clip.seed}")
        seen.setdefault(clip.seed, clip.index)
    if repeated:
        more = f", and {len(repeated) - 3} more" if len(repeated) > 3 else ""
        notes.append(f"{', '.join(repeated[:3])}{more}: equal noise builds up artefacts, give each its own")
    return notes
