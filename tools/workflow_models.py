"""Where the files that the example workflows load can be fetched: what ComfyUI offers when one is missing.

Addresses are those that public workflows and scripts use; where each was seen stands beside it, as repository: path.
None was tried here. A file whose own address was seen nowhere has none: ComfyUI then names it without a button, and the
note in the workflow says where it lies.
"""

from __future__ import annotations

from typing import Any

from workflow_files import (
    CLIP_VISION,
    DISTILL_LORA,
    FUN_MODEL,
    HOLOCINE_DISTILL,
    HUMO_MODEL,
    MAGREF,
    MODEL,
    MULTITALK,
    NATIVE_DISTILL,
    NATIVE_MODEL,
    NATIVE_TEXT_ENCODER,
    NATIVE_VAE,
    PRO_DISTILL,
    PRO_LORA,
    PRO_MODEL,
    PUSA_LORA,
    SVI2_LORA,
    SVI_LORA,
    TEXT_ENCODER,
    UNIANIMATE_LORA,
    VAE,
    WAV2VEC,
    WHISPER,
)

_HUB = "https://huggingface.co/{}/resolve/main/{}"
_KIJAI, _SCALED = "Kijai/WanVideo_comfy", "Kijai/WanVideo_comfy_fp8_scaled"
_NATIVE = "Comfy-Org/Wan_2.2_ComfyUI_Repackaged"
_SVI = "vita-video-gen/svi-model"
_NOISES = ("HIGH", "LOW")

# Folder in ComfyUI/models -> file: (repository on huggingface.co, folder there with its slash).
_PLACES: dict[str, dict[str, tuple[str, str]]] = {
    # hiddenswitch/pip-and-uv-installable-ComfyUI: comfy/model_downloader.py, but where something else is said
    "diffusion_models": {
        MODEL: (_KIJAI, ""),
        **{PRO_MODEL.format(noise): (_SCALED, "I2V/") for noise in _NOISES},
        MAGREF: (_SCALED, "I2V/"),
        HUMO_MODEL: (_SCALED, "HuMo/"),
        # theshubzworld/ComfyUI-Model-Organiser: data/master-model-list.txt
        FUN_MODEL: (_KIJAI, "Fun/"),
        MULTITALK: (_KIJAI, ""),
        # Comfy-Org/workflow_templates: templates/video_wan2_2_14B_i2v.json, as all those of _NATIVE
        **dict.fromkeys(NATIVE_MODEL.values(), (_NATIVE, "split_files/diffusion_models/")),
        # HOLOCINE: its name is in public workflows, but nobody's script has the address. The folder it is in,
        # huggingface.co/Kijai/WanVideo_comfy_fp8_scaled/tree/main/T2V/HoloCine, is in
        # wanx-troopers/wanx-troopers.github.io: holocine.md
    },
    "loras": {
        DISTILL_LORA: (_KIJAI, "Lightx2v/"),
        **dict.fromkeys(NATIVE_DISTILL.values(), (_NATIVE, "split_files/loras/")),
        **{PRO_DISTILL.format(noise): (_KIJAI, "LoRAs/Wan22-Lightning/old/") for noise in _NOISES},
        HOLOCINE_DISTILL: (_KIJAI, "LoRAs/Wan22-Lightning/old/"),
        PUSA_LORA: (_KIJAI, "Pusa/"),
        # theshubzworld/ComfyUI-Model-Organiser: data/master-model-list.txt
        **{PRO_LORA.format(noise): (_KIJAI, "LoRAs/Stable-Video-Infinity/v2.0/") for noise in _NOISES},
        # wanx-troopers/wanx-troopers.github.io: control.md
        UNIANIMATE_LORA: (_KIJAI, ""),
        # vita-epfl/Stable-Video-Infinity: README.md
        **dict.fromkeys(SVI_LORA.values(), (_SVI, "version-1.0/")),
        # millord237/Stable-Video-Infinity: README.md, a copy of its branch for Wan 2.2
        **dict.fromkeys(SVI2_LORA.values(), (_SVI, "version-2.0/")),
    },
    "vae": {VAE: (_KIJAI, ""), NATIVE_VAE: (_NATIVE, "split_files/vae/")},
    "text_encoders": {
        TEXT_ENCODER: (_KIJAI, ""),
        NATIVE_TEXT_ENCODER: ("Comfy-Org/Wan_2.1_ComfyUI_repackaged", "split_files/text_encoders/"),
    },
    "clip_vision": {CLIP_VISION: ("Comfy-Org/Wan_2.1_ComfyUI_repackaged", "split_files/clip_vision/")},
    "audio_encoders": {WHISPER: (_KIJAI, "HuMo/")},
    # The repository: kijai/ComfyUI-WanVideoWrapper: example_workflows/wanvideo_2_1_14B_I2V_InfiniteTalk_example_03.json
    "wav2vec2": {WAV2VEC: ("Kijai/wav2vec2_safetensors", "")},
}
_MODELS = {
    name: {"name": name, "url": _HUB.format(repository, folder + name), "directory": directory}
    for directory, files in _PLACES.items()
    for name, (repository, folder) in files.items()
}


def models_of(values: list[Any]) -> list[dict[str, str]]:
    """`properties.models` of a node with these widget values. ComfyUI goes by an entry whose name is the value."""
    return [_MODELS[value] for value in values if isinstance(value, str) and value in _MODELS]
