"""Runs a real ComfyUI for tests: headless, on the CPU, on loopback, in a base folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from project import ROOT
from safetensors import safe_open

HERE = Path(__file__).resolve().parent
WRAPPER, PACK = "ComfyUI-WanVideoWrapper", "wanvideo-svi"  # folders in custom_nodes
START_SECONDS, RUN_SECONDS = 240, 600
RECORDED = json.loads((ROOT / "tests" / "data" / "host_contract.json").read_text())["nodes"]


def find_python(comfyui: Path) -> str:
    """The Python that runs ComfyUI: COMFYUI_PYTHON, a venv inside ComfyUI's folder, or this one."""
    if named := os.environ.get("COMFYUI_PYTHON"):
        return named
    for venv in ("venv", ".venv"):
        for python in (comfyui / venv / "bin" / "python", comfyui / venv / "Scripts" / "python.exe"):
            if python.exists():
                return str(python)
    return sys.executable


def find_wrapper(comfyui: Path) -> Path | None:
    """WANVIDEO_WRAPPER_DIR, or the wrapper in ComfyUI's custom_nodes."""
    named = os.environ.get("WANVIDEO_WRAPPER_DIR")
    candidates = [Path(named)] if named else sorted((comfyui / "custom_nodes").glob("*WanVideoWrapper*"))
    return next((path for path in candidates if (path / "wanvideo" / "modules").is_dir()), None)


def find_kjnodes(comfyui: Path) -> Path | None:
    """KJNODES_DIR, or KJNodes in ComfyUI's custom_nodes."""
    named = os.environ.get("KJNODES_DIR")
    candidates = [Path(named)] if named else sorted((comfyui / "custom_nodes").glob("*[Kk][Jj][Nn]odes*"))
    return next((path for path in candidates if (path / "nodes" / "image_nodes.py").is_file()), None)


def frontend_version(folder: str, url: str = "") -> str:
    """Of a frontend by its folder: of the wheel that it was unpacked from, else what the folder around it is called.

    folder: "" is the one that the ComfyUI at `url` asks for. Returns "" when that is not known.
    """
    if not folder:
        with urllib.request.urlopen(f"{url}/system_stats", timeout=60) as answer:
            return json.load(answer)["system"]["required_frontend_version"] or ""
    package = Path(folder).resolve().parent
    wheels = [path.name.split("-")[1] for path in package.parent.glob(f"{package.name}-*.dist-info")]
    found = re.search(r"\d+\.\d+(\.\d+)*", (wheels or [package.name])[0])
    return found[0] if found else ""


class HostError(AssertionError):
    """A graph was refused or failed. `details` is what ComfyUI answered."""

    def __init__(self, message: str, details: Any) -> None:
        super().__init__(message)
        self.details = details


class Comfy:
    """One ComfyUI process. ComfyUI's own folder is not written to; everything happens in `base`."""

    def __init__(self, comfyui: Path, base: Path, *, wrapper: Path | None, kjnodes: Path | None = None) -> None:
        self.comfyui, self.base, self.repo = comfyui, base, ROOT
        self.python = find_python(comfyui)
        self.process: subprocess.Popen[bytes] | None = None
        self.has_wrapper = wrapper is not None
        self.arguments: tuple[str, ...] = ()  # of every start
        self._nodes: dict[str, Any] | None = None
        nodes = base / "custom_nodes"
        nodes.mkdir(parents=True)
        (nodes / PACK).symlink_to(ROOT)
        (nodes / "svi_test_nodes").symlink_to(HERE / "test_nodes")
        if wrapper is not None:
            # A copy: the wrapper writes its text cache into its own folder.
            shutil.copytree(wrapper, nodes / WRAPPER, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        if kjnodes is not None:
            (nodes / "ComfyUI-KJNodes").symlink_to(kjnodes)
        for folder in ("models", "input", "output", "temp", "user"):
            (base / folder).mkdir()

    def make_models(self, names: dict[str, list[str]]) -> None:
        file = self.base / "names.json"
        file.write_text(json.dumps(names))
        command = [self.python, str(HERE / "make_models.py"), str(self.comfyui), str(self.base), str(file)]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(f"the tiny models could not be made: {done.stdout[-2000:]}{done.stderr[-4000:]}", None)

    def make_native_models(self) -> None:
        """Models that ComfyUI's own loaders accept, see make_native_models.py; once."""
        if (self.base / "models" / "vae" / "native_vae.safetensors").exists():
            return
        command = [self.python, str(HERE / "make_native_models.py"), str(self.comfyui), str(self.base)]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(f"the native models could not be made: {done.stdout[-2000:]}{done.stderr[-4000:]}", None)

    def start(self, *arguments: str, log: str = "comfyui.log") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = self.base / log
        command = [
            self.python, "main.py", "--cpu", "--listen", "127.0.0.1", "--port", str(port), "--disable-auto-launch",
            "--base-directory", str(self.base), "--database-url", f"sqlite:///{self.base / 'comfyui.db'}",
            *self.arguments, *arguments,
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.comfyui, env=_environment(), stdout=log, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise HostError(f"ComfyUI died at start: {self.log.read_text(errors='replace')[-4000:]}", None)
            try:
                self.get("/system_stats")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
        raise HostError(f"ComfyUI did not come up: {self.log.read_text(errors='replace')[-4000:]}", None)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def resident_mb(self) -> float:
        """Memory that the process holds, in MB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.loads(answer.read())

    def lacks(self, graph: dict[str, Any]) -> str:
        """The first thing that a graph takes of the wrapper it was written for and that this one lacks, or "".

        So does an input that this one requires and the other does not know.
        """
        if self._nodes is None:
            self._nodes = self.get("/object_info")
        for node in graph.values():
            name = node["class_type"]
            if name not in RECORDED:
                continue
            if name not in self._nodes:
                return f"node {name}"
            live, recorded = _specs(self._nodes[name]), _specs(RECORDED[name])
            # A browser would fill it in.
            if unasked := set(self._nodes[name]["input"].get("required", {})) - set(node["inputs"]) - set(recorded):
                return f"{name} without its input {', '.join(sorted(unasked))}"
            for key, value in node["inputs"].items():
                if key not in recorded:
                    continue
                if key not in live:
                    if value != _usual(recorded[key]):
                        return f"input {key} of {name}"
                elif isinstance(live[key][0], list) and value in recorded[key][0] and value not in live[key][0]:
                    return f"{key} {value} of {name}"
        return ""

    def run(self, graph: dict[str, Any]) -> dict[str, Any]:
        """Run an API graph. Returns the outputs by node id; raises HostError when it is refused or fails."""
        return self.wait(self.queue(graph))

    def queue(self, graph: dict[str, Any]) -> str:
        """Queue an API graph. Returns its id; raises HostError when it is refused.

        A graph that takes something which an older wrapper is without skips the test.
        """
        if lacking := self.has_wrapper and self.lacks(graph):
            pytest.skip(f"this wrapper has no {lacking}")
        body = json.dumps({"prompt": graph}).encode()
        request = urllib.request.Request(self.url + "/prompt", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return str(json.loads(answer.read())["prompt_id"])
        except urllib.error.HTTPError as error:
            details = json.loads(error.read())
            raise HostError(f"refused: {json.dumps(details)[:3000]}", details) from error

    def cached(self, prompt_id: str) -> set[str]:
        """Nodes of a finished graph that ComfyUI did not run, since nothing about them had changed."""
        messages = self.get(f"/history/{prompt_id}")[prompt_id]["status"]["messages"]
        return {node for kind, message in messages if kind == "execution_cached" for node in message["nodes"]}

    def post(self, path: str) -> None:
        request = urllib.request.Request(self.url + path, b"{}", {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60):
            pass

    def wait(self, prompt_id: str, seconds: float = RUN_SECONDS) -> dict[str, Any]:
        """What a queued graph gave, by node id; raises HostError when it fails."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            history = self.get(f"/history/{prompt_id}").get(prompt_id)
            if history and history["status"].get("completed") is not None:
                for kind, message in history["status"]["messages"]:
                    if kind == "execution_interrupted":
                        raise HostError("interrupted", message)
                    if kind == "execution_error":
                        text = f"{message['node_type']}: {message['exception_message'].strip()}"
                        raise HostError(text, message)
                return history["outputs"]
            time.sleep(0.1)
        raise HostError(f"no end after {seconds} s", None)

    def load(self, name: str) -> dict[str, Any]:
        """What SVITestDump wrote under `name`: tensors and plain values by path."""
        with safe_open(self.base / "output" / f"{name}.safetensors", framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return {**json.loads(file.metadata()["plain"]), **tensors}


def _usual(spec: list[Any]) -> Any:
    """What an input is when nothing is said: ComfyUI passes over it where a node does not have it."""
    choices, options = spec[0], spec[1] if len(spec) > 1 else {}
    return options.get("default", choices[0] if isinstance(choices, list) and choices else None)


def _specs(node: dict[str, Any]) -> dict[str, Any]:
    """Inputs of a node by name, as /object_info tells them; hidden ones are none."""
    return {name: spec for kind in ("required", "optional") for name, spec in node["input"].get(kind, {}).items()}


def _environment() -> dict[str, str]:
    return {
        **os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "",
        "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
