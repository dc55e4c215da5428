"""What LoRA files say about themselves."""

from __future__ import annotations

import json
import struct
import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.models.loaders import ignored
from wanvideo_svi.svi_embeds.models.lora import describe_lora, read_lora
from wanvideo_svi.svi_embeds.models.names import PURPOSES, noise_stage, purpose, wan_version
from wanvideo_svi.svi_embeds.recipes import MODES, RECIPES, SVI2_PRO
from wanvideo_svi.wrapper_ext.cli.main import main

Tensors = dict[str, torch.Tensor]


def lora(
    prefix: str, down: str, up: str, *, width: int = 5120, blocks: int = 40, rank: int = 4,
    layers: tuple[str, ...] = ("self_attn.q", "cross_attn.k"), underscores: bool = False, alpha: bool = False,
) -> Tensors:  # fmt: skip
    """A LoRA without memory behind it: every tensor is an expanded zero, saved in 8 bits."""
    made = {}
    for block in range(blocks):
        for layer in layers:
            name = f"blocks.{block}.{layer}"
            name = prefix + (name.replace(".", "_") if underscores else name)
            made[f"{name}.{down}"] = torch.zeros(rank, width, dtype=torch.uint8)
            made[f"{name}.{up}"] = torch.zeros(width, rank, dtype=torch.uint8)
            if alpha:
                made[f"{name}.alpha"] = torch.zeros(())
    return made


SCHEMES = {
    "diffusion_model (ComfyUI)": lora("diffusion_model.", "lora_A.weight", "lora_B.weight"),
    "diffusion_model (ComfyUI), down and up": lora(
        "diffusion_model.", "lora_down.weight", "lora_up.weight", alpha=True
    ),
    "pipe.dit (DiffSynth)": lora("pipe.dit.", "lora_A.default.weight", "lora_B.default.weight"),
    "bare layer names": lora("", "lora_A.default.weight", "lora_B.default.weight"),
    "base_model.model (PEFT)": lora("base_model.model.", "lora_A.weight", "lora_B.weight"),
    "lora_unet_ (kohya, musubi)": lora(
        "lora_unet_", "lora_down.weight", "lora_up.weight", underscores=True, alpha=True
    ),
    "lora_unet__ (VideoX-Fun)": lora("lora_unet__", "lora_down.weight", "lora_up.weight", underscores=True),
    "transformer (diffusers)": lora(
        "transformer.", "lora_A.weight", "lora_B.weight", layers=("attn1.to_q", "attn2.to_k")
    ),
    "lycoris": lora("lycoris_", "lora_down.weight", "lora_up.weight", underscores=True),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_naming_scheme_is_read_to_the_same_facts(scheme: str, tmp_path: Path) -> None:
    save_file(SCHEMES[scheme], tmp_path / "x.safetensors")
    facts = read_lora(tmp_path / "x.safetensors")
    assert facts.naming == scheme.partition(", down")[0]
    assert (facts.targets, facts.blocks, facts.rank, facts.width) == (("cross_attn.k", "self_attn.q"), 40, "4", 5120)
    assert (facts.family, facts.version, facts.purpose) == ("14B", None, None)
    assert facts.unread == ()


@pytest.mark.parametrize(("width", "blocks", "family"), [(5120, 40, "14B"), (3072, 30, "5B"), (1536, 30, "1.3B")])
def test_the_model_is_told_by_its_width(width: int, blocks: int, family: str, tmp_path: Path) -> None:
    tensors = lora("diffusion_model.", "lora_A.weight", "lora_B.weight", width=width, blocks=blocks, rank=2)
    save_file(tensors, tmp_path / "x.safetensors")
    facts = read_lora(tmp_path / "x.safetensors")
    assert (facts.family, facts.blocks, facts.problems) == (family, blocks, ())


def test_image_cross_attention_means_wan_21_image_to_video_for_sure(tmp_path: Path) -> None:
    layers = ("cross_attn.k_img", "cross_attn.v_img")
    save_file(lora("diffusion_model.", "lora_A.weight", "lora_B.weight", layers=layers), tmp_path / "x.safetensors")
    facts = read_lora(tmp_path / "x.safetensors")
    assert (facts.image_attention, facts.version, facts.version_sure) == (True, "2.1", "sure")
    assert facts.base == "Wan 2.1 (sure), 14B, image-to-video"
    save_file(
        lora("diffusion_model.", "lora_A.weight", "lora_B.weight", layers=layers), tmp_path / "wan2.2.safetensors"
    )
    assert "which only Wan 2.1 has" in read_lora(tmp_path / "wan2.2.safetensors").problems[0]


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    def problems(tensors: Tensors) -> str:
        save_file(tensors, tmp_path / "x.safetensors")
        return "; ".join(read_lora(tmp_path / "x.safetensors").problems)

    assert "attn1 (self-attention) for cross-attention" in problems(SCHEMES["transformer (diffusers)"])
    mixed = SCHEMES["pipe.dit (DiffSynth)"] | SCHEMES["bare layer names"]
    assert "more than one scheme" in problems(mixed)
    odd = lora("diffusion_model.", "lora_A.weight", "lora_B.weight", width=768, blocks=2)
    assert "768 wide; Wan models are 5120, 3072, 1536 wide" in problems(odd)
    assert "1 tensors are in no known scheme, like what" in problems(odd | {"what": torch.zeros(1)})
    deep = lora("diffusion_model.", "lora_A.weight", "lora_B.weight", blocks=48, rank=1)
    assert "changes 48 blocks, Wan 14B has 40" in problems(deep)


# What each loader passes over of the schemes above; a real host is asked in tests/host/test_lora_names.py.
IGNORED_BY_COMFYUI = {
    "pipe.dit (DiffSynth)", "bare layer names", "base_model.model (PEFT)", "transformer (diffusers)", "lycoris",
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
def test_names_that_comfyuis_own_loader_ignores_are_said(scheme: str, tmp_path: Path) -> None:
    save_file(SCHEMES[scheme], tmp_path / "x.safetensors")
    facts = read_lora(tmp_path / "x.safetensors")
    total = len(SCHEMES[scheme])
    assert not facts.ignored["wrapper"]
    assert len(facts.ignored["native"]) == (total if scheme in IGNORED_BY_COMFYUI else 0)
    said = dict(describe_lora(facts))["loaders"]
    if scheme in IGNORED_BY_COMFYUI:
        assert f"WanVideoWrapper takes every tensor; ComfyUI's own loader (Load LoRA) ignores all {total}" in said
        assert "the video comes out as without this LoRA, and no error says so" in said
    else:
        assert said == "WanVideoWrapper and ComfyUI's own loader (Load LoRA) take every tensor"


# One tensor of a file: whether the wrapper takes it, and whether ComfyUI does.
ONE_BY_ONE = {
    "diffusion_model.blocks.0.self_attn.q.lora_A.default.weight": (True, True),
    "diffusion_model.blocks.0.self_attn.q.lora_down.default.weight": (True, False),
    "diffusion_model.blocks.0.self_attn.q.lora_A.svi.weight": (False, False),
    "diffusion_model.blocks.0.self_attn.q.lora_A": (True, True),
    "diffusion_model.blocks.0.self_attn.q.lora_linear_layer.down.weight": (True, True),
    "diffusion_model.blocks.0.cross_attn.k_img.alpha": (True, True),
    "diffusion_model.blocks.0.self_attn.norm_q.diff": (True, True),
    "diffusion_model.blocks.0.diff_m": (True, False),
    "diffusion_model.blocks.0.attn1.to_q.lora_A.weight": (True, False),
    "diffusion_model.blocks.0.ffn.net.0.proj.lora_A.weight": (False, False),
    "model.diffusion_model.blocks.0.self_attn.q.lora_A.weight": (False, False),
    "base_model.model.diffusion_model.blocks.0.self_attn.q.lora_A.weight": (False, False),
    "base_model.model.head.head.lora_A.weight": (True, False),
    "head.head.lora_A.weight": (False, False),
    "lora_unet_patch_embedding.lora_down.weight": (True, True),
    "lora_unet_blocks_0_attn1_to_q.lora_down.weight": (False, False),
    "lora_unet__blocks_0_self_attn_q.lora_down.weight": (True, False),  # without the tensor that ComfyUI knows them by
    "lycoris_blocks_0_ffn_0.lora_down.weight": (False, False),
    "lycoris_blocks_0_ffn_net_0_proj.lora_down.weight": (True, False),
    "dwpose_embedding.0.weight": (True, False),
    "diffusion_model.blocks.0.self_attn.q_loras.down.weight": (True, False),
}


@pytest.mark.parametrize("key", ONE_BY_ONE)
def test_each_loader_knows_its_names(key: str) -> None:
    assert tuple(not ignored(loader, [key]) for loader in ("wrapper", "native")) == ONE_BY_ONE[key]


def test_what_the_wrapper_ignores_is_a_problem_of_the_file(tmp_path: Path) -> None:
    def problems(tensors: Tensors) -> str:
        save_file(tensors, tmp_path / "x.safetensors")
        return "; ".join(read_lora(tmp_path / "x.safetensors").problems)

    whole = lora("model.diffusion_model.", "lora_A.weight", "lora_B.weight")
    assert "WanVideoWrapper ignores all 160 tensors, like model.diffusion_model.blocks.0." in problems(whole)
    mixed = lora("diffusion_model.", "lora_A.weight", "lora_B.weight") | {
        "diffusion_model.blocks.0.ffn.net.2.lora_A.weight": torch.zeros(4, 5120, dtype=torch.uint8)
    }
    assert "WanVideoWrapper ignores 1 of 161 tensors, like diffusion_model.blocks.0.ffn.net.2." in problems(mixed)


@pytest.mark.parametrize("prefix", ["transformer.", "pipe.dit.", "base_model.model.", "diffusion_model.", ""])
def test_self_attention_that_lands_in_cross_attention_is_said_in_every_scheme(prefix: str, tmp_path: Path) -> None:
    save_file(
        lora(prefix, "lora_A.weight", "lora_B.weight", layers=("attn1.to_q",)), tmp_path / "x.safetensors"
    )  # fmt: skip
    assert "attn1 (self-attention) for cross-attention" in read_lora(tmp_path / "x.safetensors").problems[0]


def test_ranks_that_differ_are_a_range(tmp_path: Path) -> None:
    tensors = lora("diffusion_model.", "lora_A.weight", "lora_B.weight", blocks=3, rank=8)
    tensors |= lora("diffusion_model.", "lora_A.weight", "lora_B.weight", blocks=1, rank=2)
    save_file(tensors, tmp_path / "x.safetensors")
    assert read_lora(tmp_path / "x.safetensors").rank == "8 (2 to 8)"


# file name -> version, noise, modes
NAMES = {
    "svi-film-opt-10212025": ("2.1", None, ("film", "fun_inp")),
    "svi-film-transitions": ("2.1", None, ("film", "fun_inp")),
    "svi-shot": ("2.1", None, ("shot",)),
    "svi_tom": ("2.1", None, ("tom",)),
    "svi-talk": ("2.1", None, ("talk",)),
    "svi-dance": ("2.1", None, ("dance",)),
    "SVI_Wan2.1-I2V-14B_lora_v2.0": ("2.1", None, ("svi2_wan21",)),
    "SVI_Wan2.2-I2V-A14B_high_noise_lora_v2.0": ("2.2", "high", ("svi2_wan22",)),
    "SVI_Wan2.2-I2V-A14B_low_noise_lora_v2.0_pro": ("2.2", "low", ("svi2_pro",)),
    "SVI_v2_PRO_Wan2.2-I2V-A14B_HIGH_lora_rank_128_fp16": ("2.2", "high", ("svi2_pro",)),
    "Wan21_PusaV1_LoRA_14B_rank512_bf16": ("2.1", None, ()),
    "Wan22_PusaV1_lora_HIGH_resized_dynamic_avg_rank_98_bf16": ("2.2", "high", ()),
    "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16": ("2.1", None, ()),
    "Wan2.2-Lightning_I2V-A14B-4steps-lora_LOW_fp16": ("2.2", "low", ()),
    "some_style": (None, None, ()),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_known_files_are_understood(name: str, tmp_path: Path) -> None:
    path = tmp_path / "high noise" / f"{name}.safetensors"  # folders say nothing
    path.parent.mkdir()
    save_file(lora("diffusion_model.", "lora_A.weight", "lora_B.weight", blocks=1), path)
    facts = read_lora(path)
    assert (facts.version, facts.noise, facts.modes) == NAMES[name]
    assert facts.version_sure == ("likely" if facts.version else "unknown")


# Modes of two LoRAs together: which modes each is for.
TOGETHER = {"film_shot": {"film", "shot"}}
OF_WAN21 = [(row.id, name) for row in RECIPES.values() if row.base.startswith("Wan 2.1") for name in row.loras]


@pytest.mark.parametrize(("mode", "name"), OF_WAN21)
def test_a_lora_of_a_wan_21_mode_is_known_by_its_file_name(mode: str, name: str) -> None:
    """Else nobody is told that it is on a Wan 2.2 model, and a migrated graph gets another mode."""
    where = f"{name} of mode {mode}: svi_embeds/models/names.py"
    version, made_for = wan_version(f"{name}.safetensors"), purpose(f"{name}.safetensors")
    told = f"Wan {version}" if version else "no version of Wan"
    assert version == "2.1", f"{where} reads {told} from it, and the recipe is for 2.1: add the name to _ONLY_21"
    modes = set(made_for.modes) if made_for else set()
    assert modes & {mode, *TOGETHER.get(mode, ())}, (
        f"{where}, PURPOSES: its name is for {sorted(modes)}, not for {mode}"
    )


def test_modes_of_the_table_are_modes_of_the_nodes() -> None:
    found = [purpose(name) for name in NAMES]
    assert {mode for item in found if item for mode in item.modes} <= {*RECIPES, SVI2_PRO.id}


@pytest.mark.parametrize(
    ("name", "stage"),
    [("HoloCine-Full-HighNoise-Q4", "high"), ("t2vHigh-Q6_K", "high"), ("x_low_noise_14B", "low"), ("SlowMotion", None),
     ("Highlights", None), ("high_and_low", None), ("A14B-LOW-HoloCine", "low"), ("yellow-glow", None)],
)  # fmt: skip
def test_noise_stage_is_a_word_of_its_own(name: str, stage: str | None) -> None:
    assert noise_stage(f"{name}.safetensors") == stage


@pytest.mark.parametrize(
    ("name", "version"),
    [("Wan2_2-T2V-A14B", "2.2"), ("wan21_t2v", "2.1"), ("Wan2.1-Fun-InP", "2.1"), ("HoloCine-full", "2.2"),
     ("wan2.10", None), ("anything_v2.1", None), ("Wan2_1-I2V-14B-MAGREF", "2.1"), ("x-MAGREF", "2.1"),
     ("HuMo-17B", "2.1")],
)  # fmt: skip
def test_wan_version_of_a_name(name: str, version: str | None) -> None:
    assert wan_version(f"folder/Wan2.2/{name}.safetensors") == version


def test_a_title_in_the_metadata_is_surer_than_a_file_name(tmp_path: Path) -> None:
    path = tmp_path / "renamed.safetensors"
    save_file(SCHEMES["bare layer names"], path, metadata={"modelspec.title": "svi-shot"})
    facts = read_lora(path)
    assert (facts.modes, facts.purpose_sure) == (("shot",), "sure")


def test_what_a_lora_must_not_meet_is_said() -> None:
    def text(name: str, tmp: Tensors = SCHEMES["bare layer names"]) -> str:
        from wanvideo_svi.svi_embeds.models.lora import lora_facts

        facts = lora_facts(name, {k: tuple(v.shape) for k, v in tmp.items()}, {})
        return "\n".join(f"{head}: {text}" for head, text in describe_lora(facts))

    assert "must not meet: the Wan 2.2 high noise model: no Wan 2.1 LoRA works" in text("svi-film.safetensors")
    assert "reported to work: Pusa rank 512 on HoloCine" in text("Wan21_PusaV1_LoRA_14B_rank512.safetensors")
    assert "must not meet: the low noise model" in text("SVI_Wan2.2-I2V-A14B_high_noise_lora_v2.0.safetensors")
    assert "mode: none of its own" in text("style.safetensors")
    control = "must not meet: Fun Control models: SVI LoRAs were trained without controls"
    assert control in text("svi-talk.safetensors")
    assert control not in text("Wan21_PusaV1_LoRA_14B_rank512.safetensors")


def header_of(size: int, header: bytes) -> bytes:
    return struct.pack("<Q", size) + header


CUT = b'{"blocks.0.self_attn.q.lora_A.weight":{"dtype":"F16","shape":[4,4],"data_offsets":[0,32]}}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a safetensors file"),
        (b"PK\x03\x04 a zip, as torch.save writes", "not a safetensors file"),
        (b"GGUF" + bytes(60), "not a safetensors file"),
        (header_of(1 << 40, b"{}"), "header too large"),
        (header_of(200, b'{"a":'), "not a safetensors file"),
        (header_of(10, b"not json!!"), "not a safetensors file"),
        (header_of(len(CUT), CUT), "not a safetensors file"),  # its tensor is not there
    ],
)  # fmt: skip
def test_a_file_without_a_header_is_refused_with_what_to_do(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(SVIError, match=message) as error:
        read_lora(path)
    assert "take a LoRA in .safetensors format" in str(error.value)


def test_files_that_hold_no_lora_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"blocks.0.self_attn.q.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(SVIError, match="x is a full model: none of its 1 tensors is a LoRA's"):
        read_lora(path)
    save_file({"encoder.conv1.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(SVIError, match=r"x is no LoRA: .* \(the first is encoder.conv1.weight\)"):
        read_lora(path)
    save_file({}, path)
    with pytest.raises(SVIError, match="none of its 0 tensors"):
        read_lora(path)
    with pytest.raises(SVIError, match="cannot be read"):
        read_lora(tmp_path)
    with pytest.raises(SVIError, match="cannot be read"):
        read_lora(tmp_path / "absent.safetensors")


def sparse_lora(path: Path, size: int) -> None:
    """A LoRA of `size` bytes that takes no room: its tensors are a hole in the file."""
    count = 80
    each = size // (2 * count)
    header, at = {}, 0
    for block in range(count // 2):
        for layer in ("self_attn.q", "cross_attn.k"):
            for matrix, shape in (("lora_A", [each // 2 // 5120, 5120]), ("lora_B", [5120, each // 2 // 5120])):
                nbytes = 2 * shape[0] * shape[1]
                header[f"diffusion_model.blocks.{block}.{layer}.{matrix}.weight"] = {
                    "dtype": "F16", "shape": shape, "data_offsets": [at, at + nbytes]
                }  # fmt: skip
                at += nbytes
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(header_of(len(text), text))
        file.truncate(8 + len(text) + at)


def test_a_large_file_is_answered_from_its_header(tmp_path: Path) -> None:
    """2 GB of tensors, of which not one is read."""
    path = tmp_path / "svi-shot.safetensors"
    sparse_lora(path, 2 << 30)
    assert path.stat().st_size > 2_000_000_000
    tracemalloc.start()
    try:
        facts = read_lora(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert (facts.blocks, facts.family, facts.modes) == (40, "14B", ("shot",))


def test_the_wan_version_may_stand_in_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "style.safetensors"
    save_file(SCHEMES["bare layer names"], path, metadata={"ss_base_model_version": "wan2.2_t2v"})
    facts = read_lora(path)
    assert (facts.version, facts.version_sure) == ("2.2", "likely")


def test_the_command_answers_every_file_and_fails_for_a_broken_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "svi-shot.safetensors", tmp_path / "bad.safetensors"
    save_file(SCHEMES["bare layer names"], good)
    bad.write_bytes(b"")
    assert main(["lora", str(bad), str(good)]) == 2
    out, err = capsys.readouterr()
    assert "SVI 1.0 shot (likely)" in out
    assert "loaders        WanVideoWrapper takes every tensor; ComfyUI's own loader (Load LoRA) ignores all 160" in out
    assert "bad.safetensors is not a safetensors file" in err
    assert main(["lora", str(good)]) == 0


def test_every_mode_has_a_lora_that_is_known_by_name() -> None:
    loras = {mode for _, found in PURPOSES if found.is_svi for mode in found.modes}
    plain = {"i2v"}  # is made without one
    assert loras == {*MODES, SVI2_PRO.id} - plain, "PURPOSES in svi_embeds/models/names.py: which LoRA a mode is for"
