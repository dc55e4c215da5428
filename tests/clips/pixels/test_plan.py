"""A clip decided from its mode and inputs: the recipe table and every combination that must be refused."""

from __future__ import annotations

import pytest
from helpers import planned, sort
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.clips.latents.decide import decide_latent_clip
from wanvideo_svi.svi_embeds.clips.latents.settings import LatentConnected, LatentSettings
from wanvideo_svi.svi_embeds.clips.pixels.decide import decide_clip
from wanvideo_svi.svi_embeds.clips.pixels.plan import plan_clip
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipSettings, Connected
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.masks.known import count_concat, count_known
from wanvideo_svi.svi_embeds.recipes import (
    KNOWN_CHOICES,
    MODES,
    PADDING_CHOICES,
    RECIPES,
    recipe,
    resolve_known,
    resolve_padding,
)

# Written out, so that a changed row is a decision and not an accident: saved graphs rely on every cell.
TABLE = {
    "film": (5, "grey", "overlap", 5),
    "shot": (1, "reference", "first_frame", 1),
    "tom": (1, "grey", "first_frame", 1),
    "talk": (1, "reference", "first_frame", 1),
    "dance": (1, "reference", "first_frame", 1),
    "film_shot": (5, "reference", "overlap", 5),
    "svi2_wan21": (5, "reference", "first_frame", 1),
    "svi2_wan22": (1, "reference", "first_frame", 1),
    "fun_inp": (5, "grey", "overlap", 5),
    "i2v": (1, "grey", "overlap", 1),
}
TO_ADD = "write motion frames, padding, rule and count of kept frames into TABLE of tests/clips/pixels/test_plan.py for"


def plan(mode: str = "film", **given):
    """A clip's plan. given: settings, and counts of what is connected."""
    return plan_clip(*sort({"mode": mode, "start_image": 81, "ref_image": 1, **given}, ClipSettings, Connected))


def test_the_table_has_these_rows_and_no_others() -> None:
    gone = TABLE.keys() - set(RECIPES)
    assert not gone, f"{sorted(gone)} stand in TABLE and not in svi_embeds/recipes.py, and saved graphs have them"
    lacks = set(RECIPES) - TABLE.keys()
    assert not lacks, f"{TO_ADD} {sorted(lacks)}"


@pytest.mark.parametrize("mode", MODES)
def test_motion_padding_and_kept_frames_of_each_mode(mode: str) -> None:
    assert mode in TABLE, f"{TO_ADD} {mode}"
    motion, padding, known, kept = TABLE[mode]
    clip = plan(mode)
    assert (clip.timeline.motion_frames, clip.padding, clip.known) == (motion, padding, known)
    assert clip.known_values == (1,) * kept + (0,) * (81 - kept)


def test_shot_concat_mask_is_one_black_and_eighty_white() -> None:
    values = plan("shot").known_values
    assert count_concat(values) == "1 black + 80 white"
    assert count_known(values) == "1 white + 80 black"


def test_inverted_generates_frame_0_and_keeps_the_rest() -> None:
    assert plan("shot", known_frames="inverted").known_values == (0,) + (1,) * 80


def test_end_frames_are_kept_under_both_ordinary_rules() -> None:
    for known in ("overlap", "first_frame"):
        values = plan("film", end_image=2, known_frames=known).known_values
        assert values[-2:] == (1, 1)
        assert values[5:-2] == (0,) * 74
    assert plan("film", end_image=2, known_frames="first_frame").known_values[:5] == (1, 0, 0, 0, 0)


def test_overlap_frames_replaces_the_recipe_count() -> None:
    clip = plan("film", overlap_frames=9)
    assert clip.timeline.motion_frames == 9
    assert clip.known_values[:10] == (1,) * 9 + (0,)


def test_an_overlap_that_ends_inside_a_latent_is_said() -> None:
    (note,) = plan("film", overlap_frames=3, ref_image=0).notes
    assert note.startswith("3 motion frames end inside latent 1")
    assert plan("film", ref_image=0).notes == ()


def test_single_start_image_is_the_reference_of_the_first_clip_and_said() -> None:
    clip = plan("shot", start_image=1, ref_image=0)
    assert clip.reference_from == "start_image"
    assert any("right for the first clip only" in note for note in clip.notes)


def test_ref_image_that_is_not_used_is_said() -> None:
    assert any("ref_image is not used: padding is grey" in note for note in plan("film").notes)


def test_end_image_alone_turns_fun_on_and_says_so() -> None:
    clip = plan("i2v", start_image=0, ref_image=0, end_image=1, fun_or_fl2v_model=False)
    assert clip.fun_or_fl2v_model
    assert not clip.timeline.end_apart
    assert any("fun_or_fl2v_model was turned on" in note for note in clip.notes)
    assert clip.known_values == (0,) * 80 + (1,)


@pytest.mark.parametrize(
    ("mode", "inputs", "message"),
    [
        ("film", {"start_image": 0}, "film needs start_image: connect the previous clip"),
        ("film", {"start_image": 3}, "film needs 5 motion frames, start_image has 3: connect the whole previous clip"),
        ("film", {"start_image": 1}, "film needs 5 motion frames, start_image has 1: for the first clip choose mode"),
        ("film", {"overlap_frames": 81}, "overlap must be smaller than num_frames, got 81"),
        ("film", {"overlap_frames": -1}, "overlap_frames must be 0 or more, got -1"),
        ("film", {"start_image": 0, "end_image": 1, "overlap_frames": 5}, "overlap_frames 5 needs start_image"),
        ("film", {"num_frames": 80}, "num_frames must be 4k\\+1 .* got 80: use 77 or 81"),
        ("film", {"end_image": 76}, "end_image meets the motion frames: 5 motion \\+ 76 end"),
        ("film", {"end_image": 1, "fun_or_fl2v_model": False}, "goes with exactly 1 motion frame, got 5"),
        ("shot", {"end_image": 2, "fun_or_fl2v_model": False}, "the end is exactly 1 frame, got 2"),
        ("shot", {"ref_image": 0}, "shot needs ref_image: connect the original image, not the last frame"),
        ("shot", {"ref_image": 2}, "ref_image must be one image, got a batch of 2"),
        ("film", {"padding": "reference", "ref_image": 0}, "film needs ref_image"),
        ("i2v", {"start_image": 0, "end_image": 1, "padding": "last"}, "padding last needs motion frames"),
        ("film", {"overlap_frames": True}, "overlap_frames must be a whole number, got True"),
        ("film", {"ref_image": -1}, "frames of ref_image must be 0 or more, got -1"),
        (["film"], {}, "mode must be one of"),
        ("svi3", {}, "mode must be one of film, shot, .*; got 'svi3'"),
        ("film", {"known_frames": "all"}, "known_frames must be one of recipe, overlap, first_frame, inverted; got"),
        ("film", {"padding": "white"}, "padding must be one of recipe, grey, reference, black, last; got 'white'"),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(mode: str, inputs: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        plan(mode, **inputs)


@given(
    mode=st.sampled_from(MODES),
    num_frames=st.integers(1, 15).map(lambda k: 4 * k + 1),
    start=st.integers(0, 70),
    reference=st.integers(0, 2),
    end=st.integers(0, 6),
    overlap=st.integers(0, 12),
    known=st.sampled_from(KNOWN_CHOICES),
    padding=st.sampled_from(PADDING_CHOICES),
    fun=st.booleans(),
)
def test_any_plan_is_whole_or_refused(mode, num_frames, start, reference, end, overlap, known, padding, fun) -> None:
    try:
        clip = plan(
            mode, num_frames=num_frames, start_image=start, ref_image=reference, end_image=end,
            overlap_frames=overlap, known_frames=known, padding=padding, fun_or_fl2v_model=fun,
        )  # fmt: skip
    except SVIError:
        return
    line = clip.timeline
    assert len(clip.known_values) == line.total_frames
    assert line.motion_frames <= start
    assert len(line.padding) > 0
    assert (clip.reference_from is not None) == (clip.padding == "reference")
    if clip.known == "overlap":
        assert sum(clip.known_values) == line.motion_frames + line.end_frames


def test_choices_resolve_to_the_row_or_to_themselves() -> None:
    row = recipe("svi2_wan21")
    assert (resolve_known(row, "recipe"), resolve_padding(row, "recipe")) == ("first_frame", "reference")
    assert (resolve_known(row, "overlap"), resolve_padding(row, "black")) == ("overlap", "black")


def test_a_plan_is_short_to_read() -> None:
    assert repr(plan("film", num_frames=17, ref_image=0)) == (
        "ClipPlan(film: Timeline(17 frames: motion 0-4, padding 5-16), padding grey, known overlap)"
    )


@pytest.mark.parametrize(("mode", "guide"), [("talk", "voice"), ("dance", "poses")])
def test_a_clip_that_follows_something_says_what_does_not_go_with_it(mode: str, guide: str) -> None:
    assert plan(mode).notes == ()
    assert f"svi-{mode} was made for 1 motion frame, this clip has 5" in plan(mode, overlap_frames=5).notes
    assert f"the {guide} and end_image both say how the clip ends" in plan(mode, end_image=1).notes[0]
    with pytest.raises(SVIError, match=f"{mode} needs ref_image"):
        plan(mode, ref_image=0)


def test_poses_and_an_end_apart_are_of_different_length() -> None:
    apart = {"end_image": 1, "fun_or_fl2v_model": False}
    with pytest.raises(SVIError, match="one latent longer than its poses"):
        plan("dance", **apart)
    assert plan("talk", **apart).timeline.end_apart


@pytest.mark.parametrize(("mode", "frames", "said"), [
    ("svi2_wan21", 81, False), ("svi2_wan21", 121, True), ("svi2_wan22", 85, True), ("film", 121, False),
    ("svi2_pro", 81, False), ("svi2_pro", 121, True),
])  # fmt: skip
def test_a_clip_longer_than_its_lora_was_made_for_is_told_everywhere(mode: str, frames: int, said: bool) -> None:
    told = f"{mode} was made for clips of up to 81 frames, and with more the colours degrade"
    notes: tuple[str, ...]
    if mode == "svi2_pro":
        notes = decide_latent_clip(LatentSettings(num_frames=frames), LatentConnected(prev_samples=21)).notes
    else:
        connected = Connected(start_image=RECIPES[mode].motion_frames, ref_image=1)
        notes = decide_clip(ClipSettings(mode=mode, num_frames=frames), connected).notes
    (*found,) = (note for note in notes if note.startswith(told))
    assert bool(found) == said
    chain = planned("a\n---\nb\n---\n[frames=17]\nc", mode=mode, num_frames=frames)
    assert [note for note in chain.notes if told in note] == [f"clip 2: {note}" for note in found]
