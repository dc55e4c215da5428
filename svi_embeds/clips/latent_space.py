"""LATENTs: reading them, and the two spaces they come in.

Native ComfyUI LATENTs are raw; those of the wrapper are normalised by the VAE's mean and standard deviation per
channel, which is what the model takes. Zero padding in one is not zero padding in the other.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_choice
from ..ground.tensors import all_finite

LatentSpace = Literal["wrapper", "native"]
LATENT_SPACES: tuple[str, ...] = get_args(LatentSpace)

# Statistics of the VAEs' latents (Wan-Video/Wan2.1, wan/modules/vae.py, and Wan2.2, wan/modules/vae2_2.py).
_MEAN_16 = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
_STD_16 = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip
_MEAN_48 = (
    -0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174, 0.1838, 0.1557, -0.1382, 0.0542, 0.2813, 0.0891,
    0.1570, -0.0098, 0.0375, -0.1825, -0.2246, -0.1207, -0.0698, 0.5109, 0.2665, -0.2108, -0.2158, 0.2502,
    -0.2055, -0.0322, 0.1109, 0.1567, -0.0729, 0.0899, -0.2799, -0.1230, -0.0313, -0.1649, 0.0117, 0.0723,
    -0.2839, -0.2083, -0.0520, 0.3748, 0.0152, 0.1957, 0.1433, -0.2944, 0.3573, -0.0548, -0.1681, -0.0667,
)  # fmt: skip
_STD_48 = (
    0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013, 0.8158, 1.0344, 0.5894, 1.0901,
    0.6885, 0.6165, 0.8454, 0.4978, 0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659,
    0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093, 0.5709, 0.6065, 0.6415, 0.4944,
    0.5726, 1.2042, 0.5458, 1.6887, 0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744,
)  # fmt: skip
_STATISTICS = {16: (_MEAN_16, _STD_16), 48: (_MEAN_48, _STD_48)}
VAE_CHANNELS: tuple[int, ...] = tuple(_STATISTICS)

# How far one image's latents stray from those statistics, per channel: log spread (common to all channels, and of each
# for itself) and offset in standard deviations, whose size is not known either. Wide on purpose: it takes a clear case
# to overcome them.
_COMMON, _COMMON_OFF, _OWN = 0.5, -0.3, 0.35
_OFFSETS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
OVERWHELMING = 1e4  # odds under these assumptions from which `guess_space` decides
_ENOUGH_PIXELS = 64


def read_latent(name: str, latent: object, *, take_first: bool = True) -> tuple[Tensor, list[str]]:
    """The samples of a LATENT as C T h w on the CPU, and notes on what was left out.

    samples: [1, C, T, h, w]; of a batch the first is taken, or with take_first off none. Also [C, T, h, w], and one
    image as [1, C, h, w].
    Raises SVIError for anything else, and for values that are not finite floats.
    """
    samples = latent.get("samples") if isinstance(latent, dict) else None
    if not isinstance(samples, Tensor):
        raise SVIError(f"{name} must be a LATENT (a dict with samples): connect WanVideo Encode or a sampler")
    shape = list(samples.shape)
    if 0 in shape:
        raise SVIError(f"{name} is empty: {shape}")
    notes = []
    if samples.ndim == 5:
        one = samples[0]
        if shape[0] > 1 and not take_first:
            raise SVIError(f"{name} must be one LATENT [1, C, T, h, w], got a batch: {shape}")
        if shape[0] > 1:
            notes.append(f"{name} is a batch of {shape[0]}: the first is used")
    elif samples.ndim == 4:
        clip, image = shape[0] in VAE_CHANNELS, shape[1] in VAE_CHANNELS and shape[0] == 1
        if clip and shape[1] in VAE_CHANNELS:
            raise SVIError(
                f"{name} is {shape}: it could be [C, T, h, w] or a batch of images [B, C, h, w]; give [1, C, T, h, w]"
            )
        if not (clip or image):
            raise SVIError(f"{name} must be [1, C, T, h, w] with 16 (Wan 2.1) or 48 channels, got {shape}")
        one = samples if clip else samples.transpose(0, 1)
    else:
        raise SVIError(f"{name} must be [1, C, T, h, w], got {shape}: connect WanVideo Encode or a sampler")
    if not one.is_floating_point() or one.element_size() < 2:
        raise SVIError(f"{name} must hold floats of 16 bits or more, got {one.dtype}: see the node that made it")
    if not all_finite(one):
        raise SVIError(f"{name} has NaN or infinite values: look at the node that made it")
    return one.detach().cpu(), notes


def to_wrapper(latents: Tensor) -> Tensor:
    """Native latents normalised for the model. C T h w with 16 or 48 channels; equal to the wrapper's own conversion.

    Source: WanVideoWrapper, WanVideoLatentReScale (comfy_to_wrapper), bit for bit in every float type.
    """
    mean, std = _statistics(latents)
    return (latents - mean.to(latents)) * (1.0 / std).to(latents)


def to_native(latents: Tensor) -> Tensor:
    """The wrapper's latents as native ones. C T h w with 16 or 48 channels.

    Source: WanVideoWrapper, WanVideoLatentReScale (wrapper_to_comfy), bit for bit in every float type.
    """
    mean, std = _statistics(latents)
    return latents / (1.0 / std).to(latents) + mean.to(latents)


def _statistics(latents: Tensor) -> tuple[Tensor, Tensor]:
    if latents.shape[0] not in _STATISTICS:
        raise SVIError(
            f"latents of {latents.shape[0]} channels have no known space: 16 (Wan 2.1 VAE) or 48 (Wan 2.2 5B) do"
        )
    mean, std = _STATISTICS[latents.shape[0]]
    return torch.tensor(mean).view(-1, 1, 1, 1), torch.tensor(std).view(-1, 1, 1, 1)


def in_wrapper_space(latents: Tensor, space: str) -> Tensor:
    """`latents` (C T h w, in `space`) in the wrapper's space. Raises SVIError for an unknown space."""
    check_choice("latent_space", space, LATENT_SPACES)
    return to_wrapper(latents) if space == "native" else latents


def guess_space(latents: Tensor) -> tuple[LatentSpace | None, str]:
    """Which space latents are in, when their statistics leave no doubt; else None. And why, in words.

    latents: C T h w, 16 or 48 channels. Looks at the latent with the most detail, since padding says nothing: in which
    space are its channels' means and spreads what one image may have? Decides from odds of OVERWHELMING to 1.
    """
    mean, std = (value.flatten().to(torch.float64) for value in _statistics(latents))
    values = latents.to(torch.float64).flatten(2)
    spreads, middles = values.std(dim=2, correction=0), values.mean(dim=2)
    if values.shape[2] < _ENOUGH_PIXELS:
        return None, f"{values.shape[2]} latent pixels are too few to tell"
    flattest = spreads.amin(dim=0)
    index = int(flattest.argmax())
    if flattest[index] < 1e-3:
        return None, "no latent shows detail in every channel"
    spread, middle = spreads[:, index].log(), middles[:, index]
    odds = _log_likelihood(spread, middle, mean, std) - _log_likelihood(
        spread, middle, torch.zeros_like(mean), torch.ones_like(std)
    )
    space: LatentSpace = "native" if odds > 0 else "wrapper"
    sure = abs(odds) >= math.log(OVERWHELMING)
    why = f"more than {OVERWHELMING:.0f} to 1" if sure else f"{math.exp(abs(odds)):.0f} to 1"
    return (space if sure else None), f"{space}, by channel statistics {why}"


def _log_likelihood(log_spread: Tensor, middle: Tensor, mean: Tensor, std: Tensor) -> float:
    """How likely one image has these channel statistics (up to a constant), if the space's are mean and std."""
    rest = log_spread - std.log() - _COMMON_OFF
    count = len(rest)
    # The common part is integrated out: covariance _OWN^2 I + _COMMON^2 11'.
    shrink = _COMMON**2 / (_OWN**2 + count * _COMMON**2)
    spread_term = (rest.square().sum() - shrink * rest.sum().square()) / _OWN**2
    squares = ((middle - mean) / std).square().sum()
    by_size = torch.tensor([-0.5 * float(squares) / size**2 - count * math.log(size) for size in _OFFSETS])
    offset_term = torch.logsumexp(by_size, dim=0) - std.log().sum()
    return float(offset_term - 0.5 * spread_term)


def samples_of(latents: Tensor) -> dict[str, Any]:
    """C T h w as a LATENT."""
    return {"samples": latents.unsqueeze(0)}
