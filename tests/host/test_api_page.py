"""API graphs of saved workflows against those that a real frontend sends: node for node, value for value.

Needs what `test_migrate_page` needs, and KJNodes for Set and Get. UPDATE_SNAPSHOTS=1 with ComfyUI's own frontend
records what it sends for the small graphs, which `tests/workflow/test_to_api.py` holds without a host.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from api_graphs import GRAPHS, RECORDED, Recorded, without_unknown
from browser import drive, needs_browser
from host.comfyui import Comfy, frontend_version
from project import ROOT, SHARED
from snapshots import recording
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.workflow.api.convert import to_api

PAGE = Path(__file__).with_name("api_page.mjs")
EXAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "example_workflows").glob("*.json"))}
BLUEPRINTS = {
    f"blueprint {path.stem}": json.loads(path.read_text()) for path in sorted((ROOT / "subgraphs").glob("*.json"))
}
VARIED = ["chain", "svi_film_chain", "svi2_pro_chain"]
VARIANTS = 30  # made of each of those
SENDS_SO = (1, 49)  # the oldest frontend tried; 1.27 keeps the values of subgraphs' nodes otherwise
UNKNOWN = {"VHS_VideoCombine"}  # of the shared graphs: the host of the tests is without that pack


def shared_graphs(nodes: dict[str, Any]) -> dict[str, Any]:
    """Graphs of others, without the nodes that the host does not know."""
    found = {}
    for path in sorted((SHARED / "graphs").glob("*.json")):
        found[f"shared {path.stem}"], lost = without_unknown(json.loads(path.read_text()), nodes)
        assert lost <= UNKNOWN
    return found


def untitled(prompt: dict[str, Any]) -> dict[str, Any]:
    """Titles of nodes that nobody gave one are each frontend's own."""
    return {key: {name: each.get(name) for name in ("class_type", "inputs")} for key, each in prompt.items()}


def differs(workflow: dict[str, Any], prompt: dict[str, Any], nodes: dict[str, Any]) -> str:
    """What is not as the frontend sends it; "" for nothing."""
    try:
        made = untitled(to_api(workflow, nodes))
    except SVIError as error:
        return str(error)
    sent = untitled(prompt)
    if made.keys() != sent.keys():
        return f"nodes {sorted(made.keys() ^ sent.keys())}"
    wrong = {key: (made[key], sent[key]) for key in sent if made[key] != sent[key]}
    return f"(made, sent): {json.dumps(wrong)[:600]}" if wrong else ""


@needs_browser
def test_graphs_are_sent_as_the_frontend_sends_them(
    request: pytest.FixtureRequest, kj_comfy: Comfy, kj_page_url: str, tmp_path: Path
) -> None:
    folder = request.node.callspec.params["kj_page_url"]
    version = frontend_version(folder, kj_page_url)
    if version and tuple(map(int, version.split(".")[:2])) < SENDS_SO:
        pytest.skip(f"frontend {version} sends other graphs")
    nodes = kj_comfy.get("/object_info")
    load = {**GRAPHS, **EXAMPLES, **BLUEPRINTS, **shared_graphs(nodes)}
    given, out = tmp_path / "graphs.json", tmp_path / "out.json"
    given.write_text(json.dumps({"load": load, "vary": VARIED}))
    said = drive(PAGE, kj_page_url, str(given), str(out), seconds=500)
    assert said == {"troubles": [], "failed": {}}
    seen = json.loads(out.read_text())
    assert seen.keys() >= load.keys()
    assert len(seen) == len(load) + len(VARIED) * VARIANTS
    wrong = {}
    for name, each in seen.items():
        for how, graph in (("loaded", load.get(name)), ("saved", each["workflow"])):
            if graph is not None and (said_of := differs(graph, each["prompt"], nodes)):
                wrong[f"{name}, {how}"] = said_of
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in list(wrong.items())[:10])
    if recording() and not folder:
        small = {name: each for name, each in seen.items() if name in GRAPHS or name.startswith("chain/")}
        RECORDED.write_text(Recorded.of(small, nodes).text(), encoding="utf-8")
