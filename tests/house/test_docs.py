"""README and docs: links lead somewhere, tables agree with the code, and the pages that follow from it are of today."""

from __future__ import annotations

import re
from pathlib import Path

import docs_pages
import pytest
from pages import ALL_PAGES, DOCS, READMES, TOP, anchors, blocks, dead_links, links
from project import PROJECT, ROOT
from wanvideo_svi.svi_embeds.recipes import RECIPES, SVI2_PRO
from workflow_models import _MODELS

TEMPLATES = {path.stem for path in (ROOT / "example_workflows").glob("*.json")}
IN_LANGUAGES = list(docs_pages.tutorials())
TUTORIALS = [path for path, _ in IN_LANGUAGES]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ALL_PAGES, ids=name)
def test_no_link_of_a_page_is_dead(path: Path) -> None:
    dead = dead_links(path, path.read_text(encoding="utf-8"))
    assert not dead, f"{name(path)}: {dead}"


def test_a_dead_link_is_found() -> None:
    there = DOCS / "index.md"
    page = (
        "[a](no.md) [b](../README.md#no-such-part) [c](../README.md#install-in-comfyui) `[d](x.md)`\n# Own\n[e](#own)"
    )
    assert dead_links(there, page) == [
        "no.md: no such file",
        "../README.md#no-such-part: no such heading, or one that GitHub and MkDocs name differently",
    ]
    assert dead_links(there, "![x](../../outside.png)") == ["../../outside.png: no such file"]
    assert anchors("# A *node's* `name`\n```\n# no heading\n```\n## B - c") == {"a-nodes-name"}


@pytest.mark.parametrize("path", READMES, ids=name)
def test_the_readme_is_read_in_a_minute(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert len(page.splitlines()) <= 120
    pictures = [target for target in links(page) if target.endswith((".webp", ".gif"))]
    assert len(pictures) == 1, "one moving picture"
    assert (ROOT / pictures[0]).stat().st_size < 3_000_000


@pytest.mark.parametrize("path", [*READMES, *TUTORIALS], ids=name)
def test_addresses_of_model_files_are_those_of_the_templates(path: Path) -> None:
    """tools/workflow_models.py says where each was seen: none is made up."""
    known = {row["url"]: row["name"] for row in _MODELS.values()}
    found = re.findall(r"\[([^\]]+)\]\((https://huggingface\.co/[^)]+)\)", path.read_text(encoding="utf-8"))
    assert found or path.stem == "old-graph"
    for text, url in found:
        assert url in known, f"{url} is in no template"
        assert text == known[url] or text in known[url].lower() or text in ("高", "低"), f"{text} is not {known[url]}"


@pytest.mark.parametrize("path", READMES, ids=name)
def test_modes_and_templates_of_the_readme_are_there(path: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` \|$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 7
    for mode, template in rows:
        assert mode in RECIPES or mode == SVI2_PRO.id
        graph = (ROOT / "example_workflows" / f"{template}.json").read_text(encoding="utf-8")
        loras = {file for file in docs_pages.files_of(template)["loras"] if "svi" in file.lower()}
        row = next(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{mode}`"))
        assert f'"{mode}"' in graph or mode == "fun_inp", f"{template} has no clip of mode {mode}"
        assert mode == "fun_inp" or all(file in row for file in loras), f"{mode}: {loras}"


def test_readme_figures_are_those_of_the_performance_page() -> None:
    page = (DOCS / "reference" / "performance.md").read_text(encoding="utf-8")
    table = README[README.index("## Memory and time") : README.index("## What only")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    told = {row[0]: (row[1].removesuffix(" GiB"), row[2]) for row in rows if row[1].endswith("GiB")}
    assert "| as above | 25.2 | 20.1 GiB |" in page
    assert "| block swap 20; 40 | 38.2; 49.6 | 12.2; 4.4 |" in page
    assert list(told.values()) == [("20.1", "25"), ("12.2", "38"), ("4.4", "50")]


@pytest.mark.parametrize("path", TUTORIALS, ids=name)
def test_a_tutorial_names_its_template_its_files_and_what_is_seen(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    for wanted in ("## Files", "## What you see") if path.parent.parent == DOCS else ("## 文件", "## 你会看到什么"):
        assert wanted in headings, f"{name(path)} has no part {wanted}"
    line = next(line for line in page.splitlines() if line.startswith(("**Template**", "**模板**")))
    named = set(re.findall(r"`(\w+)`", line)) - {"reel"}
    assert path.stem == "old-graph" or named & TEMPLATES, f"{name(path)} names no template"
    for word in re.findall(r"`((?:svi|long_video|fun_inp|wan22|holocine|custom)_\w+)`", page):
        assert word in TEMPLATES or word in PAGES_NAME_OTHERWISE, f"{name(path)}: no template is called {word}"


# Words that look like a template and are none.
PAGES_NAME_OTHERWISE = {"svi_film_story", "fun_inp", "custom_boundary"}


@pytest.mark.parametrize("page", docs_pages.PAGES)
def test_pages_that_follow_from_the_code_are_of_today(page: str) -> None:
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    assert text == docs_pages.PAGES[page](), f"docs/reference/{page}: python tools/docs_pages.py writes it"


@pytest.mark.parametrize(("path", "language"), IN_LANGUAGES, ids=lambda value: Path(value).stem)
def test_the_files_of_a_tutorial_are_those_of_its_template(path: Path, language: str) -> None:
    page = path.read_text(encoding="utf-8")
    assert page == docs_pages.with_files(page, language), f"{name(path)}: python tools/docs_pages.py writes the table"
    assert path.stem == "old-graph" or "huggingface.co" in page


def test_every_page_of_the_docs_is_in_the_index_and_in_the_menu() -> None:
    english = {path for path in DOCS.rglob("*.md") if "zh" not in path.relative_to(DOCS).parts}
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {(DOCS / target.partition("#")[0]).resolve() for target in links(index)}
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    in_menu = set(re.findall(r"[\w/-]+\.md", menu))
    for path in english - {DOCS / "index.md"}:
        assert path in listed, f"docs/index.md does not list {name(path)}"
    for path in DOCS.rglob("*.md"):
        assert path.relative_to(DOCS).as_posix() in in_menu, f"mkdocs.yml, nav, lacks {name(path)}"
    kinds = {path.relative_to(DOCS).parts[0] for path in english - {DOCS / "index.md"}}
    assert kinds == {"tutorials", "how-to", "reference", "explanation", "contributing"}


def test_the_docs_are_built_with_what_the_extra_installs() -> None:
    extra = " ".join(PROJECT["project"]["optional-dependencies"]["docs"])
    assert "mkdocs-material" in extra
    assert "mkdocstrings[python]" in extra
    assert "mkdocs build --strict" in (ROOT / ".github" / "workflows" / "tests.yml").read_text()


def test_python_of_the_docs_is_python() -> None:
    found = [(path, block) for path in [*TOP, *DOCS.rglob("*.md")] for block in blocks(path.read_text(), "python")]
    assert found
    for path, block in found:
        compile(block, name(path), "exec")
