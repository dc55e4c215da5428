"""A run that changes no prompt loads no text encoder, one that changes one encodes that one: in a host started anew."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from host.comfyui import Comfy
from host.long_chains import PROMPTS, chain, pixels, reel_of, story

THREE = PROMPTS[:3]


@pytest.fixture
def restarted(comfy: Comfy) -> Iterator[list[int]]:
    """Counts starts; the host is as usual behind it."""
    count = [0]
    yield count
    comfy.stop()
    comfy.start(log="after_texts.log")


def run(comfy: Comfy, count: list[int], prompts: tuple[str, ...], reel: str, **inputs: object) -> tuple[str, int, int]:
    """A chain in a host that was started anew: what it said, how often the encoder was loaded, and asked."""
    comfy.stop()
    count[0] += 1
    comfy.start(log=f"texts_{count[0]}.log")
    graph, node = chain(story(prompts), reel, **inputs)
    said = comfy.run(graph)[node]["text"][0]
    log = comfy.log.read_text(errors="replace")
    return said, log.count("SVITestT5 loaded"), log.count("SVITestT5 asked")


def test_a_resume_loads_the_text_encoder_only_for_a_prompt_that_is_new(comfy: Comfy, restarted: list[int]) -> None:
    said, loaded, asked = run(comfy, restarted, THREE, "texts")
    assert "3 made" in said
    assert (loaded, asked) == (1, 3 * 2)  # each prompt with the negative one
    assert re.search(r"a clip took .*: steps .*, models and LoRAs to the GPU and back .*, VAE .*; text ", said), said

    said, loaded, asked = run(comfy, restarted, THREE, "texts")
    assert "3 kept, 0 made" in said
    assert (loaded, asked) == (0, 0)

    said, loaded, asked = run(comfy, restarted, THREE, "texts", seed=100)
    assert "3 made" in said
    assert (loaded, asked) == (0, 0)
    frames = pixels(reel_of(comfy, "texts"))

    changed = (*THREE[:2], "rain")
    said, loaded, asked = run(comfy, restarted, changed, "texts", seed=100)
    assert "2 kept, 1 made" in said
    assert (loaded, asked) == (1, 2)
    last = pixels(reel_of(comfy, "texts"))

    said, loaded, _ = run(comfy, restarted, THREE, "texts_new", seed=100)
    assert "3 made" in said
    assert loaded == 1
    assert (pixels(reel_of(comfy, "texts_new")) == frames).all()
    graph, _ = chain(story(changed), "texts_new", seed=100)
    comfy.run(graph)
    assert (pixels(reel_of(comfy, "texts_new")) == last).all()
