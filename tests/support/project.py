"""Where the project's own files stand, and what its pyproject says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DATA = TESTS / "data"  # what was recorded
PAGES = ROOT / "web" / "docs"
SHARED = ROOT.parent / "shared"  # graphs of others, which tests read where it is there
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
