"""One clip of WanVideoSVIEmbeds decided from its settings and the counts of its images: all that needs no pixel.

`make_clip` runs on what is decided here, and the strip on the node shows it, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import SVIError
from ...masks.keyframes import feather_known
from ...masks.known import count_concat, describe_known, format_runs
from ...models.names import SVI_ON_CONTROL
from ...recipes import IMAGE_PADDING, EndPadding, Recipe, check_channels, recipe, too_long
from ...timeline import Role
from ..vae import CHANNELS, FACTOR, channels_of, latent_size
from .plan import ClipPlan, plan_clip
from .settings import ClipSettings, Connected


@dataclass(frozen=True, slots=True)
class DecidedClip:
    """A plan and what goes with it.

    known: one value per frame, feathered, before a region narrows it; None where a temporal_mask gives them.
    lat_h, lat_w: latent pixels. notes: those of the plan, and of what goes with it.
    """

    settings: ClipSettings
    connected: Connected
    plan: ClipPlan
    known: tuple[float, ...] | None
    lat_h: int
    lat_w: int
    notes: tuple[str, ...]

    @property
    def known_name(self) -> str:
        """The rule by which frames are kept, or the input that replaces it."""
        return "temporal_mask" if self.connected.temporal_mask else self.plan.known

    @property
    def sources(self) -> dict[Role, str]:
        """Where frames of each role come from."""
        plan = self.plan
        fill = {
            "grey": "mid-grey", "last": "the last motion frame", "end": "end_image", "reference": plan.reference_from,
        }  # fmt: skip
        return {
            "motion": "last frames of start_image",
            "padding": fill.get(plan.padding) or plan.padding,
            "keyframe": "keyframe_images",
            "end_padding": fill.get(plan.end_padding) or plan.end_padding,
            "end": "end_image",
        }

    def describe(self, known: Sequence[float] | None, *, latents: int) -> dict[str, str]:
        """The clip in words: what a line is of, and the line.

        known: one value per frame, None where the mask is not known yet. latents: extra ones in front included.
        """
        row, line = self.plan.recipe, self.plan.timeline
        size = f"{self.settings.width}x{self.settings.height}"
        parts = ", ".join(f"{segment} ({self.sources[segment.role]})" for segment in line.segments)
        said = {
            "clip": f"{row.id}: {line.num_frames} frames at {size}, {latents} latents",
            "made_for": f"made for {' + '.join(row.loras) or 'no LoRA'} on {row.base}. {row.note}",
            "frames": f"frames: {parts}",
        }
        if known is None:
            return {**said, "known_mask": "known_mask: what temporal_mask gives"}
        return {
            **said,
            "known_mask": f"known_mask (wrapper): {describe_known(known)}, rule {self.known_name}",
            "concat_mask": f"concat_mask (native): {count_concat(known)}",
        }


def decide_clip(settings: ClipSettings, connected: Connected, *, upsampling_factor: int = FACTOR) -> DecidedClip:
    """Decide one clip. upsampling_factor: the VAE's.

    Raises SVIError as `make_clip` does, for all that shows without a pixel.
    """
    row, channels = recipe(settings.mode), channels_of(upsampling_factor)
    check_channels(row, channels)
    lat_h, lat_w = latent_size(upsampling_factor, width=settings.width, height=settings.height)
    plan = plan_clip(settings, connected)
    if connected.temporal_mask and settings.known_frames != "recipe":
        raise SVIError(
            f"temporal_mask replaces known_frames, yet known_frames is {settings.known_frames}: "
            "set it to recipe, or disconnect temporal_mask"
        )
    if connected.region or settings.feather or plan.timeline.keyframes:
        _check_part_known(plan, connected.temporal_mask)
    return DecidedClip(
        settings=settings,
        connected=connected,
        plan=plan,
        known=None if connected.temporal_mask else tuple(feather_known(plan.known_values, settings.feather)),
        lat_h=lat_h,
        lat_w=lat_w,
        notes=(
            *plan.notes,
            *too_long(row, settings.num_frames),
            *_model_notes(row, channels=channels, has_control=connected.control_embeds),
            *(_mask_notes(plan) if connected.temporal_mask else ()),
        ),
    )


def _model_notes(row: Recipe, *, channels: int, has_control: bool) -> list[str]:
    """What the models that a clip is for make of it. channels: of their latents."""
    notes = []
    if channels != CHANNELS:
        notes.append(
            f"latents of {channels} channels are for Fun InP of Wan 2.2 5B; TI2V 5B takes no image_embeds (give the "
            "image to WanVideo Empty Embeds as extra_latents), and no SVI LoRA fits a 5B model"
        )
    if has_control and row.loras:
        notes.append(f"control_embeds are for Fun Control models: {SVI_ON_CONTROL}")
    return notes


def _check_part_known(plan: ClipPlan, has_temporal_mask: bool) -> None:
    if has_temporal_mask:
        raise SVIError(
            "temporal_mask replaces keyframes, region and feather, yet one of them is set: disconnect temporal_mask, "
            "or leave them out"
        )
    if not plan.recipe.inpaints:
        raise SVIError(
            f"mode {plan.recipe.id} takes no region and no feather, its models were trained with whole known frames: "
            "choose mode fun_inp with a Fun InP model, or leave them out"
        )


def _padding_of(plan: ClipPlan) -> dict[Role, EndPadding]:
    """What fills the frames of a clip that no image is given for, by their role."""
    fills: dict[Role, EndPadding] = {"padding": plan.padding, "end_padding": plan.end_padding}
    return {role: fill for role, fill in fills.items() if role in plan.timeline.roles}


def _mask_notes(plan: ClipPlan) -> list[str]:
    """Where a temporal_mask differs from the host's.

    Its encode (WanVideoImageToVideoEncode) leaves a frame grey that the mask keeps (a mean of 0.5 or more) and that no
    image is given for, whatever its empty_frame_pad_image. No model was trained with grey frames that count as
    finished, and they would show; so here the mask decides what is kept, and never what a frame holds.
    """
    fills = " and ".join(sorted({*_padding_of(plan).values()} - {"grey"}))
    said = f"temporal_mask changes no pixel: {fills} padding stays also in frames that it keeps"
    return [f"{said} (the wrapper's own encode leaves those grey)"] if fills else []


def kept_padding_notes(plan: ClipPlan, known: Sequence[float]) -> list[str]:
    """Frames of padding that a temporal_mask keeps. known: one value per frame."""
    fills = _padding_of(plan)
    kept: dict[str, list[int]] = {}
    for frame, role in enumerate(plan.timeline.roles):
        if role in fills and known[frame] >= 0.5:
            kept.setdefault(fills[role], []).append(frame)
    return [
        f"temporal_mask keeps frames that no image is given for ({format_runs(frames)}): the model takes their {fill} "
        "padding for finished"
        for fill, frames in kept.items()
    ]


def padding_to_scale(plan: ClipPlan, strength: float, *, in_front: int) -> tuple[tuple[int, ...], list[str]]:
    """The latents of image padding that ref_strength multiplies, and notes. in_front: latents before them."""
    if strength == 1.0:
        return (), []
    fills = {plan.padding, plan.end_padding} if plan.timeline.end_padding else {plan.padding}
    images = sorted(fills.intersection(IMAGE_PADDING))
    if not images:
        return (), [f"ref_strength {strength:g} has no effect: padding is {plan.padding}"]
    pad = plan.image_padding_latents
    if not pad:
        return (), [f"ref_strength {strength:g} has no effect: no latent holds padding alone"]
    span = format_runs([latent + in_front for latent in pad])
    return pad, [f"{' and '.join(images)} padding scaled by {strength:g} (latents {span})"]


def end_strength_notes(plan: ClipPlan, strength: float) -> list[str]:
    """What end_strength does in a clip."""
    if strength == 1.0:
        return []
    if plan.timeline.end_frames:
        return [f"latents of the end scaled by {strength:g}"]
    return [f"end_strength {strength:g} has no effect: there is no end_image"]
