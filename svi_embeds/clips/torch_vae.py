"""VAEs of outside ComfyUI behind the interface of the wrapper's WANVAE, so that clips are made without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import SVIError
from .vae import FACTOR, channels_of


class TorchVAE:
    """A Wan VAE as a module and a function.

    model: the module, which is moved between devices. encode: takes 1 C F H W in -1..1, gives raw latents 1 C T h w.
    mean, std: of the latents, per channel, by which they are normalised; none where `encode` does that itself.
    upsampling_factor: pixels per latent pixel, 8, or 16 for the VAE of the 5B models.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        encode: Callable[[Tensor], Tensor],
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        upsampling_factor: int = FACTOR,
    ) -> None:
        channels = channels_of(upsampling_factor)
        for name, values, other in (("mean", mean, std), ("std", std, mean)):
            count = 0 if values is None else len(values)
            if count != channels and (count or other is not None):
                raise SVIError(
                    f"{name} must have {channels} values, one for each latent channel, got {count or 'none'}"
                )
        self.model: Any = model
        self.upsampling_factor, self._run = upsampling_factor, encode
        self.dtype = next(model.parameters()).dtype  # of the weights, and so of what goes in
        self._mean, self._std = (
            None if values is None else torch.tensor(values).view(-1, 1, 1, 1) for values in (mean, std)
        )

    def to(self, device: torch.device) -> TorchVAE:
        self.model.to(device)
        return self

    def tile(self, on: bool) -> None:
        """Encode in tiles from now on, or whole. Raises SVIError when this VAE cannot."""
        if on:
            raise SVIError("this VAE does not encode in tiles: leave tiled off")

    @torch.inference_mode()
    def encode(
        self, videos: Sequence[Tensor], device: torch.device, *, end_: bool = False, tiled: bool = False
    ) -> Tensor:
        """videos: C F H W in -1..1, each. Returns B C T h w float32. end_: the last frame has a latent of its own."""
        self.tile(tiled)
        latents = []
        for video in videos:
            parts = [video[:, :-1], video[:, -1:]] if end_ else [video]
            encoded = torch.cat([self._run(part.to(device).unsqueeze(0))[0] for part in parts], dim=1)
            if self._mean is not None and self._std is not None:
                encoded = (encoded - self._mean.to(encoded)) / self._std.to(encoded)
            latents.append(encoded)
        # A clone, since tensors made in inference mode refuse in-place changes outside it.
        return torch.stack(latents).float().clone()


class DiffusersVAE(TorchVAE):
    """diffusers' `AutoencoderKLWan`.

    model: a loaded one, of Wan 2.1 or 2.2 A14B (16 latent channels). Its own mean and std normalise the latents, as the
    transformer wants them. Raises SVIError for another kind of model.
    """

    def __init__(self, model: Any) -> None:
        config: Any = getattr(model, "config", None)
        if not hasattr(config, "latents_mean") or not hasattr(model, "enable_tiling"):
            raise SVIError(f"model must be diffusers' AutoencoderKLWan, got {type(model).__name__}")
        super().__init__(
            model,
            lambda video: model.encode(video).latent_dist.mode(),
            mean=config.latents_mean,
            std=config.latents_std,
            upsampling_factor=getattr(config, "scale_factor_spatial", FACTOR),
        )

    def tile(self, on: bool) -> None:
        if on:
            self.model.enable_tiling(64, 64, 48, 48)
        else:
            self.model.disable_tiling()
