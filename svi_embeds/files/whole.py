"""Files that are whole or not there: written beside their place, written to the disk, then moved in."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from ..errors import SVIError

_BESIDE = re.compile(r"\.svi_[0-9a-f]{32}(\..*)?")
_LEFT_AFTER = 3600  # seconds that nothing was written to it


@contextmanager
def whole_files(*places: Path) -> Iterator[list[Path]]:
    """Paths beside `places` to write to, with their endings; what is there at the end takes the places.

    Raises SVIError when the disk refuses or the work raises ValueError. Then all places are as before, unless the disk
    refused between two of the moves.
    """
    try:
        with moved_in(*places) as beside:
            yield beside
    except SVIError:
        raise
    except (OSError, SafetensorError, ValueError) as error:
        names = " and ".join(str(place) for place in places)
        said = getattr(error, "strerror", None) or error
        raise SVIError(
            f"{names} cannot be written: {said}. What was there before is kept: free disk space or the folder's "
            "permissions, or name another place, then try again"
        ) from error


@contextmanager
def moved_in(*places: Path) -> Iterator[list[Path]]:
    """The same for those who say it in their own words: errors of the disk come as they are."""
    folders = {place.parent for place in places}
    for folder in folders:
        clear_left(folder)
    beside = [place.with_name(f".svi_{uuid.uuid4().hex}{place.suffix}") for place in places]
    try:
        yield beside
        for path in beside:
            with path.open("r+b") as file:  # Windows brings only files to the disk that are open for writing
                os.fsync(file.fileno())
        for path, place in zip(beside, places, strict=True):
            path.replace(place)
    finally:
        for path in beside:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    for folder in folders:
        sync_folder(folder)


def clear_left(folder: Path) -> None:
    """Delete what runs that were killed left beside their files: no lock is held on it, so only what stood still.

    A time that lies ahead counts as well: the clock was set back since, and nobody has written to the file after that.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if _BESIDE.fullmatch(path.name):
                with suppress(OSError):
                    if abs(time.time() - path.stat().st_mtime) > _LEFT_AFTER:
                        path.unlink()


def sync_folder(folder: Path) -> None:
    """Bring a rename to the disk. Windows cannot, and does it by itself."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
