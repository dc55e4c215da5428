"""Batches on workers that start a program which stands in for ComfyUI."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.wrapper_ext.farm.render import Options, render
from wanvideo_svi.wrapper_ext.farm.show import PlainShow
from wanvideo_svi.wrapper_ext.farm.stories import Story

COMFYUI = Path(__file__).parent / "fake_comfyui"
STORY = "a lake\n---\na boat\n---\nfog"


def graph(**inputs: Any) -> dict[str, Any]:
    """An API graph with a Long Video, small clips."""
    values = {
        "story": "a\n---\nb", "mode": "film", "width": 64, "height": 64, "num_frames": 17, "overlap_frames": 0,
        "seed": 3, "fps": 16.0, "reel": "x", "resume": True, "sampler_inputs": ["2", 0], "start_image": ["3", 0],
        "t5": ["1", 1], "vae": ["1", 2],
    }  # fmt: skip
    return {
        "1": {"class_type": "WanVideoModelLoader", "inputs": {"model": "wan.safetensors"}, "_meta": {"title": "Model"}},
        "2": {"class_type": "WanVideoSamplerSettings", "inputs": {"model": ["1", 0], "steps": 8},
              "_meta": {"title": "Sampler Settings"}},
        "3": {"class_type": "LoadImage", "inputs": {"image": "here.png"}, "_meta": {"title": "Load Image"}},
        "4": {"class_type": "WanVideoSVILongVideo", "inputs": {**values, **inputs}, "_meta": {"title": "Long Video"}},
    }  # fmt: skip


def told(**stories: str) -> list[Story]:
    return [Story(name=name, text=text, where=f"{name}.txt") for name, text in stories.items()]


def batch(
    out: Path, stories: Sequence[Story], *, of: Mapping[str, Any] | None = None, sets: Sequence[tuple[str, Any]] = (),
    **options: Any,
) -> tuple[dict[str, Any], int, list[str]]:  # fmt: skip
    """The report of a batch, its exit code, and what was said. options: of `Options`."""
    said: list[str] = []
    given = {"comfyui": COMFYUI, "python": sys.executable, "hang": 60.0, **options}
    made_of = json.loads(json.dumps(of or graph()))
    report, code = render(lambda _: made_of, stories, sets, Options(out=out, **given), PlainShow(said.append))
    return report, code, said


def states(report: Mapping[str, Any]) -> dict[str, str]:
    return {row["story"]: row["state"] for row in report["stories"]}


def same(one: Reel, other: Reel) -> bool:
    """Whether two reels have the same chain, to the bit."""
    return [(take.digest, take.video.sha256, take.tail.sha256) for take in one.clips] == [
        (take.digest, take.video.sha256, take.tail.sha256) for take in other.clips
    ]


def reel(out: Path, name: str) -> Reel:
    return open_reel(out / "reels" / name)


def sampled(marks: Path) -> list[int]:
    """Seeds of what the programs sampled, in order. marks: the fixture of that name."""
    file = marks / "sampled"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def programs() -> list[int]:
    """Ids of the programs of workers that run on this machine, those of this test."""
    marks = Path(os.environ["FAKE_COMFY_MARKS"])
    found, mine = [], f"FAKE_COMFY_MARKS={marks}\0".encode()
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        try:
            if not entry.name.isdigit() or (entry / "cwd").readlink() != COMFYUI:
                continue
            # A copy shows the environment of what it is a copy of; its log lies beside the marks.
            is_copy = (entry / "fd" / "1").readlink().is_relative_to(marks.parent)
            if (is_copy or mine in (entry / "environ").read_bytes()) and _runs(entry):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _runs(entry: Path) -> bool:
    """Not one that has ended and waits to be told of."""
    return (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def command(folder: Path, out: Path, stories: Mapping[str, str], *more: str) -> list[str]:
    """`wanvideo-svi render` for stories, which are written into a folder."""
    (folder / "graph.json").write_text(json.dumps(graph()))
    for name, text in stories.items():
        (folder / f"{name}.txt").write_text(text)
    run = "import sys; from wanvideo_svi.wrapper_ext.cli.main import main; sys.exit(main())"
    return [
        sys.executable, "-c", run, "render",
        str(folder / "graph.json"), *(str(folder / f"{name}.txt") for name in stories), "--comfyui", str(COMFYUI),
        "--python", sys.executable, "--out", str(out), *more,
    ]  # fmt: skip


def wait(what: Callable[[], Any], seconds: float = 60) -> None:
    """Until something is so."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)
