"""Tiny random checkpoints that ComfyUI's own loaders accept. Runs in the Python that runs ComfyUI.

usage: make_native_models.py COMFYUI_DIR BASE_DIR

Writes under BASE_DIR/models: diffusion_models/native_i2v.safetensors (Wan 2.1 image-to-video), native_high and
native_low (the Wan 2.2 pair: no image cross-attention), native_control (Fun Control of Wan 2.2, 52 input channels),
native_5b (Fun InP of the 5B kind: 48 latent channels, 100 input channels), and vae/native_vae.safetensors. ComfyUI
takes one head for 128 channels, so that is the width.
"""

import inspect
import os
import sys
from pathlib import Path

comfyui, base = (Path(p).resolve() for p in sys.argv[1:3])
sys.argv = [sys.argv[0], "--cpu", "--base-directory", str(base)]
sys.path.insert(0, str(comfyui))
os.chdir(comfyui)

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import comfy.ldm.wan.model  # noqa: E402
import comfy.ldm.wan.vae  # noqa: E402
import comfy.ops  # noqa: E402
import comfy.sd  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

WIDTH, FFN, LAYERS = 128, 256, 2


def save(weights, folder, name):
    path = base / "models" / folder / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, path)


def transformer(*, in_dim, kind, seed, out_dim=16):
    model = comfy.ldm.wan.model.WanModel(
        model_type=kind, in_dim=in_dim, out_dim=out_dim, dim=WIDTH, ffn_dim=FFN, num_heads=WIDTH // 128,
        num_layers=LAYERS, device="cpu", dtype=torch.float32, operations=comfy.ops.disable_weight_init,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, parameter in model.named_parameters():
        if "norm" in name or name.startswith(("img_emb.proj.0", "img_emb.proj.4")):
            value = torch.full(parameter.shape, float(name.endswith("weight")))
        else:
            fan_in = parameter.shape[1:].numel() if parameter.ndim > 1 else 2500
            value = torch.randn(parameter.shape, generator=generator) / max(fan_in, 1) ** 0.5
        weights[name] = value.half().contiguous()
    return weights


def vae(seed):
    """Scaled to sensible latents. Older ComfyUI has the full width only; newer ones read it off the file."""
    width = 24 if 'sd["decoder.head.0.gamma"]' in inspect.getsource(comfy.sd.VAE.__init__) else 96
    model = comfy.ldm.wan.vae.WanVAE(
        dim=width, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=2, attn_scales=[],
        temperal_downsample=[False, True, True], dropout=0.0,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "gamma" in name or name.endswith("bias"):
                parameter.fill_(float("gamma" in name))
            else:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * (1.4 / fan_in) ** 0.5)
        clip = torch.rand(1, 3, 5, 32, 32, generator=generator) * 2 - 1
        model.conv1.weight[:16] /= model.encode(clip).std() / 2
        model.decoder.head[2].weight *= 0.5 / model.decode(model.encode(clip)).std()
    return {name: value.bfloat16().contiguous() for name, value in model.state_dict().items()}


kinds = {
    "native_i2v": (36, "i2v"),
    "native_high": (36, "t2v"),
    "native_low": (36, "t2v"),
    "native_control": (52, "t2v"),
}
for seed, (name, (in_dim, kind)) in enumerate(kinds.items(), start=1):
    save(transformer(in_dim=in_dim, kind=kind, seed=seed), "diffusion_models", name)
save(transformer(in_dim=100, out_dim=48, kind="t2v", seed=9), "diffusion_models", "native_5b")
save(vae(12), "vae", "native_vae")
