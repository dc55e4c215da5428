"""The demo: a chain's embeds without a GPU, ComfyUI or weights.

There is no sampler here, so a scene stands in for what it would render: each clip "renders" its part of the scene, and
leads the next clip with its last frames as a real one does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ...svi_embeds.clips.embeds_file import load_embeds, save_embeds
from ...svi_embeds.clips.pixels.make import Clip, make_clip
from ...svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from ...svi_embeds.clips.vae import Encoder
from ...svi_embeds.colour.stitch import stitch
from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.picture import open_picture
from ...svi_embeds.files.video import open_video
from ...svi_embeds.files.whole import whole_files
from ...svi_embeds.ground.images import to_picture
from ...svi_embeds.masks.known import count_concat, count_known
from ...svi_embeds.recipes import recipe
from ...svi_embeds.timeline import Timeline
from .compare import NAME, draw_comparison, seam_of, wrong_clip
from .playback import MOVING, right_order, save_side_by_side, wrong_order
from .vae import DemoVAE

CLIPS = 3
FRAMES = 17  # of a clip, when nothing is said
LONG_SIDE = 160  # pixels of the demo's clips
STEP = 16


@dataclass(frozen=True, slots=True)
class DemoClip:
    """One row of the demo's plan: a clip of a chain and the frames it adds to the video."""

    chain: str
    index: int
    mode: str
    overlap: int
    first_frame: int  # where the clip starts in the finished video
    adds: int
    total: int


def plan_demo(num_frames: int) -> list[DemoClip]:
    """Three clips each in film and shot. The first clip is plain i2v: it needs no SVI LoRA."""
    rows = []
    for chain in ("film", "shot"):
        total = 0
        for index, mode in enumerate(("i2v", chain, chain)):
            overlap = recipe(mode).motion_frames
            Timeline(num_frames, motion_frames=overlap)  # refuses a length that does not work before anything is made
            adds = num_frames - overlap if index else num_frames
            first = total - overlap if index else 0
            total += adds
            rows.append(DemoClip(chain, index + 1, mode, overlap, first, adds, total))
    return rows


def run_demo(
    out: Path, *, image: Path | None = None, video: Path | None = None, num_frames: int = FRAMES
) -> Iterator[tuple[DemoClip, Clip | None]]:
    """Make every clip's embeds and contact sheet under `out`, and two pictures that compare the film chain with the
    same chain wired wrong: `MOVING` plays both joined videos, `NAME` shows what the second clip gives the sampler.
    Yields each row before (None) and after its clip.

    out: folder, made if need be. image, video: the scene; a moving one is drawn when neither is given.
    num_frames: frames of each clip, 4k+1.
    """
    rows = plan_demo(num_frames)
    needed = max(row.total for row in rows)
    scene = load_scene(needed, image=image, video=video)
    height, width = _clip_size(scene)
    encoder = Encoder(vae=DemoVAE())
    previous = scene[:1]
    rendered = scene[:0]
    for row in rows:
        yield row, None
        if row.index == 1:
            previous, rendered = scene[:1], scene[:0]
        reference = recipe(row.mode).padding == "reference"
        settings = ClipSettings(mode=row.mode, width=width, height=height, num_frames=num_frames)
        inputs = ClipInputs(start_image=previous, ref_image=scene[:1] if reference else None)
        clip = make_clip(settings, inputs, encoder)
        folder = out / row.chain
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SVIError(f"{folder} cannot be made: {error}") from error
        target = folder / f"clip{row.index}.safetensors"
        save_embeds(clip.embeds, target)
        load_embeds(target)
        with whole_files(folder / f"clip{row.index}.png") as (beside,):
            clip.sheet().save(beside)
        before, previous = previous, scene[row.first_frame : row.first_frame + num_frames]
        rendered = previous if row.index == 1 else stitch(rendered, previous, overlap_frames=row.overlap)[0]
        if not torch.equal(rendered, scene[: row.total]):
            raise SVIError(f"{row.chain}: the stitched clips are not the scene up to frame {row.total}")
        if (row.chain, row.index) == ("film", 2):
            wrong = wrong_clip(settings, inputs, clip, encoder)
            picture = draw_comparison(
                (clip, seam_of(clip, before, previous, drop=row.overlap)),
                (wrong, seam_of(wrong, before, previous, drop=0)),
            )
            order = wrong_order(wrong.known_per_frame, overlap=row.overlap, clips=CLIPS)
            film = [each for each in rows if each.chain == row.chain]
            with whole_files(out / NAME, out / MOVING) as (still, moving):
                picture.save(still)
                save_side_by_side(
                    moving, [to_picture(frame[None]) for frame in scene], right_order(film[-1].total), order,
                    [each.total for each in film[:-1]],
                )  # fmt: skip
        yield row, clip


def describe_row(row: DemoClip, clip: Clip) -> tuple[str, ...]:
    """A finished row as cells of the plan table."""
    return (
        f"{row.chain} {row.index}",
        row.mode,
        str(row.overlap),
        clip.plan.padding,
        count_known(clip.known_per_frame),
        count_concat(clip.known_per_frame),
        f"+{row.adds}",
        str(row.total),
    )


TABLE_HEAD = ("clip", "mode", "motion", "padding", "known_mask", "concat_mask", "adds", "video")


def load_scene(frames: int, *, image: Path | None, video: Path | None) -> Tensor:
    """`frames` frames F H W 3 in 0..1 from a picture (a slow pan), a video (played back and forth), or drawn."""
    if image is not None and video is not None:
        raise SVIError("give --image or --video, not both")
    if image is not None:
        pictures = _pan(open_picture(image), frames)
    elif video is not None:
        pictures = _play(video, frames)
    else:
        pictures = [draw_scene(i / frames) for i in range(frames)]
    return torch.from_numpy(np.stack([np.asarray(p, dtype=np.float32) / 255.0 for p in pictures]))


def _clip_size(scene: Tensor) -> tuple[int, int]:
    """Height and width of the clips: the scene's shape with LONG_SIDE pixels on its long side, in steps of 16."""
    height, width = scene.shape[1:3]
    scale = LONG_SIDE / max(height, width)
    return tuple(max(4 * STEP, round(side * scale / STEP) * STEP) for side in (height, width))  # type: ignore[return-value]


def _small(picture: Image.Image) -> Image.Image:
    """No larger than twice the clip: the demo needs no more, and a still of 4K would fill the memory."""
    limit = 2 * LONG_SIDE
    picture = picture.convert("RGB")
    picture.thumbnail((limit, limit))
    return picture


def _pan(picture: Image.Image, frames: int) -> list[Image.Image]:
    picture = _small(picture)
    width, height = picture.size
    pictures = []
    for i in range(frames):
        zoom = 0.8 + 0.1 * math.cos(2 * math.pi * i / frames)
        w, h = width * zoom, height * zoom
        x, y = (width - w) * i / frames, (height - h) / 2
        pictures.append(picture.resize(picture.size, Image.Resampling.BILINEAR, box=(x, y, x + w, y + h)))
    return pictures


def _play(path: Path, frames: int) -> list[Image.Image]:
    import av

    pictures: list[Image.Image] = []
    try:
        with open_video(path) as container:
            for frame in container.decode(video=0):
                pictures.append(_small(frame.to_image()))
                if len(pictures) == frames:
                    break
    except (OSError, IndexError, av.FFmpegError) as error:
        raise SVIError(f"{path} cannot be read as a video: {error}") from error
    if not pictures:
        raise SVIError(f"{path} has no video frames")
    there_and_back = pictures + pictures[-2:0:-1]
    return [there_and_back[i % len(there_and_back)] for i in range(frames)]


def draw_scene(t: float) -> Image.Image:
    """A hill landscape at time t (0..1): the sun crosses, the hills pass at two speeds, a car drives along a road."""
    width, height = 768, 448  # twice the size of the result, whose edges are smooth then
    sky = np.linspace([90, 150, 220], [235, 205, 165], height)[:, None].repeat(width, axis=1)
    picture = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    sun_x, sun_y = width * (0.1 + 0.8 * t), 120 - 60 * math.sin(math.pi * t)
    draw.ellipse((sun_x - 36, sun_y - 36, sun_x + 36, sun_y + 36), (255, 240, 180))
    for colour, base, size, speed in (((96, 128, 122), 236, 52, 80), ((58, 94, 66), 320, 28, 240)):
        along = np.arange(width) + speed * t
        ridge = base + size * np.sin(along / 76) + 10 * np.sin(along / 22)
        draw.polygon([(0, height), *enumerate(ridge.tolist()), (width - 1, height)], colour)
    draw.rectangle((0, 384, width, height), (70, 72, 78))
    for line in range(-1, 9):
        x = line * 96 - (520 * t) % 96
        draw.rectangle((x, 412, x + 44, 418), (214, 206, 180))
    _draw_car(draw, width * (0.06 + 0.7 * t), 402, turned=40 * t)
    return picture.reduce(2)


def _draw_car(draw: ImageDraw.ImageDraw, x: float, ground: float, *, turned: float) -> None:
    """A red car, its back at x and its wheels on `ground`, in pixels; turned: radians that the wheels have turned."""
    red, glass, tyre, metal = (214, 62, 54), (196, 222, 236), (28, 28, 32), (225, 225, 230)
    draw.rounded_rectangle((x + 28, ground - 92, x + 112, ground - 40), 20, red)
    draw.rounded_rectangle((x + 40, ground - 84, x + 100, ground - 56), 10, glass)
    draw.rounded_rectangle((x, ground - 60, x + 148, ground - 16), 16, red)
    for wheel in (x + 34, x + 114):
        draw.ellipse((wheel - 18, ground - 36, wheel + 18, ground), tyre)
        for spoke in (turned, turned + math.pi / 2):
            dx, dy = 14 * math.cos(spoke), 14 * math.sin(spoke)
            draw.line((wheel - dx, ground - 18 - dy, wheel + dx, ground - 18 + dy), metal, 4)
