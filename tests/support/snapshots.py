"""What tests recorded, and what they say when it is no longer so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from project import ROOT

_MOST = 12  # names in a message


def check_snapshot(path: Path, now: dict[str, Any]) -> dict[str, Any]:
    """That `now` is what the file holds, which is given back. UPDATE_SNAPSHOTS=1 writes it anew before."""
    if recording():
        path.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert now == recorded, not_as_recorded(path, differing(now, recorded))
    return recorded


def recording() -> bool:
    """Whether this run records, rather than compares."""
    return bool(os.environ.get("UPDATE_SNAPSHOTS"))


def not_as_recorded(path: Path, what: Iterator[str]) -> str:
    """The sentence of a failure. what: the differences."""
    said = list(what) or ["in another order"]
    more = [f"and {len(said) - _MOST} more"] if len(said) > _MOST else []
    return (
        f"{path.relative_to(ROOT)}: {'; '.join([*said[:_MOST], *more])}. If that is meant, UPDATE_SNAPSHOTS=1 records "
        "it: read the diff"
    )


def differing(now: Any, recorded: Any, at: str = "") -> Iterator[str]:
    """What differs, by name, as deep as there are names."""
    if isinstance(now, list) and isinstance(recorded, list):
        if all(isinstance(each, str) for each in (*now, *recorded)):
            said = [f"{each} is new" for each in now if each not in recorded]
            said += [f"{each} is gone" for each in recorded if each not in now]
            yield f"{at}: {', '.join(said) or 'in another order'}"
            return
        now, recorded = dict(enumerate(now)), dict(enumerate(recorded))
    if not (isinstance(now, dict) and isinstance(recorded, dict)):
        yield f"{at} differs"
        return
    for name in {**recorded, **now}:
        here = f"{at}.{name}" if at else str(name)
        if name not in recorded:
            yield f"{here} is new"
        elif name not in now:
            yield f"{here} is gone"
        elif now[name] != recorded[name]:
            yield from differing(now[name], recorded[name], here)
