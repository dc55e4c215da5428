"""A running host for the tests of this folder, or the reason why there is none."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from host.comfyui import Comfy, find_kjnodes, find_wrapper, frontend_version
from host.graphs import CONTROL_FILE, HUMO_FILE, MULTITALK_FILE, UNIANIMATE_FILE, VAE_FILE, model_names
from host.guide_files import write_guides
from PIL import Image
from wanvideo_svi.wrapper_ext.doctor.templates import model_files

if not os.environ.get("COMFYUI_DIR"):
    REASON = "set COMFYUI_DIR to a ComfyUI checkout with ComfyUI-WanVideoWrapper to run the tests in a real host"
elif find_wrapper(Path(os.environ["COMFYUI_DIR"])) is None:
    REASON = "COMFYUI_DIR has no WanVideoWrapper in custom_nodes; set WANVIDEO_WRAPPER_DIR to one"
else:
    REASON = ""
FRONTENDS = [folder for folder in os.environ.get("COMFYUI_FRONTENDS", "").split(os.pathsep) if folder]
VUE_NODES = (1, 49)  # the oldest frontend tried that shows widgets of packs on Vue nodes; 1.27 does not


def _comfyui() -> Path:
    if REASON:
        pytest.skip(REASON)
    return Path(os.environ["COMFYUI_DIR"]).resolve()


@pytest.fixture(scope="session")
def host_folders() -> tuple[Path, Path]:
    """ComfyUI and the wrapper as they lie on the disk."""
    comfyui = _comfyui()
    wrapper = find_wrapper(comfyui)
    assert wrapper is not None  # or _comfyui had skipped
    return comfyui, wrapper


@contextmanager
def _running(base: Path, *, kjnodes: Path | None = None, **files: list[str]) -> Iterator[Comfy]:
    """A host with the wrapper, and tiny models under the names that the example workflows use and `files`, by kind."""
    folder = _comfyui()
    host = Comfy(folder, base, wrapper=find_wrapper(folder), kjnodes=kjnodes)
    names = model_names()
    for kind, more in files.items():
        names[kind] += more
    host.make_models(names)
    for file in model_files():  # those without a tiny model are empty, so that no page says that they are missing
        path = host.base / "models" / file.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    try:
        host.start()
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="session")
def comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """ComfyUI with the wrapper, this pack and tiny models."""
    files = {
        "vae": [VAE_FILE], "control": [CONTROL_FILE], "unianimate": [UNIANIMATE_FILE], "multitalk": [MULTITALK_FILE],
        "humo": [HUMO_FILE],
    }  # fmt: skip
    with _running(tmp_path_factory.mktemp("comfy") / "base", **files) as host:
        yield host


@pytest.fixture(scope="session")
def kj_comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """The same with KJNodes: what older graphs run in."""
    kjnodes = find_kjnodes(_comfyui())
    if kjnodes is None:
        pytest.skip("KJNodes are not there: set KJNODES_DIR, or put them into ComfyUI's custom_nodes")
    with _running(tmp_path_factory.mktemp("kj") / "base", kjnodes=kjnodes, vae=[VAE_FILE]) as host:
        yield host


@pytest.fixture(scope="session")
def native_comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """ComfyUI with the wrapper, KJNodes, this pack and tiny models of ComfyUI's own kind."""
    folder = _comfyui()
    host = Comfy(
        folder, tmp_path_factory.mktemp("native") / "base", wrapper=find_wrapper(folder), kjnodes=find_kjnodes(folder)
    )
    host.make_native_models()
    # ComfyUI's own attention for CPUs cuts its work by the memory that is free, which changes the last bits.
    host.arguments = ("--use-pytorch-cross-attention",)
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


@pytest.fixture(params=["canvas", "vue"])
def nodes(request: pytest.FixtureRequest, page_url: str) -> str:
    """How the frontend of `page_url` draws nodes."""
    version = frontend_version(request.node.callspec.params["page_url"], page_url)
    if request.param == "vue" and version and tuple(map(int, version.split(".")[:2])) < VUE_NODES:
        pytest.skip(f"frontend {version} shows no widgets of packs on Vue nodes")
    return str(request.param)


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a page test leaves its screenshots: a folder for each frontend in SVI_PICTURES, or one of its own."""
    if not os.environ.get("SVI_PICTURES"):
        return tmp_path
    folder = Path(os.environ["SVI_PICTURES"]) / request.node.callspec.id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


_each_frontend = pytest.fixture(
    scope="module", params=["", *FRONTENDS], ids=lambda folder: frontend_version(folder) if folder else "own"
)


@contextmanager
def _with_frontend(comfy: Comfy, folder: str) -> Iterator[str]:
    if not folder:
        yield comfy.url
        return
    other = copy.copy(comfy)
    database = f"sqlite:///{comfy.base / 'page.db'}"
    other.start("--front-end-root", folder, "--database-url", database, log="page.log")
    try:
        yield other.url
    finally:
        other.stop()


@_each_frontend
def page_url(request: pytest.FixtureRequest, comfy: Comfy) -> Iterator[str]:
    """A ComfyUI with one of the frontends, on the same folders."""
    with _with_frontend(comfy, request.param) as url:
        yield url


@_each_frontend
def native_page_url(request: pytest.FixtureRequest, native_comfy: Comfy) -> Iterator[str]:
    """A ComfyUI with one of the frontends, on the folders of the native models."""
    with _with_frontend(native_comfy, request.param) as url:
        yield url


@_each_frontend
def kj_page_url(request: pytest.FixtureRequest, kj_comfy: Comfy) -> Iterator[str]:
    """The same with KJNodes."""
    with _with_frontend(kj_comfy, request.param) as url:
        yield url


@pytest.fixture(scope="module")
def first_image(comfy: Comfy) -> None:
    picture = Image.radial_gradient("L").resize((100, 80)).convert("RGB")
    picture.save(comfy.base / "input" / "example.png")
    write_guides(comfy.base / "input")
