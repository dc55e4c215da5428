"""The host that this pack was made for, and what a host at hand has otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# A node's inputs: "required" and "optional", each name -> {"type", "values" of a COMBO, "default"}.
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """comfyui, wrapper: versions. nodes: inputs by node id."""

    comfyui: str
    wrapper: str
    nodes: Mapping[str, Node]


@cache
def contract() -> Contract:
    """The recorded host. tools/host_contract.py makes the file."""
    text = Path(__file__).with_name("host_contract.json").read_text(encoding="utf-8")
    return Contract(**json.loads(text))


def inputs(node: Node) -> dict[str, Mapping[str, Any]]:
    """All inputs of a node by name."""
    return {**node.get("required", {}), **node.get("optional", {})}


def drift(recorded: Mapping[str, Node], live: Mapping[str, Node]) -> list[tuple[str, str]]:
    """What changed, as (node id, sentence), in the order of `recorded`; nodes that stayed as they were are left out.

    Told are nodes and inputs that are gone, inputs that are newly required, other types, and values that a combo lost.
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


def _input_changes(name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if was["type"] != now["type"]:
        yield f"{name} is {now['type']}, was {was['type']}"
    elif lost := [str(value) for value in was.get("values", ()) if value not in now.get("values", ())]:
        yield f"{name} has no {', '.join(lost)}"
