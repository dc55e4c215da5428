"""How the example workflows look when they are opened: nothing overlaps or hangs out of its group, the note is first.

By the tool's own figures of how tall nodes are (tools/workflow_heights.py); tests/host/test_layout_page.py measures the
same in a browser.
"""

from __future__ import annotations

import copy
import itertools
import json

import pytest
from example_graphs import Graph, height
from project import ROOT
from workflow_files import HOLOCINE
from workflow_heights import TITLE, height_of, note_height
from workflow_models import models_of

from example_workflows import WORKFLOWS

Box = tuple[float, float, float, float]  # left, top, right, bottom


def load(name: str) -> Graph:
    graph: Graph = json.loads((ROOT / "example_workflows" / f"{name}.json").read_text())
    return graph


def box(node: Graph) -> Box:
    """With its title, as tall as it gets."""
    (x, y), width = node["pos"], node["size"][0]
    return x, y - TITLE, x + width, y - TITLE + height(node).kept


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def troubles(graph: Graph) -> list[str]:
    """What is wrong with how a graph is laid out."""
    nodes = [(f"{node['type']} {node['id']}", node, box(node)) for node in graph["nodes"]]
    groups = [(x, y, x + width, y + tall) for x, y, width, tall in (group["bounding"] for group in graph["groups"])]
    (note,) = (place for _, node, place in nodes if node["type"] == "MarkdownNote")
    found = [
        f"{a} overlaps {b}" for (a, _, one), (b, _, other) in itertools.combinations(nodes, 2) if overlap(one, other)
    ]
    found += ["groups overlap" for one, other in itertools.combinations(groups, 2) if overlap(one, other)]
    for name, node, place in nodes:
        around = [group for group in groups if overlap(group, place)]
        if len(around) != 1 or not (around[0][0] <= place[0] and around[0][1] <= place[1]):
            found.append(f"{name} is not in one group")
        elif place[2] > around[0][2] or place[3] > around[0][3]:
            found.append(f"{name} hangs out of its group")
        if node["size"][1] < height(node).saved:
            found.append(f"{name} is saved too low for what it shows")
        if (place[0], place[1]) < (note[0], note[1]) or (place[1], place[0]) < (note[1], note[0]):
            found.append(f"{name} stands before the note")
    return found


@pytest.mark.parametrize("name", WORKFLOWS)
class TestLayout:
    def test_nothing_overlaps_or_hangs_out_and_the_note_is_first(self, name: str) -> None:
        assert troubles(load(name)) == []

    def test_a_node_out_of_place_is_found(self, name: str) -> None:
        graph = load(name)
        for index in (0, len(graph["nodes"]) // 2, -1):
            for axis, far in ((0, 300), (1, 3000), (1, -300)):
                moved = copy.deepcopy(graph)
                moved["nodes"][index]["pos"][axis] += far
                assert troubles(moved), (index, axis, far)

    def test_only_models_are_missing(self, name: str) -> None:
        """ComfyUI has example.png in its input folder; a voice or a dance is the user's own."""
        images = [node["widgets_values"][0] for node in load(name)["nodes"] if node["type"] == "LoadImage"]
        assert set(images) == {"example.png"}

    def test_every_model_file_says_where_it_is(self, name: str) -> None:
        """ComfyUI takes an entry whose name is the widget's value, and offers a download from huggingface.co."""
        for node in load(name)["nodes"]:
            files = [value for value in node["widgets_values"] if str(value).endswith(".safetensors")]
            models = node["properties"].get("models", [])
            assert models == models_of(files)
            assert [model["name"] for model in models] == [file for file in files if file != HOLOCINE]
            for model in models:
                assert "/" not in model["name"]
                assert model["url"].startswith("https://huggingface.co/")
                assert model["url"].endswith(f"/{model['name']}")
                assert model["directory"]


def test_a_text_that_grows_makes_its_note_taller() -> None:
    few, many = (note_height("\n".join(["- a line of a note"] * count), 860) for count in (10, 20))
    assert many.saved > few.saved
    assert note_height("word " * 400, 860).saved > note_height("word " * 100, 860).saved


def test_what_a_node_shows_makes_it_taller() -> None:
    """Inputs, widgets, text boxes, strips, and the picture of a run."""
    one, two = (height_of(kind, linked=(), room=0).saved for kind in ("CLIPVisionLoader", "WanVideoVAELoader"))
    assert two - one == 3 * 28  # widgets of a Vue node
    linked, not_linked = (height_of("WanVideoSampler", linked=names, room=0).saved for names in (("steps",), ()))
    assert linked - not_linked == 20  # a row more for the input; the widget stays
    embeds = height_of("WanVideoSVIEmbeds", linked=(), room=0)
    assert embeds.kept > embeds.saved + TITLE + 240
    assert height_of("WanVideoTextEncodeCached", linked=(), room=100).saved == 100 + height_of(
        "WanVideoTextEncodeCached", linked=(), room=0
    ).saved  # fmt: skip
