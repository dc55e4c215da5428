"""What of a chain waits for what: which takes can be made now, by one machine or by many. No pixels, no torch."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from ..errors import SVIError
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


_ONLY = re.compile(r"([1-9][0-9]{0,5})(?:-([1-9][0-9]{0,5})|\.([1-9][0-9]{0,2}))?")


def read_only(text: str, plan: ChainPlan) -> frozenset[Task]:
    """The takes that a text names, as `3, 5-7, 9.2`: all of clip 3 and of clips 5 to 7, and the second of clip 9.

    Raises SVIError for a text that names none, and for one that the chain does not have.
    """
    if not isinstance(text, str):
        raise SVIError(f"only must be text, numbers of clips as in 3, 5-7; got {type(text).__name__}")
    names = [name for name in re.split(r"[\s,]+", text.strip()) if name]
    tasks: set[Task] = set()
    for name in names:
        found = _ONLY.fullmatch(name)
        if found is None:
            raise SVIError(
                f"only must be clips by number, as in 3, 5-7, or a take, as in 9.2 (the second of clip 9); got "
                f"{name[:40]!r}"
            )
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last <= len(plan.clips):
            raise SVIError(f"only names {name}: the story has clips 1..{len(plan.clips)}")
        for clip in plan.clips[first - 1 : last]:
            if found[3] and int(found[3]) > clip.takes:
                raise SVIError(f"only names {name}: clip {first} has {clip.takes} takes, raise takes for more")
            numbers = [int(found[3]) - 1] if found[3] else range(clip.takes)
            tasks |= {Task(clip.index, number) for number in numbers}
    if not tasks:
        raise SVIError("only names no clip: give numbers, as in 3, 5-7, or leave it empty for the whole chain")
    return frozenset(tasks)


def leading(plan: ChainPlan, clips: Collection[int]) -> frozenset[int]:
    """The clips that lead these ones, and those that lead them, by index, back to where their scenes begin."""
    found: set[int] = set()
    for index in clips:
        led_by = plan.clips[index].led_by
        while led_by is not None and led_by not in found:
            found.add(led_by)
            led_by = plan.clips[led_by].led_by
    return frozenset(found)


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
    """What can be made now. made: takes that are there. chosen: clips that continue from a take which is known.

    A clip whose leading clip is chosen again has other takes: leave the previous ones out of `made`, and the clips that
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
