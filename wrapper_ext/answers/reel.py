"""What a reel has of a planned chain, as far as can be seen before the run: no lock is taken, no clip is read."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.manifest import MANIFEST
from ...svi_embeds.reel.reel import Reel, check_reel_name, open_reel
from ...svi_embeds.story.standing import Stood
from ..host import files as host_files
from ..render.now import rendered_now
from ..render.standing import stood_of
from .stands import TO_DO, Planned, Stands, stands_of

MAX_MANIFEST = 8 * 2**20  # bytes: thousands of takes, in a fraction of a second
_MAX_FILES = 20_000  # in a folder, that are looked at
_JOINED = re.compile(r".+_([0-9a-f]{8})_[\d.]+fps(?!_h265)\S*\.mp4")  # of those a browser plays

_KEPT = 32  # manifests that were read last: one types at one node, and a page shows many reels

_State = tuple[int, int, int]
_read_last: OrderedDict[Path, tuple[_State, Reel]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Found:
    """What a reel has of a chain. stands: of each clip, None where that is not known. said: of the reel, for a page.
    reel: None where there is none, or one that cannot be read."""

    stands: list[Stands] | None
    said: dict[str, Any]
    reel: Reel | None = None


def stood_as(name: str) -> tuple[Stood, ...]:
    """The chain of the reel of that name, as a plan sees it; none where it cannot be read, or the name is none."""
    try:
        check_reel_name(name)  # before any folder is looked into
        reel = read_reel(host_files.reels_folder() / name)
    except SVIError:
        return ()
    return () if reel is None else stood_of(reel)


def reel_answer(name: str, chain: Planned, *, resume: bool, comparable: bool) -> Found:
    """What the reel of that name, one that `check_reel_name` took, has of a chain.

    comparable: whether the values that decide the clips are known. "trouble" of what is said is what is wrong with the
    reel.
    """
    said: dict[str, Any] = {"folder": "", "clips": 0, "trouble": "", "video": None, "is_current": False, "now": None}
    try:
        folder = host_files.reels_folder() / name
    except SVIError as error:  # the setting names no folder; the story has a plan all the same
        said["trouble"] = str(error)
        return Found(None, said)
    said["folder"] = f"output/{folder.parent.name}/{name}"
    try:
        reel = read_reel(folder)
    except UnreadError as error:
        said["trouble"] = str(error)
        return Found(None, said)
    said["now"] = now_of(folder)
    if reel is None:
        missing = [Stands(TO_DO, None, {}, clip.takes) for clip in chain.plan.clips]
        return Found(missing if comparable else None, said)
    said["clips"] = len(reel.clips)
    said["video"], said["is_current"] = video_of(reel)
    return Found(stands_of(reel, chain, resume=resume) if comparable else None, said, reel)


def now_of(folder: Path) -> dict[str, Any] | None:
    """What this process renders into a reel: {"clip", "take", "takes", "seconds"}, counted from 1, and since when; None
    where it renders nothing."""
    now = rendered_now(folder)
    if now is None:
        return None
    return {"clip": now.clip + 1, "take": now.take + 1, "takes": now.takes, "seconds": round(time.time() - now.since)}


def read_reel(folder: Path) -> Reel | None:
    """The reel in a folder, None when there is none. Raises UnreadError for one that cannot be read."""
    try:
        found = (folder / MANIFEST).stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadError(f"its {MANIFEST} cannot be read: {error.strerror}") from error
    if found.st_size > MAX_MANIFEST:
        raise UnreadError("it has too many takes to be looked at while you type; the run reads it")
    state = (found.st_ino, found.st_size, found.st_mtime_ns)
    known = _read_last.pop(folder, None)
    if known is None or known[0] != state:
        try:
            known = state, open_reel(folder)
        except SVIError as error:  # whose words may hold what the file holds
            raise UnreadError(
                f"its {MANIFEST} is damaged, or not of this version of the pack: the run says more"
            ) from error
    _read_last[folder] = known
    while len(_read_last) > _KEPT:
        _read_last.popitem(last=False)
    return known[1]


class UnreadError(SVIError):
    """A reel that cannot be looked at, in words for the page."""


def video_of(reel: Reel) -> tuple[dict[str, str] | None, bool]:
    """The newest joined video that a browser plays, as `ui` names it, and whether it is of the chain as it stands; that
    one first. (None, False) without one."""
    found = []
    try:
        with os.scandir(reel.folder) as entries:
            for entry in itertools.islice(entries, _MAX_FILES):
                joined = _JOINED.fullmatch(entry.name)
                if joined and entry.is_file(follow_symlinks=False):
                    found.append((joined[1] == reel.chain, entry.stat().st_mtime_ns, entry.name))
    except OSError:  # deleted meanwhile
        return None, False
    if not found:
        return None, False
    is_current, _, name = max(found)
    return host_files.output_file(reel.folder / name), is_current
