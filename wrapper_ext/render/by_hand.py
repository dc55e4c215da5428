"""What WanVideoSVIReelAdd does: a clip of a chain that is wired by hand, kept in a reel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from ...svi_embeds.drift.score import score
from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.checks import check_rate
from ...svi_embeds.ground.words import write_info
from ...svi_embeds.reel.add import Added, GivenClip, GoneError, add_clip, check_overlap
from ...svi_embeds.reel.reel import Reel, check_reel_name
from ..host import comfy
from ..host import files as host_files
from ..host import show as host_show

FPS = 16.0  # of a reel where nothing is said


@dataclass(frozen=True, slots=True)
class _Left:
    """A reel as the last clip that was added to it left it, and how often clips of it were gone until then."""

    reel: Reel
    gone: int


# So that a chain whose clips are gone from the disk is run again, and any other is not.
_left: dict[str, _Left] = {}


def times_gone(folder: Path) -> int:
    """How often clips that this process had added to a reel were gone from the disk, now included."""
    left = _left.get(str(folder))
    if left is None:
        return 0
    return left.gone + (not all(map(left.reel.has, left.reel.clips)))


def trouble_of(reel: str | None, overlap_frames: int | None, new_scene: bool | None, *, is_first: bool) -> str:
    """What is wrong with the node before anything runs, "" when nothing is. None: what is linked, and not known yet."""
    try:
        if reel is not None:
            _check_name(reel, is_first=is_first)
        if overlap_frames is not None:
            check_overlap(overlap_frames, is_first=is_first, new_scene=bool(new_scene))
    except SVIError as error:
        return str(error)
    return ""


def add_by_hand(
    clip: GivenClip, *, name: str, before: Reel | None, fps: float, unique_id: str | None = None
) -> tuple[Reel, Tensor, str]:  # fmt: skip
    """The clip as the next one of a reel, for the node `unique_id`.

    name: of the reel; "" for that of `before`, the reel up to the clip before. fps: 0 for what the reel has.
    Returns the reel up to this clip, the frames that lead the next, and what was done, in words.
    """
    begun, notes = _begun(name, before, fps)
    key, gone = str(begun.folder), times_gone(begun.folder)
    place, frames = len(begun.clips) + 1, len(clip.images) if isinstance(clip.images, Tensor) else 0
    host_show.show_text(unique_id, f"clip {place} of reel {begun.name}")
    try:
        added = add_clip(begun, clip, score=score, after_frame=_progress(unique_id, frames))
    except GoneError:  # the next run begins with the first clip
        _left[key] = _Left(replace(begun, clips=()), gone + 1)
        raise
    _left[key] = _Left(added.reel, gone)
    return added.reel, added.motion_frames, _describe(added, [*added.notes, *notes])


def _check_name(name: str, *, is_first: bool) -> None:
    if not isinstance(name, str) or name:
        check_reel_name(name)
    elif is_first:
        raise SVIError("reel is empty: type a name for the folder that keeps the clips, or connect reel_before")


def _begun(name: str, before: Reel | None, fps: float) -> tuple[Reel, list[str]]:
    """The reel up to the clip before, with no clip where there is none."""
    if before is not None and not isinstance(before, Reel):
        raise SVIError(
            f"reel_before must come from SVI Reel Add of the clip before, or from SVI Reel Open, got "
            f"{type(before).__name__}"
        )
    _check_name(name, is_first=before is None)
    if not isinstance(fps, (int, float)) or fps != 0:
        check_rate("fps", fps)
    if before is None:
        return Reel(host_files.reels_folder() / name, fps or FPS, ()), []
    if name not in ("", before.name):
        raise SVIError(
            f"reel is {name}, but reel_before is {before.name}: a chain has one reel. Leave reel empty here, or "
            "disconnect reel_before to begin another"
        )
    if fps not in (0, before.fps):
        return before, [f"fps is {fps:g} here, but the reel has {before.fps:g}: its first clip sets it"]
    return before, []


def _progress(node_id: str | None, total: int) -> Callable[[], None]:
    """Called after each frame: shows how many are written, and stops when the user cancelled."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        comfy.stop_if_cancelled()
        if done % 16 == 0 or done == total:
            host_show.show_progress(node_id, done, total)

    return tick


def _describe(added: Added, notes: list[str]) -> str:
    reel, take = added.reel, added.reel.clips[-1]
    dropped = f", the first {take.overlap} are dropped" if take.overlap else ""
    state = "it was there already" if added.was_there else "written"
    place = f"output/{reel.folder.parent.name}/{reel.name}"
    head = [
        f"clip {len(reel.clips)} of reel {reel.name}: {take.frames} frames{dropped}; {state}",
        f"{reel.total_frames} frames, {reel.seconds:.1f} s at {reel.fps:g} fps so far, in {place}",
    ]
    if reel.spare:
        size = reel.spare_size / 2**20
        count = f"{len(reel.spare)} spare take{'s' * (len(reel.spare) > 1)}"
        notes = [*notes, f'the reel keeps {count} ({size:.0f} MB): wanvideo-svi reel clean "{reel.name}" deletes such']
    return write_info(head, notes)
