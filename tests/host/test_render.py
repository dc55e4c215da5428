"""`wanvideo-svi render` with real ComfyUIs: the frames of the same made one by one, parts of a story, kills."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from farms import same, states, wait
from host.comfyui import Comfy
from host.long_chains import PROMPTS, chain, long_only, story
from wanvideo_svi.svi_embeds.files.video import read_video
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.wrapper_ext.farm.render import Options, render
from wanvideo_svi.wrapper_ext.farm.show import PlainShow
from wanvideo_svi.wrapper_ext.farm.stories import Story

SCENES = "a lake\n---\na boat\n---\n[cut]\na mill\n---\nits wheel\n---\n[cut]\na hill\n---\n[cut]\nsun"
TAKES = "a lake\n---\n[takes=4]\na boat\n---\nfog"


def stories(count: int) -> dict[str, str]:
    return {f"s{number}": story(tuple(f"{prompt} {number}" for prompt in PROMPTS[:3])) for number in range(count)}


def options(comfy: Comfy, out: Path, **more: Any) -> Options:
    arguments = ("--cpu", "--base-directory", str(comfy.base))
    return Options(out=out, comfyui=comfy.comfyui, python=comfy.python, arguments=arguments, **more)


def made(comfy: Comfy, out: Path, texts: dict[str, str], **more: Any) -> tuple[dict[str, Any], float, list[str]]:
    """The report of a batch, how long its jobs took from the first to the last, and what was said."""
    said: list[str] = []
    graph, _ = chain(story(), "x")
    asked = [Story(name=name, text=text, where=name) for name, text in texts.items()]
    times: list[float] = []

    def say(line: str) -> None:
        times.append(time.monotonic())
        said.append(line)

    report, code = render(
        lambda _: json.loads(json.dumps(graph)), asked, [], options(comfy, out, **more), PlainShow(say)
    )
    assert code == 0, said
    return report, times[-1] - times[0], said


def by_hand(comfy: Comfy, texts: dict[str, str]) -> None:
    """The same by the queue of one ComfyUI."""
    for name, text in texts.items():
        comfy.run(chain(text, f"hand_{name}")[0])


def check(comfy: Comfy, out: Path, texts: dict[str, str]) -> None:
    """That each reel is the one that was made by hand, to the bit, and its video shows it. The bytes of a joined H.264
    may differ from run to run (docs/reference/faults.md)."""
    for name in texts:
        hand = comfy.base / "output" / "svi_reels" / f"hand_{name}"
        found = open_reel(out / "reels" / name)
        assert found.problems() == []
        assert same(found, open_reel(hand)), name
        assert sum(1 for _ in read_video(out / f"{name}.mp4")) == found.total_frames, name


def programs(out: Path) -> list[int]:
    """ComfyUIs of a batch, by the folders they were told to write to."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_text().split("\0")
        except OSError:
            continue
        if "main.py" in words and any(word.startswith(str(out)) for word in words):
            found.append(int(entry.parent.name))
    return found


def test_scenes_and_takes_side_by_side_are_those_of_one_run(comfy: Comfy, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not there: pip install wanvideo-svi[farm]")
    texts = {"scenes": SCENES, "takes": TAKES}
    by_hand(comfy, texts)
    report, _, said = made(comfy, tmp_path / "out", texts, workers=2, split=True)
    check(comfy, tmp_path / "out", texts)
    assert {worker for row in report["stories"] for worker in row["workers"]} == {"worker-1", "worker-2"}
    assert sum("takes: clip 2." in line and "made" in line for line in said) == 4
    assert [row["takes_made"] for row in report["stories"]] == [6, 6]
    assert programs(tmp_path) == []


def test_a_picture_of_comfyui_and_a_saved_image_go_to_the_worker(comfy: Comfy, tmp_path: Path) -> None:
    """A graph in a video that ComfyUI saved, and an image through its upload route and its own loader."""
    from PIL import Image

    Image.effect_noise((80, 60), 90).convert("RGB").save(tmp_path / "noise.png")
    graph, node = chain("a lake", "x")
    graph[node]["inputs"].pop("start_image")
    asked = [Story(name="s", text="a lake", images={"start_image": tmp_path / "noise.png"}, where="row 1")]
    _, code = render(lambda _: graph, asked, [], options(comfy, tmp_path / "out"), PlainShow(print))
    assert code == 0
    found = open_reel(tmp_path / "out" / "reels" / "s")
    assert len(found.clips) == 1
    assert found.problems() == []


@long_only
def test_eight_stories_on_one_worker_and_on_two(comfy: Comfy, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not there: pip install wanvideo-svi[farm]")
    texts = stories(8)
    by_hand(comfy, texts)
    seconds = {}
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        report, seconds[workers], _ = made(comfy, out, texts, workers=workers, threads=1)
        check(comfy, out, texts)
        assert set(states(report).values()) == {"done"}
        assert not (out / ".farm").exists()
    print(f"8 stories of 3 clips: {seconds[1]:.0f} s on one worker, {seconds[2]:.0f} s on two, one thread each")


@long_only
def test_thirty_kills_lose_nothing_and_double_nothing(comfy: Comfy, tmp_path: Path) -> None:
    """ComfyUIs, Ray's worker processes and drivers, killed at random over twenty stories."""
    pytest.importorskip("ray", reason="Ray is not there: pip install wanvideo-svi[farm]")
    chance, texts, out = random.Random(7), stories(20), tmp_path / "out"
    graph, _ = chain(story(), "x")
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text)
    run = "import sys; from wanvideo_svi.wrapper_ext.cli.main import main; sys.exit(main())"
    files = [str(tmp_path / f"{name}.txt") for name in texts]
    command = [
        sys.executable, "-c", run, "render", str(tmp_path / "graph.json"), *files, "--comfyui", str(comfy.comfyui),
        "--python", comfy.python, "--out", str(out), "--workers", "2", "--retries", "30",
        "--comfyui-args", f"--cpu --base-directory {comfy.base}",
    ]  # fmt: skip
    kills, starts, retries = dict.fromkeys(("comfyui", "worker", "driver"), 0), 0, 0
    while True:
        starts += 1
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            while process.poll() is None and sum(kills.values()) < 30:
                time.sleep(chance.uniform(5, 20))
                there, who = programs(out), chance.choice(["comfyui", "comfyui", "worker", "worker", "driver"])
                if not there or process.poll() is not None:
                    continue
                victim = chance.choice(there)
                parent = int(Path(f"/proc/{victim}/stat").read_text().rsplit(")", 1)[1].split()[1])
                os.kill({"comfyui": victim, "worker": parent, "driver": process.pid}[who], signal.SIGKILL)
                kills[who] += 1
                wait(lambda victim=victim: victim not in programs(out), 15)  # no ComfyUI outlives its worker
            said = process.communicate(timeout=3000)[0]
        wait(lambda: programs(out) == [], 30)
        assert process.returncode in (0, -signal.SIGKILL), said
        if process.returncode == 0:
            break
    report = json.loads((out / "report.json").read_text())
    retries = sum(row["retries"] for row in report["stories"])
    print(f"kills {kills}, starts {starts}, retries in the last {retries}")
    by_hand(comfy, texts)
    check(comfy, out, texts)
    for name in texts:
        found = open_reel(out / "reels" / name)
        assert (len(found.clips), len(found.spare)) == (3, 0), name
        assert [path.name for path in found.folder.iterdir() if path.name.endswith(".tmp")] == []
    assert not (out / ".farm").exists()
