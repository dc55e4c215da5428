"""A story's text in lines: where its blocks stand, and other lines put in a block's place. For `edit.py`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

from ..errors import SVIError
from ..ground.checks import check_int
from .chain import SEED_STEP
from .text import (
    AUTO,
    MAX_CLIPS,
    MAX_SEED,
    SEPARATOR,
    TOKEN,
    Block,
    escaped,
    is_comment,
    is_settings,
    parse_story,
)  # fmt: skip

Tokens = Mapping[str, "str | None"]  # settings by key, as they are written; None takes one out

_OF_THE_FIRST = ("cut", "start", "from")  # settings that hold for the first clip of a block alone
_BOM = "\ufeff"


class Shape(NamedTuple):
    """Where things stand among the lines of a block: its settings, the first line of the prompt (or where that would
    go), and one behind the last."""

    settings: int | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class StoryLines:
    """A story in lines, each with its end. bom: what stands before them. is_open: the text's last line has no end; here
    it has. end: of new lines. spans: of each block, without the separators. firsts: index of each block's first clip.
    """

    text: str
    bom: str
    lines: list[str]
    is_open: bool
    end: str
    blocks: tuple[Block, ...]
    spans: list[tuple[int, int]]
    firsts: list[int]

    def find(self, clip: int) -> tuple[int, int]:
        """Index of a clip's block, and which repetition of that it is. Raises SVIError for one that is not there."""
        last = self.blocks[-1].repeat
        count = MAX_CLIPS if last == AUTO else self.firsts[-1] + last
        if not 0 <= check_int("clip", clip) < count:
            raise SVIError(f"there is no clip {clip + 1}: the story makes clips 1..{count}")
        index = bisect_right(self.firsts, clip) - 1
        return index, clip - self.firsts[index]

    def lines_of(self, index: int) -> list[str]:
        return self.lines[slice(*self.spans[index])]

    def written(self, prompt: str) -> list[str]:
        """The lines of a prompt."""
        return [escaped(line) + self.end for line in prompt.splitlines()]

    def settled(self, lines: Sequence[str], tokens: Tokens) -> list[str]:
        """The lines of a block with other settings."""
        made, shape = list(lines), shape_of(lines)
        if shape.settings is None:
            said = [token for token in tokens.values() if token is not None]
            return [*made[: shape.first], f"[{' '.join(said)}]{self.end}", *made[shape.first :]] if said else made
        line = made[shape.settings] = _rewritten(made[shape.settings], tokens)
        if not is_settings(line) and shape.first < shape.last and is_settings(made[shape.first]):
            bare = made[shape.first].lstrip()  # now the block begins with it, and it would be read as settings
            made[shape.first] = f"{made[shape.first][: -len(bare)]}\\{bare}"
        return made if line else [*made[: shape.settings], *made[shape.settings + 1 :]]

    def parts(self, index: int, *spans: tuple[int, int | None]) -> list[list[str]]:
        """The lines of a block as several blocks: of the repetitions from one up to another (None: to its end). Those
        of none are left out. Comments stay with the first, and so does what holds for a block's first clip alone."""
        block = self.blocks[index]
        counted = [(start, _count(block, start, stop)) for start, stop in spans]
        wanted = [(start, count) for start, count in counted if count is not None]
        made = []
        for place, (start, count) in enumerate(wanted):
            part = part_of(block, start, count, is_first=not place)
            self.refuse_empty(self.firsts[index] + start, part, others=len(wanted) > 1)
            tokens: dict[str, str | None] = dict.fromkeys(_OF_THE_FIRST) if place else {}
            if part.seed != block.seed:
                tokens["seed"] = f"seed={part.seed}"
            if part.repeat != block.repeat:
                tokens["repeat"] = None if part.repeat == 1 else f"repeat={part.repeat or 'auto'}"
            lines = self.lines_of(index)
            made.append(self.settled(_bare(lines, self.end) if place else lines, tokens))
        return made

    def parted(self, *blocks: Sequence[str]) -> list[str]:
        """The lines of several blocks, with separators between them."""
        return [line for block in blocks for line in (SEPARATOR + self.end, *block)][1:]

    def refuse_empty(self, clip: int, block: Block, *, others: bool = False) -> None:
        """Raises SVIError for what is no block where there are others, which it tells by the clip."""
        if (others or len(self.blocks) > 1) and block == Block(block.line, ""):
            raise SVIError(
                f"clip {clip + 1} would have neither a prompt nor settings: write a prompt or a setting for it, or "
                "remove it"
            )

    def alone(self, clip: int) -> tuple[StoryLines, int]:
        """The story with a block of its own for a clip, and which block that is."""
        index, place = self.find(clip)
        if self.blocks[index].repeat == 1:
            return self, index
        parts = self.parts(index, (0, place), (place, place + 1), (place + 1, None))
        text = read_lines(self.made(index, self.parted(*parts)))
        return text, text.find(clip)[0]

    def moved(self, *, at: int, by: int, without: int | None = None) -> StoryLines:
        """The same with the numbers in `from` as they are after an edit, see `moved`. without: a block that goes."""
        lines = list(self.lines)
        for index, block in enumerate(self.blocks):
            if block.source is None or index == without:
                continue
            now = moved(block.source, at=at, by=by)
            if now is None:
                raise SVIError(
                    f"clip {block.source} cannot be removed: it leads clip {self.firsts[index] + 1} (line {block.line} "
                    f"of the story, from={block.source}); name another there, or remove that one first"
                )
            if now != block.source:
                lines[block.line - 1] = _rewritten(lines[block.line - 1], {"from": f"from={now}"})
        return replace(self, lines=lines)

    def made(self, index: int, block: Sequence[str] | None) -> str:
        """The story with other lines in a block's place; None: without it, and without the separator before it (behind
        it, of the first block)."""
        start, stop = self.spans[index]
        if block is None:
            start, stop = (start - 1, stop) if index else (start, stop + 1)
        lines = [*self.lines[:start], *(block or ()), *self.lines[stop:]]
        if self.is_open and lines:
            lines[-1] = _ended(lines[-1], "")
        if not self.bom and lines and lines[0].startswith(_BOM):
            lines.insert(0, self.end)  # it is a prompt's, and at the text's very start it would be none
        text = "".join([self.bom, *lines])
        parse_story(text)
        return text


def read_lines(story: str) -> StoryLines:
    """Raises SVIError for a text that is no story."""
    blocks = parse_story(story)
    body = story.removeprefix(_BOM)
    # \r only where there is no \n: before a blank line that is there it would be one line end with it.
    found = re.search(r"\r?\n", body) or re.search("\r", body)
    end = found[0] if found else "\n"
    lines = body.splitlines(keepends=True)
    is_open = not lines or _ended(lines[-1], "") == lines[-1]
    if lines and is_open:
        lines[-1] += end
    separators = [place for place, line in enumerate(lines) if line.strip() == SEPARATOR]
    spans = list(zip([0, *(place + 1 for place in separators)], [*separators, len(lines)], strict=True))
    firsts = list(accumulate((block.repeat for block in blocks[:-1]), initial=0))
    return StoryLines(story, story[: len(story) - len(body)], lines, is_open, end, blocks, spans, firsts)


def shape_of(lines: Sequence[str]) -> Shape:
    """lines: of a block."""
    said = [place for place, line in enumerate(lines) if line.strip() and not is_comment(line)]
    settings = said.pop(0) if said and is_settings(lines[said[0]]) else None
    if said:
        return Shape(settings, said[0], said[-1] + 1)
    first = 1 + max((place for place, line in enumerate(lines) if line.strip()), default=-1)
    return Shape(settings, first, first)


def part_of(block: Block, start: int, repeat: int, *, is_first: bool) -> Block:
    """So many clips of a block, from that repetition on. is_first: no other part is before it."""
    seed = None if block.seed is None else (block.seed + SEED_STEP * start) % (MAX_SEED + 1)
    part = replace(block, seed=seed, repeat=repeat)
    return part if is_first else replace(part, cut=False, start=None, source=None)


def moved(number: int, *, at: int, by: int) -> int | None:
    """Number of a clip, from 1, after an edit: `by` clips came behind clip `at` (from 0; -1: before the first), or as
    many as -by went from `at` on. None: it went."""
    index = number - 1
    if index < at or (by > 0 and index == at):
        return number
    return None if index < at - by else number + by


def _count(block: Block, start: int, stop: int | None) -> int | None:
    """Clips of a block from one repetition up to another; AUTO up to the end of such a block, None for no clip."""
    if stop is None and block.repeat == AUTO:
        return AUTO
    return max(0, (block.repeat if stop is None else stop) - start) or None


def _ended(line: str, end: str) -> str:
    """A line with that end instead of its own."""
    return line.splitlines()[0] + end


def _bare(lines: Sequence[str], end: str) -> list[str]:
    """The settings and the prompt of a block, without comments and without blank lines around. All with one line end:
    where a comment goes, the \\r before it and a blank line's \\n behind it would become one."""
    shape = shape_of(lines)
    prompt = [_ended(line, end) for line in lines[shape.first : shape.last] if not is_comment(line)]
    if shape.settings is None:
        return prompt
    settings = lines[shape.settings]
    return [settings[: settings.index("]") + 1] + end, *prompt]


def _rewritten(line: str, tokens: Tokens) -> str:
    """A settings line with other settings; where none is left the comment behind them, or nothing."""
    begin, close = line.index("["), line.index("]")
    found: list[tuple[str, str]] = []  # what stands before a setting, and the setting
    at = begin + 1
    for token in TOKEN.finditer(line, begin + 1, close):
        found.append((line[at : token.start()], token.group()))
        at = token.end()
    keys = [token.partition("=")[0] for _, token in found]
    new = [(gap, tokens.get(key, token)) for key, (gap, token) in zip(keys, found, strict=True)]
    new += [(" ", token) for key, token in tokens.items() if key not in keys]
    said = [(gap, token) for gap, token in new if token is not None]
    if not said:
        comment = line[close + 1 :].lstrip()
        return line[:begin] + comment if comment else ""
    inner = "".join(f"{gap if place else found[0][0]}{token}" for place, (gap, token) in enumerate(said))
    return line[: begin + 1] + inner + line[at:]
