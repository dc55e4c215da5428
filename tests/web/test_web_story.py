"""The story editor of SVI Long Video in the page: with stubs in node, and in a real browser with the real answers.

Needs node with jsdom and playwright-core (NODE_PATH), and a Chromium (CHROMIUM, or on the PATH).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, has, needs_browser, needs_node
from story_node import VALUES
from story_serve import served
from wanvideo_svi.wrapper_ext.host import files as host_files

WEB = Path(__file__).resolve().parent


@needs_node
@pytest.mark.skipif(not has("jsdom"), reason="jsdom is not there: npm install it and set NODE_PATH")
def test_the_panel_on_a_node_that_stands_in_for_comfyuis() -> None:
    done = subprocess.run(
        ["node", "--test", str(WEB / "story.test.mjs")], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout


@needs_browser
def test_a_broken_story_is_told_at_its_line_and_mended_in_a_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_files, "comfy_folders", lambda: {"output": tmp_path.resolve()})
    with served(VALUES) as url:
        done = subprocess.run(
            ["node", str(WEB / "story_page.mjs"), url, str(CHROMIUM)], capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert seen["troubles"] == []
    assert seen["error"] == "3 │ [seed=7 fram=49]\n            ^^^^^^^"
    assert "line 3, column 9 of the story: 'fram' is not a setting; did you mean frames?" in seen["hint"]
    assert seen["hint_is_below"]
    assert seen["selected"] == "fram=49"
    assert seen["sum"] == "2 clips, 61 frames, 3.8 s at 16 fps  ·  2 to do"
    assert [row[:6] for row in seen["mended"]] == [
        ["1", "to do", "17", "1.1 s", "0", "i2v"],
        ["2", "to do", "49", "3.8 s", "7", "film"],
    ]
    assert seen["many"] == [["… 900 clips between …"], "1000"]
    assert seen["same_height"]
    assert seen["scrolled"]
    assert seen["lag"] < 30  # milliseconds; about 1 where nothing else runs
    assert seen["wheel"][0] == 0  # over the table it scrolls the table,
    assert seen["wheel"][1] >= 1  # elsewhere it zooms the canvas
    for theme in ("contrast", "contrast?light"):
        assert min(seen[theme]) >= 4.5, (theme, seen[theme])
