"""What stands around a node in its graph and does not fit it: an SVI LoRA of another mode, a clip of another size."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ...svi_embeds.models.names import base_name, purpose

_MOST = 64  # LoRAs that are looked at
_MOST_CHARACTERS = 300


def loras_of(around: Any) -> tuple[str, ...]:
    """The names of LoRA files that a page sends."""
    names = around.get("loras") if isinstance(around, dict) else None
    names = names if isinstance(names, list) else []
    return tuple(name[:_MOST_CHARACTERS] for name in names[:_MOST] if isinstance(name, str))


def notes_on_loras(modes: Collection[str], names: Sequence[str]) -> list[str]:
    """That the SVI LoRAs on the model are for other modes than those of the clips; [] where one of them fits, or where
    no SVI LoRA is known by its name. names: their files."""
    found = {base_name(name): made for name in names if (made := purpose(name)) and made.is_svi}
    fit = {mode for made in found.values() for mode in made.modes}
    if {"film", "shot"} <= fit:
        fit.add("film_shot")
    if not found:
        return []
    wrong = sorted(mode for mode in modes if mode not in fit and mode != "i2v")
    loras = " and ".join(f"{name} ({made.title}, mode {' or '.join(made.modes)})" for name, made in found.items())
    return [f"mode {mode} does not go with the LoRA on the model: {loras}" for mode in wrong]


def note_on_size(around: Any, width: Any, height: Any) -> list[str]:
    """That the clip which leads this one has another size."""
    lead = around.get("lead") if isinstance(around, dict) else None
    if not isinstance(lead, list) or len(lead) != 2 or lead == [width, height]:
        return []
    if not all(isinstance(side, int) for side in (*lead, width, height)):
        return []
    said = (
        f"start_image comes from a clip of {lead[0]}x{lead[1]} and this one is {width}x{height}: it is resized, and "
        "SVI Stitch joins clips of one size only"
    )
    return [said]
