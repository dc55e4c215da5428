"""Where the clips of a joined video meet: from the numbers of the chain, or, without them, from the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import SVIError
from ..ground.checks import check_choice, check_int
from .choices import CLIP_FRAMES, JOINED_CHOICES, OVERLAP_FRAMES
from .figures import FrameLooks, change

_NEAR = 8  # frames at either side that say what a usual step is
_OUTLIER = 4.0  # robust deviations above its surroundings: about 1 frame in 30000 of a normal distribution
_RATIO = 1.5  # and that many times their step: smooth synthetic pictures deviate by next to nothing
_STRONG, _STRONG_RATIO = 8.0, 3.0  # a step that is taken for a cut on its own
_FLASH = 4  # frames that a flash lasts at most
_SHORTEST = 9  # frames that a clip adds at least, where seams are looked for
_MOST_OVERLAP = 16
_USUAL_OVERLAPS = (0, 1, 4, 5, 8)
_CHANCE = 0.01  # patterns as good as the one found that chance would show


@dataclass(frozen=True, slots=True)
class Cuts:
    """starts: the first frame of each clip, the first of them 0. guessed: they come from the picture. notes: what a
    reader of the figures should know of them."""

    starts: tuple[int, ...]
    guessed: bool
    notes: tuple[str, ...]

    def spans(self, total: int) -> list[tuple[int, int]]:
        """First frame and end (excluded) of each clip of a video of `total` frames."""
        return list(pairwise((*self.starts, total)))


def cuts_of(seen: FrameLooks, clip_frames: int | None, overlap_frames: int | None, drop: str) -> Cuts:
    """The cuts of a video. seen: its frames. See `measure_video` for the numbers; without clip_frames (0 or None) they
    are looked for in the picture. Raises SVIError for numbers that no chain has.
    """
    check_choice("drop", drop, JOINED_CHOICES)
    overlap = OVERLAP_FRAMES if overlap_frames is None else check_int("overlap_frames", overlap_frames, minimum=0)
    length = 0 if clip_frames is None else check_int("clip_frames", clip_frames, minimum=0)
    numbers = _Numbers(length, overlap, drop) if length else _Numbers(CLIP_FRAMES, OVERLAP_FRAMES, "new")
    total = len(seen.looks)
    jumps = find_jumps(seen)
    if length:
        return Cuts(numbers.starts(total), False, (*numbers.notes(total), *_doubts(numbers, total, jumps)))
    found = find_pattern(jumps.at, total)
    if found is not None:
        return Cuts((0, *found.cuts), True, (found.sentence(),))
    if jumps.strong and len(jumps.strong) <= _most(total):
        parts = [str(stop - start) for start, stop in pairwise((0, *jumps.strong, total))]
        said = (
            f"cuts guessed from the picture, which jumps at {_places(jumps.strong)}: clips that add "
            f"{', '.join(parts[:-1])} and {parts[-1]} frames. Give clip_frames and overlap_frames if they are others"
        )
        return Cuts((0, *jumps.strong), True, (said,))
    said = f"no seam was found in the picture: cut as clips of {numbers}, which may not be those of the chain"
    return Cuts(numbers.starts(total), True, (said, *numbers.notes(total)))


class _Numbers:
    """Those of a chain: clip_frames frames a clip, of which all but the first add `step`."""

    def __init__(self, length: int, overlap: int, drop: str) -> None:
        if drop == "already_dropped":
            length += overlap
        elif overlap >= length:
            raise SVIError(
                f"overlap_frames must be less than clip_frames, got {overlap} of {length}: clip_frames is the whole "
                "length of a clip, 81 for most"
            )
        self.length, self.overlap, self.drop, self.step = length, overlap, drop, length - overlap

    def __str__(self) -> str:
        return f"{self.length} frames, {self.overlap} of them shared" if self.overlap else f"{self.length} frames"

    def starts(self, total: int) -> tuple[int, ...]:
        if self.drop == "old":  # the end of a clip gave way, so the last one keeps the overlap
            return (0, *range(self.step, max(self.step, total - self.overlap), self.step))
        return (0, *range(self.length, total, self.step))

    def notes(self, total: int) -> list[str]:
        """That the clips do not add up to the video, and which numbers would."""
        if total <= self.length:
            said = (
                f"the video has {total} frames, {'exactly' if total == self.length else 'no more than'} one clip of "
                f"{self}: join more clips, or give smaller numbers; with clip_frames 0 the seams are looked for in the "
                "picture"
            )
            return [said]
        rest = (total - self.length) % self.step
        if not rest:
            return []
        clips = 1 + (total - self.length) // self.step
        said = (
            f"the clips do not add up to the {total} frames of the video: {clips} of {self}, make "
            f"{self.length + (clips - 1) * self.step}, so the last one would have {rest + self.overlap} frames"
        )
        fits = [str(each) for each in _USUAL_OVERLAPS
                if each < self.length and (total - self.length) % (self.length - each) == 0]  # fmt: skip
        if fits and self.drop != "already_dropped":
            said += f"; with overlap_frames {' or '.join(fits)} they would add up"
        return [said]


@dataclass(frozen=True, slots=True)
class Jumps:
    """at: frames that differ from the one before far more than their surroundings do. strong: those among them that
    are a cut on their own."""

    at: tuple[int, ...]
    strong: tuple[int, ...]


def find_jumps(seen: FrameLooks) -> Jumps:
    """The jumps of a video, in the steps between its frames and in their looks (a tint that hides in motion)."""
    if len(seen.looks) < 3:
        return Jumps((), ())
    steps = np.array([step or 0.0 for step in seen.steps[1:]])
    looks = np.array(seen.jumps[1:])
    # The floors are what nobody sees: less than a third of a level, and a tenth of what is visible.
    scores, ratios = np.zeros(len(steps)), np.ones(len(steps))
    for values, floor in ((steps, 0.3 / 255), (looks, 0.1)):
        rise = _rise(np.log(values + floor))
        spread = max(0.05, 1.4826 * float(np.median(np.abs(rise))))
        scores, ratios = np.maximum(scores, rise / spread), np.maximum(ratios, np.exp(rise))
    out = [int(each) for each in np.flatnonzero((scores >= _OUTLIER) & (ratios >= _RATIO))]
    flashed = _flashes([each + 1 for each in out], seen)
    at = [each for each in out if each + 1 not in flashed]
    strong = tuple(
        each + 1 for each in at
        if scores[each] >= _STRONG and ratios[each] >= _STRONG_RATIO
        and _SHORTEST <= each + 1 <= len(seen.looks) - _SHORTEST
    )  # fmt: skip
    return Jumps(tuple(each + 1 for each in at), strong)


def _flashes(jumps: Sequence[int], seen: FrameLooks) -> set[int]:
    """Those that are taken back within a few frames: lightning, a flickering lamp."""
    found: set[int] = set()
    for first, back in pairwise(jumps):
        if first not in found and back - first <= _FLASH:
            before, lit, after = (seen.looks[frame] for frame in (first - 1, first, back))
            if change(before, after).size < change(before, lit).size / 2:
                found |= {first, back}
    return found


def _rise(values: np.ndarray) -> np.ndarray:
    """Each value less the median of those near it, itself left out."""
    padded = np.pad(values, _NEAR, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1).copy()
    windows[:, _NEAR] = np.nan
    return np.asarray(values - np.nanmedian(windows, axis=1))


@dataclass(frozen=True, slots=True)
class Pattern:
    """Clips of one length: the first has `first` frames, each further one adds `step`. hits: cuts at which the picture
    jumps. chance: how many patterns as good as this one are to be expected in a video without seams."""

    first: int
    step: int
    cuts: tuple[int, ...]
    hits: int
    chance: float

    @property
    def overlap(self) -> int:
        return self.first - self.step

    def sentence(self) -> str:
        """What was guessed, and how sure it is."""
        length = (
            f"clips of {self.first} frames, {self.overlap} of them shared" if self.overlap
            else f"clips that add {self.step} frames each"
        )  # fmt: skip
        share = "1000" if self.chance < 0.001 else str(int(1 / self.chance))
        return (
            f"cuts guessed from the picture: {length}; it jumps at {self.hits} of the {len(self.cuts)} seams (chance "
            f"shows such a pattern in less than 1 video of {share}). Give clip_frames and overlap_frames if they are "
            "others"
        )


def find_pattern(jumps: Sequence[int], total: int) -> Pattern | None:
    """The clips of one length at whose seams a video of `total` frames jumps. None where chance would do as well.

    Each pattern is judged by how likely its hits are when jumps fall anywhere, times the number of patterns that are at
    least as usual: of those of 81 frames with a usual overlap there are few, of those of 4n + 1 frames more, so that
    less evidence is enough for them.
    """
    if len(jumps) < 2:
        return None
    jumped = np.zeros(total, dtype=bool)
    jumped[list(jumps)] = True
    rate = len(jumps) / total
    tried = [0, 0, 0]
    found: list[tuple[int, float, int, int, int]] = []
    for step in range(_SHORTEST, total - _SHORTEST):
        for first in range(step, min(step + _MOST_OVERLAP + 1, total - step)):  # two cuts at least
            count = len(_seams(first, step, total, jumped))
            rarity = _rarity(first, step)
            tried[rarity] += 1
            hits = int(jumped[first:total:step].sum())
            if hits >= 2 and 2 * hits >= count and 2 * hits >= len(jumps):
                found.append((rarity, _log_tail(count, hits, rate), hits, first, step))
    if not found:
        return None
    chances = [(tail + math.log(sum(tried[: rarity + 1])), -hits) for rarity, tail, hits, _, _ in found]
    best = min(range(len(found)), key=chances.__getitem__)
    chance = math.exp(min(0.0, chances[best][0]))
    _, _, hits, first, step = found[best]
    if chance >= _CHANCE:
        return None
    return Pattern(first, step, tuple(_seams(first, step, total, jumped)), hits, chance)


def _seams(first: int, step: int, total: int, jumped: np.ndarray) -> range:
    """Where clips meet. Where the end of each clip gave way the last one is longer, by what the others shared."""
    seams = range(first, total, step)
    last = seams[-1]
    return seams[:-1] if first == step and total - last <= _MOST_OVERLAP and not jumped[last] else seams


def _rarity(first: int, step: int) -> int:
    """0: 81 frames and a usual overlap; 1: 4n + 1 frames and a usual overlap; 2: others."""
    if first == step:  # no overlap, or the end of each clip gave way
        lengths = [step + overlap for overlap in _USUAL_OVERLAPS]
    else:
        lengths = [first] if first - step in _USUAL_OVERLAPS else []
    return 0 if CLIP_FRAMES in lengths else 1 if any(length % 4 == 1 for length in lengths) else 2


def _log_tail(count: int, hits: int, rate: float) -> float:
    """How likely `hits` or more of `count` are, each with probability `rate`; its logarithm, since it may be tiny."""
    if rate >= 1:
        return 0.0
    every = math.lgamma(count + 1)
    hit, missed = math.log(rate), math.log1p(-rate)
    terms = [
        every - math.lgamma(k + 1) - math.lgamma(count - k + 1) + k * hit + (count - k) * missed
        for k in range(hits, count + 1)
    ]
    most = max(terms)
    return most + math.log(sum(math.exp(term - most) for term in terms))


def _doubts(numbers: _Numbers, total: int, jumps: Jumps) -> list[str]:
    """That the picture jumps elsewhere than the numbers cut."""
    cuts = numbers.starts(total)[1:]
    missed = [at for at in jumps.strong if at not in cuts]
    pattern = find_pattern(jumps.at, total)
    hit = [] if pattern is None else [cut for cut in pattern.cuts if cut in jumps.at]
    if pattern is not None and not set(hit) <= set(cuts):
        said = (
            f"the picture jumps at {_places(hit)}, where clips of {pattern.first} frames with overlap "
            f"{pattern.overlap} would meet, and not where clips of {numbers}, do: are these the numbers of the chain?"
        )
        return [said]
    if missed and len(missed) <= _most(total):
        return [f"the picture also jumps inside clips as cut, at {_places(missed)}"]
    return []


def _most(total: int) -> int:
    """Jumps that are cuts, in a video of `total` frames: beyond that they are what happens in it."""
    return max(1, total // (2 * _SHORTEST))


def _places(frames: Sequence[int]) -> str:
    shown = [str(frame) for frame in frames[:8]]
    if len(frames) > 8:
        return f"frames {', '.join(shown)} and {len(frames) - 8} more"
    return f"frame {shown[0]}" if len(shown) == 1 else f"frames {', '.join(shown[:-1])} and {shown[-1]}"
