"""What a chain's clips are made from beside text: sizes, images and CLIP vision."""

from __future__ import annotations

from typing import Any

from ..find.wires import At, Origin
from ..model.scope import Source
from .reading import Reading, declared, said, some

PRO = "WanVideoSVILatentEmbeds"
_VISION = ("strength_1", "strength_2", "crop", "combine_embeds", "force_offload", "tiles", "ratio")
# What the story's node leaves at its default, and what the wrapper's defaults are. strength_2 is of image_2 only.
_VISION_PLAIN = {"strength_1": 1, "crop": "center", "combine_embeds": "average", "tiles": 0}
_ENCODE = ("enable_vae_tiling", "tile_x", "tile_y", "tile_stride_x", "tile_stride_y")
_ANCHOR = (*_ENCODE, "noise_aug_strength", "latent_strength")
_ANCHOR_PLAIN = {"noise_aug_strength": 0, "latent_strength": 1}
_MAX_STEPS = 1000


def read_size(reading: Reading, name: str) -> tuple[Any, Source | None]:
    """Width or height: a value, or where it comes from."""
    found: list[tuple[int, At]] = []
    for index, at in enumerate(reading.embeds):
        origin = reading.wires.origin(at, name)
        # A later clip may measure the video before it, which is as large and which the story makes itself.
        if at.node.type != PRO and (origin is None or origin.at.node not in reading.fed):
            found.append((index, at))
    for index, at in (*found[1:], *found[:1]):
        value = reading.value(index, at, name)
        source = reading.link(index, at, name) if value is None else None
        if value is None and source is None:
            continue
        others = [i for i, other in found if not reading.wires.same(other, name, at, name)]
        if others:
            reading.note(others[0], f"{some(others)} had another {name} than clip {index + 1}; the story has one")
        return value, source
    anchor = _anchor(reading)
    image = reading.wires.origin(anchor, "image") if anchor else None
    if image and image.type == "ImageResizeKJv2" and not image.at.path:
        return None, Source(image.at.node.id, 1 if name == "width" else 2)
    reading.note(0, f"the graph does not say the clips' {name}: set it in the node")
    return None, None


def _anchor(reading: Reading) -> At | None:
    """The node that encodes a Pro chain's anchor. Raises SVIError when there is no one anchor."""
    found: list[tuple[int, At]] = []
    for index, at in enumerate(reading.embeds):
        if at.node.type != PRO:
            continue
        encoded = reading.wires.origin(at, "anchor_samples")
        if encoded is None or encoded.type != "WanVideoEncode":
            raise reading.refuse(index, "its anchor does not come from WanVideo Encode")
        found.append((index, encoded.at))
    if not found:
        return None
    first, anchor = found[0]
    for index, at in found:
        if reading.wires.origin(at, "image") != reading.wires.origin(anchor, "image"):
            raise reading.refuse(index, f"its anchor is another image than that of clip {first + 1}", at.node)
        for name, plain in _ANCHOR_PLAIN.items():
            if reading.wires.linked(at, name) or declared(at, _ANCHOR).get(name, plain) != plain:
                raise reading.refuse(index, f"{name} of its anchor is not {plain}", at.node)
        if reading.wires.linked(at, "mask"):
            raise reading.refuse(index, "its anchor has a mask", at.node)
    return anchor


def read_images(reading: Reading) -> dict[str, Source | None]:
    """The start image and the reference."""
    wires, anchor, first = reading.wires, _anchor(reading), reading.embeds[0]
    if wires.linked(first, "prev_samples"):
        raise reading.refuse(0, "it continues from samples of something that is not a clip")
    begins = (anchor, "image") if anchor and first.node.type == PRO else (first, "start_image")
    start = wires.origin(*begins)
    found = {"start_image": reading.link(0, *begins)}
    if found["start_image"] is None:
        reading.note(0, "it has no start image: connect one to the story's node")
    say_loaded(reading, start)
    if anchor and (image := wires.origin(anchor, "image")) != start and image is not None:
        found["ref_image"] = reading.link(0, anchor, "image")
        return found
    references: list[tuple[int, Origin]] = []
    for index, at in enumerate(reading.embeds):
        origin = wires.origin(at, "ref_image") if at.node.type == "WanVideoSVIEmbeds" else None
        if origin is not None and reading.clips.made(origin) is not None:
            reading.note(index, "its reference was a frame of the video; in the story it is the start image itself")
        elif origin is not None:
            references.append((index, origin))
    if len({origin for _, origin in references}) > 1:
        reading.note(
            references[0][0], "the clips have different reference images; the story has one, of the first that has it"
        )
    if references and references[0][1] != start:
        index = references[0][0]
        found["ref_image"] = reading.link(index, reading.embeds[index], "ref_image")
    return found


def say_loaded(reading: Reading, start: Origin | None) -> None:
    """Say that a video which the chain continues from is not part of the reel, where one is loaded."""
    if start and (loader := _loaded_video(reading, start)):
        reading.note(
            0, f"{said(loader.node)} loads a video that the chain continues from: the story starts from its last "
            "frames, and the loaded video itself is not part of the reel",
        )  # fmt: skip


def _loaded_video(reading: Reading, start: Origin) -> At | None:
    """The node that loads the video that the chain continues from."""
    origin: Origin | None = start
    for _ in range(_MAX_STEPS):
        if origin is None or "loadvideo" in origin.type.lower():
            return origin.at if origin else None
        if origin.type == "GetVideoComponents":
            origin = reading.wires.origin(origin.at, "video")
        else:
            origin = reading.clips.tail(origin.at)
    return None


def read_clip_vision(reading: Reading) -> Source | None:
    """The CLIP vision model. Raises SVIError for embeds of it that a story does not make."""
    wires = reading.wires
    encoded: list[tuple[int, At]] = []
    for index, at in enumerate(reading.embeds):
        if not wires.linked(at, "clip_embeds"):
            continue
        origin = wires.origin(at, "clip_embeds")
        if origin is None:  # muted: the clip had none
            continue
        if origin.type != "WanVideoClipVisionEncode":
            raise reading.refuse(index, f"its clip_embeds come from {said(origin.at.node)}")
        if any(each.node.type == PRO for each in reading.embeds):
            raise reading.refuse(index, "it has clip_embeds, and in a chain of mode svi2_pro no clip has")
        encoded.append((index, origin.at))
        _check_vision(reading, index, origin.at)
    if not encoded:
        return None
    having = [index for index, _ in encoded]
    if len(having) < len(reading.chain):
        lacking = [index for index in range(len(reading.chain)) if index not in having]
        reading.note(lacking[0], f"{some(lacking)} had no clip_embeds; in the story every clip has")
    index, last = encoded[-1]
    models = {wires.origin(at, "clip_vision") for _, at in encoded}
    if len(models) > 1:
        reading.note(index, f"the clips have different CLIP vision models; the story has that of clip {index + 1}")
    return reading.link(index, last, "clip_vision")


def _check_vision(reading: Reading, index: int, at: At) -> None:
    """Say what of a CLIP vision node the story does otherwise."""
    wires, saved = reading.wires, declared(at, _VISION)
    lost = [name for name in ("image_2", "negative_image") if wires.linked(at, name)]
    plain = {**_VISION_PLAIN, **({"strength_2": 1} if "image_2" in lost else {})}
    for name, value in plain.items():
        if wires.linked(at, name) or saved.get(name, value) != value:
            lost.append(f"{name} {saved[name]}" if name in saved and not wires.linked(at, name) else name)
    if lost:
        reading.note(index, f"{said(at.node)} has {', '.join(lost)}, which a story has not")
    image = wires.origin(at, "image_1")
    follows = reading.clips.made(image) if image else None
    expected = reading.chain[index].before if index else None
    same = follows is expected if index else image == wires.origin(reading.embeds[0], "start_image")
    if not same:
        reading.note(index, f"{said(at.node)} sees another image; in the story it is the first that leads the clip")
