"""What is known from the graph is refused when it is queued, once, at the story."""

from __future__ import annotations

import contextvars
from typing import Any

import pytest
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.wrapper_ext.answers.queue import look_at
from wanvideo_svi.wrapper_ext.host import comfy

LongVideo = NODE_CLASS_MAPPINGS["WanVideoSVILongVideo"]
OTHERS = {
    "1": {"class_type": "WanVideoSamplerSettings", "inputs": {"model": ["9", 0], "image_embeds": ["8", 0]}},
    "2": {"class_type": "WanVideoVAELoader", "inputs": {}},
    "3": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "4": {"class_type": "LoadWanVideoT5TextEncoder", "inputs": {}},
    "8": {"class_type": "WanVideoEmptyEmbeds", "inputs": {}},
}
WIRED = {"sampler_inputs": ["1", 0], "vae": ["2", 0], "start_image": ["3", 0], "t5": ["4", 0]}


@pytest.fixture(autouse=True)
def _wrapper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfy, "has_wrapper", lambda: True)


def queued(*nodes: dict[str, Any], others: dict[str, Any] | None = None) -> list[bool | str]:
    """What ComfyUI hears of each node, in a task of its own."""

    def queue() -> list[bool | str]:
        prompt = {**OTHERS, **(others or {})}
        prompt.update({f"1{index}": {"class_type": "WanVideoSVILongVideo", "inputs": node}
                       for index, node in enumerate(nodes)})  # fmt: skip
        request = {"prompt": prompt, "client_id": "x"}
        assert look_at(request) is request
        # ComfyUI gives a linked input as None.
        return [LongVideo.VALIDATE_INPUTS(story=story if isinstance(story := node.get("story"), str) else None)
                for node in nodes]  # fmt: skip

    return contextvars.copy_context().run(queue)


def node(**inputs: Any) -> dict[str, Any]:
    return {**WIRED, "story": "a fox\n---\nit sleeps", "mode": "film", "width": 64, "height": 64, "num_frames": 17,
            "overlap_frames": 0, "seed": 1, "fps": 16.0, "reel": "fox", "resume": True, **inputs}  # fmt: skip


def without(*names: str, **inputs: Any) -> dict[str, Any]:
    return {name: value for name, value in node(**inputs).items() if name not in names}


@pytest.mark.parametrize(("given", "text"), [
    (node(story=""), "clip 1 (line 1 of the story) has no prompt: write one"),
    (without("start_image"), "there is nothing to begin with: connect start_image"),
    (node(reel="../fox"), "reel must be a name"),
    (node(story="[fram=5]\na"), "'fram' is not a setting; did you mean frames?"),
    (without("t5"), "connect"),
    (node(num_frames=18), "18"),
    (node(mode="svi2_pro", clip_vision=["6", 0]), "svi2_pro is for Wan 2.2"),
])  # fmt: skip
def test_what_would_fail_behind_the_loaders_is_refused_at_once(given: dict[str, Any], text: str) -> None:
    (said,) = queued(given)
    assert isinstance(said, str)
    assert text in said


@pytest.mark.parametrize("given", [
    node(), node(story=["7", 0]), node(num_frames=["7", 0], mode="shot"), node(reel=["7", 0]),
    node(start_image=["77", 0]), node(start_image=["77", 0], mode="shot", skip_repeated=True),
    node(story="[end=1]\na", end_images=["3", 0]),
])  # fmt: skip
def test_what_may_be_right_is_let_through(given: dict[str, Any]) -> None:
    assert queued(given, others={"7": {"class_type": "PrimitiveInt", "inputs": {"value": 18}}}) == [True]


def test_a_node_that_can_run_is_not_held_up_by_another_with_its_story() -> None:
    assert queued(node(), without("start_image")) == [True, True]
    assert all(isinstance(said, str) for said in queued(without("start_image"), without("start_image")))


def test_a_linked_seed_hides_nothing_and_a_name_is_always_looked_at() -> None:
    number = {"7": {"class_type": "PrimitiveInt", "inputs": {"value": 18}}}
    (said,) = queued(without("start_image", seed=["7", 0]), others=number)
    assert "connect start_image" in str(said)
    (said,) = queued(node(num_frames=["7", 0], reel="../fox"), others=number)
    assert "reel must be a name" in str(said)


def test_each_graph_and_each_story_is_judged_by_itself() -> None:
    bad, good = without("start_image", story="bad"), node(story="good")
    said = queued(bad, good)
    assert isinstance(said[0], str)
    assert said[1] is True
    assert queued(node(story="bad")) == [True], "of another graph"
    assert LongVideo.VALIDATE_INPUTS(story="bad") is True, "of no graph"
    assert "line 1" in LongVideo.VALIDATE_INPUTS(story="[frames=5")


@pytest.mark.parametrize("request_", [
    {}, {"prompt": None}, {"prompt": []}, {"prompt": {"1": None}},
    {"prompt": {"1": {"class_type": "WanVideoSVILongVideo"}}},
    {"prompt": {"1": {"class_type": "WanVideoSVILongVideo", "inputs": {"story": "a", "mode": 5, "width": "x"}}}},
    {"prompt": {"1": {"class_type": "WanVideoSVILongVideo", "inputs": {"story": "a", "vae": ["1", 0], "t5": [[], 0]}}}},
    {"prompt": {"1": {"class_type": "WanVideoSVILongVideo", "inputs": {"story": "a", "seed": float("nan")}}}},
])  # fmt: skip
def test_a_request_of_any_kind_goes_on(request_: dict[str, Any]) -> None:
    assert look_at(request_) is request_


def test_a_long_story_is_left_to_the_node() -> None:
    assert queued(node(story="[repeat=9999]\na")) == [True]
