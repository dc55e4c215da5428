"""Writes the graphs that docs/reference/migration.md shows, before and after: one JSON object, graphs by picture.

usage: PYTHONPATH=tests:tools python tools/migration_graphs.py OUT.json     (then tools/migration_pictures.mjs)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from old_graphs import Raw, pixel_chain, pro_chain, wanex
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value

WIDTH, GAP, COLUMNS = 330, 60, 4


def excerpt(raw: Raw, ids: set[int]) -> Raw:
    """Some nodes of a graph with the links among them, in columns from left to right."""
    nodes = [node for node in json.loads(json.dumps(raw["nodes"])) if node["id"] in ids]
    kept = [link for link in raw["links"] if link[1] in ids and link[3] in ids]
    wanted = {link[0] for link in kept}
    column = dict.fromkeys(ids, 0)
    for _ in ids:
        for _, origin, _, target, *_ in kept:
            column[target] = max(column[target], column[origin] + 1)
    deepest = max(column.values())
    bottom: dict[int, int] = {}
    for node in nodes:
        for entry in node["inputs"]:
            entry["link"] = entry["link"] if entry["link"] in wanted else None
        for output in node["outputs"]:
            output["links"] = [link for link in output["links"] or () if link in wanted]
        here = (
            min(COLUMNS - 1, column[node["id"]] * COLUMNS // (deepest + 1))
            if deepest >= COLUMNS
            else column[node["id"]]
        )
        rows = max(len(node["inputs"]), len(node["outputs"]))
        height = 50 + 20 * rows + 24 * len(node["widgets_values"] or ())
        node["pos"], node["size"] = [here * (WIDTH + GAP), bottom.get(here, 0)], [WIDTH, height]
        node.pop("color", None)
        node.pop("bgcolor", None)
        node.pop("title", None)
        bottom[here] = bottom.get(here, 0) + height + GAP
    return {**raw, "nodes": nodes, "links": kept, "groups": []}


# Loaders, which are the same before and after.
_LEFT_OUT = ("WanVideoVAELoader", "VAELoader")


def around(raw: Raw, roots: set[int], stop: tuple[str, ...]) -> set[int]:
    """Nodes behind the roots, up to those of the types `stop`."""
    by_id = {node["id"]: node for node in raw["nodes"]}
    waiting, found = list(roots), set()
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        if by_id[node]["type"] in _LEFT_OUT:
            continue
        found.add(node)
        if node in roots or by_id[node]["type"] not in stop:
            waiting += [link[1] for link in raw["links"] if link[3] == node]
    return found


def pair(raw: Raw, kinds: tuple[str, ...], stop: tuple[str, ...]) -> tuple[Raw, Raw]:
    """Before and after around the last nodes of these types, which keep their ids."""
    migrated: Any = migrate_value(raw)[0]
    roots = {
        max((node for node in raw["nodes"] if node["type"] == kind), key=lambda node: node["order"])["id"]
        for kind in kinds
    }
    before, after = (excerpt(each, around(each, roots, stop)) for each in (raw, migrated))
    return before, after


def main() -> None:
    pixels = pixel_chain(clips=2, padding="reference", overlap=5, rule="first_frame", lora="SVI_Wan2.1_v2.0")
    sources = ("WanVideoDecode", "ImageResizeKJv2")
    graphs = {
        "p1": pair(pixels, ("WanVideoImageToVideoEncode",), sources),
        "stitch": pair(pixels, ("ImageBatchMulti",), sources),
        "p2": pair(pro_chain(clips=2), ("ImageBatchExtendWithOverlap", "WanVideoSVIProEmbeds"),
                   ("WanVideoSampler", "WanVideoEncode")),
        "p4": pair(wanex(), ("WanEx_I2VCustomEmbeds",), ("LoadImage",)),
    }  # fmt: skip
    named = {f"{name}_{when}": graph for name, both in graphs.items()
             for when, graph in zip(("before", "after"), both, strict=True)}  # fmt: skip
    Path(sys.argv[1]).write_text(json.dumps(named))


if __name__ == "__main__":
    main()
