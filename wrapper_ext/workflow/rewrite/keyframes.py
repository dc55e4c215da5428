"""The rewrite of a canvas of keyframes (P5) to WanVideo SVI Temporal Mask, where that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....svi_embeds.clips.inpaint.decide import decide_temporal_mask
from ....svi_embeds.clips.inpaint.settings import MaskSettings
from ....svi_embeds.clips.pixels.settings import Connected
from ....svi_embeds.ground.settings import filled
from ..find.match import Binding, Part
from ..find.wires import UNKNOWN, At, Origin
from ..model.host_nodes import image_batch
from ..model.report import Finding, finding
from ..model.scope import Node, Source
from .carry import CannotRewriteError, Carrier, Pattern, Rewrite
from .change import PREVIEWS
from .keyframe_canvas import CANVAS, ENCODE, REPLACE, Canvas, CanvasReader, Frame, Run, find_canvas, runs_of

TEMPORAL_MASK = "WanVideoSVITemporalMask"
# Outputs that are a width and a height, by node type, and the input that is measured.
_MEASURES: Mapping[str, tuple[int, int, str]] = {
    "GetImageSizeAndCount": (1, 2, "image"), "GetImageSize": (0, 1, "image"), "GetImageSize+": (0, 1, "image"),
}  # fmt: skip
_ALONG = {
    "GetImageRangeFromBatch": "images", "RepeatImageBatch": "image", "GetImageSizeAndCount": "image",
    "ImageFromBatch": "image",
}  # fmt: skip
_INEXACT = ("resize", "total_pixels")  # ways of ImageResizeKJv2 that change the size that was asked for


class _Keyframes:
    """A canvas that becomes WanVideo SVI Temporal Mask, where that says the same. Else CannotRewriteError."""

    def __init__(self, carrier: Carrier, encode: At, canvas: Canvas) -> None:
        self.wires, self.clips, self.carrier, self.encode, self.canvas = (
            carrier.wires, carrier.clips, carrier, encode, canvas,
        )  # fmt: skip
        self.reader = CanvasReader(carrier)
        self.findings: list[Finding] = []

    def rewrite(self) -> Rewrite:
        wires, encode, root = self.wires, self.encode, self.canvas.root
        if wires.linked(encode, "end_image"):
            raise CannotRewriteError("end_image is connected beside a canvas that fills the whole clip")
        self.carrier.check_size(encode)
        frames = self.reader.frames(self.canvas)
        count = self.carrier.number(encode, "num_frames", "num_frames")
        if len(frames) != count:
            raise CannotRewriteError("the canvas and the encode node have other counts of frames: give both the same")
        self._check_masks(frames)
        runs = runs_of(frames, self.clips)
        start = runs[0] if runs[0].start == 0 else None
        end = runs[-1] if runs[-1] is not start and runs[-1].start + runs[-1].frames == count else None
        between = [run for run in runs if run not in (start, end)]
        self._check_sizes(runs, between)
        if any(each.path != encode.path for each in (root, *self.reader.read)):
            raise CannotRewriteError("a part of it is in another subgraph: bring the clip's nodes into one")
        parts = [at.node for at in self.reader.read if at != root]
        self._check_users(parts)
        values, sources = self._settings()
        values |= {"overlap_frames": start.frames if start else 0, "keyframes": ", ".join(map(str, between))}
        sources["motion_frames"] = self._motion(start, parts) if start else None
        sources["end_image"] = self._link(end) if end else None
        helpers = []
        if len(between) > 1:
            helpers = [self._batch(between, parts)]
            parts.remove(helpers[0].at.node)
            sources["keyframe_images"] = Source(helpers[0].at.node.id, 0)
        elif between:
            sources["keyframe_images"] = self._link(between[0])
        connected = Connected(
            start_image=start.frames if start else 0, end_image=end.frames if end else 0,
            keyframe_images=sum(run.frames for run in between),
        )  # fmt: skip
        # Raises SVIError for what the node would refuse.
        wanted = filled(MaskSettings, {**values, "num_frames": count, "width": 64, "height": 64})
        decide_temporal_mask(wanted, connected)
        said = [f"{start.frames} motion frame{'s' * (start.frames > 1)}"] if start else []
        said += [f"keyframes {values['keyframes']}"] if between else []
        said += [f"{end.frames} end frame{'s' * (end.frames > 1)}"] if end else []
        text = f"{KEYFRAMES.title} became {TEMPORAL_MASK} ({', '.join(said)})"
        self.findings.insert(0, finding("rewrite", encode.node, text, pattern=KEYFRAMES.id, fixed=True))
        return Rewrite(
            root, KEYFRAMES, TEMPORAL_MASK, values, sources, {0: 0, 1: 2}, parts, self.findings,
            links=[(encode.node, "temporal_mask", 1)], helpers=helpers,
        )  # fmt: skip

    def _settings(self) -> tuple[dict[str, Any], dict[str, Source | None]]:
        """What the new node shares with the encode node, which stays and keeps its own links, and with the canvas."""
        values: dict[str, Any] = {}
        sources: dict[str, Source | None] = {}
        for at, name, new in (
            *((self.encode, name, name) for name in ("num_frames", "width", "height")),
            (self.canvas.base, "empty_frame_level", "empty_level"),
        ):  # fmt: skip
            sources[new], value = at.node.source(name), self.wires.value(at, name)
            if value is not UNKNOWN:
                values[new] = value
        level = values.get("empty_level")
        if not isinstance(level, (int, float)) or not 0 <= level <= 1:
            raise CannotRewriteError("empty_frame_level of the canvas is not a number from 0 to 1")
        return values, sources

    def _check_masks(self, frames: list[Frame]) -> None:
        """Raises CannotRewriteError unless the frames to keep are those that have an image."""
        given = [float(frame.origin is not None) for frame in frames]
        if not any(given):
            raise CannotRewriteError("every frame of its canvas is empty")
        if not self.wires.linked(self.encode, "temporal_mask"):
            what = "no temporal_mask is connected, so every empty frame of the canvas is marked as known"
            self._defect(what, "the frames that have an image only")
            return
        known = self.reader.masks(self.wires.origin(self.encode, "temporal_mask"))[: len(frames)]
        known += [0.0] * (len(frames) - len(known))  # as the host does
        if known == [1 - value for value in given]:
            what = "temporal_mask has black for the frames to keep, but white means kept here"
            self._defect(what, "white for the frames to keep")
            return
        for number, (value, image) in enumerate(zip(known, given, strict=True)):
            if value == image:
                continue
            if value not in (0, 1):
                what = f"is kept by {value:g}, and WanVideo SVI Temporal Mask keeps a frame or does not"
            elif image:
                what = (
                    "has an image and is not marked as known, and WanVideo SVI Temporal Mask keeps every image it gets"
                )
            else:
                what = "is marked as known and is empty: give it an image, or take it out of the mask"
            raise CannotRewriteError(f"frame {number} of its canvas {what}")

    def _defect(self, what: str, fix: str) -> None:
        self.findings.append(finding("defect", self.encode.node, what, fix, fixed=True))

    # Sizes: the old nodes resize and cut in their own ways, and what they leave alone is equal

    def _check_sizes(self, runs: list[Run], between: list[Run]) -> None:
        base = self.canvas.base
        first = "start_image" if self.wires.linked(base, "start_image") else "end_image"
        if not self._sized(self.wires.origin(base, first)):
            raise CannotRewriteError(
                f"whether {first} of the canvas has the size of the clip is known only when the graph runs: resize it "
                "to the encode node's width and height, then migrate"
            )
        width, height = (self.wires.value(self.encode, name) for name in ("width", "height"))
        # KJNodes fits an image of another size to a square canvas only; on others it fails.
        square = not (isinstance(width, int) and isinstance(height, int) and width != height)
        for run in runs:
            replaced = run.by.node.type == REPLACE
            if ((replaced and square) or (not replaced and len(between) > 1 and run in between)) and not self._sized(
                run.origin
            ):
                raise CannotRewriteError(
                    f"whether the images at {run} have the size of the clip is known only when the graph runs: resize "
                    "them to the encode node's width and height, then migrate"
                )

    def _sized(self, origin: Origin | None) -> bool:
        """Whether images have the clip's size for sure."""
        measured = [self._measured(index, name) for index, name in enumerate(("width", "height"))]
        for _ in range(1000):
            if origin is None:
                return False
            if measured[0] == measured[1] == origin:
                return True
            if origin.type in ("ImageResizeKJv2", "ImageScale") and origin.slot == 0:
                return self._resized(origin.at)
            if origin.type == "WanVideoDecode":
                clip = self.clips.made(origin)
                return clip is not None and all(
                    self.wires.same(clip.embeds, name, self.encode, name) for name in ("width", "height")
                )
            if origin.type not in _ALONG or origin.slot:
                return False
            origin = self.wires.origin(origin.at, _ALONG[origin.type])
        return False

    def _measured(self, index: int, name: str) -> Origin | None:
        """The images that the encode node's width or height is measured from."""
        origin = self.wires.origin(self.encode, name)
        measure = _MEASURES.get(origin.type) if origin else None
        if origin is None or measure is None or origin.slot != measure[index]:
            return None
        return self.wires.origin(origin.at, measure[2])

    def _resized(self, at: At) -> bool:
        """Whether a node resizes to the encode node's size."""
        for slot, name in ((1, "width"), (2, "height")):
            if at.node.type == "ImageResizeKJv2" and self.wires.origin(self.encode, name) == Origin(at, slot):
                continue
            if not self.wires.same(at, name, self.encode, name):
                return False
            if at.node.type == "ImageResizeKJv2":
                size, step = self.wires.value(at, name), self.wires.value(at, "divisible_by")
                if self.wires.value(at, "keep_proportion") in _INEXACT or not isinstance(step, int):
                    return False
                if step > 1 and (not isinstance(size, int) or size % step):
                    return False
        return True

    # Links

    def _link(self, run: Run) -> Source | None:
        names = {CANVAS: ("end_image", "start_image"), REPLACE: ("replacement_images",)}[run.by.node.type]
        name = next(name for name in names if self.wires.origin(run.by, name) == run.origin)
        return self.carrier.video(run.by, name)

    def _motion(self, run: Run, parts: list[Node]) -> Source | None:
        """What the motion frames come from: the new node takes the last ones itself."""
        at = run.origin.at
        if run.origin.type != "GetImageRangeFromBatch" or self.wires.value(at, "start_index") != -1:
            return self._link(run)
        if at.path != self.encode.path:
            return self._link(run)
        parts.append(at.node)
        return self.carrier.video(at, "images")

    def _check_users(self, parts: list[Node]) -> None:
        """Raises CannotRewriteError when something else uses what would no longer be the same."""
        inside = {*parts, self.encode.node}
        for use in self.wires.uses_through(self.canvas.root.node, 0):
            if use.node is not None and use.node.type == ENCODE and use.node is not self.encode.node:
                raise CannotRewriteError(f"its canvas leads node {use.node.id} too: give each clip a canvas of its own")
        masks = list(self.wires.uses_through(self.canvas.root.node, 1))
        for part in parts:
            if part.type in ("InvertMask", REPLACE, "GetImageRangeFromBatch"):
                masks += [use for use in self.wires.uses_through(part) if part.type == "InvertMask" or use.slot == 1]
        for use in masks:
            if use.node is None or (
                use.node not in inside and use.node is not self.canvas.root.node and use.node.type not in PREVIEWS
            ):
                where = f"node {use.node.id}" if use.node else "the subgraph around it"
                raise CannotRewriteError(f"its masks go to {where} too, which would get them smaller")

    def _batch(self, runs: list[Run], parts: list[Node]) -> Rewrite:
        """A node that serves no longer becomes the batch of the keyframes: one link takes one batch."""
        inside = {*parts, self.canvas.root.node, self.encode.node}
        free = [part for part in parts if all(use.node in inside for use in self.wires.uses_through(part))]
        if not free:
            raise CannotRewriteError("every part of its canvas is used elsewhere too")
        node = min(free, key=lambda part: (part.type != REPLACE, part.type != CANVAS))
        made = image_batch(len(runs))
        sources = {f"image_{index + 1}": self._link(run) for index, run in enumerate(runs)}
        return Rewrite(
            At(self.encode.path, node), KEYFRAMES, made.id, {"inputcount": len(runs)}, sources, {}, definition=made
        )


def _read(carrier: Carrier, at: At, _: Binding) -> Rewrite | None:
    canvas = find_canvas(carrier.wires, at)
    return _Keyframes(carrier, at, canvas).rewrite() if canvas else None


KEYFRAMES = Pattern("P5", "a canvas of keyframes with its masks", Part("encode", (ENCODE,)), _read)
