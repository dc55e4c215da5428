"""The pack's settings as ComfyUI keeps them, and what they change."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from browser import needs_node
from PIL import Image
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.host import show as host_show
from wanvideo_svi.wrapper_ext.host.settings import preview_width, read_settings, reels_name


def write(folder: Path, text: str) -> None:
    (folder / "user" / "default").mkdir(parents=True, exist_ok=True)
    (folder / "user" / "default" / "comfy.settings.json").write_text(text)


def comfyui(folder: Path) -> Any:
    paths: Any = types.ModuleType("folder_paths")
    for kind in ("input", "output", "temp", "user"):
        setattr(paths, f"get_{kind}_directory", lambda kind=kind: str(folder / kind))
    return mock.patch.dict(sys.modules, folder_paths=paths)


def test_reels_go_where_the_settings_say(tmp_path: Path) -> None:
    with comfyui(tmp_path):
        assert host_files.reels_folder() == tmp_path / "output" / "svi_reels"
        write(tmp_path, json.dumps({"WanVideoSVI.ReelFolder": "My films"}))
        assert host_files.reels_folder() == tmp_path / "output" / "My films"


@pytest.mark.parametrize(
    "name",
    ["..", "a/b", "a\\b", "/a", "C:", ".a", "a.", "a ", "con", "COM1.x", "a\x00", "x" * 200, 5, ["a"], "a:b", "ü" * 70],
)
def test_a_reel_folder_stays_inside_the_output_folder(name: object) -> None:
    with pytest.raises(SVIError, match="Reel folder in ComfyUI's settings must be the name of a folder"):
        reels_name({"WanVideoSVI.ReelFolder": name})


def test_no_name_of_a_reel_folder_is_the_usual_one() -> None:
    assert {reels_name({"WanVideoSVI.ReelFolder": name}) for name in ("", None)} == {"svi_reels"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '{"a": NaN}',
        "[" * 100_000,
        " " * 5_000_000,
        "\ud800".encode("utf-16", "surrogatepass").decode("latin1"),
    ],
)
def test_settings_that_cannot_be_read_are_the_usual_ones(text: str, tmp_path: Path) -> None:
    write(tmp_path, text)
    assert read_settings(tmp_path / "user") == {}


def test_pictures_are_no_wider_than_wanted(tmp_path: Path) -> None:
    with comfyui(tmp_path):
        for width, expected in (
            (None, (800, 200)),
            (400, (400, 100)),
            (2000, (800, 200)),
            (True, (800, 200)),
            ("400", (800, 200)),
        ):
            write(tmp_path, json.dumps({"WanVideoSVI.PreviewWidth": width}))
            (shown,) = host_show.show(Image.new("RGB", (800, 200)), "svi")
            with Image.open(tmp_path / "temp" / shown["filename"]) as picture:
                assert picture.size == expected
    assert preview_width({"WanVideoSVI.PreviewWidth": 10}) == 64
    assert preview_width({"WanVideoSVI.PreviewWidth": -1}) is None


@needs_node
@pytest.mark.parametrize("name", ["settings", "old_graphs", "folded", "widget", "around"])
def test_a_script_of_the_page(name: str) -> None:
    script = Path(__file__).parent / f"{name}.test.mjs"
    done = subprocess.run(
        ["node", "--test", str(script)], capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
