"""How a run of a chain goes, what it reports, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from PIL import Image
from torch import Tensor

from ...svi_embeds.colour.look import ClipLook
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.story.depends import Task
from .lead import Lead
from .mend import MEND_LIMIT


class Report(Protocol):
    """Where progress goes. done, total: clips. draw: draws the last frame of the clip that was finished, from the
    second on within the drift of the chain so far.

    settled: the clip at a place of the chain is this take, which is on the disk; of a run that makes a clip all of the
    chain's, in order. ending: the frames F H W 3 in 0..1 of the chain's last clip, the first `overlap` of which the
    video leaves out, before `settled` tells of it; not always. `picture`, and as a rule these two, are called in
    another thread than the others.
    """

    def text(self, line: str) -> None: ...
    def settled(self, place: int, take: Take) -> None: ...
    def ending(self, place: int, digest: str, frames: Tensor, overlap: int) -> None: ...
    def clip(self, done: int, total: int) -> None: ...
    def picture(self, done: int, total: int, draw: Callable[[], Image.Image]) -> None: ...


@dataclass(frozen=True, slots=True)
class Rendered:
    """takes: the chain on disk; of a run that made some clips, only these and what leads them. sampled: which clips
    (from 0) were made again, each once for every take. last_frames: of the last clip, those that would lead the next.
    notes: what a reader should know, a sentence each. waits: why the chain ends before the story does, "" when it does
    not. made: takes that were sampled. spent: where their time went, in words."""

    takes: tuple[Take, ...]
    sampled: tuple[int, ...]
    last_frames: Tensor
    notes: tuple[str, ...] = ()
    waits: str = ""
    made: int = 0
    spent: str = ""


@dataclass(frozen=True, slots=True)
class Of:
    """Which take of which clip: its number from 0, the digest of the first ("" for the first), and of what leads it."""

    number: int
    first: str
    led_by: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A take that the chain may go on from: with what it leaves for the next clip, and how good it is."""

    digest: str
    lead: Lead
    look: ClipLook | Future[ClipLook] | None
    score: float | None
    seam: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """How a run goes; see `render_chain`."""

    resume: bool = True
    clips_per_run: int = 0
    mend_limit: float = MEND_LIMIT
    only: frozenset[Task] = frozenset()
