"""The embeds of both stages of a high/low pair: made, shared and checked, with the same clean latents in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch

from .checks import check_dict, check_int
from .embeds import (
    CleanLatents,
    build_empty,
    check_embeds,
    clean_latents_of,
    has_clip_vision,
    holds_image,
    is_end_apart,
    keeps_all_of_frame_0,
    pusa_noise_of,
    sampled_size,
)
from .errors import SVIError
from .file_names import is_magref
from .latent_space import guess_space, read_latent
from .models import ModelFacts


def embeds_of_both(
    high: ModelFacts,
    low: ModelFacts,
    high_embeds: object,
    low_embeds: object,
    *,
    size: tuple[int, int, int],
    num_frames: int,
    notes: list[str],
) -> tuple[dict[str, dict[str, Any]], tuple[int, int, int]]:
    """The embeds of both stages by input name, made or shared where they are not given, and their T, h, w."""
    source = "WanVideo SVI Embeds or an encode"
    given = {
        name: None if value is None else check_dict(name, value, source)
        for name, value in (("high_embeds", high_embeds), ("low_embeds", low_embeds))
    }
    if high.takes_image and low.takes_image:
        for name, other in (("high_embeds", "low_embeds"), ("low_embeds", "high_embeds")):
            if given[name] is None and given[other] is not None:
                given[name] = given[other]
                notes.append(f"{name} is not connected: {other} serves both stages")
    hint = ", or high_model and low_model are swapped" if high.takes_image != low.takes_image else ""
    both, made = {}, []
    for name, model in (("high_embeds", high), ("low_embeds", low)):
        if given[name] is None and model.takes_empty:
            both[name] = dict(build_empty(num_frames=num_frames, lat_h=size[1], lat_w=size[2]))
            made.append(name)
        else:
            both[name] = _checked_embeds(name, model, given[name], hint=hint, notes=notes)
    size = _check_sizes(both, made, size, notes)
    if low.kind == "i2v" and is_magref(low.name) and keeps_all_of_frame_0(both["low_embeds"]):
        notes.append(
            "MAGREF wants only the reference's pixels known in frame 0, low_embeds keep all of it: give the encode the "
            "region of WanVideo Reference Canvas (temporal_mask)"
        )
    return both, size


def _checked_embeds(
    name: str, model: ModelFacts, embeds: dict[str, Any] | None, *, hint: str, notes: list[str]
) -> dict[str, Any]:
    """`embeds` when they are of the kind that the stage's model takes. Raises SVIError otherwise."""
    stage = name.removesuffix("_embeds")
    if embeds is None:
        wanted = "image_embeds of WanVideo SVI Embeds or an ImageToVideo encode" if model.takes_image else "its embeds"
        raise SVIError(f"{stage}_model is {model}: connect {wanted} to {name}{hint}")
    if model.takes_empty and holds_image(embeds):
        raise SVIError(
            f"{name} holds image latents, but {stage}_model is {model}, which takes none: leave {name} "
            f"unconnected{hint}"
        )
    if model.takes_image and not holds_image(embeds):
        raise SVIError(
            f"{name} holds no image latents (empty embeds), but {stage}_model is {model}: connect WanVideo SVI Embeds "
            f"or an ImageToVideo encode{hint}"
        )
    if holds_image(embeds):
        try:
            check_embeds(embeds)
        except SVIError as error:
            raise SVIError(f"{name} does not fit {stage}_model: {error}") from error
        found = embeds["image_embeds"].shape[0]
        if model.takes_image and found != model.out_dim:
            raise SVIError(
                f"{name} hold latents of {found} channels, {stage}_model samples {model.out_dim}: encode with the "
                "model's own VAE"
            )
    if model.takes_image and model.image_attention and not has_clip_vision(embeds):
        notes.append(f"{name} holds no CLIP vision features, which {stage}_model was trained with: set clip_embeds")
    return embeds


def _check_sizes(
    both: Mapping[str, Mapping[str, Any]], made: Sequence[str], size: tuple[int, int, int], notes: list[str]
) -> tuple[int, int, int]:
    """The latents that both stages sample. made: those whose embeds were made here, in `size`."""
    sizes = {name: sampled_size(name, embeds) for name, embeds in both.items()}
    high, low = sizes["high_embeds"], sizes["low_embeds"]
    if high == low:
        if high != size:
            notes.append(
                f"width, height and num_frames are not used: the embeds are for {_times(high)} latents (T x h x w)"
            )
        return high
    apart = [name for name, embeds in both.items() if holds_image(embeds) and is_end_apart(embeds)]
    if apart:
        way = f"the end image of {apart[0]} stands in a latent of its own; make it with fun_or_fl2v_model on"
    elif made:
        way = "set width, height and num_frames here to those of the embeds"
    else:
        way = "make both for the same width, height and num_frames"
    raise SVIError(
        f"high_embeds are for {_times(high)} latents (T x h x w), low_embeds for {_times(low)}: both stages sample the "
        f"same latents; {way}"
    )


def _times(size: Sequence[int]) -> str:
    return " x ".join(map(str, size))


def clean_latents_of_both(
    both: Mapping[str, Mapping[str, Any]],
    latents: object,
    index: int,
    *,
    channels: int,
    size: tuple[int, int, int],
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


def _placed(entries: Sequence[CleanLatents], channels: int, size: tuple[int, int, int]) -> list[CleanLatents]:
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
                f"clean latents are {_times(pixels)}, the clip is {_times(size[1:])} "
                "latents: encode an image of the clip's width and height"
            )
        if not 0 <= first <= size[0] - count:
            raise SVIError(
                f"{count} clean latents at index {index} do not fit into {size[0]} latents (the wrapper moves them in "
                f"silence): use an index from {-size[0]} to {size[0] - count}"
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


def check_pusa_noise(
    both: Mapping[str, Mapping[str, Any]], clean: Sequence[CleanLatents], latents: int, notes: list[str]
) -> None:
    """Raises SVIError for noise multipliers that the sampler fails on. latents: of the clip."""
    count = sum(entry["samples"].shape[2] for entry in clean)
    for name, embeds in both.items():
        noise = pusa_noise_of(embeds)
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
