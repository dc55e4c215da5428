"""Tables of what `gpu.py` measured: `python bench/gpu_table.py results.json` prints them again."""

from __future__ import annotations

import json
import statistics
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

Mark = dict[str, Any]
Figures = dict[str, Any]

# What is not the pack's own of a clip: the host's nodes, and what moves or runs its models.
HOST = ("sampler", "decode", "vision", "text", "encode", "vae_encode", "vae_decode", "vae_move", "load_models")
_PHASES = (
    "text", "sampler", "step", "load_weights", "set_loras", "offload", "gc", "decode", "vae_decode", "vae_encode",
    "vae_move", "load_models", "vision", "make_clip", "prepare", "compose", "tiles", "encoding", "free_memory",
    "digest", "fingerprint", "last_frames", "show_text", "glance", "saver_add", "saver_wait", "write_clip", "picture",
)  # fmt: skip
_BESIDE = ("write_clip", "glance", "picture", "write_video")  # in threads beside the chain


def tell(name: str, figures: Figures) -> list[str]:
    """The table of one run."""
    if "error" in figures:
        return [f"== {name}: FAILED {figures['error'][-1500:]}"]
    if codecs := figures.get("codecs"):
        return [
            f"== {name}",
            *(f"  {what:16} {row['seconds']:.2f} s, {row['mb']:.1f} MB" for what, row in codecs.items()),
        ]
    sampled = [sample[1] for sample in figures["samples"]]
    driver = [sample[2] for sample in figures["samples"]]
    head = (
        f"== {name}: {figures['seconds']:.1f} s, {'with' if figures['sync'] else 'without'} synchronising; GPU "
        f"{figures['peak_gib']:.2f} GiB allocated, {figures['reserved_gib']:.2f} reserved, "
        f"{max(driver, default=0):.0f} MiB by the driver; RAM {max(sampled, default=0):.0f} MB anonymous at most"
    )
    lines = [head]
    marks: list[Mark] = figures["marks"]
    loaders = ("load_model", "load_t5", "load_vision", "load_vae", "origins")
    found = {kind: round(_sum(marks, kind), 2) for kind in loaders}
    lines.append("  loaders: " + ", ".join(f"{kind} {value}" for kind, value in found.items() if value))
    clips = clips_of(marks)
    rows: dict[str, list[str]] = {"clip": [f"{clip['end'] - clip['start']:.2f}" for clip in clips]}
    # What runs beside the chain ends in the next clip.
    after = [*(clip["start"] for clip in clips[1:]), float("inf")][: len(clips)]
    spans = [{**clip, "end": end} for clip, end in zip(clips, after, strict=True)]
    for phase in _PHASES:
        beside = phase in _BESIDE
        values = [_sum(_within(marks, clip, beside), phase) for clip in (spans if beside else clips)]
        if any(values):
            rows[phase] = [f"{value:.3f}" for value in values]
    if any(mark["name"] == "story" for mark in marks):
        # What comes between two clips is the pack's too.
        whole = [{**clip, "end": min(end, clip["end"] + 1)} for clip, end in zip(clips, after, strict=True)]
        whole[-1:] = clips[-1:]
        rows["PACK'S OWN"] = [f"{own(marks, clip):.3f}" for clip in whole]
        rows["share %"] = [f"{100 * own(marks, clip) / (clip['end'] - clip['start']):.2f}" for clip in whole]
    rows["gap before"] = ["-", *(f"{gap:.2f}" for gap in gaps(marks))]
    samplers = [mark for mark in marks if mark["name"] == "sampler"]
    if samplers and "gib_before" in samplers[0]:
        rows["GiB before"] = [f"{mark['gib_before']:.3f}" for mark in samplers]
        rows["GiB most"] = [f"{mark['gib_most']:.2f}" for mark in samplers]
    if any(mark.get("graphs") for mark in samplers):
        for key in ("graphs", "compiles"):
            rows[key] = [str(mark.get(key, 0)) for mark in samplers]
    rows["RAM, MB"] = [f"{_ram(figures, mark):.0f}" for mark in samplers]
    lines += [f"  {row:14}" + "".join(f"{value:>9}" for value in values) for row, values in rows.items()]
    if decodes := [mark for mark in marks if mark["name"] == "decode"]:
        ends = [mark["end"] for mark in marks if mark["name"] in ("story", "long_video")]
        parts = {kind: _sum(marks, kind) for kind in ("join_finish", "join_whole", "set_chain")}
        told = ", ".join(f"{kind} {value:.2f}" for kind, value in parts.items())
        left = max(ends, default=figures["seconds"]) - decodes[-1]["end"]
        lines.append(f"  from the last decode to the end: {left:.2f} s ({told})")
    for output in figures["outputs"].values():
        lines += [f"  {json.dumps(said)}" for said in output.get("svi_bench", [])]
        lines += [f"  | {line}" for text in output.get("text", []) for line in text.splitlines()]
    return lines


def clips_of(marks: list[Mark]) -> list[Mark]:
    """What was made of each clip: the chain's own marks, else from a sampler call's end to the next one's."""
    samplers = [mark for mark in marks if mark["name"] == "sampler"]
    own_marks = [mark for mark in marks if mark["name"] == "clip"]
    if own_marks:
        return [clip for clip in own_marks if any(clip["start"] <= mark["start"] < clip["end"] for mark in samplers)]
    ends = [0.0, *(mark["end"] for mark in samplers)]
    return [{"start": start, "end": end} for start, end in pairwise(ends)]


def own(marks: list[Mark], clip: Mark) -> float:
    """Seconds of a clip that are none of the host's."""
    spans = sorted((mark["start"], mark["end"]) for mark in _within(marks, clip, False) if mark["name"] in HOST)
    covered, at = 0.0, clip["start"]
    for start, end in spans:
        covered += max(0.0, end - max(start, at))
        at = max(at, end)
    return float(clip["end"] - clip["start"] - covered)


def gaps(marks: list[Mark]) -> list[float]:
    """Seconds from the end of a sampler call to the start of the next."""
    samplers = [mark for mark in marks if mark["name"] == "sampler"]
    return [after["start"] - before["end"] for before, after in pairwise(samplers)]


def _within(marks: list[Mark], clip: Mark, beside: bool) -> list[Mark]:
    return [
        mark for mark in marks
        if clip["start"] <= mark["start"] < clip["end"] and mark["thread"].startswith("svi-") == beside
    ]  # fmt: skip


def _sum(marks: list[Mark], name: str) -> float:
    spent = (mark["end"] - mark["start"] for mark in marks if mark["name"] == name and mark["in"] != name)
    return float(sum(spent))


def _ram(figures: Figures, span: Mark) -> float:
    inside = [sample[1] for sample in figures["samples"] if span["start"] <= sample[0] <= span["end"]]
    return statistics.median(inside) if inside else 0.0


if __name__ == "__main__":
    for run, measured in json.loads(Path(sys.argv[1]).read_text()).items():
        print("\n".join(tell(run, measured)))
