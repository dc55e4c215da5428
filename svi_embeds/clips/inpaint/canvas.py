"""References on a white canvas, with the region that they cover: what MAGREF models take as frame 0.

Source: MAGREF (MAGREF-Video/MAGREF): references stand on white, and in frame 0 the mask is 1 on their pixels alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import SVIError
from ...ground.checks import check_int
from ...ground.images import check_images, check_pixels, resize_frames
from ..vae import MAX_SIDE

Box = tuple[int, int, int, int]
SNAP = 8  # boxes begin on latent pixels, so that the region does too


@dataclass(frozen=True, slots=True, repr=False)
class Canvas:
    """image: 1 H W 3 in 0..1. region: 1 H W, 1 on the references. boxes: x, y, width, height of each, in pixels."""

    image: Tensor
    region: Tensor
    boxes: tuple[Box, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Canvas({self.image.shape[2]}x{self.image.shape[1]}, {len(self.boxes)} references)"


def reference_canvas(
    images: dict[str, Tensor], *, width: int, height: int, margin: int = 16, level: float = 1.0
) -> Canvas:
    """Put every reference on a canvas, as large as a grid allows, none cut or stretched.

    images: F H W C in 0..1 by input name, any sizes; every frame is a reference. width, height: pixels of the canvas.
    margin: pixels around each. level: grey level of the canvas, 1 = white.
    """
    for name, value in (("width", width), ("height", height), ("margin", margin)):
        if check_int(name, value) > MAX_SIDE:
            raise SVIError(f"{name} must be {MAX_SIDE} or less, got {value}")
    for name, value, minimum in (("width", width, SNAP), ("height", height, SNAP), ("margin", margin, 0)):
        check_int(name, value, minimum=minimum)
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 <= level <= 1:
        raise SVIError(f"level must be a number from 0 (black) to 1 (white), got {level!r}")
    references: list[Tensor] = []
    notes: list[str] = []
    for name, batch in images.items():
        frames, said = check_images(name, batch)
        notes += said
        frames = frames.detach().to("cpu", torch.float32)
        check_pixels(name, frames)
        references += [frames[i : i + 1] for i in range(len(frames))]
    if not references:
        raise SVIError("there is no reference: connect at least one image")
    boxes = place_boxes([(one.shape[2], one.shape[1]) for one in references], width, height, margin)
    image, region = torch.full((1, height, width, 3), float(level)), torch.zeros(1, height, width)
    for one, (x, y, w, h) in zip(references, boxes, strict=True):
        image[:, y : y + h, x : x + w] = resize_frames(one, width=w, height=h)
        region[:, y : y + h, x : x + w] = 1
    return Canvas(image, region, tuple(boxes), tuple(notes))


def place_boxes(sizes: Sequence[tuple[int, int]], width: int, height: int, margin: int) -> list[Box]:
    """A box for each picture, in a grid: the number of columns that covers most of the canvas.

    sizes: width and height of each. Raises SVIError when the margins leave no room.
    """
    best: tuple[float, list[Box]] | None = None
    for columns in range(1, len(sizes) + 1):
        rows = -(-len(sizes) // columns)
        cell_w, cell_h = (width - margin) / columns - margin, (height - margin) / rows - margin
        if min(cell_w, cell_h) < 2 * SNAP:
            continue
        boxes = []
        for index, (w, h) in enumerate(sizes):
            row, column = divmod(index, columns)
            in_row = min(columns, len(sizes) - row * columns)  # the last row is centred
            left = margin + (column + (columns - in_row) / 2) * (cell_w + margin)
            top = margin + row * (cell_h + margin)
            x, room_w = _snap(left, cell_w)
            y, room_h = _snap(top, cell_h)
            scale = min(room_w / w, room_h / h)
            box_w, box_h = max(1, int(w * scale)), max(1, int(h * scale))
            x += (room_w - box_w) // (2 * SNAP) * SNAP
            y += (room_h - box_h) // (2 * SNAP) * SNAP
            boxes.append((x, y, box_w, box_h))
        covered = sum(w * h for _, _, w, h in boxes)
        if best is None or covered > best[0]:
            best = covered, boxes
    if best is None:
        raise SVIError(
            f"{len(sizes)} references with a margin of {margin} do not fit on {width}x{height}: "
            "give fewer, a smaller margin or a larger canvas"
        )
    return best[1]


def _snap(start: float, room: float) -> tuple[int, int]:
    """The first latent pixel's edge inside a cell, and the pixels from there to the cell's end."""
    edge = math.ceil(start / SNAP) * SNAP
    return edge, int(start + room) - edge
