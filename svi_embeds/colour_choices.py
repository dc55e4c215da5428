"""Ways to hold colours, by name. Saved graphs and stories hold them: never rename one."""

from __future__ import annotations

from typing import Literal, get_args

ColourMatch = Literal["off", "mean_std", "histogram", "mkl"]
COLOUR_CHOICES: tuple[str, ...] = get_args(ColourMatch)
COLOUR_TARGETS: tuple[str, ...] = ("clip_1", "reference")
