"""What a clip of images is asked for, and what is connected to it. No pixel is looked at."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from ...ground.checks import check_bool, check_choice, check_int, check_strength
from ...masks.keyframes import OUTSIDE_CHOICES, parse_keyframes
from ...recipes import END_PADDING_CHOICES, KNOWN_CHOICES, PADDING_CHOICES, recipe
from ...timeline import FRAMES_PER_LATENT

# With one end frame, exactly those that share its latent.
END_PADDING_FRAMES = FRAMES_PER_LATENT - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSettings:
    """The widgets of WanVideoSVIEmbeds by name, with their defaults; those of the VAE make an `Encoder`.

    mode: id of a recipe. width, height: pixels; the VAE says of what they must be multiples, see `decide_clip`.
    num_frames: 4k+1. overlap_frames: motion frames to take from the start batch; 0 means the recipe's count.
    known_frames, padding: one of KNOWN_CHOICES, of PADDING_CHOICES.
    ref_strength: multiplies the latents that hold nothing but reference (or `last`) padding. start_latent_strength,
    end_latent_strength: multiply the first and the last latent. noise_aug_strength: noise on the motion frames (not on
    padding or end).
    end_frames: how many frames of end_image to end on, its first ones (as a clip that follows begins); 0 means all.
    end_strength: multiplies the latents that hold end frames. end_padding, end_padding_frames: what fills that many
    frames right before the end, unless it is `same`.
    keyframes, feather, outside_region: for modes whose models take any frames or regions as known; see `MaskSettings`,
    of which comes the same clip for the host's own encode node.
    repeat_padding_latents: padding whose latents no longer change is not encoded again, see `repeats`; the latents are
    the same either way. Never with a region.

    Raises SVIError for a value that no clip takes.
    """

    mode: str = "film"
    width: int = 832
    height: int = 480
    num_frames: int = 81
    overlap_frames: int = 0
    known_frames: str = "recipe"
    padding: str = "recipe"
    ref_strength: float = 1.0
    fun_or_fl2v_model: bool = True
    noise_aug_strength: float = 0.0
    start_latent_strength: float = 1.0
    end_latent_strength: float = 1.0
    end_frames: int = 0
    end_strength: float = 1.0
    end_padding: str = "same"
    end_padding_frames: int = END_PADDING_FRAMES
    keyframes: str = ""
    feather: int = 0
    outside_region: str = "empty"
    repeat_padding_latents: bool = True

    def __post_init__(self) -> None:
        recipe(self.mode)
        check_int("width", self.width)
        check_int("height", self.height)
        for field in fields(self):
            if field.name.endswith("_strength"):
                check_strength(field.name, getattr(self, field.name))
        parse_keyframes(self.keyframes, num_frames=self.num_frames)
        for name, minimum in (("overlap_frames", 0), ("end_frames", 0), ("end_padding_frames", 1), ("feather", 0)):
            check_int(name, getattr(self, name), minimum=minimum)
        for name in ("fun_or_fl2v_model", "repeat_padding_latents"):
            check_bool(name, getattr(self, name))
        for name, choices in (
            ("known_frames", KNOWN_CHOICES),
            ("padding", PADDING_CHOICES),
            ("end_padding", END_PADDING_CHOICES),
            ("outside_region", OUTSIDE_CHOICES),
        ):
            check_choice(name, getattr(self, name), choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """How many frames each image input has, 0 when it is not connected; whether the others are."""

    start_image: int = 0
    ref_image: int = 0
    end_image: int = 0
    keyframe_images: int = 0
    temporal_mask: bool = False
    region: bool = False
    control_embeds: bool = False
    extra_latents: bool = False

    def __post_init__(self) -> None:
        for name in ("start_image", "ref_image", "end_image", "keyframe_images"):
            check_int(f"frames of {name}", getattr(self, name), minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ClipInputs:
    """What is connected. Images are F H W C in 0..1, of any size.

    start_image: the previous clip or the first image; its last frames are taken. ref_image: 1 H W C, the original
    image. end_image: what the clip ends on. keyframe_images: one for each of the keyframes, in order.
    temporal_mask: F' H' W', 1 = kept; replaces the known rule, and changes no pixel (see `kept_padding_notes` for where
    the host's node does). region: 1 or F H' W', 1 = known. The others are what the host's encode node takes.
    """

    start_image: Tensor | None = None
    ref_image: Tensor | None = None
    end_image: Tensor | None = None
    keyframe_images: Tensor | None = None
    temporal_mask: Tensor | None = None
    region: Tensor | None = None
    clip_embeds: dict[str, Any] | None = None
    control_embeds: dict[str, Any] | None = None
    extra_latents: dict[str, Any] | None = None
    add_cond_latents: dict[str, Any] | None = None

    @property
    def connected(self) -> Connected:
        """The counts. Images have been checked."""
        return Connected(
            start_image=_frames(self.start_image), ref_image=_frames(self.ref_image),
            end_image=_frames(self.end_image), keyframe_images=_frames(self.keyframe_images),
            temporal_mask=self.temporal_mask is not None, region=self.region is not None,
            control_embeds=self.control_embeds is not None, extra_latents=self.extra_latents is not None,
        )  # fmt: skip


def _frames(images: Tensor | None) -> int:
    return 0 if images is None else len(images)
