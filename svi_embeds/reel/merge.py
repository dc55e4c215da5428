"""Takes of another reel brought into one: what several machines made of a chain becomes one reel with one writer."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..errors import SVIError
from ..files.stored import is_as_written
from ..files.whole import moved_in
from .manifest import MANIFEST, Take, parse_manifest
from .reel import Reel, writing
from .writer import ReelWriter


def all_takes(reel: Reel) -> tuple[Take, ...]:
    """The chain's takes and the spare ones."""
    return (*reel.clips, *reel.spare)


def take_in(writer: ReelWriter, other: Reel, *, chain: bool = False) -> list[Take]:
    """Bring the takes that `writer`'s reel lacks from another one, whole ones only; they are spare there.

    chain: whether the chain, its length and what was picked become those of the other reel too. Files are linked where
    both folders lie on one disk, else copied. Returns the takes that came. Raises SVIError when the disk refuses; what
    came before stays.
    """
    mine = {take.digest: take for take in all_takes(writer.reel) if writer.reel.is_whole(take)}
    came = [take for take in all_takes(other) if take.digest not in mine and other.is_whole(take)]
    with writing(f"reel {writer.folder.name}"):
        for take in came:
            for file in (take.video, take.tail):
                if not is_as_written(writer.folder, file):  # one of that name is damaged
                    (writer.folder / file.name).unlink(missing_ok=True)
                place_file(other.path(file), writer.folder / file.name)
    there = {**mine, **{take.digest: take for take in came}}
    if chain:
        if lost := [take for take in other.clips if take.digest not in there]:
            raise SVIError(
                f"reel {other.name}: {lost[0].video.name} is not as it was written, so its chain is not taken"
            )
        # As the other tells of them: scores and overlaps are of the chain as it is now.
        told = [replace(take, video=there[take.digest].video, tail=there[take.digest].tail) for take in other.clips]
        writer.fps, writer.length = other.fps, other.length
        writer.set_takes(told, there.values(), {**other.picked, **writer.reel.picked})
    elif came:
        writer.set_takes(writer.reel.clips, there.values(), writer.reel.picked)
    return came


def place_file(source: Path, place: Path) -> None:
    """Put a file into another folder, whole or not at all: a hard link on one disk, else a copy with its time."""
    if place.exists():
        return
    with suppress(OSError):
        os.link(source, place)
        return
    with moved_in(place) as (beside,):
        shutil.copy2(source, beside)


def takes_told(manifest: bytes, folder: Path) -> tuple[Take, ...]:
    """The takes that a manifest's bytes tell of. folder: see `parse_manifest`. Raises SVIError for damaged ones."""
    try:
        told = parse_manifest(manifest.decode(), folder)
    except UnicodeDecodeError as error:
        raise SVIError(f"{folder / MANIFEST} is damaged: it is not text") from error
    return (*told.clips, *told.spare)


def copy_reel(source: Path, place: Path) -> None:
    """Make a folder the reel that another one is: its files, those that are not there yet, the manifest last.

    A file that is gone is left out: whoever reads the reel finds its take damaged, and makes it again.
    """
    with writing(f"reel {place.name}"):
        place.mkdir(parents=True, exist_ok=True)
        manifest = (source / MANIFEST).read_bytes()
        for take in takes_told(manifest, source):
            for file in (take.video, take.tail):
                if (source / file.name).exists():
                    place_file(source / file.name, place / file.name)
        put_manifest(manifest, place)


def put_manifest(manifest: bytes, folder: Path) -> None:
    """The manifest of a folder whose files are there."""
    with moved_in(folder / MANIFEST) as (beside,):
        beside.write_bytes(manifest)
