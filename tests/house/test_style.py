"""The words of docs/contributing/style.md: no phrase to avoid is left, and each error text is recorded.

What is left elsewhere stands in data/style_left.json, a number for each file, which may only shrink.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from pathlib import Path

import pytest
from project import DATA, ROOT
from snapshots import check_snapshot
from style import Phrase, found, joined, phrases, texts

LEFT = DATA / "style_left.json"
ERRORS = DATA / "errors.json"
CODE = sorted([*(ROOT / "svi_embeds").rglob("*.py"), *(ROOT / "wrapper_ext").rglob("*.py")])


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_phrase_to_avoid_is_left() -> None:
    allowed: dict[str, int] = json.loads(LEFT.read_text(encoding="utf-8"))
    all_found = list(found())
    counts = Counter(name(text.path) for text, _ in all_found)
    said = [
        f'{name(text.path)}, near line {text.line}: "{phrase.words}": {phrase.instead}'
        for text, phrase in all_found
        if counts[name(text.path)] > allowed.get(name(text.path), 0)
    ]
    assert not said, "\n".join(said)
    fewer = {path: counts[path] for path, count in allowed.items() if counts[path] < count}
    assert not fewer, f"tests/data/style_left.json allows more than is left: {fewer}"


def test_texts_of_all_kinds_are_read() -> None:
    places = {text.path for text in texts()}
    for path in (
        "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/tutorials/film.md", "web/docs/WanVideoSVIEmbeds.md",
        "web/svi_words.js", "web/svi_story.js", "svi_embeds/recipes.py", "wrapper_ext/nodes/embeds.py", "bench/gpu.py",
        "example_workflows/fun_inp_film_chain.json",
    ):  # fmt: skip
        assert ROOT / path in places, path
    tooltips = [text for text in texts() if text.text.startswith("Frames of this clip, motion frames included")]
    assert tooltips
    assert all(text.users for text in tooltips)
    assert len(phrases()) >= 25


@pytest.mark.parametrize(
    ("words", "text", "times"),
    [
        ("to the bit", "equal to\n  the bit, TO THE BIT", 2),
        ("go on", "going onto a cargo on", 0),
        ("anew", "anew, renew, a new one", 1),
    ],
)
def test_a_phrase_is_found_in_whole_words_over_lines(words: str, text: str, times: int) -> None:
    assert len(Phrase(words, "", users=False).pattern.findall(text)) == times


def kinds_of_error() -> set[str]:
    """SVIError and the classes made of it, by name."""
    bases: dict[str, set[str]] = {}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    kinds = {"SVIError"}
    while more := {each for each, of in bases.items() if of & kinds} - kinds:
        kinds |= more
    return kinds


def error_texts(path: Path, kinds: set[str]) -> list[str]:
    """What each error made in a file says, with `{}` for what is filled in."""
    made = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args and node.func.id in kinds:
            made.append(told(node.args[HELPERS.get(node.func.id, 0)]))
    return made


# Functions that make an error: the place of its text among their arguments.
HELPERS = {"wrong": 1}


def told(node: ast.expr) -> str:
    """The text of an expression as far as it is written out."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return joined(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return told(node.left) + told(node.right)
    if isinstance(node, ast.IfExp):
        return f"{told(node.body)} / {told(node.orelse)}"
    return "{}"


def test_error_texts_are_as_they_were_recorded() -> None:
    """UPDATE_SNAPSHOTS=1 records them: each change of what users are told is read in the diff."""
    kinds = kinds_of_error()
    assert kinds >= {"SVIError", "StoryError"}
    made = {name(path): errors for path in CODE if (errors := error_texts(path, {*kinds, *HELPERS}))}
    assert sum(map(len, made.values())) > 300
    check_snapshot(ERRORS, made)
