"""Tiny random checkpoints that the wrapper's real loaders accept. Runs in the Python that runs ComfyUI.

usage: make_models.py COMFYUI_DIR BASE_DIR NAMES.json

NAMES.json: {"i2v": [...], "pair": [...], "control": [...], "t2v": [...], "humo": [...], "multitalk": [...],
"vae": [...], "loras": [...], "unianimate": [...], "text_encoders": [...], "prompts": [...]}; files are written under
BASE_DIR/models by those names, prompts as the wrapper's disk cache of encoded text. i2v: Wan 2.1 image-to-video. pair:
Wan 2.2 image-to-video (no image cross-attention), each file with weights of its own. control: the same with 16 channels
more, as Fun Control of Wan 2.2. t2v: text-to-video. humo: HuMo. multitalk: the talk layers that the loader adds to a
model. unianimate: a LoRA with the pose layers.

The loader takes 30 layers and 12 heads for any width it does not know, so width is a multiple of 24 (12 heads of even
size).
"""

import hashlib
import importlib
import inspect
import json
import os
import sys
import types
from pathlib import Path

comfyui, base, names_file = (Path(p).resolve() for p in sys.argv[1:4])
names = json.loads(names_file.read_text())
sys.argv = [sys.argv[0], "--cpu", "--base-directory", str(base)]
sys.path.insert(0, str(comfyui))
os.chdir(comfyui)

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

WRAPPER = base / "custom_nodes" / "ComfyUI-WanVideoWrapper"
WIDTH, FFN = 72, 128
package = types.ModuleType("wrapper")  # without the wrapper's __init__, which loads every node
package.__path__ = [str(WRAPPER)]
sys.modules["wrapper"] = package
WanModel = importlib.import_module("wrapper.wanvideo.modules.model").WanModel
WanVideoVAE = importlib.import_module("wrapper.wanvideo.wan_video_vae").WanVideoVAE


def target(folder, name):
    path = base / "models" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def what_it_takes(make, **arguments):
    """Those of the arguments that this version of the wrapper knows."""
    known = inspect.signature(make).parameters
    return {name: value for name, value in arguments.items() if name in known}


def transformer(*, in_dim, image_attention, seed, humo=False):
    cpu = torch.device("cpu")
    model = WanModel(
        model_type="i2v" if image_attention else "t2v", patch_size=(1, 2, 2), text_len=512, in_dim=in_dim, dim=WIDTH,
        in_features=WIDTH, out_features=WIDTH, ffn_dim=FFN, ffn2_dim=FFN, freq_dim=256, text_dim=4096, out_dim=16,
        num_heads=12, num_layers=30, eps=1e-6, main_device=cpu, offload_device=cpu,
        **what_it_takes(WanModel.__init__, dtype=torch.float32, humo_audio=humo),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, parameter in model.named_parameters():
        shape = parameter.shape
        if name.endswith(("cross_attn.k.weight", "cross_attn.v.weight")):
            # The bare class makes these [width, 1]; a checkpoint brings the right ones.
            shape = torch.Size([WIDTH, 1536 if "audio_cross_attn" in name else WIDTH])
        layer_norm = "norm" in name or name.startswith(("img_emb.proj.0", "img_emb.proj.4"))
        if layer_norm:
            value = torch.full(shape, float(name.endswith("weight")))
        else:
            fan_in = WIDTH if "modulation" in name else shape[1:].numel() if len(shape) > 1 else 2500
            value = torch.randn(shape, generator=generator) / max(fan_in, 1) ** 0.5
        weights[name] = value.half().contiguous()
    return weights


def vae(seed):
    """The light architecture (three quarters of the channels pruned), scaled to sensible latents and pixels.

    Older wrappers have the full one only.
    """
    model = WanVideoVAE(dtype=torch.float32, **what_it_takes(WanVideoVAE.__init__, pruning_rate=0.75))
    generator = torch.Generator().manual_seed(seed)
    inner = model.model
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "gamma" in name or name.endswith("bias"):
                p.fill_(float("gamma" in name))
            else:
                p.copy_(torch.randn(p.shape, generator=generator) * (1.4 / p[0].numel()) ** 0.5)
        clip = torch.rand(1, 3, 5, 64, 64, generator=generator) * 2 - 1

        def encode():
            inner.clear_cache()
            return inner.encode(clip, **what_it_takes(inner.encode, pbar=False))

        inner.conv1.weight[:16] /= encode().std()
        latents = encode()
        inner.clear_cache()
        inner.decoder.head[2].weight *= 0.5 / inner.decode(latents, **what_it_takes(inner.decode, pbar=False)).std()
    return {name.removeprefix("model."): v.bfloat16().contiguous() for name, v in model.state_dict().items()}


def lora(weights, seed, rank=4, scale=0.3):
    generator = torch.Generator().manual_seed(seed)
    out = {}
    for name, value in weights.items():
        if name.startswith("blocks.") and name.endswith((".q.weight", ".k.weight", ".v.weight", ".o.weight")):
            stem = "diffusion_model." + name.removesuffix(".weight")
            rows, columns = value.shape
            down = torch.randn(rank, columns, generator=generator) / columns**0.5
            out[f"{stem}.lora_A.weight"] = down.half()
            out[f"{stem}.lora_B.weight"] = (torch.randn(rows, rank, generator=generator) * scale).half()
    return out


def filled(module, prefix, seed):
    """Random weights of a module's shapes, as a checkpoint names them."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, parameter in module.named_parameters():
        fan_in = parameter.shape[1:].numel() if parameter.ndim > 1 else 2500
        value = torch.randn(parameter.shape, generator=generator) / fan_in**0.5
        weights[prefix + name] = (torch.ones_like(value) if "norm" in name else value).half()
    return weights


def multitalk():
    """What Multi/InfiniteTalk Model Loader reads: the audio projection, and a cross-attention for each block."""
    talk = importlib.import_module("wrapper.multitalk.multitalk")
    model = importlib.import_module("wrapper.wanvideo.modules.model")
    # What older wrappers' loaders pass; newer ones have it built in.
    older = what_it_takes(
        talk.SingleStreamMultiAttention.__init__, encoder_hidden_states_dim=768, qkv_bias=True, qk_norm=False, eps=1e-6,
        norm_layer=model.WanRMSNorm,
    )  # fmt: skip
    weights = filled(
        talk.AudioProjModel(**what_it_takes(talk.AudioProjModel.__init__, norm_output_audio=True, seq_len_vf=8)),
        "audio_proj.",
        40,
    )
    for block in range(30):
        attention = talk.SingleStreamMultiAttention(dim=WIDTH, num_heads=12, **older)
        weights |= filled(attention, f"blocks.{block}.audio_cross_attn.", 50 + block)
        weights |= filled(model.WanLayerNorm(WIDTH, 1e-6, elementwise_affine=True), f"blocks.{block}.norm_x.", 0)
    return weights


def unianimate(seed):
    """The pose layers of UniAnimate-DiT, the last one as wide as the tiny model, and a LoRA."""
    layers = [(3, 16), (16, 16), (16, 16), (16, 16), (16, 16), (16, 16)]
    shapes = {f"dwpose_embedding.{2 * i}": (out, given, 3, 3, 3) for i, (given, out) in enumerate(layers)}
    shapes["dwpose_embedding.12"] = (WIDTH, 16, 1, 2, 2)
    shapes |= {f"randomref_embedding_pose.{2 * i}": (16, 3 if i == 0 else 16, 3, 3) for i in range(5)}
    shapes["randomref_embedding_pose.10"] = (20, 16, 3, 3)
    generator = torch.Generator().manual_seed(seed)
    weights = lora(i2v, seed)
    for name, shape in shapes.items():
        fan_in = torch.Size(shape[1:]).numel()
        weights[f"{name}.weight"] = (torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5).half()
        weights[f"{name}.bias"] = torch.zeros(shape[0]).half()
    return weights


i2v = transformer(in_dim=36, image_attention=True, seed=1)
for name in names["i2v"]:
    save_file(i2v, target("diffusion_models", name))
for channels, kind in ((36, "pair"), (52, "control"), (16, "t2v")):
    for seed, name in enumerate(names[kind], start=channels):
        save_file(transformer(in_dim=channels, image_attention=False, seed=seed), target("diffusion_models", name))
for name in names["humo"]:
    save_file(transformer(in_dim=36, image_attention=False, seed=60, humo=True), target("diffusion_models", name))
for name in names["multitalk"]:
    save_file(multitalk(), target("diffusion_models", name))
for seed, name in enumerate(names["unianimate"], start=70):
    save_file(unianimate(seed), target("loras", name))
tiny_vae = vae(12)
for name in names["vae"]:
    save_file(tiny_vae, target("vae", name))
for seed, name in enumerate(names["loras"]):
    save_file(lora(i2v, 20 + seed), target("loras", name))
for name in names["text_encoders"]:
    save_file({"none": torch.zeros(1)}, target("text_encoders", name))  # never loaded: every prompt is cached
cache = WRAPPER / "text_embed_cache"
cache.mkdir(exist_ok=True)
for prompt in names["prompts"]:
    digest = hashlib.sha256(prompt.strip().encode()).hexdigest()
    generator = torch.Generator().manual_seed(int(digest[:8], 16))
    torch.save([torch.randn(12, 4096, generator=generator).bfloat16() * 0.1], cache / f"{digest}.pt")
print("made", json.dumps(names))
