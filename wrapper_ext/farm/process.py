"""A ComfyUI of one's own: on a free port of this machine, with one card, gone when whoever started it is."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...svi_embeds.errors import SVIError
from .jobs import LostError

START_SECONDS = 300.0  # importing ComfyUI and its nodes from a cold disk
_STARTS = 3  # another program may take the port in between

# Arguments of ComfyUI that a worker sets.
_OURS = (
    "--listen", "--port", "--output-directory", "--temp-directory", "--user-directory", "--database-url",
    "--auto-launch",
)  # fmt: skip
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: a forked child must not load
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy is not asked for this machine

# Run by ComfyUI's Python. Ends the whole group when the other end of stdin is gone, however it went: a ComfyUI must be
# in a group of its own to be ended whole, and would then outlive who started it, with its card and its locks.
_BOOT = r"""
import os, runpy, signal, sys, threading
def watch():
    while os.read(0, 4096):
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[1:]
sys.path[0] = os.getcwd()
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How ComfyUI is started. folder: of ComfyUI. python: that runs it. arguments: more ones for main.py. card: what
    CUDA_VISIBLE_DEVICES is set to; None leaves it, "" hides all. threads: of the CPU, 0 for as many as there are."""

    folder: Path
    python: str
    arguments: Sequence[str] = ()
    card: str | None = None
    threads: int = 0

    def __post_init__(self) -> None:
        if taken := [word for word in self.arguments if word.partition("=")[0] in _OURS]:
            raise SVIError(f"--comfyui-args has {taken[0]}, which each worker has of its own: leave it out")


class ComfyProcess:
    """A ComfyUI that runs. base: a folder for what it writes: output, temp, user, its database and its log."""

    def __init__(self, program: Program, base: Path) -> None:
        self.program, self.base = program, base
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def log(self) -> Path:
        return self.base / "comfyui.log"

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def has_ended(self) -> bool:
        """Whether it ended by itself. Its connections end a moment before that is seen."""
        process = self.process
        if process is None:
            return False
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)
        return process.poll() is not None

    def start(self, may_go_on: Callable[[], bool] = lambda: True) -> None:
        """Start it and wait until it answers. Raises LostError when it does not, or must not go on."""
        for attempt in range(_STARTS):
            self.stop()
            try:
                self._start(may_go_on)
                return
            except LostError:
                if attempt == _STARTS - 1 or not may_go_on():
                    raise

    def _start(self, may_go_on: Callable[[], bool]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        for folder in ("output", "temp", "user"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        arguments = [
            "main.py", "--listen", "127.0.0.1", "--port", str(port), "--disable-auto-launch",
            "--output-directory", str(self.base / "output"), "--temp-directory", str(self.base / "temp"),
            "--user-directory", str(self.base / "user"), "--database-url", f"sqlite:///{self.base / 'comfyui.db'}",
            *self.program.arguments,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program.python, "-c", _BOOT, *arguments], cwd=self.program.folder, env=self._environment(),
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if not may_go_on():
                self.stop()
                raise LostError("it was ended while ComfyUI started")
            if not self.is_alive():
                raise LostError(f"ComfyUI ended at its start: {self.last_words()}")
            with suppress(OSError), _DIRECT.open(f"{self.url}/system_stats", timeout=5):
                return
            time.sleep(0.3)
        self.stop()
        raise LostError(f"ComfyUI did not answer within {START_SECONDS:.0f} s: {self.last_words()}")

    def stop(self) -> None:
        """End it and what it started, at once: what is finished is on the disk."""
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()

    def last_words(self) -> str:
        """The end of its log, in one line."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return "it left no log"
        return " | ".join(line.strip() for line in lines[-3:])[-500:] or "it left an empty log"

    def _environment(self) -> Mapping[str, str]:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if self.program.card is not None:
            environment["CUDA_VISIBLE_DEVICES"] = self.program.card
        # Whoever starts workers by the core may have set one thread for each of them.
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            environment.pop(name, None)
            if self.program.threads:
                environment[name] = str(self.program.threads)
        return environment


def _die_with_parent() -> None:
    """Linux ends the child when the thread that forked it ends."""
    assert _LIBC is not None
    _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
