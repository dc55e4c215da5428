"""A worker: a ComfyUI that is kept warm, and what one job needs of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.whole import moved_in
from ...svi_embeds.reel.manifest import MANIFEST, Take
from ...svi_embeds.reel.merge import all_takes, copy_reel, put_manifest, takes_told
from ...svi_embeds.reel.reel import open_reel
from .client import Client, Watched
from .jobs import Job, LostError, Parcel, Result, Sent
from .process import ComfyProcess, Program

REELS = "svi_reels"  # in the output folder, where a node of this pack keeps them when nobody said otherwise
_GIVEN_UP_SECONDS = 10.0  # that a server has to release a graph


class Report(Protocol):
    """Where a worker's progress goes."""

    def line(self, worker: str, line: str) -> None: ...
    def preview(self, worker: str, picture: bytes, suffix: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker is.

    program: how its ComfyUI is started, None for one that runs at `url`. headers: sent to that. base: a folder of the
    worker's own, for what it writes. shares: whether that folder lies where whoever sends the jobs sees it, so that
    files of a reel are handed over by their place. hang: seconds without progress after which it counts as lost.
    """

    program: Program | None = None
    base: Path | None = None
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    shares: bool = True
    hang: float = 600.0


class ComfyWorker:
    """One ComfyUI: started here, or one that runs. Its methods are called one at a time, but `stop`.

    may_go_on: is asked while it waits; a worker that must not counts as lost.
    """

    def __init__(
        self, name: str, settings: WorkerSettings, report: Report, may_go_on: Callable[[], bool] = lambda: True
    ) -> None:
        self.name, self.settings, self.report, self._may_go_on = name, settings, report, may_go_on
        self.base, self.shares, self.url = settings.base, settings.shares, settings.url
        program = settings.program
        self.process = ComfyProcess(program, settings.base) if program is not None and settings.base else None
        self._stopped = threading.Event()
        self._given_up = ""  # a graph that the server may still be at work with

    def ready(self) -> None:
        """Start ComfyUI where it does not run. Raises LostError when it does not answer."""
        if self.process is not None:
            if self.process.is_alive():
                return
            if self.shares and self.base is not None and not self.base.parent.is_dir():
                raise LostError(f"{self.base.parent} is not there: --out must be a folder that all see, or say --store")
            self._say("ComfyUI starts")
            self.process.start(self._goes_on)
            self.url = self.process.url
        else:
            self._client().get("/system_stats")
            self._wait_for_given_up()
        self._say("ready")

    def _wait_for_given_up(self) -> None:
        """Raises LostError when the server goes on with a graph that was given up: all else would wait behind it."""
        until = time.monotonic() + _GIVEN_UP_SECONDS
        while self._given_up and self._client().has_queued(self._given_up):
            if time.monotonic() > until:
                raise LostError("it continues with a graph that was given up, and cannot be interrupted")
            time.sleep(0.5)
        self._given_up = ""

    def nodes(self) -> dict[str, Any]:
        """What its ComfyUI has, as /object_info tells of it."""
        return self._client().nodes()

    def names_of(self, story: str) -> list[str]:
        """Files that it has of a reel, where no disk is shared."""
        folder = self._reel(story)
        return sorted(path.name for path in folder.iterdir()) if folder is not None and folder.is_dir() else []

    def render(self, sent: Sent) -> Result:
        """One job. Raises RefusedError, FailedError or LostError; after the last, `ready` has to be asked again."""
        try:
            return self._render(sent)
        except LostError:
            self._end()
            raise

    def left(self, story: str, known: Collection[str]) -> Parcel | None:
        """What it has of a reel, without the files of these names; None where it has none."""
        folder = self._reel(story)
        if folder is None or not (folder / MANIFEST).is_file():
            return None
        return parcel_of(folder, known)

    def stop(self) -> None:
        """End the current work, and the ComfyUI that was started here, for good; from any thread."""
        self._stopped.set()
        self._end()

    def _end(self) -> None:
        if self.process is not None:
            self.process.stop()

    def _render(self, sent: Sent) -> Result:
        job, client, began = sent.job, self._client(), time.monotonic()
        if self.process is not None and not self.process.is_alive():
            raise LostError("ComfyUI is not there any more")
        folder = self._reel(job.story)
        if folder is not None and isinstance(sent.reel, Path):
            copy_reel(sent.reel, folder)
        elif folder is not None and isinstance(sent.reel, Parcel):
            unpack(sent.reel, folder)
        for name, data in sent.images.items():
            client.upload(name, data)
        watched = Watched(
            line=self._say, preview=self._show, is_alive=self._is_alive, hang=self.settings.hang,
            interrupts=self.process is None,
        )  # fmt: skip
        try:
            entry = client.run(job.graph, watched)
        except LostError as error:
            if self.process is None:
                self._given_up = watched.prompt
            elif self.process.has_ended():
                raise LostError(f"ComfyUI ended while it worked: {self.process.last_words()}") from error
            raise
        outputs = entry.get("outputs") or {}
        told = ((outputs.get(job.node) or {}).get("svi_run") or [{}])[0]
        return Result(
            made=int(told.get("made") or 0), waits=str(told.get("waits") or ""), seconds=time.monotonic() - began,
            memory_mb=watched.memory_mb,
            reel=self._made(folder, sent), outputs={} if job.only else self._outputs(outputs, job, client),
        )  # fmt: skip

    def _made(self, folder: Path | None, sent: Sent) -> Path | Parcel | None:
        """The reel as it is now: its folder, or what the other side lacks of it."""
        if folder is None:
            return None
        if self.shares:
            return folder
        return parcel_of(folder, [file.name for take in _known(sent.reel, folder) for file in (take.video, take.tail)])

    def _outputs(self, outputs: Mapping[str, Any], job: Job, client: Client) -> dict[str, Path | bytes]:
        """Files of the output folder that the graph's nodes told of, those of Long Video first."""
        found: dict[str, Path | bytes] = {}
        for node in sorted(outputs, key=lambda node: node != job.node):
            for entries in outputs[node].values():
                for file in entries if isinstance(entries, list) else ():
                    if isinstance(file, dict) and file.get("type") == "output" and file.get("filename"):
                        asked = {"filename": str(file["filename"]), "subfolder": str(file.get("subfolder") or ""),
                                 "type": "output"}  # fmt: skip
                        name = f"{asked['subfolder']}/{asked['filename']}".lstrip("/")
                        inside = None if self.base is None or not self.shares else self.base / "output" / name
                        found[name] = client.view(asked) if inside is None else inside
        return found

    def _client(self) -> Client:
        return Client(self.url, self.settings.headers)

    def _reel(self, story: str) -> Path | None:
        return None if self.process is None or self.base is None else self.base / "output" / REELS / story

    def _is_alive(self) -> bool:
        return (self.process is None or self.process.is_alive()) and self._goes_on()

    def _goes_on(self) -> bool:
        return not self._stopped.is_set() and self._may_go_on()

    def _say(self, line: str) -> None:
        self.report.line(self.name, line)

    def _show(self, picture: bytes, suffix: str) -> None:
        self.report.preview(self.name, picture, suffix)


def parcel_of(folder: Path, known: Collection[str]) -> Parcel:
    """A reel's manifest, and the files of its takes but those that the other side has."""
    reel = open_reel(folder)
    files = {
        file.name: reel.path(file).read_bytes() for take in all_takes(reel) if reel.has(take)
        for file in (take.video, take.tail) if file.name not in known
    }  # fmt: skip
    return Parcel((folder / MANIFEST).read_bytes(), files)


def _known(reel: Path | Parcel | None, folder: Path) -> tuple[Take, ...]:
    return takes_told(reel.manifest, folder) if isinstance(reel, Parcel) else ()


def unpack(parcel: Parcel, folder: Path) -> None:
    """Put a parcel into a folder, its files as they were written.

    Raises SVIError for a file that its manifest does not name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = {file.name: file for take in takes_told(parcel.manifest, folder) for file in (take.video, take.tail)}
    for name, data in parcel.files.items():
        if name not in told:
            raise SVIError(f"reel {folder.name} came with {name[:80]}, which its manifest does not name")
        with moved_in(folder / name) as (beside,):
            beside.write_bytes(data)
            os.utime(beside, ns=(told[name].time, told[name].time))
    put_manifest(parcel.manifest, folder)
