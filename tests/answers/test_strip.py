"""The strip on a node and the run of that node say the same: plans, masks, notes and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from helpers import TraceVAE, frames, rows
from hypothesis import given, settings
from hypothesis import strategies as st
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.masks.known import pack_known, per_frame
from wanvideo_svi.svi_embeds.recipes import RECIPES
from wanvideo_svi.wrapper_ext.answers.plan import MAX_CHARACTERS, MAX_PLANS, answer, plan_of

MASK_NODE = "WanVideoSVITemporalMask"
SOURCES = ("", "LoadImage", "WanVideoDecode", "ImageScale")
# Small clips, and some that no node takes. Everything else comes from the node's own inputs.
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "num_frames": st.sampled_from([1, 5, 9, 13, 17, 18, 33]),
    "length": st.sampled_from([1, 5, 9, 17, 18]),
    "width": st.sampled_from([32, 32, 32, 48, 40]),
    "height": st.sampled_from([32, 32, 32, 16, 24]),
    "keyframes": st.sampled_from(["", "", "", "8", "6-7", "-1", "3", "8, 6", "40", "x"]),
    "concat_mask_index": st.sampled_from([0, 0, 16, 3]),
    "global_caption": st.sampled_from(["a fox", "", "a | b"]),
    "shots": st.sampled_from(["one", "one\ntwo\nthree", "", "one\n---\n---\ntwo"]),
    "cuts": st.sampled_from(["auto", "5, 9", "6", "x"]),
}


def settings_of(node: str) -> st.SearchStrategy[dict[str, Any]]:
    """Values for the widgets of a node: a small clip, and a few that differ from the defaults."""
    groups = NODE_CLASS_MAPPINGS[node].INPUT_TYPES()
    inputs = {name: spec for group in groups.values() for name, spec in group.items() if "default" in spec[1]}
    small = {"num_frames": 17, "length": 17, "width": 32, "height": 32, "global_caption": "a fox", "shots": "one\ntwo"}
    usual = {name: small.get(name, options["default"]) for name, (_, options) in inputs.items()}

    def some(name: str) -> st.SearchStrategy[Any]:
        kind, options = inputs[name]
        if name in SETTINGS:
            return SETTINGS[name]
        if isinstance(kind, list):
            return st.sampled_from(kind)
        if kind == "INT":
            return st.integers(options["min"], min(options["max"], options["min"] + 9))
        return st.sampled_from([0.0, 0.5, 1.0]) if kind == "FLOAT" else st.booleans()

    names = st.lists(st.sampled_from(sorted(inputs)), max_size=4, unique=True)
    changed = names.flatmap(lambda chosen: st.fixed_dictionaries({name: some(name) for name in chosen}))
    return changed.map(lambda values: {**usual, **values})


def connected_to(*usual: str, rarely: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, str]]:
    """Connections, by input the type of the node that it comes from."""
    every = st.fixed_dictionaries({name: st.sampled_from(SOURCES) for name in usual})
    few = st.dictionaries(st.sampled_from((*usual, *rarely)), st.sampled_from(SOURCES), max_size=3)
    return st.one_of(every, few, st.builds(lambda a, b: {**a, **b}, every, few))


def counts(strip: dict[str, Any]) -> dict[str, int]:
    return {each["name"]: each["count"] for each in strip["assumed"]}


def latent(count: int, *, channels: int = 16, height: int = 4, width: int = 4) -> dict[str, Any]:
    return {"samples": torch.rand(1, channels, count, height, width)}


def check(strip: dict[str, Any], node: str, inputs: dict[str, Any], *, mask: int | None, info: int = -1) -> None:
    """The strip against the node's run. mask: which output is known_mask. info: which is info."""
    cls = NODE_CLASS_MAPPINGS[node]
    said = None
    try:
        result = getattr(cls(), cls.FUNCTION)(**inputs)["result"]
    except SVIError as error:
        said = str(error)
    assert strip.get("error") == said
    if said is not None:
        return
    lines = result[info].splitlines()
    for note in strip["notes"]:
        assert f"- {note}" in lines
    assert sum(each * count for each, count in strip["latents"]) == strip["frames"]
    assert [piece["start"] for piece in strip["pieces"]] == [0, *(piece["stop"] for piece in strip["pieces"][:-1])]
    assert strip["pieces"][-1]["stop"] == strip["frames"]
    if mask is None:
        return
    known = result[mask]
    assert len(known) == strip["frames"]
    if strip["known"] is None:
        assert strip["mask_from"] in inputs
        return
    values = [value for value, count in strip["known"] for _ in range(count)]
    assert values == pytest.approx(per_frame(known), abs=1e-3)
    columns = torch.tensor([column for column, count in strip["columns"] for _ in range(count)]).T
    apart = strip["latents"][-1] == (1, 1) and len(strip["latents"]) > 1
    assert torch.allclose(columns, pack_known(known[:, 0, 0], end_apart=apart), atol=1e-3)
    if not strip["in_region"]:
        assert any("mask (wrapper): " + strip["known_mask"] in line for line in lines)
        assert "concat_mask (native): " + strip["concat_mask"] in lines


@settings(max_examples=120)
@given(
    values=settings_of("WanVideoSVIEmbeds"),
    connected=connected_to(
        "start_image", "ref_image", rarely=("end_image", "keyframe_images", "region", "temporal_mask")
    ),
)
def test_the_strip_of_embeds_is_their_run(values: dict[str, Any], connected: dict[str, str]) -> None:
    check_embeds(values, connected)


# What chance rarely draws: an end behind the clip, known values between 0 and 1, masks from elsewhere.
APART = {"mode": "i2v", "fun_or_fl2v_model": False}
RARE: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    (APART, ("start_image", "end_image")),
    ({**APART, "end_padding": "end", "end_padding_frames": 5}, ("start_image", "end_image")),
    ({**APART, "known_frames": "inverted"}, ("start_image", "end_image")),
    ({"mode": "fun_inp", "feather": 3}, ("start_image",)),
    ({"mode": "fun_inp", "keyframes": "9-11", "feather": 1}, ("start_image", "keyframe_images", "region")),
    ({"mode": "shot", "ref_strength": 0.5, "end_strength": 0.5}, ("start_image", "ref_image", "end_image")),
    ({"mode": "film"}, ("start_image", "temporal_mask")),
    ({"mode": "film", "known_frames": "overlap"}, ("start_image", "temporal_mask")),
    ({"mode": "shot"}, ("start_image", "ref_image", "temporal_mask")),
    ({"mode": "shot"}, ("start_image", "ref_image", "control_embeds")),
    ({"mode": "talk", "overlap_frames": 5}, ("start_image", "ref_image", "end_image")),
]


@pytest.mark.parametrize(("values", "names"), RARE)
def test_the_strip_of_rare_settings_is_their_run(values: dict[str, Any], names: tuple[str, ...]) -> None:
    clip = {"mode": "film", "width": 32, "height": 32, "num_frames": 17, "force_offload": True}
    check_embeds({**clip, **values}, dict.fromkeys(names, ""))


def test_the_strip_of_a_mask_with_an_end_behind_the_clip_is_its_run() -> None:
    values = {"num_frames": 17, "width": 32, "height": 32, "overlap_frames": 1, "fun_or_fl2v_model": False}
    strip = plan_of({"node": MASK_NODE, "values": values, "connected": {"motion_frames": "", "end_image": ""}})
    assert strip["latents"] == [(1, 1), (4, 4), (1, 1)]
    given = {name: frames(1, height=16, width=16) for name in ("motion_frames", "end_image")}
    check(strip, MASK_NODE, {**values, **given}, mask=1)


def check_embeds(values: dict[str, Any], connected: dict[str, str]) -> None:
    strip = plan_of({"node": "WanVideoSVIEmbeds", "values": values, "connected": connected})
    images = {name: frames(count, height=16, width=16) for name, count in counts(strip).items()}
    others = {
        "region": torch.ones(1, 4, 4), "temporal_mask": torch.ones(3, 4, 4), "control_embeds": {"control_embeds": {}},
    }  # fmt: skip
    assert set(images) == set(connected) - set(others) or "error" in strip
    given = {**images, **{name: other for name, other in others.items() if name in connected}}
    check(strip, "WanVideoSVIEmbeds", {"vae": TraceVAE(), **values, **given}, mask=1)


@settings(max_examples=80)
@given(
    values=settings_of(MASK_NODE),
    connected=connected_to("motion_frames", rarely=("end_image", "keyframe_images", "region")),
)
def test_the_strip_of_a_temporal_mask_is_its_run(values: dict[str, Any], connected: dict[str, str]) -> None:
    strip = plan_of({"node": MASK_NODE, "values": values, "connected": connected})
    given = {name: frames(count, height=16, width=16) for name, count in counts(strip).items()}
    if "region" in connected:
        given["region"] = torch.ones(1, 4, 4)
    check(strip, MASK_NODE, {**values, **given}, mask=1)


@settings(max_examples=80)
@given(
    values=settings_of("WanVideoSVILatentEmbeds"), connected=connected_to("prev_samples", "end_samples"),
)  # fmt: skip
def test_the_strip_of_latent_embeds_is_their_run(values: dict[str, Any], connected: dict[str, str]) -> None:
    connected = {**connected, "anchor_samples": "WanVideoEncode"}
    strip = plan_of({"node": "WanVideoSVILatentEmbeds", "values": values, "connected": connected})
    given = {name: latent(counts(strip).get(name, 1)) for name in connected}
    check(strip, "WanVideoSVILatentEmbeds", {**values, **given}, mask=1, info=3)


@settings(max_examples=80)
@given(
    values=settings_of("WanVideoI2VCustomEmbeds"),
    connected=connected_to("start_image", "vae", rarely=("concat_latent_image", "concat_mask")),
)
def test_the_strip_of_custom_embeds_is_their_run(values: dict[str, Any], connected: dict[str, str]) -> None:
    strip = plan_of({"node": "WanVideoI2VCustomEmbeds", "values": values, "connected": connected})
    given: dict[str, Any] = {}
    if "start_image" in connected:
        given["start_image"] = frames(counts(strip).get("start_image", 1), height=16, width=16)
    if "concat_latent_image" in connected:
        side = {"height": values["height"] // 8, "width": values["width"] // 8}
        channels = counts(strip).get("concat_latent_image", 16)
        given["concat_latent_image"] = latent((values["length"] - 1) // 4 + 1, channels=channels, **side)
        values = {**values, "latent_space": "wrapper"}  # which of two it is shows in the values of the latents only
    if "concat_mask" in connected:
        given["concat_mask"] = torch.zeros(1, 4, 4)
    if "vae" in connected:
        given["vae"] = TraceVAE()
    check(strip, "WanVideoI2VCustomEmbeds", {**values, **given}, mask=3)


@settings(max_examples=80)
@given(values=settings_of("WanVideoHoloCinePrompt"))
def test_the_strip_of_a_scene_is_its_run(values: dict[str, Any]) -> None:
    strip = plan_of({"node": "WanVideoHoloCinePrompt", "values": values})
    check(strip, "WanVideoHoloCinePrompt", values, mask=None)
    if "error" in strip:
        return
    cuts = NODE_CLASS_MAPPINGS["WanVideoHoloCinePrompt"]().write(**values)["result"][1]
    assert [str(piece["start"]) for piece in strip["pieces"][1:]] == [cut for cut in cuts.split(", ") if cut]


@pytest.mark.parametrize("mode", RECIPES)
def test_each_mode_is_shown_as_its_recipe(mode: str) -> None:
    row = RECIPES[mode]
    connected = {"start_image": "WanVideoDecode", "ref_image": "LoadImage"}
    strip = plan_of({"node": "WanVideoSVIEmbeds", "values": {"mode": mode}, "connected": connected})
    motion, padding = strip["pieces"]
    assert (motion["kind"], motion["start"], motion["stop"]) == ("motion", 0, row.motion_frames)
    assert (padding["name"], padding["span"]) == (row.padding, f"{row.motion_frames}-80")
    kept = row.motion_frames if row.known == "overlap" else 1
    assert strip["known"] == [(1, kept), (0, 81 - kept)]
    assert (strip["known_mask"], strip["concat_mask"]) == (
        f"{kept} white + {81 - kept} black", f"{kept} black + {81 - kept} white",
    )  # fmt: skip


def test_columns_are_those_of_the_packed_mask() -> None:
    connected = {"start_image": "", "end_image": ""}
    strip = plan_of({"node": "WanVideoSVIEmbeds", "values": {"num_frames": 17}, "connected": connected})
    assert strip["columns"] == [([1, 1, 1, 1], 2), ([0, 0, 0, 0], 2), ([0, 0, 0, 1], 1)]
    images = {"start_image": frames(5), "end_image": frames(1)}
    made = NODE_CLASS_MAPPINGS["WanVideoSVIEmbeds"]().encode(
        vae=TraceVAE(), mode="film", width=32, height=32, num_frames=17, force_offload=True, **images
    )
    packed = rows(made["result"][0]["mask"])
    assert packed == ["".join(map(str, map(int, column))) for column, count in strip["columns"] for _ in range(count)]


def test_what_the_source_tells_is_not_assumed() -> None:
    def of(source: str) -> dict[str, Any]:
        return plan_of({"node": "WanVideoSVIEmbeds", "values": {"mode": "film"}, "connected": {"start_image": source}})

    assert of("LoadImage")["error"].startswith("film needs 5 motion frames, start_image has 1: for the first clip")
    assert [each["said"] for each in of("ImageScale")["assumed"]] == ["start_image: at least 5 frames assumed"]
    assert [each["said"] for each in of("WanVideoDecode")["assumed"]] == [
        "start_image: a whole clip (WanVideoDecode), 81 frames assumed"
    ]
    assert [each["sure"] for each in of("LoadImage")["assumed"] + of("")["assumed"]] == [True, False]


def test_a_later_clip_of_shot_without_a_reference_is_told_before_the_run() -> None:
    strip = plan_of(
        {"node": "WanVideoSVIEmbeds", "values": {"mode": "shot"}, "connected": {"start_image": "WanVideoDecode"}}
    )
    assert strip["error"].startswith("shot needs ref_image")


def test_linked_widgets_are_named_with_what_is_assumed() -> None:
    question = {
        "node": "WanVideoSVIEmbeds", "values": {"num_frames": 49}, "connected": {"start_image": ""},
        "linked": ["num_frames", "no_such"],
    }  # fmt: skip
    assert plan_of(question)["linked"] == ["num_frames: from link, 49 assumed"]


def test_a_region_and_masks_of_unknown_content_are_said_to_be_so() -> None:
    images = {"start_image": "", "region": ""}
    strip = plan_of({"node": "WanVideoSVIEmbeds", "values": {"mode": "fun_inp"}, "connected": images})
    assert strip["in_region"]
    strip = plan_of({"node": "WanVideoSVIEmbeds", "values": {}, "connected": {"start_image": "", "temporal_mask": ""}})
    assert (strip["known"], strip["mask_from"]) == (None, "temporal_mask")
    assert "what temporal_mask gives" in strip["text"]
    connected = {"concat_latent_image": "", "concat_mask": ""}
    strip = plan_of({"node": "WanVideoI2VCustomEmbeds", "values": {}, "connected": connected})
    assert (strip["known"], strip["mask_from"]) == (None, "concat_mask")


def ask(value: object) -> tuple[int, dict[str, Any]]:
    return answer(value if isinstance(value, str) else json.dumps(value))


GOOD = {"node": "WanVideoSVIEmbeds", "values": {}, "connected": {"start_image": ""}}


def test_many_nodes_are_answered_at_once_in_order() -> None:
    questions = [{**GOOD, "values": {"num_frames": 81 + 4 * i}} for i in range(MAX_PLANS)]
    status, said = ask({"plans": questions})
    assert status == 200
    assert [plan["frames"] for plan in said["plans"]] == [81 + 4 * i for i in range(MAX_PLANS)]


def test_one_bad_question_does_not_spoil_the_others() -> None:
    status, said = ask({"plans": [GOOD, {"node": "LoadImage"}, 5, GOOD]})
    assert status == 200
    assert [("error" in plan) for plan in said["plans"]] == [False, True, True, False]
    assert "there is no plan for LoadImage" in said["plans"][1]["error"]


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
names = sorted({*SETTINGS, "mode", "overlap_frames", "end_frames", "start_image", "ref_image", "end_image", "linked"})
questions = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {"node": st.sampled_from(["WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds"])},
        optional={
            "values": st.one_of(json_values, st.dictionaries(st.sampled_from(names), json_values)),
            "connected": st.one_of(json_values, st.dictionaries(st.sampled_from(names), json_values)),
            "linked": st.one_of(json_values, st.lists(json_values, max_size=3)),
        },
    ),
)


@settings(max_examples=200)
@given(plans=st.one_of(json_values, st.lists(questions, max_size=3)))
def test_whatever_is_asked_is_answered_with_json(plans: Any) -> None:
    status, said = ask({"plans": plans})
    assert status in (200, 400)
    assert json.loads(json.dumps(said, allow_nan=False)) is not None
    assert status == 400 or len(said["plans"]) == len(plans)


@pytest.mark.parametrize("body", ["", "[]", "{}", "5", '{"plans": 5}', '{"plans": [NaN]}', "{" * 5000])
def test_what_is_no_request_is_refused(body: str) -> None:
    status, said = ask(body)
    assert status == 400
    assert said["error"]


def test_requests_are_bounded() -> None:
    assert "at most 64" in ask({"plans": [GOOD] * (MAX_PLANS + 1)})[1]["error"]
    assert "characters" in ask(" " * (MAX_CHARACTERS + 1))[1]["error"]
    long = plan_of({**GOOD, "values": {"num_frames": 100_001}})
    assert long["beyond"] == "the strip shows clips of up to 10001 frames, got 100001"
    many = {"mode": "fun_inp", "num_frames": 10001, "keyframes": ",".join(map(str, range(10, 5000, 2)))}
    assert "up to 1000 keyframes" in plan_of({**GOOD, "values": many, "connected": {"keyframe_images": ""}})["beyond"]
    wide = plan_of({**GOOD, "values": {"mode": "x" * 100_000}})
    assert len(wide["error"]) < 3000
    ranges = {"mode": "fun_inp", "num_frames": 10001, "keyframes": ",".join(map(str, range(10, 2000, 2)))}
    assert len(json.dumps(plan_of({**GOOD, "values": ranges, "connected": {"keyframe_images": ""}}))) < 400_000


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("temporal_mask", "temporal_mask changes no pixel"),
        ("control_embeds", "control_embeds are for Fun Control models"),
    ],
)
def test_the_strip_warns_of_what_is_connected(name: str, said: str) -> None:
    asked = {"node": "WanVideoSVIEmbeds", "values": {"mode": "shot"}}
    images = {"start_image": "", "ref_image": ""}
    assert any(said in note for note in plan_of({**asked, "connected": {**images, name: ""}})["notes"])
    assert not any(said in note for note in plan_of({**asked, "connected": images})["notes"])
