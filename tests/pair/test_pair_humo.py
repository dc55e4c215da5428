"""HuMo in a high/low pair: which embeds fit it, whose voice stays, and what its references do to the stages."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from guided import clip, cut, humo, join
from pairs import clean, humo_model, i2v, i2v22, image_embeds, made_for, pair, t2v
from wanvideo_svi.svi_embeds.clips.embeds import build_empty
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.models.facts import model_facts
from wanvideo_svi.svi_embeds.pair.plan import Pair


def joined(*, refs: int = 0) -> dict[str, Any]:
    """HuMo's embeds with a clip of 17 frames, as WanVideo SVI Audio Window gives them."""
    return join(made_for(17, refs=refs), clip(), clip_index=1)


def combined(*, refs: int = 0) -> dict[str, Any]:
    """The same by the wrapper's Combine Embeds."""
    return {**made_for(17, refs=refs), **clip()}


def voice_of(made: Pair, stage: str) -> bool:
    return getattr(made, f"{stage}_embeds").get("humo_audio_emb") is not None


def test_humo_is_told_by_its_layers_and_named_in_the_info() -> None:
    large, small = model_facts("m", humo_model()), model_facts("m", humo_model(small=True))
    assert (large.kind, small.kind) == ("humo", "humo_small")
    assert large.version == small.version == "2.1"
    assert large.takes_voice
    assert not large.takes_image
    assert model_facts("m", humo_model("renamed")).kind == "humo"
    made = pair(t2v(), humo_model(), low_embeds=made_for(17))
    assert "low noise: steps 4 to 7, Wan2_1-HuMo-14B_fp8_e4m3fn_scaled_KJ: HuMo, which follows a voice" in made.info
    assert made.notes == ()


def test_a_file_of_its_name_without_the_layers_is_no_humo() -> None:
    model = humo_model(layers=False)
    assert model_facts("m", model).kind == "i2v_22"
    made = pair(t2v(), model, low_embeds=image_embeds())
    assert made.notes == ("low_model is HuMo by its name, but has no layers for a voice: nobody speaks",)
    with pytest.raises(SVIError, match=r"no layers for one, though its file is named HuMo \(take the whole file\)"):
        pair(t2v(), model, low_embeds=made_for(17))


# Embeds of HuMo as they come out of HuMo Embeds, this pack's window, and both, on either stage.
FITS: dict[str, tuple[Any, Any, dict[str, Any], str, int]] = {
    "HuMo Embeds alone": (t2v(), humo_model(), {"low_embeds": made_for(17)}, "low", 5),
    "the audio window of HuMo Embeds": (
        t2v(), humo_model(), {"low_embeds": cut(humo_embeds=made_for(17), clip_index=1)["image_embeds"]}, "low", 5,
    ),
    "the audio window with a clip": (t2v(), humo_model(), {"low_embeds": joined()}, "low", 5),
    "a clip in both stages": (i2v22("HIGH"), humo_model(), {"high_embeds": clip(), "low_embeds": joined()}, "low", 5),
    "with the clip's Combine Embeds": (t2v(), humo_model(), {"low_embeds": combined()}, "low", 5),
    "HuMo first": (humo_model(), t2v("Wan2_2-T2V-A14B-LOW"), {"high_embeds": made_for(17)}, "high", 5),
    # Its sampler drops the references before the second stage begins.
    "HuMo first, with references": (
        humo_model(), t2v("Wan2_2-T2V-A14B-LOW"), {"high_embeds": made_for(17, refs=2)}, "high", 7,
    ),
    "HuMo first and a clip after it": (
        humo_model(), i2v22("LOW"), {"high_embeds": joined(refs=1), "low_embeds": clip()}, "high", 6,
    ),
    "the small HuMo with references": (t2v(), humo_model(small=True), {"low_embeds": made_for(17, refs=1)}, "low", 6),
}  # fmt: skip


@pytest.mark.parametrize("case", FITS)
def test_embeds_of_humo_that_fit_are_given_on_as_they_are(case: str) -> None:
    high, low, inputs, stage, latents = FITS[case]
    made = pair(high, low, **inputs)
    assert voice_of(made, stage)
    assert not voice_of(made, "high" if stage == "low" else "low")
    embeds = getattr(made, f"{stage}_embeds")
    assert {key: embeds[key] is value for key, value in inputs[f"{stage}_embeds"].items()} == dict.fromkeys(
        embeds, True
    )
    assert embeds["target_shape"][1] == latents
    assert not [note for note in made.notes if "connect" in note], "no advice that would lose the voice"


def test_one_set_of_humo_embeds_serves_two_humo_models() -> None:
    made = pair(humo_model(), humo_model(), low_embeds=made_for(17))
    assert voice_of(made, "high")
    assert made.notes == ("high_embeds is not connected: low_embeds serves both stages",)


def test_a_text_to_video_model_makes_room_for_the_references_of_humo() -> None:
    made = pair(t2v(), humo_model(), low_embeds=made_for(17, refs=2))
    assert made.high_embeds == build_empty(num_frames=25, lat_h=8, lat_w=8)
    assert made.high_embeds["target_shape"] == made.low_embeds["target_shape"] == (16, 7, 8, 8)
    assert made.notes == (
        (
            "high_embeds are made 2 latent(s) longer than the clip, since HuMo samples its references behind it; they "
            "are dropped at the end"
        ),
    )


def test_clean_latents_are_counted_within_the_clip_and_not_its_references() -> None:
    inputs = {"scheduler": "flowmatch_pusa", "high_loras": ("pusa.safetensors",), "low_embeds": made_for(17, refs=2)}
    made = pair(t2v(), humo_model(), clean_latents=clean(), clean_index=-1, **inputs)
    assert made.clean == ((4, 1),)
    with pytest.raises(SVIError, match="1 clean latents at index 5 do not fit into 5 latents"):
        pair(t2v(), humo_model(), clean_latents=clean(), clean_index=5, **inputs)
    inputs["low_embeds"]["pusa_noise_multipliers"] = [0.0] * 7
    assert pair(t2v(), humo_model(), clean_latents=clean(), **inputs)
    inputs["low_embeds"]["pusa_noise_multipliers"] = [0.0] * 5
    with pytest.raises(SVIError, match=r"one value per clean latent \(1\) or per latent \(7\), got 5 values"):
        pair(t2v(), humo_model(), clean_latents=clean(), **inputs)


def phantom(frames: int, *, references: int = 1) -> dict[str, Any]:
    empty = build_empty(num_frames=frames, lat_h=8, lat_w=8)
    return {**empty, "phantom_latents": torch.zeros(16, references, 8, 8)}


# What the wrapper crashes on, or samples wrongly in silence: models, inputs, our message.
MISTAKES: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "a clip without room for the references": (
        i2v22("HIGH"), humo_model(), {"high_embeds": clip(), "low_embeds": joined(refs=2)},
        (
            r"high_embeds are for 5 x 8 x 8 .*low_embeds for 7 x 8 x 8, 2 of them for HuMo's references behind the "
            r"clip: .*repeat the first one silently\); make high_embeds for 25 frames, or leave reference_images"
        ),
    ),
    "references in both stages": (
        humo_model(), humo_model(), {"low_embeds": made_for(17, refs=2)},
        "for 7 x 8 x 8 latents .*of which its sampler drops 2 .*make high_embeds for 25 frames, or leave reference_im",
    ),
    "Phantom in both stages": (
        t2v(), t2v("Wan2_1-T2V-Phantom"), {"high_embeds": phantom(21), "low_embeds": phantom(21)},
        "for 6 x 8 x 8 latents .*of which its sampler drops 1 .*; make high_embeds for 25 frames$",
    ),
    "references and another length": (
        t2v(), humo_model(), {"low_embeds": made_for(21, refs=2)},
        "for 7 x 8 x 8 .*low_embeds for 8 x 8 x 8.*set width, height and num_frames here to those",
    ),
    "nothing connected": (
        t2v(), humo_model(), {}, "low_model is .*HuMo.*: connect HuMo Embeds, through WanVideo SVI Audio Window",
    ),
    "nothing connected to the small one": (
        humo_model(small=True), t2v(), {}, "high_model is .*small HuMo .*: connect HuMo Embeds",
    ),
    "empty embeds": (
        t2v(), humo_model(), {"low_embeds": build_empty(num_frames=17, lat_h=8, lat_w=8)},
        "low_embeds holds no image latents .*connect HuMo Embeds",
    ),
    "the voice on the other stage": (
        humo_model(), t2v("low"), {"low_embeds": made_for(17)},
        (
            "low_embeds are HuMo's and hold a voice, but low_model is .*text-to-video.*: connect them to high_embeds, "
            "and leave low_embeds unconnected"
        ),
    ),
    "the voice on the image stage": (
        i2v(), humo_model(), {"high_embeds": joined(), "low_embeds": clip()},
        "connect them to low_embeds, and connect image_embeds of WanVideo SVI Embeds .* to high_embeds",
    ),
    "a voice without HuMo": (
        i2v22("HIGH"), i2v22("LOW"), {"low_embeds": made_for(17)}, "load a HuMo model, or connect image_embeds",
    ),
    "Combine Embeds with references": (
        t2v(), humo_model(), {"low_embeds": combined(refs=2)},
        "from WanVideo Combine Embeds, with 2 reference .*cuts the clip's last 8 frames off, silently.* Audio Window",
    ),
    "a clip on the small HuMo": (
        t2v(), humo_model(small=True), {"low_embeds": joined(refs=1)}, "hold a clip beside the voice.*large one",
    ),
    "image embeds on the small HuMo": (
        t2v(), humo_model(small=True), {"low_embeds": clip()}, "which takes none: connect HuMo Embeds",
    ),
    "the small HuMo without references": (
        t2v(), humo_model(small=True), {"low_embeds": made_for(17)},
        "no reference latents.*puts an empty video in place of all its noise, silently",
    ),
    "conditioning of another size": (
        t2v(), humo_model(), {"low_embeds": {**made_for(17), "humo_image_cond": torch.zeros(20, 5, 8, 9)}},
        "low_embeds do not read as HuMo's: humo_image_cond has .5, 8, 9. latents .*the clip .5, 8, 8.",
    ),
    "no target_shape": (
        t2v(), humo_model(), {"low_embeds": {**made_for(17), "target_shape": None}}, "low_embeds do not read as HuMo's",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_humo_would_sample_wrongly_is_refused_with_what_to_do(mistake: str) -> None:
    high, low, inputs, message = MISTAKES[mistake]
    with pytest.raises(SVIError, match=message):
        pair(high, low, **inputs)


def test_what_the_sentence_says_about_references_is_accepted() -> None:
    """High embeds for 25 frames, those of HuMo without counting its references; or no references."""
    longer = clip(num_frames=25)
    assert pair(i2v22("HIGH"), humo_model(), high_embeds=longer, low_embeds=joined(refs=2)).notes == ()
    assert pair(humo_model(), humo_model(), high_embeds=made_for(25, refs=2), low_embeds=made_for(17, refs=2))
    assert pair(i2v22("HIGH"), humo_model(), high_embeds=clip(), low_embeds=joined()).notes == ()
    assert pair(t2v(), t2v("low"), high_embeds=phantom(25), low_embeds=phantom(21))


@pytest.mark.parametrize(
    ("low_embeds", "message"),
    [
        (clip(), "low_embeds holds no voice, and low_model is HuMo: nobody speaks. HuMo Embeds bring one"),
        ({**humo(count=5), "humo_audio_emb": torch.zeros(60, 5, 6)}, "low_embeds are silent"),
        (cut(humo_embeds=made_for(17), clip_index=40)["image_embeds"], "low_embeds are silent"),
    ],
)
def test_a_pair_in_which_nobody_speaks_is_told_so(low_embeds: dict[str, Any], message: str) -> None:
    made = pair(t2v(), humo_model(), low_embeds=low_embeds)
    assert any(note.startswith(message) for note in made.notes), made.notes
