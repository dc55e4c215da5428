"""The bridge: embeds to native conditioning and back, in both spaces and both polarities."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import custom_clip, digest, frames, latent_clip, pixel_clip, rows
from hypothesis import given, settings
from hypothesis import strategies as st
from native_vae import NativeVAE, concat_cond, wan_image_to_video
from torch import Tensor
from wanvideo_svi.svi_embeds import as_wan_vae, from_native, load_embeds, save_embeds, to_native
from wanvideo_svi.svi_embeds.clips.embeds import Beside, build_embeds, svi_record
from wanvideo_svi.svi_embeds.clips.latent_space import to_wrapper
from wanvideo_svi.svi_embeds.errors import SVIError

SIZE = {"width": 64, "height": 64}
CLIP = {**SIZE, "num_frames": 17}
TEXT = [[torch.zeros(1, 3, 8), {"pooled_output": None}]]


def values(embeds: Any) -> dict[str, Any]:
    (entry,) = to_native(embeds).condition(TEXT)
    return dict(entry[1])


def back(embeds: Any) -> Any:
    clip = to_native(embeds)
    return from_native(clip.condition(TEXT), clip.condition(TEXT, negative=True), clip.latent()).embeds


def noise(channels: int, count: int, *, seed: int = 0) -> Tensor:
    return torch.randn(channels, count, 8, 8, generator=torch.Generator().manual_seed(seed))


def made(latents: Tensor, known: Tensor, **more: Any) -> Any:
    """Embeds of latents C T h w in the wrapper's space and a packed mask."""
    count = latents.shape[1]
    record = svi_record(
        mode="film", overlap_frames=0, known_frames="overlap", padding="grey", known_per_frame=[0] * (4 * count - 3)
    )
    return build_embeds(num_frames=4 * count - 3, latents=latents, mask=known, record=record, beside=Beside(**more))


# What the model is given


@pytest.mark.parametrize(("mode", "start"), [("i2v", 1), ("film", 5)])
def test_a_clip_of_comfyuis_vae_gives_the_model_the_bits_of_wan_image_to_video(mode: str, start: int) -> None:
    images = frames(start)
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode=mode, start_image=images, **CLIP)
    theirs = wan_image_to_video(NativeVAE(), images, 17)
    ours = values(clip.embeds)
    assert torch.equal(ours["concat_latent_image"], theirs["concat_latent_image"])
    assert torch.equal(concat_cond(ours), concat_cond(theirs))
    assert ours["pooled_output"] is None


def test_without_raw_latents_the_last_bits_are_rounded_and_no_more() -> None:
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode="film", start_image=frames(5), **CLIP)
    bare = {key: value for key, value in clip.embeds.items() if key != "svi_native"}
    exact, rounded = (concat_cond(values(embeds)) for embeds in (clip.embeds, bare))
    assert not torch.equal(exact, rounded)
    assert torch.allclose(exact, rounded, rtol=1e-5, atol=1e-6)
    assert "5 as the VAE made them" in to_native(clip.embeds).info
    assert "5 converted back from the wrapper's space" in to_native(bare).info


def test_a_changed_latent_is_converted_and_its_raw_one_not_given() -> None:
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode="film", start_image=frames(5), **CLIP)
    changed = clip.embeds["image_embeds"].clone()
    changed[3, 2, 1, 1] += 0.25
    native = to_native({**clip.embeds, "image_embeds": changed})
    assert "4 as the VAE made them, 1 converted" in native.info
    assert torch.allclose(concat_cond(native.condition(TEXT)[0][1])[0, 4:], changed, rtol=1e-5, atol=1e-6)


def test_repeats_and_another_order_of_latents_keep_their_bits() -> None:
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode="film", start_image=frames(5), **CLIP)
    order = [0, 2, 2, 1, 4]
    native = to_native({**clip.embeds, "image_embeds": clip.embeds["image_embeds"][:, order]})
    assert torch.equal(native.concat_latent_image, to_native(clip.embeds).concat_latent_image[:, :, order])


def test_a_strength_scales_what_the_model_gets_and_is_not_taken_back() -> None:
    vae = as_wan_vae(NativeVAE())
    clip = pixel_clip(vae, mode="i2v", start_image=frames(1), start_latent_strength=0.5, **CLIP)
    plain = pixel_clip(vae, mode="i2v", start_image=frames(1), **CLIP)
    ours, whole = (concat_cond(values(each.embeds))[0, 4:] for each in (clip, plain))
    assert torch.allclose(ours[:, 0], whole[:, 0] / 2, rtol=1e-5, atol=1e-6)
    assert torch.equal(ours[:, 1:], whole[:, 1:])


def test_pro_gets_raw_latents_and_zeros_that_are_the_means() -> None:
    anchor, prev = ({"samples": noise(16, count, seed=count)[None]} for count in (1, 5))
    clip = latent_clip(anchor_samples=anchor, prev_samples=prev, num_frames=17, latent_space="native")
    native = to_native(clip.embeds)
    raw = native.concat_latent_image[0]
    assert torch.equal(raw[:, :1], anchor["samples"][0])
    assert torch.equal(raw[:, 1], prev["samples"][0, :, -1])
    assert not concat_cond(native.condition(TEXT)[0][1])[0, 4:, 2:].any()
    assert "2 as the VAE made them, 3 zero for the model" in native.info


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_pro_hands_latents_on_in_their_own_type(dtype: torch.dtype) -> None:
    anchor = {"samples": noise(16, 1)[None].to(dtype)}
    native = to_native(latent_clip(anchor_samples=anchor, num_frames=17, latent_space="native").embeds)
    assert native.concat_latent_image.dtype == dtype
    assert torch.equal(native.concat_latent_image[0, :, :1], anchor["samples"][0])


@pytest.mark.parametrize("channels", [16, 32])
def test_custom_latents_of_native_space_come_out_as_they_went_in(channels: int) -> None:
    raw = noise(channels, 5)
    clip = custom_clip(**SIZE, length=17, concat_latent_image={"samples": raw[None]}, latent_space="native")
    native = to_native(clip.embeds)
    assert torch.equal(native.concat_latent_image[0], raw)
    assert native.shape == (1, 16, 5, 8, 8)


def test_shot_is_exactly_1_black_and_80_white() -> None:
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode="shot", start_image=frames(1), ref_image=frames(1, seed=1),
                      **{**CLIP, "num_frames": 81})  # fmt: skip
    native = to_native(clip.embeds)
    assert rows(native.concat_mask[0]) == ["0000"] + ["1111"] * 20
    assert "concat_mask (native): 1 black + 80 white" in native.info


@settings(max_examples=60, deadline=None)
@given(channels=st.sampled_from([16, 48]), count=st.integers(1, 6), seed=st.integers(0, 999), soft=st.booleans())
def test_both_bridges_keep_masks_and_latents(channels: int, count: int, seed: int, soft: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    known = torch.rand(4, count, 8, 8, generator=generator)
    known = known if soft else known.round()
    embeds = made(noise(channels, count, seed=seed), known)
    native = to_native(embeds)
    assert native.shape == (1, channels, count, 8, 8)
    assert torch.equal(native.concat_mask[0] + known, torch.ones_like(known)) or soft
    assert native.concat_mask.dtype == torch.float32
    again = back(embeds)
    assert torch.allclose(again["image_embeds"], embeds["image_embeds"], rtol=1e-5, atol=2e-6)
    assert torch.allclose(again["mask"], known, rtol=0, atol=1e-7)
    assert soft or torch.equal(again["mask"], known)
    assert torch.allclose(concat_cond(values(embeds))[0, 4:], embeds["image_embeds"], rtol=1e-5, atol=2e-6)
    # What has been native once stays as it is.
    assert torch.equal(to_native(again).concat_latent_image, native.concat_latent_image)


def test_nothing_that_is_given_is_changed() -> None:
    vision = noise(1, 3)[0]
    embeds = made(noise(16, 3), torch.zeros(4, 3, 8, 8), clip_embeds={"clip_embeds": vision})
    conditioning = [[torch.zeros(1, 3, 8), {"concat_mask_index": 3}]]
    before = digest([embeds, conditioning])
    native = to_native(embeds)
    out = native.condition(conditioning)
    assert out[0][1]["concat_mask_index"] == 0, "one of before would move the mask"
    for value in (native.concat_latent_image, native.concat_mask, native.clip_vision.penultimate_hidden_states):
        assert isinstance(value, Tensor)
        value.fill_(1)
    assert digest([embeds, conditioning]) == before
    kept = digest(out)
    from_native(out).embeds["image_embeds"].fill_(3)
    assert digest(out) == kept


def test_raw_latents_survive_a_file_and_old_files_still_read(tmp_path: Any) -> None:
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode="film", start_image=frames(5), **CLIP)
    bare = {key: value for key, value in clip.embeds.items() if key != "svi_native"}
    for name, embeds in (("new", clip.embeds), ("old", bare)):
        save_embeds(embeds, tmp_path / f"{name}.safetensors")
        again = load_embeds(tmp_path / f"{name}.safetensors")
        assert torch.equal(to_native(again).concat_latent_image, to_native(embeds).concat_latent_image)


@pytest.mark.parametrize("junk", ["text", [1, None], [torch.ones(3)], [torch.zeros(16, 2, 8, 8, dtype=torch.int8)],
                                  [torch.zeros(5, 2, 8, 8)], [torch.full((16, 1, 8, 8), float("nan"))]])  # fmt: skip
def test_carried_latents_that_do_not_read_are_passed_over(junk: Any) -> None:
    embeds = made(noise(16, 3), torch.zeros(4, 3, 8, 8))
    native = to_native({**embeds, "svi_native": junk})
    assert torch.equal(native.concat_latent_image, to_native(embeds).concat_latent_image)


def test_no_more_is_carried_than_the_embeds_hold() -> None:
    prev = {"samples": noise(16, 60, seed=1)[None]}
    clip = latent_clip(anchor_samples={"samples": noise(16, 1)[None]}, prev_samples=prev, num_frames=17,
                       latent_space="native")  # fmt: skip
    assert [raw.shape[1] for raw in clip.embeds["svi_native"]] == [2]
    wrapper = latent_clip(anchor_samples={"samples": noise(16, 1)[None]}, num_frames=17)
    assert "svi_native" not in wrapper.embeds


# Beside the clip


def test_clip_vision_goes_to_both_prompts_and_comes_back() -> None:
    positive, negative = noise(1, 2, seed=1)[0], noise(1, 2, seed=2)[0]
    vision = {"clip_embeds": positive, "negative_clip_embeds": negative}
    embeds = made(noise(16, 3), torch.zeros(4, 3, 8, 8), clip_embeds=vision)
    native = to_native(embeds)
    for is_negative, features in ((False, positive), (True, negative)):
        output = native.condition(TEXT, negative=is_negative)[0][1]["clip_vision_output"]
        assert torch.equal(output.penultimate_hidden_states, features)
        assert output["penultimate_hidden_states"] is output.penultimate_hidden_states
    again = back(embeds)
    assert torch.equal(again["clip_context"], positive)
    assert torch.equal(again["negative_clip_context"], negative)
    one = back(made(noise(16, 3), torch.zeros(4, 3, 8, 8), clip_embeds={"clip_embeds": positive}))
    assert torch.equal(one["clip_context"], positive)
    assert one["negative_clip_context"] is None
    assert "clip_vision_output" not in values(made(noise(16, 3), torch.zeros(4, 3, 8, 8)))


def test_clip_vision_of_comfyuis_own_takes_the_place_of_the_embeds() -> None:
    output = SimpleNamespace(penultimate_hidden_states=noise(1, 2, seed=9)[0], image_embeds=3)
    for vision in ({"clip_embeds": noise(1, 2)[0], "negative_clip_embeds": noise(1, 2, seed=1)[0]}, None):
        native = to_native(made(noise(16, 3), torch.zeros(4, 3, 8, 8), clip_embeds=vision), clip_vision_output=output)
        for negative in (False, True):
            assert native.condition(TEXT, negative=negative)[0][1]["clip_vision_output"] is output
        assert ("takes the place of the CLIP vision" in native.info) is (vision is not None)
    with pytest.raises(
        SVIError, match=r"must hold penultimate_hidden_states .*got int: make it with CLIP Vision Encode"
    ):
        to_native(made(noise(16, 3), torch.zeros(4, 3, 8, 8)), clip_vision_output=3)


def test_control_stands_before_the_mask_as_wan22_fun_control_has_it() -> None:
    control = noise(16, 3, seed=5)
    signal = {"control_images": control, "start_percent": 0.0, "end_percent": 1.0}
    embeds = made(noise(16, 3), torch.ones(4, 3, 8, 8), control=signal)
    native = to_native(embeds)
    assert native.concat_mask_index == 16
    concat = concat_cond(native.condition(TEXT)[0][1])[0]
    assert torch.allclose(concat[:16], control, rtol=1e-5, atol=2e-6)
    assert bool((concat[16:20] == 1).all())
    again = back(embeds)
    assert torch.allclose(again["control_embeds"]["control_images"], control, rtol=1e-5, atol=2e-6)
    assert again["image_embeds"].shape == (16, 3, 8, 8)


def test_a_fun_reference_goes_as_reference_latents() -> None:
    reference = noise(16, 1, seed=7).transpose(0, 1)
    signal = {"control_images": noise(16, 3), "start_percent": 0.0, "end_percent": 1.0, "fun_ref_image": reference}
    native = to_native(made(noise(16, 3), torch.ones(4, 3, 8, 8), control=signal))
    (given_,) = native.condition(TEXT)[0][1]["reference_latents"]
    assert given_.shape == (1, 16, 1, 8, 8)
    assert torch.allclose(to_wrapper(given_[0])[:, 0], reference[0], rtol=1e-5, atol=2e-6)
    assert "reference_latents" in native.info


@pytest.mark.parametrize("extra", [1, 3])
def test_extra_latents_are_sampled_in_front_and_said_to_be_dropped(extra: int) -> None:
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode="film", start_image=frames(5), **CLIP,
                      extra_latents={"samples": noise(16, extra)[None]})  # fmt: skip
    native = to_native(clip.embeds)
    assert native.shape[2] == 5 + extra
    assert native.trim_front == extra
    assert rows(native.concat_mask[0])[: extra + 2] == ["0000"] * (extra + 2)
    assert "Trim Video Latent" in native.info
    unknown = {key: value for key, value in clip.embeds.items() if key != "svi"}
    assert to_native(unknown).trim_front == 1, "as many as the wrapper's decode drops"


def test_an_end_apart_is_sampled_behind_and_said_to_be_dropped() -> None:
    clip = pixel_clip(as_wan_vae(NativeVAE()), mode="i2v", start_image=frames(1), end_image=frames(1, seed=3),
                      fun_or_fl2v_model=False, **CLIP)  # fmt: skip
    native = to_native(clip.embeds)
    assert (native.shape[2], native.trim_front, native.trim_end) == (6, 0, 1)
    assert "Latent Cut, dim t, index 0, amount 5" in native.info
    alone = NativeVAE().encode(frames(1, seed=3))
    assert torch.equal(native.concat_latent_image[:, :, -1:], alone)


def test_keys_of_other_packs_are_named_and_left() -> None:
    embeds = {**made(noise(16, 3), torch.zeros(4, 3, 8, 8)), "somebodys": 3, "nothing": None}
    assert "not carried over: somebodys" in to_native(embeds).info


# What is refused


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"vace_context": [1]}, "VACE's control, natively of WanVaceToVideo.*and use the native one"),
        ({"extra_latents": [{"samples": noise(16, 1)[None], "index": 0}]}, "clean latents .*noise mask"),
        ({"add_cond_latents": {"pose_latent": 1}}, "additional condition latents.*take out the node that adds it$"),
        ({"lynx_embeds": {"a": 1}}, "lynx_embeds .which no native node takes"),
        ({"control_embeds": {"control_camera_latents": noise(16, 3)}}, "a camera's path"),
        ({"control_embeds": {"control_images": noise(16, 3), "end_percent": 0.5}}, "act from 0.0 to 0.5 of the steps"),
        ({"control_embeds": {"control_images": noise(16, 2)}}, "both must be alike"),
        ({"control_embeds": {"fun_ref_image": noise(16, 1)}}, r"expected \[1, 16, 8, 8\]: encode the reference"),
        ({"control_embeds": 3}, "must be a dict, got int"),
        ({"clip_context": noise(1, 1)}, r"clip_context of image_embeds must be \[1, tokens, width\]"),
        ({"image_embeds": None}, "image_embeds lacks image_embeds"),
    ],
)  # fmt: skip
def test_what_a_native_model_cannot_be_given_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(SVIError, match=says):
        to_native({**made(noise(16, 3), torch.zeros(4, 3, 8, 8)), **more})


LATENTS, MASK = noise(16, 3)[None], torch.zeros(1, 1, 3, 8, 8)
GOOD = {"concat_latent_image": LATENTS, "concat_mask": MASK}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, "positive holds no concat_latent_image: connect the positive of WanImageToVideo"),
        ({**GOOD, "concat_latent_image": LATENTS[0]}, "must be .1, channels, T, h, w. as Wan's native nodes make it"),
        ({**GOOD, "concat_latent_image": "x"}, "got str"),
        ({**GOOD, "concat_latent_image": LATENTS * float("nan")}, "must hold finite floats"),
        ({**GOOD, "concat_latent_image": LATENTS[:, :12]}, "has 12 channels: 16 or 48 of images do"),
        ({**GOOD, "concat_mask_index": 8}, "concat_mask_index 8 with latents of 16 channels"),
        ({**GOOD, "concat_mask": MASK + 2}, r"must hold values in 0..1, got 2..2"),
        ({**GOOD, "concat_mask": torch.zeros(1, 1, 4, 8, 8)}, "concat_mask has 4 latents, concat_latent_image 3"),
        ({**GOOD, "vace_frames": [1]}, "positive holds vace_frames: VACE's control"),
        ({**GOOD, "clip_vision_output": 3}, "must hold penultimate_hidden_states"),
        ({"concat_latent_image": LATENTS[..., :7]}, "both must be even"),
    ],
)
def test_conditioning_that_embeds_cannot_hold_is_refused(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(SVIError, match=says):
        from_native([[None, entry]])


def test_prompts_with_different_images_are_refused() -> None:
    other = {**GOOD, "concat_latent_image": LATENTS + 1}
    with pytest.raises(SVIError, match="the entries of positive have different concat_latent_image"):
        from_native([[None, GOOD], [None, other]])
    with pytest.raises(SVIError, match="positive and negative have different concat_latent_image"):
        from_native([[None, GOOD]], [[None, other]])
    with pytest.raises(SVIError, match="positive and negative have different concat_mask"):
        from_native([[None, GOOD]], [[None, {"concat_latent_image": LATENTS}]])
    same = {"concat_latent_image": LATENTS.clone(), "concat_mask": MASK.clone()}
    assert from_native([[None, GOOD], [None, same]], [[None, same]]).embeds["num_frames"] == 9
    for bad in ([], None, [[None]], {}):
        with pytest.raises(SVIError, match="positive must be a CONDITIONING with one entry or more"):
            from_native(bad)


# How conditioning is read


def test_a_mask_of_one_channel_is_one_for_each_latent_and_a_short_one_leaves_the_rest() -> None:
    mask = torch.zeros(1, 1, 2, 8, 8)
    clip = from_native([[None, {**GOOD, "concat_mask": mask}]])
    assert rows(clip.embeds["mask"]) == ["1111", "1111", "0000"]
    assert "one for each latent; latents 2-2 have none and are generated" in clip.info
    averaged = torch.ones(1, 2, 3, 8, 8)
    averaged[:, 0] = 0
    assert bool((from_native([[None, {**GOOD, "concat_mask": averaged}]]).embeds["mask"] == 0.5).all())
    none = from_native([[None, {"concat_latent_image": LATENTS}]])
    assert rows(none.embeds["mask"]) == ["0000"] * 3
    assert "no concat_mask: every frame is generated" in none.info


def test_the_latents_size_counts_and_others_are_resized_as_the_model_does() -> None:
    small = {"samples": torch.zeros(1, 16, 3, 4, 4)}
    clip = from_native([[None, GOOD]], latent=small)
    assert clip.embeds["image_embeds"].shape == (16, 3, 4, 4)
    expected = torch.nn.functional.interpolate(LATENTS[0].transpose(0, 1), size=(4, 4), mode="bilinear")
    assert torch.equal(clip.embeds["image_embeds"], to_wrapper(expected.transpose(0, 1).contiguous()))
    assert "concat_latent_image was cut at the centre and resized from 8x8 latent pixels" in clip.info
    with pytest.raises(SVIError, match="latent has 2 latents, concat_latent_image 3"):
        from_native([[None, GOOD]], latent={"samples": torch.zeros(1, 16, 2, 8, 8)})
    with pytest.raises(SVIError, match="latent has 48 channels, concat_latent_image 16"):
        from_native([[None, GOOD]], latent={"samples": torch.zeros(1, 48, 3, 8, 8)})
    masked = {"samples": torch.zeros(1, 16, 3, 8, 8), "noise_mask": torch.zeros(1, 8, 8)}
    with pytest.raises(SVIError, match="holds no concat_mask, and latent a noise_mask"):
        from_native([[None, {"concat_latent_image": LATENTS}]], latent=masked)
    assert from_native([[None, GOOD]], latent=masked).embeds["lat_h"] == 8


def test_channels_without_a_mask_are_control_and_images() -> None:
    """As WanFunControlToVideo has them, for models of 48 input channels."""
    both = noise(32, 3)[None]
    clip = from_native([[None, {"concat_latent_image": both}]])
    assert torch.equal(clip.embeds["image_embeds"], to_wrapper(both[0, 16:]))
    control = clip.embeds["control_embeds"]
    assert control is not None
    assert torch.equal(control["control_images"], to_wrapper(both[0, :16]))
    whole = from_native([[None, {"concat_latent_image": both, "concat_mask": MASK}]])
    assert whole.embeds["image_embeds"].shape[0] == 32
    assert whole.embeds["control_embeds"] is None


def test_a_batch_gives_its_first_and_says_so() -> None:
    clip = from_native([[None, {"concat_latent_image": LATENTS.repeat(2, 1, 1, 1, 1), "concat_mask": MASK}]])
    assert "concat_latent_image is a batch of 2: the first is used" in clip.info
    assert torch.equal(clip.embeds["image_embeds"], to_wrapper(LATENTS[0]))
