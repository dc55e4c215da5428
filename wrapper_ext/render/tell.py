"""What is reported of a run while it goes: words, pictures, and clips as they come to the disk."""

from __future__ import annotations

import time
from pathlib import Path

from PIL import Image
from torch import Tensor

from ...svi_embeds.ground.images import to_picture
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ..engine.spent import Spent
from .drift import DriftSoFar
from .lead import Lead, frames_of
from .now import Now, renders
from .run import Report


class Telling:
    """Tells a report of the clips of a plan. folder: of the reel."""

    def __init__(self, report: Report, folder: Path, plan: ChainPlan, drift: DriftSoFar, spent: Spent) -> None:
        self.report, self.folder, self.plan, self.drift, self.spent = report, folder, plan, drift, spent
        self.told = 0  # how many clips of the chain were told to be on the disk

    def now(self, clip: ChainClip, doing: str, take: int) -> None:
        """Which take of a clip is kept or sampled now, and how long the rest takes."""
        count = len(self.plan.clips)
        if doing == "sampling":
            renders(self.folder, Now(clip.index, take, clip.takes, time.time()))
        which = f", take {take + 1} of {clip.takes}" if clip.takes > 1 else ""
        left = ""
        if taken := self.spent.takes:
            to_come = sum(row.takes for row in self.plan.clips[clip.index :]) - take
            left = f", about {_duration(sum(taken) / len(taken) * to_come)} left"
        self.report.text(f"clip {clip.index + 1} of {count}{which}: {doing}{left}")

    def settled(self, takes: list[Take]) -> None:
        """Tells of takes of the chain that are on the disk."""
        for place in range(self.told, len(takes)):
            self.report.settled(place, takes[place])
        self.told = len(takes)

    def last(self, take: ChainClip, digest: str, frames: Tensor) -> None:
        """Tells of the chain's last clip before it is on the disk: nothing else is left to wait for."""
        if self.told == take.index:
            self.report.ending(take.index, digest, frames, take.overlap_frames)

    def picture(self, count: int, lead: Lead) -> Image.Image:
        return self.drift.picture(count) or to_picture(frames_of(lead)[-1:])


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
