"""JSON text as a value, with limits that no workflow reaches."""

from __future__ import annotations

import json
from typing import Any

from ....svi_embeds.errors import SVIError
from ....svi_embeds.ground.json_text import read_json

MAX_CHARACTERS = 32 * 2**20


def parse_json(text: str) -> Any:
    """JSON text as a value. Raises SVIError for what is too large, too deep or no JSON."""
    if len(text) > MAX_CHARACTERS:
        raise SVIError(
            f"{len(text) / 2**20:.0f} MB of text is too much for a workflow: the limit is {MAX_CHARACTERS // 2**20} MB"
        )
    try:
        return read_json(text)
    except ValueError as error:
        raise SVIError(f"this is not a workflow's JSON: {error}") from None


def copy_json(value: dict[str, Any]) -> dict[str, Any]:
    """A copy of a JSON object. Raises SVIError for one that is nested too deep or holds what JSON cannot."""
    try:
        copied: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    except RecursionError:
        raise SVIError("this JSON is nested deeper than any workflow: it is not read") from None
    except (TypeError, ValueError) as error:
        raise SVIError(f"this is not a JSON value: {error}") from error
    return copied
