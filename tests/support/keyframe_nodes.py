"""The image nodes of old graphs as small functions. tests/host holds them against the nodes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from helpers import mask_clip
from old_graphs import Raw
from torch import Tensor
from wanvideo_svi.wrapper_ext.answers.migrate import own_nodes
from wanvideo_svi.wrapper_ext.workflow.find.wires import At, Wires
from wanvideo_svi.wrapper_ext.workflow.model.graph import Workflow

WIDTH, HEIGHT = 32, 16


def vace_canvas(
    num_frames: int, empty_frame_level: float, start_index: int, end_index: int, *, start_image: Tensor | None = None,
    end_image: Tensor | None = None, control_images: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    base = next(image for image in (start_image, end_image, control_images) if image is not None)
    frames = torch.full((num_frames, *base.shape[1:]), 1.0) * empty_frame_level
    masks = torch.ones(num_frames, *base.shape[1:3])
    if start_image is None and end_image is None:
        frames[: len(base)] = base[:num_frames]
        return frames, masks * 0
    if start_image is not None:
        part = start_image[: max(0, num_frames - start_index)]
        frames[start_index : start_index + len(part)], masks[start_index : start_index + len(part)] = part, 0
    if end_image is not None:
        first = (end_index + num_frames if end_index < 0 else end_index) - len(end_image) + 1
        part = end_image[max(-first, 0) :][: num_frames - max(first, 0)]
        first = max(first, 0)
        frames[first : first + len(part)], masks[first : first + len(part)] = part, 0
    if control_images is not None:
        for index in range(min(num_frames, len(control_images))):
            if masks[index].all():
                frames[index] = control_images[index]
    return frames, masks


def replaced(start_index: int, old: Tensor | None, new: Tensor | None) -> Tensor:
    if old is None or new is None:
        return torch.zeros(1, 64, 64)
    if start_index + len(new) > len(old):
        raise ValueError("out of range")
    old = old.clone()
    old[start_index : start_index + len(new)] = new
    return old


def image_range(start_index: int, num_frames: int, batch: Tensor) -> Tensor:
    start = max(0, len(batch) - num_frames) if start_index == -1 else start_index
    return batch[start : start + num_frames]


class Runner:
    """Runs the image part of a graph on small random pictures, or on `given` ones, by the id of their node."""

    def __init__(self, raw: Raw, given: Mapping[int, Tensor] | None = None) -> None:
        self.given = given or {}
        self.wires = Wires(Workflow(raw, own_nodes()))
        self.encode = next(
            at for at in self.wires.places()
            if at.node.type == "WanVideoImageToVideoEncode" and at.node.title == "The way"
        )  # fmt: skip

    def get(self, at: At, name: str) -> Any:
        origin = self.wires.origin(at, name)
        return self.run(origin.at)[origin.slot] if origin else None

    def run(self, at: At) -> tuple[Any, ...]:
        if at.node.id in self.given:
            return (self.given[int(at.node.id)],)
        kind, get = at.node.type, lambda name: self.get(at, name)
        held = lambda name: self.wires.value(at, name)  # noqa: E731
        if kind in ("LoadImage", "WanVideoDecode"):
            seeded = torch.Generator().manual_seed(int(at.node.id))
            return (torch.rand(1 if kind == "LoadImage" else 17, HEIGHT, WIDTH, 3, generator=seeded),)
        if kind == "ImageResizeKJv2":
            return (get("image"),)
        if kind == "RepeatImageBatch":
            return (get("image").repeat(held("amount"), 1, 1, 1),)
        if kind == "InvertMask":
            return (1 - get("mask"),)
        if kind == "SolidMask":
            return (torch.full((1, held("height"), held("width")), float(held("value"))),)
        if kind == "GetImageRangeFromBatch":
            batches = [get("images"), get("masks")]
            return tuple(
                None if batch is None else image_range(held("start_index"), held("num_frames"), batch)
                for batch in batches
            )
        if kind == "WanVideoVACEStartToEndFrame":
            names = ("start_image", "end_image", "control_images")
            settings = [held(name) for name in ("num_frames", "empty_frame_level", "start_index", "end_index")]
            return vace_canvas(*settings, **{name: get(name) for name in names})
        if kind == "ReplaceImagesInBatch":
            start = held("start_index")
            return (
                replaced(start, get("original_images"), get("replacement_images")),
                replaced(start, get("original_masks"), get("replacement_masks")),
            )
        if kind == "ImageBatchMulti":
            return (torch.cat([get(f"image_{i + 1}") for i in range(held("inputcount"))]),)
        assert kind == "WanVideoSVITemporalMask", kind
        widgets = at.node.values() | {name: held(name) for name in ("num_frames", "width", "height", "empty_level")}
        links = ("motion_frames", "end_image", "keyframe_images")
        made = mask_clip(**widgets, **{name: get(name) for name in links})
        return made.frames, made.known_mask, made.concat_mask

    def encoded(self) -> tuple[Tensor, Tensor | None]:
        """Frames and mask as the host's encode node takes them: the mask at latent size, as long as the clip."""
        frames, mask = self.get(self.encode, "start_image"), self.get(self.encode, "temporal_mask")
        if mask is None:
            return frames, None
        count = self.wires.value(self.encode, "num_frames")
        mask = torch.nn.functional.interpolate(mask[:, None], size=(HEIGHT // 8, WIDTH // 8), mode="nearest")[:count, 0]
        return frames, torch.cat([mask, torch.zeros(count - len(mask), *mask.shape[1:])])
