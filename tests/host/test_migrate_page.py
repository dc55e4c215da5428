"""The menu command in a real browser: report, migration, undo and redo, and the story in a tab of its own.

Needs node, playwright-core (NODE_PATH) and a Chromium (CHROMIUM, or on the PATH). COMFYUI_FRONTENDS: folders of further
frontends to try it in (as --front-end-root takes them, parted as PATH is).
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from browser import drive, needs_browser
from old_graphs import pixel_chain

PAGE = Path(__file__).with_name("migrate_page.mjs")


@needs_browser
def test_the_command_migrates_with_undo(page_url: str, nodes: str, tmp_path: Path) -> None:
    raw = pixel_chain(seeds=[1, 1, 1])
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(raw))
    seen = drive(PAGE, page_url, str(file), nodes, seconds=180)
    assert seen["said"].startswith("4 patterns replaced, 2 defects. 40 nodes before, 26 after.")
    assert seen["findings"] == 6
    before = sorted(node["type"] for node in raw["nodes"])
    assert seen["loaded"] == seen["undone"] == before
    assert seen["migrated"] == seen["redone"] != before
    assert seen["refused"].startswith("Nothing was changed: this is no longer the graph")
    assert seen["untouched"] == before
    counts = Counter(seen["migrated"])
    assert (counts["WanVideoSVIEmbeds"], counts["WanVideoSVIStitch"], len(seen["migrated"])) == (2, 2, 26)
    made = [node["inputs"] for node in seen["prompt"].values() if node.get("class_type") == "WanVideoSVIEmbeds"]
    assert [inputs["mode"] for inputs in made] == ["film", "film"]
    seeds = [node["inputs"]["seed"] for node in seen["prompt"].values() if node.get("class_type") == "WanVideoSampler"]
    assert sorted(seeds) == [1, 43, 85]
    assert seen["again"].startswith("Nothing to do")
    assert Counter(seen["story"])["WanVideoSVILongVideo"] == 1
    assert seen["tabs"] >= 2
    assert seen["deprecated"] == [], "newer frontends warn of the old name of what keeps a step of undo"
