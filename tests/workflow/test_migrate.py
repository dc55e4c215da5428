"""Existing graphs become graphs of this pack's nodes, and what is wrong in them is found."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from old_graphs import (
    NEGATIVE,
    Raw,
    as_api,
    keyframe_canvas,
    more,
    mutated,
    native_pro_chain,
    node_of,
    pixel_chain,
    pro_chain,
    relink,
    unlink,
    wanex,
)
from project import DATA, ROOT
from read_graphs import check_links, feeds, nodes, of_kind, values
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.story.text import parse_story
from wanvideo_svi.wrapper_ext.answers.migrate import answer, migrate_value, own_nodes
from wanvideo_svi.wrapper_ext.workflow.find.wires import Wires
from wanvideo_svi.wrapper_ext.workflow.model import graph as graph_module
from wanvideo_svi.wrapper_ext.workflow.model.definitions import read_input
from wanvideo_svi.wrapper_ext.workflow.model.graph import Workflow
from wanvideo_svi.wrapper_ext.workflow.model.host_nodes import EMPTY_EMBEDS, SAMPLER_SETTINGS, TEXT_ENCODER
from wanvideo_svi.wrapper_ext.workflow.model.parse import MAX_CHARACTERS, parse_json
from wanvideo_svi.wrapper_ext.workflow.model.report import Finding
from wanvideo_svi.wrapper_ext.workflow.model.signatures import read_widgets

SHIPPED = sorted((ROOT / "example_workflows").glob("*.json"))
CONTRACT = json.loads((DATA / "host_contract.json").read_text())["nodes"]
SHARED = ROOT.parent / "shared"
REAL = sorted((SHARED / "graphs").glob("*.json"))
PATTERN_TYPES = {
    "WanVideoImageToVideoEncode", "WanVideoVACEStartToEndFrame", "GetImageSizeAndCount", "GetImageRangeFromBatch",
    "RepeatImageBatch", "InvertMask", "INTConstant", "SimpleMath+", "ImageBatchMulti", "ImageBatchExtendWithOverlap",
    "WanVideoSVIProEmbeds", "WanEx_I2VCustomEmbeds", "Reroute", "GetNode", "SetNode", "PreviewImage", "PrimitiveNode",
    "ReplaceImagesInBatch", "SolidMask",
}  # fmt: skip


# One model of both formats


@pytest.mark.parametrize("path", [*SHIPPED, *REAL], ids=lambda path: path.stem)
def test_loading_and_saving_changes_nothing(path: Path) -> None:
    raw = json.loads(path.read_text())
    assert Workflow(raw, own_nodes()).save() == raw


@pytest.mark.parametrize("raw", [pixel_chain(wires=True), pro_chain(), wanex(), as_api(pixel_chain())])
def test_a_graph_is_copied_not_changed(raw: Raw) -> None:
    before = copy.deepcopy(raw)
    migrate_value(raw)
    assert raw == before


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"nodes": 5}, {"nodes": [5]}, {"nodes": [{"type": "x"}]}])
def test_what_is_no_workflow_is_refused(value: Any) -> None:
    if value == {}:  # an empty API graph: nothing to do, and nothing wrong
        value = {"a": 1}
    with pytest.raises(SVIError, match="workflow"):
        migrate_value(value)


def test_wires_bypassed_nodes_and_named_wires_are_followed() -> None:
    raw = pixel_chain(wires=True, padding="reference", rule="first_frame")
    workflow = Workflow(raw, own_nodes())
    wires = Wires(workflow)
    repeat = next(at for at in wires.places() if at.node.type == "RepeatImageBatch")
    origin = wires.origin(repeat, "image")
    assert origin is not None
    assert (origin.type, origin.slot) == ("ImageResizeKJv2", 0)
    nodes(raw, "ImageResizeKJv2")[0]["mode"] = 4
    bypassed = Wires(Workflow(raw, own_nodes()))
    repeat = next(at for at in bypassed.places() if at.node.type == "RepeatImageBatch")
    origin = bypassed.origin(repeat, "image")
    assert origin is not None
    assert origin.type == "LoadImage"
    nodes(raw, "LoadImage")[0]["mode"] = 2
    muted = Wires(Workflow(raw, own_nodes()))
    assert muted.origin(next(at for at in muted.places() if at.node.type == "RepeatImageBatch"), "image") is None


def test_a_ring_of_reroutes_leads_nowhere() -> None:
    raw = mutated(pixel_chain(), 0)
    ring = [
        {"id": 1, "type": "Reroute", "inputs": [{"name": "", "link": 2}], "outputs": [{"name": "", "links": [1]}]},
        {"id": 2, "type": "Reroute", "inputs": [{"name": "", "link": 1}], "outputs": [{"name": "", "links": [2]}]},
        {"id": 3, "type": "InvertMask", "inputs": [{"name": "mask", "link": 3}], "outputs": []},
    ]
    raw = {"nodes": ring, "links": [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 1, 0, "*"], [3, 2, 0, 3, 0, "*"]]}
    wires = Wires(Workflow(raw, own_nodes()))
    assert wires.origin(next(at for at in wires.places() if at.node.id == 3), "mask") is None


# P1


@pytest.mark.parametrize(
    ("padding", "rule", "overlap", "lora", "expected"),
    [
        ("grey", "overlap", 5, "svi-film", {"mode": "film"}),
        ("grey", "first_frame", 5, "svi-film", {"mode": "film", "known_frames": "first_frame"}),
        ("grey", "overlap", 1, "svi-tom", {"mode": "tom"}),
        ("grey", "overlap", 9, "anything", {"mode": "film", "overlap_frames": 9}),
        ("black", "overlap", 5, "svi-film", {"mode": "film", "padding": "black"}),
        ("reference", "overlap", 1, "svi-shot", {"mode": "shot"}),
        ("reference", "first_frame", 1, "svi_shot_lora", {"mode": "shot"}),
        ("reference", "overlap", 1, "svi-dance", {"mode": "dance"}),
        ("reference", "overlap", 5, "anything", {"mode": "film_shot"}),
        ("reference", "first_frame", 5, "anything", {"mode": "svi2_wan21"}),
        ("reference", "first_frame", 5, "SVI_Wan2.2-I2V-A14B_v2.0", {"mode": "svi2_wan22", "overlap_frames": 5}),
        ("first", "first_frame", 5, "SVI_Wan2.1_v2.0", {"mode": "svi2_wan21"}),
    ],
)
def test_mode_and_rule_are_read_from_the_graph(
    padding: str, rule: str, overlap: int, lora: str, expected: dict[str, Any]
) -> None:
    raw = pixel_chain(padding=padding, rule=rule, overlap=overlap, lora=f"{lora}.safetensors")
    migrated, report = migrate_value(raw)
    check_links(migrated)
    assert not of_kind(report, "defect"), report.lines()
    made = nodes(migrated, "WanVideoSVIEmbeds")
    assert len(made) == 2
    for node in made:
        found = values(node)
        want = {"known_frames": "recipe", "padding": "recipe", "overlap_frames": overlap, **expected}
        assert {name: found[name] for name in want} == want
        assert feeds(migrated, node, "start_image") in (("WanVideoDecode", 0), ("WanVideoSVIStitch", 0))
        reference = {"reference": ("ImageResizeKJv2", 0), "first": ("GetImageRangeFromBatch", 0)}.get(padding)
        assert feeds(migrated, node, "ref_image") == reference
        assert feeds(migrated, node, "vae") == ("WanVideoVAELoader", 0)
        assert feeds(migrated, node, "width") == ("ImageResizeKJv2", 1)
        assert found["num_frames"] == 17
        assert found["fun_or_fl2v_model"] is False  # as it was saved
        assert (node["color"], node["title"][:4]) == ("#223", "Clip")
    for node in nodes(migrated, "WanVideoSVIStitch"):
        assert values(node).items() >= {"overlap_frames": overlap, "drop": "old", "blend": "none"}.items()
    left = PATTERN_TYPES - {"WanVideoImageToVideoEncode", "PreviewImage", "GetImageRangeFromBatch"}
    assert not [node["type"] for node in migrated["nodes"] if node["type"] in left]
    assert len(nodes(migrated, "WanVideoImageToVideoEncode")) == 1  # the first clip's


def test_motion_frames_alone_before_the_encode_are_film_too() -> None:
    raw = pixel_chain()
    for canvas in nodes(raw, "WanVideoVACEStartToEndFrame"):
        tail = next(link for link in raw["links"] if link[3] == canvas["id"])
        start = next(link for link in raw["links"] if link[1] == canvas["id"] and link[2] == 0)
        mask = next(link for link in raw["links"] if link[1] == canvas["id"] and link[2] == 1)
        encode = next(node for node in raw["nodes"] if node["id"] == start[3])
        start[1:3] = tail[1:3]
        encode["inputs"] = [entry for entry in encode["inputs"] if entry["name"] != "temporal_mask"]
        raw["links"].remove(mask)
    migrated, report = migrate_value(raw)
    assert [values(node)["mode"] for node in nodes(migrated, "WanVideoSVIEmbeds")] == ["film", "film"]
    assert not of_kind(report, "defect")


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("wires", [False, True])
def test_wires_and_constants_that_only_served_the_pattern_go(wires: bool, constant: bool) -> None:
    raw = pixel_chain(padding="reference", wires=wires, constant=constant, lora="x", overlap=1)
    migrated, _ = migrate_value(raw)
    check_links(migrated)
    assert not nodes(migrated, "INTConstant")
    assert not nodes(migrated, "Reroute")
    for node in nodes(migrated, "WanVideoSVIEmbeds"):
        assert values(node)["num_frames"] == 17
        assert feeds(migrated, node, "num_frames") is None
        assert feeds(migrated, node, "ref_image") == (("GetNode", 0) if wires else ("ImageResizeKJv2", 0))


def test_a_constant_that_others_use_too_stays_linked() -> None:
    raw = pixel_chain(constant=True)
    number = nodes(raw, "INTConstant")[0]
    other = nodes(raw, "WanVideoImageToVideoEncode")[0]
    raw["last_link_id"] += 1
    link = raw["last_link_id"]
    number["outputs"][0]["links"].append(link)
    other["inputs"].append({"name": "num_frames", "type": "INT", "link": link, "widget": {"name": "num_frames"}})
    raw["links"].append([link, number["id"], 0, other["id"], len(other["inputs"]) - 1, "INT"])
    migrated, _ = migrate_value(raw)
    check_links(migrated)
    first = min(nodes(migrated, "WanVideoSVIEmbeds"), key=lambda node: node["order"])
    assert feeds(migrated, first, "num_frames") == ("INTConstant", 0)


def test_everything_else_stays_as_it_is() -> None:
    raw = pixel_chain(padding="reference", wires=True, lora="x")
    migrated, _ = migrate_value(raw)
    after = {node["id"]: node for node in migrated["nodes"]}
    for node in raw["nodes"]:
        if node["type"] in PATTERN_TYPES and node["id"] not in after:
            continue
        now = after[node["id"]]
        if now["type"] != node["type"]:
            assert (now["mode"], now["order"]) == (node["mode"], node["order"])
            assert now["pos"] in [other["pos"] for other in raw["nodes"] if other["type"] in PATTERN_TYPES]
            continue
        strip = {"inputs", "outputs"}
        assert {key: now[key] for key in now.keys() - strip} == {key: node[key] for key in node.keys() - strip}
        if node["type"] in ("Note", "WanVideoLoraSelect", "WanVideoTextEncode", "PreviewImage"):
            assert now == node
    assert {key: migrated[key] for key in ("id", "groups", "extra", "config", "version")} == {
        key: raw[key] for key in ("id", "groups", "extra", "config", "version")
    }


def test_an_api_graph_becomes_the_same() -> None:
    for kinds in ({}, {"padding": "last", "overlap": 1, "lora": "svi-shot"}, {"padding": "first", "constant": True}):
        raw = pixel_chain(unrelated=False, **kinds)  # type: ignore[arg-type]
        saved, first = migrate_value(raw)
        api, second = migrate_value(as_api(raw))
        assert [(f.kind, f.what, f.fixed) for f in first.findings] == [
            (f.kind, f.what, f.fixed) for f in second.findings
        ]
        sources = {link[0]: [str(link[1]), link[2]] for link in saved["links"]}
        assert set(api) == {str(node["id"]) for node in saved["nodes"]}
        for node in saved["nodes"]:
            now = api[str(node["id"])]
            assert now["class_type"] == node["type"]
            links = {entry["name"]: sources[entry["link"]] for entry in node["inputs"] if entry["link"] is not None}
            assert {name: value for name, value in now["inputs"].items() if isinstance(value, list)} == links
            if node["type"] in NODE_CLASS_MAPPINGS:
                plain = {name: value for name, value in values(node).items() if name not in links}
                assert {name: value for name, value in now["inputs"].items() if name not in links} == plain


def test_a_clip_inside_a_subgraph_is_migrated_there() -> None:
    raw = _in_subgraph(pixel_chain(clips=2, unrelated=False))
    migrated, report = migrate_value(raw)
    (inner,) = migrated["definitions"]["subgraphs"]
    kinds = {node["type"] for node in inner["nodes"]}
    assert {"WanVideoSVIEmbeds", "WanVideoSVIStitch"} <= kinds
    assert not kinds & {"WanVideoVACEStartToEndFrame", "InvertMask"}
    assert {found.subgraph for found in of_kind(report, "rewrite")} == {"all of it"}
    ids = {link["id"] for link in inner["links"]}
    for node in inner["nodes"]:
        assert all(entry["link"] in ids for entry in node["inputs"] if entry["link"] is not None)
    assert inner["inputs"][0]["linkIds"] == [link["id"] for link in inner["links"] if link["origin_id"] == -10]


def _in_subgraph(raw: Raw) -> Raw:
    """The whole graph but its VAE loader as a subgraph; the VAE comes in from outside."""
    vae = nodes(raw, "WanVideoVAELoader")[0]
    links = [
        {"id": a, "origin_id": -10 if b == vae["id"] else b, "origin_slot": 0 if b == vae["id"] else c,
         "target_id": d, "target_slot": e, "type": f}
        for a, b, c, d, e, f in raw["links"]
    ]  # fmt: skip
    name = "11111111-0000-4000-8000-000000000000"
    inner = {
        "id": name, "version": 1, "name": "all of it", "state": {"lastNodeId": 999, "lastLinkId": 999},
        "inputs": [{"id": "a", "name": "vae", "type": "WANVAE",
                    "linkIds": [link["id"] for link in links if link["origin_id"] == -10]}],
        "outputs": [], "nodes": [node for node in raw["nodes"] if node is not vae], "links": links,
    }  # fmt: skip
    outer = {
        "id": 1, "type": name, "pos": [0, 0], "size": [1, 1], "flags": {}, "order": 1, "mode": 0,
        "inputs": [{"name": "vae", "type": "WANVAE", "link": 1}], "outputs": [], "properties": {}, "widgets_values": [],
    }  # fmt: skip
    vae = {**vae, "outputs": [{"name": "vae", "type": "WANVAE", "links": [1]}]}
    return {
        "last_node_id": 50, "last_link_id": 1, "nodes": [vae, outer], "version": 0.4,
        "links": [[1, vae["id"], 0, 1, 0, "WANVAE"]], "definitions": {"subgraphs": [inner]},
    }  # fmt: skip


def test_muted_clips_are_left_and_said() -> None:
    raw = pixel_chain()
    last = max(nodes(raw, "WanVideoImageToVideoEncode"), key=lambda node: node["order"])
    last["mode"] = 2
    migrated, report = migrate_value(raw)
    assert len(nodes(migrated, "WanVideoSVIEmbeds")) == 1
    assert [found.node for found in of_kind(report, "note")] == [last["id"]]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("WanVideoImageToVideoEncode", 9, 0.5), "augment_empty_frames"),
        (("WanVideoVACEStartToEndFrame", 1, 0.3), "empty_frame_level is 0.3"),
        (("WanVideoVACEStartToEndFrame", 0, 33), "other counts of frames"),
        (("GetImageRangeFromBatch", 1, "x"), "saved with 2 values"),
    ],
)
def test_what_cannot_be_carried_over_is_left_and_said(change: tuple[str, int, Any], what: str) -> None:
    raw = pixel_chain(values=10)
    kind, index, value = change
    for node in nodes(raw, kind):
        node["widgets_values"][index] = value
    migrated, report = migrate_value(raw)
    assert not nodes(migrated, "WanVideoSVIEmbeds")
    assert any(what in found.what for found in of_kind(report, "left")), report.lines()
    assert len(nodes(migrated, "WanVideoVACEStartToEndFrame")) == 2


def test_previews_of_what_is_gone_go_too_and_other_users_keep_it() -> None:
    for kind, left in (("PreviewImage", 0), ("VHS_VideoCombine", 2)):
        raw = pixel_chain()
        for canvas in nodes(raw, "WanVideoVACEStartToEndFrame"):
            raw["last_node_id"] += 1
            raw["last_link_id"] += 1
            user, link = raw["last_node_id"], raw["last_link_id"]
            canvas["outputs"][0]["links"].append(link)
            raw["links"].append([link, canvas["id"], 0, user, 0, "IMAGE"])
            raw["nodes"].append({
                "id": user, "type": kind, "pos": [9000, 0], "size": [9, 9], "mode": 0, "order": 99, "outputs": [],
                "flags": {}, "properties": {},
                "inputs": [{"name": "images", "type": "IMAGE", "link": link}], "widgets_values": [],
            })  # fmt: skip
        migrated, report = migrate_value(raw)
        check_links(migrated)
        assert len(nodes(migrated, "WanVideoVACEStartToEndFrame")) == left
        assert sum("Preview" in text for text in report.removed) == (0 if left else 2)


# Saved values


@pytest.mark.parametrize(("count", "made"), [(8, 0), (9, 2), (10, 2), (11, 0)])
def test_nodes_of_unknown_versions_are_refused_not_guessed(count: int, made: int) -> None:
    migrated, report = migrate_value(pixel_chain(values=count))
    assert len(nodes(migrated, "WanVideoSVIEmbeds")) == made
    assert any(f"saved with {count} values" in found.what for found in of_kind(report, "left")) == (made == 0)


@pytest.mark.parametrize(
    "path", [SHARED / "host/host_contract.json", *sorted((SHARED / "host/contracts").glob("*.json"))],
    ids=lambda path: path.stem,
)  # fmt: skip
def test_recorded_versions_are_what_the_wrappers_have(path: Path) -> None:
    if not path.exists():
        pytest.skip("the recorded contracts of older wrappers are not there")
    types = {"INT": 5, "FLOAT": 0.5, "BOOLEAN": True, "STRING": "x", "COMBO": "x"}
    checked = 0
    for kind, node in json.loads(path.read_text())["nodes"].items():
        if not node or kind not in (
            "WanVideoImageToVideoEncode", "WanVideoSampler", "WanVideoVACEStartToEndFrame", "WanVideoSVIProEmbeds",
            "WanVideoTextEncode", "WanVideoTextEncodeCached", "WanVideoScheduler", "WanVideoLoraSelect",
            "WanVideoLoraSelectMulti", "WanVideoModelLoader", "GetImageRangeFromBatch", "RepeatImageBatch",
            "ImageBatchMulti", "ImageBatchExtendWithOverlap", "INTConstant", "ImageResizeKJv2",
        ):  # fmt: skip
            continue
        groups, saved, names = node.get("input", node), [], []
        for group in ("required", "optional"):
            for name, spec in (groups.get(group) or {}).items():
                of = spec["type"] if isinstance(spec, dict) else spec[0]
                of = of if isinstance(of, str) else "COMBO"
                if of in types:
                    saved.append(types[of])
                    names.append(name)
                    saved += ["fixed"] if name == "seed" else []
        if kind == "WanVideoScheduler" and len(names) == 1:
            continue  # of 2025-08: it had no outputs that pass anything on
        assert list(read_widgets(kind, saved)) == names, kind
        checked += 1
    assert checked >= 6


@pytest.mark.parametrize("definition", [SAMPLER_SETTINGS, EMPTY_EMBEDS, TEXT_ENCODER], ids=lambda spec: spec.id)
def test_added_host_nodes_are_as_the_host_declares_them(definition: Any) -> None:
    recorded = CONTRACT[definition.id]
    inputs = {
        name: read_input(name, spec[0], spec[1] if len(spec) > 1 else {})
        for group in ("required", "optional") for name, spec in recorded["input"].get(group, {}).items()
    }  # fmt: skip
    assert list(definition.inputs) == list(inputs)
    for name, spec in definition.inputs.items():
        assert spec[:2] == inputs[name][:2], name
        if spec.widget and spec.kind != "COMBO":
            assert spec.default == inputs[name].default, name
        assert spec.control == inputs[name].control
    assert definition.outputs == tuple(zip(recorded["output_name"], recorded["output"], strict=True))


# Defects


@pytest.mark.parametrize(
    ("kinds", "what", "count"),
    [
        ({"padding": "last", "overlap": 1, "lora": "svi-shot"}, "last frame of the clip before", 2),
        ({"padding": "last", "overlap": 5, "rule": "first_frame"}, "last frame of the clip before", 2),
        ({"seeds": [7, 7, 7]}, "its seed 7", 2),
        ({"seeds": [7, 9, 7]}, "its seed 7", 1),
        ({"trim": 3}, "2 are shown twice", 2),
        ({"trim": 9}, "4 are lost", 2),
        ({"rule": "no_mask"}, "no temporal_mask", 2),
        ({"rule": "not_inverted"}, "black for the frames to keep", 2),
        ({"padding": "reference", "lora": "svi-shot"}, "5 frames are marked as known", 2),
    ],
)
def test_defects_are_found_once_each_and_repaired(kinds: dict[str, Any], what: str, count: int) -> None:
    migrated, report = migrate_value(pixel_chain(**kinds))
    check_links(migrated)
    defects = of_kind(report, "defect")
    assert [what in found.what for found in defects] == [True] * count, report.lines()
    assert all(found.fixed for found in defects)
    again, second = migrate_value(migrated)
    assert not second.findings, second.lines()
    assert again == migrated
    assert all(values(node)["overlap_frames"] == kinds.get("overlap", 5) for node in nodes(again, "WanVideoSVIStitch"))


def test_the_original_image_is_the_one_that_the_chain_began_with() -> None:
    raw = pixel_chain(padding="last", overlap=1, clips=4, lora="svi-shot")
    migrated, _ = migrate_value(raw)
    made = nodes(migrated, "WanVideoSVIEmbeds")
    assert [feeds(migrated, node, "ref_image") for node in made] == [("ImageResizeKJv2", 0)] * 3
    assert all(values(node)["padding"] == "recipe" for node in made)


def test_without_an_original_image_the_padding_stays_and_is_said() -> None:
    raw = pixel_chain(padding="last", overlap=1, clips=2, lora="svi-shot")
    first = min(nodes(raw, "WanVideoImageToVideoEncode"), key=lambda node: node["order"])
    start = next(entry for entry in first["inputs"] if entry["name"] == "start_image")
    raw["links"] = [link for link in raw["links"] if link[0] != start["link"]]
    migrated, report = migrate_value(raw)
    (made,) = nodes(migrated, "WanVideoSVIEmbeds")
    assert values(made)["padding"] == "last"
    assert [found.fixed for found in of_kind(report, "defect")] == [False]


@pytest.mark.parametrize("control", ["randomize"])
def test_seeds_that_are_drawn_anew_are_no_defect(control: str) -> None:
    raw = pixel_chain(seeds=[7, 7, 7])
    for node in nodes(raw, "WanVideoSampler"):
        node["widgets_values"][4] = control
    assert not of_kind(migrate_value(raw)[1], "defect")


def test_a_pair_of_samplers_with_one_seed_is_no_defect_and_is_repaired_together() -> None:
    assert not of_kind(migrate_value(pro_chain())[1], "defect")
    raw = pro_chain()
    for node in nodes(raw, "WanVideoSampler"):
        node["widgets_values"][3] = 7
    migrated, report = migrate_value(raw)
    assert len(of_kind(report, "defect")) == 2
    seeds = [node["widgets_values"][3] for node in nodes(migrated, "WanVideoSampler")]
    assert seeds == [7, 7, 49, 49, 91, 91]


def test_prev_samples_without_motion_latents_are_found_and_repaired() -> None:
    migrated, report = migrate_value(pro_chain(motion=0))
    found = of_kind(report, "defect")
    assert len(found) == 2
    assert all("motion_latent_count is 0" in each.what and each.fixed for each in found)
    made = sorted(nodes(migrated, "WanVideoSVILatentEmbeds"), key=lambda node: node["order"])
    assert [values(node)["motion_latents"] for node in made] == [1, 1, 1]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_no_defect_is_invented_on_the_shipped_workflows(path: Path) -> None:
    raw = json.loads(path.read_text())
    for node in raw["nodes"]:
        node["mode"] = 0  # variants that are muted as shipped are judged too
    migrated, report = migrate_value(raw)
    assert not report.findings, report.lines()
    assert migrated == raw


def test_defects_among_this_packs_own_nodes_are_found() -> None:
    raw = json.loads((ROOT / "example_workflows/svi_film_chain.json").read_text())
    stitches = nodes(raw, "WanVideoSVIStitch")
    stitches[0]["widgets_values"][0] = 3
    samplers = [node for node in nodes(raw, "WanVideoSampler") if node["mode"] == 0]
    for node in samplers:
        node["widgets_values"][3] = 1
    migrated, report = migrate_value(raw)
    kinds = [found.what for found in of_kind(report, "defect")]
    assert sum("takes off 3 frames" in what for what in kinds) == 1
    assert sum("its seed 1" in what for what in kinds) == len(samplers) - 1
    assert nodes(migrated, "WanVideoSVIStitch")[0]["widgets_values"][0] == 3  # said, not changed


# P2, P4, P3 and P6


@pytest.mark.parametrize(
    ("side", "how", "expected"),
    [
        ("source", "linear_blend", {"drop": "new", "blend": "linear"}),
        ("source", "cut", {"drop": "new", "blend": "none"}),  # a repair: the anchor would flash
        ("new_images", "cut", {"drop": "new", "blend": "none"}),
        ("source", "ease_in_out", None),
        ("new_images", "linear_blend", None),
    ],
)
def test_pro_chains_become_latent_embeds_and_stitches(side: str, how: str, expected: dict[str, Any] | None) -> None:
    migrated, report = migrate_value(pro_chain(side=side, how=how))
    check_links(migrated)
    made = sorted(nodes(migrated, "WanVideoSVILatentEmbeds"), key=lambda node: node["order"])
    assert [feeds(migrated, node, "anchor_samples") for node in made] == [("WanVideoEncode", 0)] * 3
    before = [None, ("WanVideoSampler", 0), ("WanVideoSampler", 0)]
    assert [feeds(migrated, node, "prev_samples") for node in made] == before
    assert all(values(node)["num_frames"] == 17 for node in made)
    joins = nodes(migrated, "WanVideoSVIStitch")
    assert len(joins) == (2 if expected else 0)
    assert len(of_kind(report, "left")) == (0 if expected else 2)
    for node in joins:
        assert values(node).items() >= {"overlap_frames": 5, "color_match": "off", **(expected or {})}.items()
    saver = nodes(migrated, "VHS_VideoCombine")[0]
    assert feeds(migrated, saver, "images") == (
        ("WanVideoSVIStitch", 0) if expected else ("ImageBatchExtendWithOverlap", 2)
    )


def test_wanex_becomes_custom_embeds_and_the_native_samplers_are_named() -> None:
    raw = wanex()
    migrated, report = migrate_value(raw)
    check_links(migrated)
    (made,) = nodes(migrated, "WanVideoI2VCustomEmbeds")
    found = values(made)
    assert {name: found[name] for name in ("width", "height", "length", "concat_mask_index", "mask_polarity")} == {
        "width": 64, "height": 48, "length": 17, "concat_mask_index": 16, "mask_polarity": "native",
    }  # fmt: skip
    assert feeds(migrated, made, "concat_latent_image") == ("VAEEncode", 0)
    assert feeds(migrated, made, "concat_mask") == ("VideoContinuationGenerator", 1)
    assert made["title"] == "My embeds"
    preview = next(node for node in migrated["nodes"] if node.get("title") == "Look at the latents")
    assert feeds(migrated, preview, "samples") == ("WanVideoI2VCustomEmbeds", 1)
    left = {found.node: found.fix for found in of_kind(report, "left")}
    assert "WanVideo Sampler" in left[nodes(raw, "KSamplerAdvanced")[0]["id"]]
    assert "clip_embeds" in left[made["id"]]
    assert len(nodes(migrated, "CLIPTextEncode")) == 2  # prompts are not thrown away


def test_what_only_passes_conditioning_on_is_not_called_a_sampler() -> None:
    raw = wanex()
    on = more(raw).add("Reroute", [], positive=(nodes(raw, "WanEx_I2VCustomEmbeds")[0], 0))
    on["type"] = "ConditioningZeroOut"
    left = {found.node: found.fix for found in of_kind(migrate_value(raw)[1], "left")}
    assert "put WanVideo Sampler in its place" not in left[on["id"]]


@pytest.mark.parametrize("kind", ["WanImageToVideoSVIPro", "WanSVIImageToVideo", "SVIExtractLastFrames"])
def test_native_nodes_are_reported_and_stay(kind: str) -> None:
    raw = {"nodes": [{"id": 1, "type": kind, "inputs": [], "outputs": []}], "links": []}
    migrated, report = migrate_value(raw)
    assert migrated == raw
    assert [(found.kind, found.pattern in ("P3", "P6")) for found in report.findings] == [("left", True)]
    assert not report.to_do


# Real graphs


def clip_nodes(raw: Raw) -> list[set[int]]:
    """Nodes that each clip's saver needs and those of the clips before do not, in the order of the clips."""
    scope = Workflow(raw, own_nodes()).root
    savers = [
        node for node in scope.nodes.values() if node.type == "VHS_VideoCombine" and node.mode == 0
    ]  # fmt: skip
    known: set[int] = set()
    rows = []
    for saver in sorted(savers, key=lambda node: node.raw["order"]):
        waiting, seen = [saver], set()
        while waiting:
            node = waiting.pop()
            if node.id in seen:
                continue
            seen.add(node.id)
            waiting += scope.feeders(node)
        rows.append(seen - known)
        known |= seen
    return rows  # type: ignore[return-value]


@pytest.mark.skipif(not REAL, reason="the community graphs are not there")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_graphs_migrate(path: Path) -> None:
    raw = json.loads(path.read_text())
    shot = "shot" in path.stem
    migrated, report = migrate_value(raw)
    check_links(migrated)
    kinds = {node["id"]: node["type"] for node in migrated["nodes"]}
    drawn = ("GetNode", "Reroute")
    before, after = (clip_nodes(each)[-1] for each in (raw, migrated))
    executed = [node for node in after if kinds[node] not in drawn]
    assert (len(before), len(after), len(executed)) == ((23, 15, 9) if shot else (18, 9, 8))
    defects = [found.what[:25] for found in of_kind(report, "defect")]
    if shot:
        assert sorted(defects) == ["its seed 0 is also that o"] * 2 + ["the frames to generate ar"] * 2
    else:
        assert defects == ["its seed 4 is also that o"]
    assert all(found.fixed for found in of_kind(report, "defect"))
    assert not of_kind(report, "left")
    modes = {values(node)["mode"] for node in nodes(migrated, "WanVideoSVIEmbeds")}
    assert modes == ({"shot"} if shot else {"svi2_wan22"})


@pytest.mark.skipif(not REAL, reason="the community graphs are not there")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_graphs_become_stories_of_under_twenty_nodes(path: Path) -> None:
    migrated, report = migrate_value(json.loads(path.read_text()), as_story=True)
    check_links(migrated)
    assert len(migrated["nodes"]) == (16 if "shot" in path.stem else 19)
    (made,) = nodes(migrated, "WanVideoSVILongVideo")
    blocks = parse_story(values(made)["story"])
    assert [block.mode for block in blocks] == ["i2v", *[None] * (len(blocks) - 1)]
    assert len(blocks) == (3 if "shot" in path.stem else 5)
    assert report.nodes_after == len(migrated["nodes"])


# A story


def test_a_chain_becomes_a_story() -> None:
    raw = pixel_chain(seeds=[5, 47, 60], padding="reference", overlap=1, lora="svi-shot")
    migrated, report = migrate_value(raw, as_story=True)
    check_links(migrated)
    (made,) = nodes(migrated, "WanVideoSVILongVideo")
    found = values(made)
    assert found["story"] == "[mode=i2v]\nclip 1\n---\nclip 2\n---\n[seed=60]\nclip 3"
    want = {
        "mode": "shot", "num_frames": 17, "overlap_frames": 1, "seed": 5, "fps": 24.0, "negative_prompt": NEGATIVE,
    }  # fmt: skip
    assert {name: found[name] for name in want} == want
    links = {entry["name"]: feeds(migrated, made, entry["name"]) for entry in made["inputs"] if entry["link"]}
    assert links == {
        "sampler_inputs": ("WanVideoSamplerSettings", 0), "vae": ("WanVideoVAELoader", 0),
        "width": ("ImageResizeKJv2", 1), "height": ("ImageResizeKJv2", 2), "start_image": ("ImageResizeKJv2", 0),
        "t5": ("LoadWanVideoT5TextEncoder", 0),
    }  # fmt: skip
    (settings,) = nodes(migrated, "WanVideoSamplerSettings")
    saved = dict(zip(SAMPLER_SETTINGS.defaults(), [v for v in settings["widgets_values"] if v != "fixed"], strict=True))
    assert {**saved, "seed": 0} == {
        **SAMPLER_SETTINGS.defaults(), "steps": 2, "cfg": 1, "shift": 5, "scheduler": "euler", "batched_cfg": False,
    }  # fmt: skip
    assert feeds(migrated, settings, "model") == ("WanVideoSetLoRAs", 0)
    assert feeds(migrated, settings, "image_embeds") == ("WanVideoEmptyEmbeds", 0)
    assert len(nodes(migrated, "Note")) == len(nodes(migrated, "PreviewImage")) == 1  # they had nothing to do with it
    assert not nodes(migrated, "WanVideoSampler") + nodes(migrated, "VHS_VideoCombine")
    assert report.to_do


def test_a_pro_chain_becomes_a_story_with_both_samplers() -> None:
    migrated, _ = migrate_value(pro_chain(), as_story=True)
    check_links(migrated)
    (made,) = nodes(migrated, "WanVideoSVILongVideo")
    assert values(made)["mode"] == "svi2_pro"
    assert values(made)["story"] == "clip 1\n---\n[seed=8]\nclip 2\n---\n[seed=9]\nclip 3"
    assert feeds(migrated, made, "start_image") == ("ImageResizeKJv2", 0)
    assert feeds(migrated, made, "width") == ("ImageResizeKJv2", 1)
    assert feeds(migrated, made, "low_noise_sampler_inputs") == ("WanVideoSamplerSettings", 0)
    assert {tuple(node["widgets_values"][-3:-1]) for node in nodes(migrated, "WanVideoSamplerSettings")} == {
        (0, 1), (1, -1),
    }  # fmt: skip


def test_clips_that_differ_are_told_apart_in_the_story() -> None:
    raw = pixel_chain(clips=4)
    encodes = sorted(nodes(raw, "WanVideoImageToVideoEncode"), key=lambda node: node["order"])
    encodes[3]["widgets_values"][2] = 33
    nodes(raw, "WanVideoVACEStartToEndFrame")[2]["widgets_values"][0] = 33
    samplers = sorted(nodes(raw, "WanVideoSampler"), key=lambda node: node["order"])
    samplers[1]["widgets_values"][0] = 9
    texts = sorted(nodes(raw, "WanVideoTextEncode"), key=lambda node: node["order"])
    texts[2]["widgets_values"][:2] = ["# no comment\n[x] neither", "other"]
    migrated, report = migrate_value(raw, as_story=True)
    story = values(nodes(migrated, "WanVideoSVILongVideo")[0])["story"]
    assert [block.frames for block in parse_story(story)] == [None, None, None, 33]
    assert parse_story(story)[2].prompt == "# no comment\n[x] neither"
    notes = [found.what for found in of_kind(report, "note")]
    assert len(notes) == 3
    assert any("drop" in what for what in notes)
    assert any("negative prompts differ" in what for what in notes)
    assert any("steps differs" in what for what in notes)


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (wanex(), "has no clip"),
        (_in_subgraph(pixel_chain()), "in a subgraph"),
        (pixel_chain(values=11), "clip 1 .* 11 values"),
    ],
)
def test_what_cannot_be_a_story_is_refused_with_the_reason(raw: Raw, what: str) -> None:
    with pytest.raises(SVIError, match=what):
        migrate_value(raw, as_story=True)


@pytest.mark.parametrize(
    ("kind", "index", "value", "what"),
    [
        ("WanVideoImageToVideoEncode", 3, 0.1, "noise_aug_strength"),
        ("WanVideoImageToVideoEncode", 4, 0.5, "start_latent_strength"),
    ],
)
def test_settings_without_a_word_in_stories_are_refused(kind: str, index: int, value: float, what: str) -> None:
    raw = pixel_chain()
    for node in nodes(raw, kind):
        node["widgets_values"][index] = value
    with pytest.raises(SVIError, match=f"clip 1 .*{what}"):
        migrate_value(raw, as_story=True)


# Robustness

BASES = (
    lambda: pixel_chain(),
    lambda: pixel_chain(padding="last", overlap=1, wires=True, constant=True, lora="svi-shot"),
    lambda: pixel_chain(padding="first", rule="first_frame"),
    lambda: pro_chain(),
    lambda: wanex(),
    lambda: keyframe_canvas(start=5, clip=True, keys=((8, 1), (11, 1)), wires=True, constant=True),
    lambda: keyframe_canvas(end=False, keys=((4, 5),), rule="not_inverted"),
    lambda: native_pro_chain(seeds=[7, 7, 9], motion=0),
    lambda: native_pro_chain(sampler="shared", kind="WanImageToVideoSVIProFLF"),
)


@pytest.mark.parametrize("block", range(10))
def test_mutated_graphs_never_crash_and_never_lose_an_unrelated_node(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        raw = mutated(BASES[seed % len(BASES)](), seed)
        before = copy.deepcopy(raw)
        try:
            migrated, report = migrate_value(raw)
            report.lines()
        except SVIError:
            continue
        assert raw == before
        kept = _unrelated(migrated)
        for node in _unrelated(before):
            assert node in kept, (seed, node)


def _unrelated(raw: Raw) -> list[Any]:
    found = [node for node in raw["nodes"] if node.get("type") not in PATTERN_TYPES and node.get("type") not in OURS]
    return [[node.get("id"), node.get("type"), node.get("pos"), node.get("properties")] for node in found]


OURS = set(NODE_CLASS_MAPPINGS)


def test_a_graph_of_ten_thousand_nodes_is_migrated_whole() -> None:
    raw = pixel_chain(clips=630, padding="reference", wires=True, lora="x", overlap=1)
    assert len(raw["nodes"]) > 10_000
    migrated, report = migrate_value(raw)
    check_links(migrated)
    assert len(nodes(migrated, "WanVideoSVIEmbeds")) == 629
    assert len(of_kind(report, "rewrite")) == 1258


def test_subgraphs_that_unfold_without_end_are_refused() -> None:
    ids = [f"{k:08d}-0000-4000-8000-000000000000" for k in range(20)]
    levels = [
        {"id": name, "name": name, "links": [], "nodes": [
            {"id": n, "type": ids[k + 1] if k < 19 else "Note", "inputs": [], "outputs": []} for n in range(10)
        ]}
        for k, name in enumerate(ids)
    ]  # fmt: skip
    raw = {"nodes": [{"id": 1, "type": ids[0]}], "links": [], "definitions": {"subgraphs": levels}}
    with pytest.raises(SVIError, match="unfold"):
        migrate_value(raw)


BOMBS = {
    "deep list": "[" * 100_000,
    "deep object": '{"nodes":' * 50_000,
    "wide": "[[],[]," * 600_000 + "[]",
    "nan": '{"a": NaN}',
    "cut off": "{",
    "empty": "",
    "long number": "9" * 5000,
    "long text": '"' + "x" * 40_000_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_json_bombs_are_refused(text: str) -> None:
    with pytest.raises(SVIError):
        parse_json(text)


def test_more_nodes_than_any_graph_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_module, "MAX_NODES", 10)
    with pytest.raises(SVIError, match="more than 10 nodes"):
        migrate_value(pixel_chain())


# The server's answer


def test_the_server_answers_with_the_workflow_and_the_report() -> None:
    status, said = answer(json.dumps({"workflow": pixel_chain()}))
    assert status == 200
    assert said["report"]["to_do"] is True
    assert said["workflow"] == migrate_value(pixel_chain())[0]
    assert len(said["lines"]) >= 4
    status, said = answer(json.dumps({"workflow": pixel_chain(), "as_story": True}))
    assert len(nodes(said["workflow"], "WanVideoSVILongVideo")) == 1


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"workflow": 5}', "[" * 100_000])
def test_the_server_refuses_what_is_no_workflow(body: str) -> None:
    status, said = answer(body)
    assert status == 400
    assert said["error"]


def test_limits_are_above_real_graphs() -> None:
    assert len(json.dumps(pixel_chain(clips=500, wires=True))) < MAX_CHARACTERS


def test_padding_with_the_last_frame_is_found_where_nothing_is_replaced_too() -> None:
    raw = pixel_chain(padding="last", overlap=1, lora="svi-shot", values=10)
    for node in nodes(raw, "WanVideoImageToVideoEncode"):
        node["widgets_values"][9] = 0.5
    found = of_kind(migrate_value(raw)[1], "defect")
    assert [("last frame" in each.what, each.fixed) for each in found] == [(True, False)] * 2


# What looks like a pattern and is a little different


def test_a_sampler_that_several_clips_share_is_not_called_repaired() -> None:
    name = "22222222-0000-4000-8000-000000000000"
    raw = pixel_chain()
    inner_values = node_of(raw, "WanVideoSampler")["widgets_values"]
    inputs = ["model", "image_embeds", "text_embeds"]
    raw["definitions"] = {"subgraphs": [{
        "id": name, "name": "sample", "inputs": [
            {"name": each, "type": "*", "linkIds": [index + 1]} for index, each in enumerate(inputs)
        ],
        "outputs": [{"name": "samples", "type": "LATENT", "linkIds": [9]}],
        "nodes": [{
            "id": 7, "type": "WanVideoSampler", "pos": [0, 0], "size": [9, 9], "flags": {}, "order": 0, "mode": 0,
            "inputs": [{"name": each, "type": "*", "link": index + 1} for index, each in enumerate(inputs)],
            "outputs": [{"name": "samples", "type": "LATENT", "links": [9]}], "widgets_values": inner_values,
        }],
        "links": [
            *({"id": index + 1, "origin_id": -10, "origin_slot": index, "target_id": 7, "target_slot": index,
               "type": "*"} for index in range(3)),
            {"id": 9, "origin_id": 7, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "LATENT"},
        ],
    }]}  # fmt: skip
    for node in nodes(raw, "WanVideoSampler"):
        node["type"], node["widgets_values"] = name, []
    migrated, report = migrate_value(raw)
    defects = of_kind(report, "defect")
    assert [found.fixed for found in defects] == [False]
    assert "several clips with one seed, 0" in defects[0].what
    assert "input of the subgraph" in defects[0].fix
    assert migrated["definitions"]["subgraphs"][0]["nodes"][0]["widgets_values"] == inner_values


@pytest.mark.parametrize("kind", ["canvas", "batch"])
def test_only_one_image_is_called_the_original(kind: str) -> None:
    raw = pixel_chain(padding="last", overlap=1, lora="svi-shot")
    first = node_of(raw, "WanVideoImageToVideoEncode")
    image = node_of(raw, "ImageResizeKJv2")
    if kind == "canvas":
        made = more(raw).add("WanVideoVACEStartToEndFrame", [17, 0.5, 0, -1], start_image=(image, 0))
    else:
        loaded = more(raw).add("VHS_VideoCombine", {})
        loaded["type"] = "VHS_LoadVideo"
        loaded["outputs"] = [{"name": "IMAGE", "type": "IMAGE", "links": []}]
        made = more(raw).add("GetImageRangeFromBatch", [-1, 5], images=(loaded, 0))
    relink(raw, made, 0, first, "start_image")
    migrated, report = migrate_value(raw)
    later = [node for node in nodes(migrated, "WanVideoSVIEmbeds") if node["id"] != first["id"]]
    assert len(later) == 2
    assert all(values(node)["padding"] == "last" for node in later)
    padded = [found for found in of_kind(report, "defect") if "last frame" in found.what]
    assert [found.fixed for found in padded] == [False, False]


def test_uses_of_a_subgraph_that_differ_leave_it_alone() -> None:
    """One takes the last frames, the other the first: the widget is an input of the subgraph."""
    raw = pixel_chain(clips=2, unrelated=False)
    name = "33333333-0000-4000-8000-000000000000"
    inner_range = {
        "id": 1, "type": "GetImageRangeFromBatch", "mode": 0, "widgets_values": [-1, 5],
        "inputs": [{"name": "images", "type": "IMAGE", "link": 1}, {"name": "start_index", "type": "INT", "link": 2}],
        "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [3]}],
    }  # fmt: skip
    inner_encode = {
        "id": 2, "type": "WanVideoImageToVideoEncode", "mode": 0, "outputs": [{"name": "e", "type": "E", "links": [4]}],
        "inputs": [{"name": "start_image", "type": "IMAGE", "link": 3}],
        "widgets_values": [64, 64, 17, 0, 1, 1, True, False, False],
    }  # fmt: skip
    raw["definitions"] = {"subgraphs": [{
        "id": name, "name": "led", "nodes": [inner_range, inner_encode],
        "inputs": [{"name": "images", "linkIds": [1]}, {"name": "start_index", "linkIds": [2]}],
        "outputs": [{"name": "e", "linkIds": [4]}],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "IMAGE"},
            {"id": 2, "origin_id": -10, "origin_slot": 1, "target_id": 1, "target_slot": 1, "type": "INT"},
            {"id": 3, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0, "type": "IMAGE"},
            {"id": 4, "origin_id": 2, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "E"},
        ],
    }]}  # fmt: skip
    video = node_of(raw, "WanVideoDecode")
    for start in (-1, 0):
        number = more(raw).add("INTConstant", [start])
        use = more(raw).add("PreviewImage", [], images=(video, 0), start_index=(number, 0))
        use["type"] = name
    migrated, report = migrate_value(raw)
    kinds = [node["type"] for node in migrated["definitions"]["subgraphs"][0]["nodes"]]
    assert kinds == ["GetImageRangeFromBatch", "WanVideoImageToVideoEncode"]
    assert [found.subgraph for found in of_kind(report, "left")] == ["led"]


def test_a_clip_takes_the_size_of_the_clip_that_is_measured() -> None:
    raw = pixel_chain()
    second = node_of(raw, "WanVideoImageToVideoEncode", 1)
    for name in ("width", "height"):
        unlink(raw, second, name)
    second["widgets_values"][:2] = [1280, 720]
    migrated, _ = migrate_value(raw)
    third = max(nodes(migrated, "WanVideoSVIEmbeds"), key=lambda node: node["order"])
    assert (values(third)["width"], values(third)["height"]) == (1280, 720)
    assert feeds(migrated, third, "width") is None


def test_a_knob_for_the_size_turns_every_clip() -> None:
    raw = pixel_chain()
    number = more(raw).add("INTConstant", [64])
    relink(raw, number, 0, node_of(raw, "WanVideoImageToVideoEncode"), "width")
    migrated, _ = migrate_value(raw)
    check_links(migrated)
    for node in nodes(migrated, "WanVideoSVIEmbeds"):
        assert feeds(migrated, node, "width") == ("INTConstant", 0)
        assert feeds(migrated, node, "height") == ("ImageResizeKJv2", 2)


def test_frames_that_were_taken_off_before_the_join_count() -> None:
    raw = pixel_chain(clips=2, trim=4)
    join, decode = node_of(raw, "ImageBatchMulti"), node_of(raw, "WanVideoDecode", 1)
    cut = more(raw).add("GetImageRangeFromBatch", [1, 4096], images=(decode, 0))
    relink(raw, cut, 0, join, "image_2")
    migrated, report = migrate_value(raw)
    assert not of_kind(report, "defect")
    assert values(nodes(migrated, "WanVideoSVIStitch")[0])["overlap_frames"] == 4


def test_motion_frames_of_a_single_image_are_one() -> None:
    """The range node gives what there is, SVI Embeds asks for as many as it is told."""
    raw = pixel_chain(clips=2)
    encode = node_of(raw, "WanVideoImageToVideoEncode")
    tail = more(raw).add("GetImageRangeFromBatch", [-1, 5], images=(node_of(raw, "ImageResizeKJv2"), 0))
    relink(raw, tail, 0, encode, "start_image")
    migrated, _ = migrate_value(raw)
    made = {node["id"]: values(node)["overlap_frames"] for node in nodes(migrated, "WanVideoSVIEmbeds")}
    assert made[encode["id"]] == 1
    assert sorted(made.values()) == [1, 5]


@pytest.mark.parametrize(
    ("index", "value", "what"), [(2, 80, "80 is not 4k.1: the wrapper makes 77"), (0, 850, "850 is not a mult")]
)  # fmt: skip
def test_sizes_that_this_pack_refuses_are_said_before(index: int, value: int, what: str) -> None:
    raw = pixel_chain(clips=2, frames=17)
    encode = node_of(raw, "WanVideoImageToVideoEncode", 1)
    if index == 0:
        unlink(raw, encode, "width")
    encode["widgets_values"][index] = value
    for canvas in nodes(raw, "WanVideoVACEStartToEndFrame"):
        canvas["widgets_values"][0] = encode["widgets_values"][2]
    migrated, report = migrate_value(raw)
    assert not nodes(migrated, "WanVideoSVIEmbeds")
    assert re.search(what, of_kind(report, "left")[0].what)


def test_a_loaded_video_is_not_stitched_unresized() -> None:
    raw = pixel_chain(clips=2)
    join = node_of(raw, "ImageBatchMulti")
    loaded = more(raw).add("LoadImage", ["x", "image"])
    loaded["type"] = "VHS_LoadVideo"
    for node in (node_of(raw, "GetImageSizeAndCount", 1),):
        relink(raw, loaded, 0, node, "image")
    migrated, report = migrate_value(raw)
    assert next(node for node in migrated["nodes"] if node["id"] == join["id"])["type"] == "ImageBatchMulti"
    assert any("resize it before" in found.what for found in of_kind(report, "left"))


@pytest.mark.parametrize("make", [pro_chain, wanex])
def test_optional_values_that_an_api_graph_leaves_out_are_the_nodes_own(make: Any) -> None:
    api = as_api(make())
    for node in api.values():
        for name in ("motion_latent_count", "concat_mask_index", "start_index"):
            node["inputs"].pop(name, None)
    migrated, _ = migrate_value(api)
    json.dumps(migrated)
    for node in migrated.values():
        if node["class_type"] == "WanVideoSVILatentEmbeds":
            assert node["inputs"]["motion_latents"] == 1
        if node["class_type"] == "WanVideoI2VCustomEmbeds":
            assert node["inputs"]["concat_mask_index"] == 0
    assert {"WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds"} & {node["class_type"] for node in migrated.values()}


def test_an_api_canvas_without_its_optional_index_is_the_same_pattern() -> None:
    api = as_api(pixel_chain())
    for node in api.values():
        if node["class_type"] == "WanVideoVACEStartToEndFrame":
            del node["inputs"]["start_index"]
    migrated, _ = migrate_value(api)
    assert [node["class_type"] for node in migrated.values()].count("WanVideoSVIEmbeds") == 2


def test_a_seed_that_cannot_be_set_does_not_cost_the_rest() -> None:
    raw = pixel_chain(seeds=[7, 7, 7])
    second = node_of(raw, "WanVideoSampler", 1)
    late = more(raw).add("WanVideoSampler", second["widgets_values"][:5])
    for name in ("model", "image_embeds"):
        link = next(entry["link"] for entry in second["inputs"] if entry["name"] == name)
        origin = next(each for each in raw["links"] if each[0] == link)
        more(raw).link(next(node for node in raw["nodes"] if node["id"] == origin[1]), origin[2], late, name)
    more(raw).link(second, 0, late, "samples")
    migrated, report = migrate_value(raw)
    assert len(nodes(migrated, "WanVideoSVIEmbeds")) == 2
    fixed = {found.node: found.fixed for found in of_kind(report, "defect")}
    assert fixed == {second["id"]: False, node_of(raw, "WanVideoSampler", 2)["id"]: True}


@pytest.mark.parametrize(
    ("target", "name", "what"),
    [
        ("WanVideoVACEStartToEndFrame", "control_images", "control_images"),
        ("WanVideoImageToVideoEncode", "end_image", "end_image is connected"),
        ("WanVideoImageToVideoEncode", "empty_frame_pad_image", "empty_frame_pad_image"),
    ],
)
def test_known_patterns_with_more_on_them_stay_with_the_reason(target: str, name: str, what: str) -> None:
    raw = pixel_chain(clips=2)
    index = 1 if target == "WanVideoImageToVideoEncode" else 0
    relink(raw, node_of(raw, "ImageResizeKJv2"), 0, node_of(raw, target, index), name)
    migrated, report = migrate_value(raw)
    assert not nodes(migrated, "WanVideoSVIEmbeds")
    assert [what in found.what for found in of_kind(report, "left")] == [True], report.lines()


def test_a_mask_of_ones_own_stays_with_the_reason() -> None:
    raw = pixel_chain(clips=2)
    mask = more(raw).add("LoadImage", ["mask.png", "image"])
    relink(raw, mask, 1, node_of(raw, "WanVideoImageToVideoEncode", 1), "temporal_mask")
    _, report = migrate_value(raw)
    assert ["canvas alone" in found.what for found in of_kind(report, "left")] == [True]


def test_frames_of_a_clip_that_come_another_way_are_said() -> None:
    raw = pixel_chain(clips=2)
    blend = more(raw).add("ImageBatchMulti", [2, None], image_1=(node_of(raw, "WanVideoDecode"), 0))
    more(raw).link(node_of(raw, "WanVideoDecode"), 0, blend, "image_2")
    relink(raw, blend, 0, node_of(raw, "WanVideoImageToVideoEncode", 1), "start_image")
    _, report = migrate_value(raw)
    assert any("a way that this migration does not know" in found.what for found in of_kind(report, "left"))


def test_an_invert_before_the_slice_is_the_same_rule() -> None:
    raw = pixel_chain(rule="first_frame")
    for index in range(2):
        canvas, invert = (node_of(raw, kind, index) for kind in ("WanVideoVACEStartToEndFrame", "InvertMask"))
        cut = next(node for node in nodes(raw, "GetImageRangeFromBatch")
                   if any(entry["name"] == "masks" for entry in node["inputs"])
                   and node["order"] in range(canvas["order"], invert["order"]))  # fmt: skip
        relink(raw, canvas, 1, invert, "mask")
        relink(raw, invert, 0, cut, "masks")
        relink(raw, cut, 1, node_of(raw, "WanVideoImageToVideoEncode", index + 1), "temporal_mask")
    migrated, report = migrate_value(raw)
    assert [values(node)["known_frames"] for node in nodes(migrated, "WanVideoSVIEmbeds")] == ["first_frame"] * 2
    assert not of_kind(report, "defect")
    assert not nodes(migrated, "InvertMask")


def test_the_wrappers_own_padding_image_becomes_the_reference() -> None:
    raw = pixel_chain(clips=2)
    encode = node_of(raw, "WanVideoImageToVideoEncode", 1)
    tail = node_of(raw, "GetImageRangeFromBatch", 0)
    relink(raw, tail, 0, encode, "start_image")
    unlink(raw, encode, "temporal_mask")
    relink(raw, node_of(raw, "ImageResizeKJv2"), 0, encode, "empty_frame_pad_image")
    relink(raw, node_of(raw, "ImageResizeKJv2"), 0, encode, "end_image")
    migrated, _ = migrate_value(raw)
    (made,) = nodes(migrated, "WanVideoSVIEmbeds")
    assert values(made)["mode"] == "film"
    assert values(made)["padding"] == "reference"
    assert feeds(migrated, made, "ref_image") == feeds(migrated, made, "end_image") == ("ImageResizeKJv2", 0)


@pytest.mark.parametrize("mode", [2, 4])
def test_clips_that_are_switched_off_are_said(mode: int) -> None:
    raw = pixel_chain()
    last = node_of(raw, "WanVideoImageToVideoEncode", 2)
    last["mode"] = mode
    _, report = migrate_value(raw)
    assert last["id"] in [found.node for found in of_kind(report, "note")]


def _hints(raw: Raw) -> dict[Any, str]:
    return {found.node: found.what for found in of_kind(migrate_value(raw)[1], "note")}


@pytest.mark.parametrize("mode", [2, 4])
def test_what_would_stay_as_it_is_when_turned_on_gets_no_hint(mode: int) -> None:
    raw = pixel_chain(values=10)
    first, second, third = (node_of(raw, "WanVideoImageToVideoEncode", index) for index in range(3))
    for node in (first, second, third):
        node["mode"] = mode
    third["widgets_values"][9] = 0.5  # augment_empty_frames, which has no counterpart
    hints = _hints(raw)
    assert {first["id"], second["id"], third["id"]} & hints.keys() == {second["id"]}
    assert "would become WanVideoSVIEmbeds" in hints[second["id"]]
    assert ("bypassed" if mode == 4 else "muted") in hints[second["id"]]


def test_a_whole_muted_clip_is_named_with_its_join() -> None:
    raw = pixel_chain()
    last = max(node["order"] for node in raw["nodes"] if node.get("title") == "Clip 2")
    for node in raw["nodes"]:
        if node["order"] > last + 8:  # sampler, decode, join and saver of clip 2
            node["mode"] = 2
    encode, join = node_of(raw, "WanVideoImageToVideoEncode", 2), node_of(raw, "ImageBatchMulti", 1)
    assert encode["mode"] == join["mode"] == 2
    assert _hints(raw) == {
        encode["id"]: "it is muted: with its clip turned on it would become WanVideoSVIEmbeds",
        join["id"]: "it is muted: with its clip turned on it would become WanVideoSVIStitch",
    }


def test_a_clip_in_a_subgraph_that_does_not_run_is_named() -> None:
    raw = _in_subgraph(pixel_chain(clips=2, unrelated=False))
    assert not _hints(raw)
    raw["nodes"][-1]["mode"] = 2
    hints = _hints(raw)
    assert len(hints) == 2  # clip and join
    assert all(hint.startswith("it is in a subgraph that does not run") for hint in hints.values())


def test_a_keyframe_canvas_that_sleeps_is_named_where_its_clip_is() -> None:
    raw = keyframe_canvas()
    encode = node_of(raw, "WanVideoImageToVideoEncode")
    encode["mode"] = 2
    assert _hints(raw).keys() == {encode["id"]}


def test_a_defect_for_the_user_alone_changes_nothing() -> None:
    raw = json.loads((ROOT / "example_workflows/svi_film_chain.json").read_text())
    nodes(raw, "WanVideoSVIStitch")[0]["widgets_values"][0] = 3
    migrated, report = migrate_value(raw)
    assert (report.to_do, report.changes) == (True, False)
    assert migrated == raw


@pytest.mark.parametrize("api", [False, True])
def test_an_svi_lora_on_a_fun_control_model_is_noted_once_for_each_model(api: bool) -> None:
    def notes(model: str, lora: str) -> list[Finding]:
        raw = pixel_chain(lora=lora)
        loader = node_of(raw, "WanVideoModelLoader")
        loader["widgets_values"][0] = model
        value = as_api(raw) if api else raw
        _, report = migrate_value(value)
        return [found for found in of_kind(report, "note") if "Fun Control" in found.what]

    (found,) = notes("Wan2.1-Fun-V1.1-14B-Control.safetensors", "svi-film.safetensors")
    assert found.title.startswith("WanVideoModelLoader") or "Loader" in found.title
    assert "Wan2.1-Fun-V1.1-14B-Control is a Fun Control model, and svi-film is used on it: SVI LoRAs" in found.what
    assert not notes("Wan2.1-Fun-V1.1-14B-Control.safetensors", "style.safetensors")
    assert not notes("Wan2.1-Fun-V1.1-14B-InP.safetensors", "svi-film.safetensors")
    assert not notes("Wan2_1-I2V-14B-480P.safetensors", "svi-film.safetensors")


def test_the_model_without_the_lora_is_not_meant() -> None:
    """Of a pair, the one whose sampler has the SVI LoRA counts."""
    raw = pro_chain()
    high, low = nodes(raw, "WanVideoModelLoader")
    high["widgets_values"][0] = "Wan2.2-Fun-A14B-Control-HIGH.safetensors"
    g = more(raw)
    select = g.add("WanVideoLoraSelect", ["SVI_Wan2.2_v2.0_pro.safetensors", 1, False, False])
    for loader, count in ((low, 0), (high, 1)):
        changed = json.loads(json.dumps(g.raw))
        target = next(node for node in changed["nodes"] if node["id"] == loader["id"])
        source = next(node for node in changed["nodes"] if node["id"] == select["id"])
        relink(changed, source, 0, target, "lora")
        _, report = migrate_value(changed)
        assert sum("Fun Control" in found.what for found in report.findings) == count
