"""JSON text as a value, with limits that no workflow reaches."""

from __future__ import annotations

import json
from typing import Any

from ...svi_embeds.errors import SVIError

MAX_CHARACTERS = 32 * 2**20
MAX_BRACKETS = 2_000_000  # a JSON bomb is small as text; what it becomes in memory is counted by these


_TOO_DEEP = "this JSON is nested deeper than any workflow: it is not read"


def parse_json(text: str) -> Any:
    """JSON text as a value. Raises SVIError for what is too large, too deep or no JSON."""
    if len(text) > MAX_CHARACTERS:
        raise SVIError(f"{len(text) / 2**20:.0f} MB of text is no workflow: the limit is {MAX_CHARACTERS // 2**20} MB")
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise SVIError("this JSON has more lists and objects than any workflow: it is not read")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise SVIError(_TOO_DEEP) from None
    except ValueError as error:
        raise SVIError(f"this is no JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def copy_json(value: dict[str, Any]) -> dict[str, Any]:
    """A copy of a JSON object. Raises SVIError for one that is nested too deep or holds what JSON cannot."""
    try:
        copied: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    except RecursionError:
        raise SVIError(_TOO_DEEP) from None
    except (TypeError, ValueError) as error:
        raise SVIError(f"this is no JSON value: {error}") from error
    return copied
