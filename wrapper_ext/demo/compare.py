"""The still picture of the demo: the second clip of a chain wired right, and with the usual mistakes.

No model runs here. A frame that the mask keeps is shown as the sampler gets it; a frame to generate is shown as the
scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ...svi_embeds.clips.pixels.make import Clip, make_clip
from ...svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from ...svi_embeds.clips.sheet import thumbnail
from ...svi_embeds.clips.vae import Encoder

NAME = "right_and_wrong.png"
BEFORE, AFTER = 3, 10  # frames of the joined video that are shown on either side of the seam

_BACKGROUND, _TEXT, _DIM = (40, 45, 54), (240, 243, 248), (190, 197, 208)
_GOOD, _BAD = (96, 200, 120), (240, 110, 100)
_MARGIN, _GAP, _TALL, _BAR = 20, 4, 72, 10
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Seam:
    """The frames around the seam of a joined video: pictures, and for those behind it whether the mask keeps them."""

    before: tuple[Image.Image, ...]
    after: tuple[tuple[Image.Image, bool], ...]


def wrong_clip(settings: ClipSettings, inputs: ClipInputs, right: Clip, encoder: Encoder) -> Clip:
    """The same clip as old graphs often have it: the mask in the other polarity, padding with the last frame."""
    wrong = ClipSettings(
        mode=settings.mode, width=settings.width, height=settings.height, num_frames=settings.num_frames, padding="last"
    )
    height, width = settings.height, settings.width
    inverted = torch.tensor([1 - value for value in right.known_per_frame]).view(-1, 1, 1).expand(-1, height, width)
    return make_clip(wrong, ClipInputs(start_image=inputs.start_image, temporal_mask=inverted.contiguous()), encoder)


def seam_of(clip: Clip, before: Tensor, generated: Tensor, *, drop: int) -> Seam:
    """What is seen around the seam. before: the clip before, F H W 3 in 0..1. generated: what stands for this clip's
    frames where they are generated, F H W 3 too. drop: frames of the overlap that the join leaves out."""
    pictures: list[tuple[Image.Image, bool]] = []
    for tile in clip.tiles:
        for frame in range(tile.first, tile.last + 1):
            kept = tile.known >= 1
            pictures.append((tile.picture if kept else thumbnail(generated[frame]), kept))
    return Seam(tuple(thumbnail(frame) for frame in before[-BEFORE:]), tuple(pictures[drop : drop + AFTER]))


def draw_comparison(right: tuple[Clip, Seam], wrong: tuple[Clip, Seam]) -> Image.Image:
    """Both clips, one above the other: what the sampler gets, and the joined video around the seam."""
    parts = [
        _part(
            "Right: mode film", "the motion frames are kept, the rest is generated, the overlap is cut", _GOOD, *right
        ),
        _part(
            "Wrong: mask in the other polarity, padding with the last frame, overlap not cut",
            "the motion frames are generated again, the copies are kept: a repeat, then a still",
            _BAD,
            *wrong,
        ),
    ]
    note = "Nothing was sampled: kept frames are shown as the sampler gets them, frames to generate as the scene."
    width = max(part.width for part in parts)
    picture = Image.new("RGB", (width, sum(part.height for part in parts) + 3 * _MARGIN), _BACKGROUND)
    top = 0
    for part in parts:
        picture.paste(part, (0, top))
        top += part.height
    ImageDraw.Draw(picture).text((_MARGIN, top + _MARGIN // 2), note, font=ImageFont.load_default(size=16), fill=_DIM)
    return picture


def _part(title: str, why: str, colour: tuple[int, int, int], clip: Clip, seam: Seam) -> Image.Image:
    large, small = ImageFont.load_default(size=24), ImageFont.load_default(size=16)
    sheet = clip.sheet()
    row = _draw_seam(seam, small)
    width = max(sheet.width, row.width, int(large.getlength(title))) + 2 * _MARGIN
    part = Image.new("RGB", (width, sheet.height + row.height + 5 * _MARGIN + 20), _BACKGROUND)
    draw = ImageDraw.Draw(part)
    draw.text((_MARGIN, _MARGIN), title, font=large, fill=colour)
    draw.text((_MARGIN, _MARGIN + 30), why, font=small, fill=_TEXT)
    part.paste(sheet, (_MARGIN, _MARGIN + 58))
    part.paste(row, (_MARGIN, _MARGIN + 58 + sheet.height + _MARGIN // 2))
    return part


def _draw_seam(seam: Seam, font: _Font) -> Image.Image:
    frames: Sequence[tuple[Image.Image, bool | None]] = [*((picture, None) for picture in seam.before), *seam.after]
    wide = round(_TALL * frames[0][0].width / frames[0][0].height)
    width = len(frames) * (wide + _GAP) + 3 * _GAP
    row = Image.new("RGB", (width, _TALL + _BAR + 26), _BACKGROUND)
    draw = ImageDraw.Draw(row)
    x = 0
    for index, (picture, kept) in enumerate(frames):
        if index == len(seam.before):
            draw.rectangle((x + _GAP, 24, x + 2 * _GAP - 1, row.height), _TEXT)
            draw.text((x + 3 * _GAP, 2), "clip 2 in the joined video", font=font, fill=_TEXT)
            x += 3 * _GAP
        row.paste(picture.resize((wide, _TALL)), (x, 24))
        if kept is not None:
            draw.rectangle((x, 26 + _TALL, x + wide - 1, 25 + _TALL + _BAR), (255, 255, 255) if kept else (0, 0, 0))
        x += wide + _GAP
    draw.text((0, 2), "end of clip 1", font=font, fill=_TEXT)
    return row
