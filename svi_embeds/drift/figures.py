"""Drift over a chain: how each clip's look departs from the first clip's, and how visible the seams are.

Frames are read once, in order, and two of them are in memory at a time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

import torch
from torch import Tensor

from ..colour.look import ClipLook, Look, mean_look, measure, step_between
from ..errors import SVIError
from ..ground.words import align

# How much of each change is about as visible as the others: the unit of all scores. Exposure and contrast in stops
# (0.1 is 7 %), gamma as the exponent's log2, saturation and sharpness as log2 of their ratio, the cast in Lab units
# (2.3 is the smallest that people see), clipped pixels as a share of the picture.
UNITS: dict[str, float] = {
    "exposure": 0.1, "gamma": 0.1, "contrast": 0.1, "saturation": 0.15, "cast": 2.3, "sharpness": 0.5, "clipped": 0.02,
}  # fmt: skip
STILL = 0.2 / 255  # frames that differ less stand still, as far as seams are concerned
_TONE_TOLERANCE = 0.004  # of luma: a fit this close explains the tones


@dataclass(frozen=True, slots=True)
class Change:
    """From one look to another, in UNITS; 1 is about what one sees side by side. The change of tones is told as
    exposure, as gamma, or as contrast (with the level as exposure): whichever explains it best."""

    exposure: float
    gamma: float
    contrast: float
    saturation: float
    cast: float
    sharpness: float
    clipped: float

    @property
    def culprit(self) -> str:
        """What changed most."""
        return max(UNITS, key=lambda name: abs(getattr(self, name)))

    @property
    def size(self) -> float:
        """How much that is."""
        return abs(float(getattr(self, self.culprit)))

    def as_dict(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in UNITS}


@dataclass(frozen=True, slots=True)
class Seam:
    """Between two clips. jump: from the last frame to the next. difference: between the two, mean absolute RGB 0..1.
    ratio: how visible that is, 1 for a seam that nobody sees: the difference in usual steps between frames of the clips
    beside it, or, for a tint that hides in motion, the jump of the look in UNITS (or in usual changes, where the look
    changes by more from frame to frame); whichever is more."""

    jump: Change
    difference: float
    ratio: float


@dataclass(frozen=True)
class Drift:
    """What a chain's looks say. reference: the look of the original image, if there was one. seams: between each clip
    and the one before it, None where a new scene begins."""

    clips: tuple[ClipLook, ...]
    seams: tuple[Seam | None, ...]
    reference: Look | None = None

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Of each clip against the first of its scene."""
        first = self.clips[0]
        found = []
        for clip, seam in zip(self.clips, (None, *self.seams), strict=True):
            first = clip if seam is None else first
            found.append(change(first.mean, clip.mean))
        return tuple(found)

    def change(self, index: int) -> Change:
        """Of clip `index` (from 0) against the first of its scene."""
        return self.changes[index]

    @cached_property
    def worst(self) -> int:
        """The clip that departed most from the first."""
        return max(range(len(self.clips)), key=lambda index: self.change(index).size)

    @property
    def starts(self) -> tuple[int, ...]:
        """The first frame of each clip, counted from 0 over all of them."""
        return (0, *itertools.accumulate(clip.frames for clip in self.clips[:-1]))

    @property
    def drift(self) -> float:
        """One number: the largest change of any clip against the first of its scene, in UNITS."""
        return self.change(self.worst).size

    @property
    def seam(self) -> float:
        """One number: the largest ratio of any seam, 1 without seams."""
        return max((seam.ratio for seam in self.seams if seam), default=1.0)

    def lines(self) -> list[str]:
        """Figures as text: a summary and a row per clip."""
        rows: list[tuple[str, ...]] = [("clip", "frames", *UNITS, "seam")]
        for index, (start, clip) in enumerate(zip(self.starts, self.clips, strict=True)):
            changed = self.change(index).as_dict()
            seam = self.seams[index - 1] if index else None
            ratio = f"{seam.ratio:.1f}" if seam else "cut" if index else ""
            frames = f"{start}-{start + clip.frames - 1}"
            rows.append((str(index + 1), frames, *(f"{value:+.1f}" for value in changed.values()), ratio))
        if self.reference is not None:
            changed = change(self.reference, self.clips[-1].mean).as_dict()
            rows.append(("last/ref", "", *(f"{value:+.1f}" for value in changed.values()), ""))
        return [self.summary(), *align(rows)]

    def summary(self) -> str:
        """In words."""
        if len(self.clips) == 1:
            return f"one clip of {_frames(self.clips[0].frames)}: nothing to compare it with; {self._inside()}"
        if self.drift < 1:
            text = f"no visible drift ({self.drift:.1f}, visible from 1 on)"
        else:
            found = self.change(self.worst)
            text = f"drift {self.drift:.1f} at clip {self.worst + 1}: {_in_words(found)}"
        return f"{text}; {self._seams_in_words()}"

    def _seams_in_words(self) -> str:
        seams = {index: seam for index, seam in enumerate(self.seams) if seam}
        if not seams:
            return "no seams: every clip begins a scene"
        worst = max(seams, key=lambda index: seams[index].ratio)
        found = seams[worst]
        if found.ratio < 1.5:
            return f"no visible seam ({found.ratio:.1f}, 1 is none)"
        name, size = jump_of(found.jump)
        jump = f": {_in_words(found.jump, name)}" if size >= 1 else ""
        return f"worst seam {found.ratio:.1f} (1 is none), before clip {worst + 2}{jump}"

    def _inside(self) -> str:
        clip = self.clips[0]
        found = change(clip.first, clip.last)
        if found.size < 1:
            return "no visible change from its first frame to its last"
        return f"from its first frame to its last: {_in_words(found)} ({found.size:.1f}, visible from 1 on)"

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return {
            "drift": self.drift,
            "seam": self.seam,
            "culprit": self.change(self.worst).culprit if self.drift >= 1 else None,
            "units": UNITS,
            "reference": None if self.reference is None else self.reference.as_dict(),
            "clips": [
                {
                    "start": start,
                    **clip.as_dict(),
                    "change": self.change(index).as_dict(),
                    "change_from_reference": None if self.reference is None
                    else change(self.reference, clip.mean).as_dict(),
                }
                for index, (start, clip) in enumerate(zip(self.starts, self.clips, strict=True))
            ],
            "seams": [
                {"difference": seam.difference, "ratio": seam.ratio, "jump": seam.jump.as_dict()} if seam else None
                for seam in self.seams
            ],
        }  # fmt: skip


@dataclass(slots=True)
class FrameLooks:
    """The looks of frames in order, H W 3 in 0..1, and the steps between neighbours. before: the frame that comes
    before the first one, if there is one.

    looks: of each. steps: mean absolute difference of RGB from the frame before; None for a first frame without one.
    jumps: of the look, see `jump_of`, from the frame before; 0 for the first frame of all.
    """

    before: Tensor | None = None
    looks: list[Look] = field(default_factory=list)
    steps: list[float | None] = field(default_factory=list)
    jumps: list[float] = field(default_factory=list)

    def add(self, frame: Tensor) -> None:
        """The next frame. Raises SVIError for one of another size."""
        before, step = self.before, None
        if before is not None:
            if before.shape != frame.shape:
                raise SVIError(f"frames of one video must have one size, got {_size(before)} and {_size(frame)}")
            step = step_between(before, frame)
        look = measure(frame)
        self.jumps.append(jump_of(change(self.looks[-1], look))[1] if self.looks else 0.0)
        self.looks.append(look)
        self.steps.append(step)
        self.before = frame

    def clip(self, start: int, stop: int) -> ClipLook:
        """Frames start..stop (excluded) as a clip. Raises SVIError where there are none."""
        looks = self.looks[start:stop]
        inside = [step for step in self.steps[start + 1 : stop] if step is not None]
        mean = mean_look(looks)
        typical = median(inside) if inside else None
        unrest = median(self.jumps[start + 1 : stop]) if inside else None
        return ClipLook(len(looks), mean, looks[0], looks[-1], typical, self.steps[start], unrest)


class DriftMeter:
    """Measures a chain clip by clip. Frames are H W 3 in 0..1."""

    def __init__(self, reference: Tensor | None = None) -> None:
        self._reference = None if reference is None else measure(reference)
        self._clips: list[ClipLook] = []
        self._begins: list[int] = []
        self._last: Tensor | None = None

    def add_clip(self, frames: Iterable[Tensor], *, new_scene: bool = False) -> ClipLook:
        """The next clip, without the frames that it shares with the one before. new_scene: it does not continue it.

        Raises SVIError for an empty one.
        """
        if new_scene:
            self._begins.append(len(self._clips))
        seen = FrameLooks(None if new_scene else self._last)
        for frame in frames:
            seen.add(frame)
        clip = seen.clip(0, len(seen.looks))
        self._last = seen.before
        self._clips.append(clip)
        return clip

    def result(self) -> Drift:
        """What was measured so far. Raises SVIError before the first clip."""
        if not self._clips:
            raise SVIError("there are no clips to measure")
        return drift_of(self._clips, self._reference, begins=self._begins)


def drift_of(clips: Sequence[ClipLook], reference: Look | None = None, *, begins: Collection[int] = ()) -> Drift:
    """What the looks of a chain's clips, in order, say. begins: indices of clips with which a new scene begins."""
    cuts = set(begins)
    seams = tuple(
        None if index in cuts else seam_between(before, after)
        for index, (before, after) in enumerate(itertools.pairwise(clips), start=1)
    )
    return Drift(tuple(clips), seams, reference)


def seam_between(before: ClipLook, after: ClipLook) -> Seam:
    """The seam from a clip to the one that continues from it."""
    difference = after.across or 0.0
    steps = [clip.typical for clip in (before, after) if clip.typical is not None]
    usual = max(STILL, sum(steps) / len(steps) if steps else difference)
    jump = change(before.last, after.first)
    unrest = [clip.unrest for clip in (before, after) if clip.unrest is not None]
    tint = jump_of(jump)[1] / max([1.0, *unrest])
    return Seam(jump, difference, max(1.0, difference / usual, tint))


def jump_of(found: Change) -> tuple[str, float]:
    """What changed most from one frame to the next, and how much. Not clipped pixels: a sun comes and goes, and what
    was white and drifted is white again when colours are held."""
    name = max((name for name in UNITS if name != "clipped"), key=lambda name: abs(getattr(found, name)))
    return name, abs(float(getattr(found, name)))


def change(base: Look, now: Look) -> Change:
    """From the look `base` to the look `now`."""
    gain, gamma, slope = _tones(base.tones, now.tones)
    contrast = _ratio(now.contrast, base.contrast)
    saturation = _ratio(now.saturation, base.saturation)
    # A stronger or weaker contrast carries colours and edges with it, and a stronger saturation the mean colour.
    spread = 2**saturation
    cast = math.hypot(now.cast_a - spread * base.cast_a, now.cast_b - spread * base.cast_b)
    sharpness = _ratio(now.sharpness, base.sharpness) - 2 * contrast
    values = {
        "exposure": gain, "gamma": gamma, "contrast": slope, "saturation": saturation - contrast, "cast": cast,
        "sharpness": sharpness, "clipped": now.clipped - base.clipped,
    }  # fmt: skip
    return Change(**{name: values[name] / unit for name, unit in UNITS.items()})


def _ratio(now: float, base: float) -> float:
    return math.log2(max(now, 1e-6) / max(base, 1e-6))


def _tones(base: Sequence[float], now: Sequence[float]) -> tuple[float, float, float]:
    """The change of tones as gain, as gamma, or as level and contrast (all log2), whichever explains it; else 0."""
    x, y = (torch.tensor(part, dtype=torch.float64).clamp(1e-4, 1 - 1e-4) for part in (base, now))
    gain = float((x * y).sum() / (x * x).sum())
    log_x, log_y = x.log(), y.log()
    gamma = float((log_x * log_y).sum() / (log_x * log_x).sum())
    centred = x - x.mean()
    slope = float((centred * (y - y.mean())).sum() / (centred * centred).sum().clamp(min=1e-9))
    errors = {
        "gain": _error(gain * x, y), "gamma": _error(x**gamma, y),
        "slope": _error(slope * centred + y.mean(), y),
    }  # fmt: skip
    # The line has one parameter more than the others: it must be clearly better.
    best = min(("gain", "gamma"), key=errors.__getitem__)
    if errors[best] > _TONE_TOLERANCE and errors["slope"] < 0.6 * errors[best]:
        best = "slope"
    if best == "slope":  # a line has a level too
        level = math.log2(float(y.mean()) / float(x.mean()))
        return level, 0.0, math.log2(max(slope, 1e-3))
    return (math.log2(max(gain, 1e-3)), 0.0, 0.0) if best == "gain" else (0.0, math.log2(max(gamma, 1e-3)), 0.0)


def _error(fit: Tensor, y: Tensor) -> float:
    return float((fit - y).square().mean().sqrt())


_WORDS = {
    "exposure": ("brighter", "darker"), "gamma": ("darker in the middle tones", "brighter in the middle tones"),
    "contrast": ("more contrast", "less contrast"), "saturation": ("more saturated", "paler"),
    "cast": ("another colour cast", ""), "sharpness": ("sharper, or noisier", "softer"),
    "clipped": ("more clipped pixels", "fewer clipped pixels"),
}  # fmt: skip


def _in_words(found: Change, name: str | None = None) -> str:
    name = name or found.culprit
    more, less = _WORDS[name]
    return more if getattr(found, name) > 0 else less


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"


def _size(frame: Tensor) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"
