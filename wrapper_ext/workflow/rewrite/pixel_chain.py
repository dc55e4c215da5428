"""P1: motion frames, padding and mask built from nodes become WanVideo SVI Embeds."""

from __future__ import annotations

from typing import Any

from ....svi_embeds.recipes import MODES, RECIPES, KnownRule, Padding, Recipe
from ..find.clips import modes_of
from ..find.defects import mask_polarity, padding_with_last_frame
from ..find.match import Binding
from ..find.shapes import LED_BY_CANVAS, LED_BY_FRAMES
from ..find.wires import At
from ..model.report import Finding, finding
from ..model.scope import Source
from .carry import CannotRewriteError, Carrier, Pattern, Rewrite

_LINKS = ("vae", "clip_embeds", "control_embeds", "extra_latents", "add_cond_latents")
_VALUES = (
    "num_frames", "force_offload", "noise_aug_strength", "start_latent_strength", "end_latent_strength",
    "fun_or_fl2v_model", "tiled_vae",
)  # fmt: skip
_PARTS = ("motion", "canvas", "repeat", "invert", "mask_range")


class _PixelChain:
    """One clip that becomes WanVideo SVI Embeds, which must do the same: CannotRewriteError where it would not."""

    def __init__(self, carrier: Carrier, at: At, found: Binding) -> None:
        self.wires, self.clips, self.carrier, self.at, self.found = carrier.wires, carrier.clips, carrier, at, found
        self.clip = self.clips.of(at)
        self.findings: list[Finding] = []

    def rewrite(self) -> Rewrite:
        node, found, carrier = self.at.node, self.found, self.carrier
        parts = carrier.parts(self.at, found, _PARTS)
        self._check()
        last = self.clips.last_frames(found["motion"])
        if last is None or last.number is None:
            raise CannotRewriteError("the count of motion frames is computed when the graph runs: give it as a number")
        overlap = last.number
        parts += self.clips.videos.sums(last.taker)
        known = self._known(overlap)
        padding, reference = self._padding()
        loras = modes_of(self.clips.loras(self.clip)) if self.clip else []
        row = choose_mode(padding=padding, overlap=overlap, known=known, loras=loras)
        if row.id == "shot" and known == "overlap" and overlap > 1:
            self._defect(
                f"{overlap} frames are marked as known, and the shot LoRA was made for exactly one",
                "known_frames as the mode needs: frame 0 only",
            )
            known = row.known
        values: dict[str, Any] = {
            "mode": row.id, "overlap_frames": overlap,
            "known_frames": "recipe" if _alike(row.known, known, overlap) else known,
            "padding": "recipe" if row.padding == padding else padding,
        }  # fmt: skip
        sources: dict[str, Source | None] = {name: node.source(name) for name in _LINKS}
        for name in _VALUES:
            values[name], sources[name] = carrier.input(self.at, name, parts)
        for name in ("width", "height"):
            values[name], sources[name] = carrier.size(self.at, name, parts)
        sources["start_image"] = carrier.video(last.taker, last.name)
        sources["ref_image"] = reference
        if "canvas" not in found:
            sources["end_image"] = node.source("end_image")
        if values["noise_aug_strength"]:
            what = "noise_aug_strength noised the padding too; now it noises the motion frames only"
            self.findings.append(finding("note", node, what))
        pattern = PIXEL_CHAIN if "canvas" in found else PIXEL_START
        said = f"{pattern.title} became WanVideoSVIEmbeds, mode {row.id}, {overlap} motion frame{'s' * (overlap > 1)}"
        self.findings.insert(0, finding("rewrite", node, said, pattern=pattern.id, fixed=True))
        kept = {name: value for name, value in values.items() if value is not None}
        return Rewrite(self.at, pattern, "WanVideoSVIEmbeds", kept, sources, {0: 0}, parts, self.findings)

    def _defect(self, what: str, fix: str, *, fixed: bool = True) -> None:
        self.findings.append(finding("defect", self.at.node, what, fix, fixed=fixed))

    def _check(self) -> None:
        """Raises CannotRewriteError for settings and links without a counterpart."""
        node, found, wires = self.at.node, self.found, self.wires
        if node.source("augment_empty_frames") or node.values().get("augment_empty_frames", 0) != 0:
            raise CannotRewriteError("augment_empty_frames is on, which WanVideo SVI Embeds does not have: set it to 0")
        frames = wires.value(self.at, "num_frames")
        if isinstance(frames, int) and (frames - 1) % 4:
            cut = (frames - 1) // 4 * 4 + 1
            raise CannotRewriteError(f"num_frames {frames} is not 4k+1: the wrapper makes {cut} of it, so set {cut}")
        self.carrier.check_size(self.at)
        if "canvas" not in found:
            if wires.linked(self.at, "temporal_mask"):
                raise CannotRewriteError("temporal_mask is made in a way that this migration does not know")
            return
        for name in ("end_image", "empty_frame_pad_image"):
            if wires.linked(self.at, name):
                raise CannotRewriteError(f"{name} is connected beside a canvas that fills the whole clip")
        for name in ("end_image", "inpaint_mask"):
            if wires.linked(found["canvas"].at, name):
                raise CannotRewriteError(
                    f"{name} of the canvas is connected: WanVideo SVI Embeds has its own end_image"
                )
        if "controls" in found:
            raise CannotRewriteError("control_images of the canvas is something else than one repeated image")
        if "mask" in found:
            raise CannotRewriteError("temporal_mask does not come from the canvas alone")

    def _known(self, overlap: int) -> KnownRule:
        """Which frames the graph means to keep."""
        found, wires = self.found, self.wires
        if "canvas" not in found:
            return "overlap"
        if not wires.same(self.at, "num_frames", found["canvas"].at, "num_frames"):
            raise CannotRewriteError("the canvas and the encode node have other counts of frames: give both the same")
        if not wires.linked(self.at, "temporal_mask"):
            what = "no temporal_mask is connected, so every frame of the padding is marked as known"
            self._defect(what, "the motion frames only")
        elif wrong := mask_polarity(wires, self.at):
            self._defect(wrong.what, "white for the frames to keep")
        if "mask_range" not in found:
            return "overlap"
        kept = self.carrier.number(found["mask_range"].at, "num_frames", "the count of mask frames")
        if kept == 1:
            return "first_frame"
        if kept < overlap:
            way = f"its mask keeps {kept} of {overlap} motion frames: known_frames has nothing like that"
            raise CannotRewriteError(way)
        return "overlap"

    def _padding(self) -> tuple[Padding, Source | None]:
        """What fills the frames to generate, and the image that does."""
        found, wires = self.found, self.wires
        if "canvas" not in found:
            if "reference" not in found:
                return "grey", None
            if not self.clips.is_one_image(found["reference"]):
                raise CannotRewriteError("empty_frame_pad_image may be several images: ref_image is one")
            return self._reference(self.at, "empty_frame_pad_image")
        if "repeat" not in found:
            level = wires.value(found["canvas"].at, "empty_frame_level")
            if level not in (0, 0.5):
                way = f"empty_frame_level is {level}: WanVideo SVI Embeds pads with 0.5 (grey) or 0 (black)"
                raise CannotRewriteError(way)
            return ("grey" if level else "black"), None
        repeat = found["repeat"].at
        if not wires.same(repeat, "amount", self.at, "num_frames"):
            amount = self.carrier.number(repeat, "amount", "the count of padding frames")
            if amount < self.carrier.number(self.at, "num_frames", "num_frames"):
                raise CannotRewriteError(f"the padding image is repeated {amount} times only, for a longer clip")
        return self._reference(repeat, "image")

    def _reference(self, at: At, name: str) -> tuple[Padding, Source | None]:
        """Reference padding with the image at an input; the original one where that is a frame of the clip before."""
        what = padding_with_last_frame(self.clips, self.found["reference"])
        if not what:
            return "reference", self.carrier.video(at, name)
        if self.clip is None or not self.clips.is_svi(self.clip):
            self.findings.append(finding("note", self.at.node, f"{what}; an SVI LoRA would want the original image"))
            return "last", None
        original = self._original()
        if original is None:
            self._defect(what, "connect the original image to ref_image, padding recipe", fixed=False)
            return "last", None
        self._defect(what, "ref_image is the original image")
        return "reference", original

    def _original(self) -> Source | None:
        """The image that the chain began with, if it is one for sure."""
        first = self.clip.chain()[0] if self.clip else None
        if first is None or first is self.clip or first.embeds.path != self.at.path:
            return None
        holder, name = first.embeds, "start_image"
        if first.shape is not None and (last := self.clips.last_frames(first.shape["motion"])):
            holder, name = last.taker, last.name
        origin = self.wires.origin(holder, name)
        source = self.carrier.video(holder, name)
        if source is None or origin is None or not self.clips.is_one_image(origin):
            return None
        return self.carrier.nearest(self.at, source, origin)


def choose_mode(*, padding: Padding, overlap: int, known: KnownRule, loras: list[str]) -> Recipe:
    """The row that a clip is of: the one its LoRA is for, else the one that differs least from what it does.

    loras: modes that the clip's LoRAs are for. A row that differs from plain i2v by its LoRA alone is taken with that
    LoRA only.
    """
    i2v = RECIPES["i2v"]

    def difference(row: Recipe) -> tuple[bool, bool, bool, bool, int]:
        if row is i2v:
            plain = (padding, overlap) == (i2v.padding, i2v.motion_frames)
        else:
            twin = (row.padding, row.motion_frames) == (i2v.padding, i2v.motion_frames)
            plain = row.guide is None and not row.inpaints and not twin
        return (
            row.id not in loras, not plain, row.padding != padding,
            not _alike(row.known, known, overlap) and row.motion_frames != overlap,
            (row.motion_frames != overlap) + (not _alike(row.known, known, overlap)),
        )  # fmt: skip

    both = {"film", "shot"} <= set(loras)
    return RECIPES["film_shot"] if both else min((RECIPES[mode] for mode in MODES), key=difference)


def _alike(one: KnownRule, other: KnownRule, overlap: int) -> bool:
    """With one motion frame, all of them and the first are the same."""
    return one == other or (overlap == 1 and {one, other} == {"overlap", "first_frame"})


def _read(carrier: Carrier, at: At, found: Binding) -> Rewrite:
    return _PixelChain(carrier, at, found).rewrite()


PIXEL_CHAIN = Pattern("P1", "motion frames and padding through VACE Start To End Frame", LED_BY_CANVAS, _read)
PIXEL_START = Pattern("P1", "motion frames as the start of ImageToVideo Encode", LED_BY_FRAMES, _read)
