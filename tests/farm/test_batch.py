"""Batches from a graph and stories to videos, with programs that stand in for ComfyUI."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from farms import COMFYUI, STORY, batch, command, graph, programs, reel, same, sampled, states, told, wait
from helpers import frames
from PIL import Image
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import to_pixels
from wanvideo_svi.wrapper_ext.farm.stories import Story

SCENES = "a lake\n---\na boat\n---\n[cut]\na mill\n---\nits wheel\n---\n[cut takes=3]\na hill\n---\nsun"


def test_stories_become_videos_and_the_same_again_makes_nothing(tmp_path: Path, marks: Path) -> None:
    out = tmp_path / "out"
    report, code, _ = batch(out, told(one=STORY, two="a\n---\nb"))
    assert code == 0
    assert states(report) == {"one": "done", "two": "done"}
    assert [row["takes_made"] for row in report["stories"]] == [3, 2]
    assert sampled(marks) == [3, 45, 87, 3, 45]
    there = sorted(path.name for path in out.iterdir())
    assert there == ["done.jsonl", "logs", "one.mp4", "reels", "report.json", "two.mp4"]
    assert reel(out, "one").problems() == []
    assert len(reel(out, "one").clips) == 3
    assert json.loads((out / "report.json").read_text())["stories"] == report["stories"]
    assert programs() == []

    report, code, _ = batch(out, told(one=STORY, two="a\n---\nc"))
    assert states(report) == {"one": "kept", "two": "done"}
    assert sampled(marks)[5:] == [45], "a clip that an edit changes is made, and no other"
    (out / "one.mp4").unlink()
    report, _, _ = batch(out, told(one=STORY))
    assert states(report) == {"one": "done"}
    assert sampled(marks)[6:] == []
    assert batch(out, told(one=STORY), again=True)[0]["stories"][0]["state"] == "done"


@pytest.mark.usefixtures("copied")
def test_parts_of_a_story_make_what_one_run_makes(tmp_path: Path, marks: Path) -> None:
    batch(tmp_path / "one", told(s=SCENES), split=False)
    whole = sampled(marks)
    _, code, said = batch(tmp_path / "parts", told(s=SCENES), split=True)
    assert code == 0
    parts = sampled(marks)[len(whole) :]
    assert sorted(parts) == sorted(whole)
    assert same(reel(tmp_path / "one", "s"), reel(tmp_path / "parts", "s"))
    assert {line for line in said if "made" in line and "clip" in line} != set()
    assert reel(tmp_path / "parts", "s").problems() == []
    (first, second) = (reel(tmp_path / name, "s") for name in ("one", "parts"))
    assert {take.digest for take in first.spare} == {take.digest for take in second.spare}


@pytest.mark.usefixtures("copied")
def test_mends_of_a_rendered_story_are_parts(tmp_path: Path, marks: Path) -> None:
    plain = "\n---\n".join("abcde")
    mended = "\n---\n".join(["a", "[mend seed=9]\nb", "c", "[mend seed=8]\nd", "e"])
    for out, split in (("one", False), ("parts", True)):
        batch(tmp_path / out, told(s=plain), split=False)
        before = len(sampled(marks))
        _, code, said = batch(tmp_path / out, told(s=mended), split=split)
        assert code == 0
        assert sorted(sampled(marks)[before:]) == [8, 9]
        assert sum("clip 2 made" in line or "clip 4 made" in line for line in said) == 2 * split
    assert same(reel(tmp_path / "one", "s"), reel(tmp_path / "parts", "s"))


@pytest.mark.parametrize("fault", ["die", "hang", "memory"])
def test_what_happens_once_is_tried_again(tmp_path: Path, marks: Path, fault: str) -> None:
    """A ComfyUI that dies, hangs, or runs out of memory; what it had finished stays."""
    story = f"a\n---\nb {fault}-once\n---\nc"
    report, code, _ = batch(tmp_path / "out", told(s=story, t="d"), hang=10.0 if fault == "hang" else 300.0)
    assert code == 0
    assert [row["retries"] for row in report["stories"]] == [1, 0]
    assert sampled(marks).count(3) == 2, "clip 1 of each story, once"
    assert len(sampled(marks)) == 4
    assert reel(tmp_path / "out", "s").problems() == []
    assert not reel(tmp_path / "out", "s").spare
    assert programs() == []
    assert not (tmp_path / "out" / ".farm").exists()


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize(("fault", "tries", "said"), [
    ("die", 3, "ended"), ("fail", 1, "tensors of unlike size"), ("disk", 1, "No space left on device"),
])  # fmt: skip
def test_what_happens_each_time_is_set_aside_with_its_error(
    tmp_path: Path, marks: Path, fault: str, tries: int, said: str
) -> None:
    report, code, _ = batch(tmp_path / "out", told(s=f"a\n---\nb {fault}", t="d\n---\ne"))
    assert code == 1
    assert states(report) == {"s": "failed", "t": "done"}
    row = report["stories"][0]
    assert len(row["tried"]) == tries
    assert said in row["error"]
    assert sampled(marks).count(3) == 2, "its first clip was made once"
    report, code, _ = batch(tmp_path / "out", told(s="a\n---\nb", t="d\n---\ne"))
    assert code == 0
    assert len(sampled(marks)) == 4, "and stays when the story is mended"


@pytest.mark.usefixtures("copied")
def test_a_run_that_waits_for_a_choice_says_so(tmp_path: Path) -> None:
    report, code, _ = batch(tmp_path / "out", told(s="[takes=2 pick=stop]\na\n---\nb"), split=True)
    assert code == 1
    assert states(report) == {"s": "waits"}
    assert "waits for you to choose" in report["stories"][0]["error"]


@pytest.mark.usefixtures("copied")
def test_images_are_brought_to_the_worker(tmp_path: Path) -> None:
    picture = tmp_path / "lake.png"
    Image.fromarray(to_pixels(frames(1)[0])).save(picture)
    of = graph(start_image=["3", 0])
    for name, given in (("there", of), ("new", {key: node for key, node in of.items() if key != "3"})):
        if name == "new":
            given["4"]["inputs"].pop("start_image")
        story = Story(name=name, text="a", images={"start_image": picture}, where="table, row 1")
        report, code, _ = batch(tmp_path / "out", [story], of=given)
        assert (code, states(report)) == (0, {name: "done"})
    (tmp_path / "no.png").write_text("no image")
    for file, said in (("no.png", "is not an image that can be read"), ("gone.png", "there is no image")):
        story = Story(name="bad", text="a", images={"start_image": tmp_path / file}, where="table, row 2")
        report, code, _ = batch(tmp_path / "out", [story])
        assert code == 1
        assert report["stories"][0]["error"].startswith("table, row 2: ")
        assert said in report["stories"][0]["error"]


@pytest.mark.usefixtures("copied")
def test_a_wrong_story_is_told_before_it_is_sent(tmp_path: Path, marks: Path) -> None:
    report, code, _ = batch(tmp_path / "out", told(s="[frames=18]\na", t="b"))
    assert code == 1
    assert "line 1" in report["stories"][0]["error"]
    assert states(report)["t"] == "done"
    assert sampled(marks) == [3]


@pytest.mark.usefixtures("copied")
def test_a_model_that_no_worker_has_is_told_by_name(tmp_path: Path) -> None:
    of = graph()
    of["1"]["inputs"]["model"] = "gone.safetensors"
    report, code, _ = batch(tmp_path / "out", told(s="a"), of=of)
    assert code == 1
    assert report["stories"][0]["error"] == "no worker has model gone.safetensors of Model"


def test_a_program_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    comfyui = tmp_path / "comfy"
    comfyui.mkdir()
    (comfyui / "main.py").write_text("raise SystemExit('no module named torch')")
    with pytest.raises(SVIError, match=r"no worker started: ComfyUI ended at its start: .*no module named torch"):
        batch(tmp_path / "out", told(s="a"), comfyui=comfyui)


def test_two_batches_do_not_share_a_folder(tmp_path: Path) -> None:
    from filelock import FileLock

    hidden = tmp_path / "out" / ".farm"
    hidden.mkdir(parents=True)
    with FileLock(hidden / "lock"), pytest.raises(SVIError, match="another batch writes to"):
        batch(tmp_path / "out", told(s="a"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_batch_that_is_ended_goes_on_where_it_was(
    tmp_path: Path, marks: Path, sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_COMFY_SECONDS", "0.3")
    out, stories = tmp_path / "out", {"s": "a\n---\nb\n---\nc\n---\nd", "t": "e"}
    asked = command(tmp_path, out, stories)
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        wait(lambda: len(sampled(marks)) >= 2)
        process.send_signal(sent)
        said = process.communicate(timeout=60)[0]
    if sent is not signal.SIGKILL:
        assert process.returncode == 1, said
        assert "stopped: what is finished stays, and the same command continues from there" in said
        assert not (out / ".farm").exists()
    wait(lambda: programs() == [], 15)
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert reel(out, "s").problems() == []
    assert len(reel(out, "s").clips) == 4
    assert not reel(out, "s").spare
    assert len(sampled(marks)) <= 6, "at most the clip that was at work is made again"
    assert not (out / ".farm").exists()


@pytest.mark.parametrize(("arguments", "said"), [
    ([], "name what renders: --comfyui DIR"),
    (["--server", "10.0.0.5"], "--server must be an address"),
    (["--server", "http://127.0.0.1:9"], "no worker started: http://127.0.0.1:9 does not answer"),
    (["--comfyui", "."], "--comfyui must be ComfyUI's folder"),
    (["--comfyui", str(COMFYUI), "--gpus", "9"], "--gpus 9: this machine has"),
    (["--comfyui", str(COMFYUI), "--set", "steps"], '--set must be "title or id.input=value"'),
])  # fmt: skip
def test_arguments_that_cannot_be(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from wanvideo_svi.wrapper_ext.cli.main import main

    (tmp_path / "graph.json").write_text(json.dumps(graph()))
    (tmp_path / "s.txt").write_text("a")
    given = ["render", str(tmp_path / "graph.json"), str(tmp_path / "s.txt"), "--out", str(tmp_path / "out")]
    assert main([*given, *arguments]) == 2
    assert said in capsys.readouterr().err


def test_without_aiohttp_one_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wanvideo_svi.wrapper_ext.cli import render as cli
    from wanvideo_svi.wrapper_ext.cli.main import main

    monkeypatch.setattr(cli, "find_spec", lambda name: None)  # noqa: ARG005
    assert main(["render", str(tmp_path / "graph.json"), str(tmp_path / "s.txt")]) == 2
    assert "pip install aiohttp" in capsys.readouterr().err


def test_a_server_that_runs_renders_whole_stories(tmp_path: Path, marks: Path) -> None:
    from wanvideo_svi.wrapper_ext.farm.process import ComfyProcess, Program

    process = ComfyProcess(Program(folder=COMFYUI, python=sys.executable), tmp_path / "pod")
    process.start()
    try:
        report, code, _ = batch(tmp_path / "out", told(s=STORY, t="d"), comfyui=None, servers=[process.url])
        assert process.is_alive()
        report, code, _ = batch(tmp_path / "out", told(s=STORY, t="d"), comfyui=None, servers=[process.url])
    finally:
        process.stop()
    assert (code, states(report)) == (0, {"s": "kept", "t": "kept"})
    assert sampled(marks) == [3, 45, 87, 3]
    video = next((tmp_path / "pod").glob("output/svi_reels/s/*.mp4"))
    assert (tmp_path / "out" / "s.mp4").read_bytes() == video.read_bytes()


@pytest.mark.usefixtures("copied")
def test_a_take_is_measured_before_the_batch(tmp_path: Path, marks: Path) -> None:
    out = tmp_path / "out"
    _, code, said = batch(out, told(s="a\n---\nb", t="c"), bench=True)
    assert code == 0
    assert sampled(marks) == [4, 5, 3, 45, 3], "one to warm, one to measure, then the stories"
    assert re.match(r"a take: \d+\.\d s on worker-1; 3 takes, \d+ min, done at 20", said[0])
    assert sorted(path.name for path in (out / "reels").iterdir()) == ["s", "t"]


def test_a_dry_run_says_what_would_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from wanvideo_svi.wrapper_ext.cli.main import main

    (tmp_path / "graph.json").write_text(json.dumps(graph()))
    (tmp_path / "s.txt").write_text(SCENES)
    given = ["render", str(tmp_path / "graph.json"), str(tmp_path / "s.txt"), "--out", str(tmp_path / "out")]
    assert main([*given, "--dry-run", "--workers", "4", "--seconds", "60"]) == 0
    said = capsys.readouterr().out
    assert "s      6      8        7     2" in said
    assert "1 worker: 8 min at 60 s a take, 1.0 times as fast as one; at least 3 min" not in said
    assert "4 workers: 3 min" in said
    assert not (tmp_path / "out" / "reels").exists()
