"""ComfyUI's own VAE behind the interface of the wrapper's WANVAE, so that a graph needs one VAE loader alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from ..errors import SVIError
from .latent_space import to_wrapper
from .vae import CHANNELS_BY_FACTOR, WanVAE

# What ComfyUI's VAE encodes tiles with: by itself when memory runs out, and here when tiles are asked for. The size and
# overlap in pixels are those of the former (comfy/sd.py, VAE.encode), so that both give the same latents.
_IN_TILES = ("encode_tiled_3d", "_encode_tiled_owned")
_TILE = {"tile_x": 256, "tile_y": 256, "overlap": 64}
OUT_OF_MEMORY = (
    "memory ran out, so ComfyUI's VAE encoded in tiles by itself: the latents are those of tiled_vae, which differ a "
    "little from those of whole frames"
)


class _Managed:
    """Stands for the model of a VAE that ComfyUI loads and offloads by itself."""

    def to(self, device: torch.device) -> None:
        """Nothing: ComfyUI decides where its VAE is."""


class ComfyVAE:
    """ComfyUI's VAE (Load VAE) as a WANVAE.

    Raises SVIError for the VAE of another model. `encode` gives latents in the wrapper's space; the raw ones, as the
    VAE made them, are kept until `take_raw`, and what happened until `take_notes`. The VAE itself is never changed.

    Every frame is encoded, also where `repeat_padding_latents` is on: the latents are those of the native nodes bit for
    bit, and whether ComfyUI's encoder repeats them is not known.
    """

    def __init__(self, vae: Any) -> None:
        self._vae, self.upsampling_factor = vae, _factor_of(vae)
        self.dtype = torch.float32  # of the pixels, as native nodes hand them over; ComfyUI casts them to its own
        self.model: Any = _Managed()
        self._raw: list[Tensor] = []
        self._notes: list[str] = []

    def to(self, device: torch.device) -> ComfyVAE:  # noqa: ARG002
        """Nothing: ComfyUI decides where its VAE is."""
        return self

    @torch.no_grad()
    def encode(
        self, videos: Sequence[Tensor], device: torch.device, *, end_: bool = False, tiled: bool = False
    ) -> Tensor:
        """videos: C F H W in -1..1, each. Returns B C T h w float32. end_: the last frame has a latent of its own."""
        del device
        encoded = []
        for video in videos:
            parts = [video[:, :-1], video[:, -1:]] if end_ else [video]
            raw = torch.cat([self._encode(part, tiled) for part in parts], dim=1)
            self._raw.append(raw)
            encoded.append(to_wrapper(raw.to(torch.float32)))
        return torch.stack(encoded)

    def take_raw(self) -> list[Tensor]:
        """The raw latents C T h w of every video since the last time, and no longer kept."""
        raw, self._raw = self._raw, []
        return raw

    def take_notes(self) -> list[str]:
        """What happened since the last time, in words."""
        notes, self._notes = self._notes, []
        return notes

    def _encode(self, video: Tensor, tiled: bool) -> Tensor:
        """One video as raw latents C T h w on the CPU."""
        native = copy.copy(self._vae)
        tiles: list[None] = []
        native.process_input = _in_range_already
        for name in _IN_TILES:
            if hasattr(native, name):
                setattr(native, name, _counting(tiles, getattr(native, name)))
        # A copy, so that the frames lie in memory as an IMAGE's do: kernels are picked by that too.
        pixels = rearrange(video, "c f h w -> f h w c").contiguous()
        try:
            raw = native.encode_tiled(pixels, **_TILE) if tiled else native.encode(pixels)
        finally:
            for name in _IN_TILES:
                vars(native).pop(name, None)  # they hold the copy, and it holds them
        if tiles and not tiled and OUT_OF_MEMORY not in self._notes:
            self._notes.append(OUT_OF_MEMORY)
        if raw.ndim != 5 or len(raw) != 1:
            raise SVIError(f"ComfyUI's VAE gave latents {list(raw.shape)}, expected [1, C, T, h, w]: is it Wan's?")
        made: Tensor = raw[0].cpu()
        return made


def _in_range_already(image: Tensor) -> Tensor:
    """Pixels -1..1 as they are, in place of ComfyUI's `image * 2.0 - 1.0`, which would make them so.

    By two operations as there, so that what comes out is in memory as there.
    """
    return image * 1.0 - 0.0


def _counting(calls: list[None], run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def counted(*args: Any, **kwargs: Any) -> Tensor:
        calls.append(None)
        return run(*args, **kwargs)

    return counted


def is_comfy_vae(vae: object) -> bool:
    """Whether a VAE is ComfyUI's own object, of whatever model."""
    return hasattr(vae, "first_stage_model") and hasattr(vae, "process_input")


def as_wan_vae(vae: Any) -> Any:
    """ComfyUI's own VAE behind the wrapper's interface; anything else as it came, for `check_vae` to judge.

    Raises SVIError when it is ComfyUI's, but of another model than Wan.
    """
    return ComfyVAE(vae) if is_comfy_vae(vae) else vae


def raw_latents(vae: WanVAE) -> list[Tensor]:
    """Raw latents C T h w of what a VAE has encoded since it was last asked; none from the wrapper's."""
    return vae.take_raw() if isinstance(vae, ComfyVAE) else []


def encoding_notes(vae: WanVAE) -> list[str]:
    """What happened while a VAE encoded, in words; nothing from the wrapper's."""
    return vae.take_notes() if isinstance(vae, ComfyVAE) else []


def _factor_of(vae: Any) -> int:
    """Pixels per latent pixel of ComfyUI's Wan VAE. Raises SVIError for another one.

    By the name of its model: VAEs of other models have as many channels, and as long a stride in time.
    """
    model = vae.first_stage_model
    if model is None:
        raise SVIError("vae holds no VAE (ComfyUI found none in its file): choose a Wan VAE in Load VAE")
    names = [f"{kind.__module__}.{kind.__qualname__}".lower() for kind in type(model).__mro__]
    channels, axes = getattr(vae, "latent_channels", None), getattr(vae, "latent_dim", None)
    factor = next((factor for factor, known in CHANNELS_BY_FACTOR.items() if known == channels), None)
    if factor is None or axes != 3 or not any("wan" in name for name in names):
        hint = (
            "a tiny VAE only decodes well enough; load the full one"
            if "tae" in names[0]
            else "load Wan's (wan_2.1_vae.safetensors, or that of the 5B models) with Load VAE"
        )
        raise SVIError(
            "vae must be Wan's, with 16 or 48 latent channels and a stride in time, got ComfyUI's "
            f"{type(model).__name__} with {channels} channels: {hint}"
        )
    return factor
