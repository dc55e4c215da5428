"""A disk that refuses at any moment: what was there stays, the error says what to do, and the next run succeeds."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import sys
import types
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from faults import CODES, Disk, files_of, same_but_names
from helpers import TraceVAE, frames
from old_graphs import pixel_chain
from PIL import Image
from test_migrate_files import mp4, png
from test_render import FakeHost, Report, job
from wanvideo_svi.svi_embeds.clip import make_clip
from wanvideo_svi.svi_embeds.clip_video import to_pixels, write_video
from wanvideo_svi.svi_embeds.embeds_file import save_embeds
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import Take
from wanvideo_svi.svi_embeds.reel_writer import ReelWriter
from wanvideo_svi.wrapper_ext import host
from wanvideo_svi.wrapper_ext.cli import main
from wanvideo_svi.wrapper_ext.render import render_chain

LONG = bool(os.environ.get("SVI_LONG_TESTS"))


def command(*arguments: object) -> None:
    """Runs `wanvideo-svi`; what it says of a failure is raised."""
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        code = main([str(argument) for argument in arguments])
    if code:
        raise SVIError(said.getvalue())


def embeds(seed: int = 0) -> Any:
    return make_clip(
        TraceVAE(), mode="shot", width=64, height=64, num_frames=5, start_image=frames(5, seed=seed),
        ref_image=frames(seed=1),
    ).embeds  # fmt: skip


def add(writer: ReelWriter, before: list[Take], digest: str) -> Take:
    images = frames(5, height=32, width=32, seed=ord(digest))
    return writer.add(
        digest * 64, images, before=before, overlap=min(len(before), 1), tail=images[-1:].clone(),
        latents=torch.zeros(16, 2, 4, 4), prompt="", seed=0, mode="film", seconds=0,
    )  # fmt: skip


# What is written, each with what was there before


def a_reel(folder: Path) -> None:
    """Two clips, a spare one, and a joined video of a chain of before."""
    with ReelWriter(folder / "r", fps=16) as writer:
        first = add(writer, [], "a")
        add(writer, [first], "f")
        add(writer, [first], "b")
    (folder / "r" / "r_00000000_16fps.mp4").write_bytes(b"of another chain")


def new_reel(folder: Path) -> None:
    with ReelWriter(folder / "r", fps=16) as writer:
        add(writer, [], "a")


def next_clip(folder: Path) -> None:
    with ReelWriter(folder / "r", fps=16) as writer:
        add(writer, list(writer.reel.clips[:2]), "c")


def same_clip_again(folder: Path) -> None:
    with ReelWriter(folder / "r", fps=16) as writer:
        add(writer, list(writer.reel.clips[:1]), "b")


def another_chain(folder: Path) -> None:
    with ReelWriter(folder / "r", fps=16) as writer:
        takes = {take.digest[0]: take for take in (*writer.reel.clips, *writer.reel.spare)}
        writer.set_chain([takes["a"], takes["f"]])


def join(folder: Path, suffix: str, video_format: str) -> None:
    out = folder / "out" / f"joined.{suffix}"
    command("reel", "assemble", folder / "r", "--format", video_format, "--out", out)


def a_joined_reel(folder: Path) -> None:
    a_reel(folder)
    (folder / "out").mkdir()
    for suffix in ("mkv", "mp4"):
        (folder / "out" / f"joined.{suffix}").write_bytes(b"of before")


class FlatHost(FakeHost):
    """Its clips are of one colour each: small files, few writes."""

    def WanVideoDecode(self, **inputs: Any) -> tuple[torch.Tensor]:
        images = super().WanVideoDecode(**inputs)[0]
        return (images.mean().expand_as(images),)


def render(folder: Path) -> None:
    with ReelWriter(folder / "r", fps=16) as writer:
        render_chain(job("a lake\n---\na boat"), writer, FlatHost(), Report(), resume=True)


def a_video(folder: Path) -> None:
    images = map(to_pixels, frames(12, height=32, width=32))
    write_video(folder / "v.mkv", images, width=32, height=32, fps=16)
    command("drift", folder / "v.mkv", "--clip-frames", 6, "--out", folder)
    for path in folder.glob("v_drift.*"):
        path.write_bytes(b"of before")


def graphs(folder: Path) -> None:
    text = json.dumps(pixel_chain())
    (folder / "in.json").write_text(text)
    png(folder / "in.png", {"workflow": text})
    mp4(folder / "in.mp4", {"workflow": text})
    (folder / "out.json").write_text("of before")


def saved_embeds(folder: Path) -> None:
    save_embeds(embeds(), folder / "e.safetensors")
    (folder / "e_sheet.png").write_bytes(b"of before")


def show_picture(folder: Path) -> None:
    paths: Any = types.ModuleType("folder_paths")
    paths.get_temp_directory = lambda: str(folder)
    with mock.patch.dict(sys.modules, folder_paths=paths):
        host.show(Image.new("RGB", (8, 8)), "svi")


@dataclass(frozen=True)
class Operation:
    """Something that is written.

    before: makes what was there. names: what an error must name. all_codes: whether each point is tried with every
    error, not only with SVI_LONG_TESTS. numbered: each run writes a file of its own, not the same one.
    """

    run: Callable[[Path], None]
    before: Callable[[Path], None] = lambda _: None
    names: str = ""
    all_codes: bool = True
    numbered: bool = False


OPERATIONS = {
    "new reel": Operation(new_reel, names="reel r"),
    "next clip": Operation(next_clip, a_reel, "reel r"),
    "same clip again": Operation(same_clip_again, a_reel, "reel r"),
    "another chain": Operation(another_chain, a_reel, "reel r"),
    "clean": Operation(lambda folder: command("reel", "clean", folder / "r"), a_reel, "reel r"),
    "join ffv1": Operation(lambda folder: join(folder, "mkv", "ffv1"), a_joined_reel, "joined.mkv"),
    "join h264": Operation(lambda folder: join(folder, "mp4", "h264"), a_joined_reel, "joined.mp4"),
    "long video": Operation(render, names="reel r", all_codes=False),
    "drift": Operation(
        lambda folder: command("drift", folder / "v.mkv", "--clip-frames", 6, "--out", folder), a_video, "v_drift",
        all_codes=False,
    ),
    **{
        f"migrate {suffix}": Operation(
            lambda folder, suffix=suffix: command("migrate", folder / f"in.{suffix}", "-o", folder / "out.json"),
            graphs, "out.json", all_codes=suffix == "json",
        )
        for suffix in ("json", "png", "mp4")
    },
    "embeds": Operation(lambda folder: save_embeds(embeds(7), folder / "e.safetensors") and None, saved_embeds,
                        "e.safetensors"),
    "inspect": Operation(lambda folder: command("inspect", folder / "e.safetensors"), saved_embeds, "e_sheet.png"),
    "show": Operation(show_picture, names="svi_", numbered=True),
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Callable[[], Path]:
    """Makes empty folders."""
    numbers = itertools.count()

    def new() -> Path:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return folder

    return new


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_fault_at_every_point(name: str, place: Callable[[], Path]) -> None:
    operation = OPERATIONS[name]
    template = place()
    operation.before(template)
    whole = place()
    shutil.copytree(template, whole, dirs_exist_ok=True)
    with Disk(whole).watching() as disk:
        operation.run(whole)
    wanted, points = same_but_names(files_of(whole)), disk.seen
    assert len(points) >= 5
    for at, point in enumerate(points):
        for code in CODES if LONG or operation.all_codes else CODES[at % 3 :][:1]:
            folder = place()
            shutil.copytree(template, folder, dirs_exist_ok=True)
            where = f"{name}, {point} ({at}), error {code}"
            fault = Disk(folder, at, code, lasting=code == CODES[0])
            check_one(operation, folder, fault, wanted, where)
            shutil.rmtree(folder)


def check_one(operation: Operation, folder: Path, disk: Disk, wanted: list[tuple[str, bytes]], where: str) -> None:
    before = files_of(folder)
    try:
        with disk.watching():
            operation.run(folder)
    except SVIError as error:
        said = str(error)
        assert operation.names in said, where
        assert "free disk space or the folder's permissions" in said, where
        left = files_of(folder)
        new = dict(wanted)
        for name, data in before.items():
            assert left.get(name) == data or left.get(name) == new.get(name), f"{where}: {name} is neither old nor new"
    else:
        assert same_but_names(files_of(folder)) == wanted, where
    left = same_but_names(files_of(folder))
    operation.run(folder)
    whole = [*wanted, *left] if operation.numbered else wanted
    assert same_but_names(files_of(folder)) == whole, f"{where}: the next run"
