"""Frame and latent arithmetic of the Wan VAE. Integers only.

The VAE gives frame 0 a latent of its own and packs every four frames after it into one more, so a clip has
`num_frames = 4k+1` frames and `T = k+1` latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from .errors import SVIError
from .ground.checks import check_int

FRAMES_PER_LATENT = 4
MAX_FRAMES = 100_001  # of one clip, 100 times what any model was trained for: a slip must not fill the memory

Role = Literal["motion", "padding", "keyframe", "end_padding", "end"]


def latent_count(num_frames: int) -> int:
    """Latents of a clip of `num_frames` frames. Raises SVIError unless num_frames is 4k+1."""
    check_int("num_frames", num_frames)
    if num_frames > MAX_FRAMES:
        raise SVIError(f"num_frames must be {MAX_FRAMES} or less for one clip, got {num_frames}: make a chain of clips")
    if num_frames < 1 or (num_frames - 1) % FRAMES_PER_LATENT:
        lower = max(1, (num_frames - 1) // FRAMES_PER_LATENT * FRAMES_PER_LATENT + 1)
        upper = max(1, lower + FRAMES_PER_LATENT)
        near = f"{lower} or {upper}" if num_frames >= 1 else "81"
        raise SVIError(
            f"num_frames must be 4k+1 (the Wan VAE packs 1 + 4 + 4 + ... frames), got {num_frames}: use {near}"
        )
    return (num_frames - 1) // FRAMES_PER_LATENT + 1


def frame_count(latents: int) -> int:
    """Frames that `latents` latents decode to."""
    check_int("latents", latents, minimum=1)
    return FRAMES_PER_LATENT * (latents - 1) + 1


def latent_of_frame(frame: int) -> int:
    """Index of the latent that frame `frame` (0-based) is part of."""
    check_int("frame", frame, minimum=0)
    return (frame + FRAMES_PER_LATENT - 1) // FRAMES_PER_LATENT


def frames_of_latent(latent: int) -> range:
    """Frames (0-based) that latent `latent` covers: one for latent 0, four for any other."""
    check_int("latent", latent, minimum=0)
    if latent == 0:
        return range(1)
    first = FRAMES_PER_LATENT * (latent - 1) + 1
    return range(first, first + FRAMES_PER_LATENT)


def chain_frames(clips: Sequence[int], overlaps: Sequence[int]) -> int:
    """Frames of a stitched chain.

    clips: frames of each clip. overlaps: frames dropped at each seam, one fewer than clips.
    """
    if not clips or len(overlaps) != len(clips) - 1:
        raise SVIError(
            f"a chain of {len(clips)} clips has {max(len(clips) - 1, 0)} seams, got {len(overlaps)} overlaps"
        )
    for clip in clips:
        check_int("frames of a clip", clip, minimum=1)
    for seam, overlap in enumerate(overlaps):
        check_int(f"the overlap at seam {seam}", overlap)
        shorter = min(clips[seam], clips[seam + 1])
        if not 0 <= overlap < shorter:
            raise SVIError(
                f"the overlap at seam {seam} must be 0..{shorter - 1} (the shorter clip there has {shorter} frames), "
                f"got {overlap}"
            )
    return sum(clips) - sum(overlaps)


def clip_start(index: int, *, num_frames: int, overlap_frames: int) -> int:
    """Frame of the joined chain where clip `index` (from 0) begins, its motion frames included.

    For a chain whose clips all have `num_frames` frames and share `overlap_frames` with the one before.
    """
    check_int("clip_index", index, minimum=0)
    return index * _step(num_frames, overlap_frames)


def clips_needed(total_frames: int, *, num_frames: int, overlap_frames: int) -> int:
    """How many such clips a chain of at least `total_frames` frames has."""
    check_int("total_frames", total_frames, minimum=1)
    return max(1, -(-(total_frames - overlap_frames) // _step(num_frames, overlap_frames)))


def _step(num_frames: int, overlap_frames: int) -> int:
    latent_count(num_frames)
    check_int("overlap_frames", overlap_frames, minimum=0)
    if overlap_frames >= num_frames:
        raise SVIError(f"overlap_frames must be smaller than the clip, got {overlap_frames} of {num_frames} frames")
    return num_frames - overlap_frames


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames `start` to `stop` (excluded) of one clip, all with the same role."""

    role: Role
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __str__(self) -> str:
        span = f"{self.start}" if len(self) == 1 else f"{self.start}-{self.stop - 1}"
        return f"{self.role.replace('_', ' ')} {span}"


@dataclass(frozen=True, slots=True, repr=False)
class Timeline:
    """Which frames of a clip are motion frames, padding, keyframes and end frames.

    num_frames: frames of the clip, 4k+1. motion_frames lead it, end_frames close it. end_padding_frames: how many
        frames right before the end have a padding of their own. keyframes: frames between motion frames and end that
        are given too, ascending.
    end_apart: the end image is not the clip's last frame but one conditioning frame more, with a latent of its own.
        This is how the wrapper treats an end image when `fun_or_fl2v_model` is off (its sampler and decode then
        drop that extra latent).

    Raises SVIError when num_frames is not 4k+1 or no frame is left to generate.
    """

    num_frames: int
    motion_frames: int = 0
    end_frames: int = 0
    end_apart: bool = False
    end_padding_frames: int = 0
    keyframes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        latent_count(self.num_frames)
        check_int("motion_frames", self.motion_frames, minimum=0)
        check_int("end_frames", self.end_frames, minimum=0)
        check_int("end_padding_frames", self.end_padding_frames, minimum=0)
        if self.end_apart and self.end_frames != 1:
            raise SVIError(
                f"without fun_or_fl2v_model the end is exactly 1 frame, got {self.end_frames}: "
                "give one end_image, or turn fun_or_fl2v_model on"
            )
        if self.motion_frames >= self.num_frames:
            raise SVIError(
                f"the overlap must be smaller than num_frames, got {self.motion_frames} motion frames in a clip of "
                f"{self.num_frames}: nothing would be generated"
            )
        if not self.end_apart and self.motion_frames + self.end_frames >= self.num_frames:
            raise SVIError(
                f"end_image meets the motion frames: {self.motion_frames} motion + {self.end_frames} end frames leave "
                f"nothing to generate in a clip of {self.num_frames}; give fewer end frames or a longer clip"
            )
        free = self.total_frames - self.motion_frames - self.end_frames
        if self.end_padding_frames and not self.end_frames:
            raise SVIError("padding before the end needs an end: connect end_image")
        if self.end_padding_frames > free:
            raise SVIError(
                f"end_padding_frames must be {free} or less (the frames between motion frames and end), "
                f"got {self.end_padding_frames}"
            )
        self._check_keyframes()

    def _check_keyframes(self) -> None:
        end = self.total_frames - self.end_frames
        for before, frame in zip((-1, *self.keyframes), self.keyframes, strict=False):
            check_int("a keyframe", frame)
            if not 0 <= frame < self.num_frames:
                raise SVIError(
                    f"keyframe {frame} is outside the clip: its {self.num_frames} frames are 0-{self.num_frames - 1}"
                )
            if frame < self.motion_frames:
                raise SVIError(
                    f"keyframe {frame} is one of the {self.motion_frames} motion frames (0-{self.motion_frames - 1}): "
                    "leave it out, or set overlap_frames lower"
                )
            if frame >= end:
                raise SVIError(
                    f"keyframe {frame} is one of the {self.end_frames} end frames (from {end} on): leave it out, or "
                    "disconnect end_image"
                )
            if frame <= before:
                raise SVIError(f"keyframes must ascend, got {frame} after {before}: list each frame once, in order")
        if self.keyframes and len(self.keyframes) == end - self.motion_frames:
            raise SVIError("motion frames, keyframes and end leave nothing to generate: give fewer keyframes")

    @property
    def total_frames(self) -> int:
        """Conditioning frames: num_frames, and one more when the end is apart."""
        return self.num_frames + (1 if self.end_apart else 0)

    @property
    def latents(self) -> int:
        """Conditioning latents: T, and one more when the end is apart."""
        return latent_count(self.num_frames) + (1 if self.end_apart else 0)

    @property
    def padding(self) -> range:
        """Frames between the motion frames and the end or its own padding; may be empty."""
        return range(self.motion_frames, self.total_frames - self.end_frames - self.end_padding_frames)

    @property
    def end_padding(self) -> range:
        """Frames right before the end that have a padding of their own; usually empty."""
        return range(self.padding.stop, self.total_frames - self.end_frames)

    @property
    def roles(self) -> tuple[Role, ...]:
        """What each conditioning frame is."""
        before_end = len(self.end_padding)
        roles: list[Role] = ["motion"] * self.motion_frames
        roles += ["padding"] * len(self.padding)
        roles += ["end_padding"] * before_end
        roles += ["end"] * self.end_frames
        for frame in self.keyframes:
            roles[frame] = "keyframe"
        return tuple(roles)

    def latents_of(self, *wanted: Role) -> tuple[int, ...]:
        """Latents that cover frames of the `wanted` roles only: one shared with any other frame is not among them."""
        roles = self.roles
        return tuple(
            latent
            for latent in range(latent_count(self.num_frames))
            if all(roles[frame] in wanted for frame in frames_of_latent(latent))
        )

    @property
    def end_latents(self) -> range:
        """Latents that hold end frames, whole or in part."""
        if not self.end_frames:
            return range(0)
        last = self.latents - 1
        return range(last if self.end_apart else latent_of_frame(self.num_frames - self.end_frames), last + 1)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The clip in order, as runs of frames with one role."""
        found = []
        start = 0
        for role, run in groupby(self.roles):
            stop = start + len(list(run))
            found.append(Segment(role, start, stop))
            start = stop
        return tuple(found)

    def __repr__(self) -> str:
        apart = " (apart)" if self.end_apart else ""
        return f"Timeline({self.num_frames} frames: " + ", ".join(map(str, self.segments)) + f"{apart})"
