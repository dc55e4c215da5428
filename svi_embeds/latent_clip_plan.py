"""One clip of WanVideoSVILatentEmbeds decided from its settings and the counts of its latents alone.

`make_latent_clip` runs on what is decided here, and the strip on the node shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from .checks import check_bool, check_choice, check_int, check_share, check_strength
from .errors import SVIError
from .latent_plan import (
    LATENT_END_PADDING_CHOICES,
    LATENT_KNOWN_CHOICES,
    LATENT_PADDING_CHOICES,
    LatentKnown,
    LatentPadding,
    LatentPlan,
)
from .masks import count_concat, describe_known
from .recipes import SVI2_PRO, too_long
from .timeline import latent_count


@dataclass(frozen=True, slots=True)
class DecidedLatents:
    """A plan, and what was decided or adjusted on the way, a sentence each."""

    plan: LatentPlan
    notes: tuple[str, ...]

    def describe(self, *, size: str, space: str) -> list[str]:
        """The clip in words, a line each. size: of its frames, as WxH, or "". space: of the latents that come in."""
        plan = self.plan
        values = plan.known_values
        parts = ", ".join(f"{role} {a}" if a == b else f"{role} {a}-{b}" for role, a, b in plan.runs)
        seam = (
            f"overlap_frames: {plan.overlap_frames}; drop them from the start of this clip when stitching (anchor, "
            "then what the clip before ended on)"
            if plan.overlap_frames
            else "overlap_frames: 0, no motion latents"
        )
        at = f" at {size}" if size else ""
        return [
            f"{SVI2_PRO.id}: {plan.num_frames} frames{at}, {plan.latents} latents ({space} latents in)",
            f"made for {' + '.join(SVI2_PRO.loras)} on {SVI2_PRO.base}. {SVI2_PRO.note}",
            f"latents: {parts}",
            f"known_mask (wrapper): {describe_known(values)}, rule {plan.known}",
            f"concat_mask (native): {count_concat(values)}",
            seam,
        ]


def decide_latent_clip(
    *,
    num_frames: int,
    anchor: int,
    prev: int | None = None,
    end: int | None = None,
    motion_latents: int = SVI2_PRO.motion_latents,
    motion_match: float = 0.0,
    known_frames: str = "first_latent",
    padding: str = "zero",
    anchor_strength: float = 1.0,
    ref_strength: float = 1.0,
    fun_or_fl2v_model: bool = True,
    end_latents: int = 0,
    end_strength: float = 1.0,
    end_padding: str = "same",
    end_padding_latents: int = 1,
) -> DecidedLatents:
    """Decide one clip. Settings as `make_latent_clip` takes them; of LATENTs only how many latents they have.

    anchor, prev, end: latents of anchor_samples, of what prev_samples shows, and of end_samples; None when not
    connected.

    Raises SVIError as `make_latent_clip` does, for all that shows without a latent.
    """
    for name, value in (
        ("anchor_strength", anchor_strength),
        ("ref_strength", ref_strength),
        ("end_strength", end_strength),
    ):
        check_strength(name, value)
    check_choice("known_frames", known_frames, LATENT_KNOWN_CHOICES)
    check_choice("padding", padding, LATENT_PADDING_CHOICES)
    check_choice("end_padding", end_padding, LATENT_END_PADDING_CHOICES)
    check_int("motion_latents", motion_latents, minimum=0)
    check_int("end_padding_latents", end_padding_latents, minimum=1)
    check_bool("fun_or_fl2v_model", fun_or_fl2v_model)
    check_share("motion_match", motion_match)
    latent_count(num_frames)
    motion, notes = _count_motion(prev, motion_latents)
    notes += too_long(SVI2_PRO, num_frames)
    last = _count_end(end, end_latents)
    if not last:
        for name, idle in (("end_strength", end_strength == 1.0), ("end_padding", end_padding == "same")):
            if not idle:
                notes.append(f"{name} has no effect: there are no end_samples")
        end_padding = "same"
    plan = LatentPlan(
        num_frames=num_frames,
        anchor=anchor,
        motion=motion,
        end=last,
        known=cast(LatentKnown, known_frames),
        padding=cast(LatentPadding, padding),
        end_padding=end_padding,
        end_padding_latents=0 if end_padding == "same" else end_padding_latents,
        end_apart=bool(last) and not fun_or_fl2v_model,
    )
    if ref_strength != 1.0 and "reference padding" not in plan.roles:
        notes.append(f"ref_strength {ref_strength:g} has no effect: no latent is reference padding")
    for role, strength in (("anchor", anchor_strength), ("end", end_strength), ("reference padding", ref_strength)):
        if strength != 1.0 and role in plan.roles:
            notes.append(f"{role} scaled by {strength:g}")
    if all(plan.known_latents):
        notes.append("nothing is generated: the clip is the anchor's first frame alone")
    if not plan.gap and not plan.end:
        notes.append("anchor and motion latents fill the clip: no latent is padding")
    if motion_match and plan.motion:
        notes.append(f"motion latents have the anchor's mean and spread per channel (strength {motion_match:g})")
    elif motion_match:
        notes.append("motion_match has no effect: there are no motion latents")
    return DecidedLatents(plan, tuple(notes))


def _count_motion(prev: int | None, count: int) -> tuple[int, list[str]]:
    """How many of the last latents of the clip before lead this one, and notes. prev: how many it shows."""
    if prev is None:
        return 0, []
    if not count:
        return 0, ["prev_samples is not used: motion_latents is 0, so the clip starts anew from the anchor"]
    if not prev:
        raise SVIError("prev_samples has no latent that is shown: connect the samples of a whole clip")
    if count > prev:
        return prev, [f"prev_samples has {prev} latents, {count} motion_latents were asked: all are taken"]
    return count, []


def _count_end(end: int | None, count: int) -> int:
    """How many latents the clip ends on. end: latents of end_samples. count: how many of them are asked, 0 for all."""
    check_int("end_latents", count, minimum=0)
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
