"""What is said to a user: lines, tables, short texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# What a terminal obeys instead of showing it, and what turns the order of letters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def align(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines with columns under each other."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def shorten(text: str, width: int = 40) -> str:
    """A text on one line, cut to `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def counted(place: str, count: int, kind: str) -> str:
    """`the last frame`, or `the last 5 frames`."""
    return f"the {place} {kind}" if count == 1 else f"the {place} {count} {kind}s"


def not_shown(first: int, last: int) -> str:
    """In brackets behind a number of frames, how many more at a chain's start and end its video does not show."""
    left = [f"the {place} {count if count > 1 else 'one'}" for place, count in (("first", first), ("last", last))
            if count]  # fmt: skip
    return f" ({' and '.join(left)} {'is' if first + last == 1 else 'are'} not in the video)" if left else ""


def write_info(head: Iterable[str], notes: Iterable[str]) -> str:
    """Lines on a clip, and below them what was decided or adjusted on the caller's behalf."""
    return "\n".join([*head, *(f"- {note}" for note in notes)])


def visible(text: str) -> str:
    """A text that may come from a stranger's file, with control characters written out: a terminal would obey them."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
