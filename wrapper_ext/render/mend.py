"""A clip made between its neighbours, which stay: what it ends on, how it comes there, and whether that is seen."""

from __future__ import annotations

from statistics import median
from typing import Any

from torch import Tensor

from ...svi_embeds.colour.look import measure, step_between
from ...svi_embeds.drift.figures import STILL, change, jump_of
from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.story.chain import ChainClip
from ...svi_embeds.story.text import PICKS
from .lead import Lead

MEND_LIMIT = 2.0  # a seam of that is drawn red in the picture of the drift
_STEPS = 8  # between frames of a mended clip that are measured


def end_facts(clip: ChainClip, end: Lead | None, *, fun_or_fl2v_model: bool) -> dict[str, Any]:
    """What of its end decides a mended clip; nothing for one that goes where it will."""
    if clip.mend is None or end is None:
        return {}
    latents = end.latents[:, -clip.mend.latents :] if clip.works_on_latents and end.latents is not None else None
    return {"mended": [fingerprint(shown(end, clip.mend.frames)), fingerprint(latents), fun_or_fl2v_model]}


def verdict(clip: ChainClip, seam: float, limit: float, *, may_stay: bool) -> tuple[bool, str]:
    """Whether a mended clip is too bad to take its place, and a note about its seams.

    seam: the more visible of its two, as `Seam.ratio`. limit: what is bearable, 0 for any. may_stay: whether what stood
    there still goes on from the clip before it.
    """
    between = f"clip {clip.index + 1} is mended between clips {clip.index} and {clip.index + 2}"
    if not limit or seam <= limit or clip.pick not in PICKS:
        return False, f"{between}: its more visible seam is {seam:.1f} (1 is none)"
    too_bad = f"{between}, with a seam of {seam:.1f}, more than mend_limit {limit:g} (1 is none)"
    tries = "try takes=3, another prompt, or a larger mend_limit"
    if clip.mend is None or clip.mend.is_new or not may_stay:
        return False, f"{too_bad}: {tries}"
    return True, f"{too_bad}: what stood there stays, and this is kept as a take; {tries}"


def shown(end: Lead, count: int) -> Tensor:
    """The last `count` of the frames that lead the next clip."""
    if end.frames is None or len(end.frames) < count:
        raise SVIError(f"a mended clip ends on {count} frames of what stood there, and fewer were kept: make it again")
    return end.frames[-count:]


def land(images: Tensor, kept: Tensor) -> float:
    """Fade the last frames of a clip into those that stay, which it ends on bit for bit; `images` are changed.

    images: F H W 3 in 0..1. kept: k H W 3. Returns how visible that is, as `Seam.ratio`: the largest step between these
    frames, in usual ones of the clip, or the jump of the look, shared among them; 1 is what nobody sees.
    """
    count, fresh = len(kept), len(images) - len(kept)
    before = images[fresh - 1].clone()
    places = range(1, fresh, max(1, fresh // _STEPS))
    usual = max(STILL, median(step_between(images[place - 1], images[place]) for place in places) if places else 0)
    for index in range(count):
        share = (index + 1) / count
        images[fresh + index] = kept[index] if share == 1 else images[fresh + index].lerp(kept[index], share)
    steps = [step_between(images[place - 1], images[place]) for place in range(fresh, len(images))]
    jump = jump_of(change(measure(before), measure(kept[-1])))[1] / count
    return round(max(1.0, max(steps) / usual, jump), 3)
