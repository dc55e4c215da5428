"""The browser that tests drive, if it is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def has(package: str) -> bool:
    """Whether a package of node's is in one of NODE_PATH's folders."""
    return any((Path(folder) / package).is_dir() for folder in os.environ.get("NODE_PATH", "").split(os.pathsep))


def drive(script: Path, url: str, *arguments: str, seconds: float) -> dict[str, Any]:
    """What a script of the browser's saw on a page: the JSON of its last line."""
    command = ["node", str(script), url, str(CHROMIUM), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


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
