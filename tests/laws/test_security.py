"""What strangers can hand over, and what it comes to: a test per line of docs/reference/security.md."""

from __future__ import annotations

import ast
import asyncio
import gc
import json
import os
import random
import re
import shutil
import struct
import sys
import textwrap
import time
import tracemalloc
import types
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import torch
from comfy_server import Server
from copies import said_by
from desk_reels import write_reel
from helpers import add_take, within
from old_graphs import pixel_chain
from project import ROOT
from safetensors.torch import save_file
from story_node import node as story_node
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.clips.embeds_file import load_embeds
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files import video as clip_video
from wanvideo_svi.svi_embeds.files.header import read_header
from wanvideo_svi.svi_embeds.files.picture import open_picture
from wanvideo_svi.svi_embeds.files.video import read_video, write_video
from wanvideo_svi.svi_embeds.masks.keyframes import parse_keyframes
from wanvideo_svi.svi_embeds.models.lora import describe_lora, read_lora
from wanvideo_svi.svi_embeds.reel import writer as reel_writer
from wanvideo_svi.svi_embeds.reel.reel import check_reel_name, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.holocine import plan_scene
from wanvideo_svi.svi_embeds.story.text import parse_story
from wanvideo_svi.wrapper_ext.answers import desk as desk_answer
from wanvideo_svi.wrapper_ext.answers import plan as plan_answer
from wanvideo_svi.wrapper_ext.answers import reel as story_reel
from wanvideo_svi.wrapper_ext.answers import story as story_answer
from wanvideo_svi.wrapper_ext.answers.migrate import answer, own_nodes
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.host import requests as host_requests
from wanvideo_svi.wrapper_ext.routes import add_routes
from wanvideo_svi.wrapper_ext.workflow.model.files import read_workflow
from wanvideo_svi.wrapper_ext.workflow.model.parse import parse_json

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
                host_files.find_file(text)
    with pytest.raises(SVIError, match="must stay inside ComfyUI's output folder"):
        host_files.new_output_file(name)
    with pytest.raises(SVIError, match="is not in ComfyUI's loras folders"):
        host_files.lora_path(name)
    assert host_files.file_print(f"{name}.safetensors") == ""
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("name", DEVICES)
def test_names_of_windows_devices_are_refused_on_every_system(name: str) -> None:
    with pytest.raises(SVIError, match="leads out of ComfyUI's"):
        host_files.find_file(f"a/{name}")
    with pytest.raises(SVIError, match=r"must stay inside|must end with a name"):
        host_files.new_output_file(f"a/{name}")
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_of_dots_and_slashes_are_plain_characters(name: str, folders: Path) -> None:
    with pytest.raises(SVIError, match="is not there any more"):
        host_files.find_file(name)
    path, _ = host_files.new_output_file(f"b{name}")
    assert path.resolve().is_relative_to(folders / "output")
    with pytest.raises(SVIError, match="reel must be a name"):
        check_reel_name(name)


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("name", ["x\0.safetensors", "x" * 5000, "x" * 10_000_000, "\ud800.safetensors", "a/" * 5000])
def test_names_that_no_disk_can_hold_are_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(SVIError, match=r"not a file name|is not there") as refused:
        host_files.find_file(name)
    assert len(str(refused.value)) < 1000
    with pytest.raises(SVIError):
        host_files.new_output_file(f"{name}/y")
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
            host_files.find_file(name)


def test_links_that_lead_outside_are_not_followed(folders: Path) -> None:
    (folders / "input" / "file").symlink_to(folders / "x")
    (folders / "input" / "folder").symlink_to(folders)
    (folders / "output" / "folder").symlink_to(folders)
    for name in ("file", "folder/x"):
        with pytest.raises(SVIError, match="leads out of ComfyUI's"):
            host_files.find_file(name)
    with pytest.raises(SVIError, match="must stay inside"):
        host_files.new_output_file("folder/y")


def test_every_file_that_is_offered_can_be_chosen(folders: Path) -> None:
    for name in ("a.safetensors", "b ü.safetensors", "con.safetensors", "sub/c.safetensors"):
        path = folders / "input" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    offered = NODE_CLASS_MAPPINGS["WanVideoSVILoadEmbeds"].INPUT_TYPES()["required"]["file"][0]
    assert len(offered) == 3
    assert all(host_files.find_file(name).is_file() for name in offered)


# Requests


@pytest.fixture
def migrating(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server(monkeypatch)
    add_routes()
    return server


MIGRATE, STORY, JSON = "/wanvideo_svi/migrate", "/wanvideo_svi/story", {"Content-Type": "application/json"}
PLAN = "/wanvideo_svi/plan"
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
    monkeypatch.setattr(host_requests, "_READ_SECONDS", 0.2)

    async def slow() -> Any:
        yield b"{"
        await asyncio.sleep(30)
        yield b"}"

    ((status, said),) = migrating.ask((MIGRATE, slow, JSON))
    assert status == 408
    assert "did not arrive" in json.loads(said)["error"]


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
    host_requests.add_route("/x", handler)
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


def test_the_plan_route_is_bounded(migrating: Server, folders: Path) -> None:
    (folders / "input" / "private_name.safetensors").write_text("private text")

    def ask(*plans: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with within(20):
            ((status, said),) = migrating.ask((PLAN, json.dumps({"plans": plans}).encode(), JSON))
        assert len(said) < 8 * 2**20
        assert "private" not in said
        return status, json.loads(said)

    def film(**values: Any) -> dict[str, Any]:
        return {"node": "WanVideoSVIEmbeds", "values": values, "connected": {"start_image": "", "keyframe_images": ""}}

    status, said = ask(*[film(num_frames=10_001)] * 64)
    assert (status, len(said["plans"])) == (200, 64)
    assert ask(*[film()] * 65)[0] == 400
    for value in (10_005, 2**70, -(2**70)):
        assert len(json.dumps(ask(film(num_frames=value))[1])) < 3000
    for keyframes in ("0-1000000000", ",".join(map(str, range(10, 9000, 2))), "1," * 500_000, "x" * 900_000):
        (plan,) = ask(film(mode="fun_inp", num_frames=10_001, keyframes=keyframes))[1]["plans"]
        assert len(plan.get("error") or plan.get("beyond") or "") in range(1, 2100)
    for body in (b'{"plans": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"plans": [NaN]}'):
        ((status, text),) = migrating.ask((PLAN, body, JSON))
        assert status == 400
        assert len(text) < 500
    assert plan_answer.answer(" " * (5 * 2**20))[0] == 400
    ((status, _),) = migrating.ask((PLAN, b'{"plans": []}', {**JSON, "Origin": "http://evil.example"}))
    assert status == 403


def asks_story(**values: Any) -> bytes:
    """A request for the plan of a node that is set to these values."""
    return json.dumps({"nodes": [story_node(**values)]}).encode()


@pytest.mark.parametrize("name", [*OUTSIDE, *DEVICES, *LOOKALIKES, "", "a\0", "x" * 500])
def test_the_story_route_looks_into_no_folder_but_the_reel(
    migrating: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_files, "reels_folder", lambda: pytest.fail(f"a folder was looked for: {name}"))
    ((status, said),) = migrating.ask((STORY, asks_story(reel=name), JSON))
    assert status == 200
    assert "reel must be a name" in json.loads(said)["answers"][0]["error"]["message"]


def test_of_a_reel_the_story_route_tells_a_summary_alone(migrating: Server, folders: Path) -> None:
    folder = folders / "output" / "svi_reels" / "theirs"
    images = torch.zeros(9, 16, 16, 3)
    with ReelWriter(folder, fps=16) as writer:
        add_take(writer, "9f" * 32, images, before=[], overlap=0, tail=images[-5:].clone(),
                   prompt="private prompt", seed=987654321, mode="private_mode", seconds=1.0)  # fmt: skip
    chain = open_reel(folder).chain
    (folder / "private_notes.txt").write_text("private")
    (folder / f"theirs_{chain}_16fps.mp4").write_bytes(b"private")
    before = sorted(path.name for path in folder.iterdir())
    ((status, said),) = migrating.ask((STORY, asks_story(reel="theirs"), JSON))
    assert status == 200
    reel = json.loads(said)["answers"][0]["reel"]
    video = {"filename": f"theirs_{chain}_16fps.mp4", "subfolder": "svi_reels/theirs", "type": "output"}
    assert reel == {
        "folder": "output/svi_reels/theirs", "clips": 1, "trouble": "", "video": video, "is_current": True,
        "now": None,
    }  # fmt: skip
    assert "private" not in said
    assert "987654321" not in said
    assert "9f9f" not in json.dumps({**json.loads(said)["answers"][0]["reel"], "video": None})
    assert sorted(path.name for path in folder.iterdir()) == before
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["takes"][0]["seed"] = "private"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    ((_, said),) = migrating.ask((STORY, asks_story(reel="theirs"), JSON))
    assert "is damaged" in said
    assert "private" not in said


def test_the_story_route_is_bounded(migrating: Server, folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folders / "output" / "svi_reels" / "big"
    with ReelWriter(folder, fps=16):
        pass
    seen = 0

    class Entry:
        name = "big_00000000_16fps.mp4x"

    @contextmanager
    def endless(_: object) -> Iterator[Any]:
        def entries() -> Iterator[Entry]:
            nonlocal seen
            while True:
                seen += 1
                yield Entry()

        yield entries()

    monkeypatch.setattr(story_reel.os, "scandir", endless)
    ((status, _),) = migrating.ask((STORY, asks_story(reel="big"), JSON))
    assert status == 200
    assert 0 < seen <= 20_000
    monkeypatch.undo()
    for body in (b'{"nodes": [' + b"{}," * 100 + b"{}]}", b'{"nodes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
        status, said = story_answer.answer(body.decode())
        assert status == 400
        assert len(said["error"]) < 500


# The desk's requests

DESK = "/wanvideo_svi/desk"
FILES = {f"{DESK}/clip": "video/mp4", f"{DESK}/seam": "video/mp4", f"{DESK}/frame": "image/jpeg"}
OTHER_SITES: list[dict[str, str]] = [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "OWN", "Sec-Fetch-Site": "same-site"}, {"Origin": "OWN", "Sec-Fetch-Site": "cross-site"},
]  # fmt: skip


@pytest.fixture
def theirs(folders: Path) -> Path:
    """A stranger's reel among those of ComfyUI, with a spare take "d", and beside it one that has other takes."""
    for name in ("theirs", "other"):
        folder = write_reel(folders / "output" / "svi_reels" / name, spare=True).folder
        (folder / "private_notes.txt").write_text("secret")
    text = (folder / "manifest.json").read_text()
    for digit in "abcd":
        text = text.replace(digit * 64, ("1" + digit) * 32)
    (folder / "manifest.json").write_text(text)
    return folder.with_name("theirs")


def query(**values: str) -> str:
    return "&".join(f"{name}={quote(value[:500], errors='surrogatepass')}" for name, value in values.items())


TAKES = query(reel="theirs", before="a" * 64, take="b" * 64)


@pytest.mark.parametrize("headers", OTHER_SITES)
def test_the_desk_refuses_other_sites(migrating: Server, theirs: Path, headers: dict[str, str]) -> None:
    before = (theirs / "manifest.json").read_bytes()
    for asked in ({"ask": "reels"}, {"ask": "clean", "reel": "theirs"}):
        ((status, said),) = migrating.ask((DESK, json.dumps(asked).encode(), {**JSON, **headers}))
        assert (status, list(json.loads(said))) == (403, ["error"])
    for path in FILES:
        ((status, told, body),) = migrating.get((f"{path}?{TAKES}", headers))
        assert (status, told["Content-Type"].partition(";")[0]) == (403, "application/json")
        assert "of another site" in json.loads(body)["error"]
    assert (theirs / "manifest.json").read_bytes() == before
    assert not (theirs / "previews").exists()


def test_a_form_deletes_nothing(migrating: Server, theirs: Path) -> None:
    """All that a page of another site can send without asking first: not even a browser that says nothing of it."""
    before = (theirs / "manifest.json").read_bytes()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        for ask in ("clean", "delete"):
            body = json.dumps({"ask": ask, "reel": "theirs", "take": "d" * 64}).encode()
            ((status, _),) = migrating.ask((DESK, body, {"Content-Type": kind}))
            assert status == 415
    assert (theirs / "manifest.json").read_bytes() == before


def test_the_desk_answers_comfyuis_own_page(migrating: Server, theirs: Path) -> None:
    for headers in ({}, {"Origin": "OWN"}, {"Sec-Fetch-Site": "same-origin"}):
        ((status, said),) = migrating.ask((DESK, b'{"ask": "reels"}', {**JSON, **headers}))
        assert (status, len(json.loads(said)["reels"])) == (200, 2)
        for path, kind in FILES.items():
            ((status, told, body),) = migrating.get((f"{path}?{TAKES}", headers))
            assert (status, told["Content-Type"], told["X-Content-Type-Options"]) == (200, kind, "nosniff")
            assert told["Cross-Origin-Resource-Policy"] == "same-origin"
            assert body in {file.read_bytes() for file in (theirs / "previews").iterdir()}


HOSTILE: list[Any] = [
    None, True, 3.5, -1, 0, 1, 2, 2**63, 10**300, -(10**300), 10**4000, 1e308, "", "1", "../x", "../../x",
    "..\\x", "/etc/passwd", "/dev/zero", "C:\\x", "//server/share", "a\0", "\0", "CON", "NUL.x", "\ud800", "\udcff/x",
    "x" * 5000, "9" * 5000, "%2e%2e%2fx", "\u202e", "<script>", "theirs", "other", "a" * 64, "b" * 64, "d" * 64,
    "1a" * 32, "1d" * 32, "manifest.json", "previews", "private_notes.txt", ".lock", [], {}, [[]] * 1000,
    json.loads("[" * 400 + "]" * 400), {"a": {"a": {"a": None}}}, ["theirs"], {"clip": 1, "keys": {"seed": "1"}},
    {"seed": "1"}, {"x" * 5000: "y"}, {"seed": [1]}, {"": None}, {"mend": None}, "[", "]", "---", "[seed=" + "9" * 999,
    "[repeat=100000]\na", "a\n---\n" * 500, "1, 2", "999999", "1," * 3000, "first", "last", "reels", "reel", "edit",
    "delete", "clean", "prompt", "set", "insert", "remove", "branch",
]  # fmt: skip
GOOD_ASKS: list[dict[str, Any]] = [
    {"ask": "reels"}, {"ask": "reel", "reel": "theirs"}, {"ask": "delete", "reel": "theirs", "take": "e" * 64},
    {"ask": "delete", "reel": "theirs", "take": "a" * 64}, {"ask": "clean", "reel": "none"},
    *({"ask": "edit", "story": "a\n---\nb", "mend": "1", "do": do, "clip": 1, "after": 1, "last": 2, "text": "x",
       "keys": {"seed": "1"}, "also": {"clip": 2, "keys": {"cut": True}}}
      for do in ("prompt", "set", "insert", "remove", "branch")),
]  # fmt: skip


def spoilt(good: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A request with one to three of its values gone or otherwise."""
    bad = dict(good)
    for name in chance.sample(sorted(good), min(len(good), chance.randint(1, 3))):
        if chance.random() < 0.2:
            del bad[name]
        else:
            bad[name] = chance.choice(HOSTILE)
    return bad


def state_of(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder but previews and locks, as it is."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*") if path.name not in (".lock", "previews") and path.parent.name != "previews"
    }  # fmt: skip


def check_answer(status: int, kind: str, body: bytes, folders: Path, media: str = "application/json") -> None:
    """An answer is JSON, or a file of the route's one kind, and tells nothing of the machine."""
    assert status in (200, 400, 403, 404, 413, 415), body[:300]
    assert b"Traceback" not in body
    assert b"secret" not in body
    if status == 200 and media != "application/json":
        assert kind == media
        return
    assert kind.partition(";")[0] == "application/json"
    said = json.loads(body, parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
    if status != 200:
        assert list(said) == ["error"]
        assert len(said["error"]) < 1000
    if "could not be written" not in said.get("error", ""):  # which says where
        assert str(folders) not in json.dumps({**said, "path": None})


def test_hostile_questions_of_a_desk_are_answered_with_json(migrating: Server, theirs: Path, folders: Path) -> None:
    chance = random.Random(7)
    asked = [spoilt(chance.choice(GOOD_ASKS), chance) for _ in range(600)]
    asked = [each for each in asked if each.get("ask") != "clean" or each.get("reel") not in ("theirs", "other")]
    bodies = [json.dumps(each).encode() for each in asked]
    bodies += [b"", b"[", b"null", b"\xff", b'{"ask": "edit", "clip": ' + b"[" * 90_000, b'{"ask": NaN}', b'"' * 99]
    before = state_of(folders)
    for (status, text), body in zip(migrating.ask(*((DESK, body, JSON) for body in bodies)), bodies, strict=True):
        assert status != 500, body[:500]
        check_answer(status, "application/json", text.encode(), folders)
    assert state_of(folders) == before
    assert not list(theirs.parent.rglob("previews"))


def test_hostile_questions_for_previews_are_answered_with_json_or_the_preview(
    migrating: Server, theirs: Path, folders: Path
) -> None:
    chance = random.Random(11)
    good = {"reel": "theirs", "before": "a" * 64, "take": "b" * 64, "at": "last"}
    words = [each for each in HOSTILE if isinstance(each, str)]
    asked = []
    for _ in range(400):
        bad = spoilt(good, chance)
        bad = {name: each if isinstance(each, str) else chance.choice(words) for name, each in bad.items()}
        asked.append((chance.choice(sorted(FILES)), query(**bad)))
    asked += [
        (path, each) for path in FILES for each in ("", "?", "reel", "reel=%", "reel=%ED%A0%80", "reel=theirs&" * 50)
    ]
    before = state_of(folders)
    answers = migrating.get(*((f"{path}?{each}", {}) for path, each in asked), at_once=4)
    for (status, told, body), (path, each) in zip(answers, asked, strict=True):
        assert status != 500, each
        check_answer(status, told["Content-Type"], body, folders, FILES[path])
    assert 40 < sum(status == 200 for status, _, _ in answers) < 400
    assert state_of(folders) == before
    made = {file for folder in theirs.parent.rglob("previews") for file in folder.iterdir()}
    assert 0 < len(made) < 20
    assert {body for status, _, body in answers if status == 200} == {file.read_bytes() for file in made}


def test_a_take_of_another_reel_has_no_preview_here(migrating: Server, theirs: Path) -> None:
    for path in FILES:
        ((status, _, body),) = migrating.get((f"{path}?{query(reel='theirs', before='a' * 64, take='1b' * 32)}", {}))
        assert (status, json.loads(body)) == (404, {"error": "reel theirs does not have this take any more"})
    assert not (theirs / "previews").exists()


@pytest.mark.parametrize("text", ["[", "{}", " " * (story_reel.MAX_MANIFEST + 1)])
def test_a_reel_that_cannot_be_read_has_no_previews(migrating: Server, theirs: Path, text: str, folders: Path) -> None:
    (theirs / "manifest.json").write_text(text)
    for path in FILES:
        ((status, told, body),) = migrating.get((f"{path}?{TAKES}", {}))
        assert status == 404
        check_answer(status, told["Content-Type"], body, folders)


def test_requests_at_once_get_what_each_alone_gets(migrating: Server, theirs: Path) -> None:
    paths = [f"{path}?{TAKES}" for path in FILES]
    first = migrating.get(*((path, {}) for path in paths * 4))
    alone = [migrating.get((path, {}))[0] for path in paths]
    assert [(status, body) for status, _, body in first] == [(status, body) for status, _, body in alone] * 4
    assert len(list((theirs / "previews").iterdir())) == len(paths)


def test_a_take_that_goes_while_its_preview_is_made_is_told(
    migrating: Server, theirs: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shutil.copytree(theirs, folders / "whole")

    def drop() -> None:
        with ReelWriter(theirs, fps=16) as writer:
            for take in writer.reel.spare:
                writer.drop(take)

    def clean() -> None:
        with ReelWriter(theirs, fps=16) as writer:
            writer.clean()

    for goes in (drop, clean, lambda: shutil.rmtree(theirs, ignore_errors=True)):
        shutil.rmtree(theirs, ignore_errors=True)
        shutil.copytree(whole, theirs)
        with monkeypatch.context() as patch:
            patch.setattr(desk_answer._Rest, "__call__", lambda _, goes=goes: goes())
            ((status, told, body),) = migrating.get((f"{DESK}/clip?{query(reel='theirs', take='d' * 64)}", {}))
        assert status in (200, 404)
        check_answer(status, told["Content-Type"], body, folders, "video/mp4")
    assert status == 404
    assert not theirs.exists()


def test_a_preview_that_goes_before_it_is_sent_is_told_and_not_kept_by_the_browser(
    migrating: Server, theirs: Path, folders: Path
) -> None:
    """A folder of that name, which a stranger may have put there, is none either."""
    for path in FILES:
        migrating.get((f"{path}?{TAKES}", {}))
    for file in list((theirs / "previews").iterdir()):
        file.unlink()
        file.mkdir()
    for path in FILES:
        ((status, told, body),) = migrating.get((f"{path}?{TAKES}", {}))
        assert (status, told.get("Cache-Control")) == (404, None)
        check_answer(status, told["Content-Type"], body, folders)


LIES: dict[str, Any] = {
    "no tones": {"tones": []}, "three tones": {"tones": [0.1] * 3}, "words": {"tones": ["nan"] * 8},
    "huge": {"contrast": 1e308, "saturation": 1e308, "cast_a": 1e308}, "beyond": {"exposure": 10**400},
    "nan": {"cast_a": "nan", "saturation": "inf"}, "steps": {"typical_step": -1e308, "step_before": 1e308},
}  # fmt: skip


@pytest.mark.parametrize("case", LIES)
def test_figures_of_a_stranger_that_no_picture_has_are_not_shown(case: str, migrating: Server, theirs: Path) -> None:
    found = open_reel(theirs)
    for take in found.clips[1:]:
        look: Any = found.look(take)
        told = look.as_dict()
        for part in (told, told["mean"], told["first"], told["last"]):
            part.update({name: value for name, value in LIES[case].items() if name in part})
        tensors = {"frames": found.tail(take)[0]}
        save_file(tensors, theirs / take.tail.name, metadata={"look": json.dumps(told)})
    story = json.dumps({"nodes": [{**story_node(reel="theirs"), "desk": True}]}).encode()
    asked = ((DESK, b'{"ask": "reel", "reel": "theirs"}', JSON), (STORY, story, JSON))
    for status, said in migrating.ask(*asked):
        assert status == 200
        answer = json.loads(said, parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
        for card in (answer.get("desk") or answer["answers"][0]["desk"])["cards"]:
            assert card["drift"] is None


def test_a_rate_that_makes_endless_seconds_is_refused(migrating: Server, theirs: Path) -> None:
    data = json.loads((theirs / "manifest.json").read_text())
    (theirs / "manifest.json").write_text(json.dumps({**data, "fps": 5e-324}))
    ((status, said),) = migrating.ask((DESK, b'{"ask": "reels"}', JSON))
    answer = json.loads(said, parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
    assert (status, {row["name"]: row["state"] for row in answer["reels"]}) == (
        200, {"other": "whole", "theirs": "damaged"},
    )  # fmt: skip


def test_what_is_quoted_of_a_request_is_a_line() -> None:
    for wrong in (
        "x" * 10**6,
        10**4000,
        int("9" * 4300),
        -(10**4000),
        [[1] * 1000] * 1000,
        json.loads("[" * 300 + "]" * 300),
    ):
        for do, name in (("prompt", "clip"), ("insert", "after"), ("branch", "last"), ("set", "also")):
            asked = {
                "ask": "edit",
                "story": "a\n---\nb",
                "mend": "",
                "do": do,
                "clip": 1,
                "text": "x",
                "keys": {"cut": True},
            }
            value = {"clip": wrong, "keys": {"cut": True}} if name == "also" else wrong
            for text in ("x", ""):
                status, said = desk_answer.answer(json.dumps({**asked, name: value, "text": text}))
                assert status == 400
                assert len(said["error"]) < 300


def test_the_cards_of_a_long_chain_are_bounded() -> None:
    """A request of some KB is a thousand clips with the same long prompt."""
    body = {**story_node(story=f"[repeat=1000]\n{'x' * 20_000}"), "desk": True}
    status, said = story_answer.answer(json.dumps({"nodes": [body]}))
    assert status == 200
    assert len(json.dumps(said)) < 8 * 2**20
    texts = [card["text"] for card in said["answers"][0]["desk"]["cards"]]
    assert texts[0] == "x" * 20_000
    assert texts[-1] is None


def test_the_page_shows_what_graphs_say_as_text_only() -> None:
    own = 'href: new URL("./svi.css", import.meta.url).href'  # the pack's own style sheet
    for path in (ROOT / "web").glob("*.js"):
        text = path.read_text().replace(own, "")
        for banned in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "href",
        ):
            assert banned not in text, f"{banned} in {path.name}"


# Files of tensors


@contextmanager
def at_most(megabytes: float) -> Iterator[None]:
    """Fails when what runs inside has more than that of Python's memory at once."""
    gc.collect()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert peak < megabytes, f"{peak:.0f} MB"


def in_a_process(code: str, *arguments: object, megabytes: int = 300) -> str:
    """What code prints that may take no more address space than that beyond what its imports took.

    In a process of its own, so that memory which libraries in C take counts as well.
    """
    imports = (
        "import resource, sys\nfrom pathlib import Path\nimport torch, av, PIL.Image, numpy\n"
        "from wanvideo_svi.svi_embeds.errors import SVIError\n"
        "from wanvideo_svi.svi_embeds.clips import embeds_file\n"
        "from wanvideo_svi.svi_embeds.files import picture, video\n"
        "from wanvideo_svi.svi_embeds.models import lora\n"
        "from wanvideo_svi.svi_embeds.reel import reel\n"
        "from wanvideo_svi.wrapper_ext.workflow.model import files\n"
        "torch.set_num_threads(1)\n"
        "taken = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        f"most = taken + {megabytes} * 2**20\nresource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
    )
    return said_by(imports + textwrap.dedent(code), *arguments)


def tensors_file(path: Path, header: Any, data: bytes = b"", *, length: int | None = None) -> Path:
    """A file as .safetensors; header: its JSON, as value or bytes; length: what it says of the header's."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(shape: list[Any], begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


LYING_HEADERS: dict[str, tuple[Any, bytes, int | None]] = {
    "length of 2^63": ({}, b"", 2**63),
    "length of 1 TB": ({}, b"", 2**40),
    "longer than the file": ({}, b"", 1000),
    "no length": (b"", b"", None),
    "tensors overlap": ({"a": entry([4], 0, 16), "b": entry([4], 8, 24)}, bytes(24), None),
    "one span twice": ({"a": entry([4], 0, 16), "b": entry([4], 0, 16)}, bytes(16), None),
    "a gap": ({"a": entry([4], 0, 16), "b": entry([4], 32, 48)}, bytes(48), None),
    "out of the file": ({"a": entry([4], 0, 16)}, bytes(8), None),
    "bytes left over": ({"a": entry([4], 0, 16)}, bytes(99), None),
    "offsets turned round": ({"a": entry([0], 16, 0)}, b"", None),
    "a negative offset": ({"a": entry([4], -16, 0)}, b"", None),
    "1e9 x 1e9": ({"a": entry([10**9, 10**9], 0, 16)}, bytes(16), None),
    "sizes that overflow to 16 bytes": ({"a": entry([2**32, 2**32, 4], 0, 16)}, bytes(16), None),
    "nothing, 2^62 times": ({"a": entry([0, 2**62], 0, 0)}, b"", None),
    "negative sizes": ({"a": entry([-2, -2], 0, 16)}, bytes(16), None),
    "true for a size": ({"a": entry([True, 4], 0, 16)}, bytes(16), None),
    "half a size": ({"a": entry([4.0], 0, 16)}, bytes(16), None),
    "too many sizes": ({"a": entry([10**9] * 200_000, 0, 16)}, bytes(16), None),
    "an unknown type": ({"a": entry([4], 0, 16, "float32")}, bytes(16), None),
    "a number for a type": ({"a": entry([4], 0, 16, 32)}, bytes(16), None),
    "one name twice": (b'{"a":%b,"a":%b}' % ((json.dumps(entry([4], 0, 16)).encode(),) * 2), bytes(16), None),
    "nested deep": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"", None),
    "millions of lists": (b'{"a":[' + b"[]," * 5_000_000 + b"[]]}", b"", None),
    "NaN": (b'{"a":NaN}', b"", None),
    "infinite": (b'{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,0]}}', b"", None),
    "no object": ([1], b"", None),
    "metadata of numbers": ({"__metadata__": {"a": 1}}, b"", None),
    "no text": (b"\xff\xfe{}", b"", None),
}


@pytest.mark.parametrize("case", LYING_HEADERS)
def test_headers_that_lie_are_refused_before_anything_is_allocated(case: str, tmp_path: Path) -> None:
    header, data, length = LYING_HEADERS[case]
    path = tensors_file(tmp_path / "x.safetensors", header, data, length=length)
    for read in (read_lora, load_embeds):
        with (
            at_most(64),
            pytest.raises(SVIError, match=r"not a safetensors file|cannot be read as \.safetensors") as said,
        ):
            read(path)
        assert len(str(said.value)) < 1000


def test_a_header_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tensors_file(tmp_path / "x.safetensors", b'{"a":"' + b"x" * 100 * 2**20 + b'"}')
    for read in (read_lora, load_embeds):
        with at_most(1), pytest.raises(SVIError, match="header too large"):
            read(path)


def test_headers_are_read_without_the_memory_that_they_speak_of(tmp_path: Path) -> None:
    """What the libraries in C take is counted too. A sparse file of 1 TB is one that is really there."""
    path = tmp_path / "x.safetensors"
    count = 2**40
    tensors_file(path, {"blocks.0.self_attn.q.lora_A.weight": entry([count // 4], 0, count)})
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + count)
    code = """
        print(lora.read_lora(sys.argv[1]).naming)
        try:
            embeds_file.load_embeds(sys.argv[1])
        except SVIError as error:
            print(error)
    """
    said = in_a_process(code, path, megabytes=200)
    assert "bare layer names" in said
    assert "holds no image_embeds of this pack" in said


def test_a_pipe_or_folder_is_no_file_of_tensors(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        for read in (read_lora, load_embeds):
            with pytest.raises(SVIError, match="it is not a file"):
                read(path)


def test_every_type_that_safetensors_writes_is_read(tmp_path: Path) -> None:
    kinds = [torch.float32, torch.bfloat16, torch.float8_e4m3fn, torch.bool, torch.int64, torch.complex64, torch.uint8]
    made = {f"blocks.{i}.self_attn.q.lora_A.weight": torch.zeros(2, 3).to(kind) for i, kind in enumerate(kinds)}
    save_file({**made, "scalar": torch.zeros(()), "nothing": torch.zeros(0, 4)}, tmp_path / "x.safetensors")
    assert read_header(tmp_path / "x.safetensors").shapes == {
        **dict.fromkeys(made, (2, 3)), "scalar": (), "nothing": (0, 4)
    }  # fmt: skip


@pytest.mark.parametrize("key", ["ss_output_name", "modelspec.title", "name", "title"])
def test_a_title_of_a_megabyte_takes_no_time(key: str, tmp_path: Path) -> None:
    header = {"blocks.0.self_attn.q.lora_A.weight": entry([1, 1], 0, 4), "__metadata__": {key: "svifilm" * 150_000}}
    path = tensors_file(tmp_path / "x.safetensors", header, bytes(4))
    with within(5):
        read_lora(path)


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet__" * 900_000, "diffusion_model." + ".lora_A" * 1_000_000, "blocks." + "9" * 999_999 + ".x.lora_A",
        "transformer." + ".lokr_" * 1_000_000, "lora_unet_" + "blocks_1_" * 900_000 + ".lora_down.weight",
    ],
)  # fmt: skip
def test_names_of_tensors_of_megabytes_take_no_time_and_no_page(name: str, tmp_path: Path) -> None:
    header = {"blocks.0.self_attn.q.lora_A.weight": entry([1, 1], 0, 4), name: entry([1, 1], 4, 8)}
    path = tensors_file(tmp_path / "x.safetensors", header, bytes(8))
    only = tensors_file(tmp_path / "y.safetensors", {name + "!": entry([1, 1], 0, 4)}, bytes(4))
    with within(20):
        assert sum(len(head) + len(text) for head, text in describe_lora(read_lora(path))) < 5000
        with pytest.raises(SVIError, match="is no LoRA") as said:
            read_lora(only)
    assert len(str(said.value)) < 1000


# JSON


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "1e999", '{"a":[-1e400]}', "9" * 5000])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SVIError, match="not a workflow's JSON"):
        parse_json(text)
    assert answer(text)[0] == 400


@pytest.mark.parametrize(
    "text", ["[" + "[]," * 5_000_000 + "0]", "[" + "0," * 5_000_000 + "0]", '{"b":[' + "{}," * 5_000_000 + "0]}"],
    ids=["lists", "numbers", "objects"],
)  # fmt: skip
def test_json_is_counted_before_it_is_built(text: str) -> None:
    with at_most(1), pytest.raises(SVIError, match="more than 4000000 lists, objects and values"):
        parse_json(text)


def test_a_string_of_a_hundred_megabytes_is_not_parsed(tmp_path: Path) -> None:
    text = '{"nodes":[],"x":"' + "x" * 100 * 2**20 + '"}'
    with at_most(1), pytest.raises(SVIError, match="the limit is 32 MB"):
        parse_json(text)
    (tmp_path / "x.json").write_text(text)
    with at_most(1), pytest.raises(SVIError, match="the limit is 32 MB"):
        read_workflow(tmp_path / "x.json")


# Pictures and videos


def png(path: Path, *chunks: tuple[bytes, bytes], width: int = 8, height: int = 8) -> Path:
    """A PNG without pixels that count; chunks: kind and content, before them."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), *chunks, (b"IDAT", zlib.compress(b"")),
             (b"IEND", b"")]  # fmt: skip
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_zip_bomb_in_a_picture_is_not_unpacked(kind: bytes, tmp_path: Path) -> None:
    squeezed = zlib.compress(bytes(200 * 2**20), 9)
    content = b"workflow\0" + (b"\0" if kind == b"zTXt" else b"\1\0\0\0") + squeezed
    path = png(tmp_path / "x.png", (kind, content))
    with at_most(16), pytest.raises(SVIError, match=r"cannot be read|holds no workflow"):
        read_workflow(path)


def test_a_workflow_is_read_without_decoding_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile

    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("the picture was decoded"))
    path = png(tmp_path / "x.png", (b"tEXt", b'workflow\0{"nodes": []}'), width=9000, height=9000)
    assert read_workflow(path) == {"nodes": []}


@pytest.mark.parametrize("content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"P6 9999 9999 255\n"])
def test_pictures_of_other_kinds_are_not_opened(content: bytes, tmp_path: Path) -> None:
    """For PostScript Pillow would run another program."""
    for suffix in (".png", ".jpg"):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(content)
        with pytest.raises(SVIError, match="cannot be read as a picture"):
            open_picture(path)
    with pytest.raises(SVIError, match="is not a picture"):
        read_workflow(tmp_path / "x.png")


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (9000, 9000)])
def test_pictures_of_a_size_that_fills_the_memory_are_refused(size: tuple[int, int], tmp_path: Path) -> None:
    path = png(tmp_path / "x.png", width=size[0], height=size[1])
    with at_most(16), pytest.raises(SVIError, match="pixels"):
        open_picture(path)


def boxes(*kinds: bytes, size: int, content: bytes = b"") -> bytes:
    """MP4 boxes inside each other that all claim `size` bytes."""
    return b"".join(struct.pack(">I", size) + kind for kind in kinds) + content


@pytest.mark.parametrize("size", [0, 7, 2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize(
    "kinds", [(b"moov", b"udta", b"meta", b"ilst"), (b"moov", b"udta", b"\xa9cmt"), (b"moov", b"trak")]
)
def test_boxes_that_lie_about_their_size_take_no_memory(size: int, kinds: tuple[bytes, ...], tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(b"\0\0\0\x14ftypisom\0\0\0\0isom" + boxes(*kinds, size=size, content=b"x" * 100))
    code = """
        try:
            files.read_workflow(Path(sys.argv[1]))
        except SVIError as error:
            print(error)
    """
    assert re.search(r"x\.mp4|JSON", in_a_process(code, path, megabytes=300))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("kind", ["ffconcat", "hls"])
def test_a_playlist_called_video_opens_no_other_file(kind: str, suffix: str, tmp_path: Path) -> None:
    write_video(tmp_path / "other.mkv", [np.zeros((64, 64, 3), np.uint8)] * 2, width=64, height=64, fps=16)
    playlist = tmp_path / f"x{suffix}"
    if kind == "ffconcat":
        playlist.write_text("ffconcat version 1.0\nfile other.mkv\n")
    else:
        playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.mkv\n#EXT-X-ENDLIST\n")
    with pytest.raises(SVIError, match="cannot be read as video"):
        list(read_video(playlist))
    with pytest.raises(SVIError, match="is not a video"):
        read_workflow(playlist)


def test_frames_of_a_size_that_fills_the_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "x.mkv", [np.zeros((64, 64, 3), np.uint8)], width=64, height=64, fps=16)
    assert len(list(read_video(tmp_path / "x.mkv"))) == 1
    monkeypatch.setattr(clip_video, "MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(SVIError, match="cannot be read as video"):
        list(read_video(tmp_path / "x.mkv"))


# Reels


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    """One clip of 9 frames."""
    images = torch.rand(9, 64, 64, 3)
    with ReelWriter(tmp_path / "reel", fps=16) as writer:
        add_take(writer, "a" * 64, images, before=[], overlap=0, tail=images[-5:], prompt="p", seed=0,
                   mode="film", seconds=1)  # fmt: skip
    return tmp_path / "reel"


@pytest.mark.parametrize(
    "change",
    [
        {"frames": 10**9}, {"width": 10**9}, {"height": 0}, {"tail_frames": -1}, {"seed": 10**40}, {"seconds": -1},
        {"mode": "x" * 10_000}, {"digest": "x" * 10_000}, {"frames": "9" * 10**6},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_manifest_with_numbers_or_words_beyond_all_bounds_is_refused(reel: Path, change: dict[str, Any]) -> None:
    data = json.loads((reel / "manifest.json").read_text())
    data["takes"][0].update(change)
    data["chain"] = [data["takes"][0]["digest"]]
    (reel / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(SVIError, match="is damaged or not of this pack") as said:
        open_reel(reel)
    assert len(str(said.value)) < 1000


def test_a_giant_manifest_is_not_read(reel: Path) -> None:
    for text in ("[" + "[]," * 5_000_000 + "0]", '{"a":1,"a":2}', '{"fps":1e999}'):
        (reel / "manifest.json").write_text(text)
        with at_most(64), pytest.raises(SVIError, match="is damaged or not of this pack"):
            open_reel(reel)
    with (reel / "manifest.json").open("wb") as file:
        file.truncate(65 * 2**20)
    with at_most(1), pytest.raises(SVIError, match="too large for a manifest"):
        open_reel(reel)


def test_a_manifest_that_could_not_be_read_again_is_not_written(reel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (reel / "manifest.json").read_bytes()
    monkeypatch.setattr(reel_writer, "MAX_MANIFEST", 500)
    with ReelWriter(reel, fps=24) as writer, pytest.raises(SVIError, match="more than a manifest can hold"):
        writer.set_chain(writer.reel.clips)
    assert (reel / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("part", ["video", "tail"])
def test_a_link_in_a_reel_is_not_followed(part: str, reel: Path) -> None:
    found = open_reel(reel)
    path = reel / getattr(found.clips[0], part).name
    path.rename(reel.parent / "elsewhere")
    path.symlink_to(reel.parent / "elsewhere")
    with pytest.raises(SVIError, match="is a link, which is not followed"):
        list(found.frames()) if part == "video" else found.tail(found.clips[0])
    assert "is a link" in found.problems()[0]
    assert not found.is_whole(found.clips[0])


def test_a_lock_that_is_a_link_empties_no_other_file(reel: Path) -> None:
    mine = reel.parent / "mine.txt"
    mine.write_text("mine")
    (reel / ".lock").unlink(missing_ok=True)
    (reel / ".lock").symlink_to(mine)
    with pytest.raises(SVIError, match="is a link"), ReelWriter(reel, fps=16):
        pass
    assert open_reel(reel).problems() == []
    assert mine.read_text() == "mine"


def test_a_clip_of_another_size_than_the_manifest_says_is_refused(reel: Path) -> None:
    data = json.loads((reel / "manifest.json").read_text())
    data["takes"][0].update(width=128)
    (reel / "manifest.json").write_text(json.dumps(data))
    found = open_reel(reel)
    with pytest.raises(SVIError, match="is 64x64, 128x64 was written"):
        list(found.frames())
    with pytest.raises(SVIError, match="cannot be read"):
        found.tail(found.clips[0])


def test_more_frames_than_the_memory_holds_are_refused_in_a_sentence() -> None:
    with pytest.raises(SVIError, match="do not fit into memory"):
        clip_video.to_images([np.zeros((64, 64, 3), np.uint8)], 10**12)


# Stories and key frames


@pytest.mark.parametrize(
    "story",
    ["a\n---\n" * 300_000, "[" + "x" * 5_000_000 + "=1]\np", "[seed=" + "9" * 5_000_000 + "]\np", "x" * (2**25 + 1),
     "[repeat=100001]\na", "[repeat=60000]\na\n---\n[repeat=60000]\nb"],
    ids=["blocks", "key", "value", "text", "repeat", "repeats"],
)  # fmt: skip
def test_stories_are_bounded(story: str) -> None:
    with within(20), at_most(200), pytest.raises(SVIError) as said:
        parse_story(story)
    assert len(str(said.value)) < 1000


@pytest.mark.parametrize("text", ["0-80," * 100_000 + "0", "0-80,0-80", "0," * 600_000, "9" * 900_000])
def test_key_frames_are_bounded(text: str) -> None:
    with at_most(64), pytest.raises(SVIError) as said:
        parse_keyframes(text, num_frames=81)
    assert len(str(said.value)) < 1000


def test_brackets_without_end_take_no_time() -> None:
    with within(5):
        plan_scene(global_caption="(" * 60_000, shots="a fox\nrain", num_frames=81)
        with pytest.raises(SVIError, match="weighted part"):
            plan_scene(global_caption="(" * 60_000 + "a:1.2)", shots="a fox\nrain", num_frames=81)


# The terminal


def test_what_files_say_does_nothing_to_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = "\x1b[2J\x1b]0;own\x07\r\u202ereel\x9b"
    graph = pixel_chain()
    for node in graph["nodes"]:
        node["title"] = wild
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    story = tmp_path / "story.txt"
    story.write_text(f"a lake {wild}\n---\n[{wild}=1]\na boat")
    monkeypatch.chdir(tmp_path)
    for command in (["migrate", "graph.json"], ["plan", "story.txt"], ["lora", f"no{wild}.safetensors"]):
        main(command)
    story.write_text(f"a lake {wild}")
    assert main(["plan", "story.txt"]) == 0
    said = "".join(capsys.readouterr())
    assert "x1b[2J" in said
    assert not set(said) & set("\x1b\x07\r\x9b\u202e")


# No code


def test_nothing_in_the_tree_reads_pickles_or_runs_text() -> None:
    """Of every module of the pack, its tools and its benchmark: what is imported and called, wherever it stands."""
    banned = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "runpy", "code"}
    folders = ("svi_embeds", "wrapper_ext", "tools", "bench")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    for path in [ROOT / "__init__.py", *paths]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), f"{path.name}:{node.lineno}"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                assert called not in ("torch.load", "np.load", "numpy.load", "os.system"), f"{path.name}:{node.lineno}"
            assert not {name.split(".")[0] for name in names} & banned, f"{path.name}:{node.lineno}"
    assert len(paths) > 100


# The page

PAGE = (ROOT / "docs" / "reference" / "security.md").read_text(encoding="utf-8")
ROWS = [row for row in re.findall(r"^\| .+ \| ([^|]+) \|$", PAGE, re.MULTILINE) if row not in ("shown by", "---")]
NAMED = {name for row in ROWS for name in re.findall(r"`(test_\w+)`", row)}


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_line_of_the_page_names_tests_that_exist() -> None:
    there = set().union(*(functions_of(path) for path in (ROOT / "tests").rglob("test_*.py")))
    assert len(ROWS) > 40
    for row in ROWS:
        names = set(re.findall(r"`(test_\w+)`", row))
        assert names, row
        assert names <= there, names - there


def test_every_test_here_is_on_the_page() -> None:
    own = {name for name in functions_of(Path(__file__)) if name.startswith("test_")}
    assert own - NAMED <= {"test_every_line_of_the_page_names_tests_that_exist", "test_every_test_here_is_on_the_page"}
