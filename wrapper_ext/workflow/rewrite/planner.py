"""Which nodes of a workflow become which of this pack: one function per pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ....svi_embeds.errors import SVIError
from ..find.clips import Clips
from ..find.defects import no_motion
from ..find.joins import PRO as PRO_NODES
from ..find.joins import Join, cannot_count, read_join
from ..find.match import Binding, match
from ..find.patterns import EMBEDS, PIXEL_CHAIN, PIXEL_START, PRO, STITCH_EXTEND, STITCH_OLD, WANEX, Pattern
from ..find.videos import CONCATENATORS, CUTTERS, EXTEND, STITCH, STITCHED
from ..find.wires import At, Wires
from ..model.report import Finding, finding
from ..model.scope import Source
from .carry import CannotRewriteError, Carrier, Rewrite
from .keyframe_canvas import ENCODE, find_canvas
from .keyframes import TEMPORAL_MASK, read_keyframes
from .pixel_chain import read_pixel_chain

_WANEX_OUTPUTS = {3: 4, 4: 1, 5: 2}  # debug_info, previews of latent and mask
_SAMPLES = re.compile("sampler|guide", re.IGNORECASE)
_BY_TYPE: dict[str, list[Pattern]] = {}
for _pattern in EMBEDS:
    for _type in _pattern.shape.types:
        _BY_TYPE.setdefault(_type, []).append(_pattern)


class Planner:
    """Plans the rewrites of a workflow without changing it."""

    def __init__(self, wires: Wires, clips: Clips) -> None:
        self.wires, self.clips = wires, clips
        self.carrier = Carrier(wires, clips)
        self._readers: dict[int, Callable[[At, Binding], Rewrite]] = {
            id(PIXEL_CHAIN): self._pixel_chain, id(PIXEL_START): self._pixel_chain, id(PRO): self._pro,
            id(WANEX): self._wanex,
        }  # fmt: skip

    def plan(self) -> tuple[list[Rewrite], list[Finding]]:
        """The rewrites, and findings about what is only reported."""
        planned: dict[int, Rewrite | None] = {}
        refused: set[int] = set()
        findings: list[Finding] = []
        for at in self.wires.places():
            node = at.node
            if id(node) in refused:
                continue
            try:
                rewrite = self._of(at)
                if id(node) in planned and not _agree(planned[id(node)], rewrite):
                    raise CannotRewriteError("the uses of this subgraph differ in what it would become")
            except SVIError as error:
                refused.add(id(node))
                findings.append(finding("left", node, str(error)))
                continue
            planned[id(node)] = rewrite
        kept = [rewrite for key, rewrite in planned.items() if rewrite and key not in refused]
        return [each for rewrite in kept for each in (*rewrite.helpers, rewrite)], findings

    def _of(self, at: At) -> Rewrite | None:
        if at.node.type in CONCATENATORS:
            return self._stitch(at)
        if at.node.type == EXTEND:
            return self._extend(at)
        if at.node.type == ENCODE and (canvas := find_canvas(self.wires, at)):
            return read_keyframes(self.wires, self.clips, self.carrier, at, canvas)
        for pattern in _BY_TYPE.get(at.node.type, ()):
            if found := match(self.clips.videos, at, pattern.shape):
                rewrite = self._readers[id(pattern)](at, found)
                rewrite.pattern = pattern
                return rewrite
        if at.node.type == ENCODE and self._is_led(at):
            raise CannotRewriteError("frames of another clip lead it in a way that this migration does not know")
        return None

    def _is_led(self, at: At) -> bool:
        """Whether an encode node gets more than a plain first image."""
        origin = self.wires.origin(at, "start_image")
        return origin is not None and origin.type != TEMPORAL_MASK and self.clips.made(origin) is not None

    # One pattern each

    def _pixel_chain(self, at: At, found: Binding) -> Rewrite:
        return read_pixel_chain(self.wires, self.clips, self.carrier, at, found)

    def _pro(self, at: At, found: Binding) -> Rewrite:  # noqa: ARG002
        node = at.node
        sources = {name: node.source(name) for name in ("anchor_samples", "prev_samples")}
        values = {}
        for name, new in (("num_frames", "num_frames"), ("motion_latent_count", "motion_latents")):
            if name == "motion_latent_count" and sources["prev_samples"] is None:
                continue
            values[new], sources[new] = self.carrier.input(at, name, [])
        rewrite = Rewrite(at, PRO, "WanVideoSVILatentEmbeds", _known(values), sources, {0: 0})
        if wrong := no_motion(self.wires, at):
            rewrite.values["motion_latents"], rewrite.sources["motion_latents"] = 1, None
            rewrite.findings.append(replace(wrong, fixed=True))
        return _said(rewrite, "anchor, motion latents and zero padding")

    def _stitch(self, at: At) -> Rewrite | None:
        """Clips that nodes cut and put one behind the other."""
        join = read_join(self.clips, at)
        if join is None:
            return None
        inner = [_at_seams(join, index) for index in range(len(join.sides))]
        if not any(inner) and not join.wrong:
            lost = cannot_count(self.clips, join)
            if lost is not None and at.node.type == "ImageBatchMulti":
                raise CannotRewriteError(
                    f"how many frames node {lost.node.id} keeps is computed when the graph runs: give it as a number"
                )
            return None
        old = any(side.is_old for side, cut in zip(join.sides, inner, strict=True) if cut)
        if not (old or join.wrong) or not any(self.clips.made(side.whole) for side in join.sides):
            return None
        if not all(self.clips.made(side.whole) for side in join.sides):
            raise CannotRewriteError(
                f"one side is no clip of this graph, and {at.node.type} resizes it to the other: resize it before"
            )
        if len(join.sides) > len(STITCHED):
            raise CannotRewriteError(
                f"it joins {len(join.sides)} clips, and WanVideo SVI Stitch at most {len(STITCHED)}"
            )
        values, mended = _cuts(join, inner)
        if values["drop"] == "old" and not mended:  # what is taken off a start stays with the node that does
            inner = [cut and not join.sides[index].head for index, cut in enumerate(inner)]
        takers = [side.taker for side, cut in zip(join.sides, inner, strict=True) if cut and side.taker]
        if any(taker.path != at.path for taker in takers):
            raise CannotRewriteError("a part of it lies in another subgraph: bring the clip's nodes into one")
        parts = [node for taker in takers for node in (taker.node, *self.clips.videos.sums(taker))]
        sources: dict[str, Source | None] = {}
        for name, side, cut in zip(STITCHED, join.sides, inner, strict=False):
            taker = side.taker if cut else None
            sources[name] = (
                self.carrier.video(taker, CUTTERS[taker.node.type]) if taker else self.carrier.video(at, side.name)
            )
        rewrite = Rewrite(at, STITCH_OLD, STITCH, values, sources, {0: 0}, list(dict.fromkeys(parts)))
        rewrite.findings += [replace(found, fixed=mended) for found in join.defects()]
        return _said(rewrite, f"drop {values['drop']}")

    def _extend(self, at: At) -> Rewrite | None:
        values = {name: self.wires.value(at, name) for name in ("overlap_side", "overlap_mode")}
        side, how = values["overlap_side"], values["overlap_mode"]
        join = read_join(self.clips, at)
        if join is None:
            return None
        overlap, link = self.carrier.input(at, "overlap", [])
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
            "images_1": self.carrier.video(at, "source_images"), "images_2": self.carrier.video(at, "new_images"),
            "overlap_frames": link,
        }  # fmt: skip
        rewrite = Rewrite(at, STITCH_EXTEND, STITCH, settings | _known({"overlap_frames": overlap}), sources, {2: 0})
        rewrite.findings += [replace(found, fixed=mended is not None) for found in join.defects()]
        clip = self.clips.made(self.wires.origin(at, "new_images"))
        if settings["blend"] == "linear" and clip and clip.embeds.node.type in PRO_NODES:
            what = (
                "it blends into the frames that a Pro clip begins with, the anchor among them, as before; blend none "
                "with drop new leaves them out"
            )
            rewrite.findings.append(replace(finding("note", at.node, what), about="blend"))
        return _said(rewrite, f"drop {settings['drop']}")

    def _wanex(self, at: At, found: Binding) -> Rewrite:  # noqa: ARG002
        node = at.node
        values, sources = {}, {}
        for name in ("width", "height", "length", "concat_mask_index"):
            values[name], sources[name] = self.carrier.input(at, name, [])
        for name in ("concat_latent_image", "start_image", "concat_mask"):
            sources[name] = node.source(name)
        rewrite = Rewrite(at, WANEX, "WanVideoI2VCustomEmbeds", _known(values), sources, dict(_WANEX_OUTPUTS))
        _said(rewrite, "masks in native polarity and native latents are read as they were")
        left = []
        if sources["concat_latent_image"] is None and sources["start_image"] is not None:
            left.append("connect WanVideo VAE Loader to vae, for start_image")
        if self.wires.linked(at, "clip_vision_output"):
            left.append("connect WanVideo ClipVision Encode to clip_embeds, in place of clip_vision_output")
        behind = {use.node for use in self.wires.uses_through(node) if use.slot in (0, 1, 2) and use.node}
        for sampler in sorted(behind, key=lambda other: str(other.id)):
            way = (
                "put WanVideo Sampler in its place: image_embeds from here, text_embeds from WanVideo TextEncode "
                "(your prompts are still in the graph), a model of WanVideo Model Loader"
            )
            if not _SAMPLES.search(sampler.type):
                way = "it goes with the native sampler behind it, in whose place WanVideo Sampler comes"
            what = f"it took its conditioning from node {node.id}, which now makes image_embeds"
            rewrite.findings.append(finding("left", sampler, what, way))
        if left:
            rewrite.findings.append(finding("left", node, "the wrapper's own types are needed", "; ".join(left)))
        return rewrite


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


def _agree(one: Rewrite | None, other: Rewrite | None) -> bool:
    """Whether two uses of a subgraph call for the same."""
    return one is other if one is None or other is None else one.agrees(other)


def _known(values: dict[str, object]) -> dict[str, object]:
    """Without those that come by a link."""
    return {name: value for name, value in values.items() if value is not None}


def _said(rewrite: Rewrite, how: str) -> Rewrite:
    text = f"{rewrite.pattern.title} became {rewrite.new} ({how})"
    rewrite.findings.insert(0, finding("rewrite", rewrite.at.node, text, pattern=rewrite.pattern.id, fixed=True))
    return rewrite
