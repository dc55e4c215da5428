"""A clip's frames composed as its plan says: motion, padding, keyframes, end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...errors import SVIError
from ...ground.images import check_images, check_pixels, resize_frames, to_video
from ..repeats import NO_REPEATS, Repeats
from .plan import ClipPlan
from .settings import ClipInputs

PLAIN_COLOUR: dict[str, float] = {"grey": 0.5, "black": 0.0}  # in 0..1


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
class Parts:
    """The distinct pictures of a clip, each F H W 3 in 0..1 at the clip's size; None where the plan has no such frames.

    motion: the motion frames. filler: the one frame that the padding repeats when it is an image, end_filler that of
    the padding before the end. end: the end frames. keyframes: the keyframes, in order. notes: what was resized.
    """

    motion: Tensor | None
    filler: Tensor | None
    end: Tensor | None
    end_filler: Tensor | None = None
    keyframes: Tensor | None = None
    notes: tuple[str, ...] = ()


def check_inputs(inputs: ClipInputs, *, start_name: str = "start_image") -> tuple[ClipInputs, list[str]]:
    """The inputs with their images as `check_images` gives them, and notes. start_name: what errors call the start."""
    notes: list[str] = []

    def checked(name: str, images: Tensor | None) -> Tensor | None:
        if images is None:
            return None
        images, said = check_images(name, images)
        notes.extend(said)
        return images

    images = replace(
        inputs,
        start_image=checked(start_name, inputs.start_image),
        ref_image=checked("ref_image", inputs.ref_image),
        end_image=checked("end_image", inputs.end_image),
        keyframe_images=checked("keyframe_images", inputs.keyframe_images),
    )
    return images, notes


def prepare_parts(plan: ClipPlan, inputs: ClipInputs, *, width: int, height: int) -> Parts:
    """Check and resize what the plan uses of the images, which `check_inputs` has seen.

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
        return resize_frames(used, width=width, height=height)

    motion = reference = end = keyframes = source = None
    line = plan.timeline
    if line.motion_frames and inputs.start_image is not None:
        source = inputs.start_image[-line.motion_frames :]
        motion = prepare(plan.start_name, source)
    image = inputs.ref_image if plan.reference_from == "ref_image" else inputs.start_image
    if plan.reference_from is not None and image is not None:
        if motion is not None and source is not None and _same(image, source[-1:]):
            reference = motion[-1:]
        else:
            reference = prepare(plan.reference_from, image)
    if line.end_frames and inputs.end_image is not None:
        end = prepare("end_image", inputs.end_image[: line.end_frames])
    if line.keyframes and inputs.keyframe_images is not None:
        keyframes = prepare("keyframe_images", inputs.keyframe_images)
    fillers = {
        "reference": reference,
        "last": None if motion is None else motion[-1:],
        "end": None if end is None else end[:1],
    }
    return Parts(motion, fillers.get(plan.padding), end, fillers.get(plan.end_padding), keyframes, tuple(notes))


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.device == b.device and torch.equal(a, b)


def _layout(plan: ClipPlan, parts: Parts) -> Iterator[tuple[slice, Tensor | str]]:
    """The clip in order: frames, and their pictures (one for all, or one each) or the colour that fills them."""
    by_role = {
        "motion": parts.motion, "end": parts.end, "padding": parts.filler, "end_padding": parts.end_filler,
    }  # fmt: skip
    fills = {"padding": plan.padding, "end_padding": plan.end_padding}
    taken = 0
    for segment in plan.timeline.segments:
        span = slice(segment.start, segment.stop)
        if fills.get(segment.role) in PLAIN_COLOUR:
            yield span, fills[segment.role]
            continue
        part = by_role.get(segment.role)
        if segment.role == "keyframe" and parts.keyframes is not None:
            part = parts.keyframes[taken : taken + len(segment)]
            taken += len(segment)
        if part is None:
            raise SVIError(f"the clip's plan has {segment}, but prepare_parts was not given the images for it")
        yield span, part


def compose_video(
    plan: ClipPlan,
    parts: Parts,
    *,
    width: int,
    height: int,
    dtype: torch.dtype,
    noise: float = 0.0,
    repeats: Repeats = NO_REPEATS,
) -> Tensor:
    """The conditioning video of a clip: motion frames, padding, keyframes, the end's own padding, end frames.

    noise: standard deviation, on the motion frames. repeats: padding that is left out. Returns C F H W in -1..1 in
    `dtype`, on the CPU, where the VAE wants it.
    """
    video = torch.empty((3, plan.timeline.total_frames - repeats.frames, height, width), dtype=dtype)
    start = 0
    for span, part in _layout(plan, parts):
        stop = start + span.stop - span.start - repeats.frames_in(span)
        target = video[:, start:stop]
        start = stop
        if isinstance(part, str):
            target.fill_(2 * PLAIN_COLOUR[part] - 1)
        elif noise and part is parts.motion:
            target.copy_(add_noise(to_video(part), noise))
        else:
            # In the video's own layout and type first: one picture may be copied many times.
            target.copy_(to_video(part).to(dtype).contiguous())
    return video


def compose_frames(plan: ClipPlan, parts: Parts, *, width: int, height: int, grey: float) -> Tensor:
    """The same as pictures, F H W 3 in 0..1 float32. grey: the level that stands for grey padding."""
    frames = torch.empty(plan.timeline.total_frames, height, width, 3)
    for span, part in _layout(plan, parts):
        if isinstance(part, str):
            frames[span].fill_(grey if part == "grey" else PLAIN_COLOUR[part])
        else:
            frames[span].copy_(part)
    return frames
