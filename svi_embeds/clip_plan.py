"""One clip of WanVideoSVIEmbeds decided from its settings and the counts of its images: all that needs no pixel.

`make_clip` runs on what is decided here, and the strip on the node shows it, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .checks import check_choice, check_strength
from .encode import CHANNELS, FACTOR, channels_of, latent_size
from .errors import SVIError
from .file_names import SVI_ON_CONTROL
from .keyframes import OUTSIDE_CHOICES, feather_known, parse_keyframes
from .masks import count_concat, describe_known, format_runs
from .plan import END_PADDING_FRAMES, ClipPlan, count_end_frames, plan_clip
from .recipes import IMAGE_PADDING, EndPadding, Recipe, check_channels, recipe, too_long
from .timeline import Role


@dataclass(frozen=True, slots=True)
class DecidedClip:
    """A plan and what goes with it.

    known: one value per frame, feathered, before a region narrows it; None where a temporal_mask gives them.
    known_name: the rule it follows. lat_h, lat_w: latent pixels. notes: those of the plan, and of what goes with it.
    """

    plan: ClipPlan
    known: tuple[float, ...] | None
    known_name: str
    width: int
    height: int
    lat_h: int
    lat_w: int
    notes: tuple[str, ...]

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

    def describe(self, known: Sequence[float], *, latents: int) -> list[str]:
        """The clip in words, a line each. known: one value per frame. latents: extra ones in front included."""
        return [
            *self.heading(latents=latents),
            f"known_mask (wrapper): {describe_known(known)}, rule {self.known_name}",
            f"concat_mask (native): {count_concat(known)}",
        ]

    def heading(self, *, latents: int) -> list[str]:
        """The lines that do not depend on the mask."""
        row, line = self.plan.recipe, self.plan.timeline
        parts = ", ".join(f"{segment} ({self.sources[segment.role]})" for segment in line.segments)
        return [
            f"{row.id}: {line.num_frames} frames at {self.width}x{self.height}, {latents} latents",
            f"made for {' + '.join(row.loras) or 'no LoRA'} on {row.base}. {row.note}",
            f"frames: {parts}",
        ]


def decide_clip(
    *,
    mode: str,
    width: int,
    height: int,
    num_frames: int,
    upsampling_factor: int = FACTOR,
    start_frames: int = 0,
    reference_frames: int = 0,
    end_images: int = 0,
    keyframe_images: int = 0,
    has_temporal_mask: bool = False,
    has_region: bool = False,
    has_control: bool = False,
    fun_or_fl2v_model: bool = True,
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
    keyframes: str = "",
    feather: int = 0,
    outside_region: str = "empty",
) -> DecidedClip:
    """Decide one clip. Settings as `make_clip` takes them; of images and masks only how many there are.

    upsampling_factor: the VAE's. start_frames, reference_frames, end_images, keyframe_images: frames in each connected
    batch, 0 when not connected. has_control: whether there are control_embeds.

    Raises SVIError as `make_clip` does, for all that shows without a pixel.
    """
    row, channels = recipe(mode), channels_of(upsampling_factor)
    check_channels(row, channels)
    lat_h, lat_w = latent_size(upsampling_factor, width=width, height=height)
    for name, value in (
        ("noise_aug_strength", noise_aug_strength),
        ("start_latent_strength", start_latent_strength),
        ("end_latent_strength", end_latent_strength),
        ("ref_strength", ref_strength),
        ("end_strength", end_strength),
    ):
        check_strength(name, value)
    plan = plan_clip(
        mode=mode,
        num_frames=num_frames,
        start_frames=start_frames,
        reference_frames=reference_frames,
        end_frames=count_end_frames(end_images, end_frames),
        overlap_frames=overlap_frames,
        known_frames=known_frames,
        padding=padding,
        end_padding=end_padding,
        end_padding_frames=end_padding_frames,
        keyframes=parse_keyframes(keyframes, num_frames=num_frames),
        keyframe_images=keyframe_images,
        fun_or_fl2v_model=fun_or_fl2v_model,
    )
    if has_temporal_mask and known_frames != "recipe":
        raise SVIError(
            f"temporal_mask replaces known_frames, yet known_frames is {known_frames}: "
            "set it to recipe, or disconnect temporal_mask"
        )
    check_choice("outside_region", outside_region, OUTSIDE_CHOICES)
    if has_region or feather or plan.timeline.keyframes:
        _check_part_known(plan, has_temporal_mask)
    return DecidedClip(
        plan=plan,
        known=None if has_temporal_mask else tuple(feather_known(plan.known_values, feather)),
        known_name="temporal_mask" if has_temporal_mask else plan.known,
        width=width,
        height=height,
        lat_h=lat_h,
        lat_w=lat_w,
        notes=(
            *plan.notes,
            *too_long(row, num_frames),
            *_model_notes(row, channels=channels, has_control=has_control),
            *(_mask_notes(plan) if has_temporal_mask else ()),
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
