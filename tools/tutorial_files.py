"""Draws what the pictures of the tutorials start from: images, a voice and a dance, for tools/tutorial_pictures.mjs.

usage: tutorial_files.py FOLDER

FOLDER gets panda.png, potter.png, lighthouse.png and woman.png (832x480), voice.wav and dance.mp4, and old_graph.json,
a chain as it was built before this pack, whose masks are not inverted. Nothing is fetched or random.
"""

from __future__ import annotations

import json
import math
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from old_graphs import pixel_chain

WIDTH, HEIGHT = 832, 480
TIMES = 2  # drawn this much larger, so that edges are smooth
VOICE_SECONDS, RATE = 9.0, 16000
DANCE_FRAMES, DANCE_FPS = 241, 25

Colour = tuple[int, int, int]
Draw = ImageDraw.ImageDraw


def scene(top: Colour, bottom: Colour, paint: Callable[[Draw], None]) -> Image.Image:
    """A picture with a sky of two colours; `paint` draws on it in units of WIDTH x HEIGHT, times TIMES."""
    column = np.linspace(top, bottom, HEIGHT * TIMES)
    image = Image.fromarray(column[:, None].repeat(WIDTH * TIMES, axis=1).astype(np.uint8))
    paint(ImageDraw.Draw(image))
    return image.reduce(TIMES)


def at(*numbers: float) -> list[float]:
    return [number * TIMES for number in numbers]


def disc(draw: Draw, x: float, y: float, across: float, high: float, colour: Colour) -> None:
    draw.ellipse(at(x - across, y - high, x + across, y + high), colour)


def panda(draw: Draw) -> None:
    """A red panda on a branch, in a misty forest."""
    trunks = ((60, 40, 168), (190, 26, 178), (330, 52, 158), (560, 30, 176), (700, 60, 150), (800, 24, 172))
    for x, broad, grey in trunks:
        draw.rectangle(at(x - broad / 2, 0, x + broad / 2, HEIGHT), (grey - 30, grey, grey - 22))
    draw.line(at(0, 392, 300, 372, 832, 398), (86, 70, 52), 44 * TIMES, joint="curve")
    for x in range(0, WIDTH, 26):
        disc(draw, x, 366 + 8 * math.sin(x / 40) + abs(x - 330) / 26, 22, 9, (104, 136, 70))
    red, dark, pale = (178, 84, 40), (58, 36, 30), (240, 226, 208)
    for i in range(9):
        disc(draw, 236 - 22 * i, 318 + 1.4 * i * i, 26, 22, pale if i % 2 else red)
    disc(draw, 330, 306, 110, 62, red)
    for x in (262, 318, 372, 420):
        draw.rounded_rectangle(at(x - 17, 326, x + 17, 374), 14 * TIMES, dark)
    disc(draw, 440, 258, 66, 58, red)
    for x in (396, 484):
        disc(draw, x, 206, 22, 26, pale)
        disc(draw, x, 210, 12, 16, dark)
    for x in (414, 466):
        disc(draw, x, 274, 24, 22, pale)
        disc(draw, x, 248, 16, 9, pale)
        disc(draw, x, 258, 8, 9, dark)
    disc(draw, 440, 282, 22, 17, pale)
    disc(draw, 440, 276, 10, 7, dark)


def potter(draw: Draw) -> None:
    """Two hands at a bowl that turns on a wheel."""
    draw.rectangle(at(0, 380, WIDTH, HEIGHT), (92, 66, 48))
    disc(draw, 416, 384, 210, 40, (120, 124, 130))
    disc(draw, 416, 374, 200, 36, (162, 166, 172))
    clay, wet, skin = (168, 106, 74), (128, 76, 52), (226, 178, 146)
    draw.polygon(at(276, 214, 556, 214, 500, 372, 332, 372), clay)
    disc(draw, 416, 372, 84, 16, clay)
    disc(draw, 416, 214, 140, 32, (190, 124, 90))
    disc(draw, 416, 218, 122, 24, wet)
    for side in (-1, 1):
        x = 416 + side * 150
        draw.line(at(416 + side * 420, 470, x + side * 60, 320), (70, 96, 128), 120 * TIMES)
        disc(draw, x, 296, 52, 42, skin)
        for i in range(4):
            draw.line(at(x, 272 + 18 * i, x - side * 62, 258 + 20 * i), skin, 17 * TIMES)


def lighthouse(draw: Draw) -> None:
    """A lighthouse on a cliff at dusk, waves below."""
    disc(draw, 180, 330, 60, 60, (255, 186, 120))
    draw.rectangle(at(0, 340, WIDTH, HEIGHT), (44, 66, 104))
    for row in range(7):
        for x in range(-40 + 30 * (row % 2), WIDTH, 90):
            draw.arc(at(x, 350 + 19 * row, x + 60, 370 + 19 * row), 200, 340, (150, 170, 204), 3 * TIMES)
    draw.polygon(at(430, HEIGHT, 470, 330, 540, 268, WIDTH, 250, WIDTH, HEIGHT), (52, 46, 50))
    draw.polygon(at(612, 262, 624, 96, 676, 96, 688, 262), (240, 236, 228))
    for low, high in ((128, 160), (194, 226)):
        draw.polygon(at(624 - (low - 96) * 0.07, low, 676 + (low - 96) * 0.07, low, 676 + (high - 96) * 0.07, high,
                        624 - (high - 96) * 0.07, high), (196, 62, 54))  # fmt: skip
    draw.rectangle(at(612, 84, 688, 96), (60, 54, 58))
    draw.rectangle(at(630, 56, 670, 84), (255, 232, 160))
    draw.polygon(at(622, 56, 650, 26, 678, 56), (170, 50, 46))


def woman(draw: Draw) -> None:
    """A woman in a green jumper who looks into the camera, in a bright kitchen."""
    draw.rectangle(at(0, 0, 200, 210), (214, 202, 184))
    draw.rectangle(at(60, 30, 186, 190), (226, 240, 250))
    draw.rectangle(at(560, 20, WIDTH, 160), (198, 178, 150))
    draw.rectangle(at(0, 330, WIDTH, HEIGHT), (206, 192, 172))
    hair, skin, shade = (82, 52, 38), (236, 192, 162), (196, 142, 118)
    disc(draw, 416, 190, 124, 150, hair)
    draw.rounded_rectangle(at(232, 374, 600, HEIGHT + 60), 80 * TIMES, (72, 138, 92))
    draw.rectangle(at(382, 300, 450, 396), shade)
    disc(draw, 416, 384, 52, 22, skin)
    disc(draw, 416, 210, 92, 118, skin)
    draw.chord(at(324, 82, 508, 240), 180, 360, hair)
    for x in (380, 452):
        disc(draw, x, 204, 16, 10, (250, 250, 250))
        disc(draw, x, 204, 8, 9, (70, 96, 84))
        draw.arc(at(x - 20, 172, x + 20, 200), 200, 340, hair, 5 * TIMES)
    draw.line(at(416, 212, 410, 246, 420, 248), shade, 4 * TIMES)
    disc(draw, 416, 280, 28, 13, (178, 76, 78))
    disc(draw, 416, 278, 20, 6, (96, 36, 42))


def dancer(t: float) -> Image.Image:
    """A pose at t seconds, as pose detectors draw it: limbs in colours on black."""
    beat = 2 * math.pi * t
    image = Image.new("RGB", (WIDTH * TIMES, HEIGHT * TIMES))
    draw = ImageDraw.Draw(image)
    x, y = 416 + 70 * math.sin(beat / 3.2), 226 + 12 * math.sin(2 * beat)
    joints = {"neck": (x, y - 90), "hip": (x - 14 * math.sin(beat / 1.6), y + 50)}

    def limb(start: str, name: str, length: float, angle: float, colour: Colour) -> None:
        x0, y0 = joints[start]
        joints[name] = (x0 + length * math.sin(angle), y0 + length * math.cos(angle))
        draw.line(at(x0, y0, *joints[name]), colour, 11 * TIMES)

    draw.line(at(*joints["neck"], *joints["hip"]), (0, 153, 153), 11 * TIMES)
    limb("neck", "head", 56, math.pi + 0.25 * math.sin(beat), (0, 0, 170))
    for side, colours in ((-1, ((170, 20, 0), (170, 90, 0))), (1, ((120, 170, 0), (50, 170, 0)))):
        raised = side * (1.5 + 1.1 * math.sin(beat / 1.6 + side))
        limb("neck", f"elbow{side}", 72, raised, colours[0])
        limb(f"elbow{side}", f"hand{side}", 66, raised + side * (0.7 + 0.5 * math.sin(beat)), colours[1])
    for side, colours in ((-1, ((0, 153, 50), (0, 153, 102))), (1, ((0, 102, 170), (0, 51, 170)))):
        spread = side * (0.3 + 0.25 * math.sin(beat / 1.6))
        limb("hip", f"knee{side}", 84, spread, colours[0])
        limb(f"knee{side}", f"foot{side}", 80, spread - side * 0.25 * (1 + math.sin(beat + side)), colours[1])
    for i, (px, py) in enumerate(joints.values()):
        disc(draw, px, py, 8, 8, ((255, 60, 0), (255, 200, 0), (60, 255, 120), (0, 160, 255), (180, 60, 255))[i % 5])
    return image.reduce(TIMES)


def write_voice(path: Path) -> None:
    """Syllables of a low voice, four a second."""
    t = np.arange(int(VOICE_SECONDS * RATE)) / RATE
    loud = np.abs(np.sin(2 * math.pi * 2 * t)) ** 0.7 * (0.65 + 0.35 * np.sin(2 * math.pi * 0.31 * t))
    tone = sum(np.sin(2 * math.pi * 130 * k * t + 4 * np.sin(2 * math.pi * 0.8 * t)) / k for k in range(1, 9))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((loud * tone * 9000).astype("<i2").tobytes())


def write_dance(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=DANCE_FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for i in range(DANCE_FRAMES):
            for packet in stream.encode(av.VideoFrame.from_image(dancer(i / DANCE_FPS))):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, top, bottom, paint in (
        ("panda", (206, 222, 212), (150, 176, 156), panda),
        ("potter", (196, 176, 150), (150, 120, 92), potter),
        ("lighthouse", (58, 62, 118), (244, 158, 112), lighthouse),
        ("woman", (238, 230, 216), (226, 214, 194), woman),
    ):
        scene(top, bottom, paint).save(folder / f"{name}.png")
    write_voice(folder / "voice.wav")
    write_dance(folder / "dance.mp4")
    (folder / "old_graph.json").write_text(json.dumps(pixel_chain(rule="not_inverted", frames=81, seeds=[1, 1, 1])))


if __name__ == "__main__":
    main()
