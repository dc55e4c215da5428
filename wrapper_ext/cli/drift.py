"""`wanvideo-svi drift`: how the look of a chain drifts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...svi_embeds.drift.choices import CLIP_FRAMES, JOINED_CHOICES
from ...svi_embeds.drift.measure import Measured, measure_reel, measure_video
from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.picture import open_picture
from ...svi_embeds.files.whole import whole_files
from ...svi_embeds.reel.reel import open_reel
from .reel import default_reels, find_reel
from .say import say


def add_drift(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    drift = commands.add_parser("drift", help="show how the look of a chain drifts: a picture, and figures as JSON")
    drift.add_argument("source", metavar="VIDEO|REEL", help="a video file, or a reel's name or folder")
    drift.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the picture and the JSON")
    drift.add_argument(
        "--clip-frames", type=int, metavar="N",
        help="length of each clip in frames, 81 for most (default: the seams are looked for in the picture)",
    )  # fmt: skip
    drift.add_argument(
        "--overlap-frames", type=int, metavar="N",
        help="frames that each clip shares with the one before: 5 for film, 1 for shot (default 5)",
    )  # fmt: skip
    drift.add_argument(
        "--drop", choices=JOINED_CHOICES, default="new",
        help="how the video was joined: the start of the later clip went (new, the default), or the end of the earlier "
        "one (old); already_dropped: --clip-frames counts what each clip but the first adds",
    )  # fmt: skip
    drift.add_argument("--reference", type=Path, metavar="IMAGE", help="the original image, to compare with as well")
    drift.add_argument("--reels", type=Path, metavar="DIR", help="folder of reels (default: that of this ComfyUI)")
    drift.add_argument("--max-drift", type=float, metavar="X", help="exit code 1 above this drift (1 is visible)")
    drift.add_argument("--max-seam", type=float, metavar="X", help="exit code 1 above this seam (1 is none)")


def run_drift(args: argparse.Namespace) -> int:
    """0 within the limits, 1 beyond one of them. Raises SVIError for bad input."""
    reference = _image(args.reference) if args.reference else None
    path = Path(args.source)
    if path.is_file():
        clip_frames = args.clip_frames
        if clip_frames is None and args.overlap_frames is not None:
            clip_frames = CLIP_FRAMES - (args.overlap_frames if args.drop == "already_dropped" else 0)
        measured = measure_video(
            path, clip_frames=clip_frames, overlap_frames=args.overlap_frames, drop=args.drop, reference=reference
        )
        name = path.stem
    else:
        reel = open_reel(find_reel(args.source, args.reels or default_reels()))
        measured, name = measure_reel(reel, reference=reference), reel.name
    for line in measured.lines():
        say(line)
    for written in _write(measured, args.out, name):
        say(f"written to {written}")
    limits = ((args.max_drift, measured.drift.drift), (args.max_seam, measured.drift.seam))
    return int(any(limit is not None and value > limit for limit, value in limits))


def _write(measured: Measured, folder: Path, name: str) -> tuple[Path, Path]:
    picture, figures = folder / f"{name}_drift.png", folder / f"{name}_drift.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SVIError(f"{folder} cannot be made: {error.strerror or error}: name another with --out") from error
    with whole_files(picture, figures) as (new_picture, new_figures):
        measured.picture(name).save(new_picture)
        new_figures.write_text(json.dumps(measured.as_dict(), indent=1), encoding="utf-8")
    return picture, figures


def _image(path: Path) -> Tensor:
    return torch.from_numpy(np.asarray(open_picture(path), dtype=np.float32) / 255.0)[None]
