"""Short names for values: equal values have equal ones. What decides whether a clip on disk is still true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def fingerprint(value: Any) -> str:
    """SHA-256 over a value, 64 hex digits: tensors by type, shape and bits; dicts, lists and plain values by content.

    Anything else counts by its type alone, since what is in it cannot be told: who needs more hashes where it comes
    from.
    """
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, Tensor):
        bits = value.detach().to("cpu").contiguous().flatten().view(torch.uint8).numpy()
        digest.update(f"tensor {value.dtype} {list(value.shape)};".encode())
        digest.update(bits.data)
    elif isinstance(value, Mapping):
        digest.update(f"dict {len(value)};".encode())
        for key in sorted(value, key=str):
            _feed(digest, str(key))
            _feed(digest, value[key])
    elif isinstance(value, (list, tuple)):
        digest.update(f"list {len(value)};".encode())
        for item in value:
            _feed(digest, item)
    elif value is None or isinstance(value, (bool, int, float, str)):
        text = json.dumps(value)
        digest.update(f"{len(text)} {text};".encode())
    else:
        digest.update(f"object {type(value).__name__};".encode())
