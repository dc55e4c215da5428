"""What of a chain waits for what: which takes can be made now, by one machine or by many. No pixels, no torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from .chain import ChainClip, ChainPlan
from .check import colour_method
from .settings import ChainSettings


class Task(NamedTuple):
    """A take to be made: the index of its clip, and its number from 0."""

    clip: int
    take: int


class Work(NamedTuple):
    """ready: takes that can be made now, in the order of the chain. waiting: of the others that are not made, by take,
    the clips whose take has to be chosen before."""

    ready: tuple[Task, ...]
    waiting: Mapping[Task, frozenset[int]]


def needs_of(plan: ChainPlan, clip: ChainClip, settings: ChainSettings) -> frozenset[int]:
    """The clips of which a take has to be chosen before this one can be made: what leads it, and what its colours are
    held to.

    A clip that is mended leaves to the next what stood there, so nothing waits for it; in a new reel it is made as any
    first.
    """
    needs = set() if clip.led_by is None or _is_mended(plan.clips[clip.led_by]) else {clip.led_by}
    held = colour_method(clip, settings) != "off" and not clip.works_on_latents
    if held and settings.color_match_to == "clip_1" and clip.scene != clip.index:
        needs.add(plan.clips[clip.scene].index)
    return frozenset(needs)


def _is_mended(clip: ChainClip) -> bool:
    """Whether a clip is made between its neighbours now, since something stands there."""
    return clip.mend is not None and clip.stands is not None


def work_of(
    plan: ChainPlan, settings: ChainSettings, *, made: Collection[Task] = (), chosen: Collection[int] = ()
) -> Work:
    """What can be made now. made: takes that are there. chosen: clips that go on from a take which is known.

    A clip whose leading clip is chosen anew has other takes: leave those of before out of `made`, and the clips that
    followed out of `chosen`.
    """
    there, known = set(made), set(chosen)
    ready: list[Task] = []
    waiting: dict[Task, frozenset[int]] = {}
    for clip in plan.clips:
        open_needs = needs_of(plan, clip, settings) - known
        for number in range(clip.takes):
            task = Task(clip.index, number)
            if task in there:
                continue
            if open_needs:
                waiting[task] = open_needs
            else:
                ready.append(task)
    return Work(tuple(ready), waiting)
