"""Small saved workflows, one for each rule of how the frontend makes an API graph of them."""

from __future__ import annotations

from typing import Any

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
    "option_text": workflow(node(1, "DCTestNode", ["option1", "words"])),
    "option_number": workflow(node(1, "DCTestNode", ["option2", 7])),
    "option_none": workflow(node(1, "DCTestNode")),
    "option_image": workflow(image(), node(2, "DCTestNode", ["option3"], {"combo.image": (1, 0, "IMAGE")})),
    "option_nested": workflow(node(1, "DCTestNode", ["option4", "opt1", 1.5, 2.5])),
    "option_linked": workflow(
        node(1, "PrimitiveInt", [9, "fixed"]),
        node(2, "DCTestNode", ["option2", 7], {"combo.integer": (1, 0, "INT")}, widget_inputs=["combo.integer"]),
    ),
    "grown": workflow(
        image(), image(2),
        node(3, "AutogrowPrefixTestNode", [], {
            "autogrow.test0": (1, 0, "IMAGE"), "autogrow.test1": (2, 0, "IMAGE"), "autogrow.test2": (1, 0, "IMAGE"),
        }),
    ),
    "grown_names": workflow(
        image(), node(2, "AutogrowNamesTestNode", [], {"autogrow.a": (1, 0, "IMAGE"), "autogrow.c": (1, 0, "IMAGE")}),
    ),
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
