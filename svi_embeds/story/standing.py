"""Where the clips of a story stand in a chain that was made of it before: which is which after an edit of the text."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

_MOST = 1_000_000  # pairs of prompts that are compared; beyond, clips are told by their place


class Stood(NamedTuple):
    """A clip of the chain as it was made. number: what its seed is counted from. mended: whether it was made between
    its neighbours."""

    prompt: str
    number: int
    mended: bool = False


class Place(NamedTuple):
    """Where a clip stands. number: see `Stood`. there: index in the previous chain of the clip whose end leads what
    comes after this one; None where nothing does. inserted: that is the clip before it, and this one is new between two
    that stay. mended: the clip was mended before, and stays so."""

    number: int
    there: int | None
    inserted: bool = False
    mended: bool = False


def places_of(prompts: Sequence[str], stood: Sequence[Stood]) -> list[Place]:
    """The places of a story's clips, told by their prompts. A clip with another prompt in its place keeps it."""
    before = [clip.prompt for clip in stood]
    head = _alike(prompts, before)
    tail = min(_alike(prompts[::-1], before[::-1]), len(prompts) - head, len(before) - head)
    new_end, old_end = len(prompts) - tail, len(before) - tail
    fresh = max((clip.number for clip in stood), default=-1) + 1
    places: list[Place] = []

    def keep(old: int) -> None:
        places.append(Place(stood[old].number, old, mended=stood[old].mended))

    def add(count: int, between: int | None) -> None:
        """between: the previous chain's clip that a last new one is put behind, when both neighbours stay."""
        nonlocal fresh
        for index in range(count):
            is_last = index == count - 1 and between is not None
            places.append(Place(fresh, between if is_last else None, inserted=is_last))
            fresh += 1

    for index in range(head):
        keep(index)
    for kind, old, old_stop, new, new_stop in _changes(before[head:old_end], prompts[head:new_end]):
        start, stop, count = head + old, head + old_stop, new_stop - new
        if kind == "insert":
            is_between = 0 < start < len(stood)
            add(count, start - 1 if is_between else None)
            continue
        for index in range(start, min(stop, start + count)):
            keep(index)
        add(count - (stop - start), None)
    for index in range(old_end, len(before)):
        keep(index)
    return places


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _changes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """As difflib's opcodes."""
    if not new:
        return []
    if not old:
        return [("insert", 0, 0, 0, len(new))]
    if len(old) * len(new) > _MOST:
        return [("replace", 0, len(old), 0, len(new))]
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
