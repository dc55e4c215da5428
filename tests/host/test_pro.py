"""SVI 2.0 Pro in a real host: a chain with a high and low noise pair, and parity with the host's own node."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from host.comfyui import Comfy, HostError
from host.graphs import Builder, Link
from wanvideo_svi.svi_embeds.clips.latent_space import to_native, to_wrapper

FRAMES = 17


def both(build: Builder, *, num_frames: int, anchor: Link, prev: Link | None, count: int) -> tuple[Link, Link]:
    """This pack's node and the host's, on the same inputs."""
    inputs: dict[str, Any] = {"anchor_samples": anchor, "num_frames": num_frames}
    if prev is not None:
        inputs["prev_samples"] = prev
    ours = build.full("WanVideoSVILatentEmbeds", **inputs, motion_latents=count)
    return ours, build.link("WanVideoSVIProEmbeds", **inputs, motion_latent_count=count)


def assert_equal(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Every key that the host's node gives is there, with the same bits."""
    for key, value in theirs.items():
        if isinstance(value, torch.Tensor):
            assert ours[key].dtype == value.dtype, key
            assert torch.equal(ours[key], value), key
        else:
            assert ours[key] == value, key


def test_a_chain_of_three_clips_renders_and_its_embeds_are_those_of_the_host(comfy: Comfy) -> None:
    build = Builder()
    vae, pair, text = build.vae(), build.pair(), build.text()
    anchor = build.encode(vae, build.images())
    samples: Link | None = None
    video: Link | None = None
    for index in range(3):
        embeds, theirs = both(build, num_frames=FRAMES, anchor=anchor, prev=samples, count=1)
        build.dump(embeds, f"ours{index}")
        build.dump(theirs, f"host{index}")
        samples = build.sample_pair(pair, embeds, text, seed=42 * (index + 1))
        clip = build.decode(vae, samples)
        build.dump(clip, f"clip{index}")
        build.dump(samples, f"samples{index}")
        video = clip if video is None else build.full(
            "WanVideoSVIStitch", images_1=video, images_2=clip, overlap_frames=[embeds[0], 4])  # fmt: skip
    assert video is not None
    build.dump(video, "video")
    comfy.run(build.graph)
    for index in range(3):
        ours = comfy.load(f"ours{index}")
        assert_equal(ours, comfy.load(f"host{index}"))
        if index:
            assert torch.equal(ours["image_embeds"][:, 1], comfy.load(f"samples{index - 1}")["samples"][0, :, -1])
    frames = comfy.load("video")["value"]
    clips = [comfy.load(f"clip{index}")["value"] for index in range(3)]
    assert len(frames) == 3 * FRAMES - 2 * 5
    assert torch.equal(frames, torch.cat([clips[0], clips[1][5:], clips[2][5:]]))
    assert torch.isfinite(frames).all()
    assert len({frame.numpy().tobytes() for frame in frames}) == len(frames)


def test_thirty_random_draws_equal_the_hosts_to_the_bit(comfy: Comfy) -> None:
    draw = random.Random(1)
    build = Builder()
    for case in range(30):
        anchors, total = draw.randint(1, 3), draw.randint(3, 21)
        previous = draw.randint(0, 21)
        room = total - anchors
        count = draw.choice([0, 1, 1, 2, 5, 100])
        if previous and min(count, previous) > room:
            count = room
        shape = {"height": 2 * draw.randint(1, 6), "width": 2 * draw.randint(1, 6), "dtype": "float32"}
        if case % 3 == 0:
            shape["dtype"] = draw.choice(["float16", "bfloat16"])
        anchor = build.latent(anchors, seed=case, batch=draw.choice([1, 1, 2]), **shape)
        if case % 5 == 0:
            shape["dtype"] = "float32"
        prev = build.latent(previous, seed=100 + case, batch=draw.choice([1, 1, 2]), **shape) if previous else None
        ours, theirs = both(build, num_frames=4 * (total - 1) + 1, anchor=anchor, prev=prev, count=count)
        build.dump(ours, f"ours{case}")
        build.dump(theirs, f"host{case}")
    comfy.run(build.graph)
    for case in range(30):
        assert_equal(comfy.load(f"ours{case}"), comfy.load(f"host{case}"))


def rejected(draw: random.Random) -> tuple[dict[str, Any], dict[str, Any] | None, int, int]:
    """Inputs on which the host's node fails: anchor, previous (as `Builder.latent` takes them), num_frames, count."""
    total = draw.randint(2, 12)
    num_frames, count, anchor, previous = 4 * (total - 1) + 1, 1, {"count": 1}, {"count": total, "seed": 1}
    match draw.choice(["long", "length", "anchor", "size", "channels", "image"]):
        case "long":
            count = draw.randint(total, total + 5)
            previous["count"] = count
        case "length":
            num_frames += draw.randint(1, 3)
        case "anchor":
            anchor["count"] = total + draw.randint(1, 4)
        case "size":
            previous[draw.choice(["height", "width"])] = draw.choice([4, 10])
        case "channels":
            previous["channels"] = 48
        case "image":
            anchor["axes"] = 4
    return anchor, draw.choice([previous, previous, None]) if num_frames % 4 != 1 else previous, num_frames, count


def test_fifty_draws_that_the_host_fails_on_are_answered_or_refused_in_a_sentence(comfy: Comfy) -> None:
    draw = random.Random(2)
    answered = refused = 0
    for _ in range(50):
        anchor, previous, num_frames, count = rejected(draw)
        graphs = []
        for node in range(2):
            build = Builder()
            made = both(
                build, num_frames=num_frames, anchor=build.latent(**anchor),
                prev=build.latent(**previous) if previous else None, count=count,
            )  # fmt: skip
            build.dump(made[node], "made")
            graphs.append(build.graph)
        with pytest.raises(HostError, match="WanVideoSVIProEmbeds: "):
            comfy.run(graphs[1])
        error = None
        try:
            comfy.run(graphs[0])
        except HostError as failed:
            error = failed
        case = (anchor, previous, num_frames, count)
        if error is None:
            assert anchor.get("axes") == 4, case
            assert comfy.load("made")["image_embeds"].shape[1] == (num_frames - 1) // 4 + 1
            answered += 1
        else:
            assert error.details["exception_type"].endswith("SVIError"), (error, case)
            refused += 1
    assert answered >= 3
    assert refused >= 30


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("channels", [16, 48])
def test_both_conversions_are_the_hosts_to_the_bit(comfy: Comfy, dtype: str, channels: int) -> None:
    build = Builder()
    raw = build.latent(5, channels=channels, dtype=dtype, seed=4)
    there = build.link("WanVideoLatentReScale", samples=raw, direction="comfy_to_wrapper")
    back = build.link("WanVideoLatentReScale", samples=there, direction="wrapper_to_comfy")
    for name, value in (("raw", raw), ("there", there), ("back", back)):
        build.dump(value, name)
    if channels == 16:
        ours = build.full("WanVideoSVILatentEmbeds", anchor_samples=raw, num_frames=21, latent_space="native")
        build.dump(ours, "ours")
    comfy.run(build.graph)
    raw_samples, wrapped, native = (comfy.load(name)["samples"][0] for name in ("raw", "there", "back"))
    assert torch.equal(to_wrapper(raw_samples), wrapped)
    assert torch.equal(to_native(wrapped), native)
    if channels == 16:
        assert torch.equal(comfy.load("ours")["image_embeds"][:, :5], wrapped)


def test_the_frames_after_the_overlap_continue_the_clip_before(comfy: Comfy) -> None:
    """A sampler that continued perfectly would decode, behind the overlap, to the frames of one long clip.

    Such a sampler's output is put together from a long clip that was really sampled. The decoder looks back, so frames
    near the seam differ a little; with any other count to drop they would be other frames.
    """
    build = Builder()
    vae, pair, text = build.vae(), build.pair(), build.text()
    anchor = build.encode(vae, build.images())
    long = build.sample_pair(pair, build.full("WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=45), text)
    first = build.link("SVITestJoinLatents", first=long, first_stop=4, second=long, second_start=4, second_stop=5)
    for motion in (1, 2):
        embeds = build.full("WanVideoSVILatentEmbeds", anchor_samples=anchor, prev_samples=first, num_frames=29,
                            motion_latents=motion)  # fmt: skip
        head = build.link("SVITestEmbedsToLatent", image_embeds=embeds)
        second = build.link("SVITestJoinLatents", first=head, first_stop=1 + motion, second=long, second_start=5,
                            second_stop=12 - motion)  # fmt: skip
        build.dump(build.decode(vae, second), f"second{motion}")
        build.dump(build.link("SVITestNumber", value=[embeds[0], 4]), f"overlap{motion}")
    build.dump(build.decode(vae, long), "long")
    build.dump(build.decode(vae, first), "first")
    comfy.run(build.graph)
    long_frames, first_frames = comfy.load("long")["value"], comfy.load("first")["value"]
    assert torch.equal(first_frames, long_frames[:17]), "the decoder never looks ahead"
    for motion in (1, 2):
        overlap = int(comfy.load(f"overlap{motion}")["value"])
        assert overlap == 4 * motion + 1
        second_frames = comfy.load(f"second{motion}")["value"]
        assert len(second_frames) == 29

        # The last frames, where the decoder's memory of what stood before the seam has faded most.
        errors = {}
        for drop in range(overlap - 4, overlap + 5):
            rest = second_frames[drop:][8:16]
            errors[drop] = float((rest - long_frames[25 : 25 + len(rest)]).square().mean())
        others = [value for drop, value in errors.items() if drop != overlap]
        assert errors[overlap] < 0.5 * min(others), errors


@pytest.mark.parametrize("fun", [True, False])
def test_an_end_renders_and_the_clip_keeps_its_length(comfy: Comfy, fun: bool) -> None:
    build = Builder()
    vae, pair, text = build.vae(), build.pair(), build.text()
    anchor, end = build.encode(vae, build.images()), build.encode(vae, build.images(seed=7))
    plain = build.full("WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=FRAMES)
    embeds = build.full("WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=FRAMES, end_samples=end,
                        fun_or_fl2v_model=fun)  # fmt: skip
    samples = build.sample_pair(pair, embeds, text)
    following = build.full("WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=FRAMES, prev_samples=samples)
    for name, value in (("with", build.decode(vae, samples)), ("samples", samples), ("following", following),
                        ("without", build.decode(vae, build.sample_pair(pair, plain, text)))):  # fmt: skip
        build.dump(value, name)
    comfy.run(build.graph)
    ending, plain_frames = comfy.load("with")["value"], comfy.load("without")["value"]
    assert len(ending) == len(plain_frames) == FRAMES
    assert torch.isfinite(ending).all()
    assert not torch.equal(ending, plain_frames)
    latents = comfy.load("samples")["samples"][0]
    assert latents.shape[1] == (5 if fun else 6)
    assert torch.equal(comfy.load("following")["image_embeds"][:, 1], latents[:, 4]), "the last latent that is shown"
