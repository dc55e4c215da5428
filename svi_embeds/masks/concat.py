"""A caller's concat_mask read by explicit rules: which polarity, and one mask per frame or per latent.

The rules are those of WanEx I2VCustomEmbeds (drozbay/WanExperiments) and of ComfyUI's concat conditioning behind it
(comfy/model_base.py, WAN21.concat_cond: masks that are missing at the end mean generate). A count that these would take
for something else than its maker may mean is refused.
"""

from __future__ import annotations

from typing import Literal, cast, get_args

import torch
from einops import repeat
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_choice
from ..ground.images import resize_centre
from ..timeline import FRAMES_PER_LATENT, frames_of_latent, latent_count
from .known import check_mask, pack_known

MaskPolarity = Literal["native", "wrapper"]
MaskRate = Literal["auto", "pixel", "latent"]
POLARITY_CHOICES: tuple[str, ...] = get_args(MaskPolarity)
RATE_CHOICES: tuple[str, ...] = get_args(MaskRate)


def read_concat_mask(
    mask: Tensor, *, length: int, height: int, width: int, polarity: str, rate: str
) -> tuple[Tensor, str]:
    """A caller's mask as packed known mask 4 T h w float32, and how it was read.

    mask: F' H' W' or 1 F' H' W', in 0..1. With as many masks as frames it is read per frame, with as many as latents
    per latent; a single one is that of the first frame. Any other count can be meant in two ways and needs a rate; what
    it leaves over is generated. Cut at the centre and resized bilinearly, as in WanEx. polarity: one of
    POLARITY_CHOICES. rate: one of RATE_CHOICES.
    """
    check_choice("mask_polarity", polarity, POLARITY_CHOICES)
    check_choice("mask_rate", rate, RATE_CHOICES)
    one = mask[0] if isinstance(mask, Tensor) and mask.ndim == 4 and len(mask) == 1 else mask
    check_mask("concat_mask", one)
    count, latents = len(one), latent_count(length)
    per = _mask_rate(count, length=length, latents=latents, rate=rate)
    given = one.detach().to("cpu", torch.float32)
    resized = tuple(given.shape[1:]) != (height, width)
    if resized:
        given = resize_centre(given.unsqueeze(1), height=height, width=width).squeeze(1)
    known = torch.zeros(length if per == "pixel" else latents, height, width)
    known[:count] = given if polarity == "wrapper" else 1 - given
    packed = pack_known(known) if per == "pixel" else repeat(known, "t h w -> c t h w", c=FRAMES_PER_LATENT)
    unit = "frame" if per == "pixel" else "latent"
    said = (
        f"{count} mask(s), one per {unit}, {polarity} polarity ({'black' if polarity == 'native' else 'white'} = kept)"
    )
    if resized and not bool((one == one[:, :1, :1]).all()):
        said += f"; cut at the centre and resized from {one.shape[2]}x{one.shape[1]}"
    if count < len(known):
        said += f"; {unit}s {count}-{len(known) - 1} have none and are generated"
    return packed.contiguous(), said


def _mask_rate(count: int, *, length: int, latents: int, rate: str) -> MaskRate:
    limit = {"pixel": length, "latent": latents}.get(rate, length)
    if count > limit:
        what = f"{latents} latents" if rate == "latent" else f"{length} frames"
        raise SVIError(f"concat_mask has {count} masks, the clip {what}: cut it to that many")
    if rate in ("pixel", "latent"):
        return cast(MaskRate, rate)
    if count == length:
        return "pixel"
    if count == latents:
        return "latent"
    if count == 1:  # the same either way
        return "pixel"
    clip = f"concat_mask has {count} masks for a clip of {length} frames ({latents} latents)"
    each_frame = f"per frame they cover frames 0-{count - 1} (mask_rate pixel)"
    if count > latents:
        raise SVIError(
            f"{clip}: give one per frame or one per latent. Or is the rest to be generated? Then {each_frame}"
        )
    last = frames_of_latent(count - 1).stop - 1
    raise SVIError(
        f"{clip} and could mean two things: {each_frame}, per latent frames 0-{last} (mask_rate latent, what WanEx "
        "does): set mask_rate"
    )
