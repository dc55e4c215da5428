"""A chain of native Pro clips becomes one WanVideo SVI Long Video (native), and what a story cannot say is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from edit_graphs import OUTER, Edit
from helpers import planned
from native_graphs import KINDS, NEGATIVE, SPLIT, STEPS, native_chain
from old_graphs import Raw, as_api, mutated, pixel_chain
from read_graphs import check_links, feeds, nodes, of_kind, values
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.story.text import parse_story
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value
from wanvideo_svi.wrapper_ext.workflow.model.report import Report

NODE = "WanVideoSVILongVideoNative"
SHAPES = [(kind, pair) for kind in KINDS for pair in (False, True) if kind != "KSampler" or not pair]
LATENT, IMAGE, MODEL = ("LATENT", "LATENT"), ("IMAGE", "IMAGE"), ("MODEL", "MODEL")
CONDITIONING = ("CONDITIONING", "CONDITIONING")


def story(raw: Raw) -> tuple[Raw, Raw, Report]:
    """The graph, its Long Video node, and the report."""
    migrated, report = migrate_value(raw, as_story=True)
    check_links(migrated)
    (made,) = nodes(migrated, NODE)
    return migrated, made, report


def notes(report: Report) -> list[str]:
    return [each.what for each in of_kind(report, "note")]


def refused(raw: Raw, what: str) -> None:
    with pytest.raises(SVIError, match=what):
        migrate_value(raw, as_story=True)


def source(raw: Raw, node: Raw, name: str) -> int:
    found: int = Edit(raw).source(node, name)[0]["id"]
    return found


# What becomes of what


@pytest.mark.parametrize(("kind", "pair"), SHAPES)
def test_every_way_of_sampling_becomes_the_story(kind: str, pair: bool) -> None:
    raw = native_chain(kind=kind, pair=pair)
    high = Edit(raw).all("ModelSamplingSD3")[0]["id"]
    migrated, made, report = story(raw)
    found = values(made)
    assert found["story"] == "clip 1\n---\nclip 2\n---\nclip 3"
    told = {name: found[name] for name in ("mode", "num_frames", "overlap_frames", "seed", "fps", "cfg")}
    assert told == {"mode": "svi2_pro", "num_frames": 17, "overlap_frames": 0, "seed": 7, "fps": 24.0, "cfg": 3.5}
    assert found["negative_prompt"] == NEGATIVE
    assert found["split_step"] == (SPLIT if pair else 0)
    assert notes(report) == []
    assert source(migrated, made, "model") == high
    low = "low_noise_model"
    assert (feeds(migrated, made, low) == ("ModelSamplingSD3", 0)) == pair
    assert not pair or source(migrated, made, low) != high
    assert feeds(migrated, made, "vae") == ("VAELoader", 0)
    assert feeds(migrated, made, "clip") == ("CLIPLoader", 0)
    assert feeds(migrated, made, "start_image") == ("ImageResizeKJv2", 0)
    assert [feeds(migrated, made, name) for name in ("width", "height")] == [
        ("ImageResizeKJv2", 1), ("ImageResizeKJv2", 2),
    ]  # fmt: skip
    if kind.startswith("SamplerCustom"):
        assert feeds(migrated, made, "sampler") == ("KSamplerSelect", 0)
        assert feeds(migrated, made, "sigmas") == ("BasicScheduler", 0)
    else:
        assert (found["steps"], found["sampler_name"], found["scheduler"]) == (STEPS, "euler", "simple")
    left = {node["type"] for node in migrated["nodes"]}
    assert not left & {
        *KINDS,
        "WanImageToVideoSVIPro",
        "CLIPTextEncode",
        "VAEDecode",
        "SplitSigmas",
        "VHS_VideoCombine",
    }
    assert any("3 clips became one WanVideo SVI Long Video (native), mode svi2_pro" in each for each in report.lines())
    assert not of_kind(report, "left")


@pytest.mark.parametrize(("kind", "pair"), SHAPES)
def test_an_api_graph_becomes_the_same_native_story(kind: str, pair: bool) -> None:
    raw = native_chain(kind=kind, pair=pair, seeds=[5, 9, 3])
    drawn = values(story(raw)[1])
    api, report = migrate_value(as_api(raw), as_story=True)
    (made,) = [node for node in api.values() if node["class_type"] == NODE]
    plain = {name: value for name, value in made["inputs"].items() if not isinstance(value, list)}
    assert plain == {name: drawn[name] for name in plain}
    assert {"model", "clip", "vae", "start_image"} <= made["inputs"].keys()
    assert not {node["class_type"] for node in api.values()} & {*KINDS, "CLIPTextEncode", "RandomNoise", "CFGGuider"}
    assert report.to_do


def test_a_story_of_a_native_graph_can_be_planned() -> None:
    raw = native_chain(motion=2, seeds=[5, 6, 89], frames=33)
    _, made, _ = story(raw)
    found = values(made)
    plan = planned(
        found["story"], mode=found["mode"], num_frames=found["num_frames"], overlap_frames=found["overlap_frames"],
        seed=found["seed"], start_frames=1, reference_frames=0,
    )  # fmt: skip
    assert [clip.seed for clip in plan.clips] == [5, 6, 89]
    assert [clip.motion_frames for clip in plan.clips] == [0, 9, 9]
    assert [clip.mode for clip in plan.clips] == ["svi2_pro"] * 3


def test_seeds_that_a_story_does_not_count_to_are_written() -> None:
    assert [block.seed for block in parse_story(values(story(native_chain(seeds=[5, 47, 80]))[1])["story"])] == [
        None, None, 80,
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "pair"), SHAPES)
def test_native_seeds_that_are_drawn_are_counted_and_said_once(kind: str, pair: bool) -> None:
    _, made, report = story(native_chain(kind=kind, pair=pair, control="randomize"))
    assert values(made)["seed"] == 0
    assert "seed=" not in values(made)["story"]
    (said,) = [what for what in notes(report) if "seed" in what]
    assert "clips 1, 2, 3" in said


def test_equal_noise_is_said_of_the_story_and_not_of_nodes_that_are_gone() -> None:
    raw = native_chain(seeds=[7, 7, 9])
    assert any("equal noise" in each.what for each in of_kind(migrate_value(raw)[1], "defect"))
    _, made, report = story(raw)
    assert "[seed=7]\nclip 2" in values(made)["story"]
    assert not of_kind(report, "defect")
    (said,) = [what for what in notes(report) if "equal noise" in what]
    assert "clip 2 had a seed that a clip before them" in said


def test_lengths_and_overlaps_of_single_clips_go_into_their_blocks() -> None:
    g = Edit(native_chain(motion=1, frames=33))
    pros = g.all("WanImageToVideoSVIPro")
    pros[1]["widgets_values"] = [24, 1]  # 6 latents: 21 frames
    pros[2]["widgets_values"] = [33, 2]
    found = values(story(g.raw)[1])
    assert found["num_frames"] == 33
    blocks = parse_story(found["story"])
    assert [block.frames for block in blocks] == [None, 21, None]
    assert (found["overlap_frames"], [block.overlap for block in blocks]) == (0, [None, None, 9])


def test_a_cfg_of_one_clip_goes_into_its_block() -> None:
    g = Edit(native_chain())
    for sampler in g.all("KSamplerAdvanced")[2:4]:
        sampler["widgets_values"][4] = 5
    _, made, report = story(g.raw)
    assert values(made)["cfg"] == 3.5
    assert [block.cfg for block in parse_story(values(made)["story"])] == [None, 5.0, None]
    assert notes(report) == []


@pytest.mark.parametrize(
    ("index", "value", "name"), [(3, 6, "steps"), (5, "heun", "sampler_name"), (6, "beta", "scheduler")]
)
def test_settings_that_differ_between_clips_are_said_and_the_last_are_taken(index: int, value: Any, name: str) -> None:
    g = Edit(native_chain())
    for sampler in g.all("KSamplerAdvanced")[:2]:
        sampler["widgets_values"][index] = value
    _, made, report = story(g.raw)
    assert values(made)[name] != value
    assert [f"{name} differs" in what for what in notes(report)] == [True]


def test_another_split_of_one_clip_is_said() -> None:
    g = Edit(native_chain())
    one, two = g.all("KSamplerAdvanced")[:2]
    one["widgets_values"][8] = two["widgets_values"][7] = 2
    _, made, report = story(g.raw)
    assert values(made)["split_step"] == SPLIT
    assert ["split between its samplers differs" in what for what in notes(report)] == [True]


def test_other_sigmas_of_one_clip_are_said_and_nodes_of_the_same_settings_are_not() -> None:
    g = Edit(native_chain(kind="SamplerCustom", pair=False))
    sampler = g.all("SamplerCustom")[0]
    own = g.add(
        "BasicScheduler",
        ["simple", STEPS, 1],
        ("SIGMAS", "SIGMAS"),
        model=g.source(g.all("BasicScheduler")[0], "model"),
    )
    g.link(own, 0, sampler, "sigmas")
    assert notes(story(copy.deepcopy(g.raw))[2]) == []
    own["widgets_values"][1] = 5
    migrated, made, report = story(g.raw)
    assert ["sigmas differs" in what for what in notes(report)] == [True]
    assert source(migrated, made, "sigmas") != own["id"]


def test_sampler_settings_that_only_a_run_knows_stay_linked() -> None:
    g = Edit(native_chain())
    steps = g.add("StepsFromSomewhere", [], ("INT", "INT"))
    cfg = g.add("CfgFromSomewhere", [], ("FLOAT", "FLOAT"))
    for sampler in g.all("KSamplerAdvanced"):
        g.link(steps, 0, sampler, "steps")
        g.link(cfg, 0, sampler, "cfg")
    migrated, made, _ = story(g.raw)
    assert feeds(migrated, made, "steps") == ("StepsFromSomewhere", 0)
    assert feeds(migrated, made, "cfg") == ("CfgFromSomewhere", 0)


def test_a_cfg_that_only_a_run_knows_is_said_of_the_clip_that_has_it() -> None:
    g = Edit(native_chain())
    cfg = g.add("CfgFromSomewhere", [], ("FLOAT", "FLOAT"))
    for sampler in g.all("KSamplerAdvanced")[2:4]:
        g.link(cfg, 0, sampler, "cfg")
    _, made, report = story(g.raw)
    assert values(made)["cfg"] == 3.5
    assert ["cfg of clip 2 comes from another node" in what for what in notes(report)] == [True]


def test_a_seed_that_is_not_there_is_refused() -> None:
    api = as_api(native_chain(kind="KSampler", pair=False))
    del next(node for node in api.values() if node["class_type"] == "KSampler")["inputs"]["seed"]
    refused(api, "clip 1 .*seed of its noise is not known")


def test_negative_prompts_that_differ_are_said() -> None:
    g = Edit(native_chain())
    other = g.add("CLIPTextEncode", ["other"], CONDITIONING, clip=(g.all("CLIPLoader")[0], 0))
    g.link(other, 0, g.all("WanImageToVideoSVIPro")[1], "negative")
    _, made, report = story(g.raw)
    assert values(made)["negative_prompt"] == NEGATIVE
    assert ["negative prompts differ" in what for what in notes(report)] == [True]


def test_prompts_of_constants_are_read_and_others_refused() -> None:
    g = Edit(native_chain())
    text = g.all("CLIPTextEncode")[1]
    held = g.add("PrimitiveStringMultiline", ["a fox"], ("STRING", "STRING"))
    g.link(held, 0, text, "text")
    assert values(story(copy.deepcopy(g.raw))[1])["story"].startswith("a fox\n---")
    g.link(g.add("WildcardEncode", [], ("STRING", "STRING")), 0, text, "text")
    refused(g.raw, r"clip 1 .*prompt is computed when the graph runs \(node")


def test_blanks_around_the_lines_of_a_prompt_are_said() -> None:
    g = Edit(native_chain())
    for text in g.all("CLIPTextEncode")[2:]:
        text["widgets_values"] = ["two\n lines\n"]
    _, made, report = story(g.raw)
    assert values(made)["story"] == "clip 1\n---\ntwo\nlines\n---\ntwo\nlines"
    assert ["the prompt of clips 2, 3 had blanks" in what for what in notes(report)] == [True]


# Models


@pytest.mark.parametrize("stage", [0, 1])
def test_both_models_of_a_first_clip_are_set_when_one_differs(stage: int) -> None:
    g = Edit(native_chain())
    plain = g.add("UNETLoader", ["plain", "default"], MODEL)
    g.link(plain, 0, g.all("KSamplerAdvanced")[stage], "model")
    migrated, made, report = story(g.raw)
    links = [source(migrated, made, name) for name in ("first_clip_model", "first_clip_low_noise_model")]
    usual = [source(migrated, made, name) for name in ("model", "low_noise_model")]
    assert links == [plain["id"] if index == stage else each for index, each in enumerate(usual)]
    assert "mode=" not in values(made)["story"]
    assert notes(report) == []


def test_a_model_of_a_later_clip_is_refused_unless_it_is_set_alike() -> None:
    g = Edit(native_chain(pair=False, kind="KSampler"))
    lora = g.source(g.all("ModelSamplingSD3")[0], "model")
    own = g.add("ModelSamplingSD3", [5], MODEL, model=lora)
    g.link(own, 0, g.all("KSampler")[1], "model")
    story(copy.deepcopy(g.raw))
    own["widgets_values"] = [8]
    refused(g.raw, r"clip 2 .*its model is not that of the last clip.*\(node")


def test_a_model_that_a_subgraph_makes_is_linked_to_the_subgraph() -> None:
    g = Edit(native_chain(pair=False))
    g.into_subgraph(g.all("ModelSamplingSD3")[0], id_inside=1)
    migrated, made, _ = story(g.raw)
    assert feeds(migrated, made, "model") == (OUTER, 0)


# Which steps samplers run


def _set(index: int, value: Any, *, sampler: int) -> Any:
    def change(g: Edit) -> None:
        g.all("KSamplerAdvanced")[sampler]["widgets_values"][index] = value

    return change


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_set(0, "disable", sampler=2), "clip 2 .*first sampler adds no noise"),
        (_set(0, "enable", sampler=3), "clip 2 .*second sampler adds noise again"),
        (_set(9, "disable", sampler=2), "clip 2 .*return_with_leftover_noise of its first sampler is off"),
        (_set(7, 1, sampler=2), r"clip 2 .*steps 1 to 4 and 4 to 10000 of 8"),
        (_set(8, 3, sampler=2), "clip 2 .*steps 0 to 3 and 4 to 10000"),
        (_set(8, 6, sampler=3), "clip 2 .*steps 0 to 4 and 4 to 6"),
        (_set(8, 0, sampler=2), "clip 2 .*steps 0 to 0"),
        (_set(4, 1, sampler=3), "clip 2 .*differ in cfg, 3.5 and 1"),
        (_set(3, 6, sampler=3), "clip 2 .*differ in steps, 8 and 6"),
        (_set(5, "heun", sampler=3), "clip 2 .*differ in sampler_name, euler and heun"),
        (_set(6, "beta", sampler=3), "clip 2 .*differ in scheduler"),
    ],
)
def test_steps_that_a_story_does_not_run_are_refused(change: Any, what: str) -> None:
    g = Edit(native_chain())
    change(g)
    refused(g.raw, what)


@pytest.mark.parametrize(
    ("index", "value", "what"),
    [(0, "disable", "adds no noise"), (7, 2, "steps 2 to 10000 only"), (8, 5, "steps 0 to 5 only")],
)
def test_a_sampler_alone_that_does_not_run_all_steps_is_refused(index: int, value: Any, what: str) -> None:
    g = Edit(native_chain(pair=False))
    g.all("KSamplerAdvanced")[1]["widgets_values"][index] = value
    refused(g.raw, f"clip 2 .*{what}")


def test_a_denoise_of_its_own_is_refused() -> None:
    g = Edit(native_chain(kind="KSampler", pair=False))
    g.all("KSampler")[0]["widgets_values"][6] = 0.8
    refused(g.raw, "clip 1 .*denoise of its sampler is not 1")


def test_an_end_at_the_last_step_is_the_end() -> None:
    g = Edit(native_chain())
    for sampler in g.all("KSamplerAdvanced")[1::2]:
        sampler["widgets_values"][8] = STEPS
    assert notes(story(g.raw)[2]) == []


@pytest.mark.parametrize("kind", ["SamplerCustom", "SamplerCustomAdvanced"])
def test_sigmas_that_are_no_two_parts_of_one_schedule_are_refused(kind: str) -> None:
    g = Edit(native_chain(kind=kind))
    split = g.all("SplitSigmas")[0]
    later = copy.deepcopy(g.raw)
    g.link(split, 0, g.all(kind)[3], "sigmas")
    refused(g.raw, "clip 2 .*sigmas of its samplers come from SplitSigmas")
    g = Edit(later)
    other = g.add("SplitSigmas", [SPLIT + 1], ("high_sigmas", "SIGMAS"), ("low_sigmas", "SIGMAS"),
                  sigmas=g.source(g.all("SplitSigmas")[0], "sigmas"))  # fmt: skip
    g.link(other, 1, g.all(kind)[3], "sigmas")
    refused(copy.deepcopy(g.raw), "clip 2 .*splits one schedule at a step")
    other["widgets_values"] = [SPLIT]  # a node of its own, set alike
    assert values(story(g.raw)[1])["split_step"] == SPLIT


def test_sigmas_that_are_split_before_the_first_step_are_refused() -> None:
    g = Edit(native_chain(kind="SamplerCustom"))
    g.all("SplitSigmas")[0]["widgets_values"] = [0]
    refused(g.raw, "clip 1 .*split at step 0")


@pytest.mark.parametrize(("name", "many"), [("euler", 0), ("euler_ancestral", 1)])
@pytest.mark.parametrize("kind", ["KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced"])
def test_a_second_seed_is_said_where_it_tells(kind: str, name: str, many: int) -> None:
    g = Edit(native_chain(kind=kind))
    for sampler in g.all("KSamplerAdvanced"):
        sampler["widgets_values"][5] = name
    for select in g.all("KSamplerSelect"):
        select["widgets_values"] = [name]
    assert sum("two seeds each" in what for what in notes(story(g.raw)[2])) == many


def test_three_samplers_are_refused_and_so_are_clips_of_different_counts() -> None:
    g = Edit(native_chain(clips=1))
    last = g.all("KSamplerAdvanced")[1]
    g.insert("KSamplerAdvanced", last, "latent_image", "latent_image", last["widgets_values"])
    refused(g.raw, "more than two: a story has one pair")


def test_samplers_of_two_kinds_are_refused() -> None:
    g = Edit(native_chain(kind="KSampler", pair=False))
    old = g.all("KSampler")[1]
    links = {name: g.source(old, name) for name in ("model", "positive", "negative", "latent_image")}
    sigmas = g.add("BasicScheduler", ["simple", 8, 1], ("SIGMAS", "SIGMAS"), model=links["model"])
    select = g.add("KSamplerSelect", ["euler"], ("SAMPLER", "SAMPLER"))
    new = g.add("SamplerCustom", [True, 5, "fixed", 3.5], ("output", "LATENT"), ("denoised_output", "LATENT"),
                sigmas=(sigmas, 0), sampler=(select, 0), **links)  # fmt: skip
    g.link(new, 0, g.all("WanImageToVideoSVIPro")[2], "prev_samples")
    g.link(new, 0, g.all("VAEDecode")[1], "samples")
    for name in links:
        g.cut(old, name)
    refused(g.raw, "some of the chain's samplers take sigmas and others steps")


# Between a clip's nodes


def test_what_stands_between_the_nodes_of_a_clip_is_refused() -> None:
    for kind, name, via, sampler in (
        ("ConditioningSetTimestepRange", "positive", "conditioning", 2),
        ("ConditioningZeroOut", "negative", "conditioning", 3),
    ):
        g = Edit(native_chain())
        g.insert(kind, g.all("KSamplerAdvanced")[sampler], name, via)
        refused(g.raw, rf"clip 2 .*{name} of KSamplerAdvanced \(node \d+\) comes from {kind}")


@pytest.mark.parametrize(
    ("sampler", "what"), [(2, "latent_image of its sampler"), (3, "latent_image of its second sampler")]
)
def test_latents_that_do_not_come_straight_are_refused(sampler: int, what: str) -> None:
    g = Edit(native_chain())
    g.insert("LatentUpscaleBy", g.all("KSamplerAdvanced")[sampler], "latent_image", "samples")
    refused(g.raw, "clip 2 .*latent_image of its" if sampler == 3 else f"clip 2 .*{what} comes from LatentUpscaleBy")


def test_a_pro_node_for_each_sampler_is_read_where_both_are_set_alike() -> None:
    g = Edit(native_chain())
    for index, pro in enumerate(g.all("WanImageToVideoSVIPro")):
        second = g.all("KSamplerAdvanced")[2 * index + 1]
        links = {entry["name"]: g.source(pro, entry["name"]) for entry in pro["inputs"]}
        outputs = [(each["name"], each["type"]) for each in pro["outputs"]]
        other = g.add(pro["type"], pro["widgets_values"], *outputs, **links)
        g.link(other, 0, second, "positive")
        g.link(other, 1, second, "negative")
    assert notes(story(copy.deepcopy(g.raw))[2]) == []
    other["widgets_values"] = [21, 1]
    refused(g.raw, "clip 3 ")


@pytest.mark.parametrize("kind", ["SamplerCustom", "SamplerCustomAdvanced"])
def test_the_denoised_output_is_refused(kind: str) -> None:
    g = Edit(native_chain(kind=kind, pair=False))
    g.link(g.all(kind)[1], 1, g.all("VAEDecode")[1], "samples")
    refused(g.raw, r"clip 2 .*VAEDecode \(node \d+\) takes denoised_output")


def test_a_sampler_that_goes_on_from_the_first_too_is_refused() -> None:
    g = Edit(native_chain())
    first = g.all("KSamplerAdvanced")[2]
    links = {name: g.source(first, name) for name in ("model", "positive", "negative")}
    other = g.add("KSamplerAdvanced", first["widgets_values"], LATENT, latent_image=(first, 0), **links)
    g.add("PreviewLatent", [], samples=(other, 0))
    refused(g.raw, r"clip 2 .*KSamplerAdvanced \(node \d+\) continues KSamplerAdvanced \(node \d+\) too")


def _guided(kind: str, saved: list[Any]) -> Edit:
    """A chain whose guiders are others."""
    g = Edit(native_chain(kind="SamplerCustomAdvanced"))
    for old, sampler in zip(g.all("CFGGuider"), g.all("SamplerCustomAdvanced"), strict=True):
        links = {entry["name"]: g.source(old, entry["name"]) for entry in old["inputs"]}
        g.link(g.add(kind, saved, ("GUIDER", "GUIDER"), **links), 0, sampler, "guider")
    return g


def test_another_guider_is_refused() -> None:
    refused(_guided("DualCFGGuider", [1, 1]).raw, r"clip 1 .*its guider is DualCFGGuider \(node")


@pytest.mark.parametrize("saved", [[3.5, 0, 1], [1, 0, 0.5]])
def test_a_schedule_of_cfg_that_is_none_is_read(saved: list[Any]) -> None:
    _, made, report = story(_guided("ScheduledCFGGuidance", saved).raw)
    assert values(made)["cfg"] == saved[0]
    assert notes(report) == []


def test_a_schedule_of_cfg_is_refused() -> None:
    g = _guided("ScheduledCFGGuidance", [3.5, 0, 0.5])
    refused(g.raw, r"clip 1 .*guides from 0 to 0\.5 only")
    listed = g.add("CreateCFGScheduleFloatList", [], ("float_list", "FLOAT"))
    for guider in g.all("ScheduledCFGGuidance"):
        g.link(listed, 0, guider, "cfg")
    refused(g.raw, "clip 1 .*cfg of ScheduledCFGGuidance .* may be one for each step")


def test_noise_that_is_of_no_seed_is_refused() -> None:
    g = Edit(native_chain(kind="SamplerCustomAdvanced", pair=False))
    g.link(g.add("VideoNoise", [1], ("NOISE", "NOISE")), 0, g.all("SamplerCustomAdvanced")[1], "noise")
    refused(g.raw, "clip 2 .*its noise comes from VideoNoise")


def test_a_basic_guider_samples_at_cfg_1() -> None:
    g = Edit(native_chain(kind="SamplerCustomAdvanced", pair=False))
    for index, old in enumerate(g.all("CFGGuider")):
        new = g.add(
            "BasicGuider",
            [],
            ("GUIDER", "GUIDER"),
            model=g.source(old, "model"),
            conditioning=g.source(old, "positive"),
        )
        g.link(new, 0, g.all("SamplerCustomAdvanced")[index], "guider")
    _, made, report = story(g.raw)
    assert values(made)["cfg"] == 1.0
    assert notes(report) == []


@pytest.mark.parametrize("cfg", [1, 3.5])
def test_a_negative_that_is_no_prompt_is_left_out_at_cfg_1_and_refused_else(cfg: float) -> None:
    g = Edit(native_chain(cfg=cfg))
    empty = g.add("ConditioningZeroOut", [], CONDITIONING, conditioning=(g.all("CLIPTextEncode")[1], 0))
    for pro in g.all("WanImageToVideoSVIPro"):
        g.link(empty, 0, pro, "negative")
    if cfg != 1:
        refused(g.raw, "clip 1 .*its negative comes from ConditioningZeroOut .*not from CLIP Text Encode")
        return
    _, made, report = story(g.raw)
    assert values(made)["negative_prompt"] == ""
    assert ["no negative prompt counts" in what for what in notes(report)] == [True]


def test_another_text_encoder_is_said_between_clips_and_refused_within_one() -> None:
    g = Edit(native_chain())
    other = g.add("CLIPLoader", ["other", "wan", "default"], ("CLIP", "CLIP"))
    texts = g.all("CLIPTextEncode")
    g.link(other, 0, texts[2], "clip")
    refused(copy.deepcopy(g.raw), "clip 2 .*negative prompt has another text encoder")
    for sampler in g.all("KSamplerAdvanced"):
        sampler["widgets_values"][4] = 1
    assert ["different text encoders" in what for what in notes(story(g.raw)[2])] == [True]


def test_conditioning_of_another_node_and_unknown_inputs_are_refused() -> None:
    g = Edit(native_chain())
    g.insert("ConditioningCombine", g.all("WanImageToVideoSVIPro")[1], "positive", "conditioning_1")
    refused(g.raw, "clip 2 .*its positive comes from ConditioningCombine")
    for kind, what in (
        ("WanImageToVideoSVIPro", "new_input is connected"),
        ("KSamplerAdvanced", "new_input is connected to"),
    ):
        g = Edit(native_chain())
        g.link(g.add("New", [], ("x", "X")), 0, g.all(kind)[2], "new_input")
        refused(g.raw, rf"clip \d .*{what}")


# What leads a clip


def test_samples_that_do_not_come_straight_from_the_clip_before_are_refused() -> None:
    g = Edit(native_chain())
    g.insert("WanCutLastSlot", g.all("WanImageToVideoSVIPro")[1], "prev_samples", "latents", [1])
    refused(g.raw, "clip 2 .*prev_samples come from WanCutLastSlot .*not straight from the last sampler")
    g = Edit(native_chain())
    decoded = g.all("VAEDecode")[0]
    encoded = g.add("VAEEncode", [], LATENT, pixels=(decoded, 0), vae=(g.all("VAELoader")[0], 0))
    g.link(encoded, 0, g.all("WanImageToVideoSVIPro")[1], "prev_samples")
    refused(g.raw, "clip 2 .*prev_samples come from VAEEncode")
    g = Edit(native_chain())
    g.link(g.all("KSamplerAdvanced")[0], 0, g.all("WanImageToVideoSVIPro")[1], "prev_samples")
    refused(g.raw, "clip 2 .*prev_samples come from KSamplerAdvanced")


def test_samples_without_motion_are_refused() -> None:
    g = Edit(native_chain())
    g.all("WanImageToVideoSVIPro")[1]["widgets_values"][1] = 0
    refused(g.raw, "clip 2 .*motion_latent_count is 0.*set it to 1")


def test_reroutes_and_named_wires_between_clips_are_followed() -> None:
    g = Edit(native_chain())
    g.insert("Reroute", g.all("WanImageToVideoSVIPro")[1], "prev_samples", "")
    sampler = g.all("KSamplerAdvanced")[3]
    g.add("SetNode", ["latents"], ("*", "*"), LATENT=(sampler, 0))
    g.link(g.add("GetNode", ["latents"], LATENT), 0, g.all("WanImageToVideoSVIPro")[2], "prev_samples")
    migrated, made, _ = story(g.raw)
    assert values(made)["story"].count("---") == 2
    assert not nodes(migrated, "SetNode")


@pytest.mark.parametrize("frames", [1, None])
def test_a_chain_that_goes_on_from_a_video_begins_with_its_end(frames: int | None) -> None:
    g = Edit(native_chain())
    if frames:
        loaded, video = g.all("ImageResizeKJv2")[0], "ImageResizeKJv2"
    else:
        video = "VHS_LoadVideo"
        loaded = g.add(video, {"video": "x.mp4"}, IMAGE, ("frame_count", "INT"))
    encoded = g.add("VAEEncode", [], LATENT, pixels=(loaded, 0), vae=(g.all("VAELoader")[0], 0))
    g.link(encoded, 0, g.all("WanImageToVideoSVIPro")[0], "prev_samples")
    if frames:
        refused(g.raw, "clip 1 .*motion_latent_count is 1, and prev_samples hold 1 frame: set it to 0")
        return
    migrated, made, report = story(g.raw)
    assert feeds(migrated, made, "start_image") == (video, 0)
    assert feeds(migrated, made, "ref_image") == ("ImageResizeKJv2", 0)
    assert ["not part of the reel" in what for what in notes(report)] == [True]
    found = values(made)
    plan = planned(
        found["story"], mode=found["mode"], num_frames=17, overlap_frames=found["overlap_frames"], seed=0,
        start_frames=81, reference_frames=1,
    )  # fmt: skip
    assert [clip.motion_latents for clip in plan.clips] == [1, 1, 1]


def test_a_first_clip_of_another_node_is_refused() -> None:
    g = Edit(native_chain(kind="KSampler", pair=False))
    first, sampler = g.all("WanImageToVideoSVIPro")[0], g.all("KSampler")[0]
    other = g.add(
        "WanImageToVideo", [64, 64, 17, 1], *((name, name.upper()) for name in ("positive", "negative", "latent")),
        positive=g.source(first, "positive"), negative=g.source(first, "negative"),
    )  # fmt: skip
    for slot, name in enumerate(("positive", "negative", "latent_image")):
        g.link(other, slot, sampler, name)
    refused(g.raw, r"clip 1 .*samples of KSampler \(node \d+\): no WanImageToVideoSVIPro makes that clip")


def test_a_chain_that_goes_on_from_loaded_latents_is_refused() -> None:
    g = Edit(native_chain())
    g.link(g.add("LoadLatent", ["x"], LATENT), 0, g.all("WanImageToVideoSVIPro")[0], "prev_samples")
    refused(g.raw, r"clip 1 .*samples of LoadLatent \(node \d+\): a story continues a video")


# The anchor


def test_an_image_of_any_size_is_measured() -> None:
    g = Edit(native_chain())
    load = g.all("LoadImage")[0]
    g.link(load, 0, g.all("VAEEncode")[0], "pixels")
    migrated, made, report = story(g.raw)
    assert feeds(migrated, made, "start_image") == ("LoadImage", 0)
    assert [feeds(migrated, made, name) for name in ("width", "height")] == [("GetImageSize", 0), ("GetImageSize", 1)]
    assert feeds(migrated, nodes(migrated, "GetImageSize")[0], "image") == ("LoadImage", 0)
    assert notes(report) == []


def test_an_anchor_that_vae_encode_does_not_make_is_refused() -> None:
    g = Edit(native_chain())
    g.insert("LatentBlend", g.all("WanImageToVideoSVIPro")[1], "anchor_samples", "samples1")
    refused(g.raw, r"clip 2 .*its anchor comes from LatentBlend \(node \d+\), not from VAE Encode")


def test_native_anchors_that_differ_are_refused() -> None:
    g = Edit(native_chain())
    image = g.add("LoadImage", ["other.png", "image"], IMAGE, ("MASK", "MASK"))
    other = g.add("VAEEncode", [], LATENT, pixels=(image, 0), vae=(g.all("VAELoader")[0], 0))
    g.link(other, 0, g.all("WanImageToVideoSVIPro")[1], "anchor_samples")
    refused(g.raw, "clip 2 .*another image than that of clip 1")


def test_an_anchor_of_several_images_is_refused_and_one_of_unknown_many_is_said() -> None:
    g = Edit(native_chain())
    load = g.all("LoadImage")[0]
    batch = g.add("ImageBatch", [], IMAGE, image1=(load, 0), image2=(load, 0))
    g.link(batch, 0, g.all("VAEEncode")[0], "pixels")
    refused(g.raw, "clip 1 .*its anchor is made of 2 images")
    g.link(g.add("SomeImages", [], IMAGE), 0, g.all("VAEEncode")[0], "pixels")
    assert ["one image is not known" in what for what in notes(story(g.raw)[2])] == [True]


@pytest.mark.parametrize("which", ["all", "some", "sized"])
def test_native_tiles_are_kept_when_all_agree_and_said_when_not(which: str) -> None:
    g = Edit(native_chain())
    tiles: list[int] = [256, 64, 4096, 8]
    for index, node in enumerate((*g.all("VAEEncode"), *g.all("VAEDecode"))):
        if which != "some" or index == 2:
            node["type"] += "Tiled"
            node["widgets_values"] = [512, *tiles[1:]] if which == "sized" and index == 2 else tiles
    _, made, report = story(g.raw)
    assert values(made)["tiled_vae"] == (which != "some")
    said = {"all": [], "some": ["clip 2 used VAE tiles"], "sized": ["decoded it with tile_size 512"]}[which]
    assert [any(each in what for what in notes(report)) for each in said] == [True] * len(said)
    assert len(notes(report)) == len(said)


def test_another_native_vae_is_said() -> None:
    g = Edit(native_chain())
    g.link(g.add("VAELoader", ["taew2_1"], ("VAE", "VAE")), 0, g.all("VAEDecode")[1], "vae")
    assert ["clip 2 had another VAE" in what for what in notes(story(g.raw)[2])] == [True]


# What comes after


def test_what_works_on_the_video_afterwards_is_said_and_its_sound_kept() -> None:
    g = Edit(native_chain())
    saver = g.all("VHS_VideoCombine")[0]
    g.link(g.add("LoadAudio", ["x.wav"], ("AUDIO", "AUDIO")), 0, saver, "audio")
    g.insert("ImageUpscaleWithModel", saver, "images", "image")
    migrated, made, report = story(g.raw)
    assert feeds(migrated, made, "audio") == ("LoadAudio", 0)
    assert ["ImageUpscaleWithModel (node" in what and "a story has none" in what for what in notes(report)] == [True]


def test_a_sampler_that_refines_a_clip_is_said() -> None:
    g = Edit(native_chain(kind="KSampler", pair=False))
    last, decode = g.all("KSampler")[2], g.all("VAEDecode")[2]
    upscaled = g.add("LatentUpscaleBy", ["bicubic", 2], LATENT, samples=(last, 0))
    text = g.add("CLIPTextEncode", ["sharp"], CONDITIONING, clip=(g.all("CLIPLoader")[0], 0))
    refined = g.add("KSampler", [1, "fixed", 4, 1, "euler", "simple", 0.3], LATENT, latent_image=(upscaled, 0),
                    positive=(text, 0), negative=(text, 0), model=g.source(last, "model"))  # fmt: skip
    g.link(refined, 0, decode, "samples")
    (said,) = [what for what in notes(story(g.raw)[2]) if "worked on the video" in what]
    assert "LatentUpscaleBy (node" in said
    assert "KSampler (node" in said


@pytest.mark.parametrize(
    ("how", "said"), [(["new_images", "cut"], 0), (["source", "linear_blend"], 1), (["source", "ease_in_out"], 1)]
)
def test_joins_of_native_clips_are_said_when_the_reel_joins_otherwise(how: list[str], said: int) -> None:
    g = Edit(native_chain())
    for join in g.all("ImageBatchExtendWithOverlap"):
        join["widgets_values"] = [5, *how]
    assert sum("does not blend" in what for what in notes(story(g.raw)[2])) == said


def test_the_rate_of_create_video_is_that_of_the_native_story() -> None:
    g = Edit(native_chain())
    saver = g.all("VHS_VideoCombine")[0]
    made = g.add("CreateVideo", [12.5], ("VIDEO", "VIDEO"), images=g.source(saver, "images"))
    g.add("SaveVideo", ["video/x", "auto", "auto"], video=(made, 0))
    g.cut(saver, "images")
    g.raw["nodes"].remove(saver)
    assert values(story(g.raw)[1])["fps"] == 12.5


# Which chains


@pytest.mark.parametrize("name", ["easy forLoopStart", "easy whileLoopStart", "TensorLoopOpen"])
def test_clips_of_a_loop_are_refused_in_words(name: str) -> None:
    g = Edit(native_chain(clips=1))
    loop = g.add(name, [5], ("flow", "FLOW_CONTROL"), ("index", "INT"), ("value1", "*"))
    g.link(loop, 2, g.all("WanImageToVideoSVIPro")[0], "prev_samples")
    sampler = g.all("KSamplerAdvanced")[1]
    g.add("easy forLoopEnd", [], ("value1", "*"), flow=(loop, 0), initial_value1=(sampler, 0))
    refused(g.raw, rf"made by a loop, {name} \(node \d+\).*write the story by hand")


def test_a_native_chain_in_a_subgraph_is_refused() -> None:
    g = Edit(native_chain(clips=1))
    g.into_subgraph(*g.all("KSamplerAdvanced"), g.all("WanImageToVideoSVIPro")[0], id_inside=100)
    refused(g.raw, "is in a subgraph: unpack it first")


def test_two_chains_are_refused_whatever_samples_them() -> None:
    g = Edit(native_chain(clips=2))
    pro = g.all("WanImageToVideoSVIPro")[0]
    links = {entry["name"]: g.source(pro, entry["name"]) for entry in pro["inputs"]}
    outputs = [(each["name"], each["type"]) for each in pro["outputs"]]
    sampler = g.all("KSamplerAdvanced")[1]
    other = g.add(pro["type"], [17, 1], *outputs, **links, prev_samples=(sampler, 0))
    g.add("KSampler", [3, "fixed", 8, 1, "euler", "simple", 1], LATENT, model=g.source(sampler, "model"),
          positive=(other, 0), negative=(other, 1), latent_image=(other, 2))  # fmt: skip
    refused(g.raw, "this graph has 2 chains")
    both, more = native_chain(), pixel_chain()
    for node in more["nodes"]:
        node["id"] += 1000
        for entry in node["inputs"]:
            entry["link"] = entry["link"] and entry["link"] + 1000
        for output in node["outputs"]:
            output["links"] = [each + 1000 for each in output["links"]]
    both["nodes"] += more["nodes"]
    both["links"] += [[a + 1000, b + 1000, c, d + 1000, e, f] for a, b, c, d, e, f in more["links"]]
    refused(both, "this graph has 2 chains")


def test_a_single_native_clip_is_a_story_of_one_block() -> None:
    _, made, report = story(native_chain(clips=1))
    assert values(made)["story"] == "clip 1"
    assert values(made)["mode"] == "svi2_pro"
    assert ["they are of mode svi2_pro" in what for what in notes(report)] == [True]
    assert not of_kind(report, "left")


@pytest.mark.parametrize("ends", ["none", "off", "on"])
def test_the_node_with_an_end_is_read_where_it_has_none(ends: str) -> None:
    g = Edit(native_chain(pro="WanImageToVideoSVIProFLF"))
    if ends != "none":
        image = g.add("LoadImage", ["end.png", "image"], IMAGE, ("MASK", "MASK"))
        end = g.add("VAEEncode", [], LATENT, pixels=(image, 0), vae=(g.all("VAELoader")[0], 0))
        pro = g.all("WanImageToVideoSVIProFLF")[1]
        g.link(end, 0, pro, "end_samples")
        pro["widgets_values"][1] = ends == "on"
    if ends == "on":
        refused(g.raw, "clip 2 .*ends on end_samples")
        return
    migrated, made, report = story(g.raw)
    assert values(made)["story"].count("---") == 2
    assert notes(report) == []
    assert feeds(migrated, made, "ref_image") is None


def test_what_had_nothing_to_do_with_a_native_chain_stays() -> None:
    g = Edit(native_chain())
    image = g.add("LoadImage", ["mine.png", "image"], IMAGE, ("MASK", "MASK"))
    tagger = g.add("WD14Tagger|pysssss", ["x"], ("STRING", "STRING"), image=(image, 0))
    preview = g.add("PreviewImage", [], images=(g.all("ImageResizeKJv2")[0], 0))
    note = g.add("Note", ["mine"])
    migrated, _, _ = story(g.raw)
    assert {each["id"] for each in (image, tagger, preview, note)} <= {node["id"] for node in migrated["nodes"]}


def test_the_stories_node_stands_where_the_first_clip_stood() -> None:
    raw = native_chain()
    spot = Edit(raw).all("WanImageToVideoSVIPro")[0]["pos"]
    assert story(raw)[1]["pos"] == spot


@pytest.mark.parametrize("block", range(6))
def test_mutated_native_graphs_become_stories_or_are_refused(block: int) -> None:
    done = 0
    for seed in range(40 * block, 40 * block + 40):
        kind, pair = SHAPES[seed % len(SHAPES)]
        raw = mutated(native_chain(kind=kind, pair=pair), seed)
        try:
            migrated, report = migrate_value(raw, as_story=True)
        except SVIError:
            continue
        done += 1
        report.lines()
        assert sum(node.get("type") == NODE for node in migrated["nodes"] if isinstance(node, dict)) == 1
    assert done


def test_tiles_that_a_story_has_are_those_of_the_native_engine() -> None:
    from wanvideo_svi.wrapper_ext.engine.native import TILES
    from wanvideo_svi.wrapper_ext.workflow.story.vae import NATIVE_TILES

    assert NATIVE_TILES == TILES
