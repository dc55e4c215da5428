"""Embeds with a real VAE: what constant padding saves, and what share of a clip is the pack's own."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.pixels.make import make_clip
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from wanvideo_svi.svi_embeds.clips.vae import Encoder

from . import host
from .prep import NoVAE, _images

_DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
_FULL = _DEVICE.type == "cuda"


def diffusers_vae(**arguments: Any) -> Callable[[], object]:
    """diffusers' Wan VAE with random weights: of the released size on a GPU, small on a CPU."""
    from wanvideo_svi.wrapper_ext.demo.vae import DemoVAE

    if _FULL:
        return _embeds(DemoVAE(base_dim=96, dtype=torch.bfloat16), **arguments)
    # Frames are tiny here, and in float32 several threads round them by the length of the clip: see `keeps_bits`.
    torch.set_num_threads(1)
    return _embeds(DemoVAE(), **arguments)


def host_vae(**arguments: Any) -> Callable[[], object]:
    """The wrapper's own Wan VAE with random weights of the released size."""
    torch.manual_seed(0)
    cls = host.wrapper("wanvideo.wan_video_vae").WanVideoVAE
    vae = cls(dtype=torch.bfloat16)
    for parameter in vae.parameters():
        torch.nn.init.normal_(parameter, std=0.05 if parameter.ndim > 1 else 0.02)
    return _embeds(vae.eval().to(torch.bfloat16), **arguments)


def _embeds(
    vae: Any, *, width: int, height: int, frames: int, repeat: bool, tiled: bool = False, vae_only: bool = False
) -> Callable[[], object]:
    last, reference = _images(1), _images(1, seed=1)
    timed = _Timed(vae)

    @torch.inference_mode()
    def run() -> Tensor | float:
        timed.seconds = 0.0
        made = make_clip(
            ClipSettings(mode="shot", width=width, height=height, num_frames=frames, repeat_padding_latents=repeat),
            ClipInputs(start_image=last, ref_image=reference),
            Encoder(vae=timed, tiled=tiled, device=_DEVICE),
        )
        return timed.seconds if vae_only else made.embeds["image_embeds"]

    return run


class _Timed:
    """A VAE that counts the seconds spent in it."""

    def __init__(self, vae: Any) -> None:
        self.vae, self.seconds = vae, 0.0
        self.dtype, self.upsampling_factor, self.model = vae.dtype, vae.upsampling_factor, vae.model

    def to(self, device: torch.device) -> None:
        self.vae.to(device)

    def encode(self, videos: list[Tensor], device: torch.device, **options: Any) -> Tensor:
        start = time.perf_counter()
        latents: Tensor = self.vae.encode(videos, device, **options)
        if _FULL:
            torch.cuda.synchronize()
        self.seconds += time.perf_counter() - start
        return latents


def own_share(*, width: int, height: int) -> Callable[[], object]:
    """A clip of 81 frames without its VAE, the contact sheet that the node shows included."""
    last, reference, vae = _images(1), _images(1, seed=1), NoVAE()

    def run() -> None:
        made = make_clip(
            ClipSettings(mode="shot", width=width, height=height),
            ClipInputs(start_image=last, ref_image=reference),
            Encoder(vae=vae, device=_DEVICE),
        )
        made.sheet().save(io.BytesIO(), "PNG", compress_level=1)

    return run
