"""python -m bench [ROW ...] [--repeats N] [--json FILE]

Prints a table: medians, peak memory beyond what was there before, and ratios between contenders of the same run. The
contenders of a row take turns, so that a machine that gets slower does so for all. With COMFYUI_DIR set, the host's own
nodes are the rivals (run it with ComfyUI's Python); without, a plain restatement of what they do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from .rows import Contender, Goal, Row, rows

ROOT = Path(__file__).resolve().parents[1]
Figures = dict[str, Any]


class Child:
    """A contender's process."""

    def __init__(self, contender: Contender) -> None:
        paths = [str(ROOT), str(ROOT / "tests" / "support"), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.child", contender.target, json.dumps(contender.arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self.answers: list[Figures] = []
        self.less = contender.less
        self._read()

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise SystemExit(f"{' '.join(self.process.args[3:])} failed:\n{self.process.stderr.read()[-3000:]}")  # type: ignore[index]
        return line

    def run(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        self.answers.append(json.loads(self._read()))

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def figures(self) -> Figures:
        """Medians of all runs; the peak is the first run's, before the allocator keeps anything for the next."""
        first = self.answers[0]
        found: Figures = {"seconds": statistics.median(answer["seconds"] for answer in self.answers)}
        found["spread"] = [min(a["seconds"] for a in self.answers), max(a["seconds"] for a in self.answers)]
        found["mib"] = None if first["mib"] is None else first["mib"] - self.less
        for name in ("gpu_mib", "digest"):
            if name in first:
                found[name] = first[name]
        return found


def run_row(row: Row, repeats: int) -> Figures:
    """Every contender of a row, taking turns."""
    children = {}
    try:
        for contender in row.contenders:
            children[contender.name] = Child(contender)
        for _ in range(repeats):
            for child in children.values():
                child.run()
        figures = {name: child.figures() for name, child in children.items()}
    finally:
        for child in children.values():
            child.close()
    goals = [judged for goal in row.goals if (judged := judge(goal, figures)) is not None]
    for group in row.equal:
        same = len({figures[name]["digest"] for name in group}) == 1
        goals.append({"said": f"{' = '.join(group)}, bit for bit", "met": same})
    return {"id": row.id, "title": row.title, "contenders": figures, "goals": goals}


def judge(goal: Goal, figures: Figures) -> Figures | None:
    value = figures[goal.of][goal.what]
    if value is None:
        return None
    unit = "time" if goal.what == "seconds" else "memory"
    if goal.against is None:
        scale = "s" if goal.what == "seconds" else "MiB"
        said = f"{unit} of {goal.of} {value:.3g} {scale} (goal {goal.limit:.3g})"
        return {"said": said, "value": value, "limit": goal.limit, "met": value <= goal.limit}
    base = figures[goal.against][goal.what]
    ratio = max(value, 0.0) / max(base, 1e-9)
    said = f"{unit} of {goal.of} / {goal.against}: {ratio:.3g} (goal {goal.limit:g})"
    return {"said": said, "value": ratio, "limit": goal.limit, "met": ratio <= goal.limit}


def text(result: Figures) -> str:
    lines = [f"{result['id']}: {result['title']}"]
    for name, found in result["contenders"].items():
        low, high = found["spread"]
        memory = "" if found["mib"] is None else f"{found['mib']:9.1f} MiB"
        gpu = f"  GPU {found['gpu_mib']:8.0f} MiB" if found.get("gpu_mib") else ""
        lines.append(f"  {name:22} {found['seconds']:9.4f} s ({low:.4f}..{high:.4f}) {memory}{gpu}")
    lines += [f"  {'ok    ' if goal['met'] else 'MISSED'} {goal['said']}" for goal in result["goals"]]
    return "\n".join(lines)


def main() -> int:
    known = rows()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(row.id for row in known)}; all")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each contender (5)")
    parser.add_argument("--json", type=Path, help="write everything to this file too")
    args = parser.parse_args()
    unknown = set(args.rows) - {row.id for row in known}
    if unknown:
        parser.error(f"no row {', '.join(sorted(unknown))}")
    import torch

    machine = {
        "python": platform.python_version(), "torch": torch.__version__, "cores": os.cpu_count(),
        "processor": platform.machine(), "host": bool(os.environ.get("COMFYUI_DIR")),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }  # fmt: skip
    print(", ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
    results = []
    for row in known:
        if not args.rows or row.id in args.rows:
            results.append(run_row(row, args.repeats))
            print(text(results[-1]), flush=True)
    if args.json:
        args.json.write_text(json.dumps({"machine": machine, "rows": results}, indent=1) + "\n")
    missed = sum(not goal["met"] for result in results for goal in result["goals"])
    print(f"{sum(len(result['goals']) for result in results)} goals, {missed} missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
