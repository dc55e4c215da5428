"""The moving picture of the demo: the joined video of a chain wired right beside the same chain wired wrong.

Under each video stands its plan, one cell a frame, with the frame that plays marked. No model runs: a frame that the
wrong mask lets the sampler generate again is shown as it was, and one that it keeps is what the padding holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

MOVING = "right_and_wrong.webp"

_BACKGROUND, _TEXT, _DIM = (40, 45, 54), (240, 243, 248), (190, 197, 208)
_GOOD, _BAD, _MARK = (96, 200, 120), (240, 110, 100), (255, 255, 255)
_NEW, _AGAIN, _STILL = (96, 200, 120), (240, 190, 90), (240, 110, 100)
_WIDE, _MARGIN, _HEAD, _BAR, _FOOT = 400, 20, 78, 16, 84
_Fonts = tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, ImageFont.FreeTypeFont | ImageFont.ImageFont]


def right_order(total: int) -> list[int]:
    """Which frame of the scene each frame of the joined video shows when the chain is wired right: all, in order."""
    return list(range(total))


def wrong_order(known: Sequence[float], *, overlap: int, clips: int) -> list[int]:
    """The same for a chain whose clips after the first have the mask `known` (1 = kept) and padding with the last frame,
    and whose overlap is not cut. known: one value per frame of such a clip. overlap: its motion frames."""
    order = list(range(len(known)))
    for _ in range(clips - 1):
        motion = order[-overlap:]
        order += [
            motion[frame] if frame < overlap else motion[-1] if kept else order[-1] + 1 + frame - overlap
            for frame, kept in enumerate(known)
        ]
    return order


def cells(order: Sequence[int]) -> list[str]:
    """What each frame of a joined video is: `new`, shown `again` after others, or a `still` of the frame before."""
    seen: set[int] = set()
    found = []
    for place, frame in enumerate(order):
        still = place > 0 and order[place - 1] == frame
        found.append("still" if still else "again" if frame in seen else "new")
        seen.add(frame)
    return found


def save_side_by_side(
    path: Path, scene: Sequence[Image.Image], right: Sequence[int], wrong: Sequence[int], seams: Sequence[int]
) -> None:
    """Write both joined videos as one animated WebP at 16 fps, as long as the shorter one.

    scene: its frames as pictures of one size. right, wrong: which of them each frame of the videos shows. seams: frames
    of the right video at which a clip begins; clips of the wrong one are as long as its first.
    """
    length = min(len(right), len(wrong))
    tall = round(_WIDE * scene[0].height / scene[0].width)
    small = [picture.resize((_WIDE, tall)) for picture in scene[: max(*right[:length], *wrong[:length]) + 1]]
    fonts = ImageFont.load_default(size=22), ImageFont.load_default(size=15)
    wrong_seams = range(seams[0], length, seams[0])
    page = Image.new("RGB", (2 * _WIDE + 3 * _MARGIN, _HEAD + tall + _BAR + _FOOT), _BACKGROUND)
    second = 2 * _MARGIN + _WIDE
    _draw_head(page, _MARGIN, "Right: mode film", "every frame of the video is new", _GOOD, fonts)
    _draw_head(page, second, "Wrong mask and padding", "clip 2 repeats the overlap, then stands still", _BAD, fonts)
    for left, borders in ((_MARGIN, seams), (second, wrong_seams)):
        _draw_clips(page, left, _HEAD + tall + _BAR + 12, [0, *borders], length, fonts)
    _draw_legend(page, fonts)
    pictures = []
    for place in range(length):
        picture = page.copy()
        for left, order, borders in ((_MARGIN, right, seams), (second, wrong, wrong_seams)):
            picture.paste(small[order[place]], (left, _HEAD))
            _draw_plan(picture, left, _HEAD + tall + 8, cells(order[:length]), borders, place)
        pictures.append(picture)
    pictures[0].save(
        path,
        format="WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=1000 // 16,
        loop=0,
        quality=80,
        method=2,
    )


def _draw_head(page: Image.Image, left: int, title: str, why: str, colour: tuple[int, int, int], fonts: _Fonts) -> None:
    draw = ImageDraw.Draw(page)
    draw.text((left, 14), title, font=fonts[0], fill=colour)
    draw.text((left, 46), why, font=fonts[1], fill=_TEXT)


def _draw_clips(page: Image.Image, left: int, top: int, starts: Sequence[int], length: int, fonts: _Fonts) -> None:
    draw = ImageDraw.Draw(page)
    for number, start in enumerate(starts, 1):
        draw.text((left + round(_WIDE * start / length), top), f"clip {number}", font=fonts[1], fill=_DIM)


def _draw_legend(page: Image.Image, fonts: _Fonts) -> None:
    draw = ImageDraw.Draw(page)
    x, y = _MARGIN, page.height - 26
    for colour, text in ((_NEW, "new frame"), (_AGAIN, "shown again"), (_STILL, "copy of the frame before")):
        draw.rectangle((x, y + 2, x + 12, y + 14), colour)
        draw.text((x + 18, y), text, font=fonts[1], fill=_TEXT)
        x += 18 + int(fonts[1].getlength(text)) + 22
    note = "Drawn: no model ran."
    draw.text((page.width - _MARGIN - fonts[1].getlength(note), y), note, font=fonts[1], fill=_DIM)


def _draw_plan(
    picture: Image.Image, left: int, top: int, kinds: Sequence[str], seams: Sequence[int], place: int
) -> None:
    draw = ImageDraw.Draw(picture)
    colours = {"new": _NEW, "again": _AGAIN, "still": _STILL}
    for frame, kind in enumerate(kinds):
        start, end = (left + round(_WIDE * at / len(kinds)) for at in (frame, frame + 1))
        draw.rectangle((start, top, max(start, end - 2), top + _BAR - 1), colours[kind])
        if frame in seams:
            draw.rectangle((start - 2, top - 4, start - 1, top + _BAR + 3), _TEXT)
        if frame == place:
            draw.rectangle((start - 1, top - 3, end - 1, top + _BAR + 2), None, _MARK, 2)
