"""The text of a story: blocks of prompts, each with settings of its own. Text in, blocks out; `plan.py` plans them.

    [model=first frames=49]
    A woman in a red coat walks through fresh snow.
    ---
    # the camera turns
    [cfg=4 repeat=2]
    She stops and looks up at the northern lights.

A line `---` parts blocks. The first line of a block may be settings in brackets, everything after it is the prompt.
Lines that begin with `#` are comments; a backslash before `#`, `[`, `---` or a backslash at a line's start makes it
prompt text.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..clips.latents.plan import LATENT_KNOWN_CHOICES, LATENT_PADDING_CHOICES
from ..colour.choices import COLOUR_CHOICES
from ..errors import StoryError, SVIError
from ..ground.checks import check_choice, check_int
from ..recipes import KNOWN_CHOICES, MODES, PADDING_CHOICES, SVI2_PRO
from ..timeline import latent_count

Model = Literal["first", "main"]
Loras = tuple[tuple[str, float], ...]
CHAIN_MODES: tuple[str, ...] = (*MODES, SVI2_PRO.id)
MAX_CLIPS = 100_000  # a month of video: a slip of the finger in repeat must not fill the memory
MAX_TEXT = 32 * 2**20  # characters
_MAX_SETTING = 100  # characters; no key and no value is longer, but for names of files
_MAX_NAMES = 4000
MAX_SEED = 2**64 - 1

AUTO = 0  # as a block's repeat; written `auto`
MAX_TAKES = 20  # of a clip: their seeds must not meet the next clip's
PICKS = ("auto", "stop")  # the best one by its score; none, so that a person chooses. Else the number of one, from 1

SEPARATOR = "---"
_ECHOSHOT = re.compile(r"\[\d+\]")  # begins a prompt of several shots in the wrapper, not settings
_ESCAPED = re.compile(r"^\\(?=#|\[|\\|---)")
_TO_ESCAPE = re.compile(r"(?!\[\d+\])(?=#|\[|\\|---)")  # what begins as EchoShot's is read as it stands
TOKEN = re.compile(r'[^\s"]*(?:"[^"]*"[^\s"]*)+|[^\s"]+|"')  # blanks may stand in quotes
_STRENGTH = re.compile(r"(.+):([+-]?[0-9.]{1,10})")
_MAX_LORAS = 20


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a story. line: where it begins, from 1. None: the chain's own setting.

    seed: of its first clip. frames: 4k+1. overlap: motion frames. end: index into the end images, from 0. model:
    whether the model without the SVI LoRA (`first`) samples it. color: how its colours are held. takes: how often each
    of its clips is made. pick: which take the chain continues from, see PICKS. repeat: how many clips it makes; AUTO is
    as many as the chain's length needs. Of its first clip: cut: nothing leads it, a new scene begins; start: with that
    of the start images, from 0; source: which clip, from 1, leads it instead of the one before, written `from`.
    mend: whether its clips are made between their neighbours, which stay; None where the reel tells.
    lora, lora_low: LoRAs by name, with their strength, on the model of its clips and on the low noise one, beside those
    that it has.
    """

    line: int
    prompt: str
    seed: int | None = None
    frames: int | None = None
    overlap: int | None = None
    mode: str | None = None
    known: str | None = None
    padding: str | None = None
    ref_strength: float | None = None
    end: int | None = None
    model: Model | None = None
    cfg: float | None = None
    color: str | None = None
    takes: int | None = None
    pick: str | None = None
    cut: bool = False
    start: int | None = None
    source: int | None = None
    mend: bool | None = None
    lora: Loras | None = None
    lora_low: Loras | None = None
    repeat: int = 1


def _whole(name: str, low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        # int() takes much that no one means here: 1_000, other scripts' digits.
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
            raise SVIError(f"{name} must be a whole number, got {text!r}")
        if not low <= int(text) <= high:
            raise SVIError(f"{name} must be {low}..{high}, got {text}")
        return int(text)

    return read


def _number(name: str, low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text) if re.fullmatch(r"[+-]?[0-9.eE+-]{1,30}", text) else math.nan
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise SVIError(f"{name} must be a number {low:g}..{high:g}, got {text!r}")
        return value

    return read


def _one_of(name: str, choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        check_choice(name, text, choices)
        return text

    return read


def _frames(text: str) -> int:
    frames = _whole("frames", 1, 100_001)(text)
    latent_count(frames)
    return frames


def _repeat(text: str) -> int:
    if text == "auto":
        return AUTO
    try:
        return _whole("repeat", 1, MAX_CLIPS)(text)
    except SVIError as error:
        raise SVIError(f"{error}; or auto, as long as the audio or the poses") from None


def _pick(text: str) -> str:
    if text in PICKS:
        return text
    try:
        return str(_whole("pick", 1, MAX_TAKES)(text))
    except SVIError as error:
        raise SVIError(f"{error}; or auto, the best one by its score; or stop, so that you choose") from None


def _loras(text: str) -> Loras:
    found = []
    for part in text.replace('"', "").split(","):
        match = _STRENGTH.fullmatch(part.strip())
        name, strength = (match[1], match[2]) if match else (part.strip(), "1")
        if not name:
            raise SVIError("a LoRA has no name; write lora=NAME, lora=NAME:0.8, or several with commas between")
        found.append((name, _number(f"the strength of {name[:60]}", -100, 100)(strength)))
    if len(found) > _MAX_LORAS:
        raise SVIError(f"a clip has at most {_MAX_LORAS} LoRAs of its own, got {len(found)}")
    return tuple(found)


def _written(loras: Loras) -> str:
    return ",".join(f'"{name}:{strength:g}"' if " " in name else f"{name}:{strength:g}" for name, strength in loras)


_KEYS: dict[str, Callable[[str], Any]] = {
    "seed": _whole("seed", 0, MAX_SEED),
    "frames": _frames,
    "overlap": _whole("overlap", 1, 1000),
    "mode": _one_of("mode", CHAIN_MODES),
    "known": _one_of("known", tuple(dict.fromkeys(KNOWN_CHOICES + LATENT_KNOWN_CHOICES))),
    "padding": _one_of("padding", tuple(dict.fromkeys(PADDING_CHOICES + LATENT_PADDING_CHOICES))),
    "ref_strength": _number("ref_strength", 0, 10),
    "end": _whole("end", 0, 100_000),
    "model": _one_of("model", ("first", "main")),
    "repeat": _repeat,
    "cfg": _number("cfg", 0, 30),
    "color": _one_of("color", COLOUR_CHOICES),
    "takes": _whole("takes", 1, MAX_TAKES),
    "pick": _pick,
    "start": _whole("start", 0, 100_000),
    "from": _whole("from", 1, MAX_CLIPS),
    "lora": _loras,
    "lora_low": _loras,
}
_FLAGS = ("cut", "mend")  # stand alone, without a value
KEYS: tuple[str, ...] = (*_KEYS, *_FLAGS)
_FIELDS = {"from": "source"}  # of Block, where a key has another name there


def lost_separators(story: str) -> list[str]:
    """Notes on lines that split nothing and look as if they should: SEPARATOR beside other text, or two dashes."""
    found = [
        number for number, line in enumerate(story.splitlines(), start=1)
        if (text := line.strip()) != SEPARATOR and not is_comment(line) and not text.startswith("\\") and (
            text.startswith(SEPARATOR) or text.endswith(SEPARATOR) or text == SEPARATOR[:2]
        )
    ]  # fmt: skip
    return [
        f"line {number} of the story is part of a prompt: for a new clip put {SEPARATOR}, and nothing else, on a line "
        "of its own"
        for number in found[:3]
    ]


def parse_story(text: str) -> tuple[Block, ...]:
    """The blocks of a story, at least one. Raises SVIError that names line and column for anything that is not one.

    A block without a prompt is allowed only with settings (text may come as embeds), or as the only one.
    """
    if not isinstance(text, str):
        raise SVIError(f"a story must be text, got {type(text).__name__}")
    if len(text) > MAX_TEXT:
        raise SVIError(f"a story has at most {MAX_TEXT} characters, this one has {len(text)}: make it two")
    lines = text.removeprefix("\ufeff").splitlines()
    parts: list[list[tuple[int, str]]] = [[]]
    for number, line in enumerate(lines, start=1):
        if line.strip() == SEPARATOR:
            parts.append([])
        elif not is_comment(line):
            parts[-1].append((number, line))
    if len(parts) > MAX_CLIPS:
        raise SVIError(f"a story has at most {MAX_CLIPS} clips, this one has {len(parts)} blocks: make it two")
    starts = [1, *(number + 1 for number, line in enumerate(lines, start=1) if line.strip() == SEPARATOR)]
    blocks = [_block(part, start) for part, start in zip(parts, starts, strict=True)]
    if len(blocks) > 1:
        for block in blocks:
            if not block.prompt and block == Block(block.line, ""):
                raise StoryError(
                    f"this block is empty; write a prompt, or remove one of the lines {SEPARATOR} around it",
                    line=block.line,
                )
    for block in blocks[:-1]:
        if block.repeat == AUTO:
            raise StoryError(
                "repeat=auto fills what is left of the length, so it belongs to the last block", line=block.line
            )
    if (clips := sum(block.repeat for block in blocks)) > MAX_CLIPS:
        raise SVIError(f"a story has at most {MAX_CLIPS} clips, this one has {clips}: lower repeat")
    return tuple(blocks)


def format_story(blocks: Sequence[Block]) -> str:
    """The text that `parse_story` reads as these blocks (but for their lines).

    Raises SVIError for a prompt that a story cannot hold as it is.
    """
    parts = []
    for block in blocks:
        given = {key: value for key in _KEYS if (value := getattr(block, _FIELDS.get(key, key))) is not None}
        repeat = given.pop("repeat")
        settings = [flag for flag in _FLAGS if getattr(block, flag)]
        settings += ["mend=off"] if block.mend is False else []
        written = {key: _written(value) if isinstance(value, tuple) else value for key, value in given.items()}
        settings += [
            f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in written.items()
        ]
        settings += [] if repeat == 1 else ["repeat=auto" if repeat == AUTO else f"repeat={repeat}"]
        prompt = [escaped(line.strip()) for line in block.prompt.splitlines()]
        parts.append("\n".join([*([f"[{' '.join(settings)}]"] if settings else []), *prompt]))
    text = f"\n{SEPARATOR}\n".join(parts)
    for block, read in zip(blocks, parse_story(text), strict=True):
        if replace(read, line=block.line) != block:
            raise SVIError(f"this prompt cannot be written into a story as it is: {block.prompt[:60]!r}")
    return text


def is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def is_settings(line: str) -> bool:
    """Whether a line holds settings where it is the first of its block."""
    return line.lstrip().startswith("[") and not _ECHOSHOT.match(line.lstrip())


def escaped(line: str) -> str:
    """A line of a prompt, without blanks around it, as it is written."""
    return f"\\{line}" if _TO_ESCAPE.match(line) else line


def _block(lines: list[tuple[int, str]], start: int) -> Block:
    """One block. lines: (number, text) of the lines that are no comments."""
    lines = lines[next((place for place, (_, text) in enumerate(lines) if text.strip()), len(lines)) :]
    settings: dict[str, Any] = {}
    line = lines[0][0] if lines else start
    if lines and is_settings(lines[0][1]):
        settings = _settings(*lines[0])
        lines = lines[1:]
    prompt = "\n".join(_ESCAPED.sub("", text.strip(), count=1) for _, text in lines).strip()
    return Block(line, prompt, **settings)


def _settings(number: int, line: str) -> dict[str, Any]:
    """What stands in the brackets of a settings line."""

    def wrong(column: int, what: object) -> StoryError:
        return StoryError(what, line=number, column=column + 1)

    begin = line.index("[")
    end = line.find("]", begin)
    if end < 0:
        raise wrong(
            begin,
            "the settings have no closing ]; write [key=value ...], or \\[ for a prompt that begins with a bracket",
        )
    rest = line[end + 1 :].strip()
    if rest and not rest.startswith("#"):
        raise wrong(end + 1, f"the prompt belongs on the next line, after the settings; found {rest[:40]!r}")
    found: dict[str, Any] = {}
    for token in TOKEN.finditer(line, begin + 1, end):
        try:
            name, value = read_setting(token.group())
        except SVIError as error:
            raise wrong(token.start(), error) from error
        if name in found:
            raise wrong(token.start(), f"{token.group().partition('=')[0]} is set twice; keep one")
        found[name] = value
    if not found:
        raise wrong(begin, "the brackets hold no settings; write [key=value ...] or remove them")
    return found


def field_of(key: str) -> str:
    """The field of `Block` that a setting is read to. Raises SVIError for a key that is none."""
    if key not in KEYS:
        near = difflib.get_close_matches(key, KEYS, n=1) if len(key) <= _MAX_SETTING else ()
        meant = f"did you mean {near[0]}?" if near else f"use {', '.join(KEYS)}"
        raise SVIError(f"{key[:_MAX_SETTING]!r} is not a setting; {meant}")
    return _FIELDS.get(key, key)


def read_setting(token: str) -> tuple[str, Any]:
    """A setting as it is written, `seed=7` or `cut`: the field of `Block`, and its value there."""
    most = _MAX_NAMES if token.startswith("lora") else _MAX_SETTING
    if len(token) > most:
        raise SVIError(f"{token[:40]!r}... is not a setting; use {', '.join(KEYS)}")
    key, equals, value = token.partition("=")
    name = field_of(key)
    if key in _FLAGS:
        if equals and (key, value) != ("mend", "off"):
            raise SVIError(f"{key} stands alone: write {key}, without {equals}{value}")
        return name, not equals
    if not equals or not value:
        raise SVIError(f"{key} needs a value right behind it, as in {key}=... (no blanks)")
    return name, _KEYS[key](value)


def check_seed(seed: object) -> int:
    """`seed` when it is 0..2^64-1. Raises SVIError otherwise."""
    value = check_int("seed", seed, minimum=0)
    if value > MAX_SEED:
        raise SVIError(f"seed must be 0..{MAX_SEED}, got {value}")
    return value
