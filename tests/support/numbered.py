"""Graphs of clips that are joined in random ways, and what their nodes show: frames numbered by the moment they are of.

What the nodes do is written here once more, from their own code, so that the migration is not its own judge.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from old_graphs import Old, Raw, sampler_values

ANCHOR = -1
Frames = list[Any]  # moments; ANCHOR; (moment, other) where two frames are blended


@dataclass
class Numbered:
    """raw: the graph. embeds: node id of each clip's embeds, in order. frames: what each clip shows. end: node and
    output of the joined video."""

    raw: Raw
    embeds: list[int] = field(default_factory=list)
    frames: list[Frames] = field(default_factory=list)
    end: tuple[int, int] = (0, 0)
    how: list[str] = field(default_factory=list)


def a_chain(seed: int) -> Numbered:
    """A chain of clips, pixel or Pro, each led by the last frames of the one before, and joined somehow."""
    draw = random.Random(seed)
    g = Old(first_id=10)
    made = Numbered(g.raw)
    is_pro, clips = draw.random() < 0.35, draw.randint(2, 4)
    motion = draw.choice([1, 1, 2])
    overlap = 4 * motion + 1 if is_pro else draw.choice([1, 5, 5, 9])
    length = draw.choice([n for n in (17, 21, 33, 49) if n > 3 * overlap])  # else a wrong cut could eat a whole clip
    load = g.add("LoadImage", ["example.png", "image"])
    vae = g.add("WanVideoVAELoader", ["vae.safetensors", "bf16"])
    select = g.add(
        "WanVideoLoraSelect", ["SVI_v2_PRO.safetensors" if is_pro else "svi-film.safetensors", 1, False, False]
    )
    model = g.add("WanVideoModelLoader", ["m", "fp16", "disabled", "offload_device", "sdpa"], lora=(select, 0))
    anchor = g.add("WanVideoEncode", [False, 272, 272, 144, 128, 0, 1], vae=(vae, 0), image=(load, 0))
    style, parts, sampler, video = draw.choice(STYLES), [], None, None
    for index in range(clips):
        if is_pro:
            links = {"prev_samples": (sampler, 0)} if sampler else {}
            embeds = g.add("WanVideoSVIProEmbeds", [length, motion], anchor_samples=(anchor, 0), **links)
        else:
            lead = (load, 0)
            if index:
                whole = video if video is not None and draw.random() < 0.5 else (parts[-1], 0)
                known = len(show(made, whole))
                lead = _last(g, draw, whole, overlap, known, made.how)
            embeds = g.add("WanVideoImageToVideoEncode", [64, 64, length, 0, 1, 1, True, False, False], vae=(vae, 0),
                           start_image=lead)  # fmt: skip
        sampler = g.add("WanVideoSampler", sampler_values(index), model=(model, 0), image_embeds=(embeds, 0))
        decode = g.add("WanVideoDecode", [False, 272, 272, 144, 128, "default"], vae=(vae, 0), samples=(sampler, 0))
        made.embeds.append(embeds["id"])
        made.frames.append(_moments(made.frames, is_pro, overlap, length))
        parts.append(decode)
        if style == "all at once":
            continue
        video = (decode, 0) if video is None else _join(g, draw, video, (decode, 0), overlap, made, style)
    if style == "all at once":
        video = _all(g, draw, parts, overlap, made)
    assert video is not None
    g.add("VHS_VideoCombine", {"frame_rate": 16}, images=video)
    made.end = (video[0]["id"], video[1])
    return made


STYLES = ("pairs", "pairs", "pairs", "extend", "extend", "plain", "all at once")


def _moments(before: list[Frames], is_pro: bool, overlap: int, length: int) -> Frames:
    if not before:
        return list(range(length))
    last = before[-1]
    start = max(moment for frames in before for moment in frames) + 1
    lead = [ANCHOR, *last[len(last) - overlap + 1 :]] if is_pro else last[len(last) - overlap :]
    return [*lead, *range(start, start + length - overlap)]


def right(made: Numbered) -> Frames:
    """Each moment once."""
    return list(range(max(moment for frames in made.frames for moment in frames) + 1))


# Graphs


def _last(g: Old, draw: random.Random, video: tuple[Raw, int], k: int, count: int, how: list[str]) -> tuple[Raw, int]:
    """The last k frames, by any of the nodes."""
    way = draw.choice(
        ["range", "range of count", "from batch", "from batch math", "plus", "select", "indexed", "split"]
    )
    how.append(f"last by {way}")
    if way == "range":
        return g.add("GetImageRangeFromBatch", [-1, k], images=video), 0
    if way == "range of count":
        return g.add("GetImageRangeFromBatch", [count - k, k], images=video), 0
    if way == "from batch":
        return g.add("ImageFromBatch", [draw.choice([count - k, -k]), k], image=video), 0
    if way == "from batch math":
        return g.add("ImageFromBatch", [0, k], image=video, batch_index=_less(g, draw, video, k)), 0
    if way == "plus":
        return g.add("ImageFromBatch+", [count - k, draw.choice([-1, k])], image=video), 0
    if way == "select":
        return g.add("VHS_SelectImages", [f"-{k}:", True, True], image=video), 0
    if way == "indexed":
        return g.add("GetImagesFromBatchIndexed", [", ".join(str(i) for i in range(-k, 0))], images=video), 0
    return g.add("VHS_SplitImages", [-k], images=video), 2


def _number(g: Old, draw: random.Random, value: int) -> tuple[Raw, int]:
    kind = draw.choice(["INTConstant", "PrimitiveInt", "named", "reroute"])
    if kind == "PrimitiveInt":
        return g.add("PrimitiveInt", [value, "fixed"]), 0
    made = g.add("INTConstant", [value]), 0
    if kind == "named":
        name = f"n{g.raw['last_node_id']}"
        g.add("SetNode", [name], **{"*": made})
        return g.add("GetNode", [name]), 0
    return (g.add("Reroute", [], **{"": made}), 0) if kind == "reroute" else made


def _less(g: Old, draw: random.Random, video: tuple[Raw, int], k: int) -> tuple[Raw, int]:
    """The count of a video's frames, less k."""
    if draw.random() < 0.5:
        count = g.add("GetImageSizeAndCount", [], image=video), 3
    else:
        count = g.add("VHS_GetImageCount", [], images=video), 0
    way = draw.choice(["text", "two", "brackets", "cm", "easy", "expression", "calculator"])
    if way == "text":
        return g.add("SimpleMath+", [f"a-{k}"], a=count), 0
    if way == "two":
        return g.add("SimpleMath+", ["a - b"], a=count, b=_number(g, draw, k)), 0
    if way == "brackets":
        return g.add("SimpleMath+", ["(a + 1) - (b*c) - 1"], a=count, b=_number(g, draw, k), c=_number(g, draw, 1)), 0
    if way == "cm":
        return g.add("CM_IntBinaryOperation", ["Sub", 0, 0], a=count, b=_number(g, draw, k)), 0
    if way == "easy":
        return g.add("easy mathInt", [0, k, "subtract"], a=count), 0
    if way == "expression":
        return g.add("ComfyMathExpression", ["a - b"], **{"values.a": count, "values.b": _number(g, draw, k)}), 1
    return g.add("SimpleCalculatorKJ", ["a - b"], **{"variables.a": count, "variables.b": _number(g, draw, k)}), 1


def _without_end(g: Old, draw: random.Random, video: tuple[Raw, int], k: int, count: int) -> tuple[Raw, int]:
    way = draw.choice(["range", "known", "select", "split", "from batch"])
    if way == "range":
        return g.add("GetImageRangeFromBatch", [0, 1], images=video, num_frames=_less(g, draw, video, k)), 0
    if way == "known":
        return g.add("GetImageRangeFromBatch", [0, count - k], images=video), 0
    if way == "select":
        return g.add("VHS_SelectImages", [draw.choice([f"0:-{k}", f":-{k}"]), True, True], image=video), 0
    if way == "split":
        return g.add("VHS_SplitImages", [-k], images=video), 0
    return g.add("ImageFromBatch", [0, 1], image=video, length=_less(g, draw, video, k)), 0


def _without_start(g: Old, draw: random.Random, video: tuple[Raw, int], k: int, count: int) -> tuple[Raw, int]:
    way = draw.choice(["range", "many", "from batch", "plus", "select", "split"])
    if way == "range":
        return g.add("GetImageRangeFromBatch", [k, count - k], images=video), 0
    if way == "many":
        return g.add("GetImageRangeFromBatch", [k, 4096], images=video), 0
    if way == "from batch":
        return g.add("ImageFromBatch", [k, 4096], image=video), 0
    if way == "plus":
        return g.add("ImageFromBatch+", [k, -1], image=video), 0
    if way == "select":
        return g.add("VHS_SelectImages", [f"{k}:", True, True], image=video), 0
    return g.add("VHS_SplitImages", [k], images=video), 2


def _cut(draw: random.Random, overlap: int) -> int:
    """The overlap, or about it."""
    return overlap if draw.random() < 0.6 else max(1, overlap + draw.choice([-4, -2, -1, 1, 2, 4]))


def _join(
    g: Old, draw: random.Random, video: tuple[Raw, int], later: tuple[Raw, int], overlap: int, made: Numbered,
    style: str,
) -> tuple[Raw, int]:  # fmt: skip
    cut = _cut(draw, overlap)
    if style == "extend":
        side, how = draw.choice([("source", "cut"), ("new_images", "cut"), ("source", "linear_blend")])
        made.how.append(f"extend {cut} {side} {how}")
        return g.add("ImageBatchExtendWithOverlap", [cut, side, how], source_images=video, new_images=later), 2
    if style == "pairs":
        side = draw.choice(["old", "new", "both"])
        made.how.append(f"{side} {cut}")
        if side == "both":
            one = draw.randint(0, cut)
            if one:
                video = _without_end(g, draw, video, one, len(show(made, video)))
            if cut - one:
                later = _without_start(g, draw, later, cut - one, len(made.frames[-1]))
        elif side == "old":
            video = _without_end(g, draw, video, cut, len(show(made, video)))
        else:
            later = _without_start(g, draw, later, cut, len(made.frames[-1]))
    kind = draw.choice(["ImageBatch", "ImageBatchMulti", "VHS_MergeImages", "BatchImagesNode"])
    if kind == "ImageBatch":
        return g.add(kind, [], image1=video, image2=later), 0
    if kind == "ImageBatchMulti":
        return g.add(kind, [2, None], image_1=video, image_2=later), 0
    if kind == "VHS_MergeImages":
        return g.add(kind, ["match A", "nearest-exact", "disabled"], images_A=video, images_B=later), 0
    return g.add(kind, [], **{"images.image0": video, "images.image1": later}), 0


def _all(g: Old, draw: random.Random, parts: list[Raw], overlap: int, made: Numbered) -> tuple[Raw, int]:
    cut, side = _cut(draw, overlap), draw.choice(["old", "new"])
    made.how.append(f"all {side} {cut}")
    links = {}
    for index, decode in enumerate(parts):
        video = (decode, 0)
        if side == "new" and index:
            video = _without_start(g, draw, video, cut, len(made.frames[index]))
        if side == "old" and index + 1 < len(parts):
            video = _without_end(g, draw, video, cut, len(made.frames[index]))
        links[f"image_{index + 1}"] = video
    return g.add("ImageBatchMulti", [len(parts), None], **links), 0


# What the nodes show


def show(made: Numbered, video: tuple[Raw, int] | None = None, raw: Raw | None = None) -> Frames:
    """The frames of an output, by default those of the joined video. raw: the same graph after a migration."""
    graph = raw or made.raw
    if video is None:
        node = next(each for each in graph["nodes"] if each["id"] == made.end[0])
        slot = made.end[1] if node["type"] != "WanVideoSVIStitch" else 0
    else:
        node, slot = video
    return _Show(made, graph).output(node["id"], slot)


class _Show:
    def __init__(self, made: Numbered, raw: Raw) -> None:
        self.made = made
        self.nodes = {node["id"]: node for node in raw["nodes"]}
        self.links = {link[0]: link for link in raw["links"]}
        self.names = {node["widgets_values"][0]: node for node in raw["nodes"] if node["type"] == "SetNode"}

    def has(self, node: Raw, name: str) -> bool:
        return any(each["name"] == name and each["link"] is not None for each in node["inputs"])

    def get(self, node: Raw, name: str) -> Any:
        link = self.links[next(each["link"] for each in node["inputs"] if each["name"] == name)]
        return self.output(link[1], link[2])

    def value(self, node: Raw, name: str, index: int) -> Any:
        return self.get(node, name) if self.has(node, name) else node["widgets_values"][index]

    def output(self, node_id: int, slot: int) -> Any:
        node = self.nodes[node_id]
        kind, saved = node["type"], node["widgets_values"]
        if kind == "WanVideoDecode":
            sampler = self.nodes[self.links[_link(node, "samples")][1]]
            embeds = self.links[_link(sampler, "image_embeds")][1]
            return self.made.frames[self.made.embeds.index(embeds)]
        if kind == "SetNode":
            return self.get(node, "*")
        if kind == "GetNode":
            return self.output(self.names[saved[0]]["id"], 0)
        if kind == "Reroute":
            return self.get(node, "")
        if kind in ("INTConstant", "PrimitiveInt"):
            return saved[0]
        if kind == "GetImageSizeAndCount":
            frames = self.get(node, "image")
            return (frames, 64, 64, len(frames))[slot]
        if kind == "VHS_GetImageCount":
            return len(self.get(node, "images"))
        return self.sums(node) if kind in _SUMS else self.frames(node, slot)

    def sums(self, node: Raw) -> int:
        kind, saved = node["type"], node["widgets_values"]
        if kind == "CM_IntBinaryOperation":
            return int(self.get(node, "a") - self.value(node, "b", 2))
        if kind == "easy mathInt":
            return int(self.get(node, "a") - saved[1])
        names = {each["name"].rsplit(".", 1)[-1]: self.get(node, each["name"]) for each in node["inputs"]}
        return int(eval(saved[0], {}, names))  # written above, in this file

    def frames(self, node: Raw, slot: int) -> Frames:
        kind, saved = node["type"], node["widgets_values"]
        if kind == "GetImageRangeFromBatch":
            frames, start, count = self.get(node, "images"), saved[0], self.value(node, "num_frames", 1)
            start = max(0, len(frames) - count) if start == -1 else start
            return frames[start : start + count]
        if kind == "ImageFromBatch":
            frames, start = self.get(node, "image"), self.value(node, "batch_index", 0)
            start = max(0, min(len(frames) - 1, start + len(frames) if start < 0 else start))
            return frames[start : start + self.value(node, "length", 1)]
        if kind == "ImageFromBatch+":
            frames = self.get(node, "image")
            return frames[saved[0] : saved[0] + (len(frames) if saved[1] < 0 else saved[1])]
        if kind == "GetImagesFromBatchIndexed":
            frames = self.get(node, "images")
            return [frames[int(index)] for index in saved[0].split(",")]
        if kind == "VHS_SelectImages":
            first, last = saved[0].split(":")
            return self.get(node, "image")[int(first) if first else 0 : int(last) if last else None]
        if kind == "VHS_SplitImages":
            frames = self.get(node, "images")
            return frames[: saved[0]] if slot == 0 else frames[saved[0] :]
        if kind in ("ImageBatch", "VHS_MergeImages", "BatchImagesNode", "ImageBatchMulti"):
            return [
                frame for each in node["inputs"] if each["link"] is not None for frame in self.get(node, each["name"])
            ]
        if kind == "ImageBatchExtendWithOverlap":
            first, second, k = self.get(node, "source_images"), self.get(node, "new_images"), saved[0]
            if saved[2] == "cut":
                return first + second[k:] if saved[1] == "new_images" else first[:-k] + second
            return first[:-k] + _blended(first[-k:], second[:k]) + second[k:]
        assert kind == "WanVideoSVIStitch", kind
        return self.stitch(node)

    def stitch(self, node: Raw) -> Frames:
        k = self.value(node, "overlap_frames", 0)
        drop, blend = node["widgets_values"][1:3]
        names = [
            each["name"] for each in node["inputs"] if each["name"].startswith("images_") and each["link"] is not None
        ]
        out = self.get(node, names[0])
        for name in names[1:]:
            later = self.get(node, name)
            if blend != "none":
                out = out[:-k] + _blended(out[-k:], later[:k]) + later[k:]
            else:
                out = out[: len(out) - k] + later if drop == "old" else out + later[k:]
        return out


_SUMS = ("SimpleMath+", "CM_IntBinaryOperation", "easy mathInt", "ComfyMathExpression", "SimpleCalculatorKJ")


def _link(node: Raw, name: str) -> int:
    return next(int(each["link"]) for each in node["inputs"] if each["name"] == name)


def _blended(one: Frames, other: Frames) -> Frames:
    return [a if a == b else (a, b) for a, b in zip(one, other, strict=True)]
