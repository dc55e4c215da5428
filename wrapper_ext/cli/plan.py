"""`wanvideo-svi plan`: what a story makes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.words import align
from .say import say


def add_plan(commands: Any) -> None:
    """The command's arguments."""
    plan = commands.add_parser("plan", help="show what a story makes: a row per clip")
    plan.add_argument("story", type=Path, metavar="FILE", help="a text file with a story, - for standard input")
    plan.add_argument("--mode", default="film", metavar="MODE", help="of clips that name none (default film)")
    plan.add_argument("--frames", type=int, default=81, metavar="N", help="frames of each clip, 4k+1 (default 81)")
    plan.add_argument("--overlap", type=int, default=0, metavar="N", help="motion frames, 0 for the mode's own")
    plan.add_argument("--seed", type=int, default=0, metavar="N", help="of the first clip (default 0)")
    plan.add_argument("--fps", type=float, default=16.0, metavar="N", help="frames per second (default 16)")
    plan.add_argument("--start-frames", type=int, default=1, metavar="N", help="frames of the start image (default 1)")
    plan.add_argument("--no-first-model", action="store_true", help="there is no model without the SVI LoRA")
    plan.add_argument("--takes", type=int, default=1, metavar="N", help="of each clip (default 1)")
    plan.add_argument("--mend", default="", metavar="CLIPS", help='made between their neighbours, as "4, 7"')
    plan.add_argument("--skip-repeated", action="store_true", help="leave out what clip 1 shows of the start image")
    plan.add_argument("--length", type=int, metavar="N", help="frames that repeat=auto fills: of the audio, or poses")


def run_plan(args: argparse.Namespace) -> int:
    """A row per clip."""
    from ...svi_embeds.story.plan import plan_chain
    from ...svi_embeds.story.settings import ChainConnected, ChainSettings

    try:
        text = sys.stdin.read() if str(args.story) == "-" else args.story.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise SVIError(f"{args.story} cannot be read as text: {error}") from error
    settings = ChainSettings(
        mode=args.mode, num_frames=args.frames, overlap_frames=args.overlap, seed=args.seed, fps=args.fps,
        skip_repeated=args.skip_repeated, takes=args.takes, mend=args.mend,
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
