"""Which reels there are, for a page: how long, how large, whole or not, and who writes them."""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from pathlib import Path
from time import time_ns
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.manifest import MANIFEST
from ...svi_embeds.reel.previews import previews_size
from ...svi_embeds.reel.reel import Reel, check_reel_name, is_being_written, list_reels
from ...svi_embeds.reel.texts import texts_size
from .cards import file_of
from .reel import UnreadError, now_of, read_reel, video_of

MAX_REELS = 300
_MAX_FILES = 20_000  # of a folder, that are counted
_TICK = 3 * 10**9  # nanoseconds: longer than that of any disk
WHOLE, RUNNING, DAMAGED = "whole", "running", "damaged"

_Looked = tuple[int, int, bool]  # the folder's time, bytes in it, whether all its takes are there
_looked: dict[Path, _Looked] = {}


def list_all(folder: Path) -> dict[str, Any]:
    """{"folder", "path", "reels", "left_out"}: the reels of a folder, the one that was written last first."""
    names = [name for name in list_reels(folder) if _is_name(name)]
    names.sort(key=lambda name: _time(folder / name / MANIFEST), reverse=True)
    return {
        "folder": f"output/{folder.name}", "path": str(folder), "left_out": max(0, len(names) - MAX_REELS),
        "reels": [_row(folder / name) for name in names[:MAX_REELS]],
    }  # fmt: skip


def _row(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": folder.name, "state": DAMAGED, "trouble": "", "clips": 0, "frames": 0, "seconds": 0.0, "fps": 0.0,
        "size": 0, "spare": 0, "spare_size": 0, "changed": _time(folder / MANIFEST), "thumb": None, "video": None,
        "is_current": False, "now": None,
    }  # fmt: skip
    try:
        reel = read_reel(folder)
    except UnreadError as error:
        return {**said, "trouble": str(error)}
    if reel is None:  # deleted meanwhile
        return said
    size, all_there = _look(reel)
    now = now_of(folder)
    state = RUNNING if now or is_being_written(folder) else WHOLE if all_there else DAMAGED
    video, is_current = video_of(reel)
    thumb = {"take": reel.clips[0].digest, "file": file_of(reel.clips[0])} if reel.clips else None
    return {
        **said, "state": state, "clips": len(reel.clips), "frames": reel.shown_frames, "seconds": reel.seconds,
        "fps": reel.fps, "size": size + previews_size(folder) + texts_size(folder), "spare": len(reel.spare),
        "spare_size": reel.spare_size, "thumb": thumb, "video": video, "is_current": is_current, "now": now,
    }  # fmt: skip


def _look(reel: Reel) -> tuple[int, bool]:
    """Bytes of a reel on disk, and whether its takes are all there, with the size that they were written with."""
    time = _time(reel.folder)
    known = _looked.get(reel.folder)
    # A file that comes or goes within a tick of the disk's clock leaves the folder with the same time.
    if known is None or known[0] != time or abs(time_ns() - time) < _TICK:
        if len(_looked) > 4 * MAX_REELS:
            _looked.clear()
        known = time, _size(reel.folder), all(reel.has(take) for take in (*reel.clips, *reel.spare))
        _looked[reel.folder] = known
    return known[1], known[2]


def _size(folder: Path) -> int:
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in itertools.islice(entries, _MAX_FILES):
            with suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _is_name(name: str) -> bool:
    """Whether a folder's name is one that a reel can have: others cannot be asked for."""
    try:
        check_reel_name(name)
    except SVIError:
        return False
    return True
