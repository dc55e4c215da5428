"""CONDITIONING of ComfyUI as this pack reads and sets it: a list of [text, values]. Nothing given is ever changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ...errors import SVIError


class VisionFeatures:
    """What native nodes and models read of a CLIP_VISION_OUTPUT. penultimate_hidden_states: B tokens width.

    Source: ComfyUI, comfy/clip_vision.py, Output; comfy/model_base.py, WAN21.extra_conds.
    """

    def __init__(self, states: Tensor) -> None:
        self.penultimate_hidden_states = states

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __setitem__(self, key: str, item: Any) -> None:
        setattr(self, key, item)


def vision_states(output: object) -> Tensor | None:
    """The features 1 tokens width of a CLIP_VISION_OUTPUT; None without one. Raises SVIError when it has none."""
    if output is None:
        return None
    states = getattr(output, "penultimate_hidden_states", None)
    if not isinstance(states, Tensor) or states.ndim != 3:
        raise SVIError(
            f"clip_vision_output must hold penultimate_hidden_states [1, tokens, width], got {type(output).__name__}: "
            "make it with CLIP Vision Encode"
        )
    return states


def check_conditioning(name: str, conditioning: object) -> list[tuple[Any, dict[str, Any]]]:
    """The entries of a CONDITIONING: text and values. Raises SVIError when it is none."""
    entries = conditioning if isinstance(conditioning, list) else []
    if not entries or not all(
        isinstance(entry, (list, tuple)) and len(entry) == 2 and isinstance(entry[1], dict) for entry in entries
    ):
        raise SVIError(f"{name} must be a CONDITIONING with one entry or more: connect CLIP Text Encode")
    return [(text, values) for text, values in entries]


def with_values(name: str, conditioning: object, values: Mapping[str, Any]) -> list[list[Any]]:
    """A CONDITIONING with values set in every entry. New lists and dicts; what is in them is the given one's.

    Source: ComfyUI, node_helpers.conditioning_set_values.
    """
    return [[text, {**before, **values}] for text, before in check_conditioning(name, conditioning)]
