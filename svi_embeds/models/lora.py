"""What a LoRA file says about itself, from its safetensors header alone: no tensor is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Literal

from ..errors import SVIError
from ..files.header import read_header
from ..ground.words import shorten
from .loaders import LOADERS, Loader, describe_ignored, describe_loaders, ignored, takes
from .names import (
    SVI_ON_CONTROL,
    WAN22_HIGH,
    Noise,
    Purpose,
    Version,
    base_name,
    is_pusa,
    noise_stage,
    purpose,
    wan_version,
)

Sureness = Literal["sure", "likely", "unknown"]

# Naming schemes: what stands before the layer's name. Order matters: the first that fits counts.
_PREFIXES: tuple[tuple[str, str], ...] = (
    ("pipe.dit (DiffSynth)", r"pipe\.dit\."),
    ("base_model.model (PEFT)", r"base_model\.model\.(?:diffusion_model\.)?"),
    ("diffusion_model (ComfyUI)", r"(?:model\.)?diffusion_model\."),
    ("transformer (diffusers)", r"transformer\."),
    ("lora_unet__ (VideoX-Fun)", r"lora_unet__"),
    ("lora_unet_ (kohya, musubi)", r"lora_unet_"),
    ("lycoris", r"lycoris_"),
    ("bare layer names", r"(?=(?:vace_)?blocks[._]|patch_embedding|head\.|img_emb|text_emb|time_)"),
)
_MATRIX = (
    r"\.lora_{ab}(?:(?:\.\w+)?\.weight)?|\.lora_{side}(?:\.\w+)?\.weight|[._]lora\.{side}\.weight"
    r"|_loras\.{side}\.weight|\.lora_linear_layer\.{side}\.weight"
)
_WEIGHTS: tuple[tuple[str, str], ...] = (
    ("down", _MATRIX.format(ab="A", side="down")),
    ("up", _MATRIX.format(ab="B", side="up")),
    ("alpha", r"\.alpha"),
    ("diff", r"\.diff(?:_[bm])?|\.dora_scale|\.lokr_\w+|\.hada_\w+|\.bias|\.weight"),
)
_KEY = re.compile(
    "(?:" + "|".join(f"(?P<p{i}>{p})" for i, (_, p) in enumerate(_PREFIXES)) + ")(?P<layer>.*?)"
    "(?:" + "|".join(f"(?P<{name}>{p})" for name, p in _WEIGHTS) + ")"
)  # fmt: skip
# Layer names of other schemes as the Wan model's own.
_RENAMES = (
    (r"^(vace_)?blocks_(\d+)_", r"\1blocks.\2."), (r"(self_attn|cross_attn)_", r"\1."), (r"(?<=\.)ffn_", "ffn."),
    (r"\.attn1\.", ".self_attn."), (r"\.attn2\.", ".cross_attn."), (r"to_out[._]0", "o"), (r"to_([qkv])\b", r"\1"),
    (r"add_([kv])_proj", r"\1_img"), (r"ffn[._]net[._]0[._]proj", "ffn.0"), (r"ffn[._]net[._](\d)", r"ffn.\1"),
)  # fmt: skip
_BLOCK = re.compile(r"^(vace_)?blocks\.(\d{1,4})\.(.+)$")

_TITLE = 200  # characters of a title that are looked at: the patterns take the cube of its length
_FAMILIES = {5120: "14B", 3072: "5B", 1536: "1.3B"}  # model width
_BLOCKS = {"14B": 40, "5B": 30, "1.3B": 30}


@dataclass(frozen=True, slots=True, repr=False)
class LoraFacts:
    """What a LoRA is. naming: how its layers are called. ranks: each with the number of layers that have it.

    targets: kinds of layers that it changes. blocks: how many of the model's blocks. width: the model's, 0 when no
    layer tells. family: 14B, 5B, 1.3B or "". image_attention: it has layers that only Wan 2.1 image-to-video models
    have. version_sure, purpose_sure: whether layers or metadata say so (sure) or the file name alone (likely).
    tensors: how many there are. ignored: those that each loader passes over.
    """

    path: str
    naming: str
    ranks: Mapping[int, int]
    targets: tuple[str, ...]
    blocks: int
    width: int
    image_attention: bool
    version: Version | None
    version_sure: Sureness
    noise: Noise | None
    purpose: Purpose | None
    purpose_sure: Sureness
    tensors: int
    ignored: Mapping[Loader, tuple[str, ...]]
    unread: tuple[str, ...]  # keys in no known scheme
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        return base_name(self.path)

    @property
    def family(self) -> str:
        return _FAMILIES.get(self.width, "")

    @property
    def base(self) -> str:
        """The model it goes with, as far as can be determined."""
        parts = [f"Wan {self.version} ({self.version_sure})" if self.version else "Wan", self.family or "size unknown"]
        if self.image_attention:
            parts.append("image-to-video")
        if self.noise:
            parts.append(f"{self.noise} noise")
        return ", ".join(parts)

    @property
    def rank(self) -> str:
        """The rank, or the most common one and the range."""
        if not self.ranks:
            return "none"
        common = max(self.ranks, key=lambda r: self.ranks[r])
        span = f" ({min(self.ranks)} to {max(self.ranks)})" if len(self.ranks) > 1 else ""
        return f"{common}{span}"

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes whose recipe goes with it."""
        if self.purpose is None:
            return ()
        other = {"2.1": "wan22", "2.2": "wan21"}.get(self.version or "", "no version")
        return tuple(mode for mode in self.purpose.modes if not mode.endswith(other))

    def __repr__(self) -> str:
        what = self.purpose.title if self.purpose else "unknown"
        return f"LoraFacts({self.name}: {what}, {self.base}, rank {self.rank}, {self.blocks} blocks)"


def read_lora(path: str | PathLike[str]) -> LoraFacts:
    """Read a LoRA's header. Raises SVIError when there is none, or no LoRA in it."""
    path = Path(path)
    try:
        header = read_header(path)
    except OSError as error:
        raise SVIError(f"{path.name} cannot be read: {error}") from error
    except ValueError as error:
        raise SVIError(
            f"{path.name} is not a safetensors file, or is damaged ({error}): download it again, and take a LoRA in "
            ".safetensors format"
        ) from error
    return lora_facts(str(path), header.shapes, header.metadata)


def lora_facts(path: str, shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str]) -> LoraFacts:
    """What a LoRA's keys, shapes and metadata say. Raises SVIError when no key belongs to a LoRA of a Wan model."""
    schemes: Counter[str] = Counter()
    ranks: Counter[int] = Counter()
    layers: dict[str, tuple[int, ...]] = {}
    unread = []
    for key, shape in shapes.items():
        found = _KEY.fullmatch(key)
        if found is None:
            unread.append(key)
            continue
        scheme = next(name for i, (name, _) in enumerate(_PREFIXES) if found[f"p{i}"] is not None)
        layer = _canonical(found["layer"])
        if found["down"]:
            schemes[scheme] += 1
            layers[layer] = shape
            if shape:
                ranks[shape[0]] += 1
        elif found["up"]:
            layers.setdefault(layer, ())
        elif found["diff"] and not found["diff"].startswith(".weight"):
            schemes[scheme] += 1
            layers.setdefault(layer, ())
    if not schemes:
        kind = "a full model" if any(key.endswith("self_attn.q.weight") for key in shapes) else "no LoRA"
        raise SVIError(
            f"{base_name(path)} is {kind}: none of its {len(shapes)} tensors is a LoRA's of a Wan model"
            f"{f' (the first is {next(iter(shapes))[:100]})' if shapes else ''}"
        )
    blocks = {int(m[2]) for layer in layers if (m := _BLOCK.match(layer)) and not m[1]}
    image = any("k_img" in layer or "v_img" in layer or layer.startswith("img_emb") for layer in layers)
    version, version_sure = _version(path, metadata, image=image)
    found_purpose, purpose_sure = _purpose(path, metadata)
    facts = LoraFacts(
        path=path, naming=schemes.most_common(1)[0][0], ranks=dict(ranks), targets=_targets(layers),
        blocks=len(blocks), width=_width(layers), image_attention=image, version=version, version_sure=version_sure,
        noise=noise_stage(path), purpose=found_purpose, purpose_sure=purpose_sure, tensors=len(shapes),
        ignored={loader: ignored(loader, shapes) for loader in LOADERS}, unread=tuple(unread), problems=(),
    )  # fmt: skip
    return _with_problems(facts, schemes=len(schemes), attn1=any(".attn1." in key for key in takes("wrapper", shapes)))


def _canonical(layer: str) -> str:
    for pattern, replacement in _RENAMES:
        layer = re.sub(pattern, replacement, layer)
    return layer


def _targets(layers: Iterable[str]) -> tuple[str, ...]:
    """Layers without their block number: self_attn.q, ffn.0, ..."""
    kinds = Counter(f"{m[1] or ''}{m[3]}" if (m := _BLOCK.match(layer)) else layer for layer in layers)
    return tuple(sorted(kinds))


def _width(layers: Mapping[str, tuple[int, ...]]) -> int:
    """The model's width: what attention layers take in."""
    widths = Counter(
        shape[1] for layer, shape in layers.items()
        if len(shape) == 2 and re.search(r"(?:self_attn|cross_attn)\.(?:q|k|v|o|k_img|v_img)$|ffn\.0$", layer)
    )  # fmt: skip
    return widths.most_common(1)[0][0] if widths else 0


def _version(path: str, metadata: Mapping[str, str], *, image: bool) -> tuple[Version | None, Sureness]:
    if image:
        return "2.1", "sure"  # Wan 2.2 image-to-video has no image cross-attention
    if found := wan_version(path):
        return found, "likely"
    said = " ".join(value for key, value in metadata.items() if "model" in key.lower() or "base" in key.lower())
    found = wan_version(said[:500].replace("/", " "))
    return found, ("likely" if found else "unknown")


def _purpose(path: str, metadata: Mapping[str, str]) -> tuple[Purpose | None, Sureness]:
    for key in ("ss_output_name", "modelspec.title", "name", "title"):
        if (said := metadata.get(key, "")[:_TITLE]) and (found := purpose(said)):
            return found, "sure"
    found = purpose(path)
    return found, ("likely" if found else "unknown")


def _with_problems(facts: LoraFacts, *, schemes: int, attn1: bool) -> LoraFacts:
    problems = []
    if attn1:
        problems.append(
            "diffusers layer names: the wrapper takes attn1 (self-attention) for cross-attention; convert the file to "
            "diffusion_model. names first"
        )
    if schemes > 1:
        problems.append("layers are named in more than one scheme: was it merged from several files?")
    if facts.unread:
        problems.append(f"{len(facts.unread)} tensors are in no known scheme, like {facts.unread[0][:100]}")
    if lost := facts.ignored["wrapper"]:
        problems.append(describe_ignored("wrapper", lost, facts.tensors))
    if facts.width and not facts.family:
        problems.append(f"made for a model {facts.width} wide; Wan models are {', '.join(map(str, _FAMILIES))} wide")
    whole = _BLOCKS.get(facts.family, 0)
    if whole and facts.blocks > whole:
        problems.append(f"changes {facts.blocks} blocks, Wan {facts.family} has {whole}")
    by_name = wan_version(facts.path)
    if facts.version_sure == "sure" and by_name and by_name != facts.version:
        problems.append(f"named Wan {by_name}, but it changes image cross-attention, which only Wan 2.1 has")
    return replace(facts, problems=tuple(problems))


def describe_lora(facts: LoraFacts) -> list[tuple[str, str]]:
    """What a LoRA is, which recipe goes with it and what it must not meet: what a line is of, and what it says."""
    what = (
        f"{facts.purpose.title} ({facts.purpose_sure})" if facts.purpose else "no SVI, Pusa or distill LoRA by its name"
    )
    lines = [
        ("what", what),
        ("goes with", facts.base),
        ("mode", ", ".join(facts.modes) or "none of its own"),
        ("rank", facts.rank),
        ("layers", f"{shorten(', '.join(facts.targets), 1000)} in {facts.blocks} blocks"),
        ("named as", facts.naming),
        ("loaders", describe_loaders(facts.ignored, facts.tensors)),
    ]
    lines += [("must not meet", item) for item in avoid(facts)]
    return lines + [("problem", item) for item in facts.problems]


def avoid(facts: LoraFacts) -> tuple[str, ...]:
    """What a LoRA must not meet."""
    items = list(facts.purpose.avoid) if facts.purpose else []
    if facts.purpose and facts.purpose.is_svi:
        items.append(f"Fun Control models: {SVI_ON_CONTROL}")
    if facts.version == "2.1":
        items.append(WAN22_HIGH + (" (reported to work: Pusa rank 512 on HoloCine)" if is_pusa(facts.path) else ""))
    if facts.noise:
        items.append(f"the {'low' if facts.noise == 'high' else 'high'} noise model")
    if facts.family:
        items.append(f"models of another size than {facts.family}")
    return tuple(items)
