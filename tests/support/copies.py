"""Processes as copies of one that has imported everything: importing torch takes longer than most of what they do."""

from __future__ import annotations

import functools
import io
import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import IO, Any
from unittest import mock

import pytest


@functools.cache
def nursery() -> Any:
    """Where copies are made. The process that they are copies of has no threads, which a copy would miss."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs processes that fork, and SIGKILL")
    context = multiprocessing.get_context("forkserver")
    # There is one for all tests of a process: what it imports first is what any of them needs.
    context.set_forkserver_preload(["faults", "farms", "aiohttp.web"])
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path), OMP_NUM_THREADS="1"):
        first = context.Process(target=int)
        first.start()
        first.join()
    return context


def said_by(code: str, *arguments: object, seconds: float = 60) -> str:
    """What code prints in a copy, with these as sys.argv[1:]. Fails when it raises, dies, or takes longer."""
    heard, telling = nursery().Pipe(duplex=False)
    process = nursery().Process(target=_tell, args=(telling, code, [str(each) for each in arguments]))
    process.start()
    telling.close()
    try:
        assert heard.poll(seconds), f"nothing was said within {seconds:g} s"
        done, said = heard.recv()
    except EOFError:
        process.join()
        pytest.fail(f"it ended with {process.exitcode}")
    finally:
        process.kill()
        process.join()
    assert done, said[-2000:]
    return str(said)


def _tell(telling: Any, code: str, arguments: list[str]) -> None:
    said, sys.argv = io.StringIO(), ["-c", *arguments]
    try:
        with redirect_stdout(said):
            exec(code, {"__name__": "__main__"})
    except BaseException:
        telling.send((False, traceback.format_exc()))
    else:
        telling.send((True, said.getvalue()))


class CopiedProgram:
    """Stands in for the subprocess.Popen of `python -c CODE ARGUMENTS`: a copy that runs this code, in a session, a
    folder and an environment of its own, with a pipe for stdin and the log for the rest."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: int, stdout: IO[bytes], stderr: int,
        start_new_session: bool, preexec_fn: Any,  # noqa: ARG002 - a copy's parent is not this process
    ) -> None:  # fmt: skip
        assert (stdin, stderr, start_new_session) == (subprocess.PIPE, subprocess.STDOUT, True)
        read, write = os.pipe()
        self.stdin = os.fdopen(write, "wb")
        ready, telling = nursery().Pipe(duplex=False)
        self._lock = threading.Lock()
        self._process = nursery().Process(
            target=_become,
            args=(list(command[2:]), str(cwd), dict(env), DupFd(read), DupFd(stdout.fileno()), telling),
            daemon=True,
        )
        self._process.start()
        os.close(read)
        telling.close()
        ready.recv()  # from now on it can be ended with its group
        self.pid = self._process.pid

    def poll(self) -> int | None:
        with self._lock:
            return self._process.exitcode  # type: ignore[no-any-return]

    def wait(self, timeout: float | None = None) -> int:
        with self._lock:
            self._process.join(timeout)
            if self._process.exitcode is None:
                raise subprocess.TimeoutExpired("a copy", timeout or 0)
            return int(self._process.exitcode)

    def kill(self) -> None:
        self._process.kill()


def _become(command: list[str], cwd: str, env: dict[str, str], stdin: Any, log: Any, ready: Any) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    os.dup2(stdin.detach(), 0)
    os.dup2(log.detach(), 1)
    os.dup2(1, 2)
    ready.send(None)
    ready.close()
    code, *arguments = command
    sys.argv = ["-c", *arguments]
    sys.path.insert(0, "")
    exec(code, {"__name__": "__main__"})
