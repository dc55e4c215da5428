"""A disk that refuses at any moment: what was there stays, the error says what to do, and the next run succeeds."""

from __future__ import annotations

import errno
import io
import itertools
import json
import os
import random
import re
import shutil
import signal
import sys
import time
import types
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from copies import nursery
from faults import (
    BEGUN,
    CODES,
    Disk,
    FlatHost,
    alike,
    differing,
    embeds,
    files_of,
    render,
    render_and_tell,
    same_but_names,
    save_and_tell,
)
from graph_files import mp4, png
from helpers import add_take, frames
from old_graphs import pixel_chain
from PIL import Image
from project import ROOT
from wanvideo_svi.svi_embeds.clips.embeds_file import save_embeds
from wanvideo_svi.svi_embeds.drift.measure import Measured
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import to_pixels, write_video
from wanvideo_svi.svi_embeds.reel.manifest import MANIFEST, Take
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.host import show as host_show

LONG = bool(os.environ.get("SVI_LONG_TESTS"))


def command(*arguments: object) -> None:
    """Runs `wanvideo-svi`; what it says of a failure is raised."""
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        code = main([str(argument) for argument in arguments])
    if code:
        raise SVIError(said.getvalue())


def add(writer: ReelWriter, before: list[Take], digest: str) -> Take:
    images = frames(5, height=32, width=32, seed=ord(digest))
    return add_take(writer, digest * 64, images, before=before, overlap=min(len(before), 1), tail=images[-1:].clone(),
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


def a_video(folder: Path) -> None:
    images = map(to_pixels, frames(12, height=32, width=32))
    write_video(folder / "v.mkv", images, width=32, height=32, fps=16)
    measure_drift(folder)
    for path in folder.glob("v_drift.*"):
        path.write_bytes(b"of before")


def measure_drift(folder: Path) -> None:
    noise = to_pixels(frames(height=200, width=200)[0])
    with mock.patch.object(Measured, "picture", return_value=Image.fromarray(noise)):  # drawing it takes longest
        command("drift", folder / "v.mkv", "--clip-frames", 6, "--out", folder)


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
        host_show.show(Image.new("RGB", (8, 8)), "svi")


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
    "drift": Operation(measure_drift, a_video, "v_drift"),
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
            is_whole = alike(left.get(name), data) or alike(left.get(name), new.get(name))
            assert is_whole, f"{where}: {name} is neither old nor new"
    else:
        other = differing(same_but_names(files_of(folder)), wanted)
        assert not other, where
    left = same_but_names(files_of(folder))
    operation.run(folder)
    whole = [*wanted, *left] if operation.numbered else wanted
    other = differing(same_but_names(files_of(folder)), whole)
    assert not other, f"{where}: the next run"


def test_a_folder_that_becomes_read_only_at_any_moment(place: Callable[[], Path]) -> None:
    """Also for root, whom permission bits do not bind."""
    operation, template = OPERATIONS["next clip"], place()
    operation.before(template)
    whole = place()
    shutil.copytree(template, whole, dirs_exist_ok=True)
    with Disk(whole).watching() as disk:
        operation.run(whole)
    wanted = same_but_names(files_of(whole))
    for at, point in enumerate(disk.seen):
        folder = place()
        shutil.copytree(template, folder, dirs_exist_ok=True)
        check_one(operation, folder, Disk(folder, at, errno.EROFS, lasting=True), wanted, point)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_embeds_that_outgrow_the_disk(place: Callable[[], Path], share: float) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    folder = place()
    saved_embeds(folder)
    before = files_of(folder)
    room = max(int(share * len(before["e.safetensors"])) - 1, 0)
    limit, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))
    try:
        with pytest.raises(SVIError, match=r"e\.safetensors cannot be written: .*free disk space"):
            save_embeds(embeds(7), folder / "e.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert not differing(list(files_of(folder).items()), list(before.items()))
    save_embeds(embeds(7), folder / "e.safetensors")
    assert files_of(folder).keys() == before.keys()


class VanishingHost(FlatHost):
    """The reel's folder is gone while its second clip is sampled."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def WanVideoSamplerFromSettings(self, **inputs: Any) -> tuple[Any, ...]:
        if self.count("WanVideoSamplerFromSettings") == 2:
            self.folder.rename(self.folder.with_name("elsewhere"))
        return super().WanVideoSamplerFromSettings(**inputs)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows moves no folder that has open files")
@pytest.mark.parametrize("back", [True, False])
def test_a_reel_whose_folder_vanishes(place: Callable[[], Path], back: bool) -> None:
    whole, folder = place(), place()
    render(whole)
    with pytest.raises(SVIError, match=r"reel r: .* could not be written: .*free disk space"):
        render(folder, VanishingHost(folder / "r"))
    if back:
        (folder / "elsewhere").rename(folder / "r")
        assert all("belongs to no clip" in problem for problem in open_reel(folder / "r").problems())
    render(folder)
    assert not differing(same_but_names(files_of(folder / "r")), same_but_names(files_of(whole / "r")))


@pytest.mark.parametrize("hidden", ["stat", "iterdir"])
def test_what_cannot_be_read_is_not_taken_for_an_empty_reel(
    place: Callable[[], Path], hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place()
    a_reel(folder)
    if hidden == "iterdir":
        (folder / "r" / MANIFEST).unlink()
    before = files_of(folder)
    real = getattr(Path, hidden)

    def refuse(path: Path, **options: Any) -> Any:
        if path in (folder / "r", folder / "r" / MANIFEST) and not (path == folder / "r" and hidden == "stat"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, hidden, refuse)
        with pytest.raises(SVIError, match=r"reel r: manifest\.json could not be written: .*Input/output error"):
            new_reel(folder)
    assert not differing(list(files_of(folder).items()), list(before.items()))


# Clocks


def test_a_clock_that_goes_backwards_makes_no_clip_again(
    place: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, folder = place(), place()
    render(whole)
    hours = itertools.count(time.time(), -3600)
    monkeypatch.setattr(time, "time", lambda: next(hours))
    assert render(folder).sampled == (0, 1)
    ahead = time.time() + 10**6
    for path in (folder / "r").glob("clip_*"):
        os.utime(path, (ahead, ahead))
    assert render(folder).sampled == ()
    assert open_reel(folder / "r").problems() == []
    assert not differing(same_but_names(files_of(folder)), same_but_names(files_of(whole)))


def test_what_killed_runs_left_goes_whatever_the_clock_did_since(place: Callable[[], Path]) -> None:
    folder = place()
    left = [folder / f".svi_{digit * 32}.safetensors" for digit in "abc"]
    for path, hours in zip(left, (-2, 2, 0), strict=True):
        path.write_bytes(b"half")
        os.utime(path, (time.time() + 3600 * hours,) * 2)
    save_embeds(embeds(), folder / "e.safetensors")
    assert [path.exists() for path in left] == [False, False, True], "the last may be on its way"


# Kills, and two processes at once


@pytest.fixture(name="nursery")
def _nursery() -> Any:
    return nursery()


def start(nursery: Any, work: Callable[..., None], *args: Any) -> tuple[Any, Any]:
    """A process, and what it says."""
    heard, said = nursery.Pipe(duplex=False)
    process = nursery.Process(target=work, args=(args[0], said, *args[1:]))
    process.start()
    said.close()
    return process, heard


def all_of(heard: Any) -> list[Any]:
    """What a process says until its end, whatever that is."""
    found = []
    with suppress(EOFError, OSError):
        while True:
            found.append(heard.recv())
    return found


def kill_after(seconds: float, process: Any, heard: Any) -> list[Any]:
    """Kills a process that long after it has begun. Returns what it said since."""
    assert heard.recv() == BEGUN
    process.join(seconds)
    process.kill()
    process.join()
    return all_of(heard)


def render_alone(nursery: Any, folder: Path) -> None:
    """To its end, in a process like those that are killed: figures of a look depend on the number of threads."""
    process, heard = start(nursery, render_and_tell, folder)
    all_of(heard)
    process.join()


KILLS = 100 if LONG else 10  # of each kind


def test_killed_renders_lose_no_clip_and_go_on(nursery: Any, place: Callable[[], Path]) -> None:
    whole = place()
    begun = time.monotonic()
    render_alone(nursery, whole)
    span = time.monotonic() - begun
    wanted, moments, midway = same_but_names(files_of(whole)), random.Random(1), 0
    assert len(wanted) == 5
    for _ in range(KILLS):
        folder = place()
        committed = kill_after(moments.uniform(0, span), *start(nursery, render_and_tell, folder))
        if (folder / "r" / MANIFEST).exists():
            reel = open_reel(folder / "r")
            problems = reel.problems()
            assert all("belongs to no clip" in problem for problem in problems)
            assert {clip.digest for clip in reel.clips} >= set(committed)
            midway += bool(problems)
        else:
            assert not committed
            midway += bool(files_of(folder))
        render_alone(nursery, folder)
        assert not differing(same_but_names(files_of(folder)), wanted)
        assert open_reel(folder / "r").problems() == []
    print(f"{KILLS} renders killed, {midway} in the middle of a write")


def test_killed_saves_leave_the_old_embeds_or_the_new(nursery: Any, place: Callable[[], Path]) -> None:
    folder, moments, midway = place(), random.Random(2), 0
    path, whole = folder / "e.safetensors", []
    for seed in (7, 0):
        save_embeds(embeds(seed), path)
        whole.append(path.read_bytes())
    for _ in range(KILLS):
        kill_after(moments.uniform(0, 0.03), *start(nursery, save_and_tell, folder, (7, 0), 10**6))
        assert path.read_bytes() in whole
        left = [found for found in folder.iterdir() if found != path]
        midway += bool(left)
        for found in left:
            os.utime(found, (0, 0))  # an hour later
        save_embeds(embeds(7), path)
        assert [name for name, data in files_of(folder).items() if data != whole[0]] == []
    print(f"{KILLS} saves killed, {midway} in the middle of a write")


def test_two_processes_save_to_one_name(nursery: Any, place: Callable[[], Path]) -> None:
    folder = place()
    path, whole = folder / "e.safetensors", []
    for seed in (7, 0):
        save_embeds(embeds(seed), path)
        whole.append(path.read_bytes())
    both = [start(nursery, save_and_tell, folder, (seed,), 50) for seed in (7, 0)]
    while any(process.is_alive() for process, _ in both):
        assert path.read_bytes() in whole
    assert [all_of(heard) for _, heard in both] == [[BEGUN, *range(50)]] * 2
    assert list(files_of(folder)) == ["e.safetensors"]


def test_two_processes_render_into_one_reel(nursery: Any, place: Callable[[], Path]) -> None:
    whole = place()
    render_alone(nursery, whole)
    for _ in range(5):
        folder = place()
        both = [start(nursery, render_and_tell, folder) for _ in range(2)]
        said = [all_of(heard)[1:] for _, heard in both]
        refused = [line for lines in said for line in lines if "is being written by another run" in line]
        made = [line for lines in said for line in lines if line not in refused]
        assert len(made) == 2, "each clip is made once"
        assert len(refused) <= 1
        assert not differing(same_but_names(files_of(folder)), same_but_names(files_of(whole)))


# The page


def test_every_test_here_is_on_the_page_and_the_page_names_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "faults.md").read_text(encoding="utf-8")
    own = {name for name in globals() if name.startswith("test_")} - {
        "test_every_test_here_is_on_the_page_and_the_page_names_no_other"
    }
    assert set(re.findall(r"`(test_(?!faults)\w+)`", page)) == own
