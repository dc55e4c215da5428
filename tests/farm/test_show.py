"""What a batch shows: the live table, plain lines, the report as a table."""

from __future__ import annotations

from pathlib import Path

from farms import graph
from rich.console import Console
from wanvideo_svi.wrapper_ext.farm.folders import Folders
from wanvideo_svi.wrapper_ext.farm.prepare import prepare
from wanvideo_svi.wrapper_ext.farm.show import LiveShow, PlainShow, report_lines
from wanvideo_svi.wrapper_ext.farm.stories import Story


def test_the_live_table_has_workers_and_the_last_stories(tmp_path: Path) -> None:
    stories = [prepare(graph(), Story(name=f"s{number}", text="a"), Folders(tmp_path)) for number in range(20)]
    stories[0].kept = True
    stories[1].error = "line 1 of the story: what?"
    show = LiveShow()
    show.begin(stories, 18)
    show.worker("worker-2", "clip 2 of 3: sampling, about 10 s left")
    show.worker("worker-1", "idle")
    for number in range(2, 20):
        show.story(f"s{number}", f"done: s{number}.mp4\x1b[2J")
    console = Console(width=100, record=True)
    console.print(show._table())
    said = console.export_text()
    assert "20 of 20 stories (18 jobs), 0 min 0" in said
    assert said.index("worker-1") < said.index("worker-2")
    assert "sampling, about 10 s left" in said
    assert "s19" in said
    assert "s2 " not in said, "the oldest are left out"
    assert "\x1b" not in said, "what a file says does nothing to the terminal"


def test_the_live_table_is_getting_ready_until_the_workers_are_there() -> None:
    console = Console(width=100, record=True)
    console.print(LiveShow()._table())
    assert "getting ready, 0 min 0" in console.export_text()


def test_plain_lines_say_what_happens(tmp_path: Path) -> None:
    said: list[str] = []
    ready = prepare(graph(), Story(name="s", text="[frames=18]\na"), Folders(tmp_path))
    show = PlainShow(said.append)
    show.begin([ready], 0)
    show.note("a\x1b[2Jb")
    assert said[0] == "1 stories, 0 of them done before; 0 jobs"
    assert said[1].startswith("s: ")
    assert "line 1" in said[1]
    assert said[2] == "a\\x1b[2Jb"


def test_a_report_is_a_table_with_what_went_wrong_below() -> None:
    row = {
        "story": "s", "state": "failed", "clips": 3, "takes_made": 1, "seconds": 4.2, "retries": 2, "memory_mb": 0,
        "workers": ["worker-1"], "error": "it died",
    }  # fmt: skip
    lines = report_lines({"stories": [row, {**row, "story": "t", "state": "done", "error": ""}], "seconds": 9.0})
    assert lines[1].split() == ["s", "failed", "3", "1", "4", "2", "worker-1", "-"]
    assert lines[3:] == ["1 failed, 1 done in 9 s", "- s: it died"]
