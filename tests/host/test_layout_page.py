"""How the templates look in a real ComfyUI and browser: with their files missing, there, and after a run.

Needs node, playwright-core (NODE_PATH) and a Chromium (CHROMIUM, or on the PATH). COMFYUI_FRONTENDS: folders of further
frontends to try it in. SVI_PICTURES: a folder for the screenshots.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import drive, needs_browser
from example_graphs import height
from host.comfyui import PACK, Comfy
from host.guide_files import write_guides
from PIL import Image
from project import ROOT
from wanvideo_svi.svi_embeds.files.video import FORMATS, write_video

PAGE = Path(__file__).with_name("layout_page.mjs")
TEMPLATES = {path.stem: json.loads(path.read_text()) for path in (ROOT / "example_workflows").glob("*.json")}
SIDES = 10  # pixels that the dots of a Vue node's inputs and outputs reach out of it, and the button at its foot
RUN = {"WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds", "WanVideoHighLowPair", "SaveVideo"}
SHOWN = {"MarkdownNote", "WanVideoSVILongVideo", "WanVideoTextEncodeCached"}  # whose texts are to be seen whole


@pytest.fixture
def inputs(comfy: Comfy) -> None:
    """What templates take, and what their runs would leave."""
    folder = comfy.base / "input"
    Image.new("RGB", (768, 768)).save(folder / "example.png")  # ComfyUI's own lies there
    write_guides(folder)
    Image.new("RGB", (900, 322)).save(folder / "ran.png")
    (folder / "ran.mp4").unlink(missing_ok=True)
    frames = (np.full((480, 832, 3), 30 * index, np.uint8) for index in range(8))
    write_video(folder / "ran.mp4", frames, width=832, height=480, fps=16, video_format=FORMATS["h264"])


def overlap(a: list[int], b: list[int]) -> bool:
    """Whether two boxes [left, top, width, height] share more than what stands out at their sides."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return across > SIDES and down > 0


def inside(box: list[int], group: list[int]) -> bool:
    return (
        group[0] <= box[0] + SIDES
        and group[1] <= box[1]
        and box[0] + box[2] <= group[0] + group[2] + SIDES
        and box[1] + box[3] <= group[1] + group[3]
    )


def troubles(seen: dict[str, Any], saved: dict[str, Any]) -> list[str]:
    """What is wrong with a template as it is drawn."""
    nodes = [(f"{node['title']} ({node['id']})", node["box"]) for node in seen["nodes"]]
    found = [f"{a} overlaps {b}" for (a, one), (b, other) in itertools.combinations(nodes, 2) if overlap(one, other)]
    groups = [group["box"] for group in seen["groups"]]
    found += [
        f"{name} is in no group, or hangs out" for name, box in nodes if not any(inside(box, it) for it in groups)
    ]
    found += [
        f"texts of {node['title']} ({node['id']}) are cut by {node['cut']} pixels"
        for node in seen["nodes"] if node["type"] in SHOWN and any(more > 2 for more in node["cut"])
    ]  # fmt: skip
    # What tests without a browser go by.
    kept = {node["id"]: height(node).kept for node in saved["nodes"]}
    found += [
        f"{node['title']} is {node['box'][3]} high, workflow_heights.py says {kept[node['id']]}"
        for node in seen["nodes"] if node["box"][3] > kept[node["id"]]
    ]  # fmt: skip
    return found


@needs_browser
@pytest.mark.usefixtures("inputs")
def test_templates_look_right_with_files_missing_there_and_after_a_run(
    comfy: Comfy,  # noqa: ARG001 - before page_url, which may be a copy of it
    page_url: str, nodes: str, pictures: Path,
) -> None:  # fmt: skip
    seen = drive(PAGE, page_url, PACK, str(pictures), nodes, seconds=900)
    assert seen["troubles"] == []
    assert set(seen["templates"]) == set(TEMPLATES)
    for name, states in seen["templates"].items():
        assert set(states) == {"missing", "there", "ran"}
        for state, drawn in states.items():
            assert len(drawn["nodes"]) == len(TEMPLATES[name]["nodes"])
            assert all(node["cut"] for node in drawn["nodes"] if node["type"] == "MarkdownNote"), "its text is measured"
            assert troubles(drawn, TEMPLATES[name]) == [], (name, state)
        assert all(node["shows"] for node in states["ran"]["nodes"] if node["type"] in RUN), (
            f"{name}: they show pictures"
        )

    if seen["offered"] is None:
        return  # a frontend of before the panel
    wanted = {
        (model["name"], model["directory"], model["url"])
        for node in TEMPLATES["svi_talk_chain"]["nodes"] for model in node["properties"].get("models", [])
    }  # fmt: skip
    assert {tuple(model) for model in seen["offered"]["models"]} == wanted
    assert {name for name, _, _ in wanted} | {folder for _, folder, _ in wanted} <= set(seen["offered"]["words"])
    assert seen["offered"]["words"].count("Download") == len(wanted)
