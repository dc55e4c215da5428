"""`wanvideo-svi lora`: what LoRA files are for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from .say import say


def add_lora(commands: Any) -> None:
    """The command's arguments."""
    lora = commands.add_parser("lora", help="say what LoRA files are for, from their headers")
    lora.add_argument("files", type=Path, nargs="+", metavar="FILE", help=".safetensors files")


def run_lora(args: argparse.Namespace) -> int:
    """Every file is answered; the exit code is 2 when one of them could not be read."""
    from ...svi_embeds.models.lora import describe_lora, read_lora

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
