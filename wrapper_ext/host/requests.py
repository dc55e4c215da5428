"""Requests to this pack's routes: which are refused, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...svi_embeds.errors import SVIError
from . import comfy

_MAX_REQUEST = 32 * 2**20  # bytes; ComfyUI's own limit is 100 MB, for uploads
_READ_SECONDS = 60.0
# A file's address changes when the file does.
_FILE_HEADERS = {
    "Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip


def refusal(headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and reason when a request may come from a page of another site; (200, "") otherwise.

    ComfyUI compares Host and Origin too, but only where it is reached as localhost. A page cannot forge these headers,
    and can send JSON to another site only after asking that site.
    """
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "the request must be JSON, with Content-Type: application/json"
    return refusal_of_site(headers)


def refusal_of_site(headers: Mapping[str, str]) -> tuple[int, str]:
    """The same of a request for a picture or a video, which has no content."""
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    try:
        is_own = urlsplit(origin or "").netloc.lower() == headers.get("Host", "").lower()
    except ValueError:
        is_own = False
    if site is not None:  # what the browser itself says counts, behind a proxy too
        is_own = site in ("same-origin", "none")
    elif origin is None:  # no browser
        is_own = True
    return (200, "") if is_own else (403, "the request is of a page of another site: open ComfyUI's own page")


async def read_text(request: Any) -> tuple[int, str]:
    """(200, the body of a request), or another status and the reason."""
    body = bytearray()

    async def read() -> None:
        async for part in request.content.iter_chunked(2**16):
            body.extend(part)
            if len(body) > _MAX_REQUEST:
                return

    try:
        await asyncio.wait_for(read(), _READ_SECONDS)
    except asyncio.TimeoutError:  # in Python 3.10 no TimeoutError
        return 408, f"the request did not arrive within {_READ_SECONDS:g} s"
    if len(body) > _MAX_REQUEST:
        return 413, f"the request is larger than {_MAX_REQUEST // 2**20} MB, which no workflow is"
    try:
        # In UTF-8, whatever charset the request names: some of them take minutes for a few MB.
        return 200, body.decode("utf-8")
    except UnicodeDecodeError:
        return 400, "the request is not text in UTF-8"


def before_queueing(handler: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Have ComfyUI's server call `handler` with each request to queue a graph, in the task that then checks it."""
    server = comfy.module("server")
    instance = getattr(getattr(server, "PromptServer", None), "instance", None)
    if instance is not None and hasattr(instance, "add_on_prompt_handler"):
        instance.add_on_prompt_handler(handler)


def add_route(path: str, handler: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    """Have ComfyUI's server answer POST requests of JSON: handler takes the body and returns status and JSON.

    Requests of pages of other sites are refused, and those that are too large or do not end. The handler runs in a
    thread, so that the server continues meanwhile, and for one request at a time. Outside ComfyUI nothing happens.
    """
    server = comfy.module("server")
    instance = getattr(getattr(server, "PromptServer", None), "instance", None)
    if instance is None:
        return
    from aiohttp import web

    at_work = asyncio.Lock()

    async def respond(request: Any) -> Any:
        status, said = refusal(request.headers)
        if not said:
            status, said = await read_text(request)
        if status != 200:
            return web.json_response({"error": said}, status=status)
        async with at_work:
            status, answer = await asyncio.to_thread(handler, said)
        return web.json_response(answer, status=status)

    instance.routes.post(path)(respond)


def is_at_work() -> bool:
    """Whether ComfyUI runs a graph at the moment."""
    server = comfy.module("server")
    queue = getattr(getattr(getattr(server, "PromptServer", None), "instance", None), "prompt_queue", None)
    return bool(getattr(queue, "currently_running", None))


def add_file_route(path: str, media_type: str, find: Callable[[Mapping[str, str]], Path]) -> None:
    """Have ComfyUI's server answer GET requests with a file of one media type: find takes the query, and may make the
    file; what it refuses (SVIError) is told as JSON, with status 404.

    Requests of pages of other sites are refused. All such routes share one thread, which gives way to everything else
    where the system lets a thread say so (Linux). Outside ComfyUI nothing happens.
    """
    server = comfy.module("server")
    instance = getattr(getattr(server, "PromptServer", None), "instance", None)
    if instance is None:
        return
    from aiohttp import web

    async def respond(request: Any) -> Any:
        status, said = refusal_of_site(request.headers)
        if said:
            return web.json_response({"error": said}, status=status)
        try:
            file = await asyncio.get_running_loop().run_in_executor(_maker(), _found, find, request.query)
        except SVIError as error:
            return web.json_response({"error": str(error)}, status=404)
        return web.FileResponse(file, headers={"Content-Type": media_type, **_FILE_HEADERS})

    instance.routes.get(path)(respond)


def _found(find: Callable[[Mapping[str, str]], Path], query: Mapping[str, str]) -> Path:
    """What is found, when it is a file: what a browser is told of one that is gone, it would keep for a day."""
    file = find(query)
    if not file.is_file():
        raise SVIError(f"{file.name} is gone, or no file: try again")
    return file


@lru_cache(maxsize=1)
def _maker() -> ThreadPoolExecutor:
    from ...svi_embeds.files.threads import give_way

    return ThreadPoolExecutor(1, thread_name_prefix="svi-previews", initializer=give_way)
