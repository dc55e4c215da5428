"""Embeds from latents and a mask that the caller made: what WanEx I2VCustomEmbeds does for native graphs.

Masks come in native polarity and latents in native space there; here both are converted. The rules by which inputs are
read follow WanEx I2VCustomEmbeds (drozbay/WanExperiments) and ComfyUI's concat conditioning (comfy/model_base.py,
WAN21.concat_cond) where those give the model something to work with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from ...errors import SVIError
from ...ground.checks import check_dict
from ...ground.images import check_images, check_pixels, resize_centre, to_video
from ...ground.words import write_info
from ...masks.concat import read_concat_mask
from ...masks.known import concat_from_known, frame_masks, looks_inverted, pack_known, per_frame, unpack_known
from ...timeline import frame_count, latent_count
from ..comfy_vae import encoding_notes, raw_latents
from ..embeds import Beside, build_embeds, svi_record
from ..latent_space import guess_space, read_latent, to_wrapper
from ..made import EncodedClip
from ..native_sources import with_native_sources
from ..repeats import NO_REPEATS, encode_repeating, find_repeats, receptive_field
from ..sheet import make_latent_tiles
from ..vae import CHANNELS, FACTOR, PATCH, Encoder, check_vae
from .decide import DecidedCustom, check_mask_place, decide_custom
from .settings import CustomConnected, CustomInputs, CustomSettings


@dataclass(frozen=True, slots=True, repr=False)
class CustomClip(EncodedClip):
    """One clip made of given latents and a mask. latents: 16 T h w, the image conditioning in the wrapper's space."""

    latents: Tensor


@dataclass(frozen=True, slots=True, repr=False)
class _Source:
    """latents: C T h w in the wrapper's space. said: where from. raw: native ones that they were converted from."""

    latents: Tensor
    dtype: torch.dtype
    said: str
    notes: tuple[str, ...]
    raw: tuple[Tensor, ...] = ()


def make_custom_clip(settings: CustomSettings, inputs: CustomInputs, encoder: Encoder | None = None) -> CustomClip:
    """Make the embeds of one clip from latents and a mask. Nothing that is passed in is changed.

    encoder: only start_image needs one.

    Raises SVIError for input that cannot be read in one way, and for layouts that the host's sampler does not take.
    """
    if inputs.clip_embeds is not None:
        check_dict("clip_embeds", inputs.clip_embeds, "WanVideo ClipVision Encode")
    length, concat_mask, polarity = settings.length, inputs.concat_mask, settings.mask_polarity
    samples = start = None
    notes: list[str] = []
    if inputs.concat_latent_image is not None:
        samples, notes = read_latent("concat_latent_image", inputs.concat_latent_image)
    elif inputs.start_image is not None:
        start, notes = check_images("start_image", inputs.start_image)
    connected = CustomConnected(
        concat_latent_image=None if samples is None else len(samples),
        start_image=0 if inputs.start_image is None else 1 if start is None else len(start),
        vae=encoder is not None,
        concat_mask=concat_mask is not None,
    )
    decided = decide_custom(settings, connected)
    notes += decided.notes
    lat_h, lat_w = decided.lat_h, decided.lat_w
    if concat_mask is not None:
        packed, mask_said = read_concat_mask(
            concat_mask, length=length, height=lat_h, width=lat_w, polarity=polarity, rate=settings.mask_rate
        )
        if looks_inverted(per_frame(unpack_known(packed))):
            other = "wrapper" if polarity == "native" else "native"
            notes.append(
                f"concat_mask, read as {polarity}, keeps most frames but not the first: if it was made for the "
                f"other side, set mask_polarity to {other}"
            )
    else:
        packed = pack_known(frame_masks(decided.known or (), height=lat_h, width=lat_w))
        mask_said = decided.mask_said
    if samples is not None:
        source = _from_latent(samples, length=length, height=lat_h, width=lat_w, space=settings.latent_space)
    else:
        source = _from_image(start, encoder, decided)
    notes += source.notes
    latents, control = _split_control(source.latents, settings.concat_mask_index)
    known = unpack_known(packed).clone()
    values = per_frame(known)
    if concat_mask is not None and min(values) >= 1:
        notes.append("the mask keeps every frame: nothing is generated")
    if control is not None:
        notes.append("32 channels with the mask between them: the first 16 went to control_embeds (Fun Control models)")
    elif len(latents) > CHANNELS:
        notes.append("32 channels behind the mask: for models with 52 input channels only")

    embeds = build_embeds(
        num_frames=length,
        latents=latents,
        mask=packed.to(source.dtype),
        record=svi_record(
            mode="custom",
            overlap_frames=next((i for i, v in enumerate(values) if v < 1), length),
            known_frames="concat_mask" if concat_mask is not None else "start_image",
            padding="custom",
            known_per_frame=values,
        ),
        beside=Beside(clip_embeds=inputs.clip_embeds, control=control),
    )
    size = f"{settings.width}x{settings.height}"
    head = [
        f"custom: {length} frames at {size}, {latents.shape[1]} latents of {len(source.latents)} channels",
        f"latents: {source.said}",
        f"mask: {mask_said}",
        *decided.describe(values),
    ]
    return CustomClip(
        embeds=with_native_sources(embeds, source.raw) if source.raw else embeds,
        known_mask=known,
        concat_mask=concat_from_known(known),
        info=write_info(head, notes),
        tiles=make_latent_tiles(latents, values, ["latent"] * latents.shape[1]),
        known_per_frame=tuple(values),
        latents=latents[-CHANNELS:].clone(),
    )


def _from_latent(samples: Tensor, *, length: int, height: int, width: int, space: str) -> _Source:
    count = samples.shape[1]
    if count != latent_count(length):
        raise SVIError(
            f"concat_latent_image has {count} latents, a clip of {length} frames has {latent_count(length)}: "
            f"set length to {frame_count(count)}, or encode {length} frames"
        )
    if samples.shape[2] % PATCH or samples.shape[3] % PATCH:
        raise SVIError(
            f"concat_latent_image is {samples.shape[3]}x{samples.shape[2]} latent pixels, both must be even for the "
            "model's patches: encode frames whose width and height are multiples of 16"
        )
    if tuple(samples.shape[2:]) != (height, width):
        raise SVIError(
            f"concat_latent_image is {samples.shape[3]}x{samples.shape[2]} latent pixels, the clip {width}x{height}: "
            f"set width and height to {samples.shape[3] * FACTOR} and {samples.shape[2] * FACTOR}"
        )
    grouped = rearrange(samples, "(g c) t h w -> c (g t) h w", c=CHANNELS)
    said = f"concat_latent_image, {space} space"
    if space == "auto":
        guess, why = guess_space(grouped)
        if guess is None:
            raise SVIError(
                f"latent_space auto cannot tell for sure which space concat_latent_image is in ({why}): set "
                "latent_space to wrapper for LATENTs of WanVideo Encode or WanVideo Sampler, to native for those of "
                "VAE Encode or KSampler"
            )
        space = guess
        said = f"concat_latent_image, read as {why} (latent_space auto)"
    raw: tuple[Tensor, ...] = ()
    if space == "native":
        raw, grouped = (grouped,), to_wrapper(grouped)
        said += ", converted to the wrapper's"
    latents = rearrange(grouped, "c (g t) h w -> (g c) t h w", t=count)
    return _Source(latents.clone(), latents.dtype, said, (), raw)


def _from_image(start: Tensor | None, encoder: Encoder | None, decided: DecidedCustom) -> _Source:
    if start is None or encoder is None:
        raise SVIError("there is no start_image to encode, or no vae for it")
    vae = check_vae(encoder.vae)
    if vae.upsampling_factor != FACTOR:
        raise SVIError("start_image needs the Wan 2.1 VAE: the 5B model's latents fit no image-to-video model")
    settings = decided.settings
    width, height, length = settings.width, settings.height, settings.length
    notes = []
    used = start[: decided.start_frames].detach().to("cpu", torch.float32)
    check_pixels("start_image", used)
    if tuple(used.shape[1:3]) != (height, width):
        notes.append(f"start_image was cut at the centre and resized from {used.shape[2]}x{used.shape[1]}")
        channels_first = resize_centre(rearrange(used, "f h w c -> f c h w"), height=height, width=width)
        used = rearrange(channels_first, "f c h w -> f h w c")
    repeats = NO_REPEATS
    if settings.repeat_padding_latents:
        repeats = find_repeats([range(len(used), length)], receptive_field(vae))

    def compose(frames: int = length) -> Tensor:
        video = torch.zeros(3, frames, height, width, dtype=vae.dtype)
        video[:, : len(used)] = to_video(used)
        return video

    video = compose(length - repeats.frames)
    with encoder.ready():
        latents, said = encode_repeating(encoder, video, repeats, compose, latents=latent_count(length))
    notes += said + encoding_notes(vae)
    said_from = f"start_image ({len(used)} frames), then grey, encoded"
    return _Source(latents, vae.dtype, said_from, tuple(notes), tuple(raw_latents(vae)))


def _split_control(latents: Tensor, index: int) -> tuple[Tensor, dict[str, Any] | None]:
    """The latents that go behind the mask, and as control signal those that stand before it."""
    check_mask_place(index, channels=len(latents))
    if not index:
        return latents, None
    control = {"control_images": latents[:CHANNELS], "start_percent": 0.0, "end_percent": 1.0}
    return latents[CHANNELS:].clone(), control
