"""Voices and poses whose values are the numbers of their frames, HuMo's embeds, and the nodes that cut them."""

from __future__ import annotations

from typing import Any

import torch
from helpers import TraceVAE, frames, pixel_clip
from torch import Tensor
from wanvideo_svi import NODE_CLASS_MAPPINGS

Audio, Pose = (NODE_CLASS_MAPPINGS[f"WanVideoSVI{name}Window"] for name in ("Audio", "Pose"))


def numbered(count: int, *, channels: int = 3, first: float = 0) -> Tensor:
    """Features [count, 2, channels] that hold the number of their frame."""
    return (torch.arange(count).float() + first)[:, None, None].expand(count, 2, channels).clone()


def voice(*speakers: Tensor, masks: Tensor | None = None, **other: Any) -> dict[str, Any]:
    return {"audio_features": list(speakers), "audio_scale": 1.5, "audio_cfg_scale": 2.0, "ref_target_masks": masks,
            **other}  # fmt: skip


def cut(multitalk: Any = None, **options: Any) -> dict[str, Any]:
    """The node's outputs by name."""
    asked = {"clip_index": 0, "num_frames": 17, "overlap_frames": 1, "start_frame": -1, "fps": 25.0,
             "audio_fps": 25.0, "end": "silence", "multitalk_embeds": multitalk, **options}  # fmt: skip
    return dict(zip(Audio.RETURN_NAMES, Audio().cut(**asked), strict=True))


def numbers(features: Tensor) -> list[int]:
    assert (features == features[:, :1, :1]).all()
    return features[:, 0, 0].int().tolist()


def dance(count: int, *, size: tuple[int, int] = (64, 64), ref: Tensor | None = None) -> dict[str, Any]:
    pose = torch.arange(count).float()[None, None, :, None, None].expand(1, 3, count, *size)
    return {"pose": pose, "ref": ref, "strength": 0.8, "start_percent": 0.0, "end_percent": 0.9}


def pose_numbers(made: dict[str, Any]) -> list[int]:
    return made["unianimate_poses"]["pose"][0, 0, :, 0, 0].int().tolist()


def humo(total: int = 60, *, count: int = 5, refs: int = 0, size: int = 8, channels: int = 16) -> dict[str, Any]:
    """As HuMo Embeds makes them: reference latents 7, no image 3, audio that holds its frame's number."""
    voice = torch.arange(total).float()[:, None, None].expand(total, 5, 6).clone()
    mask = torch.zeros(4, count + refs, size, size)
    mask[:, count:] = 1
    blank = torch.full((channels, count + refs, size, size), 3.0)
    image = blank.clone()
    image[:, count:] = 7
    return {
        "humo_audio_emb": voice, "humo_audio_emb_neg": torch.zeros_like(voice),
        "humo_image_cond": torch.cat([mask, image]), "humo_image_cond_neg": torch.cat([mask, blank]),
        "humo_reference_count": refs, "target_shape": (16, count + refs, size, size), "num_frames": 4 * count - 3,
        "humo_audio_scale": 0.5, "humo_audio_cfg_scale": 5.5, "humo_start_percent": 0.0, "humo_end_percent": 1.0,
    }  # fmt: skip


def clip(**options: Any) -> dict[str, Any]:
    asked = {"mode": "shot", "width": 64, "height": 64, "num_frames": 17, "start_image": frames(1), **options}
    return dict(pixel_clip(TraceVAE(), ref_image=frames(1, seed=3), **asked).embeds)


def join(humo_embeds: Any, image_embeds: Any, **options: Any) -> dict[str, Any]:
    return cut(humo_embeds=humo_embeds, image_embeds=image_embeds, **options)["image_embeds"]
