"""Inputs and outputs of nodes: the host's recorded ones and this pack's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wanvideo_svi import NODE_CLASS_MAPPINGS

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = json.loads((ROOT / "tests/data/host_contract.json").read_text())["nodes"]

WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}


def definition(node_type: str) -> dict[str, Any]:
    """Inputs and outputs of a node: {"inputs": {name: (type, options, required)}, "outputs": [(name, type)]}."""
    if node_type in NODE_CLASS_MAPPINGS:
        cls = NODE_CLASS_MAPPINGS[node_type]
        groups, types, names = cls.INPUT_TYPES(), cls.RETURN_TYPES, cls.RETURN_NAMES
    else:
        recorded = CONTRACT[node_type]
        groups, types, names = recorded["input"], recorded["output"], recorded["output_name"]
    inputs = {}
    for group in ("required", "optional"):
        for name, spec in groups.get(group, {}).items():
            kind, options = spec[0], spec[1] if len(spec) > 1 else {}
            if not isinstance(kind, str):
                kind, options = "COMBO", {"default": next(iter(kind), ""), **options}
            inputs[name] = (kind, options)
    kinds = [kind if isinstance(kind, str) else "COMBO" for kind in types]
    return {"inputs": inputs, "outputs": list(zip(names, kinds, strict=True))}


def has_control(name: str, options: dict[str, Any]) -> bool:
    """Whether the frontend puts a widget of its own (control_after_generate) behind this one."""
    return bool(options.get("control_after_generate", name == "seed"))
