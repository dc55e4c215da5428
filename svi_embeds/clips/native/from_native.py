"""CONDITIONING that native nodes made as image_embeds for the wrapper.

Read as ComfyUI's model reads it (comfy/model_base.py, WAN21.concat_cond): masks of another number of channels than four
are averaged, masks and latents resized to the LATENT's size, latents without a mask generated.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from ...errors import SVIError
from ...ground.images import resize_centre
from ...ground.tensors import all_finite, bounds_of
from ...ground.words import write_info
from ...masks.known import concat_from_known, count_concat, describe_known, looks_inverted, per_frame, unpack_known
from ...timeline import FRAMES_PER_LATENT, frame_count
from ..embeds import Beside, build_embeds, svi_record
from ..latent_space import VAE_CHANNELS, read_latent, to_wrapper
from ..made import EncodedClip, encoded_from
from ..native_sources import channel_groups, with_native_sources
from ..vae import CHANNELS, PATCH
from .conditioning import check_conditioning, vision_states

# What other native nodes set, and which node of the wrapper has the same.
_OF_OTHERS = {
    "reference_latents": "a reference of Fun models, which the wrapper's sampler reads in text-to-video embeds alone "
    "(WanVideo Empty Embeds with WanVideo Control Embeds)",
    "time_dim_concat": "latents behind the clip (Phantom), which WanVideo Phantom Embeds makes",
    "context_latents": "in-context latents, which the wrapper does not have",
    "vace_frames": "VACE's control, which WanVideo VACE Encode makes",
    "camera_conditions": "a camera's path, which WanVideo FunCamera Embeds makes",
    "audio_embed": "a sound, which the wrapper's nodes for S2V and HuMo take",
    "pose_video_latent": "poses of Wan Animate, which WanVideo Animate Embeds makes",
    "face_video_pixels": "a face of Wan Animate, which WanVideo Animate Embeds makes",
    "reference_motion": "motion of S2V, which the wrapper's S2V node makes",
}


def from_native(positive: object, negative: object = None, latent: object = None) -> EncodedClip:
    """What native image-to-video nodes put into CONDITIONING, as embeds for the wrapper. Nothing given is changed.

    positive, negative: CONDITIONING, both with the same latents and mask. latent: LATENT that would be sampled, whose
    size counts; without it the latents' own does.
    Raises SVIError for conditioning without latents, and for what image_embeds cannot hold.
    """
    values = _common("positive", positive)
    notes: list[str] = []
    if negative is not None:
        _check_alike(values, _common("negative", negative))
    raw = _first_of("concat_latent_image", values.get("concat_latent_image"), notes)
    raw = raw.to(torch.float32) if raw.dtype == torch.float64 else raw
    size = _size(latent, raw, notes)
    raw = _resized("concat_latent_image", raw, size, notes)
    packed, said = _known(values.get("concat_mask"), raw, latent, notes)
    image, control = _split(raw, values)
    groups = image.chunk(channel_groups(image))
    latents = torch.cat([to_wrapper(group.to(torch.float32)) for group in groups])
    signal = None
    if control is not None:
        wrapped = to_wrapper(control.to(torch.float32))
        signal = {"control_images": wrapped, "start_percent": 0.0, "end_percent": 1.0}
        notes.append("the channels before the mask became the control signal (Fun Control models)")
    clip_embeds = _vision(values, None if negative is None else _common("negative", negative))
    known = unpack_known(packed).clone()
    frames = per_frame(known)
    length = frame_count(latents.shape[1])
    embeds = build_embeds(
        num_frames=length,
        latents=latents,
        mask=packed,
        record=svi_record(
            mode="native",
            overlap_frames=next((i for i, value in enumerate(frames) if value < 1), length),
            known_frames="concat_mask",
            padding="native",
            known_per_frame=frames,
        ),
        beside=Beside(clip_embeds=clip_embeds, control=signal),
    )
    if looks_inverted(frames):
        notes.append("concat_mask keeps most frames but not the first: is it a mask of the other polarity?")
    head = [
        f"native: {length} frames, latents {list(latents.shape)}",
        f"mask: {said}",
        f"known_mask (wrapper): {describe_known(frames)}",
        f"concat_mask (native): {count_concat(frames)}",
    ]
    clip = encoded_from(with_native_sources(embeds, groups))
    return dataclasses.replace(clip, info=write_info(head, notes))


def _common(name: str, conditioning: object) -> dict[str, Any]:
    """The values that all entries of a CONDITIONING have alike, as far as they are read here."""
    entries = [values for _, values in check_conditioning(name, conditioning)]
    for key, said in _OF_OTHERS.items():
        if any(values.get(key) is not None for values in entries):
            raise SVIError(f"{name} holds {key}: {said}; image_embeds from here would lack it")
    for values in entries[1:]:
        for key in ("concat_latent_image", "concat_mask", "concat_mask_index"):
            if not _same(entries[0].get(key), values.get(key)):
                raise SVIError(
                    f"the entries of {name} have different {key}: image_embeds hold one for the whole clip; combine "
                    "prompts before the node that adds the images"
                )
    return entries[0]


def _check_alike(positive: dict[str, Any], negative: dict[str, Any]) -> None:
    for key in ("concat_latent_image", "concat_mask", "concat_mask_index"):
        if not _same(positive.get(key), negative.get(key)):
            raise SVIError(
                f"positive and negative have different {key}: image_embeds hold one for both; connect both outputs of "
                "one node, or leave negative out"
            )


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        return one is two or (one.shape == two.shape and one.dtype == two.dtype and torch.equal(one, two))
    return (
        bool((one or None) == (two or None)) if not isinstance(one, Tensor) and not isinstance(two, Tensor) else False
    )


def _first_of(name: str, value: object, notes: list[str]) -> Tensor:
    """C T h w of a tensor B C T h w, on the CPU."""
    if value is None:
        raise SVIError(
            f"positive holds no {name}: connect the positive of WanImageToVideo with a start_image (or another native "
            "image-to-video node), not that of the text encoder"
        )
    if not isinstance(value, Tensor) or value.ndim != 5 or 0 in value.shape:
        got = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise SVIError(f"{name} must be [1, channels, T, h, w] as Wan's native nodes make it, got {got}")
    if not value.is_floating_point() or value.element_size() < 2 or not all_finite(value):
        raise SVIError(f"{name} must hold finite floats, got {value.dtype}: look at the node that made it")
    if len(value) > 1:
        notes.append(f"{name} is a batch of {len(value)}: the first is used")
    return value[0].detach().cpu()


def _size(latent: object, raw: Tensor, notes: list[str]) -> tuple[int, int, int]:
    """T h w of the clip."""
    count, height, width = raw.shape[1:]
    if latent is not None:
        samples, said = read_latent("latent", latent)
        notes += said
        channels = samples.shape[0]
        if channels not in VAE_CHANNELS or raw.shape[0] % channels:
            raise SVIError(
                f"latent has {channels} channels, concat_latent_image {raw.shape[0]}: both must be of one VAE (16, or "
                "48 of the 5B models)"
            )
        if samples.shape[1] != count:
            raise SVIError(
                f"latent has {samples.shape[1]} latents, concat_latent_image {count}: a native model fails on that "
                "too; connect the latent of the same node"
            )
        height, width = samples.shape[2:]
    if height % PATCH or width % PATCH:
        raise SVIError(
            f"the clip is {width}x{height} latent pixels, both must be even for the wrapper's model: take a width and "
            "height that are multiples of 16 (32 for the 5B models)"
        )
    return count, height, width


def _resized(name: str, latents: Tensor, size: tuple[int, int, int], notes: list[str]) -> Tensor:
    if latents.shape[2:] == size[1:]:
        return latents
    notes.append(f"{name} was cut at the centre and resized from {latents.shape[3]}x{latents.shape[2]} latent pixels")
    small = resize_centre(rearrange(latents, "c t h w -> t c h w").float(), height=size[1], width=size[2])
    return rearrange(small, "t c h w -> c t h w").to(latents.dtype).contiguous()


def _known(mask: object, raw: Tensor, latent: object, notes: list[str]) -> tuple[Tensor, str]:
    """The packed known mask 4 T h w float32, and where it comes from. raw: C T h w."""
    count, height, width = raw.shape[1:]
    if mask is None:
        if isinstance(latent, dict) and latent.get("noise_mask") is not None:
            raise SVIError(
                "positive holds no concat_mask, and latent a noise_mask, which a native model takes in its place: make "
                "the embeds with WanVideo I2V Custom Embeds, which takes a mask"
            )
        return torch.zeros(FRAMES_PER_LATENT, count, height, width), "no concat_mask: every frame is generated"
    given = _first_of("concat_mask", mask, notes).to(torch.float32)
    channels, masks = given.shape[0], given.shape[1]
    low, high = bounds_of(given)
    if low < 0 or high > 1:
        raise SVIError(f"concat_mask must hold values in 0..1, got {low:g}..{high:g}")
    if masks > count:
        raise SVIError(
            f"concat_mask has {masks} latents, concat_latent_image {count}: a native model fails on that too; cut it"
        )
    if channels != FRAMES_PER_LATENT:
        given = given.mean(dim=0, keepdim=True)
    known = _resized("concat_mask", concat_from_known(given), (masks, height, width), notes)
    packed = torch.zeros(FRAMES_PER_LATENT, count, height, width)
    packed[:, :masks] = known
    said = f"concat_mask, {'one for each frame' if channels == FRAMES_PER_LATENT else 'one for each latent'}"
    return packed, said if masks == count else f"{said}; latents {masks}-{count - 1} have none and are generated"


def _split(raw: Tensor, values: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
    """Image and control latents, both in native space. raw: C T h w."""
    channels, index = len(raw), values.get("concat_mask_index") or 0
    if channels in VAE_CHANNELS:
        half = channels
    elif channels in (2 * CHANNELS, 2 * max(VAE_CHANNELS)):
        half = channels // 2
    else:
        raise SVIError(
            f"concat_latent_image has {channels} channels: 16 or 48 of images do, or twice that with control in front"
        )
    # Without a mask, 32 channels are those of WanFunControlToVideo: control, then images.
    has_control = channels > half and (index or values.get("concat_mask") is None)
    if index and not (has_control and index == half):
        raise SVIError(
            f"concat_mask_index {index} with latents of {channels} channels is a layout that the wrapper's sampler "
            "does not build: it puts the mask first (0), or between control and images"
        )
    return (raw[half:], raw[:half]) if has_control else (raw, None)


def _vision(positive: dict[str, Any], negative: dict[str, Any] | None) -> dict[str, Any] | None:
    """CLIP vision as WanVideo ClipVision Encode gives it."""
    one, other = (vision_states(values.get("clip_vision_output")) for values in (positive, negative or {}))
    if one is None:
        return None
    different = other is not None and not _same(one, other)
    return {
        "clip_embeds": one.detach().cpu().clone(),
        "negative_clip_embeds": other.detach().cpu().clone() if other is not None and different else None,
    }
