"""How the clips of a planned chain stand: which takes the reel has of each, and which are to be made."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.reel import Reel
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.settings import ChainSettings
from ...svi_embeds.story.standing import Stood
from ..render.choose import chosen
from ..render.facts import print_of

STATES = KEPT, STALE, TO_DO = "kept", "stale", "to do"


@dataclass(frozen=True, slots=True)
class Planned:
    """A chain as it is planned. encodes_text: whether its prompts are encoded for it. stood: the reel's chain, as far
    as it was planned with that."""

    plan: ChainPlan
    settings: ChainSettings
    encodes_text: bool
    stood: tuple[Stood, ...] = ()


@dataclass(frozen=True, slots=True)
class Stands:
    """A clip in the reel. state: kept; stale, when the chain on disk has another there; to do, when it has none.

    take: the one that is seen there, None where none is: what the chain continues from, or what a stale one is remade
    from. takes: those that a run would keep, by number from 0. missing: how many a run has to make. here: the one that
    the chain on disk has in its place.
    """

    state: str
    take: Take | None
    takes: Mapping[int, Take]
    missing: int
    here: Take | None = None


def states_of(reel: Reel, chain: Planned, *, resume: bool) -> list[str]:
    """The state of each clip, see `Stands`."""
    return [each.state for each in stands_of(reel, chain, resume=resume)]


def stands_of(reel: Reel, chain: Planned, *, resume: bool) -> list[Stands]:
    """How each clip stands."""
    there: dict[str, list[Take]] = {}
    for take in (*reel.spare, *reel.clips):
        if take.values:
            there.setdefault(take.values, []).append(take)
    by_end: dict[str, list[Take]] = {}  # those that leave the same to the next clip
    for take in (*reel.spare, *reel.clips):
        by_end.setdefault(take.end, []).append(take)
    stands: list[Stands] = []
    leads: list[str | None] = []  # what each clip leaves to the next, see `Take.end`; None where it is to be made
    prints: list[tuple[str, ...]] = []  # of each clip, those that takes of it may have
    for clip in chain.plan.clips:
        place = clip.index if clip.stands is None and not chain.stood else clip.stands
        here = reel.clips[place] if place is not None and place < len(reel.clips) else None
        led_by = "" if clip.led_by is None else leads[clip.led_by]
        before: tuple[str | None, ...] = (None,) if clip.led_by is None else prints[clip.led_by]
        mine = tuple(
            print_of(clip, chain.settings, lead, encodes_text=chain.encodes_text) for lead in dict.fromkeys(before)
        )
        ends = {"", *(take.digest for take in by_end.get(led_by or "", ()))}
        takes = _found(reel, there, chain, clip, mine, here, ends) if resume and led_by is not None else {}
        missing = clip.takes - len(takes.keys() & set(range(clip.takes)))
        if not missing:
            take = chosen(clip, [takes[number] for number in range(clip.takes)], reel.picked)
            stands.append(Stands(KEPT, take, takes, 0, here))
            found: str | None = take.end
        else:
            is_new = here is None or (clip.mend is not None and clip.mend.is_new)
            stands.append(Stands(TO_DO if is_new else STALE, None if is_new else here, takes, missing, here))
            found = None
        if clip.mend and here is not None:  # what comes after continues from the same end, mended or not
            found = here.end
        leads.append(found)
        prints.append((*mine, *(take.values for take in by_end.get(found or "", ()))))
    return stands


def _found(
    reel: Reel, there: Mapping[str, list[Take]], chain: Planned, clip: ChainClip, prints: tuple[str, ...],
    here: Take | None, led_by: Container[str],
) -> dict[int, Take]:  # fmt: skip
    """Takes of a clip that a run would keep, by their number. there: takes by their values. led_by: digests of takes
    that would lead it alike."""
    found = [take for print_ in prints for take in there.get(print_, ()) if take.led_by in led_by]
    if not found and here is not None and not here.values and _is_alike(here, chain, clip):
        found = [here]
    frames, latents = chain.plan.motion_after(clip.index)
    return {
        take.take: take for take in found
        if take.tail_frames >= frames and take.tail_latents >= latents and reel.has(take)
        and (take.mended or clip.mend is None)
    }  # fmt: skip


def _is_alike(take: Take, chain: Planned, clip: ChainClip) -> bool:
    """Whether a take from before values were kept is of such a clip, as far as the manifest tells."""
    overlap = take.overlap if clip.index else clip.overlap_frames  # of clip 1 it decides nothing
    of_take = (take.seed, take.mode, take.frames, overlap, take.width, take.height)
    same_text = take.prompt == clip.prompt or not chain.encodes_text
    return same_text and of_take == (
        clip.seed, clip.mode, clip.num_frames, clip.overlap_frames, chain.settings.width, chain.settings.height
    )  # fmt: skip
