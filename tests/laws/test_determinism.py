"""The same inputs give the same bytes: in each run, on each number of threads, in each process. On the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from project import TESTS

CHILD = TESTS / "support" / "same_bytes.py"


def made_by(folder: Path, *, threads: int, hash_seed: str) -> dict[str, str]:
    """Digests by what was made, from a process of its own."""
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": hash_seed,
        "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(CHILD), str(threads), str(folder)],
        capture_output=True, text=True, env=environment, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_runs_threads_and_processes_make_the_same_bytes(tmp_path: Path) -> None:
    runs = [
        made_by(tmp_path / str(number), threads=threads, hash_seed=seed)
        for number, (threads, seed) in enumerate([(1, "0"), (2, "1"), (7, "2")])
    ]
    differing = {name for run in runs for name in run if run[name] != runs[0][name]}
    assert differing == set()
    assert len(runs[0]) >= 20
