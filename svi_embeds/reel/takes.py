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


def describe_mend(reel: Reel, number: int) -> list[str]:
    """What mending a clip of the chain, by its number from 1, would do, as far as its reel tells.

    Raises SVIError for a clip that is not there, or that none goes on from.
    """
    find_take(reel, number, reel.clips[number - 1].take + 1 if 1 <= number <= len(reel.clips) else 1)
    clip, after = reel.clips[number - 1], reel.clips[number : number + 1]
    if not after or not after[0].follows:
        raise SVIError(
            f"clip {number} of reel {reel.name} cannot be mended: no clip continues from it; render the next one first"
        )
    shared = after[0].overlap
    stay = f"clip {number + 1}" if number + 1 == len(reel.clips) else f"clips {number + 1} to {len(reel.clips)}"
    stay += " stays" if number + 1 == len(reel.clips) else " stay"
    led = "what the chain begins with" if number == 1 or not clip.follows else f"the end of clip {number - 1}"
    ending = f"ending on the last {shared} frame{'s' * (shared > 1)} of what stands there"
    lines = [
        f"clip {number} ({shorten(clip.prompt)}), made again: led by {led}, {ending}; {stay}",
        f"write [mend] in its block, or {number} in mend on the node; another prompt, seed= or takes= beside it",
    ]
    if clip.tail_frames < shared:
        lines.append(f"only {clip.tail_frames} frames of its end were kept: it cannot be mended, it is made again")
    return lines
