"""ComfyUI's server, as far as routes go, on a socket."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Mapping
from typing import Any

import pytest


class Server:
    """What it answers to requests; "OWN" in a header stands for its own address."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        web = pytest.importorskip("aiohttp.web")
        fake: Any = types.ModuleType("server")
        fake.PromptServer = types.SimpleNamespace(instance=types.SimpleNamespace(routes=web.RouteTableDef()))
        monkeypatch.setitem(sys.modules, "server", fake)
        self.instance = fake.PromptServer.instance
        self.routes = self.instance.routes

    def ask(self, *requests: tuple[str, Any, dict[str, str]]) -> list[tuple[int, str]]:
        """requests: path, body (bytes, or an async generator), headers; all at once. Returns status and text."""
        sent = [("POST", path, body, headers) for path, body, headers in requests]
        return [(status, text.decode()) for status, _, text in asyncio.run(self._ask(sent, len(sent)))]

    def get(
        self, *requests: tuple[str, dict[str, str]], at_once: int = 100
    ) -> list[tuple[int, Mapping[str, str], bytes]]:
        """requests: path with its query, as it is sent, and headers. Returns status, headers and body."""
        return asyncio.run(self._ask([("GET", path, None, headers) for path, headers in requests], at_once))

    async def _ask(self, requests: Any, at_once: int) -> list[tuple[int, Mapping[str, str], bytes]]:
        from aiohttp import web
        from aiohttp.test_utils import TestClient, TestServer
        from yarl import URL

        app = web.Application(client_max_size=100 * 2**20)  # as ComfyUI's is
        app.add_routes(self.routes)
        gate = asyncio.Semaphore(at_once)

        async def one(client: Any, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
            own = f"http://{client.host}:{client.port}"
            headers = {key: value.replace("OWN", own) for key, value in headers.items()}
            data = body() if callable(body) else body
            async with gate, client.request(method, URL(path, encoded=True), data=data, headers=headers) as said:
                return said.status, said.headers, await said.read()

        async with TestClient(TestServer(app)) as client:
            return list(await asyncio.gather(*(one(client, *request) for request in requests)))
