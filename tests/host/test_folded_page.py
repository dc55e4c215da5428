"""Widgets that are folded away keep their values and their places, in a real frontend: every example workflow, by name.

Needs what `test_timeline_page` needs. SVI_PICTURES: a folder for the screenshots, each node folded and open.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from browser import drive, needs_browser
from host.comfyui import PACK, Comfy
from PIL import Image
from project import ROOT
from wanvideo_svi import NODE_CLASS_MAPPINGS
from workflow_graph import definition, widgets

PAGE = Path(__file__).with_name("folded_page.mjs")
TEMPLATES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "example_workflows").glob("*.json"))
}
OURS = {
    name: [node for node in graph["nodes"] if node["type"] in NODE_CLASS_MAPPINGS] for name, graph in TEMPLATES.items()
}
FOLDED = {
    kind: [name for name, (_, options) in definition(kind)["inputs"].items() if options.get("advanced")]
    for kind in NODE_CLASS_MAPPINGS
}
STRIP = 82  # pixels


def linked(node: dict[str, Any]) -> set[str]:
    return {entry["name"] for entry in node["inputs"] if entry["link"] is not None}


@needs_browser
def test_folded_widgets_keep_values_and_places(
    comfy: Comfy, page_url: str, nodes: str, tmp_path: Path, pictures: Path
) -> None:
    Image.new("RGB", (100, 80)).save(comfy.base / "input" / "example.png")  # ComfyUI's own lies there
    names = tmp_path / "names.json"
    ids = {name: [node["id"] for node in ours] for name, ours in OURS.items()}
    names.write_text(json.dumps({"templates": ids, "folded": FOLDED}))
    seen = drive(PAGE, page_url, PACK, str(names), str(pictures), nodes, seconds=400)
    assert seen["troubles"] == []

    assert set(seen["templates"]) == set(TEMPLATES)
    for name, states in seen["templates"].items():
        for node in OURS[name]:
            wanted, where = widgets(node), (name, node["id"])
            for state, held in states.items():
                one = held[str(node["id"])]
                assert {key: one["named"][key] for key in wanted} == wanted, (*where, state)
                assert one["saved"][: len(node["widgets_values"])] == node["widgets_values"], (*where, state)
                queued = {key: value for key, value in wanted.items() if key not in linked(node)}
                assert {key: one["queued"][key] for key in queued} == queued, (*where, state)
        assert states["after"] == states["before"], name
        assert states.get("open", states["before"]) == states["before"], name

    shown = seen["shown"]
    assert set(shown) == {kind for kind, names in FOLDED.items() if names}, "the templates have every node that folds"
    for kind, states in shown.items():
        folds = nodes == "vue" and seen["knows"]
        assert states["buttons"] == folds, kind
        if not folds:
            continue
        outputs = {name for name, _ in definition(kind)["outputs"]}  # some have the name of a widget
        names = [name for name in FOLDED[kind] if name not in outputs]
        sight = set(definition(kind)["inputs"]) - set(names)
        assert not set(names) & set(states["folded"]["words"]), kind
        assert sight <= set(states["folded"]["words"]), kind
        assert set(names) <= set(states["open"]["words"]), kind
        assert states["again"]["words"] == states["folded"]["words"], kind
        assert states["again"]["height"] == states["folded"]["height"] <= states["open"]["height"], kind
        for state in ("folded", "open", "again"):
            if (live := states[state]["live"]) is not None:
                assert live["inside"], (kind, state)
                assert kind == "WanVideoSVILongVideo" or live["height"] == STRIP, (kind, state)
