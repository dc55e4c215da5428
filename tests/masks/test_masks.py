"""The two mask views, packing, and a caller's temporal_mask."""

from __future__ import annotations

import pytest
import torch
from helpers import rows
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.masks.known import (
    check_mask,
    concat_from_known,
    count_concat,
    count_known,
    describe_known,
    fit_temporal_mask,
    format_runs,
    frame_masks,
    pack_known,
    per_frame,
    unpack_known,
)

VALUES = st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=1, max_size=80)


def packed_by_definition(values: list[float], *, end_apart: bool) -> list[list[float]]:
    """Written out from the definition: frame 0 four times, groups of four, an end apart four times."""
    body = values[:-1] if end_apart else values
    row = [body[0]] * 4 + body[1:] + ([values[-1]] * 4 if end_apart else [])
    return [row[i : i + 4] for i in range(0, len(row), 4)]


@given(VALUES, st.booleans())
def test_packing_follows_its_definition_and_unpacks_to_the_same_frames(values: list[float], apart: bool) -> None:
    values = values[: (len(values) - 1) // 4 * 4 + 1] + ([1.0] if apart else [])
    known = torch.tensor(values)
    packed = pack_known(known, end_apart=apart)
    assert packed.T.tolist() == packed_by_definition(values, end_apart=apart)
    assert torch.equal(unpack_known(packed, end_apart=apart), known)


@given(npst.arrays("float32", (9, 3, 2), elements=st.floats(0, 1, width=32)))
def test_pixels_are_packed_independently(pixels) -> None:
    known = torch.from_numpy(pixels)
    packed = pack_known(known)
    assert packed.shape == (4, 3, 3, 2)
    for y in range(3):
        for x in range(2):
            assert torch.equal(packed[:, :, y, x], pack_known(known[:, y, x]))


@pytest.mark.parametrize(("frames", "apart"), [(8, False), (9, True), (1, True), (0, False)])
def test_lengths_that_do_not_pack_are_refused(frames: int, apart: bool) -> None:
    with pytest.raises(SVIError, match=f"4k\\+{2 if apart else 1} frames, got {frames}"):
        pack_known(torch.zeros(frames), end_apart=apart)


def test_unpacking_needs_four_channels() -> None:
    with pytest.raises(SVIError, match=r"\[4, T, ...\], got \[3, 5\]"):
        unpack_known(torch.zeros(3, 5))


@given(VALUES)
def test_both_views_add_up_to_one(values: list[float]) -> None:
    known = frame_masks(values, height=2, width=3)
    assert torch.equal(known + concat_from_known(known), torch.ones(len(values), 2, 3))
    assert torch.equal(concat_from_known(concat_from_known(known)), known)


def test_words_for_five_kept_frames_name_both_views() -> None:
    values = [1.0] * 5 + [0.0] * 76
    assert describe_known(values) == "5 white + 76 black (kept: 0-4)"
    assert count_concat(values) == "5 black + 76 white"
    assert count_known([1, 0.5, 0]) == "1 white + 1 black + 1 partly white"
    assert format_runs([0, 1, 2, 7, 80]) == "0-2, 7, 80"
    assert format_runs([]) == "none"


def test_a_short_temporal_mask_is_filled_with_generate_and_said() -> None:
    known, notes = fit_temporal_mask(torch.ones(3, 4, 4), frames=9, height=2, width=2)
    assert rows(pack_known(known)) == ["1111", "1100", "0000"]
    assert notes == ["temporal_mask has 3 of 9 frames: the rest is generated"]


def test_a_long_temporal_mask_is_cut_and_said() -> None:
    known, notes = fit_temporal_mask(torch.ones(13, 2, 2), frames=9, height=2, width=2)
    assert known.shape == (9, 2, 2)
    assert notes == ["temporal_mask was cut from 13 to 9 frames"]


def test_temporal_mask_is_resized_by_nearest_neighbour_and_keeps_fractions() -> None:
    mask = torch.tensor([[0.0, 1.0], [0.25, 0.75]]).repeat(5, 1, 1)
    known, notes = fit_temporal_mask(mask, frames=5, height=4, width=4)
    assert torch.equal(known[0], mask[0].repeat_interleave(2, 0).repeat_interleave(2, 1))
    assert notes == []


def test_per_frame_is_the_mean_over_pixels() -> None:
    assert per_frame(torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]])) == [0.5, 1.0]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(4, 4), r"3 axes .* got \[4, 4\]: a single 2-D mask needs a leading frame axis"),
        (torch.ones(1, 1, 4, 4), r"3 axes .* got \[1, 1, 4, 4\]"),
        (torch.ones(9, 4, 4, dtype=torch.bool), r"floats in 0..1, got torch.bool: convert it"),
        (torch.ones(9, 4, 4, dtype=torch.int64), "floats in 0..1, got torch.int64"),
        (torch.ones(0, 4, 4), "is empty"),
        (torch.full((9, 4, 4), float("nan")), "NaN or infinite"),
        (torch.full((9, 4, 4), 1.5), r"in 0..1, got 1.5..1.5"),
        ("mask", "must be a MASK tensor .* got str"),
    ],
)
def test_a_bad_mask_is_refused_with_what_came(mask: object, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        check_mask("m", mask)
