"""A clip's embeds from images, in one call: plan, pixels, latents, masks, dict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from einops import repeat
from torch import Tensor

from ...ground.checks import check_dict
from ...ground.images import to_video, video_frame
from ...ground.words import write_info
from ...masks.keyframes import known_masks, left_out_pixels, region_notes
from ...masks.known import concat_from_known, fit_temporal_mask, looks_inverted, pack_known, per_frame
from ..comfy_vae import encoding_notes, raw_latents
from ..embeds import Beside, build_embeds, control_signal, svi_record
from ..made import EncodedClip
from ..native_sources import with_native_sources
from ..repeats import NO_REPEATS, Repeats, constant_runs, encode_repeating, find_repeats, receptive_field
from ..sheet import thumbnail_step
from ..vae import Encoder, channels_of, check_end_apart, check_vae, scale_latents
from .compose import check_inputs, compose_video, prepare_parts
from .decide import DecidedClip, decide_clip, end_strength_notes, kept_padding_notes
from .encode import extra_samples, prepend_extra, scale_padding, with_negative
from .plan import ClipPlan
from .settings import ClipInputs, ClipSettings
from .show import make_tiles


@dataclass(frozen=True, slots=True, repr=False)
class Clip(EncodedClip):
    """One clip, encoded from images by a plan."""

    plan: ClipPlan


def make_clip(settings: ClipSettings, inputs: ClipInputs, encoder: Encoder) -> Clip:
    """Make the embeds of one clip. Nothing that is passed in is changed.

    Raises SVIError for bad input; see `decide_clip`, `check_images`, `check_mask` and `check_vae` for what is bad.
    """
    vae = check_vae(encoder.vae)
    if inputs.clip_embeds is not None:
        check_dict("clip_embeds", inputs.clip_embeds, "WanVideo ClipVision Encode")
    add_cond_latents = inputs.add_cond_latents
    if add_cond_latents is not None:
        check_dict("add_cond_latents", add_cond_latents, "the wrapper's node that makes ADD_COND_LATENTS")
    channels = channels_of(vae.upsampling_factor)
    control = control_signal(inputs.control_embeds, channels=channels)
    inputs, notes = check_inputs(inputs)
    decided = decide_clip(settings, inputs.connected, upsampling_factor=vae.upsampling_factor)
    plan, width, height, region = decided.plan, settings.width, settings.height, inputs.region
    notes += decided.notes
    line = plan.timeline
    if line.end_apart:
        check_end_apart(vae)
    extra = extra_samples(inputs.extra_latents, channels=channels, lat_h=decided.lat_h, lat_w=decided.lat_w)

    known, packed, said = _masks(decided, inputs.temporal_mask, region)
    notes += said
    known_per_frame = per_frame(known)

    notes += region_notes(region, width=width, height=height)
    parts = prepare_parts(plan, inputs, width=width, height=height)
    notes += parts.notes
    if settings.noise_aug_strength and line.motion_frames:
        notes.append(f"noise of {settings.noise_aug_strength:g} on the motion frames")
    repeats = NO_REPEATS
    if settings.repeat_padding_latents and region is None:
        repeats = find_repeats(constant_runs(line), receptive_field(vae))
    compose = partial(
        compose_video, plan, parts, width=width, height=height, dtype=vae.dtype, noise=settings.noise_aug_strength
    )
    video = compose(repeats=repeats)
    if region is not None and settings.outside_region == "empty":
        for frame, left_out in left_out_pixels(plan.known_values, region, height=height, width=width):
            video[:, frame, left_out] = 0  # mid-grey
        notes.append("known frames are grey outside region")
    tiles = make_tiles(plan, partial(_picture, video, repeats), known_per_frame)

    with encoder.ready():
        latents, said = encode_repeating(
            encoder, video, repeats, compose, latents=line.latents, end_apart=line.end_apart
        )
        if add_cond_latents is not None:
            add_cond_latents = with_negative(encoder, add_cond_latents, width=width, height=height)
    notes += said + encoding_notes(vae)
    raw = raw_latents(vae)
    del video
    in_front = 0 if extra is None else extra.shape[1]
    latents, said = scale_padding(plan, latents, settings.ref_strength, in_front=in_front)
    notes += said
    if line.end_frames:
        latents = scale_latents(latents, line.end_latents, settings.end_strength)
    notes += end_strength_notes(plan, settings.end_strength)
    packed = packed.to(vae.dtype)
    if extra is not None:
        latents, packed = prepend_extra(extra, latents, packed)
        notes.append(f"extra_latents: {in_front} latent(s) in front, kept")
    last = latents.shape[1] - 1
    for which, index, strength in (
        ("first", 0, settings.start_latent_strength),
        ("last", last, settings.end_latent_strength),
    ):
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
        beside=Beside(clip_embeds=inputs.clip_embeds, control=control, add_cond_latents=add_cond_latents),
    )
    return Clip(
        plan=plan,
        embeds=with_native_sources(embeds, raw) if raw else embeds,
        known_mask=known,
        concat_mask=concat_from_known(known),
        info=write_info(decided.describe(known_per_frame, latents=latents.shape[1]).values(), notes),
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
            kept = sum(value >= 1 for value in given)
            notes.append(
                f"temporal_mask keeps {kept} of {len(given)} frames, but not the first: is it a concat_mask (black = "
                "kept)? temporal_mask takes known_mask (white = kept)"
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
