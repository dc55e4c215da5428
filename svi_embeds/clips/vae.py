"""The VAE this pack needs, and the latents it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_bool, check_int
from ..ground.tensors import all_finite

_CPU = torch.device("cpu")
MAX_SIDE = 16_384  # pixels; nodes allow half of it, a link may carry any number
PATCH = 2  # the transformer's spatial patch, in latent pixels
CHANNELS, FACTOR = 16, 8  # of the Wan 2.1 VAE: latent channels, and pixels per latent pixel
# Latent channels of each family of VAE by its pixels per latent pixel: Wan 2.1's, which Wan 2.2 A14B has too, and that
# of the 5B models. Source: WanVideoWrapper, wanvideo/wan_video_vae.py, WanVideoVAE and WanVideoVAE38.
CHANNELS_BY_FACTOR = {FACTOR: CHANNELS, 16: 48}


class WanVAE(Protocol):
    """The part of the wrapper's WANVAE object that is used here (WanVideoWrapper, wanvideo/wan_video_vae.py)."""

    dtype: torch.dtype
    upsampling_factor: int  # pixels per latent pixel: 8, or 16 for the 5B model
    model: Any

    def to(self, device: torch.device) -> Any: ...

    def encode(self, videos: Sequence[Tensor], device: torch.device, *, end_: bool, tiled: bool) -> Tensor:
        """videos: C F H W in -1..1, each. Returns B C T h w, normalised."""


def check_vae(vae: object) -> WanVAE:
    """Raises SVIError unless `vae` has the interface of the wrapper's VAE."""
    if vae is None:
        raise SVIError("a VAE is needed: connect WanVideo VAE Loader")
    missing = [name for name in ("dtype", "upsampling_factor", "model", "to", "encode") if not hasattr(vae, name)]
    if missing:
        kind = type(vae).__name__
        hint = (
            "a tiny VAE only decodes well enough; load the full one with WanVideo VAE Loader"
            if hasattr(vae, "decode_video")
            else "connect WanVideo VAE Loader (this input does not take ComfyUI's own VAE of Load VAE)"
        )
        raise SVIError(f"vae must be the wrapper's WANVAE, got {kind} without {', '.join(missing)}: {hint}")
    made = cast(WanVAE, vae)
    channels_of(made.upsampling_factor)
    return made


def channels_of(factor: int) -> int:
    """Latent channels of a VAE: 16, or 48 for the 5B models. factor: its upsampling_factor.

    Raises SVIError for a factor that no Wan VAE has.
    """
    channels = CHANNELS_BY_FACTOR.get(factor)
    if channels is None:
        raise SVIError(
            f"the VAE has an upsampling_factor of {factor}, those of Wan models have 8 (Wan 2.1) or 16 (5B): load one "
            "with WanVideo VAE Loader"
        )
    return channels


def latent_size(factor: int, *, width: int, height: int) -> tuple[int, int]:
    """Latent height and width of a clip. factor: the VAE's upsampling_factor.

    Raises SVIError for a size the transformer cannot cut into patches.
    """
    step = factor * PATCH
    for name, value in (("width", width), ("height", height)):
        if check_int(name, value) > MAX_SIDE:
            raise SVIError(f"{name} must be {MAX_SIDE} or less, got {value}")
        if value < step or value % step:
            lower = max(step, value // step * step)
            near = f"{lower} or {lower + step}" if value > step else f"{step}"
            raise SVIError(f"{name} must be a multiple of {step}, got {value}: use {near}")
    return height // factor, width // factor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Encoder:
    """Who encodes a clip, and where.

    vae: the wrapper's WANVAE, see `check_vae`. tiled: in tiles, which takes less memory and gives other latents.
    device: where to encode. offload_device: where the VAE goes afterwards; None leaves it.
    before_encode: called once all input has been found good and all pixels are ready.
    """

    vae: WanVAE
    tiled: bool = False
    device: torch.device = _CPU
    offload_device: torch.device | None = None
    before_encode: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        check_bool("tiled_vae", self.tiled)

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Around all encoding of a clip: the VAE on `device`, and on offload_device afterwards, also when it fails."""
        if self.before_encode is not None:
            self.before_encode()
        try:
            self.vae.to(self.device)
            yield
        finally:
            if self.offload_device is not None:
                self.vae.model.to(self.offload_device)


def check_end_apart(vae: WanVAE) -> None:
    """Raises SVIError for a VAE with which the wrapper cannot encode an end image apart (seen: its encode_2 fails)."""
    if vae.upsampling_factor != FACTOR:
        raise SVIError(
            "this VAE (Wan 2.2 5B) cannot encode an end image apart, the wrapper's code for it fails: "
            "turn fun_or_fl2v_model on"
        )


def encode_video(encoder: Encoder, video: Tensor, *, latents: int, end_apart: bool = False) -> Tensor:
    """Encode a clip. video: C F H W in -1..1. Returns C T h w on the CPU.

    latents: T that must come out. end_apart: the last frame is encoded by itself (the wrapper's `end_`).
    """
    vae = encoder.vae
    factor = vae.upsampling_factor
    encoded = vae.encode([video], encoder.device, end_=end_apart, tiled=encoder.tiled)[0].cpu()
    expected = (channels_of(factor), latents, video.shape[2] // factor, video.shape[3] // factor)
    if tuple(encoded.shape) != expected:
        raise SVIError(
            f"the VAE gave latents {list(encoded.shape)}, expected {list(expected)} "
            f"for {video.shape[1]} frames: is it a Wan VAE?"
        )
    if not all_finite(encoded):
        raise SVIError(f"the VAE gave NaN or infinite latents in {vae.dtype}: load it with precision bf16 or fp32")
    return encoded


def scale_latents(latents: Tensor, which: Sequence[int], strength: float) -> Tensor:
    """`latents` with those at the indices `which` multiplied by `strength`; new unless strength is 1. C T h w."""
    if strength == 1.0:
        return latents
    scaled = latents.clone()
    scaled[:, list(which)] *= strength
    return scaled
