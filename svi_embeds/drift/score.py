"""How good a take of a clip is, in one number, from the looks that are kept with it: no frame is read again."""

from __future__ import annotations

from collections.abc import Sequence

from ..colour.look import ClipLook
from .figures import change, seam_between


def score(take: ClipLook, *, before: ClipLook | None = None, first: ClipLook | None = None) -> float:
    """0 is best; 1 more is about what one sees. Drift and seam, added, to three decimals.

    Drift: the largest change of the take's look against the first clip's, in UNITS; of a first clip, from its first
    frame to its last. Seam: how visible it is where the take begins, beyond one that nobody sees (`Seam.ratio` - 1).
    before, first: the looks of the clip that leads it, and of the first of its scene; None where the take is that.
    """
    drift = change(take.first, take.last) if first is None else change(first.mean, take.mean)
    seam = 0.0 if before is None else seam_between(before, take).ratio - 1
    return round(drift.size + seam, 3)


def best_of(scores: Sequence[float | None]) -> int:
    """The take with the lowest score, the first of equals. One that could not be scored comes after all others."""
    return min(range(len(scores)), key=lambda take: (scores[take] is None, scores[take] or 0.0))
