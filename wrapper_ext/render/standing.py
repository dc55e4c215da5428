"""The chain that a reel has, as a plan sees it."""

from __future__ import annotations

from pathlib import Path

from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.reel import Reel, open_reel
from ...svi_embeds.story.standing import Stood


def stood_of(reel: Reel) -> tuple[Stood, ...]:
    """A row for each clip."""
    return tuple(Stood(clip.prompt, clip.number, clip.mended) for clip in reel.clips)


def stood_in(folder: Path) -> tuple[Stood, ...]:
    """Of the reel in a folder; none where there is no reel, or one that cannot be read, which the run says."""
    try:
        return stood_of(open_reel(folder))
    except SVIError:
        return ()
