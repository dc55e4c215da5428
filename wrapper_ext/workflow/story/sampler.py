"""The samplers of a chain's clips: what they are prompted with, and what becomes WanVideo Sampler Settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....svi_embeds.errors import SVIError
from ..find.wires import At, Origin
from ..model.host_nodes import SAMPLER_EXTRAS, SAMPLER_WIDGETS
from ..model.scope import Source
from .reading import Reading, said, some

Stage = tuple[dict[str, Any], dict[str, Source | None]]

_CHAIN_LINKS = ("model", "image_embeds", "text_embeds", "samples", "seed")
# What clips follow frame by frame, and the node that cuts a clip's part of it. A story cuts the whole itself.
_WINDOWS = {"multitalk_embeds": "WanVideoSVIAudioWindow", "unianimate_poses": "WanVideoSVIPoseWindow"}
_FIRST_MODELS = ("first_clip_model", "first_clip_low_noise_model")


@dataclass(slots=True)
class Text:
    """What a sampler is prompted with. encoder: the link of its text encoder, or the loader's values. made: what tells
    one encoder from another."""

    positive: str
    negative: str
    encoder: Source | dict[str, Any]
    made: Any


def read_text(reading: Reading, index: int, sampler: At) -> Text:
    """Raises SVIError for a text that a story cannot say."""
    origin = reading.wires.origin(sampler, "text_embeds")
    kind = origin.type if origin else "nothing"
    if origin is None or kind not in ("WanVideoTextEncode", "WanVideoTextEncodeCached"):
        node = origin.at.node if origin else sampler.node
        raise reading.refuse(index, f"its text comes from {kind}, not from WanVideo TextEncode", node)
    positive, negative = (reading.value(index, origin.at, f"{sign}_prompt") for sign in ("positive", "negative"))
    if not isinstance(positive, str) or not isinstance(negative, str):
        raise reading.refuse(index, "its prompt is computed when the graph runs", origin.at.node)
    if kind == "WanVideoTextEncode":
        encoder = reading.link(index, origin.at, "t5")
        if encoder is None:
            raise reading.refuse(index, "WanVideo TextEncode has no t5", origin.at.node)
        return Text(positive, negative, encoder, reading.wires.origin(origin.at, "t5"))
    values = {
        name: reading.value(index, origin.at, name) for name in ("model_name", "precision", "quantization")
    }  # fmt: skip
    return Text(positive, negative, values, tuple(values.items()))


def read_stages(reading: Reading) -> tuple[list[Stage], dict[str, Source | None]]:
    """Settings of each sampler of a clip, those of the last where the clips differ; and the models of the first clip,
    when it has others."""
    counts = {len(clip.samplers) for clip in reading.chain}
    if len(counts) > 1 or max(counts) > 2:
        raise SVIError("the clips have different numbers of samplers, or more than two: a story has one pair")
    for index in range(len(reading.chain)):
        _check_wiring(reading, index)
    _second_seeds(reading)
    stages, first, others = [], [], []
    for stage in range(counts.pop()):
        samplers = [clip.samplers[stage] for clip in reading.chain]
        stages.append(_stage(reading, samplers))
        models = [reading.wires.origin(at, "model", passing=False) for at in samplers]
        for index, model in enumerate(models[1:], start=1):
            if model != models[-1]:
                what = "its model is not that of the last clip: a story has one for all but the first"
                raise reading.refuse(index, what, samplers[index].node)
        first.append(reading.link(0, samplers[0], "model", passing=False))
        others.append(models[0] != models[-1])
    # One of a pair is not enough: the clip without the SVI LoRA samples with both.
    return stages, dict(zip(_FIRST_MODELS, first, strict=False)) if any(others) else {}


def _check_wiring(reading: Reading, index: int) -> None:
    """Raises SVIError when a clip's samplers are wired in a way that a story does not have."""
    wires, clip = reading.wires, reading.chain[index]
    for stage, sampler in enumerate(clip.samplers):
        made = wires.origin(sampler, "image_embeds")
        if made is None or made.at != clip.embeds:
            between = said(made.at.node) if made else "something"
            raise reading.refuse(index, f"{between} stands between its embeds and its sampler", sampler.node)
        if stage == 0:
            if wires.linked(sampler, "samples"):
                raise reading.refuse(index, "samples are connected to its first sampler", sampler.node)
            continue
        samples = wires.origin(sampler, "samples")
        if samples != Origin(clip.samplers[0], 0):
            between = said(samples.at.node) if samples else "nothing"
            raise reading.refuse(
                index, f"the samples of its second sampler come from {between}, not straight from the first",
                sampler.node,
            )  # fmt: skip
        _check_second_text(reading, index, clip.samplers[0], sampler)


def _check_second_text(reading: Reading, index: int, first: At, second: At) -> None:
    wires = reading.wires
    if wires.origin(second, "text_embeds") == wires.origin(first, "text_embeds"):
        return
    if wires.origin(second, "text_embeds") is None:
        reading.note(index, f"{said(second.node)} had no text; in the story it has that of the first sampler")
        return
    one, other = read_text(reading, index, first), read_text(reading, index, second)
    if (one.positive, one.negative, one.made) != (other.positive, other.negative, other.made):
        raise reading.refuse(index, "its second sampler has another text than the first", second.node)


def _second_seeds(reading: Reading) -> None:
    differing = [
        index for index, clip in enumerate(reading.chain) if len(clip.samplers) > 1
        and not reading.wires.same(clip.samplers[0], "seed", clip.samplers[1], "seed")
    ]  # fmt: skip
    if differing:
        reading.note(
            differing[0], f"the samplers of {some(differing)} have two seeds each; in the story both have the first's"
        )


def _stage(reading: Reading, samplers: list[At]) -> Stage:
    last, end = samplers[-1], len(samplers) - 1
    values: dict[str, Any] = {}
    links: dict[str, Source | None] = {}
    for name in SAMPLER_WIDGETS:
        value = reading.value(end, last, name)
        if value is None:
            links[name] = reading.link(end, last, name)
        else:
            values[name] = value
        _compare(reading, samplers, name)
    for name in SAMPLER_EXTRAS:
        takers = _takers(reading, samplers, name)
        links[name] = reading.link(end, takers[-1], name, needed=False)
        _compare_extra(reading, takers, name)
    links["model"] = reading.link(end, last, "model", passing=False)
    for index, at in enumerate(samplers):
        for name in at.node.scope.input_names(at.node):
            if name not in (*SAMPLER_WIDGETS, *SAMPLER_EXTRAS, *_CHAIN_LINKS):
                raise reading.refuse(index, f"its sampler has {name} connected", at.node)
    return values, links


def _compare(reading: Reading, samplers: list[At], name: str) -> None:
    wires, last = reading.wires, samplers[-1]
    for index, at in enumerate(samplers):
        value = reading.value(index, at, name)
        if not wires.same(at, name, last, name) and (
            wires.linked(at, name) or value != reading.value(len(samplers) - 1, last, name)
        ):
            reading.note(index, f"its sampler's {name} differs from that of the last clip, which the story takes")


def _takers(reading: Reading, samplers: list[At], name: str) -> list[At]:
    """The nodes that take each clip's option, whole: its sampler, or the node that cuts the clip's part of it."""
    if name not in _WINDOWS:
        return samplers
    takers, otherwise = [], []
    for index, at in enumerate(samplers):
        origin = reading.wires.origin(at, name)
        window = origin.at if origin and origin.type == _WINDOWS[name] else None
        takers.append(window or at)
        placed = window and [reading.value(index, window, each) for each in ("clip_index", "start_frame")]
        if origin is not None and placed != [index, -1]:
            otherwise.append(index)
    if otherwise:
        reading.note(
            otherwise[0], f"{some(otherwise)} began with another part of the {name} than in the story, where they run "
            "through the whole chain",
        )  # fmt: skip
    return takers


def _compare_extra(reading: Reading, takers: list[At], name: str) -> None:
    """Say which clips have other options than the last."""
    last = reading.wires.origin(takers[-1], name)
    for index, at in enumerate(takers[:-1]):
        own = reading.wires.origin(at, name)
        if reading.alike(own, last):
            continue
        if own is None:
            what = f"its sampler has no {name}, the last clip's has, and with it the story"
        elif last is None:
            what = f"its sampler's {name}, {said(own.at.node)}, goes: the story takes the last clip's, which has none"
        else:
            what = f"its sampler's {name} differs from that of the last clip, which the story takes"
        reading.note(index, what)
