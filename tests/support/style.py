"""The phrases to avoid of docs/contributing/style.md, and the texts in which they are counted."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pages import ALL_PAGES, DOCS
from project import ROOT

GUIDE = DOCS / "contributing" / "style.md"
_CODE = [ROOT / "__init__.py", *(path for name in ("svi_embeds", "wrapper_ext", "tools", "bench") for path in
         sorted((ROOT / name).rglob("*.py")))]  # fmt: skip
_SCRIPTS = [*sorted((ROOT / "web").glob("*.js")), *sorted((ROOT / "tools").glob("*.mjs"))]
_GRAPHS = sorted((ROOT / "example_workflows").glob("*.json"))


@dataclass(frozen=True)
class Phrase:
    """A phrase to avoid. users: it is avoided in what users read only."""

    words: str
    instead: str
    users: bool

    @property
    def pattern(self) -> re.Pattern[str]:
        """It as whole words, over the end of a line too."""
        return re.compile(r"\b" + r"\s+".join(map(re.escape, self.words.split())) + r"\b", re.IGNORECASE)


@dataclass(frozen=True)
class Text:
    """A piece of text. users: whether it is for users."""

    path: Path
    line: int
    text: str
    users: bool


def phrases() -> list[Phrase]:
    """The table of the guide."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (everywhere|user texts) \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    return [Phrase(words, instead, where == "user texts") for words, instead, where in rows]


def texts() -> Iterator[Text]:
    """All that is read by people, but what is in Chinese."""
    for path in ALL_PAGES:
        if path != GUIDE and not path.stem.endswith("zh") and "zh" not in path.relative_to(ROOT).parts:
            plain = re.sub(r"`[^`\n]*`", "``", path.read_text(encoding="utf-8"))
            for_contributors = path.name == "CONTRIBUTING.md" or path.parent.name == "contributing"
            yield from _lines(path, plain, users=not for_contributors)
    for path in _CODE:
        yield from _of_python(path)
    for path in _GRAPHS:
        for node in json.loads(path.read_text(encoding="utf-8"))["nodes"]:
            if node["type"] == "MarkdownNote":
                yield Text(path, 1, re.sub(r"`[^`\n]*`", "``", node["widgets_values"][0]), users=True)
    for path in _SCRIPTS:
        script = path.read_text(encoding="utf-8")
        words_of_users = path.name == "svi_words.js"
        for match in re.finditer(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", script, re.DOTALL):
            yield Text(path, script.count("\n", 0, match.start()) + 1, match[0], users=False)
        if words_of_users:
            yield from _lines(path, script, users=True)


def _lines(path: Path, page: str, *, users: bool) -> Iterator[Text]:
    """A page paragraph by paragraph, since phrases are broken over lines."""
    at = 1
    for part in re.split(r"(\n\s*\n)", page):
        if part.strip():
            yield Text(path, at, part, users)
        at += part.count("\n")


def _of_python(path: Path) -> Iterator[Text]:
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(path, token.start[0], token.string, users=False)
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(id(first.value))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    of_tools = path.relative_to(ROOT).parts[0] in ("tools", "bench")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield Text(path, node.lineno, node.value, users=id(node) not in docstrings and not of_tools)
        elif isinstance(node, ast.JoinedStr):
            yield Text(path, node.lineno, joined(node), users=not of_tools)


def joined(node: ast.JoinedStr) -> str:
    """An f-string with what is filled in as `{}`."""
    return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)


def found() -> Iterator[tuple[Text, Phrase]]:
    """Every phrase to avoid, where it is."""
    listed = [(phrase, phrase.pattern) for phrase in phrases()]
    any_of = re.compile("|".join(pattern.pattern for _, pattern in listed), re.IGNORECASE)
    for text in texts():
        if any_of.search(text.text):
            for phrase, pattern in listed:
                if text.users or not phrase.users:
                    for _ in pattern.finditer(text.text):
                        yield text, phrase
