"""A clip's pixels: checks, resize, motion frames, noise and padding. IMAGE is F H W C in 0..1."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from .checks import check_int
from .errors import SVIError
from .plan import ClipPlan
from .recipes import EndPadding

# Half a step of 8-bit colour: what float arithmetic may leave outside 0..1 without meaning anything by it.
_SLACK = 0.5 / 255

PLAIN_COLOUR: dict[str, float] = {"grey": 0.0, "black": -1.0}  # in the VAE's -1..1 range


def check_images(name: str, images: Tensor) -> tuple[Tensor, list[str]]:
    """Shape and type of an IMAGE batch. Returns it as F H W 3 (a view) and notes (alpha dropped).

    Raises SVIError unless it is F H W C with 3 or 4 channels, floating point and not empty. Pixels are not read:
    `check_pixels` does that for the frames that are used.
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


def check_pixels(name: str, frames: Tensor) -> None:
    """Raises SVIError when pixels are NaN, infinite, or outside 0..1. frames: F H W 3."""
    low, high = (float(v) for v in torch.aminmax(frames))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise SVIError(
            f"{name} has NaN or infinite pixels: the node before it failed (an fp16 VAE decode is the usual cause; "
            "try bf16 or fp32)"
        )
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
        pixels = np.clip(255.0 * frame.cpu().numpy(), 0, 255).astype(np.uint8)
        resized = Image.fromarray(pixels).resize((width, height), resample=Image.Resampling.LANCZOS)
        target.copy_(torch.from_numpy(np.asarray(resized, dtype=np.float32) / 255.0))
    return out


def resize_centre(images: Tensor, *, height: int, width: int) -> Tensor:
    """Cut to the new aspect at the centre, then resize bilinearly. images: N C H W.

    Source: ComfyUI, comfy.utils.common_upscale(..., "bilinear", "center"), whose rounding it shares.
    """
    old_h, old_w = images.shape[-2:]
    aspect = (width / height) / (old_w / old_h)
    cut_x = round((old_w - old_w * aspect) / 2) if aspect < 1 else 0
    cut_y = round((old_h - old_h / aspect) / 2) if aspect > 1 else 0
    cut = images[..., cut_y : old_h - cut_y, cut_x : old_w - cut_x]
    return torch.nn.functional.interpolate(cut, size=(height, width), mode="bilinear")


def to_video(frames: Tensor) -> Tensor:
    """F H W 3 in 0..1 -> C F H W in -1..1."""
    return rearrange(frames * 2 - 1, "f h w c -> c f h w")


def noise_seed(video: Tensor) -> int:
    """A seed from the pixels themselves: the same clip gives the same noise, the next clip another."""
    return zlib.crc32(video.contiguous().numpy().tobytes())


def add_noise(video: Tensor, strength: float) -> Tensor:
    """Gaussian noise on a video, as the host's noise augmentation: std `strength`, none where a value is exactly -1.

    video: C F H W in -1..1. Returns a new tensor. Unlike the host's, the noise depends on the pixels alone, not on
    the global random state: a graph gives the same clip twice, and other motion frames get other noise.
    """
    generator = torch.Generator().manual_seed(noise_seed(video))
    noise = torch.randn(video.shape, generator=generator, dtype=torch.float32) * strength
    return torch.where(video == -1, video, video + noise)


@dataclass(frozen=True, slots=True, repr=False)
class Pixels:
    """The distinct pixels of a clip, each C F H W in -1..1 at the clip's size; None where the plan has no such frames.

    motion: the motion frames. filler: the one frame that the padding repeats when it is an image, end_filler that of
    the padding before the end. end: the end frames. notes: what was resized.
    """

    motion: Tensor | None
    filler: Tensor | None
    end: Tensor | None
    end_filler: Tensor | None = None
    notes: tuple[str, ...] = ()


def prepare_pixels(plan: ClipPlan, images: dict[str, Tensor], *, width: int, height: int) -> Pixels:
    """Check and resize what the plan uses of `images` (F H W 3 in 0..1, by input name).

    Only frames that are used are read, and each distinct image is resized once. Raises SVIError for bad pixels.
    """
    notes: list[str] = []

    def prepare(name: str, frames: Tensor) -> Tensor:
        used = frames.detach().to("cpu", torch.float32)
        check_pixels(name, used)
        if used.shape[1:3] != (height, width):
            old_h, old_w = used.shape[1:3]
            stretch = (width / height) / (old_w / old_h) - 1
            note = f"{name} was resized from {old_w}x{old_h} to {width}x{height}"
            notes.append(note + (f", stretched {stretch:+.0%} in width" if abs(stretch) >= 0.01 else ""))
        return to_video(resize_frames(used, width=width, height=height))

    motion = reference = end = source = None
    if plan.timeline.motion_frames:
        source = images["start_image"][-plan.timeline.motion_frames :]
        motion = prepare("start_image", source)
    if plan.reference_from is not None:
        image = images[plan.reference_from]
        if motion is not None and source is not None and _same(image, source[-1:]):
            reference = motion[:, -1:]
        else:
            reference = prepare(plan.reference_from, image)
    if plan.timeline.end_frames:
        end = prepare("end_image", images["end_image"][: plan.timeline.end_frames])
    fillers = {
        "reference": reference,
        "last": None if motion is None else motion[:, -1:],
        "end": None if end is None else end[:, :1],
    }
    return Pixels(motion, fillers.get(plan.padding), end, fillers.get(plan.end_padding), tuple(notes))


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.device == b.device and torch.equal(a, b)


def compose_video(plan: ClipPlan, pixels: Pixels, *, width: int, height: int, dtype: torch.dtype) -> Tensor:
    """The conditioning video of a clip: motion frames, padding, the end's own padding, end frames.

    Returns C F H W in -1..1 in `dtype`, on the CPU, where the VAE wants it.
    """
    line = plan.timeline
    video = torch.empty((3, line.total_frames, height, width), dtype=dtype)
    for segment in line.segments:
        target = video[:, segment.start : segment.stop]
        if segment.role == "motion":
            target.copy_(_needed(pixels.motion, "motion"))
        elif segment.role == "end":
            target.copy_(_needed(pixels.end, "end"))
        elif segment.role == "padding":
            _fill(target, plan.padding, pixels.filler)
        else:
            _fill(target, plan.end_padding, pixels.end_filler)
    return video


def _fill(target: Tensor, padding: EndPadding, filler: Tensor | None) -> None:
    if padding in PLAIN_COLOUR:
        target.fill_(PLAIN_COLOUR[padding])
    else:
        target.copy_(_needed(filler, f"{padding} padding"))


def _needed(part: Tensor | None, what: str) -> Tensor:
    if part is None:
        raise SVIError(f"the clip's plan has {what} frames, but prepare_pixels was not given their images")
    return part
