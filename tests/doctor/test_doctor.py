"""`wanvideo-svi doctor` on hosts of a few lines each: what works, what does not and why, and that nothing changes."""

from __future__ import annotations

import ast
import copy
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import host_contract as contract_tool
import pytest
import torch
from project import DATA, PROJECT, ROOT
from safetensors.torch import save_file
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import write_video
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.doctor import files as doctor_files
from wanvideo_svi.wrapper_ext.doctor.ask import ask, find_python
from wanvideo_svi.wrapper_ext.doctor.contract import contract, drift, inputs
from wanvideo_svi.wrapper_ext.doctor.files import disk_finding, lora_findings, reel_bytes_per_frame
from wanvideo_svi.wrapper_ext.doctor.needs import NEEDS, asked, watched
from wanvideo_svi.wrapper_ext.doctor.report import (
    FRONTEND,
    OLDEST_COMFYUI,
    OLDEST_PYTHON,
    REQUIRED,
    findings,
    older,
    packages,
)
from wanvideo_svi.wrapper_ext.doctor.tried import COMFYUI, FRONTENDS, tried
from wanvideo_svi.wrapper_ext.host import comfy

RECORDED = json.loads((DATA / "host_contract.json").read_text())["nodes"]
CALLS = json.loads((DATA / "host_calls.json").read_text())
OWN = ("CLIPTextEncode", "SaveVideo")  # of ComfyUI itself
Nodes = dict[str, dict[str, Any]]

FILES = {
    "main.py": "",
    "comfyui_version.py": '__version__ = "0.3.64"',
    "comfy/__init__.py": "",
    "comfy/options.py": "def enable_args_parsing(): pass",
    "utils/__init__.py": "",
    # In place of the real one, which takes seconds.
    "torch/__init__.py": "class cuda:\n    is_available = staticmethod(lambda: True)",
    "server.py": "class PromptServer: pass",
    "folder_paths.py": """
import os
HERE = os.path.dirname(__file__)
os.makedirs(os.path.join(HERE, "input"), exist_ok=True)
def get_folder_paths(kind): return [os.path.join(HERE, kind)]
def get_full_path(kind, name): return os.path.join(HERE, "models", kind, name)
def get_filename_list(kind):
    folder = os.path.join(HERE, "models", kind)
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
def get_output_directory(): return os.path.join(HERE, "output")
""",
    "made.py": """
import json, os
def nodes(file):
    with open(file) as text:
        table = json.load(text)
    def node(groups):
        types, names = groups.pop("outputs")
        said = {"INPUT_TYPES": classmethod(lambda cls: groups), "RETURN_TYPES": types, "RETURN_NAMES": names}
        return type("Node", (), said)
    return {name: node(groups) for name, groups in table.items()}
""",
    "nodes.py": """
import importlib.util, os, torch, folder_paths, made
assert importlib.util.find_spec("probe") is None  # nor any other file of this pack
print("a line that is no JSON")
NODE_CLASS_MAPPINGS = {}
async def init_extra_nodes(init_custom_nodes, init_api_nodes):
    assert not init_custom_nodes and not init_api_nodes
    NODE_CLASS_MAPPINGS.update(made.nodes(os.path.join(os.path.dirname(__file__), "own.json")))
""",
}
PLACES = {"nodes_": "nodes.py", "options": "comfy/options.py", "torch": "torch/__init__.py"}
WRAPPER = """
import os, made
from server import PromptServer
@PromptServer.instance.routes.post("/x")
def route(request): pass
assert callable(route)
NODE_CLASS_MAPPINGS = made.nodes(os.path.join(os.path.dirname(__file__), "wrapper.json"))
"""


@pytest.fixture
def nodes() -> Nodes:
    """Inputs by node id, as the recorded host has them; under outputs their types and names."""
    return {
        name: copy.deepcopy({**node["input"], "outputs": [node["output"], node["output_name"]]})
        for name, node in RECORDED.items()
    }


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    for name in ("COMFYUI_PYTHON", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv(name, raising=False)

    def build(nodes: Nodes, *, wrapper: str | None = WRAPPER, **changed: str) -> Path:
        """A ComfyUI with these nodes. changed: text of the files nodes_, options or torch."""
        folder = tmp_path / "ComfyUI"
        files = FILES | {PLACES[name]: text for name, text in changed.items()}
        files["own.json"] = json.dumps({name: nodes[name] for name in OWN})
        if wrapper is not None:
            pack = "custom_nodes/ComfyUI-WanVideoWrapper"
            files[f"{pack}/__init__.py"] = wrapper
            files[f"{pack}/pyproject.toml"] = '[project]\nversion = "1.4.7"\n'
            files[f"{pack}/wrapper.json"] = json.dumps({name: nodes[name] for name in nodes if name not in OWN})
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return build


def doctor(comfyui: Path, *more: str) -> int:
    return main(["doctor", "--comfyui", str(comfyui), "--python", sys.executable, *more])


def answers(comfyui: Path, wrapper: Path | None = None) -> dict[str, Any]:
    return ask(comfyui, wrapper, sys.executable, nodes=asked(), packages=packages(), files={}, seconds=60)


def lines(text: str, status: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith(status))


def state(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


# Whole hosts


def test_a_good_host_works_and_stays_as_it_is(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    comfyui = make(nodes)
    before = state(comfyui)
    assert doctor(comfyui, "--json", str(tmp_path / "found.json")) == 0
    assert state(comfyui) == before
    said = capsys.readouterr().out
    assert not lines(said, "problem")
    assert not re.search("drift", said)
    (works,) = [line for line in said.splitlines() if line.endswith("will work")]
    assert all(node in works for node in NODE_CLASS_MAPPINGS)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["host"]["wrapper"]["version"] == "1.4.7"
    assert found["host"]["nodes"]["WanVideoDecode"]["required"]["enable_vae_tiling"]["default"] is False
    assert [f"{f['status']} {f['topic']}" for f in found["findings"]] == [
        " ".join(line.split()[:2]) for line in said.splitlines()[:-1]
    ]


def test_files_of_the_examples_are_looked_for_where_comfyui_looks(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    comfyui = make(nodes)
    for name in ("vae/Wan2_1_VAE_bf16.safetensors", "loras/something_else.safetensors"):
        (comfyui / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (comfyui / "models" / name).touch()
    assert doctor(comfyui) == 0
    said = capsys.readouterr().out
    assert "there, in models/vae: Wan2_1_VAE_bf16.safetensors" in lines(said, "ok")
    missing = "not in models/text_encoders: https://huggingface.co/Kijai/WanVideo_comfy/resolve/main/umt5-xxl-enc-bf16"
    assert missing in lines(said, "note")
    assert "something_else" not in said


def test_without_the_wrapper_only_nodes_that_need_none_work(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(make(nodes, wrapper=None)) == 1
    said = capsys.readouterr().out
    assert "install it with ComfyUI-Manager" in lines(said, "problem")
    broken = next(line for line in said.splitlines() if "will not work without" in line)
    assert "WanVideoSVILongVideo" in broken
    native = next(line for line in lines(said, "note").splitlines() if "own sampling alone" in line)
    for node in ("WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds", "WanVideoSVILoadEmbeds"):
        assert node in native
        assert node not in broken
    assert "WanVideoSVIToNative" in lines(said, "ok")
    assert "WanVideoSVIReelVideo" not in broken
    assert "WanVideoSVIReelVideo" in lines(said, "ok")
    assert "drift" not in said


def test_a_wrapper_that_raises_is_a_sentence_not_a_traceback(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(make(nodes, wrapper="x = 1\nraise RuntimeError('two\\nlines')")) == 1
    said = capsys.readouterr()
    assert "cannot be imported: RuntimeError: two lines (__init__.py, line 2)" in lines(said.out, "problem")
    assert "Traceback" not in said.out + said.err


def test_missing_torch_is_a_sentence(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    assert doctor(make(nodes, torch=missing)) == 1
    problems = lines(capsys.readouterr().out, "problem")
    assert "ComfyUI 0.3.64 cannot be imported: ModuleNotFoundError: No module named 'torch'" in problems
    assert "PyTorch cannot be imported" in problems
    assert "WanVideoSVIMotionFrames" in next(line for line in problems.splitlines() if "does not start" in line)


def test_a_host_whose_import_exits_is_a_sentence(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(make(nodes, options="raise SystemExit(2)")) == 1
    said = capsys.readouterr().out
    assert "cannot be imported: SystemExit: 2 (options.py, line 1)" in lines(said, "problem")
    assert "LoRA" not in lines(said, "note")  # folder_paths was not reached


def test_a_wrapper_of_before_sampler_args_has_no_long_video(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    del nodes["WanVideoSamplerSettings"], nodes["WanVideoSamplerFromSettings"]
    assert doctor(make(nodes)) == 1
    said = capsys.readouterr().out
    (problem,) = lines(said, "problem").splitlines()
    assert "WanVideoSVILongVideo: will not work: the wrapper has no node WanVideoSamplerSettings" in problem
    assert "the wrapper has no node WanVideoSamplerFromSettings" in problem
    assert "WanVideoSVIEmbeds" in lines(said, "ok")
    assert "WanVideoSamplerFromSettings: no such node" in lines(said, "note")
    assert "or a newer version of this pack" in lines(said, "note")


def test_a_removed_input_stops_what_uses_it(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    del nodes["WanVideoEncode"]["required"]["image"]
    nodes["WanVideoEncode"]["required"]["picture"] = ["IMAGE"]
    assert doctor(make(nodes)) == 1
    said = capsys.readouterr().out
    (problem,) = lines(said, "problem").splitlines()
    assert "WanVideoSVILongVideo: works, but not with svi2_pro: WanVideoEncode has no input image" in problem
    assert "WanVideoEncode requires picture" in problem
    assert "WanVideoEncode: no input image; new and required: picture" in lines(said, "note")


def test_an_input_whose_other_name_is_known_stops_nothing(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    del nodes["WanVideoEncode"]["required"]["image"]
    nodes["WanVideoEncode"]["required"]["driving_video"] = ["IMAGE"]
    assert doctor(make(nodes)) == 0
    assert "WanVideoEncode: no input image; new and required: driving_video" in lines(capsys.readouterr().out, "note")


def test_a_node_whose_other_name_is_known_stops_nothing(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes["VideoToLatents"] = nodes.pop("WanVideoEncode")
    nodes["VideoToLatents"]["required"]["driving_video"] = nodes["VideoToLatents"]["required"].pop("image")
    comfyui = make(nodes)
    assert doctor(comfyui) == 1
    said = capsys.readouterr().out
    assert "not with svi2_pro: the wrapper has no node WanVideoEncode" in lines(said, "problem")
    assert "WanVideoEncode: no such node" in lines(said, "note")
    monkeypatch.setitem(comfy.RENAMED_NODES, "WanVideoEncode", ("Elsewhere", "VideoToLatents"))
    code, said = doctor(comfyui), capsys.readouterr().out
    assert code == 0, f"asked, examined or told by one of its names alone: {lines(said, 'problem')}"
    assert "no such node" not in said
    assert "WanVideoEncode: called VideoToLatents" in lines(said, "note")
    assert "WanVideoEncode: no input image; new and required: driving_video" in lines(said, "note")


def test_what_is_renamed_is_what_a_host_is_asked_for() -> None:
    for node in {**comfy.RENAMED_NODES, **comfy.RENAMED_INPUTS}:
        assert node in watched(), f"{node} in wrapper_ext/host/comfy.py is no node that this pack needs or reads"
    for node, names in comfy.RENAMED_INPUTS.items():
        unknown = sorted(names.keys() - inputs(contract().nodes[node]).keys())
        assert not unknown, (
            f"RENAMED_INPUTS in wrapper_ext/host/comfy.py: {node} has no input {', '.join(unknown)}; write the input's "
            "name in this pack, and behind it the other one"
        )
    taken = set(watched()) & {name for names in comfy.RENAMED_NODES.values() for name in names}
    assert not taken, f"RENAMED_NODES in wrapper_ext/host/comfy.py: {taken} are other nodes of the wrapper"


def test_a_hanging_import_ends_with_the_time_limit(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    hangs = "import sys, time\nprint('waiting for a port', file=sys.stderr, flush=True)\ntime.sleep(600)"
    comfyui = make(nodes, nodes_=hangs)
    for seconds in (2, 20, 200):  # a busy machine may take long to come to where it hangs
        assert doctor(comfyui, "--timeout", str(seconds)) == 2
        said = capsys.readouterr()
        assert not said.out
        assert f"ComfyUI was not imported within {seconds} s: " in said.err
        if "it said nothing" not in said.err:
            break
    assert " s: waiting for a port" in said.err


def test_a_crash_is_not_examined(make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]) -> None:
    crashes = "import os, sys\nprint('Illegal instruction', file=sys.stderr, flush=True)\nos._exit(132)"
    assert doctor(make(nodes, nodes_=crashes)) == 2
    assert "ended with code 132 while it imported ComfyUI: Illegal instruction" in capsys.readouterr().err


def test_bad_folders_say_what_was_expected(
    make: Callable[..., Path], nodes: Nodes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comfyui = make(nodes)
    for arguments, said in (
        ([tmp_path / "nowhere"], "name the folder that ComfyUI was cloned or unpacked to"),
        ([tmp_path], f"did you mean {comfyui}?"),
        ([comfyui, "--wrapper", str(tmp_path)], "has no __init__.py"),
        ([comfyui, "--python", str(tmp_path / "no_python")], "there is no Python"),
        ([comfyui, "--python", str(comfyui / "main.py")], "there is no Python"),
        ([comfyui, "--json", str(tmp_path / "no" / "where.json")], "cannot be written"),
    ):
        assert doctor(*arguments) == 2
        assert said in capsys.readouterr().err


def test_a_wrapper_elsewhere_is_the_one_that_counts(make: Callable[..., Path], nodes: Nodes, tmp_path: Path) -> None:
    comfyui = make(nodes, wrapper="raise RuntimeError")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {'WanVideoDecode': type('N', (), {})}")
    host = answers(comfyui, elsewhere)
    assert host["wrapper"]["folders"] == [str(elsewhere)]
    assert host["wrapper"]["error"] == ""
    assert "INPUT_TYPES" in host["nodes"]["WanVideoDecode"]["error"]
    assert any("WanVideoDecode does not say its inputs (AttributeError" in found.text for found in findings(host))


def test_packs_are_found_as_comfyui_finds_them(make: Callable[..., Path], nodes: Nodes) -> None:
    comfyui = make(nodes)
    packs = comfyui / "custom_nodes"
    for name in ("comfyui-kjnodes", "a-wanvideowrapper", "ComfyUI-WanVideoWrapper.disabled"):
        (packs / name).mkdir()
    host = answers(comfyui)
    assert host["kjnodes"] is True
    assert host["wrapper"]["folders"] == [str(packs / "ComfyUI-WanVideoWrapper"), str(packs / "a-wanvideowrapper")]
    assert any("keep one" in found.text for found in findings(host))


# Answers and what they mean


@pytest.fixture
def host(make: Callable[..., Path], nodes: Nodes) -> dict[str, Any]:
    """Answers of the good host, with packages as this pack wants them."""
    found = answers(make(nodes))
    found["packages"] = {name: (REQUIRED[name][1] or "1.0") if name in REQUIRED else "1.0" for name in packages()}
    return found


def said_of(host: dict[str, Any], topic: str) -> list[tuple[str, str]]:
    return [(found.status, found.text) for found in findings(host) if found.topic == topic]


def test_packages_that_are_missing_or_old(host: dict[str, Any]) -> None:
    assert [status for status, _ in said_of(host, "package")] == ["ok"]
    host["packages"] |= {"av": None, "filelock": "3.11.9", "color-matcher": None}
    (missing, old, optional, _) = said_of(host, "package")
    assert missing[0] == "problem"
    assert missing[1].endswith(f"{sys.executable} -m pip install av")
    assert old == ("note", "filelock 3.11.9 is older than 3.12, the oldest that this pack is made for: update it")
    assert optional == ("note", "color-matcher is not in ComfyUI's Python: color_match mkl needs it")


def test_versions_of_the_host(host: dict[str, Any]) -> None:
    host["python"], host["comfyui"]["version"], host["wrapper"]["version"] = "3.9.13", "0.3.48", "1.2.8"
    assert said_of(host, "python")[0][0] == "problem"
    assert said_of(host, "comfyui")[0][0] == "note"
    assert "older than 1.2.9" in said_of(host, "wrapper")[0][1]
    host["torch"]["cuda"] = False
    assert said_of(host, "torch")[0][0] == "note"


def test_the_host_is_one_that_was_tried_or_those_are_named(host: dict[str, Any]) -> None:
    host["packages"][FRONTEND[0]] = "1.49.6"
    assert said_of(host, "comfyui") == [("ok", f"ComfyUI 0.3.64, tried with this pack on {COMFYUI['0.3.64']}")]
    assert said_of(host, "frontend") == [("ok", f"frontend 1.49.6, tried with this pack on {FRONTENDS['1.49.6']}")]
    host["comfyui"]["version"] = "0.46.0"
    assert said_of(host, "comfyui")[0][1].startswith("ComfyUI 0.46.0, not tried with this pack, which was tried in ")
    host["packages"][FRONTEND[0]] = None
    assert said_of(host, "frontend") == []


def test_other_versions_than_those_tried_are_told_by_day() -> None:
    assert tried("4", {"1": "2026-11-01", "2": "2026-11-02", "3": "2026-11-02"}) == (
        "not tried with this pack, which was tried in 1 on 2026-11-01; 2 and 3 on 2026-11-02"
    )


@pytest.mark.parametrize("page", ["docs/how-to/install.md", "docs/reference/hosts.md"])
def test_pages_name_the_versions_that_were_tried_and_when(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for version, day in {**COMFYUI, **FRONTENDS}.items():
        named = re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)", text)
        assert named, f"{page} does not name version {version}, which wrapper_ext/doctor/tried.py has"
        assert day in text, f"{page} does not say {day}, when {version} was tried (wrapper_ext/doctor/tried.py)"


def test_the_recorded_host_is_the_oldest_one_tried() -> None:
    assert contract().comfyui == next(iter(COMFYUI))


def test_a_part_of_the_wrapper_counts_when_a_node_is_missed(host: dict[str, Any]) -> None:
    host["wrapper"]["missing"] = ["HuMo nodes not available: No module named 'whisper'"]
    assert len(said_of(host, "wrapper")) == 1
    del host["nodes"]["HuMoEmbeds"]
    assert "No module named 'whisper'" in said_of(host, "wrapper")[1][1]
    assert (
        "problem",
        "WanVideoSVIAudioWindow: works, but not with HuMo: the wrapper has no node HuMoEmbeds",
    ) in said_of(host, "nodes")


def test_the_log_of_the_wrapper_names_parts_that_it_lacks(make: Callable[..., Path], nodes: Nodes) -> None:
    says = "import logging\nlogging.getLogger('x').warning('WanVideoWrapper WARNING: HuMo nodes not available: why')\n"
    assert answers(make(nodes, wrapper=says + WRAPPER))["wrapper"]["missing"] == ["HuMo nodes not available: why"]


def test_what_has_a_way_round_is_a_note(host: dict[str, Any]) -> None:
    for name in ("steps", "shift"):
        del host["nodes"]["WanVideoScheduler"]["required"][name]
    (found,) = [text for status, text in said_of(host, "nodes") if status == "note"]
    assert found.startswith("WanVideoHighLowPair: works, but it finds the split from its own table")
    assert found.endswith("WanVideoScheduler has no input steps, shift")


def test_another_type_stops_a_node(host: dict[str, Any]) -> None:
    host["nodes"]["WanVideoSampler"]["required"]["image_embeds"]["type"] = "CONDITIONING"
    (problem,) = [text for status, text in said_of(host, "nodes") if status == "problem"]
    assert "WanVideoSVIEmbeds" in problem
    assert problem.endswith("image_embeds of WanVideoSampler is CONDITIONING, was WANVIDIMAGE_EMBEDS")


def test_a_new_input_with_a_default_stops_nothing(host: dict[str, Any]) -> None:
    host["nodes"]["WanVideoDecode"]["required"]["crop"] = {"type": "INT", "default": 0}
    assert [status for status, _ in said_of(host, "nodes")] == ["ok"]
    assert said_of(host, "drift") == [("note", "WanVideoDecode: new and required: crop")]
    del host["nodes"]["WanVideoDecode"]["required"]["crop"]["default"]
    assert ("problem", "WanVideoSVILongVideo: will not work: WanVideoDecode requires crop") in said_of(host, "nodes")


def node(**required: Any) -> dict[str, Any]:
    return {"required": required, "optional": {"b": {"type": "INT"}}}


@pytest.mark.parametrize(
    ("live", "said"),
    [
        ({}, "no such node"),
        ({"N": {"required": {}, "optional": {"b": {"type": "INT"}}}}, "no input a"),
        ({"N": {"required": {"a": {"type": "COMBO", "values": ["x", "y"]}, "b": {"type": "INT"}}, "optional": {}}},
         "now required: b"),
        ({"N": node(a={"type": "COMBO", "values": ["x", "y", "z"]}, c={"type": "INT"})}, "new and required: c"),
        ({"N": node(a={"type": "STRING"})}, "a is STRING, was COMBO"),
        ({"N": node(a={"type": "COMBO", "values": ["y"]})}, "a has no x"),
        ({"N": {"error": "KeyError: 1"}}, "it does not say its inputs: KeyError: 1"),
        ({"N": node(a={"type": "COMBO", "values": ["z", "y", "x"]})}, None),
    ],
)  # fmt: skip
def test_drift_says_what_changed(live: dict[str, Any], said: str | None) -> None:
    recorded = {"N": node(a={"type": "COMBO", "values": ["x", "y"]})}
    assert drift(recorded, live) == ([("N", said)] if said else [])


WIDGETS = {"a": {"type": "INT"}, "b": {"type": "FLOAT"}, "image": {"type": "IMAGE"}}
OUTPUTS = [["images", "IMAGE"], ["fps", "FLOAT"]]


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        (WIDGETS, [*OUTPUTS, ["bits", "INT"]], None),
        ({**WIDGETS, "c": {"type": "INT"}}, OUTPUTS, None),
        ({"mask": {"type": "MASK"}, **dict(reversed(WIDGETS.items()))}, OUTPUTS, "b stands where a did"),
        ({"c": {"type": "INT"}, **WIDGETS}, OUTPUTS, "c stands where a did"),
        ({"mask": {"type": "MASK"}, "image": WIDGETS["image"], **WIDGETS}, OUTPUTS, None),
        (WIDGETS, OUTPUTS[:1], "no output fps"),
        (WIDGETS, [["images", "IMAGE"], ["rate", "FLOAT"]], "output 2 is rate FLOAT, was fps FLOAT"),
        (WIDGETS, [["images", "IMAGE"], ["fps", "INT"]], "output 2 is fps INT, was fps FLOAT"),
        (WIDGETS, OUTPUTS[::-1],
         "output 1 is fps FLOAT, was images IMAGE; output 2 is images IMAGE, was fps FLOAT"),
    ],
)  # fmt: skip
def test_what_was_added_behind_is_no_drift_and_what_moved_is(
    inputs: dict[str, Any], outputs: list[list[str]], said: str | None
) -> None:
    recorded = {"N": {"required": {}, "optional": WIDGETS, "outputs": OUTPUTS}}
    live = {"N": {"required": {}, "optional": inputs, "outputs": outputs}}
    assert drift(recorded, live) == ([("N", said)] if said else [])


def test_a_node_tells_its_outputs_by_name_and_type(make: Callable[..., Path], nodes: Nodes) -> None:
    nodes["WanVideoScheduler"]["outputs"] = [["SIGMAS", ["euler", "unipc"], "INT"], ["sigmas", "scheduler"]]
    assert answers(make(nodes))["nodes"]["WanVideoScheduler"]["outputs"] == [
        ["sigmas", "SIGMAS"], ["scheduler", "COMBO"], ["INT", "INT"],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["COMBO", "COMFY_DYNAMICCOMBO_V3"])
def test_every_way_to_write_a_combo_is_one(kind: str, make: Callable[..., Path], nodes: Nodes) -> None:
    values = nodes["WanVideoSampler"]["required"]["scheduler"][0]
    options = values if kind == "COMBO" else [{"key": value, "inputs": {"required": {}}} for value in values]
    nodes["WanVideoSampler"]["required"]["scheduler"] = [kind, {"options": options, "default": values[0]}]
    assert answers(make(nodes))["nodes"]["WanVideoSampler"]["required"]["scheduler"] == {
        "type": "COMBO", "values": values, "default": values[0],
    }  # fmt: skip


def test_versions_compare_by_number() -> None:
    assert older("0.3.9", "0.3.10")
    assert not older("2.14.1+cu128", "2.4")
    assert not older("", "1.0")


# Tables


def test_every_node_of_the_pack_has_a_row_and_no_other() -> None:
    lacks, gone = set(NODE_CLASS_MAPPINGS) - set(NEEDS), set(NEEDS) - set(NODE_CLASS_MAPPINGS)
    assert not lacks, (
        f"NEEDS in wrapper_ext/doctor/needs.py does not say what {', '.join(sorted(lacks))} need; () is none"
    )
    assert not gone, f"NEEDS in wrapper_ext/doctor/needs.py has {', '.join(sorted(gone))}, which are no nodes"


def test_every_input_of_the_table_is_in_the_contract() -> None:
    for needs in NEEDS.values():
        for need in needs:
            assert need.node in contract().nodes, (
                f"{need.node}, which wrapper_ext/doctor/needs.py asks for, is not in wrapper_ext/host_contract.json: "
                "python tools/host_contract.py writes it anew, from tests/data/host_contract.json"
            )
            groups = contract().nodes[need.node]
            lacks = set(need.inputs) - {*groups["required"], *groups["optional"]}
            assert not lacks, f"wrapper_ext/doctor/needs.py: the recorded {need.node} has no input {sorted(lacks)}"


def test_every_call_of_a_long_video_is_in_the_table() -> None:
    rows = {need.node: need for need in NEEDS["WanVideoSVILongVideo"] if need.called}
    calls = [call for chain in CALLS.values() for call in chain]
    for name, given in calls:
        assert name in rows, f"wrapper_ext/doctor/needs.py, WanVideoSVILongVideo: a Need of {name}, which it calls"
        lacks = set(given) - set(rows[name].inputs)
        assert not lacks, (
            f"wrapper_ext/doctor/needs.py, WanVideoSVILongVideo: {name} is called with {sorted(lacks)} too"
        )


def test_every_call_in_the_code_is_in_the_table() -> None:
    called = {need.node for needs in NEEDS.values() for need in needs if need.called}
    found = set()
    for path in (ROOT / "wrapper_ext").rglob("*.py"):
        for at in ast.walk(ast.parse(path.read_text())):
            if isinstance(at, ast.Call) and ast.unparse(at.func).split(".")[-1] in ("call", "node_class"):
                found |= {arg.value for arg in at.args[:1] if isinstance(arg, ast.Constant)}
    assert {"WanVideoDecode", "WanVideoScheduler"} <= found
    lacks = found - {"WanVideoSampler"} - called  # of the sampler only the list of schedulers is read
    assert not lacks, (
        f"no Need in wrapper_ext/doctor/needs.py says called=True of {sorted(lacks)}, which the code calls"
    )


def test_the_contract_in_the_package_is_the_recorded_one_and_ships() -> None:
    file = ROOT / "wrapper_ext" / "host_contract.json"
    assert file.read_text() == contract_tool.host_contract(), "python tools/host_contract.py writes it anew"
    assert file.name in PROJECT["tool"]["setuptools"]["package-data"]["wanvideo_svi.wrapper_ext"]


def test_a_node_that_was_not_recorded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_tool, "watched", lambda: ["WanVideoDecode", "WanVideoNew"])
    with pytest.raises(SystemExit, match=r"^WanVideoNew: record it in tests/data/host_contract\.json"):
        contract_tool.host_contract()


def test_required_versions_are_those_of_the_project() -> None:
    assert [f"{name}>={oldest}" if oldest else name for name, (_, oldest) in REQUIRED.items()] == PROJECT["project"][
        "dependencies"
    ]
    assert PROJECT["project"]["requires-python"] == f">={OLDEST_PYTHON}"
    assert PROJECT["tool"]["comfy"]["requires-comfyui"] == f">={OLDEST_COMFYUI}"


# Python, LoRAs, disk


def test_comfyuis_python_is_found_where_it_usually_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_PYTHON", raising=False)
    comfyui = tmp_path / "portable" / "ComfyUI"
    assert find_python(comfyui, None) == sys.executable
    for place in (
        comfyui / "python_embeded" / "python.exe", comfyui.parent / "python_embeded" / "python.exe",
        comfyui.parent / ".venv" / "bin" / "python", comfyui / ".venv" / "bin" / "python",
        comfyui / "venv" / "Scripts" / "python.exe",
    ):  # fmt: skip
        place.parent.mkdir(parents=True)
        place.touch()
        assert find_python(comfyui, None) == str(place)
    monkeypatch.setenv("COMFYUI_PYTHON", sys.executable)
    assert find_python(comfyui, None) == sys.executable
    with pytest.raises(SVIError, match="there is no Python"):
        find_python(comfyui, str(tmp_path / "gone"))


def lora(folder: Path, name: str) -> tuple[str, str]:
    layer = "diffusion_model.blocks.0.self_attn.q"
    tensors = {f"{layer}.lora_A.weight": torch.zeros(4, 5120), f"{layer}.lora_B.weight": torch.zeros(5120, 4)}
    save_file(tensors, folder / name)
    return name, str(folder / name)


def test_loras_are_told_by_name_and_header(tmp_path: Path) -> None:
    high = lora(tmp_path, "SVI_v2_PRO_Wan2.2-I2V-A14B_HIGH_lora.safetensors")
    other = lora(tmp_path, "a_style.safetensors")
    (alone,) = lora_findings(dict([high, other]))
    assert alone.status == "note"
    assert "SVI 2.0 Pro, Wan 2.2 (likely), 14B, high noise; mode svi2_pro" in alone.text
    assert "no LoRA of its kind for the low noise model is there" in alone.text
    low = lora(tmp_path, "SVI_v2_PRO_Wan2.2-I2V-A14B_LOW_lora.safetensors")
    film = lora(tmp_path, "svi-film.safetensors")
    assert [found.status for found in lora_findings(dict([high, low, film]))] == ["ok"] * 3
    of_another_kind = lora(tmp_path, "SVI_v2.0_Wan2.2_low.safetensors")
    assert [found.status for found in lora_findings(dict([high, of_another_kind]))] == ["note", "note"]
    (neither,) = lora_findings(dict([lora(tmp_path, "SVI_2.0_wan2.2.safetensors")]))
    assert "neither high nor low" in neither.text
    (none,) = lora_findings(dict([other]))
    assert none.text.startswith("no SVI LoRA")


def test_a_broken_lora_is_a_problem(
    make: Callable[..., Path], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    comfyui = make(nodes)
    folder = comfyui / "models" / "loras"
    folder.mkdir(parents=True)
    (folder / "svi-shot.safetensors").write_bytes(b"<html>")
    assert doctor(comfyui) == 1
    said = capsys.readouterr().out
    (problem,) = lines(said, "problem").splitlines()
    assert "svi-shot.safetensors is not a safetensors file" in problem
    assert "no SVI LoRA" not in said


@pytest.mark.parametrize(("clips", "status", "minutes"), [(0.9, "problem", 0), (20, "note", 2), (1000, "ok", 79)])
def test_room_for_reels_in_minutes(
    clips: float, status: str, minutes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = []

    def usage(place: Path) -> SimpleNamespace:
        places.append(place)
        return SimpleNamespace(free=int(clips * 76 * reel_bytes_per_frame()) + 1)

    monkeypatch.setattr(doctor_files.shutil, "disk_usage", usage)
    found = disk_finding(tmp_path / "not" / "yet")
    assert places == [tmp_path]
    assert found.status == status
    assert f": {minutes} minutes or more of 832x480 at 16 fps" in found.text


def test_the_figure_for_reels_is_that_of_the_codec_as_it_is_set(tmp_path: Path) -> None:
    """Colourful waves in many directions took 619,000 bytes, about what the most detailed picture did."""
    y, x = torch.meshgrid(torch.arange(480.0), torch.arange(832.0), indexing="ij")
    waves = sum(torch.sin(x * a + y * b) / (1 + 20 * (a + b)) for a in (0.05, 0.4, 1.5) for b in (0.03, 0.3, 1.2))
    pixels = ((waves / waves.abs().max() + 1) * 127).to(torch.uint8)
    picture = torch.stack([pixels, pixels.flip(0), pixels.flip(1)], -1).numpy()
    path = tmp_path / "clip.mkv"
    write_video(path, [picture] * 3, width=832, height=480, fps=16.0)
    assert 0.9 < path.stat().st_size / 3 / doctor_files.FRAME_BYTES < 1
