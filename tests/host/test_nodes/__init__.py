"""Nodes for tests in a real host: make inputs, stand in for CLIP vision, and write out what flows through a wire."""

import hashlib
import json
import sys
from pathlib import Path

import folder_paths
import torch
from safetensors.torch import save_file


class AnyType(str):
    def __ne__(self, other):
        return False


class SVITestDump:
    """Writes any value to output/<name>.safetensors: tensors by path, everything else as JSON in the metadata."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"value": (AnyType("*"),), "name": ("STRING", {})}})
    VALIDATE_INPUTS = classmethod(lambda cls, input_types: True)
    RETURN_TYPES = ()
    FUNCTION = "dump"
    OUTPUT_NODE = True
    CATEGORY = "svi_test"

    def dump(self, value, name):
        tensors, plain = {}, {}

        def walk(item, path):
            if isinstance(item, torch.Tensor):
                tensors[path] = item.detach().cpu().contiguous().clone()
            elif isinstance(item, dict):
                for key, inner in item.items():
                    walk(inner, f"{path}/{key}" if path else str(key))
            else:
                plain[path] = item if isinstance(item, (bool, int, float, str, list, type(None))) else repr(item)

        walk(value, "")
        target = Path(folder_paths.get_output_directory()) / f"{name}.safetensors"
        save_file({key or "value": tensor for key, tensor in tensors.items()}, target, {"plain": json.dumps(plain)})
        return {"ui": {"dump": [target.name]}}


class SVITestImages:
    """Seeded random frames, F H W channels."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {
                "frames": ("INT", {"default": 1}),
                "width": ("INT", {"default": 64}),
                "height": ("INT", {"default": 64}),
                "seed": ("INT", {"default": 0}),
                "channels": ("INT", {"default": 3}),
            }
        }
    )
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, frames, width, height, seed, channels):
        generator = torch.Generator().manual_seed(seed)
        return (torch.rand(frames, height, width, channels, generator=generator),)


class SVITestMask:
    """A MASK of 4x4 pixels from one value per frame."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"values": ("STRING", {"default": "1"})}})
    RETURN_TYPES = ("MASK",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, values):
        column = torch.tensor([float(v) for v in values.split(",")])
        return (column[:, None, None].expand(-1, 4, 4).contiguous(),)


class SVITestRegion:
    """A MASK of one frame, white in its left part and in a corner."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"height": ("INT", {"default": 8}), "width": ("INT", {"default": 8})}}
    )
    RETURN_TYPES = ("MASK",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, height, width):
        mask = torch.zeros(1, height, width)
        mask[:, :, : width // 3] = 1
        mask[:, height // 2 :, -2:] = 1
        return (mask,)


class SVITestLatent:
    """Seeded random latents; axes 4 leaves out the time axis, as LATENTs of images do."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {
                "count": ("INT", {"default": 1}),
                "channels": ("INT", {"default": 16}),
                "height": ("INT", {"default": 8}),
                "width": ("INT", {"default": 8}),
                "batch": ("INT", {"default": 1}),
                "seed": ("INT", {"default": 0}),
                "dtype": ("STRING", {"default": "float32"}),
                "axes": ("INT", {"default": 5}),
            }
        }
    )
    RETURN_TYPES = ("LATENT",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, count, channels, height, width, batch, seed, dtype, axes):
        generator = torch.Generator().manual_seed(seed)
        samples = torch.randn(batch, channels, count, height, width, generator=generator).to(getattr(torch, dtype))
        return ({"samples": samples[:, :, 0] if axes == 4 else samples},)


class SVITestJoinLatents:
    """Latents start to stop of one LATENT, then those of another."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {
                "first": ("LATENT",),
                "first_stop": ("INT", {"default": 1}),
                "second": ("LATENT",),
                "second_start": ("INT", {"default": 0}),
                "second_stop": ("INT", {"default": 1}),
            }
        }
    )
    RETURN_TYPES = ("LATENT",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, first, first_stop, second, second_start, second_stop):
        parts = [first["samples"][:, :, :first_stop], second["samples"][:, :, second_start:second_stop]]
        return ({"samples": torch.cat(parts, dim=2)},)


class SVITestNumber:
    """An INT as a tensor, which SVITestDump writes."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"value": ("INT", {"default": 0})}})
    RETURN_TYPES = ("MASK",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, value):
        return (torch.tensor([float(value)]),)


class SVITestEmbedsToLatent:
    """The conditioning latents of image_embeds as a LATENT."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"image_embeds": ("WANVIDIMAGE_EMBEDS",)}})
    RETURN_TYPES = ("LATENT",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, image_embeds):
        return ({"samples": image_embeds["image_embeds"][None]},)


class SVITestChangeEmbeds:
    """The same embeds without some of their keys."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"image_embeds": ("WANVIDIMAGE_EMBEDS",), "drop": ("STRING", {"default": ""})}}
    )
    RETURN_TYPES = ("WANVIDIMAGE_EMBEDS",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, image_embeds, drop):
        return ({key: value for key, value in image_embeds.items() if key not in drop.split(",")},)


def loaded_module(ending):
    """A module of another pack in this ComfyUI, whatever name it was loaded under."""
    return next(module for name, module in list(sys.modules.items()) if name.endswith(ending))


class SVITestSchedules:
    """Every scheduler of the wrapper over steps and shifts: its own sigmas beside what this pack makes of them."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"scheduler": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("STRING",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, scheduler):
        theirs = loaded_module(".wanvideo.schedulers")
        ours, host = loaded_module(".svi_embeds.sigmas"), loaded_module(".wrapper_ext.host")
        cpu, rows = torch.device("cpu"), []

        def timesteps(steps, start, end, shift):
            made = theirs.get_scheduler(scheduler, steps, start, end, shift, cpu)
            return made[0], made[1].tolist()

        for steps in range(4, 51):
            for shift in range(1, 13):
                try:
                    made, every = timesteps(steps, 0, -1, shift)
                except Exception as error:
                    rows.append(
                        {
                            "steps": steps,
                            "shift": shift,
                            "host": str(error),
                            "ours": self.refusal(host.sigmas, scheduler, steps, shift),
                        }
                    )
                    continue
                raw = made.full_sigmas[: len(every)].float()
                row = {"steps": steps, "shift": shift, "run": len(every), "raw": raw.tolist()}
                asked = host.sigmas(scheduler, steps, shift)
                row["asked_equals_host"] = torch.equal(asked, ours.noise_levels(scheduler, raw))
                try:
                    row["computed_equals_host"] = torch.equal(ours.sigmas_of(scheduler, steps, shift), asked)
                except ValueError:
                    row["computed_equals_host"] = None
                for boundary in (0.875, 0.9):
                    split = ours.count_high(asked, boundary)
                    row[str(boundary)] = split
                    if 0 < split < len(every):
                        parts = timesteps(steps, 0, split, shift)[1] + timesteps(steps, split, -1, shift)[1]
                        row[f"once {boundary}"] = parts == every
                rows.append(row)
        return (json.dumps(rows),)

    @staticmethod
    def refusal(function, *values):
        try:
            function(*values)
        except ValueError as error:
            return str(error)
        return ""


class _TinyVision(torch.nn.Module):
    """Maps an image to [B, 257, 1280] as CLIP ViT-H does, by a fixed random projection."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.randn(3 * 4, 1280, generator=torch.Generator().manual_seed(7)) * 0.1)

    def forward(self, pixels):
        patches = torch.nn.functional.adaptive_avg_pool2d(pixels, (32, 32)).unfold(2, 2, 2).unfold(3, 2, 2)
        tokens = patches.permute(0, 2, 3, 1, 4, 5).reshape(len(pixels), 256, 12) @ self.weight
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)


class _ClipVision:
    def __init__(self):
        self.model = _TinyVision()

    def visual(self, pixels):
        return self.model(pixels)


class SVITestClipVision:
    """A CLIP_VISION small enough for a test: the host's encode node runs on it as it is."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"clip_name": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("CLIP_VISION",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, clip_name):
        return (_ClipVision(),)


def _text_features(text):
    """[12, 4096] that depend on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
    return torch.randn(12, 4096, generator=torch.Generator().manual_seed(seed)) * 0.1


class _TextEncoder:
    """As the wrapper's T5: it is moved, asked for its weights, and called with prompts."""

    quantization, dtype = "disabled", torch.float32

    def __init__(self):
        self.model = torch.nn.Linear(2, 2)

    def __call__(self, prompts, device):
        return [_text_features(prompt).to(device) for prompt in prompts]


class SVITestT5:
    """A WANTEXTENCODER that the wrapper's own text encode node runs on."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"model_name": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("WANTEXTENCODER",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, model_name):
        return ({"model": _TextEncoder(), "dtype": torch.float32},)


class _Clip:
    def tokenize(self, text):
        return text

    def encode_from_tokens_scheduled(self, tokens):
        return [[_text_features(tokens)[None], {}]]


class SVITestCLIP:
    """A CLIP that ComfyUI's own text encode node runs on."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {}})
    RETURN_TYPES = ("CLIP",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self):
        return (_Clip(),)


class SVITestNoVAE:
    """A WANVAE link where no wrapper is there to make one."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {}})
    RETURN_TYPES = ("WANVAE",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self):
        return (None,)


NODE_CLASS_MAPPINGS = {
    cls.__name__: cls
    for cls in (
        SVITestDump,
        SVITestImages,
        SVITestMask,
        SVITestRegion,
        SVITestLatent,
        SVITestJoinLatents,
        SVITestEmbedsToLatent,
        SVITestNumber,
        SVITestChangeEmbeds,
        SVITestSchedules,
        SVITestClipVision,
        SVITestT5,
        SVITestCLIP,
        SVITestNoVAE,
    )
}
