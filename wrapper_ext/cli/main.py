"""The command `wanvideo-svi`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress

from ...svi_embeds.errors import SVIError
from ...svi_embeds.version import VERSION
from .demo import add_demo, run_demo_command
from .doctor import add_doctor, run_doctor
from .drift import add_drift, run_drift
from .inspect import add_inspect, run_inspect
from .lora import add_lora, run_lora
from .migrate import add_migrate, run_migrate
from .plan import add_plan, run_plan
from .reel import add_reel, run_reel
from .render import add_render, run_render
from .say import say


def make_parser() -> argparse.ArgumentParser:
    """The command with all that it takes."""
    parser = argparse.ArgumentParser(prog="wanvideo-svi", description="Long videos with SVI LoRAs on Wan.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    for add in (
        add_demo, add_inspect, add_lora, add_plan, add_reel, add_render, add_migrate, add_drift, add_doctor,
    ):  # fmt: skip
        add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code: 0 done, 1 a check that found something, 2 bad input."""
    args = make_parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # Titles of nodes hold what consoles and pipes of Windows cannot show.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    run = {
        "demo": run_demo_command, "inspect": run_inspect, "lora": run_lora, "plan": run_plan, "reel": run_reel,
        "render": run_render, "migrate": run_migrate, "drift": run_drift, "doctor": run_doctor,
    }  # fmt: skip
    try:
        return run[args.command](args)
    except SVIError as error:
        say(f"wanvideo-svi: {error}", error=True)
        return 2
