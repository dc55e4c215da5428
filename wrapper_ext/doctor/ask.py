"""Asks a ComfyUI what it has: its Python runs probe.py."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError

_PROBE = Path(__file__).with_name("probe.py")
# Importing ComfyUI and the wrapper takes 10 to 60 seconds, several times that from a cold disk.
SECONDS = 300.0
_QUIET = {
    "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
    # Asked whether there is a GPU, PyTorch looks without taking memory of it.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}  # fmt: skip


def check_comfyui(folder: Path) -> Path:
    """The absolute folder. Raises SVIError when it is no ComfyUI."""
    if _is_comfyui(folder):
        return folder.absolute()
    inside = folder / "ComfyUI"
    hint = (
        f"did you mean {inside}?" if _is_comfyui(inside) else "name the folder that ComfyUI was cloned or unpacked to"
    )
    raise SVIError(f"--comfyui must be ComfyUI's folder, with main.py and comfy in it; {folder} is not: {hint}")


def _is_comfyui(folder: Path) -> bool:
    return (folder / "main.py").is_file() and (folder / "comfy").is_dir()


def check_wrapper(folder: Path) -> Path:
    """The absolute folder. Raises SVIError when no pack is there."""
    if not (folder / "__init__.py").is_file():
        raise SVIError(f"--wrapper must be the folder of ComfyUI-WanVideoWrapper; {folder} has no __init__.py")
    return folder.absolute()


def find_python(comfyui: Path, named: str | None) -> str:
    """ComfyUI's Python: `named`, COMFYUI_PYTHON, a venv inside or beside, python_embeded there, or this one.

    Raises SVIError when the one that is named is not there.
    """
    if named := named or os.environ.get("COMFYUI_PYTHON"):
        if (found := shutil.which(named)) is None:
            raise SVIError(f"there is no Python {named}: name the program that runs ComfyUI, or leave --python out")
        return str(Path(found).absolute())
    return next((str(python) for python in _pythons(comfyui) if python.is_file()), sys.executable)


def _pythons(comfyui: Path) -> Iterator[Path]:
    for place, venv in itertools.product((comfyui, comfyui.parent), ("venv", ".venv")):
        yield place / venv / "bin" / "python"
        yield place / venv / "Scripts" / "python.exe"
    for place in (comfyui.parent, comfyui):
        yield place / "python_embeded" / "python.exe"  # spelt so in the portable ComfyUI for Windows


def ask(
    comfyui: Path,
    wrapper: Path | None,
    python: str,
    *,
    nodes: list[str],
    packages: Mapping[str, str],
    files: Mapping[str, list[str]],
    seconds: float,
) -> dict[str, Any]:
    """What `probe.examine` answers. Raises SVIError when no answer came, or not within `seconds`."""
    request = {
        "comfyui": str(comfyui), "wrapper": wrapper and str(wrapper),
        "nodes": nodes, "packages": packages, "files": files,
    }  # fmt: skip
    try:
        with tempfile.TemporaryDirectory() as elsewhere:
            done = subprocess.run(
                [python, str(_PROBE), json.dumps(request)], capture_output=True, timeout=seconds, cwd=elsewhere,
                stdin=subprocess.DEVNULL, env={**os.environ, **_QUIET}, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise SVIError(
            f"ComfyUI was not imported within {seconds:g} s: {_last_line(error.stderr)}. Start it once as usual to see "
            "where it hangs, or give it longer with --timeout"
        ) from error
    except OSError as error:
        raise SVIError(f"{python} cannot be run ({error.strerror}): name ComfyUI's Python with --python") from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise SVIError(
            f"{python} ended with code {done.returncode} while it imported ComfyUI: {_last_line(done.stderr)}. Is it "
            "the Python that runs this ComfyUI? Name that with --python"
        ) from error
    return answer


def _last_line(output: bytes | None) -> str:
    lines = (output or b"").decode(errors="replace").split("\n")
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), "it said nothing")
