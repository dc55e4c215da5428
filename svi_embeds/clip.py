"""A clip's embeds from images, in one call: plan, pixels, latents, masks, dict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from einops import repeat
from torch import Tensor

from .checks import check_choice, check_dict, check_strength
from .clip_latents import encode_repeating, extra_samples, prepend_extra, scale_padding, with_negative
from .embeds import build_embeds, control_signal, svi_record
from .encode import WanVAE, check_end_apart, check_vae, latent_size, scale_latents, vae_on
from .encoded import EncodedClip
from .errors import SVIError
from .frames import check_images, compose_video, prepare_parts, to_video, video_frame
from .keyframes import OUTSIDE_CHOICES, known_masks, left_out_pixels, parse_keyframes, region_notes
from .masks import (
    concat_from_known,
    count_concat,
    describe_known,
    fit_temporal_mask,
    pack_known,
    per_frame,
)
from .plan import END_PADDING_FRAMES, ClipPlan, count_end_frames, plan_clip
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
    temporal_mask: F' H' W', 1 = kept; replaces the known rule, as on the host's node.
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
    before_encode: called once all input has been found good and all pixels are ready. (Only whether extra_latents have
    the VAE's channel count shows later, since a VAE does not tell it.)

    Raises SVIError for bad input; see `plan_clip`, `check_images`, `check_mask` and `latent_size` for what is bad.
    """
    vae = check_vae(vae)
    lat_h, lat_w = latent_size(vae.upsampling_factor, width=width, height=height)
    for name, value in (
        ("noise_aug_strength", noise_aug_strength),
        ("start_latent_strength", start_latent_strength),
        ("end_latent_strength", end_latent_strength),
        ("ref_strength", ref_strength),
        ("end_strength", end_strength),
    ):
        check_strength(name, value)
    if clip_embeds is not None:
        check_dict("clip_embeds", clip_embeds, "WanVideo ClipVision Encode")
    if add_cond_latents is not None:
        check_dict("add_cond_latents", add_cond_latents, "the wrapper's node that makes ADD_COND_LATENTS")
    control = control_signal(control_embeds)

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
    counts = {name: len(image) for name, image in images.items()}
    plan = plan_clip(
        mode=mode,
        num_frames=num_frames,
        start_frames=counts.get("start_image", 0),
        reference_frames=counts.get("ref_image", 0),
        end_frames=count_end_frames(counts.get("end_image", 0), end_frames),
        overlap_frames=overlap_frames,
        known_frames=known_frames,
        padding=padding,
        end_padding=end_padding,
        end_padding_frames=end_padding_frames,
        keyframes=parse_keyframes(keyframes, num_frames=num_frames),
        keyframe_images=counts.get("keyframe_images", 0),
        fun_or_fl2v_model=fun_or_fl2v_model,
    )
    notes += plan.notes
    if temporal_mask is not None and known_frames != "recipe":
        raise SVIError(
            f"temporal_mask replaces known_frames, yet known_frames is {known_frames}: "
            "set it to recipe, or disconnect temporal_mask"
        )
    _check_region_use(plan, region, feather, outside_region, temporal_mask)
    line = plan.timeline
    if line.end_apart:
        check_end_apart(vae)
    extra = extra_samples(extra_latents, lat_h=lat_h, lat_w=lat_w)

    known, packed, said = _masks(plan, temporal_mask, region, feather, lat_h=lat_h, lat_w=lat_w)
    notes += said
    known_per_frame = per_frame(known)
    known_name = "temporal_mask" if temporal_mask is not None else plan.known

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
    if end_strength != 1.0:
        notes.append(
            f"latents of the end scaled by {end_strength:g}"
            if line.end_frames
            else f"end_strength {end_strength:g} has no effect: there is no end_image"
        )
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
            known_frames=known_name,
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
    head = _describe(plan, known_per_frame, known_name, width=width, height=height, latents=latents.shape[1])
    return Clip(
        plan=plan,
        embeds=embeds,
        known_mask=known,
        concat_mask=concat_from_known(known),
        info=write_info(head, notes),
        tiles=tiles,
        known_per_frame=tuple(known_per_frame),
    )


def _picture(video: Tensor, repeats: Repeats, frame: int) -> Tensor:
    step = thumbnail_step(video.shape[2])
    return video_frame(video[..., ::step, ::step], repeats.short_index(frame))


def _check_region_use(
    plan: ClipPlan, region: Tensor | None, feather: int, outside_region: str, temporal_mask: Tensor | None
) -> None:
    check_choice("outside_region", outside_region, OUTSIDE_CHOICES)
    if region is None and not feather and not plan.timeline.keyframes:
        return
    if temporal_mask is not None:
        raise SVIError(
            "temporal_mask replaces keyframes, region and feather, yet one of them is set: disconnect temporal_mask, "
            "or leave them out"
        )
    if not plan.recipe.inpaints:
        raise SVIError(
            f"mode {plan.recipe.id} takes no region and no feather, its models were trained with whole known frames: "
            "choose mode fun_inp with a Fun InP model, or leave them out"
        )


def _masks(
    plan: ClipPlan, temporal_mask: Tensor | None, region: Tensor | None, feather: int, *, lat_h: int, lat_w: int
) -> tuple[Tensor, Tensor, list[str]]:
    """known_mask F h w, its packed form 4 T h w, and notes."""
    line = plan.timeline
    if region is not None or feather:
        known = known_masks(plan.known_values, height=lat_h, width=lat_w, region=region, feather=feather)
        return known, pack_known(known, end_apart=line.end_apart), []
    if temporal_mask is None:
        values = plan.known_values
        # Packed as one column per latent first: no full-length pixel mask is ever made.
        columns = pack_known(torch.tensor(values, dtype=torch.float32), end_apart=line.end_apart)
        packed = repeat(columns, "c t -> c t h w", h=lat_h, w=lat_w).contiguous()
        return known_masks(values, height=lat_h, width=lat_w), packed, []
    known, notes = fit_temporal_mask(temporal_mask, frames=line.total_frames, height=lat_h, width=lat_w)
    if line.end_apart and len(temporal_mask) < line.total_frames:
        notes.append(
            f"with an end image and fun_or_fl2v_model off the clip has {line.total_frames} mask frames, the last one "
            "being the end"
        )
    return known, pack_known(known, end_apart=line.end_apart), notes


def _describe(
    plan: ClipPlan, known: list[float], known_name: str, *, width: int, height: int, latents: int
) -> list[str]:
    line = plan.timeline
    fill = {"grey": "mid-grey", "last": "the last motion frame", "end": "end_image", "reference": plan.reference_from}
    source = {
        "motion": "last frames of start_image",
        "padding": fill.get(plan.padding, plan.padding),
        "keyframe": "keyframe_images",
        "end_padding": fill.get(plan.end_padding, plan.end_padding),
        "end": "end_image",
    }
    parts = ", ".join(f"{segment} ({source[segment.role]})" for segment in line.segments)
    return [
        f"{plan.recipe.id}: {line.num_frames} frames at {width}x{height}, {latents} latents",
        f"made for {' + '.join(plan.recipe.loras) or 'no LoRA'} on {plan.recipe.base}. {plan.recipe.note}",
        f"frames: {parts}",
        f"known_mask (wrapper): {describe_known(known)}, rule {known_name}",
        f"concat_mask (native): {count_concat(known)}",
    ]
