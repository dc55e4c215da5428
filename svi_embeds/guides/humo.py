"""HuMo's embeds and a clip's own as one. HuMo's keys are known here, and those that tell what they are in `embeds`.

Both are WANVIDIMAGE_EMBEDS. WanVideo Combine Embeds puts one dict over the other, which gives the sampler (088128b of
2026-05-24, nodes_sampler.py) the clip's `image_embeds`, and then

- it takes the noise's length from `num_frames` and appends HuMo's R reference latents to the conditioning alone; to fit
  the two it puts R latents of zeros before the noise, so that all of it stands R places off, and then drops the last R
  latents of the clip: 4R frames are lost (seen in a real host);
- with context windows it reads HuMo's own `humo_image_cond` and not the clip's;
- it has no unconditional image for the first steps of an audio cfg.

So the clip's mask and latents are put where HuMo has its own, `humo_image_cond` [20, T+R, h, w], in front of its R
reference latents, and `target_shape` says the length: the way that HuMo Embeds alone goes, which serves all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..clips.embeds import (
    check_embeds,
    clip_vision_of,
    conditioning_of,
    is_end_apart,
    reference_latents,
    sampled_size,
    what_they_are,
)
from ..errors import SVIError
from ..ground.checks import check_dict
from ..timeline import frame_count, latent_count
from .voice import VOICE_FPS, window_features
from .window import Window

HUMO_FPS = VOICE_FPS
_SOURCE = "HuMo Embeds"
_AUDIO, _SILENT = "humo_audio_emb", "humo_audio_emb_neg"
_IMAGE, _NO_IMAGE = "humo_image_cond", "humo_image_cond_neg"
# What the sampler reads from a clip's own embeds, and would not find in HuMo's.
_NO_PLACE = {
    "control_embeds": "a control signal",
    "add_cond_latents": "pose latents",
    "extra_latents": "clean latents (WanVideo Add Extra Latent)",
    "pusa_noise_multipliers": "Pusa noise (WanVideo Add Pusa Noise)",
    "story_mem_latents": "memory images (WanVideo Add StoryMem Latents)",
}


def humo_voice(humo_embeds: object) -> Tensor:
    """HuMo's audio, [S, 5, 1280], 25 entries a second. Raises SVIError for embeds without."""
    embeds = check_dict("humo_embeds", humo_embeds, _SOURCE)
    voice = embeds.get(_AUDIO)
    if voice is None:
        raise SVIError(f"humo_embeds holds no audio ({what_they_are(embeds)}): connect {_SOURCE}")
    if not isinstance(voice, Tensor) or voice.ndim != 3 or not voice.is_floating_point() or not len(voice):
        came = f"{voice.dtype} {list(voice.shape)}" if isinstance(voice, Tensor) else type(voice).__name__
        raise SVIError(f"{_AUDIO} must be floats [frames, 5, 1280], got {came}: connect {_SOURCE}")
    return voice


def is_silent(humo_embeds: object) -> bool:
    """Whether HuMo Embeds were made without audio: zeros stand for it, as many as its own num_frames."""
    return not bool(humo_voice(humo_embeds).any())


def check_voice(name: str, humo_embeds: Mapping[str, Any]) -> None:
    """Raises SVIError for HuMo's embeds that the sampler would crash on. name: of the input they came to."""
    try:
        humo_voice(humo_embeds)
        size = sampled_size("humo_embeds", humo_embeds)
        for key in (_IMAGE, _NO_IMAGE):
            found = tuple(_latents(humo_embeds, key).shape[1:])
            if found != size:
                raise SVIError(
                    f"{key} has {list(found)} latents (T, h, w), the clip {list(size)}: set num_frames, width and "
                    f"height of {_SOURCE} to the clip's"
                )
    except SVIError as error:
        raise SVIError(f"{name} do not read as HuMo's: {error}") from error


def is_joined(humo_embeds: Mapping[str, Any]) -> bool:
    """Whether a clip stands in HuMo's embeds (`join_humo`); in those of HuMo Embeds itself no frame is known."""
    own = _latents(humo_embeds, _IMAGE)
    return bool(own[:4, : own.shape[1] - reference_latents("humo_embeds", humo_embeds)].any())


def window_humo(humo_embeds: Mapping[str, Any], window: Window, *, end: str) -> tuple[dict[str, Any], list[str]]:
    """HuMo's embeds with the window's audio at the front, and notes. end: as in `window_multitalk`.

    Raises SVIError when they are made for clips of another length than the window's.
    """
    made = humo_embeds.get("num_frames")
    if made is not None and made != window.num_frames:
        raise _other_length(made, window.num_frames)
    voice, notes = window_features(humo_voice(humo_embeds), window, end=end)
    return {**humo_embeds, _AUDIO: voice, _SILENT: torch.zeros_like(voice)}, notes


def join_humo(humo_embeds: Mapping[str, Any], clip_embeds: object) -> tuple[dict[str, Any], list[str]]:
    """A clip's embeds (image-to-video, this pack's or the host's) with HuMo's audio and references, and notes.

    The clip decides mask, latents, length and CLIP vision; HuMo its audio, references and scales. Neither is changed.
    Raises SVIError when the two are of different sizes or lengths, or the clip holds what HuMo's way has no place for.
    """
    humo_voice(humo_embeds)
    clip = check_embeds(clip_embeds)
    for key, said in _NO_PLACE.items():
        if clip.get(key) is not None:
            raise SVIError(f"image_embeds holds {said} ({key}), which HuMo's embeds have no place for: disconnect it")
    # The wrapper's own SVI Pro embeds have no more keys than they need.
    if is_end_apart(clip) or clip.get("has_ref"):
        what = "an end image apart (fun_or_fl2v_model off)" if is_end_apart(clip) else "extra latents in front"
        raise SVIError(f"image_embeds holds {what}, which HuMo's frames have no place for: leave it out")
    own = conditioning_of(clip)
    count, lat_h, lat_w = own.shape[1:]
    references = check_humo_size(humo_embeds, num_frames=clip["num_frames"], lat_h=lat_h, lat_w=lat_w)
    theirs, blank = (_latents(humo_embeds, key) for key in (_IMAGE, _NO_IMAGE))
    if theirs.shape[0] != own.shape[0]:
        raise SVIError(
            f"image_embeds has {own.shape[0]} channels with its mask, HuMo's have {theirs.shape[0]}: both must be for "
            "a Wan 2.1 VAE"
        )
    tail = theirs[:, theirs.shape[1] - references :].to(own)
    # The mask stays, the image goes: as HuMo Embeds itself makes it.
    nothing = torch.cat([torch.cat([own[:4], tail[:4]], dim=1), blank[4:].to(own)])
    notes = [f"{references} reference latent(s) of HuMo behind the clip, dropped after sampling"] if references else []
    joined = {
        **humo_embeds,
        _IMAGE: torch.cat([own, tail], dim=1),
        _NO_IMAGE: nothing,
        "target_shape": (16, count + references, lat_h, lat_w),
        "num_frames": clip["num_frames"],
        **clip_vision_of(clip),
    }
    return joined, notes


def check_humo_size(humo_embeds: Mapping[str, Any], *, num_frames: int, lat_h: int, lat_w: int) -> int:
    """How many reference latents HuMo's embeds have.

    num_frames: of the clip. lat_h, lat_w: its latents. Raises SVIError when HuMo's are of another size or length.
    """
    references = reference_latents("humo_embeds", humo_embeds)
    for key in (_IMAGE, _NO_IMAGE):
        _, count, height, width = _latents(humo_embeds, key).shape
        if (height, width) != (lat_h, lat_w):
            raise SVIError(
                f"humo_embeds are {8 * width}x{8 * height}, the clip is {8 * lat_w}x{8 * lat_h}: set the size of "
                f"{_SOURCE} to the clip's"
            )
        if count != latent_count(num_frames) + references:
            raise _other_length(frame_count(max(1, count - references)), num_frames)
    return references


def _other_length(made: int, wanted: int) -> SVIError:
    return SVIError(
        f"humo_embeds are made for {made} frames, the clip has {wanted}: set num_frames of {_SOURCE} to {wanted} (its "
        "audio is whole all the same)"
    )


def _latents(embeds: Mapping[str, Any], key: str) -> Tensor:
    value = embeds.get(key)
    if not isinstance(value, Tensor) or value.ndim != 4 or not value.is_floating_point():
        came = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise SVIError(f"{key} of humo_embeds must be floats [20, T, h, w], got {came}: connect {_SOURCE}")
    return value
