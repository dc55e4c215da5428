"""Which take of a clip the chain goes on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from ...svi_embeds.drift.score import best_of
from ...svi_embeds.story.chain import ChainClip
from ...svi_embeds.story.text import PICKS


class Scored(Protocol):
    """A take on disk, or one that is on its way there."""

    @property
    def digest(self) -> str: ...
    @property
    def score(self) -> float | None: ...


T = TypeVar("T", bound=Scored)


def told(clip: ChainClip, takes: Sequence[T], picked: Mapping[str, str]) -> T | None:
    """The take that the user chose: in the story, or else in the reel. None where it is to be the best one.

    takes: all of the clip's, in order. picked: of the reel.
    """
    if clip.pick not in PICKS:
        return takes[int(clip.pick) - 1]
    by_person = picked.get(takes[0].digest)
    return next((take for take in takes if take.digest == by_person), None)


def chosen(clip: ChainClip, takes: Sequence[T], picked: Mapping[str, str]) -> T:
    """The take that the chain goes on from, for now at least."""
    return told(clip, takes, picked) or takes[best_of([take.score for take in takes])]
