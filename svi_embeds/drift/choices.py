"""What *SVI Drift* and `wanvideo-svi drift` let one choose. Imports nothing heavy."""

from __future__ import annotations

from typing import Literal, get_args

Joined = Literal["new", "old", "already_dropped"]
JOINED_CHOICES: tuple[str, ...] = get_args(Joined)
CLIP_FRAMES, OVERLAP_FRAMES = 81, 5  # of a film clip: what is taken where nothing else is known
