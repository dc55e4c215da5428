"""SVI nodes of other packs are named with the way to the same thing, and native Pro chains are looked through."""

from __future__ import annotations

import re
from typing import Any

import pytest
from old_graphs import Raw, as_api, more, native_pro_chain, node_of, relink
from read_graphs import nodes, of_kind
from wanvideo_svi import NODE_DISPLAY_NAME_MAPPINGS
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value, own_nodes
from wanvideo_svi.wrapper_ext.workflow.find.native import NativeClip, native_clip
from wanvideo_svi.wrapper_ext.workflow.find.others import OTHERS
from wanvideo_svi.wrapper_ext.workflow.find.wires import At, Origin, Wires
from wanvideo_svi.wrapper_ext.workflow.model.graph import Workflow

OF_THE_WRAPPER = ("WanVideo Sampler", "WanVideo Encode")
# Inputs and settings that the advice names, by the node of this pack that has them.
NAMED = {
    "WanVideoSVILatentEmbeds": (
        "anchor_samples", "prev_samples", "end_samples", "motion_latents", "num_frames", "latent_space",
        "fun_or_fl2v_model",
    ),
    "WanVideoSVIEmbeds": ("start_image", "overlap_frames", "end_image"),
    "WanVideoSVILongVideo": ("end_images",),
}  # fmt: skip


def alone(kind: str, values: Any = None) -> Raw:
    node = {"id": 1, "type": kind, "inputs": [], "outputs": [], "widgets_values": values or []}
    return {"nodes": [node], "links": []}


# Named with the way


@pytest.mark.parametrize("kind", OTHERS)
def test_nodes_of_other_packs_are_named_with_what_does_the_same_here(kind: str) -> None:
    raw = alone(kind, ["a", "SVI", 5])
    migrated, report = migrate_value(raw)
    assert migrated == raw
    assert not report.to_do
    (found,) = report.findings
    assert (found.kind, found.pattern in ("P2", "P3", "P6"), found.fixed) == ("left", True, False)
    mine = {title for title in NODE_DISPLAY_NAME_MAPPINGS.values() if title in found.fix}
    assert mine, found.fix


def test_the_advice_names_what_exists() -> None:
    said = " ".join(other.advice + " ".join(other.modes.values()) for other in OTHERS.values())
    titles = [*NODE_DISPLAY_NAME_MAPPINGS.values(), *OF_THE_WRAPPER]
    for start in re.finditer("WanVideo ", said):
        assert any(said.startswith(title, start.start()) for title in titles), said[start.start() :][:60]
    for node, names in NAMED.items():
        for name in names:
            assert name in said
            assert name in own_nodes()[node].inputs, (node, name)


def test_each_kind_is_said_once_with_the_nodes_that_are_of_it() -> None:
    raw = native_pro_chain()
    pros = [node["id"] for node in nodes(raw, "WanImageToVideoSVIPro")]
    (found,) = of_kind(migrate_value(raw)[1], "left")
    assert found.node == pros[0]
    assert f"(and nodes {pros[1]}, {pros[2]})" in found.what


@pytest.mark.parametrize("mode", ["DISABLED", "LATENT_CONTINUE"])
def test_a_node_of_many_uses_is_named_where_it_is_used_for_svi(mode: str) -> None:
    values = [832, 480, 81, 1, "NORMAL", 0.5, 0, mode, 5]
    assert not migrate_value(alone("WanAdvancedI2V", values))[1].findings
    api = {"1": {"class_type": "WanAdvancedI2V", "inputs": {"long_video_mode": mode, "length": 81}}}
    assert not migrate_value(api)[1].findings
    api["1"]["inputs"]["long_video_mode"] = "AUTO_CONTINUE"  # type: ignore[index]
    (found,) = migrate_value(api)[1].findings
    assert "motion_frames as start_image" in found.fix


# Native clips


def but_joins(raw: Raw) -> list[Any]:
    """What the nodes are set to. The joins of decoded videos are replaced in native graphs too."""
    joins = ("ImageBatchExtendWithOverlap", "WanVideoSVIStitch")
    return [(node["id"], node["type"], node["widgets_values"]) for node in raw["nodes"] if node["type"] not in joins]


def clip_at(raw: Raw, node: Raw, slot: int = 0) -> NativeClip | None:
    wires = Wires(Workflow(raw, own_nodes()))
    at = next(at for at in wires.places() if at.node.id == node["id"])
    return native_clip(wires, Origin(at, slot))


def ids(places: tuple[At, ...]) -> list[Any]:
    return [at.node.id for at in places]


@pytest.mark.parametrize("sampler", ["KSampler", "KSamplerAdvanced", "SamplerCustomAdvanced", "shared"])
@pytest.mark.parametrize("kind", ["WanImageToVideoSVIPro", "WanImageToVideoSVIProFLF"])
def test_a_decoded_video_leads_to_its_clip_and_the_clip_before(sampler: str, kind: str) -> None:
    raw = native_pro_chain(sampler=sampler, kind=kind, motion=2, frames=61)
    clip = clip_at(raw, node_of(raw, "VAEDecode", 2))
    pros = [node_of(raw, kind, index)["id"] for index in range(3)]
    wires = Wires(Workflow(raw, own_nodes()))
    seen = []
    while clip is not None:
        seen.append((clip.pro.node.id, clip.length, clip.motion_latents, clip.overlap_frames, len(clip.samplers)))
        clip = clip.before(wires)
    many = 1 if sampler == "KSampler" else 2
    assert seen == [(pros[2], 61, 2, 9, many), (pros[1], 61, 2, 9, many), (pros[0], 61, 0, 1, many)]


def test_a_pro_node_for_each_sampler_is_one_clip() -> None:
    raw = native_pro_chain(two_pro=True)
    clip = clip_at(raw, node_of(raw, "VAEDecode", 1))
    assert clip is not None
    assert ids(clip.samplers) == [node_of(raw, "KSamplerAdvanced", 2)["id"], node_of(raw, "KSamplerAdvanced", 3)["id"]]
    assert clip.pro.node.id == node_of(raw, "WanImageToVideoSVIPro", 3)["id"]
    assert not of_kind(migrate_value(raw)[1], "defect")


def test_latents_that_were_cut_are_counted() -> None:
    raw = native_pro_chain(clips=2)
    cut = more(raw).add("WanCutLastSlot", [2], latents=(node_of(raw, "KSamplerAdvanced", 1), 0))
    assert getattr(clip_at(raw, cut), "cut_latents", None) == 2
    relink(raw, cut, 0, node_of(raw, "WanImageToVideoSVIPro", 1), "prev_samples")
    clip = clip_at(raw, node_of(raw, "VAEDecode", 1))
    before = clip.before(Wires(Workflow(raw, own_nodes()))) if clip else None
    assert before is not None
    assert (before.pro.node.id, before.length, before.cut_latents) == (
        node_of(raw, "WanImageToVideoSVIPro")["id"], 81, 2,
    )  # fmt: skip


def test_what_is_not_a_whole_clip_is_none() -> None:
    raw = native_pro_chain(clips=2)
    decode = node_of(raw, "VAEDecode")
    some = more(raw).add("GetImageRangeFromBatch", [0, 5], images=(decode, 0))
    joined = node_of(raw, "ImageBatchExtendWithOverlap")
    sized = more(raw).add("ImageResizeKJv2", [64, 64, "lanczos", "crop", "0, 0, 0", "center", 16, "cpu"],
                          image=(decode, 0))  # fmt: skip
    assert clip_at(raw, some) is None
    assert clip_at(raw, joined, 2) is None
    assert clip_at(raw, node_of(raw, "VAEEncode")) is None
    found = [clip_at(raw, node) for node in (sized, decode)]
    pro = node_of(raw, "WanImageToVideoSVIPro")["id"]
    assert [clip.pro.node.id if clip else None for clip in found] == [pro, pro]


def test_a_length_that_only_a_run_can_tell_is_none() -> None:
    raw = native_pro_chain(clips=2)
    count = more(raw).add("GetImageSizeAndCount", [], image=(node_of(raw, "LoadImage"), 0))
    relink(raw, count, 3, node_of(raw, "WanImageToVideoSVIPro", 1), "length")
    clip = clip_at(raw, node_of(raw, "VAEDecode", 1))
    assert clip is not None
    assert (clip.length, clip.motion_latents) == (None, 1)


def test_circles_end() -> None:
    raw = native_pro_chain(clips=2)
    relink(raw, node_of(raw, "KSamplerAdvanced", 3), 0, node_of(raw, "KSamplerAdvanced", 2), "latent_image")
    relink(raw, node_of(raw, "KSamplerAdvanced", 3), 0, node_of(raw, "WanImageToVideoSVIPro", 1), "prev_samples")
    migrate_value(raw)
    assert clip_at(raw, node_of(raw, "VAEDecode", 1)) is not None


# Their defects


@pytest.mark.parametrize("sampler", ["KSampler", "KSamplerAdvanced", "SamplerCustomAdvanced"])
@pytest.mark.parametrize("form", ["drawn", "api"])
def test_a_sound_native_chain_has_no_defect(sampler: str, form: str) -> None:
    raw = native_pro_chain(sampler=sampler)
    report = migrate_value(as_api(raw) if form == "api" else raw)[1]
    assert not of_kind(report, "defect"), report.lines()


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([5, "source", "cut"], "shows the anchor for a frame and loses 1 frame"),
        ([4, "new_images", "cut"], "shows 1 frame twice"),
        ([9, "new_images", "cut"], "loses 4 frames"),
        ([5, "new_images", "cut"], ""),
    ],
)
def test_joins_of_native_clips_are_looked_at(values: list[Any], what: str) -> None:
    raw = native_pro_chain(clips=2)
    next(node for node in raw["nodes"] if node["type"] == "ImageBatchExtendWithOverlap")["widgets_values"] = values
    found = [each.what for each in of_kind(migrate_value(raw)[1], "defect")]
    assert len(found) == bool(what)
    assert not found or found[0].endswith(f"this join {what}")


@pytest.mark.parametrize("kind", ["WanImageToVideoSVIPro", "WanImageToVideoSVIProFLF"])
@pytest.mark.parametrize("form", ["drawn", "api"])
def test_native_prev_samples_without_motion_are_said(kind: str, form: str) -> None:
    raw = native_pro_chain(motion=0, kind=kind)
    migrated, report = migrate_value(as_api(raw) if form == "api" else raw)
    if form == "drawn":
        assert but_joins(migrated) == but_joins(raw)
    found = of_kind(report, "defect")
    assert [str(each.node) for each in found] == [str(node_of(raw, kind, index)["id"]) for index in (1, 2)]
    assert all("motion_latent_count is 0" in each.what and not each.fixed for each in found)
    assert report.to_do


@pytest.mark.parametrize("sampler", ["KSampler", "KSamplerAdvanced", "SamplerCustomAdvanced"])
def test_equal_noise_in_a_native_chain_is_said(sampler: str) -> None:
    raw = native_pro_chain(sampler=sampler, seeds=[7, 9, 7])
    migrated, report = migrate_value(raw)
    assert but_joins(migrated) == but_joins(raw)
    (found,) = of_kind(report, "defect")
    assert "its seed 7 is also that of node" in found.what
    assert (found.fix, found.fixed) == ("seed 49", False)
    holder = "RandomNoise" if sampler == "SamplerCustomAdvanced" else sampler
    wanted = {"KSampler": 2, "KSamplerAdvanced": 4, "RandomNoise": 2}[holder]
    assert found.node == node_of(raw, holder, wanted)["id"]


@pytest.mark.parametrize("control", ["fixed", "randomize"])
def test_one_noise_for_several_native_clips_is_said(control: str) -> None:
    raw = native_pro_chain(sampler="shared", control=control)
    (found,) = of_kind(migrate_value(raw)[1], "defect")
    assert found.node == node_of(raw, "RandomNoise")["id"]
    assert "it makes several clips with one seed" in found.what


def test_seeds_that_come_from_one_node_are_equal_whatever_they_are() -> None:
    raw = native_pro_chain(sampler="KSampler")
    seed = more(raw).add("PrimitiveInt", [3, "randomize"])
    for index in range(2):
        relink(raw, seed, 0, node_of(raw, "KSampler", index), "seed")
    (found,) = of_kind(migrate_value(raw)[1], "defect")
    assert "comes from the same node" in found.what


@pytest.mark.parametrize("sampler", ["KSampler", "KSamplerAdvanced", "SamplerCustomAdvanced"])
def test_native_seeds_that_are_drawn_anew_are_no_defect(sampler: str) -> None:
    raw = native_pro_chain(sampler=sampler, seeds=[7, 7, 7], control="randomize")
    assert not of_kind(migrate_value(raw)[1], "defect")


def test_clips_of_other_lengths_have_other_noise() -> None:
    raw = native_pro_chain(sampler="KSampler", seeds=[7, 9, 7])
    node_of(raw, "WanImageToVideoSVIPro", 2)["widgets_values"][0] = 61
    assert not of_kind(migrate_value(raw)[1], "defect")


def test_native_clips_that_do_not_follow_each_other_may_share_a_seed() -> None:
    raw = native_pro_chain(clips=1, sampler="KSampler", seeds=[7])
    other = native_pro_chain(clips=1, sampler="KSampler", seeds=[7])
    for node in other["nodes"]:
        node["id"] += 100
    for link in other["links"]:
        link[0], link[1], link[3] = link[0] + 100, link[1] + 100, link[3] + 100
    for node in other["nodes"]:
        for entry in node["inputs"]:
            entry["link"] += 100
    raw["nodes"] += other["nodes"]
    raw["links"] += other["links"]
    assert not of_kind(migrate_value(raw)[1], "defect")
