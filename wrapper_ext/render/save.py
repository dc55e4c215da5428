"""Clips written behind the sampler's back: while one is coded, the next is sampled."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.writer import NewTake, ReelWriter


class Saver:
    """The chain's clips on disk, in order, one of them perhaps still on its way. Use as a context manager.

    Whatever ends the chain, a cancel too, a clip that was begun is finished first. One clip at a time is written, so no
    more than one is in memory besides the one at hand.
    """

    def __init__(self, writer: ReelWriter) -> None:
        self.writer = writer
        self._takes: list[Take] = []
        self._coming: Future[Take] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="svi-reel")

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.takes()
            else:  # that the clip could not be written either is found out by the next run
                with suppress(SVIError):
                    self.takes()
        finally:
            self._thread.shutdown()

    def takes(self) -> list[Take]:
        """The clips so far, all on disk: waits for the last. Raises SVIError when it could not be written."""
        if self._coming is not None:
            coming, self._coming = self._coming, None
            self._takes.append(coming.result())
        return list(self._takes)

    def keep(self, take: Take) -> None:
        """The next clip is one that the reel has."""
        self.takes()
        self._takes.append(take)

    def add(self, new: NewTake) -> None:
        """The next clip is written from now on."""
        self._coming = self._thread.submit(self.writer.add, new, before=self.takes())
