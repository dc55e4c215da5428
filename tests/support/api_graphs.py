"""Small saved workflows, one for each rule of how the frontend makes an API graph of them, and what it made."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from project import DATA
from wanvideo_svi.wrapper_ext.workflow.api.places import VIRTUAL

Linked = dict[str, tuple[int, int, str]]


def node(node_id: int, kind: str, values: Any = None, links: Linked | None = None, **more: Any) -> dict[str, Any]:
    """A saved node. links: {input: (node, output, type)}. values: None for a node that was saved without."""
    saved = {"id": node_id, "type": kind, "pos": [250 * node_id, 100], "size": [200, 100], "mode": 0, "flags": {}}
    if values is not None:
        saved["widgets_values"] = values
    return saved | {"links": links or {}} | more


def workflow(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow of `node`s, with what the frontend notes of their links."""
    saved = [{**each, "inputs": [], "outputs": []} for each in nodes]
    by_id = {each["id"]: each for each in saved}
    links: list[list[Any]] = []
    for target in saved:
        widgets = target.pop("widget_inputs", ())
        for index, (name, (origin, slot, kind)) in enumerate(target.pop("links").items()):
            link = len(links) + 1
            links.append([link, origin, slot, target["id"], index, kind])
            entry = {"name": name, "type": kind, "link": link}
            target["inputs"].append(entry | ({"widget": {"name": name}} if name in widgets else {}))
            outputs = by_id[origin]["outputs"]
            while len(outputs) <= slot:
                outputs.append({"name": kind, "type": kind, "links": []})
            outputs[slot]["links"].append(link)
    state = {"last_node_id": max(by_id), "last_link_id": len(links), "groups": [], "config": {}, "extra": {}}
    return {"nodes": saved, "links": links, "version": 0.4, **state, **more}


def subgraph(
    kind: str, *nodes: dict[str, Any], inputs: Mapping[str, tuple[str, list[tuple[int, str]]]], output: tuple[int, str]
) -> dict[str, Any]:
    """A subgraph. inputs: {name: (type, [(node, input)])}. output: (node, type)."""
    inside = workflow(*nodes)
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    links = [dict(zip(keys, link, strict=True)) for link in inside["links"]]
    by_id = {each["id"]: each for each in inside["nodes"]}
    slots: list[dict[str, Any]] = []
    for slot, (name, (type_, targets)) in enumerate(inputs.items()):
        slots.append({"id": f"in-{slot}", "name": name, "type": type_, "linkIds": []})
        for target, input_name in targets:
            entry = {"name": input_name, "type": type_, "link": len(links) + 1}
            entry |= {} if type_ == "IMAGE" else {"widget": {"name": input_name}}
            by_id[target]["inputs"].append(entry)
            place = len(by_id[target]["inputs"]) - 1
            links.append(dict(zip(keys, (entry["link"], -10, slot, target, place, type_), strict=True)))
            slots[-1]["linkIds"].append(entry["link"])
    last = len(links) + 1
    links.append(dict(zip(keys, (last, output[0], 0, -20, 0, output[1]), strict=True)))
    by_id[output[0]]["outputs"] = by_id[output[0]]["outputs"] or [{"name": output[1], "type": output[1], "links": []}]
    by_id[output[0]]["outputs"][0]["links"].append(last)
    return {
        "id": kind, "version": 1, "revision": 0, "config": {}, "name": "Inside", "widgets": [], "groups": [],
        "state": {"lastGroupId": 0, "lastNodeId": max(by_id), "lastLinkId": last, "lastRerouteId": 0},
        "inputNode": {"id": -10, "bounding": [0, 0, 120, 60]}, "outputNode": {"id": -20, "bounding": [900, 0, 120, 60]},
        "inputs": slots, "outputs": [{"id": "out-0", "name": output[1], "type": output[1], "linkIds": [last]}],
        "nodes": inside["nodes"], "links": links, "extra": {},
    }  # fmt: skip


def image(node_id: int = 1, **more: Any) -> dict[str, Any]:
    return node(node_id, "EmptyImage", [512, 256, 1, 0], **more)


def scale(node_id: int, origin: int, values: Any = ("bilinear", 320, 192, "disabled"), **more: Any) -> dict[str, Any]:
    return node(node_id, "ImageScale", list(values), {"image": (origin, 0, "IMAGE")}, **more)


def save(node_id: int, origin: int, prefix: str = "svi", **more: Any) -> dict[str, Any]:
    return node(node_id, "SaveImage", [prefix], {"images": (origin, 0, "IMAGE")}, **more)


CHAIN = workflow(
    image(),
    scale(2, 1, title="My scale"),
    node(3, "RepeatImageBatch", [3], {"image": (2, 0, "IMAGE")}),
    node(4, "ImageInvert", [], {"image": (3, 0, "IMAGE")}),
    save(5, 4),
)
SAMPLER = [5, "fixed", 12, 3.5, "euler", "simple", 0.75]

INSIDE, AROUND = "3d2b5c1e-6a0f-4b7e-9c58-0f1e2d3c4b5a", "8f6e4d2c-1b0a-4987-a6b5-c4d3e2f10987"


def inside(first: int = 11, **links: Any) -> dict[str, Any]:
    """A subgraph that scales and repeats an image. links: its inputs besides the image."""
    return subgraph(
        INSIDE,
        node(first, "ImageScale", ["bilinear", 320, 192, "disabled"]),
        node(first + 1, "RepeatImageBatch", [3], {"image": (first, 0, "IMAGE")}),
        inputs={"image": ("IMAGE", [(first, "image")]), **links},
        output=(first + 1, "IMAGE"),
    )


def shown(values: list[Any] | None = None, *subgraphs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow with a node of a subgraph between an image and its file."""
    host = node(2, subgraphs[-1]["id"], values, {"image": (1, 0, "IMAGE")}, **more)
    return workflow(image(), host, save(3, 2), definitions={"subgraphs": list(subgraphs)})


SIZE = {"size": ("INT", [(11, "width"), (11, "height")])}
GRAPHS: dict[str, dict[str, Any]] = {
    "inside": shown(None, inside()),
    "inside_same_ids": shown(None, inside(1)),
    "inside_held": shown([640], inside(**SIZE)),
    "inside_not_held": shown(None, inside(**SIZE)),
    "inside_held_both": shown([640, 7], inside(**SIZE, again=("INT", [(12, "amount")]))),
    "inside_told": shown([7, 640], inside(), properties={"proxyWidgets": [["12", "amount"], ["11", "width"]]}),
    "inside_told_same_ids": shown([7, 640], inside(1), properties={"proxyWidgets": [["2", "amount"], ["1", "width"]]}),
    "inside_told_linked": shown(
        [7, 640], inside(**SIZE), properties={"proxyWidgets": [["12", "amount"], ["-1", "size"]]},
    ),
    "inside_told_short": shown([7], inside(), properties={"proxyWidgets": [["12", "amount"], ["11", "width"]]}),
    "inside_twice": workflow(
        image(),
        node(2, INSIDE, [640], {"image": (1, 0, "IMAGE")}), node(3, INSIDE, [704], {"image": (2, 0, "IMAGE")}),
        save(4, 3), definitions={"subgraphs": [inside(**SIZE)]},
    ),
    "inside_inside": shown([512], inside(**SIZE), subgraph(
        AROUND,
        node(21, INSIDE, [640]), node(22, "ImageInvert", [], {"image": (21, 0, "IMAGE")}),
        inputs={"image": ("IMAGE", [(21, "image")]), "wide": ("INT", [(21, "size")])}, output=(22, "IMAGE"),
    )),
    "inside_inside_kept": shown(None, inside(**SIZE), subgraph(
        AROUND,
        node(21, INSIDE, [640]), node(22, "ImageInvert", [], {"image": (21, 0, "IMAGE")}),
        inputs={"image": ("IMAGE", [(21, "image")])}, output=(22, "IMAGE"),
    )),
    "inside_number": workflow(
        image(), node(4, "PrimitiveInt", [448, "fixed"]),
        node(2, INSIDE, [640], {"image": (1, 0, "IMAGE"), "size": (4, 0, "INT")}, widget_inputs=["size"]),
        save(3, 2), definitions={"subgraphs": [inside(**SIZE)]},
    ),
    "inside_text": workflow(
        node(2, INSIDE, ["a // b"], {}), definitions={"subgraphs": [subgraph(
            INSIDE, node(11, "CLIPTextEncode", ["c // d"]), inputs={"text": ("STRING", [(11, "text")])},
            output=(11, "CONDITIONING"),
        )]},
    ),
    "two_sets": workflow(
        image(), image(2, mode=2),
        node(3, "SetNode", ["x"], {"IMAGE": (2, 0, "IMAGE")}), node(4, "SetNode", ["x"], {"IMAGE": (1, 0, "IMAGE")}),
        node(5, "GetNode", ["x"]), save(6, 5),
    ),
    "muted_set": workflow(
        image(), node(3, "SetNode", ["x"], {"IMAGE": (1, 0, "IMAGE")}, mode=2), node(5, "GetNode", ["x"]), save(6, 5),
    ),
    "set_passes_on": workflow(image(), node(3, "SetNode", ["x"], {"IMAGE": (1, 0, "IMAGE")}), save(6, 3)),
    "primitive_text": workflow(
        node(1, "PrimitiveNode", ["a // b"]),
        node(2, "CLIPTextEncode", ["c"], {"text": (1, 0, "STRING")}, widget_inputs=["text"]),
    ),
    "primitive_behind_reroute": workflow(
        node(1, "PrimitiveNode", [64, "fixed"]), node(2, "Reroute", None, {"": (1, 0, "INT")}),
        node(3, "RepeatImageBatch", [3], {"image": (7, 0, "IMAGE"), "amount": (2, 0, "INT")}, widget_inputs=["amount"]),
        image(7), save(8, 3),
    ),
    "reroute_bypassed": workflow(
        image(), node(2, "Reroute", None, {"": (1, 0, "IMAGE")}, mode=4), node(3, "Reroute", None, {"": (2, 0, "*")}),
        save(4, 3),
    ),
    "reroute_muted": workflow(image(), node(2, "Reroute", None, {"": (1, 0, "IMAGE")}, mode=2), save(4, 2)),
    "kj_batch": workflow(
        image(), node(2, "ImageBatchMulti", [3, None], {
            "image_1": (1, 0, "IMAGE"), "image_2": (1, 0, "IMAGE"), "image_3": (1, 0, "IMAGE"),
        }), save(3, 2),
    ),
    "chain": CHAIN,
    "seed": workflow(node(1, "KSampler", SAMPLER)),
    "seed_short": workflow(node(1, "KSampler", SAMPLER[:3])),
    "seed_none": workflow(node(1, "KSampler")),
    "seed_null": workflow(node(1, "KSampler", [5, "fixed", 12, 3.5, None, None, 0.75])),
    "trailing": workflow(image(), scale(2, 1, ("bilinear", 320, 192, "disabled", "more", 3)), save(3, 2)),
    "upload": workflow(node(1, "LoadImage", ["example.png", "image"]), save(2, 1)),
    "audio": workflow(node(1, "LoadAudio", ["a.wav", None, ""])),
    "audio_save": workflow(node(1, "SaveAudio", ["audio/x", None])),
    "text": workflow(node(1, "CLIPTextEncode", ["a cat // or a dog\n/* not\nthis */{in} a \\{box\\} at http://x"])),
    "prefix": workflow(
        image(properties={"Node name for S&R": "EmptyImage"}),
        scale(2, 1, title="My scale"),
        save(3, 2, "%EmptyImage.width%x%My scale.upscale_method%_%nobody.x%_%width%_%My scale.no%_100%"),
    ),
    "video": workflow(
        image(),
        node(2, "CreateVideo", [24], {"images": (1, 0, "IMAGE")}),
        node(3, "SaveVideo", ["video/x", "mp4", "h264"], {"video": (2, 0, "VIDEO")}),
    ),
    "video_none": workflow(node(1, "SaveVideo")),
    "option": workflow(image(), node(2, "ResizeImageMaskNode", ["scale by multiplier", 2.5, "lanczos"], {
        "input": (1, 0, "IMAGE"),
    })),
    "option_none": workflow(image(), node(2, "ResizeImageMaskNode", None, {"input": (1, 0, "IMAGE")})),
    "option_short": workflow(image(), node(2, "ResizeImageMaskNode", ["scale dimensions", 64], {
        "input": (1, 0, "IMAGE"),
    })),
    "option_unknown": workflow(image(), node(2, "ResizeImageMaskNode", ["scale by guess", "lanczos"], {
        "input": (1, 0, "IMAGE"),
    })),
    "option_socket": workflow(image(), image(2), node(3, "ResizeImageMaskNode", ["match size", "disabled", "bicubic"], {
        "input": (1, 0, "IMAGE"), "resize_type.match": (2, 0, "IMAGE"),
    })),
    "option_linked": workflow(
        image(), node(2, "PrimitiveInt", [9, "fixed"]),
        node(3, "ResizeImageMaskNode", ["scale width", 64, "area"], {
            "input": (1, 0, "IMAGE"), "resize_type.width": (2, 0, "INT"),
        }, widget_inputs=["resize_type.width"]),
    ),
    "option_bypassed": workflow(
        image(), image(2),
        node(3, "ResizeImageMaskNode", ["match size", "disabled", "bicubic"], {
            "input": (1, 0, "IMAGE"), "resize_type.match": (2, 0, "IMAGE"),
        }, mode=4),
        save(4, 3),
    ),
    "option_nested": workflow(node(1, "SaveVideo", ["video/x", "mp4", "h264", "re-encode", 19, "HDR", "auto"])),
    "grown": workflow(
        image(), image(2),
        node(3, "BatchImagesNode", [], {
            "images.image0": (1, 0, "IMAGE"), "images.image1": (2, 0, "IMAGE"), "images.image2": (1, 0, "IMAGE"),
        }),
    ),
    "grown_bypassed": workflow(
        image(), image(2),
        node(3, "BatchImagesNode", [], {"images.image1": (2, 0, "IMAGE"), "images.image2": (1, 0, "IMAGE")}, mode=4),
        save(4, 3),
    ),
    "grown_names": workflow(
        node(1, "PrimitiveInt", [9, "fixed"]),
        node(2, "StringFormat", ["{a} of {c}"], {"values.a": (1, 0, "INT"), "values.c": (1, 0, "INT")}),
        node(3, "ComfyMathExpression", ["a + b"], {"values.a": (1, 0, "INT"), "values.b": (1, 0, "INT")}),
    ),
    "forced": workflow(
        image(), node(2, "SaveImageTextDataSetToFolder", ["set", "image", "increment", "old"], {
            "images": (1, 0, "IMAGE"),
        }),
    ),
    "colour": workflow(node(1, "ColorToRGBInt", ["#ff8800"]), node(2, "ColorToRGBInt")),
    "widget_type": workflow(node(1, "LTXVEmptyLatentAudio", [97, 25, 1])),
    "switch_bypassed": workflow(
        image(), image(2),
        node(3, "ComfySwitchNode", [True], {"on_false": (1, 0, "IMAGE"), "on_true": (2, 0, "IMAGE")}, mode=4),
        save(4, 3),
    ),
    "bypass_other_slot": workflow(
        image(), node(2, "SolidMask", [1.0, 64, 64]),
        node(3, "ImageCompositeMasked", [0, 0, False], {
            "destination": (1, 0, "IMAGE"), "source": (1, 0, "IMAGE"), "mask": (2, 0, "MASK"),
        }, mode=4),
        node(4, "ImageInvert", [], {"image": (3, 0, "IMAGE")}),
        node(5, "MaskToImage", [], {"mask": (3, 0, "MASK")}),
        save(6, 4),
    ),
    "bypass_without_match": workflow(
        node(1, "SolidMask", [1.0, 64, 64]),
        node(2, "MaskToImage", [], {"mask": (1, 0, "MASK")}, mode=4),
        scale(3, 2), save(4, 3),
    ),
    "bypass_of_source": workflow(image(mode=4), scale(2, 1), save(3, 2)),
    "other_modes": workflow(image(mode=1), scale(2, 1, mode=3), save(3, 2)),
    "widget_linked": workflow(
        image(), node(2, "PrimitiveInt", [640, "fixed"]),
        node(3, "ImageScale", ["bilinear", 320, 192, "disabled"],
             {"image": (1, 0, "IMAGE"), "width": (2, 0, "INT")}, widget_inputs=["width"]),
        save(4, 3),
    ),
    "widget_link_muted": workflow(
        image(), node(2, "PrimitiveInt", [640, "fixed"], mode=2),
        node(3, "ImageScale", ["bilinear", 320, 192, "disabled"],
             {"image": (1, 0, "IMAGE"), "width": (2, 0, "INT")}, widget_inputs=["width"]),
        save(4, 3),
    ),
}  # fmt: skip


def without_unknown(graph: dict[str, Any], nodes: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """A workflow without the nodes that a host does not know, and their types."""
    graph = copy.deepcopy(graph)
    lost = {each["id"]: each["type"] for each in graph["nodes"] if each["type"] not in {*nodes, *VIRTUAL}}
    graph["nodes"] = [each for each in graph["nodes"] if each["id"] not in lost]
    cut = {link[0] for link in graph["links"] if {link[1], link[3]} & lost.keys()}
    graph["links"] = [link for link in graph["links"] if link[0] not in cut]
    for each in graph["nodes"]:
        for entry in each.get("inputs") or []:
            if entry.get("link") in cut:
                entry["link"] = None
        for entry in each.get("outputs") or []:
            entry["links"] = [link for link in entry.get("links") or [] if link not in cut]
    return graph, set(lost.values())


# What the frontend sent for these graphs, recorded

RECORDED = DATA / "api_graphs.json"
_NODE_KEYS = ("id", "type", "title", "mode", "inputs", "outputs", "properties", "widgets_values")


def bare(prompt: Mapping[str, Any]) -> dict[str, Any]:
    """Of an API graph what counts: types, titles and inputs."""
    return {
        key: {"class_type": each["class_type"], "title": each["_meta"]["title"], "inputs": each["inputs"]}
        for key, each in prompt.items()
    }


class Recorded(NamedTuple):
    """nodes: what the graphs need of `/object_info`. workflows: those made in the browser. sent: what it sent."""

    nodes: dict[str, Any]
    workflows: dict[str, Any]
    sent: dict[str, Any]

    @classmethod
    def read(cls) -> Recorded:
        return cls(**json.loads(RECORDED.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, seen: Mapping[str, Any], nodes: Mapping[str, Any]) -> Recorded:
        used = {each["class_type"] for one in seen.values() for each in one["prompt"].values()}
        used |= {each["type"] for one in GRAPHS.values() for each in one["nodes"]} & nodes.keys()
        return cls(
            {kind: _cut(nodes[kind]) for kind in sorted(used)},
            {name: _slim(one["workflow"]) for name, one in seen.items() if name not in GRAPHS},
            {name: bare(one["prompt"]) for name, one in seen.items()},
        )

    def text(self) -> str:
        """As JSON, each graph and each node in a line of its own."""
        parts = []
        for key, values in self._asdict().items():
            rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
            parts.append(f" {json.dumps(key)}: {{\n{rows}\n }}")
        return "{\n" + ",\n".join(parts) + "\n}\n"


def _cut(node: dict[str, Any]) -> dict[str, Any]:
    groups = {name: group for name, group in node["input"].items() if name != "hidden"}
    keys = ("input_order", "output", "display_name", "python_module")
    return {"input": _without_words(groups), **{key: node[key] for key in keys}}


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_words(each) for key, each in value.items() if key != "tooltip"}
    if isinstance(value, list):
        few = value[:3] if all(isinstance(each, str) for each in value) else value
        return [_without_words(each) for each in few]
    return value


def _slim(graph: dict[str, Any]) -> dict[str, Any]:
    """A workflow without what is only drawn."""
    slim = {"nodes": [{key: each[key] for key in _NODE_KEYS if key in each} for each in graph["nodes"]]}
    slim |= {key: graph[key] for key in ("links", "last_node_id") if key in graph}
    if graph.get("definitions"):
        keys = ("id", "name", "inputs", "outputs", "links")
        slim["definitions"] = {
            "subgraphs": [_slim(each) | {key: each[key] for key in keys} for each in graph["definitions"]["subgraphs"]]
        }
    return slim
