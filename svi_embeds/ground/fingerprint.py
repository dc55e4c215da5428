"""Short names for values: equal values have equal ones. What decides whether a clip on disk is still true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor


def fingerprint(value: Any) -> str:
    """SHA-256 over a value, 64 hex digits: tensors by type, shape and bits; dicts, lists and plain values by content.

    Arrays and numbers of numpy count as tensors do; types, devices and enums by name. Anything else counts by its class
    alone, since what is in it cannot be determined: who needs more hashes where it comes from.
    """
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, Tensor):
        bits = value.detach().to("cpu").contiguous().flatten().view(torch.uint8).numpy()
        digest.update(f"tensor {value.dtype} {list(value.shape)};".encode())
        digest.update(bits.data)
    elif isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        digest.update(f"array {array.dtype} {list(array.shape)};".encode())
        if array.dtype != object:
            digest.update(array.tobytes())
    elif isinstance(value, (torch.dtype, torch.device, Enum)):
        digest.update(f"name {type(value).__name__} {value};".encode())
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
