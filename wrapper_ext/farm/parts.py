"""A story in parts that can be made side by side: scenes, takes of one clip, mends, branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.depends import needs_of
from ...svi_embeds.story.settings import ChainSettings


@dataclass(frozen=True, slots=True)
class Part:
    """Some clips of a story, as Long Video's `only` names them. clips: their indices. after: parts, by index, that have
    to be there before. makes: takes that it makes at most."""

    only: str
    clips: tuple[int, ...]
    after: frozenset[int]
    makes: int


def parts_of(plan: ChainPlan, settings: ChainSettings) -> list[Part]:
    """The parts of a chain, in an order in which they can be made one by one.

    A run of clips that each lead the next is one part: they cannot be made side by side, and a worker that has their
    models goes on with what it has. Each take of a clip that has several is a part.
    """
    parts: list[Part] = []
    of_clip: dict[int, list[int]] = {}
    for run in _runs(plan):
        first = run[0]
        after = frozenset(part for needed in needs_of(plan, first, settings) for part in of_clip[needed])
        numbers = tuple(clip.index for clip in run)
        if first.takes == 1:
            made = [Part(_named(numbers), numbers, after, len(run))]
        else:
            made = [Part(f"{first.index + 1}.{take + 1}", numbers, after, 1) for take in range(first.takes)]
        for clip in run:
            of_clip[clip.index] = list(range(len(parts), len(parts) + len(made)))
        parts += made
    return parts


def critical_path(plan: ChainPlan, settings: ChainSettings) -> int:
    """How many takes have to be made one after another, however many workers there are."""
    ends: dict[int, int] = {}
    for clip in plan.clips:
        ends[clip.index] = 1 + max((ends[needed] for needed in needs_of(plan, clip, settings)), default=0)
    return max(ends.values())


def _runs(plan: ChainPlan) -> Iterator[Sequence[ChainClip]]:
    """Clips that are made one after another by one worker."""
    run: list[ChainClip] = []
    for clip in plan.clips:
        last = run[-1] if run else None
        goes_on = (
            last is not None and clip.follows and last.takes == clip.takes == 1 and not last.mend and not clip.mend
            and last.index not in plan.branches and last.pick != "stop"
        )  # fmt: skip
        if run and not goes_on:
            yield run
            run = []
        run.append(clip)
    yield run


def _named(numbers: Sequence[int]) -> str:
    first, last = numbers[0] + 1, numbers[-1] + 1
    return str(first) if first == last else f"{first}-{last}"
