"""Saved graphs of before this pack, made small and runnable in a real host with tiny models."""

from __future__ import annotations

import copy
from typing import Any

from host.graphs import Builder, Link
from old_graphs import Raw
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.answers.migrate import own_nodes
from wanvideo_svi.wrapper_ext.workflow.find.wires import At, Wires
from wanvideo_svi.wrapper_ext.workflow.model.graph import Workflow

FRAMES, SIZE = 17, 64

# Widget values of the drawn graph that become small, by type: position -> value.
_SMALL: dict[str, dict[int, Any]] = {
    "INTConstant": {0: FRAMES}, "RepeatImageBatch": {0: FRAMES}, "WanVideoVACEStartToEndFrame": {0: FRAMES},
    "WanVideoImageToVideoEncode": {2: FRAMES}, "ImageResizeKJv2": {0: SIZE, 1: SIZE, 6: 16},
    "WanVideoSVIProEmbeds": {0: FRAMES},
}  # fmt: skip
_WIRES = ("Reroute", "GetNode", "SetNode", "PrimitiveNode", "Note", "MarkdownNote")
# Loaders, models and text: one tiny model and one text take the place of all of them.
_MODELS = ("WanVideoModelLoader", "WanVideoSetLoRAs", "WanVideoSetBlockSwap")
_TEXTS = ("WanVideoTextEncode", "WanVideoTextEncodeCached")
_RUN = {
    "WanVideoImageToVideoEncode", "WanVideoSampler", "WanVideoDecode", "WanVideoEncode", "WanVideoSVIProEmbeds",
    "WanVideoVACEStartToEndFrame", "WanVideoClipVisionEncode", "GetImageSizeAndCount", "GetImageRangeFromBatch",
    "RepeatImageBatch", "InvertMask", "INTConstant", "SimpleMath+", "ImageBatchMulti", "ImageBatchExtendWithOverlap",
    "ReplaceImagesInBatch", "SolidMask",
    "ColorMatch", "ImageResizeKJv2", "WanVideoSamplerSettings", "WanVideoEmptyEmbeds", *NODE_CLASS_MAPPINGS,
}  # fmt: skip


def small(raw: Raw) -> Raw:
    """A copy of a drawn graph with few frames and pixels."""
    raw = copy.deepcopy(raw)
    for node in raw["nodes"]:
        for index, value in _SMALL.get(node["type"], {}).items():
            node["widgets_values"][index] = value
    return raw


def runnable(raw: Raw, *, prefix: str, pair: bool = False) -> tuple[dict[str, Any], dict[str, str]]:
    """An API graph of what makes a drawn graph's clips, and the names of the dumps of the embeds that samplers get.

    Each clip's first sampler is dumped, by its node's id. pair: whether clips have a high and a low noise sampler.
    """
    workflow = Workflow(raw, own_nodes())
    wires = Wires(workflow)
    build = Builder()
    build.graph = {}
    model, text = build.model(), build.text()
    vae, vision = build.vae(), build.link("SVITestClipVision", clip_name="-")
    pictures: dict[object, Link] = {}  # each loaded image is another one
    stand_ins = {
        **dict.fromkeys(_MODELS, model), **dict.fromkeys(_TEXTS, text), "WanVideoVAELoader": vae,
        "CLIPVisionLoader": vision,
        "LoadWanVideoT5TextEncoder": build.link("SVITestT5", model_name="-"),
    }  # fmt: skip
    graph = build.graph
    dumps: dict[str, str] = {}
    for at in wires.places():
        kind = at.node.type
        if kind not in _RUN:
            continue
        inputs = _values(at)
        for name in at.node.scope.input_names(at.node):
            origin = wires.origin(at, name, passing=False)
            if origin is None:
                continue
            if origin.type == "LoadImage":
                if origin.at.node.id not in pictures:
                    pictures[origin.at.node.id] = build.images(width=96, height=80, seed=1 + len(pictures))
                inputs[name] = pictures[origin.at.node.id]
            elif origin.type in stand_ins:
                inputs[name] = stand_ins[origin.type]
            elif origin.type in _RUN:
                inputs[name] = [f"n{origin.at.node.id}", origin.slot]
        if kind == "WanVideoSamplerSettings":
            inputs |= {"steps": 2, "cfg": 1.0, "scheduler": "euler"}
        if kind == "WanVideoSampler":
            first = not isinstance(inputs.get("samples"), list)
            inputs |= {"steps": 2, "cfg": 1.0, "shift": 5.0, "scheduler": "euler", "rope_function": "comfy"}
            inputs |= {"start_step": 0 if first else 1, "end_step": 1 if pair and first else -1}
            if first:
                dumps[str(at.node.id)] = name = f"{prefix}_{at.node.id}"
                build.graph[f"dump{at.node.id}"] = {
                    "class_type": "SVITestDump", "inputs": {"value": inputs["image_embeds"], "name": name},
                }  # fmt: skip
            graph[f"dump_samples{at.node.id}"] = {
                "class_type": "SVITestDump",
                "inputs": {"value": [f"n{at.node.id}", 0], "name": f"{prefix}_samples{at.node.id}"},
            }
        graph[f"n{at.node.id}"] = {"class_type": kind, "inputs": inputs}
    return graph, dumps


_DEFAULTS: dict[str, dict[str, Any]] = {
    "WanVideoDecode": {"enable_vae_tiling": False, "tile_x": 272, "tile_y": 272, "tile_stride_x": 144,
                       "tile_stride_y": 128},
    "WanVideoEncode": {"enable_vae_tiling": False, "tile_x": 272, "tile_y": 272, "tile_stride_x": 144,
                       "tile_stride_y": 128},
    "WanVideoClipVisionEncode": {"strength_1": 1.0, "strength_2": 1.0, "crop": "center", "combine_embeds": "average",
                                 "force_offload": True},
    "ColorMatch": {"method": "mkl", "strength": 1.0},
}  # fmt: skip


def _values(at: At) -> dict[str, Any]:
    if at.node.type in _DEFAULTS:
        return dict(_DEFAULTS[at.node.type])
    try:
        return at.node.values()
    except SVIError:
        return {}
