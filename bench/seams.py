"""How well seams are found in the picture alone: videos of clips with seams of known kinds and sizes, and without any.

PYTHONPATH=tests/support python bench/seams.py [SEEDS]
"""

from __future__ import annotations

import sys
from collections import Counter

from seam_videos import MOTIONS, starts_of, video
from wanvideo_svi.svi_embeds.drift.measure import measure_images

CHAINS = ((81, 5, 3), (81, 1, 4), (81, 5, 2), (77, 9, 3), (49, 5, 5), (33, 4, 6), (60, 0, 4))  # length, overlap, clips
SIZES = {"tint": (2, 5, 20), "exposure": (2, 5, 12), "skip": (3, 10)}
TOTALS = (81, 157, 233, 241, 400)


def outcome(motion: str, seed: int, total: int, starts: tuple[int, ...], kind: str = "tint", size: float = 0) -> str:
    """found, wrong, or none where it is said that nothing was found."""
    measured = measure_images(video(motion, seed, total, starts, kind, size))
    if any("no seam was found" in note or "no more than one clip" in note for note in measured.notes):
        return "none"
    return "found" if measured.drift.starts == starts else "wrong"


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("| seam | size | " + " | ".join(MOTIONS) + " |")
    print("| --- |" + " --- |" * (1 + len(MOTIONS)))
    for kind, sizes in SIZES.items():
        for size in sizes:
            cells = []
            for motion in MOTIONS:
                tried: Counter[str] = Counter()
                for seed in range(seeds):
                    for length, overlap, clips in CHAINS:
                        total = length + (clips - 1) * (length - overlap)
                        starts = starts_of(length, overlap, total)
                        tried[outcome(motion, seed, total, starts, kind, size)] += 1
                cells.append(
                    f"{tried['found']}/{tried.total()}" + (f", {tried['wrong']} wrong" if tried["wrong"] else "")
                )
            print(f"| {kind} | {size} | {' | '.join(cells)} |", flush=True)
    cells = []
    for motion in MOTIONS:
        tried = Counter(outcome(motion, 1000 + seed, total, ()) for seed in range(4 * seeds) for total in TOTALS)
        cells.append(f"{tried.total() - tried['none']}/{tried.total()}")
    print(f"| none: false alarms | | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
