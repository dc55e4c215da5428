"""Random checkpoints of full size that the loaders of ComfyUI and the wrapper accept; runs in ComfyUI's Python.

usage: gpu_models.py COMFYUI WRAPPER MODELS [--tiny] [KIND ...]

KIND: i2v (the image-to-video model with its LoRAs), text, vision, vae, pair (Wan 2.2 with its LoRAs), fp16 (i2v with
weights in fp16), small (Fun InP 1.3B), 5b (Fun InP 5B and its VAE), talk, humo, dance (what those need besides), native
(for ComfyUI's own sampling); all without. A file that is there stays. --tiny: small ones, to try the benchmark itself
on a CPU. Weights are drawn so that nothing overflows in half precision; names and shapes are those of the classes that
load them.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
I2V_FP16 = "Wan2_1-I2V-14B-480P_fp16.safetensors"
FUN_SMALL = "Wan2.1-Fun-InP-1_3B_fp16.safetensors"
FUN_5B = "Wan2_2-Fun-InP-5B_fp16.safetensors"
VAE_5B = "Wan2_2_VAE_bf16.safetensors"
TALK = "WanVideo_2_1_Multitalk_14B_fp8_e4m3fn.safetensors"
SPEAKS = "svi-talk.safetensors"
HUMO = "Wan2_1-HuMo-14B_fp8_e4m3fn_scaled_KJ.safetensors"
SHOT = "svi-shot.safetensors"
UNIANIMATE = "UniAnimate-Wan2.1-14B-Lora-12000-fp16.safetensors"
DANCE = "svi-dance.safetensors"
NATIVE = "native_{}"  # a file of the same name for ComfyUI's own loaders
KINDS = ("i2v", "text", "vision", "vae", "pair", "fp16", "small", "5b", "talk", "humo", "dance", "native")
TINY_TEXT = {"vocab_size": 2048, "dim_ffn": 64, "encoder_layers": 2}


@dataclass(frozen=True)
class Family:
    """Sizes of a transformer. image_attention: layers for what CLIP vision sees. humo: layers for a voice. native: for
    ComfyUI's own loader, which takes a head for 128 channels."""

    width: int = 5120
    inner: int = 13824
    heads: int = 40
    layers: int = 40
    channels: int = 36
    latent: int = 16
    image_attention: bool = True
    humo: bool = False
    native: bool = False

    def small(self) -> Family:
        """The loader takes 30 layers and 12 heads for a width that it does not know, and tells a 5B by its width."""
        if self.latent == 48:
            return replace(self, inner=128)
        if self.native:
            return replace(self, width=128, inner=256, heads=1, layers=2)
        return replace(self, width=72, inner=128, heads=12, layers=30)


A14B = Family()
A1_3B = Family(1536, 8960, 12, 30)
A5B = Family(3072, 14336, 24, 30, channels=100, latent=48, image_attention=False)


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

    def _transformer(self, family: Family, *, matrices: str = "fp8", scaled: bool = False) -> Iterator[tuple[str, Any]]:
        """Matrices of the blocks in fp8 and the rest in fp16, as in the files of Kijai; matrices: or fp16 too."""
        torch = self.torch
        of = family.small() if self.tiny else family
        with torch.device("meta"):
            model = self._module("wanvideo.modules.model").WanModel(
                model_type="i2v" if of.image_attention else "t2v", patch_size=(1, 2, 2), text_len=512,
                in_dim=of.channels, dim=of.width, in_features=of.width, out_features=of.width, ffn_dim=of.inner,
                ffn2_dim=of.inner, freq_dim=256, text_dim=4096, out_dim=of.latent, num_heads=of.heads,
                num_layers=of.layers, eps=1e-6, main_device=torch.device("cpu"), offload_device=torch.device("cpu"),
                dtype=torch.float16, humo_audio=of.humo,
            )  # fmt: skip
        if scaled:
            yield "scaled_fp8", torch.zeros(2, dtype=torch.float8_e4m3fn)
        for name, parameter in model.named_parameters():
            shape = parameter.shape
            if name.endswith(("cross_attn.k.weight", "cross_attn.v.weight")):
                # The bare class makes these [width, 1].
                shape = torch.Size([of.width, 1536 if "audio_cross_attn" in name else of.width])
            if "norm" in name or name.startswith(("img_emb.proj.0", "img_emb.proj.4")):
                yield name, torch.full(shape, float(name.endswith("weight")), dtype=torch.float16)
                continue
            in_block = matrices == "fp8" and name.startswith("blocks.") and len(shape) == 2 and name.endswith("weight")
            spread = of.width**-0.5 if "modulation" in name else None
            yield name, self._drawn(shape, torch.float8_e4m3fn if in_block else torch.float16, spread)
            if in_block and scaled:
                yield name.replace(".weight", ".scale_weight"), torch.ones((), dtype=torch.float32)

    def _lora(self, rank: int, dtype: Any, family: Family = A14B) -> Iterator[tuple[str, Any]]:
        of = family.small() if self.tiny else family
        width, inner, rank = of.width, of.inner, 4 if self.tiny else rank
        shapes = {f"{part}.{matrix}": (width, width) for part in ("self_attn", "cross_attn") for matrix in "qkvo"}
        shapes |= {"ffn.0": (inner, width), "ffn.2": (width, inner)}
        for block in range(of.layers):
            for name, (rows, columns) in shapes.items():
                stem = f"diffusion_model.blocks.{block}.{name}"
                yield f"{stem}.lora_A.weight", self._drawn((rank, columns), dtype)
                yield f"{stem}.lora_B.weight", self._drawn((rows, rank), dtype, 0.02)

    def _i2v(self) -> None:
        self._save("diffusion_models", I2V, self._transformer(A14B))
        self._save("loras", DISTILL, self._lora(64, self.torch.bfloat16))
        self._save("loras", FILM, self._lora(128, self.torch.bfloat16))

    def _pair(self) -> None:
        """Both models are one file with two names: what they are made of makes no difference here."""
        high, low = ((self.models / "diffusion_models" / PAIR.format(noise)) for noise in ("HIGH", "LOW"))
        self._save(high.parent.name, high.name, self._transformer(replace(A14B, image_attention=False), scaled=True))
        if not low.exists():
            low.hardlink_to(high)
        for noise in ("HIGH", "LOW"):
            self._save("loras", PAIR_DISTILL.format(noise), self._lora(64, self.torch.float16))
            self._save("loras", PAIR_PRO.format(noise), self._lora(128, self.torch.float16))

    def _fp16(self) -> None:
        self._save("diffusion_models", I2V_FP16, self._transformer(A14B, matrices="fp16"))

    def _small(self) -> None:
        self._save("diffusion_models", FUN_SMALL, self._transformer(A1_3B, matrices="fp16"))

    def _5b(self) -> None:
        self._save("diffusion_models", FUN_5B, self._transformer(A5B, matrices="fp8" if self.tiny else "fp16"))
        self._save("vae", VAE_5B, self._vae_weights("WanVideoVAE38", {}))

    def _humo(self) -> None:
        humo = replace(A14B, image_attention=False, humo=True)
        self._save("diffusion_models", HUMO, self._transformer(humo, scaled=True))
        self._save("loras", SHOT, self._lora(128, self.torch.bfloat16))

    def _talk(self) -> None:
        self._save("loras", SPEAKS, self._lora(128, self.torch.bfloat16))
        self._save("diffusion_models", TALK, self._talk_layers())

    def _talk_layers(self) -> Iterator[tuple[str, Any]]:
        """The audio projection, and an attention for each block: its matrices in fp8."""
        torch, of = self.torch, A14B.small() if self.tiny else A14B
        model, talk = self._module("wanvideo.modules.model"), self._module("multitalk.multitalk")
        with torch.device("meta"):
            parts = {"audio_proj": talk.AudioProjModel(norm_output_audio=True, seq_len_vf=8)}
            for block in range(of.layers):
                attention = talk.SingleStreamMultiAttention(dim=of.width, num_heads=of.heads)
                parts[f"blocks.{block}.audio_cross_attn"] = attention
                parts[f"blocks.{block}.norm_x"] = model.WanLayerNorm(of.width, 1e-6, elementwise_affine=True)
        for part, module in parts.items():
            for name, parameter in module.named_parameters():
                if "norm" in f"{part}.{name}":
                    yield f"{part}.{name}", torch.full(parameter.shape, float(name.endswith("weight"))).half()
                    continue
                in_block = part.startswith("blocks.") and parameter.ndim == 2
                dtype = torch.float8_e4m3fn if in_block else torch.float16
                yield f"{part}.{name}", self._drawn(parameter.shape, dtype)

    def _dance(self) -> None:
        self._save("loras", DANCE, self._lora(128, self.torch.bfloat16))
        self._save("loras", UNIANIMATE, self._pose_layers())

    def _pose_layers(self) -> Iterator[tuple[str, Any]]:
        """Those of UniAnimate-DiT, and a LoRA (WanVideoWrapper, unianimate/nodes.py, update_transformer)."""
        torch, width = self.torch, (A14B.small() if self.tiny else A14B).width
        shapes = {f"dwpose_embedding.{2 * i}": (16, 3 if i == 0 else 16, 3, 3, 3) for i in range(6)}
        shapes["dwpose_embedding.12"] = (width, 16, 1, 2, 2)
        shapes |= {f"randomref_embedding_pose.{2 * i}": (16, 3 if i == 0 else 16, 3, 3) for i in range(5)}
        shapes["randomref_embedding_pose.10"] = (20, 16, 3, 3)
        for name, shape in shapes.items():
            yield f"{name}.weight", self._drawn(shape, torch.float16)
            yield f"{name}.bias", torch.zeros(shape[0], dtype=torch.float16)
        yield from self._lora(128, torch.float16)

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

    def _native(self) -> None:
        """Of full size they are the wrapper's files; small ones of those are too narrow for ComfyUI's own loaders."""
        torch, own = self.torch, replace(A14B, native=True)
        high, low = (NATIVE.format(PAIR.format(noise)) for noise in ("HIGH", "LOW"))
        made = {
            ("diffusion_models", I2V): lambda: self._transformer(own),
            ("loras", DISTILL): lambda: self._lora(64, torch.bfloat16, own),
            ("loras", FILM): lambda: self._lora(128, torch.bfloat16, own),
            ("vae", VAE): lambda: self._vae_weights("WanVideoVAE", {}),
        }
        for (folder, name), weights in made.items():
            path, before = self.models / folder / NATIVE.format(name), self.models / folder / name
            if before.exists() and not self.tiny and not path.exists():
                path.hardlink_to(before)
            self._save(folder, path.name, weights())
        self._save("diffusion_models", high, self._transformer(replace(own, image_attention=False), scaled=True))
        if not (self.models / "diffusion_models" / low).exists():
            (self.models / "diffusion_models" / low).hardlink_to(self.models / "diffusion_models" / high)
        if not self.tiny:  # ComfyUI knows one size of it
            self._save("text_encoders", NATIVE.format(TEXT), self._native_text())

    def _native_text(self) -> Iterator[tuple[str, Any]]:
        """umT5-xxl as ComfyUI names its parts, with a tokenizer of letters inside."""
        import sentencepiece

        torch, written = self.torch, io.BytesIO()
        config = json.loads((self.comfyui / "comfy" / "text_encoders" / "umt5_config_xxl.json").read_text())
        operations = importlib.import_module("comfy.ops").manual_cast
        t5 = importlib.import_module("comfy.text_encoders.t5")
        for name, parameter in t5.T5(config, torch.bfloat16, "meta", operations).named_parameters():
            if "norm" in name:
                yield name, torch.ones(parameter.shape, dtype=torch.bfloat16)
            else:
                wide = name == "shared.weight" or "relative_attention_bias" in name
                yield name, self._drawn(parameter.shape, torch.bfloat16, 1.0 if wide else None)
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["The quick brown fox jumps over a lazy dog, with 1234567890 jugs"]),
            model_writer=written, model_type="char", vocab_size=64, hard_vocab_limit=False, pad_id=0, eos_id=1,
            unk_id=2, bos_id=-1, minloglevel=2,
        )  # fmt: skip
        yield "spiece_model", torch.frombuffer(bytearray(written.getvalue()), dtype=torch.uint8)

    def _vision(self) -> None:
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
        rate = {"pruning_rate": 0.75} if self.tiny else {}
        self._save("vae", VAE, self._vae_weights("WanVideoVAE", rate))

    def _vae_weights(self, kind: str, given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Scaled to sensible latents and pixels: random layers alone would give neither."""
        torch = self.torch
        model = getattr(self._module("wanvideo.wan_video_vae"), kind)(dtype=torch.float32, **given).to(self.device)
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

            inner.conv1.weight[: model.z_dim if kind == "WanVideoVAE38" else 16] /= encode().std()
            latents = encode()
            inner.clear_cache()
            inner.decoder.head[2].weight *= 0.5 / inner.decode(latents, pbar=False).std()
        for name, value in model.state_dict().items():
            yield name.removeprefix("model."), value.bfloat16()


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
