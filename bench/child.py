"""One contender in a process of its own: sets up, then runs whenever a line comes in, and answers with a line of JSON.

python -m bench.child MODULE:FUNCTION JSON-ARGUMENTS

The function sets up and returns what is measured, a callable. What that returns may be a Tensor (its digest is
compared) or seconds that it measured itself (a float).
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
import time
from importlib import import_module
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _status(field: str) -> float:
    """A field of the kernel's book on this process, in MiB."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def measure(run) -> dict[str, object]:
    gc.collect()
    peak = None
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.empty_cache()  # what it keeps would be missed by the contenders beside it
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    if _RESET.exists():
        _RESET.write_text("5")  # the highest resident size is counted from here on
        before = _status("VmRSS")
    start = time.perf_counter()
    result = run()
    if on_gpu:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    if _RESET.exists():
        peak = _status("VmHWM") - before
    answer: dict[str, object] = {"seconds": result if isinstance(result, float) else seconds, "mib": peak}
    if on_gpu:
        answer["gpu_mib"] = torch.cuda.max_memory_allocated() / 2**20
    if isinstance(result, torch.Tensor):
        pixels = result.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
        answer["digest"] = hashlib.sha256(pixels.tobytes()).hexdigest()
    return answer


def main() -> None:
    # Whatever the measured code prints goes to stderr: stdout is for answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    module, function = sys.argv[1].split(":")
    run = getattr(import_module(module), function)(**json.loads(sys.argv[2]))
    print("ready", file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure(run)), file=answers, flush=True)


if __name__ == "__main__":
    main()
