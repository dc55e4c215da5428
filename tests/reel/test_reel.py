"""Reels: clips come back to the bit, a stopped or damaged reel is seen and mended, joining trims the overlap."""

from __future__ import annotations

import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from copies import said_by
from faults import as_nobody
from helpers import add_take, frames
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.track import Soundtrack
from wanvideo_svi.svi_embeds.files.video import FORMATS, read_video, to_images, to_pixels, video_rate, write_video
from wanvideo_svi.svi_embeds.ground.fingerprint import fingerprint
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.reel import check_reel_name, list_reels, open_reel, reel_state
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.cli.reel import default_reels


def add(writer: ReelWriter, before, digest: str, *, count: int = 9, overlap: int = 0, seed: int = 0, tail: int = 5):
    images = frames(count, seed=seed)
    return add_take(writer, digest * 64 if len(digest) == 1 else digest, images, before=before, overlap=overlap,
        tail=images[-tail:].clone(), prompt=f"prompt {seed}", seed=seed, mode="film", seconds=1.0,
    )  # fmt: skip


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    """Three clips of 9, 13 and 9 frames with overlaps 0, 5 and 1."""
    folder = tmp_path / "reel"
    with ReelWriter(folder, fps=16) as writer:
        takes = [add(writer, [], "a", seed=1)]
        takes.append(add(writer, takes, "b", count=13, overlap=5, seed=2))
        takes.append(add(writer, takes, "c", overlap=1, seed=3))
    return folder


def expected() -> np.ndarray:
    """The joined frames of that reel."""
    clips = [frames(9, seed=1), frames(13, seed=2)[5:], frames(9, seed=3)[1:]]
    return (torch.cat(clips) * 255).to(torch.uint8).numpy()


def test_frames_and_tails_come_back_to_the_bit(reel: Path) -> None:
    found = open_reel(reel)
    assert [clip.frames for clip in found.clips] == [9, 13, 9]
    assert found.total_frames == 25
    assert found.seconds == 25 / 16
    assert (np.stack(list(found.frames())) == expected()).all()
    for clip, seed, count in zip(found.clips, (1, 2, 3), (9, 13, 9), strict=True):
        tail, latents = found.tail(clip)
        assert torch.equal(tail, frames(count, seed=seed)[-5:])
        assert latents is None
    assert found.problems() == []


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (8, 10), (9, 17), (16, 25), (24, 25), (3, 3), (0, 25)])
def test_any_span_of_the_joined_chain_can_be_read(reel: Path, start: int, stop: int) -> None:
    found = list(open_reel(reel).frames(start, stop))
    assert len(found) == stop - start
    assert all((a == b).all() for a, b in zip(found, expected()[start:stop], strict=True))


def test_a_span_outside_the_chain_is_refused(reel: Path) -> None:
    for start, stop in ((-1, 2), (0, 26), (5, 4)):
        with pytest.raises(SVIError, match=r"has frames 0\.\.24"):
            list(open_reel(reel).frames(start, stop))


def test_latents_travel_exactly_in_every_type(tmp_path: Path) -> None:
    images = frames(9)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        latents = torch.randn(16, 2, 8, 8).to(dtype)
        with ReelWriter(tmp_path / str(dtype)[6:], fps=16) as writer:
            take = add_take(writer, "a" * 64, images, before=[], tail=images[-1:], latents=latents, mode="svi2_pro")
            back = writer.reel.tail(take)[1]
        assert back.dtype == dtype
        assert torch.equal(back, latents)
        assert take.tail_latents == 2


def test_8_bit_frames_survive_the_way_through_an_image(reel: Path) -> None:
    images = to_images(open_reel(reel).frames(), 25)
    assert all((to_pixels(image) == pixels).all() for image, pixels in zip(images, expected(), strict=True))
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 256, 1).repeat(1, 1, 3)
    assert (to_pixels(to_images([every.numpy()], 1)[0]) == every.numpy()).all()


def test_an_edit_leaves_the_old_takes_and_they_count_again(reel: Path) -> None:
    with ReelWriter(reel, fps=16) as writer:
        first, second, third = writer.reel.clips
        new = add(writer, [first], "d", count=13, overlap=5, seed=9)
        assert writer.reel.clips == (first, new)
        assert set(writer.reel.spare) == {second, third}
        assert writer.find("b" * 64) == second
        writer.set_chain([first, second, third])
    found = open_reel(reel)
    assert found.clips == (first, second, third)
    assert (np.stack(list(found.frames())) == expected()).all()
    videos = [reel / f"reel_{name}_16fps.mp4" for name in (found.chain, "0" * 8)] + [reel / "mine.mp4"]
    for path in videos:
        path.write_bytes(b"x")
    assert main(["reel", "clean", str(reel)]) == 0
    assert [path.exists() for path in videos] == [True, False, True]
    found = open_reel(reel)
    assert found.spare == ()
    assert len(list(reel.glob("clip_*"))) == 6
    assert found.problems() == []


def test_the_same_digest_again_takes_the_place_of_the_old_take(reel: Path) -> None:
    with ReelWriter(reel, fps=16) as writer:
        first, second, third = writer.reel.clips
        again = add(writer, [first], "b", count=13, overlap=5, seed=2)
        writer.set_chain([first, again, third])
    assert not (reel / second.video.name).exists()
    assert open_reel(reel).problems() == []
    assert len(list(reel.glob("clip_*"))) == 6


def damage(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    elif how == "cut":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "longer":
        with path.open("ab") as file:
            file.write(b"x")
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


@pytest.mark.parametrize("how", ["gone", "cut", "longer", "flipped"])
@pytest.mark.parametrize("part", ["video", "tail"])
def test_damage_is_seen_told_and_mended(reel: Path, how: str, part: str, capsys) -> None:
    before = reel_state(reel)
    damage(reel / getattr(open_reel(reel).clips[1], part).name, how)
    assert reel_state(reel) != before
    (problem,) = open_reel(reel).problems()
    assert problem.startswith("clip 2: clip_0002_")
    assert main(["reel", "check", str(reel)]) == 1
    assert "clip 2" in capsys.readouterr().out
    with ReelWriter(reel, fps=16) as writer:
        first, _, third = writer.reel.clips
        assert writer.find("b" * 64) is None
        assert writer.find("c" * 64) == third
        again = add(writer, [first], "b", count=13, overlap=5, seed=2)
        assert writer.find("c" * 64) == third  # kept as spare meanwhile
        writer.set_chain([first, again, third])
    assert open_reel(reel).problems() == []
    assert (np.stack(list(open_reel(reel).frames())) == expected()).all()
    assert main(["reel", "check", str(reel)]) == 0


def test_a_copied_reel_is_as_good_as_the_first(reel: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(reel, copy, copy_function=shutil.copyfile)  # times are new
    with ReelWriter(copy, fps=16) as writer:
        assert all(writer.find(c.digest) for c in writer.reel.clips)
    assert open_reel(copy).problems() == []


def test_a_kill_before_the_first_manifest_leaves_a_folder_that_works(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / f".{'a' * 32}.tmp").write_bytes(b"half a manifest")
    with ReelWriter(folder, fps=16) as writer:
        add(writer, [], "a")
    assert open_reel(folder).problems() == []


def test_a_run_and_a_joining_do_not_disturb_each_other(reel: Path) -> None:
    """Joining takes no lock, and what it writes is none of a stopped run's."""
    opened: list[int] = []

    def meanwhile(done: int, _: int) -> None:
        if done == 5:
            with ReelWriter(reel, fps=16) as writer:
                opened.append(len(writer.reel.clips))
            assert open_reel(reel).problems() == []

    assert open_reel(reel).assemble(reel / "out.mkv", video_format="ffv1", progress=meanwhile) == 25
    assert opened == [3]
    left = reel / f".svi_{'3' * 32}.mp4"
    left.write_bytes(b"x")
    os.utime(left, (0, 0))
    with ReelWriter(reel, fps=16):
        half = reel / f"clip_0004_{'0' * 8}_{'1' * 8}.mkv"
        half.write_bytes(b"on its way")
        assert open_reel(reel).problems() == []
    assert not left.exists()
    assert len(open_reel(reel).problems()) == 1


def test_files_of_a_stopped_run_go_at_the_next_one(reel: Path) -> None:
    left = [reel / f"clip_0004_{'0' * 8}_{'1' * 8}.mkv", reel / f".{'2' * 32}.tmp"]
    for path in left:
        path.write_bytes(b"half")
    (reel / "notes.txt").write_text("mine")
    assert len(open_reel(reel).problems()) == 2
    with ReelWriter(reel, fps=16):
        pass
    assert not any(path.exists() for path in left)
    assert (reel / "notes.txt").exists()
    assert open_reel(reel).problems() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "is not of this pack"),
        ("[1, 2]", "is not of this pack"),
        ("", "is damaged or not of this pack"),
        ('{"format": "wanvideo-svi reel"}', "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"format": "wanvideo-svi reel", "version": 3, "takes": []}', "by another version"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_foreign_manifest_is_left_alone(reel: Path, text: str, message: str) -> None:
    (reel / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    kept = sorted(path.name for path in reel.iterdir())
    with pytest.raises(SVIError, match=message), ReelWriter(reel, fps=16):
        pass
    assert sorted(path.name for path in reel.iterdir()) == kept


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["takes"][0]["video"].update(name="../../etc/passwd"),
        lambda data: data["takes"][0]["tail"].update(name="manifest.json"),
        lambda data: data["takes"][0].update(overlap=9),
        lambda data: data["takes"][0].update(frames="9"),
        lambda data: data["takes"][0].pop("frames"),
        lambda data: data["takes"][0].update(extra=1),
        lambda data: data["chain"].append("f" * 64),
        lambda data: data.update(fps=0),
        lambda data: data.update(fps="x"),
        lambda data: data.update(fps=10**400),
        lambda data: data.update(fps=True),
        lambda data: data.update(length=0),
        lambda data: data.update(length="20"),
        lambda data: data.update(length=True),
        lambda data: data["takes"][0]["video"].update(size="9"),
        lambda data: data["takes"][0]["video"].update(sha256=5),
        lambda data: data["takes"][0].update(tail_frames="x"),
        lambda data: data["takes"][0].update(seed=1.5),
        lambda data: data["chain"].append(data["chain"][0]),
        lambda data: data.update(takes=3),
    ],
)
def test_a_manifest_that_lies_is_refused(reel: Path, change) -> None:
    data = json.loads((reel / "manifest.json").read_text())
    change(data)
    (reel / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(SVIError, match="is damaged or not of this pack"):
        open_reel(reel)


def test_clips_without_their_manifest_are_not_thrown_away(reel: Path) -> None:
    (reel / "manifest.json").unlink()
    with pytest.raises(SVIError, match=r"has clips but no manifest\.json"), ReelWriter(reel, fps=16):
        pass
    assert len(list(reel.glob("clip_*"))) == 6


def test_two_writers_are_one_too_many(reel: Path) -> None:
    script = textwrap.dedent(f"""
        from pathlib import Path
        from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
        try:
            with ReelWriter(Path({str(reel)!r}), fps=16):
                print("in")
        except ValueError as error:
            print(error)
    """)
    with ReelWriter(reel, fps=16):
        with pytest.raises(SVIError, match="is being written by another run"), ReelWriter(reel, fps=16):
            pass
        assert "is being written by another run" in said_by(script)
    assert said_by(script) == "in\n"


def test_a_killed_writer_leaves_no_lock(reel: Path) -> None:
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
        with ReelWriter(Path({str(reel)!r}), fps=16):
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    with ReelWriter(reel, fps=16) as writer:
        assert len(writer.reel.clips) == 3


@pytest.fixture
def full_disk(reel: Path):
    """The reel, on a disk where no file may grow beyond 64 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    yield reel
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("case", ["video", "tail", "joined"])
def test_a_full_disk_is_told_and_leaves_the_reel_as_it_was(full_disk: Path, case: str) -> None:
    reel = full_disk
    before = sorted(path.name for path in reel.iterdir())
    if case == "joined":
        with pytest.raises(SVIError, match=r"out\.mkv could not be written: .*free disk space"):
            open_reel(reel).assemble(reel / "out.mkv", video_format="ffv1")
    else:
        flat = torch.zeros(9, 64, 64, 3)  # a few KB as video, too much as floats
        images = frames(40) if case == "video" else flat
        with ReelWriter(reel, fps=16) as writer, pytest.raises(SVIError, match="clip 4 could not be written: "):
            add_take(writer, "d" * 64, images, before=writer.reel.clips, overlap=1, tail=images[-9:], prompt="",
                       seed=0, mode="film", seconds=0)  # fmt: skip
    assert sorted(path.name for path in reel.iterdir()) == before
    assert open_reel(reel).problems() == []
    assert len(open_reel(reel).clips) == 3


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SVIError, match=r"reel name could not be written: .*permissions"), ReelWriter(
        tmp_path / "file" / "name", fps=16
    ):  # fmt: skip
        pass


@pytest.fixture
def unprivileged():
    """A folder that everyone may enter, as a user who is not root: root writes everywhere."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX users")
def test_a_read_only_folder_is_told(unprivileged: Path) -> None:
    for folder, made in ((unprivileged / "new", False), (unprivileged / "reel", True)):
        if made:
            with ReelWriter(folder, fps=16) as writer:
                add(writer, [], "a")
            folder.chmod(0o555)
        else:
            unprivileged.chmod(0o555)
        with as_nobody(), pytest.raises(SVIError, match=r"could not be written: .*permissions"), ReelWriter(
            folder, fps=16
        ):  # fmt: skip
            pass
        unprivileged.chmod(0o755)
    folder.chmod(0o755)
    assert open_reel(folder).problems() == []


def test_a_cancel_while_saving_leaves_the_reel_as_it_was(reel: Path) -> None:
    before = sorted(path.name for path in reel.iterdir())

    def cancel() -> None:
        raise KeyboardInterrupt

    images = frames(9)
    with ReelWriter(reel, fps=16) as writer, pytest.raises(KeyboardInterrupt):
        add_take(writer, "d" * 64, images, before=writer.reel.clips, overlap=1, tail=images[-5:], prompt="",
                   seed=0, mode="film", seconds=0, after_frame=cancel)  # fmt: skip
    assert sorted(path.name for path in reel.iterdir()) == before


# Joining


def as_rgb(path: Path, colours: str = "ITU709") -> np.ndarray:
    """Frames of a video file in 0..255, read with more bits than 8 so that the reader rounds nothing away."""
    with av.open(str(path)) as container:
        return np.stack(
            [
                frame.reformat(format="rgb48le", src_colorspace=colours).to_ndarray() / 257
                for frame in container.decode(video=0)
            ]
        )


def pictures(tmp_path: Path) -> Path:
    """A reel of two clips of smooth pictures in strong colours."""
    ramp = torch.linspace(0, 1, 64)
    picture = torch.stack([ramp.expand(64, 64), ramp.flip(0)[:, None].expand(64, 64), torch.full((64, 64), 0.25)], -1)
    clip = torch.stack([picture.roll(i, 1) * (1 - i / 40) for i in range(9)])
    with ReelWriter(tmp_path / "pictures", fps=24) as writer:
        first = add_take(writer, "a" * 64, clip, before=[], overlap=0, tail=clip[-1:], prompt="", seed=0,
                           mode="film", seconds=0)  # fmt: skip
        add_take(writer, "b" * 64, clip.flip(0), before=[first], overlap=1, tail=clip[-1:], prompt="", seed=0,
                   mode="film", seconds=0)  # fmt: skip
    return tmp_path / "pictures"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_the_joined_chain(tmp_path: Path, name: str) -> None:
    reel = open_reel(pictures(tmp_path))
    path = tmp_path / f"out{FORMATS[name].suffix}"
    seen: list[tuple[int, int]] = []
    assert reel.assemble(path, video_format=name, quality=100, progress=lambda *at: seen.append(at)) == 17
    assert seen == [(i, 17) for i in range(1, 18)]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 24
        assert (stream.width, stream.height) == (64, 64)
    wanted = np.stack(list(reel.frames())).astype(float)
    if name == "ffv1":
        assert (np.stack(list(read_video(path, 0, 17))) == wanted).all()
        return
    found = as_rgb(path)
    assert found.shape == wanted.shape
    error = np.abs(found - wanted)
    assert np.median(error) < 2.5
    assert error.mean() < np.abs(as_rgb(path, "ITU601") - wanted).mean() / 2
    with av.open(str(path)) as container:  # the file says how its colours are meant
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)


def test_quality_and_rate_are_what_was_asked(tmp_path: Path) -> None:
    reel = open_reel(pictures(tmp_path))
    sizes = []
    for quality in (0, 50, 100):
        reel.assemble(tmp_path / "out.mp4", quality=quality, fps=23.976)
        sizes.append((tmp_path / "out.mp4").stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(24000, 1001)
    assert [video_rate(fps) for fps in (16, 23.98, 24, 25, 29.97, 12.5)] == [
        16, Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), Fraction(25, 2)
    ]  # fmt: skip


def test_joining_replaces_the_file_only_once_it_is_whole(reel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"before")

    def stop(done: int, _: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_reel(reel).assemble(out, progress=stop)
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.mp4"]
    damage(reel / open_reel(reel).clips[2].video.name, "cut")
    with pytest.raises(SVIError, match="it is damaged"):
        open_reel(reel).assemble(out)
    assert out.read_bytes() == b"before"


def test_bad_requests_are_refused(reel: Path, tmp_path: Path) -> None:
    with pytest.raises(SVIError, match="format must be one of h264, h265, ffv1, prores"):
        open_reel(reel).assemble(tmp_path / "out.gif", video_format="gif")
    with ReelWriter(tmp_path / "empty", fps=16):
        pass
    with pytest.raises(SVIError, match="has no clip yet"):
        open_reel(tmp_path / "empty").assemble(tmp_path / "out.mp4")
    with pytest.raises(SVIError, match="there is no reel none"):
        open_reel(tmp_path / "none")
    for options, message in (
        ({"fps": float("nan")}, "fps must be more than 0"), ({"fps": float("inf")}, "fps must be"),
        ({"fps": -5}, "fps must be"), ({"fps": 0.0}, "fps must be"), ({"quality": 500}, r"quality must be 0\.\.100"),
        ({"quality": -1}, "quality must be 0 or more"),
    ):  # fmt: skip
        with pytest.raises(SVIError, match=message):
            open_reel(reel).assemble(tmp_path / "out.mp4", **options)
    assert not (tmp_path / "out.mp4").exists()


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write_video(path, [np.zeros((64, 64, 3), np.uint8)], width=64, height=64, fps=16)


@pytest.mark.parametrize("name", ["a", "Film 2", "夜の森", "a.b-c_(1)+2", "x" * 120, "console"])
def test_names_that_can_be_folders(name: str) -> None:
    assert check_reel_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "NUL",
        "com1.x",
        "夜" * 41,
        ".",
        "..",
        "a/b",
        "a\\b",
        " a",
        "a ",
        "a.",
        ".a",
        "x" * 121,
        "a\n",
        "a:b",
        None,
        3,
    ],
)
def test_names_that_cannot(name: object) -> None:
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


def test_a_reel_keeps_where_its_video_ends(reel: Path, capsys) -> None:
    before = reel_state(reel)
    data = json.loads((reel / "manifest.json").read_text())
    assert data.pop("length") is None
    (reel / "manifest.json").write_text(json.dumps(data))  # as it was before lengths were kept
    whole = open_reel(reel)
    assert (whole.length, whole.shown_frames, reel_state(reel)) == (None, 25, before)
    with ReelWriter(reel, fps=16, length=20) as writer:
        writer.set_chain(whole.clips)  # nothing but the length is new
    found = open_reel(reel)
    assert (found.length, found.shown_frames, found.total_frames, found.seconds) == (20, 20, 25, 20 / 16)
    assert (found.up_to(2).shown_frames, found.up_to(1).shown_frames) == (17, 9)
    assert reel_state(reel) != before
    assert main(["reel", "clean", str(reel)]) == 0
    assert open_reel(reel).length == 20
    out = reel / "joined.mkv"
    assert main(["reel", "assemble", str(reel), "--format", "ffv1", "--out", str(out)]) == 0
    assert main(["reel", "ls", str(reel)]) == 0
    said = capsys.readouterr().out
    assert "joined.mkv: 20 frames (the last 5 are not in the video), " in said
    assert "reel: 3 clips, 20 frames, 1.2 s at 16 fps (the last 5 are not in the video)" in said
    assert (np.stack(list(read_video(out))) == expected()[:20]).all()
    assert found.assemble(out, video_format="ffv1", frames=25) == 25  # all of it to those who ask


@pytest.mark.usefixtures("reel")
def test_the_command_lists_and_joins(tmp_path: Path, capsys) -> None:
    assert list_reels(tmp_path) == ["reel"]
    assert main(["reel", "ls", "--reels", str(tmp_path)]) == 0
    assert "reel: 3 clips, 25 frames, 1.6 s at 16 fps" in capsys.readouterr().out
    assert main(["reel", "ls", "reel", "--reels", str(tmp_path)]) == 0
    assert "prompt 2" in capsys.readouterr().out
    out = tmp_path / "joined.mkv"
    assert main(["reel", "assemble", "reel", "--reels", str(tmp_path), "--format", "ffv1", "--out", str(out)]) == 0
    assert (np.stack(list(read_video(out, 0, 25))) == expected()).all()
    assert main(["reel", "check", "other", "--reels", str(tmp_path)]) == 2
    assert "there: reel" in capsys.readouterr().err
    assert main(["reel", "ls", "--reels", str(tmp_path / "none")]) == 0


def test_fingerprints_tell_values_apart_and_know_them_again() -> None:
    values = [
        None, True, 1, 1.0, "1", "", [], {}, [1], [[1]], (1, 2), {"a": 1}, {"a": 2}, {"b": 1}, ["a", "b"], ["ab"],
        torch.zeros(2), torch.zeros(2, dtype=torch.float16), torch.zeros(1, 2), torch.ones(2),
        torch.zeros(2).bfloat16(),
        {"a": torch.ones(1)}, {"a": torch.zeros(1)}, object(), np.int64(1), np.int64(2), np.zeros(2), np.zeros((1, 2)),
        torch.float16, torch.float32, torch.device("cpu"),
    ]  # fmt: skip
    prints = [fingerprint(value) for value in values]
    assert len(set(prints)) == len(values)
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    clip = frames(9)
    assert fingerprint(clip[3:]) == fingerprint(clip[3:].clone())
    assert fingerprint(clip.movedim(-1, 0).movedim(0, -1)) == fingerprint(clip)


def test_sound_and_picture_of_twenty_clips_are_in_step(tmp_path: Path) -> None:
    """A beep at every white frame; where each is found in the finished file."""
    fps, rate, clips, count = 25, 44_100, 20, 21
    total = clips * (count - 1) + 1
    marks = list(range(7, total, 23))
    samples = torch.zeros(1, round(total / fps * rate))
    for mark in marks:
        at = round(mark / fps * rate)
        samples[:, at : at + 441] = torch.sin(torch.arange(441) * 0.4) * 0.8
    with ReelWriter(tmp_path / "r", fps=fps) as writer:
        takes: list[Take] = []
        for clip in range(clips):
            start = clip * (count - 1)
            images = torch.zeros(count, 64, 64, 3)
            images[[mark - start for mark in marks if start <= mark < start + count]] = 1
            take = add_take(writer, f"{clip}", images, before=takes, overlap=min(clip, 1), tail=images[-1:], prompt="",
                seed=0, mode="talk", seconds=0,
            )  # fmt: skip
            takes.append(take)
        writer.set_chain(takes)
        writer.reel.assemble(tmp_path / "out.mp4", track=Soundtrack(samples, rate))
    with av.open(str(tmp_path / "out.mp4")) as container:
        white = [frame.time for frame in container.decode(video=0) if frame.to_ndarray(format="gray").mean() > 128]
    loud = [-1.0]
    with av.open(str(tmp_path / "out.mp4")) as container:
        for frame in container.decode(audio=0):
            loud += list(frame.time + np.nonzero(np.abs(frame.to_ndarray()[0]) > 0.2)[0] / frame.sample_rate)
    beeps = [at for before, at in itertools.pairwise(loud) if at - before > 0.5]
    assert len(white) == len(beeps) == len(marks)
    assert np.abs(np.array(beeps) - white).max() < 1 / fps


def test_the_command_looks_for_the_reels_of_the_comfyui_that_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    comfyui = tmp_path / "ComfyUI"
    pack = comfyui / "custom_nodes" / "wanvideo-svi"
    pack.mkdir(parents=True)
    (comfyui / "main.py").touch()
    for here in (comfyui, pack):
        monkeypatch.chdir(here)
        assert default_reels() == comfyui / "output" / "svi_reels"
    monkeypatch.chdir(tmp_path)
    assert default_reels() == tmp_path / "output" / "svi_reels"
    assert main(["reel", "ls"]) == 0
    said = capsys.readouterr().out
    assert str(tmp_path / "output" / "svi_reels") in said
    assert "--reels" in said
