"""ComfyUI's own VAE object as far as it is used: shapes, ranges and retries of comfy/sd.py, latents by averages."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.latent_space import _STATISTICS


class WanVAE(torch.nn.Module):
    """What ComfyUI calls the model of a Wan VAE."""


class NativeVAE:
    """Averages pixels into latents, a mixture of the three colours for each channel.

    model: what is inside. fails: runs out of memory on whole frames, and encodes in tiles then, as ComfyUI does.
    """

    latent_dim = 3

    def __init__(self, *, channels: int = 16, model: torch.nn.Module | None = None, fails: bool = False) -> None:
        self.latent_channels, self.factor = channels, 16 if channels == 48 else 8
        self.first_stage_model: Any = WanVAE() if model is None else model
        self.process_input: Any = lambda image: image * 2.0 - 1.0
        self.fails = fails
        self.calls: list[dict[str, Any]] = []
        self.pixels: list[Tensor] = []

    def encode(self, pixel_samples: Tensor) -> Tensor:
        self.calls.append({})
        pixels = pixel_samples.movedim(-1, 1).movedim(1, 0).unsqueeze(0)
        if self.fails:
            return self.encode_tiled_3d(pixels, tile_x=256, tile_y=256, overlap=(1, 64, 64))
        return self._latents(self.process_input(pixels))

    def encode_tiled(self, pixel_samples: Tensor, **tiles: Any) -> Tensor:
        self.calls.append(tiles)
        return self.encode_tiled_3d(pixel_samples.movedim(-1, 1).movedim(1, 0).unsqueeze(0), **tiles)

    def encode_tiled_3d(self, samples: Tensor, **_: Any) -> Tensor:
        return self._latents(self.process_input(samples)) * 1.001

    def _latents(self, video: Tensor) -> Tensor:
        """video: 1 3 F H W in -1..1."""
        self.pixels.append(video.clone())
        chunks = [video[:, :, :1], *(video[:, :, i : i + 4] for i in range(1, video.shape[2], 4))]
        small = [torch.nn.functional.avg_pool2d(chunk.mean(2), self.factor) for chunk in chunks]
        mix = torch.randn(self.latent_channels, 3, generator=torch.Generator().manual_seed(1)) * 3
        return torch.einsum("oc,bcthw->bothw", mix, torch.stack(small, dim=2))


def wan_image_to_video(vae: NativeVAE, start: Tensor, length: int) -> dict[str, Tensor]:
    """What ComfyUI's WanImageToVideo sets in conditioning. start: F H W 3 of the clip's size."""
    image = torch.ones(length, *start.shape[1:]) * 0.5
    image[: len(start)] = start
    latents = vae.encode(image)
    mask = torch.ones(1, 1, *latents.shape[2:])
    mask[:, :, : (len(start) - 1) // 4 + 1] = 0.0
    return {"concat_latent_image": latents, "concat_mask": mask}


def concat_cond(values: dict[str, Any]) -> Tensor:
    """What ComfyUI's model makes of conditioning (comfy/model_base.py, WAN21.concat_cond): 1 4 + C T h w.

    For latents and masks of the clip's own size.
    """
    image = values["concat_latent_image"].clone()
    step = 48 if image.shape[1] % 48 == 0 else 16
    mean, std = (torch.tensor(each).view(1, step, 1, 1, 1) for each in _STATISTICS[step])
    for i in range(0, image.shape[1], step):
        image[:, i : i + step] = (image[:, i : i + step] - mean.to(image)) * 1.0 / std.to(image)
    mask = 1.0 - values["concat_mask"]
    if mask.shape[1] == 1:
        mask = mask.repeat(1, 4, 1, 1, 1)
    index = values.get("concat_mask_index", 0)
    return torch.cat([image[:, :index], mask.to(image), image[:, index:]], dim=1)
