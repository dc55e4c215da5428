"""A high and a low noise model as a pair: what is made, what is refused, and what is warned of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import digest
from node_calls import call
from pairs import Model, clean, i2v, i2v22, image_embeds, pair, t2v
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.clips.embeds import build_empty
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.models.facts import model_facts
from wanvideo_svi.svi_embeds.pair.plan import (
    BOUNDARY_CHOICES,
    resolve_boundary,
)
from wanvideo_svi.wrapper_ext.running.wiring import PAIR_OUTPUTS as OUTPUTS


def patched(model: Model) -> Model:
    """With LoRA weights that are applied while sampling, and nothing that tells their files."""
    model.patches = {"blocks.0.self_attn.q.weight": [1]}
    return model


def test_models_are_told_by_the_channels_and_attention_of_their_object() -> None:
    kinds = {
        "t2v": Model(16),
        "i2v": Model(36, attention=True),
        "i2v_22": Model(36),
        "i2v_5b": Model(100, out_dim=48),
        "fun_control": Model(52),
        "ti2v_5b": Model(48, out_dim=48),
        "unknown": Model(20),
    }
    assert {kind: model_facts("m", model).kind for kind, model in kinds.items()} == {kind: kind for kind in kinds}
    assert model_facts("m", Model(48)).kind == "fun_control", "Fun Control with 48 channels is no 5B model"
    assert model_facts("m", Model(148, out_dim=48)).kind == "fun_control", "nor is a 5B Fun Control text-to-video"
    assert {model_facts("m", Model(width, out_dim=48)).version for width in (48, 100, 148)} == {"2.2"}
    assert model_facts("m", Model(36, attention=True)).version == "2.1"
    assert model_facts("m", Model(36)).version == "2.2"


@pytest.mark.parametrize("thing", [None, object(), torch.zeros(1), "model", SimpleNamespace(model=None)])
def test_what_is_no_model_is_refused(thing: object) -> None:
    with pytest.raises(SVIError, match=r"high_model must be a WANVIDEOMODEL, got .*: connect WanVideo Model Loader"):
        model_facts("high_model", thing)


def test_a_text_to_video_high_model_gets_the_embeds_that_the_host_would_make() -> None:
    low_embeds = image_embeds()
    made = pair(t2v(), i2v(), low_embeds=low_embeds)
    assert made.high_embeds == {"target_shape": (16, 5, 8, 8), "num_frames": 17, "control_embeds": None}
    assert digest(made.low_embeds) == digest(low_embeds)
    assert (made.boundary, made.split) == (0.875, 4)
    assert made.notes == ()


def test_two_text_to_video_models_need_no_embeds() -> None:
    made = pair(t2v(), t2v("Wan2_2-T2V-A14B-LOW"))
    assert made.high_embeds == made.low_embeds == build_empty(num_frames=17, lat_h=8, lat_w=8)


@pytest.mark.parametrize("given", ["low_embeds", "high_embeds"])
def test_one_set_of_embeds_serves_a_wan_22_image_to_video_pair(given: str) -> None:
    embeds = image_embeds(vision=False)
    made = pair(i2v22("HIGH"), i2v22("LOW"), **{given: embeds})
    assert digest(made.high_embeds) == digest(made.low_embeds) == digest(embeds)
    assert (made.boundary, made.split) == (0.9, 3)
    other = "high_embeds" if given == "low_embeds" else "low_embeds"
    assert made.notes == (f"{other} is not connected: {given} serves both stages",)


def test_a_5b_pair_takes_clean_latents_of_its_own_vae_with_any_scheduler() -> None:
    model = Model(48, out_dim=48, name="wan2.2_ti2v_5B")
    made = pair(model, model, clean_latents={"samples": torch.randn(1, 48, 1, 4, 4)})
    assert made.clean == ((0, 1),)


@pytest.mark.parametrize("noise", [[0.0, 0.0], [0.0] * 5])
def test_noise_multipliers_may_be_one_per_clean_latent_or_per_latent(noise: list[float]) -> None:
    embeds = {**image_embeds(), "pusa_noise_multipliers": noise}
    assert pair(t2v(), i2v(), low_embeds=embeds, clean_latents=clean(2), **PUSA).notes == ()
    pair(t2v(), i2v(), low_embeds={**embeds, "pusa_noise_multipliers": [0.0] * 3})


def test_a_fun_control_model_alone_and_with_another_lora_is_not_warned_of() -> None:
    control = Model(52, name="Wan2.2-Fun-Control-HIGH.safetensors")
    embeds = {"high_embeds": image_embeds(), "low_embeds": image_embeds()}
    for loras in ((), ("Wan2.2-Lightning_HIGH.safetensors",)):
        made = pair(control, i2v22("LOW"), **embeds, high_loras=loras)
        assert not any("Fun Control" in note for note in made.notes)


def test_clean_latents_of_5b_image_embeds_are_of_their_size() -> None:
    """Embeds with an image count the 5B model's own latents; a target_shape counts 8 pixels for every model."""
    model = Model(100, out_dim=48)
    latents = {"samples": torch.randn(1, 48, 1, 8, 8)}
    assert pair(model, model, low_embeds=image_embeds(channels=48), clean_latents=latents).clean == ((0, 1),)


def test_boundary_auto_follows_the_high_model() -> None:
    high, low = model_facts("h", t2v()), model_facts("l", i2v22("LOW"))
    assert [resolve_boundary(choice, 0.5, high) for choice in BOUNDARY_CHOICES] == [0.875, 0.875, 0.9, 0.5]
    assert resolve_boundary("auto", 0.5, low) == 0.9
    with pytest.raises(SVIError, match=r"boundary must be one of auto, t2v, i2v, custom; got '0.9'"):
        resolve_boundary("0.9", 0.5, high)


def test_clean_latents_go_to_both_stages_and_nothing_given_changes() -> None:
    low_embeds, latents = image_embeds(), clean(2)
    before = digest(low_embeds), digest(latents)
    made = pair(
        t2v("HoloCine-full-HIGH"),
        i2v(),
        low_embeds=low_embeds,
        clean_latents=latents,
        clean_index=-2,
        scheduler="flowmatch_pusa",
        high_loras=("Wan21_PusaV1_LoRA_14B_rank512_bf16.safetensors",),
    )
    for embeds in (made.high_embeds, made.low_embeds):
        (entry,) = embeds["extra_latents"]
        assert entry["index"] == 3, "counted from the start, as both samplers take it"
        assert torch.equal(entry["samples"], latents["samples"])
    assert (digest(low_embeds), digest(latents)) == before
    assert "extra_latents" not in low_embeds
    assert "clean on both: 2 latents from 3" in made.info
    assert made.notes == (
        "Wan21_PusaV1_LoRA_14B_rank512_bf16 (Wan 2.1) on HoloCine (Wan 2.2): reported to work, the one exception",
    )


def test_clean_latents_of_one_stage_are_added_to_the_other_and_joined_with_given_ones() -> None:
    high_embeds = {**build_empty(num_frames=17, lat_h=8, lat_w=8), "extra_latents": [{**clean(), "index": 0}]}
    made = pair(
        t2v("Pusa-HIGH"),
        i2v(),
        low_embeds=image_embeds(),
        high_embeds=high_embeds,
        clean_latents=clean(),
        clean_index=4,
        scheduler="flowmatch_pusa",
    )
    assert made.clean == ((0, 1), (4, 1))
    assert digest(made.high_embeds["extra_latents"]) == digest(made.low_embeds["extra_latents"])
    assert made.notes == ("the clean latents of the other stage were added to low_embeds: both must keep them",)


def with_clean(embeds: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {**embeds, "extra_latents": [{**clean(), "index": index}]}


def with_end_apart(embeds: dict[str, Any]) -> dict[str, Any]:
    latents = torch.cat([embeds["image_embeds"], embeds["image_embeds"][:, :1]], dim=1)
    mask = torch.cat([embeds["mask"], embeds["mask"][:, :1]], dim=1)
    return {
        **embeds,
        "image_embeds": latents,
        "mask": mask,
        "end_image": torch.zeros(3, 1, 64, 64),
        "fun_or_fl2v_model": False,
    }


PUSA = {"scheduler": "flowmatch_pusa", "high_loras": ("pusa.safetensors",)}
EMPTY = build_empty(num_frames=17, lat_h=8, lat_w=8)

# What the wrapper crashes on, or samples wrongly in silence: models, inputs, our message.
MISTAKES: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "image embeds on a text-to-video high model": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "high_embeds": image_embeds()},
        "high_embeds holds image latents, but high_model is .*text-to-video.*leave high_embeds unconnected",
    ),
    "empty embeds on an image-to-video low model": (
        t2v(),
        i2v(),
        {"low_embeds": EMPTY},
        "low_embeds holds no image latents .*connect WanVideo SVI Embeds",
    ),
    "no embeds for an image-to-video low model": (
        t2v(),
        i2v(),
        {},
        "low_model is .*image-to-video.*: connect image_embeds of .* to low_embeds",
    ),
    "embeds without a mask": (
        t2v(),
        i2v(),
        {"low_embeds": {**image_embeds(), "mask": None}},
        "low_embeds does not fit low_model: image_embeds lacks mask",
    ),
    "fewer latents in the high stage": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(frames=21)},
        "high_embeds are for 5 x 8 x 8 latents .* low_embeds for 6 x 8 x 8.*set width, height and num_frames",
    ),
    "more latents in the high stage": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(frames=13)},
        "5 x 8 x 8 latents .* low_embeds for 4 x 8 x 8",
    ),
    "another size in the high stage": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "width": 80},
        "5 x 8 x 10 latents .* low_embeds for 5 x 8 x 8",
    ),
    "other sizes where nothing is made": (
        i2v22("HIGH"),
        i2v22("LOW"),
        {"low_embeds": image_embeds(), "high_embeds": image_embeds(frames=21)},
        "make both for the same width, height and num_frames",
    ),
    "an end image apart before a text-to-video high model": (
        t2v(),
        i2v(),
        {"low_embeds": with_end_apart(image_embeds())},
        "stands in a latent of its own; make it with fun_or",
    ),
    "swapped stages": (
        i2v(),
        t2v("Wan2_2-T2V-A14B-LOW"),
        {"low_embeds": image_embeds()},
        "or high_model and low_model are swapped",
    ),
    "swapped stages by name": (
        i2v22("LOW"),
        i2v22("HIGH"),
        {"low_embeds": image_embeds()},
        "by their names they are swapped",
    ),
    "a 5B model with a 14B one": (
        Model(48, out_dim=48),
        i2v(),
        {"low_embeds": image_embeds()},
        "latents of 48 channels, low_model of 16",
    ),
    "embeds of the 5B VAE on 14B models": (
        i2v22("HIGH"),
        i2v22("LOW"),
        {"low_embeds": image_embeds(channels=48)},
        "high_embeds hold latents of 48 channels, high_model samples 16: encode with the model's own VAE",
    ),
    "embeds of the Wan 2.1 VAE on 5B models": (
        Model(100, out_dim=48),
        Model(100, out_dim=48),
        {"low_embeds": image_embeds()},
        "hold latents of 16 channels, high_model samples 48",
    ),
    "clean latents with another scheduler": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "clean_latents": clean()},
        "clean latents need scheduler flowmatch_pusa on both stages, got unipc",
    ),
    "clean latents in embeds with another scheduler": (
        t2v(),
        i2v(),
        {"low_embeds": with_clean(image_embeds())},
        "clean latents need scheduler flowmatch_pusa",
    ),
    "different clean latents on the stages": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": with_clean(image_embeds()), "high_embeds": with_clean(dict(EMPTY), 1)},
        "hold different clean latents",
    ),
    "clean latents beyond the clip": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": image_embeds(), "clean_latents": clean(2), "clean_index": 4},
        "2 clean latents at index 4 do not fit into 5 latents .*: use an index from -5 to 3",
    ),
    "clean latents of another size": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": image_embeds(), "clean_latents": clean(size=9)},
        "clean latents are 9 x 9, the clip is 8 x 8 latents",
    ),
    "clean latents of another VAE": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": image_embeds(), "clean_latents": {"samples": torch.randn(1, 48, 1, 4, 4)}},
        "clean latents have 48 channels, the models sample 16",
    ),
    "more clean latents than the clip has": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": image_embeds(), "clean_latents": clean(6)},
        "6 clean latents are more than the 5 of the clip",
    ),
    "clean latents twice": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": with_clean(image_embeds()), "clean_latents": clean()},
        "clean latents overlap at latent 0",
    ),
    "clean latents that are none": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": image_embeds(), "clean_latents": torch.zeros(1)},
        "clean_latents must be a LATENT",
    ),
    "one noise multiplier for all clean latents": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": {**image_embeds(), "pusa_noise_multipliers": 0.0}, "clean_latents": clean()},
        r"noise_multipliers in low_embeds must be a list .* clean latent \(1\) or per latent \(5\), got 0.0",
    ),
    "too few noise multipliers": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": {**image_embeds(), "pusa_noise_multipliers": [0.0]}, "clean_latents": clean(2)},
        "got 1 values",
    ),
    "extra_latents that do not read": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": {**image_embeds(), "extra_latents": [3]}},
        "extra_latents of low_embeds do not",
    ),
    "a boundary that all steps are above": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "boundary": "custom", "custom_boundary": 0.1},
        "all 8 steps belong to the high noise model .*lower shift, take more steps, or another boundary",
    ),
    "a boundary that all steps are below": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "boundary": "custom", "custom_boundary": 0.99999},
        "all 8 steps belong to the low noise model .*raise shift",
    ),
    "frames that are not 4k+1": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "num_frames": 16},
        "num_frames must be 4k",
    ),
    "a size that is not a multiple of 16": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "width": 72},
        "multiple of 16",
    ),
    "embeds that are none": (t2v(), i2v(), {"low_embeds": torch.zeros(1)}, "low_embeds must be a dict, got Tensor"),
    "embeds of neither kind": (
        t2v(),
        t2v("LOW"),
        {"low_embeds": {"a": 1}},
        "low_embeds holds neither image_embeds nor",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused_with_what_to_do(mistake: str) -> None:
    high, low, inputs, message = MISTAKES[mistake]
    with pytest.raises(SVIError, match=message):
        pair(high, low, **inputs)


def test_unmerged_loras_with_fp8_matmul_are_refused_before_sampling() -> None:
    model = patched(i2v(fp8_matmul=True))
    with pytest.raises(SVIError, match="low_model has unmerged LoRAs on a _fast quantization"):
        pair(t2v(), model, low_embeds=image_embeds())
    model.model_options["transformer_options"]["merge_loras"] = True
    pair(t2v(), model, low_embeds=image_embeds())
    model = i2v(fp8_matmul=True)
    pair(t2v(), model, low_embeds=image_embeds())


# Works, but users regret it: models, inputs, our warning.
WARNINGS: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "a Wan 2.1 LoRA of the loader on a Wan 2.2 high model": (
        t2v(lora=[{"name": "svi-film", "strength": 1.0}]),
        i2v(),
        {"low_embeds": image_embeds()},
        "svi-film is a Wan 2.1 LoRA on a Wan 2.2 high noise model",
    ),
    "a Wan 2.1 LoRA set on a Wan 2.2 high model": (
        i2v22("HIGH"),
        i2v22("LOW"),
        {"low_embeds": image_embeds(), "high_loras": ("Wan21_style.safetensors",)},
        "Wan21_style is a Wan 2.1 LoRA on a Wan 2.2 high noise model",
    ),
    "a low noise LoRA on the high model": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "high_loras": ("Wan2.2-Lightning_LOW.safetensors",)},
        "Wan2.2-Lightning_LOW on high_model is for the low noise model",
    ),
    "a low noise model first": (
        i2v22("LOW"),
        i2v22("x"),
        {"low_embeds": image_embeds()},
        "high_model is Wan2_2-I2V-A14B-LOW, a low noise model",
    ),
    "MAGREF with all of frame 0 known": (
        t2v(),
        i2v("Wan2_1-I2V-14B-MAGREF"),
        {"low_embeds": image_embeds()},
        "MAGREF needs only the reference's pixels",
    ),
    "a place for clean latents that are not there": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "clean_index": 3},
        "clean_index 3 has no effect: there are no clean_latents",
    ),
    "no CLIP vision": (t2v(), i2v(), {"low_embeds": image_embeds(vision=False)}, "low_embeds holds no CLIP vision"),
    "clean latents without Pusa": (
        t2v(),
        i2v(),
        {"scheduler": "flowmatch_pusa", "low_embeds": image_embeds(), "clean_latents": clean()},
        "no Pusa LoRA is seen on Wan2_2-T2V-A14B-HIGH",
    ),
    "noise on clean latents": (
        t2v(),
        i2v(),
        {**PUSA, "low_embeds": {**image_embeds(), "pusa_noise_multipliers": [0.5]}, "clean_latents": clean()},
        "noise_multipliers in low_embeds are not all 0",
    ),
    "LoRAs without a name": (
        patched(t2v()),
        i2v(),
        {"low_embeds": image_embeds()},
        "high_model has LoRAs whose names are not known here",
    ),
    "an SVI LoRA on a Fun Control model": (
        Model(52, name="Wan2.2-Fun-Control-HIGH.safetensors"),
        i2v22("LOW"),
        {
            "high_embeds": image_embeds(), "low_embeds": image_embeds(),
            "high_loras": ("SVI_Wan2.2-I2V-A14B_high_noise_lora_v2.0.safetensors",),
        },
        "_lora_v2.0 is on high_model, a Fun Control model: SVI LoRAs were trained without controls",
    ),
    "a 5B pair that takes images": (
        Model(100, out_dim=48), Model(100, out_dim=48), {"low_embeds": image_embeds(channels=48)},
        "was not made for a pair",
    ),
    "a 5B pair": (Model(48, out_dim=48), Model(48, out_dim=48), {}, "was not made for a pair"),
    "an unknown model": (t2v(), Model(20), {"low_embeds": image_embeds()}, "cannot tell which embeds it needs"),
    "fewer steps than asked": (
        t2v(),
        i2v(),
        {"low_embeds": image_embeds(), "scheduler": "rcm"},
        "rcm runs 4 steps, not 8",
    ),
    "sizes that are not used": (
        i2v22("HIGH"),
        i2v22("LOW"),
        {"low_embeds": image_embeds(), "num_frames": 21},
        "width, height and num_frames are not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNINGS)
def test_what_users_regret_is_said(case: str) -> None:
    high, low, inputs, message = WARNINGS[case]
    made = pair(high, low, **inputs)
    assert any(message in note for note in made.notes), made.notes
    assert f"- {made.notes[0]}" in made.info


def test_a_good_holocine_pusa_magref_pair_has_nothing_to_warn_of_but_the_known_exception() -> None:
    made = pair(
        t2v("Wan2_2-T2V-A14B-HIGH-HoloCine-full"),
        i2v("Wan2_1-I2V-14B-MAGREF"),
        low_embeds=image_embeds(whole=False),
        clean_latents=clean(),
        scheduler="flowmatch_pusa",
        high_loras=("Wan21_PusaV1_LoRA_14B_rank512_bf16.safetensors",),
    )
    assert len(made.notes) == 1
    assert "reported to work" in made.notes[0]
    assert made.split == 4
    assert made.picture().size == (760, 460)


def test_the_picture_shows_the_split() -> None:
    def colours(**inputs: Any) -> set[tuple[int, int, int]]:
        picture = pair(t2v(), i2v(), low_embeds=image_embeds(), **inputs).picture()
        middle = [picture.getpixel((x, 380)) for x in range(70, 740, 5)]
        return {middle[0], middle[-1]} if middle[0] != middle[-1] else {middle[0]}

    assert len(colours()) == 2
    one = pair(t2v(), i2v(), low_embeds=image_embeds()).picture()
    other = pair(t2v(), i2v(), low_embeds=image_embeds(), boundary="i2v").picture()
    assert one.tobytes() != other.tobytes()


def graph(**changes: Any) -> dict[str, Any]:
    """A prompt as ComfyUI runs it: loaders, LoRAs, the pair node 5, two samplers, changed by node id -> inputs."""
    nodes = {
        "1": ("WanVideoModelLoader", {"model": "high"}),
        "2": ("WanVideoModelLoader", {"model": "low"}),
        "3": ("WanVideoLoraSelect", {"lora": "Wan2.2-Lightning_HIGH.safetensors", "strength": 1.0, "prev_lora": None}),
        "4": ("WanVideoSetLoRAs", {"model": ["1", 0], "lora": ["3", 0]}),
        "5": ("WanVideoHighLowPair", {"high_model": ["4", 0], "low_model": ["2", 0]}),
        "6": ("WanVideoTextEncodeCached", {"positive_prompt": "a forest"}),
        "7": (
            "WanVideoSampler",
            {
                "model": ["5", 0],
                "image_embeds": ["5", 2],
                "text_embeds": ["6", 0],
                "steps": ["5", 4],
                "shift": ["5", 5],
                "scheduler": ["5", 6],
                "start_step": 0,
                "end_step": ["5", 7],
                "denoise_strength": 1.0,
            },
        ),
        "8": (
            "WanVideoSampler",
            {
                "model": ["5", 1],
                "image_embeds": ["5", 3],
                "text_embeds": ["6", 0],
                "steps": ["5", 4],
                "shift": ["5", 5],
                "scheduler": ["5", 6],
                "samples": ["7", 0],
                "start_step": ["5", 8],
                "end_step": -1,
                "denoise_strength": 1.0,
                "add_noise_to_samples": False,
            },
        ),
    }
    made = {key: {"class_type": kind, "inputs": dict(inputs)} for key, (kind, inputs) in nodes.items()}
    for key, inputs in changes.items():
        number = key.lstrip("n")
        made.setdefault(number, {"class_type": "WanVideoSampler", "inputs": {}})
        for name, value in inputs.items():
            if value is None:
                made[number]["inputs"].pop(name, None)
            elif name == "class_type":
                made[number]["class_type"] = value
            else:
                made[number]["inputs"][name] = value
    return made


def run(prompt: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    answer: dict[str, Any] = call(
        "WanVideoHighLowPair",
        **{
            "high_model": t2v(),
            "low_model": i2v(),
            "low_embeds": image_embeds(),
            "width": 64,
            "height": 64,
            "num_frames": 17,
            "prompt": prompt,
            "unique_id": "5",
            **inputs,
        },
    )
    return answer


def test_the_node_passes_models_through_and_gives_both_samplers_their_settings() -> None:
    high, low = t2v(), i2v()
    answer = run(graph(), high_model=high, low_model=low)
    results = dict(zip(OUTPUTS, answer["result"], strict=True))
    assert results["high_model"] is high
    assert results["low_model"] is low
    assert [results[name] for name in OUTPUTS[4:9]] == [8, 5.0, "unipc", 4, 4]
    assert isinstance(results["high_end_step"], int)
    assert results["info"].startswith("high noise: steps 0 to 3 of 8, Wan2_2-T2V-A14B-HIGH: text-to-video")
    assert OUTPUTS == NODE_CLASS_MAPPINGS["WanVideoHighLowPair"].RETURN_NAMES


def test_the_node_runs_without_a_graph() -> None:
    assert run({}, unique_id=None)["result"][7] == 4


GOOD = {
    "as wired": graph(),
    "numbers that agree": graph(n7={"steps": 8, "shift": 5, "scheduler": "unipc", "end_step": 4}, n8={"start_step": 4}),
    "end_step of all steps": graph(n8={"end_step": 8}),
    "links that nobody can read": graph(n7={"end_step": ["6", 1], "steps": ["6", 2]}),
    "three samplers": graph(
        n7={"end_step": 2},
        n9={"model": ["4", 0], "image_embeds": ["5", 2], "samples": ["7", 0], "start_step": 2, "end_step": 4},
        n8={"samples": ["9", 0]},
    )
    | {"10": {"class_type": "WanVideoSetLoRAs", "inputs": {"model": ["5", 0]}}},
    "a high sampler alone": graph(n8={"model": ["2", 0]}),
    "samples through another node": graph(
        n8={"samples": ["9", 0]}, n9={"class_type": "LatentThing", "samples": ["7", 0]}
    ),
}
# The second sampler through WanVideo Sampler Settings, and one of which nothing is known in between.
GOOD["settings nodes"] = {
    **graph(n7={"class_type": "WanVideoSamplerSettings"}, n8={"samples": ["9", 0]}),
    "9": {"class_type": "WanVideoSamplerFromSettings", "inputs": {"sampler_inputs": ["7", 0]}},
}
GOOD["another model in between"] = {
    **graph(n8={"samples": ["9", 0]}, n7={"end_step": 2}),
    "9": {
        "class_type": "WanVideoSampler",
        "inputs": {"model": ["1", 0], "image_embeds": ["5", 2], "samples": ["7", 0], "start_step": 2, "end_step": 4},
    },
}
GOOD["latents to go on from"] = graph(n7={"samples": ["6", 3], "start_step": 1})
GOOD["three samplers"]["9"]["inputs"]["model"] = ["10", 0]


@pytest.mark.parametrize("case", GOOD)
def test_samplers_that_agree_are_let_through(case: str) -> None:
    run(GOOD[case])


BAD = {
    "settings nodes": (
        {
            **graph(n7={"end_step": 3}, n8={"samples": ["9", 0]}),
            "9": {"class_type": "WanVideoSamplerFromSettings", "inputs": {"sampler_inputs": ["7", 0]}},
        },
        "starts at step 4, 3 were run before",
    ),
    "high to the end": (graph(n7={"end_step": -1}), "ends at step 8, beyond the boundary at 4; wire high_end_step"),
    "low from the start": (graph(n8={"start_step": 0}), "starts at step 0, 4 were run before: it runs steps again"),
    "a step left out": (graph(n8={"start_step": 5}), "starts at step 5, 4 were run before: it leaves steps out"),
    "low ends early": (graph(n8={"end_step": 6}), "ends at step 6 of 8: set end_step to -1"),
    "other steps": (graph(n7={"steps": 10}), "has steps 10, the pair 8: wire this node's steps to both samplers"),
    "other shift": (graph(n8={"shift": 8.0}), "has shift 8.0, the pair 5.0"),
    "other scheduler": (graph(n8={"scheduler": "euler"}), "has scheduler euler, the pair unipc"),
    "noise added": (graph(n8={"add_noise_to_samples": True}), "turn it off"),
    "denoise": (graph(n8={"denoise_strength": 0.6}), "has denoise_strength 0.6: it must be 1"),
    "no samples": (graph(n8={"samples": None}), "has no samples: connect those of the high noise sampler"),
    "swapped embeds": (graph(n8={"image_embeds": ["5", 2]}), "has high_embeds as image_embeds: wire low_embeds"),
    "EchoShot": (graph(n6={"positive_prompt": "[1] a forest"}), "turns on EchoShot"),
    "a scheduler node that overrides": (
        graph(
            n9={
                "class_type": "WanVideoScheduler",
                "steps": 8,
                "shift": 8.0,
                "scheduler": "unipc",
                "start_step": 0,
                "end_step": 4,
            },
            n7={"scheduler": ["9", 3]},
        ),
        "has shift 8.0, the pair 5.0",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_samplers_that_would_sample_wrongly_in_silence_are_refused(case: str) -> None:
    prompt, message = BAD[case]
    with pytest.raises(SVIError, match=message) as error:
        run(prompt)
    assert "WanVideoSampler (node " in str(error.value)


def test_loras_of_set_loras_are_found_in_the_graph() -> None:
    prompt = graph(n3={"lora": "svi-film.safetensors"})
    assert "- svi-film is a Wan 2.1 LoRA on a Wan 2.2 high noise model" in run(prompt)["result"][-1]
    assert "svi-film" not in run(graph(n3={"lora": "svi-film.safetensors", "strength": 0}))["result"][-1]
    chained = graph(
        n3={"prev_lora": ["9", 0]},
        n9={
            "class_type": "WanVideoLoraSelectMulti",
            "lora_0": "svi-shot.safetensors",
            "strength_0": 1.0,
            "lora_1": "none",
        },
    )
    assert "- svi-shot is a Wan 2.1 LoRA" in run(chained)["result"][-1]
