"""A real Wan VAE architecture with small random weights, behind the host's VAE interface. For the demo and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...svi_embeds.errors import SVIError


class DemoVAE:
    """diffusers' AutoencoderKLWan as the wrapper's WANVAE. Latents have the right shape and causality, no meaning.

    dtype: weights and input. seed: of the random weights. base_dim: width of the network (96 in the released VAE).
    Raises SVIError when diffusers is not installed.
    """

    upsampling_factor = 8

    def __init__(self, *, dtype: torch.dtype = torch.float32, seed: int = 0, base_dim: int = 8) -> None:
        try:
            from diffusers import AutoencoderKLWan
        except ImportError as error:
            raise SVIError(f'the demo needs diffusers ({error}): pip install -e ".[demo]"') from error
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model: Any = AutoencoderKLWan(base_dim=base_dim).eval().requires_grad_(False)
        if dtype != torch.float32:  # diffusers logs a warning at every cast, the idle one included
            self.model.to(dtype)
        self.dtype = dtype
        self._mean = torch.tensor(self.model.config.latents_mean).view(-1, 1, 1, 1)
        self._std = torch.tensor(self.model.config.latents_std).view(-1, 1, 1, 1)

    def to(self, device: torch.device) -> DemoVAE:
        self.model.to(device)
        return self

    @torch.inference_mode()
    def encode(
        self, videos: Sequence[Tensor], device: torch.device, *, end_: bool = False, tiled: bool = False
    ) -> Tensor:
        """videos: C F H W in -1..1, each. Returns B C T h w float32. end_: the last frame has a latent of its own."""
        if tiled:
            self.model.enable_tiling(64, 64, 48, 48)
        else:
            self.model.disable_tiling()
        latents = []
        for video in videos:
            parts = [video[:, :-1], video[:, -1:]] if end_ else [video]
            encoded = torch.cat([self._encode(part.to(device)) for part in parts], dim=1)
            latents.append((encoded - self._mean.to(encoded)) / self._std.to(encoded))
        # A clone, since tensors made in inference mode refuse in-place changes outside it.
        return torch.stack(latents).float().clone()

    def _encode(self, video: Tensor) -> Tensor:
        encoded: Tensor = self.model.encode(video.unsqueeze(0)).latent_dist.mode()[0]
        return encoded
