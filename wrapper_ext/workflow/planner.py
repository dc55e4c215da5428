"""Which nodes of a workflow become which of this pack: one function per pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ...svi_embeds.errors import SVIError
from .clips import Clips
from .defects import cut_of, no_motion, trimmed_otherwise
from .keyframe_canvas import ENCODE, find_canvas
from .match import Binding, match
from .patterns import (
    EMBEDS,
    PIXEL_CHAIN,
    PIXEL_START,
    PRO,
    STITCH_EXTEND,
    STITCH_OLD,
    STITCHES,
    WANEX,
    Pattern,
)
from .pixel_chain import read_pixel_chain
from .read_keyframes import TEMPORAL_MASK, read_keyframes
from .report import Finding, finding
from .rewrite import CannotRewriteError, Carrier, Rewrite
from .wires import At, Wires

_WANEX_OUTPUTS = {3: 4, 4: 1, 5: 2}  # debug_info, previews of latent and mask
_SAMPLES = re.compile("sampler|guide", re.IGNORECASE)
_BY_TYPE: dict[str, list[Pattern]] = {}
for _pattern in (*EMBEDS, *STITCHES):
    for _type in _pattern.shape.types:
        _BY_TYPE.setdefault(_type, []).append(_pattern)


class Planner:
    """Plans the rewrites of a workflow without changing it."""

    def __init__(self, wires: Wires, clips: Clips) -> None:
        self.wires, self.clips = wires, clips
        self.carrier = Carrier(wires, clips)
        self._readers: dict[int, Callable[[At, Binding], Rewrite]] = {
            id(PIXEL_CHAIN): self._pixel_chain, id(PIXEL_START): self._pixel_chain, id(PRO): self._pro,
            id(STITCH_OLD): self._stitch, id(STITCH_EXTEND): self._extend, id(WANEX): self._wanex,
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
        if at.node.type == ENCODE and (canvas := find_canvas(self.wires, at)):
            return read_keyframes(self.wires, self.clips, self.carrier, at, canvas)
        for pattern in _BY_TYPE.get(at.node.type, ()):
            if found := match(self.wires, at, pattern.shape):
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

    def _stitch(self, at: At, found: Binding) -> Rewrite:
        if self.carrier.number(at, "inputcount", "inputcount") != 2:
            raise CannotRewriteError("it joins more than two clips: join them two by two")
        parts = self.carrier.parts(at, found, ("rest", "math", "count"))
        if self.clips.made(found["earlier"]) is None or self.clips.made(found["later"]) is None:
            raise CannotRewriteError(
                "one side is no clip of this graph, and ImageBatchMulti resizes it to the other: resize it before"
            )
        cut = cut_of(self.wires, found)
        if cut is None:
            raise CannotRewriteError("the count of frames to keep is no 'a - number'")
        sources = {
            "images_1": self.carrier.video(found["rest"].at, "images"), "images_2": self.carrier.video(at, "image_2"),
        }  # fmt: skip
        rewrite = Rewrite(
            at, STITCH_OLD, "WanVideoSVIStitch", {"overlap_frames": cut, "drop": "old"}, sources, {0: 0}, parts
        )
        return self._joined(rewrite)

    def _extend(self, at: At, found: Binding) -> Rewrite:  # noqa: ARG002
        values = {name: self.wires.value(at, name) for name in ("overlap_side", "overlap_mode")}
        side, how = values["overlap_side"], values["overlap_mode"]
        if how == "linear_blend" and side == "source":
            settings = {"drop": "new", "blend": "linear"}
        elif how == "cut" and side in ("source", "new_images"):
            settings = {"drop": "old" if side == "source" else "new", "blend": "none"}
        else:
            raise CannotRewriteError(f"WanVideo SVI Stitch has nothing equal to {how} with overlap_side {side}")
        if any(use.slot != 2 for use in at.node.scope.uses(at.node)):
            raise CannotRewriteError("its first outputs are used too, which WanVideo SVI Stitch does not have")
        overlap, link = self.carrier.input(at, "overlap", [])
        sources = {
            "images_1": self.carrier.video(at, "source_images"), "images_2": self.carrier.video(at, "new_images"),
            "overlap_frames": link,
        }  # fmt: skip
        rewrite = Rewrite(
            at, STITCH_EXTEND, "WanVideoSVIStitch", _known({"overlap_frames": overlap}) | settings, sources, {2: 0}
        )
        clip = self.clips.made(self.wires.origin(at, "new_images"))
        if how == "linear_blend" and clip and clip.embeds.node.type == "WanVideoSVIProEmbeds":
            rewrite.findings.append(finding(
                "note", at.node, "it blends into the frames that a Pro clip begins with, the anchor among them, as "
                "before; blend none with drop new leaves them out",
            ))  # fmt: skip
        return self._joined(rewrite)

    def _joined(self, rewrite: Rewrite) -> Rewrite:
        if wrong := trimmed_otherwise(self.wires, self.clips, rewrite.at):
            rewrite.values["overlap_frames"] = wrong[1]
            rewrite.sources["overlap_frames"] = None
            rewrite.findings.append(replace(wrong[0], fixed=True))
        return _said(rewrite, f"drop {rewrite.values['drop']}")

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
