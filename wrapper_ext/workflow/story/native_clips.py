"""The chains of native Pro clips, as clips that the readers of a chain know."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ....svi_embeds.errors import SVIError
from ..find.clips import Clip
from ..find.native import NATIVE_PRO, NATIVE_SAMPLERS, native_clips
from ..find.wires import At, Origin, Wires
from ..model.scope import Node

# Inputs by which a clip's latents, or a video of it, come through what stands before the next clip.
_ALONG = ("samples", "latents", "latent", "latent_image", "pixels", "images", "image", "image_target")
_LOOPS = re.compile(r"loop\s*(start|open)", re.IGNORECASE)
_MAX_STEPS = 1000


def is_native(chain: list[Clip]) -> bool:
    """Whether a chain is of native Pro clips."""
    return chain[0].embeds.node.type in NATIVE_PRO


def native_chains(wires: Wires) -> list[list[Clip]]:
    """The chains of native Pro clips, each with the first clip first."""
    clips: dict[At, Clip] = {}
    by_sampler: dict[At, Clip] = {}
    for found in native_clips(wires).values():
        clip = clips.setdefault(found.pro, Clip(found.pro, lead=wires.origin(found.pro, "prev_samples")))
        clip.samplers += found.samplers
        by_sampler |= dict.fromkeys(found.samplers, clip)
    for clip in clips.values():
        led_by = _sampler_behind(wires, clip.lead)
        clip.before = by_sampler.get(led_by) if led_by else None
    followed = {id(clip.before) for clip in clips.values()}
    return [clip.chain() for clip in clips.values() if id(clip) not in followed]


def check_no_loop(needed: Iterable[Node]) -> None:
    """Raises SVIError for a chain whose clips a loop makes. needed: the nodes that they hang on."""
    loop = next((node for node in needed if _LOOPS.search(node.type)), None)
    if loop is not None:
        raise SVIError(
            f"the clips are made by a loop, {loop.title} (node {loop.id}), and their prompts and seeds are known "
            "only when it runs: write the story by hand, in WanVideo SVI Long Video (native), mode svi2_pro, with one "
            "prompt a block ([repeat=3] makes three clips of one)"
        )


def _sampler_behind(wires: Wires, origin: Origin | None) -> At | None:
    """The native sampler whose clip leads another, whatever stands between."""
    for _ in range(_MAX_STEPS):
        if origin is None or origin.type in NATIVE_SAMPLERS:
            return origin.at if origin else None
        at = origin.at
        origin = next((found for name in _ALONG if (found := wires.origin(at, name))), None)
    return None
