"""The command `wanvideo-svi reel`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.video import check_format
from ...svi_embeds.reel.manifest import MANIFEST
from ...svi_embeds.reel.reel import Reel, describe_reel, list_reels, open_reel
from ...svi_embeds.reel.takes import describe_mend, describe_takes, find_take
from ...svi_embeds.reel.writer import ReelWriter
from ..host.settings import read_settings, reels_name
from .say import say


def add_reel(commands: Any) -> None:
    """The command's arguments."""
    reel = commands.add_parser("reel", help="list, check, join or clean reels that SVI Long Video or SVI Reel Add left")
    actions = reel.add_subparsers(dest="action", required=True)
    for name, text in (
        ("ls", "list reels, or the clips of one"),
        ("check", "read every byte of a reel; exit code 1 when something is wrong"),
        ("assemble", "join a reel's clips to one video"),
        ("clean", "delete the takes that a reel's chain does not use"),
        ("takes", "list the takes of every clip, with their scores"),
        ("pick", "choose a take of a clip; the next run continues from it"),
        ("mend-plan", "say what mending clips would make, and what stays"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("name", nargs="?" if name == "ls" else None, metavar="NAME", help="a reel, or its folder")
        action.add_argument("--reels", type=Path, metavar="DIR", help="folder of reels (default: that of this ComfyUI)")
        if name == "assemble":
            action.add_argument("--out", type=Path, metavar="FILE", help="the video (default: in the reel's folder)")
            action.add_argument("--format", default="h264", help="h264, h265, ffv1 or prores (default h264)")
            action.add_argument("--quality", type=int, default=85, metavar="N", help="0..100 (default 85)")
            action.add_argument("--fps", type=float, metavar="N", help="frames per second (default: the reel's)")
        if name == "pick":
            action.add_argument("clip", type=int, metavar="CLIP", help="number of the clip, from 1")
            action.add_argument("take", type=int, metavar="TAKE", help="number of the take, from 1")
        if name == "mend-plan":
            action.add_argument("clips", type=int, nargs="+", metavar="CLIP", help="numbers of clips, from 1")


def run_reel(args: argparse.Namespace) -> int:
    """Returns the exit code: 0 done, 1 `check` found something."""
    reels = args.reels or default_reels()
    if args.action == "ls" and args.name is None:
        return _list(reels)
    folder = find_reel(args.name, reels)
    actions = {
        "ls": _show, "check": _check, "assemble": _assemble, "clean": _clean, "takes": _takes, "pick": _pick,
        "mend-plan": _mend_plan,
    }  # fmt: skip
    return actions[args.action](open_reel(folder), args)


def default_reels() -> Path:
    """The reels of the ComfyUI that this pack is installed in, or in which one stands, where its settings say; else
    output/svi_reels here."""
    here = Path.cwd()
    own = Path(__file__).absolute().parents[3]
    bases = [own.parent] if own.name == "custom_nodes" else []
    bases += [base for base in (here, *here.parents) if (base / "custom_nodes").is_dir()]
    base = next((base for base in bases if (base / "main.py").exists() or (base / "output").is_dir()), here)
    return base / "output" / reels_name(read_settings(base / "user"))


def find_reel(name: str, reels: Path) -> Path:
    """The folder of a reel by its name or folder. Raises SVIError that says which there are."""
    for folder in (reels / name, Path(name)):
        if (folder / MANIFEST).is_file():
            return folder
    there = ", ".join(list_reels(reels)) or "none"
    raise SVIError(f"there is no reel {name} in {reels} (there: {there}): name another, or its folder, or --reels DIR")


def _list(reels: Path) -> int:
    names = list_reels(reels)
    for name in names:
        try:
            say(describe_reel(open_reel(reels / name))[0])
        except SVIError as error:
            say(f"{name}: {error}", error=True)
    if not names:
        say(f"no reels in {reels}: name another folder with --reels, if ComfyUI writes elsewhere (--base-directory)")
    return 0


def _show(reel: Reel, _: argparse.Namespace) -> int:
    for line in describe_reel(reel):
        say(line)
    return 0


def _check(reel: Reel, _: argparse.Namespace) -> int:
    problems = reel.problems(_bar("checked"))
    for problem in problems:
        say(problem)
    if problems:
        say("queue the story or the graph again: what is damaged is made again, what is left over goes")
        return 1
    say(f"{reel.name}: {len(reel.clips)} clips, {reel.total_frames} frames, nothing wrong")
    return 0


def _assemble(reel: Reel, args: argparse.Namespace) -> int:
    out = args.out or reel.folder / f"{reel.name}_{reel.chain}{check_format(args.format).suffix}"
    count = reel.assemble(
        out, video_format=args.format, quality=args.quality, fps=args.fps, progress=_bar("frames")
    )  # fmt: skip
    say(f"{out}: {count} frames{reel.cut}, {out.stat().st_size / 2**20:.1f} MB")
    return 0


def _clean(reel: Reel, _: argparse.Namespace) -> int:
    with ReelWriter(reel.folder, fps=reel.fps, length=reel.length) as writer:
        takes, size = writer.clean()
    say(f"{reel.name}: {takes} spare takes deleted, {size / 2**20:.1f} MB")
    return 0


def _takes(reel: Reel, _: argparse.Namespace) -> int:
    for line in describe_takes(reel):
        say(line)
    return 0


def _mend_plan(reel: Reel, args: argparse.Namespace) -> int:
    for number in args.clips:
        for line in describe_mend(reel, number):
            say(line)
    return 0


def _pick(reel: Reel, args: argparse.Namespace) -> int:
    with ReelWriter(reel.folder, fps=reel.fps, length=reel.length) as writer:
        take = find_take(writer.reel, args.clip, args.take)
        before = len(writer.reel.clips)
        writer.pick(take)
        after = len(writer.reel.clips)
    gone = f"; {before - after} clips that another take led are spare, the next run makes them again" * (after < before)
    say(f"{reel.name}: clip {args.clip} continues from take {args.take} (seed {take.seed}){gone}")
    return 0


def _bar(what: str) -> Callable[[int, int], None]:
    """Counts on one line of a terminal; silent in a pipe."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{what} {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show
