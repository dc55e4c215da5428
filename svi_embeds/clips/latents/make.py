"""Latent-level conditioning (SVI 2.0 Pro): a clip's embeds from latents, with no decode and encode between clips.

A clip is [anchor, last motion latents of the clip before, padding, end]. Source: WanVideoWrapper, WanVideoSVIProEmbeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from einops import repeat
from torch import Tensor

from ...colour.match import match_latents
from ...errors import SVIError
from ...ground.checks import check_dict
from ...ground.words import write_info
from ...masks.known import concat_from_known, frame_masks
from ...recipes import SVI2_PRO
from ...timeline import FRAMES_PER_LATENT
from ..embeds import Beside, build_embeds, svi_record
from ..latent_space import in_wrapper_space, read_latent
from ..made import EncodedClip
from ..native_sources import with_native_sources
from ..sheet import make_latent_tiles
from ..vae import CHANNELS, FACTOR, PATCH
from .decide import decide_latent_clip
from .plan import LatentPlan
from .settings import LatentConnected, LatentInputs, LatentSettings


@dataclass(frozen=True, slots=True, repr=False)
class LatentClip(EncodedClip):
    """One clip, made from latents by a plan."""

    plan: LatentPlan


def make_latent_clip(settings: LatentSettings, inputs: LatentInputs) -> LatentClip:
    """Make the embeds of one SVI 2.0 Pro clip. Nothing that is passed in is changed.

    The embeds equal those of the host's WanVideoSVIProEmbeds, bit for bit, where it has the same inputs.
    Raises SVIError for bad input; see `read_latent` and `LatentPlan` for what is bad.
    """
    if inputs.clip_embeds is not None:
        check_dict("clip_embeds", inputs.clip_embeds, "WanVideo ClipVision Encode")
    anchor, notes = read_latent("anchor_samples", inputs.anchor_samples)
    prev, end = None, None
    if inputs.prev_samples is not None:
        prev, said = shown_latents("prev_samples", inputs.prev_samples)
        notes += said
    if inputs.end_samples is not None:
        end, said = read_latent("end_samples", inputs.end_samples)
        notes += said
    connected = LatentConnected(
        anchor_samples=anchor.shape[1],
        prev_samples=None if prev is None else prev.shape[1],
        end_samples=None if end is None else end.shape[1],
    )
    decided = decide_latent_clip(settings, connected)
    plan = decided.plan
    notes += decided.notes
    motion = None if prev is None or not plan.motion else prev[:, -plan.motion :]
    end = None if end is None else end[:, : plan.end]
    _check_sizes(anchor, prev_samples=motion, end_samples=end)

    video = {"anchor": anchor, "motion": motion, "end": end}
    space, match = settings.latent_space, settings.motion_match
    parts = {name: None if part is None else in_wrapper_space(part, space) for name, part in video.items()}
    if match and parts["motion"] is not None and parts["anchor"] is not None:
        parts["motion"] = match_latents(parts["motion"], parts["anchor"], strength=match)
    latents = _compose(plan, parts, strengths=settings.strengths)
    lat_h, lat_w = latents.shape[2:]
    values, size = plan.known_values, f"{lat_w * FACTOR}x{lat_h * FACTOR}"
    mask = repeat(
        torch.tensor(plan.known_latents, dtype=anchor.dtype), "t -> c t h w", c=FRAMES_PER_LATENT, h=lat_h, w=lat_w
    )
    known = frame_masks(values, height=lat_h, width=lat_w)
    embeds = build_embeds(
        num_frames=plan.num_frames,
        latents=latents,
        mask=mask.contiguous(),
        record=svi_record(
            mode=SVI2_PRO.id,
            overlap_frames=plan.overlap_frames,
            end_frames=plan.end * FRAMES_PER_LATENT if not plan.end_apart else 1,
            known_frames=settings.known_frames,
            padding=settings.padding,
            known_per_frame=values,
        ),
        end_video=latents[:, -1:].clone() if plan.end_apart else None,  # the host asks only whether there is one
        fun_or_fl2v_model=not plan.end_apart,
        beside=Beside(clip_embeds=inputs.clip_embeds),
    )
    if space == "native":
        embeds = with_native_sources(embeds, [part for part in video.values() if part is not None])
    return LatentClip(
        plan=plan,
        embeds=embeds,
        known_mask=known,
        concat_mask=concat_from_known(known),
        info=write_info(decided.describe(size=size).values(), notes),
        tiles=make_latent_tiles(latents, values, plan.roles, end_apart=plan.end_apart),
        known_per_frame=values,
    )


def shown_latents(name: str, samples: dict[str, Any]) -> tuple[Tensor, list[str]]:
    """The latents C t h w of a sampler's LATENT that the host's decode shows, and what was left out."""
    latents, notes = read_latent(name, samples)
    if samples.get("has_ref"):
        latents = latents[:, 1:]
        notes.append(f"the first latent of {name} is a reference that the decode drops: it is left out")
    if samples.get("end_image") is not None or samples.get("drop_last"):
        # The host's decode drops it: what is seen of that clip ends one latent earlier.
        latents = latents[:, :-1]
        notes.append(f"the last latent of {name} is an end that the decode drops: the latents before it are taken")
    return latents, notes


def _check_sizes(anchor: Tensor, **others: Tensor | None) -> None:
    channels, _, height, width = anchor.shape
    if channels != CHANNELS:
        raise SVIError(
            f"anchor_samples has {channels} channels, SVI 2.0 Pro is for models of {CHANNELS} (Wan 2.2 I2V A14B, "
            "Wan 2.1): encode with the Wan 2.1 VAE"
        )
    if height % PATCH or width % PATCH:
        raise SVIError(
            f"anchor_samples is {width}x{height} latent pixels, both must be even for the model's patches: encode an "
            "image whose width and height are multiples of 16"
        )
    for name, other in others.items():
        if other is not None and (other.shape[0], *other.shape[2:]) != (channels, height, width):
            raise SVIError(
                f"{name} must be of the anchor's size, [{channels}, t, {height}, {width}], got {list(other.shape)}: "
                "encode anchor and end at the width and height of the clips"
            )


def _compose(plan: LatentPlan, parts: dict[str, Tensor | None], *, strengths: dict[str, float]) -> Tensor:
    """The clip's latents C T h w. parts: by role, in the wrapper's space."""
    anchor, end = parts["anchor"], parts["end"]
    if anchor is None:
        raise SVIError("a clip without an anchor cannot be made")
    zero = torch.zeros_like(anchor[:, :1])
    fillers = {
        "zero padding": zero,
        "reference padding": anchor[:, -1:],
        "end padding": None if end is None else end[:, :1],
    }
    taken: dict[str, int] = {}
    pieces = []
    for role in plan.roles:
        part = parts.get(role)
        index = taken[role] = taken.get(role, -1) + 1
        piece = part[:, index : index + 1] if part is not None else fillers[role]
        if piece is None:
            raise SVIError(f"the plan has {role}, but no latents for it")
        strength = strengths.get(role, 1.0)
        pieces.append(piece if strength == 1.0 else piece * strength)
    return torch.cat(pieces, dim=1)
