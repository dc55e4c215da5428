"""WanVideoSVIReelAdd in a real host: the frames of a chain joined by Stitch, runs that write nothing, memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from host.comfyui import Comfy, HostError
from host.graphs import Builder
from host.long_chains import FRAMES, PROMPTS, Scene, hand_wired, long_only, pixels, reel_of, wired_into_reel
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.wrapper_ext.cli.main import main

OVERLAP = 5


def prompts(count: int) -> tuple[str, ...]:
    return tuple(f"{PROMPTS[index % len(PROMPTS)]} {index}" for index in range(count))


def into_reel(name: str, texts: tuple[str, ...], **options: Any) -> tuple[dict[str, Any], list[str]]:
    """A graph whose clips go into a reel, and the nodes that put them there."""
    build = Builder()
    return build.graph, wired_into_reel(build, Scene(build), name, texts, **options)


def sampled(comfy: Comfy) -> int:
    return comfy.log.read_text(errors="replace").count("Sampling end")


@pytest.fixture
def forgetful(comfy: Comfy) -> Iterator[Comfy]:
    """ComfyUI that keeps no result that nothing needs any more; as usual behind it."""
    comfy.stop()
    comfy.start("--cache-none", log="forgetful.log")
    yield comfy
    comfy.stop()
    comfy.start(log="after_forgetful.log")


@pytest.mark.parametrize("count", [5, pytest.param(25, marks=long_only)])
def test_the_reel_shows_the_frames_of_stitch(comfy: Comfy, count: int) -> None:
    build = Builder()
    scene = Scene(build)
    joined, tail = hand_wired(build, scene, "film", OVERLAP, scene.first, prompts(count))
    build.dump(joined, "stitched")
    build.dump(tail, "stitched_tail")
    comfy.run(build.graph)

    build = Builder()
    kept = wired_into_reel(build, Scene(build), f"wired_{count}", prompts(count))
    build.dump([kept[-1], 1], "reel_tail")
    read = build.link("WanVideoSVIReelFrames", reel=[kept[-1], 0], start_frame=0, count=0)
    build.dump(read, "read")
    video = build.add("WanVideoSVIReelVideo", reel=[kept[-1], 0], format="h264", quality=90, fps=0.0)
    drift = build.add("WanVideoSVIDrift", reel=[kept[-1], 0], clip_frames=0)
    outputs = comfy.run(build.graph)

    frames = comfy.load("stitched")["value"]
    total = count * FRAMES - (count - 1) * OVERLAP
    assert len(frames) == total
    wanted = (frames * 255).clamp(0, 255).byte()
    reel = reel_of(comfy, f"wired_{count}")
    assert (pixels(reel) == wanted.numpy()).all()
    assert torch.equal((comfy.load("read")["value"] * 255).round().byte(), wanted)
    assert torch.equal(comfy.load("reel_tail")["value"], comfy.load("stitched_tail")["value"])
    assert len({frame.numpy().tobytes() for frame in wanted}) == total
    for index, node in enumerate(kept, 1):
        assert outputs[node]["text"][0].startswith(f"clip {index} of reel wired_{count}: {FRAMES} frames")
    assert f"{total} frames" in outputs[video]["text"][0]
    assert drift in outputs
    assert [clip.prompt for clip in reel.clips] == list(prompts(count))
    assert [clip.number for clip in reel.clips] == list(range(count))
    assert main(["reel", "check", str(reel.folder)]) == 0


def test_a_changed_clip_is_a_take_and_what_is_gone_is_made_again(comfy: Comfy) -> None:
    texts = prompts(4)
    graph, kept = into_reel("wired_edit", texts)
    comfy.run(graph)
    before = reel_of(comfy, "wired_edit")
    frames = pixels(before)
    again = comfy.queue(graph)
    comfy.wait(again)
    assert set(kept) <= comfy.cached(again), "a chain that is whole is not run again"

    count = sampled(comfy)
    edited, kept = into_reel("wired_edit", (texts[0], "a heron lands", *texts[2:]))
    said = comfy.run(edited)[kept[1]]["text"][0]
    assert "3 clips that the reel had here are not in its chain any more" in said
    assert sampled(comfy) == count + 3
    after = reel_of(comfy, "wired_edit")
    assert after.clips[0] == before.clips[0]
    assert after.spare == before.clips[1:]

    comfy.run(graph)
    back = reel_of(comfy, "wired_edit")
    assert [clip.video for clip in back.clips] == [clip.video for clip in before.clips], "nothing was written again"
    (back.folder / back.clips[2].video.name).unlink()
    comfy.run(graph)
    assert (pixels(reel_of(comfy, "wired_edit")) == frames).all()
    last = comfy.queue(graph)
    comfy.wait(last)
    assert set(kept) <= comfy.cached(last)


def test_a_run_that_forgets_all_finds_its_clips(forgetful: Comfy) -> None:
    graph, kept = into_reel("wired_forgotten", prompts(3))
    forgetful.run(graph)
    before = reel_of(forgetful, "wired_forgotten").clips
    outputs = forgetful.run(graph)
    assert all("it was there already" in outputs[node]["text"][0] for node in kept)
    assert sampled(forgetful) == 6
    assert reel_of(forgetful, "wired_forgotten").clips == before


def test_one_graph_queued_again_and_again_makes_a_chain(comfy: Comfy) -> None:
    build = Builder()
    wired_into_reel(build, Scene(build), "grows", prompts(1))
    comfy.run(build.graph)
    build = Builder()
    scene = Scene(build)
    opened = build.add("WanVideoSVIReelOpen", name="grows", clips=0)
    text = build.full("WanVideoTextEncode", t5=scene.t5, positive_prompt="a lake", negative_prompt="bad")
    embeds = build.full("WanVideoSVIEmbeds", vae=scene.vae, mode="film", width=64, height=64, num_frames=FRAMES,
                        start_image=[opened, 1])  # fmt: skip
    clip = build.decode(scene.vae, build.sample(scene.first, embeds, text, seed=9))
    node = build.add("WanVideoSVIReelAdd", images=clip, reel="", overlap_frames=-1, motion_frames=5,
                     reel_before=[opened, 0])  # fmt: skip
    for index in (2, 3, 4):
        assert comfy.run(build.graph)[node]["text"][0].startswith(f"clip {index} of reel grows")
    reel = reel_of(comfy, "grows")
    assert reel.total_frames == 4 * FRAMES - 3 * OVERLAP
    assert len({frame.tobytes() for frame in reel.frames()}) == reel.total_frames


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reel": ""}, "reel is empty: type a name"),
        ({"reel": "../out"}, "reel must be a name"),
        ({"overlap_frames": 5}, "the first clip of a reel shares no frames"),
    ],
)
def test_what_is_wrong_with_the_first_node_is_said_before_anything_runs(
    comfy: Comfy, change: dict[str, Any], message: str
) -> None:
    graph, kept = into_reel("refused", prompts(2))
    graph[kept[0]]["inputs"] |= change
    count = sampled(comfy)
    with pytest.raises(HostError) as refused:
        comfy.run(graph)
    assert message in f"{refused.value} {refused.value.details}"
    assert sampled(comfy) == count
    assert not (comfy.base / "output" / "svi_reels" / "refused").exists()


@long_only
def test_memory_does_not_grow_with_a_chain_wired_by_hand(forgetful: Comfy) -> None:
    """25 clips of 17 frames of 320x320, 21 MB each."""
    graph, _ = into_reel("wired_memory", prompts(25), size=320, steps=1)
    prompt = forgetful.queue(graph)
    found: dict[int, float] = {}
    while 25 not in found:
        time.sleep(0.5)
        if forgetful.get(f"/history/{prompt}"):
            forgetful.wait(prompt)  # tells what went wrong
        try:
            count = len(open_reel(forgetful.base / "output" / "svi_reels" / "wired_memory").clips)
        except SVIError:
            continue
        if count and count not in found:
            found[count] = forgetful.resident_mb()
    forgetful.wait(prompt)
    print("MB after clip:", {count: round(mb) for count, mb in found.items()})
    assert found[25] <= 1.05 * found[5]
