"""The two inputs that Fun InP users feed the host's ImageToVideo Encode: frames and temporal_mask, made together.

The host's mask greys no pixels, cuts and pads silently, and wants the wrapper's polarity; here the frames are empty
where they are not known, both are as long as the host needs, and both views of the mask come out by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...ground.words import write_info
from ...masks.keyframes import known_masks, left_out_pixels, region_notes
from ...masks.known import concat_from_known, per_frame
from ..made import MaskedClip
from ..pixels.compose import check_inputs, compose_frames, prepare_parts
from ..pixels.plan import ClipPlan
from ..pixels.show import make_tiles
from .decide import decide_temporal_mask
from .settings import MODE, START, MaskInputs, MaskSettings


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


def make_temporal_mask(settings: MaskSettings, inputs: MaskInputs) -> TemporalMask:
    """Make frames and temporal_mask of one clip. Nothing that is passed in is changed.

    Raises SVIError for input that the host would crash on or get wrong; see `plan_clip` and `parse_keyframes`.
    """
    width, height, region = settings.width, settings.height, inputs.region
    images, notes = check_inputs(inputs.of_clip, start_name=START)
    decided = decide_temporal_mask(settings, images.connected)
    plan = decided.plan
    notes += plan.notes
    line = plan.timeline
    known = known_masks(decided.known, height=decided.lat_h, width=decided.lat_w, region=region)
    values = per_frame(known)

    notes += region_notes(region, width=width, height=height)
    parts = prepare_parts(plan, images, width=width, height=height)
    notes += parts.notes
    frames = compose_frames(plan, parts, width=width, height=height, grey=settings.empty_level)
    if region is not None and settings.outside_region == "empty":
        notes.append(f"known frames are filled with {settings.empty_level:g} outside region")
        for frame, left_out in left_out_pixels(plan.known_values, region, height=height, width=width):
            frames[frame][left_out] = settings.empty_level
    tiles = make_tiles(plan, frames.__getitem__, values)
    if line.end_apart:
        frames = frames[: line.motion_frames].clone()
        notes.append(
            f"fun_or_fl2v_model is off: frames is the motion frame alone, temporal_mask has {line.total_frames} masks; "
            "connect the same end_image to WanVideo ImageToVideo Encode"
        )
    return TemporalMask(
        plan=plan,
        frames=frames,
        known_mask=known,
        concat_mask=concat_from_known(known),
        fun_or_fl2v_model=plan.fun_or_fl2v_model,
        info=write_info(decided.describe(values).values(), notes),
        tiles=tiles,
        known_per_frame=tuple(values),
    )
