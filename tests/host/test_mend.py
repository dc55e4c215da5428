"""Mends, inserts, cuts and branches of WanVideoSVILongVideo in a real host: what is sampled, and what stays."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import pytest
import torch
from host.comfyui import Comfy
from host.graphs import Builder
from host.long_chains import PROMPTS, Scene, chain, long_video, pixels, reel_of, settings, story
from wanvideo_svi.svi_embeds.reel.reel import Reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter

SIX = (*PROMPTS, "night falls")
CHANGED = (*SIX[:2], "a storm", *SIX[3:])
OVERLAPS = {"film": 5, "shot": 1, "svi2_wan22": 1, "svi2_pro": 5, "fun_inp": 5}


def sampled(comfy: Comfy) -> int:
    return comfy.log.read_text(errors="replace").count("Sampling end")


def graph_of(mode: str, text: str, reel: str, **inputs: Any) -> tuple[dict[str, Any], str]:
    if mode != "svi2_pro":
        return chain(text, reel, mode=mode, mend_limit=0.0, **inputs)
    build = Builder()
    scene = Scene(build)
    node = long_video(
        build, text, mode=mode, reel=reel, vae=scene.vae, sampler_inputs=settings(build, scene.first),
        start_image=scene.start, t5=scene.t5, mend_limit=0.0, **inputs,
    )  # fmt: skip
    return build.graph, node


def shown(reel: Reel, index: int) -> np.ndarray:
    clip = reel.clips[index]
    return np.stack(list(reel.clip_frames(clip, clip.overlap)))


@pytest.mark.parametrize("mode", OVERLAPS)
def test_clip_3_of_6_is_mended_and_all_else_stays(comfy: Comfy, mode: str) -> None:
    name = f"mend_{mode}"
    graph, node = graph_of(mode, story(SIX), name)
    comfy.run(graph)
    before = reel_of(comfy, name)
    was, files = [shown(before, index) for index in range(6)], [(clip.video, clip.tail) for clip in before.clips]
    count = sampled(comfy)
    graph, node = graph_of(mode, story(CHANGED, "", "", "[mend]"), name)
    text = comfy.run(graph)[node]["text"][0]
    assert "5 kept, 1 made (clip 3)" in text
    assert sampled(comfy) == count + 1
    assert "clip 3 is mended between clips 2 and 4: its more visible seam is" in text
    after = reel_of(comfy, name)
    assert [clip.digest for clip in after.clips[3:]] == [clip.digest for clip in before.clips[3:]]
    assert [(clip.video, clip.tail) for clip in after.clips[3:]] == files[3:]
    assert after.problems() == []
    now = [shown(after, index) for index in range(6)]
    assert [bool((mine == theirs).all()) for mine, theirs in zip(now, was, strict=True)] == [
        True, True, False, True, True, True,
    ]  # fmt: skip
    # Its last shared frame is the kept one; its first ones are what the clip before ends on, which the video drops.
    assert (now[2][-1] == was[2][-1]).all()
    assert torch.equal(after.tail(after.clips[2])[0], before.tail(before.clips[2])[0])
    assert after.clips[2].overlap == before.clips[2].overlap == OVERLAPS[mode]
    again = comfy.queue(graph)
    comfy.wait(again)
    assert node in comfy.cached(again)


def test_a_clip_is_put_in_and_one_is_taken_out(comfy: Comfy) -> None:
    graph, node = graph_of("film", story(SIX), "edits")
    comfy.run(graph)
    before = reel_of(comfy, "edits")
    longer = (*SIX[:2], "a gull", *SIX[2:])
    graph, node = graph_of("film", story(longer), "edits")
    assert "6 kept, 1 made (clip 3)" in comfy.run(graph)[node]["text"][0]
    after = reel_of(comfy, "edits")
    assert [clip.digest for clip in (*after.clips[:2], *after.clips[3:])] == [clip.digest for clip in before.clips]
    graph, node = graph_of("film", story(SIX), "edits")
    assert "6 kept, 0 made" in comfy.run(graph)[node]["text"][0]
    shorter = (*SIX[:3], *SIX[4:])
    graph, node = graph_of("film", story(shorter, "", "", "", "[mend]"), "edits")
    assert "4 kept, 1 made (clip 4)" in comfy.run(graph)[node]["text"][0]
    assert reel_of(comfy, "edits").clips[4].digest == before.clips[5].digest


def test_a_cut_and_a_branch(comfy: Comfy) -> None:
    heads = ("", "", "[cut start=1]", "", "[from=2]")

    def graph(text: str, reel: str = "scenes") -> tuple[dict[str, Any], str]:
        build = Builder()
        scene = Scene(build)
        node = long_video(
            build, text, mode="film", reel=reel, vae=scene.vae, sampler_inputs=settings(build, scene.first),
            start_image=scene.start, t5=scene.t5, clip_vision=scene.vision, start_images=build.images(2, seed=9),
        )  # fmt: skip
        return build.graph, node

    made, node = graph(story(PROMPTS, *heads))
    text = comfy.run(made)[node]["text"][0]
    assert "cut, start image 1" in text
    assert "from clip 2" in text
    reel = reel_of(comfy, "scenes")
    assert [clip.follows for clip in reel.clips] == [True, True, False, True, False]
    assert [clip.overlap for clip in reel.clips] == [0, 5, 0, 5, 5]
    assert reel.clips[4].led_by == reel.clips[1].digest
    # The scene's first frames are those of a chain that begins with that image.
    build = Builder()
    scene = Scene(build)
    one = [build.add("ImageFromBatch", image=build.images(2, seed=9), batch_index=1, length=1), 0]
    alone = long_video(
        build, f"[seed=87]\n{PROMPTS[2]}\n---\n[seed=129]\n{PROMPTS[3]}", mode="film", reel="alone", vae=scene.vae,
        sampler_inputs=settings(build, scene.first), start_image=one, t5=scene.t5, clip_vision=scene.vision,
    )  # fmt: skip
    assert "2 made" in comfy.run(build.graph)[alone]["text"][0]
    other = reel_of(comfy, "alone")
    assert (shown(reel, 2) == shown(other, 0)).all()
    assert (shown(reel, 3) == shown(other, 1)).all()
    made, node = graph(story(("a pond", *PROMPTS[1:]), *heads))
    assert "2 kept, 3 made (clip 1, 2, 5)" in comfy.run(made)[node]["text"][0]


def test_a_mend_that_is_killed_at_ten_moments_makes_the_same_frames(comfy: Comfy) -> None:
    plain, node = graph_of("film", story(SIX), "killed")
    comfy.run(plain)
    mended, _ = graph_of("film", story(CHANGED, "", "", "[mend]"), "killed")
    started = time.monotonic()
    comfy.run(mended)
    seconds = time.monotonic() - started
    wanted, last = pixels(reel_of(comfy, "killed")), reel_of(comfy, "killed").clips[2]
    draw = random.Random(0)
    kept = 0
    for _ in range(10):
        with ReelWriter(reel_of(comfy, "killed").folder, fps=16) as writer:  # as it was before the mend
            takes = {take.digest: take for take in (*writer.reel.clips, *writer.reel.spare)}
            writer.set_chain([*writer.reel.clips[:2], takes[last.ends_as], *writer.reel.clips[3:]])
            writer.clean()
        comfy.queue(mended)
        time.sleep(draw.uniform(0, seconds))
        comfy.kill()
        reel = reel_of(comfy, "killed")
        assert len(reel.clips) == 6
        assert all(reel.is_whole(clip) for clip in reel.clips)
        comfy.start()
        text = comfy.run(mended)[node]["text"][0]
        kept += "6 kept" in text
        assert "6 kept, 0 made" in text or "5 kept, 1 made (clip 3)" in text
        assert (pixels(reel_of(comfy, "killed")) == wanted).all()
    assert kept < 10  # some came in time
