"""What the frames of a video in a graph are: numbered, by the clip that they are of.

A repair or a replacement of nodes that cut and join videos is right when these frames say so.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .count import Count

MOST_SPANS = 1024  # a video of more parts is one of unknown frames


class Span(NamedTuple):
    """Frames start..stop (excluded) of a source: of a clip, or of whatever makes images."""

    source: Hashable
    start: Count
    stop: Count

    @property
    def length(self) -> Count:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Video:
    """Frames in the order in which they are shown. length: of all spans."""

    spans: tuple[Span, ...]
    length: Count

    def cut(self, start: Count, stop: Count) -> Video | None:
        """Frames start..stop (excluded). None when only a run can tell which these are, or when there are none."""
        length = self.length
        if (start.sign, (length - stop).sign) == (0, 0):
            return self
        # From whichever end a place is counted: the length of what stands on its other side may be unknown.
        first, last = self._split(start, length), self._split(stop, length)
        if first is None or last is None or (stop - start).sign != 1:
            return None
        (at, inside), (end, outside) = first, last
        found = list(self.spans[at : end + 1])
        if end < len(self.spans):
            found[-1] = found[-1]._replace(stop=found[-1].start + outside)
        found[0] = found[0]._replace(start=found[0].start + inside)
        if (found[0].length.sign, found[-1].length.sign) == (1, 0):
            found.pop()  # it ends where a span begins
        if any(span.length.sign != 1 for span in (found[0], found[-1])):
            return None
        return Video(tuple(found), stop - start)

    def _split(self, place: Count, length: Count) -> tuple[int, Count] | None:
        """In which span a place lies, and how far in; the end of a span is the start of the next."""
        if place == length:
            return len(self.spans), Count()
        # From the nearer end, then from the other: what stands on one side may be of unknown length.
        near_start = (length - place - place).sign == 1
        for walk in (self._from_start, self._from_end) if near_start else (self._from_end, self._from_start):
            found = walk(place, length)
            if found is not None:
                return found
        return None

    def _from_start(self, place: Count, _: Count) -> tuple[int, Count] | None:
        before = Count()
        for index, span in enumerate(self.spans):
            inside = place - before
            lies = (span.length - inside).sign
            if inside.sign is None or lies is None or inside.sign < 0:
                return None
            if lies > 0:
                return index, inside
            before += span.length
        return None

    def _from_end(self, place: Count, length: Count) -> tuple[int, Count] | None:
        after = length
        for index in range(len(self.spans) - 1, -1, -1):
            span = self.spans[index]
            after -= span.length
            inside = place - after
            if inside.sign is None:
                return None
            if inside.sign >= 0:
                return (index, inside) if (span.length - inside).sign == 1 else None
        return None


def whole(source: Hashable, length: Count) -> Video:
    """All frames of a source."""
    return Video((Span(source, Count(), length),), length)


def joined(videos: Iterable[Video]) -> Video | None:
    """One video after the other; None when it has too many parts."""
    spans: list[Span] = []
    length = Count()
    for video in videos:
        first = video.spans[0]
        last = spans[-1] if spans else None
        if last and last.source == first.source and last.stop == first.start:
            spans[-1] = last._replace(stop=first.stop)
            spans += video.spans[1:]
        else:
            spans += video.spans
        length += video.length
        if len(spans) > MOST_SPANS:
            return None
    return Video(tuple(spans), length)
