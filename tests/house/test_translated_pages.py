"""README and tutorials in Chinese say what the English ones say, as far as a test can tell; see test_locales.py."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import docs_pages
import pytest
from pages import DOCS, links
from project import ROOT
from translations import page_lags

PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh.md"),
    *((path, DOCS / "zh" / "tutorials" / path.name) for path in sorted(DOCS.glob("tutorials/*.md"))),
]


def comparable(page: str) -> str:
    """A page without what does not count: the targets of links, tables that a tool writes, how far blocks are in."""
    page = docs_pages._FILES.sub("", page)
    page = re.sub(r"(\]\()[^)\s]+\)", r"\1)", page)
    return re.sub(r"^ {4}(?=\S)", "", page, flags=re.MULTILINE)


def targets(path: Path, page: str) -> list[str]:
    """Where a page's links lead, the Chinese pages counted as the English ones; not the other language of itself."""
    found = []
    for target in links(page):
        if not re.match(r"[a-z]+:", target):
            target = posixpath.normpath(posixpath.join(path.relative_to(ROOT).parent.as_posix(), target))
            target = target.replace("docs/zh/", "docs/").replace("README.zh.md", "README.md")
        found.append(target)
    return [target for target in found if target != "README.md"]


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[path.stem for path, _ in PAIRS])
def test_a_chinese_page_follows_the_english_one(english: Path, chinese: Path) -> None:
    assert chinese.exists(), f"{chinese.relative_to(ROOT)} is missing: translate {english.relative_to(ROOT)}"
    pages = [path.read_text(encoding="utf-8") for path in (english, chinese)]
    lags = page_lags(*map(comparable, pages))
    assert not lags, f"{chinese.relative_to(ROOT)}\n" + "\n".join(lags)
    theirs, ours = targets(english, pages[0]), targets(chinese, pages[1])
    if english.name == "README.md":  # its link to all tutorials leads to the first one, since the index is English
        theirs = [target.replace("docs/index.md#tutorials", "docs/tutorials/film.md") for target in theirs]
    assert ours == theirs, f"{chinese.relative_to(ROOT)}: other links than in English"


def test_there_is_no_chinese_page_without_an_english_one() -> None:
    assert set(DOCS.glob("zh/**/*.md")) == {chinese for _, chinese in PAIRS[1:]}


def test_a_page_that_lags_behind_is_noticed() -> None:
    english, chinese = ((path.parent / "film.md").read_text(encoding="utf-8") for path in PAIRS[1])
    assert page_lags(comparable(english + "\nMore: 12 `seed`."), comparable(chinese)) != []
    assert page_lags(comparable(english), comparable(chinese.replace("[frames=49]", "[frames=81]"))) != []
