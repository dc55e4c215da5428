"""image_embeds on disk: .safetensors, tensors as they are and everything else as JSON in the file's metadata.

Nothing in a file is executed, and a file is whole or not there: it is written beside its place and then moved in.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import SVIError
from ..files.header import read_header
from ..files.whole import whole_files
from ..ground.json_text import read_json
from .embeds import ImageEmbeds, check_embeds

_TREE, _LEFT_OUT = "wanvideo_svi", "wanvideo_svi_left_out"


class _ForeignError(Exception):
    """A .safetensors file that holds something else; the message says what to do."""


class _UnsaveableError(Exception):
    """Something in embeds that a file cannot hold; the message says what and where."""


def save_embeds(embeds: Any, path: str | PathLike[str], *, strict: bool = True) -> tuple[str, ...]:
    """Write image-to-video embeds, this pack's or another node's, as .safetensors.

    Tensors, numbers, text, None, lists, tuples and dicts of these are kept. strict: anything else raises SVIError;
    without it, it is left out and named in what is returned, and in the file.
    """
    check_embeds(embeds)
    tensors: dict[str, Tensor] = {}
    left_out: list[str] | None = None if strict else []
    try:
        tree = _to_tree(dict(embeds), "image_embeds", tensors, left_out)
    except _UnsaveableError as error:
        raise SVIError(f"{error}: turn strict off to save the embeds without it") from error
    except RecursionError as error:
        raise SVIError("image_embeds hold themselves, or are nested too deep to be saved") from error
    metadata = {_TREE: json.dumps(tree)}
    if left_out:  # one entry has one order, so that the same embeds give the same file
        metadata[_LEFT_OUT] = json.dumps(left_out)
    target = Path(path)
    if not target.name:
        raise SVIError(f"{path!r} is not a file name")
    with whole_files(target) as (beside,):
        beside.write_bytes(save(tensors, metadata=metadata))  # save_file leaves files of its own when it is killed
    return tuple(left_out or ())


def load_embeds(path: str | PathLike[str]) -> ImageEmbeds:
    """Read what `save_embeds` wrote, bit for bit. Raises SVIError for any other file."""
    return load_embeds_and_gaps(path)[0]


def load_embeds_and_gaps(path: str | PathLike[str]) -> tuple[ImageEmbeds, tuple[str, ...]]:
    """The same, and what was left out when the file was saved."""
    try:
        metadata = read_header(path).metadata
        if _TREE not in metadata:
            raise _ForeignError(
                f"{path} holds no image_embeds of this pack: choose a file that SVI Save Embeds or the demo wrote"
            )
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except _ForeignError as error:
        raise SVIError(str(error)) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise SVIError(f"{path} cannot be read as .safetensors, or only in part: {error}") from error
    try:
        loaded = _from_tree(read_json(metadata[_TREE]), tensors)
        left_out = read_json(metadata.get(_LEFT_OUT, "[]"))
        if not isinstance(left_out, list):
            raise ValueError("its list of what was left out is none")
    except (KeyError, ValueError, RecursionError) as error:
        raise SVIError(f"{path} is damaged, its description does not read: {error}") from error
    return check_embeds(loaded), tuple(str(name) for name in left_out)


def _to_tree(value: Any, path: str, tensors: dict[str, Tensor], left_out: list[str] | None) -> Any:
    """A value as JSON, its tensors put into `tensors`.

    What cannot be kept raises _UnsaveableError; with a list as left_out, the nearest entry of a dict that holds it is
    left out instead and named there.
    """
    if isinstance(value, Tensor):
        # A clone, since safetensors refuses views that share memory and a view would be saved with all behind it.
        # Numbered, since paths of nested keys may collide.
        if value.layout != torch.strided or value.is_meta or value.is_quantized or value.is_complex():
            raise _UnsaveableError(f"{path} is a tensor of a kind that .safetensors cannot hold ({value.dtype})")
        name = f"{len(tensors)}:{path}"
        tensors[name] = value.detach().to("cpu").clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise _UnsaveableError(f"{path} has keys that are no strings")
        items = {}
        for key, item in value.items():
            before = len(tensors)
            try:
                items[key] = _to_tree(item, f"{path}/{key}", tensors, left_out)
            except _UnsaveableError as error:
                if left_out is None:
                    raise
                for unused in list(tensors)[before:]:
                    del tensors[unused]
                here = f"{path}/{key}"
                left_out.append(str(error) if str(error).startswith(f"{here} ") else f"{here}, since {error}")
        return {"dict": items}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_to_tree(item, f"{path}/{i}", tensors, left_out) for i, item in enumerate(value)]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    kind = type(value).__name__
    raise _UnsaveableError(f"{path} is of type {kind}, only tensors, numbers, text, lists and dicts can be saved")


def _from_tree(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """What `_to_tree` took apart. Raises KeyError or ValueError for a tree that it did not make."""
    if isinstance(tree, dict) and len(tree) == 1:
        match tree:
            case {"tensor": str(name)}:
                return tensors[name]
            case {"dict": dict(items)}:
                return {key: _from_tree(item, tensors) for key, item in items.items()}
            case {"list": list(items)}:
                return [_from_tree(item, tensors) for item in items]
            case {"tuple": list(items)}:
                return tuple(_from_tree(item, tensors) for item in items)
            case {"value": None | bool() | int() | float() | str() as value}:
                return value
    raise ValueError(f"unexpected {str(tree)[:60]}")
