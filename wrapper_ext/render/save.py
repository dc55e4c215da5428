"""Clips written behind the sampler's back: while one is coded, the next is sampled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.writer import NewTake, ReelWriter

_LONGEST = 5.0  # seconds that a finished clip may wait: a killed process loses it until then


class Saver:
    """The chain's clips on disk, in order, a take of one perhaps still on its way. Use as a context manager.

    Whatever ends the chain, a cancel too, a take that was begun is finished first. One at a time is written, so no more
    than one is in memory besides the current one. What was added waits for `begin`, so that the next clip is prepared
    on a quiet processor: it is prepared twice as slowly while another is coded.
    """

    def __init__(self, writer: ReelWriter, *, keeps_chain: bool = False) -> None:
        """keeps_chain: whether the reel's chain stays as it is; what is written is spare then."""
        self.writer, self.keeps_chain = writer, keeps_chain
        self._chain: dict[int, str] = {}  # digests, by the clip's index
        self._made: dict[str, Take] = {}
        self._coming: Future[Take] | None = None
        self._may = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="svi-reel")

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._wait()
            else:  # that the take could not be written either is found out by the next run
                with suppress(Exception):
                    self._wait()
        finally:
            self.begin()
            self._thread.shutdown()

    def begin(self) -> None:
        """What was added is written from now on, if not yet."""
        self._may.set()

    def _wait(self) -> None:
        if self._coming is not None:
            self.begin()
            coming, self._coming = self._coming, None
            coming.result()

    def takes(self) -> list[Take]:
        """The clips so far, all on disk: waits for the last. Raises SVIError when it could not be written."""
        self._wait()
        return [self._made[digest] for digest in self._chain.values()]

    def settled(self) -> list[Take]:
        """The clips so far that are on the disk, the first ones of the chain; waits for none."""
        found = []
        for digest in list(self._chain.values()):
            if digest not in self._made:
                break
            found.append(self._made[digest])
        return found

    def take_of(self, clip: int) -> Take:
        """The take that the chain goes on from, of a clip by its index; as `takes`."""
        self._wait()
        return self._made[self._chain[clip]]

    def digest_of(self, clip: int) -> str:
        """Of the take that the chain goes on from, of a clip by its index."""
        return self._chain[clip]

    def keep(self, take: Take) -> None:
        """A take of the next clip is one that the reel has."""
        self._wait()
        self._made[take.digest] = take

    def add(self, new: NewTake, told: Callable[[NewTake], NewTake] | None = None) -> None:
        """A take of the next clip is to be written. told: gives it what takes time to tell of it, then."""
        before = self.takes()
        self._may.clear()

        def write() -> Take:
            self._may.wait(_LONGEST)
            take = self.writer.add(told(new) if told else new, before=None if self.keeps_chain else before)
            self._made[take.digest] = take
            return take

        self._coming = self._thread.submit(write)

    def later(self, work: Callable[[], None]) -> None:
        """Something is done when what was added is written. Nobody waits for it, and what it raises is lost."""
        self._thread.submit(work)

    def go_on(self, clip: int, digest: str) -> None:
        """The next clip, by its index, is this one of its takes."""
        self._chain[clip] = digest
