"""Reels on disk that several files take."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from desk_reels import write_reel
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reel with a spare take of its second clip, to be copied, or only read."""
    return write_reel(tmp_path_factory.mktemp("kept") / "reel", spare=True).folder


@pytest.fixture
def reel(kept: Path, tmp_path: Path) -> Reel:
    """A copy of it."""
    return open_reel(Path(shutil.copytree(kept, tmp_path / "reel")))
