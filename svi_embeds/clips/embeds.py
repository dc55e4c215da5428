"""The `image_embeds` dict that the wrapper's sampler takes. This file is its only reader and writer, with
`embeds_native`, which reads what a native model takes of it.

Keys and types follow the wrapper's I2V encode (WanVideoWrapper, WanVideoImageToVideoEncode); `svi` is ours, and the
sampler ignores keys that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_dict, check_int
from ..ground.tensors import all_finite
from ..masks.known import describe_known, per_frame, unpack_known
from ..timeline import FRAMES_PER_LATENT, latent_count
from ..version import VERSION
from .vae import PATCH


class SVIRecord(TypedDict):
    """What was asked of a clip, so that it can be read back from its embeds."""

    version: str
    mode: str
    overlap_frames: int  # frames to drop from the clip's start when it is joined to the one before
    end_frames: int
    known_frames: str  # a known rule, or the input that replaced it
    padding: str
    concat_mask: list[float]  # one value per conditioning frame, 0 = kept


def svi_record(
    *,
    mode: str,
    overlap_frames: int,
    known_frames: str,
    padding: str,
    known_per_frame: Sequence[float],
    end_frames: int = 0,
) -> SVIRecord:
    """The record of one clip. known_per_frame: one value per conditioning frame, 1 = kept."""
    return {
        "version": VERSION,
        "mode": mode,
        "overlap_frames": overlap_frames,
        "end_frames": end_frames,
        "known_frames": known_frames,
        "padding": padding,
        "concat_mask": [1 - v for v in known_per_frame],
    }


class _Carried(TypedDict, total=False):
    svi_native: list[Tensor]  # raw latents C n h w that the embeds were made of, see `native_sources`


class ImageEmbeds(_Carried):
    """WANVIDIMAGE_EMBEDS of image-to-video. There is no batch axis.

    image_embeds: C T h w float32. mask: 4 T h w in the VAE's dtype, 1 = kept. num_frames counts extra latents as four
    frames each. max_seq_len: transformer tokens (needed by wrappers before 2025-11-13).
    """

    image_embeds: Tensor
    mask: Tensor
    num_frames: int
    lat_h: int
    lat_w: int
    max_seq_len: int
    clip_context: Tensor | None
    negative_clip_context: Tensor | None
    control_embeds: dict[str, Any] | None
    end_image: Tensor | None
    fun_or_fl2v_model: bool
    has_ref: bool
    add_cond_latents: dict[str, Any] | None
    svi: SVIRecord


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Beside:
    """What the sampler gets beside a clip's latents. control: from `control_signal`.

    clip_embeds, add_cond_latents: as the host's encode node gets them.
    """

    clip_embeds: dict[str, Any] | None = None
    control: dict[str, Any] | None = None
    add_cond_latents: dict[str, Any] | None = None


_NOTHING_BESIDE = Beside()


def build_embeds(
    *,
    num_frames: int,
    latents: Tensor,
    mask: Tensor,
    record: SVIRecord,
    extra: Tensor | None = None,
    end_video: Tensor | None = None,
    fun_or_fl2v_model: bool = True,
    beside: Beside = _NOTHING_BESIDE,
) -> ImageEmbeds:
    """Put a clip's parts into the dict.

    num_frames: frames of the clip. latents: C T h w, mask: 4 T h w, both with the extra latents already in front.
    extra: those extra latents C t h w. end_video: C e H W in -1..1.
    """
    clip = beside.clip_embeds or {}
    _, count, lat_h, lat_w = latents.shape
    built: ImageEmbeds = {
        "image_embeds": latents,
        "mask": mask,
        "num_frames": num_frames + (extra.shape[1] * FRAMES_PER_LATENT if extra is not None else 0),
        "lat_h": lat_h,
        "lat_w": lat_w,
        "max_seq_len": count * (lat_h * lat_w // PATCH**2),
        "clip_context": clip.get("clip_embeds"),
        "negative_clip_context": clip.get("negative_clip_embeds"),
        "control_embeds": beside.control,
        "end_image": end_video,
        "fun_or_fl2v_model": fun_or_fl2v_model,
        "has_ref": extra is not None,
        "add_cond_latents": beside.add_cond_latents,
        "svi": record,
    }
    check_embeds(built)
    return built


def control_signal(control_embeds: object, *, channels: int) -> dict[str, Any] | None:
    """What control embeds hold for the sampler. channels: of the clip's latents, which the signal's join.

    Raises SVIError when they are of another kind, or of another VAE.
    """
    if control_embeds is None:
        return None
    control_embeds = check_dict("control_embeds", control_embeds, "WanVideo Control Embeds")
    if control_embeds.get("control_embeds") is None:  # image encodes and empty embeds have a place for one
        raise SVIError(
            f"control_embeds holds no control signal ({what_they_are(control_embeds)}): connect WanVideo Control "
            "Embeds, or nothing"
        )
    signal = cast("dict[str, Any]", control_embeds["control_embeds"])
    latents = signal.get("control_images") if isinstance(signal, dict) else None
    if isinstance(latents, Tensor) and latents.ndim == 4 and latents.shape[0] != channels:
        raise SVIError(
            f"control_embeds hold latents of {latents.shape[0]} channels, this VAE makes {channels}: encode the "
            "control images with the same VAE"
        )
    return signal


def check_embeds(embeds: Any) -> ImageEmbeds:
    """Raises SVIError for embeds that the sampler would crash on or silently get wrong."""
    if not isinstance(embeds, dict):
        raise SVIError(f"image_embeds must be a dict (WANVIDIMAGE_EMBEDS), got {type(embeds).__name__}")
    required = ("image_embeds", "mask", "num_frames", "lat_h", "lat_w")
    missing = [key for key in required if embeds.get(key) is None]
    if missing:
        raise SVIError(
            f"image_embeds lacks {', '.join(missing)}: the sampler needs {', '.join(required)}, and these are "
            f"{what_they_are(embeds)}; connect WanVideo SVI Embeds or an ImageToVideo encode"
        )
    for key in required[2:]:
        check_int(f"{key} of image_embeds", embeds[key], minimum=1)
    latents, mask = embeds["image_embeds"], embeds["mask"]
    for key, tensor in (("image_embeds", latents), ("mask", mask)):
        if not isinstance(tensor, Tensor):
            raise SVIError(f"{key} of image_embeds must be a tensor, got {type(tensor).__name__}")
    count = latent_count(embeds["num_frames"]) + (1 if is_end_apart(embeds) else 0)
    size = (count, embeds["lat_h"], embeds["lat_w"])
    if latents.ndim != 4 or tuple(latents.shape[1:]) != size:
        raise SVIError(
            f"image_embeds are {list(latents.shape)}, expected [C, {', '.join(map(str, size))}] "
            f"for {embeds['num_frames']} frames"
        )
    if tuple(mask.shape) != (FRAMES_PER_LATENT, *size):
        raise SVIError(f"mask is {list(mask.shape)}, expected [4, {', '.join(map(str, size))}]")
    for key, tensor in (("image_embeds", latents), ("mask", mask)):
        if not tensor.is_floating_point() or not latents.shape[0] or not all_finite(tensor):
            raise SVIError(f"{key} of image_embeds must hold finite floats, got {tensor.dtype} {list(tensor.shape)}")
    return cast(ImageEmbeds, embeds)


def is_end_apart(embeds: Mapping[str, Any]) -> bool:
    """Whether the end stands in a latent of its own behind the clip."""
    return embeds.get("end_image") is not None and not embeds.get("fun_or_fl2v_model", False)


def known_mask_of(embeds: Mapping[str, Any]) -> Tensor:
    """The packed mask of any image-to-video embeds as a known_mask: F h w float32, one per conditioning frame."""
    mask: Tensor = check_embeds(embeds)["mask"]
    return unpack_known(mask.detach().to("cpu", torch.float32), end_apart=is_end_apart(embeds)).clone()


def conditioning_of(embeds: Mapping[str, Any]) -> Tensor:
    """What the transformer gets beside the noise: 4 + C T h w, the mask in front. embeds: image-to-video, checked."""
    latents: Tensor = embeds["image_embeds"]
    return torch.cat([embeds["mask"].to(latents), latents])


def clip_vision_of(embeds: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that hold CLIP vision features."""
    return {key: embeds[key] for key in ("clip_context", "negative_clip_context") if embeds.get(key) is not None}


def svi_record_of(embeds: Mapping[str, Any]) -> SVIRecord | None:
    """What this pack noted of a clip; None in embeds of another node. Raises SVIError when it does not read."""
    record = embeds.get("svi")
    if record is None:
        return None
    fits = isinstance(record, dict) and all(
        isinstance(record.get(key), kind)
        for key, kind in (("mode", str), ("overlap_frames", int), ("known_frames", str), ("padding", str))
    )
    if not fits:
        raise SVIError("svi of image_embeds is not this pack's record of a clip: make the embeds again")
    return cast(SVIRecord, record)


def describe_embeds(embeds: Mapping[str, Any]) -> str:
    """One line: what embeds of image-to-video hold, this pack's or the host's own."""
    known = describe_known(per_frame(known_mask_of(embeds)))
    channels, count, lat_h, lat_w = embeds["image_embeds"].shape
    text = f"{embeds['num_frames']} frames, {channels} x {count} x {lat_h} x {lat_w} latents, known_mask {known}"
    record = svi_record_of(embeds)
    if record is None:
        return f"{text}, not made by this pack"
    return f"{record['mode']}: {text}, overlap {record['overlap_frames']}"


class EmptyEmbeds(TypedDict):
    """WANVIDIMAGE_EMBEDS of text-to-video: a size. target_shape: 16, T, h, w (8 pixels each, for the 5B model too)."""

    target_shape: tuple[int, int, int, int]
    num_frames: int
    control_embeds: dict[str, Any] | None


class CleanLatents(TypedDict):
    """Latents that the sampler takes as clean. samples: [1, C, n, h, w]. index: of the first one in the clip."""

    samples: Tensor
    index: int


def build_empty(*, num_frames: int, lat_h: int, lat_w: int) -> EmptyEmbeds:
    """What the host's Empty Embeds makes. lat_h, lat_w: latents of 8 pixels."""
    shape = (16, latent_count(num_frames), lat_h, lat_w)
    return {"target_shape": shape, "num_frames": num_frames, "control_embeds": None}


def holds_image(embeds: Mapping[str, Any]) -> bool:
    """Whether embeds are of image-to-video, and not just a size."""
    return embeds.get("image_embeds") is not None


def holds_voice(embeds: object) -> bool:
    """Whether embeds are HuMo's. With an image in them as well they come from the wrapper's Combine Embeds."""
    return isinstance(embeds, Mapping) and embeds.get("humo_audio_emb") is not None


def what_they_are(embeds: Mapping[str, Any]) -> str:
    """Embeds of any kind in words, for who connected them to the wrong input."""
    if holds_voice(embeds):
        return "HuMo's embeds: a voice"
    if holds_image(embeds):
        return "image-to-video embeds"
    if embeds.get("target_shape") is not None:
        return "empty embeds: a size alone"
    return f"embeds of another kind, with the keys {', '.join(map(str, embeds)) or 'none'}"


def reference_latents(name: str, embeds: Mapping[str, Any]) -> int:
    """How many latents of references HuMo's embeds have behind the clip, sampled with it and then dropped."""
    return check_int(f"humo_reference_count of {name}", embeds.get("humo_reference_count", 0), minimum=0)


def dropped_latents(name: str, embeds: Mapping[str, Any]) -> int:
    """How many latents the sampler drops at the end of sampling, for the references of HuMo or Phantom."""
    phantom = embeds.get("phantom_latents")
    references = phantom.shape[1] if isinstance(phantom, Tensor) and phantom.ndim == 4 else 0
    return reference_latents(name, embeds) + references


def sampled_size(name: str, embeds: Mapping[str, Any]) -> tuple[int, int, int]:
    """T, h, w that a 16-channel model samples for embeds of either kind; those with an image are checked already.

    Raises SVIError when embeds without one do not say.
    """
    if holds_image(embeds):
        _, count, lat_h, lat_w = embeds["image_embeds"].shape
        return count, lat_h, lat_w
    shape = embeds.get("target_shape")
    if not isinstance(shape, (tuple, list)) or len(shape) != 4 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise SVIError(
            f"{name} holds neither image_embeds nor a target_shape ({what_they_are(embeds)}): connect WanVideo SVI "
            "Embeds, an ImageToVideo encode, or WanVideo Empty Embeds"
        )
    return shape[1] + bool(embeds.get("has_ref")), shape[2], shape[3]


def has_clip_vision(embeds: Mapping[str, Any]) -> bool:
    """Whether embeds hold CLIP vision features."""
    return embeds.get("clip_context") is not None


def keeps_all_of_frame_0(embeds: Mapping[str, Any]) -> bool:
    """Whether every pixel of frame 0 is known. embeds: of image-to-video, checked already."""
    return bool((embeds["mask"][:, 0] == 1).all())


def clean_latents_of(name: str, embeds: Mapping[str, Any]) -> list[CleanLatents]:
    """The clean latents in embeds of either kind. Raises SVIError when they do not read."""
    entries = embeds.get("extra_latents")
    if entries is None:
        return []
    found = []
    for entry in entries if isinstance(entries, list) else [entries]:
        samples, index = (entry.get("samples"), entry.get("index")) if isinstance(entry, dict) else (None, None)
        if not isinstance(samples, Tensor) or samples.ndim != 5 or not isinstance(index, int):
            raise SVIError(f"extra_latents of {name} do not read: make them with WanVideo Add Extra Latent")
        found.append(CleanLatents(samples=samples, index=index))
    return found


def with_clean_latents(embeds: Mapping[str, Any], entries: list[CleanLatents]) -> dict[str, Any]:
    """The same embeds with `entries` as their clean latents; the given ones stay as they were."""
    return {**embeds, "extra_latents": list(entries)} if entries else dict(embeds)


def pusa_noise_of(embeds: Mapping[str, Any]) -> object:
    """Noise multipliers of clean latents (WanVideo Add Pusa Noise), None without."""
    return embeds.get("pusa_noise_multipliers")
