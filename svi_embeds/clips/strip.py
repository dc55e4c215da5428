"""What a node's strip shows of a clip before anything runs: pieces, latents, masks, words.

Made of decided plans alone, those that the nodes run on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import torch

from ..masks.known import count_concat, count_known, pack_known
from ..timeline import FRAMES_PER_LATENT, latent_count

T = TypeVar("T", bound=Hashable)
_MAX_LINE = 600  # characters of a line that a screen reader reads out


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames `start` to `stop` (excluded) that hold the same kind of thing. source: where it comes from, in words."""

    kind: str
    start: int
    stop: int
    source: str

    @property
    def span(self) -> str:
        return f"{self.start}" if self.stop - self.start == 1 else f"{self.start}-{self.stop - 1}"

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "name": self.kind.replace("_", " "), "span": self.span, "start": self.start,
            "stop": self.stop, "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strip:
    """One clip as its strip shows it.

    known: one value per frame, None when it is not known before the run (mask_from says where it will come from) or
    there is no mask. in_region: whether a region narrows it. said: the clip in words, the lines of the node's `info`
    that do not depend on pixels. notes: what was decided or adjusted on the caller's behalf.
    """

    title: str
    num_frames: int
    pieces: tuple[Piece, ...]
    said: tuple[str, ...]
    known: tuple[float, ...] | None = None
    mask_from: str = ""
    in_region: bool = False
    end_apart: bool = False
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What the page draws. Runs are pairs of a thing and how often it stands in a row.

        latents: runs of how many frames a latent covers. known: of values per frame. columns: of a latent's four mask
        channels.
        """
        covers = [(1, 1), (FRAMES_PER_LATENT, latent_count(self.num_frames) - 1), (1, int(self.end_apart))]
        answer: dict[str, Any] = {
            "title": self.title,
            "frames": self.num_frames + self.end_apart,
            "latents": [(frames, count) for frames, count in covers if count],
            "pieces": [piece.as_json() for piece in self.pieces],
            "known": None,
            "mask_from": self.mask_from,
            "in_region": self.in_region,
            "text": "; ".join(line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}..." for line in self.said),
            "notes": list(self.notes),
        }
        if self.known is not None:
            packed = pack_known(torch.tensor(self.known, dtype=torch.float64), end_apart=self.end_apart)
            answer["known"] = [(round(value, 3), count) for value, count in _runs(self.known)]
            columns = _runs(map(tuple, packed.T.tolist()))
            answer["columns"] = [([round(value, 3) for value in column], count) for column, count in columns]
            answer["known_mask"] = count_known(self.known)
            answer["concat_mask"] = count_concat(self.known)
        return answer


def _runs(things: Iterable[T]) -> list[tuple[T, int]]:
    return [(thing, sum(1 for _ in run)) for thing, run in groupby(things)]
