"""Chains: clips stitched, and reels written and joined."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from wanvideo_svi.svi_embeds.colour.stitch import stitch
from wanvideo_svi.svi_embeds.ground.images import last_frames
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import NewTake, ReelWriter

WIDTH, HEIGHT, FRAMES, OVERLAP = 256, 144, 33, 5


def _clip(seed: int) -> Tensor:
    """A smooth picture that moves: noise would be all that the coders do."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(1, 3, 9, 16, generator=generator)
    picture = torch.nn.functional.interpolate(small, size=(HEIGHT, WIDTH), mode="bicubic").clamp(0, 1)[0]
    rolled = [picture.roll(frame, dims=2) for frame in range(FRAMES)]
    return torch.stack(rolled).permute(0, 2, 3, 1).contiguous()


def stitch_clips(clips: int) -> Callable[[], object]:
    made = [_clip(seed) for seed in range(clips)]

    def run() -> None:
        joined, _ = stitch(*made, overlap_frames=OVERLAP)
        assert len(joined) == clips * (FRAMES - OVERLAP) + OVERLAP

    return run


def stitch_pairs(clips: int) -> Callable[[], object]:
    """One Stitch node after the other, ComfyUI keeping what each made."""
    made = [_clip(seed) for seed in range(clips)]

    def run() -> None:
        kept = [made[0]]
        for clip in made[1:]:
            kept.append(stitch(kept[-1], clip, overlap_frames=OVERLAP)[0])

    return run


def reel_assemble(clips: int) -> Callable[[], object]:
    folder = Path(tempfile.mkdtemp())
    _fill(folder / "reel", clips)
    reel = open_reel(folder / "reel")
    return lambda: reel.assemble(folder / "joined.mp4") and None


def reel_append(clips: int) -> Callable[[], object]:
    """Seconds of one more clip; the reel is as before afterwards."""
    folder = Path(tempfile.mkdtemp())
    _fill(folder / "reel", clips)
    images = _clip(clips)

    def run() -> None:
        with ReelWriter(folder / "reel", fps=16) as writer:
            _add(writer, f"{clips:064x}", images)
            writer.set_chain(writer.reel.clips[:clips])
            writer.clean()

    return run


def _fill(folder: Path, clips: int) -> None:
    """A reel of so many clips, all alike."""
    images = _clip(0)
    with ReelWriter(folder, fps=16) as writer:
        for index in range(clips):
            _add(writer, f"{index:064x}", images)


def _add(writer: ReelWriter, digest: str, images: Tensor) -> None:
    new = NewTake(
        digest=digest, images=images, overlap=OVERLAP if writer.reel.clips else 0, tail=last_frames(images, OVERLAP),
        prompt="", seed=0, mode="film", seconds=0.0,
    )  # fmt: skip
    writer.add(new, before=writer.reel.clips)
