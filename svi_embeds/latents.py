"""Latent-level conditioning (SVI 2.0 Pro): a clip's embeds from latents, with no decode and encode between clips.

A clip is [anchor, last motion latents of the clip before, padding, end]. Source: WanVideoWrapper, WanVideoSVIProEmbeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from einops import repeat
from torch import Tensor

from .checks import check_dict
from .colour import match_latents
from .embeds import build_embeds, svi_record
from .encode import CHANNELS, FACTOR, PATCH
from .encoded import EncodedClip
from .errors import SVIError
from .latent_clip_plan import decide_latent_clip
from .latent_plan import LatentPlan
from .latent_space import in_wrapper_space, read_latent
from .masks import concat_from_known, frame_masks
from .recipes import SVI2_PRO
from .sheet import make_latent_tiles
from .timeline import FRAMES_PER_LATENT
from .words import write_info


@dataclass(frozen=True, slots=True, repr=False)
class LatentClip(EncodedClip):
    """One clip, made from latents by a plan."""

    plan: LatentPlan


def make_latent_clip(
    *,
    anchor_samples: dict[str, Any],
    num_frames: int,
    prev_samples: dict[str, Any] | None = None,
    motion_latents: int = SVI2_PRO.motion_latents,
    motion_match: float = 0.0,
    end_samples: dict[str, Any] | None = None,
    clip_embeds: dict[str, Any] | None = None,
    known_frames: str = "first_latent",
    padding: str = "zero",
    anchor_strength: float = 1.0,
    ref_strength: float = 1.0,
    fun_or_fl2v_model: bool = True,
    end_latents: int = 0,
    end_strength: float = 1.0,
    end_padding: str = "same",
    end_padding_latents: int = 1,
    latent_space: str = "wrapper",
) -> LatentClip:
    """Make the embeds of one SVI 2.0 Pro clip. Nothing that is passed in is changed.

    anchor_samples: LATENT of the original image (or of several frames). prev_samples: LATENT of the clip before; its
    last motion_latents are taken, and get motion_match (0..1) of the anchor's mean and spread per channel. end_samples:
    LATENT that the clip ends on; its first end_latents are taken, 0 means
    all. num_frames: 4k+1.
    known_frames: one of LATENT_KNOWN_CHOICES. padding: zeros, or copies of the anchor's last latent, which ref_strength
    multiplies. end_padding: what the last end_padding_latents before the end are, unless it is `same`.
    fun_or_fl2v_model: off puts the end into a latent of its own behind the clip. latent_space: that of all three
    LATENTs.

    The embeds equal those of the host's WanVideoSVIProEmbeds, bit for bit, where it has the same inputs.
    Raises SVIError for bad input; see `read_latent` and `LatentPlan` for what is bad.
    """
    if clip_embeds is not None:
        check_dict("clip_embeds", clip_embeds, "WanVideo ClipVision Encode")
    anchor, notes = read_latent("anchor_samples", anchor_samples)
    prev, end = None, None
    if prev_samples is not None:
        prev, said = shown_latents("prev_samples", prev_samples)
        notes += said
    if end_samples is not None:
        end, said = read_latent("end_samples", end_samples)
        notes += said
    decided = decide_latent_clip(
        num_frames=num_frames,
        anchor=anchor.shape[1],
        prev=None if prev is None else prev.shape[1],
        end=None if end is None else end.shape[1],
        motion_latents=motion_latents,
        motion_match=motion_match,
        known_frames=known_frames,
        padding=padding,
        anchor_strength=anchor_strength,
        ref_strength=ref_strength,
        fun_or_fl2v_model=fun_or_fl2v_model,
        end_latents=end_latents,
        end_strength=end_strength,
        end_padding=end_padding,
        end_padding_latents=end_padding_latents,
    )
    plan = decided.plan
    notes += decided.notes
    motion = None if prev is None or not plan.motion else prev[:, -plan.motion :]
    end = None if end is None else end[:, : plan.end]
    _check_sizes(anchor, prev_samples=motion, end_samples=end)

    video = {"anchor": anchor, "motion": motion, "end": end}
    parts = {name: None if part is None else in_wrapper_space(part, latent_space) for name, part in video.items()}
    if motion_match and parts["motion"] is not None and parts["anchor"] is not None:
        parts["motion"] = match_latents(parts["motion"], parts["anchor"], strength=motion_match)
    latents = _compose(
        plan,
        parts,
        strengths={"anchor": anchor_strength, "end": end_strength, "reference padding": ref_strength},
    )
    lat_h, lat_w = latents.shape[2:]
    values, size = plan.known_values, f"{lat_w * FACTOR}x{lat_h * FACTOR}"
    mask = repeat(
        torch.tensor(plan.known_latents, dtype=anchor.dtype), "t -> c t h w", c=FRAMES_PER_LATENT, h=lat_h, w=lat_w
    )
    known = frame_masks(values, height=lat_h, width=lat_w)
    embeds = build_embeds(
        num_frames=num_frames,
        latents=latents,
        mask=mask.contiguous(),
        record=svi_record(
            mode=SVI2_PRO.id,
            overlap_frames=plan.overlap_frames,
            end_frames=plan.end * FRAMES_PER_LATENT if not plan.end_apart else 1,
            known_frames=known_frames,
            padding=padding,
            known_per_frame=values,
        ),
        end_video=latents[:, -1:].clone() if plan.end_apart else None,  # the host asks only whether there is one
        fun_or_fl2v_model=not plan.end_apart,
        clip_embeds=clip_embeds,
    )
    return LatentClip(
        plan=plan,
        embeds=embeds,
        known_mask=known,
        concat_mask=concat_from_known(known),
        info=write_info(decided.describe(size=size, space=latent_space), notes),
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
