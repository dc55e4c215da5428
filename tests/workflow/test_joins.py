"""What joins show, by numbered frames: no repair makes a video worse, and nothing wrong is passed over."""

from __future__ import annotations

from typing import Any

import pytest
from numbered import ANCHOR, Frames, Numbered, a_chain, right, show
from old_graphs import Raw, more, node_of, pixel_chain, pro_chain, relink
from wanvideo_svi.svi_embeds.story.text import parse_story
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value, own_nodes
from wanvideo_svi.wrapper_ext.workflow.find.count import Count, evaluate
from wanvideo_svi.wrapper_ext.workflow.find.videos import STITCHED
from wanvideo_svi.wrapper_ext.workflow.model.report import Report

CASES = 500


def seam_defects(report: Report) -> list[Any]:
    return [
        found
        for found in report.findings
        if found.kind == "defect" and ("join" in found.what or "takes off" in found.what)
    ]


def moments(frames: Frames) -> Frames:
    """Of a blend into an anchor, which is said as a note, the moment that it is blended from."""
    return [frame[0] if isinstance(frame, tuple) and frame[1] == ANCHOR else frame for frame in frames]


def check(made: Numbered) -> str:
    """Raises AssertionError, and says what became of a graph."""
    before = show(made)
    migrated, report = migrate_value(made.raw)
    after = show(made, raw=migrated)
    found = seam_defects(report)
    is_right = moments(before) == right(made)
    case = f"{made.how}: {report.lines()}"
    assert bool(found) != is_right, case
    if is_right:
        assert after == before, case
        return "right"
    if all(defect.fixed for defect in found):
        assert moments(after) == right(made), case
        ghosts = [found for found in report.findings if "the anchor among them" in found.what]
        assert sum(isinstance(frame, tuple) for frame in after) == len(ghosts), case  # none by a repair
        return "mended"
    assert after == before or moments(after) == right(made), case
    return "said"


@pytest.mark.parametrize("part", range(10))
def test_every_repair_shows_each_moment_once_and_no_anchor(part: int) -> None:
    outcomes = [check(a_chain(seed)) for seed in range(part * CASES // 10, (part + 1) * CASES // 10)]
    assert len(set(outcomes)) > 1  # of each kind there are some


# One of each kind, with the values that are right


def kept(raw: Raw, kind: str) -> list[dict[str, Any]]:
    """Widget values of the nodes of a type of this pack, in the order of running."""
    found = sorted((node for node in raw["nodes"] if node["type"] == kind), key=lambda node: node["order"])
    return [own_nodes()[kind].read_values(node["widgets_values"]) for node in found]


@pytest.mark.parametrize(
    ("overlap", "what"),
    [
        (4, "this join shows the anchor for a frame"),
        (5, "this join shows the anchor for a frame and loses 1 frame"),
        (3, "this join shows the anchor for a frame and shows 1 frame twice"),
    ],
)
def test_a_pro_join_that_drops_the_old_end_becomes_drop_new(overlap: int, what: str) -> None:
    migrated, report = migrate_value(pro_chain(clips=2, overlap=overlap, how="cut"))
    assert [found.what.split(", and ")[1] for found in seam_defects(report)] == [what]
    assert all(found.fixed for found in seam_defects(report))
    stitch = kept(migrated, "WanVideoSVIStitch")[0]
    assert (stitch["overlap_frames"], stitch["drop"], stitch["blend"]) == (5, "new", "none")


def test_a_stitch_of_a_pro_clip_that_drops_the_old_end_is_found() -> None:
    migrated, _ = migrate_value(pro_chain(clips=2, side="new_images", how="cut"))
    node = next(node for node in migrated["nodes"] if node["type"] == "WanVideoSVIStitch")
    assert not seam_defects(migrate_value(migrated)[1])
    node["widgets_values"][1] = "old"
    assert "shows the anchor" in seam_defects(migrate_value(migrated)[1])[0].what


@pytest.mark.parametrize(("number", "drop"), [(5, "old"), (4, "old"), (9, "old")])
def test_a_count_less_a_wired_number_is_read_and_checked(number: int, drop: str) -> None:
    raw = pixel_chain(clips=2)
    math = node_of(raw, "SimpleMath+")
    math["widgets_values"] = ["a - b"]
    g = more(raw)
    g.link(g.add("INTConstant", [number]), 0, math, "b")
    migrated, report = migrate_value(raw)
    assert [found.fix for found in seam_defects(report)] == ["overlap of 5 frames"] * (number != 5)
    assert kept(migrated, "WanVideoSVIStitch")[0].items() >= {"overlap_frames": 5, "drop": drop}.items()
    assert not [node for node in migrated["nodes"] if node["type"] in ("SimpleMath+", "INTConstant")]


def feeds(raw: Raw, node: Raw, name: str) -> str:
    """The type of the node that an input is linked to."""
    link = next(entry["link"] for entry in node["inputs"] if entry["name"] == name)
    origin = next(entry[1] for entry in raw["links"] if entry[0] == link)
    return str(next(other["type"] for other in raw["nodes"] if other["id"] == origin))


def trimmed(kind: str, values: list[Any], name: str, batch: str, slot: int = 0) -> Raw:
    """A chain of two film clips whose later one is cut at its start before it is put behind the first."""
    raw = pixel_chain(clips=2)
    g = more(raw)
    first, later = node_of(raw, "WanVideoDecode"), node_of(raw, "WanVideoDecode", 1)
    cut = g.add(kind, values, **{name: (later, 0)})
    names = ("image1", "image2") if batch == "ImageBatch" else ("image_1", "image_2")
    join = g.add(
        batch, [2, None] if batch == "ImageBatchMulti" else [], **{names[0]: (first, 0), names[1]: (cut, slot)}
    )
    relink(raw, join, 0, node_of(raw, "VHS_VideoCombine", 1), "images")
    for gone in ("ImageBatchMulti", "SimpleMath+"):
        node = node_of(raw, gone)
        if node is not join:
            node["mode"] = 2
    return raw


@pytest.mark.parametrize("batch", ["ImageBatch", "ImageBatchMulti"])
@pytest.mark.parametrize("off", [5, 3])
@pytest.mark.parametrize(
    ("kind", "values", "name", "slot"),
    [
        ("GetImageRangeFromBatch", lambda off: [off, 17 - off], "images", 0),
        ("GetImageRangeFromBatch", lambda off: [off, 4096], "images", 0),
        ("ImageFromBatch", lambda off: [off, 4096], "image", 0),
        ("ImageFromBatch+", lambda off: [off, -1], "image", 0),
        ("VHS_SelectImages", lambda off: [f"{off}:", True, True], "image", 0),
        ("VHS_SplitImages", lambda off: [off], "images", 2),
    ],
)
def test_a_later_clip_that_is_cut_at_its_start_is_counted_and_replaced(
    kind: str, values: Any, name: str, slot: int, off: int, batch: str
) -> None:
    migrated, report = migrate_value(trimmed(kind, values(off), name, batch, slot))
    assert len(seam_defects(report)) == (off != 5)
    assert kept(migrated, "WanVideoSVIStitch")[0].items() >= {"overlap_frames": 5, "drop": "new"}.items()
    stitch = next(node for node in migrated["nodes"] if node["type"] == "WanVideoSVIStitch")
    assert [feeds(migrated, stitch, f"images_{index}") for index in (1, 2)] == ["WanVideoDecode"] * 2


@pytest.mark.parametrize(
    ("kind", "values", "name", "slot"),
    [
        ("GetImagesFromBatchIndexed", ["-5, -4, -3,-2,-1"], "images", 0),
        ("GetImageRangeFromBatch", [12, 5], "images", 0),
        ("ImageFromBatch", [12, 5], "image", 0),
        ("ImageFromBatch", [-5, 5], "image", 0),
        ("ImageFromBatch+", [12, -1], "image", 0),
        ("ImageFromBatch+", [-5, 5], "image", 0),
        ("VHS_SelectImages", ["-5:", True, True], "image", 0),
        ("VHS_SplitImages", [12], "images", 2),
        ("VHS_SplitImages", [-5], "images", 2),
        ("ImageBatchExtendWithOverlap", None, "", 1),
    ],
)
def test_the_last_frames_by_any_node_lead_a_clip(kind: str, values: list[Any] | None, name: str, slot: int) -> None:
    raw = pixel_chain(clips=2)
    g = more(raw)
    counter, canvas = node_of(raw, "GetImageSizeAndCount"), node_of(raw, "WanVideoVACEStartToEndFrame")
    if values is None:
        taker = g.add(kind, [5, "source", "cut"], source_images=(counter, 0))
    else:
        taker = g.add(kind, values, **{name: (counter, 0)})
    relink(raw, taker, slot, canvas, "start_image")
    migrated, report = migrate_value(raw)
    made = kept(migrated, "WanVideoSVIEmbeds")
    assert made, report.lines()
    assert (made[0]["mode"], made[0]["overlap_frames"]) == ("film", 5)
    assert not seam_defects(report)


@pytest.mark.parametrize(
    ("kind", "values", "name"),
    [
        ("GetImageRangeFromBatch", [11, 5], "images"),  # one frame short of the end
        ("GetImagesFromBatchIndexed", ["-1, -2"], "images"),  # backwards
        ("VHS_SelectImages", ["-5:-1", True, True], "image"),
        ("VHS_SelectImages", ["::2", True, True], "image"),
    ],
)
def test_other_frames_are_not_taken_for_the_last(kind: str, values: list[Any], name: str) -> None:
    raw = pixel_chain(clips=2)
    counter, canvas = node_of(raw, "GetImageSizeAndCount"), node_of(raw, "WanVideoVACEStartToEndFrame")
    relink(raw, more(raw).add(kind, values, **{name: (counter, 0)}), 0, canvas, "start_image")
    assert not kept(migrate_value(raw)[0], "WanVideoSVIEmbeds")


def test_pictures_picked_out_of_clips_are_no_seam() -> None:
    raw = pixel_chain(clips=2)
    g = more(raw)
    picked = [
        g.add("GetImageRangeFromBatch", [0, 1], images=(node_of(raw, "WanVideoDecode", index), 0)) for index in (0, 1)
    ]
    g.add("PreviewImage", [], images=(g.add("ImageBatch", [], image1=(picked[0], 0), image2=(picked[1], 0)), 0))
    assert not seam_defects(migrate_value(raw)[1])


def test_every_video_input_of_stitch_is_known() -> None:
    inputs = own_nodes()["WanVideoSVIStitch"].inputs
    assert tuple(name for name in inputs if name.startswith("images_")) == STITCHED


# What a repair needs


def test_equal_seeds_without_an_svi_lora_are_a_note() -> None:
    raw = pixel_chain(clips=2, overlap=1, seeds=[7, 7], lora="longvie2_attn_layers_lora.safetensors")
    migrated, report = migrate_value(raw)
    found = [each for each in report.findings if "seed 7" in each.what]
    assert [(each.kind, each.fixed) for each in found] == [("note", False)]
    assert "no SVI LoRA" in found[0].what
    assert [node["widgets_values"][3] for node in migrated["nodes"] if node["type"] == "WanVideoSampler"] == [7, 7]


@pytest.mark.parametrize(
    ("lora", "mode"), [("svi-tom", "tom"), ("longvie2_attn", "i2v"), ("svi-film", "film"), ("svi-shot", "shot")]
)
def test_a_chain_is_called_tom_with_its_lora_only(lora: str, mode: str) -> None:
    migrated, _ = migrate_value(pixel_chain(clips=2, overlap=1, lora=f"{lora}.safetensors"))
    assert [node["mode"] for node in kept(migrated, "WanVideoSVIEmbeds")] == [mode]


def test_the_last_frame_as_padding_stays_where_no_svi_lora_wants_another() -> None:
    raw = pixel_chain(clips=2, overlap=1, padding="last", lora="other.safetensors")
    migrated, report = migrate_value(raw)
    assert kept(migrated, "WanVideoSVIEmbeds")[0]["padding"] == "last"
    assert not [found for found in report.findings if found.kind == "defect"]


# Stories


def test_a_graph_with_one_clip_becomes_a_story_of_one_block() -> None:
    migrated, report = migrate_value(pixel_chain(clips=1), as_story=True)
    node = kept(migrated, "WanVideoSVILongVideo")[0]
    clips = parse_story(node["story"])
    assert [(clip.prompt, clip.mode) for clip in clips] == [("clip 1", "i2v")]
    assert node["mode"] == "film"  # what its LoRA is for
    assert any("write --- on a line of its own" in line for line in report.lines())


def test_of_a_join_that_was_left_and_vanishes_the_story_says_what_it_did() -> None:
    raw = pro_chain(clips=2, how="ease_in_out")
    _, report = migrate_value(raw, as_story=True)
    assert any("the reel joins the clips now" in line and "ease_in_out" in line for line in report.lines())


# Numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b", 12), ("a-5", 12), ("(a - 1) * 2 // 3", 10), ("-a + 20", 3), ("max(a, b)", 17), ("a / b", 3.4),
        ("a % 4", 1), ("round(a / 2)", 8), ("16", 16), ("a ** b", None), ("a - x", None), ("", None), ("a -", None),
        ("a // 0", None), ("__import__('os')", None), ("a.real", None), ("[1][0]", None), ("1" * 300, None),
        ("(" * 100 + "a" + ")" * 99, None), ("a == 17", None), ("9999999999 * 99999", None),
    ],
)  # fmt: skip
def test_arithmetic_of_the_math_nodes(text: str, expected: float | None) -> None:
    assert evaluate(text, {"a": 17, "b": 5}) == expected


def test_a_length_that_is_not_known_is_counted_with() -> None:
    length = Count.of("video")
    assert evaluate("(a + 3) - b - 3", {"a": length, "b": 5}) == length - 5
    assert evaluate("a - a + 2", {"a": length}) == Count(2)
    assert (length - 5).sign == 1
    assert (length - Count.of("other")).sign is None
    assert evaluate("a // 2", {"a": length}) is None
