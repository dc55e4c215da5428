"""Chains made of this pack's blueprints, in a real ComfyUI and browser: the same frames as the example workflows.

Needs what `test_templates_page` needs.
"""

from __future__ import annotations

import json
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import drive, needs_browser
from host.comfyui import PACK, Comfy, frontend_version
from host.graphs import tiny_chain
from project import ROOT
from subgraph_blueprints import FIRST, NEXT

PAGE = Path(__file__).with_name("blueprints_page.mjs")
BLUEPRINTS = {path.stem for path in (ROOT / "subgraphs").glob("*.json")}
FRAMES, SIZE, STEPS = 9, 64, 2
HAS_BLUEPRINTS = (1, 49)  # the oldest frontend tried that lists those of packs; 1.27 does not
# Example workflow, the kind of its first block and of those after it, and frames of the joined video.
CHAINS = {
    "film": ("svi_film_chain", "frames", 3 * FRAMES - 2 * 5),
    "shot": ("svi_shot_chain", "frames", 3 * FRAMES - 2),
    "talk": ("svi_talk_chain", "talk", 3 * FRAMES - 2),
    "svi2_pro": ("svi2_pro_chain", "svi2_pro", 2 * FRAMES - 5),
}
# What stands around the clips: nothing else is in a chain of blocks.
AROUND = {
    "LoadImage", "WanVideoModelLoader", "WanVideoVAELoader", "WanVideoLoraSelect", "WanVideoSetLoRAs",
    "SVITestClipVision", "MultiTalkModelLoader", "LoadAudio", "SVITestWav2Vec", "MultiTalkWav2VecEmbeds",
}  # fmt: skip


def by_hand(mode: str) -> dict[str, Any]:
    """The example workflow made small, its prompts encoded by the T5 of the tests, its frames dumped."""
    graph = tiny_chain(CHAINS[mode][0], frames=FRAMES, size=SIZE)
    graph["t5"] = {"class_type": "SVITestT5", "inputs": {"model_name": ""}}
    for node in graph.values():
        if node["class_type"] == "WanVideoTextEncodeCached":
            prompts = {name: node["inputs"][name] for name in ("positive_prompt", "negative_prompt")}
            node |= {"class_type": "WanVideoTextEncode", "inputs": {"t5": ["t5", 0], **prompts}}
    (made,) = (node for node in graph.values() if node["class_type"] == "CreateVideo")
    graph["dump"] = {"class_type": "SVITestDump", "inputs": {"value": made["inputs"]["images"], "name": f"hand_{mode}"}}
    return {
        key: node for key, node in graph.items() if node["class_type"] not in ("CreateVideo", "SaveVideo", "SaveImage")
    }


def of_blocks(mode: str, name: str) -> dict[str, Any]:
    """The same chain as loaders and blocks, as the page takes it."""
    graph = by_hand(mode)
    pair = mode == "svi2_pro"

    def all_of(kind: str) -> list[dict[str, Any]]:
        return [node["inputs"] for node in graph.values() if node["class_type"] == kind]

    samplers, texts, windows = all_of("WanVideoSampler"), all_of("WanVideoTextEncode"), all_of("WanVideoSVIAudioWindow")
    (image,) = (key for key, node in graph.items() if node["class_type"] == "LoadImage")
    blocks = []
    for index, text in enumerate(texts):
        own = samplers[2 * index : 2 * index + 2] if pair else samplers[index : index + 1]
        names = ("high_noise_model", "low_noise_model") if pair else ("model",)
        links: dict[str, Any] = {name: sampler["model"] for name, sampler in zip(names, own, strict=True)}
        links |= {"vae": all_of("WanVideoDecode")[index]["vae"], "t5": text["t5"]}
        values = {
            "prompt": text["positive_prompt"], "width": SIZE, "height": SIZE, "num_frames": FRAMES, "steps": STEPS,
            "cfg": own[0]["cfg"], "seed": own[0]["seed"],
        }  # fmt: skip
        if pair:
            values["split_step"] = own[0]["end_step"]
        else:
            links["clip_vision"] = all_of("WanVideoClipVisionEncode")[index]["clip_vision"]
        if windows:
            links["multitalk_embeds"] = windows[index]["multitalk_embeds"]
        if index:
            links["joined_so_far"] = [None, "joined_so_far"]
            links |= {"previous_latents": [None, "latents"]} if pair else {"previous_clip": [None, "clip"]}
            if mode != "film":
                links["reference"] = [image, 0]
            if windows:
                values["clip_index"] = index
        else:
            links["first_image"] = [image, 0]
        blocks.append({"name": NEXT[mode] if index else FIRST[CHAINS[mode][1]], "values": values, "links": links})
    around = {key: node for key, node in graph.items() if node["class_type"] in AROUND or key == "t5"}
    # The page's graph has whole numbers for ids.
    numbers = {key: str(900 + number) for number, key in enumerate(("t5", "dump"))}
    around[numbers["t5"]] = around.pop("t5")
    around[numbers["dump"]] = {"class_type": "SVITestDump", "inputs": {"name": name}}
    for block in blocks:
        block["links"]["t5"] = [numbers["t5"], 0]
    return {"graph": around, "blocks": blocks, "end": numbers["dump"]}


@pytest.fixture(scope="module")
def frames_by_hand(comfy: Comfy, first_image: None) -> dict[str, torch.Tensor]:  # noqa: ARG001
    frames = {}
    for mode in CHAINS:
        comfy.run(by_hand(mode))
        frames[mode] = comfy.load(f"hand_{mode}")["value"]
    return frames


def blueprints_of(comfy: Comfy) -> dict[str, Any]:
    """What a ComfyUI lists, without what is in them."""
    try:
        return comfy.get("/api/global_subgraphs")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        pytest.skip("this ComfyUI has no blueprints (0.3.67 and newer have)")


def test_the_server_lists_the_blueprints(bare_comfy: Comfy) -> None:
    listed = blueprints_of(bare_comfy)
    ours = {key: each["name"] for key, each in listed.items() if each["info"]["node_pack"] == f"custom_nodes.{PACK}"}
    assert set(ours.values()) == BLUEPRINTS
    for key, name in ours.items():
        text = bare_comfy.get(f"/api/global_subgraphs/{key}")["data"]
        assert text == (ROOT / "subgraphs" / f"{name}.json").read_text(encoding="utf-8")


@needs_browser
def test_chained_blocks_give_the_frames_of_the_example_workflows(
    request: pytest.FixtureRequest, comfy: Comfy, page_url: str, nodes: str, tmp_path: Path, pictures: Path
) -> None:
    blueprints_of(comfy)
    version = frontend_version(request.node.callspec.params["page_url"], page_url)
    if version and tuple(map(int, version.split(".")[:2])) < HAS_BLUEPRINTS:
        pytest.skip(f"frontend {version} lists no blueprints")
    frames_by_hand = request.getfixturevalue("frames_by_hand")
    file = tmp_path / "chains.json"
    here = CHAINS if (request.node.callspec.params["page_url"], nodes) == ("", "vue") else ["film"]  # a minute each
    names = {mode: f"{tmp_path.name}_{mode}" for mode in here}
    file.write_text(json.dumps({mode: of_blocks(mode, name) for mode, name in names.items()}))
    seen = drive(PAGE, page_url, str(file), str(pictures), nodes, seconds=600)
    assert seen["troubles"] == []
    assert seen["toasts"] == []
    assert set(seen["chains"]) == set(here)
    for mode in here:
        chain = seen["chains"][mode]
        assert chain["ended"] == "execution_success", chain.get("error")
        made = comfy.load(names[mode])["value"]
        assert len(made) == CHAINS[mode][2]
        assert torch.equal(made, frames_by_hand[mode]), mode
