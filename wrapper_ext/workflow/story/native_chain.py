"""A chain of native Pro clips read into what WanVideo SVI Long Video (native) gets, and that node put in its place."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from ....svi_embeds.recipes import SVI2_PRO
from ....svi_embeds.timeline import FRAMES_PER_LATENT
from ..find.clips import Clip, Clips
from ..find.native import NATIVE_SAMPLERS
from ..find.wires import At, Origin, Wires
from ..model.definitions import Definition
from ..model.host_nodes import IMAGE_SIZE
from ..model.report import Finding
from ..model.scope import Node, Source
from ..rewrite.carry import position
from .blocks import Told, counted_seeds, say_next, tell, trimmed
from .ending import read_ending
from .images import say_loaded
from .native_pass import Pass
from .native_sampler import read_sampling, read_seeds
from .reading import Reading, said, some
from .sampler import Text
from .vae import NATIVE_ENCODES, Coder, read_native_tiling, read_native_vae

NATIVE_LONG_VIDEO = "WanVideoSVILongVideoNative"
_READ = (
    "positive", "negative", "length", "anchor_samples", "prev_samples", "motion_latent_count", "end_samples",
    "use_end_samples",
)  # fmt: skip


@dataclass(slots=True)
class NativeStory:
    """What the node gets. measured: the image that is as large as the clips, where no output of the graph says so."""

    values: dict[str, Any]
    sources: dict[str, Source | None]
    measured: Source | None = None
    findings: list[Finding] = field(default_factory=list)


def read_native_chain(wires: Wires, clips: Clips, chain: list[Clip], fed: Set[Node]) -> NativeStory:
    """fed: the nodes that the chain's clips feed. Raises SVIError, with clip and node, for what a story cannot say."""
    reading = Reading(wires, clips, chain, fed)
    overlaps = [_overlap(reading, index) for index in range(len(chain))]
    sampling = read_sampling(reading)
    texts = [_text(reading, index, clip[0]) for index, clip in enumerate(sampling.passes)]
    encoders = _anchors(reading)
    seeds = counted_seeds(reading, read_seeds(reading))
    told = [
        Told(text, SVI2_PRO.id, _frames(reading, index), overlaps[index], seeds[index], {"cfg": sampling.cfgs[index]})
        for index, text in enumerate(texts)
    ]
    values = tell(reading, told, SVI2_PRO.id, has_first=sampling.has_first) | sampling.values
    if len(chain) == 1:
        say_next(reading, f"they are of mode {SVI2_PRO.id}")
    blank = [index for index, text in enumerate(texts) if trimmed(text.positive) != text.positive]
    if blank:
        reading.note(blank[0], f"the prompt of {some(blank)} had blanks around its lines, which a story leaves out")
    if any(not reading.alike(text.made, texts[0].made) for text in texts):
        reading.note(0, "the clips have different text encoders; the story has one, that of clip 1")
    made = NativeStory(values, {"clip": _source(texts[0]), **sampling.sources})
    _read_images(reading, made, encoders[0][1], goes_on=overlaps[0] is not None)
    made.sources["vae"] = read_native_vae(reading, encoders)
    if read_native_tiling(reading, encoders):
        values["tiled_vae"] = True
    ending = read_ending(reading)
    made.sources["audio"] = ending.audio
    if ending.rate is not None:
        values["fps"] = ending.rate
    made.findings = reading.findings
    return made


def build_native(chain: list[Clip], story: NativeStory, own: Mapping[str, Definition]) -> Node:
    """Put the story's node where the first clip's stood. The clips' own nodes are left for `prune`."""
    scope, sources, definition = chain[0].embeds.node.scope, dict(story.sources), own[NATIVE_LONG_VIDEO]
    x, y = position(chain[0].embeds.node) or (0.0, 0.0)
    if story.measured is not None:
        measures = scope.add(IMAGE_SIZE, {}, (x - IMAGE_SIZE.size[0] - 60, y))
        scope.connect(story.measured, measures, "image", "IMAGE")
        sources |= {"width": Source(measures.id, 0), "height": Source(measures.id, 1)}
    node = scope.add(definition, {}, (x, y))
    scope.replace(node, definition, story.values, sources, {})
    return node


# The node that conditions a clip


def _overlap(reading: Reading, index: int) -> int | None:
    """Frames that a clip shares with what is before it; None for a first clip that begins with an image.

    Raises SVIError for a clip that is led in a way that a story has no word for.
    """
    at, wires, lead = reading.embeds[index], reading.wires, reading.chain[index].lead
    for name in at.node.scope.input_names(at.node):
        if name not in _READ:
            raise reading.refuse(index, f"{name} is connected")
    if wires.linked(at, "end_samples") and reading.value(index, at, "use_end_samples") is not False:
        raise reading.refuse(
            index, "it ends on end_samples: turn use_end_samples off, migrate, and write end=0 into its block, with "
            "the image at end_images",
        )  # fmt: skip
    motion = reading.number(index, at, "motion_latent_count")
    before = reading.chain[index].before
    if index == 0 and (lead is None or motion == 0):
        return None
    if motion == 0:
        raise reading.refuse(
            index, "motion_latent_count is 0, so that nothing of the clip before leads it: set it to 1"
        )
    if before is not None and lead != Origin(before.samplers[-1], 0):
        raise reading.refuse(
            index, f"its prev_samples come from {said(lead.at.node) if lead else 'nothing'}, not straight from the "
            "last sampler of the clip before",
        )  # fmt: skip
    return 1 + FRAMES_PER_LATENT * motion


def _frames(reading: Reading, index: int) -> int:
    """As many as its latents hold: 4k+1."""
    length = reading.number(index, reading.embeds[index], "length")
    return (length - 1) // FRAMES_PER_LATENT * FRAMES_PER_LATENT + 1


# Text


def _text(reading: Reading, index: int, each: Pass) -> Text:
    """Raises SVIError for a text that a story cannot say."""
    wires, pro = reading.wires, reading.embeds[index]
    encode = wires.origin(pro, "positive")
    positive = _prompt(reading, index, "positive", encode)
    assert encode is not None
    clip, made = reading.link(index, encode.at, "clip"), wires.origin(encode.at, "clip")
    if clip is None:
        raise reading.refuse(index, f"{said(encode.at.node)} has no clip", encode.at.node)
    other = wires.origin(pro, "negative")
    if each.cfg == 1 and other is not None and other.type != "CLIPTextEncode":
        if index == 0:
            reading.note(
                0, f"cfg is 1, where no negative prompt counts: that of the story is empty ({said(other.at.node)})"
            )
        return Text(positive, "", clip, made)
    negative = _prompt(reading, index, "negative", other)
    if other and each.cfg != 1 and not reading.alike(wires.origin(other.at, "clip"), made):
        raise reading.refuse(index, "its negative prompt has another text encoder than its prompt", other.at.node)
    return Text(positive, negative, clip, made)


def _prompt(reading: Reading, index: int, name: str, origin: Origin | None) -> str:
    if origin is None or origin.type != "CLIPTextEncode":
        what = said(origin.at.node) if origin else "nothing"
        raise reading.refuse(index, f"its {name} comes from {what}, not from CLIP Text Encode")
    text = reading.value(index, origin.at, "text")
    if not isinstance(text, str):
        raise reading.refuse(index, "its prompt is computed when the graph runs", origin.at.node)
    return text


def _source(text: Text) -> Source | None:
    return text.encoder if isinstance(text.encoder, Source) else None


# Images


def _anchors(reading: Reading) -> list[Coder]:
    """The nodes that encode each clip's anchor. Raises SVIError when there is no one anchor."""
    wires = reading.wires
    found: list[Coder] = []
    for index, at in enumerate(reading.embeds):
        encoded = wires.origin(at, "anchor_samples")
        if encoded is None or encoded.type not in NATIVE_ENCODES:
            what = said(encoded.at.node) if encoded else "nothing"
            raise reading.refuse(index, f"its anchor comes from {what}, not from VAE Encode")
        if found and not reading.alike(wires.origin(encoded.at, "pixels"), wires.origin(found[0][1], "pixels")):
            raise reading.refuse(index, "its anchor is another image than that of clip 1")
        found.append((index, encoded.at))
    return found


def _read_images(reading: Reading, made: NativeStory, anchor: At, *, goes_on: bool) -> None:
    """The images that the chain begins with, and the clips' size, which is that of their anchor.

    goes_on: whether the first clip goes on from the latents of a video.
    """
    wires = reading.wires
    image, source = wires.origin(anchor, "pixels"), reading.link(0, anchor, "pixels")
    if image is None or source is None:
        raise reading.refuse(0, f"{said(anchor.node)} has no image", anchor.node)
    _check_one(reading, image, anchor)
    made.sources["start_image"] = source
    if goes_on:
        made.sources |= {"start_image": _video(reading, wires.origin(reading.embeds[0], "prev_samples")),
                         "ref_image": source}  # fmt: skip
    if image.type == "ImageResizeKJv2" and not image.at.path:
        made.sources |= {"width": Source(image.at.node.id, 1), "height": Source(image.at.node.id, 2)}
    else:
        made.measured = source


def _check_one(reading: Reading, image: Origin, anchor: At) -> None:
    """Raises SVIError for an anchor that is several images for sure."""
    count = reading.clips.videos.of(image).length.number
    if count is not None and count != 1:
        raise reading.refuse(0, f"its anchor is made of {count} images, and that of a story of one", anchor.node)
    if count is None:
        reading.note(
            0,
            f"whether {said(image.at.node)} gives one image is not known before a run: the anchor of a story is one",
        )


def _video(reading: Reading, lead: Origin | None) -> Source | None:
    """The video whose last latents lead the first clip."""
    if lead is None or lead.type not in NATIVE_ENCODES:
        what = said(lead.at.node) if lead else "nothing"
        way = "a story continues a video, by VAE Encode"
        if lead and lead.type in NATIVE_SAMPLERS:
            way = "no WanImageToVideoSVIPro makes that clip (without prev_samples it makes a first one)"
        raise reading.refuse(0, f"it continues samples of {what}: {way}")
    video = reading.wires.origin(lead.at, "pixels")
    motion = reading.number(0, reading.embeds[0], "motion_latent_count")
    frames = reading.clips.videos.of(video).length.number if video else None
    if frames is not None and frames < 1 + FRAMES_PER_LATENT * motion:
        raise reading.refuse(
            0, f"motion_latent_count is {motion}, and prev_samples hold {frames} frame{'s' * (frames != 1)}: set it to "
            "0 where the clip begins with its anchor", lead.at.node,
        )  # fmt: skip
    say_loaded(reading, video)
    return reading.link(0, lead.at, "pixels")
