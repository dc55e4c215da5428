"""The Chinese texts, and what of an English one a translation must have."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from project import ROOT
from wanvideo_svi import NODE_CLASS_MAPPINGS

ZH = ROOT / "locales" / "zh"


def load(name: str) -> dict[str, Any]:
    return json.loads((ZH / name).read_text(encoding="utf-8"))


CHINESE = re.compile(r"[\u4e00-\u9fff]")


NUMBER = re.compile(r"(?<![A-Za-z0-9_.])\d+(?:\.\d+)?")  # not the digits of a name, as in A14B


NAME = re.compile(r"[a-z0-9_]+", re.ASCII)


def tooltip_lags(english: str, translated: str, choices: Sequence[str] = ()) -> list[str]:
    """Numbers, ids, and choices of its own input that an English tooltip has and the translation lacks."""
    names = set(re.findall(r"\b[a-z0-9_]*[a-z]_[a-z0-9_]+\b", english))
    names |= {choice for choice in choices if f"{choice}:" in english}
    return sorted(
        names - set(NAME.findall(translated)) | set(NUMBER.findall(english)) - set(NUMBER.findall(translated))
    )


def inputs_of(node_id: str) -> dict[str, Any]:
    groups = NODE_CLASS_MAPPINGS[node_id].INPUT_TYPES()
    return {name: entry for group, entries in groups.items() if group != "hidden" for name, entry in entries.items()}


CHOICES = {
    str(choice)
    for node_id in NODE_CLASS_MAPPINGS
    for kind, *_ in inputs_of(node_id).values()
    if isinstance(kind, list)
    for choice in kind
}

CODE = re.compile(r"`([^`]+)`")
WORD = re.compile(r"(?<![\w/.-])[a-z]{3,}(?![\w/.-])")  # no id, no name, no abbreviation
ITALIC = re.compile(r"(?<![*\\])\*(?!\*)([A-Z\u4e00-\u9fff][^*]*)(?<!\\)\*(?!\*)")


# Pages


def sections(page: str) -> list[tuple[str, list[str]]]:
    """Heading and lines of each part of a page; a line of a fenced block counts as text."""
    found: list[tuple[str, list[str]]] = []
    fenced = False
    for line in page.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found


def tables(lines: list[str]) -> list[list[list[str]]]:
    """Rows of cells of every table among lines."""
    found: list[list[list[str]]] = []
    before = ""
    for line in lines:
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append([])
            found[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        before = line
    return found


def plain(text: str) -> str:
    """Text without code, names of nodes and what stands in quotes."""
    return re.sub(r"\"[^\"]*\"", "", ITALIC.sub("", CODE.sub("", text)))


def has_words(text: str) -> bool:
    return any(word not in CHOICES for word in WORD.findall(plain(text)))


def text_lags(english: str, translated: str) -> list[str]:
    """What two texts of the same matter do not share: names in code, and numbers."""
    theirs, ours = ({" ".join(name.split()) for name in CODE.findall(text)} for text in (english, translated))
    said = [f"lacks `{name}`" for name in sorted(theirs - ours)]
    said += [f"has `{name}`, English has not" for name in sorted(ours - theirs)]
    numbers = set(NUMBER.findall(CODE.sub("", english))) - set(NUMBER.findall(CODE.sub("", translated)))
    said += [f"lacks the number {number}" for number in sorted(numbers)]
    if has_words(english) and not CHINESE.search(translated):
        said.append("is not translated")
    return said


def table_lags(english: list[list[str]], translated: list[list[str]]) -> list[str]:
    if len(english) != len(translated):
        return [f"{len(translated)} rows, English has {len(english)}: {[row[0] for row in english]}"]
    said = []
    for theirs, ours in zip(english, translated, strict=True):
        if len(theirs) != len(ours):
            said.append(f"row {theirs[0]}: {len(ours)} cells, English has {len(theirs)}")
            continue
        for column, (cell, mine) in enumerate(zip(theirs, ours, strict=True), 1):
            said += [f"row {theirs[0]}, column {column} {lag}; English: {cell}" for lag in text_lags(cell, mine)]
    return said


def split_text(lines: list[str]) -> tuple[str, list[str]]:
    """Prose of a part, and its fenced blocks."""
    prose, *rest = re.split(
        r"^```\n?", "\n".join(line for line in lines if not line.startswith("|")), flags=re.MULTILINE
    )
    return "\n".join([prose, *rest[1::2]]), rest[::2]


def page_lags(english: str, translated: str) -> list[str]:
    """Where a translated page does not follow the English one, each with its English heading."""
    theirs, ours = sections(english), sections(translated)
    levels = [re.match("#+", heading)[0] for heading, _ in theirs]
    if levels != [re.match("#+", heading)[0] for heading, _ in ours]:
        return [f"headings are {[head for head, _ in ours]}, English has {[head for head, _ in theirs]}"]
    said = []
    for (heading, lines), (title, mine) in zip(theirs, ours, strict=True):
        here = f"under {heading!r} ({title})"
        (text, blocks), (my_text, my_blocks) = split_text(lines), split_text(mine)
        said += [f"{here}: {lag}" for lag in text_lags(text, my_text)]
        if blocks != my_blocks:
            said.append(f"{here}: blocks of code differ, copy them from the English page")
        if re.findall(r"\]\(([^)]+)\)", text) != re.findall(r"\]\(([^)]+)\)", my_text):
            said.append(f"{here}: other pictures than in English, or in another order")
        for pattern, what in ((r"^- ", "points"), (r"^\d+\. ", "numbered points"), (r"\*\*[^*]+\*\*", "bold words")):
            count, my_count = (len(re.findall(pattern, each, re.MULTILINE)) for each in (text, my_text))
            if count != my_count:
                said.append(f"{here}: {my_count} {what}, English has {count}")
        for line in my_text.splitlines():
            if has_words(line) and not CHINESE.search(line):
                said.append(f"{here}: not translated: {line}")
        found, mine_found = tables(lines), tables(mine)
        if len(found) != len(mine_found):
            said.append(f"{here}: {len(mine_found)} tables, English has {len(found)}")
        else:
            for table, my_table in zip(found, mine_found, strict=True):
                said += [f"{here}: {lag}" for lag in table_lags(table, my_table)]
    return said
