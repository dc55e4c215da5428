"""Fixtures for all tests."""

from __future__ import annotations

import os

# One thread of torch a process, and a process a core: the tensors here are small, and on a busy machine torch's threads
# wait for one another by spinning. Before torch is loaded, so that the processes which tests start have it too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest
from fake_host import FakeHost
from helpers import TraceVAE
from hypothesis import HealthCheck, settings
from wanvideo_svi.wrapper_ext.demo.vae import DemoVAE
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.host import show as host_show
from wanvideo_svi.wrapper_ext.render import long_video

# Machines are noisy: a slow draw is no failure. CI draws the same cases every time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_xdist_auto_num_workers() -> int:
    """How many processes share the tests (`-n 0`: none). A real host is one, with its tests one by one.

    One more than there are cores: where the tests are of batches, they wait for other processes, or for time to pass.
    """
    return 0 if os.environ.get("COMFYUI_DIR") else min(4, (os.cpu_count() or 1) + 1)


@pytest.fixture
def trace_vae() -> TraceVAE:
    return TraceVAE()


@pytest.fixture(scope="session")
def wan_vae() -> DemoVAE:
    """The real Wan VAE architecture, small, with seeded random weights."""
    return DemoVAE()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeHost:
    """ComfyUI's part, with output in a folder of the test's own. texts: what was shown on the node."""
    found = FakeHost()
    found.texts = []  # type: ignore[attr-defined]
    monkeypatch.setattr(comfy, "call", found.call)
    monkeypatch.setattr(comfy, "has_wrapper", lambda: True)
    monkeypatch.setattr(host_files, "comfy_folders", lambda: {"output": tmp_path.resolve()})
    monkeypatch.setattr(host_show, "video_from_file", Path)
    monkeypatch.setattr(host_show, "show_text", lambda _, text: found.texts.append(text))  # type: ignore[attr-defined]
    monkeypatch.setattr(long_video, "_left", {})
    return found
