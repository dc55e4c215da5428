"""The errors this pack raises for bad input."""

from __future__ import annotations


class SVIError(ValueError):
    """Bad input. The message says what was expected, what came, and what to do about it."""


class StoryError(SVIError):
    """Bad input at a place of a story.

    line, column: of the story's text, from 1. column: None for the whole line. clip: which one it is, from 1, where it
    is one clip's. The message begins with the place; joint is what stands between the two.
    """

    def __init__(
        self, what: object, *, line: int, column: int | None = None, clip: int | None = None, joint: str = ": "
    ) -> None:
        place = f"line {line} of the story" if column is None else f"line {line}, column {column} of the story"
        super().__init__(f"{place if clip is None else f'clip {clip} ({place})'}{joint}{what}")
        self.line, self.column = line, column
