"""What is sent to a worker, what comes back, and how that can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError


class RefusedError(SVIError):
    """ComfyUI does not take the graph: no other worker would either."""


class FailedError(SVIError):
    """The graph ran and failed. out_of_memory: whether another card may do it."""

    def __init__(self, message: str, out_of_memory: bool = False) -> None:
        super().__init__(message, out_of_memory)
        self.out_of_memory = out_of_memory

    def __str__(self) -> str:
        return str(self.args[0])


class LostError(SVIError):
    """The worker died, hangs or does not answer: what it made until then may be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One graph for one worker: a whole story, or some clips of one.

    name: of it among all. story: of its video, which its reel is called too. key: equal where the same models are
    loaded. graph: API graph. node: id of its Long Video. only: the clips that are made, as the node takes them; "" for
    a whole story, which joins the video. after: names of jobs that must be done before; anyway: whether it runs too
    when one of them failed, unless that cost workers. makes: takes that it makes at most. images: by name in the graph,
    files to upload.
    """

    name: str
    story: str
    key: str
    graph: Mapping[str, Any] = field(repr=False)
    node: str
    only: str = ""
    after: tuple[str, ...] = ()
    makes: int = 1
    anyway: bool = False
    images: Mapping[str, Path] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A job as it goes to a worker: `reel` is the folder that both see, or its parts where they share no disk."""

    job: Job
    images: Mapping[str, bytes] = field(repr=False)
    reel: Path | Parcel | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A reel on its way between machines: the manifest, and files by name (of those that the other side lacks)."""

    manifest: bytes = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a worker made. made: takes, as the node says. waits: why the chain ends before its story does, "" when it
    does not. reel: see `Sent`. outputs: files of the graph's output nodes, by name, the joined video first. memory_mb:
    the most that was taken of the card, 0 where there is none."""

    made: int
    seconds: float
    reel: Path | Parcel | None
    outputs: Mapping[str, Path | bytes] = field(repr=False)
    waits: str = ""
    memory_mb: int = 0
