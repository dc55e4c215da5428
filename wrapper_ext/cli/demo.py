"""`wanvideo-svi demo`: a chain's embeds without a GPU, ComfyUI or weights."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from .say import say


def add_demo(commands: Any) -> None:
    """The command's arguments."""
    demo = commands.add_parser("demo", help="make a chain's embeds without a GPU, ComfyUI or weights")
    demo.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for embeds and contact sheets")
    source = demo.add_mutually_exclusive_group()
    source.add_argument("--image", type=Path, help="a picture to use as the scene (a slow pan)")
    source.add_argument("--video", type=Path, help="a video to use as the scene")
    demo.add_argument(
        "--frames", type=int, default=17, metavar="N",
        help="frames of each clip, 4k+1: 17 (the default) are done in seconds, 81 are those of a real clip",
    )  # fmt: skip


def run_demo_command(args: argparse.Namespace) -> int:
    """Embeds and contact sheets of a chain, and the pictures of a right and a wrong one."""
    # Measured on two cores: 10 s for 17 frames, 30 s for 81; with other work beside it, longer.
    seconds = math.ceil((7 + 0.26 * max(args.frames, 0)) / 5) * 5
    say(f"This takes about {seconds} seconds on two CPU cores.")
    say("No model is downloaded and nothing is sampled: a drawn scene stands for what the sampler would give.")
    # Imported here: they take seconds, and `--help` needs none of them.
    from ..demo.playback import MOVING
    from ..demo.scene import CLIPS, TABLE_HEAD, describe_row, plan_demo, run_demo

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
    with one_thread(), Progress(*columns, console=console) as progress:
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
    console.print(
        f"What each clip gives the sampler is in {args.out}: embeds (.safetensors) and their contact sheets (.png).",
        soft_wrap=True,
    )
    console.print(
        f"Look at this one, in a browser: {args.out / MOVING}, the joined video wired right and wrong.", soft_wrap=True
    )
    return 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: more gain nothing on clips this small, and on a busy machine wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
