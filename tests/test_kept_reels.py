"""Reels of before are still true: their clips have the digests that they had, and nothing of them is sampled again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import frames
from test_render import PAIR, FakeHost, Report, job, sampler
from test_windows import dance, numbered, voice
from torch import Tensor
from wanvideo_svi.svi_embeds.reel.manifest import MANIFEST
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.render.chain import render_chain

RECORDED = Path(__file__).parent / "data" / "reel_digests.json"


class FixedHost(FakeHost):
    """Samples and decodes to values that only the seed decides, the same bits on every machine: no arithmetic."""

    def WanVideoSamplerFromSettings(self, sampler_inputs: dict[str, Any]) -> tuple[Any, Any]:
        shape = sampler_inputs["image_embeds"]["image_embeds"].shape
        generator = torch.Generator().manual_seed(sampler_inputs["seed"])
        made = {"samples": torch.rand(1, *shape, generator=generator)}
        return {**made, "end_image": None, "seed": sampler_inputs["seed"]}, made

    def WanVideoDecode(self, vae: Any, samples: dict[str, Any], enable_vae_tiling: bool) -> tuple[Tensor]:  # noqa: ARG002
        return (frames(4 * samples["samples"].shape[2] - 3, seed=samples["seed"]),)


REFERENCE = frames(1, seed=2)
CHAINS: dict[str, dict[str, Any]] = {
    "film": {},
    "film from a video": {"start_image": frames(33, seed=4)},
    "film from a video, colours of the reference": {
        "story": "a lake", "start_image": frames(9, seed=4), "ref_image": REFERENCE, "color_match": "mean_std",
        "color_match_to": "reference",
    },
    "shot": {"mode": "shot", "ref_image": REFERENCE},
    "shot from a video": {"mode": "shot", "ref_image": REFERENCE, "start_image": frames(33, seed=4)},
    "first clip model": {"first_model": "plain", "origin": {"model": "m1", "first_clip_model": "m0"}},
    "first clip model, from a video": {"first_model": "plain", "start_image": frames(33, seed=4)},
    "pro": {"mode": "svi2_pro", **PAIR},
    "pro with a reference": {"mode": "svi2_pro", "ref_image": REFERENCE},
    "pro with an overlap of its own": {"mode": "svi2_pro", "story": "[overlap=9]\na\n---\n[overlap=9]\nb\n---\nc"},
    "pro behind film": {"story": "a\n---\n[mode=svi2_pro]\nb\n---\nc", "ref_image": REFERENCE},
    "ends": {"story": "a\n---\n[end=1 cfg=2.5]\nb", "end_images": frames(2, seed=4), "tiled_vae": True},
    "talk": {"mode": "talk", "ref_image": REFERENCE, "sampler": sampler(multitalk_embeds=voice(numbered(40)))},
    "dance": {"mode": "dance", "ref_image": REFERENCE, "sampler": sampler(unianimate_poses=dance(40))},
    "one prompt": {"story": "[repeat=3]\nthe same", "t5": None, "text_embeds": {"prompt": "encoded before"}},
}  # fmt: skip


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
    assert made == recorded[name]


@pytest.mark.parametrize("name", CHAINS)
def test_a_reel_of_before_is_kept_whole(tmp_path: Path, name: str) -> None:
    """One whose takes have the recorded digests, whatever the code at hand would call them."""
    rendered(tmp_path / "r", **CHAINS[name])
    path = tmp_path / "r" / MANIFEST
    recorded, manifest = json.loads(RECORDED.read_text())[name], json.loads(path.read_text())
    for take, before in zip(manifest["takes"], recorded["takes"], strict=True):
        take |= {key: value for key, value in before.items() if key not in ("video", "tail")}
    path.write_text(json.dumps({**manifest, "chain": recorded["chain"]}))
    host = FixedHost()
    with ReelWriter(tmp_path / "r", fps=16) as writer:
        done = render_chain(job(**CHAINS[name]), writer, host, Report(), resume=True)
    assert done.sampled == ()
    assert host.calls == []
    assert open_reel(tmp_path / "r").problems() == []
