"""The story editor in a real ComfyUI and a real browser: the template, a broken story, a reel and its video.

Needs node, playwright-core (NODE_PATH) and a Chromium (CHROMIUM, or on the PATH). COMFYUI_FRONTENDS: folders of further
frontends to try it in (as --front-end-root takes them, parted as PATH is), each with Vue nodes off and on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser import drive, needs_browser
from host.comfyui import Comfy
from host.long_chains import PROMPTS, chain, story
from project import ROOT

PAGE = Path(__file__).with_name("story_page.mjs")
WORKFLOW = ROOT / "example_workflows" / "long_video_film.json"


@pytest.fixture(scope="module")
def rendered(comfy: Comfy) -> dict[str, Any]:
    """A graph of two clips, whose reel is on disk."""
    graph, node = chain(story(PROMPTS[:2]), "page")
    assert "2 made (clip 1, 2)" in comfy.run(graph)[node]["text"][0]
    return graph


@needs_browser
def test_the_editor_shows_plan_error_and_reel(
    comfy: Comfy,  # noqa: ARG001 - before page_url, which may be a copy of it
    rendered: dict[str, Any], page_url: str, nodes: str, tmp_path: Path,
    pictures: Path,
) -> None:  # fmt: skip
    workflow = tmp_path / "workflow.json"  # its reel is not that of other tests
    workflow.write_text(WORKFLOW.read_text().replace('"svi_film_story"', '"page_story"'))
    run = tmp_path / "run.json"
    run.write_text(json.dumps(rendered))
    seen = drive(PAGE, page_url, str(workflow), str(run), str(pictures), nodes, seconds=300)
    assert seen["troubles"] == []
    assert seen["first"]["sum"] == "4 clips, 277 frames, 17.3 s at 16 fps  ·  4 to do"
    assert [row[2:6] for row in seen["first"]["rows"]] == [
        ["81", "5.1 s", "42", "i2v"], ["81", "9.8 s", "84", "film"], ["81", "14.6 s", "126", "film"],
        ["49", "17.3 s", "168", "film"],
    ]  # fmt: skip
    assert seen["kept_values"]
    assert "svi_plan" not in seen["prompt"]
    told = "line 3, column 9 of the story: 'fram' is not a setting; did you mean frames?"
    assert "3 │ [seed=7 fram=49]\n            ^^^^^^^" in seen["broken"]["bad"]
    assert told in seen["broken"]["bad"]
    assert told in seen["hint"]
    assert seen["hint_height"] < 100  # what it says, no more of the widgets below is covered
    assert seen["selected"] == [True, "fram=49"]
    assert seen["mended"]["sum"] == "4 clips, 277 frames, 17.3 s at 16 fps  ·  4 to do"
    assert [row[2] for row in seen["mended"]["rows"]] == ["81", "49", "81", "81"]
    assert seen["row_selected"] == "[repeat=2]"
    heights = {seen[step]["height"] for step in ("first", "broken", "mended")}
    assert len(heights) == 1
    assert told in seen["undone"]
    assert seen["redone"] == 4
    assert seen["reloaded_values"]
    assert seen["copied"]
    assert seen["in_subgraph"] in (4, None)
    assert seen["reel"]["sum"] == "2 clips, 29 frames, 1.8 s at 16 fps  ·  2 kept"
    assert seen["reel"]["video"] == "▶ Play the video"
    assert seen["playing"] == [64, 64, 1.81]
    assert [row[1] for row in seen["edited"]["rows"]] == ["stale", "stale"]
    assert seen["silent"] == "No plan: ComfyUI's server does not answer."
    assert seen["back"].endswith("2 stale")
