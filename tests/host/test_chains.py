"""The shipped example workflows, run to saved frames in a real host with tiny models."""

from __future__ import annotations

import io
import json
import urllib.parse
import urllib.request

import av
import numpy as np
import pytest
from host.comfyui import RECORDED, Comfy, HostError
from host.graphs import WORKFLOWS, Builder, tiny_chain
from host_contract import sockets_of
from PIL import Image
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.files.video import read_video
from wanvideo_svi.svi_embeds.recipes import recipe
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.wrapper_ext.doctor.contract import drift
from wanvideo_svi.wrapper_ext.host.comfy import INSTALL_HINT


def outputs_of(graph: dict, answer: dict, class_type: str, key: str = "images") -> list[dict]:
    return [
        item
        for node_id, found in answer.items()
        if graph[node_id]["class_type"] == class_type
        for item in found.get(key, [])
    ]


def fetch_picture(comfy: Comfy, item: dict) -> Image.Image:
    with urllib.request.urlopen(f"{comfy.url}/view?{urllib.parse.urlencode(item)}", timeout=60) as answer:
        return Image.open(io.BytesIO(answer.read()))


# Frames of the finished video, and nodes that show a contact sheet.
SHIPPED = {
    "svi_film_chain": (3 * 17 - 2 * 5, "WanVideoSVIEmbeds", 3),
    "svi_shot_chain": (3 * 17 - 2 * 1, "WanVideoSVIEmbeds", 3),
    "svi2_pro_chain": (2 * 17 - 5, "WanVideoSVILatentEmbeds", 2),
    "custom_embeds_shot": (2 * 17 - 1, "WanVideoI2VCustomEmbeds", 2),
    "fun_inp_film_chain": (3 * 17 - 2 * 5, "WanVideoSVITemporalMask", 3),
    "fun_inp_keyframes": (17, "WanVideoSVITemporalMask", 1),
    "wan22_svi2_pair": (2 * 17 - 1, "WanVideoSVIEmbeds", 2),
    "holocine_pusa_magref_pair": (17, "WanVideoSVITemporalMask", 1),
    "svi_talk_chain": (3 * 17 - 2 * 1, "WanVideoSVIEmbeds", 3),
    "svi_dance_chain": (3 * 17 - 2 * 1, "WanVideoSVIEmbeds", 3),
    "svi_shot_humo": (3 * 17 - 2 * 1, "WanVideoSVIEmbeds", 3),
}


# Frames of the joined video.
LONG_VIDEOS = {
    "long_video_film": 3 * 17 + 13 - 3 * 5,
    "long_video_shot": 4 * 17 - 3 * 1,
    "long_video_svi2_pro": 4 * 17 - 3 * 5,
    "long_video_takes": 4 * 17 - 2 * 5,
}


def test_every_shipped_workflow_is_run_here() -> None:
    elsewhere = {"long_video_native_svi2_pro"}  # test_native_chain.py
    assert {*SHIPPED, *LONG_VIDEOS, "long_video_talk", *elsewhere} == {path.stem for path in WORKFLOWS.glob("*.json")}


@pytest.mark.usefixtures("first_image")
@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_workflow_runs_to_saved_frames(comfy: Comfy, name: str) -> None:
    expected, embeds_node, clips = SHIPPED[name]
    graph = tiny_chain(name, frames=17, size=64)
    answer = comfy.run(graph)
    saved = outputs_of(graph, answer, "SaveImage")
    assert len(saved) == expected
    pictures = [fetch_picture(comfy, item) for item in saved]
    assert {picture.size for picture in pictures} == {(64, 64)}
    assert len({picture.tobytes() for picture in pictures}) == expected, "every frame is a frame of its own"
    sheets = [fetch_picture(comfy, item) for item in outputs_of(graph, answer, embeds_node)]
    assert len(sheets) == clips, "each embeds node shows its contact sheet"
    assert min(sheet.width for sheet in sheets) >= 900


def test_a_node_from_the_cache_shows_its_contact_sheet_too(comfy: Comfy) -> None:
    """The second graph asks for another of the node's outputs, so that only what comes after it runs."""
    answers = []
    for output in (1, 2):
        build = Builder()
        embeds = build.add(
            "WanVideoSVIEmbeds", vae=build.vae(), mode="film", width=64, height=64, num_frames=17, force_offload=True,
            start_image=build.images(17, seed=4),
        )  # fmt: skip
        build.dump([embeds, output], f"cached_{output}")
        prompt = comfy.queue(build.graph)
        answers.append(comfy.wait(prompt)[embeds])
        ran = set(build.graph) - comfy.cached(prompt)
    assert embeds not in ran
    assert answers[0] == answers[1]
    assert fetch_picture(comfy, answers[1]["images"][0]).width >= 900


@pytest.mark.usefixtures("first_image")
@pytest.mark.parametrize("name", LONG_VIDEOS)
def test_the_shipped_long_video_runs_to_a_video(comfy: Comfy, name: str) -> None:
    graph = tiny_chain(name, frames=17, size=64)
    answer = comfy.run(graph)
    (node,) = (node_id for node_id, each in graph.items() if each["class_type"] == "WanVideoSVILongVideo")
    assert answer[node]["text"][0].startswith(f"4 clips, {LONG_VIDEOS[name]} frames")
    reel = open_reel(comfy.base / "output" / "svi_reels" / graph[node]["inputs"]["reel"])
    frames = list(reel.frames())
    assert len({frame.tobytes() for frame in frames}) == len(frames) == LONG_VIDEOS[name]
    (shown,) = answer[node]["images"]
    with urllib.request.urlopen(f"{comfy.url}/view?{urllib.parse.urlencode(shown)}", timeout=60) as video:
        path = comfy.base / f"{name}.mp4"
        path.write_bytes(video.read())
    assert sum(1 for _ in read_video(path)) == LONG_VIDEOS[name]
    saves = [node_id for node_id, each in graph.items() if each["class_type"] == "SaveVideo"]
    assert all(node_id in answer for node_id in saves)


@pytest.mark.usefixtures("first_image")
def test_the_shipped_talk_is_as_long_as_its_voice_and_carries_it(comfy: Comfy) -> None:
    graph = tiny_chain("long_video_talk", frames=17, size=64)
    answer = comfy.run(graph)
    (node,) = (node_id for node_id, each in graph.items() if each["class_type"] == "WanVideoSVILongVideo")
    assert answer[node]["text"][0].startswith("4 clips, 60 frames, 2.4 s at 25 fps (the last 5 are not in the video)")
    reel = open_reel(comfy.base / "output" / "svi_reels" / "svi_talk_story")
    assert reel.total_frames == 65
    (shown,) = answer[node]["images"]
    path = reel.folder / shown["filename"]
    assert sum(1 for _ in read_video(path)) == 60
    with av.open(str(path)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(len(samples) / 16_000 - 60 / 25) < 1 / 25
    assert np.abs(samples).max() > 0.1


@pytest.mark.usefixtures("first_image")
@pytest.mark.parametrize("mode", ["film", "shot"])
def test_the_chain_leads_each_clip_with_the_one_before(comfy: Comfy, mode: str) -> None:
    """What reaches the third clip's encode is the tail of the second clip's decode."""
    overlap = recipe(mode).motion_frames
    graph = tiny_chain(f"svi_{mode}_chain", frames=17, size=64)
    embeds = [node for node in graph.values() if node["class_type"] == "WanVideoSVIEmbeds"]
    decodes = [[node_id, 0] for node_id, node in graph.items() if node["class_type"] == "WanVideoDecode"]
    assert [node["inputs"]["start_image"] for node in embeds[1:]] == decodes[:2]
    graph["dump"] = {"class_type": "SVITestDump", "inputs": {"value": decodes[1], "name": "second"}}
    third = next(node_id for node_id, node in graph.items() if node is embeds[2])
    graph["dump2"] = {"class_type": "SVITestDump", "inputs": {"value": [third, 0], "name": "third"}}
    graph["again"] = {**embeds[2], "inputs": {**embeds[2]["inputs"], "start_image": ["tail", 0]}}
    graph["tail"] = {
        "class_type": "ImageFromBatch",
        "inputs": {"image": decodes[1], "batch_index": 17 - overlap, "length": overlap},
    }
    graph["dump3"] = {"class_type": "SVITestDump", "inputs": {"value": ["again", 0], "name": "again"}}
    comfy.run(graph)
    third_embeds, again = comfy.load("third"), comfy.load("again")
    assert (third_embeds["image_embeds"] == again["image_embeds"]).all()
    assert third_embeds["svi/overlap_frames"] == overlap


def test_a_loaded_pack_matches_the_recorded_host(comfy: Comfy) -> None:
    """What the example workflows and tests rely on is there in this host; what was added behind it is no drift."""
    live = comfy.get("/object_info")
    recorded = {name: sockets_of(node) for name, node in RECORDED.items()}
    assert drift(recorded, {name: sockets_of(live[name]) for name in recorded if name in live}) == []


def test_an_error_names_the_node_and_the_way_out(comfy: Comfy) -> None:
    build = Builder()
    build.dump(
        build.link(
            "WanVideoSVIEmbeds", vae=build.vae(), mode="shot", width=64, height=64, num_frames=17, force_offload=True,
            start_image=build.images(17),
        ), "x",
    )  # fmt: skip
    with pytest.raises(HostError, match="WanVideoSVIEmbeds: shot needs ref_image: connect the original image"):
        comfy.run(build.graph)


def test_without_the_wrapper_the_nodes_show_and_say_what_to_install(bare_comfy: Comfy) -> None:
    ours = {name for name in bare_comfy.get("/object_info") if name.startswith("WanVideo")}
    assert ours == set(NODE_CLASS_MAPPINGS)
    build = Builder()
    build.dump(
        build.link(
            "WanVideoSVIEmbeds", vae=build.link("SVITestNoVAE"), mode="film", width=64, height=64, num_frames=17,
            force_offload=True, start_image=build.images(17),
        ), "x",
    )  # fmt: skip
    with pytest.raises(HostError) as refused:  # a VAE of ComfyUI's own would do: test_native
        bare_comfy.run(build.graph)
    assert INSTALL_HINT in json.dumps(refused.value.details)


def test_help_pages_and_templates_are_served(bare_comfy: Comfy) -> None:
    def served(path: str) -> bytes:
        with urllib.request.urlopen(bare_comfy.url + path, timeout=60) as answer:
            return answer.read()

    for node_id in NODE_CLASS_MAPPINGS:
        page = bare_comfy.repo / "web" / "docs" / f"{node_id}.md"
        assert served(f"/extensions/wanvideo-svi/docs/{node_id}.md") == page.read_bytes()
        chinese = page.with_suffix("") / "zh.md"
        assert served(f"/extensions/wanvideo-svi/docs/{node_id}/zh.md") == chinese.read_bytes()
    locale = bare_comfy.repo / "locales" / "zh"
    texts = bare_comfy.get("/i18n")["zh"]
    assert texts == {
        **{
            name: json.loads((locale / f"{name}.json").read_text(encoding="utf-8"))
            for name in ("nodeDefs", "commands", "settings")
        },
        **json.loads((locale / "main.json").read_text(encoding="utf-8")),
    }
    names = bare_comfy.get("/api/workflow_templates")["wanvideo-svi"]
    assert set(names) == {path.stem for path in WORKFLOWS.glob("*.json")}
    for name in names:
        picture = served(f"/api/workflow_templates/wanvideo-svi/{name}.jpg")
        assert picture == (WORKFLOWS / f"{name}.jpg").read_bytes()


def test_without_the_wrapper_the_other_nodes_run(bare_comfy: Comfy) -> None:
    build = Builder()
    clip = build.images(9)
    motion = build.add("WanVideoSVIMotionFrames", images=clip, overlap_frames=5)
    joined = build.link("WanVideoSVIStitch", images_1=clip, images_2=[motion, 0], overlap_frames=1, drop="new")
    build.dump(joined, "joined")
    build.dump(build.link("WanVideoSVIMaskPolarity", mask=build.link("SVITestMask", values="0,1"),
                          mask_is="concat_mask"), "known")  # fmt: skip
    bare_comfy.run(build.graph)
    assert len(bare_comfy.load("joined")["value"]) == 13
    assert bare_comfy.load("known")["value"][:, 0, 0].tolist() == [1, 0]
