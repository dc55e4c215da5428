"""P5: keyframes put into a canvas by nodes, with masks beside it, become WanVideo SVI Temporal Mask.

What the old nodes make is worked out frame by frame, and so is what the new one would make: only equal is replaced.
Sources of what a node does with its frames: the wrapper's VACE Start To End Frame and ImageToVideo Encode of
2026-05-24, KJNodes' Replace Images In Batch and Get Image Range From Batch, and ComfyUI's masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from ..find.clips import Clips
from ..find.videos import KEEPERS
from ..find.wires import At, Origin, Wires
from .carry import CannotRewriteError, Carrier

CANVAS, REPLACE = "WanVideoVACEStartToEndFrame", "ReplaceImagesInBatch"
ENCODE = "WanVideoImageToVideoEncode"
_MAX_STEPS, _MAX_DEPTH = 1000, 8
_T = TypeVar("_T")


class Frame(NamedTuple):
    """A frame of a canvas. origin: where its image comes from, None for an empty one. place: which of its frames.

    by: the node that put it there.
    """

    origin: Origin | None
    place: int
    by: At | None = None


EMPTY = Frame(None, 0)


@dataclass(frozen=True, slots=True)
class Canvas:
    """root: what the encode node gets. base: the node with start and end. replacing: the nodes between, root first."""

    root: At
    base: At
    replacing: tuple[At, ...]


def find_canvas(wires: Wires, encode: At) -> Canvas | None:
    """The canvas of keyframes that leads an encode node; None for a canvas that starts with frames and no more."""
    origin = wires.origin(encode, "start_image")
    root = origin
    replacing: list[At] = []
    while origin is not None and origin.type == REPLACE and origin.slot == 0 and len(replacing) < _MAX_STEPS:
        replacing.append(origin.at)
        origin = wires.origin(origin.at, "original_images")
    if root is None or origin is None or (origin.type, origin.slot) != (CANVAS, 0):
        return None
    start, end = (wires.linked(origin.at, name) for name in ("start_image", "end_image"))
    return Canvas(root.at, origin.at, tuple(replacing)) if end or (start and replacing) else None


def frames_in(clips: Clips, origin: Origin | None, *, deep: int = 0) -> int | None:
    """How many images there are; None when only a run can tell. A range is taken to find as many as it asks for."""
    wires, factor = clips.wires, 1
    for _ in range(_MAX_STEPS):
        if origin is None or deep > _MAX_DEPTH:
            return None
        kind, at = origin.type, origin.at
        if clips.is_one_image(origin):
            return factor
        if kind == "RepeatImageBatch":
            factor *= _number(wires, at, "amount") or 0
            origin = wires.origin(at, "image")
        elif kind == "GetImageRangeFromBatch" and origin.slot == 0:
            asked, start = _number(wires, at, "num_frames"), _number(wires, at, "start_index")
            behind = frames_in(clips, wires.origin(at, "images"), deep=deep + 1)
            if asked is None or start is None or start < -1:
                return None
            return factor * (asked if behind is None else min(asked, behind - max(start, 0)))
        elif kind in ("ImageBatch", "ImageBatchMulti"):
            names = [f"image{i}" for i in (1, 2)]
            if kind == "ImageBatchMulti":
                names = [f"image_{i + 1}" for i in range(min(_number(wires, at, "inputcount") or 0, _MAX_STEPS))]
            counts = [frames_in(clips, wires.origin(at, name), deep=deep + 1) for name in names]
            return None if None in counts else factor * sum(count or 0 for count in counts)
        elif kind in KEEPERS and not origin.slot:
            origin = wires.origin(at, KEEPERS[kind])
        else:
            return None
    return None


def _number(wires: Wires, at: At, name: str) -> int | None:
    value = wires.value(at, name)
    return value if isinstance(value, int) else None


class CanvasReader:
    """Works out what the nodes of a canvas make. Raises CannotRewriteError for what only a run can tell.

    read: the nodes that were looked at, which serve the canvas.
    """

    def __init__(self, carrier: Carrier) -> None:
        self.wires, self.clips, self.carrier = carrier.wires, carrier.clips, carrier
        self.read: list[At] = []
        self._left = _MAX_STEPS

    def frames(self, canvas: Canvas) -> list[Frame]:
        """What each frame of the canvas shows."""
        frames, _ = self._base(canvas.base)
        if self.wires.linked(canvas.base, "control_images"):
            raise CannotRewriteError(
                "control_images fill frames of the canvas that are not kept: WanVideo SVI Temporal Mask leaves such "
                "frames empty"
            )
        for at in reversed(canvas.replacing):
            self._visit(at)
            new = self._source(at, "replacement_images")
            frames = self._put(at, frames, [Frame(new, index, at) for index in range(self._count(new))])
        return frames

    def masks(self, origin: Origin | None, *, deep: int = 0) -> list[float]:
        """What each mask of a batch is, all its pixels alike."""
        steps: list[At] = []
        while origin is not None and (origin.type == "InvertMask" or origin.slot == 1) and origin.type in _MASK_INPUTS:
            self._visit(origin.at)
            steps.append(origin.at)
            origin = self.wires.origin(origin.at, _MASK_INPUTS[origin.type])
        if origin is not None and (origin.type, origin.slot) == (CANVAS, 1):
            values = self._base(origin.at)[1]
        elif origin is not None and origin.type == "SolidMask":
            self._visit(origin.at)
            values = [self._level(origin.at, "value")]
        else:
            where = f"node {origin.at.node.id}" if origin else "nothing that runs"
            raise CannotRewriteError(f"a mask of its canvas comes from {where}, which only a run can tell")
        for at in reversed(steps):
            values = self._step(at, values, deep)
        return values

    def _step(self, at: At, values: list[float], deep: int) -> list[float]:
        if at.node.type == "InvertMask":
            return [1 - value for value in values]
        if at.node.type == REPLACE:
            if deep > 10:
                raise CannotRewriteError("its masks are nested deeper than any canvas")
            return self._put(at, values, self.masks(self._source(at, "replacement_masks"), deep=deep + 1))
        start, count = (self.carrier.number(at, name, f"its mask's {name}") for name in ("start_index", "num_frames"))
        if start == -1:
            start = max(0, len(values) - count)
        if not 0 <= start < len(values) or count < 1:
            raise CannotRewriteError(f"node {at.node.id} takes masks {start} on of {len(values)}, which fails")
        return values[start : start + count]

    def _put(self, at: At, old: Sequence[_T], new: Sequence[_T]) -> list[_T]:
        start = self.carrier.number(at, "start_index", "start_index")
        if start < 0 or start + len(new) > len(old):
            raise CannotRewriteError(
                f"node {at.node.id} puts {len(new)} frames at {start} of {len(old)}, which fails: it has no room there"
            )
        return [*old[:start], *new, *old[start + len(new) :]]

    def _base(self, at: At) -> tuple[list[Frame], list[float]]:
        """Frames and masks of VACE Start To End Frame."""
        self._visit(at)
        wires, number = self.wires, self.carrier.number
        if wires.linked(at, "inpaint_mask"):
            raise CannotRewriteError("inpaint_mask of the canvas is connected, which keeps parts of frames")
        count = number(at, "num_frames", "num_frames of the canvas")
        if not 1 <= count <= 10_000:
            raise CannotRewriteError(f"its canvas of {count} frames is larger than any clip")
        if not wires.linked(at, "start_image") and not wires.linked(at, "end_image"):
            if not wires.linked(at, "control_images"):
                raise CannotRewriteError("its canvas has neither a start nor an end, which fails")
            return [EMPTY] * count, [0.0] * count
        frames, masks = [EMPTY] * count, [1.0] * count
        if wires.linked(at, "start_image"):
            origin = self._source(at, "start_image")
            first = number(at, "start_index", "start_index")
            self._fill(at, frames, masks, first, [Frame(origin, i, at) for i in range(self._count(origin))])
        if wires.linked(at, "end_image"):
            origin = self._source(at, "end_image")
            last = number(at, "end_index", "end_index")
            last += count if last < 0 else 0
            new = [Frame(origin, i, at) for i in range(self._count(origin))]
            first = last - len(new) + 1
            self._fill(at, frames, masks, max(first, 0), new[max(-first, 0) :])
        return frames, masks

    @staticmethod
    def _fill(at: At, frames: list[Frame], masks: list[float], first: int, new: list[Frame]) -> None:
        if first < 0:
            raise CannotRewriteError(f"start_index of node {at.node.id} is {first}")
        new = new[: max(0, len(frames) - first)]
        frames[first : first + len(new)] = new
        masks[first : first + len(new)] = [0.0] * len(new)

    def _source(self, at: At, name: str) -> Origin:
        origin = self.wires.origin(at, name)
        if origin is None:
            raise CannotRewriteError(f"{name} of node {at.node.id} is linked to nothing that runs")
        return origin

    def _count(self, origin: Origin) -> int:
        count = frames_in(self.clips, origin)
        if count is None or not 1 <= count <= 10_000:
            raise CannotRewriteError(
                f"how many frames node {origin.at.node.id} puts into the canvas is known only when the graph runs: "
                "take them with GetImageRangeFromBatch"
            )
        return count

    def _level(self, at: At, name: str) -> float:
        value = self.wires.value(at, name)
        if not isinstance(value, (int, float)):
            raise CannotRewriteError(
                f"{name} of node {at.node.id} is computed when the graph runs: give it as a number"
            )
        return float(value)

    def _visit(self, at: At) -> None:
        self._left -= 1
        if self._left < 0:
            raise CannotRewriteError(f"its canvas is made of more than {_MAX_STEPS} nodes")
        if at not in self.read:
            self.read.append(at)


_MASK_INPUTS = {REPLACE: "original_masks", "InvertMask": "mask", "GetImageRangeFromBatch": "masks"}


class Run(NamedTuple):
    """All frames of one source, one behind the other, from frame `start` on."""

    origin: Origin
    start: int
    frames: int
    by: At

    def __str__(self) -> str:
        return f"{self.start}" if self.frames == 1 else f"{self.start}-{self.start + self.frames - 1}"


def runs_of(frames: Sequence[Frame], clips: Clips) -> list[Run]:
    """The frames with an image, source by source. Raises CannotRewriteError where only a part of a source is left."""
    found: list[Run] = []
    for number, frame in enumerate(frames):
        if frame.origin is None or frame.by is None:
            continue
        last = found[-1] if found else None
        if (
            last and frame.place == last.frames and last.start + last.frames == number
            and (last.origin, last.by) == (frame.origin, frame.by)
        ):  # fmt: skip
            found[-1] = last._replace(frames=last.frames + 1)
        else:
            found.append(Run(frame.origin, number, 1, frame.by))
        if found[-1].frames == 1 and frame.place:
            raise CannotRewriteError(_part(found[-1]))
    for run in found:
        if run.frames != frames_in(clips, run.origin):
            raise CannotRewriteError(_part(run))
    return found


def _part(run: Run) -> str:
    return (
        f"of the images of node {run.origin.at.node.id} only some stay in the canvas, at {run}: connect those alone, "
        "then migrate"
    )
