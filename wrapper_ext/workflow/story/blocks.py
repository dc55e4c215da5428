"""The clips of a chain told as a story: blocks of prompts, and the settings that they are counted from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ....svi_embeds.recipes import SVI2_PRO
from ....svi_embeds.story.chain import SEED_STEP
from ....svi_embeds.story.text import Block, format_story
from .reading import Reading, some
from .sampler import Text


@dataclass(frozen=True, slots=True)
class Told:
    """A clip in the story's words. overlap: frames that it shares with the one before, None for a first clip that
    begins with an image. rules: other settings of its block, None for those that are the chain's own."""

    text: Text
    mode: str
    frames: int
    overlap: int | None
    seed: int
    rules: dict[str, Any] = field(default_factory=dict)


def tell(reading: Reading, told: list[Told], mode: str, *, has_first: bool) -> dict[str, Any]:
    """The story, and the widgets that it counts from. has_first: whether the first clip has a model of its own.

    Raises SVIError for a prompt that a story cannot hold.
    """
    usual = Counter(clip.frames for clip in told).most_common(1)[0][0]
    overlap = Counter([clip.overlap for clip in told[1:]] or [0]).most_common(1)[0][0]
    blocks = []
    for index, clip in enumerate(told):
        # A first clip with a model of its own would be plain i2v if its block named no mode.
        named = clip.mode != mode or (index == 0 and has_first and mode != SVI2_PRO.id)
        blocks.append(Block(
            1, trimmed(clip.text.positive),
            seed=clip.seed if clip.seed != told[0].seed + SEED_STEP * index else None,
            frames=clip.frames if clip.frames != usual else None,
            overlap=clip.overlap if clip.overlap not in (None, overlap) else None,
            mode=clip.mode if named else None, **clip.rules,
        ))  # fmt: skip
    if len({clip.text.negative for clip in told}) > 1:
        reading.note(0, "the clips' negative prompts differ; the story has one for all, that of clip 1")
    return {
        "story": format_story(blocks), "mode": mode, "num_frames": usual, "seed": told[0].seed, "reel": "migrated",
        "negative_prompt": told[0].text.negative,
        "overlap_frames": 0 if mode == SVI2_PRO.id and overlap == 5 else overlap,
    }  # fmt: skip


def say_next(reading: Reading, way: str) -> None:
    """Say how a story of one clip gets its next ones. way: of which mode they are."""
    reading.note(
        0, f"the story has one clip: write --- on a line of its own, and the next prompt below it, and so on; {way}"
    )


def counted_seeds(reading: Reading, found: list[Any]) -> list[int]:
    """The clips' seeds; for those that are no number, being drawn at each run, what the story counts without one of
    their own."""
    first = found[0] if isinstance(found[0], int) else 0
    drawn = [index for index, seed in enumerate(found) if not isinstance(seed, int)]
    if drawn:
        start = ", and the first is 0: set another in the node" if drawn[0] == 0 else ""
        reading.note(
            drawn[0], f"the seed of {some(drawn)} is drawn at each run; in the story each clip's is {SEED_STEP} more "
            f"than that of the clip before{start}",
        )  # fmt: skip
    return [first + SEED_STEP * index if index in drawn else seed for index, seed in enumerate(found)]


def trimmed(prompt: str) -> str:
    """A prompt as a story holds it: without blanks around its lines."""
    return "\n".join(line.strip() for line in prompt.splitlines()).strip()
