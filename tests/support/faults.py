"""A disk that fails on demand, and what the tests of faults, clocks and kills have in common."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import av
import numpy as np
import torch
from fake_host import FakeHost, Report, job
from helpers import TraceVAE, frames, pixel_clip
from wanvideo_svi.svi_embeds.clips.embeds_file import save_embeds
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.manifest import MANIFEST, Take
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.drift import DriftSoFar
from wanvideo_svi.wrapper_ext.render.run import Rendered

CODES = (errno.ENOSPC, errno.EACCES, errno.EIO)
NEAR = 8.0  # mean difference of 8-bit pixels; frames of another clip differ by 60 and more
UNIQUE = re.compile(r"[0-9a-f]{32}|(?<=_)[0-9a-f]{8}(?=\.)|(?<=_)[0-9a-f]{12}(?=\.)")  # what differs between two runs


class Disk:
    """Sees what is done to files in a folder, and lets one of these operations fail.

    seen: opening to write, writing, fsync, moving and closing, in order. at: index of the one that fails, None for
    none. lasting: those after it fail too, as on a disk that stays full. A write that fails has written its first
    half; a file that fails to close is closed.
    """

    def __init__(self, folder: Path, at: int | None = None, code: int = errno.ENOSPC, *, lasting: bool = False) -> None:
        self.folder, self.at, self.code, self.lasting = str(folder), at, code, lasting
        self.seen: list[str] = []
        self._paths: dict[int, str] = {}  # of open files

    def step(self, what: str, path: str) -> None:
        """One operation. Raises OSError where it is to fail."""
        index = len(self.seen)
        self.seen.append(f"{what} {UNIQUE.sub('*', Path(path).name)}")
        if self.at is not None and (index == self.at or (self.lasting and index > self.at)):
            raise OSError(self.code, os.strerror(self.code))

    def inside(self, path: Any) -> bool:
        return not isinstance(path, int) and os.fspath(path).startswith(self.folder)

    @contextmanager
    def watching(self) -> Iterator[Disk]:
        """While it lasts, what Python does to files goes through here."""
        of_os = {name: self._wrap(getattr(os, name), name) for name in ("fsync", "write", "close")}
        moves = {name: self._wrap_move(getattr(os, name)) for name in ("replace", "rename")}
        opened = self._wrap_open(io.open)
        with (
            mock.patch.multiple(os, open=self._wrap_os_open(os.open), **of_os, **moves),
            mock.patch.object(io, "open", opened),
            mock.patch.object(builtins, "open", opened),
        ):
            yield self

    def _wrap(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapped(handle: int, *args: Any) -> Any:
            path = self._paths.get(handle)
            if name == "close":
                self._paths.pop(handle, None)
                real(handle)
            if path is not None:
                self.step(name, path)
            return None if name == "close" else real(handle, *args)

        return wrapped

    def _wrap_move(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(source: Any, target: Any, **options: Any) -> None:
            if self.inside(target):
                self.step("move to", os.fspath(target))
            real(source, target, **options)

        return wrapped

    def _wrap_os_open(self, real: Callable[..., int]) -> Callable[..., int]:
        def wrapped(path: Any, flags: int, *args: Any, **options: Any) -> int:
            if not self.inside(path):
                return real(path, flags, *args, **options)
            self.step("open", os.fspath(path))
            handle = real(path, flags, *args, **options)
            self._paths[handle] = os.fspath(path)
            return handle

        return wrapped

    def _wrap_open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if not self.inside(file) or not set(mode) & set("wxa+"):
                return real(file, mode, *args, **options)
            self.step("open", os.fspath(file))
            raw = _Raw(self, os.fspath(file), mode.replace("b", "").replace("t", ""))
            self._paths[raw.fileno()] = raw.path
            buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding=options.get("encoding"))

        return wrapped


class _Raw(io.FileIO):
    """A file below Python's buffers."""

    def __init__(self, disk: Disk, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self.disk, self.path = disk, path

    def write(self, data: Any) -> int:
        try:
            self.disk.step("write", self.path)
        except OSError:
            super().write(memoryview(data)[: len(data) // 2])
            raise
        return super().write(data) or 0

    def close(self) -> None:
        if not self.closed:
            self.disk._paths.pop(self.fileno(), None)
            super().close()
            self.disk.step("close", self.path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """While it lasts, as a user who is not root: root writes everywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but locks, by its name in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"
    }  # fmt: skip


def same_but_names(files: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """Files with what two runs never have in common taken out: the unique part of names, times in a manifest."""
    plain = []
    for name, data in files.items():
        if name.endswith(MANIFEST):
            told = json.loads(data)
            for take in told["takes"]:
                take["seconds"] = 0
                for part in ("video", "tail"):
                    take[part]["time"] = 0
                    take[part]["name"] = UNIQUE.sub("*", take[part]["name"])
            data = json.dumps(told).encode()
        plain.append((UNIQUE.sub("*", name), data))
    return sorted(plain)


def differing(found: list[tuple[str, bytes]], wanted: list[tuple[str, bytes]]) -> list[str]:
    """Names of the files that one has otherwise than the other, or alone: no more, so that a failure is short."""
    one, other = dict(found), dict(wanted)
    return sorted(name for name in one.keys() | other.keys() if not alike(one.get(name), other.get(name)))


def alike(one: bytes | None, other: bytes | None) -> bool:
    """Whether two files are the same. Of a codec with loss only that both show the same: the same frames give other
    bytes, and other pixels, on another run (libx264's lookahead, PyAV 18.1, on processors with AVX-512)."""
    if one == other or one is None or other is None or b"ftyp" not in one[:12] or b"ftyp" not in other[:12]:
        return one == other
    first, second = _pictures(one), _pictures(other)
    return first.shape == second.shape and float(np.abs(first - second).mean()) < NEAR


def _pictures(video: bytes) -> np.ndarray[Any, Any]:
    """The frames of a whole video, F H W 3; none of one that is damaged."""
    try:
        with av.open(io.BytesIO(video)) as container:
            return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(float)
    except (av.error.FFmpegError, IndexError, ValueError):
        return np.empty(0)


# What is rendered and saved


class FlatHost(FakeHost):
    """Its clips are of one colour each: small files, few writes."""

    def WanVideoDecode(self, **inputs: Any) -> tuple[torch.Tensor]:
        images = super().WanVideoDecode(**inputs)[0]
        return (images.mean().expand_as(images),)


def render(folder: Path, host: FakeHost | None = None) -> Rendered:
    """A chain of two clips into the reel `r`, without the picture of its drift, which takes longest to make."""
    with ReelWriter(folder / "r", fps=16) as writer, mock.patch.object(DriftSoFar, "picture", return_value=None):
        return render_chain(job("a lake\n---\na boat"), writer, host or FlatHost(), Report(), resume=True)


def embeds(seed: int = 0) -> Any:
    return pixel_clip(
        TraceVAE(), mode="shot", width=64, height=64, num_frames=5, start_image=frames(5, seed=seed),
        ref_image=frames(seed=1),
    ).embeds  # fmt: skip


# What processes do that are killed, or two at once. said: tells the test how far it is.

BEGUN = "begun"


def render_and_tell(folder: Path, said: Connection) -> None:
    """Tells the digest of each clip that is committed, at the end what was wrong or nothing."""
    add = ReelWriter.add

    def add_and_tell(self: ReelWriter, *args: Any, **facts: Any) -> Take:
        take = add(self, *args, **facts)
        said.send(take.digest)
        return take

    with mock.patch.object(ReelWriter, "add", add_and_tell):
        said.send(BEGUN)
        try:
            render(folder)
        except SVIError as error:
            said.send(str(error))


def save_and_tell(folder: Path, said: Connection, seeds: tuple[int, ...], times: int) -> None:
    """Saves one embeds after another to one name. Tells the number of each that is saved."""
    made = [embeds(seed) for seed in seeds]
    said.send(BEGUN)
    for number in range(times):
        save_embeds(made[number % len(made)], folder / "e.safetensors")
        said.send(number)
