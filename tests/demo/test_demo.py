"""The demo command: the main job without a GPU, ComfyUI or weights."""

from __future__ import annotations

import io
import itertools
from contextlib import redirect_stdout
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from wanvideo_svi.svi_embeds.clips.embeds_file import load_embeds
from wanvideo_svi.svi_embeds.clips.pixels.make import make_clip
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from wanvideo_svi.svi_embeds.clips.sheet import thumbnail
from wanvideo_svi.svi_embeds.clips.vae import Encoder
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.demo.compare import NAME, seam_of, wrong_clip
from wanvideo_svi.wrapper_ext.demo.playback import MOVING, cells, right_order, wrong_order
from wanvideo_svi.wrapper_ext.demo.scene import FRAMES, load_scene, plan_demo, run_demo
from wanvideo_svi.wrapper_ext.demo.vae import DemoVAE


def test_the_plan_is_three_clips_in_each_mode() -> None:
    rows = [(row.chain, row.mode, row.overlap, row.adds, row.total) for row in plan_demo(81)]
    assert rows == [
        ("film", "i2v", 1, 81, 81), ("film", "film", 5, 76, 157), ("film", "film", 5, 76, 233),
        ("shot", "i2v", 1, 81, 81), ("shot", "shot", 1, 80, 161), ("shot", "shot", 1, 80, 241),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a demo of short clips, which was not there before, and what was said."""
    folder, said = tmp_path_factory.mktemp("demo") / "new" / "folder", io.StringIO()
    with redirect_stdout(said):
        assert main(["demo", "--out", str(folder), "--frames", "9"]) == 0
    return folder, said.getvalue()


def test_the_demo_writes_embeds_and_a_sheet_for_every_clip(written: tuple[Path, str]) -> None:
    folder, shown = written
    files = sorted(str(p.relative_to(folder)) for p in folder.parent.rglob("*.*"))
    stems = [f"{chain}/clip{i}" for chain in ("film", "shot") for i in (1, 2, 3)]
    assert files == sorted([NAME, MOVING, *(f"{stem}{end}" for stem in stems for end in (".png", ".safetensors"))])
    assert "film: 17 frames once stitched" in shown
    assert "shot: 25 frames once stitched" in shown
    for stem in stems:
        embeds = load_embeds(folder / f"{stem}.safetensors")
        assert embeds["image_embeds"].shape[:2] == (16, 3)
        assert embeds["image_embeds"].std() > 0
        with Image.open(folder / f"{stem}.png") as sheet:
            assert sheet.width >= 900


def test_the_demo_says_how_long_it_takes_before_anything_and_ends_with_one_picture(written: tuple[Path, str]) -> None:
    folder, shown = written
    assert shown.startswith("This takes about 10 seconds on two CPU cores.\n")
    assert shown.rstrip().endswith(f"{folder / MOVING}, the joined video wired right and wrong.")
    with Image.open(folder / NAME) as picture:
        assert picture.width > 900
    with Image.open(folder / MOVING) as picture:
        assert picture.n_frames == 17, "as long as the shorter video: 9 + 2 * 4 frames"
        frames = []
        for place in range(picture.n_frames):
            picture.seek(place)
            frames.append(np.asarray(picture.convert("RGB"), dtype=np.int16)[100:280])
    half = frames[0].shape[1] // 2
    right, wrong = ([np.abs(b - a)[:, part].mean() for a, b in itertools.pairwise(frames)]
                    for part in (slice(0, half), slice(half, None)))  # fmt: skip
    assert min(right) > 2 * max(wrong[14:]), (right, wrong)
    assert max(wrong[:8]) > 2 * max(wrong[14:]), (right, wrong)
    assert plan_demo(FRAMES)[0].adds == 17, "the default is done in seconds"


def test_the_wrong_clip_repeats_the_overlap_and_then_stands_still() -> None:
    scene = load_scene(24, image=None, video=None)
    settings = ClipSettings(mode="film", width=64, height=64, num_frames=13)
    inputs, encoder = ClipInputs(start_image=scene[:13]), Encoder(vae=DemoVAE())
    right = make_clip(settings, inputs, encoder)
    wrong = wrong_clip(settings, inputs, right, encoder)
    assert wrong.known_per_frame == tuple(1 - value for value in right.known_per_frame)
    good = seam_of(right, scene[:13], scene[8:21], drop=5)
    bad = seam_of(wrong, scene[:13], scene[8:21], drop=0)
    assert [kept for _, kept in good.after] == [False] * 8
    assert [kept for _, kept in bad.after] == [False] * 5 + [True] * 5
    assert [picture.tobytes() for picture, _ in good.after] == [thumbnail(frame).tobytes() for frame in scene[13:21]]
    assert bad.after[0][0].tobytes() == thumbnail(scene[8]).tobytes(), "the overlap is shown once more"
    assert len({picture.tobytes() for picture, kept in bad.after if kept}) == 1, "copies of one frame"


def test_the_wrong_chain_shows_the_overlap_again_and_then_copies_of_one_frame() -> None:
    known = [0] * 5 + [1] * 4
    order = wrong_order(known, overlap=5, clips=3)
    assert order == [*range(9), 4, 5, 6, 7, 8, 8, 8, 8, 8, *[8] * 9]
    assert cells(order) == ["new"] * 9 + ["again"] * 5 + ["still"] * 13
    right_mask = [1] * 5 + [0] * 4
    assert wrong_order(right_mask, overlap=5, clips=2) == [*range(9), 4, 5, 6, 7, 8, 9, 10, 11, 12], "only not cut"
    assert cells(right_order(21)) == ["new"] * 21


def test_a_second_run_gives_the_same_embeds(tmp_path: Path, written: tuple[Path, str]) -> None:
    assert len([clip for _, clip in run_demo(tmp_path, num_frames=9) if clip]) == 6
    first, second = (load_embeds(folder / "film" / "clip2.safetensors") for folder in (written[0], tmp_path))
    assert torch.equal(first["image_embeds"], second["image_embeds"])


def test_a_picture_serves_as_scene(tmp_path: Path) -> None:
    Image.new("RGB", (90, 300), (200, 30, 30)).save(tmp_path / "tall.png")
    scene = load_scene(7, image=tmp_path / "tall.png", video=None)
    assert scene.shape[0] == 7
    assert scene.shape[1] > scene.shape[2]
    assert torch.allclose(scene[3, 10, 10], torch.tensor([200, 30, 30]) / 255)
    assert main(["demo", "--out", str(tmp_path / "out"), "--image", str(tmp_path / "tall.png"), "--frames", "9"]) == 0


def test_a_video_serves_as_scene_played_back_and_forth(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "x.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=16)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in (0, 60, 120):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    scene = load_scene(8, image=None, video=tmp_path / "x.mp4")
    levels = [round(float(frame.mean()) * 255 / 60) for frame in scene]
    assert levels == [0, 1, 2, 1, 0, 1, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--frames", "80"], "num_frames must be 4k+1"),
        (["--frames", "5"], "overlap"),
        (["--frames", "0"], "num_frames must be 4k+1"),
        (["--image", "absent.png"], "absent.png cannot be read as a picture"),
        (["--video", "absent.mp4"], "absent.mp4 cannot be read as a video"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, tmp_path, capsys) -> None:
    assert main(["demo", "--out", str(tmp_path / "out"), *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("wanvideo-svi: ")
    assert message in line


def test_a_length_that_fails_later_leaves_nothing_behind(tmp_path: Path) -> None:
    assert main(["demo", "--out", str(tmp_path / "out"), "--frames", "5"]) == 2
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "out").write_text("a file")
    assert main(["demo", "--out", str(tmp_path / "out"), "--frames", "9"]) == 2
    assert "cannot be made" in capsys.readouterr().err


def test_a_picture_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(SVIError, match="cannot be read as a picture"):
        load_scene(5, image=tmp_path / "x.png", video=None)


def test_image_and_video_together_are_refused(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--out", "x", "--image", "a", "--video", "b"])
    assert stopped.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
