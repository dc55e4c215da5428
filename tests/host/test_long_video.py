"""WanVideoSVILongVideo in a real host: the same frames as a chain wired by hand, resume, edits, memory."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
import torch
from host.comfyui import Comfy, HostError
from host.graphs import Builder, Link
from host.long_chains import (
    FRAMES,
    PROMPTS,
    Scene,
    chain,
    hand_wired,
    long_only,
    long_video,
    pixels,
    reel_of,
    settings,
    story,
)
from wanvideo_svi.svi_embeds.drift.figures import DriftMeter
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.cli.main import main


@pytest.mark.parametrize(("mode", "overlap"), [("film", 5), ("shot", 1)])
def test_five_clips_equal_the_chain_wired_by_hand(comfy: Comfy, mode: str, overlap: int) -> None:
    build = Builder()
    scene = Scene(build)
    main = build.full("WanVideoModelLoader", model=build.graph[scene.first[0]]["inputs"]["model"],
                      base_precision="fp16", attention_mode="sdpa", lora=scene.lora)  # fmt: skip
    joined, tail = hand_wired(build, scene, mode, overlap, main)
    build.dump(joined, "hand")
    build.dump(tail, "hand_tail")
    comfy.run(build.graph)

    build = Builder()
    scene = Scene(build)
    main = build.full("WanVideoModelLoader", model=build.graph[scene.first[0]]["inputs"]["model"],
                      base_precision="fp16", attention_mode="sdpa", lora=scene.lora)  # fmt: skip
    node = long_video(
        build, story(), mode=mode, reel=f"parity_{mode}", sampler_inputs=settings(build, main), vae=scene.vae,
        start_image=scene.start, ref_image=scene.reference, t5=scene.t5, clip_vision=scene.vision,
        first_clip_model=scene.first,
    )  # fmt: skip
    build.dump([node, 1], "tail")
    frames = build.link("WanVideoSVIReelFrames", reel=[node, 0], start_frame=0, count=0)
    build.dump(frames, "frames")
    outputs = comfy.run(build.graph)

    hand = comfy.load("hand")["value"]
    total = 5 * FRAMES - 4 * overlap
    assert len(hand) == total
    assert f"{total} frames" in outputs[node]["text"][0]
    assert torch.equal(comfy.load("tail")["value"], comfy.load("hand_tail")["value"])
    ours = comfy.load("frames")["value"]
    assert torch.equal((ours * 255).round().byte(), (hand * 255).clamp(0, 255).byte())
    assert len({frame.numpy().tobytes() for frame in ours}) == total


def test_a_change_of_prompt_4_of_5_samples_clips_4_and_5(comfy: Comfy) -> None:
    graph, node = chain(story(), "edited")
    assert "5 made (clip 1, 2, 3, 4, 5)" in comfy.run(graph)[node]["text"][0]
    before = reel_of(comfy, "edited")
    frames = pixels(before)
    sampled = comfy.log.read_text(errors="replace").count("Sampling end")
    graph, node = chain(story((*PROMPTS[:3], "a heron lands", PROMPTS[4])), "edited")
    assert "3 kept, 2 made (clip 4, 5)" in comfy.run(graph)[node]["text"][0]
    after = reel_of(comfy, "edited")
    assert comfy.log.read_text(errors="replace").count("Sampling end") == sampled + 2
    assert after.clips[:3] == before.clips[:3]
    assert not any(clip in before.clips for clip in after.clips[3:])
    assert len(after.spare) == 2
    assert after.problems() == []
    # The first story again costs nothing; a reel that is gone is noticed although no input has changed.
    graph, node = chain(story(), "edited")
    assert "5 kept, 0 made" in comfy.run(graph)[node]["text"][0]
    again = comfy.queue(graph)
    comfy.wait(again)
    assert node in comfy.cached(again)
    (comfy.base / "output" / "svi_reels" / "edited" / before.clips[2].video.name).unlink()
    assert "4 kept, 1 made (clip 3)" in comfy.run(graph)[node]["text"][0]
    assert reel_of(comfy, "edited").problems() == []
    assert (pixels(reel_of(comfy, "edited")) == frames).all()


def test_a_pair_as_2_0_pro_with_first_clip_models_and_an_end(comfy: Comfy) -> None:
    """Each clip's conditioning is that of the wrapper's own Pro node on the latents of the clip before."""
    build = Builder()
    high, low = build.pair()
    first_high, first_low = build.pair()
    node = long_video(
        build, "a\n---\nb\n---\n[end=0]\nc", mode="svi2_pro", reel="pro", vae=build.vae(), split_step=1,
        sampler_inputs=settings(build, high), low_noise_model=low, first_clip_model=first_high,
        first_clip_low_noise_model=first_low, start_image=build.images(1, seed=5), clip=build.link("SVITestCLIP"),
        end_images=build.images(1, seed=9),
    )  # fmt: skip
    build.dump([node, 1], "pro_tail")
    text = comfy.run(build.graph)[node]["text"][0]
    assert "3 clips, 41 frames" in text
    reel = reel_of(comfy, "pro")
    assert reel.total_frames == 41
    assert reel.tail(reel.clips[0])[1].shape == (16, 2, 8, 8)
    assert len({frame.tobytes() for frame in reel.frames()}) == 41
    assert torch.equal(comfy.load("pro_tail")["value"], reel.tail(reel.clips[-1])[0])


def test_pro_equals_the_chain_wired_by_hand(comfy: Comfy) -> None:
    build = Builder()
    pair = build.pair()
    vae, image, t5 = build.vae(), build.images(1, seed=5), build.link("SVITestT5", model_name="t5")
    anchor = build.encode(vae, image)
    samples: Link | None = None
    for index, prompt in enumerate(PROMPTS[:3]):
        text = build.full("WanVideoTextEncode", t5=t5, positive_prompt=prompt, negative_prompt="bad")
        embeds = build.full("WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=FRAMES,
                            **({"prev_samples": samples} if samples else {}))  # fmt: skip
        samples = build.sample_pair(pair, embeds, text, seed=3 + 42 * index)
        build.dump(build.decode(vae, samples), f"hand_{index}")
    node = long_video(
        build, story(PROMPTS[:3]), mode="svi2_pro", reel="pro_parity", vae=vae, split_step=1, start_image=image, t5=t5,
        sampler_inputs=settings(build, pair[0]), low_noise_model=pair[1],
    )  # fmt: skip
    comfy.run(build.graph)
    assert node
    reel = reel_of(comfy, "pro_parity")
    parts = [comfy.load(f"hand_{index}")["value"][5 if index else 0 :] for index in range(3)]
    assert (pixels(reel) == (torch.cat(parts) * 255).clamp(0, 255).byte().numpy()).all()
    assert torch.equal(reel.tail(reel.clips[2])[0], comfy.load("hand_2")["value"][-5:])


def video_by_hand(build: Builder, pair: tuple[Link, Link], vae: Link, video: Link, anchor: Link, t5: Link) -> None:
    """Two clips behind a video: WanVideo Encode on all of it, the host's own Pro node for clip 1."""
    anchor, samples = build.encode(vae, anchor), build.encode(vae, video)
    build.dump(samples, "given")
    for index, prompt in enumerate(PROMPTS[:2]):
        text = build.full("WanVideoTextEncode", t5=t5, positive_prompt=prompt, negative_prompt="bad")
        embeds = build.link("WanVideoSVIProEmbeds", anchor_samples=anchor, num_frames=FRAMES, prev_samples=samples,
                            motion_latent_count=1)  # fmt: skip
        samples = build.sample_pair(pair, embeds, text, seed=3 + 42 * index)
        build.dump(build.decode(vae, samples), f"hand_{index}")


@pytest.mark.parametrize(("total", "first"), [(33, 0), (36, 3)])
def test_pro_goes_on_from_a_video_as_the_chain_wired_by_hand_does(comfy: Comfy, total: int, first: int) -> None:
    """total: frames of the video, one that the same models made. first: the first of those that whole latents have."""
    name = f"own_video_{total}"
    build = Builder()
    pair, vae, t5 = build.pair(), build.vae(), build.link("SVITestT5", model_name="t5")
    plain = build.full("WanVideoSVILatentEmbeds", anchor_samples=build.encode(vae, build.images(seed=8)), num_frames=37)
    made = build.decode(vae, build.sample_pair(pair, plain, build.text(), seed=7))
    video = build.tail(made, frames=37, count=total)
    whole = build.link("ImageFromBatch", image=video, batch_index=first, length=total - first)
    video_by_hand(build, pair, vae, whole, build.link("ImageFromBatch", image=video, batch_index=0, length=1), t5)
    build.dump(video, "video")
    node = long_video(
        build, story(PROMPTS[:2]), mode="svi2_pro", reel=name, vae=vae, split_step=1, start_image=video, t5=t5,
        sampler_inputs=settings(build, pair[0]), low_noise_model=pair[1],
    )  # fmt: skip
    text = comfy.run(build.graph)[node]["text"][0]
    assert "no ref_image is connected: the anchor is the first frame of start_image" in text
    assert ("the first 3 frames of start_image are left out" in text) == bool(first)
    assert "the video begins with the last 4 frames of start_image, shown again" in text
    hand = [(comfy.load(f"hand_{index}")["value"] * 255).clamp(0, 255).byte().numpy() for index in range(2)]
    reel = reel_of(comfy, name)
    assert (pixels(reel) == np.concatenate([hand[0][1:], hand[1][5:]])).all(), "all but the anchor"

    build.graph[node]["inputs"]["skip_repeated"] = True
    assert "2 kept, 0 made" in comfy.run(build.graph)[node]["text"][0]
    reel = reel_of(comfy, name)
    behind = np.concatenate([hand[0][5:], hand[1][5:]])
    assert (pixels(reel) == behind).all()
    assert len(behind) == 2 * (FRAMES - 5)
    images = comfy.load("video")["value"]
    ours, by_hand = (seam_behind(images, frames) for frames in (pixels(reel), behind))
    assert ours == by_hand
    print(f"{total} frames: seam {ours:.3f}; with the repeated frames {seam_behind(images, hand[0][1:]):.3f}, "
          f"with the anchor {seam_behind(images, hand[0]):.3f}")  # fmt: skip


def test_the_vae_needs_113_frames_for_the_last_latent_of_a_video(comfy: Comfy) -> None:
    """As many as Long Video encodes of a longer one: the same bits, and other bits with fewer."""
    build = Builder()
    vae, video = build.vae(), build.images(129, width=16, height=16, seed=8)
    counts = {129: 1, 113: 1, 117: 2, 109: 1}
    for count in counts:
        build.dump(build.encode(vae, build.tail(video, frames=129, count=count)), f"last_{count}")
    comfy.run(build.graph)
    found = {count: comfy.load(f"last_{count}")["samples"][0, :, -motion:] for count, motion in counts.items()}
    whole = comfy.load("last_129")["samples"][0]
    assert whole.shape[1] == 33
    assert torch.equal(found[113], whole[:, -1:])
    assert torch.equal(found[117], whole[:, -2:])
    assert not torch.equal(found[109], whole[:, -1:])


def seam_behind(video: torch.Tensor, frames: np.ndarray) -> float:
    """How visible the seam between a video (F H W 3 in 0..1) and frames (uint8) is: 1 is a seam that nobody sees."""
    meter = DriftMeter(None)
    meter.add_clip(video)
    meter.add_clip(torch.from_numpy(frames).float() / 255)
    return meter.result().seam


def test_a_cancel_leaves_a_reel_that_goes_on(comfy: Comfy) -> None:
    graph, node = chain(story(), "cancelled")
    prompt = comfy.queue(graph)
    folder = comfy.base / "output" / "svi_reels" / "cancelled"
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            if len(open_reel(folder).clips) >= 2:
                break
        except SVIError:
            pass
        time.sleep(0.2)
    comfy.post("/interrupt")
    with pytest.raises(HostError, match="interrupted"):
        comfy.wait(prompt)
    left = len(open_reel(folder).clips)
    assert 2 <= left < 5
    assert open_reel(folder).problems() == []
    assert f"{left} kept, {5 - left} made" in comfy.run(graph)[node]["text"][0]


def test_two_runs_on_one_reel_and_bad_stories_are_told(comfy: Comfy) -> None:
    graph, node = chain("a", "locked")
    with (
        ReelWriter(comfy.base / "output" / "svi_reels" / "locked", fps=16),
        pytest.raises(HostError, match="reel locked is being written by another run"),
    ):
        comfy.run(graph)
    for change, message in (
        ({"story": "[frames=50]\nx"}, "line 1, column 2 of the story: num_frames must be 4k+1"),
        ({"reel": "../out"}, "reel must be a name"),
        ({"story": "[overlap=17]\nx\n---\ny"}, "17 motion frames"),
    ):
        graph, node = chain("a", "x")
        graph[node]["inputs"] |= change
        with pytest.raises(HostError) as refused:
            comfy.run(graph)
        assert message in f"{refused.value} {refused.value.details}"
    assert not (comfy.base / "output" / "svi_reels" / "x" / "manifest.json").exists()


def test_a_reel_is_opened_read_and_joined(comfy: Comfy) -> None:
    graph, _ = chain(story(PROMPTS[:2]), "read")
    comfy.run(graph)
    reel = reel_of(comfy, "read")
    build = Builder()
    opened = build.add("WanVideoSVIReelOpen", name="read", clips=0)
    build.dump([opened, 1], "last")
    some = build.link("WanVideoSVIReelFrames", reel=[opened, 0], start_frame=-5, count=5)
    build.dump(some, "some")
    video = build.add("WanVideoSVIReelVideo", reel=[opened, 0], format="h265", quality=90, fps=24.0)
    build.add("SaveVideo", video=[video, 0], filename_prefix="joined", format="auto", codec="auto")
    outputs = comfy.run(build.graph)
    assert torch.equal(comfy.load("last")["value"], reel.tail(reel.clips[1])[0])
    assert (comfy.load("some")["value"].mul(255).round().byte().numpy() == pixels(reel)[-5:]).all()
    assert f"{reel.total_frames} frames, 1.2 s at 24 fps, h265" in outputs[video]["text"][0]
    assert list((comfy.base / "output").glob("joined_*.mp4"))


@long_only
def test_twenty_kills_change_nothing(comfy: Comfy) -> None:
    rng = random.Random(20)
    text = "[repeat=8]\na lake"
    graph, _ = chain(text, "whole")
    comfy.run(graph)
    wanted = reel_of(comfy, "whole")
    graph, _ = chain(text, "killed")
    folder = comfy.base / "output" / "svi_reels" / "killed"
    seen = []
    for kill in range(20):
        if folder.exists() and len(open_reel(folder).clips) == 8:  # it was faster than the kills: begin anew
            folder = folder.with_name(f"killed_{kill}")
            graph, _ = chain(text, folder.name)
        prompt = comfy.queue(graph)
        time.sleep(rng.uniform(0, 12))
        finished = comfy.get(f"/history/{prompt}")
        comfy.kill()
        count = 0
        if (folder / "manifest.json").exists():
            left = open_reel(folder)
            count = len(left.clips)
            assert [c.digest for c in left.clips] == [c.digest for c in wanted.clips[:count]]
            assert [p for p in left.problems() if "belongs to no clip" not in p] == []
            for mine, theirs in zip(left.clips, wanted.clips, strict=False):
                assert torch.equal(left.tail(mine)[0], wanted.tail(theirs)[0])
        seen.append((count, bool(finished)))
        comfy.start()
    comfy.run(graph)
    final = open_reel(folder)
    assert [c.digest for c in final.clips] == [c.digest for c in wanted.clips]
    assert (pixels(final) == pixels(wanted)).all()
    assert torch.equal(final.tail(final.clips[-1])[0], wanted.tail(wanted.clips[-1])[0])
    assert main(["reel", "check", str(folder)]) == 0
    print("clips in the reel at each kill:", seen)


@long_only
def test_memory_does_not_grow_with_the_chain(comfy: Comfy) -> None:
    """A clip is 17 frames of 512x512: 53 MB."""
    comfy.stop()
    comfy.start()
    graph, _ = chain("[repeat=25]\na lake", "memory", width=512, height=512, steps=1)
    prompt = comfy.queue(graph)
    folder = comfy.base / "output" / "svi_reels" / "memory"
    found: dict[int, float] = {}
    while len(found) < 25:
        time.sleep(0.5)
        comfy.get("/system_stats")
        try:
            count = len(open_reel(folder).clips)
        except SVIError:
            continue
        if count and count not in found:
            found[count] = comfy.resident_mb()
            if count < 25:
                time.sleep(1)
    before = comfy.resident_mb()
    peak = before
    while not comfy.get(f"/history/{prompt}"):
        peak = max(peak, comfy.resident_mb())
        time.sleep(0.2)
    comfy.wait(prompt)
    print("MB after clip:", found, "joining", before, peak)
    assert found[25] <= 1.05 * found[5]
    assert peak - before < 300


@long_only
def test_three_hundred_clips_run_to_the_end(comfy: Comfy) -> None:
    graph, _ = chain("[repeat=300]\na lake", "long", num_frames=5, mode="tom", steps=1)
    prompt = comfy.queue(graph)
    started = time.monotonic()
    comfy.wait(prompt, 3600)
    reel = reel_of(comfy, "long")
    print(f"300 clips in {time.monotonic() - started:.0f} s")
    assert len(reel.clips) == 300
    assert reel.total_frames == 5 + 299 * 4
    assert reel.problems() == []
