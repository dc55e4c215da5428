"""A chain of clips read into what WanVideo SVI Long Video gets: a story, images, models and sampler settings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ...svi_embeds.chain import SEED_STEP
from ...svi_embeds.errors import SVIError
from ...svi_embeds.recipes import SVI2_PRO
from ...svi_embeds.story import Block, format_story
from .clips import Clip, Clips
from .host_nodes import SAMPLER_EXTRAS, SAMPLER_WIDGETS
from .report import Finding, finding
from .scope import Source
from .wires import UNKNOWN, At, Origin, Wires

# Settings of SVI Embeds and Latent Embeds that a story has no word for, and what they must be.
_PLAIN: dict[str, Any] = {
    "noise_aug_strength": 0, "start_latent_strength": 1, "end_latent_strength": 1, "augment_empty_frames": 0,
    "keyframes": "", "feather": 0, "anchor_strength": 1,
}  # fmt: skip
_NOT_LINKED = (
    "end_image", "end_samples", "temporal_mask", "control_embeds", "extra_latents", "add_cond_latents",
    "keyframe_images", "region", "empty_frame_pad_image",
)  # fmt: skip


@dataclass(slots=True)
class Text:
    """What a clip is prompted with. encoder: the origin of its text encoder, or the loader's values."""

    positive: str
    negative: str
    encoder: Origin | dict[str, Any]


@dataclass(slots=True)
class Story:
    """What the Long Video node gets."""

    values: dict[str, Any]
    sources: dict[str, Source | None]
    stages: list[tuple[dict[str, Any], dict[str, Source | None]]]
    encoder: Origin | dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


class ChainReader:
    """Reads a chain into what Long Video gets. Clips are counted from 1 in what it says."""

    def __init__(self, wires: Wires, clips: Clips, chain: list[Clip]) -> None:
        self.wires, self.clips, self.chain = wires, clips, chain
        self.findings: list[Finding] = []
        self.embeds = [clip.embeds for clip in chain]

    def read(self) -> Story:
        texts = [self._text(index) for index in range(len(self.chain))]
        for index in range(len(self.chain)):
            self._plain(index)
        later = [self._mode(index) for index in range(1, len(self.chain))]
        mode = Counter(later).most_common(1)[0][0]
        frames = [self._int(at, "num_frames", index) for index, at in enumerate(self.embeds)]
        overlaps = [self._overlap(index) for index in range(1, len(self.chain))]
        usual, overlap = Counter(frames).most_common(1)[0][0], Counter(overlaps).most_common(1)[0][0]
        seeds = [self._seed(index) for index in range(len(self.chain))]
        blocks = []
        for index, text in enumerate(texts):
            own_mode = self._mode(index)
            blocks.append(Block(
                1, _trimmed(text.positive),
                seed=seeds[index] if seeds[index] != seeds[0] + SEED_STEP * index else None,
                frames=frames[index] if frames[index] != usual else None,
                overlap=overlaps[index - 1] if index and overlaps[index - 1] != overlap else None,
                mode=own_mode if own_mode != mode else None,
                **self._rules(index),
            ))  # fmt: skip
        if len({text.negative for text in texts}) > 1:
            self._note(0, "the clips' negative prompts differ; the story has one for all, that of clip 1")
        values: dict[str, Any] = {
            "story": format_story(blocks), "mode": mode, "num_frames": usual, "seed": seeds[0], "reel": "migrated",
            "negative_prompt": texts[0].negative,
            "overlap_frames": 0 if mode == SVI2_PRO.id and overlap == 5 else overlap,
        }  # fmt: skip
        sources: dict[str, Source | None] = {}
        for name in ("width", "height"):
            values[name], sources[name] = self._size(name)
        sources |= self._images() | {"vae": self._vae()}
        sources["clip_vision"] = self._clip_vision()
        stages = self._stages(sources)
        if len({_key(text.encoder) for text in texts}) > 1:
            self._note(0, "the clips have different text encoders; the story has one, that of clip 1")
        kept = {name: value for name, value in values.items() if value is not None}
        self._between()
        return Story(kept, sources, stages, texts[0].encoder, self.findings)

    # Single values

    def _note(self, index: int, what: str) -> None:
        self.findings.append(finding("note", self.embeds[index].node, what))

    def _refuse(self, index: int, what: str) -> SVIError:
        return SVIError(f"clip {index + 1} cannot become part of a story: {what} (node {self.embeds[index].node.id})")

    def _value(self, at: At, name: str) -> Any:
        value = self.wires.value(at, name)
        return None if value is UNKNOWN else value

    def _int(self, at: At, name: str, index: int) -> int:
        value = self._value(at, name)
        if not isinstance(value, int):
            raise self._refuse(index, f"its {name} is computed when the graph runs")
        return value

    def _mode(self, index: int) -> str:
        at = self.embeds[index]
        if at.node.type == "WanVideoImageToVideoEncode":
            return "i2v"
        if at.node.type == "WanVideoSVILatentEmbeds":
            return SVI2_PRO.id
        return str(self._value(at, "mode"))

    def _overlap(self, index: int) -> int:
        overlap = self.clips.overlap(self.chain[index])
        if overlap is None:
            raise self._refuse(index, "how many frames it shares with the clip before cannot be told")
        return overlap

    def _seed(self, index: int) -> int:
        seed = self.clips.seed(self.chain[index])
        if not isinstance(seed, int):
            self._note(index, "its seed is drawn at each run; in the story it is 42 more than that of the clip before")
            seed = SEED_STEP * index
        return seed

    def _rules(self, index: int) -> dict[str, Any]:
        """Settings of a block that the clip has otherwise than its mode wants."""
        at = self.embeds[index]
        if at.node.type == "WanVideoImageToVideoEncode":
            return {}
        rules: dict[str, Any] = {}
        plain = {"known": "first_latent", "padding": "zero"} if at.node.type == "WanVideoSVILatentEmbeds" else {}
        for key, name in (("known", "known_frames"), ("padding", "padding")):
            value = self._value(at, name)
            rules[key] = None if value in ("recipe", plain.get(key)) else value
        strength = self._value(at, "ref_strength")
        rules["ref_strength"] = None if strength in (None, 1) else float(strength)
        return rules

    def _plain(self, index: int) -> None:
        """Raises SVIError for settings that a story has no word for."""
        at = self.embeds[index]
        if at.node.type not in ("WanVideoImageToVideoEncode", "WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds"):
            raise self._refuse(index, f"{at.node.type} makes its embeds")
        if at.node.type == "WanVideoImageToVideoEncode" and index:
            raise self._refuse(index, "it is not a pattern that this migration knows")
        for name in _NOT_LINKED:
            if self.wires.linked(at, name):
                raise self._refuse(index, f"{name} is connected")
        try:
            values = at.node.values()
        except SVIError as error:
            raise self._refuse(index, str(error)) from None
        for name, plain in _PLAIN.items():
            if self.wires.linked(at, name) or values.get(name, plain) != plain:
                raise self._refuse(index, f"{name} is not {plain!r}")

    def _text(self, index: int) -> Text:
        sampler = self.chain[index].samplers[0]
        origin = self.wires.origin(sampler, "text_embeds")
        kind = origin.type if origin else "nothing"
        if origin is None or kind not in ("WanVideoTextEncode", "WanVideoTextEncodeCached"):
            raise self._refuse(index, f"its text comes from {kind}, not from WanVideo TextEncode")
        positive, negative = (self._value(origin.at, f"{sign}_prompt") for sign in ("positive", "negative"))
        if not isinstance(positive, str) or not isinstance(negative, str):
            raise self._refuse(index, "its prompt is computed when the graph runs")
        if kind == "WanVideoTextEncode":
            encoder = self.wires.origin(origin.at, "t5")
            if encoder is None:
                raise self._refuse(index, "WanVideo TextEncode has no t5")
            return Text(positive, negative, encoder)
        names = ("model_name", "precision", "quantization")
        return Text(positive, negative, {name: self._value(origin.at, name) for name in names})

    # What comes by links

    def _source(self, origin: Origin | None) -> Source | None:
        """A link straight to where something is made, past named wires."""
        if origin is None or origin.at.path:
            return None
        return Source(origin.at.node.id, origin.slot)

    def _size(self, name: str) -> tuple[Any, Source | None]:
        for at in (*self.embeds[1:], self.embeds[0]):
            if at.node.type == "WanVideoSVILatentEmbeds":
                continue
            value = self._value(at, name)
            if value is not None or self.wires.linked(at, name):
                return value, None if value is not None else self._source(self.wires.origin(at, name))
        image = self._anchor_image()
        if image and image.type == "ImageResizeKJv2":
            return None, Source(image.at.node.id, 1 if name == "width" else 2)
        self._note(0, f"the graph does not say the clips' {name}: set it in the node")
        return None, None

    def _anchor_image(self) -> Origin | None:
        """The image behind a Pro chain's anchor."""
        at = self.embeds[-1]
        if at.node.type != "WanVideoSVILatentEmbeds":
            return None
        encoded = self.wires.origin(at, "anchor_samples")
        if encoded is None or encoded.type != "WanVideoEncode":
            raise self._refuse(len(self.chain) - 1, "its anchor does not come from WanVideo Encode")
        return self.wires.origin(encoded.at, "image")

    def _images(self) -> dict[str, Source | None]:
        anchor = self._anchor_image()
        start = anchor or self.wires.origin(self.embeds[0], "start_image")
        found = {"start_image": self._source(start)}
        references = {
            origin for at in self.embeds if at.node.type == "WanVideoSVIEmbeds"
            and (origin := self.wires.origin(at, "ref_image")) is not None
        }  # fmt: skip
        made = {origin for origin in references if self._is_from_chain(origin)}
        if made:
            self._note(1, "its reference was a frame of the video; in the story it is the start image itself")
        references -= made
        if len(references) > 1:
            self._note(1, "the clips have different reference images; the story has one, of the first that has it")
        if references and (kept := min(references, key=lambda origin: str(origin.at.node.id))) != start:
            found["ref_image"] = self._source(kept)
        return found

    def _is_from_chain(self, origin: Origin) -> bool:
        return self.clips.made(origin) is not None

    def _vae(self) -> Source | None:
        for at in self.embeds[::-1]:
            if found := self._source(self.wires.origin(at, "vae")):
                return found
            encoded = self.wires.origin(at, "anchor_samples")
            if encoded and (found := self._source(self.wires.origin(encoded.at, "vae"))):
                return found
        return None

    def _clip_vision(self) -> Source | None:
        for at in self.embeds[::-1]:
            encoded = self.wires.origin(at, "clip_embeds")
            if encoded and encoded.type == "WanVideoClipVisionEncode":
                return self._source(self.wires.origin(encoded.at, "clip_vision"))
        return None

    def _stages(self, sources: dict[str, Source | None]) -> list[tuple[dict[str, Any], dict[str, Source | None]]]:
        """Settings of each sampler of a clip; where the clips differ, those of the last."""
        counts = {len(clip.samplers) for clip in self.chain}
        if len(counts) > 1 or max(counts) > 2:
            raise SVIError("the clips have different numbers of samplers, or more than two: a story has one pair")
        stages = []
        for stage in range(counts.pop()):
            samplers = [clip.samplers[stage] for clip in self.chain]
            last = samplers[-1]
            if stage == 0 and self.wires.linked(last, "samples"):
                raise self._refuse(len(self.chain) - 1, "samples are connected to its first sampler")
            values: dict[str, Any] = {}
            links: dict[str, Source | None] = {}
            for name in SAMPLER_WIDGETS:
                values[name] = self._value(last, name)
                if values[name] is None:
                    links[name] = self._behind(last, name)
                self._compare(samplers, name)
            for name in SAMPLER_EXTRAS:
                links[name] = self._source(self.wires.origin(last, name))
            models = [self.wires.origin(at, "model", passing=False) for at in samplers]
            links["model"] = self._source(models[-1])
            if models[0] != models[-1]:
                sources["first_clip_low_noise_model" if stage else "first_clip_model"] = self._source(models[0])
            if len(set(models[1:])) > 1:
                raise SVIError("the clips after the first have different models: a story has one for all of them")
            stages.append(({key: value for key, value in values.items() if value is not None}, links))
        return stages

    def _behind(self, at: At, name: str) -> Source | None:
        """The link of a number, past nodes that give it on."""
        origin = self.wires.origin(at, name)
        return self._source(origin)

    def _compare(self, samplers: list[At], name: str) -> None:
        for index, at in enumerate(samplers):
            if not self.wires.same(at, name, samplers[-1], name) and (
                self.wires.linked(at, name) or self._value(at, name) != self._value(samplers[-1], name)
            ):
                self._note(index, f"its sampler's {name} differs from that of the last clip, which the story takes")

    def _between(self) -> None:
        """Say what stood between the clips and has no place in a story."""
        for index, clip in enumerate(self.chain[1:], start=1):
            origin = clip.lead
            for _ in range(1000):
                if origin is None or origin.type in ("WanVideoDecode", "WanVideoSampler"):
                    break
                if origin.type not in ("WanVideoSVIStitch", "ImageBatchMulti", "GetImageSizeAndCount"):
                    node = origin.at.node
                    self._note(index, f"{node.title} (node {node.id}) worked on the video before it; a story has none")
                origin = self.clips.tail(origin.at)


def _key(encoder: Origin | dict[str, Any]) -> Any:
    return tuple(sorted(encoder.items())) if isinstance(encoder, dict) else encoder


def _trimmed(prompt: str) -> str:
    return "\n".join(line.strip() for line in prompt.splitlines()).strip()
