"""The embeds of both stages of a high/low pair: made, shared and checked, with the same clean latents in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from ..clips.embeds import (
    CleanLatents,
    build_empty,
    check_embeds,
    clean_latents_of,
    has_clip_vision,
    holds_image,
    holds_voice,
    keeps_all_of_frame_0,
    pusa_noise_of,
    reference_latents,
)
from ..clips.latent_space import guess_space, read_latent
from ..errors import SVIError
from ..ground.checks import check_dict, check_int
from ..guides.humo import check_voice, is_joined, is_silent
from ..models.facts import ModelFacts
from ..models.names import is_humo, is_magref
from ..timeline import FRAMES_PER_LATENT
from .sizes import Size, check_sizes, times


@dataclass(frozen=True, slots=True)
class StageEmbeds:
    """The embeds of both stages by input name (high_embeds, low_embeds).

    clip: T, h, w of the clip. latents: those that each stage samples, its references included.
    """

    both: dict[str, dict[str, Any]]
    clip: Size
    latents: dict[str, int]


def embeds_of_both(
    high: ModelFacts,
    low: ModelFacts,
    high_embeds: object,
    low_embeds: object,
    *,
    size: Size,
    num_frames: int,
    notes: list[str],
) -> StageEmbeds:
    """The embeds of both stages, made or shared where they are not given. size: T, h, w of a clip of num_frames."""
    source = "WanVideo SVI Embeds or an encode"
    given = {
        name: None if value is None else check_dict(name, value, source)
        for name, value in (("high_embeds", high_embeds), ("low_embeds", low_embeds))
    }
    if (high.takes_image and low.takes_image) or (high.takes_voice and low.takes_voice):
        for name, other in (("high_embeds", "low_embeds"), ("low_embeds", "high_embeds")):
            if given[name] is None and given[other] is not None:
                given[name] = given[other]
                notes.append(f"{name} is not connected: {other} serves both stages")
    for name, model, beside in (("high_embeds", high, low), ("low_embeds", low, high)):
        if holds_voice(given[name]) and not model.takes_voice:
            raise _no_voice(name, model, beside)
    both, made = {}, []
    for name, model, beside in (("high_embeds", high, low), ("low_embeds", low, high)):
        embeds = given[name]
        if embeds is None and model.takes_empty:
            more = 0
            if name == "high_embeds" and given["low_embeds"] is not None and low.takes_voice:
                more = reference_latents("low_embeds", given["low_embeds"])
            if more:
                notes.append(
                    f"high_embeds are made {more} latent(s) longer than the clip, since HuMo samples its references "
                    "behind it; they are dropped at the end"
                )
            frames = num_frames + more * FRAMES_PER_LATENT
            both[name] = dict(build_empty(num_frames=frames, lat_h=size[1], lat_w=size[2]))
            made.append(name)
        else:
            both[name] = _checked_embeds(name, model, embeds, other=beside, notes=notes)
    clip, latents = check_sizes(both, made, size, notes)
    if low.kind == "i2v" and is_magref(low.name) and keeps_all_of_frame_0(both["low_embeds"]):
        notes.append(
            "MAGREF needs only the reference's pixels known in frame 0, low_embeds keep all of it: give the encode the "
            "region of WanVideo Reference Canvas (temporal_mask)"
        )
    return StageEmbeds(both, clip, latents)


def _wanted(model: ModelFacts) -> str:
    if model.takes_voice:
        return "HuMo Embeds, through WanVideo SVI Audio Window for a clip of a chain,"
    return "image_embeds of WanVideo SVI Embeds or an ImageToVideo encode" if model.takes_image else "its embeds"


def _checked_embeds(
    name: str, model: ModelFacts, embeds: dict[str, Any] | None, *, other: ModelFacts, notes: list[str]
) -> dict[str, Any]:
    """`embeds` when they are of the kind that the stage's model takes. other: the model of the other stage.

    Raises SVIError otherwise.
    """
    stage = name.removesuffix("_embeds")
    swapped = model.takes_image != other.takes_image and not (model.takes_voice or other.takes_voice)
    hint = ", or high_model and low_model are swapped" if swapped else ""
    if embeds is None:
        raise SVIError(f"{stage}_model is {model}: connect {_wanted(model)} to {name}{hint}")
    if holds_voice(embeds):
        _check_voice(name, model, embeds, notes)
        return embeds
    if (model.takes_empty or model.kind == "humo_small") and holds_image(embeds):
        way = f"connect {_wanted(model)} to it" if model.takes_voice else f"leave {name} unconnected{hint}"
        raise SVIError(f"{name} holds image latents, but {stage}_model is {model}, which takes none: {way}")
    if (model.takes_image or model.kind == "humo") and not holds_image(embeds):
        wanted = f"{_wanted(model)} to it" if model.takes_voice else "WanVideo SVI Embeds or an ImageToVideo encode"
        raise SVIError(
            f"{name} holds no image latents (empty embeds), but {stage}_model is {model}: connect {wanted}{hint}"
        )
    if holds_image(embeds):
        _check_image(name, embeds)
        found = embeds["image_embeds"].shape[0]
        if model.takes_image and found != model.out_dim:
            raise SVIError(
                f"{name} hold latents of {found} channels, {stage}_model samples {model.out_dim}: encode with the "
                "model's own VAE"
            )
    if model.takes_voice:
        notes.append(
            f"{name} holds no voice, and {stage}_model is HuMo: nobody speaks. HuMo Embeds bring one, and WanVideo SVI "
            "Audio Window joins it with a clip's embeds"
        )
    if model.takes_image and model.image_attention and not has_clip_vision(embeds):
        notes.append(f"{name} holds no CLIP vision features, which {stage}_model was trained with: set clip_embeds")
    return embeds


def _check_image(name: str, embeds: dict[str, Any]) -> None:
    try:
        check_embeds(embeds)
    except SVIError as error:
        raise SVIError(f"{name} does not fit {name.removesuffix('_embeds')}_model: {error}") from error


def _no_voice(name: str, model: ModelFacts, other: ModelFacts) -> SVIError:
    """HuMo's embeds, given as input `name`, on a model without its layers. other: the model of the other stage."""
    stage = name.removesuffix("_embeds")
    leave = f"leave {name} unconnected" if model.takes_empty else f"connect {_wanted(model)} to {name}"
    there = "low_embeds" if stage == "high" else "high_embeds"
    way = f"connect them to {there}, and {leave}" if other.takes_voice else f"load a HuMo model, or {leave}"
    but = ", though its file is named HuMo (take the whole file)" if is_humo(model.name) else ""
    return SVIError(
        f"{name} are HuMo's and hold a voice, but {stage}_model is {model}, which has no layers for one{but}: {way}"
    )


def _check_voice(name: str, model: ModelFacts, embeds: dict[str, Any], notes: list[str]) -> None:
    """Raises SVIError for HuMo's embeds that a HuMo model crashes on, or samples wrongly without a message."""
    stage = name.removesuffix("_embeds")
    references = reference_latents(name, embeds)
    if holds_image(embeds):
        _check_image(name, embeds)
        if references:
            raise SVIError(
                f"{name} come from WanVideo Combine Embeds, with {references} reference latent(s) of HuMo: the wrapper "
                f"then cuts the clip's last {references * FRAMES_PER_LATENT} frames off, silently. Put HuMo Embeds "
                "and the clip's embeds together with WanVideo SVI Audio Window"
            )
    check_voice(name, embeds)
    if model.kind == "humo_small":
        if holds_image(embeds) or is_joined(embeds):
            raise SVIError(
                f"{name} hold a clip beside the voice, but {stage}_model is {model}, which takes none: load the large "
                "one (14B), or connect HuMo Embeds alone"
            )
        if not references:
            raise SVIError(
                f"{name} hold no reference latents, and {stage}_model is {model}: the wrapper then puts an empty video "
                "in place of all its noise, silently. Connect reference_images to HuMo Embeds"
            )
    if is_silent(embeds):
        notes.append(f"{name} are silent (no audio was connected, or the clip begins after its end): nobody speaks")


def clean_latents_of_both(
    both: Mapping[str, Mapping[str, Any]],
    latents: object,
    index: int,
    *,
    channels: int,
    size: Size,
    notes: list[str],
) -> list[CleanLatents]:
    """The clean latents for both stages: those that one of them brings, and the given ones.

    channels: of the latents that the models sample. size: their T, h, w.
    """
    held = {name: clean_latents_of(name, embeds) for name, embeds in both.items()}
    if held["high_embeds"] and held["low_embeds"] and not _same(held["high_embeds"], held["low_embeds"]):
        raise SVIError(
            "high_embeds and low_embeds hold different clean latents (extra_latents): both stages must keep the same "
            "ones; give them once, as clean_latents"
        )
    entries = held["high_embeds"] or held["low_embeds"]
    for name, found in held.items():
        if entries and not found:
            notes.append(f"the clean latents of the other stage were added to {name}: both must keep them")
    if latents is not None:
        samples, remarks = read_latent("clean_latents", latents)
        notes += remarks
        if samples.shape[0] in (16, 48) and guess_space(samples)[0] == "native":
            notes.append(
                "clean_latents look like native latents: make them with WanVideo Encode, or use Latent ReScale"
            )
        entries = [*entries, CleanLatents(samples=samples.unsqueeze(0), index=index)]
    return _placed(entries, channels, size)


def _placed(entries: Sequence[CleanLatents], channels: int, size: Size) -> list[CleanLatents]:
    """Clean latents with their index counted from the start, in order. Raises SVIError where they do not fit."""
    placed = []
    for entry in entries:
        _, found, count, *pixels = entry["samples"].shape
        index = check_int("clean_index", entry["index"])
        first = index + size[0] if index < 0 else index
        if found != channels:
            raise SVIError(
                f"clean latents have {found} channels, the models sample {channels}: encode with the models' own VAE"
            )
        if count > size[0]:
            raise SVIError(f"{count} clean latents are more than the {size[0]} of the clip: encode fewer frames")
        if tuple(pixels) != size[1:]:
            raise SVIError(
                f"clean latents are {times(pixels)}, the clip is {times(size[1:])} "
                "latents: encode an image of the clip's width and height"
            )
        if not 0 <= first <= size[0] - count:
            raise SVIError(
                f"{count} clean latents at index {index} do not fit into {size[0]} latents (the wrapper moves them "
                f"silently): use an index from {-size[0]} to {size[0] - count}"
            )
        placed.append(CleanLatents(samples=entry["samples"], index=first))
    placed.sort(key=lambda entry: entry["index"])
    for before, after in pairwise(placed):
        if before["index"] + before["samples"].shape[2] > after["index"]:
            raise SVIError(f"clean latents overlap at latent {after['index']}: give each latent once")
    return placed


def _same(these: Sequence[CleanLatents], those: Sequence[CleanLatents]) -> bool:
    return len(these) == len(those) and all(
        a["index"] == b["index"] and torch.equal(a["samples"], b["samples"])
        for a, b in zip(these, those, strict=True)
    )  # fmt: skip


def check_pusa_noise(stages: StageEmbeds, clean: Sequence[CleanLatents], notes: list[str]) -> None:
    """Raises SVIError for noise multipliers that the sampler fails on."""
    count = sum(entry["samples"].shape[2] for entry in clean)
    for name, embeds in stages.both.items():
        noise, latents = pusa_noise_of(embeds), stages.latents[name]
        if noise is None:
            continue
        if not isinstance(noise, (list, tuple)) or (clean and len(noise) not in (count, latents)):
            length = f"{len(noise)} values" if isinstance(noise, (list, tuple)) else f"{noise!r}"
            raise SVIError(
                f"noise_multipliers in {name} must be a list with one value per clean latent ({count}) or per latent "
                f"({latents}), got {length}: remove WanVideo Add Pusa Noise, or give it such a list"
            )
        if any(value != 0 for value in noise):
            notes.append(
                f"noise_multipliers in {name} are not all 0: split over two samplers, the wrapper then leaves Pusa's "
                "own way; remove WanVideo Add Pusa Noise, or set them to 0"
            )
