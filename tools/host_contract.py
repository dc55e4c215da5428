"""Writes wrapper_ext/host_contract.json: the inputs that `wanvideo-svi doctor` compares a host with.

    python tools/host_contract.py

They are those of tests/data/host_contract.json, of the nodes that this pack calls, reads or replaces.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wanvideo_svi.wrapper_ext.doctor_needs import watched
from wanvideo_svi.wrapper_ext.doctor_probe import spec_of

ROOT = Path(__file__).resolve().parents[1]
SOURCE, FILE = ROOT / "tests/data/host_contract.json", ROOT / "wrapper_ext/host_contract.json"


def host_contract() -> str:
    """The file's text."""
    recorded = json.loads(SOURCE.read_text(encoding="utf-8"))
    nodes = {name: _inputs(recorded["nodes"][name]["input"]) for name in watched()}
    head = {"comfyui": recorded["comfyui"], "wrapper": recorded["wrapper"], "nodes": nodes}
    return json.dumps(head, indent=1) + "\n"


def _inputs(groups: dict[str, Any]) -> dict[str, Any]:
    return {
        group: {name: _spec(entry) for name, entry in groups.get(group, {}).items()}
        for group in ("required", "optional")
    }


def _spec(entry: list[Any]) -> dict[str, Any]:
    """Without defaults, which are not compared, and without lists of files, which the source names or leaves out."""
    spec = spec_of(entry)
    return {key: value for key, value in spec.items() if key != "default" and value not in ([], ["<file list>"])}


if __name__ == "__main__":
    FILE.write_text(host_contract(), encoding="utf-8")
