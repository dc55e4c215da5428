"""A canvas of keyframes (P5) becomes SVI Temporal Mask where that makes the same frames and masks, to the bit."""

from __future__ import annotations

import copy
import random
from collections import Counter
from typing import Any

import pytest
import torch
from keyframe_nodes import HEIGHT, WIDTH, Runner
from old_graphs import Raw, as_api, keyframe_canvas, more, node_of, relink, unlink
from read_graphs import check_links, feeds, nodes, of_kind, values
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value

# What the nodes of the old graphs do with their images, small. tests/host holds them against the nodes themselves.


def assert_equal(raw: Raw, migrated: Raw) -> None:
    for old, new in zip(Runner(raw).encoded(), Runner(migrated).encoded(), strict=True):
        assert old is not None
        assert new is not None
        assert torch.equal(old, new)


def small(**kinds: Any) -> Raw:
    return keyframe_canvas(**{"width": WIDTH, "height": HEIGHT} | kinds)


# The property


def canvas_of(draw: random.Random) -> Raw:
    """A canvas as somebody might wire it: what Temporal Mask can say, what it cannot, and what fails already."""
    frames = draw.choice([9, 13, 17])
    keys = [(draw.randrange(0, frames + 1), draw.choice([1, 1, 1, 5])) for _ in range(draw.randrange(0, 4))]
    if draw.random() < 0.7:  # most in order and with room between them
        spots = sorted(draw.sample(range(1, frames - 1), min(len(keys), 3)))
        keys = [(spot, 1) for spot in spots]
        draw.shuffle(keys)
    raw = small(
        frames=frames, start=draw.choice([0, 1, 1, 2, 5]), clip=draw.random() < 0.3, end=draw.random() < 0.6,
        keys=tuple(keys), level=draw.choice([0.5, 0.5, 0, 0.3]), constant=draw.random() < 0.3,
        wires=draw.random() < 0.3, rule=draw.choice(["inverted"] * 6 + ["not_inverted", "no_mask"]),
    )  # fmt: skip
    for change in draw.sample(CHANGES, draw.choice([0, 0, 0, 1, 2])):
        change(raw, draw)
    return raw


def _start_later(raw: Raw, draw: random.Random) -> None:
    node_of(raw, "WanVideoVACEStartToEndFrame")["widgets_values"][2] = draw.randrange(0, 6)


def _end_sooner(raw: Raw, draw: random.Random) -> None:
    node_of(raw, "WanVideoVACEStartToEndFrame")["widgets_values"][3] = draw.randrange(-6, 9)


def _no_mask_here(raw: Raw, draw: random.Random) -> None:
    found = nodes(raw, "ReplaceImagesInBatch")
    if found:
        node = draw.choice(found)
        unlink(raw, node, draw.choice(["replacement_masks", "original_masks"]))


def _white(raw: Raw, draw: random.Random) -> None:
    for node in nodes(raw, "SolidMask"):
        node["widgets_values"][0] = draw.choice([0, 1, 0.5])


def _cut_mask(raw: Raw, draw: random.Random) -> None:
    encode = nodes(raw, "WanVideoImageToVideoEncode")[-1]
    if any(entry["name"] == "temporal_mask" and entry["link"] is not None for entry in encode["inputs"]):
        entry = next(entry for entry in encode["inputs"] if entry["name"] == "temporal_mask")
        link = next(link for link in raw["links"] if link[0] == entry["link"])
        source = next(node for node in raw["nodes"] if node["id"] == link[1])
        cut = more(raw).add("GetImageRangeFromBatch", [0, draw.randrange(1, 17)], masks=(source, link[2]))
        relink(raw, cut, 1, encode, "temporal_mask")


def _controls(raw: Raw, draw: random.Random) -> None:
    image = draw.choice(nodes(raw, "ImageResizeKJv2")) if nodes(raw, "ImageResizeKJv2") else None
    if image:
        more(raw).link(image, 0, node_of(raw, "WanVideoVACEStartToEndFrame"), "control_images")


CHANGES = [_start_later, _end_sooner, _no_mask_here, _white, _cut_mask, _controls]


@pytest.mark.parametrize("block", range(5))
def test_a_replaced_canvas_makes_the_same_frames_and_masks(block: int) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(200 * block, 200 * block + 200):
        raw = canvas_of(random.Random(seed))
        migrated, report = migrate_value(raw)
        check_links(migrated)
        encode = next(node for node in raw["nodes"] if node.get("title") == "The way")
        made = nodes(migrated, "WanVideoSVITemporalMask")
        if not made:
            assert nodes(migrated, "ReplaceImagesInBatch") == nodes(raw, "ReplaceImagesInBatch")
            known = [found.what for found in of_kind(report, "left") if found.node == encode["id"]]
            outcomes["left" if known else "no canvas"] += 1
            continue
        frames, mask = Runner(migrated).encoded()
        repaired = [found for found in of_kind(report, "defect") if found.node == encode["id"]]
        if repaired:  # then the frames are the same, and kept is what was given
            outcomes["repaired"] += 1
            old = Runner(raw).encoded()[0]
            assert torch.equal(frames, old), seed
            level = float(nodes(raw, "WanVideoVACEStartToEndFrame")[0]["widgets_values"][1])
            given = [not torch.equal(frame, torch.full_like(frame, level)) for frame in old]
            assert mask is not None
            assert [bool(each.all()) for each in mask] == given, seed
            continue
        outcomes["replaced"] += 1
        assert_equal(raw, migrated)
    assert outcomes["replaced"] > 50, outcomes
    assert outcomes["repaired"] > 10, outcomes
    assert outcomes["left"] > 20, outcomes


# One by one


def test_start_keyframes_and_end_become_one_node_and_the_rest_goes() -> None:
    raw = small(start=5, clip=True, keys=((8, 1), (11, 1)), wires=True, constant=True)
    migrated, report = migrate_value(raw)
    check_links(migrated)
    (made,) = nodes(migrated, "WanVideoSVITemporalMask")
    got = values(made)
    assert (got["overlap_frames"], got["keyframes"], got["empty_level"]) == (5, "8, 11", 0.5)
    assert feeds(migrated, made, "motion_frames") == ("WanVideoDecode", 0)
    assert feeds(migrated, made, "end_image") == ("ImageResizeKJv2", 0)
    assert feeds(migrated, made, "num_frames") == ("INTConstant", 0)
    encode = next(node for node in migrated["nodes"] if node.get("title") == "The way")
    assert feeds(migrated, encode, "start_image") == ("WanVideoSVITemporalMask", 0)
    assert feeds(migrated, encode, "temporal_mask") == ("WanVideoSVITemporalMask", 1)
    (batch,) = nodes(migrated, "ImageBatchMulti")
    assert batch["widgets_values"] == [2]
    gone = ("WanVideoVACEStartToEndFrame", "ReplaceImagesInBatch", "InvertMask", "SolidMask", "GetImageRangeFromBatch",
            "Reroute", "GetNode", "SetNode")  # fmt: skip
    assert not [node for kind in gone for node in nodes(migrated, kind)]
    assert [found.pattern for found in of_kind(report, "rewrite")] == ["P5"]
    assert not of_kind(report, "defect")
    assert_equal(raw, migrated)


def test_one_keyframe_needs_no_batch() -> None:
    raw = small(end=False, keys=((4, 5),))
    migrated, _ = migrate_value(raw)
    (made,) = nodes(migrated, "WanVideoSVITemporalMask")
    assert values(made)["keyframes"] == "4-8"
    assert feeds(migrated, made, "keyframe_images") == ("RepeatImageBatch", 0)
    assert not nodes(migrated, "ImageBatchMulti")
    assert_equal(raw, migrated)


def test_what_was_migrated_is_left_alone_the_second_time() -> None:
    migrated, _ = migrate_value(small(start=5, clip=True, keys=((8, 1), (11, 1))))
    again, report = migrate_value(migrated)
    assert again == migrated
    assert not report.findings, report.lines()


def test_an_api_graph_with_keyframes_becomes_the_same() -> None:
    raw = small(keys=((6, 1), (9, 1)))
    drawn, _ = migrate_value(raw)
    migrated, report = migrate_value(as_api(raw))
    made = next(node for node in migrated.values() if node["class_type"] == "WanVideoSVITemporalMask")
    assert made["inputs"]["keyframes"] == values(nodes(drawn, "WanVideoSVITemporalMask")[0])["keyframes"]
    batch = migrated[made["inputs"]["keyframe_images"][0]]
    assert batch["class_type"] == "ImageBatchMulti"
    assert sorted(batch["inputs"]) == ["image_1", "image_2", "inputcount"]
    assert report.to_do


def test_keyframes_are_batched_in_the_order_of_their_frames() -> None:
    raw = small(keys=((11, 1), (6, 1)))
    migrated, _ = migrate_value(raw)
    assert values(nodes(migrated, "WanVideoSVITemporalMask")[0])["keyframes"] == "6, 11"
    assert_equal(raw, migrated)


@pytest.mark.parametrize(("rule", "what"), [("not_inverted", "black for the frames to keep"),
                                            ("no_mask", "no temporal_mask")])  # fmt: skip
def test_a_wrong_mask_is_found_once_and_repaired(rule: str, what: str) -> None:
    migrated, report = migrate_value(small(rule=rule))
    assert [(what in found.what, found.fixed) for found in of_kind(report, "defect")] == [(True, True)]
    assert_equal(small(), migrated)


def _unmasked(raw: Raw) -> None:
    replace = node_of(raw, "ReplaceImagesInBatch")
    relink(raw, node_of(raw, "WanVideoVACEStartToEndFrame"), 1, node_of(raw, "InvertMask"), "mask")
    unlink(raw, replace, "original_masks")
    unlink(raw, replace, "replacement_masks")


def _masked_with_a_picture(raw: Raw) -> None:
    relink(raw, node_of(raw, "LoadImage"), 1, node_of(raw, "ReplaceImagesInBatch"), "replacement_masks")


def _end_beside(raw: Raw) -> None:
    more(raw).link(node_of(raw, "ImageResizeKJv2"), 0, node_of(raw, "WanVideoImageToVideoEncode"), "end_image")


def _inpaint(raw: Raw) -> None:
    more(raw).link(node_of(raw, "SolidMask"), 0, node_of(raw, "WanVideoVACEStartToEndFrame"), "inpaint_mask")


def _controlled(raw: Raw) -> None:
    more(raw).link(node_of(raw, "ImageResizeKJv2"), 0, node_of(raw, "WanVideoVACEStartToEndFrame"), "control_images")


def _out_of_room(raw: Raw) -> None:
    node_of(raw, "ReplaceImagesInBatch")["widgets_values"][0] = 17


def _any_size(raw: Raw) -> None:
    relink(raw, node_of(raw, "LoadImage"), 0, node_of(raw, "WanVideoVACEStartToEndFrame"), "start_image")


def _half(raw: Raw) -> None:
    node_of(raw, "SolidMask")["widgets_values"][0] = 0.5


def _used_elsewhere(raw: Raw) -> None:
    more(raw).add("WanVideoImageToVideoEncode", [32, 16, 17, 0, 1, 1, True, True, False],
                  start_image=(node_of(raw, "ReplaceImagesInBatch"), 0))  # fmt: skip


def _partly_overwritten(raw: Raw) -> None:
    node_of(raw, "ReplaceImagesInBatch")["widgets_values"][0] = 1


def _longer(raw: Raw) -> None:
    node_of(raw, "WanVideoVACEStartToEndFrame")["widgets_values"][0] = 21


def _any_length(raw: Raw) -> None:
    decode = next(node for node in raw["nodes"] if node["type"] == "LoadImage")
    decode["type"] = "VHS_LoadVideo"


@pytest.mark.parametrize(
    ("change", "kinds", "what"),
    [
        (_unmasked, {}, "frame 8 of its canvas has an image and is not marked as known"),
        (_masked_with_a_picture, {}, "which only a run can tell"),
        (_end_beside, {}, "end_image is connected beside a canvas"),
        (_inpaint, {}, "inpaint_mask"),
        (_controlled, {}, "control_images"),
        (_out_of_room, {}, "has no room there"),
        (_any_size, {}, "whether start_image of the canvas has the size"),
        (_half, {}, "is kept by 0.5"),
        (_used_elsewhere, {}, "too: give each clip a canvas of its own"),
        (_partly_overwritten, {"start": 3}, "only some stay in the canvas"),
        (_longer, {}, "other counts of frames"),
        (_any_length, {}, "is known only when the graph runs"),
        (lambda _: None, {"frames": 15}, "4k+1"),
        (lambda _: None, {"keys": ((1, 1), (2, 1), (3, 1)), "frames": 5}, "leave nothing to generate"),
        (lambda _: None, {"height": 20}, "height 20 is not a multiple of 16"),
    ],
)
def test_what_the_node_cannot_say_equally_stays_with_the_reason(change: Any, kinds: dict[str, Any], what: str) -> None:
    raw = small(**kinds)
    change(raw)
    before = copy.deepcopy(raw)
    migrated, report = migrate_value(raw)
    assert not nodes(migrated, "WanVideoSVITemporalMask")
    assert any(what in found.what for found in of_kind(report, "left")), report.lines()
    assert migrated == before


def test_a_square_canvas_needs_images_of_its_size() -> None:
    """KJNodes cuts the middle out of an image of another size there."""
    square = small(height=WIDTH)
    assert nodes(migrate_value(square)[0], "WanVideoSVITemporalMask")
    load = node_of(square, "LoadImage", 2)
    relink(square, load, 0, node_of(square, "ReplaceImagesInBatch"), "replacement_images")
    migrated, report = migrate_value(square)
    assert not nodes(migrated, "WanVideoSVITemporalMask")
    assert any("the images at 8 have the size" in found.what for found in of_kind(report, "left"))
    wide = small()
    relink(wide, node_of(wide, "LoadImage", 2), 0, node_of(wide, "ReplaceImagesInBatch"), "replacement_images")
    assert nodes(migrate_value(wide)[0], "WanVideoSVITemporalMask")  # there another size fails before


def test_masks_that_something_else_needs_keep_the_canvas() -> None:
    raw = small()
    more(raw).add("GetImageRangeFromBatch", [0, 5], masks=(node_of(raw, "InvertMask"), 0))
    migrated, report = migrate_value(raw)
    assert not nodes(migrated, "WanVideoSVITemporalMask")
    assert any("its masks go to node" in found.what for found in of_kind(report, "left"))


def test_previews_of_the_canvas_stay_with_what_shows_the_same() -> None:
    raw = small()
    more(raw).add("PreviewImage", [], images=(node_of(raw, "ReplaceImagesInBatch"), 0))
    migrated, _ = migrate_value(raw)
    check_links(migrated)
    assert feeds(migrated, nodes(migrated, "PreviewImage")[0], "images") == ("WanVideoSVITemporalMask", 0)


def test_equal_seeds_of_a_chain_through_keyframes_are_seen() -> None:
    """The clip before is known through the canvas, and through the node that takes its place."""
    raw = small(start=5, clip=True)
    for node in nodes(raw, "WanVideoSampler"):
        node["widgets_values"][3] = 11
    migrated, report = migrate_value(raw)
    assert sum("seed 11" in found.what for found in of_kind(report, "note")) == 1
    assert sum("seed 11" in found.what for found in of_kind(migrate_value(migrated)[1], "note")) == 1


def test_a_story_does_not_lose_keyframes() -> None:
    raw = small(start=5, clip=True)
    for graph in (raw, migrate_value(raw)[0]):
        with pytest.raises(SVIError, match="clip 2 cannot become part of a story"):
            migrate_value(graph, as_story=True)
