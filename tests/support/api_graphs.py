"""Small saved workflows, one for each rule of how the frontend makes an API graph of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from wanvideo_svi.wrapper_ext.workflow.api.wires import VIRTUAL

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

GRAPHS: dict[str, dict[str, Any]] = {
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
