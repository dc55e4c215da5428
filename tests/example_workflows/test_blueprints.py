"""The subgraph blueprints: well-formed, for a bad one is an error at every start, and the clips of the examples."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from example_graphs import is_widget, signature, type_name
from project import PROJECT, ROOT
from subgraph_blueprints import BLUEPRINTS, FIRST, NEXT, text_of
from workflow_graph import definition, widgets
from workflow_subgraph import INPUT_ID, OUTPUT_ID

FILES = sorted((ROOT / "subgraphs").glob("*"))
# A block, and the clip of an example workflow that it is.
EXAMPLES = {
    FIRST["frames"]: ("svi_film_chain", 0), NEXT["film"]: ("svi_film_chain", 1), NEXT["shot"]: ("svi_shot_chain", 1),
    FIRST["talk"]: ("svi_talk_chain", 0), NEXT["talk"]: ("svi_talk_chain", 1),
    FIRST["svi2_pro"]: ("svi2_pro_chain", 0), NEXT["svi2_pro"]: ("svi2_pro_chain", 1),
}  # fmt: skip


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def graph_of(path: Path) -> dict[str, Any]:
    return load(path)["definitions"]["subgraphs"][0]


def test_what_the_tool_makes_is_shipped() -> None:
    assert {path.name for path in FILES} == {f"{name}.json" for name in BLUEPRINTS}


def test_each_has_an_id_of_its_own() -> None:
    ids = [uuid.UUID(graph_of(path)["id"]) for path in FILES]
    assert len(set(ids)) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
class TestBlueprint:
    def test_it_is_what_the_tool_writes_byte_for_byte(self, path: Path) -> None:
        assert path.read_bytes() == text_of(path.stem).encode()

    def test_its_root_is_one_node_of_its_one_subgraph(self, path: Path) -> None:
        blueprint = load(path)
        (host,) = blueprint["nodes"]
        (graph,) = blueprint["definitions"]["subgraphs"]
        assert blueprint["links"] == []
        assert host["type"] == graph["id"]
        assert graph["category"] == PROJECT["tool"]["comfy"]["DisplayName"]
        for end in ("inputs", "outputs"):
            shown = [(entry["name"], entry["type"]) for entry in graph[end]]
            assert [(entry["name"], entry["type"]) for entry in host[end]] == shown
            assert len(dict(shown)) == len(shown)
            assert len({uuid.UUID(entry["id"]) for entry in graph[end]}) == len(shown)

    def test_every_link_is_known_at_both_ends_and_joins_equal_types(self, path: Path) -> None:
        graph = graph_of(path)
        nodes = {node["id"]: node for node in graph["nodes"]}
        assert len(nodes) == len(graph["nodes"])
        at_ends: list[int] = []
        for link in graph["links"]:
            if link["origin_id"] == INPUT_ID:
                start = graph["inputs"][link["origin_slot"]]
                assert link["id"] in start["linkIds"]
            else:
                start = nodes[link["origin_id"]]["outputs"][link["origin_slot"]]
                assert link["id"] in start["links"]
            if link["target_id"] == OUTPUT_ID:
                end = graph["outputs"][link["target_slot"]]
                assert end["linkIds"] == [link["id"]]
            else:
                end = nodes[link["target_id"]]["inputs"][link["target_slot"]]
                assert end["link"] == link["id"]
            assert start["type"] == link["type"]
            assert link["type"] in end["type"].split(",")  # a VAE of either kind
            at_ends += [link["id"], link["id"]]
        ends = [number for entry in graph["inputs"] + graph["outputs"] for number in entry["linkIds"]]
        for node in nodes.values():
            ends += [entry["link"] for entry in node["inputs"] if entry["link"] is not None]
            ends += [number for entry in node["outputs"] for number in entry["links"]]
        assert sorted(ends) == sorted(at_ends)
        assert all(entry["linkIds"] for entry in graph["inputs"] + graph["outputs"])

    def test_every_node_is_known_and_has_what_it_requires(self, path: Path) -> None:
        for node in graph_of(path)["nodes"]:
            required, optional, outputs = signature(node["type"])
            linked = {entry["name"] for entry in node["inputs"] if entry["link"] is not None}
            assert {name for name, spec in required.items() if not is_widget(spec)} <= linked, node["type"]
            assert [entry["type"] for entry in node["outputs"]] == outputs
            for entry in node["inputs"]:
                spec = {**required, **optional}[entry["name"]]
                assert entry["type"] == type_name(spec[0])
                assert ("widget" in entry) == is_widget(spec)
            widgets(node)  # raises where there are too many or too few values

    def test_what_is_on_the_block_is_a_widget_inside(self, path: Path) -> None:
        graph, (host,) = graph_of(path), load(path)["nodes"]
        nodes = {node["id"]: node for node in graph["nodes"]}
        links = {link["id"]: link for link in graph["links"]}
        on_block = set()
        for entry, shown in zip(graph["inputs"], host["inputs"], strict=True):
            inside = [
                nodes[links[number]["target_id"]]["inputs"][links[number]["target_slot"]] for number in entry["linkIds"]
            ]
            assert len({"widget" in each for each in inside}) == 1
            assert ("widget" in shown) == ("widget" in inside[0])
            if "widget" in shown:
                on_block.add(entry["name"])
        assert {"prompt", "seed", "width", "height", "num_frames"} <= on_block
        assert len(on_block) <= 8

    def test_its_clip_is_that_of_the_example_workflow(self, path: Path) -> None:
        name, index = EXAMPLES[path.stem]
        example = load(ROOT / "example_workflows" / f"{name}.json")
        columns = [group["bounding"] for group in example["groups"] if group["title"].startswith("Clip ")]
        left, _, width, _ = columns[index]
        clip = [node for node in example["nodes"] if left <= node["pos"][0] < left + width]
        shared = [node for node in example["nodes"] if node["type"] in ("ImageScale", "WanVideoEncode")]
        theirs = {(node["type"], node.get("title", "") if node["type"] == "WanVideoSampler" else ""): node
                  for node in clip + shared}  # fmt: skip
        for node in graph_of(path)["nodes"]:
            if node["type"] == "WanVideoTextEncode":
                (text,) = (widgets(each) for each in clip if each["type"] == "WanVideoTextEncodeCached")
                mine = widgets(node)
                assert all(mine[prompt] == text[prompt] for prompt in ("positive_prompt", "negative_prompt"))
                continue
            other = theirs.pop((node["type"], node.get("title", "") if node["type"] == "WanVideoSampler" else ""))
            assert widgets(node) == widgets(other), node["type"]
        left_out = {node["type"] for node in clip} & {kind for kind, _ in theirs}
        assert left_out == {"WanVideoTextEncodeCached"}

    def test_its_description_names_blocks_and_inputs_that_are_there(self, path: Path) -> None:
        text, graph = load(path)["extra"]["BlueprintDescription"], graph_of(path)
        named = set(re.findall(r"SVI (?:first clip(?: \([^)]+\))?|(?:2\.0 Pro|film|shot|talk) clip)", text))
        assert named
        assert named <= set(BLUEPRINTS) - {path.stem}
        names = {entry["name"] for entry in graph["inputs"] + graph["outputs"]}
        known = names | {entry["name"] for block in named for entry in graph_of(path.with_stem(block))["inputs"]}
        assert set(re.findall(r"[a-z]+(?:_[a-z]+)+", text)) <= known
        for name in names & {"joined_so_far", "previous_clip", "previous_latents", "reference", "clip_index", "steps"}:
            assert name in text

    def test_what_it_gives_is_what_the_next_block_takes(self, path: Path) -> None:
        mode = next(key for blocks in (FIRST, NEXT) for key, name in blocks.items() if name == path.stem)
        outputs = {entry["name"]: entry["type"] for entry in graph_of(path)["outputs"]}
        for following in ("film", "shot") if mode == "frames" else (mode,):
            inputs = {entry["name"]: entry["type"] for entry in graph_of(path.with_stem(NEXT[following]))["inputs"]}
            lead = ("latents", "previous_latents") if mode == "svi2_pro" else ("clip", "previous_clip")
            assert outputs["joined_so_far"] == inputs["joined_so_far"] == "IMAGE"
            assert outputs[lead[0]] == inputs[lead[1]] == definition("WanVideoSampler" if mode == "svi2_pro" else
                                                                      "WanVideoDecode")["outputs"][0][1]  # fmt: skip
