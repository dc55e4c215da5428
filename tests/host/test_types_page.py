"""Inputs that take a VAE of either kind, in a real frontend: what connects, and graphs saved when they took one."""

from __future__ import annotations

import json
from pathlib import Path

from browser import drive, needs_browser
from project import ROOT

PAGE = Path(__file__).with_name("types_page.mjs")


@needs_browser
def test_a_vae_of_either_kind_connects_and_saved_graphs_keep_theirs(native_page_url: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    text = (ROOT / "example_workflows" / "svi_film_chain.json").read_text()
    assert "WANVAE,VAE" in text
    saved.write_text(text.replace("WANVAE,VAE", "WANVAE"))
    seen = drive(PAGE, native_page_url, str(saved), seconds=200)
    assert seen["troubles"] == []
    for target in ("WanVideoSVIEmbeds", "WanVideoI2VCustomEmbeds"):
        assert seen["joins"][f"VAELoader {target}"]
        assert seen["joins"][f"WanVideoVAELoader {target}"]
        assert not seen["joins"][f"EmptyImage {target}"]
    count = sum(node["type"] == "WanVideoSVIEmbeds" for node in json.loads(text)["nodes"])
    assert seen["saved"] == ["WanVideoVAELoader"] * count
