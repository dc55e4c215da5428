"""What a worker says to its ComfyUI: files up, a graph in, progress and outputs back."""

from __future__ import annotations

import asyncio
import json
import struct
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from ...svi_embeds.errors import SVIError
from .jobs import FailedError, LostError, RefusedError

_TEXT, _PREVIEW, _PREVIEW_WITH_META = 3, 1, 4  # kinds of binary messages
_IMAGE = {1: ".jpg", 2: ".png"}
_LOOK = 1.0  # seconds between two looks at the process
_HISTORY_SECONDS = 30.0  # the history may come after the message that all is done
_MEMORY_SECONDS = 5.0  # between two looks at the card
_SECONDS = 20.0  # for a short answer
_NO_MEMORY = ("outofmemory", "out of memory", "not enough memory", "alloc_failed")


@dataclass(slots=True)
class Watched:
    """What is told while a graph runs.

    line: what a node says. preview: the picture that it shows, and its suffix. is_alive: whether to go on. hang:
    seconds without progress that count as lost. interrupts: whether a graph that is given up is taken off the server.
    prompt, memory_mb: become its id there, and the most that was taken of the card.
    """

    line: Callable[[str], None]
    preview: Callable[[bytes, str], None]
    is_alive: Callable[[], bool]
    hang: float = 600.0
    interrupts: bool = False
    prompt: str = ""
    memory_mb: int = 0


class Client:
    """A ComfyUI by its address. Each call opens a connection of its own; errors of the connection are LostError."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url, self.headers = url.rstrip("/"), dict(headers or {})

    def get(self, path: str, seconds: float = _SECONDS) -> Any:
        """JSON of an address."""
        return asyncio.run(self._call(lambda session: _json(session, path, seconds)))

    def nodes(self) -> dict[str, Any]:
        """Every node type that it has, as /object_info tells of it."""
        return dict(self.get("/object_info", 300))

    def has_queued(self, prompt: str) -> bool:
        """Whether a graph runs there, or waits for others."""
        queue = self.get("/queue")
        return any(entry[1] == prompt for key in ("queue_running", "queue_pending") for entry in queue.get(key, ()))

    def upload(self, name: str, data: bytes, folder: str = "temp") -> None:
        """An image into its input or temp folder, under this name."""

        async def send(session: aiohttp.ClientSession) -> None:
            form = aiohttp.FormData({"type": folder, "overwrite": "true"})
            form.add_field("image", data, filename=name)
            async with session.post("/upload/image", data=form, timeout=_within(300)) as answer:
                said = (await answer.text())[:200]
                if answer.status >= 500:
                    raise LostError(f"{self.url} takes no image (status {answer.status})")
                if answer.status != 200:
                    raise FailedError(f"ComfyUI took no image {name} (status {answer.status} {said})")

        asyncio.run(self._call(send))

    def view(self, file: Mapping[str, str]) -> bytes:
        """A file of its output folder, as a node's outputs name it."""

        async def load(session: aiohttp.ClientSession) -> bytes:
            async with session.get("/view", params=dict(file), timeout=_within(3600)) as answer:
                if answer.status != 200:
                    raise FailedError(f"ComfyUI does not give {file.get('filename')} (status {answer.status})")
                data: bytes = await answer.read()
                return data

        return bytes(asyncio.run(self._call(load)))

    def run(self, graph: Mapping[str, Any], watched: Watched) -> dict[str, Any]:
        """Run an API graph. Returns its entry in the history, "outputs" by node among it.

        Raises RefusedError, FailedError, or LostError when no progress comes for `watched.hang` seconds.
        """
        return dict(asyncio.run(self._call(lambda session: _follow(session, graph, watched))))

    async def _call(self, work: Callable[[aiohttp.ClientSession], Any]) -> Any:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_SECONDS)
        try:
            async with aiohttp.ClientSession(self.url, timeout=timeout, headers=self.headers) as session:
                return await work(session)
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise LostError(f"{self.url} does not answer ({type(error).__name__} {error})".strip()) from error


def _within(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)


async def _json(session: aiohttp.ClientSession, path: str, seconds: float = _SECONDS) -> Any:
    async with session.get(path, timeout=_within(seconds)) as answer:
        if answer.status != 200:
            raise LostError(f"{path} answers with status {answer.status}")
        return await _value(answer)


async def _value(answer: aiohttp.ClientResponse) -> Any:
    """JSON of an answer. A page of HTML is of a door before the server, not of ComfyUI."""
    try:
        return await answer.json(content_type=None)
    except ValueError as error:
        raise LostError(
            f"{answer.url.path} answers with something that is not JSON (status {answer.status})"
        ) from error


async def _follow(session: aiohttp.ClientSession, graph: Mapping[str, Any], watched: Watched) -> dict[str, Any]:
    listener = _Listener(session, watched)
    try:
        while True:
            async with session.ws_connect("/ws", params={"clientId": listener.client}, max_msg_size=0) as socket:
                watched.prompt = watched.prompt or await _queue(session, graph, listener.client)
                if await listener.listen(socket):
                    return await _history(session, watched.prompt)
            # It was cut: doors of pods do so. The graph runs on.
            if entry := await _past(session, watched.prompt):
                return entry
            await listener.check()
            await asyncio.sleep(_LOOK)
    except (LostError, aiohttp.ClientError, OSError, asyncio.TimeoutError):
        if watched.interrupts and watched.prompt:
            await _take_off(session, watched.prompt)
        raise


class _Listener:
    """Hears what is said of one graph. client: who asks, for ComfyUI."""

    def __init__(self, session: aiohttp.ClientSession, watched: Watched) -> None:
        self.session, self.watched, self.client = session, watched, uuid.uuid4().hex
        self.heard = self.looked = time.monotonic()

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        """Whether the graph is over; False when the connection is."""
        while True:
            try:
                message = await socket.receive(timeout=_LOOK)
            except asyncio.TimeoutError:
                await self.check()
                continue
            if message.type is aiohttp.WSMsgType.BINARY:
                if _binary(message.data, self.watched):
                    self.heard = time.monotonic()
            elif message.type is aiohttp.WSMsgType.TEXT:
                told = json.loads(message.data)
                # Others speak here too: nodes that show the load of the machine, other people's graphs.
                if (told.get("data") or {}).get("prompt_id") == self.watched.prompt:
                    self.heard = time.monotonic()
                    if _is_over(told):
                        return True
            else:
                return False
            await self.check()

    async def check(self) -> None:
        """Raises LostError when there is nothing to wait for any more."""
        now = time.monotonic()
        if not self.watched.is_alive():
            raise LostError("ComfyUI ended while it worked, or was ended")
        if now - self.looked > _MEMORY_SECONDS:
            self.looked = now
            self.watched.memory_mb = max(self.watched.memory_mb, await memory_of(self.session))
        if now - self.heard > self.watched.hang:
            if not await _is_waiting(self.session, self.watched.prompt):
                raise LostError(f"no progress for {self.watched.hang:.0f} s")
            self.heard = now


async def _take_off(session: aiohttp.ClientSession, prompt: str) -> None:
    """A graph that is given up, from a server that goes on with it."""
    for path, body in (("/queue", {"delete": [prompt]}), ("/interrupt", {"prompt_id": prompt})):
        with suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
            async with session.post(path, json=body, timeout=_within(5)):
                pass


async def _queue(session: aiohttp.ClientSession, graph: Mapping[str, Any], client: str) -> str:
    body = {"prompt": graph, "client_id": client}
    async with session.post("/prompt", json=body, timeout=_within(_SECONDS)) as answer:
        told = await _value(answer)
        if answer.status == 200:
            return str(told["prompt_id"])
        if answer.status != 400:
            raise LostError(f"/prompt answers with status {answer.status}")
        raise RefusedError(refusal(told))


def refusal(told: Any) -> str:
    """Why ComfyUI refused a graph, in one line."""
    if not isinstance(told, dict):
        return "ComfyUI refused the graph"
    found = []
    for node in (told.get("node_errors") or {}).values():
        for error in node.get("errors", ()):
            said = " ".join(str(error.get(key) or "") for key in ("message", "details")).strip()
            found.append(f"{node.get('class_type', 'a node')}: {said}")
    error = told.get("error")
    head = error.get("message", "") if isinstance(error, dict) else str(error or "")
    return "; ".join(dict.fromkeys(found)) or f"ComfyUI refused the graph: {head}"


def _is_over(told: Mapping[str, Any]) -> bool:
    """Whether a message of a graph is its last. Raises FailedError when it says what went wrong."""
    if told["type"] == "execution_error":
        raise _failure(told.get("data") or {})
    if told["type"] == "execution_interrupted":
        raise FailedError("it was stopped in ComfyUI")
    return bool(told["type"] == "execution_success")


def _failure(data: Mapping[str, Any]) -> FailedError:
    kind, said = str(data.get("exception_type", "")), str(data.get("exception_message", "")).strip()
    words = f"{kind} {said}".lower()
    return FailedError(f"{data.get('node_type', 'a node')}: {said or kind}", any(sign in words for sign in _NO_MEMORY))


def _binary(data: bytes, watched: Watched) -> bool:
    """Whether a message was of a graph's progress."""
    if len(data) < 8:
        return False
    kind, second = struct.unpack(">II", data[:8])
    if kind == _TEXT:
        watched.line(data[8 + second :].decode(errors="replace"))
    elif kind == _PREVIEW and second in _IMAGE:
        watched.preview(data[8:], _IMAGE[second])
    elif kind == _PREVIEW_WITH_META:
        picture = data[8 + second :]
        watched.preview(picture, ".png" if picture.startswith(b"\x89PNG") else ".jpg")
    return kind in (_TEXT, _PREVIEW, _PREVIEW_WITH_META)


async def _is_waiting(session: aiohttp.ClientSession, prompt: str) -> bool:
    """Whether a graph still waits for others that were queued before it. No answer is no."""
    try:
        queue = await _json(session, "/queue", 5)
    except (LostError, aiohttp.ClientError, OSError, asyncio.TimeoutError):
        return False
    return any(entry[1] == prompt for entry in queue.get("queue_pending", ()))


async def _past(session: aiohttp.ClientSession, prompt: str) -> dict[str, Any] | None:
    """A graph's entry in the history; None while it runs. Raises FailedError when it failed."""
    entry = (await _json(session, f"/history/{prompt}")).get(prompt)
    if not entry:
        return None
    status = entry.get("status") or {}
    if status.get("status_str") == "error":
        raise _failure({key: value for kind, data in status.get("messages", ()) if kind == "execution_error"
                        for key, value in data.items()})  # fmt: skip
    return dict(entry)


async def _history(session: aiohttp.ClientSession, prompt: str) -> dict[str, Any]:
    until = time.monotonic() + _HISTORY_SECONDS
    while time.monotonic() < until:
        if entry := await _past(session, prompt):
            return entry
        await asyncio.sleep(0.1)
    raise LostError("ComfyUI was done and has no history of it")


async def memory_of(session: aiohttp.ClientSession) -> int:
    """MB that are taken of the first card; 0 without one, and while ComfyUI is too busy to say."""
    try:
        async with session.get("/system_stats", timeout=aiohttp.ClientTimeout(total=5)) as answer:
            devices = (await answer.json()).get("devices") or [{}]
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError):
        return 0
    device = devices[0]
    if device.get("type") == "cpu":
        return 0
    return int((device.get("vram_total", 0) - device.get("vram_free", 0)) / 2**20)


def check_address(url: str) -> str:
    """The address of a ComfyUI as given. Raises SVIError for one that is none."""
    if not url.startswith(("http://", "https://")):
        raise SVIError(f"--server must be an address as http://10.0.0.5:8188, got {url[:100]!r}")
    return url.rstrip("/")
