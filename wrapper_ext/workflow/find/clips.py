"""The clips of a graph: which samplers make each, what leads it, and which clip it follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ....svi_embeds.errors import SVIError
from ....svi_embeds.models.names import purpose, wan_version
from ....svi_embeds.recipes import RECIPES
from .count import Count
from .match import Binding, match
from .native import NATIVE_DECODES, NativeClip, native_clip
from .shapes import LED_BY_CANVAS, LED_BY_FRAMES
from .videos import STITCH, LastFrames, Videos
from .wires import UNKNOWN, At, Origin, Wires

SAMPLERS = ("WanVideoSampler", "WanVideoSamplerv2")

# Nodes that make a clip's embeds, and the input that the clip before comes in by.
EMBEDS: dict[str, str] = {
    "WanVideoImageToVideoEncode": "start_image",
    "WanVideoSVIEmbeds": "start_image",
    "WanVideoSVIProEmbeds": "prev_samples",
    "WanVideoSVILatentEmbeds": "prev_samples",
    "WanVideoI2VCustomEmbeds": "start_image",
}
# Inputs that the end of a node's video comes from; nodes that are not here are asked for the names in _ALONG.
_TAILS: dict[str, str] = {
    "ImageBatch": "image2", "ColorMatch": "image_target", "ColorMatchV2": "image_target",
    "ImageBatchExtendWithOverlap": "new_images", "VHS_MergeImages": "images_B",
    "WanVideoVACEStartToEndFrame": "start_image", "ReplaceImagesInBatch": "original_images",
    "WanVideoSVITemporalMask": "motion_frames",
}  # fmt: skip
_ALONG = ("images", "image", "samples", "image_embeds", "embeds", "latent")
_LORA_LINKS = ("model", "lora", "prev_lora", "high_model", "low_model")
_LORA_NAMES = ("lora", *(f"lora_{i}" for i in range(5)))
_MAX_STEPS = 10_000
_SVI_NODES = ("WanVideoSVIProEmbeds", "WanVideoSVILatentEmbeds")  # that serve SVI alone


@dataclass(eq=False, slots=True)
class Clip:
    """embeds: the node that makes its image_embeds. samplers: in the order in which they run. lead: what leads it,
    images or samples. shape: the nodes of a pixel chain (P1), if it is one. before: the clip that it follows."""

    embeds: At
    samplers: list[At] = field(default_factory=list)
    lead: Origin | None = None
    shape: Binding | None = None
    before: Clip | None = None

    def chain(self) -> list[Clip]:
        """The clips up to this one, the first first."""
        found: dict[int, Clip] = {}
        here: Clip | None = self
        while here is not None and id(here) not in found:
            found[id(here)] = here
            here = here.before
        return list(found.values())[::-1]


class Clips:
    """Every clip of a workflow. Broken parts are left out."""

    def __init__(self, wires: Wires) -> None:
        self.wires = wires
        self.videos = Videos(wires, self._frames_of)
        self._by_embeds: dict[At, Clip] = {}
        self._by_sampler: dict[At, Clip] = {}
        self._natives: dict[At, NativeClip] = {}
        for at in wires.places():
            if at.node.type in SAMPLERS:
                self._add(at)
        for clip in self.all:
            clip.samplers = self._in_order(clip.samplers)
            clip.shape = self._shape(clip.embeds)
            lead = EMBEDS[clip.embeds.node.type]
            clip.lead = clip.shape["previous"] if clip.shape else wires.origin(clip.embeds, lead)
        for clip in self.all:
            clip.before = self.made(clip.lead)

    @property
    def all(self) -> list[Clip]:
        return list(self._by_embeds.values())

    def of(self, embeds: At) -> Clip | None:
        """The clip whose embeds a node makes."""
        return self._by_embeds.get(embeds)

    def ends(self) -> list[Clip]:
        """Clips that no other follows."""
        followed = {id(clip.before) for clip in self.all}
        return [clip for clip in self.all if id(clip) not in followed]

    def _add(self, sampler: At) -> None:
        origin = self._along(self.wires.origin(sampler, "image_embeds"), stop=tuple(EMBEDS))
        if origin is not None and origin.type in EMBEDS:
            clip = self._by_embeds.setdefault(origin.at, Clip(origin.at))
            clip.samplers.append(sampler)
            self._by_sampler[sampler] = clip

    def _in_order(self, samplers: list[At]) -> list[At]:
        """Those whose samples come from another of the clip behind it."""
        waiting, ordered = list(samplers), []
        while waiting:
            ready = [at for at in waiting if self._before(at) not in waiting] or waiting[:1]
            ordered += ready
            waiting = [at for at in waiting if at not in ready]
        return ordered

    def _before(self, sampler: At) -> At | None:
        origin = self._along(self.wires.origin(sampler, "samples"), stop=SAMPLERS)
        return origin.at if origin and origin.type in SAMPLERS else None

    def _shape(self, embeds: At) -> Binding | None:
        for shape in (LED_BY_CANVAS, LED_BY_FRAMES):
            try:
                if found := match(self.videos, embeds, shape):
                    return found
            except SVIError:
                continue
        return None

    def made(self, origin: Origin | None) -> Clip | None:
        """The clip that the end of this video, or these samples, are of."""
        end = self._along(origin, stop=SAMPLERS)
        return self._by_sampler.get(end.at) if end else None

    def _along(self, origin: Origin | None, *, stop: tuple[str, ...]) -> Origin | None:
        """Back along a video to the node that made its end."""
        for _ in range(_MAX_STEPS):
            if origin is None or origin.type in stop:
                return origin
            further = self.tail(origin.at)
            if further is None:
                return origin
            origin = further
        return None

    def tail(self, at: At) -> Origin | None:
        """Where the end of a node's video comes from."""
        kind = at.node.type
        if kind in ("ImageBatchMulti", "BatchImagesNode", STITCH):
            try:
                return next(reversed(self.videos.inputs(at)), None)
            except SVIError:
                return None
        if kind in _TAILS:
            return self.wires.origin(at, _TAILS[kind])
        if kind in SAMPLERS or kind in EMBEDS:
            return None
        return next((found for name in _ALONG if (found := self.wires.origin(at, name))), None)

    def _frames_of(self, origin: Origin) -> tuple[At, Count] | None:
        """The clip that an output is, whole, and its length."""
        if origin.type in NATIVE_DECODES:
            native = native_clip(self.wires, origin)
            if native is None or native.cut_latents:
                return None
            self._natives[native.pro] = native
            return native.pro, self.native_length(native)
        if origin.type != "WanVideoDecode":
            return None
        samples = self.wires.origin(origin.at, "samples")
        clip = self._by_sampler.get(samples.at) if samples else None
        return (clip.embeds, self.length(clip)) if clip else None

    def length(self, clip: Clip) -> Count:
        """How many frames a clip has."""
        at, kind = clip.embeds, clip.embeds.node.type
        made = clip.samplers and self.wires.origin(clip.samplers[-1], "image_embeds")
        frames = self._named(at, "num_frames")
        grows = kind == "WanVideoImageToVideoEncode" and self.wires.linked(at, "end_image")
        if not made or made.at != at or not isinstance(frames, int) or isinstance(frames, bool) or frames < 1 or grows:
            return Count.of(at)
        return Count((frames - 1) // 4 * 4 + 1)  # as the wrapper makes it

    def native(self, pro: At) -> NativeClip | None:
        """The clip of native samplers that a node conditions, where a video of it was met."""
        return self._natives.get(pro)

    @staticmethod
    def native_length(clip: NativeClip) -> Count:
        return Count.of(clip.pro) if clip.length is None else Count(clip.length)

    def picks_last_frame(self, origin: Origin) -> Clip | None:
        """The clip whose last frame (or frames) this image is, or None."""
        if origin.type == "WanVideoSVIMotionFrames" and origin.slot == 2:
            return self.made(self.wires.origin(origin.at, "images"))
        last = self.last_frames(origin)
        return self.made(last.video) if last else None

    def last_frames(self, origin: Origin | None) -> LastFrames | None:
        """The video whose last frames this is; None also where that was saved in a way that is not known."""
        try:
            return self.videos.last_frames(origin)
        except SVIError:
            return None

    def is_one_image(self, origin: Origin | None) -> bool:
        """Whether it is a single image for sure: a loaded one, perhaps resized, or one frame of a batch."""
        return origin is not None and self.videos.of(origin).length == Count(1)

    def loras(self, clip: Clip) -> list[str]:
        """File names of the LoRAs behind the clip's samplers, strength 0 left out."""
        return list(dict.fromkeys(name for sampler in clip.samplers for name in self._loras(sampler)))

    def _loras(self, sampler: At) -> list[str]:
        return [name for at in self._behind(sampler, _LORA_LINKS) for name in _loras_of(at)]

    def models(self, clip: Clip) -> Iterator[tuple[At, str, list[str]]]:
        """For each of the clip's samplers that tells: the loader of its model, the model's file, and its LoRAs'."""
        for sampler in clip.samplers:
            for at in self._behind(sampler, ("model",)):
                if at.node.type == "WanVideoModelLoader" and isinstance(name := self._named(at, "model"), str):
                    yield at, name, self._loras(sampler)

    def is_svi(self, clip: Clip) -> bool:
        """Whether an SVI LoRA is known to make it: behind its samplers, or by what its own node says."""
        kind = clip.embeds.node.type
        if kind in _SVI_NODES or modes_of(self.loras(clip)):
            return True
        return kind == "WanVideoSVIEmbeds" and self._named(clip.embeds, "mode") not in (None, "i2v")

    def _behind(self, start: At, names: tuple[str, ...]) -> Iterator[At]:
        waiting, seen = [start], {start}
        while waiting:
            here = waiting.pop(0)
            for name in names:
                origin = self.wires.origin(here, name)
                if origin and origin.at not in seen:
                    seen.add(origin.at)
                    waiting.append(origin.at)
                    yield origin.at

    def seed(self, clip: Clip) -> Any:
        """The seed of its first sampler; UNKNOWN when only a run can tell, or when each run draws another."""
        if not clip.samplers:
            return UNKNOWN
        first = clip.samplers[0]
        try:
            value = self.wires.value(first, "seed")
        except SVIError:
            return UNKNOWN
        origin = self.wires.origin(first, "seed")
        saved = (origin.at.node if origin else first.node).raw.get("widgets_values")
        drawn = isinstance(saved, list) and "randomize" in saved[:6]
        return value if isinstance(value, int) and not drawn else UNKNOWN

    def overlap(self, clip: Clip) -> int | None:
        """Frames that it has in common with the clip before, when the graph tells."""
        at = clip.embeds
        kind = at.node.type
        if clip.shape:
            last = self.last_frames(clip.shape["motion"])
            return last.number if last else None
        if kind in ("WanVideoSVIProEmbeds", "WanVideoSVILatentEmbeds"):
            name = "motion_latent_count" if kind == "WanVideoSVIProEmbeds" else "motion_latents"
            latents = self._named(at, name)
            if latents == 0 and kind == "WanVideoSVIProEmbeds":
                latents = 1  # a defect that its rewrite repairs
            return None if latents is None else 4 * latents + 1
        if kind == "WanVideoSVIEmbeds":
            frames, mode = self._named(at, "overlap_frames"), self._named(at, "mode")
            if frames == 0 and mode in RECIPES:
                return RECIPES[mode].motion_frames
            return frames or None
        return None

    def _named(self, at: At, name: str) -> Any:
        try:
            value = self.wires.value(at, name)
        except SVIError:
            return None
        return None if value is UNKNOWN else value


def _loras_of(at: At) -> list[str]:
    try:
        values = at.node.values()
    except SVIError:
        return []
    return [
        value for name in _LORA_NAMES
        if isinstance(value := values.get(name), str) and value.lower() != "none"
        and values.get(name.replace("lora", "strength"), 1) != 0
    ]  # fmt: skip


def modes_of(loras: list[str]) -> list[str]:
    """Modes that these LoRAs are for, by their file names."""
    found: list[str] = []
    for name in loras:
        made_for = purpose(name)
        other = {"2.1": "wan22", "2.2": "wan21"}.get(wan_version(name) or "", "no version")
        found += [mode for mode in (made_for.modes if made_for else ()) if not mode.endswith(other)]
    return list(dict.fromkeys(found))
