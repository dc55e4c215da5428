"""Where the programs that stand in for ComfyUI write what they sampled, and what went wrong once; their starts."""

from __future__ import annotations

import multiprocessing
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from copies import CopiedProgram
from farms import COMFYUI
from wanvideo_svi.wrapper_ext.farm import process as farm_process


@pytest.fixture(autouse=True)
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    monkeypatch.setenv("FAKE_COMFY_MARKS", str(folder))
    return folder


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are started from this process are copies of one that has imported torch, where tests are of what
    they render and not of how they start. They are killed, die, log and listen as any other."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return

    def start(command: Sequence[str], *, cwd: Path, **options: Any) -> Any:
        return (CopiedProgram if cwd == COMFYUI else subprocess.Popen)(command, cwd=cwd, **options)

    known = {name: getattr(subprocess, name) for name in ("PIPE", "STDOUT", "TimeoutExpired")}
    monkeypatch.setattr(farm_process, "subprocess", SimpleNamespace(Popen=start, **known))
