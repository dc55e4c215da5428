"""What the command line says."""

from __future__ import annotations

import sys

from ...svi_embeds.ground.words import visible


def say(text: object, *, error: bool = False) -> None:
    """A line on stdout, or on stderr. What files from other people bring into it does nothing to the terminal."""
    print(visible(str(text)), file=sys.stderr if error else sys.stdout)
