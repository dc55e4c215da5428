"""`wanvideo-svi doctor` on a real ComfyUI with the wrapper."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from host.comfyui import find_python
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.wrapper_ext.cli.main import main


def doctor(comfyui: Path, wrapper: Path, *more: str) -> int:
    return main(
        ["doctor", "--comfyui", str(comfyui), "--wrapper", str(wrapper), "--python", find_python(comfyui), *more]
    )


def state(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_every_node_works_in_this_host_which_stays_as_it_is(
    host_folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [state(folder) for folder in host_folders]
    code = doctor(*host_folders, "--json", str(tmp_path / "found.json"))
    said = capsys.readouterr().out
    assert code == 0, said
    assert [state(folder) for folder in host_folders] == before
    (works,) = [line for line in said.splitlines() if line.endswith("will work")]
    assert all(node in works for node in NODE_CLASS_MAPPINGS)
    live = json.loads((tmp_path / "found.json").read_text())["host"]["nodes"]
    assert "unipc" in live["WanVideoSampler"]["required"]["scheduler"]["values"]


def test_a_wrapper_that_cannot_be_imported_is_reported(
    host_folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "__init__.py").write_text("import a_package_that_is_not_there\n")
    assert doctor(host_folders[0], tmp_path) == 1
    said = capsys.readouterr()
    assert "No module named 'a_package_that_is_not_there' (__init__.py, line 1)" in said.out
    assert "Traceback" not in said.out + said.err
