"""The modes that each engine can make."""

from __future__ import annotations

from ...svi_embeds.story.text import CHAIN_MODES

# A voice and poses are of the wrapper's sampler.
NATIVE_MODES = tuple(mode for mode in CHAIN_MODES if mode not in ("talk", "dance"))
