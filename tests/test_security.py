"""What strangers can hand over, and what it comes to: a test per line of docs/security.md."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest
from old_graphs import pixel_chain
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import check_reel_name
from wanvideo_svi.wrapper_ext import host
from wanvideo_svi.wrapper_ext.migration import own_nodes
from wanvideo_svi.wrapper_ext.routes import add_routes

ROOT = Path(__file__).resolve().parents[1]

# Names

OUTSIDE = [
    "../x", "a/../../x", "..\\x", "a\\..\\..\\x", ".. /x", ".../x", "/etc/passwd", "\\x", "C:\\x", "c:x", "C:/x",
    "\\\\server\\share\\x", "//server/share/x", "\\\\?\\C:\\x", "\\\\.\\COM1",
]  # fmt: skip
DEVICES = ["CON", "con.txt", "CON.a.b", "COM1", "com1.x", "LPT9.x", "COM¹", "lpt³.x", "NUL ", "aux .x", "CONIN$"]
LOOKALIKES = [
    "\u2025/x",
    "\uff0e\uff0e/x",
    "\u2024\u2024/x",
    "..\u2215x",
    "..\uff0fx",
    "..\uff3cx",
    "%2e%2e/x",
    "..%2fx",
]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's folders (what is used of ComfyUI 0.3.64's folder_paths), and beside them what nobody may read."""
    fake: Any = types.ModuleType("folder_paths")
    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()
        setattr(fake, f"get_{name}_directory", lambda name=name: str(tmp_path / name))

    def get_save_image_path(prefix: str, base: str) -> tuple[str, str, int, str, str]:
        folder = (Path(base) / prefix).parent
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder), Path(prefix).name, 1, str(Path(prefix).parent), prefix

    fake.get_save_image_path = get_save_image_path
    fake.get_filename_list = lambda _: ["private_lora.safetensors"]
    fake.folder_names_and_paths = {"loras": ([str(tmp_path / "input")], {".safetensors"})}
    fake.get_full_path = lambda kind, name: pytest.fail(f"ComfyUI was asked for {name!r} in {kind}")
    monkeypatch.setitem(sys.modules, "folder_paths", fake)
    (tmp_path / "x").write_text("secret")
    return tmp_path


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_outside_are_refused_on_every_system(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (name, f"{name} [output]"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "is_file", lambda self: pytest.fail(f"the disk or network was asked for {self}"))
            with pytest.raises(SVIError, match="leads out of ComfyUI's"):
                host.find_file(text)
    with pytest.raises(SVIError, match="must stay inside ComfyUI's output folder"):
        host.new_output_file(name)
    with pytest.raises(SVIError, match="is not in ComfyUI's loras folders"):
        host.lora_path(name)
    assert host.file_print(f"{name}.safetensors") == ""
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("name", DEVICES)
def test_names_of_windows_devices_are_refused_on_every_system(name: str) -> None:
    with pytest.raises(SVIError, match="leads out of ComfyUI's"):
        host.find_file(f"a/{name}")
    with pytest.raises(SVIError, match=r"must stay inside|must end with a name"):
        host.new_output_file(f"a/{name}")
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_of_dots_and_slashes_are_plain_characters(name: str, folders: Path) -> None:
    with pytest.raises(SVIError, match="is not there any more"):
        host.find_file(name)
    path, _ = host.new_output_file(f"b{name}")
    assert path.resolve().is_relative_to(folders / "output")
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("name", ["x\0.safetensors", "x" * 5000, "x" * 10_000_000, "\ud800.safetensors", "a/" * 5000])
def test_names_that_no_disk_can_hold_are_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(SVIError, match=r"no name of a file|is not there") as refused:
        host.find_file(name)
    assert len(str(refused.value)) < 1000
    with pytest.raises(SVIError):
        host.new_output_file(f"{name}/y")
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


def test_names_with_a_dot_or_blank_at_their_end_are_no_reel() -> None:
    for name in ("a.", "a ", "a. ", "a..", "a .", " a"):
        with pytest.raises(SVIError, match="reel must be a name"):
            check_reel_name(name)


def test_another_case_of_a_folder_is_no_way_out(folders: Path) -> None:
    """On systems that take INPUT for input too, and on those that do not."""
    (folders / "input" / "x.safetensors").write_bytes(b"")
    for name in ("../INPUT/x.safetensors", "../Input/../x", "x [OUTPUT]/../../x"):
        with pytest.raises(SVIError, match="leads out of ComfyUI's"):
            host.find_file(name)


def test_links_that_lead_outside_are_not_followed(folders: Path) -> None:
    (folders / "input" / "file").symlink_to(folders / "x")
    (folders / "input" / "folder").symlink_to(folders)
    (folders / "output" / "folder").symlink_to(folders)
    for name in ("file", "folder/x"):
        with pytest.raises(SVIError, match="leads out of ComfyUI's"):
            host.find_file(name)
    with pytest.raises(SVIError, match="must stay inside"):
        host.new_output_file("folder/y")


def test_every_file_that_is_offered_can_be_chosen(folders: Path) -> None:
    for name in ("a.safetensors", "b ü.safetensors", "con.safetensors", "sub/c.safetensors"):
        path = folders / "input" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    offered = NODE_CLASS_MAPPINGS["WanVideoSVILoadEmbeds"].INPUT_TYPES()["required"]["file"][0]
    assert len(offered) == 3
    assert all(host.find_file(name).is_file() for name in offered)


# Requests


class Server:
    """ComfyUI's server, as far as routes go, on a socket: what it answers to a request."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        web = pytest.importorskip("aiohttp.web")
        fake: Any = types.ModuleType("server")
        fake.PromptServer = types.SimpleNamespace(instance=types.SimpleNamespace(routes=web.RouteTableDef()))
        monkeypatch.setitem(sys.modules, "server", fake)
        self.routes = fake.PromptServer.instance.routes

    def ask(self, *requests: tuple[str, Any, dict[str, str]]) -> list[tuple[int, str]]:
        """requests: path, body (bytes, or an async generator of them), headers; all at once. Returns status and text."""
        return asyncio.run(self._ask(requests))

    async def _ask(self, requests: Any) -> list[tuple[int, str]]:
        from aiohttp import web
        from aiohttp.test_utils import TestClient, TestServer

        app = web.Application(client_max_size=100 * 2**20)  # as ComfyUI's is
        app.add_routes(self.routes)

        async def one(client: Any, path: str, body: Any, headers: dict[str, str]) -> tuple[int, str]:
            said = await client.post(path, data=body() if callable(body) else body, headers=headers)
            return said.status, await said.text()

        async with TestClient(TestServer(app)) as client:
            own = f"http://{client.host}:{client.port}"
            sent = [{key: value.replace("OWN", own) for key, value in headers.items()} for _, _, headers in requests]
            return await asyncio.gather(
                *(one(client, path, body, headers) for (path, body, _), headers in zip(requests, sent, strict=True))
            )


@pytest.fixture
def migrating(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server(monkeypatch)
    add_routes()
    return server


MIGRATE, JSON = "/wanvideo_svi/migrate", {"Content-Type": "application/json"}
GRAPH = json.dumps({"workflow": pixel_chain()}).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_requests_of_other_sites_are_refused(migrating: Server, headers: dict[str, str]) -> None:
    ((status, said),) = migrating.ask((MIGRATE, GRAPH, {**JSON, **headers}))
    assert status == 403
    assert "of another site" in json.loads(said)["error"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
        "text/plain; x=application/json",
    ],
)  # fmt: skip
def test_forms_and_plain_text_are_refused(migrating: Server, kind: str) -> None:
    """All that a page of another site can send without asking first."""
    ((status, said),) = migrating.ask((MIGRATE, GRAPH, {"Content-Type": kind}))
    assert status == 415
    assert "application/json" in json.loads(said)["error"]


@pytest.mark.parametrize("headers", [{}, {"Origin": "OWN"}, {"Origin": "OWN", "Sec-Fetch-Site": "same-origin"}])
def test_requests_of_comfyuis_own_page_are_answered(migrating: Server, headers: dict[str, str]) -> None:
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        ((status, said),) = migrating.ask((MIGRATE, GRAPH, {**headers, "Content-Type": kind}))
        assert status == 200
        assert json.loads(said)["report"]["to_do"] is True


def test_a_request_that_is_too_large_is_refused_before_all_of_it_is_read(migrating: Server) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 400 * 2**20:
            sent += 2**20
            yield b"x" * 2**20

    ((status, said),) = migrating.ask((MIGRATE, endless, JSON))
    assert status == 413
    assert "32 MB" in json.loads(said)["error"]
    assert sent < 80 * 2**20


def test_a_request_that_does_not_end_is_given_up(migrating: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_READ_SECONDS", 0.2)

    async def slow() -> Any:
        yield b"{"
        await asyncio.sleep(30)
        yield b"}"

    began = time.monotonic()
    ((status, said),) = migrating.ask((MIGRATE, slow, JSON))
    assert status == 408
    assert "did not arrive" in json.loads(said)["error"]
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("charset", ["utf-7", "punycode", "unicode_escape", "idna", "zlib", "none-such"])
def test_the_request_does_not_choose_how_it_is_decoded(migrating: Server, charset: str) -> None:
    ((status, _),) = migrating.ask((MIGRATE, GRAPH, {"Content-Type": f"application/json; charset={charset}"}))
    assert status == 200
    ((status, said),) = migrating.ask((MIGRATE, b"\xff\xfe", JSON))
    assert status == 400
    assert "UTF-8" in json.loads(said)["error"]


def test_requests_are_worked_on_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most = 0, 0

    def handler(_: str) -> tuple[int, dict[str, Any]]:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        time.sleep(0.05)
        at_work -= 1
        return 200, {}

    server = Server(monkeypatch)
    host.add_route("/x", handler)
    assert [status for status, _ in server.ask(*[("/x", b"{}", JSON)] * 5)] == [200] * 5
    assert most == 1


def test_the_answer_holds_nothing_that_the_request_did_not(migrating: Server, folders: Path) -> None:
    """No name of a file, and no file: of what lies in ComfyUI's folders and of what the graph names."""
    (folders / "input" / "private_name.safetensors").write_text("private text")
    (folders / "output" / "svi_reels" / "private_reel").mkdir(parents=True)
    (folders / "output" / "svi_reels" / "private_reel" / "manifest.json").write_text("private text")
    graph = pixel_chain()
    graph["nodes"][0]["widgets_values"] = [str(folders / "input" / "private_name.safetensors")]
    own_nodes.cache_clear()
    for asked in ({"workflow": pixel_chain()}, {"workflow": pixel_chain(), "as_story": True}, {"workflow": graph}):
        ((status, said),) = migrating.ask((MIGRATE, json.dumps(asked).encode(), JSON))
        assert status == 200
        assert "private text" not in said
        assert said.count("private") == json.dumps(asked).count("private")
    own_nodes.cache_clear()


def test_the_page_shows_what_graphs_say_as_text_only() -> None:
    for path in (ROOT / "web").glob("*.js"):
        for banned in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "href",
        ):
            assert banned not in path.read_text(), f"{banned} in {path.name}"
