"""A running host for the tests of this folder, or the reason why there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.comfyui import Comfy, find_kjnodes, find_wrapper
from host.graphs import CONTROL_FILE, HUMO_FILE, MULTITALK_FILE, UNIANIMATE_FILE, VAE_FILE, model_names

if not os.environ.get("COMFYUI_DIR"):
    REASON = "set COMFYUI_DIR to a ComfyUI checkout with ComfyUI-WanVideoWrapper to run the tests in a real host"
elif find_wrapper(Path(os.environ["COMFYUI_DIR"])) is None:
    REASON = "COMFYUI_DIR has no WanVideoWrapper in custom_nodes; set WANVIDEO_WRAPPER_DIR to one"
else:
    REASON = ""


def _comfyui() -> Path:
    if REASON:
        pytest.skip(REASON)
    return Path(os.environ["COMFYUI_DIR"]).resolve()


@pytest.fixture(scope="session")
def comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """ComfyUI with the wrapper, this pack, and tiny models under the names that the example workflows use."""
    folder = _comfyui()
    host = Comfy(folder, tmp_path_factory.mktemp("comfy") / "base", wrapper=find_wrapper(folder))
    names = model_names()
    names["vae"].append(VAE_FILE)
    names["control"].append(CONTROL_FILE)
    names["unianimate"].append(UNIANIMATE_FILE)
    names["multitalk"].append(MULTITALK_FILE)
    names["humo"].append(HUMO_FILE)
    host.make_models(names)
    try:
        host.start()
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="session")
def kj_comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """ComfyUI with the wrapper, KJNodes, this pack and tiny models: what older graphs run in."""
    folder = _comfyui()
    kjnodes = find_kjnodes(folder)
    if kjnodes is None:
        pytest.skip("KJNodes are not there: set KJNODES_DIR, or put them into ComfyUI's custom_nodes")
    host = Comfy(folder, tmp_path_factory.mktemp("kj") / "base", wrapper=find_wrapper(folder), kjnodes=kjnodes)
    names = model_names()
    names["vae"].append(VAE_FILE)
    host.make_models(names)
    try:
        host.start()
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="session")
def bare_comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """ComfyUI with this pack and without the wrapper."""
    host = Comfy(_comfyui(), tmp_path_factory.mktemp("bare") / "base", wrapper=None)
    try:
        host.start()
        yield host
    finally:
        host.stop()
