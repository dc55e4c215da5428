"""What is measured against what, and which ratios the pack is held to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Literal

import torch


@dataclass(frozen=True)
class Contender:
    """name: in the table. target: MODULE:FUNCTION of bench, called with arguments. less: MiB of its result, which its
    peak is counted without."""

    name: str
    target: str
    arguments: dict[str, Any] = field(default_factory=dict)
    less: float = 0.0


@dataclass(frozen=True)
class Goal:
    """`of` takes at most `limit` times what `against` takes; without `against`, at most `limit` seconds or MiB."""

    of: str
    limit: float
    against: str | None = None
    what: Literal["seconds", "mib"] = "seconds"


@dataclass(frozen=True)
class Row:
    """One comparison. equal: groups of contenders whose results must be the same, bit for bit."""

    id: str
    title: str
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...] = ()
    equal: tuple[tuple[str, ...], ...] = ()


def rows() -> list[Row]:
    """Every row, in order."""
    return [_shot(), _film(), *_vae(), _masks(), _stitch(), _assemble(), _append(), *_plans(), _import()]


def _shot() -> Row:
    goals = []
    for rival, seconds, mib in (("community graph", 0.05, 0.15), ("host pad image", 0.25, 0.45), ("floor", 1.15, 1.10)):
        goals += [Goal("ours", seconds, rival), Goal("ours", mib, rival, "mib")]
    return Row(
        "prep shot", "shot conditioning, 832x480x81 from two images of 1280x720, the VAE left out",
        (
            Contender("ours", "bench.prep:shot_ours"),
            Contender("community graph", "bench.prep:shot_community"),
            Contender("host pad image", "bench.prep:shot_host"),
            Contender("the same without gc", "bench.prep:shot_host", {"collect": False}),
            Contender("floor", "bench.prep:shot_floor"),
        ),
        tuple(goals),
    )  # fmt: skip


def _film() -> Row:
    rival = "host 5-frame start"
    return Row(
        "prep film", "film conditioning, 832x480x81 from a clip, the VAE left out",
        (
            Contender("ours", "bench.prep:film_ours"),
            Contender(rival, "bench.prep:film_host"),
            Contender("the same without gc", "bench.prep:film_host", {"collect": False}),
        ),
        (Goal("ours", 0.8, rival), Goal("ours", 0.7, rival, "mib")),
    )  # fmt: skip


def _vae() -> list[Row]:
    """On a GPU with the released VAE's size, on a CPU with frames so small that a run takes seconds."""
    gpu = torch.cuda.is_available()
    size = {"width": 832, "height": 480} if gpu else {"width": 32, "height": 32}
    where = f"{size['width']}x{size['height']}, " + ("VAE of the released size on the GPU" if gpu else "on the CPU")
    target = f"bench.encode:{'host_vae' if os.environ.get('COMFYUI_DIR') and gpu else 'diffusers_vae'}"

    def embeds(frames: int, *, repeat: bool, tiled: bool = False) -> Contender:
        how = "repeating" if repeat else "in full"
        name = f"{frames} {'tiled ' if tiled else ''}{how}"
        return Contender(name, target, {**size, "frames": frames, "repeat": repeat, "tiled": tiled})

    lengths = Row(
        "encode", f"shot embeds, {where}",
        (
            embeds(81, repeat=True), embeds(113, repeat=False),
            *(embeds(frames, repeat=repeat) for frames in (241, 1001) for repeat in (True, False)),
            *(embeds(241, repeat=repeat, tiled=True) for repeat in (True, False)),
        ),
        (Goal("1001 repeating", 1.25, "113 in full"), Goal("241 repeating", 0.55, "241 in full")),
        equal=(
            ("241 repeating", "241 in full"), ("1001 repeating", "1001 in full"),
            ("241 tiled repeating", "241 tiled in full"),
        ),
    )  # fmt: skip
    ours, vae = "ours, VAE left out", "the VAE alone"
    share = Row(
        "own share", f"embeds of a clip of 81 frames, {where}",
        (
            Contender(ours, "bench.encode:own_share", size),
            Contender(vae, target, {**size, "frames": 81, "repeat": False, "vae_only": True}),
        ),
        (Goal(ours, 0.01, vae),) if gpu else (),
    )  # fmt: skip
    return [lengths, share]


def _masks() -> Row:
    rival = "pixel masks"
    return Row(
        "masks", "known mask of a clip of 832x480x1001 and its packed form",
        (Contender("ours", "bench.prep:masks_ours"), Contender(rival, "bench.prep:masks_pixels")),
        (Goal("ours", 0.1, rival), Goal("ours", 0.1, rival, "mib")),
    )  # fmt: skip


_CLIP_MIB, _ADDED_MIB = (frames * 256 * 144 * 3 * 4 / 2**20 for frames in (33, 28))


def _stitch() -> Row:
    def joined(clips: int) -> float:
        return _CLIP_MIB + (clips - 1) * _ADDED_MIB

    return Row(
        "stitch", "clips of 256x144x33 as one video; memory beyond that video",
        (
            *(
                Contender(f"{clips} clips", "bench.chain:stitch_clips", {"clips": clips}, joined(clips))
                for clips in (5, 25, 100)
            ),
            Contender("25 one by one", "bench.chain:stitch_pairs", {"clips": 25}, joined(25)),
        ),
        (Goal("100 clips", 4.4, "25 clips"), Goal("100 clips", _CLIP_MIB, what="mib")),
    )  # fmt: skip


def _assemble() -> Row:
    few, many = (Contender(f"{clips} clips", "bench.chain:reel_assemble", {"clips": clips}) for clips in (25, 100))
    return Row(
        "reel assemble", "a reel's clips of 256x144x33 as one H.264 video", (few, many),
        (Goal(many.name, 4.4, few.name), Goal(many.name, 1.1, few.name, "mib")),
    )  # fmt: skip


def _append() -> Row:
    contenders = (Contender(f"after {clips}", "bench.chain:reel_append", {"clips": clips}) for clips in (1, 25, 100))
    return Row(
        "reel append", "one more clip of 256x144x33 into a reel", tuple(contenders),
        (Goal("after 100", 1.25, "after 1"),),
    )  # fmt: skip


def _plans() -> list[Row]:
    return [
        Row("story", "plan of 10,000 clips", (Contender("plan", "bench.plans:story"),), (Goal("plan", 0.5),)),
        Row(
            "migrate", "an old graph of 10,000 nodes",
            (Contender("migrate", "bench.plans:migrate"), Contender("JSON alone", "bench.plans:migrate_json")),
            (Goal("migrate", 2.0),),
        ),
    ]  # fmt: skip


def _import() -> Row:
    contenders, goals = [Contender("beyond torch", "bench.plans:import_pack")], [Goal("beyond torch", 0.05)]
    if os.environ.get("COMFYUI_DIR"):
        contenders.append(Contender("beyond ComfyUI", "bench.plans:import_in_host"))
        goals.append(Goal("beyond ComfyUI", 0.03))
    return Row("import", "import of the pack", tuple(contenders), tuple(goals))
