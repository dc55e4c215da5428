"""A clip's pixels: checks, resize, motion frames, noise and padding. IMAGE is F H W C in 0..1."""

from __future__ import annotations

import math

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..errors import SVIError
from .checks import check_int
from .tensors import bounds_of

# Half a step of 8-bit colour: what float arithmetic may leave outside 0..1 without meaning anything by it.
_SLACK = 0.5 / 255


def check_images(name: str, images: Tensor) -> tuple[Tensor, list[str]]:
    """Shape and type of an IMAGE batch. Returns it as F H W 3 (a view) and notes (alpha dropped).

    Raises SVIError unless it is F H W C with 3 or 4 channels, floating point and not empty. Pixels are not read:
    `check_pixels` does that for the frames that are encoded, `check_finite` for those that continue as they are.
    """
    if not isinstance(images, Tensor):
        raise SVIError(f"{name} must be an IMAGE tensor [frames, height, width, 3], got {type(images).__name__}")
    shape = list(images.shape)
    if images.ndim != 4:
        raise SVIError(f"{name} must have 4 axes [frames, height, width, 3], got {shape}")
    if 0 in shape:
        raise SVIError(f"{name} is empty: {shape}; connect at least one frame")
    if shape[3] not in (3, 4):
        raise SVIError(
            f"{name} must have 3 channels (RGB) or 4 (RGBA), got {shape[3]}: "
            + ("MaskToImage makes RGB of a mask" if shape[3] == 1 else f"the shape is {shape}")
        )
    if not images.is_floating_point():
        raise SVIError(f"{name} must hold floats in 0..1, got {images.dtype}: divide 8-bit pixels by 255")
    notes = [f"alpha of {name} was dropped"] if shape[3] == 4 else []
    return images[..., :3], notes


def check_finite(name: str, frames: Tensor) -> tuple[float, float]:
    """The least and the largest value of a pixel. Raises SVIError when one is NaN or infinite. frames: F H W 3."""
    low, high = bounds_of(frames)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise SVIError(
            f"{name} has NaN or infinite pixels: the node before it failed (an fp16 VAE decode is the usual cause; "
            "try bf16 or fp32)"
        )
    return low, high


def check_pixels(name: str, frames: Tensor) -> None:
    """Raises SVIError when pixels are NaN, infinite, or outside 0..1. frames: F H W 3."""
    low, high = check_finite(name, frames)
    if low < -_SLACK or high > 1 + _SLACK:
        raise SVIError(
            f"{name} must hold pixels in 0..1, got {low:.4g}..{high:.4g}: "
            + (
                "divide by 255"
                if high > 2
                else "it looks like -1..1, use (x + 1) / 2"
                if low < -0.5
                else "a bicubic resize overshoots (use lanczos), else clamp it"
            )
        )


def last_frames(images: Tensor, count: int) -> Tensor:
    """The last `count` frames, copied: a view would keep the whole clip in memory. images: F H W C."""
    if not 1 <= check_int("count", count) <= len(images):
        raise SVIError(f"a clip of {len(images)} frames has no last {count} frames")
    return images[len(images) - count :].clone()


def resize_frames(frames: Tensor, *, width: int, height: int) -> Tensor:
    """Stretch to width x height; frames of that size already pass through untouched. F H W 3 in 0..1.

    Pillow's Lanczos on 8-bit pixels, frame by frame: the resize of ComfyUI's `common_upscale(..., "lanczos")`, so
    that latents agree bit for bit with the host's.
    """
    if frames.shape[1:3] == (height, width):
        return frames
    out = torch.empty(len(frames), height, width, 3, dtype=frames.dtype)
    for target, frame in zip(out, frames, strict=True):
        pixels = (frame.cpu() * 255).clamp_(0, 255).to(torch.uint8).numpy()
        resized = Image.fromarray(pixels).resize((width, height), resample=Image.Resampling.LANCZOS)
        target.copy_(torch.from_numpy(np.array(resized))).div_(255)
    return out


def resize_centre(images: Tensor, *, height: int, width: int) -> Tensor:
    """Cut to the new aspect at the centre, then resize bilinearly. images: N C H W.

    Source: ComfyUI, comfy.utils.common_upscale(..., "bilinear", "center"), whose rounding it shares.
    """
    old_h, old_w = images.shape[-2:]
    aspect = (width / height) / (old_w / old_h)
    # At least one row and column stays, where ComfyUI's would cut a tiny image away.
    cut_x = min(round((old_w - old_w * aspect) / 2), (old_w - 1) // 2) if aspect < 1 else 0
    cut_y = min(round((old_h - old_h / aspect) / 2), (old_h - 1) // 2) if aspect > 1 else 0
    cut = images[..., cut_y : old_h - cut_y, cut_x : old_w - cut_x]
    return torch.nn.functional.interpolate(cut, size=(height, width), mode="bilinear")


def to_video(frames: Tensor) -> Tensor:
    """F H W 3 in 0..1 -> C F H W in -1..1."""
    return rearrange((frames * 2).sub_(1), "f h w c -> c f h w")


def video_frame(video: Tensor, index: int) -> Tensor:
    """One frame of a video as H W 3 in 0..1 float32. video: C F H W in -1..1."""
    return rearrange((video[:, index].to(torch.float32) + 1) / 2, "c h w -> h w c")


def to_picture(image: Tensor) -> Image.Image:
    """The first frame of an IMAGE (F H W 3 in 0..1) as an RGB picture."""
    pixels = (image[0].to(torch.float32) * 255).round_().clamp_(0, 255).to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.numpy()))
