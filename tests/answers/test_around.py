"""What stands around a node and does not fit it is said before the run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from story_node import node
from wanvideo_svi.wrapper_ext.answers.plan import plan_of
from wanvideo_svi.wrapper_ext.answers.story import answer
from wanvideo_svi.wrapper_ext.running.around import note_on_size, notes_on_loras

FILM, SHOT = "svi-film-opt-10212025_fp16.safetensors", "SVI\\svi-shot_fp16.safetensors"
PRO = "SVI_v2_PRO_Wan2.2-I2V-A14B_HIGH_lora_rank_128_fp16.safetensors"
FAST = "Wan21_I2V_14B_lightx2v_cfg_step_distill_lora_rank64.safetensors"


@pytest.mark.parametrize(("modes", "names", "wrong"), [
    (["film"], [FILM], []), (["fun_inp"], [FILM, FAST], []), (["shot"], [SHOT], []), (["film_shot"], [FILM, SHOT], []),
    (["svi2_pro"], [PRO], []), (["i2v"], [FILM], []), (["shot"], [FAST, "mine.safetensors"], []), (["tom"], [], []),
    (["shot"], [FILM], ["shot"]), (["film"], [PRO], ["film"]), (["film", "svi2_pro"], [FILM], ["svi2_pro"]),
    (["film_shot"], [FILM], ["film_shot"]),
])  # fmt: skip
def test_an_svi_lora_of_another_mode_is_told(modes: list[str], names: list[str], wrong: list[str]) -> None:
    notes = notes_on_loras(modes, names)
    assert [note.split()[1] for note in notes] == wrong
    assert all("does not go with the LoRA on the model" in note for note in notes)


def test_the_note_names_the_file_and_its_mode() -> None:
    (note,) = notes_on_loras(["shot"], [FILM])
    assert note == (
        "mode shot does not go with the LoRA on the model: svi-film-opt-10212025_fp16 (SVI 1.0 film, mode film or "
        "fun_inp)"
    )


@pytest.mark.parametrize(("lead", "said"), [
    ([96, 64], True), ([64, 64], False), (None, False), ([64], False), ("64", False),
])  # fmt: skip
def test_a_clip_of_another_size_is_told(lead: Any, said: bool) -> None:
    notes = note_on_size({"lead": lead}, 64, 64)
    assert bool(notes) == said
    assert all("start_image comes from a clip of 96x64 and this one is 64x64" in note for note in notes)


def strip(kind: str = "WanVideoSVIEmbeds", *, linked: tuple[str, ...] = (), around: Any = None, **values: Any) -> Any:
    behind = ("start_image", "WanVideoDecode") if kind == "WanVideoSVIEmbeds" else ("anchor_samples", "WanVideoEncode")
    asked = {"node": kind, "values": values, "connected": dict([behind]), "linked": list(linked), "around": around}
    return plan_of(asked)["notes"]


def test_strips_say_it() -> None:
    around = {"loras": [SHOT], "lead": [96, 64]}
    assert len(strip(mode="film", width=64, height=64, around=around)) == 2
    assert strip(mode="film", width=64, height=64, linked=("width", "mode"), around=around) == []
    assert strip(mode="film", around=None) == []
    (note,) = strip("WanVideoSVILatentEmbeds", around=around)
    assert "svi2_pro does not go" in note
    for odd in (5, {"loras": 5}, {"loras": [5, None]}, {"lead": [1, "a"]}, []):
        assert strip(mode="film", around=odd) == []


def test_the_story_panel_says_it() -> None:
    told = "mode film does not go with the LoRA on the model"
    for loras, expected in (([SHOT], True), ([FILM], False), ([FILM, 5], False), (None, False)):
        status, said = answer(json.dumps({"nodes": [{**node(), "around": {"loras": loras}}]}))
        assert status == 200
        assert any(told in note for note in said["answers"][0]["notes"]) == expected
        assert said["answers"][0]["warns"] == expected


def test_warnings_come_first_and_are_counted() -> None:
    story = "--- A lighthouse\n---\nThe waves grow"
    asked = {**node(story=story), "around": {"loras": [SHOT]}}
    (said,) = answer(json.dumps({"nodes": [asked]}))[1]["answers"]
    assert said["warns"] == 2
    assert said["notes"][0].startswith("line 1 of the story is part of a prompt")
    assert said["notes"][1].startswith("mode film does not go with the LoRA")
    assert len(said["notes"]) == len(set(said["notes"])) > 2
