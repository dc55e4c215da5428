"""Edits of a story's text, clip by clip, for a page on which people see its clips.

What an edit is not about stays as it is, to the byte: comments, blank lines, line ends, the byte order mark, other
blocks, the order of settings. Clips are counted from 0. An edit of one clip of a block that makes several splits that
block first, so that the others stay as they are. Every edit reads the story before, and what came of it after: it
raises SVIError where either is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import SVIError
from ..ground.checks import check_int
from .lines import StoryLines, moved, part_of, read_lines, shape_of
from .settings import read_mend
from .text import AUTO, TOKEN, Block, field_of, is_comment, read_setting

Keys = Mapping[str, "str | bool | None"]  # settings as they are written, see `set_keys`
_NO_KEYS: Keys = MappingProxyType({})


def set_prompt(story: str, clip: int, prompt: str) -> str:
    """The story with another prompt for a clip. Blanks around its lines go: a story holds none.

    Comments above the block's prompt stay where they are, those within and below it go directly above it.
    """
    wanted, text = _plain(prompt), read_lines(story)
    if text.blocks[text.find(clip)[0]].prompt == wanted:
        return story
    text, index = text.alone(clip)
    text.refuse_empty(clip, replace(text.blocks[index], prompt=wanted))
    lines = text.lines_of(index)
    shape = shape_of(lines)
    comments = [line for line in lines[shape.first :] if is_comment(line)]
    blank = [line for line in lines[shape.last :] if not is_comment(line)]
    return text.made(index, [*lines[: shape.first], *comments, *text.written(wanted), *blank])


def set_keys(story: str, clip: int, keys: Keys) -> str:
    """The story with other settings for a clip, as they are written: {"seed": "7", "cut": True, "mend": False}.

    None takes a setting out, and False is mend=off. The others stay where they stand, and so does a comment behind
    them. `repeat` is the whole block's: it is set by itself, and splits nothing.
    """
    text, wanted = read_lines(story), _read_keys(keys)
    if "repeat" in wanted:
        return _set_repeat(text, clip, wanted)
    index, place = text.find(clip)
    own = part_of(text.blocks[index], place, 1, is_first=not place)
    wanted = {key: setting for key, setting in wanted.items() if getattr(own, setting.field) != setting.value}
    if not wanted:
        return story
    text, index = text.alone(clip)
    text.refuse_empty(clip, _with(own, wanted))
    return text.made(index, text.settled(text.lines_of(index), _tokens(wanted)))


def insert_after(story: str, clip: int, prompt: str, keys: Keys = _NO_KEYS) -> str:
    """The story with a new block behind a clip, -1: before the first. keys: as of `set_keys`."""
    text, wanted, prompt = read_lines(story), _read_keys(keys), _plain(prompt)
    block = _with(Block(0, prompt), wanted)
    text.refuse_empty(0, text.blocks[0], others=True)  # an empty story is one, until another block stands beside
    text.refuse_empty(check_int("clip", clip, minimum=-1) + 1, block, others=True)
    index, place = text.find(max(clip, 0))
    text = text.moved(at=clip, by=block.repeat or 1)
    new = text.settled(text.written(prompt), _tokens(wanted))
    if clip == -1:
        return text.made(index, text.parted(new, text.lines_of(index)))
    before, *behind = text.parts(index, (0, place + 1), (place + 1, None))
    return text.made(index, text.parted(before, new, *behind))


def remove(story: str, clip: int) -> str:
    """The story without a clip. Where its block makes several, the others keep the block's seeds, and the first of them
    begins as the block did (`cut`, `start`, `from`)."""
    text = read_lines(story)
    index, place = text.find(clip)
    block = text.blocks[index]
    if block.repeat == AUTO:
        raise SVIError(
            f"clip {clip + 1} is one of repeat=auto, which would fill the length again: say how many clips its block "
            "makes instead, as in repeat=4"
        )
    if block.repeat == 1:
        if len(text.blocks) == 1:
            raise SVIError("this is the story's only clip, and a story has one at least: write another prompt instead")
        return text.moved(at=clip, by=-1, without=index).made(index, None)
    text = text.moved(at=clip, by=-1)
    # Without a seed in the block clips are told by their number, and any of them may go.
    parts = [(0, block.repeat - 1)] if block.seed is None else [(0, place), (place + 1, block.repeat)]
    return text.made(index, text.parted(*text.parts(index, *parts)))


def split(story: str, clip: int) -> str:
    """The story with a block of its own for a clip; it makes the same clips."""
    return read_lines(story).alone(clip)[0].text


def renumber(numbers: str, *, at: int, by: int) -> str:
    """The numbers of clips in the node's `mend`, as "4, 7", after an edit of the story.

    by: 1: a clip came behind clip `at`, which is counted from 0 (-1: before the first). -1: clip `at` went.
    """
    read_mend(numbers)
    check_int("at", at, minimum=-1)
    check_int("by", by)
    found = re.split(r"([\s,]+)", numbers)
    made: list[str] = []
    before = None  # what stood before the first number, when that went
    for gap, name in zip(["", *found[1::2]], found[::2], strict=True):
        now = moved(int(name), at=at, by=by) if name else ""
        if now is not None:
            made.append(f"{gap if made or before is None else before}{now}")
        elif not made and before is None:
            before = gap
    return "".join(made)


class _Setting(NamedTuple):
    """A setting that is wanted. field: of `Block`. token: as it is written, None where it is taken out."""

    field: str
    value: Any
    token: str | None


def _set_repeat(text: StoryLines, clip: int, wanted: Mapping[str, _Setting]) -> str:
    if len(wanted) > 1:
        raise SVIError("repeat is the whole block's, and the other settings are the clip's: set it by itself")
    index, _ = text.find(clip)
    was, now = text.blocks[index].repeat, int(wanted["repeat"].value)
    if was == now:
        return text.text
    text.refuse_empty(clip, replace(text.blocks[index], repeat=now))
    if AUTO not in (was, now):  # such a block is the last one
        at = text.firsts[index] + (was - 1 if now > was else now)
        text = text.moved(at=at, by=now - was)
    token = None if now == 1 else wanted["repeat"].token
    return text.made(index, text.settled(text.lines_of(index), {"repeat": token}))


def _plain(prompt: str) -> str:
    """A prompt as `parse_story` gives it."""
    if not isinstance(prompt, str):
        raise SVIError(f"a prompt must be text, got {type(prompt).__name__}")
    return "\n".join(line.strip() for line in prompt.splitlines()).strip()


def _read_keys(keys: Keys) -> dict[str, _Setting]:
    """Settings, read by the story's own rules. Raises SVIError that names the one that is none."""
    made = {}
    for key, value in keys.items():
        try:
            made[key] = _read_key(key, value)
        except SVIError as error:
            raise SVIError(f"the setting {key[:40]}: {error}") from error
    return made


def _read_key(key: str, value: object) -> _Setting:
    if value is None:
        field = field_of(key)
        return _Setting(field, getattr(Block(0, ""), field), None)
    if not isinstance(value, (str, bool)):
        raise SVIError(f"it must be text, as it is written in a story, got {type(value).__name__}")
    token = key if value is True else f"{key}={'off' if value is False else value}"
    field, read = read_setting(token)
    # A bracket ends the settings, a blank that is not in quotes the setting, and a line end both.
    if "]" in token or len(token.splitlines()) > 1 or not TOKEN.fullmatch(token):
        raise SVIError('it must be without ] and line ends, and with blanks only in quotes, as in "my lora"')
    return _Setting(field, read, token)


def _tokens(wanted: Mapping[str, _Setting]) -> dict[str, str | None]:
    return {key: setting.token for key, setting in wanted.items()}


def _with(block: Block, wanted: Mapping[str, _Setting]) -> Block:
    return replace(block, **{setting.field: setting.value for setting in wanted.values()})
