"""What a chain looks like while it is rendered: the drift of the clips so far, as a picture."""

from __future__ import annotations

from concurrent.futures import Future

from PIL import Image
from torch import Tensor

from ...svi_embeds.colour.look import ClipLook, glance, measure
from ...svi_embeds.drift.figures import drift_of, seam_between
from ...svi_embeds.drift.plot import NARROW, ClipEnds, draw_drift
from ...svi_embeds.drift.score import score
from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.video import to_images
from ...svi_embeds.ground.images import to_picture
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.reel import Reel
from ...svi_embeds.story.chain import ChainClip


def look_of(reel: Reel, take: Take) -> ClipLook | None:
    """The look of what a clip on disk adds to the chain; None where it was written without, or cannot be read."""
    look, adds = reel.look(take), take.frames - take.overlap
    if look is None or look.frames == adds:
        return look
    try:  # it was measured when the video left out other frames of it
        return glance(to_images(reel.clip_frames(take, take.overlap), adds))
    except SVIError:
        return None


class DriftSoFar:
    """Gathers the looks of a chain's clips. reference: 1 H W 3 in 0..1. title: of the picture."""

    def __init__(self, title: str, reference: Tensor | None) -> None:
        self.title, self.reference = title, reference
        # By the clip's index; None: of one that was written without; a Future: of one that is being looked at.
        self.looks: dict[int, ClipLook | Future[ClipLook] | None] = {}
        self.begins: list[int] = []  # places in it of clips that do not go on from the one before
        self.ends = ClipEnds()

    def score(self, clip: ChainClip, look: ClipLook | None) -> float | None:
        """How good a take of a clip is; None where that is not known."""
        if clip.led_by is None:
            return None if look is None else score(look)
        before, first = self.look(clip.led_by), self.look(clip.scene)
        return None if look is None or before is None or first is None else score(look, before=before, first=first)

    def seam(self, clip: ChainClip, look: ClipLook) -> float:
        """How visible the seam before a clip is, as `Seam.ratio`; 1 where none is, or where it is not known."""
        before = None if clip.led_by is None else self.look(clip.led_by)
        return 1.0 if before is None else seam_between(before, look).ratio

    def look(self, clip: int) -> ClipLook | None:
        """How a clip looks, by its index; waits for one that is being looked at."""
        look = self.looks[clip]
        return look.result() if isinstance(look, Future) else look

    def add(self, clip: ChainClip, look: ClipLook | Future[ClipLook] | None, tail: Tensor) -> None:
        """The next clip. tail: its last frames."""
        if not clip.follows:
            self.begins.append(len(self.looks))
        self.ends.add(len(self.looks), to_picture(tail[-1:]))
        self.looks[clip.index] = look

    def picture(self, count: int | None = None) -> Image.Image | None:
        """The drift of the first `count` clips, None for all so far. None while there is nothing to compare."""
        found = [self.look(clip) for clip in list(self.looks)[:count]]
        looks = [look for look in found if look is not None]
        if len(looks) < max(2, len(found)):
            return None
        reference = self.reference
        begins = [place for place in self.begins if place < len(looks)]
        drift = drift_of(looks, None if reference is None else measure(reference[0]), begins=begins)
        shown = None if reference is None else to_picture(reference)
        return draw_drift(drift, self.ends, reference=shown, title=self.title, width=NARROW)
