"""`wanvideo-svi doctor`: whether a ComfyUI has what this pack needs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.words import align
from ..doctor.ask import SECONDS, ask, check_comfyui, check_wrapper, find_python
from ..doctor.finding import Finding, worst_first
from ..host.settings import read_settings, reels_name
from .say import say


def add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    doctor = commands.add_parser(
        "doctor", help="say which nodes will work in a ComfyUI, and what it lacks for the rest"
    )
    doctor.add_argument("--comfyui", type=Path, required=True, metavar="DIR", help="ComfyUI's folder")
    doctor.add_argument("--wrapper", type=Path, metavar="DIR", help="the wrapper, if not in ComfyUI's custom_nodes")
    doctor.add_argument("--python", metavar="PY", help="ComfyUI's Python (default: found in or beside its folder)")
    doctor.add_argument("--reels", type=Path, metavar="DIR", help="folder of reels (default: that of this ComfyUI)")
    doctor.add_argument("--json", type=Path, metavar="FILE", help="also write everything that was found, as JSON")
    doctor.add_argument(
        "--timeout", type=float, default=SECONDS, metavar="S", help=f"seconds to wait for ComfyUI (default {SECONDS:g})"
    )


def run_doctor(args: argparse.Namespace) -> int:
    """0 all works, 1 something will not. Raises SVIError when the host could not be examined."""
    from ..doctor.files import disk_finding, lora_findings
    from ..doctor.needs import asked
    from ..doctor.report import findings, packages
    from ..doctor.templates import template_findings, wanted

    comfyui = check_comfyui(args.comfyui)
    wrapper = check_wrapper(args.wrapper) if args.wrapper else None
    python = find_python(comfyui, args.python)
    host = ask(
        comfyui, wrapper, python, nodes=asked(), packages=packages(), files=wanted(), seconds=args.timeout
    )  # fmt: skip
    reels = args.reels or Path(host["output"]) / reels_name(read_settings(comfyui / "user"))
    loras = [] if host["loras"] is None else lora_findings(host["loras"])
    models = [] if host["files"] is None else template_findings(host["files"])
    found = worst_first([*findings(host), *loras, *models, disk_finding(reels)])
    for line in align([(finding.status, finding.topic, finding.text) for finding in found]):
        say(line)
    if args.json:
        _write(args.json, host, found)
    return int(found[0].status == "problem")


def _write(path: Path, host: dict[str, Any], found: list[Finding]) -> None:
    text = json.dumps({"findings": [asdict(finding) for finding in found], "host": host}, indent=1)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise SVIError(f"{path} cannot be written: {error.strerror or error}") from error
    say(f"written to {path}")
