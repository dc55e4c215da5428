"""The clips of a chain as cards, for a page on which people see and edit it: what a row of the plan says, and besides
the takes that the reel has, how the clip looks beside the first one, and how visible the seam before it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from ...svi_embeds.colour.look import ClipLook
from ...svi_embeds.drift.figures import change, seam_between
from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.words import shorten
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.previews import seam_at, step_of
from ...svi_embeds.reel.reel import Reel
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.text import PICKS
from ..render.mend import MEND_LIMIT
from .reel import Found
from .stands import Stands

MAX_CARDS = 1000
_MAX_PROMPT = 20_000  # characters of one that is edited on a card
_MAX_PROMPTS = 2**20  # of all together: a block of a few words may be a thousand clips, and so may a long one
_SHOWN = 80  # characters of one that is shown elsewhere
_MOST_LOOKS = 20_000
_RECENT = 30  # takes that tell how long one takes


def cards_of(
    plan: ChainPlan, rows: Sequence[dict[str, Any]], found: Found | None, mend_limit: float = MEND_LIMIT
) -> dict[str, Any]:
    """{"fps", "cards", "left_out", "make"} of a planned chain.

    rows: of its clips, as the story editor shows them. found: what the reel has. mend_limit: how visible the seams of a
    mended clip may be; one that is worse stays a take, and "worse" of its card says how visible they are. "make" is
    what the next run makes: {"clips", "takes", "seconds"}, None where that is not known; seconds None where no take
    tells how long one takes.
    """
    reel = found.reel if found else None
    stands = found.stands if found else None
    shown = _Shown(reel)
    cards, left = [], _MAX_PROMPTS
    for clip, row in zip(plan.clips, rows, strict=False):
        stand = stands[clip.index] if stands else Stands("", None, {}, 0)
        worse = shown.too_bad(stand, clip, mend_limit)
        if worse is not None:
            stand = replace(stand, take=stand.here)
        card = {**row, **shown.takes(stand, clip.takes), "missing": stand.missing, "scene": clip.scene + 1}
        card["worse"] = worse
        card["text"] = clip.prompt if len(clip.prompt) <= min(_MAX_PROMPT, left) else None
        left -= len(card["text"] or "")
        cards.append({**card, **shown.look(stand.take, clip.index, clip.scene, follows=clip.follows)})
    make = None
    if stands:
        each = _seconds_a_frame(reel)
        frames = sum(stand.missing * clip.num_frames for stand, clip in zip(stands, plan.clips, strict=True))
        make = {
            "clips": sum(bool(stand.missing) for stand in stands), "takes": sum(stand.missing for stand in stands),
            "seconds": None if each is None else round(each * frames),
        }  # fmt: skip
    return {"fps": plan.fps, "cards": cards, "left_out": len(plan.clips) - len(cards), "make": make}


def cards_of_reel(reel: Reel) -> dict[str, Any]:
    """The same of a reel alone, which no node of the graph writes."""
    shown, cards, until, scene = _Shown(reel), [], -reel.skipped_frames, 0
    for index, take in enumerate(reel.clips[:MAX_CARDS]):
        follows = bool(index) and take.follows
        scene = scene if follows else index
        until += take.frames - (take.overlap if index else 0)
        cards.append({
            "clip": index + 1, "frames": take.frames, "overlap": take.overlap, "until": until,
            "time": f"{until / reel.fps:.1f} s", "seed": str(take.seed), "mode": take.mode, "takes": 1, "state": None,
            "prompt": shorten(take.prompt, _SHOWN), "text": take.prompt[:_MAX_PROMPT],
            "cut": bool(index) and not follows,
            "scene": scene + 1, "missing": 0, **shown.takes(Stands("", take, {}, 0), 0),
            **shown.look(take, index, scene, follows=follows),
        })  # fmt: skip
    return {"fps": reel.fps, "cards": cards, "left_out": len(reel.clips) - len(cards), "make": None}


def file_of(take: Take) -> str:
    """What changes when a take is made again, for the page's cache."""
    return Path(take.video.name).stem.rpartition("_")[2]


def _name(take: Take) -> str:
    """What a take is called beside others of its clip: those of a mend count for themselves."""
    return f"{'M' if take.mended else ''}{take.take + 1}"


class _Shown:
    """What a reel, if there is one, tells of a chain's clips, in order."""

    def __init__(self, reel: Reel | None) -> None:
        self.reel = reel
        self.of_clip: dict[str, list[Take]] = {}
        for take in (*reel.clips, *reel.spare) if reel else ():
            self.of_clip.setdefault(take.clip, []).append(take)
        self.in_chain = {take.digest for take in reel.clips} if reel else set()
        self.looks: dict[int, tuple[Take, ClipLook]] = {}  # by the clip's index

    def takes(self, stand: Stands, wanted: int) -> dict[str, Any]:
        """The takes of a clip, by number. wanted: how many the story asks for."""
        there = {take.digest: take for take in self.of_clip.get(stand.take.clip, ())} if stand.take else {}
        there.update((take.digest, take) for take in stand.takes.values())
        return {
            "take": stand.take.digest if stand.take else None,
            "file": file_of(stand.take) if stand.take else "",
            "there": [
                {
                    "id": take.digest, "file": file_of(take), "number": take.take + 1, "name": _name(take),
                    "seed": str(take.seed),
                    "score": take.score, "mended": take.mended, "seconds": take.seconds,
                    "frames": take.frames, "overlap": take.overlap, "step": step_of(take),
                    "size": take.video.size + take.tail.size, "in_chain": take.digest in self.in_chain,
                    # Whether the story means it by its number: not one of another prompt, nor beyond its takes.
                    "wanted": take.take < wanted and stand.takes.get(take.take) is take,
                }
                for take in sorted(there.values(), key=lambda take: (take.take, take.mended))
            ],
        }  # fmt: skip

    def too_bad(self, stand: Stands, clip: ChainClip, limit: float) -> float | None:
        """How visible the seams of a mended take are for which what stood there stays, see `render.mend.verdict`; None
        of all others."""
        take, here = stand.take, stand.here
        if stand.missing or take is None or here is None or self.reel is None or clip.mend is None:
            return None
        stays = here.digest in self.in_chain and take.digest not in self.in_chain and take.ends_as
        if not stays or not limit or clip.mend.is_new or clip.pick not in PICKS:
            return None
        before, look = self.looks.get(clip.index - 1), _look(self.reel, take)
        seam = _seam_between(before[1], look).ratio if before and look else 1.0
        worst = max(take.landing or 1.0, seam)
        return round(worst, 1) if worst > limit else None

    def look(self, take: Take | None, index: int, scene: int, *, follows: bool) -> dict[str, Any]:
        """drift: {"size", "culprit"} beside the first clip of its scene. seam: {"ratio", "at", "frames"} before it, and
        where it is in its preview. None where that is not known, or there is none."""
        told: dict[str, Any] = {"drift": None, "seam": None}
        look = _look(self.reel, take) if self.reel and take else None
        if take is None or look is None:
            return told
        self.looks[index] = take, look
        if scene in self.looks and scene != index:
            changed = _change(self.looks[scene][1].mean, look.mean)
            told["drift"] = {"size": round(changed.size, 2), "culprit": changed.culprit}
        before = self.looks.get(index - 1) if follows else None
        if before is not None and take.led_by in ("", before[0].digest, before[0].end):
            at, frames = seam_at(before[0], take)
            told["seam"] = {"ratio": round(_seam_between(before[1], look).ratio, 2), "at": at, "frames": frames}
        return told


# A page asks for the same chain again and again.
_change, _seam_between = lru_cache(maxsize=2 * MAX_CARDS)(change), lru_cache(maxsize=2 * MAX_CARDS)(seam_between)
_looks: dict[tuple[Path, str, int], ClipLook | None] = {}  # of tails that were read before: they do not change


def _look(reel: Reel, take: Take) -> ClipLook | None:
    """How a take looks, as far as that was kept with it and its file is there."""
    key = (reel.folder, take.tail.name, take.tail.time)
    look = _looks.get(key, ...)
    if look is ...:
        try:
            look = reel.look(take)
        except SVIError:  # a link
            look = None
        if len(_looks) >= _MOST_LOOKS:
            _looks.clear()  # while another thread may look: what was read is returned, not looked up again
        _looks[key] = look
    return look


def _seconds_a_frame(reel: Reel | None) -> float | None:
    """How long a frame of a clip took, of the takes that were written last."""
    takes: Iterable[Take] = (*reel.clips, *reel.spare) if reel else ()
    recent = sorted((take for take in takes if take.seconds), key=lambda take: take.video.time)[-_RECENT:]
    return median(take.seconds / take.frames for take in recent) if recent else None
