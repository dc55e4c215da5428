"""Where the programs that stand in for ComfyUI write what they sampled, and what went wrong once."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    monkeypatch.setenv("FAKE_COMFY_MARKS", str(folder))
    return folder
