"""What of a clip of images is shown: the tiles of its sheet, and its strip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from ..sheet import Tile, thumbnail
from ..strip import Piece, Strip
from .decide import DecidedClip, end_strength_notes, padding_to_scale
from .plan import ClipPlan


def make_tiles(plan: ClipPlan, frame: Callable[[int], Tensor], known: Sequence[float]) -> tuple[Tile, ...]:
    """The tiles of a clip. frame: gives the picture of a frame, H W 3 in 0..1. known: one value per frame.

    Padding is one picture, so a run of it folds into one tile wherever the mask stays the same. No tile keeps what
    `frame` gave alive.
    """
    fills = {"padding": plan.padding, "end_padding": plan.end_padding}
    tiles = []
    for segment in plan.timeline.segments:
        start = segment.start
        while start < segment.stop:
            stop = start + 1
            if segment.role in fills:
                while stop < segment.stop and known[stop] == known[start]:
                    stop += 1
            role = f"{fills[segment.role]} padding" if segment.role in fills else segment.role
            tiles.append(Tile(thumbnail(frame(start)), start, stop - 1, role, known[start]))
            start = stop
    return tuple(tiles)


def strip_of_clip(decided: DecidedClip) -> Strip:
    """The strip of WanVideoSVIEmbeds. Of extra latents, which stand in front, the number is not known."""
    plan, settings = decided.plan, decided.settings
    line = plan.timeline
    said = decided.describe(decided.known, latents=line.latents)
    del said["made_for"]  # who has set the mode knows it
    notes = [*decided.notes]
    if decided.connected.extra_latents:
        said["clip"] += " and those of extra_latents in front"
    else:
        notes += padding_to_scale(plan, settings.ref_strength, in_front=0)[1]
    notes += end_strength_notes(plan, settings.end_strength)
    return Strip(
        title=f"{plan.recipe.id}: {line.num_frames} frames, {line.latents} latents",
        num_frames=line.num_frames,
        pieces=pieces_of(plan, decided.sources),
        said=tuple(said.values()),
        known=decided.known,
        mask_from="" if decided.known is not None else "temporal_mask",
        in_region=decided.connected.region,
        end_apart=line.end_apart,
        notes=tuple(notes),
    )


def pieces_of(plan: ClipPlan, sources: Mapping[Any, str]) -> tuple[Piece, ...]:
    """The pieces of a clip. sources: where the frames of each role come from, in words."""
    kinds = {"padding": plan.padding, "end_padding": "end_copy" if plan.end_padding == "end" else plan.end_padding}
    return tuple(
        Piece(kinds.get(segment.role, segment.role), segment.start, segment.stop, sources[segment.role])
        for segment in plan.timeline.segments
    )
