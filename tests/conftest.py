"""Fixtures for all tests."""

from __future__ import annotations

import os

# One thread of torch a process, and a process a core: the tensors here are small, and on a busy machine torch's threads
# wait for one another by spinning. Before torch is loaded, so that the processes which tests start have it too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from helpers import TraceVAE
from hypothesis import HealthCheck, settings
from wanvideo_svi.wrapper_ext.demo.vae import DemoVAE

# Machines are noisy: a slow draw is no failure. CI draws the same cases every time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_xdist_auto_num_workers() -> int:
    """How many processes share the tests (`-n 0`: none). A real host is one, with its tests one by one."""
    return 0 if os.environ.get("COMFYUI_DIR") else min(4, os.cpu_count() or 1)


@pytest.fixture
def trace_vae() -> TraceVAE:
    return TraceVAE()


@pytest.fixture(scope="session")
def wan_vae() -> DemoVAE:
    """The real Wan VAE architecture, small, with seeded random weights."""
    return DemoVAE()
