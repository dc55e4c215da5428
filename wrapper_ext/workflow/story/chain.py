"""A chain of clips read into what WanVideo SVI Long Video gets: a story, images, models and sampler settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from ....svi_embeds.errors import SVIError
from ....svi_embeds.recipes import RECIPES, SVI2_PRO
from ..find.clips import Clip, Clips, modes_of
from ..find.joins import JOINS
from ..find.wires import Wires
from ..model.report import Finding
from ..model.scope import Node, Source
from .blocks import Told, counted_seeds, say_next, tell
from .ending import read_ending
from .images import PRO, read_clip_vision, read_images, read_size
from .reading import Reading, said
from .sampler import Stage, Text, read_stages, read_text
from .vae import read_tiling, read_vae

ENCODE = "WanVideoImageToVideoEncode"
# Settings of SVI Embeds and Latent Embeds that a story has no word for, and what they must be.
_PLAIN: dict[str, Any] = {
    "noise_aug_strength": 0, "start_latent_strength": 1, "end_latent_strength": 1, "augment_empty_frames": 0,
    "keyframes": "", "feather": 0, "anchor_strength": 1,
}  # fmt: skip
# Inputs of theirs that are read, or that decide nothing without an end image.
_READ = (
    "vae", "mode", "width", "height", "num_frames", "overlap_frames", "motion_latents", "known_frames", "padding",
    "ref_strength", "start_image", "ref_image", "prev_samples", "anchor_samples", "clip_embeds", "tiled_vae",
    "force_offload", "fun_or_fl2v_model", "end_frames", "end_latents", "end_strength", "end_padding",
    "end_padding_frames", "end_padding_latents", "outside_region",
)  # fmt: skip
# Between two clips: what joins, decodes and counts.
_BETWEEN = (*JOINS, "GetImageSizeAndCount")
_MAX_STEPS = 1000


@dataclass(slots=True)
class Story:
    """What the Long Video node gets."""

    values: dict[str, Any]
    sources: dict[str, Source | None]
    stages: list[Stage]
    encoder: Source | dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


def read_chain(wires: Wires, clips: Clips, chain: list[Clip], fed: Set[Node]) -> Story:
    """fed: the nodes that the chain's clips feed. Raises SVIError, with clip and node, for what a story cannot say."""
    reading = Reading(wires, clips, chain, fed)
    for index in range(len(chain)):
        _check_plain(reading, index)
    stages, first_models = read_stages(reading)
    texts = [read_text(reading, index, clip.samplers[0]) for index, clip in enumerate(chain)]
    values = _plan(reading, texts, has_first=bool(first_models))
    sources: dict[str, Source | None] = {}
    for name in ("width", "height"):
        values[name], sources[name] = read_size(reading, name)
    sources |= read_images(reading) | {"vae": read_vae(reading), "clip_vision": read_clip_vision(reading)}
    sources |= first_models
    if read_tiling(reading):
        values["tiled_vae"] = True
    if len({text.made for text in texts}) > 1:
        reading.note(0, "the clips have different text encoders; the story has one, that of clip 1")
    _between(reading)
    ending = read_ending(reading)
    sources["audio"] = ending.audio
    values["fps"] = ending.rate
    kept = {name: value for name, value in values.items() if value is not None}
    return Story(kept, sources, stages, texts[0].encoder, reading.findings)


def _check_plain(reading: Reading, index: int) -> None:
    """Raises SVIError for embeds, or settings of theirs, that a story has no word for."""
    at, wires = reading.embeds[index], reading.wires
    if at.node.type not in (ENCODE, "WanVideoSVIEmbeds", PRO):
        raise reading.refuse(index, f"{at.node.type} makes its embeds")
    if at.node.type == ENCODE and index:
        raise reading.refuse(index, "it is not a pattern that this migration knows")
    for name in at.node.scope.input_names(at.node):
        if name not in _READ and name not in _PLAIN:
            raise reading.refuse(index, f"{name} is connected")
    try:
        values = at.node.values()
    except SVIError as error:
        raise reading.refuse(index, str(error)) from None
    for name, plain in _PLAIN.items():
        if wires.linked(at, name) or values.get(name, plain) != plain:
            raise reading.refuse(index, f"{name} is not {plain!r}")


# The text of the story


def _plan(reading: Reading, texts: list[Text], *, has_first: bool) -> dict[str, Any]:
    """The story, and the settings that it counts from."""
    chain = reading.chain
    modes = [_mode(reading, index) for index in range(len(chain))]
    mode = Counter(modes[1:]).most_common(1)[0][0] if len(chain) > 1 else _next_mode(reading, modes[0])
    frames = [reading.number(index, at, "num_frames") for index, at in enumerate(reading.embeds)]
    overlaps = [_overlap(reading, index) for index in range(len(chain))]
    seeds = counted_seeds(reading, [reading.clips.seed(clip) for clip in chain])
    told = [
        Told(text, modes[index], frames[index], overlaps[index], seeds[index], _rules(reading, index))
        for index, text in enumerate(texts)
    ]
    return tell(reading, told, mode, has_first=has_first)


def _mode(reading: Reading, index: int) -> str:
    at = reading.embeds[index]
    if at.node.type == ENCODE:
        return "i2v"
    return SVI2_PRO.id if at.node.type == PRO else str(reading.value(index, at, "mode"))


def _next_mode(reading: Reading, mode: str) -> str:
    """The mode of a story whose only clip is of this one: what its next clips would have."""
    loras = [mode for mode in modes_of(reading.clips.loras(reading.chain[0])) if mode in RECIPES]
    following = loras[0] if mode == "i2v" and loras else mode
    way = "choose the mode of your SVI LoRA for them" if following == "i2v" else f"they are of mode {following}"
    say_next(reading, way)
    return following


def _overlap(reading: Reading, index: int) -> int | None:
    """Frames that a clip shares with the one before. Of the first, those of the video that it continues from."""
    if index == 0 and reading.embeds[0].node.type != "WanVideoSVIEmbeds":
        return None
    overlap = reading.clips.overlap(reading.chain[index])
    if overlap is None and index:
        raise reading.refuse(index, "how many frames it shares with the clip before cannot be determined")
    return overlap


def _rules(reading: Reading, index: int) -> dict[str, Any]:
    """Settings of a block that the clip has otherwise than its mode wants."""
    at = reading.embeds[index]
    if at.node.type == ENCODE:
        return {}
    rules: dict[str, Any] = {}
    plain = {"known": "first_latent", "padding": "zero"} if at.node.type == PRO else {}
    for key, name in (("known", "known_frames"), ("padding", "padding")):
        value = reading.value(index, at, name)
        rules[key] = None if value in ("recipe", plain.get(key)) else value
    strength = reading.value(index, at, "ref_strength")
    rules["ref_strength"] = None if strength in (None, 1) else float(strength)
    return rules


def _between(reading: Reading) -> None:
    """Say what stood between the clips and has no place in a story."""
    for index, clip in enumerate(reading.chain[1:], start=1):
        origin = clip.lead
        for _ in range(_MAX_STEPS):
            if origin is None or origin.type in ("WanVideoDecode", "WanVideoSampler"):
                break
            if origin.type not in _BETWEEN:
                reading.note(index, f"{said(origin.at.node)} worked on the video before it; a story has none")
            origin = reading.clips.tail(origin.at)
