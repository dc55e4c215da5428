"""Joining clips."""

from __future__ import annotations

import math

import pytest
import torch
from helpers import digest, frames
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.colour.stitch import stitch
from wanvideo_svi.svi_embeds.errors import SVIError


@given(st.lists(st.integers(6, 20), min_size=2, max_size=5), st.integers(0, 5), st.sampled_from(["new", "old"]))
def test_a_cut_up_video_is_whole_again(lengths: list[int], overlap: int, drop: str) -> None:
    total = sum(lengths) - overlap * (len(lengths) - 1)
    video = frames(total, height=2, width=2)
    start, joined = 0, None
    for length in lengths:
        clip = video[start : start + length]
        joined = clip if joined is None else stitch(joined, clip, overlap_frames=overlap, drop=drop)[0]
        start += length - overlap
    assert torch.equal(joined, video)


@given(
    st.lists(st.integers(6, 9), min_size=2, max_size=5), st.integers(0, 5), st.sampled_from(["new", "old"]),
    st.sampled_from(["none", "linear"]), st.sampled_from(["off", "mean_std"]),
)  # fmt: skip
def test_many_clips_at_once_are_the_same_as_one_after_the_other(
    lengths: list[int], overlap: int, drop: str, blend: str, color_match: str
) -> None:
    options = {"overlap_frames": overlap, "drop": drop, "color_match": color_match}
    options["blend"] = blend if overlap else "none"
    options["color_reference"] = frames(1, seed=9)
    clips = [frames(length, height=2, width=2, seed=seed) for seed, length in enumerate(lengths)]
    joined = clips[0]
    for clip in clips[1:]:
        joined, _ = stitch(joined, clip, **options)
    assert torch.equal(stitch(*clips, **options)[0], joined)


def test_one_clip_is_nothing_to_stitch() -> None:
    with pytest.raises(SVIError, match="two clips or more, got 1"):
        stitch(frames(5), overlap_frames=0)


def test_a_clip_in_the_middle_is_named() -> None:
    with pytest.raises(SVIError, match="images_3 has 4 frames"):
        stitch(frames(9), frames(9), frames(4), overlap_frames=5)
    with pytest.raises(SVIError, match=r"64x64 and 32x64 \(images_3\)"):
        stitch(frames(9), frames(9), frames(9, width=32), overlap_frames=5)


def test_drop_decides_which_clip_shows_the_overlap() -> None:
    old, new = torch.zeros(9, 2, 2, 3), torch.ones(9, 2, 2, 3)
    assert stitch(old, new, overlap_frames=5)[0][:, 0, 0, 0].tolist() == [0] * 9 + [1] * 4
    assert stitch(old, new, overlap_frames=5, drop="old")[0][:, 0, 0, 0].tolist() == [0] * 4 + [1] * 9


def test_alpha_is_dropped_and_said_and_the_clips_stay_as_they_were() -> None:
    clips = frames(6, channels=4), frames(6, seed=1)
    before = digest(clips)
    joined, notes = stitch(*clips, overlap_frames=1)
    assert joined.shape == (11, 64, 64, 3)
    assert notes == ["alpha of images_1 was dropped"]
    assert digest(clips) == before


@pytest.mark.parametrize(
    ("first", "second", "arguments", "message"),
    [
        (frames(6), frames(6, width=32), {"overlap_frames": 1}, r"one size, got 64x64 and 32x64 \(images_2\): resize"),
        (frames(6), frames(6), {"overlap_frames": 6}, r"must be 0\.\.5, got 6: images_2 has 6 frames"),
        (frames(6), frames(6), {"overlap_frames": -1}, r"overlap_frames must be 0 or more, got -1"),
        (frames(6), frames(6), {"overlap_frames": 1, "drop": "both"}, "drop must be one of new, old; got 'both'"),
        (frames(6), frames(6), {"overlap_frames": 1.0}, "must be a whole number, got 1.0"),
        (frames(0), frames(6), {"overlap_frames": 0}, "images_1 is empty"),
    ],
)
def test_clips_that_do_not_join_are_refused(first, second, arguments: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        stitch(first, second, **arguments)


def test_an_overlap_may_be_as_long_as_the_clip_that_stays() -> None:
    """SVI 2.0 Pro: 4 motion latents of a 17-frame clip, and the anchor's frame before them."""
    first, second = frames(17), frames(33, seed=1)
    joined, _ = stitch(first, second, overlap_frames=17)
    assert torch.equal(joined, torch.cat([first, second[17:]]))
    with pytest.raises(SVIError, match=r"must be 0\.\.16, got 17: images_1 has 17 frames"):
        stitch(first, second, overlap_frames=17, drop="old")


@pytest.mark.parametrize("blend", ["linear", "cosine"])
@pytest.mark.parametrize("overlap", [1, 5, 8])
def test_blend_fades_from_one_clip_into_the_other(blend: str, overlap: int) -> None:
    first, second = frames(9, seed=1), frames(10, seed=2)
    joined, notes = stitch(first, second, overlap_frames=overlap, blend=blend)
    assert len(joined) == 19 - overlap
    assert notes == []
    weights = []
    for i in range(overlap):
        share = (i + 1) / (overlap + 1)
        weights.append((1 - math.cos(math.pi * share)) / 2 if blend == "cosine" else share)
    for i, weight in enumerate(weights):
        expected = (1 - weight) * first[9 - overlap + i] + weight * second[i]
        assert torch.allclose(joined[9 - overlap + i], expected, atol=1e-6)
    assert torch.equal(joined[: 9 - overlap], first[: 9 - overlap])
    assert torch.equal(joined[9:], second[overlap:])


def test_equal_overlaps_blend_to_themselves() -> None:
    clip = frames(12)
    joined, _ = stitch(clip[:9], clip[4:], overlap_frames=5, blend="cosine")
    assert torch.allclose(joined, clip, atol=1e-6)


def test_blend_says_what_it_cannot_do() -> None:
    with pytest.raises(SVIError, match="blend must be one of none, linear, cosine"):
        stitch(frames(9), frames(9), overlap_frames=5, blend="fade")
    with pytest.raises(SVIError, match="blend linear needs an overlap"):
        stitch(frames(9), frames(9), overlap_frames=0, blend="linear")
    for first, second, name in ((5, 9, "images_1"), (9, 5, "images_2")):
        with pytest.raises(SVIError, match=f"{name} has 5 frames"):
            stitch(frames(first), frames(second), overlap_frames=5, blend="linear")
    _, notes = stitch(frames(9), frames(9), overlap_frames=5, drop="old", blend="linear")
    assert notes == ["drop has no effect: both clips' overlap is blended"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_blend_keeps_the_type_of_the_earlier_clip(dtype: torch.dtype) -> None:
    joined, _ = stitch(frames(9).to(dtype), frames(9), overlap_frames=5, blend="linear")
    assert joined.dtype == dtype


@pytest.mark.parametrize("strength", [-0.1, 1.5, "1", None, float("nan")])
def test_a_strength_that_is_no_share_is_refused(strength: object) -> None:
    with pytest.raises(SVIError, match=r"color_match_strength must be a number 0\.\.1"):
        stitch(frames(9), frames(9), overlap_frames=1, color_match="mean_std", color_match_strength=strength)  # type: ignore[arg-type]
