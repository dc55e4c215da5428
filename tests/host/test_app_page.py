"""The templates that open as an app, in a real ComfyUI and browser; where the frontend has no apps, as a graph.

Needs what `test_templates_page` needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser import drive, needs_browser
from host.comfyui import Comfy, frontend_version
from host.graphs import STAND_INS
from PIL import Image
from project import ROOT

PAGE = Path(__file__).with_name("app_page.mjs")
APPS = (1, 49)  # the oldest frontend tried that has them; 1.27 has not
TEMPLATES = [
    path for path in sorted((ROOT / "example_workflows").glob("*.json"))
    if json.loads(path.read_text())["extra"].get("linearData")
]  # fmt: skip
SMALL = {
    "WanVideoSVILongVideo": {"width": 64, "height": 64, "num_frames": 17},
    "WanVideoSamplerSettings": {"steps": 2},
    "WanVideoVAELoader": {"precision": "fp32"},
}


def small(path: Path, reel: str) -> dict[str, Any]:
    """A template with nodes of the tests for those that load files that are not there, and a reel of its own."""
    workflow = json.loads(path.read_text().replace(f'"svi_{path.stem.removeprefix("long_video_")}_story"', f'"{reel}"'))
    for node in workflow["nodes"]:
        if node["type"] in STAND_INS:
            node |= {"type": STAND_INS[node["type"]], "widgets_values": node["widgets_values"][:1]}
    return workflow


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.stem)
@needs_browser
def test_the_template_opens_as_an_app_and_its_button_makes_the_video(
    request: pytest.FixtureRequest, comfy: Comfy, page_url: str, path: Path, tmp_path: Path, pictures: Path
) -> None:
    Image.radial_gradient("L").resize((100, 80)).convert("RGB").save(comfy.base / "input" / "example.png")
    workflow = small(path, tmp_path.name)
    widgets = {**SMALL, "WanVideoSVILongVideo": dict(SMALL["WanVideoSVILongVideo"])}
    if path.stem.endswith("pro"):
        widgets["WanVideoSVILongVideo"]["split_step"] = 1
    story = "A lake at dawn\n---\nA boat appears"
    files = [tmp_path / name for name in ("workflow.json", "values.json")]
    for file, value in zip(files, (workflow, {"story": story, "widgets": widgets}), strict=True):
        file.write_text(json.dumps(value))
    seen = drive(PAGE, page_url, *map(str, files), str(pictures), path.stem, seconds=400)
    assert seen["troubles"] == []
    inputs = workflow["extra"]["linearData"]["inputs"]
    assert seen["graph"] == {"items": 0, "nodes": len(workflow["nodes"]), "kept": len(inputs)}
    version = frontend_version(request.node.callspec.params["page_url"], page_url)
    if version and tuple(map(int, version.split(".")[:2])) < APPS:
        assert seen["app"] is None
        return
    assert [item["widget"] for item in seen["app"]] == [name for _, name, *_ in inputs]
    assert [item["label"] for item in seen["app"]] == [
        "image",
        "story",
        "plan",
        "width",
        "height",
        "num_frames",
        "steps",
        "seed",
    ]
    assert all(item["controls"] for item in seen["app"]), "an advanced input would have none"
    assert seen["typed"] == story
    assert seen["selected"] == "A boat appears", "a clip's number in the plan leads to its block"
    assert seen["scrolls"]
    assert seen["ended"][0] == "execution_success", seen["ended"][1]
    frames = 2 * 17 - 5
    video = max(seen["videos"], key=lambda each: each["width"])  # the others are small, in the history
    assert video["ready"] >= 2
    assert video["seconds"] == round(frames / 16, 2)
    assert video["width"] > 150
