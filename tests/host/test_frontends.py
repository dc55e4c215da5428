"""Which frontend a folder holds, as the page tests name it. Needs no host."""

from __future__ import annotations

from pathlib import Path

from host.comfyui import frontend_version


def test_a_frontend_is_named_by_its_wheel_or_by_the_folder_around_it(tmp_path: Path) -> None:
    unpacked = tmp_path / "newest" / "comfyui_frontend_package" / "static"
    unpacked.mkdir(parents=True)
    assert frontend_version(str(unpacked)) == ""
    (tmp_path / "newest" / "comfyui_frontend_package-1.58.1.dist-info").mkdir()
    assert frontend_version(str(unpacked)) == "1.58.1"
    (tmp_path / "static").symlink_to(unpacked)
    assert frontend_version(str(tmp_path / "static")) == "1.58.1"
    (tmp_path / "v1.27.10" / "static").mkdir(parents=True)
    assert frontend_version(str(tmp_path / "v1.27.10" / "static")) == "1.27.10"
