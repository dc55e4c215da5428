"""Where a line of a story stands in the text box that shows it."""

from __future__ import annotations

import re
from typing import Any

from ...svi_embeds.errors import StoryError, SVIError

_WIDTH, _BEFORE = 100, 40  # characters of a line that are shown, and of them before the place
_TOKEN = re.compile(r"[^\s\]]+")
_BREAK = re.compile(r"\r\n?")


class Places:
    """The lines of a story, as `parse_story` counts them. Positions are those of a text box: in UTF-16, every line end
    one character."""

    def __init__(self, story: str) -> None:
        self.before = len(story) - len(story.removeprefix("\ufeff"))
        self.lines = story[self.before :].splitlines(keepends=True)
        self.starts = [self.before]
        for line in self.lines:
            self.starts.append(self.starts[-1] + _units(line))

    def line(self, number: int) -> list[int]:
        """Begin and end of what stands on a line, counted from 1."""
        text, start = self._at(number)
        begin = len(text) - len(text.lstrip())
        return [start + _units(text[:begin]), start + _units(text.rstrip())] if text.strip() else [start, start]

    def error(self, error: SVIError) -> dict[str, Any]:
        """What is shown of an error: its message, line and column (None where it names none), the text of the line
        around the place, which characters of that are meant, and where they are in the text box."""
        message = str(error)
        if not isinstance(error, StoryError):
            return {"message": message, "line": None, "column": None, "text": "", "mark": [0, 0], "select": None}
        number, column = error.line, error.column
        text, start = self._at(number)
        text = text.rstrip()
        if column is None:
            begin, end = len(text) - len(text.lstrip()), len(text)
        else:
            begin = min(column - 1, len(text))
            token = _TOKEN.match(text, begin)
            end = token.end() if token else min(begin + 1, len(text))
        first = max(0, begin - _BEFORE) if len(text) > _WIDTH else 0
        shown = text[first : first + _WIDTH]
        head, tail = "…" if first else "", "…" if first + _WIDTH < len(text) else ""
        marked = [_units(head + text[first:begin]), _units(head + text[first : min(end, first + _WIDTH)])]
        return {
            "message": message, "line": number, "column": column, "text": f"{head}{shown}{tail}".replace("\t", " "),
            "mark": marked, "select": [start + _units(text[:begin]), start + _units(text[:end])],
        }  # fmt: skip

    def _at(self, number: int) -> tuple[str, int]:
        """A line and where it begins; behind the last one the end of the text, where an empty block may be."""
        index = min(number - 1, len(self.lines))
        return (self.lines[index] if index < len(self.lines) else ""), self.starts[index]


def _units(text: str) -> int:
    """Length in a text box: in UTF-16, with line ends of one character."""
    return len(_BREAK.sub("\n", text).encode("utf-16-le", "surrogatepass")) // 2
