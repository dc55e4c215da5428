"""Fixtures for all tests."""

from __future__ import annotations

import os

import pytest
from helpers import TraceVAE
from hypothesis import HealthCheck, settings
from wanvideo_svi.wrapper_ext.demo_vae import DemoVAE

# Machines are noisy: a slow draw is no failure. CI draws the same cases every time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture
def trace_vae() -> TraceVAE:
    return TraceVAE()


@pytest.fixture(scope="session")
def wan_vae() -> DemoVAE:
    """The real Wan VAE architecture, small, with seeded random weights."""
    return DemoVAE()
