"""The example workflows: every node, input and link in them exists in the host and in this pack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from example_graphs import WORKFLOWS, is_widget, signature, type_name
from helpers import planned
from PIL import Image
from project import ROOT
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_graph import definition, widgets

from example_workflows import WORKFLOWS as WORKFLOW_TOOL

# The talk LoRA is for 25 frames per second; the negative prompt is one for all stories.
SET_ALL_THE_SAME = {("long_video_talk", "fps")} | {
    (path.stem, "negative_prompt") for path in WORKFLOWS if path.stem.startswith("long_video_")
}


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def real_nodes(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in workflow["nodes"] if node["type"] != "MarkdownNote"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
class TestWorkflow:
    def test_every_node_is_known_and_its_required_inputs_are_wired(self, path: Path) -> None:
        for node in real_nodes(load(path)):
            required, optional, outputs = signature(node["type"])
            wired = {entry["name"] for entry in node["inputs"] if entry["link"] is not None}
            needed = {name for name, spec in required.items() if not is_widget(spec)}
            assert needed <= wired, node["type"]
            assert {entry["name"] for entry in node["inputs"]} <= set(required) | set(optional)
            assert [entry["type"] for entry in node["outputs"]] == outputs

    def test_every_link_joins_equal_types_and_is_known_at_both_ends(self, path: Path) -> None:
        workflow = load(path)
        nodes = {node["id"]: node for node in workflow["nodes"]}
        for link, source, slot, target, index, kind in workflow["links"]:
            entry, output = nodes[target]["inputs"][index], nodes[source]["outputs"][slot]
            required, optional, _ = signature(nodes[target]["type"])
            assert entry["link"] == link
            assert link in output["links"]
            taken = type_name({**required, **optional}[entry["name"]][0]).split(",")  # a VAE of either kind
            assert kind in taken, (entry["name"], kind)
            assert output["type"] == kind

    def test_widgets_have_values_of_their_type_and_range(self, path: Path) -> None:
        for node in real_nodes(load(path)):
            inputs = definition(node["type"])["inputs"]
            for name, value in widgets(node).items():
                kind, options = inputs[name]
                wanted = {"INT": int, "FLOAT": (int, float), "STRING": str, "BOOLEAN": bool, "COMBO": str}[kind]
                assert isinstance(value, wanted), (node["type"], name, value)
                if kind in ("INT", "FLOAT"):
                    assert options.get("min", value) <= value <= options.get("max", value), (node["type"], name)

    def test_nothing_that_it_sets_is_folded_away(self, path: Path) -> None:
        for node in real_nodes(load(path)):
            if node["type"] not in NODE_CLASS_MAPPINGS:
                continue
            inputs = definition(node["type"])["inputs"]
            for name, value in widgets(node).items():
                options = inputs[name][1]
                if options.get("advanced") and (path.stem, name) not in SET_ALL_THE_SAME:
                    assert value == options["default"], (node["type"], name)

    def test_it_is_what_the_tool_writes(self, path: Path) -> None:
        assert load(path) == json.loads(json.dumps(WORKFLOW_TOOL[path.stem]()))

    def test_it_has_a_square_picture(self, path: Path) -> None:
        with Image.open(path.with_suffix(".jpg")) as picture:
            assert picture.size == (512, 512)

    def test_the_first_clip_runs_without_the_svi_lora_and_every_clip_has_its_own_seed(self, path: Path) -> None:
        if path.stem.startswith("long_video"):
            return  # the next test is about these
        workflow = load(path)
        nodes = {node["id"]: node for node in workflow["nodes"]}
        source = {link: (nodes[origin], slot) for link, origin, slot, *_ in workflow["links"]}
        samplers = [node for node in workflow["nodes"] if node["type"] == "WanVideoSampler"]

        def wired(node: dict[str, Any], name: str) -> tuple[dict[str, Any], int]:
            return source[next(entry["link"] for entry in node["inputs"] if entry["name"] == name)]

        def model_of(sampler: dict[str, Any]) -> dict[str, Any]:
            node, slot = wired(sampler, "model")
            if node["type"] != "WanVideoHighLowPair":
                return node
            return wired(node, ("high_model", "low_model")[slot])[0]

        clips: dict[int, list[bool]] = {}  # by seed, which is the same in both halves of a pair
        for sampler in samplers:
            lora = wired(model_of(sampler), "lora")[0]["title"]
            clips.setdefault(widgets(sampler)["seed"], []).append("SVI" in lora)
        first, *rest = clips.values()
        assert not any(first)
        assert bool(rest) == (path.stem not in ("fun_inp_keyframes", "holocine_pusa_magref_pair")), (
            "these have one clip"
        )
        assert all(all(with_lora) for with_lora in rest)
        assert len({len(halves) for halves in clips.values()}) == 1

    def test_every_stitch_drops_the_overlap_of_the_clip_it_adds(self, path: Path) -> None:
        """The number is the mode's, or it is wired from the clip's embeds."""
        workflow = load(path)
        nodes = {node["id"]: node for node in workflow["nodes"]}
        source = {link: nodes[origin] for link, origin, *_ in workflow["links"]}
        for stitch in (node for node in workflow["nodes"] if node["type"] == "WanVideoSVIStitch"):
            wired = [entry["link"] for entry in stitch["inputs"] if entry["name"] == "overlap_frames"]
            if wired:
                assert source[wired[0]]["type"] == "WanVideoSVILatentEmbeds"
                continue
            tails = [node for node in workflow["nodes"] if node["type"] == "WanVideoSVIMotionFrames"]
            counts = {widgets(node)["overlap_frames"] for node in tails}
            if not tails:  # the embeds nodes take the mode's own count
                embeds = [widgets(node) for node in workflow["nodes"] if node["type"] == "WanVideoSVIEmbeds"]
                assert {node["overlap_frames"] for node in embeds} == {0}
                counts = {recipe(embeds[-1]["mode"]).motion_frames}
            assert counts == {widgets(stitch)["overlap_frames"]}

    def test_models_are_named_in_the_note(self, path: Path) -> None:
        workflow = load(path)
        (note,) = (node["widgets_values"][0] for node in workflow["nodes"] if node["type"] == "MarkdownNote")
        files = {
            value
            for node in real_nodes(workflow)
            for value in node["widgets_values"]
            if isinstance(value, str) and value.endswith(".safetensors")
        }
        assert len(files) >= 6
        assert all(name in note for name in files)


@pytest.mark.parametrize(
    "path", [path for path in WORKFLOWS if path.stem.startswith("long_video")], ids=lambda p: p.stem
)
def test_a_long_video_is_a_small_graph_whose_first_clip_has_no_svi_lora(path: Path) -> None:
    workflow = load(path)
    assert len(real_nodes(workflow)) < 15
    nodes = {node["id"]: node for node in workflow["nodes"]}
    source = {link: nodes[origin] for link, origin, *_ in workflow["links"]}

    def loras(node: dict[str, Any]) -> set[str]:
        """Titles of the LoRAs behind a node's model."""
        behind = [source[entry["link"]] for entry in node["inputs"] if entry["link"] is not None
                  and entry["name"] in ("model", "lora", "prev_lora")]  # fmt: skip
        here = {node["title"]} if node["type"] in ("WanVideoLoraSelect", "LoraLoaderModelOnly") else set()
        return here.union(*map(loras, behind))

    (node,) = (node for node in workflow["nodes"] if node["type"].startswith("WanVideoSVILongVideo"))
    wired = {entry["name"]: source[entry["link"]] for entry in node["inputs"] if entry["link"] is not None}
    settings = "sampler_inputs" if node["type"] == "WanVideoSVILongVideo" else "model"
    stages = [(settings, "first_clip_model"), ("low_noise_model", "first_clip_low_noise_model")]
    pair = "low_noise_model" in wired
    for main, first in stages if pair else stages[:1]:
        assert any("SVI" in title for title in loras(wired[main]))
        assert loras(wired[first])
        assert not any("SVI" in title for title in loras(wired[first]))
    values = widgets(node)
    plan = planned(values["story"], mode=values["mode"], num_frames=values["num_frames"], seed=values["seed"],
                   length=4 * 81 - 3)  # fmt: skip
    assert len(plan.clips) == 4
    assert len({clip.seed for clip in plan.clips}) == 4
    assert bool(values["split_step"]) == pair == (values["mode"] == "svi2_pro")
    (note,) = (node["widgets_values"][0] for node in workflow["nodes"] if node["type"] == "MarkdownNote")
    assert plan.length or f"{len(plan.clips)} clips, {plan.total_frames} frames" in note
    assert values["reel"] in note


@pytest.mark.parametrize("name", ["svi_talk_chain", "svi_shot_humo", "long_video_talk"])
def test_the_video_sounds_as_its_file_does(name: str) -> None:
    """The audio that comes out of the features node is at 16 kHz and cut at its num_frames."""
    workflow = load(ROOT / "example_workflows" / f"{name}.json")
    nodes = {node["id"]: node for node in workflow["nodes"]}
    source = {link: nodes[origin]["type"] for link, origin, *_ in workflow["links"]}
    ends = ("CreateVideo", "WanVideoSVILongVideo")
    sounds = [source[entry["link"]] for node in workflow["nodes"] if node["type"] in ends
              for entry in node["inputs"] if entry["name"] == "audio"]  # fmt: skip
    assert sounds == ["LoadAudio"]


def test_what_the_tool_makes_is_shipped() -> None:
    assert {path.stem for path in WORKFLOWS} == set(WORKFLOW_TOOL)


def test_two_long_videos_open_as_apps_whose_controls_are_there() -> None:
    apps = {path.stem: load(path) for path in WORKFLOWS if load(path)["extra"].get("linearMode")}
    assert set(apps) == {"long_video_film", "long_video_svi2_pro"}
    for workflow in apps.values():
        nodes = {node["id"]: node["type"] for node in workflow["nodes"]}
        data = workflow["extra"]["linearData"]
        shown = [(nodes[node], name) for node, name, *_ in data["inputs"]]
        assert {("LoadImage", "image"), ("WanVideoSVILongVideo", "story")} <= set(shown)
        for kind, name in shown:
            if name != "svi_plan":  # the pack's script adds it
                options = definition(kind)["inputs"][name][1]
                assert not options.get("advanced"), f"{name} would have no control in an app"
        assert [nodes[node] for node in data["outputs"]] == ["WanVideoSVILongVideo"]
