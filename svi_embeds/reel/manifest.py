"""The manifest of a reel: its takes, and which of them are the chain. What a stranger's may say is bounded."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..errors import SVIError
from ..files.stored import StoredFile
from ..ground.checks import check_int, check_rate
from ..ground.json_text import read_json

MANIFEST = "manifest.json"
FORMAT, VERSION = "wanvideo-svi reel", 2
_READ = (1, 2)  # versions; 1 knew one take a clip
OURS = re.compile(r"(clip_\d{4,}_[0-9a-f]{8}_[0-9a-f]{8}\.(mkv|safetensors)|\.[0-9a-f]{32}\.tmp)")
MAX_MANIFEST = 64 * 2**20  # bytes: about 50,000 takes


@dataclass(frozen=True, slots=True)
class Take:
    """One rendering of a clip, on disk.

    digest: of all that decides it. frames: in it. overlap: how many of them the chain drops, at its start. video, tail:
    its files. tail_frames, tail_latents: how many of its last ones the tail holds. prompt, seed, mode, seconds: what a
    reader wants to know of it (seconds of work). values: a digest of what the values on the node say of it and of the
    clips before it, known without models and images; "" in older manifests.
    of: the digest of its clip's first take, which all takes of a clip share; "" for a first take. take: which of them
    it is, from 0. led_by: digest of the take that leads it; "" where images do, or where that was not written. number:
    of its clip, which its seed is counted from; it stays when clips are put before it. follows: whether the video goes
    on from the clip before; False for a new scene. score: see `drift.score`; None where it was not scored.
    ends_as: digest of the take that stood where a mended one was made, whose end it has, bit for bit; "" for all
    others. landing: how visible it is where a mended one comes to that, see `Seam.ratio`.
    """

    digest: str
    frames: int
    overlap: int
    width: int
    height: int
    video: StoredFile
    tail: StoredFile
    tail_frames: int
    tail_latents: int
    prompt: str
    seed: int
    mode: str
    seconds: float
    values: str = ""
    of: str = ""
    take: int = 0
    led_by: str = ""
    number: int = 0
    follows: bool = True
    score: float | None = None
    ends_as: str = ""
    landing: float | None = None

    @property
    def clip(self) -> str:
        """What all takes of its clip share."""
        return self.of or self.digest

    @property
    def mended(self) -> bool:
        """Whether it was made between its neighbours."""
        return bool(self.ends_as)

    @property
    def end(self) -> str:
        """What all takes share that leave the same to the next clip."""
        return self.ends_as or self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a manifest says; see `Reel`."""

    fps: float
    clips: tuple[Take, ...] = ()
    spare: tuple[Take, ...] = ()
    length: int | None = None
    picked: Mapping[str, str] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a reel's folder. Raises SVIError when there is none, or one that this version cannot read."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise SVIError(f"{path} is too large for a manifest of a reel")
        if not path.is_file() and path.exists():  # a pipe would be waited for
            raise SVIError(f"{path} is not a file: choose another reel name")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SVIError(f"there is no reel {folder.name}: {folder} has no {MANIFEST}") from error
    except (OSError, UnicodeError) as error:
        raise SVIError(f"{path} cannot be read: {error}") from error
    return parse_manifest(text, folder)


def parse_manifest(text: str, folder: Path) -> Manifest:
    """What a manifest's text says. folder: of its reel, for the words of an SVIError."""
    path = folder / MANIFEST
    try:
        return _checked(folder, read_json(text, unique=True))
    except _ForeignError as error:
        raise SVIError(str(error)) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise SVIError(
            f"{path} is damaged or not of this pack ({type(error).__name__}: {error}): put it back from a copy, or "
            "choose another reel name"
        ) from error


class _ForeignError(Exception):
    """A manifest that another program or another version of this pack wrote; the message says what to do."""


# What a manifest of this pack keeps within; a table of them, or a batch of frames, is as large as they say.
BOUNDS = (
    ("frames", 1, 100_001), ("width", 1, 2**14), ("height", 1, 2**14), ("tail_frames", 0, 100_001),
    ("tail_latents", 0, 100_001), ("seed", 0, 2**64 - 1), ("seconds", 0, 10**9), ("take", 0, 999),
    ("number", 0, 10**6),
)  # fmt: skip
_MAX_WORD = 128
_SLOWEST = 1e-3  # frames per second: seconds stay a number that JSON has

# What a manifest's values must be, by the field's annotation.
_KINDS: dict[str, Any] = {
    "str": str, "int": int, "float": (int, float), "float | None": (int, float, type(None)), "bool": bool,
}  # fmt: skip
_PLACE = re.compile(r"clip_(\d{4,})_")  # in the name of a take's files: where its clip stood


def _checked(folder: Path, data: Any) -> Manifest:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _ForeignError(f"{folder / MANIFEST} is not of this pack: choose another reel name")
    if data["version"] not in _READ:
        raise _ForeignError(
            f"reel {folder.name} was written by another version of this pack (manifest "
            f"{str(data['version'])[:20]}, this one reads {VERSION}): update the pack, or choose another reel name"
        )
    takes: dict[str, Take] = {}
    for entry in data["takes"]:
        take = Take(**{**entry, **{part: StoredFile(**entry[part]) for part in ("video", "tail")}})
        if data["version"] == 1 and (place := _PLACE.match(take.video.name)):
            take = replace(take, number=int(place[1]) - 1)
        for part in (take, take.video, take.tail):
            for entry_field in fields(part):
                value, kinds = getattr(part, entry_field.name), _KINDS.get(str(entry_field.type))
                if kinds and (not isinstance(value, kinds) or isinstance(value, bool) != (kinds is bool)):
                    raise ValueError(f"a take has {str(value)[:60]!r} as {entry_field.name}")
        if any(not OURS.fullmatch(file.name) for file in (take.video, take.tail)):
            raise ValueError("a take names a file that is none of this reel's")
        if not 0 <= take.overlap < take.frames:
            raise ValueError(f"a take of {take.frames} frames has an overlap of {take.overlap}")
        for name, low, high in BOUNDS:
            if not low <= getattr(take, name) <= high:
                raise ValueError(f"a take has {getattr(take, name)} as {name}")
        if max(map(len, (take.digest, take.mode, take.values, take.of, take.led_by, take.ends_as))) > _MAX_WORD:
            raise ValueError("a take has a digest or a mode that is none")
        for number in (take.score, take.landing):
            if number is not None and not 0 <= number < math.inf:
                raise ValueError(f"a take has {number} as score or landing")
        takes[take.digest] = take
    chain = tuple(takes[digest] for digest in data["chain"])
    fps = check_rate("fps", data["fps"])
    if fps < _SLOWEST:
        raise ValueError(f"the reel has {fps} fps")
    length = data.get("length")  # older manifests have none
    if length is not None:
        check_int("length", length, minimum=1)
    used = set(data["chain"])
    if len(used) != len(chain):
        raise ValueError("the chain has a take twice")
    picked = data.get("picked", {})
    if not isinstance(picked, dict):
        raise ValueError("what was picked is not a table")
    if not all(takes[digest].clip == clip for clip, digest in picked.items()):
        raise ValueError("a take is picked for another clip than its own")
    spare = tuple(take for digest, take in takes.items() if digest not in used)
    return Manifest(fps=fps, clips=chain, spare=spare, length=length, picked=picked)
