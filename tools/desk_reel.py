"""Writes a reel that looks like something, for pictures of the desk: a drawn lake stands in for what a model renders.

usage: python tools/desk_reel.py QUESTION.json REELS        (with the pack installed; desk_pictures.mjs calls it)

QUESTION.json: what the page asks of a node, {"nodes": [...]}. REELS: the folder of reels. The takes have the digests of
a run's values, so that the desk shows them as kept.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from wanvideo_svi.svi_embeds.colour.look import glance
from wanvideo_svi.svi_embeds.drift.score import score
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.writer import NewTake, ReelWriter
from wanvideo_svi.wrapper_ext.answers.story import plan_of_node
from wanvideo_svi.wrapper_ext.render.facts import prints_of

WIDTH, HEIGHT = 416, 240
Colour = tuple[float, float, float]
Frame = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """How a moment looks. at: when, in clips from the beginning of its scene."""

    at: float
    top: Colour
    low: Colour
    sun: float  # height over the water, 0..1
    fog: float


DAY = (
    Light(0.0, (0.24, 0.32, 0.54), (0.90, 0.66, 0.54), 0.04, 0.55),
    Light(1.0, (0.27, 0.37, 0.60), (0.92, 0.70, 0.55), 0.13, 0.40),
    Light(2.0, (0.29, 0.42, 0.66), (0.93, 0.74, 0.58), 0.24, 0.22),
    Light(3.0, (0.30, 0.45, 0.70), (0.92, 0.77, 0.62), 0.36, 0.12),
)
EVENING = (
    Light(0.0, (0.34, 0.36, 0.42), (0.60, 0.56, 0.54), 0.24, 0.25),
    Light(1.0, (0.34, 0.34, 0.44), (0.72, 0.56, 0.46), 0.15, 0.12),
    Light(2.0, (0.31, 0.28, 0.43), (0.84, 0.55, 0.38), 0.07, 0.06),
    Light(3.0, (0.28, 0.24, 0.40), (0.86, 0.50, 0.34), 0.0, 0.04),
)


def _light(lights: tuple[Light, ...], at: float) -> Light:
    after = next((index for index, light in enumerate(lights) if light.at > at), len(lights) - 1)
    one, two = lights[max(0, after - 1)], lights[after]
    part = 0.0 if one is two else min(1.0, max(0.0, (at - one.at) / (two.at - one.at)))

    def mix(a: float, b: float) -> float:
        return a + (b - a) * part

    def colour(a: Colour, b: Colour) -> Colour:
        return mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2])

    return Light(at, colour(one.top, two.top), colour(one.low, two.low), mix(one.sun, two.sun), mix(one.fog, two.fog))


def draw(at: float, *, evening: bool, tint: float = 0.0, shift: float = 0.0) -> Frame:
    """The lake at a moment: H W 3 in 0..1. tint, shift: what makes a take another."""
    light = _light(EVENING if evening else DAY, at)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    shore = HEIGHT * 0.55
    up = np.clip(y / shore, 0, 1)[..., None]
    picture = np.asarray(light.top) * (1 - up) + np.asarray(light.low) * up
    sun_x, sun_y = WIDTH * (0.66 + 0.03 * at), shore * (1 - light.sun)
    away = np.hypot(x - sun_x, y - sun_y)
    glow = np.exp(-away / 60)[..., None] * 0.55 + (away < 15)[..., None] * 0.6
    picture = picture + glow * np.asarray((1.0, 0.86, 0.6))
    pan = 18 * at + shift
    for depth, (base, shade) in enumerate(((0.40, 0.55), (0.47, 0.38), (0.52, 0.24))):
        ridge = HEIGHT * (base - 0.05 * np.sin((x + pan * (depth + 1)) / (62 - 14 * depth) + depth * 2)
                          - 0.025 * np.sin((x + pan * (depth + 1)) / 17 + depth))  # fmt: skip
        land = ((y > ridge) & (y < shore))[..., None]
        picture = np.where(land, np.asarray(light.low) * shade + np.asarray(light.top) * 0.12, picture)
    water = y >= shore
    ripple = 3 * np.sin(y * 0.9 + at * 30) * ((y - shore) / HEIGHT)
    mirror = np.clip(2 * shore - y, 0, HEIGHT - 1).astype(int)
    column = np.clip(x + ripple * 4, 0, WIDTH - 1).astype(int)
    picture = np.where(water[..., None], picture[mirror, column] * 0.82 + 0.02, picture)
    if not evening and at > 0.9:
        boat = WIDTH * (-0.15 + 0.36 * (at - 0.9)) + shift
        hull = (abs(x - boat) < 34 - (y - shore - 22) * 0.7) & (y > shore + 22) & (y < shore + 38)
        mast = (abs(x - boat) < 1.6) & (y > shore - 34) & (y < shore + 22)
        sail = (x > boat + 3) & (x < boat + 3 + (y - shore + 34) * 0.55) & (y > shore - 34) & (y < shore + 16)
        for shape, colour in ((hull, (0.66, 0.16, 0.13)), (mast, (0.3, 0.2, 0.16)), (sail, (0.95, 0.92, 0.86))):
            picture = np.where(shape[..., None], np.asarray(colour), picture)
    if evening and at < 1.1:
        drops = np.sin(x * 12.9898 + np.floor((y + at * 5200) / 9) * 78.233) * 43758.5453
        rain = (drops - np.floor(drops) > 0.985)[..., None] * max(0.0, 1.1 - at)
        picture = picture + rain * 0.35
    fog = light.fog * np.exp(-(((y - shore) / 46) ** 2))[..., None]
    picture = picture * (1 - fog) + np.asarray((0.86, 0.84, 0.86)) * fog
    picture = picture * (1 + np.asarray((tint, 0.0, -tint)))
    return np.clip(picture, 0, 1).astype(np.float32)


def clip(at: float, frames: int, overlap: int, *, evening: bool, take: int) -> Tensor:
    """A clip that begins with `overlap` frames of the one before. at: of its first new frame."""
    step = 1.0 / (frames - overlap)
    tint, shift = ((0.0, 0.0), (0.035, 5.0), (-0.03, -4.0))[take % 3]
    shown = []
    for index in range(frames):
        new = index - overlap
        part = min(1.0, max(0.0, new / 12)) if overlap else 1.0
        shown.append(draw(at + new * step, evening=evening, tint=tint * part, shift=shift * part))
    return torch.from_numpy(np.stack(shown))


def main() -> None:
    question = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["nodes"][0]
    planned, _ = plan_of_node({**question, "desk": False})
    plan = planned.plan
    prints = list(prints_of(plan, planned.settings, encodes_text=planned.encodes_text))
    folder = Path(sys.argv[2]) / str(question["values"]["reel"])
    chain: list[Take] = []
    looks = []
    with ReelWriter(folder, fps=plan.fps) as writer:
        for row in plan.clips:
            evening = row.scene > 0
            at = float(row.index - row.scene)
            before = chain[row.led_by] if row.led_by is not None else None
            first = looks[row.scene] if row.scene < len(looks) else None
            made = []
            for number in range(row.takes):
                images = clip(at, row.num_frames, row.motion_frames if at else 0, evening=evening, take=number)
                led = None if before is None else torch.from_numpy(draw(at - 1e-3, evening=evening))
                look = glance(images[row.overlap_frames :], led)
                value = score(look, before=looks[row.led_by] if before else None, first=first if at else None)
                made.append((value, number, images, look))
            best = min(made, key=lambda each: each[0])[1]
            kept = {}
            digest_of_first = f"{prints[row.index]}0"
            for value, number, images, look in made:
                new = NewTake(
                    digest=f"{prints[row.index]}{number}", images=images, overlap=row.overlap_frames, tail=images[-5:],
                    prompt=row.prompt, seed=row.take(number).seed, mode=row.mode, seconds=118.0 + 3 * number, look=look,
                    values=prints[row.index], of=digest_of_first if number else "", take=number,
                    led_by=before.digest if before else "", number=row.number,
                    follows=row.follows or not row.index, score=value,
                )  # fmt: skip
                kept[number] = writer.add(new, before=None), look
            looks.append(kept[best][1])
            chain.append(kept[best][0])
            writer.set_chain(chain)


if __name__ == "__main__":
    main()
