"""The table of names that LoRA loaders take, held against both loaders."""

from __future__ import annotations

import itertools
import json

import pytest
from host.comfyui import Comfy
from host.graphs import Builder
from wanvideo_svi.svi_embeds.models.loaders import LOADERS, ignored

DOTTED = ("pipe.dit.", "base_model.model.", "base_model.model.diffusion_model.", "diffusion_model.",
          "model.diffusion_model.", "transformer.", "")  # fmt: skip
FLAT = ("lora_unet__", "lora_unet_", "lycoris_")  # dots of a layer's name are underscores
OWN = (
    "blocks.0.self_attn.q", "blocks.0.cross_attn.k", "blocks.1.cross_attn.k_img", "blocks.1.ffn.0", "blocks.0.norm3",
    "blocks.0.self_attn.norm_q", "head.head", "patch_embedding", "time_embedding.0", "text_embedding.2",
    "time_projection.1", "img_emb.proj.1",
)  # fmt: skip
DIFFUSERS = (
    "blocks.0.attn1.to_q", "blocks.0.attn2.to_k", "blocks.0.attn1.to_out.0", "blocks.0.attn2.add_k_proj",
    "blocks.0.ffn.net.0.proj", "blocks.0.ffn.net.2",
)  # fmt: skip
PAIRS = (
    (".lora_A.weight", ".lora_B.weight"), (".lora_A.default.weight", ".lora_B.default.weight"),
    (".lora_A.svi.weight", ".lora_B.svi.weight"), (".lora_A", ".lora_B"),
    (".lora_down.weight", ".lora_up.weight"), (".lora_down.default.weight", ".lora_up.default.weight"),
    (".lora.down.weight", ".lora.up.weight"), ("_lora.down.weight", "_lora.up.weight"),
    (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
)  # fmt: skip
WITH = (
    (".lora_down.weight", ".lora_up.weight", ".alpha"), (".lora_down.weight", ".lora_up.weight", ".dora_scale"),
    (".lokr_w1", ".lokr_w2"), (".hada_w1_a", ".hada_w1_b", ".hada_w2_a", ".hada_w2_b"), (".diff",),
)  # fmt: skip
# By this tensor ComfyUI knows a file of VideoX-Fun's.
MARKED = "lora_unet__blocks_0_cross_attn_k"
MARK = [f"{MARKED}.lora_down.weight", f"{MARKED}.lora_up.weight"]


def names(prefix: str, layer: str, endings: tuple[str, ...]) -> list[str]:
    stem = prefix + (layer.replace(".", "_") if prefix in FLAT else layer)
    return [stem + ending for ending in endings]


def small_files() -> list[list[str]]:
    """A layer each, in every scheme and in every way to write what belongs to it."""
    found = [
        names(prefix, layer, endings)
        for prefix, layer, endings in itertools.product((*DOTTED, *FLAT), (*OWN, *DIFFUSERS), (*PAIRS, *WITH))
    ]
    # What a norm has no weight for, and what only some layers have.
    found += [names(prefix, "blocks.0.self_attn.q", (".diff_b",)) for prefix in (*DOTTED, *FLAT)]
    found += [names(prefix, "blocks.0", (".diff_m",)) for prefix in DOTTED]
    found += [names(prefix, "blocks.0.modulation", (".diff",)) for prefix in (*DOTTED, *FLAT)]
    # A file has each layer once.
    fun = [file for file in found if file[0].startswith("lora_unet__") and not file[0].startswith(MARKED)]
    return [*found, *([*file, *MARK] for file in fun)]


def asked(comfy: Comfy, files: list[list[str]], by: str) -> list[dict[str, int]]:
    build = Builder()
    build.dump(build.link("SVITestLoraNames", files=json.dumps(files), by=by), "names")
    comfy.run(build.graph)
    found: list[dict[str, int]] = json.loads(comfy.load("names")[""])
    return found


def compare(files: list[list[str]], counts: list[dict[str, int]]) -> None:
    wrong = [
        (loader, file, host[loader], len(ignored(loader, file)))
        for file, host in zip(files, counts, strict=True) for loader in LOADERS
        if host[loader] != len(ignored(loader, file))
    ]  # fmt: skip
    assert not wrong, f"{len(wrong)} of {2 * len(files)}, the first: loader, names, host, table: {wrong[:3]}"


def test_the_table_is_what_both_loaders_do_with_every_name(comfy: Comfy) -> None:
    files = small_files()
    counts = asked(comfy, files, "names")
    compare(files, counts)
    assert {loader: any(one[loader] == 0 for one in counts) for loader in LOADERS} == dict.fromkeys(LOADERS, True)


# A file as each trainer writes it: two blocks, all of their attention.
TRAINERS = {
    "SVI authors, DiffSynth trainer": ("", (".lora_A.default.weight", ".lora_B.default.weight")),
    "DiffSynth, UniAnimate": ("pipe.dit.", (".lora_A.default.weight", ".lora_B.default.weight")),
    "PEFT": ("base_model.model.", (".lora_A.weight", ".lora_B.weight")),
    "ComfyUI, kijai": ("diffusion_model.", (".lora_A.weight", ".lora_B.weight")),
    "musubi": ("lora_unet_", (".lora_down.weight", ".lora_up.weight", ".alpha")),
    "VideoX-Fun": ("lora_unet__", (".lora_down.weight", ".lora_up.weight", ".alpha")),
    "diffusers": ("transformer.", (".lora_A.weight", ".lora_B.weight")),
    "LyCORIS": ("lycoris_", (".lokr_w1", ".lokr_w2", ".alpha")),
}


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_loader_nodes_take_of_a_file_what_the_table_says(comfy: Comfy, trainer: str) -> None:
    prefix, endings = TRAINERS[trainer]
    layers = [
        f"blocks.{block}.{kind}.{layer}" for block in (0, 1) for kind in ("self_attn", "cross_attn") for layer in "qkvo"
    ]
    if trainer == "diffusers":
        layers = [f"blocks.{block}.attn{kind}.to_{layer}" for block in (0, 1) for kind in (1, 2) for layer in "qkv"]
    file = [name for layer in layers for name in names(prefix, layer, endings)]
    counts = asked(comfy, [file], "files")
    compare([file], counts)
    assert counts[0]["wrapper"] == 0
    assert counts[0]["native"] == (0 if prefix in ("diffusion_model.", "lora_unet_", "lora_unet__") else len(file))
