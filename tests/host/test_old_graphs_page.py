"""Graphs from before a node had one of its inputs, opened in a real frontend: they keep their meaning.

Needs what `test_timeline_page` needs.
"""

from __future__ import annotations

from pathlib import Path

from browser import drive, needs_browser

PAGE = Path(__file__).with_name("old_graphs_page.mjs")


@needs_browser
def test_a_drift_node_from_before_drop_keeps_its_meaning(page_url: str, nodes: str) -> None:
    seen = drive(PAGE, page_url, nodes, seconds=200)
    assert seen["troubles"] == []
    assert seen["before"]["values"] == {"clip_frames": 76, "overlap_frames": 5, "drop": "already_dropped"}
    assert seen["before"]["saved"] == [76, 5, "already_dropped"]
    assert seen["now"]["values"] == {"clip_frames": 81, "overlap_frames": 5, "drop": "old"}
    assert seen["prompt"]["values"] == {"clip_frames": 76, "overlap_frames": 0, "drop": "already_dropped"}
    assert seen["fresh"] == {"clip_frames": 81, "overlap_frames": 5, "drop": "new"}
