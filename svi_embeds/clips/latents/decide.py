"""One clip of WanVideoSVILatentEmbeds decided from its settings and the counts of its latents alone.

`make_latent_clip` runs on what is decided here, and the strip on the node shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from ...errors import SVIError
from ...masks.known import count_concat, describe_known
from ...recipes import SVI2_PRO, too_long
from ...timeline import frames_of_latent
from ..strip import Piece, Strip
from .plan import LatentKnown, LatentPadding, LatentPlan
from .settings import LatentConnected, LatentSettings


@dataclass(frozen=True, slots=True)
class DecidedLatents:
    """A plan, and what was decided or adjusted on the way, a sentence each."""

    settings: LatentSettings
    plan: LatentPlan
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{SVI2_PRO.id}: {self.plan.num_frames} frames, {self.plan.latents} latents"

    def describe(self, *, size: str = "") -> dict[str, str]:
        """The clip in words: what a line is of, and the line. size: of its frames, as WxH, where it is known."""
        plan = self.plan
        values = plan.known_values
        parts = ", ".join(f"{role} {a}" if a == b else f"{role} {a}-{b}" for role, a, b in plan.runs)
        seam = (
            f"overlap_frames: {plan.overlap_frames}; drop them from the start of this clip when stitching (anchor, "
            "then what the clip before ended on)"
            if plan.overlap_frames
            else "overlap_frames: 0, no motion latents"
        )
        at, space = f" at {size}" if size else "", self.settings.latent_space
        return {
            "clip": f"{SVI2_PRO.id}: {plan.num_frames} frames{at}, {plan.latents} latents ({space} latents in)",
            "made_for": f"made for {' + '.join(SVI2_PRO.loras)} on {SVI2_PRO.base}. {SVI2_PRO.note}",
            "latents": f"latents: {parts}",
            "known_mask": f"known_mask (wrapper): {describe_known(values)}, rule {plan.known}",
            "concat_mask": f"concat_mask (native): {count_concat(values)}",
            "seam": seam,
        }


def decide_latent_clip(settings: LatentSettings, connected: LatentConnected) -> DecidedLatents:
    """Decide one clip. Raises SVIError as `make_latent_clip` does, for all that shows without a latent."""
    motion, notes = _count_motion(connected.prev_samples, settings.motion_latents)
    notes += too_long(SVI2_PRO, settings.num_frames)
    end_padding, ref_strength = settings.end_padding, settings.ref_strength
    last = _count_end(connected.end_samples, settings.end_latents)
    if not last:
        idle = {"end_strength": settings.end_strength == 1.0, "end_padding": end_padding == "same"}
        notes += [f"{name} has no effect: there are no end_samples" for name, unset in idle.items() if not unset]
        end_padding = "same"
    plan = LatentPlan(
        num_frames=settings.num_frames,
        anchor=connected.anchor_samples,
        motion=motion,
        end=last,
        known=cast(LatentKnown, settings.known_frames),
        padding=cast(LatentPadding, settings.padding),
        end_padding=end_padding,
        end_padding_latents=0 if end_padding == "same" else settings.end_padding_latents,
        end_apart=bool(last) and not settings.fun_or_fl2v_model,
    )
    if ref_strength != 1.0 and "reference padding" not in plan.roles:
        notes.append(f"ref_strength {ref_strength:g} has no effect: no latent is reference padding")
    notes += [
        f"{role} scaled by {strength:g}"
        for role, strength in settings.strengths.items()
        if strength != 1.0 and role in plan.roles
    ]
    if all(plan.known_latents):
        notes.append("nothing is generated: the clip is the anchor's first frame alone")
    if not plan.gap and not plan.end:
        notes.append("anchor and motion latents fill the clip: no latent is padding")
    if settings.motion_match and plan.motion:
        held = f"(strength {settings.motion_match:g})"
        notes.append(f"motion latents have the anchor's mean and spread per channel {held}")
    elif settings.motion_match:
        notes.append("motion_match has no effect: there are no motion latents")
    return DecidedLatents(settings, plan, tuple(notes))


def _count_motion(prev: int | None, count: int) -> tuple[int, list[str]]:
    """How many of the last latents of the clip before lead this one, and notes. prev: how many it shows."""
    if prev is None:
        return 0, []
    if not count:
        return 0, ["prev_samples is not used: motion_latents is 0, so the clip starts again from the anchor"]
    if not prev:
        raise SVIError("prev_samples has no latent that is shown: connect the samples of a whole clip")
    if count > prev:
        return prev, [f"prev_samples has {prev} latents, {count} motion_latents were asked: all are taken"]
    return count, []


def _count_end(end: int | None, count: int) -> int:
    """How many latents the clip ends on. end: latents of end_samples. count: how many of them are asked, 0 for all."""
    if end is None:
        if count:
            raise SVIError(f"end_latents is {count}, but there are no end_samples: connect them, or set it to 0")
        return 0
    if count > end:
        raise SVIError(
            f"end_latents is {count}, but end_samples has {end} latents: give it that many, or set "
            "end_latents to 0 (all of them)"
        )
    return count or end


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
