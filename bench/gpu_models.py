"""Random checkpoints of full size that the loaders of ComfyUI and the wrapper accept; runs in ComfyUI's Python.

usage: gpu_models.py COMFYUI WRAPPER MODELS [--tiny] [KIND ...]

KIND: i2v (the image-to-video model with its LoRAs), text, vision, vae, pair (Wan 2.2 with its LoRAs); all without. A
file that is there stays. --tiny: small ones, to try the benchmark itself on a CPU. Weights are drawn so that nothing
overflows in half precision; names and shapes are those of the classes that load them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

I2V = "Wan2_1-I2V-14B-480P_fp8_e4m3fn.safetensors"
DISTILL = "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors"
FILM = "svi-film-opt-10212025.safetensors"
VAE = "Wan2_1_VAE_bf16.safetensors"
TEXT = "umt5-xxl-enc-bf16.safetensors"
VISION = "clip_vision_h.safetensors"
PAIR = "Wan2_2-I2V-A14B-{}_fp8_e4m3fn_scaled_KJ.safetensors"
PAIR_DISTILL = "Wan2.2-Lightning_I2V-A14B-4steps-lora_{}_fp16.safetensors"
PAIR_PRO = "SVI_v2_PRO_Wan2.2-I2V-A14B_{}_lora_rank_128_fp16.safetensors"
KINDS = ("i2v", "text", "vision", "vae", "pair")
TINY_TEXT = {"vocab_size": 2048, "dim_ffn": 64, "encoder_layers": 2}


class Maker:
    """Draws weights, on the GPU where there is one."""

    def __init__(self, comfyui: Path, wrapper: Path, models: Path, *, tiny: bool) -> None:
        self.models, self.tiny = models, tiny
        sys.argv = [sys.argv[0]]
        sys.path.insert(0, str(comfyui))
        os.chdir(comfyui)
        import torch

        if not torch.cuda.is_available():
            sys.argv.append("--cpu")
        importlib.import_module("comfy.options").enable_args_parsing()
        package = types.ModuleType("bench_wrapper")  # without its __init__, which loads every node
        package.__path__ = [str(wrapper)]
        sys.modules["bench_wrapper"] = package
        self.torch, self.comfyui = torch, comfyui
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(0)

    def make(self, kind: str) -> None:
        getattr(self, f"_{kind}")()

    def _save(self, folder: str, name: str, weights: Iterator[tuple[str, Any]]) -> None:
        from safetensors.torch import save_file

        path = self.models / folder / name
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        save_file({key: value.to("cpu").contiguous() for key, value in weights}, path)
        print(f"{name}: {path.stat().st_size / 2**30:.2f} GiB in {time.monotonic() - start:.1f} s", flush=True)

    def _drawn(self, shape: Any, dtype: Any, spread: float | None = None) -> Any:
        """Normal values; spread: None for one over the root of what a row takes in."""
        torch = self.torch
        value = torch.empty(tuple(shape), dtype=torch.float16 if dtype.itemsize == 1 else dtype, device=self.device)
        rows = value[0].numel() if value.ndim > 1 else 2500
        return value.normal_(0, rows**-0.5 if spread is None else spread).to(dtype)

    def _module(self, name: str) -> Any:
        return importlib.import_module(f"bench_wrapper.{name}")

    def _transformer(self, *, image_attention: bool, scaled: bool) -> Iterator[tuple[str, Any]]:
        """Matrices of the blocks in fp8, the rest in fp16, as in the files of Kijai."""
        torch = self.torch
        width, inner, heads, layers = (72, 128, 12, 30) if self.tiny else (5120, 13824, 40, 40)
        with torch.device("meta"):
            model = self._module("wanvideo.modules.model").WanModel(
                model_type="i2v" if image_attention else "t2v", patch_size=(1, 2, 2), text_len=512, in_dim=36,
                dim=width, in_features=width, out_features=width, ffn_dim=inner, ffn2_dim=inner, freq_dim=256,
                text_dim=4096, out_dim=16, num_heads=heads, num_layers=layers, eps=1e-6,
                main_device=torch.device("cpu"), offload_device=torch.device("cpu"), dtype=torch.float16,
            )  # fmt: skip
        if scaled:
            yield "scaled_fp8", torch.zeros(2, dtype=torch.float8_e4m3fn)
        for name, parameter in model.named_parameters():
            shape = parameter.shape
            if name.endswith(("cross_attn.k.weight", "cross_attn.v.weight")):
                shape = torch.Size([width, width])  # the bare class makes these [width, 1]
            if "norm" in name or name.startswith(("img_emb.proj.0", "img_emb.proj.4")):
                yield name, torch.full(shape, float(name.endswith("weight")), dtype=torch.float16)
                continue
            in_block = name.startswith("blocks.") and len(shape) == 2 and name.endswith("weight")
            spread = width**-0.5 if "modulation" in name else None
            yield name, self._drawn(shape, torch.float8_e4m3fn if in_block else torch.float16, spread)
            if in_block and scaled:
                yield name.replace(".weight", ".scale_weight"), torch.ones((), dtype=torch.float32)

    def _lora(self, rank: int, dtype: Any) -> Iterator[tuple[str, Any]]:
        width, inner, layers = (72, 128, 30) if self.tiny else (5120, 13824, 40)
        rank = 4 if self.tiny else rank
        shapes = {f"{part}.{matrix}": (width, width) for part in ("self_attn", "cross_attn") for matrix in "qkvo"}
        shapes |= {"ffn.0": (inner, width), "ffn.2": (width, inner)}
        for block in range(layers):
            for name, (rows, columns) in shapes.items():
                stem = f"diffusion_model.blocks.{block}.{name}"
                yield f"{stem}.lora_A.weight", self._drawn((rank, columns), dtype)
                yield f"{stem}.lora_B.weight", self._drawn((rows, rank), dtype, 0.02)

    def _i2v(self) -> None:
        self._save("diffusion_models", I2V, self._transformer(image_attention=True, scaled=False))
        self._save("loras", DISTILL, self._lora(64, self.torch.bfloat16))
        self._save("loras", FILM, self._lora(128, self.torch.bfloat16))

    def _pair(self) -> None:
        """Both models are one file with two names: what they are made of makes no difference here."""
        high, low = ((self.models / "diffusion_models" / PAIR.format(noise)) for noise in ("HIGH", "LOW"))
        self._save(high.parent.name, high.name, self._transformer(image_attention=False, scaled=True))
        if not low.exists():
            low.hardlink_to(high)
        for noise in ("HIGH", "LOW"):
            self._save("loras", PAIR_DISTILL.format(noise), self._lora(64, self.torch.float16))
            self._save("loras", PAIR_PRO.format(noise), self._lora(128, self.torch.float16))

    def _text(self) -> None:
        torch = self.torch
        kwargs = TINY_TEXT if self.tiny else {}
        with torch.device("meta"):
            model = self._module("wanvideo.modules.t5").umt5_xxl(encoder_only=True, device="meta", **kwargs)

        def weights() -> Iterator[tuple[str, Any]]:
            for name, parameter in model.named_parameters():
                if "norm" in name:
                    yield name, torch.ones(parameter.shape, dtype=torch.bfloat16)
                else:
                    yield name, self._drawn(parameter.shape, torch.bfloat16, 1.0 if "embedding" in name else None)

        self._save("text_encoders", TEXT, weights())

    def _vision(self) -> None:
        import json

        torch = self.torch
        config = json.loads((self.comfyui / "comfy" / "clip_vision_config_h.json").read_text())
        operations = importlib.import_module("comfy.ops").manual_cast
        clip = importlib.import_module("comfy.clip_model")
        model = clip.CLIPVisionModelProjection(config, torch.float16, "meta", operations)

        def weights() -> Iterator[tuple[str, Any]]:
            for name, parameter in model.named_parameters():
                if "norm" in name or "layrnorm" in name:
                    yield name, torch.full(parameter.shape, float(name.endswith("weight")), dtype=torch.float16)
                else:
                    yield name, self._drawn(parameter.shape, torch.float16)
            yield (
                "vision_model.embeddings.position_ids",
                torch.arange(len(model.vision_model.embeddings.position_embedding.weight))[None],
            )

        self._save("clip_vision", VISION, weights())

    def _vae(self) -> None:
        """Scaled to sensible latents and pixels: random layers alone would give neither."""
        torch = self.torch
        rate = {"pruning_rate": 0.75} if self.tiny else {}
        model = self._module("wanvideo.wan_video_vae").WanVideoVAE(dtype=torch.float32, **rate).to(self.device)
        inner = model.model
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "gamma" in name or name.endswith("bias"):
                    parameter.fill_(float("gamma" in name))
                else:
                    parameter.normal_(0, (1.4 / parameter[0].numel()) ** 0.5)
            clip = torch.rand(1, 3, 5, 64, 64, device=self.device) * 2 - 1

            def encode() -> Any:
                inner.clear_cache()
                return inner.encode(clip, pbar=False)

            inner.conv1.weight[:16] /= encode().std()
            latents = encode()
            inner.clear_cache()
            inner.decoder.head[2].weight *= 0.5 / inner.decode(latents, pbar=False).std()
        weights = {name.removeprefix("model."): value.bfloat16() for name, value in model.state_dict().items()}
        self._save("vae", VAE, iter(weights.items()))


def write_tokenizer(folder: Path) -> None:
    """A tokenizer of letters, where the wrapper's copy lacks its files (Git LFS): any will do for random weights."""
    if (folder / "tokenizer.json").exists() or (folder / "spiece.model").exists():
        return
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = {token: index for index, token in enumerate(["<pad>", "</s>", "<unk>", *letters])}
    special = [
        {"id": index, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for index, token in enumerate(["<pad>", "</s>", "<unk>"])
    ]  # fmt: skip
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    made = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\S"}, "behavior": "Isolated", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, end],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, end],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
        },
        "decoder": None, "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(made))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
    tokens = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**kind, **tokens}))
    (folder / "special_tokens_map.json").write_text(json.dumps(tokens))


def write_picture(path: Path, *, width: int, height: int) -> None:
    import numpy as np
    from PIL import Image

    down, across = np.mgrid[0:height, 0:width]
    red, green = 255 * across / width, 255 * down / height
    blue = 127 * (1 + np.sin(across / 40) * np.cos(down / 30))
    Image.fromarray(np.stack([red, green, blue], -1).astype("uint8")).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("comfyui", type=Path)
    parser.add_argument("wrapper", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    args = parser.parse_args()
    maker = Maker(args.comfyui.resolve(), args.wrapper.resolve(), args.models.resolve(), tiny=args.tiny)
    for kind in args.kinds or KINDS:
        maker.make(kind)


if __name__ == "__main__":
    main()
