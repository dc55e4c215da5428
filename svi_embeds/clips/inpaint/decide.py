"""A mask for the host's encode node decided, before any pixel is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import SVIError
from ...masks.keyframes import feather_known
from ...masks.known import count_concat, describe_known, mask_strip
from ..pixels.plan import ClipPlan, plan_clip
from ..pixels.settings import Connected
from ..pixels.show import pieces_of
from ..strip import Strip
from ..vae import FACTOR, latent_size
from .settings import MODE, START, MaskSettings


@dataclass(frozen=True, slots=True)
class DecidedMask:
    """What is decided without a pixel. known: one value per frame, feathered, before a region narrows it."""

    settings: MaskSettings
    connected: Connected
    plan: ClipPlan
    known: tuple[float, ...]
    lat_h: int
    lat_w: int

    def describe(self, known: Sequence[float]) -> dict[str, str]:
        """The clip in words: what a line is of, and the line. known: one value per frame."""
        line = self.plan.timeline
        tick = "on" if self.plan.fun_or_fl2v_model else "off"
        size = f"{line.num_frames} frames at {self.settings.width}x{self.settings.height}"
        return {
            "clip": f"{MODE}: {size}; WanVideo ImageToVideo Encode takes fun_or_fl2v_model {tick}",
            "signs": mask_strip(known),
            "frames": f"frames: {', '.join(map(str, line.segments))}",
            "temporal_mask": f"temporal_mask (wrapper): {describe_known(known)}",
            "concat_mask": f"concat_mask (native): {count_concat(known)}",
        }


def decide_temporal_mask(settings: MaskSettings, connected: Connected) -> DecidedMask:
    """Decide one clip. connected: start_image counts the motion_frames.

    Raises SVIError as `make_temporal_mask` does, for all that shows without a pixel.
    """
    lat_h, lat_w = latent_size(FACTOR, width=settings.width, height=settings.height)
    plan = plan_clip(settings.of_clip, connected, start_name=START)
    known = tuple(feather_known(plan.known_values, settings.feather))
    if connected.region and settings.outside_region == "empty" and plan.timeline.end_apart:
        raise SVIError(
            "region with an end behind the clip (fun_or_fl2v_model off) would leave end_image of WanVideo ImageToVideo "
            "Encode whole: turn fun_or_fl2v_model on, or set outside_region to keep"
        )
    return DecidedMask(settings=settings, connected=connected, plan=plan, known=known, lat_h=lat_h, lat_w=lat_w)


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
        pieces=pieces_of(plan, {**sources, "padding": "empty_level", "end_padding": "empty_level"}),
        said=tuple(said.values()),
        known=decided.known,
        in_region=decided.connected.region,
        end_apart=line.end_apart,
        notes=plan.notes,
    )
