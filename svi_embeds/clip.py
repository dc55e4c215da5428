"""A clip's embeds from images, in one call: plan, pixels, latents, masks, dict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from einops import repeat
from torch import Tensor

from .checks import check_dict
from .clip_latents import encode_repeating, extra_samples, prepend_extra, scale_padding, with_negative
from .clip_plan import DecidedClip, decide_clip, end_strength_notes, kept_padding_notes
from .embeds import build_embeds, control_signal, svi_record
from .encode import WanVAE, channels_of, check_end_apart, check_vae, scale_latents, vae_on
from .encoded import EncodedClip
from .frames import check_images, compose_video, prepare_parts, to_video, video_frame
from .keyframes import known_masks, left_out_pixels, region_notes
from .masks import (
    concat_from_known,
    count_known,
    fit_temporal_mask,
    looks_inverted,
    pack_known,
    per_frame,
)
from .plan import END_PADDING_FRAMES, ClipPlan
from .repeats import NO_REPEATS, Repeats, constant_runs, find_repeats, receptive_field
from .sheet import make_tiles, thumbnail_step
from .words import write_info


@dataclass(frozen=True, slots=True, repr=False)
class Clip(EncodedClip):
    """One clip, encoded from images by a plan."""

    plan: ClipPlan


def make_clip(
    vae: WanVAE,
    *,
    mode: str,
    width: int,
    height: int,
    num_frames: int,
    start_image: Tensor | None = None,
    ref_image: Tensor | None = None,
    end_image: Tensor | None = None,
    clip_embeds: dict[str, Any] | None = None,
    control_embeds: dict[str, Any] | None = None,
    extra_latents: dict[str, Any] | None = None,
    add_cond_latents: dict[str, Any] | None = None,
    temporal_mask: Tensor | None = None,
    fun_or_fl2v_model: bool = True,
    tiled_vae: bool = False,
    noise_aug_strength: float = 0.0,
    start_latent_strength: float = 1.0,
    end_latent_strength: float = 1.0,
    overlap_frames: int = 0,
    known_frames: str = "recipe",
    padding: str = "recipe",
    ref_strength: float = 1.0,
    end_frames: int = 0,
    end_strength: float = 1.0,
    end_padding: str = "same",
    end_padding_frames: int = END_PADDING_FRAMES,
    keyframe_images: Tensor | None = None,
    region: Tensor | None = None,
    keyframes: str = "",
    feather: int = 0,
    outside_region: str = "empty",
    repeat_padding_latents: bool = True,
    device: torch.device | None = None,
    offload_device: torch.device | None = None,
    before_encode: Callable[[], None] | None = None,
) -> Clip:
    """Make the embeds of one clip. Nothing that is passed in is changed.

    vae: the wrapper's WANVAE. mode: id of a recipe. width, height: pixels. num_frames: 4k+1.
    start_image: F H W C, the previous clip or the first image; its last frames are taken.
    ref_image: 1 H W C, the original image. end_image: e H W C, what the clip ends on. Images are in 0..1 and any size.
    temporal_mask: F' H' W', 1 = kept; replaces the known rule, and changes no pixel (see `kept_padding_notes` for where
    the host's node does).
    noise_aug_strength: noise on the motion frames (not on padding or end). start_latent_strength,
    end_latent_strength: multiply the first and the last latent. ref_strength: multiplies the latents that hold
    nothing but reference (or `last`) padding.
    end_frames: how many frames of end_image to end on, its first ones (as a clip that follows begins); 0 means all.
    end_strength: multiplies the latents that hold end frames. end_padding, end_padding_frames: what fills that many
    frames right before the end, unless it is `same`.
    keyframes, keyframe_images, region, feather, outside_region: for modes whose models take any frames or regions as
    known; see `make_temporal_mask`, which gives the same clip to the host's own encode node.
    repeat_padding_latents: padding whose latents no longer change is not encoded again, see `repeats`; the latents are
    the same either way. Never with a region.
    device: where to encode (CPU by default). offload_device: where the VAE goes afterwards; None leaves it.
    before_encode: called once all input has been found good and all pixels are ready.

    Raises SVIError for bad input; see `plan_clip`, `check_images`, `check_mask` and `latent_size` for what is bad.
    """
    vae = check_vae(vae)
    if clip_embeds is not None:
        check_dict("clip_embeds", clip_embeds, "WanVideo ClipVision Encode")
    if add_cond_latents is not None:
        check_dict("add_cond_latents", add_cond_latents, "the wrapper's node that makes ADD_COND_LATENTS")
    channels = channels_of(vae.upsampling_factor)
    control = control_signal(control_embeds, channels=channels)

    notes: list[str] = []
    images: dict[str, Tensor] = {}
    for name, image in (
        ("start_image", start_image),
        ("ref_image", ref_image),
        ("end_image", end_image),
        ("keyframe_images", keyframe_images),
    ):
        if image is not None:
            images[name], said = check_images(name, image)
            notes += said
    decided = decide_clip(
        mode=mode,
        width=width,
        height=height,
        num_frames=num_frames,
        upsampling_factor=vae.upsampling_factor,
        start_frames=len(images.get("start_image", ())),
        reference_frames=len(images.get("ref_image", ())),
        end_images=len(images.get("end_image", ())),
        keyframe_images=len(images.get("keyframe_images", ())),
        has_temporal_mask=temporal_mask is not None,
        has_region=region is not None,
        has_control=control is not None,
        fun_or_fl2v_model=fun_or_fl2v_model,
        noise_aug_strength=noise_aug_strength,
        start_latent_strength=start_latent_strength,
        end_latent_strength=end_latent_strength,
        overlap_frames=overlap_frames,
        known_frames=known_frames,
        padding=padding,
        ref_strength=ref_strength,
        end_frames=end_frames,
        end_strength=end_strength,
        end_padding=end_padding,
        end_padding_frames=end_padding_frames,
        keyframes=keyframes,
        feather=feather,
        outside_region=outside_region,
    )
    plan, lat_h, lat_w = decided.plan, decided.lat_h, decided.lat_w
    notes += decided.notes
    line = plan.timeline
    if line.end_apart:
        check_end_apart(vae)
    extra = extra_samples(extra_latents, channels=channels, lat_h=lat_h, lat_w=lat_w)

    known, packed, said = _masks(decided, temporal_mask, region)
    notes += said
    known_per_frame = per_frame(known)

    notes += region_notes(region, width=width, height=height)
    parts = prepare_parts(plan, images, width=width, height=height)
    notes += parts.notes
    if noise_aug_strength and line.motion_frames:
        notes.append(f"noise of {noise_aug_strength:g} on the motion frames")
    repeats = NO_REPEATS
    if repeat_padding_latents and region is None:
        repeats = find_repeats(constant_runs(line), receptive_field(vae))
    compose = partial(compose_video, plan, parts, width=width, height=height, dtype=vae.dtype, noise=noise_aug_strength)
    video = compose(repeats=repeats)
    if region is not None and outside_region == "empty":
        for frame, left_out in left_out_pixels(plan.known_values, region, height=height, width=width):
            video[:, frame, left_out] = 0  # mid-grey
        notes.append("known frames are grey outside region")
    tiles = make_tiles(plan, partial(_picture, video, repeats), known_per_frame)

    if before_encode is not None:
        before_encode()
    device = device or torch.device("cpu")
    with vae_on(vae, device, offload_device):
        latents, said = encode_repeating(
            vae, video, repeats, compose, latents=line.latents, device=device, end_apart=line.end_apart,
            tiled=tiled_vae,
        )  # fmt: skip
        if add_cond_latents is not None:
            add_cond_latents = with_negative(vae, add_cond_latents, width=width, height=height, device=device)
    notes += said
    del video
    latents, said = scale_padding(plan, latents, ref_strength, in_front=0 if extra is None else extra.shape[1])
    notes += said
    if line.end_frames:
        latents = scale_latents(latents, line.end_latents, end_strength)
    notes += end_strength_notes(plan, end_strength)
    packed = packed.to(vae.dtype)
    if extra is not None:
        latents, packed = prepend_extra(extra, latents, packed)
        notes.append(f"extra_latents: {extra.shape[1]} latent(s) in front, kept")
    last = latents.shape[1] - 1
    for which, index, strength in (("first", 0, start_latent_strength), ("last", last, end_latent_strength)):
        latents = scale_latents(latents, range(index, index + 1), strength)
        if strength != 1.0:
            notes.append(f"{which} latent scaled by {strength:g}")

    embeds = build_embeds(
        num_frames=line.num_frames,
        latents=latents,
        mask=packed,
        record=svi_record(
            mode=plan.recipe.id,
            overlap_frames=line.motion_frames,
            end_frames=line.end_frames,
            known_frames=decided.known_name,
            padding=plan.padding,
            known_per_frame=known_per_frame,
        ),
        extra=extra,
        end_video=None if parts.end is None else to_video(parts.end),
        fun_or_fl2v_model=plan.fun_or_fl2v_model,
        clip_embeds=clip_embeds,
        control=control,
        add_cond_latents=add_cond_latents,
    )
    return Clip(
        plan=plan,
        embeds=embeds,
        known_mask=known,
        concat_mask=concat_from_known(known),
        info=write_info(decided.describe(known_per_frame, latents=latents.shape[1]), notes),
        tiles=tiles,
        known_per_frame=tuple(known_per_frame),
    )


def _picture(video: Tensor, repeats: Repeats, frame: int) -> Tensor:
    step = thumbnail_step(video.shape[2])
    return video_frame(video[..., ::step, ::step], repeats.short_index(frame))


def _masks(
    decided: DecidedClip, temporal_mask: Tensor | None, region: Tensor | None
) -> tuple[Tensor, Tensor, list[str]]:
    """known_mask F h w, its packed form 4 T h w, and notes."""
    line, lat_h, lat_w = decided.plan.timeline, decided.lat_h, decided.lat_w
    if temporal_mask is not None:
        known, notes = fit_temporal_mask(temporal_mask, frames=line.total_frames, height=lat_h, width=lat_w)
        if looks_inverted(given := per_frame(known)):
            notes.append(
                f"temporal_mask keeps {count_known(given).split()[0]} of {len(given)} frames, but not the first: is "
                "it a concat_mask (black = kept)? temporal_mask takes known_mask (white = kept)"
            )
        if line.end_apart and len(temporal_mask) < line.total_frames:
            notes.append(
                f"with an end image and fun_or_fl2v_model off the clip has {line.total_frames} mask frames, the last "
                "one being the end"
            )
        notes += kept_padding_notes(decided.plan, per_frame(known))
        return known, pack_known(known, end_apart=line.end_apart), notes
    values = decided.known or ()
    known = known_masks(values, height=lat_h, width=lat_w, region=region)
    if region is not None:
        return known, pack_known(known, end_apart=line.end_apart), []
    # Packed as one column per latent first: no full-length pixel mask is ever made.
    columns = pack_known(torch.tensor(values, dtype=torch.float32), end_apart=line.end_apart)
    return known, repeat(columns, "c t -> c t h w", h=lat_h, w=lat_w).contiguous(), []
