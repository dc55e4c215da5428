"""What a user should know of a planned chain, a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from ..recipes import SVI2_PRO, recipe, too_long
from .chain import ChainClip

_NO_END = "Wan 2.1 I2V"  # models that were not trained with end frames


def notes_on_clips(clips: Sequence[ChainClip], mode: str) -> list[str]:
    """Notes on how the first clip is made, clips that are mended or too long, and equal seeds. mode: of the chain."""
    return [*_on_the_first(clips, mode), *_on_mends(clips), *_on_lengths(clips), *_on_seeds(clips)]


def _on_the_first(clips: Sequence[ChainClip], mode: str) -> list[str]:
    notes = []
    first = clips[0]
    if first.mode != mode:
        why = (
            f"first_clip_model: the SVI LoRA of {mode} would freeze its motion" if first.model == "first"
            else f"start_image has fewer frames than {mode} needs"
        )  # fmt: skip
        notes.append(f"clip 1 is made as plain {first.mode} ({why})")
    elif first.model == "first":
        notes.append("clip 1 is sampled by first_clip_model: the SVI LoRA would freeze its motion")
    # Several frames of a video say how it moves; from one image the LoRA makes a still.
    if all(clip.model == "main" for clip in clips) and len(clips) > 1 and first.motion_frames <= 1:
        notes.append("no clip runs without the SVI LoRA: in the first one it freezes motion (first_clip_model)")
    return notes


def _on_mends(clips: Sequence[ChainClip]) -> list[str]:
    found = [
        str(clip.index + 1) for clip in clips
        if clip.mend and not clip.works_on_latents and recipe(clip.mode).base.startswith(_NO_END)
    ]  # fmt: skip
    if not found:
        return []
    which = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
    said = (
        f"mended: {which}. {_NO_END} was not trained with end frames, so such a clip may jump at its end; FLF2V, Fun "
        "InP and Wan 2.2 I2V were"
    )
    return [said]


def _on_lengths(clips: Sequence[ChainClip]) -> list[str]:
    notes: list[str] = []
    with_lora = [clip for clip in clips if clip.model == "main"]
    for each in dict.fromkeys(clip.mode for clip in with_lora):
        longest = max((clip for clip in with_lora if clip.mode == each), key=lambda clip: clip.num_frames)
        row = SVI2_PRO if longest.works_on_latents else recipe(each)
        notes += [f"clip {longest.index + 1}: {said}" for said in too_long(row, longest.num_frames)]
    return notes


def _on_seeds(clips: Sequence[ChainClip]) -> list[str]:
    seen: dict[int, int] = {}
    repeated = []
    for clip in clips:
        seeds = [clip.take(number).seed for number in range(clip.takes)]
        twice = next((seed for seed in seeds if seed in seen), None)
        if twice is not None:
            repeated.append(f"clips {seen[twice] + 1} and {clip.index + 1} have the same seed {twice}")
        for seed in seeds:
            seen.setdefault(seed, clip.index)
    if not repeated:
        return []
    more = f", and {len(repeated) - 3} more" if len(repeated) > 3 else ""
    return [f"{', '.join(repeated[:3])}{more}: equal noise builds up artefacts, give each its own"]
