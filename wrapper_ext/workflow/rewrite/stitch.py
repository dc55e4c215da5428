"""Clips that nodes cut and put one behind the other become joined by WanVideo SVI Stitch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..find.joins import PRO as PRO_NODES
from ..find.joins import Join, cannot_count, read_join
from ..find.match import Binding, Part
from ..find.videos import CONCATENATORS, CUTTERS, EXTEND, STITCH, STITCHED
from ..find.wires import At
from ..model.report import finding
from ..model.scope import Source
from .carry import CannotRewriteError, Carrier, Pattern, Rewrite, known, said


def _read_join(carrier: Carrier, at: At, _: Binding) -> Rewrite | None:
    """Clips that nodes cut and put one behind the other."""
    join = read_join(carrier.clips, at)
    if join is None:
        return None
    inner = [_at_seams(join, index) for index in range(len(join.sides))]
    if not any(inner) and not join.wrong:
        lost = cannot_count(carrier.clips, join)
        if lost is not None and at.node.type == "ImageBatchMulti":
            raise CannotRewriteError(
                f"how many frames node {lost.node.id} keeps is computed when the graph runs: give it as a number"
            )
        return None
    old = any(side.is_old for side, cut in zip(join.sides, inner, strict=True) if cut)
    if not (old or join.wrong) or not any(carrier.clips.made(side.whole) for side in join.sides):
        return None
    if not all(carrier.clips.made(side.whole) for side in join.sides):
        raise CannotRewriteError(
            f"one side is not a clip of this graph, and {at.node.type} resizes it to the other: resize it before"
        )
    if len(join.sides) > len(STITCHED):
        raise CannotRewriteError(f"it joins {len(join.sides)} clips, and WanVideo SVI Stitch at most {len(STITCHED)}")
    values, mended = _cuts(join, inner)
    if values["drop"] == "old" and not mended:  # what is taken off a start stays with the node that does
        inner = [cut and not join.sides[index].head for index, cut in enumerate(inner)]
    takers = [side.taker for side, cut in zip(join.sides, inner, strict=True) if cut and side.taker]
    if any(taker.path != at.path for taker in takers):
        raise CannotRewriteError("a part of it is in another subgraph: bring the clip's nodes into one")
    parts = [node for taker in takers for node in (taker.node, *carrier.clips.videos.sums(taker))]
    sources: dict[str, Source | None] = {}
    for name, side, cut in zip(STITCHED, join.sides, inner, strict=False):
        taker = side.taker if cut else None
        sources[name] = carrier.video(taker, CUTTERS[taker.node.type]) if taker else carrier.video(at, side.name)
    rewrite = Rewrite(at, STITCH_OLD, STITCH, values, sources, {0: 0}, list(dict.fromkeys(parts)))
    rewrite.findings += [replace(found, fixed=mended) for found in join.defects()]
    return said(rewrite, f"drop {values['drop']}")


def _read_extension(carrier: Carrier, at: At, _: Binding) -> Rewrite | None:
    values = {name: carrier.wires.value(at, name) for name in ("overlap_side", "overlap_mode")}
    side, how = values["overlap_side"], values["overlap_mode"]
    join = read_join(carrier.clips, at)
    if join is None:
        return None
    overlap, link = carrier.input(at, "overlap", [])
    mended = _mended_extension(join)
    if mended is not None:
        settings, overlap, link = mended, mended["overlap_frames"], None
    elif how == "linear_blend" and side == "source":
        settings = {"drop": "new", "blend": "linear"}
    elif how == "cut" and side in ("source", "new_images"):
        settings = {"drop": "old" if side == "source" else "new", "blend": "none"}
    else:
        raise CannotRewriteError(f"WanVideo SVI Stitch has nothing equal to {how} with overlap_side {side}")
    if any(use.slot != 2 for use in at.node.scope.uses(at.node)):
        raise CannotRewriteError("its first outputs are used too, which WanVideo SVI Stitch does not have")
    sources = {
        "images_1": carrier.video(at, "source_images"), "images_2": carrier.video(at, "new_images"),
        "overlap_frames": link,
    }  # fmt: skip
    rewrite = Rewrite(at, STITCH_EXTEND, STITCH, settings | known({"overlap_frames": overlap}), sources, {2: 0})
    rewrite.findings += [replace(found, fixed=mended is not None) for found in join.defects()]
    clip = carrier.clips.made(carrier.wires.origin(at, "new_images"))
    if settings["blend"] == "linear" and clip and clip.embeds.node.type in PRO_NODES:
        what = (
            "it blends into the frames that a Pro clip begins with, the anchor among them, as before; blend none "
            "with drop new leaves them out"
        )
        rewrite.findings.append(replace(finding("note", at.node, what), about="blend"))
    return said(rewrite, f"drop {settings['drop']}")


def _at_seams(join: Join, index: int) -> bool:
    """Whether frames are taken off a side where it meets another."""
    side = join.sides[index]
    return bool((side.head and index) or (side.tail and index + 1 < len(join.sides)))


def _cuts(join: Join, inner: list[bool]) -> tuple[dict[str, Any], bool]:
    """The settings of WanVideo SVI Stitch that join the same way, or the right way; and whether it is the right way
    that is new. Raises CannotRewriteError when it has none."""
    last = len(join.sides) - 1
    for index, (side, cut) in enumerate(zip(join.sides, inner, strict=True)):
        if cut and ((index == 0 and side.head) or (index == last and side.tail)):
            raise CannotRewriteError(
                f"{side.name} loses frames at both ends, {side.head} and {side.tail}: cut the outer end in a node of "
                "its own"
            )
    if join.wrong:
        if join.shared is None:
            raise CannotRewriteError(f"its clips share different counts of frames; {join.wrong[0].what()}")
        keeps = all(seam and seam.old and not seam.new and not seam.is_pro for seam in join.seams)
        return {"overlap_frames": join.shared, "drop": "old" if keeps else "new", "blend": "none"}, True
    old = {earlier.tail for earlier in join.sides[:-1]}
    new = {later.head for later in join.sides[1:]}
    if old == {0} and len(new) == 1:
        return {"overlap_frames": new.pop(), "drop": "new"}, False
    both = any(side.head and side.tail for side in join.sides)
    if len(old) == 1 and not both:
        return {"overlap_frames": old.pop(), "drop": "old"}, False
    raise CannotRewriteError(
        "its seams are cut in different ways: WanVideo SVI Stitch takes as many frames off the same side of each"
    )


def _mended_extension(join: Join) -> dict[str, Any] | None:
    """Settings of WanVideo SVI Stitch that make a wrong seam right, frames that were taken off before counted in; None
    where nothing is wrong, or nothing does."""
    seam = join.wrong[0] if join.wrong else None
    if seam is None:
        return None
    before_old, before_new = join.sides[0].tail, join.sides[1].head
    overlap = seam.shared - before_old - before_new
    if overlap < 0 or (seam.is_pro and before_old):
        return None
    keeps = not seam.is_pro and overlap > 0
    blend = "linear" if keeps and seam.blended else "none"
    return {"overlap_frames": overlap, "drop": "old" if keeps and seam.old > before_old else "new", "blend": blend}


STITCH_OLD = Pattern(
    "P1 stitch", "frames taken off a clip, then a batch of both", Part("join", CONCATENATORS), _read_join
)
STITCH_EXTEND = Pattern("P2 stitch", "Image Batch Extend With Overlap", Part("extend", (EXTEND,)), _read_extension)
