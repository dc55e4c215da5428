"""A clip's embeds: masks, latents, strengths, and everything that must be refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import MASK_VECTORS, TraceVAE, digest, frames, pixel_clip, rows
from wanvideo_svi.svi_embeds.clips.embeds import build_empty
from wanvideo_svi.svi_embeds.clips.pixels.make import Clip
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.recipes import MODES, RECIPES

HOST_KEYS = {
    "image_embeds", "clip_context", "negative_clip_context", "max_seq_len", "num_frames", "lat_h", "lat_w",
    "control_embeds", "end_image", "fun_or_fl2v_model", "has_ref", "add_cond_latents", "mask",
}  # fmt: skip


def clip(mode: str = "film", vae: Any = None, **inputs: Any) -> Clip:
    defaults = {"width": 64, "height": 64, "num_frames": 17, "start_image": frames(17)}
    return pixel_clip(vae or TraceVAE(), mode=mode, **{**defaults, **inputs})


def mask_of(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None].expand(-1, 4, 4).contiguous()


@pytest.mark.parametrize("name", MASK_VECTORS)
def test_packed_masks_are_those_of_the_wrapper(name: str) -> None:
    case, expected = MASK_VECTORS[name]
    made = clip(
        "i2v",
        num_frames=9,
        start_image=frames(9),
        overlap_frames=case["start"],
        end_image=frames() if case.get("end") else None,
        fun_or_fl2v_model=case.get("fun", True),
        temporal_mask=mask_of(*case["mask"]) if "mask" in case else None,
    )
    assert " ".join(rows(made.embeds["mask"])) == expected


def test_shot_of_81_frames_keeps_exactly_one() -> None:
    made = clip("shot", num_frames=81, start_image=frames(81), ref_image=frames())
    assert made.concat_mask.shape == made.known_mask.shape == (81, 8, 8)
    assert made.concat_mask[:, 0, 0].tolist() == [0.0] + [1.0] * 80
    assert made.known_mask[:, 0, 0].tolist() == [1.0] + [0.0] * 80
    assert rows(made.embeds["mask"]) == ["1111"] + ["0000"] * 20


def test_film_of_81_frames_keeps_five() -> None:
    made = clip("film", num_frames=81, start_image=frames(81))
    assert made.known_mask[:, 3, 5].tolist() == [1.0] * 5 + [0.0] * 76
    assert rows(made.embeds["mask"]) == ["1111", "1111"] + ["0000"] * 19


def test_svi2_wan21_leads_with_five_and_keeps_one() -> None:
    made = clip("svi2_wan21", num_frames=81, start_image=frames(81), ref_image=frames())
    assert made.plan.timeline.motion_frames == 5
    assert made.known_mask[:, 0, 0].tolist() == [1.0] + [0.0] * 80


@pytest.mark.parametrize("mode", MODES)
def test_embeds_hold_every_key_of_the_host_and_what_was_asked(mode: str) -> None:
    made = clip(mode, ref_image=frames())
    embeds = made.embeds
    assert set(embeds) == HOST_KEYS | {"svi"}
    assert embeds["image_embeds"].shape == (16, 5, 8, 8)
    assert embeds["image_embeds"].dtype == torch.float32
    assert (embeds["num_frames"], embeds["lat_h"], embeds["lat_w"]) == (17, 8, 8)
    assert embeds["max_seq_len"] == 5 * 8 * 8 // 4
    record = embeds["svi"]
    assert record["mode"] == mode
    assert record["concat_mask"] == made.concat_mask[:, 0, 0].tolist()
    assert record["overlap_frames"] == made.plan.timeline.motion_frames


def test_the_mask_has_the_dtype_of_the_vae() -> None:
    made = clip(vae=TraceVAE(dtype=torch.bfloat16))
    assert made.embeds["mask"].dtype == torch.bfloat16
    assert made.embeds["image_embeds"].dtype == torch.float32


def test_the_vae_is_given_its_own_dtype_and_goes_where_it_is_told() -> None:
    vae = TraceVAE(dtype=torch.bfloat16)
    clip(vae=vae, tiled_vae=True, offload_device=torch.device("meta"))
    assert vae.video.dtype == torch.bfloat16
    assert vae.calls[0]["tiled"] is True
    assert vae.devices == [torch.device("cpu"), torch.device("meta")]


def test_the_vae_is_moved_off_also_when_it_fails() -> None:
    class FailingVAE(TraceVAE):
        def encode(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("out of memory")

    vae = FailingVAE()
    with pytest.raises(RuntimeError, match="out of memory"):
        clip(vae=vae, offload_device=torch.device("meta"))
    assert vae.devices[-1] == torch.device("meta")


def test_strengths_scale_the_first_and_last_latent() -> None:
    plain = clip().embeds["image_embeds"]
    scaled = clip(start_latent_strength=0.7, end_latent_strength=1.3).embeds["image_embeds"]
    assert torch.equal(scaled[:, :1], plain[:, :1] * 0.7)
    assert torch.equal(scaled[:, -1:], plain[:, -1:] * 1.3)
    assert torch.equal(scaled[:, 1:-1], plain[:, 1:-1])
    info = clip(start_latent_strength=0.7, end_latent_strength=1.3).info
    assert info.endswith("- first latent scaled by 0.7\n- last latent scaled by 1.3")


def test_ref_strength_scales_latents_that_hold_reference_only() -> None:
    inputs = {"mode": "film_shot", "ref_image": frames(seed=1)}
    plain, loose = clip(**inputs), clip(**inputs, ref_strength=0.75)
    before, after = plain.embeds["image_embeds"], loose.embeds["image_embeds"]
    assert torch.equal(after[:, :2], before[:, :2]), "five motion frames fill two latents"
    assert torch.equal(after[:, 2:], before[:, 2:] * 0.75)
    assert "reference padding scaled by 0.75 (latents 2-4)" in loose.info


def test_ref_strength_without_reference_padding_is_said_to_do_nothing() -> None:
    plain, asked = clip(), clip(ref_strength=0.5)
    assert torch.equal(plain.embeds["image_embeds"], asked.embeds["image_embeds"])
    assert "ref_strength 0.5 has no effect: padding is grey" in asked.info


def test_ref_strength_with_no_latent_of_padding_alone_is_said_to_do_nothing() -> None:
    inputs = {"mode": "shot", "num_frames": 5, "ref_image": frames(), "end_image": frames(seed=2)}
    plain, asked = clip(**inputs), clip(**inputs, ref_strength=0.5)
    assert torch.equal(plain.embeds["image_embeds"], asked.embeds["image_embeds"])
    assert "ref_strength 0.5 has no effect: no latent holds padding alone" in asked.info


def test_ref_strength_names_the_latents_of_the_finished_embeds() -> None:
    inputs = {"mode": "shot", "ref_image": frames(), "extra_latents": {"samples": torch.randn(1, 16, 2, 8, 8)}}
    plain, loose = clip(**inputs), clip(**inputs, ref_strength=0.5)
    assert "(latents 3-6)" in loose.info
    changed = plain.embeds["image_embeds"] != loose.embeds["image_embeds"]
    assert [bool(changed[:, t].any()) for t in range(7)] == [False] * 3 + [True] * 4


def test_images_that_carry_gradients_are_taken() -> None:
    clip(start_image=frames(5, height=80).requires_grad_(), noise_aug_strength=0.1)


def test_extra_latents_stand_in_front_and_are_kept() -> None:
    extra = torch.randn(1, 16, 2, 8, 8)
    plain, made = clip(), clip(extra_latents={"samples": extra})
    assert torch.equal(made.embeds["image_embeds"][:, :2], extra[0])
    assert torch.equal(made.embeds["image_embeds"][:, 2:], plain.embeds["image_embeds"])
    assert rows(made.embeds["mask"]) == ["1111", "1111", *rows(plain.embeds["mask"])]
    assert made.embeds["num_frames"] == 17 + 8
    assert made.embeds["has_ref"] is True
    assert made.embeds["max_seq_len"] == 7 * 16


def test_clip_vision_and_control_pass_through() -> None:
    positive, negative, control = torch.randn(1, 257, 1280), torch.randn(1, 257, 1280), {"control_images": 1}
    made = clip(
        clip_embeds={"clip_embeds": positive, "negative_clip_embeds": negative},
        control_embeds={"control_embeds": control},
    )
    assert made.embeds["clip_context"] is positive
    assert made.embeds["negative_clip_context"] is negative
    assert made.embeds["control_embeds"] is control


def test_add_cond_latents_get_their_negative_in_a_copy() -> None:
    given = {"pose_latent": torch.ones(1)}
    made = clip(add_cond_latents=given)
    assert set(given) == {"pose_latent"}
    assert set(made.embeds["add_cond_latents"]) == {"pose_latent", "ref_latent_neg"}


def test_a_region_of_temporal_mask_reaches_the_latent_pixels() -> None:
    mask = torch.zeros(17, 8, 8)
    mask[0, :, :4] = 1
    made = clip(temporal_mask=mask)
    assert torch.equal(made.known_mask, mask)
    assert torch.equal(made.concat_mask, 1 - mask)
    assert torch.equal(made.embeds["mask"][:, 0], mask[:1].expand(4, -1, -1))
    assert made.embeds["svi"]["known_frames"] == "temporal_mask"
    assert made.embeds["svi"]["concat_mask"][0] == 0.5


def test_info_says_what_was_done_and_adjusted() -> None:
    made = clip("shot", start_image=frames(17, channels=4, height=96, width=64), ref_image=frames())
    assert made.info.splitlines() == [
        "shot: 17 frames at 64x64, 5 latents",
        f"made for svi-shot on Wan 2.1 I2V 14B 480p. {RECIPES['shot'].note}",
        "frames: motion 0 (last frames of start_image), padding 1-16 (ref_image)",
        "known_mask (wrapper): 1 white + 16 black (kept: 0), rule first_frame",
        "concat_mask (native): 1 black + 16 white",
        "- alpha of start_image was dropped",
        "- start_image was resized from 64x96 to 64x64, stretched +50% in width",
    ]


def test_nothing_that_is_passed_in_is_changed() -> None:
    inputs = {
        "start_image": frames(17, channels=4, height=80),
        "ref_image": frames(seed=1),
        "end_image": frames(seed=2),
        "clip_embeds": {"clip_embeds": torch.randn(1, 257, 1280), "negative_clip_embeds": None},
        "control_embeds": {"control_embeds": {"x": torch.randn(2)}},
        "extra_latents": {"samples": torch.randn(1, 16, 1, 8, 8)},
        "add_cond_latents": {"pose": torch.randn(2)},
        "temporal_mask": mask_of(*[1.0] * 17),
    }
    before = digest(inputs)
    clip("film_shot", **inputs, noise_aug_strength=0.3, start_latent_strength=0.7, end_latent_strength=1.3,
         ref_strength=0.75)  # fmt: skip
    assert digest(inputs) == before


def test_a_real_wan_vae_encodes_every_mode_alike_each_time(wan_vae) -> None:
    for mode in MODES:
        first, second = (clip(mode, vae=wan_vae, ref_image=frames(seed=1)) for _ in range(2))
        assert first.embeds["image_embeds"].shape == (16, 5, 8, 8)
        assert torch.equal(first.embeds["image_embeds"], second.embeds["image_embeds"])
        assert first.embeds["image_embeds"].std() > 0


def test_a_real_wan_vae_encodes_tiled_and_with_an_end_apart(wan_vae) -> None:
    apart = clip("i2v", vae=wan_vae, end_image=frames(seed=2), fun_or_fl2v_model=False)
    assert apart.embeds["image_embeds"].shape == (16, 6, 8, 8)
    tiled = clip(vae=wan_vae, width=128, height=128, tiled_vae=True)
    assert tiled.embeds["image_embeds"].shape == (16, 5, 16, 16)


class ComfyVAE:
    """Like ComfyUI's own VAE: it encodes, but is not the wrapper's."""

    def encode(self, pixels: Any) -> Any: ...


class OtherVAE(TraceVAE):
    def encode(self, videos: Any, device: Any, *, end_: bool = False, tiled: bool = False) -> Any:
        return super().encode(videos, device, end_=end_, tiled=tiled)[:, :, :-1]


class NanVAE(TraceVAE):
    def encode(self, videos: Any, device: Any, *, end_: bool = False, tiled: bool = False) -> Any:
        return super().encode(videos, device, end_=end_, tiled=tiled) * float("nan")


def spoiled(value: float) -> torch.Tensor:
    images = frames(17)
    images[-1, 3, 4, 1] = value
    return images


BAD = {
    "4k+1 broken": ({"num_frames": 80}, r"num_frames must be 4k\+1 .* got 80: use 77 or 81"),
    "width off": ({"width": 72}, "width must be a multiple of 16, got 72: use 64 or 80"),
    "height too small": ({"height": 8}, "height must be a multiple of 16, got 8: use 16"),
    "5B size": (
        {"mode": "i2v", "vae": TraceVAE(upsampling_factor=16), "width": 48},
        "width must be a multiple of 32, got 48",
    ),
    "5B VAE": (
        {"vae": TraceVAE(upsampling_factor=16)},
        "mode film is for Wan 2.1 I2V 14B 480p, whose latents have 16 channels, and this VAE makes 48: load",
    ),
    "a family of no Wan model": (
        {"vae": TraceVAE(upsampling_factor=32)},
        r"upsampling_factor of 32, those of Wan models have 8 \(Wan 2.1\) or 16 \(5B\)",
    ),
    "overlap too long": ({"overlap_frames": 17}, "overlap must be smaller than num_frames, got 17 motion frames"),
    "too few start frames": ({"start_image": frames(3)}, "film needs 5 motion frames, start_image has 3"),
    "empty batch": ({"start_image": frames(0)}, r"start_image is empty: \[0, 64, 64, 3\]"),
    "one channel": ({"start_image": frames(5, channels=1)}, "3 channels .* got 1: MaskToImage makes RGB"),
    "two channels": ({"start_image": frames(5, channels=2)}, "3 channels .* got 2"),
    "three axes": ({"start_image": frames(5)[0]}, r"start_image must have 4 axes .* got \[64, 64, 3\]"),
    "8-bit": ({"start_image": frames(5).byte()}, "floats in 0..1, got torch.uint8: divide 8-bit pixels by 255"),
    "no tensor": ({"start_image": [1, 2]}, "start_image must be an IMAGE tensor .* got list"),
    "NaN": ({"start_image": spoiled(float("nan"))}, "start_image has NaN or infinite pixels"),
    "infinite": ({"start_image": spoiled(float("inf"))}, "start_image has NaN or infinite pixels"),
    "too bright": ({"start_image": spoiled(255.0)}, r"in 0..1, got .*\.\.255: divide by 255"),
    "minus one to one": ({"start_image": spoiled(-1.0)}, r"in 0..1, got -1\.\..*: it looks like -1..1"),
    "overshoot": ({"start_image": spoiled(1.05)}, r"in 0..1, got .*1.05: a bicubic resize overshoots"),
    "2-D mask": ({"temporal_mask": torch.ones(4, 4)}, "temporal_mask must have 3 axes"),
    "bool mask": ({"temporal_mask": torch.ones(9, 4, 4).bool()}, "temporal_mask must hold floats .* torch.bool"),
    "int mask": ({"temporal_mask": torch.ones(9, 4, 4).int()}, "temporal_mask must hold floats .* torch.int32"),
    "mask and rule": (
        {"temporal_mask": mask_of(1.0), "known_frames": "overlap"},
        "temporal_mask replaces known_frames, yet known_frames is overlap",
    ),
    "no reference": ({"mode": "shot"}, "shot needs ref_image: connect the original image, not the last frame"),
    "reference batch": ({"mode": "shot", "ref_image": frames(2)}, "ref_image must be one image, got a batch of 2"),
    "end meets motion": ({"end_image": frames(12)}, "end_image meets the motion frames: 5 motion \\+ 12 end"),
    "host crash, end apart": (
        {"end_image": frames(), "fun_or_fl2v_model": False},
        "goes with exactly 1 motion frame, got 5",
    ),
    "end apart on 5B": (
        {"mode": "i2v", "vae": TraceVAE(upsampling_factor=16), "end_image": frames(), "fun_or_fl2v_model": False},
        r"this VAE \(Wan 2.2 5B\) cannot encode an end image apart",
    ),
    "extra_latents size": (
        {"extra_latents": {"samples": torch.zeros(1, 16, 1, 4, 4)}},
        r"extra_latents must be \[1, 16, t, 8, 8\] like this clip's latents, got \[1, 16, 1, 4, 4\]",
    ),
    "extra_latents batch": ({"extra_latents": {"samples": torch.zeros(2, 16, 1, 8, 8)}}, "extra_latents must be"),
    "extra_latents channels": (
        {"extra_latents": {"samples": torch.zeros(1, 48, 1, 8, 8)}},
        "extra_latents have 48 channels, this VAE makes 16",
    ),
    "extra_latents kind": ({"extra_latents": torch.zeros(1)}, "extra_latents must be a LATENT"),
    "extra_latents NaN": (
        {"extra_latents": {"samples": torch.full((1, 16, 1, 8, 8), float("nan"))}},
        "extra_latents has NaN or infinite values",
    ),
    "extra_latents none": ({"extra_latents": {"samples": torch.zeros(1, 16, 0, 8, 8)}}, "extra_latents is empty"),
    "width no int": ({"width": 64.0}, "width must be a whole number, got 64.0"),
    "strength no number": ({"noise_aug_strength": None}, "noise_aug_strength must be a number of 0 or more, got None"),
    "clip_embeds kind": ({"clip_embeds": []}, "clip_embeds must be a dict, got list: connect WanVideo ClipVision"),
    "add_cond_latents kind": ({"add_cond_latents": 3}, "add_cond_latents must be a dict, got int"),
    "control kind": ({"control_embeds": 3}, "control_embeds must be a dict, got int: connect WanVideo Control"),
    "control of another VAE": (
        {"control_embeds": {"control_embeds": {"control_images": torch.zeros(48, 5, 4, 4)}}},
        "control_embeds hold latents of 48 channels, this VAE makes 16: encode the control images with the same VAE",
    ),
    "control of another kind": ({"control_embeds": {"image_embeds": 1}}, "holds no control signal"),
    "an image encode as control": (
        {"control_embeds": {"image_embeds": torch.zeros(1), "control_embeds": None}},
        r"control_embeds holds no control signal \(image-to-video embeds\): connect WanVideo Control Embeds, or no",
    ),
    "empty embeds as control": (
        {"control_embeds": build_empty(num_frames=17, lat_h=8, lat_w=8)},
        r"control_embeds holds no control signal \(empty embeds: a size alone\)",
    ),
    "no VAE": ({"vae": object()}, "vae must be the wrapper's WANVAE, got object without dtype"),
    "ComfyUI's VAE": ({"vae": ComfyVAE()}, "got ComfyVAE without .*: connect WanVideo VAE Loader"),
    "another VAE": ({"vae": OtherVAE()}, r"the VAE gave latents \[16, 4, 8, 8\], expected \[16, 5, 8, 8\]"),
    "a VAE that overflows": ({"vae": NanVAE()}, "NaN or infinite latents in torch.float32: load it with"),
    "noise": ({"noise_aug_strength": -1.0}, "noise_aug_strength must be a number of 0 or more, got -1.0"),
    "strength": ({"start_latent_strength": float("nan")}, "start_latent_strength must be .* got nan"),
    "ref_strength": ({"ref_strength": float("inf")}, "ref_strength must be .* got inf"),
    "mode": ({"mode": "films"}, "mode must be one of film, shot"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_what_came_and_what_to_do(name: str) -> None:
    inputs, message = BAD[name]
    with pytest.raises(SVIError, match=message):
        clip(**inputs)


def test_a_temporal_mask_that_looks_like_a_concat_mask_is_told_so() -> None:
    """One black and the rest white: that of shot in the other polarity."""
    note = "temporal_mask keeps 8 of 9 frames, but not the first: is it a concat_mask (black = kept)?"
    assert note in clip(num_frames=9, temporal_mask=mask_of(0.0, *[1.0] * 8)).info
    for known in (mask_of(1.0, *[0.0] * 8), mask_of(0.0, 1.0, *[0.0] * 7), mask_of(*[1.0] * 9)):
        assert "concat_mask (black = kept)?" not in clip(num_frames=9, temporal_mask=known).info


def test_a_missing_vae_is_asked_for() -> None:
    with pytest.raises(SVIError, match="a VAE is needed: connect WanVideo VAE Loader"):
        pixel_clip(None, mode="film", width=64, height=64, num_frames=17, start_image=frames(5))


# What only the VAE's answer can show.
NO_VAE = {"no VAE", "ComfyUI's VAE"}
NEEDS_THE_VAE = {"another VAE", "a VAE that overflows"}


@pytest.mark.parametrize("name", [n for n in BAD if n not in {*NEEDS_THE_VAE, *NO_VAE}])
def test_bad_input_is_found_before_the_vae_is_touched(name: str) -> None:
    inputs, message = BAD[name]
    vae = TraceVAE(upsampling_factor=getattr(inputs.get("vae"), "upsampling_factor", 8))
    started = []
    with pytest.raises(SVIError, match=message):
        clip(**{**inputs, "vae": vae, "before_encode": lambda: started.append(1)})
    assert (vae.devices, vae.calls, started) == ([], [], [])


def test_values_a_rounding_error_outside_0_to_1_are_taken() -> None:
    clip(start_image=spoiled(1.0001))


@pytest.mark.parametrize("mode", RECIPES)
def test_only_modes_without_a_lora_of_their_own_take_the_vae_of_the_5b_models(mode: str) -> None:
    inputs = {"ref_image": frames(), "vae": TraceVAE(upsampling_factor=16)}
    if mode in ("i2v", "fun_inp"):
        made = clip(mode, **inputs)
        assert made.embeds["image_embeds"].shape == (48, 5, 4, 4)
        assert "TI2V 5B takes no image_embeds" in made.info
        assert "no SVI LoRA fits a 5B model" in made.info
        return
    with pytest.raises(SVIError, match=f"mode {mode} is for .* for a 5B model there are modes fun_inp and i2v"):
        clip(mode, **inputs)


def test_an_svi_mode_with_a_control_signal_is_warned_of() -> None:
    control = {"control_embeds": {"control_images": torch.zeros(16, 5, 8, 8)}}
    said = "control_embeds are for Fun Control models: SVI LoRAs were trained without controls"
    assert said in clip("shot", ref_image=frames(), control_embeds=control).info
    assert said not in clip("i2v", control_embeds=control).info  # there is no SVI LoRA in that mode
    assert said not in clip("shot", ref_image=frames()).info


@pytest.mark.parametrize("fun", [True, False])
def test_a_temporal_mask_changes_no_pixel(fun: bool) -> None:
    """Frames that it keeps and that no image is given for stay what the padding is."""
    inputs = {"ref_image": frames(seed=2), "end_image": frames(seed=3), "fun_or_fl2v_model": fun}
    plain, masked = TraceVAE(), TraceVAE()
    clip("shot", vae=plain, **inputs)
    made = clip("shot", vae=masked, temporal_mask=mask_of(1, 0, 0, 0, 0, 1, 1, 0.5, 0.4), **inputs)
    assert torch.equal(plain.video, masked.video)
    assert made.known_mask[:9, 0, 0].tolist() == pytest.approx([1, 0, 0, 0, 0, 1, 1, 0.5, 0.4])


def test_a_temporal_mask_of_a_rule_gives_the_clip_of_that_rule() -> None:
    for rule in ("overlap", "first_frame", "inverted"):
        inputs = {"ref_image": frames(seed=2), "end_image": frames(seed=3)}
        ruled = clip("film_shot", known_frames=rule, **inputs)
        masked = clip("film_shot", temporal_mask=ruled.known_mask, **inputs)
        for key in ("image_embeds", "mask"):
            assert torch.equal(masked.embeds[key], ruled.embeds[key]), (rule, key)  # type: ignore[literal-required]


def test_padding_that_a_temporal_mask_keeps_is_said() -> None:
    mask = mask_of(1, 0, 0, 0, 0, 1, 1, 0.5, 0.4)
    made = clip("shot", ref_image=frames(), temporal_mask=mask)
    assert "temporal_mask changes no pixel: reference padding stays also in frames that it keeps" in made.info
    kept = "temporal_mask keeps frames that no image is given for (5-7): the model takes their reference padding"
    assert kept in made.info
    grey = clip("film", temporal_mask=mask).info
    assert "no image is given for (5-7): the model takes their grey padding for finished" in grey
    assert "changes no pixel" not in grey  # grey it is in the wrapper too
    assert "no image is given for" not in clip("shot", ref_image=frames(), temporal_mask=mask_of(1, 0, 0.4)).info
    ended = clip("shot", ref_image=frames(), end_image=frames(), temporal_mask=mask_of(*([1] + [0] * 15 + [1])))
    assert "no image is given for" not in ended.info
    both = {"end_image": frames(), "end_padding": "grey", "temporal_mask": mask_of(*[1] * 17)}
    said = clip("shot", ref_image=frames(), **both).info
    assert "given for (1-12): the model takes their reference" in said
    assert "given for (13-15): the model takes their grey" in said
