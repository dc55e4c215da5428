"""The `image_embeds` dict that the wrapper's sampler takes. This file is its only reader and writer.

Keys and types follow the wrapper's I2V encode (WanVideoWrapper, WanVideoImageToVideoEncode); `svi` is ours, and the
sampler ignores keys that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, TypedDict, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .checks import check_dict, check_int
from .encode import PATCH
from .errors import SVIError
from .masks import describe_known
from .timeline import FRAMES_PER_LATENT, latent_count
from .version import VERSION

_METADATA_KEY = "wanvideo_svi"


class SVIRecord(TypedDict):
    """What was asked of a clip, so that it can be read back from its embeds."""

    version: str
    mode: str
    overlap_frames: int  # frames at the clip's start that the clip before ends on
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


class ImageEmbeds(TypedDict):
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


def build_embeds(
    *,
    num_frames: int,
    latents: Tensor,
    mask: Tensor,
    record: SVIRecord,
    extra: Tensor | None = None,
    end_video: Tensor | None = None,
    fun_or_fl2v_model: bool = True,
    clip_embeds: dict[str, Any] | None = None,
    control: dict[str, Any] | None = None,
    add_cond_latents: dict[str, Any] | None = None,
) -> ImageEmbeds:
    """Put a clip's parts into the dict.

    num_frames: frames of the clip. latents: C T h w, mask: 4 T h w, both with the extra latents already in front.
    extra: those extra latents C t h w. end_video: C e H W in -1..1. control: from `control_signal`. clip_embeds,
    add_cond_latents: as the host's encode node gets them.
    """
    clip = clip_embeds or {}
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
        "control_embeds": control,
        "end_image": end_video,
        "fun_or_fl2v_model": fun_or_fl2v_model,
        "has_ref": extra is not None,
        "add_cond_latents": add_cond_latents,
        "svi": record,
    }
    check_embeds(built)
    return built


def control_signal(control_embeds: object) -> dict[str, Any] | None:
    """What control embeds hold for the sampler. Raises SVIError when they are of another kind."""
    if control_embeds is None:
        return None
    control_embeds = check_dict("control_embeds", control_embeds, "WanVideo Control Embeds")
    if "control_embeds" not in control_embeds:
        raise SVIError(
            f"control_embeds holds no control signal (keys: {', '.join(map(str, control_embeds))}): "
            "connect WanVideo Control Embeds, not an image encode"
        )
    return cast("dict[str, Any]", control_embeds["control_embeds"])


def check_embeds(embeds: Any) -> ImageEmbeds:
    """Raises SVIError for embeds that the sampler would crash on or silently get wrong."""
    if not isinstance(embeds, dict):
        raise SVIError(f"image_embeds must be a dict (WANVIDIMAGE_EMBEDS), got {type(embeds).__name__}")
    required = ("image_embeds", "mask", "num_frames", "lat_h", "lat_w")
    missing = [key for key in required if embeds.get(key) is None]
    if missing:
        raise SVIError(f"image_embeds lacks {', '.join(missing)}: the sampler needs {', '.join(required)}")
    for key in required[2:]:
        check_int(f"{key} of image_embeds", embeds[key], minimum=1)
    latents, mask = embeds["image_embeds"], embeds["mask"]
    for key, tensor in (("image_embeds", latents), ("mask", mask)):
        if not isinstance(tensor, Tensor):
            raise SVIError(f"{key} of image_embeds must be a tensor, got {type(tensor).__name__}")
    apart = embeds.get("end_image") is not None and not embeds.get("fun_or_fl2v_model", False)
    count = latent_count(embeds["num_frames"]) + (1 if apart else 0)
    size = (count, embeds["lat_h"], embeds["lat_w"])
    if latents.ndim != 4 or tuple(latents.shape[1:]) != size:
        raise SVIError(
            f"image_embeds are {list(latents.shape)}, expected [C, {', '.join(map(str, size))}] "
            f"for {embeds['num_frames']} frames"
        )
    if tuple(mask.shape) != (FRAMES_PER_LATENT, *size):
        raise SVIError(f"mask is {list(mask.shape)}, expected [4, {', '.join(map(str, size))}]")
    return cast(ImageEmbeds, embeds)


def describe_embeds(embeds: Mapping[str, Any]) -> str:
    """One line: what embeds of image-to-video hold, this pack's or the host's own."""
    check_embeds(embeds)
    channels, count, lat_h, lat_w = embeds["image_embeds"].shape
    text = f"{embeds['num_frames']} frames, {channels} x {count} x {lat_h} x {lat_w} latents"
    record = embeds.get("svi")
    if record is None:
        return f"{text}, not made by this pack"
    known = describe_known([1 - v for v in record["concat_mask"]])
    return f"{record['mode']}: {text}, overlap {record['overlap_frames']}, known_mask {known}"


def save_embeds(embeds: ImageEmbeds, path: str | PathLike[str]) -> None:
    """Write embeds as .safetensors: tensors as they are, everything else as JSON in the file's metadata."""
    check_embeds(embeds)
    tensors: dict[str, Tensor] = {}
    tree = _to_tree(dict(embeds), "image_embeds", tensors)
    try:
        save_file(tensors, path, metadata={_METADATA_KEY: json.dumps(tree)})
    except (SafetensorError, OSError) as error:
        raise SVIError(f"{path} cannot be written: {error}") from error


def load_embeds(path: str | PathLike[str]) -> ImageEmbeds:
    """Read what `save_embeds` wrote, equal to the bit. Nothing in the file is executed."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if _METADATA_KEY not in metadata:
                raise SVIError(f"{path} holds no embeds of this pack: it was not written by save_embeds")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise SVIError(f"{path} cannot be read as .safetensors: {error}") from error
    try:
        loaded = _from_tree(json.loads(metadata[_METADATA_KEY]), tensors)
    except (KeyError, ValueError, RecursionError) as error:
        raise SVIError(f"{path} is damaged, its description does not read: {error}") from error
    return check_embeds(loaded)


def _to_tree(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        # A clone, since safetensors refuses views that share memory and a view would be saved with all behind it.
        # Numbered, since paths of nested keys may collide.
        name = f"{len(tensors)}:{path}"
        tensors[name] = value.detach().to("cpu").clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise SVIError(f"{path} has keys that are no strings: it cannot be saved")
        return {"dict": {key: _to_tree(item, f"{path}/{key}", tensors) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_to_tree(item, f"{path}/{i}", tensors) for i, item in enumerate(value)]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    raise SVIError(f"{path} is a {type(value).__name__}: only tensors, numbers, text, lists and dicts can be saved")


def _from_tree(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """What `_to_tree` took apart. Raises KeyError or ValueError for a tree that it did not make."""
    if isinstance(tree, dict) and len(tree) == 1:
        match tree:
            case {"tensor": str(name)}:
                return tensors[name]
            case {"dict": dict(items)}:
                return {key: _from_tree(item, tensors) for key, item in items.items()}
            case {"list": list(items)}:
                return [_from_tree(item, tensors) for item in items]
            case {"tuple": list(items)}:
                return tuple(_from_tree(item, tensors) for item in items)
            case {"value": None | bool() | int() | float() | str() as value}:
                return value
    raise ValueError(f"unexpected {str(tree)[:60]}")
