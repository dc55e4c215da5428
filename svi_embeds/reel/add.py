"""Clips that were made elsewhere, added to a reel one by one: how a chain that is wired by hand keeps its clips.

What a clip is made of is not known here, so its frames decide it. Its place does too: a chain may show the same frames
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from ..colour.look import ClipLook, glance
from ..errors import SVIError
from ..files.video import MAX_PIXELS
from ..ground.checks import check_bool, check_int, check_rate
from ..ground.fingerprint import fingerprint
from ..ground.images import check_finite, check_images, last_frames
from .manifest import BOUNDS, Take
from .reel import Reel
from .writer import NewTake, ReelWriter

BY_HAND = "by_hand"  # the mode of such takes
AS_LED = -1  # an overlap: as many frames as the clip before gave to lead this one
_SEEN = 0.5 / 255  # what float arithmetic may leave outside 0..1 without meaning anything by it


class Scorer(Protocol):
    """How good a take is, see `drift.score.score`."""

    def __call__(self, take: ClipLook, *, before: ClipLook | None = None, first: ClipLook | None = None) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenClip:
    """A clip, and what its maker knows of it.

    images: F H W 3 or 4 in 0..1. overlap_frames: frames at its start that the clip before shows too, dropped when
    joined; AS_LED for as many as that gave to lead this one. motion_frames: how many of its last frames lead the next.
    new_scene: it does not go on from the clip before. prompt, seed: for readers.
    """

    images: Tensor
    overlap_frames: int = AS_LED
    motion_frames: int = 5
    new_scene: bool = False
    prompt: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Added:
    """reel: up to the clip. motion_frames: k H W 3, the last frames as they were given, copied. was_there: whether the
    reel had it. notes: what a reader should know, a sentence each."""

    reel: Reel
    motion_frames: Tensor
    was_there: bool
    notes: tuple[str, ...]


class GoneError(SVIError):
    """A clip that the chain goes on from is not in its reel any more."""


def add_clip(
    before: Reel, clip: GivenClip, *, score: Scorer, after_frame: Callable[[], None] | None = None
) -> Added:  # fmt: skip
    """Make a clip the one after those of `before`, which has none where the chain begins.

    The same clip at the same place is not written again, and what stands behind it stays. Another one becomes a take
    of its own, and what stood there and behind it is spare. Frames go to the disk one by one. after_frame: called after
    each; what it raises ends the work, and the reel is as before.
    Raises SVIError for a clip that does not fit the one before, a reel that is being written, or when the disk refuses;
    GoneError when a clip of `before` is not whole on the disk.
    """
    check_rate("fps", before.fps)
    given, notes = _checked(clip, before)
    overlap, said = _overlap(clip, before, len(given))
    motion = last_frames(given, clip.motion_frames)
    images, place = given.detach().cpu(), len(before.clips)
    follows = not place or not clip.new_scene
    digest = fingerprint({"frames": images, "overlap": overlap, "place": place})
    with ReelWriter(before.folder, fps=before.fps) as writer:
        stood = writer.reel
        chain = [_whole(writer, take, index) for index, take in enumerate(before.clips)]
        lead = chain[-1] if place and follows else None
        led_by = "" if lead is None else lead.digest
        take = writer.find(digest)
        if was_there := take is not None and (take.led_by, take.tail_frames) == (led_by, clip.motion_frames):
            assert take is not None
            scored = _score(stood, _look_of(stood, take), chain, lead, score)
            take = replace(take, prompt=clip.prompt, seed=clip.seed, score=scored)
        else:
            look = glance(images[overlap:], None if lead is None else stood.tail(lead)[0][-1])
            of, number = _which_take(stood, digest, place, led_by, follows=follows)
            take = writer.add(NewTake(
                digest=digest, images=images, overlap=overlap, tail=motion, prompt=clip.prompt, seed=clip.seed,
                mode=BY_HAND, seconds=0.0, look=look, of=of, take=number, led_by=led_by, number=place, follows=follows,
                score=_score(stood, look, chain, lead, score),
            ), before=chain, after_frame=after_frame)  # fmt: skip
        chain.append(take)
        chain += _behind(stood.clips, chain)
        writer.set_chain(chain)
        reel = writer.reel.up_to(place + 1)
    return Added(reel, motion, was_there, (*notes, *said, *_notes_on(before, stood, chain, take)))


def _checked(clip: GivenClip, before: Reel) -> tuple[Tensor, list[str]]:
    """The clip's frames as F H W 3, a view, and notes. Raises SVIError unless they fit behind the clip before, and the
    reel can be read again with them."""
    images, notes = check_images("images", clip.images)
    frames, height, width = images.shape[:3]
    if frames > _MOST["frames"] or max(height, width) > _MOST["width"] or height * width > MAX_PIXELS:
        raise SVIError(
            f"a clip of a reel has at most {_MOST['frames']} frames of {_MOST['width']} pixels a side, {MAX_PIXELS} in "
            f"all, got {frames} of {width}x{height}: divide it, or make it smaller"
        )
    low, high = check_finite("images", images)
    if low < -_SEEN or high > 1 + _SEEN:
        notes.append(
            f"images reach from {low:.3g} to {high:.3g}: what lies outside 0..1 is cut off in the reel, as in any video"
        )
    if before.clips and (before.clips[-1].width, before.clips[-1].height) != (width, height):
        last = before.clips[-1]
        raise SVIError(
            f"images must have the size of clip {len(before.clips)} of reel {before.name}, {last.width}x{last.height}, "
            f"got {width}x{height}: resize them, or render all clips at the same width and height"
        )
    if check_int("motion_frames", clip.motion_frames, minimum=1) > frames:
        raise SVIError(f"motion_frames must be 1..{frames}, got {clip.motion_frames}: images has no more frames")
    if check_int("seed", clip.seed, minimum=0) > _MOST["seed"]:
        raise SVIError(f"seed must be 0..{_MOST['seed']}, got {clip.seed}")
    if not isinstance(clip.prompt, str):
        raise SVIError(f"prompt must be text, got {type(clip.prompt).__name__}")
    check_bool("new_scene", clip.new_scene)
    return images, notes


_MOST = {name: most for name, _, most in BOUNDS}


def check_overlap(overlap_frames: int, *, is_first: bool, new_scene: bool) -> None:
    """Raises SVIError for an overlap that a clip at that place cannot have."""
    if check_int("overlap_frames", overlap_frames, minimum=AS_LED) > 0 and (is_first or new_scene):
        what = "the first clip of a reel" if is_first else "a clip that begins a new scene"
        way = "connect reel_before" if is_first else "turn new_scene off"
        raise SVIError(
            f"overlap_frames is {overlap_frames}, but {what} shares no frames with one before it: set it to {AS_LED} "
            f"or 0, or {way}"
        )


def _overlap(clip: GivenClip, before: Reel, frames: int) -> tuple[int, list[str]]:
    """How many frames are dropped at the clip's start, and notes."""
    overlap, is_first = clip.overlap_frames, not before.clips
    check_overlap(overlap, is_first=is_first, new_scene=clip.new_scene)
    gave = 0 if is_first or clip.new_scene else before.clips[-1].tail_frames
    why = ""
    if overlap == AS_LED:
        overlap, why = gave, f", as clip {len(before.clips)} gave so many motion frames"
    if overlap >= frames:
        raise SVIError(
            f"images has {frames} frames, and {overlap} of them would be dropped{why}: set overlap_frames to the "
            "overlap that the clip was made with"
        )
    if overlap and overlap != gave:
        clip_before = f"clip {len(before.clips)} gave {gave} motion frames"
        alike = "unless this clip was led by others, the two should be the same"
        return overlap, [f"overlap_frames is {overlap}, but {clip_before}: {alike}"]
    return overlap, []


def _whole(writer: ReelWriter, take: Take, index: int) -> Take:
    """A clip that the chain goes on from, as the reel has it now."""
    found = writer.find(take.digest)
    if found is None:
        name = writer.folder.name
        raise GoneError(
            f'clip {index + 1} of reel {name} is gone or was changed on the disk: queue again to have it made again; '
            f'wanvideo-svi reel check "{name}" says what is wrong'
        )  # fmt: skip
    return found


def _look_of(reel: Reel, take: Take) -> ClipLook | None:
    """The look of what a clip adds to the chain; None where it was not measured for that."""
    look = reel.look(take)
    return look if look is not None and look.frames == take.frames - take.overlap else None


def _score(
    reel: Reel, look: ClipLook | None, chain: Sequence[Take], lead: Take | None, score: Scorer
) -> float | None:  # fmt: skip
    """Of a clip behind `chain`; None where it is not known."""
    if look is None or lead is None:
        return None if look is None else score(look)
    scene = max((index for index, take in enumerate(chain) if not take.follows), default=0)
    before, first = _look_of(reel, lead), _look_of(reel, chain[scene])
    return None if before is None or first is None else score(look, before=before, first=first)


def _which_take(reel: Reel, digest: str, place: int, led_by: str, *, follows: bool) -> tuple[str, int]:
    """The digest of the first take of its clip, "" for a first one, and which of them it is.

    Of one clip are all that were added at one place behind one and the same clip.
    """
    at = BY_HAND, place, led_by, follows
    alike = [
        take for take in (*reel.clips, *reel.spare)
        if (take.mode, take.number, take.led_by, take.follows) == at and take.digest != digest
    ]  # fmt: skip
    number = max((take.take for take in alike), default=-1) + 1
    return (alike[0].clip, number) if alike and number <= _MOST["take"] else ("", 0)


def _behind(stood: Sequence[Take], chain: Sequence[Take]) -> Sequence[Take]:
    """What stands behind `chain` in the chain that stood there, where that begins alike."""
    count = len(chain)
    is_alike = [take.digest for take in stood[:count]] == [take.digest for take in chain]
    return stood[count:] if is_alike else ()


def _notes_on(before: Reel, stood: Reel, chain: Sequence[Take], take: Take) -> list[str]:
    """What came of the chain that stood there, and what else writes this reel."""
    notes = []
    used = {each.digest for each in chain}
    if gone := [each for each in stood.clips if each.digest not in used]:
        what = "1 clip that the reel had here is" if len(gone) == 1 else f"{len(gone)} clips that the reel had here are"
        notes.append(f"{what} not in its chain any more, and kept as spare")
    if any(each.mode != BY_HAND for each in gone):
        notes.append("SVI Long Video made that chain: give this one a reel of its own, or each puts the other aside")
    if any(each.mode != BY_HAND for each in before.clips):
        notes.append(
            "clips before this one are of SVI Long Video: when that runs with this reel again, it puts this one aside"
        )
    if before.length is not None and before.shown_frames < before.total_frames:
        left = before.total_frames - before.shown_frames
        notes.append(f"the last {left} frames before this clip were not in the reel's video and are now")
    if stood.picked.get(take.clip, take.digest) != take.digest:
        notes.append(
            "another take of this clip was picked: a chain that is wired by hand continues from the one it made"
        )
    return notes
