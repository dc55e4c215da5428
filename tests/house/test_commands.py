"""Commands, stories and snippets of the pages: each is one that the code takes, and those of README and tutorials are
run, with stand-ins for ComfyUI, for rendered reels and for an old graph."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from farms import COMFYUI, graph, sampled
from many_takes import write_many
from old_graphs import pixel_chain
from pages import DOCS, READMES, TOP, blocks
from PIL import Image
from project import PAGES, PROJECT, ROOT
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.svi_embeds.story.settings import ChainConnected, ChainSettings
from wanvideo_svi.wrapper_ext.cli.main import main, make_parser
from wanvideo_svi.wrapper_ext.demo.compare import NAME

TUTORIALS = sorted(DOCS.glob("**/tutorials/*.md"))
PAGES_WITH_COMMANDS = [*TOP, *sorted(DOCS.rglob("*.md")), *sorted(PAGES.glob("*.md"))]
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b|\.\.\.|path/to")


def commands(page: str) -> list[str]:
    """The command lines of a page's plain blocks, one for each `&&`."""
    found = []
    for block in blocks(page):
        lines = [re.split(r"\s{2,}#", line)[0].strip() for line in block.splitlines()]
        if any(re.match(r"(wanvideo-svi|python|[A-Z_]+=\S+ python|mkdocs|ray) ", line) for line in lines):
            found += [part.strip() for line in lines if line for part in line.split(" && ")]
    return found


OF_PAGES = [
    (path, line) for path in PAGES_WITH_COMMANDS for line in commands(path.read_text(encoding="utf-8"))
]  # fmt: skip


@pytest.mark.parametrize(("path", "line"), OF_PAGES, ids=lambda value: str(value)[-60:])
def test_a_command_is_one_that_there_is(path: Path, line: str) -> None:
    words = shlex.split(re.sub(r"^(?:[A-Z_]+=\S+ )+", "", line))
    if words[0] == "wanvideo-svi":
        if "..." in line or "|" in line or "[" in line:  # a way of writing all that can be said
            assert words[1] in make_parser().format_help()
            return
        make_parser().parse_args(words[1:])  # ends the test with its own message when it does not read
    elif words[:3] == ["python", "-m", "pip"]:
        extras = re.findall(r"\[(\w+)\]", line)
        assert set(extras) <= set(PROJECT["project"]["optional-dependencies"]), line
    elif words[:2] == ["python", "-m"]:
        assert words[2] == "pytest" or (ROOT / words[2].replace(".", "/")).exists() or _module(words[2]), line
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file(), line
    else:
        assert words[0] in ("mkdocs", "ruff", "ray"), f"{path.name}: {line} is no command that is known here"


def _module(name: str) -> bool:
    return (ROOT / (name.replace(".", "/") + ".py")).exists()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with stand-ins for what the commands name: a graph, stories, a reel, a LoRA, ComfyUI."""
    (tmp_path / "marks").mkdir()
    monkeypatch.setenv("FAKE_COMFY_MARKS", str(tmp_path / "marks"))
    home = tmp_path / "home"
    home.mkdir()
    (home / "ComfyUI").symlink_to(COMFYUI, target_is_directory=True)
    monkeypatch.setenv("HOME", str(home))
    here = tmp_path / "here"
    (here / "output").mkdir(parents=True)
    (here / "custom_nodes").mkdir()
    write_many(here / "output" / "svi_reels" / "svi_film_story", clips=4, takes=3)
    (here / "graph.json").write_text(json.dumps(pixel_chain()))
    (here / "film.json").write_text(json.dumps(graph()))
    for name in ("snow", "sea"):
        (here / f"{name}.txt").write_text(f"{name}\n---\nmore {name}")
    monkeypatch.chdir(here)
    return here


def run(line: str, *more: str) -> int:
    words = [str(Path(word).expanduser()) if word.startswith("~") else word for word in shlex.split(line)[1:]]
    return main([*words, *more])


def _demo(line: str, here: Path) -> None:
    assert run(line, "--frames", "9") == 0
    with Image.open(here / "svi_demo" / NAME) as picture:
        assert picture.width > 900


def _check(line: str, here: Path) -> None:
    assert run(line) == 1
    assert not (here / "graph.svi.json").exists()


def _migrate(line: str, here: Path) -> None:
    before = (here / "graph.json").read_bytes()
    assert run(line) == 0
    assert "WanVideoSVIEmbeds" in (here / "graph.svi.json").read_text()
    assert (here / "graph.json").read_bytes() == before


def _as_story(line: str, here: Path) -> None:
    assert run(line) == 0
    assert "WanVideoSVILongVideo" in (here / "story_graph.json").read_text()


def _pick(line: str, here: Path) -> None:
    reel = here / "output/svi_reels/svi_film_story"
    assert run("wanvideo-svi reel pick svi_film_story 2 2") == 0
    assert open_reel(reel).clips[1].take == 1
    assert run(line) == 0
    assert open_reel(reel).clips[1].take == 0


def _dry(line: str, here: Path) -> None:
    assert run(line, "--python", sys.executable) == 0
    assert not (here / "renders").exists()
    assert sampled(here.parent / "marks") == []


def _render(line: str, here: Path) -> None:
    """On one worker: the stand-in has no GPU."""
    assert "--gpus 2" in line
    assert run(line.replace("--gpus 2", "--workers 1"), "--python", sys.executable) == 0
    for name in ("snow", "sea"):
        assert (here / "tonight" / f"{name}.mp4").is_file()
    assert (here / "tonight" / "report.json").is_file()


def _done(line: str, _: Path) -> None:
    assert run(line) == 0


RUNS: dict[str, Callable[[str, Path], None]] = {
    "wanvideo-svi demo --out svi_demo": _demo,
    "wanvideo-svi migrate graph.json --check": _check,
    "wanvideo-svi migrate graph.json": _migrate,
    "wanvideo-svi migrate graph.json --as-story -o story_graph.json": _as_story,
    "wanvideo-svi reel takes svi_film_story": _done,
    "wanvideo-svi reel pick svi_film_story 2 1": _pick,
    "wanvideo-svi reel mend-plan svi_film_story 2": _done,
    "wanvideo-svi render film.json snow.txt sea.txt --comfyui ~/ComfyUI --dry-run": _dry,
    "wanvideo-svi render film.json snow.txt sea.txt --comfyui ~/ComfyUI --gpus 2 --out tonight": _render,
}  # fmt: skip
# .ci/run runs the README's two lines as they are; pip needs the registry.
RUN_ELSEWHERE = re.compile(r"python -m (pip install|pytest)\b")


def test_every_command_of_readme_and_tutorials_is_run() -> None:
    said = {line for path in (*READMES, *TUTORIALS) for line in commands(path.read_text(encoding="utf-8"))}
    assert {line for line in said if not RUN_ELSEWHERE.match(line)} == set(RUNS)


@pytest.mark.parametrize("line", RUNS)
def test_a_command_of_readme_or_tutorials_does_what_is_said(line: str, desk: Path) -> None:
    RUNS[line](line, desk)


STORIES = [
    (path, block)
    for path in [*sorted(DOCS.rglob("*.md")), *READMES]
    for block in blocks(path.read_text(encoding="utf-8"), "story")
]


@pytest.mark.parametrize(("path", "story"), STORIES, ids=[f"{path.stem}{i}" for i, (path, _) in enumerate(STORIES)])
def test_a_story_of_the_pages_is_planned(path: Path, story: str) -> None:
    mode = {"shot": "shot", "svi2-pro": "svi2_pro", "native": "svi2_pro", "talk": "talk"}.get(path.stem, "film")
    settings = ChainSettings(mode=mode, num_frames=81)
    connected = ChainConnected(start_frames=1, reference_frames=1, first_clip_model=True, length=400)
    plan = plan_chain(story, settings, connected)
    assert plan.clips
    if wanted := {"film": 277, "shot": 321, "svi2-pro": 233, "native": 233}.get(path.stem):
        assert plan.total_frames == wanted
