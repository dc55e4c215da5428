"""A clip's latents: encoded, scaled, and with extra ones in front."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...errors import SVIError
from ..latent_space import read_latent
from ..vae import Encoder, scale_latents
from .decide import padding_to_scale
from .plan import ClipPlan


def with_negative(encoder: Encoder, add_cond_latents: dict[str, Any], *, width: int, height: int) -> dict[str, Any]:
    """add_cond_latents with the negative that the host's encode node adds to them: one grey frame."""
    grey = torch.zeros(3, 1, height, width, dtype=encoder.vae.dtype)
    negative = encoder.vae.encode([grey], encoder.device, end_=False, tiled=False)
    return {**add_cond_latents, "ref_latent_neg": negative}


def scale_padding(plan: ClipPlan, latents: Tensor, strength: float, *, in_front: int) -> tuple[Tensor, list[str]]:
    """Latents C T h w with those of image padding scaled, and notes. in_front: latents that will stand before them."""
    pad, notes = padding_to_scale(plan, strength, in_front=in_front)
    return (scale_latents(latents, pad, strength) if pad else latents), notes


def prepend_extra(extra: Tensor, latents: Tensor, packed: Tensor) -> tuple[Tensor, Tensor]:
    """extra: C t h w, kept. latents: C T h w, packed: 4 T h w. Returns both with t more in front."""
    kept = torch.ones_like(packed[:, :1]).expand(-1, extra.shape[1], -1, -1)
    return torch.cat([extra.to(latents.device), latents], dim=1), torch.cat([kept, packed], dim=1)


def extra_samples(extra_latents: dict[str, Any] | None, *, channels: int, lat_h: int, lat_w: int) -> Tensor | None:
    """A LATENT as C t h w, checked against the clip's latents. channels: theirs."""
    if extra_latents is None:
        return None
    samples, _ = read_latent("extra_latents", extra_latents, take_first=False)
    if samples.shape[0] != channels:
        raise SVIError(
            f"extra_latents have {samples.shape[0]} channels, this VAE makes {channels}: encode them with the same VAE"
        )
    if tuple(samples.shape[2:]) != (lat_h, lat_w):
        raise SVIError(
            f"extra_latents must be [1, {channels}, t, {lat_h}, {lat_w}] like this clip's latents, got "
            f"{[1, *samples.shape]}: encode them at the clip's width and height"
        )
    return samples
