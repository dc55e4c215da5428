"""Widget values that saved nodes have, by position, in every version of the node that is known.

Saved workflows hold the values without names. Sources: the wrapper's nodes from 2025-08-15 on, KJNodes, ComfyUI's
own, ComfyUI_essentials, VideoHelperSuite, Easy-Use and ComfyMath as of 2026. Number and types of the values tell which
version a node is of; what fits none is refused, never guessed.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ....svi_embeds.errors import SVIError

# name:kind in their order. i integer, n number, b boolean, s text (combo values too), . what the frontend adds behind a
# seed. A node may be saved without the values at the end that newer versions have.
_SAMPLER = (
    "steps:i cfg:n shift:n seed:i .:s force_offload:b scheduler:s riflex_freq_index:i denoise_strength:n batched_cfg:b "
    "rope_function:s start_step:i end_step:i add_noise_to_samples:b"
)
_ENCODE = (
    "width:i height:i num_frames:i noise_aug_strength:n start_latent_strength:n end_latent_strength:n force_offload:b "
    "fun_or_fl2v_model:b tiled_vae:b"
)
_RESIZE = "width:i height:i upscale_method:s keep_proportion:s pad_color:s crop_position:s divisible_by:i"
_LOADER = "model:s base_precision:s quantization:s load_device:s attention_mode:s"
_NATIVE = "seed:i .:s steps:i cfg:n sampler_name:s scheduler:s"
_VERSIONS: dict[str, tuple[str, ...]] = {
    "WanVideoImageToVideoEncode": (_ENCODE, f"{_ENCODE} augment_empty_frames:n"),
    "WanVideoSampler": (_SAMPLER,),
    "WanVideoSamplerSettings": (_SAMPLER,),
    "WanVideoSamplerv2": ("cfg:n seed:i .:s force_offload:b add_noise_to_samples:b",),
    "WanVideoEmptyEmbeds": ("width:i height:i num_frames:i",),
    "WanVideoVACEStartToEndFrame": ("num_frames:i empty_frame_level:n start_index:i end_index:i",),
    "WanVideoSVIProEmbeds": ("num_frames:i motion_latent_count:i",),
    "WanVideoTextEncode": (
        "positive_prompt:s negative_prompt:s force_offload:b",
        "positive_prompt:s negative_prompt:s force_offload:b use_disk_cache:b device:s",
    ),
    "WanVideoTextEncodeCached": (
        "model_name:s precision:s positive_prompt:s negative_prompt:s quantization:s use_disk_cache:b device:s",
    ),
    "WanVideoScheduler": (
        "scheduler:s steps:i shift:n start_step:i end_step:i",
        "scheduler:s steps:i shift:n start_step:i end_step:i .:s",
        "scheduler:s steps:i shift:n start_step:i end_step:i enhance_hf:b",
        "scheduler:s steps:i shift:n start_step:i end_step:i enhance_hf:b .:s",
    ),
    "WanVideoModelLoader": (_LOADER, f"{_LOADER} rms_norm_function:s"),
    "WanVideoLoraSelect": (
        "lora:s strength:n low_mem_load:b merge_loras:b",
        "lora:s strength:n low_mem_load:b merge_loras:b .:s",
    ),
    "WanVideoLoraSelectMulti": (
        " ".join(f"lora_{i}:s strength_{i}:n" for i in range(5)) + " low_mem_load:b merge_loras:b",
    ),
    "GetImageRangeFromBatch": ("start_index:i num_frames:i",),
    "GetImagesFromBatchIndexed": ("indexes:s",),
    "ImageFromBatch": ("batch_index:i length:i",),
    "ImageFromBatch+": ("start:i length:i",),
    "VHS_SelectImages": ("indexes:s err_if_missing:b err_if_empty:b",),
    "VHS_SplitImages": ("split_index:i",),
    "RepeatImageBatch": ("amount:i",),
    "ReplaceImagesInBatch": ("start_index:i",),
    "SolidMask": ("value:n width:i height:i",),
    "ImageScale": ("upscale_method:s width:i height:i crop:s",),
    "ImageResizeKJv2": (
        _RESIZE, f"{_RESIZE} device:s", f"{_RESIZE} device:s .:s",
    ),
    "ImageBatchMulti": ("inputcount:i", "inputcount:i .:"),
    "ImageBatchExtendWithOverlap": ("overlap:i overlap_side:s overlap_mode:s",),
    "INTConstant": ("value:i",),
    "FloatConstant": ("value:n",),
    "PrimitiveInt": ("value:i", "value:i .:s"),
    "PrimitiveFloat": ("value:n",),
    "PrimitiveString": ("value:s",),
    "PrimitiveStringMultiline": ("value:s",),
    "SimpleMath+": ("value:s",),
    "SimpleMathInt+": ("value:i",),
    "SimpleMathDual+": ("value_1:s value_2:s",),
    "SimpleCalculatorKJ": ("expression:s", "expression:s a:. b:."),
    "ComfyMathExpression": ("expression:s",),
    "CM_IntBinaryOperation": ("op:s a:i b:i",),
    "easy int": ("value:i",),
    "easy mathInt": ("a:i b:i operation:s",),
    "easy simpleMath": ("value:s",),
    "ImpactInt": ("value:i",),
    "JWInteger": ("value:i",),
    "WanEx_I2VCustomEmbeds": ("width:i height:i length:i batch_size:i concat_mask_index:i",),
    "WanImageToVideoSVIPro": ("length:i motion_latent_count:i",),
    "WanImageToVideoSVIProFLF": ("length:i use_end_samples:b motion_latent_count:i",),
    "WanCutLastSlot": ("slots_to_cut:i",),
    "KSampler": (f"{_NATIVE} denoise:n",),
    "KSamplerAdvanced": (f"add_noise:s noise_{_NATIVE} start_at_step:i end_at_step:i return_with_leftover_noise:s",),
    "SamplerCustom": ("add_noise:b noise_seed:i .:s cfg:n",),
    "RandomNoise": ("noise_seed:i", "noise_seed:i .:s"),
    "CFGGuider": ("cfg:n",),
    "ScheduledCFGGuidance": ("cfg:n start_percent:n end_percent:n",),
    "SplitSigmas": ("step:i",),
    "KSamplerSelect": ("sampler_name:s",),
    "CLIPTextEncode": ("text:s",),
    "GetNode": ("name:s",),
    "SetNode": ("name:s",),
}  # fmt: skip


# What a node does without an optional widget, which API graphs may leave out. The widget of fun_or_fl2v_model is on.
LEFT_OUT: dict[str, dict[str, Any]] = {
    "WanVideoImageToVideoEncode": {"fun_or_fl2v_model": False, "tiled_vae": False, "augment_empty_frames": 0.0},
    "WanVideoVACEStartToEndFrame": {"start_index": 0, "end_index": -1},
    "WanVideoSVIProEmbeds": {"motion_latent_count": 1},
    "WanEx_I2VCustomEmbeds": {"concat_mask_index": 0},
    "WanImageToVideoSVIPro": {"motion_latent_count": 1},
    "WanImageToVideoSVIProFLF": {"use_end_samples": True, "motion_latent_count": 1},
}  # fmt: skip


def _fits(value: Any, kind: str) -> bool:
    if kind == "i":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "n":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "b":
        return isinstance(value, bool) or value == ""  # frontends have saved an untouched toggle as ""
    return isinstance(value, str) if kind == "s" else True


@cache
def _fields(node_type: str) -> list[list[list[str]]]:
    return [[field.split(":") for field in version.split()] for version in _VERSIONS[node_type]]


def _version(node_type: str, values: Any) -> list[list[str]]:
    """[name, kind] of each value; the name is "." for those that have none."""
    versions = _VERSIONS.get(node_type)
    if versions is None:
        raise SVIError(f"the widgets of {node_type} are not known")
    if not isinstance(values, list):
        raise SVIError(f"this {node_type} was saved without its values: open it in ComfyUI and save it again")
    for fields in _fields(node_type):
        if len(fields) == len(values) and all(map(_fits, values, (kind for _, kind in fields))):
            return fields
    counts = " or ".join(str(len(version.split())) for version in versions)
    raise SVIError(
        f"this {node_type} was saved with {len(values)} values ({', '.join(map(_short, values[:20]))}), and the known "
        f"versions have {counts}, in their order: open it in a current wrapper, check its settings, and save it again"
    )


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, (str, int, float, bool)) or value is None else type(value).__name__
    return text if len(text) <= 30 else f"{text[:27]}..."


def read_widgets(node_type: str, values: Any) -> dict[str, Any]:
    """A saved node's widget values by name. Raises SVIError when they fit no known version of the node."""
    if isinstance(values, dict):  # some nodes save them by name
        return dict(values)
    fields = _version(node_type, values)
    return {
        name: False if value == "" and kind == "b" else value
        for (name, kind), value in zip(fields, values, strict=True)
        if name != "."
    }


def widget_index(node_type: str, values: Any, name: str) -> Any:
    """Where in the saved values a widget's is. Raises SVIError as `read_widgets` does."""
    if isinstance(values, dict):
        return name
    return next(index for index, (other, _) in enumerate(_version(node_type, values)) if other == name)
