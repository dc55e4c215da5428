"""Requests to this pack's routes: which are refused, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_MAX_REQUEST = 32 * 2**20  # bytes; ComfyUI's own limit is 100 MB, for uploads
_READ_SECONDS = 60.0


def refusal(headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and reason when a request may come from a page of another site; (200, "") otherwise.

    ComfyUI compares Host and Origin too, but only where it is reached as localhost. A page cannot forge these headers,
    and can send JSON to another site only after asking that site.
    """
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "the request must be JSON, with Content-Type: application/json"
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
        return 400, "the request is no text in UTF-8"
