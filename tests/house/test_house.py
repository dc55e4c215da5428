"""The house rules: who may import whom, what ComfyUI's start pays, and that docs and package agree with the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import house_plan
import pytest
from PIL import Image
from project import PROJECT, ROOT, TESTS
from wanvideo_svi import NODE_CLASS_MAPPINGS, WEB_DIRECTORY
from wanvideo_svi.svi_embeds.recipes import RECIPES
from wanvideo_svi.svi_embeds.version import VERSION

README = (ROOT / "README.md").read_text()

# The rooms, and what each may import besides what stands in it: folders, and the errors, which everybody may.
ERRORS = "svi_embeds.errors"
_CLIPS = {"svi_embeds", "svi_embeds.clips", "svi_embeds.ground", "svi_embeds.masks"}
_LIBRARY = {
    "svi_embeds": {"svi_embeds.ground"},
    "svi_embeds.ground": set(),
    "svi_embeds.files": {"svi_embeds.ground"},
    "svi_embeds.masks": {"svi_embeds", "svi_embeds.ground"},
    "svi_embeds.colour": {"svi_embeds.files", "svi_embeds.ground"},
    "svi_embeds.models": {"svi_embeds", "svi_embeds.files", "svi_embeds.ground"},
    "svi_embeds.clips": {"svi_embeds", "svi_embeds.files", "svi_embeds.ground", "svi_embeds.masks"},
    "svi_embeds.clips.pixels": {*_CLIPS, "svi_embeds.models"},
    "svi_embeds.clips.latents": {*_CLIPS, "svi_embeds.colour"},
    "svi_embeds.clips.custom": _CLIPS,
    "svi_embeds.clips.native": _CLIPS,
    "svi_embeds.clips.inpaint": {*_CLIPS, "svi_embeds.clips.pixels"},
    "svi_embeds.story": {
        "svi_embeds", "svi_embeds.clips", "svi_embeds.clips.latents", "svi_embeds.clips.pixels", "svi_embeds.colour",
        "svi_embeds.ground", "svi_embeds.models",
    },
    "svi_embeds.reel": {"svi_embeds", "svi_embeds.colour", "svi_embeds.files", "svi_embeds.ground"},
    "svi_embeds.drift": {
        "svi_embeds", "svi_embeds.colour", "svi_embeds.files", "svi_embeds.ground", "svi_embeds.reel",
    },
    "svi_embeds.guides": {
        "svi_embeds", "svi_embeds.clips", "svi_embeds.files", "svi_embeds.ground", "svi_embeds.models",
        "svi_embeds.story",
    },
    "svi_embeds.pair": {
        "svi_embeds", "svi_embeds.clips", "svi_embeds.ground", "svi_embeds.guides", "svi_embeds.models",
    },
}  # fmt: skip
_ALL = set(_LIBRARY)
_WORKFLOW = {f"wrapper_ext.workflow.{room}" for room in ("model", "api", "find", "rewrite", "story")}
ROOMS: dict[str, set[str]] = {
    **_LIBRARY,
    "wrapper_ext.host": {
        "svi_embeds", "svi_embeds.files", "svi_embeds.ground", "svi_embeds.pair", "svi_embeds.reel",
    },
    "wrapper_ext.running": {"svi_embeds.ground", "svi_embeds.guides", "svi_embeds.models", "svi_embeds.pair"},
    "wrapper_ext.workflow.model": {"svi_embeds", "svi_embeds.files", "svi_embeds.ground"},
    "wrapper_ext.workflow.api": {"wrapper_ext.workflow.model"},
    "wrapper_ext.workflow.find": {
        "svi_embeds", "svi_embeds.models", "svi_embeds.story", "wrapper_ext.workflow.model",
    },
    "wrapper_ext.workflow.rewrite": {
        *_CLIPS, "svi_embeds.clips.inpaint", "svi_embeds.clips.pixels", "wrapper_ext.workflow.model",
        "wrapper_ext.workflow.find",
    },
    "wrapper_ext.workflow.story": {
        "svi_embeds", "svi_embeds.story", "wrapper_ext.workflow.model", "wrapper_ext.workflow.find",
        "wrapper_ext.workflow.rewrite",
    },
    "wrapper_ext.engine": {*_ALL, "wrapper_ext.host"},
    "wrapper_ext.render": {*_ALL, "wrapper_ext.engine", "wrapper_ext.host", "wrapper_ext.running"},
    "wrapper_ext.nodes": {
        *_ALL, "wrapper_ext.engine", "wrapper_ext.host", "wrapper_ext.running", "wrapper_ext.render",
    },
    "wrapper_ext.demo": _ALL,
    "wrapper_ext.doctor": {*_ALL, "wrapper_ext.host"},
    "wrapper_ext.answers": {
        *_ALL, *_WORKFLOW, "wrapper_ext.engine", "wrapper_ext.host", "wrapper_ext.nodes", "wrapper_ext.render",
        "wrapper_ext.running",
    },
    "wrapper_ext.farm": {
        *_ALL, "wrapper_ext.answers", "wrapper_ext.nodes", "wrapper_ext.render", "wrapper_ext.running",
    },
    "wrapper_ext": {"wrapper_ext.host", "wrapper_ext.answers"},  # the routes
    "wrapper_ext.cli": {
        *_ALL, *_WORKFLOW, "wrapper_ext.workflow.api", "wrapper_ext.host", "wrapper_ext.answers", "wrapper_ext.demo",
        "wrapper_ext.doctor", "wrapper_ext.farm",
    },
}  # fmt: skip
ALLOWED_IN_LIBRARY = {"torch", "einops", "safetensors", "numpy", "PIL", "av", "filelock", "color_matcher"}
# doctor/probe.py is a program of its own, which ComfyUI's Python runs: it imports nothing of the pack.
REACH_COMFYUI = {"wrapper_ext/host/comfy.py", "wrapper_ext/doctor/probe.py"}
LAZY = "svi_embeds/__init__.py"  # loads its own rooms by name
COMFYUI = {"comfy", "comfy_extras", "comfy_api", "nodes", "folder_paths", "server", "execution"}


def room(path: Path) -> str:
    """The folder that a module stands in. The errors and the version are everybody's."""
    if path.parent.name == "svi_embeds" and path.stem in ("errors", "version"):
        return ERRORS
    return house_plan.room_of(path)


def imports(path: Path) -> list[tuple[int, str]]:
    """Every import of a file, wherever it stands: (level, dotted name)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found += [(node.level, name) for name in names]
    return found


SOURCES = house_plan.SOURCES


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_what_it_may(path: Path) -> None:
    mine = room(path)
    for level, name in imports(path):
        top = name.split(".")[0]
        if level == 0:
            assert top not in COMFYUI, f"{name}: only host/comfy.py reaches ComfyUI, and by name at call time"
            if mine.startswith("svi_embeds"):
                assert top in ALLOWED_IN_LIBRARY | sys.stdlib_module_names, name
    may = ROOMS.get(mine, set()) | {mine, ERRORS}
    for target in house_plan.imported(path):
        assert room(target) in may, f"{path.name} imports {target.name}: {mine} may not import {room(target)}"


def test_every_room_is_in_the_list_and_they_import_each_other_in_no_circle() -> None:
    assert {room(path) for path in SOURCES} - {ERRORS} == ROOMS.keys() | {"wrapper_ext.workflow"}
    arrows = {(room(path), room(target)) for path in SOURCES for target in house_plan.imported(path)}
    inside: dict[str, set[str]] = {one: set() for one in ROOMS}
    for one, two in arrows:
        if one != two and ERRORS not in (one, two):
            inside[one].add(two)
    while leaves := [one for one, others in inside.items() if not others & inside.keys()]:
        for one in leaves:
            del inside[one]
    assert not inside


# Folders of tests that are no room: whole graphs and pages, what holds everywhere, what tests share.
OTHER_TESTS = {"data", "example_workflows", "host", "house", "laws", "support", "web"}


def test_tests_stand_in_the_rooms_that_they_test() -> None:
    rooms = {Path(*one.split(".")[1:]) for one in ROOMS}
    rooms |= {above for one in rooms for above in one.parents}
    for path in TESTS.rglob("test_*.py"):
        folder = path.parent.relative_to(TESTS)
        assert folder in rooms or folder.parts[0] in OTHER_TESTS, f"{folder}: no room, and not in OTHER_TESTS"


def test_no_test_is_a_library_of_others() -> None:
    names = {path.stem for path in TESTS.rglob("test_*.py")}
    for path in TESTS.rglob("*.py"):
        taken = {name for level, dotted in imports(path) if level == 0 for name in dotted.split(".")} & names
        assert not taken, f"{path.name} imports {taken}: what tests share stands in tests/support"


def test_only_host_looks_up_comfyui() -> None:
    for path in SOURCES:
        if path.relative_to(ROOT).as_posix() not in {*REACH_COMFYUI, LAZY}:
            assert "import_module" not in path.read_text(), path.name


def test_the_probe_stands_alone() -> None:
    probe = ROOT / "wrapper_ext" / "doctor" / "probe.py"
    assert all(level == 0 for level, _ in imports(probe))
    assert {name.split(".")[0] for _, name in imports(probe)} <= sys.stdlib_module_names
    assert not [path for path in SOURCES if probe in house_plan.imported(path)]


def test_starting_comfyui_pays_for_no_optional_package() -> None:
    code = (
        "import sys, torch, numpy, PIL.Image, einops, safetensors; before = set(sys.modules); import wanvideo_svi; "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    loaded = set(done.stdout.split())
    assert not loaded & {
        "diffusers",
        "transformers",
        "rich",
        "av",
        "scipy",
        "hypothesis",
        "torchvision",
        "color_matcher",
    }, loaded


def test_starting_comfyui_loads_no_more_than_the_nodes_themselves() -> None:
    code = (
        "import sys, wanvideo_svi; print(*sorted(m for m in sys.modules if m.startswith('wanvideo_svi.svi_embeds.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    loaded = {name.removeprefix("wanvideo_svi.svi_embeds.") for name in done.stdout.split()}
    assert {name for name in loaded if not (ROOT / "svi_embeds" / Path(*name.split("."))).is_dir()} == {
        "errors", "version", "colour.choices", "drift.choices", "files.paths", "ground.checks", "ground.words",
    }  # fmt: skip


def test_the_version_is_one_number() -> None:
    told = PROJECT["project"]["version"]
    assert told == VERSION, f"pyproject.toml has version {told}, svi_embeds/version.py {VERSION}"
    newest = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == VERSION, f"CHANGELOG.md: its first heading must be `## {VERSION}`"


def test_every_module_is_packaged() -> None:
    folders = {p.parent.relative_to(ROOT) for p in SOURCES}
    expected = {"wanvideo_svi", *(f"wanvideo_svi.{'.'.join(folder.parts)}" for folder in folders)}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == expected


def test_every_file_that_comfyui_serves_is_packaged() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["wanvideo_svi"]
    packaged = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    served = {
        path for folder in ("web", "locales", "example_workflows", "subgraphs") for path in (ROOT / folder).rglob("*")
    }
    assert {path for path in served if path.is_file()} == packaged


def test_no_node_reads_pickles_or_evaluates_text() -> None:
    for path in SOURCES:
        text = path.read_text()
        for banned in ("torch.load(", "pickle", "eval(", "exec("):
            assert banned not in text.replace(".eval()", ""), f"{banned} in {path.name}"


def help_page(node_id: str) -> str:
    path = ROOT / WEB_DIRECTORY / "docs" / f"{node_id}.md"
    assert path.exists(), f"web/docs/{node_id}.md is missing: the node's help page (and web/docs/{node_id}/zh.md)"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_help_page_names_every_input_and_output(node_id: str) -> None:
    page = help_page(node_id)
    cls = NODE_CLASS_MAPPINGS[node_id]
    groups = {group: entries for group, entries in cls.INPUT_TYPES().items() if group != "hidden"}
    names = {name for entries in groups.values() for name in entries} | set(cls.RETURN_NAMES)
    missing = sorted(name for name in names if f"`{name}`" not in page)
    assert not missing, f"web/docs/{node_id}.md does not say what {', '.join(f'`{name}`' for name in missing)} is"


FOLDED = (
    '"Show advanced inputs" at the foot of the node unfolds the others (Nodes 2.0; the classic canvas shows them all):'
)


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_help_page_has_a_table_of_the_folded_inputs(node_id: str) -> None:
    page = help_page(node_id)
    groups = NODE_CLASS_MAPPINGS[node_id].INPUT_TYPES()
    folded = {
        name for entries in groups.values() for name, spec in entries.items() if spec[1:] and "advanced" in spec[1]
    }
    rest = page.partition(FOLDED)[2]
    table = re.match(r"\n\n((?:\|.*\n)*)", rest)
    rows = table[1].splitlines() if table else []
    told = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    where = f"web/docs/{node_id}.md, the table behind {FOLDED!r}"
    assert not folded - told, f"{where}: lacks {sorted(folded - told)}"
    assert not told - folded, f"{where}: has {sorted(told - folded)}, which stay in sight"


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_help_page_shows_mistakes_and_an_example(node_id: str) -> None:
    parts = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", help_page(node_id), re.MULTILINE))
    for heading in ("Mistakes people make", "Example"):
        assert heading in parts, f"web/docs/{node_id}.md has no part `## {heading}`"
    mistakes = re.findall(r"^- \*\*", parts["Mistakes people make"], re.MULTILINE)
    assert len(mistakes) >= 2, f"web/docs/{node_id}.md, `## Mistakes people make`: two of them or more, as `- **...**`"
    named = set(re.findall(r"`([a-z0-9_]+)`", parts["Example"]))
    shipped = {path.stem for path in (ROOT / "example_workflows").glob("*.json") if f'"{node_id}"' in path.read_text()}
    assert named & shipped or not shipped, f"web/docs/{node_id}.md, `## Example`: name one of {sorted(shipped)}"
    assert parts["Example"].strip(), f"web/docs/{node_id}.md: `## Example` is empty"


def test_no_help_page_is_left_over() -> None:
    docs = ROOT / WEB_DIRECTORY / "docs"
    pages = {path.stem for path in docs.glob("*.md")}
    lacks, gone = set(NODE_CLASS_MAPPINGS) - pages, pages - set(NODE_CLASS_MAPPINGS)
    assert not lacks, f"web/docs/ lacks a help page: {', '.join(f'{node_id}.md' for node_id in sorted(lacks))}"
    assert not gone, f"web/docs/ has pages of nodes that are not there: {', '.join(sorted(gone))}"
    # A folder holds a node's page in other languages: docs/<node id>/<locale>.md.
    inside = [path for path in docs.rglob("*") if path.is_file() and path.parent != docs]
    translated = [path for path in inside if path.parent.name != "nodes"]
    locales = {path.name for path in (ROOT / "locales").iterdir()}
    for path in translated:
        assert path.parent.parent == docs, path
        assert path.parent.name in NODE_CLASS_MAPPINGS, f"{path.relative_to(ROOT)} is of a node that is not there"
        assert path.suffix == ".md", path
        assert path.stem in locales, path


def test_pictures_of_the_help_pages_are_there_and_used() -> None:
    docs = ROOT / WEB_DIRECTORY / "docs"
    used: set[str] = set()
    for page in docs.glob("*.md"):
        shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
        assert f"nodes/{page.stem}.jpg" in shown, (
            f"web/docs/{page.name} does not show its node: ![The node](nodes/{page.stem}.jpg), which "
            "tools/node_pictures.mjs makes"
        )
        used |= set(shown)
    there = {str(path.relative_to(docs)) for path in [*docs.glob("*.png"), *docs.glob("*.jpg"), *docs.glob("nodes/*")]}
    assert not used - there, (
        f"web/docs/ lacks {sorted(used - there)}: tools/node_pictures.mjs makes those in nodes/, "
        "tools/desk_pictures.mjs those of the desk, tools/help_pictures.py the others"
    )
    assert not there - used, f"no help page shows {sorted(there - used)} of web/docs/"


@pytest.mark.parametrize(
    "page", ["docs/reference/modes.md", "web/docs/WanVideoSVIEmbeds.md", "web/docs/WanVideoSVIEmbeds/zh.md"]
)
def test_the_mode_table_is_the_recipe_table(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d) \| (\w+) \| (\w+) \|", text, re.MULTILINE)
    wanted = [(r.id, str(r.motion_frames), r.padding, r.known) for r in RECIPES.values()]
    where = f"{page}, the table of modes"
    for row in wanted:
        assert row in rows, (
            f"{where}, has no row of {row[0]} as svi_embeds/recipes.py has it: | `{row[0]}` | {' | '.join(row[1:])} |"
        )
    assert rows == wanted, f"{where}, is not in the order of svi_embeds/recipes.py, or has rows too many"


COMMANDS = {"demo": 'python -m pip install -e ".[demo]"', "tests": 'python -m pip install -e ".[test]"'}


@pytest.mark.parametrize(("variable", "start"), COMMANDS.items())
def test_ci_takes_its_commands_from_the_readme_and_runs_them(variable: str, start: str, tmp_path: Path) -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    assert re.search(rf"^{variable}=\$\(readme_line ", ci, re.MULTILINE)
    assert re.search(rf'^bash -c "set -e; \$\{{?{variable}', ci, re.MULTILINE)
    function = ci[ci.index("readme_line() {") : ci.index("\n}\n") + 3]

    def look_up(readme: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "README.md").write_text(readme)
        script = (
            f"set -euo pipefail\nshopt -s inherit_errexit\n{function}found=$(readme_line '{start}')\necho \"$found\""
        )
        return subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)

    line = look_up(README).stdout.strip()
    assert line.startswith(f"{start} && ")
    assert line.endswith("python -m pytest" if variable == "tests" else "--out svi_demo")
    assert look_up(README.replace(start, "pip install x")).returncode != 0
    assert look_up(README + line + "\n").returncode != 0


# What the registry shows


def test_icon_and_banner_are_there_and_of_the_size_that_the_registry_takes() -> None:
    comfy = PROJECT["tool"]["comfy"]
    raw = "https://raw.githubusercontent.com/wanvideo-svi/wanvideo-svi/main/"
    assert comfy["Icon"].startswith(raw)
    assert comfy["Banner"].startswith(raw)
    files = [ROOT / comfy[name].removeprefix(raw) for name in ("Icon", "Banner")]
    with Image.open(files[0]) as icon, Image.open(files[1]) as banner:
        assert icon.width == icon.height <= 400
        assert banner.width * 9 == banner.height * 21


def test_nothing_is_published_that_the_tests_have_not_passed() -> None:
    publish = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    assert re.search(r"  tests:\n    uses: \./\.github/workflows/tests\.yml\n", publish)
    assert re.search(r"  publish:\n    needs: tests\n", publish)
    assert "bash .ci/run" in (ROOT / ".github" / "workflows" / "tests.yml").read_text()


def test_the_plan_of_the_house_is_drawn_from_the_imports_of_today() -> None:
    text = house_plan.PAGE.read_text()
    assert house_plan.page(text) == text, "python tools/house_plan.py draws it anew"


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/contributing/house.md"])
def test_files_that_contributors_are_sent_to_are_there(page: str) -> None:
    named = set(
        re.findall(r"`((?:wrapper_ext|svi_embeds|tests|tools)/[\w/.]+\.(?:py|json))`", (ROOT / page).read_text())
    )
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]
