"""What of a chain of clips a story cannot say is refused or said, never lost."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from edit_graphs import OUTER, Edit
from helpers import planned
from old_graphs import Raw, as_api, mutated, pixel_chain, pro_chain
from project import ROOT
from read_graphs import check_links, feeds, nodes, of_kind, values
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value
from wanvideo_svi.wrapper_ext.workflow.model.report import Report


def story(raw: Raw) -> tuple[Raw, Raw, Report]:
    """The graph, its Long Video node, and the report."""
    migrated, report = migrate_value(raw, as_story=True)
    check_links(migrated)
    (made,) = nodes(migrated, "WanVideoSVILongVideo")
    return migrated, made, report


def notes(report: Report) -> list[str]:
    """Notes but for the one that every old graph's joins get: they drop the end of the earlier clip."""
    found = [each.what for each in of_kind(report, "note")]
    return [what for what in found if "joins dropped the end of the earlier clip" not in what]


def refused(raw: Raw, what: str) -> None:
    with pytest.raises(SVIError, match=what):
        migrate_value(raw, as_story=True)


def settings(migrated: Raw) -> list[Raw]:
    return nodes(migrated, "WanVideoSamplerSettings")


# Links


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("LoadWanVideoT5TextEncoder", "t5"), ("WanVideoVAELoader", "vae"), ("ImageResizeKJv2", "start_image"),
        ("WanVideoSetLoRAs", "model"),
    ],
)  # fmt: skip
def test_what_a_subgraph_makes_is_linked_to_the_subgraph(kind: str, name: str) -> None:
    g = Edit(pixel_chain(unrelated=False))
    loader = g.all("LoadImage")[0]
    outer = g.into_subgraph(g.all(kind)[0], id_inside=loader["id"])  # an id that another node has outside
    migrated, made, _ = story(g.raw)
    taker = settings(migrated)[0] if name == "model" else made
    assert feeds(migrated, taker, name) == (OUTER, 0)
    assert outer["id"] in {node["id"] for node in migrated["nodes"]}


def test_a_reference_and_a_clip_vision_model_of_a_subgraph_are_linked_to_it() -> None:
    g = Edit(pixel_chain(padding="reference", unrelated=False))
    other = g.add("LoadImage", ["other.png", "image"], ("IMAGE", "IMAGE"), ("MASK", "MASK"))
    for repeat in g.all("RepeatImageBatch"):
        g.link(other, 0, repeat, "image")
    vision = g.add("CLIPVisionLoader", ["h.safetensors"], ("CLIP_VISION", "CLIP_VISION"))
    _with_vision(g, vision)
    g.into_subgraph(other, vision, id_inside=1)
    migrated, made, _ = story(g.raw)
    assert feeds(migrated, made, "ref_image") == (OUTER, 0)
    assert feeds(migrated, made, "clip_vision") == (OUTER, 1)


def _with_vision(g: Edit, loader: Raw, values: tuple[Any, ...] = (1, 1, "center", "average", True, 0, 0.2)) -> None:
    """CLIP vision of what leads each clip."""
    for index, encode in enumerate(g.all("WanVideoImageToVideoEncode")):
        canvas, slot = g.source(encode, "start_image")
        image = g.source(canvas, "start_image") if index else (canvas, slot)
        made = g.add(
            "WanVideoClipVisionEncode", values, ("image_embeds", "WANVIDIMAGE_CLIPEMBEDS"),
            clip_vision=(loader, 0), image_1=image,
        )  # fmt: skip
        g.link(made, 0, encode, "clip_embeds")


def test_a_sampler_setting_that_a_subgraph_computes_stays_linked() -> None:
    g = Edit(pixel_chain(unrelated=False))
    steps = g.add("StepsFromSomewhere", [], ("INT", "INT"))
    cache = g.add("WanVideoTeaCache", [0.2], ("cache_args", "CACHEARGS"))
    for sampler in g.all("WanVideoSampler"):
        g.link(steps, 0, sampler, "steps")
        g.link(cache, 0, sampler, "cache_args")
    g.into_subgraph(steps, cache, id_inside=1)
    migrated, _, _ = story(g.raw)
    (made,) = settings(migrated)
    assert feeds(migrated, made, "steps") == (OUTER, 0)
    assert feeds(migrated, made, "cache_args") == (OUTER, 1)


def test_what_a_subgraph_keeps_inside_is_refused() -> None:
    g = Edit(pixel_chain(unrelated=False, clips=2))
    text, encoder = g.all("WanVideoTextEncode"), g.all("LoadWanVideoT5TextEncoder")[0]
    g.into_subgraph(*text, encoder, id_inside=1)
    refused(g.raw, "clip 1 .* t5 of .* inside a subgraph")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("WanVideoVAELoader", "vae"), ("WanVideoSetLoRAs", "model"), ("LoadWanVideoT5TextEncoder", "t5"),
        ("LoadImage", "start_image"),
    ],
)  # fmt: skip
def test_a_needed_input_that_is_linked_to_nothing_that_runs_is_refused(kind: str, name: str) -> None:
    g = Edit(pixel_chain(unrelated=False))
    if kind == "LoadImage":
        g.link(g.all(kind)[0], 0, g.all("WanVideoImageToVideoEncode")[0], "start_image")
    g.all(kind)[0]["mode"] = 2
    refused(g.raw, rf"clip \d .*{name} of .* nothing that runs .*node \d+")


def test_a_sampler_setting_that_is_linked_to_nothing_that_runs_is_refused() -> None:
    g = Edit(pixel_chain())
    steps = g.add("StepsFromSomewhere", [], ("INT", "INT"), mode=2)
    for sampler in g.all("WanVideoSampler"):
        g.link(steps, 0, sampler, "steps")
    refused(g.raw, r"clip 3 .* steps of .* nothing that runs \(node")


def test_a_link_to_the_chains_own_video_is_refused() -> None:
    g = Edit(pixel_chain())
    poses = g.add("PosesOf", [], ("poses", "UNI3C_EMBEDS"), images=(g.all("WanVideoDecode")[0], 0))
    g.link(poses, 0, g.all("WanVideoSampler")[2], "uni3c_embeds")
    refused(g.raw, "clip 3 .* uni3c_embeds .* chain's own video")


# Between a clip's nodes


def test_a_node_between_embeds_and_sampler_is_refused() -> None:
    g = Edit(pixel_chain())
    g.insert("WanVideoAddLynxEmbeds", g.all("WanVideoSampler")[1], "image_embeds", "embeds")
    refused(g.raw, r"clip 2 .*WanVideoAddLynxEmbeds \(node \d+\) stands between")


def test_latents_between_the_stages_are_refused() -> None:
    g = Edit(pro_chain())
    g.insert("LatentUpscaleBy", g.all("WanVideoSampler")[3], "samples", "samples")
    refused(g.raw, "clip 2 .* second sampler come from LatentUpscaleBy")


@pytest.mark.parametrize("clip", [0, 1, 2])
def test_samples_on_the_first_sampler_of_any_clip_are_refused(clip: int) -> None:
    g = Edit(pixel_chain())
    g.link(g.add("LoadLatent", ["x"], ("LATENT", "LATENT")), 0, g.all("WanVideoSampler")[clip], "samples")
    refused(g.raw, f"clip {clip + 1} .*samples are connected to its first sampler")


def test_another_text_on_the_second_sampler_is_refused_and_none_is_said() -> None:
    g = Edit(pro_chain())
    other = copy.deepcopy(g.raw)
    texts = g.all("WanVideoTextEncode")
    g.link(texts[0], 0, g.all("WanVideoSampler")[3], "text_embeds")
    refused(g.raw, "clip 2 .*second sampler has another text")
    g = Edit(other)
    g.cut(g.all("WanVideoSampler")[3], "text_embeds")
    _, _, report = story(g.raw)
    assert any("had no text" in what for what in notes(report))


def test_another_seed_on_the_second_sampler_is_said_once() -> None:
    g = Edit(pro_chain())
    for sampler in g.all("WanVideoSampler")[1::2]:
        sampler["widgets_values"][3] = 99
    _, _, report = story(g.raw)
    assert sum("two seeds" in what for what in notes(report)) == 1


def test_options_that_only_some_clips_have_are_said_per_clip() -> None:
    g = Edit(pixel_chain(clips=4))
    samplers = g.all("WanVideoSampler")
    for sampler, threshold in zip(samplers[1:], (0.2, 0.3, 0.3), strict=True):
        cache = g.add("WanVideoTeaCache", [threshold], ("cache_args", "CACHEARGS"))
        g.link(cache, 0, sampler, "cache_args")
    g.link(g.add("WanVideoSLG", [9], ("slg_args", "SLGARGS")), 0, samplers[0], "slg_args")
    migrated, _, report = story(g.raw)
    assert feeds(migrated, settings(migrated)[0], "cache_args") == ("WanVideoTeaCache", 0)
    said = notes(report)
    assert sum("has no cache_args" in what for what in said) == 1
    assert sum("cache_args differs" in what for what in said) == 1  # clip 3 has a node of its own, set alike
    assert sum("slg_args" in what and "goes" in what for what in said) == 1


@pytest.mark.parametrize(
    ("example", "name"), [("svi_talk_chain", "multitalk_embeds"), ("svi_dance_chain", "unianimate_poses")]
)
def test_what_each_clip_had_its_part_of_is_whole_in_the_story(example: str, name: str) -> None:
    raw = json.loads((ROOT / f"example_workflows/{example}.json").read_text())
    g = Edit(raw)
    window = next(node for node in raw["nodes"] if node["type"] in ("WanVideoSVIAudioWindow", "WanVideoSVIPoseWindow"))
    whole = g.source(window, name)[0]["id"]
    moved = copy.deepcopy(raw)
    migrated, _, report = story(raw)
    assert _source(migrated, settings(migrated)[0], name) == whole
    assert not any(name in what for what in notes(report))
    next(node for node in moved["nodes"] if node["id"] == window["id"])["widgets_values"][0] = 1
    assert sum(f"another part of the {name}" in what for what in notes(story(moved)[2])) == 1


def test_an_unknown_input_of_a_sampler_is_refused() -> None:
    g = Edit(pixel_chain())
    g.link(g.add("NewArgs", [], ("x", "NEWARGS")), 0, g.all("WanVideoSampler")[1], "new_args")
    refused(g.raw, "clip 2 .*new_args")


# Pro


def test_anchors_that_differ_are_refused() -> None:
    g = Edit(pro_chain())
    other = g.add("LoadImage", ["other.png", "image"], ("IMAGE", "IMAGE"))
    vae = g.all("WanVideoVAELoader")[0]
    anchor = g.add(
        "WanVideoEncode", [False, 272, 272, 144, 128, 0, 1], ("samples", "LATENT"), vae=(vae, 0), image=(other, 0)
    )
    g.link(anchor, 0, g.all("WanVideoSVIProEmbeds")[1], "anchor_samples")
    refused(g.raw, "clip 2 .*another image than that of clip 1")


def test_an_anchor_with_noise_is_refused() -> None:
    g = Edit(pro_chain())
    g.all("WanVideoEncode")[0]["widgets_values"][5] = 0.1
    refused(g.raw, "clip 1 .*noise_aug_strength of its anchor")


# Models, seeds, references


def test_both_models_of_the_first_clip_are_set_when_one_differs() -> None:
    g = Edit(pro_chain())
    plain = g.add("WanVideoModelLoader", ["high-without-lora"], ("model", "WANVIDEOMODEL"))
    g.link(plain, 0, g.all("WanVideoSampler")[0], "model")
    migrated, made, _ = story(g.raw)
    links = {name: _source(migrated, made, name) for name in ("first_clip_model", "first_clip_low_noise_model")}
    low = next(node for node in settings(migrated) if node["widgets_values"][-3] == 1)
    assert links == {
        "first_clip_model": plain["id"], "first_clip_low_noise_model": _source(migrated, low, "model"),
    }  # fmt: skip


def _source(raw: Raw, node: Raw, name: str) -> int:
    source: int = Edit(raw).source(node, name)[0]["id"]
    return source


def test_models_that_differ_later_are_refused_with_the_clip() -> None:
    g = Edit(pixel_chain())
    other = g.add("WanVideoModelLoader", ["other"], ("model", "WANVIDEOMODEL"))
    g.link(other, 0, g.all("WanVideoSampler")[1], "model")
    refused(g.raw, r"clip 2 .*its model .*\(node")


def test_a_first_clip_with_a_model_of_its_own_keeps_its_mode() -> None:
    g = Edit(_going_on())
    plain = g.add("WanVideoModelLoader", ["plain"], ("model", "WANVIDEOMODEL"))
    g.link(plain, 0, g.all("WanVideoSampler")[0], "model")
    _, made, _ = story(g.raw)
    found = values(made)
    plan = planned(
        found["story"], mode=found["mode"], num_frames=found["num_frames"], overlap_frames=found["overlap_frames"],
        seed=0, start_frames=81, reference_frames=1, first_clip_model=True,
    )  # fmt: skip
    assert {clip.mode for clip in plan.clips} == {"film"}


@pytest.mark.parametrize("first", [0, 1])
def test_seeds_that_are_drawn_are_counted_and_said_once(first: int) -> None:
    raw = pixel_chain(seeds=[1000, 2000, 3000])
    for sampler in Edit(raw).all("WanVideoSampler")[first:]:
        sampler["widgets_values"][4] = "randomize"
    _, made, report = story(raw)
    found = values(made)
    assert found["seed"] == (1000 if first else 0)
    assert "seed=" not in found["story"]
    (said,) = [what for what in notes(report) if "seed" in what]
    assert ("clips 2, 3" if first else "clips 1, 2, 3") in said
    assert ("the first is 0" in said) == (not first)


def test_the_reference_is_that_of_the_first_clip_that_has_one() -> None:
    g = Edit(pixel_chain(padding="reference", clips=3))
    repeats = g.all("RepeatImageBatch")
    # By their ids the later one comes first, read as text or as numbers.
    later = g.add("LoadImage", ["later.png", "image"], ("IMAGE", "IMAGE"))
    first = g.add("LoadImage", ["first.png", "image"], ("IMAGE", "IMAGE"))
    g.link(first, 0, repeats[0], "image")
    g.link(later, 0, repeats[1], "image")
    migrated, made, report = story(g.raw)
    assert _source(migrated, made, "ref_image") == first["id"]
    assert any("different reference images" in what for what in notes(report))


# VAE and CLIP vision


@pytest.mark.parametrize("which", ["all", "some", "none"])
def test_tiles_are_kept_when_all_agree_and_said_when_not(which: str) -> None:
    g = Edit(pixel_chain())
    for index, encode in enumerate(g.all("WanVideoImageToVideoEncode")):
        encode["widgets_values"][8] = which == "all" or (which == "some" and index == 1)
    for decode in g.all("WanVideoDecode"):
        decode["widgets_values"][0] = which == "all"
    _, made, report = story(g.raw)
    assert values(made)["tiled_vae"] == (which == "all")
    assert sum("tiles" in what for what in notes(report)) == (which == "some")


def test_anchors_in_tiles_count_too() -> None:
    g = Edit(pro_chain())
    for node in (*g.all("WanVideoEncode"), *g.all("WanVideoDecode")):
        node["widgets_values"][0] = True
    assert values(story(g.raw)[1])["tiled_vae"]


def test_what_decoding_had_else_is_said() -> None:
    g = Edit(pixel_chain())
    g.all("WanVideoDecode")[2]["widgets_values"][5] = "minmax"
    assert any("normalization minmax" in what for what in notes(story(g.raw)[2]))


def test_another_vae_is_said() -> None:
    g = Edit(pixel_chain())
    tiny = g.add("WanVideoTinyVAELoader", ["taew2_1"], ("vae", "WANVAE"))
    g.link(tiny, 0, g.all("WanVideoDecode")[1], "vae")
    assert any("clip 2 had another VAE" in what for what in notes(story(g.raw)[2]))


@pytest.mark.parametrize(
    ("index", "value", "said"),
    [(0, 0.5, "strength_1 0.5"), (2, "disabled", "crop disabled"), (3, "sum", "combine_embeds sum"), (5, 4, "tiles 4")],
)
def test_clip_vision_settings_are_said(index: int, value: Any, said: str) -> None:
    g = Edit(pixel_chain(clips=2))
    saved: list[Any] = [1, 1, "center", "average", True, 0, 0.2]
    loader = g.add("CLIPVisionLoader", ["h"], ("CLIP_VISION", "CLIP_VISION"))
    _with_vision(g, loader, tuple(saved))
    assert notes(story(copy.deepcopy(g.raw))[2]) == []
    saved[index] = value
    g.all("WanVideoClipVisionEncode")[1]["widgets_values"] = saved
    migrated, made, report = story(g.raw)
    assert feeds(migrated, made, "clip_vision") == ("CLIPVisionLoader", 0)
    assert [said in what for what in notes(report)] == [True]


def test_more_images_for_clip_vision_are_said() -> None:
    g = Edit(pixel_chain(clips=2))
    _with_vision(g, g.add("CLIPVisionLoader", ["h"], ("CLIP_VISION", "CLIP_VISION")))
    encode, image = g.all("WanVideoClipVisionEncode")[1], g.all("ImageResizeKJv2")[0]
    g.link(image, 0, encode, "negative_image")
    g.link(image, 0, encode, "image_1")
    said = notes(story(g.raw)[2])
    assert any("negative_image" in what for what in said)
    assert any("sees another image" in what for what in said)


def test_clip_embeds_of_another_node_are_refused() -> None:
    g = Edit(pixel_chain())
    made = g.add("SomeClipEmbeds", [], ("x", "WANVIDIMAGE_CLIPEMBEDS"))
    g.link(made, 0, g.all("WanVideoImageToVideoEncode")[1], "clip_embeds")
    refused(g.raw, "clip 2 .*clip_embeds come from SomeClipEmbeds")


# What comes after


def _ends(g: Edit) -> Raw:
    """Leaves the last clip without a saver; returns what made its video."""
    saver = g.all("VHS_VideoCombine")[-1]
    video, _ = g.source(saver, "images")
    g.cut(saver, "images")
    g.raw["nodes"].remove(saver)
    return video


def test_the_rate_of_create_video_is_found() -> None:
    g = Edit(pixel_chain())
    made = g.add("CreateVideo", [12.5], ("VIDEO", "VIDEO"), images=(_ends(g), 0))
    g.add("SaveVideo", ["video/x", "auto", "auto"], video=(made, 0))
    _, node, report = story(g.raw)
    assert values(node)["fps"] == 12.5
    assert notes(report) == []


def test_a_rate_that_is_not_there_is_said() -> None:
    g = Edit(pixel_chain())
    for saver in g.all("VHS_VideoCombine"):
        saver["widgets_values"] = {}
    _, made, report = story(g.raw)
    assert values(made)["fps"] == 16
    assert any("fps stays 16" in what for what in notes(report))


@pytest.mark.parametrize("kind", ["RIFE VFI", "FILM VFI", "FrameInterpolate"])
@pytest.mark.parametrize("others", [True, False])
def test_the_rate_of_interpolated_frames_is_not_taken(kind: str, others: bool) -> None:
    g = Edit(pixel_chain())
    saver = g.all("VHS_VideoCombine")[-1]
    saver["widgets_values"]["frame_rate"] = 48
    if not others:
        for other in g.all("VHS_VideoCombine")[:-1]:
            g.cut(other, "images")
            g.raw["nodes"].remove(other)
    g.insert(kind, saver, "images", "frames")
    _, made, report = story(g.raw)
    assert values(made)["fps"] == (24 if others else 16)
    said = notes(report)
    assert any(f"{kind} (node" in what and "before it was saved" in what for what in said)
    assert any("interpolated frames" in what for what in said)


def test_sound_goes_to_the_storys_node_and_what_stood_before_the_saver_is_named() -> None:
    g = Edit(pixel_chain())
    saver = g.all("VHS_VideoCombine")[-1]
    audio = g.add("LoadAudio", ["x.wav"], ("AUDIO", "AUDIO"))
    g.link(audio, 0, saver, "audio")
    g.insert("ColorMatch", saver, "images", "image_target", ["mkl", 1, True])
    migrated, made, report = story(g.raw)
    assert feeds(migrated, made, "audio") == ("LoadAudio", 0)
    (said,) = notes(report)
    assert "ColorMatch (node" in said


def test_sound_that_is_made_from_the_video_is_said() -> None:
    g = Edit(pixel_chain())
    saver = g.all("VHS_VideoCombine")[-1]
    video, slot = g.source(saver, "images")
    g.link(g.add("MMAudioSampler", [], ("audio", "AUDIO"), images=(video, slot)), 0, saver, "audio")
    migrated, made, report = story(g.raw)
    assert feeds(migrated, made, "audio") is None
    assert any("sound that is made from the video" in what for what in notes(report))


def test_blending_joins_are_said_once_and_nothing_else_of_them() -> None:
    raw = pro_chain()
    assert sum("blends into" in what for what in notes(migrate_value(raw)[1])) > 1
    _, _, report = story(raw)
    assert len([line for line in report.lines() if "blend" in line]) == 1
    assert any("does not blend" in what for what in notes(report))


def test_joins_that_drop_the_earlier_frames_are_said_once() -> None:
    _, _, report = story(pixel_chain(clips=4))
    assert sum("drops the start of the later clip" in line for line in report.lines()) == 1
    _, _, report = story(pro_chain(side="new_images", how="cut"))
    assert not any("drops the start" in line for line in report.lines())


def test_reasons_why_a_join_stays_go_with_it() -> None:
    raw = pro_chain(how="ease_in_out")
    assert any(found.kind == "left" for found in migrate_value(raw)[1].findings)
    _, _, report = story(raw)
    assert not of_kind(report, "left")
    assert sum("does not blend" in what for what in notes(report)) == 1


def _going_on() -> Raw:
    """A chain whose first clip goes on from a loaded video."""
    g = Edit(pixel_chain(unrelated=False))
    loaded = g.add("VHS_LoadVideo", {"video": "x.mp4"}, ("IMAGE", "IMAGE"), ("frame_count", "INT"), ("audio", "AUDIO"))
    tail = g.add("GetImageRangeFromBatch", [-1, 5], ("IMAGE", "IMAGE"), ("MASK", "MASK"), images=(loaded, 0))
    g.link(tail, 0, g.all("WanVideoImageToVideoEncode")[0], "start_image")
    return g.raw


def test_a_loaded_video_that_the_chain_goes_on_from_is_said_not_to_be_in_the_reel() -> None:
    migrated, made, report = story(_going_on())
    assert feeds(migrated, made, "start_image") == ("VHS_LoadVideo", 0)
    assert sum("VHS_LoadVideo (node" in what and "not part of the reel" in what for what in notes(report)) == 1


def test_sizes_that_differ_are_said() -> None:
    g = Edit(pixel_chain())
    encodes = g.all("WanVideoImageToVideoEncode")
    for encode in encodes:
        g.cut(encode, "width")
    encodes[1]["widgets_values"][0] = 640
    assert any("another width" in what for what in notes(story(g.raw)[2]))


# What stays


def test_nodes_that_had_nothing_to_do_with_the_chain_stay() -> None:
    g = Edit(pixel_chain())
    bypasser = g.add("Fast Groups Bypasser (rgthree)", [], ("OPT_CONNECTION", "*"))
    image = g.add("LoadImage", ["mine.png", "image"], ("IMAGE", "IMAGE"))
    tagger = g.add("WD14Tagger|pysssss", ["x"], ("STRING", "STRING"), image=(image, 0))
    on_start = g.add("WD14Tagger|pysssss", ["x"], ("STRING", "STRING"), image=(g.all("ImageResizeKJv2")[0], 0))
    muted = g.add("PreviewImage", [], mode=2, images=(image, 0))
    mine = [node["id"] for node in (bypasser, image, tagger, on_start, muted)]
    migrated, _, report = story(g.raw)
    assert set(mine) <= {node["id"] for node in migrated["nodes"]}
    assert not any("rgthree" in name or "Tagger" in name for name in report.removed)


def test_what_cannot_run_or_does_nothing_goes_and_is_listed() -> None:
    g = Edit(pixel_chain())
    empty = g.add("WanVideoEmptyEmbeds", [64, 64, 17], ("image_embeds", "WANVIDIMAGE_EMBEDS"))
    muted = g.add("CLIPLoader", [], ("CLIP", "CLIP"), mode=2)
    text = g.add("CLIPTextEncode", [""], ("CONDITIONING", "CONDITIONING"), mode=2, clip=(muted, 0))
    migrated, _, report = story(g.raw)
    for node in (empty, muted, text):
        assert node["id"] not in {other["id"] for other in migrated["nodes"]}
        assert f"{node['type']} ({node['id']})" in report.removed


def test_a_named_wire_that_a_kept_subgraph_reads_inside_stays() -> None:
    g = Edit(pixel_chain(unrelated=False))
    decode = g.all("WanVideoDecode")[2]
    other = g.add("WanVideoVAELoader", ["other"], ("vae", "WANVAE"))
    g.add("SetNode", ["my vae"], ("*", "*"), WANVAE=(other, 0))
    g.link(other, 0, decode, "vae")  # so that the loader had to do with the chain
    reader = g.add("GetNode", ["my vae"], ("WANVAE", "*"))
    saver = g.add("SaveSomething", [], vae=(reader, 0))
    g.into_subgraph(reader, saver, id_inside=1)
    migrated, _, _ = story(g.raw)
    assert [node["widgets_values"] for node in nodes(migrated, "SetNode")] == [["my vae"]]


# Both formats, and bad graphs


@pytest.mark.parametrize("make", [pixel_chain, pro_chain])
def test_an_api_graph_becomes_the_same_story(make: Any) -> None:
    raw = make()
    drawn = values(story(raw)[1])
    api, report = migrate_value(as_api(raw), as_story=True)
    (made,) = [node for node in api.values() if node["class_type"] == "WanVideoSVILongVideo"]
    assert {name: made["inputs"][name] for name in drawn if not isinstance(made["inputs"][name], list)} == {
        name: value for name, value in drawn.items() if not isinstance(made["inputs"][name], list)
    }
    assert isinstance(made["inputs"]["t5"], list)
    assert report.to_do


@pytest.mark.parametrize("block", range(5))
def test_mutated_graphs_become_stories_or_are_refused(block: int) -> None:
    bases = (pixel_chain, pro_chain, lambda: pixel_chain(padding="reference", wires=True, constant=True))
    for seed in range(40 * block, 40 * block + 40):
        raw = mutated(bases[seed % len(bases)](), seed)
        try:
            migrate_value(raw, as_story=True)[1].lines()
        except SVIError:
            continue


def test_joins_that_hold_colours_are_said() -> None:
    migrated, _ = migrate_value(pixel_chain())
    assert not any("hold colours" in what for what in notes(migrate_value(migrated, as_story=True)[1]))
    for node in nodes(migrated, "WanVideoSVIStitch"):
        node["widgets_values"][3] = "mean_std"
    assert sum("hold colours" in what for what in notes(migrate_value(migrated, as_story=True)[1])) == 1
