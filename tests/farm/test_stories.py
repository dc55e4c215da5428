"""Story files and tables, what they set on a graph, and the parts of a story."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from farms import graph
from helpers import frames
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import to_pixels
from wanvideo_svi.svi_embeds.story.depends import needs_of
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.svi_embeds.story.settings import ChainConnected, ChainSettings
from wanvideo_svi.wrapper_ext.farm.graph import (
    check_graph,
    find_long_video,
    for_clips,
    missing_files,
    models_key,
    set_image,
    set_value,
)  # fmt: skip
from wanvideo_svi.wrapper_ext.farm.parts import critical_path, parts_of
from wanvideo_svi.wrapper_ext.farm.stories import read_stories

ROWS = [{"name": "lake", "story": "a\n---\nb", "start_image": "lake.png", "seed": 7, "mode": "shot"}, {"story": "c"}]


def written(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / f"table.{kind}"
    if kind == "json":
        path.write_text(json.dumps(ROWS))
    elif kind == "yaml":
        path.write_text(
            '- {name: lake, story: "a\\n---\\nb", start_image: lake.png, seed: 7, mode: shot}\n- story: c\n'
        )
    else:
        path.write_text('name,story,start_image,seed,mode\nlake,"a\n---\nb",lake.png,7,shot\n,c,,,\n')
    return path


@pytest.mark.parametrize("kind", ["csv", "json", "yaml"])
def test_tables_of_each_kind_say_the_same(tmp_path: Path, kind: str) -> None:
    one, two = read_stories([written(tmp_path, kind)])
    assert (one.name, one.text, two.name, two.text) == ("lake", "a\n---\nb", "table_002", "c")
    assert one.images == {"start_image": tmp_path / "lake.png"}
    assert {key: str(value) for key, value in one.values.items()} == {"seed": "7", "mode": "shot"}
    assert two.values == two.images == {}


def test_text_files_are_stories_by_their_name(tmp_path: Path) -> None:
    for name in ("a b.txt", "snow#1.md"):
        (tmp_path / name).write_text("x", encoding="utf-8-sig")
    found = read_stories([tmp_path / "a b.txt", tmp_path / "snow#1.md"])
    assert [(story.name, story.text) for story in found] == [("a b", "x"), ("snow_1", "x")]


@pytest.mark.parametrize(("name", "text", "said"), [
    ("t.csv", "name,story\na,b,c\n", "row 1: it has more cells"),
    ("t.csv", 'name\n"a\n', "is not a table"),
    ("t.json", "{", "is not a table"), ("t.json", "[1]", "must be a list of rows"),
    ("t.yaml", "a: [", "is not a table"),
    ("t.json", '[{"name": "a"}, {"name": "A"}]', "are both called A"),
    ("t.json", '[{"story_file": "gone.txt"}]', "story_file gone.txt cannot be read"),
    ("t.json", "[]", "there is no story"),
    ("t.json", '[{"name": "CON"}]', "none that Windows keeps for devices"),
])  # fmt: skip
def test_tables_that_are_none(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SVIError, match=said):
        read_stories([tmp_path / name])


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00")
    for path, said in ((tmp_path / "x.txt", "is not text"), (tmp_path / "gone.txt", "cannot be read")):
        with pytest.raises(SVIError, match=said):
            read_stories([path])


def test_a_name_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps([{"name": "../../etc/x"}, {"name": "..\\y"}]))
    assert [story.name for story in read_stories([tmp_path / "t.json"])] == ["etc_x", "y"]


def test_values_are_set_by_title_or_id() -> None:
    made = graph()
    set_value(made, "Sampler Settings.steps", "4")
    set_value(made, "4.fps", "24")
    set_value(made, "4.resume", "false")
    assert made["2"]["inputs"]["steps"] == 4
    assert (made["4"]["inputs"]["fps"], made["4"]["inputs"]["resume"]) == (24.0, False)


@pytest.mark.parametrize(("key", "value", "said"), [
    ("steps", "4", 'must be "title or id.input"'), ("Sampler.steps", "4", "no node is called 'Sampler'"),
    ("2.step", "4", "has no input 'step', it has model, steps"), ("2.model", "x", "a link gives model"),
    ("2.steps", "four", "a number is expected"), ("4.resume", "1", "true or false is expected"),
])  # fmt: skip
def test_values_that_cannot_be_set(key: str, value: str, said: str) -> None:
    with pytest.raises(SVIError, match=said):
        set_value(graph(), key, value)
    made = graph()
    made["9"] = {**made["2"], "_meta": {"title": "Sampler Settings"}}
    with pytest.raises(SVIError, match="2 nodes are called 'Sampler Settings': name one by its id"):
        set_value(made, "Sampler Settings.steps", "4")


def test_an_image_goes_to_the_loader_behind_the_input(tmp_path: Path) -> None:
    picture = tmp_path / "lake.PNG"
    Image.fromarray(to_pixels(frames(1)[0])).save(picture)
    made = graph()
    made["5"] = {"class_type": "ImageScale", "inputs": {"image": ["3", 0], "width": 64}}
    made["4"]["inputs"]["start_image"] = ["5", 0]
    name = set_image(made, "4", "start_image", picture)
    assert made["3"]["inputs"]["image"] == f"{name} [temp]"
    assert name.endswith(".png")
    assert set_image(made, "4", "ref_image", picture) == name
    assert made[made["4"]["inputs"]["ref_image"][0]]["class_type"] == "LoadImage"
    made["6"] = {"class_type": "LoadImage", "inputs": {"image": "b.png"}}
    made["5"]["inputs"]["mask"] = ["6", 0]
    with pytest.raises(SVIError, match="2 of LoadImage are behind start_image"):
        set_image(made, "4", "start_image", picture)


def test_graphs_with_no_long_video_or_two() -> None:
    made = graph()
    made["5"] = {**made["4"], "_meta": {"title": "Another"}}
    with pytest.raises(SVIError, match=r"has 2 Long Videos \(Long Video \(4\), Another \(5\)\): keep one"):
        find_long_video(made)
    with pytest.raises(SVIError, match="the graph has no WanVideoSVILongVideo"):
        find_long_video({"1": made["1"]})


@pytest.mark.parametrize("node", [[], {"class_type": "LoadImage"}, {"inputs": {}}, "LoadImage"])
def test_a_graph_with_a_node_that_is_none(node: Any) -> None:
    with pytest.raises(SVIError, match="node 9 of the graph has no class_type or no inputs"):
        check_graph({**graph(), "9": node})
    assert check_graph(graph()) == "4"


def test_a_part_has_what_its_clips_are_made_from_and_nothing_else() -> None:
    made = graph()
    made["7"] = {"class_type": "SaveVideo", "inputs": {"video": ["4", 2]}}
    part = for_clips(made, "4", "2-3")
    assert sorted(part) == ["1", "2", "3", "4"]
    assert part["4"]["inputs"]["only"] == "2-3"
    assert "only" not in made["4"]["inputs"]


def test_equal_models_have_one_key() -> None:
    one, two = graph(story="a"), graph(story="b", seed=9)
    two["3"]["inputs"]["image"] = "other.png"
    assert models_key(one, "4") == models_key(two, "4")
    two["1"]["inputs"]["model"] = "other.safetensors"
    assert models_key(one, "4") != models_key(two, "4")


def test_what_a_comfyui_lacks_is_told_by_name() -> None:
    nodes: dict[str, Any] = {
        "WanVideoModelLoader": {"input": {"required": {"model": ["COMBO", {"options": ["other.safetensors"]}]}}},
        "WanVideoSamplerSettings": {"input": {"required": {"steps": ["INT", {}]}}},
        "LoadImage": {"input": {"required": {"image": [["here.png"], {}]}}},
    }
    made = graph()
    made["3"]["inputs"]["image"] = "svi_1.png [temp]"
    assert missing_files(made, nodes) == ["model wan.safetensors of Model", "node WanVideoSVILongVideo"]


HEADS = st.sampled_from(["", "takes=3", "cut", "cut start=1", "from=1", "mend", "seed=5", "takes=2 pick=1"])


@given(st.lists(HEADS, min_size=1, max_size=8), st.booleans())
def test_parts_make_each_take_once_and_after_what_leads_it(heads: list[str], holds_colours: bool) -> None:
    heads[0] = heads[0] if heads[0] in ("", "takes=3", "seed=5") else ""
    settings = ChainSettings(mode="film", num_frames=17, color_match="mean_std" if holds_colours else "off")
    story = "\n---\n".join(f"[{head}]\nclip {number}" for number, head in enumerate(heads))
    try:
        plan = plan_chain(story, settings, ChainConnected(start_images=2))
    except SVIError:
        return
    parts = parts_of(plan, settings)
    made: dict[int, int] = {}
    for number, part in enumerate(parts):
        assert all(other < number for other in part.after)
        for clip in part.clips:
            made[clip] = made.get(clip, 0) + 1
            there = {index for other in part.after for index in parts[other].clips}
            assert needs_of(plan, plan.clips[clip], settings) <= there | _before(parts, part) | {*part.clips}
    assert made == {clip.index: clip.takes for clip in plan.clips}
    assert sum(part.makes for part in parts) == sum(clip.takes for clip in plan.clips)
    assert 1 <= critical_path(plan, settings) <= len(plan.clips)


def _before(parts: list[Any], part: Any) -> set[int]:
    """Clips that are there before a part is made."""
    found: set[int] = set()
    waiting = list(part.after)
    while waiting:
        other = parts[waiting.pop()]
        found |= {*other.clips}
        waiting += other.after
    return found
