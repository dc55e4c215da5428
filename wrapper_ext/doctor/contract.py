"""The host that was recorded, the oldest of those tried, and what the host that is asked has otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# A node's inputs: "required" and "optional", each name -> {"type", "values" of a COMBO, "default"}; and "outputs", each
# [name, type].
Node = Mapping[str, Any]

# Inputs with a widget, whose values saved graphs keep by their place.
_WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}


@dataclass(frozen=True, slots=True)
class Contract:
    """comfyui, wrapper: versions that it was recorded in. nodes: inputs and outputs by node id."""

    comfyui: str
    wrapper: str
    nodes: Mapping[str, Node]


@cache
def contract() -> Contract:
    """The recorded host. tools/host_contract.py makes the file."""
    text = (Path(__file__).parents[1] / "host_contract.json").read_text(encoding="utf-8")
    return Contract(**json.loads(text))


def inputs(node: Node) -> dict[str, Mapping[str, Any]]:
    """All inputs of a node by name."""
    return {**node.get("required", {}), **node.get("optional", {})}


def drift(recorded: Mapping[str, Node], live: Mapping[str, Node]) -> list[tuple[str, str]]:
    """What changed, as (node id, sentence), in the order of `recorded`; nodes that stayed as they were are left out.

    Told are nodes and inputs that are gone, inputs that are newly required, other types, values that a combo lost,
    widgets in another order, and outputs that are gone or not the earlier ones. What was added behind them is no drift.
    """
    found = []
    for name, node in recorded.items():
        said = [*_changes(node, live[name])] if name in live else ["no such node"]
        if said:
            found.append((name, "; ".join(said)))
    return found


def _changes(was: Node, now: Node) -> Iterator[str]:
    if "error" in now:
        yield f"it does not say its inputs: {now['error']}"
        return
    before, after = inputs(was), inputs(now)
    if gone := [name for name in before if name not in after]:
        yield f"no input {', '.join(gone)}"
    required = [name for name in now["required"] if name not in was["required"]]
    if new := [name for name in required if name not in before]:
        yield f"new and required: {', '.join(new)}"
    if moved := [name for name in required if name in before]:
        yield f"now required: {', '.join(moved)}"
    for name in before:
        if name in after:
            yield from _input_changes(name, before[name], after[name])
    kept = [name for name in _widgets(before) if name in after and name not in moved]
    for name, there in zip(kept, [name for name in _widgets(after) if name not in required], strict=False):
        if name != there:
            yield f"{there} stands where {name} did"
            break
    yield from _output_changes(was.get("outputs", ()), now.get("outputs", ()))


def _widgets(specs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [name for name, spec in specs.items() if spec["type"] in _WIDGETS]


def _output_changes(was: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> Iterator[str]:
    """Links of saved graphs name an output by its place."""
    if gone := [name for name, _ in was[len(now) :]]:
        yield f"no output {', '.join(gone)}"
    for at, (before, after) in enumerate(zip(was, now, strict=False), start=1):
        if list(before) != list(after):
            yield f"output {at} is {' '.join(after)}, was {' '.join(before)}"


def _input_changes(name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if was["type"] != now["type"]:
        yield f"{name} is {now['type']}, was {was['type']}"
    elif lost := [str(value) for value in was.get("values", ()) if value not in now.get("values", ())]:
        yield f"{name} has no {', '.join(lost)}"
