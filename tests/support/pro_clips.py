"""LATENTs and clips of SVI 2.0 Pro."""

from __future__ import annotations

from typing import Any

import torch
from helpers import latent_clip
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.latents.make import LatentClip


def latent(count: int = 1, *, seed: int = 0, size: tuple[int, int] = (8, 8), channels: int = 16) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {"samples": torch.randn(1, channels, count, *size, generator=generator)}


def clip(**inputs: Any) -> LatentClip:
    return latent_clip(**{"anchor_samples": latent(), "num_frames": 17, **inputs})
