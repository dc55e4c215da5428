"""`wanvideo-svi render`: many stories on many GPUs."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from .say import say

_WHAT = "Renders stories with the SVI Long Video of a graph. The same command continues where it was stopped."


def add_render(commands: Any) -> None:
    """The command's arguments."""
    render = commands.add_parser("render", help="render many stories, on one GPU or many", description=_WHAT)

    def add(name: str, text: str, **options: Any) -> None:
        if isinstance(options.get("default"), (int, float, Path)) and not isinstance(options["default"], bool):
            text += f" (default {options['default']})"
        render.add_argument(name, help=text, **options)

    graph = "a workflow or API graph with one SVI Long Video, also in a PNG, WebP or video of ComfyUI"
    stories = (
        "text files with a story each, or tables (.csv, .json, .yaml) with a row a video: name, story, start_image, "
        "ref_image, seed, mode, ..."
    )
    sets = 'of the graph, by title or id, as "Sampler Settings.steps=4"; repeat it'
    split = "scenes and takes of one story side by side (default auto: where there are few stories)"
    many: dict[str, Any] = {"action": "append", "default": []}
    add("graph", graph, type=Path, metavar="GRAPH")
    add("stories", stories, type=Path, nargs="+", metavar="STORY")
    add("--comfyui", "ComfyUI's folder; workers start it", type=Path, metavar="DIR")
    add("--python", "ComfyUI's Python (default: as the doctor finds it)", metavar="PY")
    add("--comfyui-args", 'for its main.py, as --comfyui-args="--lowvram --fast"', default="", metavar="ARGS")
    add("--server", "a ComfyUI that runs; repeat it", metavar="URL", **many)
    add("--header", "sent to the servers; repeat it", metavar="NAME:VALUE", **many)
    add("--address", "a Ray cluster, as auto or ray-head:6379 (default: this machine)", metavar="RAY")
    add("--gpus", "GPUs to use, a worker each (default: all)", type=int, metavar="N")
    add("--workers", "workers without a GPU (default 1)", type=int, metavar="N")
    add("--threads", "CPU threads of a worker, 0 for all", type=int, default=0, metavar="N")
    add("--store", "the cluster shares no folder with this machine", action="store_true")
    add("--set", sets, dest="sets", metavar="NODE.INPUT=VALUE", **many)
    add("--out", "videos, reels and the report", type=Path, default=Path("renders"), metavar="DIR")
    add("--retries", "tries more after a worker was lost", type=int, default=2, metavar="N")
    add("--hang", "seconds without progress that count as lost", type=float, default=600.0, metavar="S")
    add("--split", split, choices=("auto", "always", "never"), default="auto")
    add("--again", "look at videos too that are done", action="store_true")
    add("--bench", "measure a clip on each worker first, and say when all will be done", action="store_true")
    add("--dry-run", "show what would be made, and how long it takes", action="store_true")
    add("--seconds", "of a take, for --dry-run", type=float, default=60.0, metavar="S")
    add("--json", "the report, besides report.json in --out", type=Path, metavar="FILE")


def run_render(args: argparse.Namespace) -> int:
    """Returns the exit code: 0 all videos are there, 1 some are not, 2 bad input."""
    from ..farm.stories import read_stories

    if find_spec("aiohttp") is None:
        raise SVIError("render talks to ComfyUI with aiohttp, which is not here: pip install aiohttp")
    stories, sets = read_stories(args.stories), [_set(text) for text in args.sets]
    options = _options(args)
    if args.json and args.json.absolute().parent != options.out and not args.json.absolute().parent.is_dir():
        raise SVIError(f"--json {args.json}: there is no folder {args.json.absolute().parent}")
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        if args.dry_run:
            return _dry_run(args, options, stories, sets)
        return _render(args, options, stories, sets)
    except KeyboardInterrupt:  # before the work began, or behind it
        say("stopped: what is finished stays, and the same command continues from there", error=True)
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)


def _render(args: argparse.Namespace, options: Any, stories: Sequence[Any], sets: Sequence[tuple[str, Any]]) -> int:
    from ..farm import render as farm
    from ..farm.show import LiveShow, PlainShow, report_lines

    graph_of = _graph_of(args.graph)
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR") and find_spec("rich"):
        with LiveShow() as live:
            report, code = farm.render(graph_of, stories, sets, options, live)
    else:
        report, code = farm.render(graph_of, stories, sets, options, PlainShow(say))
    for line in report_lines(report):
        say(line)
    say(f"videos and {farm.REPORT} in {args.out}")
    if args.json and args.json.absolute() != (options.out / farm.REPORT).absolute():
        shutil.copyfile(options.out / farm.REPORT, args.json)
    return code


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _options(args: argparse.Namespace) -> Any:
    from ..doctor.ask import check_comfyui, find_python
    from ..farm.client import check_address
    from ..farm.render import Options

    if args.comfyui is None and not args.server and not args.dry_run:
        raise SVIError("name what renders: --comfyui DIR (workers start it), or --server URL (one that runs)")
    if args.address and not args.comfyui:
        raise SVIError("--address needs --comfyui: the folder of ComfyUI on the cluster's machines")
    for name in ("gpus", "workers"):
        if (count := getattr(args, name)) is not None and count < 1:
            raise SVIError(f"--{name} must be 1 or more, got {count}")
    if not args.hang > 0 or args.retries < 0 or args.threads < 0:
        raise SVIError("--hang must be more than 0 seconds, --retries and --threads 0 or more")
    comfyui = check_comfyui(args.comfyui) if args.comfyui else None
    cards = [] if args.address or (args.workers and not args.gpus) else _cards()
    if args.gpus is not None and not args.address and args.gpus > len(cards):
        raise SVIError(f"--gpus {args.gpus}: this machine has {len(cards)} (--workers N takes workers without a GPU)")
    count = args.workers or args.gpus or (0 if args.address else max(1, len(cards)))
    headers = dict(_header(text) for text in args.header)
    return Options(
        out=args.out.absolute(), comfyui=comfyui, python=find_python(comfyui, args.python) if comfyui else "",
        arguments=_words(args.comfyui_args), servers=[check_address(url) for url in args.server], headers=headers,
        address=args.address, workers=count, cards=cards[: args.gpus] if args.gpus else cards, threads=args.threads,
        retries=args.retries, hang=args.hang, store=args.store, again=args.again, bench=args.bench,
        split={"auto": None, "always": True, "never": False}[args.split],
    )  # fmt: skip


def _words(text: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise SVIError(f"--comfyui-args cannot be read: {error}") from error


def _cards() -> list[str]:
    """This machine's cards as CUDA_VISIBLE_DEVICES names them."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [card.strip() for card in visible.split(",") if card.strip() and card.strip() != "-1"]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        told = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [str(number) for number, line in enumerate(line for line in told.splitlines() if line.startswith("GPU "))]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise SVIError(f'--header must be NAME:VALUE, as "Authorization: Bearer abc", got {text[:40]!r}')
    return name.strip(), value.strip()


def _set(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise SVIError(f'--set must be "title or id.input=value", as in "Sampler Settings.steps=4", got {text[:100]!r}')
    return key.strip(), value


def _graph_of(path: Path) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Reads the file now, so that a wrong one costs no start; makes an API graph of it when the nodes are known."""
    from ..workflow.api.convert import read_graph, to_api
    from ..workflow.model.graph import Workflow, is_api_graph

    found = read_graph(path)
    Workflow(found)  # raises SVIError for what is none

    def graph_of(nodes: Mapping[str, Any]) -> dict[str, Any]:
        if is_api_graph(found):  # which worker lacks a node of it is asked later, of each
            return dict(found)
        if not nodes:
            raise SVIError(
                f"{path} is a workflow as it is drawn: name a ComfyUI that knows its nodes (--comfyui or --server), or "
                "export it with *Workflow > Export (API)*"
            )
        return to_api(found, nodes)

    return graph_of


def _dry_run(args: argparse.Namespace, options: Any, stories: Sequence[Any], sets: Sequence[tuple[str, Any]]) -> int:
    from ..doctor.files import reel_bytes_per_frame
    from ..farm.folders import Folders
    from ..farm.prepare import prepare
    from ..farm.render import nodes_of_one, planned_jobs
    from ..farm.show import plan_lines

    graph = _graph_of(args.graph)(nodes_of_one(options))
    folders = Folders(options.out)
    count = (options.workers or 1) * (options.comfyui is not None or not options.servers) + len(options.servers)
    ready = [prepare(graph, story, folders, sets) for story in stories]
    jobs = planned_jobs(ready, folders, options, count)
    counts = sorted({1, 2, 4, 8, count})
    for line in plan_lines(ready, jobs, counts, seconds=args.seconds, frame_bytes=reel_bytes_per_frame()):
        say(line)
    return int(any(each.error for each in ready))
