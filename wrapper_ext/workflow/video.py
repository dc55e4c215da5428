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
    """Frames in the order in which they are shown."""

    spans: tuple[Span, ...]

    @property
    def length(self) -> Count:
        total = Count()
        for span in self.spans:
            total += span.length
        return total

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
        found = []
        for index in range(at, min(end + 1, len(self.spans))):
            span = self.spans[index]
            begin = span.start + inside if index == at else span.start
            finish = span.start + outside if index == end else span.stop
            left = (finish - begin).sign
            if left is None:
                return None
            if left > 0:
                found.append(Span(span.source, begin, finish))
        return Video(tuple(found)) if found else None

    def _split(self, place: Count, length: Count) -> tuple[int, Count] | None:
        """In which span a place lies, and how far in; the end of a span is the start of the next."""
        if place == length:
            return len(self.spans), Count()
        before = Count()
        for index, span in enumerate(self.spans):
            inside = place - before
            lies = (span.length - inside).sign
            if inside.sign is None or lies is None or inside.sign < 0:
                break
            if lies > 0:
                return index, inside
            before += span.length
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
    return Video((Span(source, Count(), length),))


def joined(videos: Iterable[Video]) -> Video | None:
    """One video after the other; None when it has too many parts."""
    spans: list[Span] = []
    for video in videos:
        for span in video.spans:
            last = spans[-1] if spans else None
            if last and last.source == span.source and last.stop == span.start:
                spans[-1] = Span(last.source, last.start, span.stop)
            else:
                spans.append(span)
        if len(spans) > MOST_SPANS:
            return None
    return Video(tuple(spans))
