"""The pages' scripts as text: their literals, and the table of what they show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from project import ROOT

WEB = ROOT / "web"
TABLE = WEB / "svi_words.js"
ENGLISH: dict[str, str] = json.loads(
    re.search(r"^const ENGLISH = (\{.*?^\});", TABLE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[1]
)
CHINESE_WORDS: dict[str, str] = json.loads((WEB / "svi_words_zh.json").read_text(encoding="utf-8"))
WORDS: dict[str, dict[str, str]] = {
    key: {"en": text} | ({"zh": CHINESE_WORDS[key]} if key in CHINESE_WORDS else {}) for key, text in ENGLISH.items()
}
HOLE = re.compile(r"\{(\w+)(?::[^{}|]*\|[^{}]*)?\}")  # {name} and {name:one|many}

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<regex>(?<=[(,=:?&|!])\s*/(?![/*])(?:\[(?:\\.|[^\]\\\n])*\]|\\.|[^/\\\n\[])+/[a-z]*)
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<mark>[`{}])""",
    re.DOTALL | re.VERBOSE,
)
_IN_TEMPLATE = re.compile(r"(?P<part>(?:\\.|(?!\$\{)[^`\\])*)(?P<end>`|\$\{)", re.DOTALL)


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Where each string of a script begins, and what stands in it. A template gives its parts between ${...}."""
    at, depth, open_at = 0, 0, []  # open_at: depths of braces at which a template goes on
    while found := _TOKEN.search(source, at):
        at, kind = found.end(), found.lastgroup
        if kind == "text":
            yield found.start(), found[0][1:-1]
        if kind != "mark":
            continue
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if found[0] == "{" or (found[0] == "}" and not (open_at and open_at[-1] == depth)):
            continue
        if found[0] == "}":
            open_at.pop()
        part = _IN_TEMPLATE.match(source, at)
        assert part is not None, source[at : at + 80]
        yield at, part["part"]
        at = part.end()
        if part["end"] == "${":
            open_at.append(depth)
            depth += 1
