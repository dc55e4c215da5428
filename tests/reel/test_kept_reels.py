"""Reels of before are still true: their clips have the digests that they had, and nothing of them is sampled again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from fake_host import Report, job
from fixed_chains import CHAINS, FixedHost
from project import DATA
from wanvideo_svi.svi_embeds.reel.manifest import MANIFEST
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.render.chain import render_chain

RECORDED = DATA / "reel_digests.json"


def rendered(folder: Path, **options: Any) -> dict[str, Any]:
    """What the manifest says of a chain that is rendered into a folder, but for what differs from run to run."""
    with ReelWriter(folder, fps=16) as writer:
        render_chain(job(**options), writer, FixedHost(), Report(), resume=True)
    manifest = json.loads((folder / MANIFEST).read_text())
    for take in manifest["takes"]:
        for file in ("video", "tail"):
            take[file] = sorted(take[file])
        del take["seconds"]
    return manifest


@pytest.mark.parametrize("name", CHAINS)
def test_a_manifest_says_what_it_said_before(tmp_path: Path, name: str) -> None:
    """UPDATE_SNAPSHOTS=1 records chains that are new, and no other: those that are there are what users have."""
    made = rendered(tmp_path / "r", **CHAINS[name])
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    if os.environ.get("UPDATE_SNAPSHOTS") and name not in recorded:
        recorded[name] = made
        RECORDED.write_text(json.dumps(recorded, indent=1) + "\n")
    before = recorded[name]
    assert {key: made[key] for key in before.keys() - {"version", "takes"}} == {
        key: value for key, value in before.items() if key not in ("version", "takes")
    }
    for take, as_before in zip(made["takes"], before["takes"], strict=True):
        assert {key: take[key] for key in as_before} == as_before


@pytest.mark.parametrize("name", CHAINS)
def test_a_reel_of_before_is_kept_whole(tmp_path: Path, name: str) -> None:
    """One whose manifest is the recorded one, whatever the code at hand would write; it becomes one of today."""
    rendered(tmp_path / "r", **CHAINS[name])
    path = tmp_path / "r" / MANIFEST
    recorded, manifest = json.loads(RECORDED.read_text())[name], json.loads(path.read_text())
    for before, take in zip(recorded["takes"], manifest["takes"], strict=True):
        before |= {key: take[key] for key in ("video", "tail", "seconds")}
    assert recorded["version"] == 1
    path.write_text(json.dumps(recorded))
    assert [take.number for take in open_reel(tmp_path / "r").clips] == list(range(len(recorded["chain"])))
    host = FixedHost()
    with ReelWriter(tmp_path / "r", fps=16) as writer:
        done = render_chain(job(**CHAINS[name]), writer, host, Report(), resume=True)
    assert done.sampled == ()
    assert host.calls == []
    assert open_reel(tmp_path / "r").problems() == []
    written = json.loads(path.read_text())
    assert written["version"] == 2
    assert written["chain"] == recorded["chain"]
