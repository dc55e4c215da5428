"""Untrusted JSON: counted before it is read, so that what it becomes in memory is bounded."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_VALUES = 4_000_000  # a JSON bomb is small as text; what it becomes in memory is counted by brackets and commas


def read_json(text: str, *, unique: bool = False) -> Any:
    """JSON text as a value.

    unique: a key that an object has twice is refused; else the last one counts, as in browsers.
    Raises ValueError for what is no JSON, nested too deep, or has more than MAX_VALUES values; NaN, Infinity and
    numbers that overflow are no JSON.
    """
    if sum(map(text.count, "[{,")) > MAX_VALUES:
        raise ValueError(f"it has more than {MAX_VALUES} lists, objects and values")
    try:
        return json.loads(
            text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_unique if unique else None
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has one key twice")
    return found
