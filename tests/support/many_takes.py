"""Reels with many takes on disk, as a long story of many takes leaves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers import frames
from wanvideo_svi.svi_embeds.colour.look import glance
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.writer import NewTake, ReelWriter


def write_many(folder: Path, *, clips: int, takes: int, size: int = 32) -> list[str]:
    """A reel of so many clips of 5 frames, each with so many takes, all led by the first. Returns the prompts."""
    shown = [frames(5, height=size, width=size, seed=seed) for seed in range(4)]
    looks = [glance(each) for each in shown]
    chain: list[Take] = []
    spare: list[Take] = []
    prompts = [f"prompt of clip {index + 1}, a lake at dawn in the fog" for index in range(clips)]
    with ReelWriter(folder, fps=16.0) as writer:
        files: dict[int, Take] = {}
        for index, prompt in enumerate(prompts):
            for number in range(takes):
                kind = (index + number) % 4
                digest = f"{index:032x}{number:032x}"
                new = NewTake(
                    digest=digest, images=shown[kind], overlap=1 if index else 0, tail=shown[kind][-1:], prompt=prompt,
                    seed=42 * index + number, mode="film", seconds=20.0, look=looks[kind],
                    of=f"{index:032x}{0:032x}" if number else "", take=number, number=index,
                    led_by=chain[-1].digest if chain else "", score=0.5 + number,
                )  # fmt: skip
                if kind in files:  # the same bytes: a copy is sooner there than another encoding
                    take = _copied(folder, files[kind], new)
                else:
                    take = files[kind] = writer.add(new, before=None)
                (spare if number else chain).append(take)
        writer.set_takes(chain, [*chain, *spare], {})
    return prompts


def _copied(folder: Path, like: Take, new: NewTake) -> Take:
    stem = f"clip_{new.number + 1:04}_{new.digest[24:32]}_{new.digest[-8:]}"
    names = {}
    for part in ("video", "tail"):
        file = getattr(like, part)
        path = folder / f"{stem}{Path(file.name).suffix}"
        path.hardlink_to(folder / file.name)
        names[part] = replace(file, name=path.name)
    return replace(
        like, digest=new.digest, prompt=new.prompt, seed=new.seed, of=new.of, take=new.take, number=new.number,
        led_by=new.led_by, score=new.score, overlap=new.overlap, **names,
    )  # fmt: skip
