"""image_embeds of WanVideoSVIEmbeds against the host's own I2V encode, fed the equivalent way: equal to the bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from helpers import MASK_VECTORS, rows
from host.comfyui import Comfy, HostError
from host.graphs import Builder, Link

FRAMES = 17


@dataclass
class Case:
    """ours: inputs of WanVideoSVIEmbeds. host: inputs of WanVideoImageToVideoEncode, besides those of `ours` that it
    has too. Values that start with @ are images or masks, see `_resolve`. start: frames that the host is given.
    """

    ours: dict[str, Any]
    start: int
    host: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (64, 64)
    source: tuple[int, int] | None = None  # another size of all images


REFERENCE = {"empty_frame_pad_image": "@ref"}
CASES = {
    "film, five kept": Case({"mode": "film"}, 5),
    "film, first_frame rule": Case({"mode": "film", "known_frames": "first_frame"}, 5, {"temporal_mask": "@mask 1"}),
    "shot": Case({"mode": "shot", "ref_image": "@ref"}, 1, REFERENCE),
    "tom": Case({"mode": "tom"}, 1),
    "talk": Case({"mode": "talk", "ref_image": "@ref"}, 1, REFERENCE),
    "dance": Case({"mode": "dance", "ref_image": "@ref"}, 1, REFERENCE),
    "film_shot": Case({"mode": "film_shot", "ref_image": "@ref"}, 5, REFERENCE),
    "svi2_wan21": Case(
        {"mode": "svi2_wan21", "ref_image": "@ref"}, 5, {**REFERENCE, "temporal_mask": "@mask 1"}
    ),
    "svi2_wan22": Case({"mode": "svi2_wan22", "ref_image": "@ref"}, 1, REFERENCE),
    "i2v": Case({"mode": "i2v"}, 1),
    "film, nine motion frames": Case({"mode": "film", "overlap_frames": 9}, 9),
    "film, black padding": Case({"mode": "film", "padding": "black"}, 5, {"empty_frame_pad_image": "@black"}),
    "film, last padding": Case({"mode": "film", "padding": "last"}, 5, {"empty_frame_pad_image": "@last"}),
    "film + end, fun": Case({"mode": "film", "end_image": "@end", "fun_or_fl2v_model": True}, 5),
    "shot + end, fun": Case({"mode": "shot", "ref_image": "@ref", "end_image": "@end", "fun_or_fl2v_model": True}, 1,
                            REFERENCE),
    "i2v + end, fun": Case({"mode": "i2v", "end_image": "@end", "fun_or_fl2v_model": True}, 1),
    "i2v + end, not fun": Case({"mode": "i2v", "end_image": "@end", "fun_or_fl2v_model": False}, 1),
    "shot + end, not fun": Case({"mode": "shot", "ref_image": "@ref", "end_image": "@end", "fun_or_fl2v_model": False},
                                1, REFERENCE),
    "film + three end frames, fun": Case({"mode": "film", "end_image": "@end3", "fun_or_fl2v_model": True}, 5),
    "end alone": Case({"mode": "i2v", "end_image": "@end", "fun_or_fl2v_model": False}, 0),
    "strengths": Case({"mode": "film", "start_latent_strength": 0.7, "end_latent_strength": 1.3}, 5),
    "strengths, end not fun": Case(
        {"mode": "i2v", "end_image": "@end", "fun_or_fl2v_model": False, "start_latent_strength": 0.7,
         "end_latent_strength": 1.3}, 1),
    "temporal_mask": Case({"mode": "film", "temporal_mask": "@mask 1,1,0,0,0.5,0,0,0,1"}, 5),
    "tiled": Case({"mode": "film", "tiled_vae": True}, 5, size=(128, 96)),
    "tiled, end not fun": Case(
        {"mode": "i2v", "end_image": "@end", "fun_or_fl2v_model": False, "tiled_vae": True}, 1, size=(128, 96)),
    "resize down": Case({"mode": "film"}, 5, source=(150, 90)),
    "resize up, everything": Case(
        {"mode": "film_shot", "ref_image": "@ref", "end_image": "@end", "fun_or_fl2v_model": True}, 5, REFERENCE,
        size=(96, 64), source=(70, 50)),
    "extra_latents": Case({"mode": "film", "extra_latents": "@extra"}, 5),
    "clip vision": Case({"mode": "film", "clip_embeds": "@vision"}, 5),
}  # fmt: skip


def _resolve(build: Builder, vae: Link, value: Any, case: Case) -> Any:
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    (width, height), (source_w, source_h) = case.size, case.source or case.size
    kind, _, rest = value[1:].partition(" ")
    if kind == "mask":
        return build.link("SVITestMask", values=rest)
    if kind == "black":
        return build.link("EmptyImage", width=width, height=height, batch_size=1, color=0)
    if kind == "extra":
        image = build.images(width=width, height=height, seed=9)
        return build.link("WanVideoEncode", vae=vae, image=image, enable_vae_tiling=False, tile_x=272, tile_y=272,
                          tile_stride_x=144, tile_stride_y=128)  # fmt: skip
    if kind == "vision":
        return build.link("WanVideoClipVisionEncode", clip_vision=build.link("SVITestClipVision", clip_name="-"),
                          image_1=build.images(seed=8), strength_1=1.0, strength_2=1.0, crop="center",
                          combine_embeds="average", force_offload=True)  # fmt: skip
    if kind == "last":
        return build.tail(build.images(FRAMES, width=source_w, height=source_h), frames=FRAMES, count=1)
    frames, seed = {"ref": (1, 1), "end": (1, 2), "end3": (3, 3)}[kind]
    return build.images(frames, width=source_w, height=source_h, seed=seed)


SHARED = ("end_image", "fun_or_fl2v_model", "tiled_vae", "start_latent_strength", "end_latent_strength",
          "temporal_mask", "extra_latents", "clip_embeds")  # fmt: skip


def run(comfy: Comfy, name: str, *, precision: str, frames: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both nodes make of a case: ours, the host's. frames: of the clip."""
    case = CASES[name]
    build = Builder()
    vae = build.vae(precision)
    source_w, source_h = case.source or case.size
    clip = {"width": case.size[0], "height": case.size[1], "num_frames": frames, "vae": vae, "force_offload": True}
    ours = {key: _resolve(build, vae, value, case) for key, value in case.ours.items()}
    theirs = {key: ours[key] for key in SHARED if key in ours}
    theirs |= {key: _resolve(build, vae, value, case) for key, value in case.host.items()}
    theirs = {"noise_aug_strength": 0.0, "start_latent_strength": 1.0, "end_latent_strength": 1.0, **theirs}
    if case.start:
        ours["start_image"] = build.images(FRAMES, width=source_w, height=source_h)
        theirs["start_image"] = build.tail(ours["start_image"], frames=FRAMES, count=case.start)
    build.dump(build.link("WanVideoSVIEmbeds", **clip, **ours), "ours")
    build.dump(build.link("WanVideoImageToVideoEncode", **clip, **theirs), "host")
    comfy.run(build.graph)
    return comfy.load("ours"), comfy.load("host")


@pytest.mark.parametrize("name", CASES)
def test_embeds_equal_the_hosts_to_the_bit(comfy: Comfy, name: str) -> None:
    assert_equal(*run(comfy, name, precision="fp32", frames=FRAMES))


@pytest.mark.parametrize("name", ["film, five kept", "shot", "i2v + end, not fun", "strengths"])
def test_embeds_equal_the_hosts_to_the_bit_in_bf16(comfy: Comfy, name: str) -> None:
    """Few cases and frames: without bf16 instructions a CPU needs seconds for each latent."""
    ours, theirs = run(comfy, name, precision="bf16", frames=9)
    assert ours["mask"].dtype == torch.bfloat16
    assert_equal(ours, theirs)


def assert_equal(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert theirs["image_embeds"].std() > 0
    for key in ("image_embeds", "mask"):
        assert ours[key].dtype == theirs[key].dtype
        assert torch.equal(ours[key], theirs[key]), key
    assert {key for key in ours if not key.startswith("svi/")} == set(theirs)
    for key in set(theirs) - {"image_embeds", "mask"}:
        same = (
            torch.equal(ours[key], theirs[key]) if isinstance(theirs[key], torch.Tensor) else ours[key] == theirs[key]
        )
        # The host's flag is False where its graph leaves it out; it has no effect without an end image.
        assert same or (key == "fun_or_fl2v_model" and theirs["end_image"] is None), key


@pytest.mark.parametrize("name", MASK_VECTORS)
def test_packed_masks_are_those_of_the_table_in_both_nodes(comfy: Comfy, name: str) -> None:
    case, expected = MASK_VECTORS[name]
    build = Builder()
    shared: dict[str, Any] = {"vae": build.vae(), "width": 64, "height": 64, "num_frames": 9, "force_offload": True,
                              "fun_or_fl2v_model": case.get("fun", True)}  # fmt: skip
    if case.get("end"):
        shared["end_image"] = build.images(seed=2)
    if "mask" in case:
        shared["temporal_mask"] = build.link("SVITestMask", values=",".join(map(str, case["mask"])))
    clip = build.images(9)
    build.dump(
        build.link("WanVideoSVIEmbeds", mode="i2v", overlap_frames=case["start"], start_image=clip, **shared), "ours"
    )
    build.dump(
        build.link(
            "WanVideoImageToVideoEncode", start_image=build.tail(clip, frames=9, count=case["start"]),
            noise_aug_strength=0.0, start_latent_strength=1.0, end_latent_strength=1.0, **shared,
        ), "host",
    )  # fmt: skip
    comfy.run(build.graph)
    assert " ".join(rows(comfy.load("host")["mask"])) == expected
    assert " ".join(rows(comfy.load("ours")["mask"])) == expected


# Where the host crashes, or makes embeds on which its sampler does: what it says, and what this pack says.
HOST_FAILS = {
    "start longer than the clip": ({"width": 64}, 17, 9, "negative", "overlap must be smaller"),
    "width 72": ({"width": 72}, 5, 17, "", "width must be a multiple of 16, got 72"),
    "4k+1 broken": ({"width": 64}, 5, 18, "", "num_frames must be 4k\\+1 .* got 18"),
    "five motion frames + end, not fun": (
        {"width": 64, "end": True, "fun_or_fl2v_model": False}, 5, 17, "", "goes with exactly 1 motion frame, got 5"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOST_FAILS)
def test_what_the_host_gets_wrong_is_a_clear_error_here(comfy: Comfy, name: str) -> None:
    case, start, num_frames, host_error, our_error = HOST_FAILS[name]
    build = Builder()
    shared: dict[str, Any] = {"vae": build.vae(), "height": 64, "num_frames": num_frames, "force_offload": True, **case}
    if shared.pop("end", False):
        shared["end_image"] = build.images(seed=2)
    images = build.images(start)
    ours = Builder()
    ours.graph = dict(build.graph)
    encoded = build.link("WanVideoImageToVideoEncode", start_image=images, noise_aug_strength=0.0,
                         start_latent_strength=1.0, end_latent_strength=1.0, **shared)  # fmt: skip
    build.dump(encoded, "host")
    if host_error:
        with pytest.raises(HostError, match=host_error):
            comfy.run(build.graph)
    else:
        comfy.run(build.graph)  # in silence: rounded down, or embeds that break the sampler
        made = comfy.load("host")
        latents, mask = made["image_embeds"].shape[1], made["mask"].shape[1]
        assert latents != mask or made["num_frames"] != num_frames or made["lat_w"] % 2
    ours.dump(ours.link("WanVideoSVIEmbeds", mode="film", overlap_frames=start, start_image=images, **shared), "ours")
    with pytest.raises(HostError, match=f"WanVideoSVIEmbeds: .*{our_error}"):
        comfy.run(ours.graph)
