"""Clips of a chain that is wired by hand, added to a reel: joined as Stitch joins them, written once, taken back."""

from __future__ import annotations

import gc
import itertools
import json
import weakref
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import add_take, frames
from torch import Tensor
from wanvideo_svi.svi_embeds.colour.look import glance
from wanvideo_svi.svi_embeds.colour.stitch import stitch
from wanvideo_svi.svi_embeds.drift.measure import measure_reel
from wanvideo_svi.svi_embeds.drift.score import score
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import add as adding
from wanvideo_svi.svi_embeds.reel.add import AS_LED, Added, GivenClip, GoneError, add_clip
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter


def begin(folder: Path, fps: float = 16) -> Reel:
    """A reel of that folder without a clip, for a chain to begin in."""
    return Reel(folder, fps, ())


def put(before: Reel, images: Tensor, **facts: Any) -> Added:
    return add_clip(before, GivenClip(images=images, **facts), score=score)


def chain(folder: Path, clips: Sequence[Tensor], **facts: Any) -> list[Added]:
    """All clips of a graph, one after the other."""
    reel, made = begin(folder), []
    for images in clips:
        made.append(put(reel, images, **facts))
        reel = made[-1].reel
    return made


def drawn(*seeds: int, count: int = 9) -> list[Tensor]:
    return [frames(count, seed=seed) for seed in seeds]


def pixels(images: Tensor) -> np.ndarray:
    """As 8 bits, cut off as ComfyUI's savers do."""
    return (images * 255).to(torch.uint8).numpy()


def shown(reel: Reel) -> np.ndarray:
    return np.stack(list(reel.frames()))


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """What is on the disk, and when it was written."""
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.iterdir()) if path.name != ".lock"
    }  # fmt: skip


@pytest.fixture
def four(tmp_path: Path) -> list[Added]:
    """A reel of four clips of 9 frames."""
    return chain(tmp_path / "reel", drawn(1, 2, 3, 4))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "reel"


# What comes out


@pytest.mark.parametrize("overlaps", [(5, 5, 5), (1, 1, 1), (0, 5, 1), (8, 0, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_chain_joins_to_the_frames_of_stitch(folder: Path, overlaps: tuple[int, ...], dtype: torch.dtype) -> None:
    clips = [images.to(dtype) for images in (*drawn(1, count=9), *drawn(2, count=17), *drawn(3), *drawn(4, count=13))]
    reel = put(begin(folder), clips[0]).reel
    joined = clips[0]
    for images, overlap in zip(clips[1:], overlaps, strict=True):
        reel = put(reel, images, overlap_frames=overlap).reel
        joined, _ = stitch(joined, images, overlap_frames=overlap)
    assert (shown(reel) == pixels(joined.float())).all()
    found = open_reel(folder)
    assert found == reel
    assert found.problems() == []
    assert [clip.overlap for clip in found.clips] == [0, *overlaps]


def test_what_is_dropped_is_what_led_the_clip_unless_told_otherwise(folder: Path) -> None:
    first = put(begin(folder), frames(9, seed=1), motion_frames=3)
    second = put(first.reel, frames(9, seed=2), motion_frames=1)
    third = put(second.reel, frames(9, seed=3))
    assert [clip.overlap for clip in third.reel.clips] == [0, 3, 1]
    assert not any("motion frames" in note for made in (first, second, third) for note in made.notes)
    other = put(second.reel, frames(9, seed=3), overlap_frames=5)
    assert other.reel.clips[-1].overlap == 5
    assert other.notes[0].startswith("overlap_frames is 5, but clip 2 gave 1 motion frames")
    assert put(second.reel, frames(9, seed=3), overlap_frames=0).reel.clips[-1].overlap == 0


def test_rest_of_each_clip_and_no_overlap_is_what_stitch_does_with_drop_old(folder: Path) -> None:
    clips = drawn(1, 2, 3)
    reel = begin(folder)
    for images in clips[:-1]:
        reel = put(reel, images[:-5], overlap_frames=0, motion_frames=1).reel
    reel = put(reel, clips[-1], overlap_frames=0).reel
    joined, _ = stitch(*clips, overlap_frames=5, drop="old")
    assert (shown(reel) == pixels(joined)).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_motion_frames_are_those_given_and_hold_no_view_of_the_clip(folder: Path, channels: int) -> None:
    images = frames(17, channels=channels, seed=3)
    wanted = images[-5:, ..., :3].clone()
    seen = weakref.ref(images)
    made = put(begin(folder), images)
    assert torch.equal(made.motion_frames, wanted)
    assert made.motion_frames.untyped_storage().nbytes() == wanted.numel() * wanted.element_size()
    assert torch.equal(made.reel.tail(made.reel.clips[0])[0], wanted)
    assert not [field.name for field in fields(made.reel) if isinstance(getattr(made.reel, field.name), Tensor)]
    assert (made.notes == ("alpha of images was dropped",)) == (channels == 4)
    del images
    gc.collect()
    assert seen() is None, "what came out keeps the clip in memory"


def test_pixels_outside_the_range_are_cut_off_as_in_any_video_and_lead_as_they_are(folder: Path) -> None:
    images = frames(9) * 2 - 0.5
    made = put(begin(folder), images)
    assert "images reach from -0.5 to 1.5" in made.notes[0]
    assert (shown(made.reel) == pixels(images.clamp(0, 1))).all()
    assert torch.equal(made.motion_frames, images[-5:])


# What is written, and what is not


def test_the_same_run_again_writes_nothing(folder: Path, four: list[Added]) -> None:
    before = files(folder)
    again = chain(folder, drawn(1, 2, 3, 4))
    assert files(folder) == before
    assert [made.was_there for made in (*four, *again)] == [False] * 4 + [True] * 4
    assert [made.reel.clips for made in again] == [made.reel.clips for made in four]
    for one, two in zip(four, again, strict=True):
        assert torch.equal(one.motion_frames, two.motion_frames)


def test_a_clip_run_alone_leaves_what_stands_behind_it(folder: Path, four: list[Added]) -> None:
    again = put(four[0].reel, frames(9, seed=2))
    assert again.was_there
    assert len(again.reel.clips) == 2
    assert len(open_reel(folder).clips) == 4


def test_a_changed_clip_makes_those_behind_it_spare(folder: Path, four: list[Added]) -> None:
    old = four[-1].reel
    half = chain(folder, drawn(1, 12))
    assert open_reel(folder).spare == old.clips[1:]
    assert half[1].notes == ("3 clips that the reel had here are not in its chain any more, and kept as spare",)
    new = chain(folder, drawn(1, 12, 13, 14))
    found = open_reel(folder)
    assert found.clips == new[-1].reel.clips
    assert found.clips[0] == old.clips[0]
    assert found.spare == old.clips[1:]
    assert (shown(found) == pixels(stitch(*drawn(1, 12, 13, 14), overlap_frames=5)[0])).all()
    assert found.problems() == []
    before = {name: data for name, data in files(folder).items() if name != "manifest.json"}
    back = chain(folder, drawn(1, 2, 3, 4))
    assert all(made.was_there for made in back)
    assert open_reel(folder).clips == old.clips
    assert {name: data for name, data in files(folder).items() if name != "manifest.json"} == before


def test_clips_whose_frames_are_the_same_stay_behind_one_that_changed(folder: Path, four: list[Added]) -> None:
    old = four[-1].reel
    new = chain(folder, drawn(1, 12, 3, 4))[-1].reel
    assert [clip.digest for clip in new.clips[2:]] == [clip.digest for clip in old.clips[2:]]
    assert open_reel(folder).spare == (old.clips[1],)
    assert new.clips[2].led_by == new.clips[1].digest
    # What the third was measured against is another frame now; the fourth goes on from the same.
    seam = new.look(new.clips[2]).across
    assert seam == pytest.approx(float((frames(9, seed=3)[5] - frames(9, seed=12)[-1]).abs().mean()), abs=1e-6)
    assert new.clips[3].video == old.clips[3].video
    assert open_reel(folder).problems() == []


def test_a_shorter_overlap_changes_that_clip_alone(four: list[Added]) -> None:
    reel = put(four[0].reel, frames(9, seed=2), overlap_frames=4).reel
    for seed in (3, 4):
        reel = put(reel, frames(9, seed=seed)).reel
    old = four[-1].reel.clips
    assert [clip.overlap for clip in reel.clips] == [0, 4, 5, 5]
    assert [new.digest == was.digest for new, was in zip(reel.clips, old, strict=True)] == [True, False, True, True]


def test_words_about_a_clip_are_written_without_its_frames(folder: Path, four: list[Added]) -> None:
    before = files(folder)
    made = put(four[0].reel, frames(9, seed=2), prompt="a fox", seed=2**64 - 1)
    assert made.was_there
    after = files(folder)
    assert {name for name in before if before[name] != after[name]} == {"manifest.json"}
    clip = open_reel(folder).clips[1]
    assert (clip.prompt, clip.seed) == ("a fox", 2**64 - 1)
    assert len(open_reel(folder).clips) == 4


def test_more_motion_frames_of_the_same_clip_are_kept_and_what_follows_stays(folder: Path, four: list[Added]) -> None:
    made = put(four[0].reel, frames(9, seed=2), motion_frames=7)
    assert len(made.motion_frames) == 7
    found = open_reel(folder)
    assert [clip.tail_frames for clip in found.clips] == [5, 7, 5, 5]
    assert found.spare == ()
    assert found.problems() == []


def test_the_same_frames_may_stand_in_a_chain_twice(folder: Path) -> None:
    reel = chain(folder, drawn(1, 1, 1))[-1].reel
    assert len({clip.digest for clip in reel.clips}) == 3
    assert open_reel(folder).clips == reel.clips


def test_a_clip_that_was_damaged_is_written_again_in_its_place(folder: Path, four: list[Added]) -> None:
    (folder / four[1].reel.clips[1].video.name).unlink()
    made = put(four[0].reel, frames(9, seed=2))
    assert not made.was_there
    found = open_reel(folder)
    assert len(found.clips) == 4
    assert found.spare == ()
    assert found.problems() == []


def test_what_the_chain_goes_on_from_must_be_there(folder: Path, four: list[Added]) -> None:
    (folder / four[1].reel.clips[1].tail.name).unlink()
    with pytest.raises(GoneError, match=r"clip 2 of reel reel is gone or was changed .*queue again"):
        put(four[2].reel, frames(9, seed=14))
    assert open_reel(folder).clips == four[-1].reel.clips


def test_work_that_is_stopped_leaves_the_reel_as_it_was(folder: Path, four: list[Added]) -> None:
    count = 0

    def stop() -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt

    before = files(folder)
    with pytest.raises(KeyboardInterrupt):
        add_clip(four[0].reel, GivenClip(images=frames(9, seed=12)), score=score, after_frame=stop)
    assert files(folder) == before
    assert put(four[0].reel, frames(9, seed=12)).reel.clips[1].number == 1  # and the reel is free


# What the manifest says of a clip


def test_a_take_says_where_it_stands_and_what_leads_it(four: list[Added]) -> None:
    clips = four[-1].reel.clips
    assert [clip.number for clip in clips] == [0, 1, 2, 3]
    assert [clip.led_by for clip in clips] == ["", *(clip.digest for clip in clips[:-1])]
    assert all(clip.follows for clip in clips)
    assert {clip.mode for clip in clips} == {"by_hand"}
    assert [(clip.of, clip.take) for clip in clips] == [("", 0)] * 4


def test_look_and_score_are_those_of_what_the_clip_adds(folder: Path) -> None:
    dark = [images * level for images, level in zip(drawn(1, 2, 3), (1.0, 0.9, 0.5), strict=True)]
    reel = chain(folder, dark)[-1].reel
    looks = [glance(dark[0])]
    looks += [glance(after[5:], before[-1]) for before, after in itertools.pairwise(dark)]
    assert [reel.look(clip) for clip in reel.clips] == looks
    wanted = [score(looks[0]), *(score(looks[i], before=looks[i - 1], first=looks[0]) for i in (1, 2))]
    assert [clip.score for clip in reel.clips] == wanted
    assert wanted[2] > wanted[1] + 1


def test_a_clip_that_stays_is_scored_against_the_first_clip_that_there_is_now(folder: Path) -> None:
    old = chain(folder, drawn(1, 2, 3))[-1].reel.clips[2]
    made = chain(folder, [frames(9, seed=1) / 4, *drawn(2, 3)])[-1]
    assert made.was_there
    second, third = glance(frames(9, seed=2)[5:]), glance(frames(9, seed=3)[5:], frames(9, seed=2)[-1])
    new = made.reel.clips[2]
    assert new.score == open_reel(folder).clips[2].score
    assert new.score == score(third, before=second, first=glance(frames(9, seed=1) / 4))
    assert new.score > old.score + 1


def test_a_new_scene_is_led_by_none_and_has_no_seam(folder: Path) -> None:
    reel = chain(folder, drawn(1, 2))[-1].reel
    cut = put(reel, frames(9, seed=3) / 4, new_scene=True)
    then = put(cut.reel, frames(9, seed=4) / 4)
    clip, after = then.reel.clips[2:]
    assert (clip.overlap, clip.led_by, clip.follows) == (0, "", False)
    assert clip.score == score(glance(frames(9, seed=3) / 4))
    assert (after.overlap, after.led_by, after.follows) == (5, clip.digest, True)
    assert after.score is not None
    assert after.score < 1, "measured against the first clip of its scene, which is as dark"
    measured = measure_reel(open_reel(folder)).drift
    assert [seam is None for seam in measured.seams] == [False, True, False]
    # It goes on whatever stands before it.
    other = put(chain(folder, drawn(1, 12))[-1].reel, frames(9, seed=3) / 4, new_scene=True)
    assert other.was_there
    assert put(reel, frames(9, seed=3) / 4, overlap_frames=0).reel.clips[2].follows


def test_results_at_one_place_behind_one_clip_are_takes_of_it(folder: Path, four: list[Added]) -> None:
    first, old = four[0].reel, four[1].reel.clips[1]
    takes = [put(first, frames(9, seed=seed)).reel.clips[1] for seed in (12, 22)]
    assert [(take.of, take.take) for take in takes] == [(old.digest, 1), (old.digest, 2)]
    assert open_reel(folder).takes_of(old) == (old, *takes)
    assert put(first, frames(9, seed=2)).reel.clips[1] == old, "a take keeps its number"
    behind = put(put(begin(folder), frames(9, seed=11)).reel, frames(9, seed=32)).reel.clips[1]
    assert (behind.of, behind.take) == ("", 0), "behind another clip it is another one"


def test_a_reel_can_be_read_however_often_a_clip_is_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(adding._MOST, "take", 1)
    numbers = [put(begin(folder), frames(9, seed=seed)).reel.clips[0].take for seed in range(4)]
    assert numbers == [0, 1, 0, 0]
    assert len(open_reel(folder).spare) == 3


def test_a_take_that_was_picked_is_back_with_what_followed_it_until_the_graph_runs(
    folder: Path, four: list[Added]
) -> None:
    old = four[-1].reel.clips
    chain(folder, drawn(1, 12, 13))
    with ReelWriter(folder, fps=16) as writer:
        writer.pick(old[1])
    assert open_reel(folder).clips == old
    made = chain(folder, drawn(1, 12, 13))
    assert any("another take of this clip was picked" in note for note in made[1].notes)
    assert len(open_reel(folder).clips) == 3


# Beside Long Video


def long_video(folder: Path, length: int | None = None) -> Reel:
    """Three clips that SVI Long Video made."""
    with ReelWriter(folder, fps=24, length=length) as writer:
        for index, images in enumerate(drawn(31, 32, 33)):
            add_take(writer, f"{index}" * 64, images, before=writer.reel.clips, overlap=5 if index else 0,
                     tail=images[-5:].clone(), number=index)  # fmt: skip
        return writer.reel


def test_a_chain_of_long_video_is_put_aside_and_that_is_said(folder: Path) -> None:
    theirs = long_video(folder)
    made = put(begin(folder), frames(9, seed=1))
    assert made.notes == (
        "3 clips that the reel had here are not in its chain any more, and kept as spare",
        "SVI Long Video made that chain: give this one a reel of its own, or each puts the other aside",
    )
    found = open_reel(folder)
    assert found.spare == theirs.clips
    assert found.fps == 16
    assert found.problems() == []
    assert made.reel.clips[0].of == "", "it is no take of theirs"


def test_a_chain_of_long_video_goes_on_by_hand(folder: Path) -> None:
    theirs = long_video(folder, length=15)
    assert theirs.shown_frames < theirs.total_frames
    made = put(theirs, frames(9, seed=1))
    assert made.reel.clips[:3] == theirs.clips
    assert made.reel.clips[3].overlap == 5
    assert made.reel.shown_frames == made.reel.total_frames == 9 + 3 * 4
    assert made.reel.fps == 24
    assert made.notes == (
        "clips before this one are of SVI Long Video: when that runs with this reel again, it puts this one aside",
        "the last 2 frames before this clip were not in the reel's video and are now",
    )
    shorter = put(theirs.up_to(2), frames(9, seed=1))
    assert shorter.reel.clips[:2] == theirs.clips[:2]
    assert theirs.clips[2] in open_reel(folder).spare


@pytest.mark.parametrize(
    ("video_format", "size", "needs"),
    [
        ("h264", (64, 63), "an even width and height, got 63x64"),
        ("h265", (63, 64), "an even width and height, got 64x63"),
        ("prores", (64, 63), "an even width, got 63x64"), ("prores", (63, 64), ""), ("ffv1", (63, 65), ""),
    ],
)  # fmt: skip
def test_clips_of_any_size_are_kept_and_a_video_that_cannot_have_it_is_refused(
    folder: Path, tmp_path: Path, video_format: str, size: tuple[int, int], needs: str
) -> None:
    images = frames(6, height=size[0], width=size[1])
    reel = put(begin(folder), images).reel
    assert (shown(reel) == pixels(images)).all()
    if not needs:
        assert reel.assemble(tmp_path / "joined", video_format=video_format) == 6
        return
    with pytest.raises(SVIError, match=f"{video_format} needs {needs}: choose format ffv1"):
        reel.assemble(tmp_path / "joined", video_format=video_format)
    assert not (tmp_path / "joined").exists()


# What does not fit


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"images": frames(9, height=32)}, "size of clip 4 of reel reel, 64x64, got 64x32: resize"),
        ({"images": frames(5)}, r"5 frames, and 5 of them would be dropped, as clip 4 gave so many motion frames: set"),
        ({"images": frames(5), "overlap_frames": 6}, "5 frames, and 6 of them would be dropped: set overlap_frames"),
        ({"overlap_frames": -2}, "overlap_frames must be -1 or more, got -2"),
        ({"overlap_frames": 2, "new_scene": True}, "overlap_frames is 2, but a clip that begins a new scene shares no"),
        ({"motion_frames": 10}, r"motion_frames must be 1\.\.9, got 10"),
        ({"motion_frames": 0}, "motion_frames must be 1 or more, got 0"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"seed": 2**64}, r"seed must be 0\.\."),
        ({"prompt": 5}, "prompt must be text, got int"),
        ({"new_scene": "no"}, "new_scene must be true or false"),
        ({"images": frames(9)[0]}, "images must have 4 axes"),
        ({"images": frames(9) / 0}, "images has NaN or infinite pixels"),
        ({"images": torch.zeros(1, 8, 2**14 + 8, 3)}, "at most 100001 frames of 16384 pixels a side"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    folder: Path, four: list[Added], facts: dict[str, Any], message: str
) -> None:
    before = files(folder)
    with pytest.raises(SVIError, match=message):
        put(four[-1].reel, **{"images": frames(9, seed=5), **facts})
    assert files(folder) == before


def test_a_first_clip_shares_nothing_and_has_a_rate(folder: Path) -> None:
    with pytest.raises(SVIError, match="overlap_frames is 5, but the first clip of a reel shares no frames"):
        put(begin(folder), frames(9), overlap_frames=5)
    with pytest.raises(SVIError, match="fps must be more than 0"):
        put(begin(folder, fps=0), frames(9))
    assert not folder.exists()
    assert put(begin(folder), frames(9), overlap_frames=AS_LED).reel.skipped_frames == 0


def test_a_reel_that_is_being_written_is_left_alone(folder: Path, four: list[Added]) -> None:
    with (
        ReelWriter(folder, fps=16),
        pytest.raises(SVIError, match="reel reel is being written by another run: wait for it"),
    ):
        put(four[-1].reel, frames(9, seed=5))


def test_a_reel_of_another_version_is_told(folder: Path, four: list[Added]) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(SVIError, match="written by another version"):
        put(replace(four[-1].reel), frames(9, seed=5))
