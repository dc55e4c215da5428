"""Writes wrapper_ext/host_contract.json: what `wanvideo-svi doctor` compares a host with.

    python tools/host_contract.py

They are the inputs and outputs of tests/data/host_contract.json, of the nodes that this pack calls, reads or replaces.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wanvideo_svi.wrapper_ext.doctor.needs import watched
from wanvideo_svi.wrapper_ext.doctor.probe import sockets

ROOT = Path(__file__).resolve().parents[1]
SOURCE, FILE = ROOT / "tests/data/host_contract.json", ROOT / "wrapper_ext/host_contract.json"


def host_contract() -> str:
    """The file's text."""
    recorded = json.loads(SOURCE.read_text(encoding="utf-8"))
    if unknown := [name for name in watched() if name not in recorded["nodes"]]:
        raise SystemExit(
            f"{', '.join(unknown)}: record it in {SOURCE.relative_to(ROOT)} (input, output and output_name, as "
            f"/object_info of ComfyUI {recorded['comfyui']} with the wrapper {recorded['wrapper']} tells them)"
        )
    nodes = {name: sockets_of(recorded["nodes"][name]) for name in watched()}
    head = {"comfyui": recorded["comfyui"], "wrapper": recorded["wrapper"], "nodes": nodes}
    return json.dumps(head, indent=1) + "\n"


def sockets_of(node: dict[str, Any]) -> dict[str, Any]:
    """A node as /object_info tells it, in the form of the doctor's answers.

    Without defaults, which are not compared, and without lists of files, which the source names or leaves out.
    """
    told = sockets(node["input"], node["output"], node["output_name"])
    for group in ("required", "optional"):
        for spec in told[group].values():
            spec.pop("default", None)
            if spec.get("values") in ([], ["<file list>"]):
                del spec["values"]
    return told


if __name__ == "__main__":
    FILE.write_text(host_contract(), encoding="utf-8")
