"""Small reels whose frames can be told apart, and what a desk shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from helpers import add_take
from torch import Tensor
from wanvideo_svi.svi_embeds.colour.look import glance
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter

LOSS = 4.0  # of 255, mean: what a codec loses of a flat frame; frames next to each other differ by twice as much
WIDTH, HEIGHT = 48, 32


def flat(clip: int, count: int = 9, *, width: int = WIDTH, height: int = HEIGHT) -> Tensor:
    """Frames of one colour each, which no other frame of the first three clips has."""
    levels = (torch.arange(count) % 27 + 9 * clip) * 9 % 250
    colours = torch.stack([levels, levels, 255 - levels], -1) / 255
    return colours[:, None, None, :].expand(count, height, width, 3).contiguous()


def keep(writer: ReelWriter, name: str, images: Tensor, before: Sequence[Take] | None, **facts: Any) -> Take:
    """A clip kept as a run keeps it: with its tail and its look. name: one hexadecimal digit, for its digest."""
    overlap = facts.get("overlap", 0)
    last = writer.reel.tail(before[-1])[0][-1] if before else None
    look = glance(images[overlap:], last) if min(images.shape[1:3]) >= 5 else None
    known = {"tail": images[-5:].clone(), "look": look, "led_by": before[-1].digest if before else "", **facts}
    return add_take(writer, name * 64, images, before=before, **known)


def write_reel(folder: Path, *, spare: bool = False) -> Reel:
    """Three clips of 9 frames, "a", "b" and "c", the second and the third with an overlap of 2; and another take of the
    second, "d", which the chain does not use."""
    with ReelWriter(folder, fps=16) as writer:
        takes = [keep(writer, "a", flat(0), [], prompt="a lake", seconds=9.0)]
        takes.append(keep(writer, "b", flat(1), takes, overlap=2, prompt="a boat", seed=7, number=1))
        takes.append(keep(writer, "c", flat(2), takes, overlap=2, prompt="fog", number=2))
        if spare:
            keep(
                writer, "d", flat(2), None, overlap=2, prompt="a boat", seed=8, number=1, of="b" * 64, take=1,
                led_by="a" * 64,
            )  # fmt: skip
    return open_reel(folder)


def decoded(path: Path) -> np.ndarray[Any, Any]:
    """The frames of a video or a picture, F H W 3."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def shows(path: Path, wanted: Sequence[np.ndarray[Any, Any]]) -> bool:
    """Whether these frames are what a preview shows, in order, but for what its codec loses."""
    found = decoded(path).astype(float)
    if len(found) != len(wanted):
        return False
    # By their mean colours: a preview may be smaller.
    return all(
        np.abs(one.mean((0, 1)) - two.astype(float).mean((0, 1))).max() < LOSS
        for one, two in zip(found, wanted, strict=True)
    )
