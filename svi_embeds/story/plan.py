"""From a story to a chain: every clip decided. No pixels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ..clips.latents.decide import decide_latent_clip
from ..clips.latents.plan import LATENT_KNOWN_CHOICES, LATENT_PADDING_CHOICES, LatentPlan
from ..clips.latents.settings import LatentConnected, LatentSettings
from ..clips.pixels.plan import ClipPlan, plan_clip
from ..clips.pixels.settings import ClipSettings, Connected
from ..errors import StoryError, SVIError
from ..ground.checks import check_choice
from ..recipes import KNOWN_CHOICES, PADDING_CHOICES, SVI2_PRO, recipe
from ..timeline import FRAMES_PER_LATENT
from .beginning import Beginning
from .chain import SEED_STEP, ChainClip, ChainPlan, Mend
from .notes import notes_on_clips
from .settings import ChainConnected, ChainSettings
from .standing import Place, Stood, places_of
from .text import AUTO, MAX_CLIPS, MAX_SEED, PICKS, Block, Model, lost_separators, parse_story

_USUAL = ChainConnected()  # one image, and a model without the SVI LoRA for the first clip


def plan_chain(
    story: str, settings: ChainSettings, connected: ChainConnected = _USUAL, stood: Sequence[Stood] = ()
) -> ChainPlan:
    """Plan a chain from a story. stood: the chain that its reel has, clip by clip.

    The first clip is a plain `i2v` clip when the model without the SVI LoRA samples it, or when the start image has
    fewer frames than the mode needs; that model samples it, if there is one, unless it continues from the latents of a
    video. The clips' seeds are SEED_STEP apart. A block with repeat=auto fills up to the length of what is connected;
    when the clips before it do already, it makes none. A clip that was moved by others keeps its seed, and one that is
    new between two that stay is mended in.

    Raises SVIError, naming the line, for a story or a clip that cannot be.
    """
    blocks = parse_story(story)
    plan = _planned(blocks, settings, connected, ())
    if stood:
        places = places_of([clip.prompt for clip in plan.clips], stood)
        plan = _planned(blocks, settings, connected, places)
    return replace(plan, notes=(*lost_separators(story), *plan.notes))


def _planned(
    blocks: Sequence[Block], settings: ChainSettings, connected: ChainConnected, places: Sequence[Place]
) -> ChainPlan:
    """places: of the clips; those beyond stand where they are."""
    length = connected.length
    clips: list[ChainClip] = []
    by_line: dict[int, Block] = {block.line: block for block in blocks}
    fills = blocks[-1].repeat == AUTO
    if fills and length is None:
        raise StoryError(
            "repeat=auto needs a length: connect the audio or the poses (or say how often, as in repeat=4)",
            line=blocks[-1].line,
        )
    for block in blocks:
        for repetition in range(block.repeat) if block.repeat != AUTO else itertools.count():
            if block.repeat == AUTO and _reaches(clips, length, block):
                break
            try:
                place = places[len(clips)] if len(clips) < len(places) else Place(len(clips), None)
                clip = _clip(block, clips, repetition, settings, connected, place)
            except SVIError as error:
                raise StoryError(error, line=block.line, clip=len(clips) + 1) from error
            clips.append(clip)
    if beyond := sorted(index + 1 for index in settings.mended if index >= len(clips)):
        raise SVIError(
            f"mend names clip {beyond[0]}, and the story makes {len(clips)}: name clips from 1 on, or leave mend empty"
        )
    for index, clip in enumerate(clips):
        stands = places[index] if index < len(places) else None
        clips[index] = _mended(clip, by_line[clip.line], clips, stands, settings)
    begins = _beginning(settings, connected)
    notes = [*notes_on_clips(clips, settings.mode), *begins.notes(clips[0].mode, clips[0].motion_frames)]
    if fills and clips[-1].line != blocks[-1].line:
        notes.append(
            f"the block with repeat=auto (line {blocks[-1].line} of the story) makes no clip: those before it fill the "
            f"{length} frames already"
        )
    motion = settings.overlap_frames or _own_motion(settings.mode)
    branches: dict[int, tuple[int, ...]] = {}
    for clip in clips:
        if clip.led_by is not None and not clip.follows:
            branches[clip.led_by] = (*branches.get(clip.led_by, ()), clip.index)
    return ChainPlan(tuple(clips), float(settings.fps), motion, tuple(notes), length if fills else None, branches)


def _reaches(clips: list[ChainClip], length: int | None, block: Block) -> bool:
    """Whether the clips so far fill the length. A chain has at least one clip, and at most MAX_CLIPS."""
    if len(clips) >= MAX_CLIPS:
        raise StoryError(
            f"repeat=auto would make more than {MAX_CLIPS} clips for {length} frames: use longer clips or a smaller "
            "overlap",
            line=block.line,
        )
    return bool(clips) and clips[-1].until >= (length or 0)


def _own_motion(mode: str) -> int:
    """Motion frames that a mode wants of its own."""
    return FRAMES_PER_LATENT * SVI2_PRO.motion_latents + 1 if mode == SVI2_PRO.id else recipe(mode).motion_frames


def _beginning(settings: ChainSettings, connected: ChainConnected, start: int | None = None) -> Beginning:
    """What a scene begins with. start: which of the start images, None for the chain's own."""
    frames = connected.start_frames if start is None else 1
    return Beginning(frames, bool(connected.reference_frames), settings.skip_repeated)


def _leads(block: Block, clips: Sequence[ChainClip], repetition: int, connected: ChainConnected) -> ChainClip | None:
    """The clip that leads the next one of a block; None where a scene begins. Raises SVIError for one that is none."""
    if repetition:
        return clips[-1]
    there = connected.start_images
    if block.start is not None:
        if clips and not block.cut:
            raise SVIError(f"start={block.start} is what a new scene begins with: write cut beside it")
        if there is not None and block.start >= there:
            have = f"there are {there} (0..{there - 1})" if there else "start_images is not connected"
            raise SVIError(f"start={block.start} is none of the start images: {have}")
    if block.source is not None:
        if block.cut:
            raise SVIError("cut begins a scene that no clip leads, and from= names one that does: keep one of them")
        if block.source > len(clips):
            made = f"the clips before it are 1..{len(clips)}" if clips else "there is none before it"
            raise SVIError(f"from={block.source} is not a clip that could lead it: {made}")
        return clips[block.source - 1]
    return None if block.cut or not clips else clips[-1]


def _clip(
    block: Block, clips: Sequence[ChainClip], repetition: int, settings: ChainSettings, connected: ChainConnected,
    place: Place,
) -> ChainClip:  # fmt: skip
    before, index = _leads(block, clips, repetition, connected), len(clips)
    start = (None if repetition else block.start) if before is None else clips[before.scene].start_image
    begins, has_first = _beginning(settings, connected, start), connected.first_clip_model
    wanted = block.mode or settings.mode
    goes_on = not before and begins.goes_on(wanted)
    # A video's latents are what the SVI LoRA was made to continue from; the model without it knows none.
    model: Model = block.model or ("first" if has_first and not before and not goes_on else "main")
    if model == "first" and not has_first:
        raise SVIError("model=first needs first_clip_model: connect the model without the SVI LoRA, or use model=main")
    motion = block.overlap or settings.overlap_frames or _own_motion(wanted)
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
    frames = block.frames or settings.num_frames
    overlap = motion if before else begins.left_out(wanted, motion) if not index else int(goes_on)
    if before and motion >= before.num_frames:
        raise SVIError(
            f"it is led by {motion} frames of the clip before, which has {before.num_frames}: lower the overlap"
        )
    if (known := motion if goes_on else overlap) >= frames:
        raise SVIError(f"the overlap is {known} of {frames} frames, nothing would be added: lower it")
    own = block.seed + SEED_STEP * repetition if block.seed is not None else settings.seed + SEED_STEP * place.number
    row: dict[str, Any] = {
        "mode": wanted, "num_frames": frames, "motion_frames": motion, "known": block.known or "recipe",
        "padding": block.padding or "recipe", "end": block.end,
        "ref_strength": 1.0 if block.ref_strength is None else block.ref_strength,
    }  # fmt: skip
    there = connected.end_images
    if block.end is not None and there is not None and block.end >= there:
        have = f"there are {there} (0..{there - 1})" if there else "end_images is not connected"
        raise SVIError(f"end={block.end} is none of the end images: {have}")
    takes = block.takes or settings.takes
    if block.pick and block.pick.isdecimal() and int(block.pick) > takes:
        of = "takes is 1" if takes == 1 else f"it has {takes} takes"
        raise SVIError(f"pick={block.pick} is none of its takes, {of}: raise takes, or pick another")
    if wanted == SVI2_PRO.id:
        made: tuple[Any, Any] = _on_latents(row, settings)
    else:
        # A scene that begins with an image of its own has that as the original.
        original = connected.has_original or start is not None
        made = _on_pixels(row, before.num_frames if before else begins.frames, settings, has_original=original)
    return ChainClip(
        index=index, line=block.line, prompt=block.prompt, model=model, seed=own % (MAX_SEED + 1),
        overlap_frames=overlap, cfg=block.cfg, color=block.color,
        until=(clips[-1].until if clips else 0) + frames - (overlap if index else 0), settings=made[0], plan=made[1],
        takes=takes, pick=block.pick or PICKS[0], led_by=before.index if before else None,
        scene=before.scene if before else index, start_image=start, number=place.number, stands=place.there,
        lora=block.lora or (), lora_low=block.lora_low or (), **row,
    )  # fmt: skip


def _mended(
    clip: ChainClip, block: Block, clips: Sequence[ChainClip], place: Place | None, settings: ChainSettings
) -> ChainClip:
    """The clip, with how it is mended where it is to be. Raises StoryError where it is told to be and cannot."""
    asked = block.mend or clip.index in settings.mended
    was = place is not None and (place.inserted or place.mended)
    if block.mend is False or not (asked or was):
        return clip
    after = clips[clip.index + 1] if clip.index + 1 < len(clips) else None
    try:
        if after is None or after.led_by != clip.index:
            raise SVIError(
                "mend makes a clip between its neighbours, and none continues from this one: remove mend, or write the "
                "clip after it"
            )
        if clip.end is not None:
            raise SVIError(
                f"mend and end={clip.end}: a mended clip ends on the frames that lead the next one: keep one of them"
            )
        return replace(clip, mend=_mend(clip, after, is_new=place is not None and place.inserted))
    except SVIError as error:
        if not asked:  # it was mended, and now it cannot be: it is a clip as any
            return clip
        raise clip.wrong(error) from error


def _mend(clip: ChainClip, after: ChainClip, *, is_new: bool) -> Mend:
    frames, latents = after.motion_frames, after.motion_latents
    made: tuple[Any, Any]
    if isinstance(clip.settings, LatentSettings):
        latents = max(latents, -(-frames // FRAMES_PER_LATENT))
        made_of = replace(clip.settings, end_latents=latents)
        motion = clip.motion_latents or None
        made = made_of, _decide(made_of, LatentConnected(prev_samples=motion, end_samples=latents)).plan
        frames = FRAMES_PER_LATENT * after.motion_latents or frames
    else:
        wanted = replace(clip.settings, end_frames=frames)
        assert isinstance(clip.plan, ClipPlan)
        there = Connected(
            start_image=clip.plan.timeline.motion_frames, ref_image=int(clip.plan.reference_from == "ref_image"),
            end_image=frames,
        )  # fmt: skip
        made = wanted, _plan(wanted, there)
    return Mend(settings=made[0], plan=made[1], frames=frames, latents=latents, is_new=is_new)


def _on_pixels(
    row: Mapping[str, Any], start_frames: int, settings: ChainSettings, *, has_original: bool
) -> tuple[ClipSettings, ClipPlan]:
    """start_frames: of what leads it. Raises SVIError for a clip that could not be made once its turn comes."""
    if not start_frames:
        raise SVIError("there is nothing to begin with: connect start_image, the first image of the video")
    check_choice("known", row["known"], KNOWN_CHOICES)
    check_choice("padding", row["padding"], PADDING_CHOICES)
    made = ClipSettings(
        mode=row["mode"], width=settings.width, height=settings.height, num_frames=row["num_frames"],
        overlap_frames=row["motion_frames"], known_frames=row["known"], padding=row["padding"],
        ref_strength=row["ref_strength"], fun_or_fl2v_model=settings.fun_or_fl2v_model,
    )  # fmt: skip
    there = Connected(start_image=start_frames, ref_image=int(has_original), end_image=int(row["end"] is not None))
    return made, _plan(made, there)


# Most clips of a chain are alike and share their plan: a chain may have a hundred thousand.
_plan, _decide = lru_cache(64)(plan_clip), lru_cache(64)(decide_latent_clip)


def _on_latents(row: Mapping[str, Any], settings: ChainSettings) -> tuple[LatentSettings, LatentPlan]:
    """The same of a clip that works on latents; known_frames and padding have choices of their own there."""
    known = LATENT_KNOWN_CHOICES[0] if row["known"] == "recipe" else row["known"]
    padding = LATENT_PADDING_CHOICES[0] if row["padding"] == "recipe" else row["padding"]
    check_choice("known", known, LATENT_KNOWN_CHOICES)
    check_choice("padding", padding, LATENT_PADDING_CHOICES)
    motion = max(0, row["motion_frames"] - 1) // FRAMES_PER_LATENT
    made = LatentSettings(
        num_frames=row["num_frames"], motion_latents=motion or 1, known_frames=known, padding=padding,
        ref_strength=row["ref_strength"], fun_or_fl2v_model=settings.fun_or_fl2v_model,
    )  # fmt: skip
    there = LatentConnected(prev_samples=motion or None, end_samples=1 if row["end"] is not None else None)
    return made, _decide(made, there).plan
