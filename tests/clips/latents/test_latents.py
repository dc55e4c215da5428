"""SVI 2.0 Pro: a clip's embeds from latents."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from helpers import digest, rows
from hypothesis import given
from hypothesis import strategies as st
from pro_clips import clip, latent
from project import PAGES
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.embeds import check_embeds
from wanvideo_svi.svi_embeds.clips.latent_space import to_native
from wanvideo_svi.svi_embeds.clips.latents.plan import (
    LATENT_END_PADDING_CHOICES,
    LATENT_KNOWN_CHOICES,
    LATENT_PADDING_CHOICES,
)
from wanvideo_svi.svi_embeds.errors import SVIError

PAGE = (PAGES / "WanVideoSVILatentEmbeds.md").read_text()


def expected(anchor: Tensor, motion: Tensor | None, num_frames: int) -> tuple[Tensor, Tensor]:
    """What 2.0 Pro takes, written down a second time: [anchor, motion, zeros], and frame 0 kept."""
    total = (num_frames - 1) // 4 + 1
    latents = torch.zeros(16, total, *anchor.shape[2:])
    latents[:, : anchor.shape[1]] = anchor
    if motion is not None:
        latents[:, anchor.shape[1] : anchor.shape[1] + motion.shape[1]] = motion
    mask = torch.zeros(4, total, *anchor.shape[2:])
    mask[:, 0] = 1
    return latents, mask


def test_a_first_clip_is_the_anchor_and_zeros() -> None:
    anchor = latent()
    made = clip(anchor_samples=anchor)
    latents, mask = expected(anchor["samples"][0], None, 17)
    assert torch.equal(made.embeds["image_embeds"], latents)
    assert torch.equal(made.embeds["mask"], mask)
    assert made.plan.overlap_frames == 0


@given(
    anchors=st.integers(1, 3), motion=st.integers(0, 4), previous=st.integers(0, 6), total=st.integers(1, 9),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_latents_and_mask_are_those_of_pro(anchors: int, motion: int, previous: int, total: int, seed: int) -> None:
    anchor, prev = latent(anchors, seed=seed), latent(previous, seed=seed + 1) if previous else None
    used = min(motion, previous)
    inputs = {
        "anchor_samples": anchor, "prev_samples": prev, "motion_latents": motion, "num_frames": 4 * (total - 1) + 1,
    }  # fmt: skip
    if anchors + used > total:
        with pytest.raises(SVIError, match="do not fit into a clip"):
            clip(**inputs)
        return
    made = clip(**inputs)
    tail = prev["samples"][0, :, previous - used :] if prev is not None and used else None
    latents, mask = expected(anchor["samples"][0], tail, inputs["num_frames"])
    assert torch.equal(made.embeds["image_embeds"], latents)
    assert torch.equal(made.embeds["mask"], mask)
    assert made.plan.overlap_frames == (4 * (anchors + used - 1) + 1 if used else 0)
    check_embeds(made.embeds)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_mask_and_latents_keep_the_dtype_of_the_anchor(dtype: torch.dtype) -> None:
    made = clip(anchor_samples={"samples": latent()["samples"].to(dtype)})
    assert made.embeds["mask"].dtype == made.embeds["image_embeds"].dtype == dtype
    mixed = clip(anchor_samples={"samples": latent()["samples"].to(torch.bfloat16)}, prev_samples=latent(5, seed=1))
    assert mixed.embeds["image_embeds"].dtype == torch.float32, "no precision of the motion latents is lost"
    assert mixed.embeds["mask"].dtype == torch.bfloat16


KEPT = {
    "first_latent": [1, 0, 0, 0, 0],
    "anchor_and_motion": [1, 1, 1, 0, 0],
    "inverted": [0, 1, 1, 1, 1],
}


@pytest.mark.parametrize("rule", LATENT_KNOWN_CHOICES)
def test_each_rule_keeps_whole_latents(rule: str) -> None:
    made = clip(prev_samples=latent(5, seed=1), motion_latents=2, known_frames=rule)
    assert rows(made.embeds["mask"]) == [f"{v}" * 4 for v in KEPT[rule]]
    first, *rest = KEPT[rule]
    frames = [first, *(v for v in rest for _ in range(4))]
    assert made.known_mask[:, 0, 0].tolist() == frames
    assert torch.equal(made.known_mask + made.concat_mask, torch.ones(17, 8, 8))
    assert made.embeds["svi"]["concat_mask"] == [1 - v for v in frames]


def test_reference_padding_repeats_the_anchor_and_ref_strength_scales_it() -> None:
    anchor = latent(2)
    made = clip(anchor_samples=anchor, prev_samples=latent(5, seed=1), padding="reference", ref_strength=0.75)
    last = anchor["samples"][0, :, -1:]
    assert torch.equal(made.embeds["image_embeds"][:, 3:], (last * 0.75).expand(-1, 2, -1, -1))
    assert torch.equal(made.embeds["image_embeds"][:, :2], anchor["samples"][0])
    zero = clip(ref_strength=0.75)
    assert "ref_strength 0.75 has no effect: no latent is reference padding" in zero.info
    assert torch.equal(zero.embeds["image_embeds"], clip().embeds["image_embeds"])


def test_anchor_strength_scales_the_anchor_alone() -> None:
    plain, made = clip(padding="reference"), clip(padding="reference", anchor_strength=0.5)
    assert torch.equal(made.embeds["image_embeds"][:, :1], plain.embeds["image_embeds"][:, :1] * 0.5)
    assert torch.equal(made.embeds["image_embeds"][:, 1:], plain.embeds["image_embeds"][:, 1:])
    assert made.info.endswith("- anchor scaled by 0.5")


LAST_COLUMNS = re.findall(r"^\| (\d) \| ([01 ]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_the_help_page_has_the_table_of_ends() -> None:
    assert [int(count) for count, *_ in LAST_COLUMNS] == [1, 2, 3]


@pytest.mark.parametrize(("count", "on", "off"), LAST_COLUMNS)
def test_the_last_columns_are_those_of_the_help_page(count: str, on: str, off: str) -> None:
    end, inputs = latent(int(count), seed=2), {"prev_samples": latent(5, seed=1), "num_frames": 25}
    made = clip(**inputs, end_samples=end)
    columns = rows(made.embeds["mask"])
    assert columns == ["1111", *["0000"] * (6 - int(count)), *on.split()]
    assert torch.equal(made.embeds["image_embeds"][:, -int(count) :], end["samples"][0])
    assert made.embeds["svi"]["end_frames"] == 4 * int(count)
    if off.strip() == "refused":
        with pytest.raises(SVIError, match="the end is exactly 1 latent, got"):
            clip(**inputs, end_samples=end, fun_or_fl2v_model=False)
    else:
        apart = clip(**inputs, end_samples=end, fun_or_fl2v_model=False)
        columns = rows(apart.embeds["mask"])
        assert f"{columns[-1]}, one latent more" == off.strip()
        assert columns[:-1] == ["1111", *["0000"] * 6]
        assert apart.embeds["image_embeds"].shape[1] == 8
        assert len(apart.known_mask) == 26
        assert apart.embeds["end_image"] is not None, "tells the host's sampler and decode of the latent more"


@pytest.mark.parametrize("kind", LATENT_END_PADDING_CHOICES)
def test_the_latents_before_the_end_can_have_a_padding_of_their_own(kind: str) -> None:
    anchor, end = latent(), latent(2, seed=2)
    made = clip(
        anchor_samples=anchor, end_samples=end, num_frames=29, padding="reference", end_padding=kind,
        end_padding_latents=2, ref_strength=0.5, end_strength=0.8,
    )  # fmt: skip
    latents, reference = made.embeds["image_embeds"], anchor["samples"][0] * 0.5
    want = {"same": reference, "reference": reference, "zero": torch.zeros_like(reference),
            "end": end["samples"][0, :, :1]}[kind]  # fmt: skip
    assert torch.equal(latents[:, 1:4], reference.expand(-1, 3, -1, -1))
    assert torch.equal(latents[:, 4:6], want.expand(-1, 2, -1, -1))
    assert torch.equal(latents[:, 6:], end["samples"][0] * 0.8)


def test_end_latents_takes_the_first_latents() -> None:
    end = latent(5, seed=2)
    made = clip(end_samples=end, end_latents=2)
    assert torch.equal(made.embeds["image_embeds"][:, -2:], end["samples"][0, :, :2])


def test_settings_of_the_end_without_an_end_are_said_to_do_nothing() -> None:
    info = clip(end_strength=0.5, end_padding="end").info
    assert "end_strength has no effect: there are no end_samples" in info
    assert "end_padding has no effect: there are no end_samples" in info


def test_native_latents_are_converted_and_zero_padding_stays_zero() -> None:
    parts = {"anchor_samples": latent(), "prev_samples": latent(5, seed=1), "end_samples": latent(seed=2)}
    native = {name: {"samples": to_native(part["samples"][0])[None]} for name, part in parts.items()}
    made = clip(**native, latent_space="native")
    torch.testing.assert_close(made.embeds["image_embeds"], clip(**parts).embeds["image_embeds"])
    assert float(made.embeds["image_embeds"][:, 2:4].abs().max()) == 0
    assert "(native latents in)" in made.info


def test_an_end_that_the_decode_drops_is_no_motion() -> None:
    previous = latent(6, seed=1)
    for flag in ({"end_image": torch.zeros(1)}, {"drop_last": True}):
        made = clip(prev_samples={**previous, **flag})
        assert torch.equal(made.embeds["image_embeds"][:, 1], previous["samples"][0, :, 4])
        assert "the last latent of prev_samples is an end that the decode drops" in made.info
    made = clip(prev_samples={**previous, "end_image": None, "drop_last": False})
    assert torch.equal(made.embeds["image_embeds"][:, 1], previous["samples"][0, :, 5])


def test_a_reference_in_front_is_no_motion() -> None:
    previous = latent(3, seed=1)
    made = clip(prev_samples={**previous, "has_ref": True}, motion_latents=5)
    assert torch.equal(made.embeds["image_embeds"][:, 1:3], previous["samples"][0, :, 1:])
    assert "the first latent of prev_samples is a reference that the decode drops" in made.info


def test_a_clip_in_which_nothing_is_generated_is_said_to_be_one() -> None:
    assert "nothing is generated: the clip is the anchor's first frame alone" in clip(num_frames=1).info


def test_an_end_behind_the_clip_is_a_copy() -> None:
    end = latent(seed=2)
    made = clip(end_samples=end, fun_or_fl2v_model=False)
    made.embeds["end_image"].zero_()
    assert float(end["samples"].abs().max()) > 0
    assert made.embeds["svi"]["end_frames"] == 1


def test_info_tells_what_stands_where_and_what_to_trim() -> None:
    made = clip(prev_samples=latent(2, seed=1), motion_latents=3, num_frames=33)
    lines = made.info.splitlines()
    assert lines[0] == "svi2_pro: 33 frames at 64x64, 9 latents (wrapper latents in)"
    assert lines[2] == "latents: anchor 0, motion 1-2, zero padding 3-8"
    assert lines[5].startswith("overlap_frames: 9; drop them from the start of this clip")
    assert lines[6] == "- prev_samples has 2 latents, 3 motion_latents were asked: all are taken"
    unused = clip(prev_samples=latent(2), motion_latents=0)
    assert "prev_samples is not used: motion_latents is 0" in unused.info
    full = clip(prev_samples=latent(5), motion_latents=4)
    assert "anchor and motion latents fill the clip" in full.info
    batch = clip(anchor_samples={"samples": torch.zeros(2, 16, 1, 8, 8)})
    assert "anchor_samples is a batch of 2: the first is used" in batch.info


def test_the_sheet_shows_latents_and_folds_padding() -> None:
    made = clip(prev_samples=latent(5, seed=1), end_samples=latent(seed=2), num_frames=33)
    spans = [(tile.role, tile.first, tile.last, tile.known) for tile in made.tiles]
    assert spans == [("anchor", 0, 0, 1), ("motion", 1, 4, 0), ("zero padding", 5, 28, 0), ("end", 29, 32, 1)]
    assert made.sheet().width >= 900
    assert made.tiles[0].picture.tobytes() != made.tiles[1].picture.tobytes()
    apart = clip(end_samples=latent(seed=2), fun_or_fl2v_model=False)
    assert [(tile.first, tile.last) for tile in apart.tiles] == [(0, 0), (1, 16), (17, 17)]


def test_nothing_that_is_passed_in_is_changed() -> None:
    inputs = {
        "anchor_samples": latent(), "prev_samples": latent(5, seed=1), "end_samples": latent(2, seed=2),
        "clip_embeds": {"clip_embeds": torch.randn(1, 257, 8), "negative_clip_embeds": None},
    }  # fmt: skip
    before = digest(inputs)
    made = clip(**inputs, anchor_strength=0.5, end_strength=0.5, latent_space="native", num_frames=33)
    made.embeds["image_embeds"][:, 1:] = 0
    made.embeds["mask"].zero_()
    assert digest(inputs) == before
    assert made.embeds["clip_context"] is inputs["clip_embeds"]["clip_embeds"]


def test_repr_is_short_and_shows_counts() -> None:
    made = clip(prev_samples=latent(5))
    assert repr(made) == "LatentClip(svi2_pro, 17 frames, latents [16, 5, 8, 8])"
    assert repr(made.plan) == "LatentPlan(17 frames: 1 + 1 + 3 + 0 latents)"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no 4k+1": ({"num_frames": 20}, r"num_frames must be 4k\+1 .* got 20: use 17 or 21"),
    "too many motion latents": (
        {"prev_samples": latent(9), "motion_latents": 5, "num_frames": 17},
        r"anchor 1 \+ motion 5 \+ end 0 latents do not fit into a clip of 17 frames \(5 latents\): .* 25 or more",
    ),
    "end too": (
        {"prev_samples": latent(9), "motion_latents": 3, "num_frames": 17, "end_samples": latent(2)},
        r"anchor 1 \+ motion 3 \+ end 2 latents do not fit .* num_frames 25 or more",
    ),
    "all kept": (
        {"prev_samples": latent(9), "motion_latents": 4, "known_frames": "anchor_and_motion"},
        "known_frames anchor_and_motion keeps all 5 latents, nothing would be generated",
    ),
    "no latent": ({"anchor_samples": torch.zeros(1, 16, 1, 8, 8)}, r"anchor_samples must be a LATENT"),
    "5B": ({"anchor_samples": latent(channels=48)}, "anchor_samples has 48 channels, SVI 2.0 Pro is for models of 16"),
    "odd size": ({"anchor_samples": latent(size=(8, 9))}, "anchor_samples is 9x8 latent pixels, both must be even"),
    "previous of another size": (
        {"prev_samples": latent(5, size=(8, 10))}, r"prev_samples must be of the anchor's size, \[16, t, 8, 8\], got"
    ),
    "end of another size": ({"end_samples": latent(size=(4, 4))}, "end_samples must be of the anchor's size"),
    "end of other channels": ({"end_samples": latent(channels=48)}, "end_samples must be of the anchor's size"),
    "more end than there is": (
        {"end_samples": latent(2), "end_latents": 3}, "end_latents is 3, but end_samples has 2 latents"
    ),
    "end_latents alone": ({"end_latents": 1}, "end_latents is 1, but there are no end_samples"),
    "end padding too long": (
        {"end_samples": latent(), "end_padding": "end", "end_padding_latents": 4},
        "end_padding_latents must be 3 or less .* got 4",
    ),
    "end padding without room": (
        {"end_samples": latent(3), "prev_samples": latent(5), "end_padding": "end", "num_frames": 17},
        "no latent stands before the end: set end_padding to same, or use a longer clip",
    ),
    "nothing to generate": (
        {"end_samples": latent(), "num_frames": 5}, "keeps all 2 latents, nothing would be generated"
    ),
    "previous without a latent": (
        {"prev_samples": {**latent(), "drop_last": True}}, "prev_samples has no latent that is shown"
    ),
    "end padding none": ({"end_padding_latents": 0}, "end_padding_latents must be 1 or more, got 0"),
    "rule": ({"known_frames": "overlap"}, "known_frames must be one of first_latent, anchor_and_motion, inverted"),
    "padding": ({"padding": "grey"}, "padding must be one of zero, reference; got 'grey'"),
    "end padding": ({"end_padding": "grey"}, "end_padding must be one of same, zero, reference, end; got 'grey'"),
    "space": ({"latent_space": "auto"}, "latent_space must be one of wrapper, native"),
    "strength": ({"anchor_strength": float("nan")}, "anchor_strength must be a number of 0 or more"),
    "tick": ({"fun_or_fl2v_model": 1}, "fun_or_fl2v_model must be true or false, got int '1'"),
    "motion": ({"motion_latents": -1}, "motion_latents must be 0 or more, got -1"),
    "clip vision": ({"clip_embeds": torch.zeros(1)}, "clip_embeds must be a dict"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_what_came_and_what_to_do(name: str) -> None:
    inputs, message = REFUSED[name]
    with pytest.raises(SVIError, match=message):
        clip(**inputs)


def test_choices_that_saved_graphs_hold() -> None:
    assert LATENT_KNOWN_CHOICES == ("first_latent", "anchor_and_motion", "inverted")
    assert LATENT_PADDING_CHOICES == ("zero", "reference")
