"""What a Fun InP clip for the host's own encode node is asked for, and what is connected to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from torch import Tensor

from ...errors import SVIError
from ...ground.settings import filled
from ..pixels.settings import ClipInputs, ClipSettings
from ..vae import FACTOR, latent_size

MODE, START = "fun_inp", "motion_frames"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSettings:
    """The widgets of WanVideoSVITemporalMask by name, with their defaults.

    num_frames: 4k+1. width, height: pixels, multiples of 16. overlap_frames: how many of the last motion_frames are
    taken, 0 means 5. end_frames: how many of the first of end_image end the clip, 0 means all. keyframes: as
    `parse_keyframes` reads them. feather: see `feather_known`. empty_level: grey level, 0..1, of frames to generate.
    outside_region: what lies outside the region is filled with empty_level, or with `keep` left as it is.

    Raises SVIError for a value that no clip takes.
    """

    num_frames: int = 81
    width: int = 832
    height: int = 480
    overlap_frames: int = 0
    end_frames: int = 0
    keyframes: str = ""
    feather: int = 0
    empty_level: float = 0.5
    outside_region: str = "empty"
    fun_or_fl2v_model: bool = True

    def __post_init__(self) -> None:
        latent_size(FACTOR, width=self.width, height=self.height)
        level = self.empty_level
        if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 <= level <= 1:
            raise SVIError(f"empty_level must be a number from 0 to 1, got {level!r}")
        _ = self.of_clip  # which checks the others

    @property
    def of_clip(self) -> ClipSettings:
        """The same clip, encoded here."""
        return filled(ClipSettings, {**asdict(self), "mode": MODE})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MaskInputs:
    """What is connected. Images are F H W C in 0..1, of any size.

    motion_frames: the previous clip, whose last frames are taken. end_image: its first frames end the clip.
    keyframe_images: one for each keyframe, in order. region: 1 or F H' W', 1 = known.
    """

    motion_frames: Tensor | None = None
    end_image: Tensor | None = None
    keyframe_images: Tensor | None = None
    region: Tensor | None = None

    @property
    def of_clip(self) -> ClipInputs:
        """The same inputs, of a clip that is encoded here."""
        return ClipInputs(
            start_image=self.motion_frames, end_image=self.end_image, keyframe_images=self.keyframe_images,
            region=self.region,
        )  # fmt: skip
