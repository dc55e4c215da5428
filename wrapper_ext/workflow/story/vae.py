"""With what a chain's clips are encoded and decoded: the VAE, and whether in tiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..find.native import NATIVE_DECODES
from ..find.wires import At
from ..model.scope import Source
from .images import PRO
from .reading import Reading, declared, said, some

_ENCODE = ("enable_vae_tiling", "tile_x", "tile_y", "tile_stride_x", "tile_stride_y")
_DECODE = (*_ENCODE, "normalization")
_TILES = {"tile_x": 272, "tile_y": 272, "tile_stride_x": 144, "tile_stride_y": 128}
NATIVE_ENCODES = ("VAEEncode", "VAEEncodeTiled")
NATIVE_TILES = {"tile_size": 256, "overlap": 64, "temporal_size": 4096, "temporal_overlap": 8}  # of the native engine

Coder = tuple[int, At]  # of which clip, and the node


def read_vae(reading: Reading) -> Source | None:
    """The clips' VAE: that of the last one."""
    wires = reading.wires
    takers: list[Coder] = []
    for index, at in enumerate(reading.embeds):
        encoded = wires.origin(at, "anchor_samples")
        takers.append((index, encoded.at if encoded and at.node.type == PRO else at))
    takers = [(index, at) for index, at in takers if wires.linked(at, "vae")]
    return _one(reading, takers, _decoders(reading, ("WanVideoDecode",)))


def read_native_vae(reading: Reading, encoders: list[Coder]) -> Source | None:
    """The same of native clips. encoders: what encodes their anchors."""
    return _one(reading, encoders, _decoders(reading, NATIVE_DECODES))


def _one(reading: Reading, takers: list[Coder], decoders: list[Coder]) -> Source | None:
    wires = reading.wires
    takers = takers or decoders
    if not takers:
        return None
    index, last = takers[-1]
    own = wires.origin(last, "vae")
    other = [i for i, at in (*takers, *decoders) if not reading.alike(wires.origin(at, "vae"), own)]
    if other:
        clips = some(sorted(set(other)))
        reading.note(other[0], f"{clips} had another VAE to encode or decode with than the story, which has one")
    return reading.link(index, last, "vae")


def _decoders(reading: Reading, kinds: tuple[str, ...]) -> list[Coder]:
    """The nodes that decode each clip."""
    found: list[Coder] = []
    for index, clip in enumerate(reading.chain):
        sampler = clip.samplers[-1]
        uses = reading.wires.uses_through(sampler.node, 0)
        nodes = [use.node for use in uses if use.node and use.node.type in kinds and use.node.mode == 0]
        found += [(index, At(sampler.path, node)) for node in dict.fromkeys(nodes)]
    return found


def read_tiling(reading: Reading) -> bool:
    """Whether every clip was encoded and decoded in tiles; says what is lost when only some were."""
    tiled: list[tuple[int, bool]] = []
    for index, at in enumerate(reading.embeds):
        encoded = reading.wires.origin(at, "anchor_samples") if at.node.type == PRO else None
        if encoded:
            tiled.append((index, declared(encoded.at, _ENCODE).get("enable_vae_tiling") is True))
        elif at.node.type != PRO:
            tiled.append((index, reading.value(index, at, "tiled_vae") is True))
    for index, decode in _decoders(reading, ("WanVideoDecode",)):
        values = declared(decode, _DECODE)
        on = values.get("enable_vae_tiling") is True
        tiled.append((index, on))
        _say_lost(reading, index, decode, values, {"normalization": "default", **(_TILES if on else {})})
    return _everywhere(reading, tiled)


def read_native_tiling(reading: Reading, encoders: list[Coder]) -> bool:
    """The same of native clips. encoders: what encodes their anchors."""
    tiled: list[tuple[int, bool]] = []
    for index, at in (*encoders, *_decoders(reading, NATIVE_DECODES)):
        on = at.node.type.endswith("Tiled")
        tiled.append((index, on))
        if on:
            _say_lost(reading, index, at, declared(at, tuple(NATIVE_TILES)), NATIVE_TILES)
    return _everywhere(reading, tiled)


def _say_lost(reading: Reading, index: int, at: At, values: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """kept: what a story has."""
    lost = [f"{name} {values[name]}" for name, plain in kept.items() if values.get(name, plain) != plain]
    if lost:
        did = "encoded" if "Encode" in at.node.type else "decoded"
        reading.note(index, f"{said(at.node)} {did} it with {', '.join(lost)}, which a story has not")


def _everywhere(reading: Reading, tiled: list[tuple[int, bool]]) -> bool:
    some_are = sorted({index for index, on in tiled if on})
    every = all(on for _, on in tiled)
    if some_are and not every:
        reading.note(
            some_are[0], f"{some(some_are)} used VAE tiles, but not for all encoding and decoding of the chain; the "
            "story uses none: turn tiled_vae on if memory is short",
        )  # fmt: skip
    return bool(tiled) and every
