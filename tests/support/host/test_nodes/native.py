"""Nodes for tests of ComfyUI's own sampling: what its model is given, and conditioning as plain values."""

from pathlib import Path

import folder_paths
import torch
from safetensors.torch import save_file


class SVITestNativeProbe:
    """The same MODEL; what its first call gets is written to output/<name>.safetensors."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"model": ("MODEL",), "name": ("STRING", {"default": "probe"})}}
    )  # fmt: skip
    RETURN_TYPES = ("MODEL",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, model, name):
        seen = []

        def wrapper(apply_model, call):
            if not seen:
                given = {"x": call["input"], **call["c"]}
                tensors = {key: value for key, value in given.items() if isinstance(value, torch.Tensor)}
                tensors = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
                target = Path(folder_paths.get_output_directory()) / f"{name}.safetensors"
                save_file(tensors, target, {"plain": "{}"})
                seen.append(name)
            return apply_model(call["input"], call["timestep"], **call["c"])

        probed = model.clone()
        probed.set_model_unet_function_wrapper(wrapper)
        return (probed,)


class SVITestConditioning:
    """The values of a CONDITIONING's first entry, as SVITestDump writes them."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"conditioning": ("CONDITIONING",)}})
    RETURN_TYPES = ("SVI_TEST_VALUES",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, conditioning):
        values = dict(conditioning[0][1])
        if "clip_vision_output" in values:
            values["clip_vision_output"] = values["clip_vision_output"].penultimate_hidden_states
        return (values,)


class SVITestConcat:
    """A CONDITIONING with latents of any kind as those of an image-to-video node, the first of them kept."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"conditioning": ("CONDITIONING",), "latent": ("LATENT",)}})
    RETURN_TYPES = ("CONDITIONING", "CONDITIONING", "LATENT")
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, conditioning, latent):
        samples = latent["samples"]
        mask = torch.ones(1, 1, *samples.shape[2:])
        mask[:, :, :1] = 0
        values = {"concat_latent_image": samples, "concat_mask": mask}
        out = [[text, {**before, **values}] for text, before in conditioning]
        return (out, out, {"samples": torch.zeros_like(samples)})


class SVITestVision:
    """A CLIP_VISION_OUTPUT as ComfyUI's own node makes it."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"seed": ("INT", {"default": 0})}})
    RETURN_TYPES = ("CLIP_VISION_OUTPUT",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, seed):
        import comfy.clip_vision

        output = comfy.clip_vision.Output()
        output.penultimate_hidden_states = torch.randn(1, 257, 1280, generator=torch.Generator().manual_seed(seed))
        return (output,)


NODES = (SVITestNativeProbe, SVITestConditioning, SVITestConcat, SVITestVision)
