"""Checks of plain numbers and dicts that come from callers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import SVIError


def check_int(name: str, value: object, *, minimum: int | None = None) -> int:
    """`value` when it is an int (not a bool) of at least `minimum`. Raises SVIError otherwise."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise SVIError(f"{name} must be a whole number, got {repr(value)[:60]}")
    if minimum is not None and value < minimum:
        raise SVIError(f"{name} must be {minimum} or more, got {str(value)[:40]}")
    return value


def check_strength(name: str, value: object) -> float:
    """`value` when it is a finite number of 0 or more. Raises SVIError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and value >= 0):
        raise SVIError(f"{name} must be a number of 0 or more, got {value!r}")
    return value


def check_share(name: str, value: object) -> float:
    """`value` when it is a number 0..1. Raises SVIError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise SVIError(f"{name} must be a number 0..1, got {value!r}")
    return float(value)


def check_rate(name: str, fps: object) -> float:
    """`fps` when it is a number above 0 and at most 1000. Raises SVIError otherwise."""
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not 0 < fps <= 1000:
        raise SVIError(f"{name} must be more than 0 and at most 1000, got {fps!r}")
    return float(fps)


def check_bool(name: str, value: object) -> None:
    """Raises SVIError unless `value` is True or False: text like "false" would count as true."""
    if not isinstance(value, bool):
        raise SVIError(f"{name} must be true or false, got {type(value).__name__} {str(value)[:40]!r}")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raises SVIError unless `value` is one of `choices`."""
    if value not in choices:
        raise SVIError(f"{name} must be one of {', '.join(choices)}; got {value!r}")


def check_dict(name: str, value: object, source: str) -> dict[str, Any]:
    """`value` when it is a dict. source: the node that makes one. Raises SVIError otherwise."""
    if not isinstance(value, dict):
        raise SVIError(f"{name} must be a dict, got {type(value).__name__}: connect {source}")
    return value
