"""The strips in a real ComfyUI and a real browser: a template opened, changed, undone, saved, run.

Needs node, playwright-core (NODE_PATH) and a Chromium (CHROMIUM, or on the PATH). COMFYUI_FRONTENDS: folders of further
frontends to try them in (as --front-end-root takes them, parted as PATH is), each with Vue nodes off and on.
SVI_PICTURES: a folder for the screenshots.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import drive, needs_browser
from host.graphs import VAE_FILE
from project import ROOT

PAGE = Path(__file__).with_name("timeline_page.mjs")
WORKFLOW = ROOT / "example_workflows" / "svi_film_chain.json"

RUN = {
    "1": {"class_type": "WanVideoVAELoader", "inputs": {"model_name": VAE_FILE, "precision": "fp32"}},
    "2": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 17, "color": 0}},
    "3": {
        "class_type": "WanVideoSVIEmbeds",
        "inputs": {
            "vae": ["1", 0], "start_image": ["2", 0], "mode": "film", "width": 64, "height": 64, "num_frames": 17,
            "force_offload": True,
        },
    },
    "4": {"class_type": "MaskToImage", "inputs": {"mask": ["3", 1]}},
    "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
}  # fmt: skip


@needs_browser
def test_strips_stand_on_their_nodes_and_follow_them(page_url: str, nodes: str, tmp_path: Path, pictures: Path) -> None:
    run = tmp_path / "run.json"
    run.write_text(json.dumps(RUN))
    seen = drive(PAGE, page_url, str(WORKFLOW), str(run), str(pictures), nodes, seconds=400)
    assert seen["troubles"] == []

    assert [label.split(";")[0] for label in seen["labels"]] == [
        f"{mode}: 81 frames at 832x480, 21 latents" for mode in ("i2v", "film", "film")
    ]
    assert seen["labels"][0].endswith("concat_mask (native): 1 black + 80 white"), "Load Image gives one, surely"
    assert seen["labels"][1].endswith("start_image: a whole clip (WanVideoDecode), 81 frames assumed")
    assert seen["visible"]
    assert seen["dragged"] not in seen["labels"], "the mouse on a widget shows in the strip"
    assert seen["changed"].startswith("tom: 49 frames at 832x480, 13 latents; frames: motion 0 ")
    assert "got 60 motion frames in a clip of 49" in seen["bad"]
    assert seen["undone"] == seen["labels"][1]
    assert seen["visibleAfterUndo"]
    assert seen["redone"].startswith("tom: 81 frames")
    assert seen["unlinked"].startswith("This would not run: film needs start_image")

    # Neither in what is saved nor in what is queued.
    assert seen["keptOnLoad"]
    assert seen["keptOnReload"]
    assert not seen["saved"]
    assert set(seen["last"]) == {"svi_strip"}
    assert seen["prompt"]
    assert not any("svi_strip" in inputs for inputs in seen["prompt"])

    assert (seen["collapsed"], seen["opened"]) == (False, True)
    assert seen["pasted"]["label"]
    if seen["subgraph"] is not None:
        assert seen["inside"].startswith("film: 65 frames")
        assert seen["inside"].endswith("start_image: at least 5 frames assumed")
    assert seen["zooms"][0] == pytest.approx(seen["zooms"][1]), "the wheel on a strip is that of the canvas, once"
    assert seen["afterRun"]["label"].startswith("film: 17 frames at 64x64")
    assert seen["picture"]["on"], "the node's own picture is still shown"
    assert seen["picture"]["clear"], "and does not lie on the strip"
