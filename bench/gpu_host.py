"""A ComfyUI process for the benchmark on a GPU, and what its memory is while it runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gpu_models import TINY_TEXT

Figures = dict[str, Any]


class Watch:
    """Samples the memory of a process, and of the GPU as the driver counts it, ten times a second."""

    def __init__(self, pid: int) -> None:
        self.status = Path(f"/proc/{pid}/status")
        self.samples: list[tuple[float, float, float]] = []  # time, anonymous MB, GPU MB
        self._used = _gpu_used()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ends.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ends.wait(0.1):
            try:
                anonymous = int(self.status.read_text().split("RssAnon:")[1].split()[0]) / 1024
            except (OSError, IndexError):
                return
            self.samples.append((time.monotonic(), round(anonymous), self._used()))


def _gpu_memory() -> Callable[[], Any] | None:
    """Asks the driver for the memory of the card; None without one."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        card = pynvml.nvmlDeviceGetHandleByIndex(0)
    except pynvml.NVMLError:  # no driver, no card
        return None
    return lambda: pynvml.nvmlDeviceGetMemoryInfo(card)


def _gpu_used() -> Callable[[], float]:
    ask = _gpu_memory()
    return lambda: 0.0 if ask is None else round(int(ask().used) / 2**20)


def gpu_gib() -> float:
    """Memory of the card, 0 without one."""
    ask = _gpu_memory()
    return 0.0 if ask is None else int(ask().total) / 2**30


class Host:
    """One ComfyUI process. base: its folder of nodes, models and files. seconds: until it answered. arguments: more of
    the command line, with a GPU."""

    def __init__(self, comfyui: Path, base: Path, *, log: Path, tiny: bool, arguments: Sequence[str] = ()) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        command = [
            sys.executable, "main.py", "--listen", "127.0.0.1", "--port", str(port), "--disable-auto-launch",
            "--base-directory", str(base), "--database-url", f"sqlite:///{base / 'comfyui.db'}",
            "--front-end-root", str(base / "page"), *(arguments if _gpu() else ["--cpu"]),
        ]  # fmt: skip
        own = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
        if tiny:
            own["SVI_BENCH_TEXT"] = json.dumps(TINY_TEXT)
        with log.open("wb") as written:
            self.process = subprocess.Popen(
                command, cwd=comfyui, env={**os.environ, **own}, stdout=written, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self.watch = Watch(self.process.pid)
        start = time.monotonic()
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - start > 240:
                raise SystemExit(f"ComfyUI did not start: {self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.2)
        self.known: dict[str, Any] = self.get("/object_info")
        self.seconds = time.monotonic() - start

    def _answers(self) -> bool:
        try:
            self.get("/system_stats")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=120) as answer:
            return json.load(answer)

    def post(self, path: str, data: Any) -> Any:
        body = json.dumps(data).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"refused: {error.read().decode()[:2000]}") from error
        return json.loads(text) if text else None

    def run(self, nodes: dict[str, Any], *, sync: bool = False) -> Figures:
        """Run an API graph. Returns its marks, memory and outputs; raises RuntimeError with what ComfyUI says."""
        self.post("/svi_bench/begin", {"sync": sync})
        begun, first = time.monotonic(), len(self.watch.samples)
        prompt_id = self.post("/prompt", {"prompt": nodes})["prompt_id"]
        while not (history := self.get(f"/history/{prompt_id}").get(prompt_id)):
            if self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI died: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.2)
        measured = self.get("/svi_bench/marks")
        for kind, message in history["status"]["messages"]:
            if kind in ("execution_error", "execution_interrupted"):
                trace = "".join(message.get("traceback", ())[-6:])
                raise RuntimeError(f"{message.get('node_type')}: {message.get('exception_message', '')}\n{trace}")
        marks = sorted(measured["marks"], key=lambda mark: mark["start"])
        for mark in marks:
            mark["start"], mark["end"] = (round(mark[key] - begun, 4) for key in ("start", "end"))
        samples = [(round(at - begun, 2), *rest) for at, *rest in self.watch.samples[first:]]
        return {
            "seconds": time.monotonic() - begun, "sync": sync, "marks": marks, "samples": samples,
            "peak_gib": measured["peak_gib"], "reserved_gib": measured["reserved_gib"], "outputs": history["outputs"],
        }  # fmt: skip

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.watch.close()


def _gpu() -> bool:
    import torch

    return torch.cuda.is_available()
