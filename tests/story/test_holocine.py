"""HoloCine prompts and cuts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_calls import call
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.story.holocine import (
    TOKEN_LIMIT,
    Scene,
    auto_cuts,
    estimate_tokens,
    parse_prompt,
    read_cuts,
    read_shots,
    snap_cut,
)
from wanvideo_svi.svi_embeds.timeline import frames_of_latent, latent_of_frame

word = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=12).filter(
    lambda text: not set("|[]():") & set(text) and text.split() == [text]
)
caption = st.lists(word, min_size=1, max_size=12).map(" ".join)
scenes = st.builds(Scene, caption, st.lists(caption, min_size=1, max_size=7).map(tuple))


@settings(max_examples=200)
@given(scenes)
def test_a_prompt_reads_back_as_its_scene(scene: Scene) -> None:
    assert parse_prompt(scene.prompt) == scene


def test_the_prompt_has_holocines_form() -> None:
    scene = Scene("A panda in a forest.", ("Wide shot", "Close-up"))
    assert scene.prompt == (
        "[global caption] A panda in a forest. This scene contains 2 shots. "
        "[per shot caption] Wide shot [shot cut] Close-up"
    )


def published_cuts(num_frames: int, shots: int) -> list[int]:
    """The rule of HoloCine's scripts, written a second time: even steps, each rounded, then to the nearest 4t+1."""
    step = num_frames / shots
    return sorted({4 * round((round(i * step) - 1) / 4) + 1 for i in range(1, shots)})


@pytest.mark.parametrize("shots", range(2, 7))
def test_automatic_cuts_of_241_frames_are_legal_and_follow_the_published_rule(shots: int) -> None:
    cuts = auto_cuts(241, shots)
    assert list(cuts) == published_cuts(241, shots)
    assert len(cuts) == shots - 1
    for before, cut in zip((0, *cuts), cuts, strict=False):
        assert before < cut < 241
        assert cut % 4 == 1
        assert frames_of_latent(latent_of_frame(cut))[0] == cut, "a shot begins where a latent begins"


def test_six_shots_are_cut_where_users_cut_them() -> None:
    assert auto_cuts(241, 6) == (41, 81, 121, 161, 201)


@given(st.integers(1, 10_000))
def test_a_cut_moves_to_the_nearest_start_of_a_latent(frame: int) -> None:
    snapped = snap_cut(frame)
    assert snapped % 4 == 1
    assert abs(snapped - frame) <= 2
    assert frames_of_latent(latent_of_frame(snapped))[0] == snapped


def test_cuts_by_hand_are_snapped_and_said_to_be() -> None:
    assert read_cuts("40, 81", 121, 3) == ((41, 81), ["cut 40 moved to 41: shots begin at 4t+1"])
    assert read_cuts("41 81", 121, 3) == ((41, 81), [])
    for text in ("auto", "", " AUTO "):
        assert read_cuts(text, 121, 3) == (auto_cuts(121, 3), [])


@pytest.mark.parametrize(
    ("text", "frames", "shots", "message"),
    [
        ("41", 121, 3, "3 shots need 2 cuts, got 1"),
        ("41, x", 121, 3, "got 'x'"),
        ("41, -8", 121, 3, "got '-8'"),
        ("81, 41", 121, 3, "a cut falls at 41, it must lie after the cut at 81"),
        ("41, 42", 121, 3, "a cut falls at 41, it must lie after the cut at 41"),
        ("41, 121", 121, 3, "a cut falls at 121"),
        ("auto", 5, 6, "6 shots do not fit into 5 frames"),
        ("auto", 80, 2, "num_frames must be 4k"),
    ],
)
def test_cuts_that_do_not_fit_are_refused(text: str, frames: int, shots: int, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        read_cuts(text, frames, shots)


def test_shots_are_lines_or_blocks() -> None:
    assert read_shots("one\n\n two  words \n") == ("one", "two words")
    assert read_shots("one\nstill one\n---\ntwo") == ("one still one", "two")
    with pytest.raises(SVIError, match="block 2 of shots is empty"):
        read_shots("one\n---\n---\ntwo")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a | b", "splits a prompt into parts of equal length"),
        ("a [1] b", "turns on EchoShot"),
        ("a (bright:1.2) b", "takes for a weighted part"),
        ("a [shot cut] b", "which the prompt's form uses"),
        ("", "is empty"),
    ],
)
def test_text_that_the_wrapper_reads_otherwise_is_refused(text: str, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        Scene("A forest", (text,))
    with pytest.raises(SVIError, match=message):
        Scene(text, ("A shot",))


def test_a_caption_that_already_counts_its_shots_is_refused() -> None:
    with pytest.raises(SVIError, match="leave that out, it is added"):
        Scene("A forest. This scene contains 2 shots.", ("a", "b"))


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("a forest", "a HoloCine prompt reads"),
        ("[global caption] a forest [per shot caption] a", "must end with"),
        (
            "[global caption] a. This scene contains 3 shots. [per shot caption] a [shot cut] b",
            "3 shots, the prompt has 2",
        ),
    ],
)
def test_a_prompt_in_another_form_is_refused(prompt: str, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        parse_prompt(prompt)


def test_the_node_says_where_shots_are_and_what_is_too_long() -> None:
    prompt, frames, latents, count, info = call(
        "WanVideoHoloCinePrompt", global_caption="A forest.\nMist.", shots="wide\nclose\nfar", cuts="80, 161"
    )["result"]
    assert parse_prompt(prompt) == Scene("A forest. Mist.", ("wide", "close", "far"))
    assert (frames, latents, count) == ("81, 161", "21, 41", 241)
    assert "shot 2, frames 81 to 160: close" in info
    assert "- cut 80 moved to 81" in info
    assert "tokens (estimated" not in info
    info = call("WanVideoHoloCinePrompt", global_caption="A forest", shots="leaf " * 600, num_frames=85)["result"][-1]
    assert f"the text encoder cuts at {TOKEN_LIMIT}" in info
    assert "trained with 81, 161, 241 frames, not 85" in info


def test_tokens_are_estimated_by_words_signs_and_length() -> None:
    assert estimate_tokens("") == 1
    assert estimate_tokens("a forest, at night") < estimate_tokens("a forest, at night, in 1920")
    assert estimate_tokens("\u68ee\u6797\u4e4b\u591c") == 5
