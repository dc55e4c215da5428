"""Fun InP in a real host: our frames and mask through the host's own encode equal mode fun_inp, to the bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import rows
from host.comfyui import Comfy, HostError
from host.graphs import Builder, Link

FRAMES = 17


# Inputs of both nodes; start: frames of the previous clip; the rest as WanVideoSVITemporalMask names them.
CASES: dict[str, dict[str, Any]] = {
    "five overlap": {"start": 17},
    "five overlap + end": {"start": 17, "end": 1},
    "five overlap + three end frames": {"start": 17, "end": 3},
    "keyframes in the middle": {"start": 1, "overlap_frames": 1, "keyframes": "6-7, 12", "keys": 3},
    "keyframes alone": {"keyframes": "0, 8, -1", "keys": 3},
    "overlap, keyframe and end": {"start": 17, "keyframes": "9", "keys": 1, "end": 1},
    "a region for all frames": {"start": 17, "region": True},
    "a region, kept outside": {"start": 17, "region": True, "outside_region": "keep"},
    "regions, keyframes and feather": {"start": 17, "region": True, "keyframes": "9-11", "keys": 3, "feather": 1},
    "resize": {"start": 17, "end": 1, "keyframes": "9", "keys": 1, "source": (100, 70)},
    "resize, region": {"start": 17, "region": True, "source": (40, 90)},
}


@pytest.mark.parametrize("name", CASES)
def test_both_ways_give_the_same_embeds(comfy: Comfy, name: str) -> None:
    case = dict(CASES[name])
    width, height = case.pop("source", (64, 64))
    build = Builder()
    vae = build.vae()
    size = {"width": 64, "height": 64, "num_frames": FRAMES}

    def images(count: int, seed: int) -> Link:
        return build.images(count, width=width, height=height, seed=seed)

    start = case.pop("start", 0)
    shared: dict[str, Any] = {}
    if end := case.pop("end", 0):
        shared["end_image"] = images(end, 2)
    if keys := case.pop("keys", 0):
        shared["keyframe_images"] = images(keys, 3)
    if case.pop("region", False):
        shared["region"] = build.link("SVITestRegion", height=11, width=13)
    shared |= case
    motion = {"motion_frames": images(start, 1)} if start else {}
    made = build.full("WanVideoSVITemporalMask", **size, **shared, **motion)
    theirs = build.full(
        "WanVideoImageToVideoEncode", vae=vae, **size, start_image=made, temporal_mask=[made[0], 1],
        fun_or_fl2v_model=[made[0], 3],
    )  # fmt: skip
    first = {"start_image": motion["motion_frames"]} if start else {}
    ours = build.full("WanVideoSVIEmbeds", vae=vae, mode="fun_inp", **size, **shared, **first)
    build.dump(ours, "ours")
    build.dump(theirs, "host")
    comfy.run(build.graph)
    mine, host = comfy.load("ours"), comfy.load("host")
    assert host["image_embeds"].std() > 0
    for key in ("image_embeds", "mask"):
        assert mine[key].dtype == host[key].dtype
        assert torch.equal(mine[key], host[key]), key
    for key in ("num_frames", "lat_h", "lat_w", "max_seq_len", "fun_or_fl2v_model"):
        assert mine[key] == host[key], key


def test_without_fun_the_end_goes_to_the_hosts_end_image(comfy: Comfy) -> None:
    build = Builder()
    vae, end = build.vae(), build.images(seed=2)
    size = {"width": 64, "height": 64, "num_frames": FRAMES}
    shared = {"end_image": end, "overlap_frames": 1, "fun_or_fl2v_model": False}
    made = build.full("WanVideoSVITemporalMask", **size, **shared, motion_frames=build.images())
    theirs = build.full(
        "WanVideoImageToVideoEncode", vae=vae, **size, start_image=made, temporal_mask=[made[0], 1], end_image=end,
        fun_or_fl2v_model=[made[0], 3],
    )  # fmt: skip
    ours = build.full("WanVideoSVIEmbeds", vae=vae, mode="fun_inp", **size, **shared, start_image=build.images())
    build.dump(ours, "ours")
    build.dump(theirs, "host")
    comfy.run(build.graph)
    mine, host = comfy.load("ours"), comfy.load("host")
    assert rows(host["mask"]) == ["1111", "0000", "0000", "0000", "0000", "1111"]
    for key in ("image_embeds", "mask", "end_image"):
        assert torch.equal(mine[key], host[key]), key


def test_a_combination_on_which_the_host_crashes_is_refused(comfy: Comfy) -> None:
    build = Builder()
    made = build.full("WanVideoSVITemporalMask", width=64, height=64, num_frames=FRAMES, end_image=build.images(),
                      motion_frames=build.images(5), fun_or_fl2v_model=False)  # fmt: skip
    build.dump(made, "x")
    with pytest.raises(HostError, match="goes with exactly 1 motion frame, got 5"):
        comfy.run(build.graph)


def test_magrefs_canvas_reaches_the_model_as_a_region_of_frame_0(comfy: Comfy) -> None:
    build = Builder()
    vae, text, model = build.vae(), build.text(), build.model()
    canvas = build.full("WanVideoReferenceCanvas", image_1=build.images(2, width=30, height=50), width=96, height=64,
                        margin=8)  # fmt: skip
    size = {"width": 96, "height": 64, "num_frames": FRAMES}
    made = build.full("WanVideoSVITemporalMask", **size, motion_frames=canvas, region=[canvas[0], 1], overlap_frames=1,
                      outside_region="keep")  # fmt: skip
    vision = build.full("WanVideoClipVisionEncode", clip_vision=build.link("SVITestClipVision", clip_name="-"),
                        image_1=canvas)  # fmt: skip
    embeds = build.full("WanVideoImageToVideoEncode", vae=vae, **size, start_image=made, temporal_mask=[made[0], 1],
                        clip_embeds=vision)  # fmt: skip
    frames = build.decode(vae, build.sample(model, embeds, text))
    for name, value in (("embeds", embeds), ("canvas", canvas), ("region", [canvas[0], 1]), ("frames", frames),
                        ("made", made)):  # fmt: skip
        build.dump(value, name)
    comfy.run(build.graph)
    region_mask = comfy.load("region")["value"]
    expected = torch.nn.functional.interpolate(region_mask[None], size=(8, 12), mode="nearest")[0, 0]
    mask = comfy.load("embeds")["mask"]
    assert 0 < float(expected.mean()) < 1
    for channel in range(4):
        assert torch.equal(mask[channel, 0].float(), expected)
    assert float(mask[:, 1:].abs().max()) == 0
    assert torch.equal(comfy.load("made")["value"][:1], comfy.load("canvas")["value"])
    assert float((comfy.load("made")["value"][1:] - 0.5).abs().max()) == 0
    assert len(comfy.load("frames")["value"]) == FRAMES
