"""A real Wan VAE architecture with small random weights, behind the host's VAE interface. For the demo and tests."""

from __future__ import annotations

import torch

from ...svi_embeds.clips.torch_vae import DiffusersVAE
from ...svi_embeds.errors import SVIError


class DemoVAE(DiffusersVAE):
    """Latents have the right shape and causality, no meaning.

    dtype: weights and input. seed: of the random weights. base_dim: width of the network (96 in the released VAE).
    Raises SVIError when diffusers is not installed.
    """

    def __init__(self, *, dtype: torch.dtype = torch.float32, seed: int = 0, base_dim: int = 8) -> None:
        try:
            from diffusers import AutoencoderKLWan
        except ImportError as error:
            raise SVIError(f'the demo needs diffusers ({error}): pip install -e ".[demo]"') from error
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoencoderKLWan(base_dim=base_dim).eval().requires_grad_(False)
        if dtype != torch.float32:  # diffusers logs a warning at every cast, the idle one included
            model.to(dtype)
        super().__init__(model)
