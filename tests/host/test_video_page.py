"""The joined video on SVI Long Video's node in a real frontend, after every kind of run.

Needs what `test_timeline_page` needs.
"""

from __future__ import annotations

import json
from pathlib import Path

from browser import drive, needs_browser
from host.long_chains import PROMPTS, chain, story

PAGE = Path(__file__).with_name("video_page.mjs")


@needs_browser
def test_the_joined_video_plays_on_the_node(page_url: str, nodes: str, tmp_path: Path, pictures: Path) -> None:
    graph, _ = chain(story(PROMPTS[:3]), tmp_path.name)
    file = tmp_path / "run.json"
    file.write_text(json.dumps(graph))
    seen = drive(PAGE, page_url, str(file), str(pictures), nodes, seconds=500)
    assert seen["troubles"] == []
    assert set(seen["runs"]) == {"made", "kept", "again"}
    for name, run in seen["runs"].items():
        assert run["words"] == [], name
        assert run["pictures"] == 0, f"{name}: a picture of the run stands in the video's place"
        assert run["drawn"] == 0, name
        video, node = run["video"], run["node"]
        assert video["seen"], name
        assert video["playing"], name
        assert video["ready"] >= 2, name
        assert video["seconds"] > 2, name
        assert video["width"] > 150, name
        assert video["height"] > 100, name
        assert video["y"] + video["height"] <= node["y"] + node["height"] + 2, f"{name}: it hangs out of the node"
        assert run["story"] >= seen["before"]["story"] - 4, f"{name}: the story keeps its room"
    first, last = seen["runs"]["made"], seen["runs"]["again"]
    assert abs(first["node"]["height"] - last["node"]["height"]) <= 4, "and the node has grown once"
    if nodes == "canvas":
        assert seen["late"]["pictures"] == 0, "a picture that comes late goes too"
        assert "$$comfy_animation_preview" not in seen["late"]["widgets"]
        assert "video-preview" in seen["late"]["widgets"]
    if nodes == "vue":
        assert seen["small"]["story"] >= seen["small"]["needs"], "the whole story is seen on a node that is too small"
    assert seen["runs"]["made"]["pictured"] > 0, "else there was nothing to take away"
