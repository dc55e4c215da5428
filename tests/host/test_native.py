"""The bridge in a real host: what ComfyUI's own model is given by native nodes, and by embeds through the bridge."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import rows
from host.comfyui import Comfy, HostError
from host.graphs import Link
from host.native_graphs import NATIVE_VAE, NativeBuilder
from torch import Tensor

FRAMES, COUNT = 17, 5
SIZE = {"width": 64, "height": 64}
CLIP = {**SIZE, "num_frames": FRAMES}
NATIVE = {**SIZE, "length": FRAMES, "batch_size": 1}


def given(host: Comfy, name: str) -> Tensor:
    """c_concat of the model's first call: 1 20 T h w."""
    concat: Tensor = host.load(name)["c_concat"]
    return concat


def difference(one: Tensor, two: Tensor) -> float:
    return float((one.double() - two.double()).abs().max())


@pytest.mark.parametrize(("mode", "start"), [("i2v", 1), ("film", 5)])
def test_the_model_gets_from_svi_embeds_what_wan_image_to_video_gives_it(
    native_comfy: Comfy, mode: str, start: int
) -> None:
    build = NativeBuilder()
    vae, images = build.native_vae(), build.images(start)
    build.sample_native(build.made("WanImageToVideo", vae=vae, start_image=images, **NATIVE), f"theirs {mode}")
    embeds = build.full("WanVideoSVIEmbeds", vae=vae, mode=mode, start_image=images, **CLIP)
    build.sample_native(build.bridged(embeds), f"ours {mode}")
    native_comfy.run(build.graph)
    ours, theirs = (given(native_comfy, f"{whose} {mode}") for whose in ("ours", "theirs"))
    assert ours.shape == (1, 20, COUNT, 8, 8)
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours, theirs)
    kept = (start - 1) // 4 + 1
    assert rows(ours[0, :4]) == ["1111"] * kept + ["0000"] * (COUNT - kept)
    samples = [native_comfy.load(f"{whose} {mode} samples")["samples"] for whose in ("ours", "theirs")]
    assert samples[0].shape == (1, 16, COUNT, 8, 8)
    assert torch.equal(*samples)


def test_the_wrappers_vae_of_the_same_weights_differs_by_little(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    images = build.images(5)
    for name, vae in (
        ("native", build.native_vae()),
        ("wrapper", build.link("WanVideoVAELoader", model_name=NATIVE_VAE, precision="fp32")),
    ):
        embeds = build.full("WanVideoSVIEmbeds", vae=vae, mode="film", start_image=images, **CLIP)
        build.dump(embeds, f"{name} embeds")
        build.sample_native(build.bridged(embeds), name)
    native_comfy.run(build.graph)
    own, other = given(native_comfy, "native"), given(native_comfy, "wrapper")
    print("wrapper's VAE, at c_concat:", difference(own, other), "of", float(own[:, 4:].abs().max()))
    assert torch.equal(own[:, :4], other[:, :4])
    assert 0 < difference(own, other) < 1e-4
    assert native_comfy.load("native embeds")["svi_native/0"].shape == (16, COUNT, 8, 8)
    assert not [key for key in native_comfy.load("wrapper embeds") if key.startswith("svi_native")]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_pro_latents_are_those_of_wan_image_to_video_svi_pro(native_comfy: Comfy, count: int) -> None:
    build = NativeBuilder()
    anchor = build.link("VAEEncode", pixels=build.images(), vae=build.native_vae())
    prev: dict[str, Link] = {"prev_samples": build.latent(COUNT, seed=3)} if count else {}
    pro = build.made("WanImageToVideoSVIPro", length=FRAMES, anchor_samples=anchor, motion_latent_count=count, **prev)
    build.sample_native(pro, "theirs pro")
    embeds = build.full(
        "WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=FRAMES, motion_latents=count,
        latent_space="native", **prev,
    )  # fmt: skip
    build.sample_native(build.bridged(embeds), "ours pro")
    native_comfy.run(build.graph)
    ours, theirs = given(native_comfy, "ours pro"), given(native_comfy, "theirs pro")
    assert torch.equal(ours, theirs)
    assert not ours[:, 4:, 1 + count :].any(), "zero padding is zero for the model"
    assert difference(ours[:, 4:, : 1 + count], torch.zeros(1)) > 0.1


def test_shot_gives_exactly_1_black_and_80_white(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    embeds = build.full(
        "WanVideoSVIEmbeds", vae=build.native_vae(), mode="shot", start_image=build.images(),
        ref_image=build.images(seed=1), **{**CLIP, "num_frames": 81},
    )  # fmt: skip
    build.dump(build.link("SVITestConditioning", conditioning=build.bridged(embeds)[0]), "shot positive")
    native_comfy.run(build.graph)
    mask = native_comfy.load("shot positive")["concat_mask"]
    assert mask.shape == (1, 4, 21, 8, 8)
    per_frame = mask[0].movedim(0, 1).flatten(0, 1)[3:]  # frame 0 fills the four of its latent
    assert [float(frame.min()) for frame in per_frame] == [float(frame.max()) for frame in per_frame]
    assert per_frame[:, 0, 0].tolist() == [0.0] + [1.0] * 80
    assert not mask[0, :, 0].any()


def test_a_native_end_comes_back_as_the_embeds_of_fun_inp(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    vae, start, end = build.native_vae(), build.images(5), build.images(seed=4)
    made = build.made("WanFunInpaintToVideo", vae=vae, start_image=start, end_image=end, **NATIVE)
    build.dump(build.back(made), "theirs inp")
    embeds = build.full("WanVideoSVIEmbeds", vae=vae, mode="fun_inp", start_image=start, end_image=end, **CLIP)
    build.dump(embeds, "ours inp")
    build.sample_native(made, "inp there")
    build.sample_native(build.bridged(build.back(made)), "inp and back")
    native_comfy.run(build.graph)
    ours, theirs = native_comfy.load("ours inp"), native_comfy.load("theirs inp")
    assert rows(theirs["mask"]) == ["1111", "1111", "0000", "0000", "0001"]
    assert torch.equal(ours["image_embeds"], theirs["image_embeds"])
    assert torch.equal(ours["mask"], theirs["mask"])
    assert theirs["num_frames"] == FRAMES
    assert torch.equal(given(native_comfy, "inp there"), given(native_comfy, "inp and back"))


def test_there_and_back_is_equal_within_rounding_and_exact_where_raw_latents_are_carried(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    vae, images = build.native_vae(), build.images(5)
    embeds = build.full("WanVideoSVIEmbeds", vae=vae, mode="film", start_image=images, **CLIP)
    bare = build.link("SVITestChangeEmbeds", image_embeds=embeds, drop="svi_native,svi")
    for name, value in (("raw", embeds), ("bare", bare)):
        back = build.back(build.bridged(value))
        build.dump(value, f"{name} before")
        build.dump(back, f"{name} after")
        build.sample_native(build.bridged(value), f"{name} once")
        build.sample_native(build.bridged(back), f"{name} twice")
    native_comfy.run(build.graph)
    found = {}
    for name in ("raw", "bare"):
        before, after = (native_comfy.load(f"{name} {when}") for when in ("before", "after"))
        assert torch.equal(before["mask"], after["mask"])
        assert before["num_frames"] == after["num_frames"]
        once, twice = (given(native_comfy, f"{name} {when}") for when in ("once", "twice"))
        found[name] = difference(before["image_embeds"], after["image_embeds"]), difference(once, twice)
    scale = float(native_comfy.load("raw before")["image_embeds"].abs().max())
    rounded = difference(given(native_comfy, "raw once"), given(native_comfy, "bare once"))
    print("round trip:", found, "without raw latents at c_concat:", rounded, "of", scale)
    assert found["raw"] == (0, 0)
    assert max(*found["bare"], rounded) < 4e-6 * scale


def test_control_and_clip_vision_go_through_both_bridges(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    vae = build.native_vae()
    made = build.made("Wan22FunControlToVideo", vae=vae, control_video=build.images(FRAMES, seed=5), **NATIVE)
    build.sample_native(made, "control there", model="native_control.safetensors")
    back = build.back(made)
    build.dump(back, "control embeds")
    build.sample_native(build.bridged(back), "control and back", model="native_control.safetensors")
    seen = build.made("WanImageToVideo", vae=vae, start_image=build.images(),
                      clip_vision_output=build.link("SVITestVision", seed=6), **NATIVE)  # fmt: skip
    build.sample_native(seen, "seen there")
    build.sample_native(build.bridged(build.back(seen)), "seen and back")
    plain = build.full("WanVideoSVIEmbeds", vae=vae, mode="i2v", start_image=build.images(), **CLIP)
    vision = build.link("SVITestVision", seed=6)
    given_by_hand = build.made("WanVideoSVIToNative", image_embeds=plain, clip_vision_output=vision)
    build.sample_native(given_by_hand, "seen by hand")
    native_comfy.run(build.graph)
    concat = given(native_comfy, "control there")
    assert concat.shape[1] == 36
    assert difference(concat, given(native_comfy, "control and back")) <= 4e-6 * float(concat.abs().max())
    assert native_comfy.load("control embeds")["control_embeds/control_images"].shape == (16, COUNT, 8, 8)
    there = native_comfy.load("seen there")
    assert there["clip_fea"].shape == (1, 257, 1280)
    for when in ("and back", "by hand"):
        other = native_comfy.load(f"seen {when}")
        assert torch.equal(there["clip_fea"], other["clip_fea"]), when
        assert torch.equal(there["c_concat"], other["c_concat"]), when


def test_latents_of_48_channels_go_through_both_bridges_to_a_5b_model(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    node = build.add("SVITestConcat", conditioning=build.prompts[0], latent=build.latent(COUNT, channels=48, seed=2))
    made = [[node, index] for index in range(3)]
    back = build.back(made)
    bare = build.link("SVITestChangeEmbeds", image_embeds=back, drop="svi_native")
    for name, value in (("5b there", made), ("5b and back", build.bridged(back)), ("5b bare", build.bridged(bare))):
        build.sample_native(value, name, model="native_5b.safetensors")
    native_comfy.run(build.graph)
    there = given(native_comfy, "5b there")
    assert there.shape == (1, 52, COUNT, 8, 8)
    assert torch.equal(there, given(native_comfy, "5b and back"))
    assert 0 < difference(there, given(native_comfy, "5b bare")) < 4e-6 * float(there.abs().max())
    assert native_comfy.load("5b and back samples")["samples"].shape == (1, 48, COUNT, 8, 8)


def test_embeds_of_the_wrappers_own_encode_go_natively_too(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    images = build.images(5)
    vae = build.link("WanVideoVAELoader", model_name=NATIVE_VAE, precision="fp32")
    own = build.full("WanVideoImageToVideoEncode", vae=vae, start_image=images, **CLIP)
    ours = build.full("WanVideoSVIEmbeds", vae=vae, mode="film", start_image=images, **CLIP)
    for name, embeds in (("encode", own), ("film", ours)):
        build.sample_native(build.bridged(embeds), f"wrapper {name}")
    native_comfy.run(build.graph)
    assert torch.equal(given(native_comfy, "wrapper encode"), given(native_comfy, "wrapper film"))


def test_extra_latents_and_an_end_apart_are_sampled_and_dropped_by_native_nodes(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    vae = build.native_vae()
    cases: dict[str, dict[str, Any]] = {
        "extra": {"extra_latents": build.latent(2, seed=8)},
        "apart": {"end_image": build.images(seed=9), "fun_or_fl2v_model": False},
    }
    for name, more in cases.items():
        embeds = build.full("WanVideoSVIEmbeds", vae=vae, mode="i2v", start_image=build.images(), **CLIP, **more)
        made = build.bridged(embeds)
        samples = build.sample_native(made, name)
        if name == "extra":
            cut = build.link("TrimVideoLatent", samples=samples, trim_amount=[made[0][0], 4])
        else:
            cut = build.link("LatentCut", samples=samples, dim="t", index=0, amount=COUNT)
        build.dump(build.link("VAEDecode", samples=cut, vae=vae), f"{name} frames")
    native_comfy.run(build.graph)
    assert rows(given(native_comfy, "extra")[0, :4]) == ["1111"] * 3 + ["0000"] * 4
    assert rows(given(native_comfy, "apart")[0, :4]) == ["1111"] + ["0000"] * 4 + ["1111"]
    for name in cases:
        assert len(native_comfy.load(f"{name} frames")["value"]) == FRAMES


def test_what_native_models_cannot_be_given_is_refused_in_a_sentence(native_comfy: Comfy) -> None:
    build = NativeBuilder()
    made = build.made("WanVaceToVideo", vae=build.native_vae(), strength=1.0, **NATIVE)
    build.dump(build.back(made), "vace")
    with pytest.raises(HostError, match="WanVideoSVIFromNative: positive holds vace_frames: VACE's control"):
        native_comfy.run(build.graph)
    build = NativeBuilder()
    build.dump(build.link("WanVideoSVIFromNative", positive=build.prompts[0]), "text")
    with pytest.raises(HostError, match="positive holds no concat_latent_image: connect the positive of WanImage"):
        native_comfy.run(build.graph)


# Without the wrapper


def test_without_the_wrapper_a_native_graph_runs_on_embeds_of_this_pack(bare_comfy: Comfy) -> None:
    bare_comfy.make_native_models()
    build = NativeBuilder()
    vae, images = build.native_vae(), build.images(5)
    anchor = build.link("VAEEncode", pixels=build.images(), vae=vae)
    raw = build.latent(COUNT, seed=2)
    made = {
        "embeds": build.full("WanVideoSVIEmbeds", vae=vae, mode="film", start_image=images, **CLIP),
        "latents": build.full(
            "WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=FRAMES, latent_space="native"
        ),
        "custom": build.full("WanVideoI2VCustomEmbeds", **SIZE, length=FRAMES, vae=vae, start_image=images),
        "given": build.full(
            "WanVideoI2VCustomEmbeds", **SIZE, length=FRAMES, concat_latent_image=raw, latent_space="native"
        ),
    }
    for name, embeds in made.items():
        build.sample_native(build.bridged(embeds), f"bare {name}")
    build.dump(build.back(build.bridged(made["embeds"])), "bare back")
    build.sample_native(build.made("WanImageToVideo", vae=vae, start_image=images, **NATIVE), "bare native")
    bare_comfy.run(build.graph)
    expected = given(bare_comfy, "bare native")
    assert torch.equal(given(bare_comfy, "bare embeds"), expected)
    assert torch.equal(given(bare_comfy, "bare custom"), expected)
    for name in made:
        assert torch.isfinite(bare_comfy.load(f"bare {name} samples")["samples"]).all()
    assert torch.equal(bare_comfy.load("bare back")["mask"], expected[0, :4])
