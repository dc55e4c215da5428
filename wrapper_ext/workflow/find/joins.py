"""Where clips are put one behind the other: what each join shows of two clips, and what of it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ....svi_embeds.errors import SVIError
from ..model.report import Finding, finding
from ..model.scope import Node
from .clips import Clips
from .count import Count
from .video import Span
from .videos import CONCATENATORS, CUTTERS, EXTEND, STITCH
from .wires import At, Origin

JOINS = (*CONCATENATORS, EXTEND, STITCH)
PRO = ("WanVideoSVIProEmbeds", "WanVideoSVILatentEmbeds")
_MISCOUNT = 16  # frames beyond the overlap that someone may take off a clip by mistake
_FEW = 4  # frames of a clip; fewer are pictures of it


@dataclass(frozen=True, slots=True)
class Seam:
    """Two clips that meet. later: the node that makes the later one. is_pro: whether that begins with its anchor, and
    with what it shares behind that. old: frames taken off the end of the earlier, new: off the start of the later;
    both hold `shared` frames of the same moments, for a Pro clip its anchor counted in. blended: frames that fade."""

    later: Node
    is_pro: bool
    old: int
    new: int
    shared: int
    blended: int

    @property
    def repeated(self) -> int:
        """Frames that are shown twice; less than 0: frames that are lost."""
        # An anchor that is shown is no moment of the earlier clip.
        return self.shared - (self.old + self.new + self.blended) - self.shows_anchor

    @property
    def shows_anchor(self) -> bool:
        return self.is_pro and not self.new and not self.blended

    @property
    def is_wrong(self) -> bool:
        return self.repeated != 0 or self.shows_anchor

    def what(self) -> str:
        """What is wrong, in words."""
        count = abs(self.repeated)
        frames = f"{count} frame{'s' * (count > 1)}"
        node = self.later.id
        if not self.is_pro:
            off, doing = self.shared - self.repeated, "shown twice" if self.repeated > 0 else "lost"
            return (
                f"it takes off {off} frame{'s' * (off != 1)}, but node {node} makes a clip that shares {self.shared} "
                f"with the one before: {count} {'is' if count == 1 else 'are'} {doing}"
            )
        does = ["shows the anchor for a frame"] if self.shows_anchor else []
        does += [f"shows {frames} twice"] if self.repeated > 0 else [f"loses {frames}"] if self.repeated < 0 else []
        return (
            f"node {node} makes a Pro clip, which begins with the anchor and the last {self.shared - 1} frames of the "
            f"clip before, and this join {' and '.join(does)}"
        )

    def way(self) -> str:
        """What makes it right."""
        return f"{'drop new, ' * self.is_pro}overlap of {self.shared} frame{'s' * (self.shared != 1)}"


@dataclass(frozen=True, slots=True)
class Side:
    """A video of a join. name: the input. whole: the video before frames were taken off it for the join, head at its
    start and tail at its end. taker: the node that takes them off."""

    name: str
    whole: Origin
    head: int
    tail: int
    taker: At | None

    @property
    def is_old(self) -> bool:
        """Whether another pack's node takes frames off it."""
        return self.taker is not None and self.taker.node.type != "WanVideoSVIMotionFrames"


@dataclass(frozen=True, slots=True)
class Join:
    """sides: in order. seams: between them, None where the two do not follow one another or only a run can tell."""

    at: At
    sides: list[Side]
    seams: list[Seam | None]

    @property
    def wrong(self) -> list[Seam]:
        return [seam for seam in self.seams if seam and seam.is_wrong]

    @property
    def shared(self) -> int | None:
        """Frames that the clips share at every seam; None when that differs or is not known."""
        counts = {seam.shared if seam else None for seam in self.seams}
        return counts.pop() if len(counts) == 1 else None

    def defects(self) -> list[Finding]:
        return [finding("defect", self.at.node, seam.what(), seam.way()) for seam in self.wrong]


def read_join(clips: Clips, at: At) -> Join | None:
    """What a node joins; None when it joins nothing. Raises SVIError when it was saved in a way that is not known."""
    if at.node.type not in JOINS:
        return None
    names = clips.videos.input_names(at)
    origins = clips.videos.inputs(at)
    if len(origins) < 2 or None in origins:
        return None
    sides = [_side(clips, name, origin) for name, origin in zip(names, origins, strict=True) if origin]
    found = [origin for origin in origins if origin]
    own = _own_cut(clips, at)
    seams = [_seam(clips, earlier, later, own) if own else None for earlier, later in pairwise(found)]
    return Join(at, sides, seams)


def join_defects(clips: Clips, at: At) -> list[Finding]:
    """What is wrong at the seams of a join."""
    try:
        join = read_join(clips, at)
    except SVIError:
        return []
    return join.defects() if join else []


def cannot_count(clips: Clips, join: Join) -> At | None:
    """The node whose count of frames, off a clip, only a run can tell. Raises SVIError when it was saved in a way that
    is not known."""
    for side in join.sides:
        origin = clips.wires.origin(join.at, side.name)
        if side.taker is None and origin and origin.type in CUTTERS and clips.made(origin):
            origin.at.node.values()
            return origin.at
    return None


def _side(clips: Clips, name: str, origin: Origin) -> Side:
    videos = clips.videos
    plain = Side(name, origin, 0, 0, None)
    if origin.type not in CUTTERS:
        return plain
    whole = clips.wires.origin(origin.at, CUTTERS[origin.type])
    if whole is None:
        return plain
    before, after = videos.of(whole), videos.of(origin)
    first, last, begin, end = before.spans[0], before.spans[-1], after.spans[0], after.spans[-1]
    if begin.source != first.source or end.source != last.source:
        return plain
    head, tail = (begin.start - first.start).number, (last.stop - end.stop).number
    if head is None or tail is None or before.length - after.length != Count(head + tail):
        return plain
    return Side(name, whole, head, tail, origin.at)


def _own_cut(clips: Clips, at: At) -> tuple[int, int, int] | None:
    """Frames that the join itself takes off the earlier and the later video, and that it blends."""
    kind, wires = at.node.type, clips.wires
    if kind in CONCATENATORS:
        return 0, 0, 0
    count = clips.videos.number(at, "overlap" if kind == EXTEND else "overlap_frames")
    cut = count.number if count else None
    if cut is None:
        return None
    if kind == EXTEND:
        how = "none" if wires.value(at, "overlap_mode") == "cut" else "blend"
        drop = "old" if wires.value(at, "overlap_side") == "source" else "new"
    else:
        how, drop = str(wires.value(at, "blend")), str(wires.value(at, "drop"))
    if how != "none":
        return 0, 0, cut
    return (cut, 0, 0) if drop == "old" else (0, cut, 0)


def _seam(clips: Clips, earlier: Origin, later: Origin, own: tuple[int, int, int]) -> Seam | None:
    last, first = clips.videos.of(earlier).spans[-1], clips.videos.of(later).spans[0]
    found = _following(clips, last, first)
    if found is None:
        return None
    shared, is_pro, before, after = found
    old, new = (before - last.stop).number, first.start.number
    if old is None or new is None or not (_is_seam(before, old, shared) and _is_seam(after, new, shared)):
        return None
    node = first.source.node if isinstance(first.source, At) else None
    return Seam(node, is_pro, old + own[0], new + own[1], shared, own[2]) if node else None


def _following(clips: Clips, last: Span, first: Span) -> tuple[int, bool, Count, Count] | None:
    """What two clips share that follow one another, whether the later is a Pro clip, and the lengths of both."""
    if not isinstance(last.source, At) or not isinstance(first.source, At):
        return None
    clip, before = clips.of(first.source), clips.of(last.source)
    if clip and before and clip.before is before:
        shared = clips.overlap(clip)
        is_pro = clip.embeds.node.type in PRO
        return None if shared is None else (shared, is_pro, clips.length(before), clips.length(clip))
    one, other = clips.native(last.source), clips.native(first.source)
    led = other and other.before(clips.wires)
    if not one or not other or not led or led.pro != one.pro or led.cut_latents != 0 or other.overlap_frames is None:
        return None
    return other.overlap_frames, True, clips.native_length(one), clips.native_length(other)


def _is_seam(clip: Count, off: int, shared: int) -> bool:
    """Whether so many frames are taken off a clip for a seam, well or badly counted; else a few pictures are picked
    out. clip: its length."""
    length = clip.number
    return off <= shared + _MISCOUNT and (length is None or length - off >= _FEW)
