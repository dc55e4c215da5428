"""The takes of a reel's clips: which there are, what they were scored, and which was chosen."""

from __future__ import annotations

from ..errors import SVIError
from ..ground.words import align, shorten
from .manifest import Take
from .reel import Reel


def find_take(reel: Reel, clip: int, take: int) -> Take:
    """A take by the number of its clip in the chain and its own, both from 1. Raises SVIError that says which are."""
    if not 1 <= clip <= len(reel.clips):
        raise SVIError(f"reel {reel.name} has clips 1..{len(reel.clips)}, asked for {clip}")
    takes = {one.take + 1: one for one in reel.takes_of(reel.clips[clip - 1])}
    if take not in takes:
        there = ", ".join(map(str, takes))
        raise SVIError(f"clip {clip} of reel {reel.name} has take {there}, asked for {take}: raise takes for more")
    return takes[take]


def describe_takes(reel: Reel) -> list[str]:
    """A heading, and a row for each take of the chain's clips."""
    rows: list[tuple[str, ...]] = [("clip", "take", "", "seed", "score", "seconds", "prompt")]
    for index, clip in enumerate(reel.clips):
        for take in reel.takes_of(clip):
            is_picked = reel.picked.get(take.clip) == take.digest
            state = "picked" if is_picked else "in the chain" if take.digest == clip.digest else ""
            score = "" if take.score is None else f"{take.score:.3f}"
            rows.append((
                str(index + 1), str(take.take + 1), state, str(take.seed), score, f"{take.seconds:.1f}",
                shorten(take.prompt),
            ))  # fmt: skip
    return align(rows)
