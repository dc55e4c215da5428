"""A LoRA for one clip of WanVideoSVILongVideo in a real host: as wired by hand, and the model stays as it was."""

from __future__ import annotations

import pytest
import torch
from host.comfyui import Comfy, HostError
from host.graphs import Builder
from host.long_chains import PROMPTS, Scene, chain, hand_wired, pixels, reel_of, story

LORA = "svi-film-opt-10212025.safetensors"


def test_clip_3_alone_has_a_lora_as_wired_by_hand(comfy: Comfy) -> None:
    prompts = PROMPTS[:4]
    graph, _ = chain(story(prompts), "plain_before")
    comfy.run(graph)
    graph, node = chain(story(prompts, "", "", f"[lora={LORA}:0.7]"), "clip_lora")
    assert "4 made" in comfy.run(graph)[node]["text"][0]
    graph, _ = chain(story(prompts), "plain_after")
    comfy.run(graph)
    assert (pixels(reel_of(comfy, "plain_before")) == pixels(reel_of(comfy, "plain_after"))).all()

    build = Builder()
    scene = Scene(build)
    lora = build.full("WanVideoLoraSelect", lora=LORA, strength=0.7, merge_loras=False)
    own = build.full("WanVideoSetLoRAs", model=scene.first, lora=lora)
    joined, _ = hand_wired(build, scene, "film", 5, scene.first, prompts, {2: own})
    build.dump(joined, "hand_lora")
    comfy.run(build.graph)
    hand = (comfy.load("hand_lora")["value"] * 255).clamp(0, 255).byte()
    ours = torch.from_numpy(pixels(reel_of(comfy, "clip_lora")))
    assert torch.equal(ours, hand)
    plain = torch.from_numpy(pixels(reel_of(comfy, "plain_before")))
    same = [bool(torch.equal(ours[at : at + 12], plain[at : at + 12])) for at in (0, 17, 29, 41)]
    assert same == [True, True, False, False]


def test_a_name_that_is_no_file_is_refused_before_anything_runs(comfy: Comfy) -> None:
    graph, _ = chain(story(PROMPTS[:2], "", "[lora=svi-film-opt]"), "no_lora")
    with pytest.raises(HostError) as refused:
        comfy.run(graph)
    assert f"did you mean {LORA}?" in str(refused.value.details)
