"""The two inputs that Fun InP users feed the host's ImageToVideo Encode: frames and temporal_mask, made together.

The host's mask greys no pixels, cuts and pads in silence, and wants the wrapper's polarity; here the frames are empty
where they are not known, both are as long as the host needs, and both views of the mask come out by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from .checks import check_choice
from .encode import FACTOR, latent_size
from .encoded import MaskedClip
from .errors import SVIError
from .frames import check_images, compose_frames, prepare_parts
from .keyframes import OUTSIDE_CHOICES, feather_known, known_masks, left_out_pixels, parse_keyframes, region_notes
from .masks import concat_from_known, count_concat, describe_known, mask_strip, per_frame
from .plan import ClipPlan, count_end_frames, plan_clip
from .sheet import make_tiles
from .words import write_info

MODE, START = "fun_inp", "motion_frames"


@dataclass(frozen=True, slots=True)
class DecidedMask:
    """What is decided without a pixel. known: one value per frame, feathered, before a region narrows it."""

    plan: ClipPlan
    known: tuple[float, ...]
    width: int
    height: int
    lat_h: int
    lat_w: int

    def describe(self, known: Sequence[float]) -> list[str]:
        """The clip in words, a line each. known: one value per frame."""
        line = self.plan.timeline
        tick = "on" if self.plan.fun_or_fl2v_model else "off"
        size = f"{line.num_frames} frames at {self.width}x{self.height}"
        return [
            f"{MODE}: {size}; the host's encode takes fun_or_fl2v_model {tick}",
            mask_strip(known),
            f"frames: {', '.join(map(str, line.segments))}",
            f"temporal_mask (wrapper): {describe_known(known)}",
            f"concat_mask (native): {count_concat(known)}",
        ]


def decide_temporal_mask(
    *,
    num_frames: int,
    width: int,
    height: int,
    motion_frames: int = 0,
    end_images: int = 0,
    keyframe_images: int = 0,
    has_region: bool = False,
    overlap_frames: int = 0,
    end_frames: int = 0,
    keyframes: str = "",
    feather: int = 0,
    empty_level: float = 0.5,
    outside_region: str = "empty",
    fun_or_fl2v_model: bool = True,
) -> DecidedMask:
    """Decide one clip. Settings as `make_temporal_mask` takes them; of images only how many there are.

    Raises SVIError as `make_temporal_mask` does, for all that shows without a pixel.
    """
    lat_h, lat_w = latent_size(FACTOR, width=width, height=height)
    check_choice("outside_region", outside_region, OUTSIDE_CHOICES)
    if isinstance(empty_level, bool) or not isinstance(empty_level, (int, float)) or not 0 <= empty_level <= 1:
        raise SVIError(f"empty_level must be a number from 0 to 1, got {empty_level!r}")
    plan = plan_clip(
        mode=MODE,
        num_frames=num_frames,
        start_frames=motion_frames,
        end_frames=count_end_frames(end_images, end_frames),
        overlap_frames=overlap_frames,
        keyframes=parse_keyframes(keyframes, num_frames=num_frames),
        keyframe_images=keyframe_images,
        fun_or_fl2v_model=fun_or_fl2v_model,
        start_name=START,
    )
    known = tuple(feather_known(plan.known_values, feather))
    if has_region and outside_region == "empty" and plan.timeline.end_apart:
        raise SVIError(
            "region with an end behind the clip (fun_or_fl2v_model off) would leave the host's end_image whole: "
            "turn fun_or_fl2v_model on, or set outside_region to keep"
        )
    return DecidedMask(plan=plan, known=known, width=width, height=height, lat_h=lat_h, lat_w=lat_w)


@dataclass(frozen=True, slots=True, repr=False)
class TemporalMask(MaskedClip):
    """What the host's encode takes.

    frames: F H W 3 in 0..1, for start_image. known_mask goes to temporal_mask. Without fun_or_fl2v_model and with an
    end, frames is the motion frame alone, the masks are num_frames + 1, and the end image goes to the host's end_image;
    else all are num_frames. fun_or_fl2v_model: what the host's tick must be.
    """

    plan: ClipPlan
    frames: Tensor
    fun_or_fl2v_model: bool

    @property
    def title(self) -> str:
        return f"{MODE}: {self.plan.timeline.num_frames} frames"

    def __repr__(self) -> str:
        return f"TemporalMask({self.plan!r}, frames {list(self.frames.shape)})"


def make_temporal_mask(
    *,
    num_frames: int,
    width: int,
    height: int,
    motion_frames: Tensor | None = None,
    end_image: Tensor | None = None,
    keyframe_images: Tensor | None = None,
    region: Tensor | None = None,
    overlap_frames: int = 0,
    end_frames: int = 0,
    keyframes: str = "",
    feather: int = 0,
    empty_level: float = 0.5,
    outside_region: str = "empty",
    fun_or_fl2v_model: bool = True,
) -> TemporalMask:
    """Make frames and temporal_mask of one clip. Nothing that is passed in is changed.

    num_frames: 4k+1. width, height: pixels, multiples of 16. motion_frames: F H W C, the previous clip; its last
    overlap_frames are taken, 0 means 5. end_image: e H W C, its first end_frames end the clip, 0 means all.
    keyframes: as `parse_keyframes` reads them; keyframe_images: one for each, in order. Images are in 0..1, any size.
    region: 1 or F H' W', 1 = known; what lies outside it is filled with empty_level, or left as it is when
    outside_region is `keep`. feather: see `feather_known`. empty_level: grey level, 0..1, of frames to generate.

    Raises SVIError for input that the host would crash on or get wrong; see `plan_clip` and `parse_keyframes`.
    """
    notes: list[str] = []
    images: dict[str, Tensor] = {}
    for key, name, image in (
        ("start_image", START, motion_frames),
        ("end_image", "end_image", end_image),
        ("keyframe_images", "keyframe_images", keyframe_images),
    ):
        if image is not None:
            images[key], said = check_images(name, image)
            notes += said
    decided = decide_temporal_mask(
        num_frames=num_frames,
        width=width,
        height=height,
        motion_frames=len(images.get("start_image", ())),
        end_images=len(images.get("end_image", ())),
        keyframe_images=len(images.get("keyframe_images", ())),
        has_region=region is not None,
        overlap_frames=overlap_frames,
        end_frames=end_frames,
        keyframes=keyframes,
        feather=feather,
        empty_level=empty_level,
        outside_region=outside_region,
        fun_or_fl2v_model=fun_or_fl2v_model,
    )
    plan = decided.plan
    notes += plan.notes
    line = plan.timeline
    known = known_masks(decided.known, height=decided.lat_h, width=decided.lat_w, region=region)
    values = per_frame(known)

    notes += region_notes(region, width=width, height=height)
    parts = prepare_parts(plan, images, width=width, height=height)
    notes += parts.notes
    frames = compose_frames(plan, parts, width=width, height=height, grey=empty_level)
    if region is not None and outside_region == "empty":
        notes.append(f"known frames are filled with {empty_level:g} outside region")
        for frame, left_out in left_out_pixels(plan.known_values, region, height=height, width=width):
            frames[frame][left_out] = empty_level
    tiles = make_tiles(plan, frames.__getitem__, values)
    if line.end_apart:
        frames = frames[: line.motion_frames].clone()
        notes.append(
            f"fun_or_fl2v_model is off: frames is the motion frame alone, temporal_mask has {line.total_frames} masks; "
            "connect the same end_image to the host's end_image"
        )
    return TemporalMask(
        plan=plan,
        frames=frames,
        known_mask=known,
        concat_mask=concat_from_known(known),
        fun_or_fl2v_model=plan.fun_or_fl2v_model,
        info=write_info(decided.describe(values), notes),
        tiles=tiles,
        known_per_frame=tuple(values),
    )
