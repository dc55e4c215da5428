"""A picture of a chain's drift: curves over the clips, the seams, and what the clips ended on beside the reference."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from .drift import UNITS, Drift

WIDTH = 1000
_SCALE = 2  # drawn larger and shrunk, for smooth lines
_LEFT, _RIGHT, _TOP = 58, 20, 62
_CURVES, _SEAMS, _GAP, _LEGEND = 250, 84, 34, 52
_THUMB_WIDTH, _THUMB_GAP, _MOST_THUMBS = 128, 8, 7
_BACKGROUND, _TEXT, _DIM, _GRID, _BAND = (38, 42, 50), (240, 243, 248), (176, 184, 196), (66, 72, 84), (50, 60, 58)
_BAD = (226, 92, 92)
_COLOURS: dict[str, tuple[int, int, int]] = {
    "exposure": (250, 210, 90), "gamma": (242, 157, 75), "contrast": (235, 235, 235), "saturation": (236, 110, 173),
    "cast": (140, 210, 120), "sharpness": (98, 170, 235), "clipped": (170, 140, 240),
}  # fmt: skip


def draw_drift(
    drift: Drift, thumbnails: Sequence[Image.Image], *, reference: Image.Image | None = None, title: str = "Drift"
) -> Image.Image:
    """thumbnails: the last frame of each clip. reference: the original image, drawn before them."""
    thumbs = _chosen(thumbnails, reference)
    height = _TOP + _CURVES + _GAP + _SEAMS + _GAP + _LEGEND
    row = max((round(picture.height * _THUMB_WIDTH / picture.width) for _, picture in thumbs), default=0)
    height += row + 40 if thumbs else 0
    picture = Image.new("RGB", (WIDTH * _SCALE, height * _SCALE), _BACKGROUND)
    draw = ImageDraw.Draw(picture)
    large, small = (ImageFont.load_default(size=size * _SCALE) for size in (20, 14))
    draw.text((16 * _SCALE, 12 * _SCALE), f"{title}: {drift.summary()}", font=large, fill=_TEXT)
    _curves(draw, drift, small)
    _seams(draw, drift, small)
    _legend(draw, drift, small)
    top = _TOP + _CURVES + _GAP + _SEAMS + _GAP + _LEGEND
    for index, (label, thumb) in enumerate(thumbs):
        x = 16 + index * (_THUMB_WIDTH + _THUMB_GAP)
        sized = thumb.convert("RGB").resize(
            (_THUMB_WIDTH * _SCALE, round(thumb.height * _THUMB_WIDTH * _SCALE / thumb.width))
        )
        picture.paste(sized, (x * _SCALE, top * _SCALE))
        draw.text((x * _SCALE, (top + row + 6) * _SCALE), label, font=small, fill=_DIM)
    return picture.resize((WIDTH, height), Image.Resampling.LANCZOS)


def _chosen(
    thumbnails: Sequence[Image.Image], reference: Image.Image | None
) -> list[tuple[str, Image.Image]]:  # fmt: skip
    """As many as fit: the first and the last, and others evenly between."""
    room = _MOST_THUMBS - (reference is not None)
    count = min(room, len(thumbnails))
    places = [round(index * (len(thumbnails) - 1) / max(1, count - 1)) for index in range(count)]
    found = [("reference", reference)] if reference is not None else []
    return found + [(f"end of clip {place + 1}", thumbnails[place]) for place in dict.fromkeys(places)]


def _x(index: float, count: int) -> float:
    return (_LEFT + (WIDTH - _LEFT - _RIGHT) * (index + 0.5) / count) * _SCALE


def _curves(draw: ImageDraw.ImageDraw, drift: Drift, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    count = len(drift.clips)
    changes = [drift.change(index).as_dict() for index in range(count)]
    reach = max(2.0, *(abs(value) for change in changes for value in change.values())) * 1.08

    def y(value: float) -> float:
        return (_TOP + _CURVES / 2 - value / reach * _CURVES / 2) * _SCALE

    left, right = _LEFT * _SCALE, (WIDTH - _RIGHT) * _SCALE
    draw.rectangle((left, y(1), right, y(-1)), fill=_BAND)
    draw.text((right - 4 * _SCALE, y(1) + 2 * _SCALE), "not visible", font=font, fill=_DIM, anchor="ra")
    step = 1 if reach <= 4 else 2 if reach <= 9 else 5 if reach <= 25 else 20
    for value in range(-int(reach // step) * step, int(reach) + 1, step):
        draw.line((left, y(value), right, y(value)), fill=_GRID, width=_SCALE)
        draw.text((left - 8 * _SCALE, y(value)), f"{value:+d}" if value else "0", font=font, fill=_DIM, anchor="rm")
    for name in UNITS:
        points = [(_x(index, count), y(change[name])) for index, change in enumerate(changes)]
        if len(points) > 1:
            draw.line(points, fill=_COLOURS[name], width=3 * _SCALE, joint="curve")
        radius = (3 if count <= 40 else 1) * _SCALE
        for px, py in points:
            draw.ellipse((px - radius, py - radius, px + radius, py + radius), fill=_COLOURS[name])


def _seams(draw: ImageDraw.ImageDraw, drift: Drift, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    count = len(drift.clips)
    top = _TOP + _CURVES + _GAP
    base = (top + _SEAMS) * _SCALE
    highest = max(3.0, drift.seam)
    left, right = _LEFT * _SCALE, (WIDTH - _RIGHT) * _SCALE
    draw.text((left, (top - 2) * _SCALE), "seams, in usual steps between frames", font=font, fill=_DIM, anchor="ld")

    def y(ratio: float) -> float:
        return base - (ratio / highest) * _SEAMS * _SCALE

    draw.line((left, y(1), right, y(1)), fill=_DIM, width=_SCALE)
    draw.text((left - 8 * _SCALE, y(1)), "1", font=font, fill=_DIM, anchor="rm")
    half = min(12.0, (WIDTH - _LEFT - _RIGHT) / count / 4) * _SCALE
    for index, seam in enumerate(drift.seams):
        middle = (_x(index, count) + _x(index + 1, count)) / 2
        colour = _BAD if seam.ratio >= 2 else _DIM
        draw.rectangle((middle - half, y(seam.ratio), middle + half, base), fill=colour)
    every = 1 + (count - 1) // 20
    for index in range(0, count, every):
        draw.text((_x(index, count), base + 4 * _SCALE), str(index + 1), font=font, fill=_DIM, anchor="ma")


def _legend(draw: ImageDraw.ImageDraw, drift: Drift, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    worst = drift.change(drift.worst)
    top = (_TOP + _CURVES + _GAP + _SEAMS + _GAP) * _SCALE
    x, y = float(_LEFT * _SCALE), float(top)
    for name in UNITS:
        text = f"{name} {getattr(worst, name):+.1f}"
        width = draw.textlength(text, font=font) + 36 * _SCALE
        if x + width > (WIDTH - _RIGHT) * _SCALE:
            x, y = float(_LEFT * _SCALE), y + 20 * _SCALE
        draw.rectangle((x, y + 5 * _SCALE, x + 14 * _SCALE, y + 9 * _SCALE), fill=_COLOURS[name])
        draw.text((x + 20 * _SCALE, y), text, font=font, fill=_TEXT)
        x += width
