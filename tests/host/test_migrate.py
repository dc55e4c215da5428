"""A migrated graph conditions its clips as the old one did: the same image_embeds and mask, to the bit."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from host.comfyui import Comfy
from host.graphs import Link
from host.old_graphs_run import runnable, small
from keyframe_nodes import Runner
from old_graphs import Raw, keyframe_canvas, pixel_chain, pro_chain
from project import SHARED
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value

REAL = sorted((SHARED / "graphs").glob("*.json"))
SEED = 3  # position among a sampler's values


def with_seeds_of(raw: Raw, migrated: Raw) -> Raw:
    """The migrated graph with the old seeds: another seed gives another video, and that leads the next clip."""
    seeds = {node["id"]: node["widgets_values"][SEED] for node in raw["nodes"] if node["type"] == "WanVideoSampler"}
    changed = copy.deepcopy(migrated)
    for node in changed["nodes"]:
        if node["type"] == "WanVideoSampler":
            node["widgets_values"][SEED] = seeds[node["id"]]
    return changed


def run(comfy: Comfy, raw: Raw, prefix: str, *, pair: bool) -> dict[str, dict[str, Any]]:
    """What each clip's first sampler got, and what all samplers made, by node id."""
    graph, dumps = runnable(raw, prefix=prefix, pair=pair)
    comfy.run(graph)
    found = {node: comfy.load(name) for node, name in dumps.items()}
    for node_id in [key[12:] for key in graph if key.startswith("dump_samples")]:
        found.setdefault(node_id, {})["made"] = comfy.load(f"{prefix}_samples{node_id}")["samples"]
    return found


def assert_same(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], *, clips: int) -> None:
    assert before.keys() == after.keys()
    compared = 0
    for node_id, old in before.items():
        new = after[node_id]
        torch.testing.assert_close(new["made"], old["made"], rtol=0, atol=0)
        if "image_embeds" not in old:
            continue
        compared += 1
        for key in ("image_embeds", "mask"):
            assert torch.equal(new[key], old[key]), (node_id, key)
        for key in ("num_frames", "lat_h", "lat_w"):
            assert new[key] == old[key], (node_id, key)
        if isinstance(old.get("clip_context"), torch.Tensor):
            assert torch.equal(new["clip_context"], old["clip_context"])
    assert compared == clips


CASES: dict[str, dict[str, Any]] = {
    "film": {},
    "film, authors' rule": {"rule": "first_frame"},
    "film, black": {"padding": "black"},
    "shot": {"padding": "reference", "overlap": 1, "lora": "svi-shot"},
    "shot through wires and a constant": {
        "padding": "reference", "overlap": 1, "lora": "svi-shot", "wires": True, "constant": True,
    },
    "film and shot": {"padding": "reference", "overlap": 5},
    "svi 2.0": {"padding": "reference", "overlap": 5, "rule": "first_frame"},
    "svi 2.0, first frame of the video": {"padding": "first", "overlap": 5, "rule": "first_frame"},
    "ten values": {"values": 10},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_pixel_chains_are_conditioned_as_before(kj_comfy: Comfy, name: str) -> None:
    raw = pixel_chain(**CASES[name])
    migrated, report = migrate_value(raw)
    assert not [found for found in report.findings if found.kind == "defect"]
    assert [node["type"] for node in migrated["nodes"]].count("WanVideoSVIEmbeds") == 2
    before = run(kj_comfy, raw, "before", pair=False)
    after = run(kj_comfy, migrated, "after", pair=False)
    assert_same(before, after, clips=3)


CANVASES: dict[str, dict[str, Any]] = {
    "start, two keyframes and end": {"keys": ((8, 1), (11, 1))},
    "a clip before, a keyframe of five frames": {"start": 5, "clip": True, "end": False, "keys": ((9, 5),)},
    "end only, black, square": {"start": 0, "level": 0, "width": 64, "keys": ((0, 1),)},
    "through wires, no keyframe": {"start": 5, "keys": (), "wires": True, "constant": True},
}  # fmt: skip


@pytest.mark.parametrize("name", CANVASES)
def test_keyframe_canvases_are_conditioned_as_before(kj_comfy: Comfy, name: str) -> None:
    raw = keyframe_canvas(**CANVASES[name])
    migrated, report = migrate_value(raw)
    assert not [found for found in report.findings if found.kind in ("defect", "left")]
    assert [node["type"] for node in migrated["nodes"]].count("WanVideoSVITemporalMask") == 1
    assert "ReplaceImagesInBatch" not in [node["type"] for node in migrated["nodes"]]
    clips = 2 if CANVASES[name].get("clip") else 1
    assert_same(run(kj_comfy, raw, "before", pair=False), run(kj_comfy, migrated, "after", pair=False), clips=clips)


@pytest.mark.parametrize("name", CANVASES)
def test_the_old_nodes_make_what_the_unit_tests_say(kj_comfy: Comfy, name: str) -> None:
    """tests/support/keyframe_nodes.py restates them as small functions."""
    raw = keyframe_canvas(**CANVASES[name])
    graph, _ = runnable(raw, prefix="canvas")
    encode = next(node for node in raw["nodes"] if node.get("title") == "The way")
    wanted: dict[str, Link] = {
        name: graph[f"n{encode['id']}"]["inputs"][name] for name in ("start_image", "temporal_mask")
    }
    kinds = ("ImageResizeKJv2", "WanVideoDecode")
    sources = [node["id"] for node in raw["nodes"] if node["type"] in kinds and node["outputs"][0]["links"]]
    wanted |= {str(node): [f"n{node}", 0] for node in sources}
    for key, link in wanted.items():
        graph[f"wanted_{key}"] = {"class_type": "SVITestDump", "inputs": {"value": link, "name": f"canvas_{key}"}}
    kj_comfy.run(graph)
    made = {key: kj_comfy.load(f"canvas_{key}")["value"] for key in wanted}
    runner = Runner(raw, {node: made[str(node)] for node in sources})
    for key in ("start_image", "temporal_mask"):
        assert torch.equal(runner.get(runner.encode, key), made[key]), key


@pytest.mark.parametrize(("side", "how"), [("source", "linear_blend"), ("new_images", "cut")])
def test_pro_chains_are_conditioned_and_joined_as_before(kj_comfy: Comfy, side: str, how: str) -> None:
    raw = pro_chain(side=side, how=how)
    migrated, _ = migrate_value(raw)
    videos = []
    for prefix, each, kind, slot in (
        ("before", raw, "ImageBatchExtendWithOverlap", 2), ("after", migrated, "WanVideoSVIStitch", 0),
    ):  # fmt: skip
        graph, dumps = runnable(each, prefix=prefix, pair=True)
        last = max((node for node in each["nodes"] if node["type"] == kind), key=lambda node: node["order"])
        link: Link = [f"n{last['id']}", slot]
        graph["video"] = {"class_type": "SVITestDump", "inputs": {"value": link, "name": f"{prefix}_video"}}
        kj_comfy.run(graph)
        videos.append((kj_comfy.load(f"{prefix}_video")["value"], {k: kj_comfy.load(v) for k, v in dumps.items()}))
    (old, old_embeds), (new, new_embeds) = videos
    assert len(old) == 3 * 17 - 2 * 5
    torch.testing.assert_close(new, old, rtol=0, atol=1e-6 if how == "linear_blend" else 0)
    for node_id, embeds in old_embeds.items():
        for key in ("image_embeds", "mask"):
            assert torch.equal(new_embeds[node_id][key], embeds[key])


@pytest.mark.parametrize("overlap", [4, 5])
def test_a_pro_join_that_dropped_the_old_end_is_repaired(kj_comfy: Comfy, overlap: int) -> None:
    """Before, each seam shows the later clip's first frame, its anchor; with 5 a frame of the earlier is lost too."""
    raw = pro_chain(overlap=overlap, how="cut")
    migrated, report = migrate_value(raw)
    assert [found.fixed for found in report.findings if found.kind == "defect"] == [True, True]
    videos = {}
    for prefix, each, kind, slot in (
        ("before", raw, "ImageBatchExtendWithOverlap", 2), ("after", migrated, "WanVideoSVIStitch", 0),
    ):  # fmt: skip
        graph, _ = runnable(each, prefix=prefix, pair=True)
        last = max((node for node in each["nodes"] if node["type"] == kind), key=lambda node: node["order"])
        wanted: dict[str, Link] = {"video": [f"n{last['id']}", slot]}
        decodes = sorted((n for n in each["nodes"] if n["type"] == "WanVideoDecode"), key=lambda node: node["order"])
        wanted |= {f"clip{index}": [f"n{node['id']}", 0] for index, node in enumerate(decodes)}
        for name, link in wanted.items():
            graph[name] = {"class_type": "SVITestDump", "inputs": {"value": link, "name": f"{prefix}_{name}"}}
        kj_comfy.run(graph)
        videos[prefix] = {name: kj_comfy.load(f"{prefix}_{name}")["value"] for name in wanted}
    before, after = videos["before"], videos["after"]
    clips = [after[f"clip{index}"] for index in range(3)]
    assert all(torch.equal(clip, before[f"clip{index}"]) for index, clip in enumerate(clips))
    assert torch.equal(before["video"], torch.cat([clips[0][:-overlap], clips[1][:-overlap], clips[2]]))
    assert torch.equal(before["video"][17 - overlap], clips[1][0])  # the anchor, in the seam
    assert torch.equal(after["video"], torch.cat([clips[0], clips[1][5:], clips[2][5:]]))


def test_an_old_graph_as_a_story_renders(kj_comfy: Comfy) -> None:
    raw = pixel_chain(padding="reference", overlap=1, lora="svi-shot", seeds=[5, 47, 60])
    graph, _ = runnable(migrate_value(raw, as_story=True)[0], prefix="story")
    node_id, node = next((key, node) for key, node in graph.items() if node["class_type"] == "WanVideoSVILongVideo")
    node["inputs"]["reel"] = "old_graph"
    graph["frames"] = {
        "class_type": "WanVideoSVIReelFrames", "inputs": {"reel": [node_id, 0], "start_frame": 0, "count": 0},
    }  # fmt: skip
    graph["video"] = {"class_type": "SVITestDump", "inputs": {"value": ["frames", 0], "name": "story_video"}}
    kj_comfy.run(graph)
    assert kj_comfy.load("story_video")["value"].shape == (3 * 17 - 2 * 1, 64, 64, 3)
    takes = open_reel(kj_comfy.base / "output" / "svi_reels" / "old_graph").clips
    assert [(take.mode, take.seed, take.prompt) for take in takes] == [
        ("i2v", 5, "clip 1"), ("shot", 47, "clip 2"), ("shot", 60, "clip 3"),
    ]  # fmt: skip


@pytest.mark.skipif(not REAL, reason="the community graphs are not there")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_graphs_are_conditioned_as_before(kj_comfy: Comfy, path: Path) -> None:
    raw = small(json.loads(path.read_text()))
    pair = "shot" not in path.stem
    migrated = with_seeds_of(raw, migrate_value(raw)[0])
    after = run(kj_comfy, migrated, "after", pair=pair)
    if pair:  # its only defect is a seed
        assert_same(run(kj_comfy, raw, "before", pair=pair), after, clips=5)
        return
    # Its padding is the last frame of the clip before. With the original image in that place, nothing differs.
    before = run(kj_comfy, raw, "before", pair=pair)
    repaired = copy.deepcopy(raw)
    image = next(node for node in repaired["nodes"] if node["type"] == "ImageResizeKJv2")
    for node in repaired["nodes"]:
        if node["type"] == "RepeatImageBatch":
            link = next(entry["link"] for entry in node["inputs"] if entry["name"] == "image")
            record = next(entry for entry in repaired["links"] if entry[0] == link)
            record[1:3] = [image["id"], 0]
    assert_same(run(kj_comfy, repaired, "repaired", pair=pair), after, clips=3)
    same = {node: torch.equal(old["image_embeds"], after[node]["image_embeds"]) for node, old in before.items()}
    assert same == {"27": True, "113": False, "171": False}  # the clips with the defect, and no other
    assert all(torch.equal(old["mask"], after[node]["mask"]) for node, old in before.items())
