"""The header of a .safetensors file, read and checked before anything of the file is taken at its word.

The format: 8 bytes that say how long the header is, the header as JSON, then the tensors' bytes one behind the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ..ground.json_text import read_json

MAX_HEADER = 16 * 2**20  # bytes; that of a 14B model with all its LoRA layers is under one
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


_MAX_DIMENSIONS = 16


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """shapes: of the tensors, by name, in the header's order. metadata: text by name."""

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]


def read_header(path: str | PathLike[str]) -> TensorHeader:
    """The header of a file, with no tensor read.

    Raises OSError when the file cannot be read, and ValueError for one whose header is no header, is longer than the
    file or than MAX_HEADER, or names tensors that do not lie in the file one behind the other in their full size.
    """
    path = Path(path)
    if not path.is_file() and path.exists():
        raise OSError("it is not a file")  # a pipe would be waited for
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ValueError(f"header too large: {length} bytes, at most {MAX_HEADER} are read")
        if size < 8 + length:
            raise ValueError(f"its header is to be {length} bytes long, the file has {size}")
        raw = read_json(file.read(length).decode(), unique=True)
    if not isinstance(raw, dict):
        raise ValueError("its header is no JSON object")
    metadata = raw.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("its metadata is not text by name")
    shapes, spans = {}, []
    for name, entry in raw.items():
        shapes[name], span = _tensor(name, entry)
        spans.append(span)
    end = 0
    for begin, stop in sorted(spans):
        if begin != end:
            raise ValueError("its tensors overlap, or leave gaps")
        end = stop
    if end != size - 8 - length:
        raise ValueError(f"its tensors take {end} bytes, {size - 8 - length} are there")
    return TensorHeader(shapes, metadata)


def _tensor(name: str, entry: Any) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Shape of a tensor, and where its bytes are. Raises ValueError when the two do not go together."""
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]} if len(entry) == 3:
            bits = _BITS.get(dtype)
            # By type, since bool is an int in Python; few, since their product takes the square of their number.
            sizes = len(shape) <= _MAX_DIMENSIONS and all(type(size) is int and 0 <= size < 2**48 for size in shape)
            if bits and sizes and 0 <= begin <= end:
                if 8 * (end - begin) == bits * math.prod(shape):
                    return tuple(shape), (begin, end)
                raise ValueError(f"{name[:60]} is {str(shape)[:60]} of {dtype}, which are not {end - begin} bytes")
    raise ValueError(f"{name[:60]} is not a tensor: {str(entry)[:100]}")
