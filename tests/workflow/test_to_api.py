"""API graphs of saved workflows: as the frontend sent them for the small graphs, and what is refused.

What it sent was recorded by `tests/host/test_api_page.py`.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from api_graphs import (
    CHAIN,
    GRAPHS,
    INSIDE,
    Recorded,
    bare,
    image,
    inside,
    node,
    save,
    shown,
    subgraph,
    workflow,
)
from graph_files import mp4, png, webp
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.workflow.api.convert import read_graph, to_api
from wanvideo_svi.wrapper_ext.workflow.api.text import fill_in, plain_prompt
from wanvideo_svi.wrapper_ext.workflow.api.widgets import _FRONTEND
from wanvideo_svi.wrapper_ext.workflow.model.graph import is_api_graph

RECORDED = Recorded.read()
NODES = RECORDED.nodes
ALL = {**GRAPHS, **RECORDED.workflows}
EXPORT = "export the graph with *Workflow > Export (API)*"


def with_nodes(**inputs: dict[str, Any]) -> dict[str, Any]:
    """The recorded nodes and others: {type: {input: declaration}}."""
    return NODES | {kind: {"input": {"required": required}, "output": []} for kind, required in inputs.items()}


def inputs(graph: dict[str, Any], key: str, nodes: dict[str, Any] = NODES) -> Any:
    return to_api(graph, nodes)[key]["inputs"]


# As the frontend


@pytest.mark.parametrize("name", ALL)
def test_a_graph_is_sent_as_the_frontend_sent_it(name: str) -> None:
    graph = copy.deepcopy(ALL[name])
    assert bare(to_api(graph, NODES)) == RECORDED.sent[name]
    assert graph == ALL[name]


def test_all_that_is_recorded_is_of_these_graphs() -> None:
    differ = sorted(RECORDED.sent.keys() ^ ALL.keys())
    assert not differ, (
        f"of {', '.join(differ)} either the graph or what the frontend sends is missing: UPDATE_SNAPSHOTS=1 with "
        "tests/host/test_api_page.py records it, which needs a ComfyUI"
    )


def test_a_node_without_a_title_has_the_one_that_the_host_shows() -> None:
    titles = [each["_meta"]["title"] for each in to_api(CHAIN, NODES).values()]
    assert titles == ["Empty Image", "My scale", "Repeat Image Batch", "Invert Image Colors", "Save Image"]


# What no node of the recorded hosts has


def test_values_saved_by_name_bring_the_widgets_of_their_format() -> None:
    formats = {
        "video/h264-mp4": [["pix_fmt", ["yuv420p", "yuv420p10le"]], ["crf", "INT", {"default": 19}]],
        "image/gif": [],
    }
    nodes = with_nodes(VHS_VideoCombine={
        "images": ["IMAGE"], "frame_rate": ["FLOAT", {"default": 8}], "format": [list(formats), {"formats": formats}],
        "save_output": ["BOOLEAN", {"default": True}],
    })  # fmt: skip
    saved = {
        "frame_rate": 16,
        "format": "video/h264-mp4",
        "crf": 21,
        "save_output": False,
        "videopreview": {"paused": False},
    }
    graph = workflow(image(), node(2, "VHS_VideoCombine", saved, {"images": (1, 0, "IMAGE")}))
    combined = {"images": ["1", 0], "frame_rate": 16, "save_output": False}
    assert inputs(graph, "2", nodes) == combined | {"format": "video/h264-mp4", "pix_fmt": "yuv420p", "crf": 21}
    graph["nodes"][1]["widgets_values"] = saved | {"format": "image/gif"}
    assert inputs(graph, "2", nodes) == combined | {"format": "image/gif"}


def test_controls_stand_behind_the_widgets_that_ask_for_them() -> None:
    control = {"control_after_generate": True}
    nodes = with_nodes(Odd={
        "seed": ["INT", {"control_after_generate": False}], "noise_seed": ["INT"], "value": ["FLOAT", control],
        "name": ["COMBO", {"options": ["a", "b"], **control}], "count": ["INT", control], "last": ["INT"],
    })  # fmt: skip
    values = [1, 2, "fixed", 0.5, "fixed", "b", "fixed", "", 3, "fixed", 4]
    odd = {"seed": 1, "noise_seed": 2, "value": 0.5, "name": "b", "count": 3, "last": 4}
    assert inputs(workflow(node(1, "Odd", values)), "1", nodes) == odd


def test_inputs_come_in_the_order_that_the_host_gives() -> None:
    nodes = with_nodes(Odd={"a": ["INT"], "b": ["STRING"]})
    nodes["Odd"]["input"]["optional"] = {"d": ["INT"], "c": ["STRING"]}
    nodes["Odd"] |= {"input_order": {"required": ["b", "a"], "optional": ["c", "d"]}}
    assert inputs(workflow(node(1, "Odd", ["b", 1, "c", 2])), "1", nodes) == {"b": "b", "a": 1, "c": "c", "d": 2}


def test_lists_of_values_are_boxed_where_they_are_held_inside() -> None:
    graph = shown([[1, 2]], inside(size=("INT", [(11, "width")])))
    assert inputs(graph, "2:11")["width"] == {"__value__": [1, 2]}


def test_a_null_that_a_subgraphs_node_holds_is_the_inner_widgets_value() -> None:
    assert inputs(shown([None], inside(size=("INT", [(11, "width")]))), "2:11")["width"] == 320


def test_a_combo_of_links_for_a_bypassed_node_finds_the_input_of_its_type() -> None:
    nodes = with_nodes(Two={"mask": ["MASK"], "image": ["IMAGE,LATENT"]})
    nodes["Two"]["output"] = ["IMAGE,LATENT"]
    two = node(3, "Two", [], {"mask": (2, 0, "MASK"), "image": (1, 0, "IMAGE")}, mode=4)
    graph = workflow(image(), node(2, "SolidMask", [1.0, 64, 64]), two, save(4, 3))
    assert inputs(graph, "4", nodes)["images"] == ["1", 0]


def test_frontend_nodes_of_rgthree_are_left_out_and_its_reroutes_followed() -> None:
    graph = workflow(
        image(), node(2, "Reroute (rgthree)", None, {"": (1, 0, "IMAGE")}), node(3, "Label (rgthree)"), save(4, 2)
    )
    assert to_api(graph, NODES).keys() == {"1", "4"}
    assert inputs(graph, "4")["images"] == ["1", 0]


# Texts


def test_dates_and_values_fill_in_file_names() -> None:
    now = datetime(2026, 3, 4, 5, 6, 7)
    graph = workflow(image(), save(2, 1, "%date:yyyy-MM-dd_hhmmss%/%date:d-M-yy%_%EmptyImage.width%"))
    assert to_api(graph, NODES, now=now)["2"]["inputs"]["filename_prefix"] == "2026-03-04_050607/4-3-26_512"


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (2.0, "2"), (0.5, "0.5"), (None, ""), ("a/b:c", "a_b_c")],
)  # fmt: skip
def test_values_in_file_names_are_written_as_the_browser_writes_them(value: Any, text: str) -> None:
    assert fill_in("x_%a.b%", lambda *_: value, datetime(2026, 1, 1)) == f"x_{text}"


def test_a_prompt_loses_comments_and_single_braces_only() -> None:
    assert plain_prompt("a /* b\nc */ d // e\nf {g {h}} i\\{j\\|k\\} } |") == "a  d \nf g h i{j|k} } |"


def test_a_choice_in_a_text_that_a_link_replaces_is_nobodys() -> None:
    text = node(2, "CLIPTextEncode", ["{a|b}"], {"text": (1, 0, "STRING")}, widget_inputs=["text"])
    nodes = with_nodes(Text={"value": ["STRING"]})
    assert inputs(workflow(node(1, "Text", ["c"]), text), "2", nodes) == {"text": ["1", 0]}


# Refused


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "unknown": (
        workflow(node(1, "FooBar", title="Mine")), NODES, ["ComfyUI has no node FooBar", "Mine (node 1)", EXPORT],
    ),
    "unknown inside": (
        shown(None, subgraph(INSIDE, node(11, "FooBar"), inputs={}, output=(11, "IMAGE"))), NODES,
        ["no node FooBar", "FooBar (node 2:11)"],
    ),
    "unknown in an API graph": ({"7": {"class_type": "FooBar", "inputs": {}}}, NODES, ["no node FooBar", "(node 7)"]),
    "frontend's widget": (
        workflow(node(1, "Curved", [[0, 1]], title="My curve")), with_nodes(Curved={"curve": ["CURVE"]}),
        ["My curve (node 1): curve is a widget of the frontend's own (CURVE)", EXPORT],
    ),
    "frontend's widget for one value": (
        workflow(node(1, "Curved", ["by hand", [[0, 1]]])),
        with_nodes(Curved={"how": ["COMFY_DYNAMICCOMBO_V3", {"options": [
            {"key": "not"}, {"key": "by hand", "inputs": {"required": {"curve": ["CURVE"]}}},
        ]}]}),
        ["Curved (node 1): how.curve is a widget of the frontend's own (CURVE)", EXPORT],
    ),
    "widget of a pack's script": (
        workflow(node(1, "Drawn", ["..."])) | {"nodes": [
            node(1, "Drawn", ["..."], inputs=[{"name": "drawing", "type": "SKETCH", "widget": {"name": "drawing"}}]),
        ]},
        with_nodes(Drawn={"drawing": ["SKETCH"]}),
        ["Drawn (node 1): drawing is a widget of the frontend's own (SKETCH)", EXPORT],
    ),
    "frontend's node": (
        workflow(node(1, "CustomCombo", ["a", 0, "a", ""])), with_nodes(CustomCombo={"choice": ["COMBO"]}),
        ["CustomCombo (node 1): its widgets are the frontend's own", EXPORT],
    ),
    "row of widgets": (
        workflow(node(1, "Rows", [1, 2])),
        with_nodes(Rows={"rows": ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"n": ["INT"]}}}}]}),
        ["Rows (node 1): rows is a row of widgets that the frontend counts", EXPORT],
    ),
    "choice": (
        workflow(node(1, "CLIPTextEncode", ["a {red|blue} cat"])), NODES,
        ["text of CLIPTextEncode (node 1)", "draws one of {a|b} at random", EXPORT],
    ),
    "circle": (
        workflow(node(1, "Reroute", None, {"": (2, 0, "*")}), node(2, "Reroute", None, {"": (1, 0, "*")}), save(3, 2)),
        NODES, ["the links of images of SaveImage (node 3) run in a circle"],
    ),
    "subgraph in itself": (
        shown(None, subgraph(INSIDE, node(11, INSIDE, title="Me"), inputs={}, output=(11, "IMAGE"))), NODES,
        ["subgraphs are nested without end at Me (node 2:11:"],
    ),
    "no workflow": ({"a": 1}, NODES, ["this is not a ComfyUI workflow"]),
    "a list": ([1], NODES, ["a workflow is a JSON object, got list"]),  # type: ignore[dict-item]
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_told_is_refused_by_name(name: str) -> None:
    graph, nodes, words = BAD[name]
    with pytest.raises(SVIError) as caught:
        to_api(graph, nodes)
    assert [word for word in words if word not in str(caught.value)] == []


def test_what_is_not_sent_may_be_unknown() -> None:
    unknown = node(2, "FooBar", [1], {"image": (1, 0, "IMAGE")})
    muted, bypassed = ({**unknown, "mode": mode} for mode in (2, 4))
    assert to_api(workflow(image(), muted, save(3, 2)), NODES)["3"]["inputs"] == {"filename_prefix": "svi"}
    assert inputs(workflow(image(), bypassed, save(3, 2)), "3")["images"] == ["1", 0]


@pytest.mark.parametrize("kind", sorted(_FRONTEND))
def test_every_widget_of_the_frontends_own_is_refused(kind: str) -> None:
    graph = workflow(node(1, "Odd", ["..."]))
    with pytest.raises(SVIError, match=rf"what is a widget of the frontend's own \({kind}\)"):
        to_api(graph, with_nodes(Odd={"what": [kind]}))


def test_a_dynamic_value_without_widgets_of_the_frontends_own_is_sent() -> None:
    options = [{"key": "not"}, {"key": "by hand", "inputs": {"required": {"curve": ["CURVE"]}}}]
    nodes = with_nodes(Curved={"how": ["COMFY_DYNAMICCOMBO_V3", {"options": options}]})
    assert inputs(workflow(node(1, "Curved", ["not"])), "1", nodes) == {"how": "not"}


def test_a_bypassed_node_may_have_widgets_of_the_frontends_own() -> None:
    nodes = with_nodes(Curved={"image": ["IMAGE"], "curve": ["CURVE"]})
    nodes["Curved"]["output"] = ["IMAGE"]
    curved = node(2, "Curved", [[[0, 1]]], {"image": (1, 0, "IMAGE")}, mode=4)
    assert inputs(workflow(image(), curved, save(3, 2)), "3", nodes)["images"] == ["1", 0]


def test_subgraphs_that_double_at_each_level_are_refused_soon() -> None:
    kinds = [f"{number:08}-0000-4000-8000-000000000000" for number in range(30)]
    pairs = [subgraph(kinds[0], image(11), inputs={}, output=(11, "IMAGE"))]
    for below, kind in itertools.pairwise(kinds):
        pairs.append(subgraph(kind, node(11, below), node(12, below), inputs={}, output=(11, "IMAGE")))
    with pytest.raises(SVIError, match="nested without end"):
        to_api(workflow(node(1, kinds[-1]), definitions={"subgraphs": pairs}), NODES)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value: (what it is in, its key)."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(each, (dict, list)):
            yield from places(each)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_graphs_are_refused_or_read_and_nothing_else(seed: int) -> None:
    draw = random.Random(seed)
    for name in draw.sample(sorted(ALL), 12):
        graph = copy.deepcopy(ALL[name])
        for parent, key in draw.sample(list(places(graph)), 3):
            parent[key] = draw.choice([None, -1, 0, 3, 10**9, "", "x", [], {}, [1, 2], {"a": 1}, True, 1.5])
        with contextlib.suppress(SVIError):
            json.dumps(to_api(graph, NODES))


# Files


def test_what_an_api_graph_is() -> None:
    assert is_api_graph({"1": {"class_type": "SaveImage", "inputs": {}}})
    assert not any(map(is_api_graph, (CHAIN, {}, {"1": {}}, [], None, "x")))


def test_an_api_graph_is_given_back_as_it_is() -> None:
    graph = {"1": {"class_type": "EmptyImage", "inputs": {"width": 3, "more": None}}}
    assert to_api(graph, NODES) == graph


SENT = {"5": {"class_type": "EmptyImage", "inputs": {"width": 8}, "_meta": {"title": "of the file"}}}


@pytest.mark.parametrize(("make", "suffix"), [(png, ".png"), (webp, ".webp"), (mp4, ".mp4")])
def test_media_give_the_api_graph_that_was_sent_with_them(tmp_path: Path, make: Any, suffix: str) -> None:
    both = {"workflow": json.dumps(CHAIN), "prompt": json.dumps(SENT)}
    assert to_api(read_graph(make(tmp_path / f"both{suffix}", both)), NODES) == SENT
    drawn = make(tmp_path / f"drawn{suffix}", {"workflow": json.dumps(CHAIN)})
    assert bare(to_api(read_graph(drawn), NODES)) == RECORDED.sent["chain"]


def test_a_prompt_that_is_no_graph_gives_way_to_the_workflow(tmp_path: Path) -> None:
    file = png(tmp_path / "a.png", {"workflow": json.dumps(CHAIN), "prompt": json.dumps("a cat")})
    assert bare(to_api(read_graph(file), NODES)) == RECORDED.sent["chain"]


@pytest.mark.parametrize("value", [CHAIN, SENT])
def test_files_of_json_give_either(tmp_path: Path, value: Any) -> None:
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(value))
    assert to_api(read_graph(file), NODES) == to_api(value, NODES)


def test_a_file_without_a_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SVIError, match="holds no workflow"):
        to_api(read_graph(png(tmp_path / "a.png", {})), NODES)
