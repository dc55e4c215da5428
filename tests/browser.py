"""The browser that tests drive, if it is there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def has(package: str) -> bool:
    """Whether a package of node's is in one of NODE_PATH's folders."""
    return any((Path(folder) / package).is_dir() for folder in os.environ.get("NODE_PATH", "").split(os.pathsep))


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not there")


def needs_browser(test):  # type: ignore[no-untyped-def]
    """Marks a test that drives a browser."""
    marks = (
        needs_node,
        pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: set CHROMIUM"),
        pytest.mark.skipif(
            not has("playwright-core"), reason="playwright-core is not there: npm install it and set NODE_PATH"
        ),
    )
    for mark in marks:
        test = mark(test)
    return test
