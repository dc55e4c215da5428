"""Nodes that a migration adds, as the wrapper of 2026-05-24 and ComfyUI 0.33 declare them; a test compares the two."""

from __future__ import annotations

from typing import Any

from .definitions import Definition, Input, read_input

_SAMPLER_LINKS = (
    "text_embeds:WANVIDEOTEXTEMBEDS", "samples:LATENT", "feta_args:FETAARGS", "context_options:WANVIDCONTEXT",
    "cache_args:CACHEARGS", "flowedit_args:FLOWEDITARGS", "slg_args:SLGARGS", "loop_args:LOOPARGS",
    "experimental_args:EXPERIMENTALARGS", "sigmas:SIGMAS", "unianimate_poses:UNIANIMATE_POSE",
    "fantasytalking_embeds:FANTASYTALKING_EMBEDS", "uni3c_embeds:UNI3C_EMBEDS", "multitalk_embeds:MULTITALK_EMBEDS",
    "freeinit_args:FREEINITARGS",
)  # fmt: skip
# Inputs of the sampler that take links only and belong to it, not to the chain.
SAMPLER_EXTRAS = tuple(link.split(":")[0] for link in _SAMPLER_LINKS[2:])


def _links(*declared: str) -> dict[str, Input]:
    pairs = (text.split(":") for text in declared)
    return {name: Input(kind, False, None, False) for name, kind in pairs}


def _widgets(**declared: tuple[Any, Any]) -> dict[str, Input]:
    return {name: read_input(name, kind, {"default": default}) for name, (kind, default) in declared.items()}


def _combo(default: str) -> tuple[list[str], str]:
    return [default], default


SAMPLER_SETTINGS = Definition(
    "WanVideoSamplerSettings", "WanVideo Sampler Settings",
    _links("model:WANVIDEOMODEL", "image_embeds:WANVIDIMAGE_EMBEDS")
    | _widgets(
        steps=("INT", 30), cfg=("FLOAT", 6.0), shift=("FLOAT", 5.0), seed=("INT", 0), force_offload=("BOOLEAN", True),
        scheduler=_combo("unipc"), riflex_freq_index=("INT", 0),
    )
    | _links(*_SAMPLER_LINKS[:2])
    | _widgets(denoise_strength=("FLOAT", 1.0))
    | _links(*_SAMPLER_LINKS[2:6])
    | _widgets(batched_cfg=("BOOLEAN", False))
    | _links(_SAMPLER_LINKS[6])
    | _widgets(rope_function=_combo("comfy"))
    | _links(*_SAMPLER_LINKS[7:])
    | _widgets(start_step=("INT", 0), end_step=("INT", -1), add_noise_to_samples=("BOOLEAN", False)),
    (("sampler_inputs", "SAMPLER_ARGS"),),
)  # fmt: skip
EMPTY_EMBEDS = Definition(
    "WanVideoEmptyEmbeds", "WanVideo Empty Embeds",
    _widgets(width=("INT", 832), height=("INT", 480), num_frames=("INT", 81))
    | _links("control_embeds:WANVIDIMAGE_EMBEDS", "extra_latents:LATENT"),
    (("image_embeds", "WANVIDIMAGE_EMBEDS"),),
)  # fmt: skip
TEXT_ENCODER = Definition(
    "LoadWanVideoT5TextEncoder", "WanVideo T5 Text Encoder Loader",
    _widgets(
        model_name=_combo(""), precision=_combo("bf16"), load_device=_combo("offload_device"),
        quantization=_combo("disabled"),
    ),
    (("wan_t5_model", "WANTEXTENCODER"),),
)  # fmt: skip
IMAGE_SIZE = Definition(
    "GetImageSize", "Get Image Size", _links("image:IMAGE"),
    (("width", "INT"), ("height", "INT"), ("batch_size", "INT")),
)  # fmt: skip


def image_batch(count: int) -> Definition:
    """KJNodes' Image Batch Multi with this many inputs."""
    links = _links(*(f"image_{index + 1}:IMAGE" for index in range(count)))
    return Definition(
        "ImageBatchMulti", "Image Batch Multi", _widgets(inputcount=("INT", 2)) | links, (("images", "IMAGE"),)
    )


SAMPLER_WIDGETS = tuple(name for name, spec in SAMPLER_SETTINGS.inputs.items() if spec.widget and name != "seed")
