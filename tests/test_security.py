"""What strangers can hand over, and what it comes to: a test per line of docs/security.md."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import check_reel_name
from wanvideo_svi.wrapper_ext import host

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
