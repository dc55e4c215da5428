"""The desk in a real ComfyUI and a real browser: a chain of five clips is made, picked, mended, put in and cut on it.

Needs node, playwright-core (NODE_PATH) and a Chromium (CHROMIUM, or on the PATH). COMFYUI_FRONTENDS: folders of further
frontends to try it in (as --front-end-root takes them, parted as PATH is), each with Vue nodes off and on.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from browser import drive, needs_browser
from host.comfyui import Comfy
from host.long_chains import PROMPTS, chain, reel_of, story
from many_takes import write_many
from wanvideo_svi.svi_embeds.story.text import parse_story

PAGE = Path(__file__).with_name("desk_page.mjs")
SPEED_PAGE = Path(__file__).with_name("desk_speed_page.mjs")


def takes(step: dict[str, Any]) -> list[str]:
    """The take of each clip of the reel's chain."""
    return [clip["take"] for clip in step["reel"]]


@needs_browser
def test_a_chain_is_made_picked_mended_put_in_and_cut_on_the_desk(
    comfy: Comfy, page_url: str, nodes: str, tmp_path: Path, pictures: Path, request: Any
) -> None:
    name = re.sub(r"\W+", "_", f"desk_{request.node.callspec.id}").strip("_")
    graph, _ = chain(story(PROMPTS), name, takes=2, mend_limit=0.0)
    run = tmp_path / "run.json"
    run.write_text(json.dumps(graph))
    seen = drive(PAGE, page_url, str(run), str(pictures), nodes, seconds=1500)
    steps = seen["steps"]
    assert seen["troubles"] == []

    # As it comes: to do, then made, while the card of the clip at hand shows that it is.
    assert [card["state"] for card in steps["new"]["cards"]] == ["to do"] * 5
    assert steps["new"]["told"].startswith("Next run: clips 1-5 (10 takes), time is known after")
    assert sum(card["now"] for card in seen["running"]["cards"]) == 1
    made = takes(steps["made"])
    assert len(made) == 5
    assert [clip["takes"] for clip in steps["made"]["reel"]] == [2] * 5

    # After every run the reel has the clips of the text, in its order.
    for step in ("made", "pick_made", "pick_taken_back", "mended", "insert_made", "insert_taken_back", "cut_made",
                 "cut_taken_back"):  # fmt: skip
        blocks = parse_story(steps[step]["story"])
        assert [block.prompt for block in blocks] == [clip["text"] for clip in steps[step]["reel"]], step
        assert [block.cut for block in blocks] == [clip["cut"] for clip in steps[step]["reel"]], step
        assert all(card["state"] == "kept" for card in steps[step]["cards"]), step

    assert seen["moves"][0] > 0
    assert seen["moves"][1:] == [True, True]
    assert [act.split()[0] for act in seen["take_acts"]] == ["Pick", "Compare", "Delete"]
    assert len(set(seen["compared"])) == 1  # in step
    assert "about" in steps["picked"]["told"]
    assert [card["state"] for card in steps["picked"]["cards"]] == ["kept", "kept", "stale", "stale", "stale"]
    assert takes(steps["pick_undone"]) == made
    assert steps["pick_undone"]["story"] == steps["made"]["story"]
    picked = takes(steps["pick_made"])
    assert picked[0] == made[0]
    assert all(one != other for one, other in zip(picked[1:], made[1:], strict=True))
    assert takes(steps["pick_taken_back"]) == made  # nothing was made for it: the takes were there

    mended = takes(steps["mended"])
    assert [one == other for one, other in zip(mended, made, strict=True)] == [True, True, False, True, True]
    assert "mend" in steps["mended"]["cards"][2]["marks"]
    assert steps["mend_undone"]["story"] == steps["made"]["story"]

    inserted = takes(steps["insert_made"])
    assert [inserted[0], *inserted[2:]] == mended
    assert takes(steps["insert_taken_back"]) == mended
    cut = takes(steps["cut_made"])
    assert [one == other for one, other in zip(cut, mended, strict=True)] == [True, False, False, True, True]
    assert takes(steps["cut_taken_back"]) == mended
    assert "[from=2]" in steps["branch"]["story"]
    assert "from 2" in steps["branch"]["cards"][5]["marks"]

    # What was queued alone is spare until the whole chain takes it in; the next clip ends the chain there.
    assert takes(steps["alone"]) == mended
    assert steps["alone"]["cards"][4]["state"] == "kept"
    assert [card["state"] for card in steps["next"]["cards"]] == ["kept"] * 4 + ["to do"]
    assert takes(steps["next"])[:3] == mended[:3]
    assert takes(steps["queued_taken_back"]) == mended

    assert [("before" in text, "after" in text) for text in seen["seam"]].count((True, False)) >= 2
    assert "after the seam" in seen["seam"][-1]
    assert [int(re.findall(r"\d+", text)[0]) for text in seen["seam"]] == list(range(13, 19))
    assert "clip 5" in seen["chain"]

    assert "cannot be undone" in seen["drop_asks"]
    assert [clip["takes"] for clip in steps["dropped"]["reel"]][4] == 1
    assert seen["keys"][:3] == ["2", "3", "2"]
    assert seen["keys"][-2:] == ["1", "5"]
    assert (seen["in_text"], seen["back_on"], seen["unlabelled"], seen["closed"]) == ("TEXTAREA", "5", [], True)
    assert "5 clips" in seen["tab"]
    assert "written by" in seen["tab"]
    assert "cannot be undone" in seen["clean_asks"]
    assert seen["alone"] == 5  # a clip may be played, no more
    reel = reel_of(comfy, name)
    assert not reel.spare
    assert not reel.problems()


@needs_browser
def test_two_hundred_clips_open_at_once_and_a_mend_takes_three_clicks(
    comfy: Comfy, page_url: str, nodes: str, tmp_path: Path, pictures: Path, request: Any
) -> None:
    name = re.sub(r"\W+", "_", f"path_{request.node.callspec.id}").strip("_")
    folder = comfy.base / "output" / "svi_reels" / f"{name}_many"
    prompts = write_many(folder, clips=200, takes=3)
    many, six = tmp_path / "many.json", tmp_path / "six.json"
    graph, _ = chain("\n---\n".join(prompts), f"{name}_many", takes=3)
    many.write_text(json.dumps(graph))
    graph, node = chain(story((*PROMPTS, "night falls")), name, mend_limit=0.0)
    six.write_text(json.dumps(graph))
    assert "6 made" in comfy.run(graph)[node]["text"][0]
    seen = drive(SPEED_PAGE, page_url, str(many), str(six), str(pictures), nodes, seconds=300)
    print(f"{name}: {json.dumps(seen)}")
    assert seen["troubles"] == []
    assert seen["mounted"] < 30  # those that are seen
    assert seen["scroll"]["mounted"] < 40
    assert seen["clicks"] == 3
    assert "[mend]" in seen["story"]
    deadline = time.monotonic() + 120
    while not any(clip.mended for clip in reel_of(comfy, name).clips[2:3]):
        assert time.monotonic() < deadline
        time.sleep(0.5)
