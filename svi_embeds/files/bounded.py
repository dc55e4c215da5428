"""A folder of files that can be made again, kept within a number of bytes: what was used longest ago goes first."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path


def listed(folder: Path, ours: re.Pattern[str]) -> list[tuple[Path, os.stat_result]]:
    """The files of a folder whose names are ours, and nothing else that is there; [] where the folder is a link."""
    if folder.is_symlink():
        return []
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    found.append((Path(entry.path), entry.stat(follow_symlinks=False)))
    return found


def used(path: Path) -> bool:
    """Whether a file is there; it counts as used now."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def keep_within(newest: Path, ours: re.Pattern[str], most: int) -> None:
    """Delete from a file's folder what is beyond `most` bytes; the file itself stays."""
    total = 0
    for path, state in sorted(listed(newest.parent, ours), key=lambda each: each[1].st_mtime_ns, reverse=True):
        total += state.st_size
        if total > most and path != newest:
            with suppress(OSError):
                path.unlink()


def delete_all(folder: Path, ours: re.Pattern[str], stems: tuple[str, ...] = ("",)) -> int:
    """Delete our files of a folder whose names begin with one of `stems`; where all go, the folder too when it is empty
    then. Returns how many bytes they had."""
    freed = 0
    for path, state in listed(folder, ours):
        if path.name.startswith(stems):
            with suppress(OSError):
                path.unlink()
                freed += state.st_size
    if "" in stems and not folder.is_symlink():
        with suppress(OSError):
            folder.rmdir()
    return freed
