"""The benchmark on a GPU wraps functions of this pack by name: a name that is gone would be found on a lent card."""

from __future__ import annotations

import ast
import importlib

import pytest
from project import ROOT


def _wrapped() -> list[tuple[str, str, str]]:
    """Module, holder and function of each, read from the source, which wants ComfyUI to be imported."""
    source = (ROOT / "bench" / "gpu_nodes" / "__init__.py").read_text(encoding="utf-8")
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "_PACK":
            return [row[:3] for row in ast.literal_eval(statement.value)]
    raise AssertionError("the benchmark has no _PACK")


@pytest.mark.parametrize(("module", "holder", "function"), _wrapped())
def test_what_the_benchmark_wraps_is_there(module: str, holder: str, function: str) -> None:
    home = importlib.import_module(f"wanvideo_svi.{module}")
    assert callable(getattr(getattr(home, holder) if holder else home, function))
