"""One clip planned: from its settings and what is connected to what every frame will be. No pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import SVIError
from ...masks.keyframes import parse_keyframes
from ...recipes import (
    IMAGE_PADDING,
    RECIPES,
    EndPadding,
    KnownRule,
    Padding,
    Recipe,
    recipe,
    resolve_end_padding,
    resolve_known,
    resolve_padding,
)
from ...timeline import Role, Timeline, frames_of_latent, latent_of_frame
from .settings import ClipSettings, Connected

Source = Literal["ref_image", "start_image"]


@dataclass(frozen=True, slots=True, repr=False)
class ClipPlan:
    """What every frame of one clip is, before any pixel is touched.

    end_padding: what fills the frames right before the end (`timeline.end_padding`).
    reference_from: which input the reference padding comes from; None when no padding is an image of its own.
    fun_or_fl2v_model: the setting as it takes effect (an end image alone only works with it on).
    start_name: what the caller calls the batch that motion frames come from. notes: what was decided or adjusted on
        the caller's behalf, a sentence each.
    """

    recipe: Recipe
    timeline: Timeline
    known: KnownRule
    padding: Padding
    end_padding: EndPadding
    reference_from: Source | None
    fun_or_fl2v_model: bool
    start_name: str = "start_image"
    notes: tuple[str, ...] = ()

    @property
    def known_values(self) -> tuple[int, ...]:
        """1 = the frame is kept, 0 = it is generated; one value for each of `timeline.total_frames`.

        Keyframes and end frames are kept under every rule but `inverted`, which keeps all but frame 0.
        """
        line = self.timeline
        if self.known == "inverted":
            return (0,) + (1,) * (line.total_frames - 1)
        kept = line.motion_frames if self.known == "overlap" else min(1, line.motion_frames)
        given = ("keyframe", "end")
        return tuple(int(frame < kept or role in given) for frame, role in enumerate(line.roles))

    @property
    def image_padding_latents(self) -> tuple[int, ...]:
        """Latents that hold nothing but copies of an image as padding, the padding before the end included."""
        roles: list[Role] = []
        if self.padding in IMAGE_PADDING:
            roles.append("padding")
        if self.end_padding in IMAGE_PADDING:
            roles.append("end_padding")
        return self.timeline.latents_of(*roles)

    def __repr__(self) -> str:
        return f"ClipPlan({self.recipe.id}: {self.timeline!r}, padding {self.padding}, known {self.known})"


def plan_clip(settings: ClipSettings, connected: Connected, *, start_name: str = "start_image") -> ClipPlan:
    """Plan one clip. start_name: what errors call the start batch.

    Raises SVIError for every combination that the host would crash on or silently get wrong.
    """
    row, mode, num_frames = recipe(settings.mode), settings.mode, settings.num_frames
    start_frames, reference_frames = connected.start_image, connected.ref_image
    end_frames = _end_frames(settings.end_frames, connected.end_image)
    keyframes = parse_keyframes(settings.keyframes, num_frames=num_frames)
    notes: list[str] = []
    _check_keyframe_images(row, keyframes, connected.keyframe_images)
    if not start_frames and not end_frames and not keyframes:
        raise SVIError(
            f"{mode} needs {start_name}: connect the previous clip (or, for the first clip, the first image); "
            "an end_image alone works too" + (", and so do keyframes" if row.inpaints else "")
        )
    motion = _motion_frames(row, start_name, start_frames=start_frames, overlap_frames=settings.overlap_frames)
    if not start_frames:
        notes.append(f"no {start_name}: the clip has no motion frames")
    fun = settings.fun_or_fl2v_model
    if end_frames and not start_frames and not fun:
        fun = True
        notes.append("fun_or_fl2v_model was turned on: an end image without a start image only works that way")
    end_apart = bool(end_frames) and not fun
    if end_apart and keyframes:
        raise SVIError(
            "keyframes go with an end_image only when fun_or_fl2v_model is on: turn it on (models that take keyframes "
            "want it so)"
        )
    if end_apart and motion > 1:
        raise SVIError(
            f"an end_image without fun_or_fl2v_model goes with exactly 1 motion frame, got {motion} "
            "(latents and mask would differ in length and the sampler crash): "
            "turn fun_or_fl2v_model on, or set overlap_frames to 1"
        )
    notes += _guide_notes(row, motion=motion, end_frames=end_frames, end_apart=end_apart)
    fill = resolve_padding(row, settings.padding)
    end_fill = resolve_end_padding(fill, settings.end_padding)
    if settings.end_padding != "same" and not end_frames:
        notes.append(f"end_padding {settings.end_padding} has no effect: there is no end_image")
    line = Timeline(
        num_frames,
        motion_frames=motion,
        end_frames=end_frames,
        end_apart=end_apart,
        end_padding_frames=settings.end_padding_frames if settings.end_padding != "same" and end_frames else 0,
        keyframes=keyframes,
    )
    if motion and frames_of_latent(shared := latent_of_frame(motion - 1)).stop > motion:
        notes.append(
            f"{motion} motion frames end inside latent {shared}, which they share with frames to generate: "
            "1, 5, 9, ... motion frames fill whole latents"
        )
    fills: set[EndPadding] = {fill, end_fill} if line.end_padding else {fill}
    source = _reference_source(mode, fills, start_frames=start_frames, reference_frames=reference_frames)
    if source == "start_image":
        notes.append("no ref_image: the single start image is the reference (right for the first clip only)")
    if reference_frames and source is None:
        notes.append(f"ref_image is not used: padding is {fill}")
    if "last" in fills and not motion:
        raise SVIError(f"padding last needs motion frames: connect {start_name}, or choose another padding")
    return ClipPlan(
        recipe=row,
        timeline=line,
        known=resolve_known(row, settings.known_frames),
        padding=fill,
        end_padding=end_fill,
        reference_from=source,
        fun_or_fl2v_model=fun,
        start_name=start_name,
        notes=tuple(notes),
    )


def _check_keyframe_images(row: Recipe, keyframes: Sequence[int], images: int) -> None:
    if (keyframes or images) and not row.inpaints:
        able = ", ".join(other.id for other in RECIPES.values() if other.inpaints)
        raise SVIError(
            f"mode {row.id} takes no keyframes, its models were trained with known frames at the start only: "
            f"choose mode {able} with a Fun InP model, or leave keyframes and keyframe_images out"
        )
    if images and not keyframes:
        raise SVIError("keyframe_images are connected, but keyframes is empty: write the frame of each, like 0-4, 40")
    if len(keyframes) != images:
        raise SVIError(
            f"keyframes has {len(keyframes)} frame(s), keyframe_images {images}: give one image for each frame, "
            "in order"
        )


def _guide_notes(row: Recipe, *, motion: int, end_frames: int, end_apart: bool) -> list[str]:
    """What a clip that follows a voice or poses should know of itself. Raises SVIError where the two cannot fit."""
    if row.guide is None:
        return []
    if row.guide == "poses" and end_apart:
        raise SVIError(
            f"{row.id} takes no end_image with fun_or_fl2v_model off: the clip would be one latent longer than its "
            "poses, which the sampler fills with the first pose; leave the end image out"
        )
    notes = []
    if motion > row.motion_frames:
        notes.append(f"svi-{row.id} was made for {row.motion_frames} motion frame, this clip has {motion}")
    if end_frames:
        notes.append(f"the {row.guide} and end_image both say how the clip ends, and may pull against each other")
    return notes


def _end_frames(wanted: int, connected: int) -> int:
    """How many frames of the end batch to take. wanted: 0 for all. connected: frames in it."""
    if wanted > connected:
        raise SVIError(
            f"end_frames is {wanted}, but end_image has {connected} frames: give it that many, or set end_frames to 0 "
            "(all of them)"
            if connected
            else f"end_frames is {wanted}, but there is no end_image: connect one, or set end_frames to 0"
        )
    return wanted or connected


def _motion_frames(row: Recipe, start_name: str, *, start_frames: int, overlap_frames: int) -> int:
    if not start_frames:
        if overlap_frames:
            raise SVIError(f"overlap_frames {overlap_frames} needs {start_name}: connect the previous clip")
        return 0
    motion = overlap_frames or row.motion_frames
    if start_frames < motion:
        hint = (
            f"for the first clip {'' if row.inpaints else 'choose mode i2v or '}set overlap_frames to 1"
            if start_frames == 1
            else f"connect the whole previous clip, or set overlap_frames to {start_frames} or less"
        )
        raise SVIError(f"{row.id} needs {motion} motion frames, {start_name} has {start_frames}: {hint}")
    return motion


def _reference_source(mode: str, fills: set[EndPadding], *, start_frames: int, reference_frames: int) -> Source | None:
    if "reference" not in fills:
        return None
    if reference_frames > 1:
        raise SVIError(
            f"ref_image must be one image, got a batch of {reference_frames}: "
            "connect the original image (ImageFromBatch picks one)"
        )
    if reference_frames:
        return "ref_image"
    if start_frames == 1:
        return "start_image"
    raise SVIError(
        f"{mode} needs ref_image: connect the original image, not the last frame of the previous clip "
        "(padding with that is how the character gets lost)"
    )
