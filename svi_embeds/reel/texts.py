"""Prompts as a text encoder made them, kept with a reel: a run that changes no prompt needs no text encoder.

They lie in the reel's folder `texts`, a file for each prompt within MAX_BYTES, and are no part of the reel: `clean`
deletes them, and the next run that needs one encodes it again. A file is checked when it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..files.bounded import delete_all, keep_within, listed, used
from ..files.header import read_header
from ..files.whole import moved_in
from ..ground.fingerprint import fingerprint
from ..ground.json_text import read_json
from .reel import writing

FOLDER = "texts"
MAX_BYTES = 512 * 2**20  # of a reel's texts, about a thousand; what was used longest ago goes first
_FILE = re.compile(r"[0-9a-f]{64}\.safetensors")
_VERSION = "1"
_MOST_PARTS = 4096  # tensors and values of one text


def text_key(kind: str, origin: str, prompt: str, negative: str) -> str:
    """What a text is kept under. kind: of the encoder. origin: a digest of where it comes from, not empty."""
    return fingerprint([_VERSION, kind, origin, prompt, negative])


def keep_text(folder: Path, key: str, text: Mapping[str, Any]) -> bool:
    """Keep a text in a reel's folder. Returns whether that was possible: not for one that holds other than tensors,
    lists, numbers and words. Raises SVIError when the disk refuses."""
    tensors: dict[str, Tensor] = {}
    try:
        shape = json.dumps(_taken_apart(text, tensors), allow_nan=False)
    except (TypeError, ValueError):  # a number that JSON does not have
        return False
    place = folder / FOLDER / f"{key}.safetensors"
    with writing(f"reel {folder.name}: {FOLDER}"):
        if place.parent.is_symlink():
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"text": shape, "print": fingerprint(text)}
        with moved_in(place) as (beside,):
            beside.write_bytes(save(tensors, metadata=metadata))
    keep_within(place, _FILE, MAX_BYTES)
    return True


def kept_text(folder: Path, key: str) -> dict[str, Any] | None:
    """A text that was kept, its tensors on the CPU; None when there is none, or one that is not what was written."""
    path = folder / FOLDER / f"{key}.safetensors"
    if path.is_symlink() or path.parent.is_symlink():
        return None
    try:
        metadata = read_header(path).metadata
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = _put_together(read_json(metadata["text"]), tensors)
        if fingerprint(text) != metadata["print"]:
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError):
        return None
    used(path)
    return text if isinstance(text, dict) else None


def texts_size(folder: Path) -> int:
    """Bytes of a reel's texts. folder: of the reel."""
    return sum(state.st_size for _, state in listed(folder / FOLDER, _FILE))


def delete_texts(folder: Path) -> int:
    """Delete a reel's texts. Returns how many bytes they had. folder: of the reel."""
    return delete_all(folder / FOLDER, _FILE)


def _taken_apart(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON, whose tensors go into `tensors`. Raises TypeError for what cannot be kept."""
    if len(tensors) > _MOST_PARTS:
        raise TypeError("too many tensors")
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().to("cpu").contiguous().clone()
        return {"tensor": name}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a key is not a word")
        return {"dict": {key: _taken_apart(each, tensors) for key, each in value.items()}}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__ if type(value) in (list, tuple) else "list": [
            _taken_apart(each, tensors) for each in value
        ]}  # fmt: skip
    if value is None or type(value) in (bool, int, float, str):
        return {"value": value}
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _put_together(shape: Any, tensors: Mapping[str, Tensor]) -> Any:
    ((kind, value),) = shape.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "dict":
        return {key: _put_together(each, tensors) for key, each in value.items()}
    if kind in ("list", "tuple"):
        parts = [_put_together(each, tensors) for each in value]
        return parts if kind == "list" else tuple(parts)
    if kind == "value":
        return value
    raise ValueError(f"a part of kind {str(kind)[:20]}")
