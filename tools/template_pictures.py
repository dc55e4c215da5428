"""Makes example_workflows/*.jpg, the pictures on the template cards in ComfyUI: what a template is for, at a glance.

usage: python tools/template_pictures.py

A card says how the clips are wired, what for, with which model and LoRA, and shows a drawn strip. No ComfyUI is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont
from wanvideo_svi.wrapper_ext.demo.scene import draw_scene

WORKFLOWS = Path(__file__).resolve().parents[1] / "example_workflows"
SIZE = 512  # the cards are square
QUALITY = 88

_NODE, _HAND, _CLIP = "ONE NODE, ONE STORY", "CLIPS WIRED BY HAND", "ONE CLIP"
_BACKGROUND, _TEXT, _DIM, _GREY = (30, 34, 42), (243, 246, 250), (176, 184, 196), (112, 118, 128)
_MORNING, _NOON, _EVENING, _NIGHT = (255, 214, 190), (255, 255, 255), (255, 170, 120), (110, 130, 200)
_MARGIN, _TOP, _TALL = 28, 190, 184


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says. tints: the light of each clip. below: what is drawn under the strip."""

    kind: str
    title: str
    line: str
    models: str
    colour: tuple[int, int, int]
    tints: tuple[tuple[int, int, int], ...] = (_MORNING, _NOON, _EVENING)
    below: str = ""


_DAY = (_MORNING, _NOON, _EVENING, _NIGHT)
_ONE_LIGHT = (_NOON,) * 4
_AMBER, _BLUE, _VIOLET, _GREEN = (240, 176, 72), (96, 164, 240), (178, 134, 240), (110, 200, 130)
_PINK, _TEAL, _RED = (240, 130, 176), (84, 200, 196), (238, 112, 96)
_FILM, _SHOT, _PAIR = "Wan 2.1 I2V 14B + svi-film", "Wan 2.1 I2V 14B + svi-shot", "Wan 2.2 I2V pair + SVI 2.0 Pro"

CARDS = {
    "long_video_film": Card(_NODE, "Film", "a prompt for every clip", _FILM, _AMBER, _DAY),
    "long_video_shot": Card(_NODE, "Shot", "one scene that continues", _SHOT, _BLUE, _ONE_LIGHT),
    "long_video_svi2_pro": Card(_NODE, "SVI 2.0 Pro", "a prompt for every clip", _PAIR, _VIOLET, _DAY, "pair"),
    "long_video_native_svi2_pro": Card(
        _NODE, "SVI 2.0 Pro, native", "ComfyUI's own sampling", f"{_PAIR}, no wrapper", _VIOLET, _DAY, "pair"
    ),
    "long_video_takes": Card(
        _NODE, "Takes and scenes", "pick the best take, cut, branch", _FILM, _AMBER, _DAY, "takes"
    ),
    "long_video_talk": Card(
        _NODE, "Talk", "speech over many clips", "Wan 2.1 I2V + svi-talk + MultiTalk", _GREEN, _ONE_LIGHT, "voice"
    ),
    "svi_film_chain": Card(_HAND, "Film", "a prompt for every clip", _FILM, _AMBER),
    "svi_shot_chain": Card(_HAND, "Shot", "one scene that continues", _SHOT, _BLUE, (_NOON,) * 3),
    "svi2_pro_chain": Card(
        _HAND, "SVI 2.0 Pro", "clips joined as latents", _PAIR, _VIOLET, (_MORNING, _EVENING), "pair"
    ),
    "wan22_svi2_pair": Card(
        _HAND, "SVI 2.0 pair", "high and low noise model", "Wan 2.2 I2V pair + SVI 2.0", _VIOLET, (_NOON,) * 2, "pair"
    ),
    "svi_talk_chain": Card(
        _HAND, "Talk", "speech over three clips", "Wan 2.1 I2V + svi-talk + MultiTalk", _GREEN, (_NOON,) * 3, "voice"
    ),
    "svi_shot_humo": Card(
        _HAND, "HuMo", "speech over three clips", "HuMo 14B + svi-shot", _GREEN, (_NOON,) * 3, "voice"
    ),
    "svi_dance_chain": Card(
        _HAND, "Dance", "poses of a video", "Wan 2.1 I2V + svi-dance + UniAnimate", _PINK, (_NOON,) * 3, "poses"
    ),
    "fun_inp_film_chain": Card(
        _HAND, "Fun InP + film", "a prompt for every clip", "Wan 2.1 Fun InP 14B + svi-film", _TEAL
    ),
    "fun_inp_keyframes": Card(
        _CLIP, "Keyframes", "images anywhere in a clip", "Wan 2.1 Fun InP 14B", _TEAL, (_NOON,) * 5, "keyframes"
    ),
    "holocine_pusa_magref_pair": Card(
        _CLIP, "HoloCine pair", "shots in one clip, with references", "HoloCine + Pusa, then MAGREF", _RED,
        (_NOON, _EVENING, _NIGHT), "pair",
    ),
    "custom_embeds_shot": Card(
        _HAND, "Custom embeds", "in place of WanEx I2VCustomEmbeds", _SHOT, _BLUE, (_NOON,) * 2
    ),
}  # fmt: skip


def draw_card(card: Card) -> Image.Image:
    """The card as a picture."""
    picture = Image.new("RGB", (SIZE, SIZE), _BACKGROUND)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 9, SIZE), card.colour)
    # The frontend puts a badge of its own into the corner at the top left.
    draw.text((SIZE - _MARGIN, 32), card.kind, font=_font(19), fill=card.colour, anchor="ra")
    draw.text((_MARGIN, 78), card.title, font=_fitting(card.title, 50), fill=_TEXT)
    draw.text((_MARGIN, 142), card.line, font=_fitting(card.line, 27), fill=_DIM)
    _draw_strip(picture, card)
    _draw_below(draw, card)
    draw.text((_MARGIN, SIZE - 52), card.models, font=_fitting(card.models, 26), fill=_TEXT)
    return picture


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _fitting(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font up to `size` in which the text fits on the card."""
    while _font(size).getlength(text) > SIZE - 2 * _MARGIN:
        size -= 1
    return _font(size)


def _columns(card: Card) -> list[tuple[int, int]]:
    """Left and right of each clip on the strip."""
    wide = (SIZE - 2 * _MARGIN) / len(card.tints)
    return [
        (round(_MARGIN + index * wide), round(_MARGIN + (index + 1) * wide) - 4) for index in range(len(card.tints))
    ]


def _draw_strip(picture: Image.Image, card: Card) -> None:
    draw = ImageDraw.Draw(picture)
    columns = _columns(card)
    for index, (tint, (left, right)) in enumerate(zip(card.tints, columns, strict=True)):
        box = (left, _TOP, right, _TOP + _TALL)
        if card.below == "keyframes" and index % 2:
            draw.rectangle(box, _GREY)
            continue
        scene = draw_scene(0.04 + 0.92 * index / max(1, len(columns) - 1))
        scene = ImageChops.multiply(scene, Image.new("RGB", scene.size, tint))
        picture.paste(_around_car(scene, index / max(1, len(columns) - 1), right - left), (left, _TOP))


def _around_car(scene: Image.Image, along: float, wide: int) -> Image.Image:
    """As wide a part of the scene as fits, with the car in it."""
    scene = scene.resize((round(scene.width * _TALL / scene.height), _TALL))
    left = round((scene.width - wide) * (0.04 + 0.86 * along))
    return scene.crop((left, 0, left + wide, _TALL))


def _draw_below(draw: ImageDraw.ImageDraw, card: Card) -> None:
    top, bottom = _TOP + _TALL + 14, SIZE - 72
    middle = (top + bottom) / 2
    columns = _columns(card)
    if card.below == "voice":
        for x in range(_MARGIN, SIZE - _MARGIN, 7):
            loud = 4 + 24 * abs(math.sin(x / 23)) * abs(math.sin(x / 7 + 1))
            draw.rounded_rectangle((x, middle - loud, x + 3, middle + loud), 2, card.colour)
    elif card.below == "poses":
        for step in range(12):
            _draw_pose(draw, _MARGIN + 18 + step * 38, top + 4, step, card.colour)
    elif card.below == "pair":
        half = (columns[0][0] + columns[-1][1]) / 2
        for start, stop, text, colour in (
            (columns[0][0], half - 2, "high noise", card.colour), (half + 2, columns[-1][1], "low noise", _GREY),
        ):  # fmt: skip
            draw.rounded_rectangle((start, middle - 19, stop, middle + 19), 8, colour)
            draw.text(((start + stop) / 2, middle), text, font=_font(22), fill=_BACKGROUND, anchor="mm")
    elif card.below == "takes":
        for index, (left, right) in enumerate(columns):
            takes = 3 if index == 1 else 1
            for take in range(takes):
                x = (left + right) / 2 + (take - (takes - 1) / 2) * 37
                picked = take == takes // 2
                draw.rounded_rectangle((x - 16, middle - 17, x + 16, middle + 17), 8, card.colour if picked else _GREY)
                draw.text((x, middle), str(take + 1), font=_font(22), fill=_BACKGROUND, anchor="mm")
    else:
        for index, (left, right) in enumerate(columns):
            is_key = card.below == "keyframes"
            text = f"clip {index + 1}" if not is_key else "" if index % 2 else "image"
            draw.text(((left + right) / 2, middle), text, font=_font(22), fill=card.colour, anchor="mm")


def _draw_pose(draw: ImageDraw.ImageDraw, x: float, top: float, step: int, colour: tuple[int, int, int]) -> None:
    swing = 11 * math.sin(step * 1.1)
    draw.ellipse((x - 5, top, x + 5, top + 10), colour)
    lines = (
        (0, 10, 0, 30), (0, 15, 12, 15 - swing), (0, 15, -12, 15 + swing), (0, 30, 9, 46 + swing / 4),
        (0, 30, -9, 46 - swing / 4),
    )  # fmt: skip
    for x0, y0, x1, y1 in lines:
        draw.line((x + x0, top + y0, x + x1, top + y1), colour, 3)


def main() -> None:
    """Write every card."""
    for name, card in CARDS.items():
        path = WORKFLOWS / f"{name}.jpg"
        draw_card(card).save(path, quality=QUALITY)
        print(path.relative_to(WORKFLOWS.parent))


if __name__ == "__main__":
    main()
