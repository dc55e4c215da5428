"""Our encode against the host's on random inputs, fed the equivalent way: equal to the bit, or refused with a reason.

The one thing that differs on purpose is said where it happens: frames of padding that a temporal_mask keeps.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from typing import Any

import pytest
from host.comfyui import Comfy
from host.graphs import Builder
from wanvideo_svi.svi_embeds.recipes import MODES, RECIPES

Case = dict[str, Any]
CASES, SEEDS = 400, 8  # cases in all, and runs of the host that they are split into
SIZES = [(32, 32), (32, 32), (32, 32), (48, 32), (32, 64)]
# Why our node takes no such clip. What the host makes of each: embeds that its sampler fails on, an error of its own,
# or another clip than was asked, in silence.
REASONS = (
    r"num_frames must be 4k\+1",
    r"must be a multiple of 16",
    r"needs start_image: connect the previous clip",
    r"needs \d+ motion frames, start_image has \d+",
    r"overlap must be smaller than num_frames",
    r"overlap_frames \d+ needs start_image",
    r"needs ref_image: connect the original image",
    r"ref_image must be one image, got a batch of 2",
    r"goes with exactly 1 motion frame, got \d+",
    r"end_image meets the motion frames",
    r"padding last needs motion frames",
    r"dance takes no end_image with fun_or_fl2v_model off",
    r"temporal_mask replaces known_frames",
    r"without fun_or_fl2v_model the end is exactly 1 frame, got \d+",
)


def draw(number: int) -> Case:
    """A clip: most of it fits together, some of it does not."""
    some = random.Random(number)
    row = RECIPES[some.choice(MODES)]
    width, height = some.choice(SIZES)
    frames = some.choice([9, 9, 13, 13, 13, 17, 17, 25])
    if number % 100 == 99:  # so long that padding is not encoded to its end
        width, height, frames = 16, 16, 161
    overlap = some.choice([0, 0, 0, 1, 1, 2, 4, 5])
    motion = overlap or row.motion_frames
    start = some.choice([0, 1, motion, motion + 3, motion + 3, motion + 3, frames + 2])
    if not start:
        overlap = overlap if some.random() < 0.1 else 0
        motion = 0
    source = (some.randrange(20, 90), some.randrange(20, 90)) if some.random() < 0.2 else (width, height)
    end = some.choice([0, 0, 0, 1, 1, 1, 2, 3, 5])
    fun = some.random() < (0.9 if motion > 1 or end > 1 else 0.4)
    settings: dict[str, Any] = {
        "mode": row.id, "width": width, "height": height, "num_frames": frames, "overlap_frames": overlap,
        "fun_or_fl2v_model": fun,
    }  # fmt: skip
    if some.random() < 0.04:
        settings |= some.choice([{"num_frames": frames + some.randrange(1, 4)}, {"width": width + 8}])
    if some.random() < 0.4:
        settings |= {"padding": some.choice(["grey", "reference", "black", "last"])}
    if some.random() < 0.3:
        settings |= {
            "start_latent_strength": some.choice([0.0, 0.7, 1.3]),
            "end_latent_strength": some.choice([0.5, 2]),
        }
    if some.random() < 0.1 and frames < 161:
        settings |= {"tiled_vae": True}
    images: dict[str, Any] = {}
    if start:
        channels = 4 if some.random() < 0.1 else 3
        images["start_image"] = {"count": start, "size": source, "seed": 10 * number, "channels": channels}
    if some.random() < 0.9:
        images["ref_image"] = {"count": 2 if some.random() < 0.04 else 1, "size": source, "seed": 10 * number + 1}
    if end:
        images["end_image"] = {"count": end, "size": source, "seed": 10 * number + 2}
    mask = None
    if some.random() < 0.5:
        count = some.choice([1, 2, frames - 1, frames, frames + 1, frames + 4])
        kinds = some.choice([(0.0, 1.0), (0.0, 0.0, 0.0, 1.0), (0.0, 0.2, 0.5, 0.7, 1.0)])
        values = [some.choice(kinds) for _ in range(count)]
        rough = [frame for frame in range(count) if some.random() < 0.2]
        mask = {"values": values, "rough": rough, "height": some.randrange(1, 40), "width": some.randrange(1, 40)}
    elif some.random() < 0.4:
        settings |= {"known_frames": some.choice(["overlap", "first_frame", "inverted"])}
    if mask and some.random() < 0.03:
        settings |= {"known_frames": "overlap"}
    padding = settings.get("padding", row.padding)
    known = settings.get("known_frames", row.known)
    return {
        "settings": settings, "images": images, "mask": mask, "extra": int(some.random() < 0.1),
        "vision": some.random() < 0.2, "control": some.random() < 0.1,
        "host": {
            "motion": motion, "padding": padding, "reference": "ref_image" if "ref_image" in images else "start_image",
            "known": _known(known, frames, motion, end, apart=bool(end and start and not fun)),
        },
    }  # fmt: skip


def _known(rule: str, frames: int, motion: int, end: int, *, apart: bool) -> list[float] | None:
    """What the host is given as temporal_mask for a rule that is not its own."""
    if rule == "overlap":
        return None
    total = frames + apart
    if rule == "inverted":
        return [0.0] + [1.0] * (total - 1)
    kept = {0} if motion else set()
    return [float(frame in kept or frame >= total - end) for frame in range(total)]


def run(comfy: Comfy, cases: list[Case]) -> list[dict[str, Any]]:
    build = Builder()
    build.dump(build.link("SVITestDifferential", vae=build.vae(), cases=json.dumps(cases)), "differential")
    comfy.run(build.graph)
    found: list[dict[str, Any]] = json.loads(comfy.load("differential")[""])
    return found


def outcome(case: Case, found: dict[str, Any]) -> str:
    """equal, refused, or said; anything else is a failure that says how to draw it again."""
    if reason := found.get("refused"):
        return (
            "refused" if any(re.search(known, reason) for known in REASONS) else f"refused without a reason: {reason}"
        )
    if not found["differs"]:
        return "equal"
    if found["differs"] == ["image_embeds"] and not found["without_mask"] and case["host"]["padding"] != "grey":
        # A rule is no mask that somebody gave: known_frames says what it keeps.
        if not case["mask"]:
            return "said" if case["settings"].get("known_frames") == "inverted" else "differs: rule"
        there = "temporal_mask keeps frames that no image is given for" in found["info"]
        return "said" if there and "the wrapper's own encode leaves those grey" in found["info"] else "differs unsaid"
    return f"differs: {found['differs']}, {found.get('without_mask')}"


@pytest.mark.parametrize("part", range(SEEDS))
def test_random_clips_are_the_hosts_to_the_bit_or_refused(comfy: Comfy, part: int) -> None:
    numbers = range(part * CASES // SEEDS, (part + 1) * CASES // SEEDS)
    cases = [draw(number) for number in numbers]
    outcomes = {
        number: outcome(case, found) for number, case, found in zip(numbers, cases, run(comfy, cases), strict=True)
    }
    wrong = {number: said for number, said in outcomes.items() if said not in ("equal", "refused", "said")}
    assert not wrong
    counts = Counter(outcomes.values())
    print(part, dict(counts))
    assert counts["equal"] > len(cases) / 3
    assert counts["refused"]
    assert counts["said"]
