"""The command `wanvideo-svi`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..svi_embeds.errors import SVIError
from ..svi_embeds.version import VERSION
from ..svi_embeds.words import align
from .cli_doctor import add_doctor, run_doctor
from .cli_drift import add_drift, run_drift
from .cli_migrate import add_migrate, run_migrate
from .cli_reel import run_reel
from .cli_say import say


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code: 0 done, 1 a check that found something, 2 bad input."""
    parser = argparse.ArgumentParser(prog="wanvideo-svi", description="Long videos with SVI LoRAs on Wan.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="make a chain's embeds without a GPU, ComfyUI or weights")
    demo.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for embeds and contact sheets")
    source = demo.add_mutually_exclusive_group()
    source.add_argument("--image", type=Path, help="a picture to use as the scene (a slow pan)")
    source.add_argument("--video", type=Path, help="a video to use as the scene")
    demo.add_argument("--frames", type=int, default=81, metavar="N", help="frames of each clip, 4k+1 (default 81)")
    inspect = commands.add_parser("inspect", help="say what a saved embeds file holds, and draw it")
    inspect.add_argument("file", type=Path, metavar="FILE", help="a .safetensors file of SVI Save Embeds or the demo")
    inspect.add_argument("--sheet", type=Path, metavar="PNG", help="where the contact sheet goes (default: beside it)")
    lora = commands.add_parser("lora", help="say what LoRA files are for, from their headers")
    lora.add_argument("files", type=Path, nargs="+", metavar="FILE", help=".safetensors files")
    plan = commands.add_parser("plan", help="show what a story makes: a row per clip")
    plan.add_argument("story", type=Path, metavar="FILE", help="a text file with a story, - for standard input")
    plan.add_argument("--mode", default="film", metavar="MODE", help="of clips that name none (default film)")
    plan.add_argument("--frames", type=int, default=81, metavar="N", help="frames of each clip, 4k+1 (default 81)")
    plan.add_argument("--overlap", type=int, default=0, metavar="N", help="motion frames, 0 for the mode's own")
    plan.add_argument("--seed", type=int, default=0, metavar="N", help="of the first clip (default 0)")
    plan.add_argument("--fps", type=float, default=16.0, metavar="N", help="frames per second (default 16)")
    plan.add_argument("--start-frames", type=int, default=1, metavar="N", help="frames of the start image (default 1)")
    plan.add_argument("--no-first-model", action="store_true", help="there is no model without the SVI LoRA")
    plan.add_argument("--skip-repeated", action="store_true", help="leave out what clip 1 shows of the start image")
    plan.add_argument("--length", type=int, metavar="N", help="frames that repeat=auto fills: of the audio, or poses")
    reel = commands.add_parser("reel", help="list, check, join or clean reels that SVI Long Video left")
    actions = reel.add_subparsers(dest="action", required=True)
    for name, text in (
        ("ls", "list reels, or the clips of one"),
        ("check", "read every byte of a reel; exit code 1 when something is wrong"),
        ("assemble", "join a reel's clips to one video"),
        ("clean", "delete the takes that a reel's chain does not use"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("name", nargs="?" if name == "ls" else None, metavar="NAME", help="a reel, or its folder")
        action.add_argument("--reels", type=Path, metavar="DIR", help="folder of reels (default: that of this ComfyUI)")
        if name == "assemble":
            action.add_argument("--out", type=Path, metavar="FILE", help="the video (default: in the reel's folder)")
            action.add_argument("--format", default="h264", help="h264, h265, ffv1 or prores (default h264)")
            action.add_argument("--quality", type=int, default=85, metavar="N", help="0..100 (default 85)")
            action.add_argument("--fps", type=float, metavar="N", help="frames per second (default: the reel's)")
    add_migrate(commands)
    add_drift(commands)
    add_doctor(commands)
    args = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # Titles of nodes hold what consoles and pipes of Windows cannot show.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    run = {
        "demo": _demo, "inspect": _inspect, "lora": _lora, "plan": _plan, "reel": run_reel, "migrate": run_migrate,
        "drift": run_drift, "doctor": run_doctor,
    }  # fmt: skip
    try:
        return run[args.command](args)
    except SVIError as error:
        say(f"wanvideo-svi: {error}", error=True)
        return 2


def _lora(args: argparse.Namespace) -> int:
    """Every file is answered; the exit code is 2 when one of them could not be read."""
    from ..svi_embeds.lora import describe_lora, read_lora

    failed = False
    for path in args.files:
        say(path)
        try:
            rows = describe_lora(read_lora(path))
        except SVIError as error:
            failed = True
            say(f"wanvideo-svi: {error}", error=True)
            continue
        for head, text in rows:
            say(f"  {head:<14} {text}")
    return 2 if failed else 0


def _plan(args: argparse.Namespace) -> int:
    from ..svi_embeds.chain_plan import plan_chain
    from ..svi_embeds.chain_settings import ChainConnected, ChainSettings

    try:
        text = sys.stdin.read() if str(args.story) == "-" else args.story.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise SVIError(f"{args.story} cannot be read as text: {error}") from error
    settings = ChainSettings(
        mode=args.mode, num_frames=args.frames, overlap_frames=args.overlap, seed=args.seed, fps=args.fps,
        skip_repeated=args.skip_repeated,
    )  # fmt: skip
    connected = ChainConnected(
        start_frames=args.start_frames, first_clip_model=not args.no_first_model, length=args.length
    )
    chain = plan_chain(text, settings, connected)
    for line in align(chain.table()):
        say(line)
    say(chain.describe())
    for note in chain.notes:
        say(f"- {note}")
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from .inspect_file import inspect_file

    for line in inspect_file(args.file, sheet=args.sheet):
        say(line)
    return 0


def _demo(args: argparse.Namespace) -> int:
    # Imported here: they take seconds, and `--help` needs none of them.
    from .demo import CLIPS, TABLE_HEAD, describe_row, plan_demo, run_demo

    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Table
    except ImportError as error:
        raise SVIError(f'the demo needs rich ({error}): pip install -e ".[demo]"') from error

    console = Console()
    rows = plan_demo(args.frames)
    table = Table(*TABLE_HEAD, title="A chain of three clips, in film and in shot mode")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("preparing the scene", total=len(rows))
        for row, clip in run_demo(args.out, image=args.image, video=args.video, num_frames=args.frames):
            if clip is None:
                progress.update(task, description=f"encoding {row.chain} clip {row.index}")
            else:
                progress.advance(task)
                table.add_row(*describe_row(row, clip))
    console.print(table)
    for row in rows[CLIPS - 1 :: CLIPS]:
        console.print(f"{row.chain}: {row.total} frames once stitched, {row.total / 16:.1f} s at 16 fps")
    console.print(f"Embeds (.safetensors) and contact sheets (.png) are in {args.out}", soft_wrap=True)
    return 0
