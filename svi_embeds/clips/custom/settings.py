"""What a clip of given latents and a mask is asked for, and what is connected to it. No latent is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from torch import Tensor

from ...ground.checks import check_bool, check_choice, check_int
from ...masks.concat import POLARITY_CHOICES, RATE_CHOICES
from ...timeline import latent_count
from ..vae import FACTOR, latent_size

CustomSpace = Literal["auto", "native", "wrapper"]
SPACE_CHOICES: tuple[str, ...] = get_args(CustomSpace)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomSettings:
    """The widgets of WanVideoI2VCustomEmbeds by name, with their defaults; those of the VAE make an `Encoder`.

    width, height: pixels, multiples of 16. length: frames, 4k+1. concat_mask_index: the channel that the mask goes
    before; 0, or 16 of 32. mask_polarity: native (0 = kept) or wrapper (1 = kept). mask_rate: one mask per frame
    (pixel) or per latent; auto tells by the count. latent_space: of concat_latent_image. repeat_padding_latents: as in
    `ClipSettings`.

    Raises SVIError for a value that no clip takes.
    """

    width: int = 832
    height: int = 480
    length: int = 81
    concat_mask_index: int = 0
    mask_polarity: str = "native"
    mask_rate: str = "auto"
    latent_space: str = "auto"
    repeat_padding_latents: bool = True

    def __post_init__(self) -> None:
        latent_size(FACTOR, width=self.width, height=self.height)
        latent_count(self.length)
        check_choice("latent_space", self.latent_space, SPACE_CHOICES)
        check_int("concat_mask_index", self.concat_mask_index, minimum=0)
        check_choice("mask_polarity", self.mask_polarity, POLARITY_CHOICES)
        check_choice("mask_rate", self.mask_rate, RATE_CHOICES)
        check_bool("repeat_padding_latents", self.repeat_padding_latents)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomConnected:
    """concat_latent_image: its channels, None without one. start_image: its frames, 0 without one.

    vae, concat_mask: whether they are connected.
    """

    concat_latent_image: int | None = None
    start_image: int = 0
    vae: bool = False
    concat_mask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CustomInputs:
    """What is connected.

    concat_latent_image: LATENT [1, C, T, h, w], C = 16, or 32 for models with control and image latents.
    start_image: F H W C in 0..1, used when there is no concat_latent_image: encoded with grey behind it.
    concat_mask: F' H' W' in 0..1.
    """

    concat_latent_image: dict[str, Any] | None = None
    start_image: Tensor | None = None
    concat_mask: Tensor | None = None
    clip_embeds: dict[str, Any] | None = None
