"""Routes that answer with a file: what they send, in parts too, and what they say when there is none."""

from __future__ import annotations

import json
import threading
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from comfy_server import Server
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import requests as host_requests

DATA = bytes(range(256)) * 40


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "x.jpg").write_bytes(DATA)  # the route says what it is, not the name
    return tmp_path / "x.jpg"


def test_a_file_is_sent_as_the_one_kind_of_the_route(server: Server, file: Path) -> None:
    asked: list[dict[str, str]] = []

    def find(query: Mapping[str, str]) -> Path:
        asked.append(dict(query))
        return file

    host_requests.add_file_route("/x", "video/mp4", find)
    ((status, headers, body),) = server.get(("/x?a=1&b=%2e%2e%2f", {}))
    assert (status, body, asked) == (200, DATA, [{"a": "1", "b": "../"}])
    assert headers["Content-Type"] == "video/mp4"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, max-age=86400, immutable"


@pytest.mark.parametrize(
    ("span", "part", "told"),
    [
        ("bytes=0-1", DATA[:2], "bytes 0-1/10240"), ("bytes=100-", DATA[100:], "bytes 100-10239/10240"),
        ("bytes=-10", DATA[-10:], "bytes 10230-10239/10240"),
    ],
)  # fmt: skip
def test_a_part_is_sent_to_who_asks_for_one(server: Server, file: Path, span: str, part: bytes, told: str) -> None:
    """As browsers do that play a video."""
    host_requests.add_file_route("/x", "video/mp4", lambda _: file)
    ((status, headers, body),) = server.get(("/x", {"Range": span}))
    assert (status, body, headers["Content-Range"], headers["Content-Type"]) == (206, part, told, "video/mp4")


@pytest.mark.parametrize("span", ["bytes=99999-", "bytes=5-1", "x", "bytes=a-b"])
def test_a_part_that_is_not_there_is_no_file(server: Server, file: Path, span: str) -> None:
    host_requests.add_file_route("/x", "video/mp4", lambda _: file)
    ((status, _, body),) = server.get(("/x", {"Range": span}))
    assert (status, body[:20]) in ((416, b""), (416, b"416: Range Not Satisf"[:20]), (200, DATA[:20]))


def test_what_is_refused_is_told_as_json(server: Server) -> None:
    def find(_: Mapping[str, str]) -> Path:
        raise SVIError("there is none")

    host_requests.add_file_route("/x", "video/mp4", find)
    ((status, headers, body),) = server.get(("/x", {}))
    assert (status, json.loads(body)) == (404, {"error": "there is none"})
    assert headers["Content-Type"].startswith("application/json")
    assert "Cache-Control" not in headers  # else a browser would not ask again


def test_a_page_of_another_site_starts_no_work(server: Server) -> None:
    host_requests.add_file_route("/x", "video/mp4", lambda _: pytest.fail("it was looked for"))
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://["}):
        ((status, told, body),) = server.get(("/x", headers))
        assert (status, list(json.loads(body))) == (403, ["error"])
        assert told["Content-Type"].startswith("application/json")


def test_who_sends_no_kind_of_content_is_answered(server: Server, file: Path) -> None:
    """A picture is asked for without one, unlike the routes that take JSON."""
    host_requests.add_file_route("/x", "image/jpeg", lambda _: file)
    for headers in ({}, {"Origin": "OWN"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        ((status, _, body),) = server.get(("/x", headers))
        assert (status, body) == (200, DATA)


def test_all_such_routes_share_one_thread(server: Server, file: Path) -> None:
    seen: list[tuple[str, int]] = []
    at_work = 0

    def find(_: Mapping[str, str]) -> Path:
        nonlocal at_work
        at_work += 1
        seen.append((threading.current_thread().name, at_work))
        at_work -= 1
        return file

    for path in ("/x", "/y"):
        host_requests.add_file_route(path, "video/mp4", find)
    assert [status for status, _, _ in server.get(*[("/x", {}), ("/y", {})] * 5)] == [200] * 10
    assert len({name for name, _ in seen}) == 1
    assert seen[0][0].startswith("svi-previews")
    assert {count for _, count in seen} == {1}


def test_work_begins_and_ends_with_comfyuis_queue(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host_requests.is_at_work() is False  # a server without a queue
    queue: Any = types.SimpleNamespace(currently_running={})
    server.instance.prompt_queue = queue
    assert host_requests.is_at_work() is False
    queue.currently_running[0] = ("a graph",)
    assert host_requests.is_at_work() is True
    monkeypatch.setattr(comfy, "module", lambda _: None)
    assert host_requests.is_at_work() is False
    host_requests.add_file_route("/z", "video/mp4", lambda _: Path())  # outside ComfyUI nothing happens
