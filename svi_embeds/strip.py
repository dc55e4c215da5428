"""What a node's strip shows of a clip before anything runs: pieces, latents, masks, words.

Made of decided plans alone, those that the nodes run on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import torch

from .clip_plan import DecidedClip, end_strength_notes, padding_to_scale
from .custom_plan import DecidedCustom
from .holocine import ScenePlan
from .latent_clip_plan import DecidedLatents
from .masks import count_concat, count_known, pack_known
from .plan import ClipPlan
from .temporal_mask import DecidedMask
from .timeline import FRAMES_PER_LATENT, frames_of_latent, latent_count

T = TypeVar("T", bound=Hashable)
_MAX_LINE = 600  # characters of a line that somebody has to listen to


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames `start` to `stop` (excluded) that hold the same kind of thing. source: where it comes from, in words."""

    kind: str
    start: int
    stop: int
    source: str

    @property
    def span(self) -> str:
        return f"{self.start}" if self.stop - self.start == 1 else f"{self.start}-{self.stop - 1}"

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "name": self.kind.replace("_", " "), "span": self.span, "start": self.start,
            "stop": self.stop, "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strip:
    """One clip as its strip shows it.

    known: one value per frame, None when it is not known before the run (mask_from says where it will come from) or
    there is no mask. in_region: whether a region narrows it. said: the clip in words, the lines of the node's `info`
    that do not depend on pixels. notes: what was decided or adjusted on the caller's behalf.
    """

    title: str
    num_frames: int
    pieces: tuple[Piece, ...]
    said: tuple[str, ...]
    known: tuple[float, ...] | None = None
    mask_from: str = ""
    in_region: bool = False
    end_apart: bool = False
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What the page draws. Runs are pairs of a thing and how often it stands in a row.

        latents: runs of how many frames a latent covers. known: of values per frame. columns: of a latent's four mask
        channels.
        """
        covers = [(1, 1), (FRAMES_PER_LATENT, latent_count(self.num_frames) - 1), (1, int(self.end_apart))]
        answer: dict[str, Any] = {
            "title": self.title,
            "frames": self.num_frames + self.end_apart,
            "latents": [(frames, count) for frames, count in covers if count],
            "pieces": [piece.as_json() for piece in self.pieces],
            "known": None,
            "mask_from": self.mask_from,
            "in_region": self.in_region,
            "text": "; ".join(line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}..." for line in self.said),
            "notes": list(self.notes),
        }
        if self.known is not None:
            packed = pack_known(torch.tensor(self.known, dtype=torch.float64), end_apart=self.end_apart)
            answer["known"] = [(round(value, 3), count) for value, count in _runs(self.known)]
            columns = _runs(map(tuple, packed.T.tolist()))
            answer["columns"] = [([round(value, 3) for value in column], count) for column, count in columns]
            answer["known_mask"] = count_known(self.known)
            answer["concat_mask"] = count_concat(self.known)
        return answer


def _runs(things: Iterable[T]) -> list[tuple[T, int]]:
    return [(thing, sum(1 for _ in run)) for thing, run in groupby(things)]


def strip_of_clip(decided: DecidedClip) -> Strip:
    """The strip of WanVideoSVIEmbeds. Of extra latents, which stand in front, the number is not known."""
    plan, settings = decided.plan, decided.settings
    line = plan.timeline
    said = decided.describe(decided.known, latents=line.latents)
    del said["made_for"]  # no news to who has set the mode
    notes = [*decided.notes]
    if decided.connected.extra_latents:
        said["clip"] += " and those of extra_latents in front"
    else:
        notes += padding_to_scale(plan, settings.ref_strength, in_front=0)[1]
    notes += end_strength_notes(plan, settings.end_strength)
    return Strip(
        title=f"{plan.recipe.id}: {line.num_frames} frames, {line.latents} latents",
        num_frames=line.num_frames,
        pieces=_pieces(plan, decided.sources),
        said=tuple(said.values()),
        known=decided.known,
        mask_from="" if decided.known is not None else "temporal_mask",
        in_region=decided.connected.region,
        end_apart=line.end_apart,
        notes=tuple(notes),
    )


def strip_of_mask(decided: DecidedMask) -> Strip:
    """The strip of WanVideoSVITemporalMask."""
    plan = decided.plan
    line = plan.timeline
    said = decided.describe(decided.known)
    del said["signs"]  # which nobody can listen to
    sources = {"motion": f"last frames of {plan.start_name}", "keyframe": "keyframe_images", "end": "end_image"}
    return Strip(
        title=f"{plan.recipe.id}: {line.num_frames} frames, {line.latents} latents",
        num_frames=line.num_frames,
        pieces=_pieces(plan, {**sources, "padding": "empty_level", "end_padding": "empty_level"}),
        said=tuple(said.values()),
        known=decided.known,
        in_region=decided.connected.region,
        end_apart=line.end_apart,
        notes=plan.notes,
    )


def _pieces(plan: ClipPlan, sources: Mapping[Any, str]) -> tuple[Piece, ...]:
    kinds = {"padding": plan.padding, "end_padding": "end_copy" if plan.end_padding == "end" else plan.end_padding}
    return tuple(
        Piece(kinds.get(segment.role, segment.role), segment.start, segment.stop, sources[segment.role])
        for segment in plan.timeline.segments
    )


def strip_of_latents(decided: DecidedLatents) -> Strip:
    """The strip of WanVideoSVILatentEmbeds."""
    plan = decided.plan
    kinds = {"zero padding": "zero", "reference padding": "reference", "end padding": "end_copy"}
    sources = {
        "anchor": "anchor_samples", "motion": "last latents of prev_samples", "end": "end_samples",
        "zero padding": "zeros", "reference padding": "the anchor's last latent",
        "end padding": "the end's first latent",
    }  # fmt: skip
    pieces = []
    for role, first, last in plan.runs:
        # An end apart is one frame more, behind the clip.
        stop = plan.num_frames + 1 if plan.end_apart and role == "end" else frames_of_latent(last).stop
        start = plan.num_frames if plan.end_apart and role == "end" else frames_of_latent(first).start
        pieces.append(Piece(kinds.get(role, role), start, stop, sources[role]))
    said = decided.describe()
    del said["made_for"]
    return Strip(
        title=decided.title,
        num_frames=plan.num_frames,
        pieces=tuple(pieces),
        said=tuple(said.values()),
        known=plan.known_values,
        end_apart=plan.end_apart,
        notes=decided.notes,
    )


def strip_of_custom(decided: DecidedCustom) -> Strip:
    """The strip of WanVideoI2VCustomEmbeds."""
    settings, lead = decided.settings, decided.start_frames
    length = settings.length
    latents = latent_count(length)
    if decided.connected.concat_latent_image is not None:
        pieces = [Piece("latent", 0, length, "concat_latent_image")]
    else:
        pieces = [Piece("image", 0, lead, "start_image"), Piece("grey", lead, length, "mid-grey")]
    said = [f"custom: {length} frames at {settings.width}x{settings.height}, {latents} latents"]
    said += decided.describe(decided.known) if decided.known is not None else ["known_mask: what concat_mask gives"]
    return Strip(
        title=f"custom: {length} frames, {latents} latents",
        num_frames=length,
        pieces=tuple(piece for piece in pieces if piece.stop > piece.start),
        said=tuple(said),
        known=decided.known,
        mask_from="" if decided.known is not None else "concat_mask",
        notes=decided.notes,
    )


def strip_of_scene(plan: ScenePlan) -> Strip:
    """The strip of WanVideoHoloCinePrompt: its shots, and no mask."""
    edges = (0, *plan.cuts, plan.num_frames)
    pieces = tuple(
        Piece(f"shot_{index + 1}", edges[index], edges[index + 1], shot[:100])
        for index, shot in enumerate(plan.scene.shots)
    )
    count = len(plan.scene.shots)
    many = f"{count} shot{'s' if count > 1 else ''}"
    return Strip(
        title=f"{many}: {plan.num_frames} frames, {latent_count(plan.num_frames)} latents",
        num_frames=plan.num_frames,
        pieces=pieces,
        said=(plan.summary, *(f"shot {i + 1}: frames {piece.span}" for i, piece in enumerate(pieces))),
        notes=plan.notes,
    )
