"""Which tensors of a LoRA file the two loaders take, by their names.

A loader passes over what it has no name for: its log says "lora key not loaded", and the video is as without the LoRA.
Sources: ComfyUI 0.33.0 (comfy/lora.py, lora_convert.py, weight_adapter), and WanVideoWrapper 088128b, which renames the
tensors and gives them to the same code (nodes_model_loading.py, standardize_lora_key_format). The tests in a real host
run both on every row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

Loader = Literal["wrapper", "native"]
LOADERS: dict[Loader, str] = {"wrapper": "WanVideoWrapper", "native": "ComfyUI's own loader (Load LoRA)"}

# Layers as the Wan model names them, which diffusers' names are not: with dots, and with underscores for dots.
_LAYER = r"(?!.*(?:\.attn[12]\.|\.ffn\.net\.))[\w.]+?"
_FLAT = r"(?!.*(?:_attn[12]_|_ffn_net_|_modulation))\w+?"
_DIFFUSERS = r"blocks\.\d+\.attn[12]\.(?:to_[qkv]|to_out\.0)"

# What stands behind a layer's name.
_PAIR = (
    r"\.lora_[AB](?:\.default)?\.weight|\.lora_(?:down|up)\.weight|\.lora_[AB]|\.lora\.(?:down|up)\.weight"
    r"|\.lora_linear_layer\.(?:down|up)\.weight|\.alpha"
)
_MORE = r"_lora\.(?:down|up)\.weight|\.diff|\.diff_b|\.dora_scale|\.(?:lokr|hada)_\w+"
_RENAMED = r"\.lora_(?:down|up)\.default\.weight"  # the wrapper takes .default out of every name

_DOTTED = r"(?:pipe\.dit\.|base_model\.model\.(?!diffusion_model\.)|transformer\.|diffusion_model\.)"
_BLOCKS = r"(?:vace_)?blocks\."
_TAKEN: dict[Loader, tuple[str, ...]] = {
    "native": (
        rf"diffusion_model\.{_LAYER}(?:{_PAIR}|{_MORE})",
        rf"lora_unet_(?!_){_FLAT}(?:{_PAIR}|{_MORE})",
    ),
    "wrapper": (
        rf"(?:{_DOTTED}|(?={_BLOCKS})){_LAYER}(?:{_PAIR}|{_RENAMED}|{_MORE})",
        rf"(?:{_DOTTED}|(?={_BLOCKS})){_BLOCKS}\d+\.diff_m|lycoris_blocks_\d+\.diff_m",
        rf"(?:{_DOTTED})?{_DIFFUSERS}(?:{_PAIR}|{_RENAMED}|\.diff|\.diff_b|\.dora_scale|\.(?:lokr|hada)_\w+)",
        rf"lora_unet_(?!_){_FLAT}(?:{_PAIR}|{_RENAMED}|{_MORE})",
        rf"lora_unet__(?!.*_attn_norm_)blocks_{_FLAT}(?:{_PAIR}|{_RENAMED})",
        rf"lora_unet__(?!patch_embedding|.*blocks_){_FLAT}(?:{_PAIR}|{_RENAMED}|_lora\.(?:down|up)\.weight)",
        rf"lycoris_blocks_\d+_(?:(?:self|cross)_attn_\w+?|ffn_net_(?:0_proj|2))(?:{_PAIR}|{_RENAMED}|{_MORE})",
        # Stand-In and UniAnimate, which its model loader has branches of their own for.
        rf"(?:{_DOTTED})?blocks\.\d+\.self_attn\.[qkv]_loras\.(?:down|up)\.weight",
        r"(?:dwpose_embedding|randomref_embedding_pose)\.[\w.]+",
    ),
}
_PATTERNS = {loader: re.compile("|".join(rows)) for loader, rows in _TAKEN.items()}
# ComfyUI takes VideoX-Fun's names for a file that has this tensor.
_FUN_TENSOR, _FUN_PREFIX = "lora_unet__blocks_0_cross_attn_k.lora_down.weight", "lora_unet__"


def takes(loader: Loader, keys: Collection[str]) -> list[str]:
    """Those of a file's tensors that a loader takes. keys: all of its names."""
    known = _PATTERNS[loader]
    fun = loader == "native" and _FUN_TENSOR in keys
    return [key for key in keys if known.fullmatch(_as_kohya(key) if fun else key)]


def _as_kohya(key: str) -> str:
    return key.replace(_FUN_PREFIX, _FUN_PREFIX[:-1], 1) if key.startswith(_FUN_PREFIX) else key


def ignored(loader: Loader, keys: Collection[str]) -> tuple[str, ...]:
    """Those of a file's tensors that a loader passes over."""
    taken = set(takes(loader, keys))
    return tuple(key for key in keys if key not in taken)


def describe_loaders(lost: Mapping[Loader, Sequence[str]], tensors: int) -> str:
    """Who takes a file of so many tensors. lost: those that each loader passes over."""
    if not any(lost.values()):
        return f"{' and '.join(LOADERS.values())} take every tensor"
    said = [
        describe_ignored(loader, lost[loader], tensors) if lost[loader] else f"{title} takes every tensor"
        for loader, title in LOADERS.items()
    ]
    return "; ".join(said)


def describe_ignored(loader: Loader, lost: Sequence[str], tensors: int) -> str:
    """What a loader passes over of a file of so many tensors, and what that means."""
    whole = len(lost) == tensors
    many = f"all {tensors}" if whole else f"{len(lost)} of {tensors}"
    said = f"{LOADERS[loader]} ignores {many} tensors, like {lost[0][:100]}"
    if not whole:
        return said
    return (
        f"{said}: the video comes out as without this LoRA, and no error says so (it needs diffusion_model.blocks...)"
    )
