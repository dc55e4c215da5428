"""`wanvideo-svi migrate`: existing graphs become graphs of this pack's nodes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..answers.migrate import migrate_value
from ..workflow.model.files import free_name, read_workflow, write_workflow
from .say import say


def add_migrate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    migrate = commands.add_parser(
        "migrate", help="replace the SVI patterns of an existing graph with this pack's nodes"
    )
    migrate.add_argument("file", type=Path, metavar="IN", help="a workflow (.json), or a PNG, WebP or MP4 of ComfyUI")
    migrate.add_argument("-o", "--out", type=Path, metavar="OUT", help="where it goes (default: IN.svi.json beside it)")
    migrate.add_argument(
        "--check", action="store_true", help="change nothing; exit code 1 when there is something to do"
    )
    migrate.add_argument(
        "--as-story", action="store_true", help="make the chain one SVI Long Video, native where its samplers are"
    )
    migrate.add_argument("--report", choices=("text", "json"), default="text", help="how to say it (default text)")


def run_migrate(args: argparse.Namespace) -> int:
    """0 done or nothing to do, 1 (with --check) something to do. Raises SVIError for bad input."""
    value, report = migrate_value(read_workflow(args.file), as_story=args.as_story)
    out = None
    if not args.check and report.changes:
        out = args.out or free_name(args.file)
        write_workflow(value, out, source=args.file)
    if args.report == "json":
        say(json.dumps({**report.as_json(), "out": str(out) if out else None}, indent=2))
    else:
        for line in report.lines():
            say(line)
        if out:
            say(f"written to {out}")
        elif args.out and not args.check:
            say(f"nothing was changed, so {args.out} was not written", error=True)
    return 1 if args.check and report.to_do else 0
