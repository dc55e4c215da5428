"""A picture of a high/low pair: the share of noise over the steps, the boundary, and which model runs which step."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 760, 460
_SCALE = 2  # drawn larger and shrunk, for smooth lines
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 112, 68
_BACKGROUND, _TEXT, _DIM, _GRID = (38, 42, 50), (240, 243, 248), (176, 184, 196), (66, 72, 84)
_HIGH, _LOW, _BOUNDARY = (242, 157, 75), (98, 170, 235), (226, 92, 92)
_MANY = 20  # steps from which not each one is labelled


def draw_sigmas(
    sigmas: Sequence[float], *, split: int, boundary: float, title: str, high: str, low: str
) -> Image.Image:
    """Draw `sigmas` (one per step, falling) with the first `split` steps as those of the model `high`."""
    picture = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _BACKGROUND)
    draw = ImageDraw.Draw(picture)
    large, small = (ImageFont.load_default(size=size * _SCALE) for size in (22, 18))
    steps = len(sigmas)
    step_width = (WIDTH - _LEFT - _RIGHT) / steps

    def x(step: float) -> float:
        return (_LEFT + step * step_width) * _SCALE

    def y(sigma: float) -> float:
        return (_TOP + (1 - sigma) * (HEIGHT - _TOP - _BOTTOM)) * _SCALE

    draw.text((_LEFT * _SCALE, 16 * _SCALE), title, font=large, fill=_TEXT)
    for share in (0, 0.25, 0.5, 0.75, 1):
        draw.line((x(0), y(share), x(steps), y(share)), fill=_GRID, width=_SCALE)
        draw.text((x(0) - 8 * _SCALE, y(share)), f"{share:g}", font=small, fill=_DIM, anchor="rm")

    # Each step goes from its own sigma to the next one; the last one to 0.
    for index, (start, end) in enumerate(zip(sigmas, [*sigmas[1:], 0.0], strict=True)):
        colour = _HIGH if index < split else _LOW
        area = [(x(index), y(start)), (x(index + 1), y(end)), (x(index + 1), y(0)), (x(index), y(0))]
        draw.polygon(area, fill=tuple((part + 2 * back) // 3 for part, back in zip(colour, _BACKGROUND, strict=True)))
        draw.line((x(index), y(start), x(index + 1), y(end)), fill=colour, width=3 * _SCALE)
    every = 1 + (steps - 1) // _MANY
    for index, sigma in enumerate(sigmas):
        colour = _HIGH if index < split else _LOW
        radius = 5 * _SCALE
        draw.ellipse((x(index) - radius, y(sigma) - radius, x(index) + radius, y(sigma) + radius), fill=colour)
        if index % every == 0 or index == split:
            draw.text((x(index), y(0) + 8 * _SCALE), str(index), font=small, fill=_DIM, anchor="ma")
        if steps <= _MANY // 2:
            draw.text(
                (x(index) + 9 * _SCALE, y(sigma) + 8 * _SCALE), f"{sigma:.3f}", font=small, fill=_TEXT, anchor="la"
            )

    _dashes(draw, x(0), x(steps), y(boundary))
    draw.text((x(steps), y(boundary) - 4 * _SCALE), f"boundary {boundary:g}", font=small, fill=_BOUNDARY, anchor="rd")
    draw.line((x(split), y(1) - 50 * _SCALE, x(split), y(0)), fill=_TEXT, width=_SCALE)
    labels = ((_HIGH, 0, split, high), (_LOW, split, steps, low))
    for colour, start, stop, name in labels:
        room = x(stop) - x(start) - 8 * _SCALE
        text = f"steps {start}-{stop - 1}" if stop - start > 1 else f"step {start}"
        draw.text((x(start) + 4 * _SCALE, y(1) - 52 * _SCALE), _fit(draw, text, small, room), font=small, fill=colour)
        draw.text((x(start) + 4 * _SCALE, y(1) - 32 * _SCALE), _fit(draw, name, small, room), font=small, fill=colour)
    draw.text(
        (x(steps / 2), (HEIGHT - 12) * _SCALE), "step (y: share of noise, sigma)", font=small, fill=_DIM, anchor="md"
    )
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _dashes(draw: ImageDraw.ImageDraw, start: float, stop: float, y: float) -> None:
    step = 14 * _SCALE
    while start < stop:
        draw.line((start, y, min(start + step * 0.6, stop), y), fill=_BOUNDARY, width=2 * _SCALE)
        start += step


def _fit(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    if draw.textlength(text, font=font) <= room:
        return text
    while text and draw.textlength(f"{text}...", font=font) > room:
        text = text[:-1]
    return f"{text}..." if text else ""
