"""The pages that people read: README, docs, help pages; their links, blocks and headings."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from project import PAGES, ROOT

DOCS = ROOT / "docs"
READMES = [path for path in (ROOT / "README.md", ROOT / "README.zh.md") if path.exists()]
TOP = [*READMES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
ALL_PAGES = [*TOP, *sorted(DOCS.rglob("*.md")), *sorted(PAGES.rglob("*.md"))]

_FENCED = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")


def blocks(page: str, kind: str = "") -> list[str]:
    """The fenced blocks of a kind, without their indentation."""
    found = []
    for match in _FENCED.finditer(page):
        if match["kind"] == kind:
            cut = len(match["indent"])
            found.append("".join(line[cut:] if line.strip() else line for line in match["text"].splitlines(True)))
    return found


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    return _FENCED.sub("", page)


def links(page: str) -> list[str]:
    """The targets of a page's links and pictures."""
    return _LINK.findall(_CODE.sub("", prose(page)))


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings where GitHub and MkDocs make the same one."""
    found = set()
    for heading in re.findall(r"^#+ +(.+?)\s*$", prose(page), re.MULTILINE):
        text = re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).lower()
        on_github = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        in_mkdocs = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip())
        if on_github == in_mkdocs:
            found.add(on_github)
    return found


def dead_links(path: Path, page: str) -> list[str]:
    """Links of a page to files or headings that are not there. path: where the page stands. The web is not asked."""
    base = (
        PAGES if path.is_relative_to(PAGES) else path.parent
    )  # ComfyUI shows a node's page in any language from there
    dead = []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (base / name).resolve() if name else path
        if not file.is_relative_to(ROOT) or not file.exists():
            dead.append(f"{target}: no such file")
        elif anchor and anchor not in anchors(page if file == path else file.read_text(encoding="utf-8")):
            dead.append(f"{target}: no such heading, or one that GitHub and MkDocs name differently")
    return dead
