"""Contact sheets: a clip's conditioning frames in order, framed white (kept) or black (generated)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..ground.images import to_picture, video_frame
from ..masks.known import format_runs
from ..timeline import frames_of_latent

THUMB_HEIGHT = 128
MAX_TILES = 16  # more distinct frames than this and the middle ones are left out, and said to be

_BACKGROUND, _TEXT, _DIM = (84, 92, 106), (240, 243, 248), (190, 197, 208)
_WHITE, _BLACK, _PARTLY = (255, 255, 255), (0, 0, 0), (150, 150, 150)
_BORDER, _GAP, _MARGIN = 7, 12, 16
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_STACK = 5  # offset of the sheets drawn behind a folded run

# Wan 2.1 latents to RGB in -1..1: the fitted figures of ComfyUI (comfy/latent_formats.py, Wan21).
_TO_RGB = (
    (-0.1299, -0.1692, 0.2932), (0.0671, 0.0406, 0.0442), (0.3568, 0.2548, 0.1747), (0.0372, 0.2344, 0.1420),
    (0.0313, 0.0189, -0.0328), (0.0296, -0.0956, -0.0665), (-0.3477, -0.4059, -0.2925), (0.0166, 0.1902, 0.1975),
    (-0.0412, 0.0267, -0.1364), (-0.1293, 0.0740, 0.1636), (0.0680, 0.3019, 0.1128), (0.0032, 0.0581, 0.0639),
    (-0.1251, 0.0927, 0.1699), (0.0060, -0.0633, 0.0005), (0.3477, 0.2275, 0.2950), (0.1984, 0.0913, 0.1861),
)  # fmt: skip
_RGB_BIAS = (-0.1835, -0.0868, -0.3360)


@dataclass(frozen=True, slots=True, repr=False)
class Tile:
    """Frames `first` to `last` that show the same picture under the same mask, drawn once.

    role: motion, an end, or what the padding is. known: 1 kept, 0 generated, between where only a region is kept.
    """

    picture: Image.Image
    first: int
    last: int
    role: str
    known: float

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __repr__(self) -> str:
        return f"Tile({self.role} {self.first}-{self.last}, known {self.known:g})"


def make_latent_tiles(
    latents: Tensor, known: Sequence[float], roles: Sequence[str], *, end_apart: bool = False
) -> tuple[Tile, ...]:
    """Tiles of a clip of which there are only latents, one per latent, equal neighbours folded into one.

    latents: C T h w in the wrapper's space. known: one value per frame. roles: one word per latent. end_apart: the last
    latent is one frame.
    """
    tiles: list[Tile] = []
    before = None
    for index, role in enumerate(roles):
        latent = latents[:, index]
        span = frames_of_latent(index)
        stop = span.start + 1 if end_apart and index == len(roles) - 1 else span.stop
        kept = sum(known[span.start : stop]) / (stop - span.start)
        if before is not None and tiles[-1].role == role and tiles[-1].known == kept and torch.equal(latent, before):
            tiles[-1] = replace(tiles[-1], last=stop - 1)
        else:
            tiles.append(Tile(thumbnail(latent_picture(latent)), span.start, stop - 1, role, kept))
        before = latent
    return tuple(tiles)


def latent_picture(latent: Tensor) -> Tensor:
    """What a latent shows, roughly. latent: C h w in the wrapper's space. Returns H W 3 in 0..1, H and W enlarged.

    Wan 2.1 latents (of 32 channels the last 16) by ComfyUI's linear map to RGB; others as
    the mean over their channels.
    """
    latent = latent.detach().to("cpu", torch.float32)
    if len(latent) not in (len(_TO_RGB), 2 * len(_TO_RGB)):
        rgb = latent.mean(dim=0, keepdim=True).expand(3, -1, -1)
    else:
        weights = torch.tensor(_TO_RGB)
        rgb = torch.einsum("chw,cr->rhw", latent[-len(_TO_RGB) :], weights) + torch.tensor(_RGB_BIAS).view(3, 1, 1)
    return video_frame(rgb[:, None], 0).repeat_interleave(8, dim=0).repeat_interleave(8, dim=1)


def thumbnail_step(height: int) -> int:
    """Of how many rows (and columns) of a picture one is enough for its thumbnail."""
    return max(1, height * 2 // (3 * THUMB_HEIGHT))


def thumbnail(frame: Tensor) -> Image.Image:
    """H W 3 in 0..1 -> a small RGB picture."""
    picture = to_picture(frame[None])
    width = max(24, round(picture.width * THUMB_HEIGHT / picture.height))
    return picture.resize((min(width, 3 * THUMB_HEIGHT), THUMB_HEIGHT), Image.Resampling.BILINEAR)


def draw_sheet(tiles: Sequence[Tile], known: Sequence[float], *, title: str) -> Image.Image:
    """Draw the tiles of a clip above a strip with one cell per frame in both mask views.

    known: one value per frame, 1 = kept. title: heading.
    """
    shown, left_out = _shorten(tiles)
    slots = [tile.picture.width + 2 * _BORDER + (2 * _STACK if len(tile) > 1 else 0) for tile in shown]
    large, small = ImageFont.load_default(size=20), ImageFont.load_default(size=15)
    note = "white frame = kept, black frame = generated"
    heading = int(large.getlength(title) + small.getlength(note)) + 3 * _MARGIN
    width = max(900, heading, sum(slots) + _GAP * (len(slots) - 1) + 2 * _MARGIN)
    tile_top = _MARGIN + 34
    label_top = tile_top + THUMB_HEIGHT + 2 * _BORDER + 2 * _STACK + 4
    strip_top = label_top + 44
    height = strip_top + 2 * 28 + _MARGIN + (22 if left_out else 0)

    sheet = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - 2), title, font=large, fill=_TEXT)
    draw.text((width - _MARGIN - draw.textlength(note, font=small), _MARGIN), note, font=small, fill=_DIM)

    x = _MARGIN
    for tile, slot in zip(shown, slots, strict=True):
        _draw_tile(sheet, draw, tile, x, tile_top)
        span = f"{tile.first}" if len(tile) == 1 else f"{tile.first}-{tile.last}  (x{len(tile)})"
        draw.text((x, label_top), span, font=small, fill=_TEXT)
        draw.text((x, label_top + 18), _fit(draw, tile.role, small, slot), font=small, fill=_DIM)
        x += slot + _GAP

    views = (("known_mask (wrapper, sampler)", list(known)), ("concat_mask (native, WanEx)", [1 - v for v in known]))
    for row, (name, values) in enumerate(views):
        _draw_strip(draw, values, name, small, top=strip_top + row * 28, width=width)
    if left_out:
        draw.text((_MARGIN, strip_top + 58), f"not drawn: frames {left_out}", font=small, fill=_DIM)
    return sheet


def _shorten(tiles: Sequence[Tile]) -> tuple[list[Tile], str]:
    if len(tiles) <= MAX_TILES:
        return list(tiles), ""
    half = MAX_TILES // 2
    hidden = [i for tile in tiles[half:-half] for i in range(tile.first, tile.last + 1)]
    return [*tiles[:half], *tiles[-half:]], format_runs(hidden)


def _mask_colour(value: float) -> tuple[int, int, int]:
    return _WHITE if value >= 1 else _BLACK if value <= 0 else _PARTLY


def _draw_tile(sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, x: int, y: int) -> None:
    width, height = tile.picture.width + 2 * _BORDER, THUMB_HEIGHT + 2 * _BORDER
    colour = _mask_colour(tile.known)
    for offset in (2 * _STACK, _STACK) if len(tile) > 1 else ():
        draw.rectangle((x + offset, y + offset, x + offset + width - 1, y + offset + height - 1), colour, _BACKGROUND)
    draw.rectangle((x, y, x + width - 1, y + height - 1), colour)
    sheet.paste(tile.picture, (x + _BORDER, y + _BORDER))


def _draw_strip(
    draw: ImageDraw.ImageDraw, values: Sequence[float], name: str, font: _Font, *, top: int, width: int
) -> None:
    left = _MARGIN + 230
    draw.text((_MARGIN, top + 2), name, font=font, fill=_TEXT)
    cell = (width - _MARGIN - left) / len(values)
    for i, value in enumerate(values):
        x = left + i * cell
        draw.rectangle((x, top, x + max(cell - 1, 1), top + 20), _mask_colour(value))


def _fit(draw: ImageDraw.ImageDraw, text: str, font: _Font, width: int) -> str:
    while len(text) > 1 and draw.textlength(text, font=font) > width:
        text = text[:-1]
    return text
