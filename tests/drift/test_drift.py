"""Drift: what was put into a chain is what is measured, and the right thing is named."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drift_scenes import NEW, Look, blur, cast, drifted, photograph, saturate, scene_frame
from helpers import add_take, frames
from PIL import Image
from seam_videos import HEIGHT as HEIGHT_OF_SEAMS
from seam_videos import MOTIONS, starts_of, video
from seam_videos import WIDTH as WIDTH_OF_SEAMS
from torch import Tensor
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.colour.look import BANDS, ClipLook, glance, mean_look, measure
from wanvideo_svi.svi_embeds.colour.stitch import stitch
from wanvideo_svi.svi_embeds.drift import figures as drift_module
from wanvideo_svi.svi_embeds.drift.cuts import find_pattern
from wanvideo_svi.svi_embeds.drift.figures import UNITS, Change, Drift, DriftMeter, change, drift_of
from wanvideo_svi.svi_embeds.drift.measure import measure_images, measure_reel, measure_video
from wanvideo_svi.svi_embeds.drift.plot import NARROW, WIDTH, ClipEnds, draw_drift
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import FORMATS, to_pixels, write_video
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.cli.main import main

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
            takes.append(add_take(
                writer, f"{index:064x}", whole, before=takes, overlap=len(lead), tail=whole[-2:], prompt="p",
                seed=index, seconds=1.0,
            ))  # fmt: skip
    return folder


def test_a_reel_and_its_joined_video_measure_the_same(reel: Path, tmp_path: Path) -> None:
    opened = open_reel(reel)
    found = measure_reel(opened).drift
    assert [clip.frames for clip in found.clips] == [NEW] * 3
    assert found.change(2).culprit == "exposure"
    joined = torch.stack([torch.from_numpy(np.array(frame)) for frame in opened.frames()]).float() / 255
    assert measure_images(joined, clip_frames=NEW, overlap_frames=0).drift == found
    write_video(
        tmp_path / "joined.mkv", map(to_pixels, joined), width=160, height=96, fps=16, video_format=FORMATS["ffv1"]
    )
    again = measure_video(tmp_path / "joined.mkv", clip_frames=NEW, overlap_frames=0).drift
    assert again.drift == pytest.approx(found.drift, rel=0.02)


NODE = NODE_CLASS_MAPPINGS["WanVideoSVIDrift"]


def toned(*tones: float, length: int = 20) -> list[Tensor]:
    """Clips that each jump in tone against the one before."""
    return [torch.stack([scene_frame(PICTURE, k) for k in range(length)]) * tone for tone in tones]


def ratios(images: Tensor, **numbers: Any) -> list[float]:
    figures = json.loads(NODE().measure(images=images, **numbers)["result"][4])
    return [seam["ratio"] for seam in figures["seams"]]


@pytest.mark.parametrize("drop", ["new", "old"])
def test_seams_of_a_stitched_chain_are_where_its_clips_meet(drop: str) -> None:
    # 20 + 15 + 15 when the later clip gives way, 15 + 15 + 20 otherwise.
    joined, _ = stitch(*toned(1.0, 0.8, 0.64), overlap_frames=5, drop=drop)
    found = ratios(joined, clip_frames=20, overlap_frames=5, drop=drop)
    assert len(found) == 2
    assert min(found) > 3
    assert max(ratios(joined, clip_frames=20, overlap_frames=5, drop="old" if drop == "new" else "new")) < 2, (
        "else any cut would do"
    )


@pytest.mark.parametrize(("before", "now"), [
    ({"clip_frames": 15, "overlap_frames": 5}, {"clip_frames": 20, "overlap_frames": 5, "drop": "new"}),
    ({"clip_frames": 15, "overlap_frames": 0}, {"clip_frames": 15, "overlap_frames": 0, "drop": "new"}),
    ({"clip_frames": 15}, {"clip_frames": 20, "overlap_frames": 5, "drop": "new"}),
])  # fmt: skip
def test_a_prompt_from_before_drop_is_cut_as_it_was(before: dict[str, int], now: dict[str, Any]) -> None:
    joined, _ = stitch(*toned(1.0, 0.8, 0.64), overlap_frames=5)
    told = NODE().measure(images=joined, **before)["result"]
    assert told[1:3] == NODE().measure(images=joined, **now)["result"][1:3]
    assert (
        told[1:3]
        == NODE().measure(images=joined, **{"overlap_frames": 5, **before}, drop="already_dropped")["result"][1:3]
    )
    values = json.loads(told[4])
    assert [clip["start"] for clip in values["clips"]] == list(
        range(0, 50, 15) if before.get("overlap_frames") == 0 else (0, 20, 35)
    )


def test_the_numbers_on_the_node_are_those_of_a_film_chain() -> None:
    inputs = NODE.INPUT_TYPES()
    every = {**inputs["required"], **inputs["optional"]}
    defaults = {name: options[1]["default"] for name, options in every.items() if "default" in options[1]}
    assert defaults == {"clip_frames": 81, "overlap_frames": 5, "drop": "new"}


def test_clips_of_81_with_overlap_1_show_both_tint_jumps(tmp_path: Path) -> None:
    # The numbers as people have them, for a video of 81 + 80 + 80 frames whose tint jumps by 20 levels at both seams.
    path = tmp_path / "shot.mkv"
    frames = video("pan", 0, 241, starts_of(81, 1, 241), "tint", 20)
    write_video(path, map(to_pixels, frames), width=WIDTH_OF_SEAMS, height=HEIGHT_OF_SEAMS, fps=16,
                video_format=FORMATS["ffv1"])  # fmt: skip
    arguments = ["drift", str(path), "--out", str(tmp_path), "--max-seam", "2"]
    for numbers in (["--clip-frames", "81", "--overlap-frames", "1"], ["--overlap-frames", "1"], []):
        assert main([*arguments, *numbers]) == 1
        figures = json.loads((tmp_path / "shot_drift.json").read_text())
        assert [clip["start"] for clip in figures["clips"]] == [0, 81, 161]
        assert min(seam["ratio"] for seam in figures["seams"]) > 2
        assert figures["guessed"] == (not numbers)


@pytest.mark.parametrize(("total", "last", "fits"), [
    (81 + 76 + 73, 78, ""), (81 + 76 + 7, 12, ""), (81 + 76 + 3, 8, ""),
    (241, 13, "; with overlap_frames 1 they would add up"),
])  # fmt: skip
def test_clips_that_do_not_add_up_are_said(total: int, last: int, fits: str) -> None:
    images = torch.full((total, 16, 16, 3), 0.5)
    (note,) = measure_images(images, clip_frames=81, overlap_frames=5).notes
    assert f"do not add up to the {total} frames of the video" in note
    assert f"so the last one would have {last} frames" in note
    assert note.endswith(f"{last} frames{fits}")


@pytest.mark.parametrize(("length", "overlap", "clips"), [(81, 5, 3), (81, 1, 2), (17, 0, 4)])
@pytest.mark.parametrize("drop", ["new", "old", "already_dropped"])
def test_clips_that_add_up_need_no_word(length: int, overlap: int, clips: int, drop: str) -> None:
    images = torch.full((length + (clips - 1) * (length - overlap), 16, 16, 3), 0.5)
    given = length - overlap if drop == "already_dropped" else length
    measured = measure_images(images, clip_frames=given, overlap_frames=overlap, drop=drop)
    assert measured.notes == ()
    expected = [length - overlap] * clips
    expected[-1 if drop == "old" else 0] = length
    assert [clip.frames for clip in measured.drift.clips] == expected


def test_numbers_that_miss_the_jumps_are_doubted() -> None:
    images = video("pan", 0, 241, starts_of(81, 1, 241), "tint", 20)
    unequal, doubt = measure_images(images, clip_frames=81, overlap_frames=5).notes
    assert "do not add up" in unequal
    assert "jumps at frames 81 and 161, where clips of 81 frames with overlap 1 would meet" in doubt
    assert measure_images(images, clip_frames=81, overlap_frames=1).notes == ()
    inside = video("pan", 0, 157, (0, 81, 120), "tint", 20)
    (note,) = measure_images(inside, clip_frames=81, overlap_frames=5).notes
    assert note == "the picture also jumps inside clips as cut, at frame 120"


@pytest.mark.parametrize(("motion", "length", "overlap", "clips"), [
    ("pan", 81, 5, 3), ("still", 77, 9, 3), ("walk", 33, 4, 5), ("eased", 33, 4, 5),
])  # fmt: skip
def test_seams_are_found_in_the_picture(motion: str, length: int, overlap: int, clips: int) -> None:
    total = length + (clips - 1) * (length - overlap)
    starts = starts_of(length, overlap, total)
    measured = measure_images(video(motion, 1, total, starts, "tint", 20))
    assert measured.guessed
    assert measured.drift.starts == starts
    (note,) = measured.notes
    if (length, clips) == (77, 3):  # two jumps anywhere: chance would do that too
        assert "which jumps at frames 77 and 145: clips that add 77, 68 and 68 frames" in note
    else:
        assert f"clips of {length} frames, {overlap} of them shared" in note
        assert f"jumps at {clips - 1} of the {clips - 1} seams" in note


def test_a_chain_whose_earlier_clips_gave_way_is_found_and_not_doubted() -> None:
    images = video("pan", 1, 233, (0, 76, 152), "tint", 20)
    guessed = measure_images(images)
    assert guessed.drift.starts == (0, 76, 152)
    assert "2 of the 2 seams" in guessed.notes[0]
    assert measure_images(images, clip_frames=81, overlap_frames=5, drop="old").notes == ()


@pytest.mark.parametrize("numbers", [{}, {"overlap_frames": 90}, {"drop": "already_dropped"}])
def test_what_is_not_used_without_a_length_changes_nothing(numbers: dict[str, Any]) -> None:
    images = torch.full((233, 16, 16, 3), 0.5)
    measured = measure_images(images, clip_frames=0, **numbers)
    assert measured.drift.starts == (0, 81, 157)
    assert len(measured.notes) == 1


def test_regular_jumps_over_many_frames_are_counted() -> None:
    pattern = find_pattern(range(30, 16000, 30), 16000)
    assert pattern is not None
    assert pattern.step == 30


def test_one_jump_is_a_cut_of_its_own() -> None:
    measured = measure_images(video("pan", 2, 140, (0, 65), "exposure", 12))
    assert measured.drift.starts == (0, 65)
    assert "which jumps at frame 65" in measured.notes[0]


@pytest.mark.parametrize("motion", sorted(MOTIONS))
def test_where_no_seam_is_none_is_found(motion: str) -> None:
    measured = measure_images(video(motion, 50, 157))
    assert measured.guessed
    assert "no seam was found in the picture: cut as clips of 81 frames, 5 of them shared" in measured.notes[0]
    assert measured.drift.starts == starts_of(81, 5, 157)


def test_one_clip_says_what_to_do(reel: Path) -> None:
    measured = measure_images(toned(1.0)[0] * torch.linspace(1, 0.8, 20)[:, None, None, None], clip_frames=81)
    said = measured.drift.summary()
    assert said.startswith("one clip of 20 frames: nothing to compare it with; from its first frame to its last: ")
    assert "darker (" in said
    (note,) = measured.notes
    assert "no more than one clip of 81 frames" in note
    assert "join more clips, or give smaller numbers" in note
    still = measure_images(toned(1.0)[0][:1].repeat(20, 1, 1, 1), clip_frames=81)
    assert "no visible change from its first frame to its last" in still.drift.summary()
    opened = open_reel(reel)
    (alone,) = measure_reel(replace(opened, clips=opened.clips[:1])).notes
    assert "render the next" in alone


@pytest.mark.parametrize(("numbers", "text"), [
    ({"clip_frames": 5, "overlap_frames": 5}, "overlap_frames must be less than clip_frames, got 5 of 5"),
    ({"clip_frames": -1}, "clip_frames must be 0 or more"),
    ({"clip_frames": 81, "overlap_frames": -1}, "overlap_frames must be 0 or more"),
    ({"clip_frames": 81, "drop": "both"}, "drop must be one of new, old, already_dropped"),
    ({"clip_frames": 8.5}, "clip_frames must be a whole number"),
])  # fmt: skip
def test_numbers_that_no_chain_has_are_refused(numbers: dict[str, Any], text: str) -> None:
    with pytest.raises(SVIError, match=text):
        measure_images(torch.full((9, 16, 16, 3), 0.5), **numbers)


def test_the_worst_clip_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = measure_images(torch.cat(toned(1.0, 0.9, 0.8)), clip_frames=20, overlap_frames=0).drift
    count = itertools.count()
    monkeypatch.setattr(drift_module, "change", lambda *looks: (next(count), change(*looks))[1])
    assert (found.drift, found.worst, found.summary(), found.lines()) == (
        found.drift, found.worst, found.summary(), found.lines()
    )  # fmt: skip
    assert next(count) == 3


def test_the_node_measures_images_or_a_reel(reel: Path) -> None:
    node = NODE()
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
    measured = measure_images(images, clip_frames=2, overlap_frames=0)
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
        ends.add(index, Image.new("RGB", (320, 160)))
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
    measured = measure_images(images, clip_frames=2, overlap_frames=0)
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
    assert main(["drift", str(image), "--out", str(tmp_path), "--clip-frames", "-1"]) == 2


def test_the_command_finds_the_seams_of_a_joined_video(tmp_path: Path) -> None:
    clips = [torch.stack([scene_frame(PICTURE, k) for k in range(20)]) * tone for tone in (1.0, 0.8)]
    joined, _ = stitch(*clips, overlap_frames=5)
    video = tmp_path / "joined.mkv"
    write_video(video, map(to_pixels, joined), width=160, height=96, fps=16, video_format=FORMATS["ffv1"])
    arguments = ["drift", str(video), "--out", str(tmp_path), "--clip-frames", "20", "--max-seam", "2"]
    assert main(arguments) == 1
    assert main([*arguments, "--clip-frames", "15", "--overlap-frames", "0"]) == 0
