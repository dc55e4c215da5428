"""Frame and latent arithmetic."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.timeline import (
    Timeline,
    chain_frames,
    frame_count,
    frames_of_latent,
    latent_count,
    latent_of_frame,
)

LENGTHS = st.integers(0, 300).map(lambda k: 4 * k + 1)


def test_81_frames_are_21_latents() -> None:
    assert latent_count(81) == 21
    assert frame_count(21) == 81


@given(LENGTHS)
def test_latents_decode_to_the_frames_they_came_from(num_frames: int) -> None:
    assert frame_count(latent_count(num_frames)) == num_frames


@given(LENGTHS)
def test_every_frame_belongs_to_exactly_one_latent(num_frames: int) -> None:
    covered = [frame for latent in range(latent_count(num_frames)) for frame in frames_of_latent(latent)]
    assert covered == list(range(num_frames))
    assert all(frame in frames_of_latent(latent_of_frame(frame)) for frame in covered)


@pytest.mark.parametrize(
    ("num_frames", "near"), [(80, "77 or 81"), (82, "81 or 85"), (2, "1 or 5"), (0, "81"), (-3, "81")]
)
def test_a_length_that_is_not_4k_plus_1_is_refused_with_its_neighbours(num_frames: int, near: str) -> None:
    with pytest.raises(SVIError, match=rf"4k\+1.*got {num_frames}: use {near}$"):
        latent_count(num_frames)


@pytest.mark.parametrize("call", [lambda: frame_count(0), lambda: latent_of_frame(-1), lambda: frames_of_latent(-1)])
def test_indices_below_range_are_refused(call) -> None:
    with pytest.raises(SVIError, match="must be"):
        call()


@pytest.mark.parametrize("value", [None, "17", 17.0, True])
def test_a_length_that_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(SVIError, match=f"num_frames must be a whole number, got {value!r}"):
        latent_count(value)


def test_stitched_lengths_of_the_example_chains() -> None:
    assert chain_frames([17] * 3, [5, 5]) == 41
    assert chain_frames([17] * 3, [1, 1]) == 49
    assert chain_frames([81] * 3, [5, 5]) == 233


@given(st.lists(st.integers(6, 90), min_size=1, max_size=8), st.data())
def test_chain_length_is_the_sum_less_the_overlaps(clips: list[int], data: st.DataObject) -> None:
    overlaps = [data.draw(st.integers(0, min(a, b) - 1)) for a, b in pairwise(clips)]
    assert chain_frames(clips, overlaps) == sum(clips) - sum(overlaps)


def test_chain_refuses_a_wrong_number_of_overlaps_and_one_that_eats_a_clip() -> None:
    with pytest.raises(SVIError, match="3 clips has 2 seams, got 1"):
        chain_frames([17, 17, 17], [5])
    with pytest.raises(SVIError, match=r"seam 1 must be 0\.\.4 .*5 frames\), got 5"):
        chain_frames([17, 17, 5], [5, 5])
    with pytest.raises(SVIError, match="0 clips"):
        chain_frames([], [])
    with pytest.raises(SVIError, match="frames of a clip must be 1 or more, got -5"):
        chain_frames([-5], [])
    with pytest.raises(SVIError, match="overlap at seam 0 must be a whole number, got None"):
        chain_frames([5, 5], [None])


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    num_frames = 4 * draw(st.integers(1, 30)) + 1
    apart = draw(st.booleans())
    end = 1 if apart else draw(st.integers(0, num_frames - 2))
    motion = draw(st.integers(0, num_frames - 1 - (0 if apart else end)))
    return Timeline(num_frames, motion_frames=motion, end_frames=end, end_apart=apart)


@given(timelines())
def test_segments_cover_the_clip_once_and_in_order(line: Timeline) -> None:
    covered = [frame for s in line.segments for frame in range(s.start, s.stop)]
    assert covered == list(range(line.total_frames))
    assert sum(len(s) for s in line.segments if s.role == "motion") == line.motion_frames
    assert sum(len(s) for s in line.segments if s.role == "end") == line.end_frames


@given(timelines())
def test_padding_latents_are_those_whose_frames_are_all_padding(line: Timeline) -> None:
    body = latent_count(line.num_frames)
    frames = {t: set(frames_of_latent(t)) for t in range(body)}
    if line.end_apart:
        frames[body] = {line.num_frames}
    assert [t for t, f in frames.items() if f <= set(line.padding)] == list(line.latents_of("padding"))


def test_an_end_apart_adds_one_frame_and_one_latent() -> None:
    line = Timeline(17, motion_frames=1, end_frames=1, end_apart=True)
    assert (line.total_frames, line.latents) == (18, 6)
    assert repr(line) == "Timeline(17 frames: motion 0, padding 1-16, end 17 (apart))"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"motion_frames": 17}, "overlap must be smaller than num_frames, got 17"),
        ({"motion_frames": 5, "end_frames": 12}, "end_image meets the motion frames: 5 motion \\+ 12 end"),
        ({"motion_frames": -1}, "motion_frames must be 0 or more, got -1"),
        ({"end_frames": 1.0}, "end_frames must be a whole number, got 1.0"),
        ({"motion_frames": 1, "end_frames": 2, "end_apart": True}, "exactly 1 frame, got 2"),
    ],
)
def test_a_clip_without_frames_to_generate_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        Timeline(17, **arguments)
