"""Drift: what was put into a chain is what is measured, and the right thing is named."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from drift_scenes import NEW, Look, blur, cast, drifted, photograph, saturate, scene_frame
from helpers import frames
from PIL import Image
from torch import Tensor
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.clip_video import FORMATS, to_pixels, write_video
from wanvideo_svi.svi_embeds.drift import UNITS, Change, ClipLook, Drift, DriftMeter, change, drift_of, glance
from wanvideo_svi.svi_embeds.drift_plot import NARROW, WIDTH, ClipEnds, draw_drift
from wanvideo_svi.svi_embeds.drift_video import measure_images, measure_reel, measure_video
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.look import BANDS, mean_look, measure
from wanvideo_svi.svi_embeds.reel import open_reel
from wanvideo_svi.svi_embeds.reel_writer import ReelWriter
from wanvideo_svi.svi_embeds.stitch import stitch
from wanvideo_svi.wrapper_ext.cli import main

CLIPS = 20
PICTURE = photograph()


def chain(look: Callable[[int], Look]) -> Drift:
    meter = DriftMeter()
    for clip in drifted(PICTURE, [look(index) for index in range(CLIPS)]):
        meter.add_clip(clip)
    return meter.result()


# name: what clip n does to the scene, and the amount of it that a look should show at clip n.
INJECTED: dict[str, tuple[Callable[[int], Look], Callable[[int], float]]] = {
    "exposure": (lambda n: lambda frame: frame * 0.975**n, lambda n: math.log2(0.975**n)),
    "gamma": (lambda n: lambda frame: frame ** (1.03**n), lambda n: math.log2(1.03**n)),
    "contrast": (lambda n: lambda frame: 0.45 + (frame - 0.45) * 1.025**n, lambda n: math.log2(1.025**n)),
    "saturation": (lambda n: saturate(1.03**n), lambda n: math.log2(1.03**n)),
}


@pytest.mark.parametrize("name", INJECTED)
def test_what_was_injected_is_what_is_measured(name: str) -> None:
    look, truth = INJECTED[name]
    drift = chain(look)
    for index in range(5, CLIPS):
        measured = getattr(drift.change(index), name) * UNITS[name]
        assert measured == pytest.approx(truth(index), rel=0.05), index
    assert drift.change(CLIPS - 1).culprit == name
    assert drift.worst == CLIPS - 1


def test_an_injected_cast_is_measured_in_lab() -> None:
    drift = chain(lambda n: cast(0.006 * n))
    still = [measure(scene_frame(PICTURE, k)) for k in range(NEW * (CLIPS - 1), NEW * CLIPS)]
    moved = [measure(cast(0.006 * (CLIPS - 1))(scene_frame(PICTURE, k))) for k in range(NEW * (CLIPS - 1), NEW * CLIPS)]
    before, after = mean_look(still), mean_look(moved)
    truth = math.hypot(after.cast_a - before.cast_a, after.cast_b - before.cast_b)
    found = drift.change(CLIPS - 1)
    assert found.cast * UNITS["cast"] == pytest.approx(truth, rel=0.05)
    assert found.culprit == "cast"


def test_an_injected_blur_is_measured_and_named() -> None:
    drift = chain(lambda n: blur(0.45 * math.sqrt(n)) if n else lambda frame: frame)
    frame = scene_frame(PICTURE, NEW * (CLIPS - 1))
    before, after = measure(frame), measure(blur(0.45 * math.sqrt(CLIPS - 1))(frame))
    # Less what the blur takes from the contrast.
    truth = math.log2(after.sharpness / before.sharpness) - 2 * math.log2(after.contrast / before.contrast)
    found = drift.change(CLIPS - 1)
    assert found.sharpness * UNITS["sharpness"] == pytest.approx(truth, rel=0.05)
    assert found.culprit == "sharpness"


def test_a_chain_without_drift_shows_none() -> None:
    drift = chain(lambda _: lambda frame: frame)
    assert drift.drift < 0.5
    assert drift.seam < 2
    assert "no visible drift" in drift.summary()


def test_clipped_pixels_are_counted() -> None:
    frame = frames(1, height=40, width=40)[0] * 0.8 + 0.1
    frame[:10] = 0
    frame[10:20, :, 1] = 1
    assert measure(frame).clipped == pytest.approx(0.5)


def test_seams_are_measured_against_the_usual_step() -> None:
    clips = drifted(PICTURE, [lambda frame: frame] * 3)
    clips[2] = clips[2] + 0.1
    meter = DriftMeter()
    for clip in clips:
        meter.add_clip(clip)
    smooth, jump = meter.result().seams
    assert smooth.ratio < 2
    assert jump.difference == pytest.approx(0.1, rel=0.1)
    assert jump.ratio > 4
    assert jump.jump.exposure > 1


def test_a_still_video_has_no_seam() -> None:
    still = frames(1, height=32, width=32)[0]
    meter = DriftMeter()
    for _ in range(3):
        meter.add_clip([still] * 4)
    assert meter.result().seam == 1
    assert meter.result().drift == 0


def test_the_look_of_a_frame_is_what_its_words_say() -> None:
    grey = torch.full((32, 32, 3), 0.5)
    look = measure(grey)
    assert (look.exposure, look.contrast, look.saturation, look.sharpness) == pytest.approx((0.5, 0, 0, 0), abs=1e-6)
    assert (look.cast_a, look.cast_b) == pytest.approx((0, 0), abs=0.01)
    assert look.tones == pytest.approx([0.5] * BANDS, abs=1e-3)
    # Pure red of sRGB in CIE Lab (D65): a* 80.1, b* 67.2.
    red = torch.zeros(32, 32, 3)
    red[..., 0] = 1
    look = measure(red)
    assert (look.cast_a, look.cast_b) == pytest.approx((80.1, 67.2), abs=0.1)
    ramp = torch.linspace(0, 1, 1024).reshape(1, -1, 1).expand(32, -1, 3)
    look = measure(ramp)
    assert (look.low, look.high) == pytest.approx((0.01, 0.99), abs=2e-3)
    assert look.tones == pytest.approx([(k + 0.5) / BANDS for k in range(BANDS)], abs=2e-3)


@pytest.mark.parametrize("bad", [torch.zeros(4, 4, 3), torch.zeros(32, 32), torch.zeros(32, 32, 1)])
def test_what_is_no_frame_is_refused(bad: Tensor) -> None:
    with pytest.raises(SVIError, match="H W 3"):
        measure(bad)


def test_clips_without_frames_and_of_other_sizes_are_refused() -> None:
    meter = DriftMeter()
    with pytest.raises(SVIError, match="no clips"):
        meter.result()
    with pytest.raises(SVIError, match="no frames"):
        meter.add_clip([])
    meter.add_clip([torch.zeros(16, 16, 3)])
    with pytest.raises(SVIError, match="one size, got 16x16 and 24x16"):
        meter.add_clip([torch.zeros(16, 24, 3)])


def test_the_same_look_is_no_change() -> None:
    look = measure(scene_frame(PICTURE, 0))
    assert change(look, look) == Change(0, 0, 0, 0, 0, 0, 0)


# Reels, videos, the node and the command


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    """Three clips of a reel that get darker, each sharing two frames with the one before."""
    folder = tmp_path / "reels" / "dark"
    clips = drifted(PICTURE, [lambda frame, n=n: frame * 0.9**n for n in range(3)])  # type: ignore[misc]
    with ReelWriter(folder, fps=16) as writer:
        takes = []
        for index, clip in enumerate(clips):
            lead = clips[index - 1][-2:] if index else clip[:0]
            whole = torch.cat([lead, clip])
            takes.append(writer.add(
                f"{index:064x}", whole, before=takes, overlap=len(lead), tail=whole[-2:], latents=None, prompt="p",
                seed=index, mode="film", seconds=1.0,
            ))  # fmt: skip
    return folder


def test_a_reel_and_its_joined_video_measure_the_same(reel: Path, tmp_path: Path) -> None:
    opened = open_reel(reel)
    found = measure_reel(opened).drift
    assert [clip.frames for clip in found.clips] == [NEW] * 3
    assert found.change(2).culprit == "exposure"
    joined = torch.stack([torch.from_numpy(np.array(frame)) for frame in opened.frames()]).float() / 255
    assert measure_images(joined, clip_frames=NEW).drift == found
    write_video(
        tmp_path / "joined.mkv", map(to_pixels, joined), width=160, height=96, fps=16, video_format=FORMATS["ffv1"]
    )
    again = measure_video(tmp_path / "joined.mkv", clip_frames=NEW).drift
    assert again.drift == pytest.approx(found.drift, rel=0.02)


@pytest.mark.parametrize(("drop", "overlap"), [("new", 5), ("old", 0)])
def test_seams_of_a_stitched_chain_are_where_its_clips_meet(drop: str, overlap: int) -> None:
    # Each clip jumps in tone against the one before; 81 + 76 + 76 when the later gives way, 76 + 76 + 81 otherwise.
    clips = [torch.stack([scene_frame(PICTURE, k) for k in range(20)]) * tone for tone in (1.0, 0.8, 0.64)]
    joined, _ = stitch(*clips, overlap_frames=5, drop=drop)
    node = NODE_CLASS_MAPPINGS["WanVideoSVIDrift"]()

    def seams(overlap_frames: int) -> list[float]:
        made = node.measure(clip_frames=15, overlap_frames=overlap_frames, images=joined)["result"]
        return [seam["ratio"] for seam in json.loads(made[4])["seams"]][:2]

    assert min(seams(overlap)) > 3
    assert max(seams(5 - overlap)) < 2, "else any cut would do"


def test_the_node_measures_images_or_a_reel(reel: Path) -> None:
    node = NODE_CLASS_MAPPINGS["WanVideoSVIDrift"]()
    opened = open_reel(reel)
    reference = scene_frame(PICTURE, 0)[None]
    picture, drift, seam, report, figures = node.measure(clip_frames=1, reel=opened, reference=reference)["result"]
    assert picture.shape[0] == 1
    assert picture.shape[2] == 1000
    assert drift > 1
    assert seam > 1
    assert "darker" in report
    data = json.loads(figures)
    assert data["culprit"] == "exposure"
    assert len(data["clips"]) == 3
    assert data["clips"][2]["change_from_reference"]["exposure"] == pytest.approx(
        data["clips"][2]["change"]["exposure"], abs=0.3
    )
    for wrong in ({}, {"images": frames(4), "reel": opened}):
        with pytest.raises(SVIError, match="connect one of them"):
            node.measure(clip_frames=4, **wrong)


@pytest.mark.parametrize("count", [1, 2, 45])
def test_the_picture_is_drawn_for_any_number_of_clips(count: int) -> None:
    images = torch.stack([scene_frame(PICTURE, k) for k in range(2)] * count)
    measured = measure_images(images, clip_frames=2)
    picture = measured.picture("a chain")
    assert picture.width == 1000
    assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 20


def test_a_glance_is_close_to_the_whole_clip() -> None:
    clips = drifted(PICTURE, [lambda frame: frame, lambda frame: frame * 0.9])
    meter = DriftMeter()
    whole = [meter.add_clip(clip) for clip in clips]
    quick = [glance(clips[0]), glance(clips[1], clips[0][-1])]
    assert drift_of(quick).drift == pytest.approx(meter.result().drift, rel=0.05)
    for few, every in zip(quick, whole, strict=True):
        assert (few.first, few.last, few.across) == (every.first, every.last, every.across)
    assert ClipLook.from_dict(json.loads(json.dumps(quick[1].as_dict()))) == quick[1]
    assert glance(clips[0], count=1).frames == len(clips[0])
    single = glance(clips[0][:1])
    assert single.typical is None
    assert single.first == single.last


def test_pictures_of_clip_ends_are_spread_over_a_long_chain_in_bounded_memory() -> None:
    ends = ClipEnds()
    for index in range(5000):
        ends.add(index, Image.new("RGB", (640, 320)))
        assert len(ends.pictures) <= 64 + 1
    assert {picture.size for picture in ends.pictures.values()} == {(256, 128)}
    places = list(ends.spread(6))
    assert places[0] == 0
    assert places[-1] == 4999
    assert all(700 < later - sooner < 1300 for sooner, later in itertools.pairwise(places))
    few = ClipEnds()
    for index in range(3):
        few.add(index, Image.new("RGB", (64, 64)))
    assert list(few.spread(6)) == [0, 1, 2]
    assert list(few.spread(1)) == [0]


@pytest.mark.parametrize("width", [NARROW, WIDTH])
def test_a_long_title_is_wrapped(width: int) -> None:
    images = torch.stack([scene_frame(PICTURE, k) for k in range(4)])
    measured = measure_images(images, clip_frames=2)
    short, long = (
        draw_drift(measured.drift, measured.ends, title=title, width=width) for title in ("a", "a name " * 24)
    )
    assert short.width == long.width == width
    assert long.height > short.height


def test_the_command_writes_and_gates(reel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = tmp_path / "first.png"
    Image.fromarray(to_pixels(scene_frame(PICTURE, 0))).save(image)
    arguments = [
        "drift",
        "dark",
        "--reels",
        str(reel.parent),
        "--out",
        str(tmp_path / "out"),
        "--reference",
        str(image),
    ]
    assert main(arguments) == 0
    assert "darker" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "dark_drift.json").read_text())["drift"] > 1
    with Image.open(tmp_path / "out" / "dark_drift.png") as picture:
        assert picture.width == 1000
    assert main([*arguments, "--max-drift", "0.5"]) == 1
    assert main([*arguments, "--max-drift", "100", "--max-seam", "1000"]) == 0
    assert main([*arguments, "--max-seam", "1"]) == 1
    assert main(["drift", "none", "--reels", str(reel.parent), "--out", str(tmp_path)]) == 2
    assert main(["drift", str(image), "--out", str(tmp_path), "--clip-frames", "0"]) == 2


def test_the_command_finds_the_seams_of_a_joined_video(tmp_path: Path) -> None:
    clips = [torch.stack([scene_frame(PICTURE, k) for k in range(20)]) * tone for tone in (1.0, 0.8)]
    joined, _ = stitch(*clips, overlap_frames=5)
    video = tmp_path / "joined.mkv"
    write_video(video, map(to_pixels, joined), width=160, height=96, fps=16, video_format=FORMATS["ffv1"])
    arguments = ["drift", str(video), "--out", str(tmp_path), "--clip-frames", "15", "--max-seam", "2"]
    assert main(arguments) == 1
    assert main([*arguments, "--overlap-frames", "0"]) == 0
