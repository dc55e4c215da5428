"""What a saved embeds file holds, in words and as a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ...svi_embeds.clips.embeds import svi_record_of
from ...svi_embeds.clips.embeds_file import load_embeds_and_gaps
from ...svi_embeds.clips.made import EncodedClip, encoded_from
from ...svi_embeds.files.whole import whole_files
from ...svi_embeds.masks.known import STRIP_SIGNS, mask_strip
from .say import say

FRAMES_PER_LINE = 60
PLAIN_SIGNS = "#+."


def add_inspect(commands: Any) -> None:
    """The command's arguments."""
    inspect = commands.add_parser("inspect", help="say what a saved embeds file holds, and draw it")
    inspect.add_argument("file", type=Path, metavar="FILE", help="a .safetensors file of SVI Save Embeds or the demo")
    inspect.add_argument("--sheet", type=Path, metavar="PNG", help="where the contact sheet goes (default: beside it)")


def run_inspect(args: argparse.Namespace) -> int:
    """What a file holds, line by line."""
    for line in inspect_file(args.file, sheet=args.sheet):
        say(line)
    return 0


def inspect_file(path: Path, *, sheet: Path | None = None) -> Iterator[str]:
    """Describe a file that `save_embeds` wrote, then write its contact sheet. Yields the lines to print.

    sheet: where the picture goes, `<name>_sheet.png` beside the file unless given.
    """
    embeds, left_out = load_embeds_and_gaps(path)
    clip = encoded_from(embeds)
    record = svi_record_of(embeds)
    lines = [f"{path.name}: {clip.info}"]
    if record:
        facts = ("version", "overlap_frames", "end_frames", "known_frames", "padding")
        lines.append(", ".join(f"{key} {record[key]}" for key in facts if key in record))  # type: ignore[literal-required]
    lines += ["", "known_mask, a sign per frame (kept, kept in part, generated):"]
    lines += strip(clip.known_per_frame, _signs())
    lines += ["", f"packed mask, four digits per latent: {' '.join(packed_columns(clip))}", "", "values:"]
    lines += [f"  {line}" for line in _values(dict(embeds))]
    lines += [f"left out when it was saved: {item}" for item in left_out]
    yield from lines
    target = sheet or path.with_name(f"{path.stem}_sheet.png")
    with whole_files(target) as (beside,):
        clip.sheet().save(beside)
    yield f"\ncontact sheet: {target}"


def strip(known: Sequence[float], signs: str = STRIP_SIGNS) -> list[str]:
    """A known_mask as lines of signs, each with the index of its first frame.

    known: one value per frame. signs: for frames that are kept, kept in part, and generated.
    """
    line = mask_strip(known, signs)
    starts = range(0, len(line), FRAMES_PER_LINE)
    return [f"{start:>6} {line[start : start + FRAMES_PER_LINE]}" for start in starts]


def packed_columns(clip: EncodedClip) -> list[str]:
    """The packed mask as one string per latent: 1 kept, 0 generated, + kept in part or in a region."""
    means = clip.embeds["mask"].float().mean(dim=(2, 3)).T.tolist()
    return ["".join("1" if v >= 1 else "0" if v <= 0 else "+" for v in column) for column in means]


def _signs() -> str:
    try:
        STRIP_SIGNS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN_SIGNS
    return STRIP_SIGNS


def _values(tree: dict[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if name == "svi":
            continue
        if isinstance(value, Tensor):
            kind = str(value.dtype).removeprefix("torch.")
            yield f"{name}: {list(value.shape)} {kind}, {value.numel() * value.element_size() / 2**20:.2f} MiB"
        elif isinstance(value, dict):
            yield from _values(value, f"{name}/")
        else:
            yield f"{name}: {value}"
