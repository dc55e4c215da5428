"""How long a migration takes, by the size of the graph: seconds, and relative to reading and writing the JSON alone.

PYTHONPATH=tests python bench/migrate.py
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable

from old_graphs import mutated, pixel_chain
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.migration import migrate_value

REPEATS = 3


def fastest(run: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs."""
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    print(f"{'nodes':>7} {'JSON, s':>9} {'migrate, s':>11} {'ratio':>7}")
    for clips in (3, 30, 160, 630):
        raw = pixel_chain(clips=clips, padding="reference", wires=True, lora="x", overlap=1)
        alone = fastest(lambda raw=raw: json.loads(json.dumps(raw)))  # type: ignore[misc]
        spent = fastest(lambda raw=raw: migrate_value(raw))  # type: ignore[misc]
        print(f"{len(raw['nodes']):>7} {alone:>9.3f} {spent:>11.3f} {spent / alone:>7.1f}")
    slowest = 0.0
    for seed in range(300):
        raw = mutated(pixel_chain(clips=3, wires=True, padding="last", overlap=1), seed)
        start = time.process_time()
        with contextlib.suppress(SVIError):
            migrate_value(raw)
        slowest = max(slowest, time.process_time() - start)
    print(f"slowest of 300 broken graphs: {slowest:.3f} s")


if __name__ == "__main__":
    main()
