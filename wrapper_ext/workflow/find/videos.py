"""Nodes that cut, count and join images, and what video each of them makes.

Sources: ComfyUI's own nodes (0.33), KJNodes, ComfyUI_essentials and VideoHelperSuite as of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from ....svi_embeds.errors import SVIError
from ..model.scope import Node
from .count import Count
from .video import Video, joined, whole
from .wires import UNKNOWN, At, Origin, Wires

# Nodes that take frames out of a video, and the input that it comes in by.
CUTTERS: dict[str, str] = {
    "GetImageRangeFromBatch": "images", "GetImagesFromBatchIndexed": "images", "ImageFromBatch": "image",
    "ImageFromBatch+": "image", "VHS_SelectImages": "image", "VHS_SplitImages": "images",
    "WanVideoSVIMotionFrames": "images",
}  # fmt: skip
# Nodes that give as many images as they get, and the input that these come in by.
KEEPERS: dict[str, str] = {
    "ImageResizeKJv2": "image", "ImageResizeKJ": "image", "ImageResize+": "image", "ImageScale": "image",
    "ImageScaleBy": "image", "ImageScaleToTotalPixels": "image", "ImageCrop": "image", "ColorMatch": "image_target",
    "ColorMatchV2": "image_target", "GetImageSizeAndCount": "image",
}  # fmt: skip
# Nodes that put one video behind the other.
CONCATENATORS = ("ImageBatch", "ImageBatchMulti", "BatchImagesNode", "VHS_MergeImages")
EXTEND, STITCH = "ImageBatchExtendWithOverlap", "WanVideoSVIStitch"
STITCHED = tuple(f"images_{number}" for number in range(1, 9))  # the videos that one Stitch takes
_LOADS_ONE = ("LoadImage", "LoadImageOutput")
_MOST_INPUTS = 1000
_MOST_INDICES = 200
_DEEP = 40
_RANGE = re.compile(r"(-?\d{1,9})?\s*:\s*(-?\d{1,9})?")

Piece = tuple[Count, Count]
Clip = Callable[[Origin], tuple[At, Count] | None]


class LastFrames(NamedTuple):
    """The end of a video. video: the whole. number: of frames, None when only a run can tell. taker: the node that
    takes them; name: its input that the video comes in by."""

    video: Origin
    number: int | None
    taker: At
    name: str


class Videos:
    """What the videos of a graph show. clip: which clip an output is, from its first frame to its last, by the node
    that makes its embeds, and its length."""

    def __init__(self, wires: Wires, clip: Clip) -> None:
        self.wires, self._clip = wires, clip
        self._known: dict[Origin, Video] = {}
        self._deep = 0

    def of(self, origin: Origin) -> Video:
        """Its frames; where nothing is known about the node that makes it, they are frames of that node."""
        waiting, begun = [origin], set[Origin]()
        while waiting:
            here = waiting[-1]
            missing = [] if here in begun else [each for each in self._behind(here) if each not in self._known]
            begun.add(here)
            if here in self._known or not missing:
                waiting.pop()
                if here not in self._known:
                    self._known[here] = self._made(here)
            else:
                waiting += missing
        return self._known[origin]

    def count(self, at: At, name: str) -> Any:
        """How many frames an input gets, as a Count; UNKNOWN without a link."""
        origin = self.wires.origin(at, name)
        if origin is None or self._deep > _DEEP:
            return UNKNOWN
        self._deep += 1
        try:
            return self.of(origin).length
        finally:
            self._deep -= 1

    def number(self, at: At, name: str) -> Count | None:
        """A whole number that an input gets. Raises SVIError when it was saved in a way that is not known."""
        value = self.wires.value(at, name, self.count)
        if isinstance(value, Count):
            return value
        return Count(value) if isinstance(value, int) and not isinstance(value, bool) else None

    def last_frames(self, origin: Origin | None) -> LastFrames | None:
        """The video whose last frames this is, or None. Raises SVIError when the node that takes them was saved in a
        way that is not known."""
        name = taken_from(origin) if origin else None
        if origin is None or name is None:
            return None
        video = self.wires.origin(origin.at, name)
        if video is None:
            return None
        before = self.of(video)
        pieces = self._pieces(origin, before.length)
        from_end = self._from_end(origin)
        if pieces is None or not 0 < len(pieces) <= _MOST_INDICES:
            return LastFrames(video, None, origin.at, name) if from_end else None
        start, stop = pieces[0][0], pieces[-1][1]
        if any(one[1] != other[0] for one, other in pairwise(pieces)) or stop != before.length:
            return None
        count = (stop - start).number
        if (count is None and not from_end) or (start.sign == 0 and not from_end):
            return None  # all of it
        return LastFrames(video, count, origin.at, name)

    def sums(self, taker: At) -> list[Node]:
        """The nodes that only work out which frames a node takes."""
        names = [name for name in taker.node.scope.input_names(taker.node) if "image" not in name]
        return [at.node for at in self.wires.sums(taker, *names) if at.path == taker.path]

    def inputs(self, at: At) -> list[Origin | None]:
        """The videos that a node puts one behind the other, in order; None for an input without one."""
        return [self.wires.origin(at, name) for name in self.input_names(at)]

    def input_names(self, at: At) -> list[str]:
        """Names of these inputs."""
        kind = at.node.type
        if kind == "ImageBatchMulti":
            count = self._plain(at, "inputcount")
            return [f"image_{i}" for i in range(1, min(count or 0, _MOST_INPUTS) + 1)]
        if kind == "BatchImagesNode":
            return [name for name in at.node.scope.input_names(at.node) if name.startswith("images.")]
        if kind == STITCH:
            return [name for name in STITCHED if self.wires.linked(at, name)]
        return {
            "ImageBatch": ["image1", "image2"], "VHS_MergeImages": ["images_A", "images_B"],
            EXTEND: ["source_images", "new_images"],
        }[kind]  # fmt: skip

    # What a node makes

    def _behind(self, origin: Origin) -> list[Origin]:
        kind = origin.type
        if kind in CUTTERS or kind in KEEPERS:
            found = [self.wires.origin(origin.at, (CUTTERS.get(kind) or KEEPERS[kind]))]
        elif kind in (*CONCATENATORS, EXTEND, STITCH):
            found = self._inputs_or_none(origin.at) or []
        else:
            return []
        return [each for each in found if each is not None]

    def _made(self, origin: Origin) -> Video:
        try:
            video = self._frames(origin)
        except SVIError:
            video = None
        if video is None:
            clip = self._clip(origin)
            if clip is not None:
                return whole(*clip)
            one = origin.type in _LOADS_ONE and origin.slot == 0
            return whole(origin, Count(1) if one else Count.of(origin))
        return video

    def _frames(self, origin: Origin) -> Video | None:
        kind, at = origin.type, origin.at
        if kind in KEEPERS:
            video = self._behind_of(origin, KEEPERS[kind])
            return video if origin.slot == 0 else None
        if kind in CUTTERS:
            video = self._behind_of(origin, CUTTERS[kind])
            if video is None:
                return None
            pieces = self._pieces(origin, video.length)
            parts = [video.cut(*piece) for piece in pieces or ()]
            return joined(part for part in parts if part) if parts and all(parts) else None
        if kind in (*CONCATENATORS, EXTEND, STITCH):
            found = self._inputs_or_none(at)
            if not found or None in found:
                return None
            videos = [self._known[each] for each in found if each in self._known]
            return self._together(origin, videos) if len(videos) == len(found) else None
        return None

    def _behind_of(self, origin: Origin, name: str) -> Video | None:
        behind = self.wires.origin(origin.at, name)
        return self._known.get(behind) if behind else None

    def _inputs_or_none(self, at: At) -> list[Origin | None]:
        try:
            return self.inputs(at)
        except SVIError:
            return []

    def _together(self, origin: Origin, videos: list[Video]) -> Video | None:
        kind, at = origin.type, origin.at
        if kind in CONCATENATORS:
            return joined(videos) if origin.slot == 0 else None
        overlap = self.number(at, "overlap" if kind == EXTEND else "overlap_frames")
        if overlap is None:
            return None
        if kind == EXTEND:
            first = videos[0]
            if origin.slot < 2:
                return first if origin.slot == 0 else first.cut(first.length - overlap, first.length)
            old = (self.wires.value(at, "overlap_side"), self.wires.value(at, "overlap_mode")) == ("source", "cut")
        else:
            if origin.slot:
                return None
            old = self.wires.value(at, "drop") == "old" and self.wires.value(at, "blend") == "none"
        if overlap.sign == 0:
            return joined(videos)
        # Frames that are blended show the moments of both, which are the same ones.
        parts = [
            video.cut(Count() if old or not index else overlap,
                      video.length - overlap if old and index + 1 < len(videos) else video.length)
            for index, video in enumerate(videos)
        ]  # fmt: skip
        return joined(part for part in parts if part) if all(parts) else None

    # Which frames a node takes

    def _from_end(self, origin: Origin) -> bool:
        """Whether a node counts from the end, whatever the length."""
        kind = origin.type
        if kind in ("WanVideoSVIMotionFrames", EXTEND):
            return kind == EXTEND or origin.slot == 0
        name = {"GetImageRangeFromBatch": "start_index", "ImageFromBatch": "batch_index", "ImageFromBatch+": "start",
                "VHS_SplitImages": "split_index"}.get(kind)  # fmt: skip
        if name is None:
            text = self._text(origin.at, "indexes")
            return text.strip().startswith("-")
        start = self._plain(origin.at, name)
        return start is not None and start < 0 and not (kind == "VHS_SplitImages" and origin.slot != 2)

    def _pieces(self, origin: Origin, length: Count) -> list[Piece] | None:
        """The frames that an output is, as ranges of the video of this length; None when only a run can tell."""
        at, kind, slot = origin.at, origin.type, origin.slot
        if kind == "GetImageRangeFromBatch":
            return self._range(at, "start_index", "num_frames", length) if slot == 0 else None
        if kind == "ImageFromBatch":
            return self._range(at, "batch_index", "length", length)
        if kind == "ImageFromBatch+":
            return self._range(at, "start", "length", length)
        if kind == EXTEND:
            count = self.number(at, "overlap")
            return None if count is None else [(length - count, length)]
        if kind == "WanVideoSVIMotionFrames":
            count = self.number(at, "overlap_frames")
            if count is None or slot > 2:
                return None
            start = length - count
            return [[(start, length)], [(Count(), start)], [(start, start + 1)]][slot]
        if kind == "VHS_SplitImages":
            index = self.number(at, "split_index")
            if index is None or slot not in (0, 2):
                return None
            place = _placed(index, length)
            return [(Count(), place)] if slot == 0 else [(place, length)]
        return _listed(self._text(at, "indexes"), length, ranges=kind == "VHS_SelectImages")

    def _range(self, at: At, start_name: str, count_name: str, length: Count) -> list[Piece] | None:
        start, count = self.number(at, start_name), self.number(at, count_name)
        if start is None or count is None:
            return None
        if count.sign == -1 and at.node.type == "ImageFromBatch+":
            count = length
        if start.sign == -1:
            # KJNodes have one value for the end, the others count from it.
            start = length - count if at.node.type == "GetImageRangeFromBatch" else length + start
            if start.sign == -1:
                start = Count()
        stop = start + count
        beyond = (stop - length).sign
        if beyond is None:
            return None
        return [(start, length if beyond > 0 else stop)]

    def _plain(self, at: At, name: str) -> int | None:
        try:
            value = self.number(at, name)
        except SVIError:
            return None
        return value.number if value else None

    def _text(self, at: At, name: str) -> str:
        try:
            value = self.wires.value(at, name)
        except SVIError:
            return ""
        return value if isinstance(value, str) else ""


def taken_from(origin: Origin) -> str | None:
    """The input whose video a node takes frames out of for this output; None when it does not."""
    if origin.type == EXTEND:
        return "source_images" if origin.slot == 1 else None
    return CUTTERS.get(origin.type)


def _placed(index: Count, length: Count) -> Count:
    return length + index if index.sign == -1 else index


def _listed(text: str, length: Count, *, ranges: bool) -> list[Piece] | None:
    """Indices in a text: numbers, and with `ranges` as Python has them, -5: for the last five."""
    return list(_items(text, length, ranges)) or None if text.count(",") < _MOST_INDICES else None


def _items(text: str, length: Count, ranges: bool) -> Iterator[Piece]:
    found: list[Piece] = []
    for item in text.split(","):
        piece = _item(item.strip(), length, ranges)
        if piece is None:
            return
        if found and found[-1][1] == piece[0]:
            found[-1] = (found[-1][0], piece[1])
        else:
            found.append(piece)
    yield from found


def _item(item: str, length: Count, ranges: bool) -> Piece | None:
    if re.fullmatch(r"-?\d{1,9}", item):
        start = _placed(Count(int(item)), length)
        return start, start + 1
    spread = _RANGE.fullmatch(item) if ranges else None
    if spread is None:
        return None
    start = _placed(Count(int(spread[1] or 0)), length)
    return start, length if spread[2] is None else _placed(Count(int(spread[2])), length)
