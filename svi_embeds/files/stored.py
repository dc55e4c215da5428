"""Files of a reel as they were written, and whether they still are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the reel as it was written: its name in the folder, size, time and SHA-256."""

    name: str
    size: int
    time: int
    sha256: str


def hash_file(file: BinaryIO) -> str:
    """SHA-256 of an open file, from where it stands."""
    digest = hashlib.sha256()
    while block := file.read(2**20):
        digest.update(block)
    return digest.hexdigest()


def size_of(folder: Path, file: StoredFile) -> int | None:
    """Of a file as it is there, a link itself and not what it leads to; None when it cannot be determined."""
    try:
        return (folder / file.name).lstat().st_size
    except OSError:
        return None


def has_size_and_time(folder: Path, file: StoredFile) -> bool:
    """Whether a file has the size and time that it was written with. It is not read."""
    try:
        state = (folder / file.name).lstat()
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (file.size, file.time)


def is_as_written(folder: Path, file: StoredFile) -> bool:
    """Whether a file is what was written; its content is read only when size or time differ."""
    return has_size_and_time(folder, file) or not damage_of(folder, file)


def damage_of(folder: Path, file: StoredFile) -> str:
    """What is wrong with a file, "" when it is as written. Reads all of it."""
    path = folder / file.name
    try:
        if path.is_symlink():
            return "is a link, which is not followed"
        if path.stat().st_size != file.size:
            return f"has {path.stat().st_size} bytes, {file.size} were written"
        with path.open("rb") as opened:
            sha256 = hash_file(opened)
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be read: {error}"
    return "" if sha256 == file.sha256 else "is not what was written"
