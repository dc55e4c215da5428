"""What a reel has of a planned chain, as far as can be seen before the run: no lock is taken, no clip is read."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.manifest import MANIFEST, Take
from ...svi_embeds.reel.reel import Reel, check_reel_name, open_reel
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.settings import ChainSettings
from ...svi_embeds.story.standing import Stood
from ..host import files as host_files
from ..render.choose import chosen
from ..render.facts import print_of
from ..render.standing import stood_of

STATES = KEPT, STALE, TO_DO = "kept", "stale", "to do"
MAX_MANIFEST = 8 * 2**20  # bytes: thousands of takes, in a fraction of a second
_MAX_FILES = 20_000  # in a folder, that are looked at
_JOINED = re.compile(r".+_([0-9a-f]{8})_[\d.]+fps(?!_h265)\S*\.mp4")  # of those a browser plays

_State = tuple[Path, int, int, int]
_last: tuple[_State, Reel] | None = None  # the manifest that was read last: one types at one node


@dataclass(frozen=True, slots=True)
class Planned:
    """A chain as it is planned. encodes_text: whether its prompts are encoded for it. stood: the reel's chain, as far
    as it was planned with that."""

    plan: ChainPlan
    settings: ChainSettings
    encodes_text: bool
    stood: tuple[Stood, ...] = ()


def stood_as(name: str) -> tuple[Stood, ...]:
    """The chain of the reel of that name, as a plan sees it; none where it cannot be read, or the name is none."""
    try:
        check_reel_name(name)  # before any folder is looked into
        reel = _read(host_files.reels_folder() / name)
    except (SVIError, _UnreadError):
        return ()
    return () if reel is None else stood_of(reel)


def reel_answer(
    name: str, chain: Planned, *, resume: bool, comparable: bool
) -> tuple[list[str] | None, dict[str, Any]]:
    """States of a chain's clips, and what is said of the reel of that name, one that `check_reel_name` took.

    comparable: whether the values that decide the clips are known. States are None when they cannot be told; "trouble"
    says what is wrong with the reel.
    """
    said: dict[str, Any] = {"folder": "", "clips": 0, "trouble": "", "video": None, "is_current": False}
    try:
        folder = host_files.reels_folder() / name
    except SVIError as error:  # the setting names no folder; the story has a plan all the same
        said["trouble"] = str(error)
        return None, said
    said["folder"] = f"output/{folder.parent.name}/{name}"
    try:
        reel = _read(folder)
    except _UnreadError as error:
        said["trouble"] = str(error)
        return None, said
    if reel is None:
        return [TO_DO] * len(chain.plan.clips) if comparable else None, said
    said["clips"] = len(reel.clips)
    video = _video(reel)
    if video is not None:
        said["video"], said["is_current"] = host_files.output_file(video[0]), video[1]
    return states_of(reel, chain, resume=resume) if comparable else None, said


def _read(folder: Path) -> Reel | None:
    """The reel in a folder, None when there is none. Raises _UnreadError for one that cannot be read."""
    global _last
    try:
        found = (folder / MANIFEST).stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _UnreadError(f"its {MANIFEST} cannot be read: {error.strerror}") from error
    if found.st_size > MAX_MANIFEST:
        raise _UnreadError("it has too many takes to be looked at while you type; the run reads it")
    state = (folder, found.st_ino, found.st_size, found.st_mtime_ns)
    if _last is None or _last[0] != state:
        try:
            _last = state, open_reel(folder)
        except SVIError as error:  # whose words may hold what the file holds
            raise _UnreadError(
                f"its {MANIFEST} is damaged, or not of this version of the pack: the run says more"
            ) from error
    return _last[1]


class _UnreadError(Exception):
    """A reel that cannot be looked at, in words for the page."""


def states_of(reel: Reel, chain: Planned, *, resume: bool) -> list[str]:
    """Of each clip: kept; stale, when the chain on disk has another there; to do, when it has none."""
    there: dict[str, list[Take]] = {}
    for take in (*reel.spare, *reel.clips):
        if take.values:
            there.setdefault(take.values, []).append(take)
    by_end: dict[str, list[Take]] = {}  # those that leave the same to the next clip
    for take in (*reel.spare, *reel.clips):
        by_end.setdefault(take.end, []).append(take)
    states: list[str] = []
    leads: list[str | None] = []  # what each clip leaves to the next, see `Take.end`; None where it is to be made
    prints: list[tuple[str, ...]] = []  # of each clip, those that takes of it may have
    for clip in chain.plan.clips:
        place = clip.index if clip.stands is None and not chain.stood else clip.stands
        here = reel.clips[place] if place is not None and place < len(reel.clips) else None
        led_by = "" if clip.led_by is None else leads[clip.led_by]
        before: tuple[str | None, ...] = (None,) if clip.led_by is None else prints[clip.led_by]
        mine = tuple(
            print_of(clip, chain.settings, lead, encodes_text=chain.encodes_text) for lead in dict.fromkeys(before)
        )
        ends = {"", *(take.digest for take in by_end.get(led_by or "", ()))}
        takes = _found(reel, there, chain, clip, mine, here, ends) if resume and led_by is not None else {}
        if takes.keys() >= set(range(clip.takes)):
            states.append(KEPT)
            found: str | None = chosen(clip, [takes[number] for number in range(clip.takes)], reel.picked).end
        else:
            states.append(TO_DO if here is None or (clip.mend and clip.mend.is_new) else STALE)
            found = None
        if clip.mend and here is not None:  # what comes after goes on from the same end, mended or not
            found = here.end
        leads.append(found)
        prints.append((*mine, *(take.values for take in by_end.get(found or "", ()))))
    return states


def _found(
    reel: Reel, there: Mapping[str, list[Take]], chain: Planned, clip: ChainClip, prints: tuple[str, ...],
    here: Take | None, led_by: Container[str],
) -> dict[int, Take]:  # fmt: skip
    """Takes of a clip that a run would keep, by their number. there: takes by their values. led_by: digests of takes
    that would lead it alike."""
    found = [take for print_ in prints for take in there.get(print_, ()) if take.led_by in led_by]
    if not found and here is not None and not here.values and _is_alike(here, chain, clip):
        found = [here]
    frames, latents = chain.plan.motion_after(clip.index)
    return {
        take.take: take for take in found
        if take.tail_frames >= frames and take.tail_latents >= latents and reel.has(take)
        and (take.mended or clip.mend is None)
    }  # fmt: skip


def _is_alike(take: Take, chain: Planned, clip: ChainClip) -> bool:
    """Whether a take of before values were kept is of such a clip, as far as the manifest tells."""
    overlap = take.overlap if clip.index else clip.overlap_frames  # of clip 1 it decides nothing
    of_take = (take.seed, take.mode, take.frames, overlap, take.width, take.height)
    same_text = take.prompt == clip.prompt or not chain.encodes_text
    return same_text and of_take == (
        clip.seed, clip.mode, clip.num_frames, clip.overlap_frames, chain.settings.width, chain.settings.height
    )  # fmt: skip


def _video(reel: Reel) -> tuple[Path, bool] | None:
    """The newest joined video that a browser plays, and whether it is of the chain as it stands; that one first."""
    found = []
    try:
        with os.scandir(reel.folder) as entries:
            for entry in itertools.islice(entries, _MAX_FILES):
                joined = _JOINED.fullmatch(entry.name)
                if joined and entry.is_file(follow_symlinks=False):
                    found.append((joined[1] == reel.chain, entry.stat().st_mtime_ns, entry.name))
    except OSError:  # deleted meanwhile
        return None
    if not found:
        return None
    is_current, _, name = max(found)
    return reel.folder / name, is_current
