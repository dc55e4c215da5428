"""A picture of a chain's drift: curves over the clips, the seams, and what the clips ended on beside the reference."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from .figures import UNITS, Drift

WIDTH, NARROW = 1000, 560  # of a picture on its own, and of one on a node
_SCALE = 2  # drawn larger and shrunk, for smooth lines
_MARGIN, _LEFT, _RIGHT, _TITLE_LINE, _LEGEND_LINE = 16, 58, 20, 26, 20
_CURVES, _SEAMS, _GAP = 250, 84, 34
_THUMB_WIDTH, _THUMB_GAP = 128, 8
_MOST_ENDS = 64
_BACKGROUND, _TEXT, _DIM, _GRID, _BAND = (38, 42, 50), (240, 243, 248), (176, 184, 196), (66, 72, 84), (50, 60, 58)
_BAD = (226, 92, 92)
_COLOURS: dict[str, tuple[int, int, int]] = {
    "exposure": (250, 210, 90), "gamma": (242, 157, 75), "contrast": (235, 235, 235), "saturation": (236, 110, 173),
    "cast": (140, 210, 120), "sharpness": (98, 170, 235), "clipped": (170, 140, 240),
}  # fmt: skip


class ClipEnds:
    """Small pictures of what a chain's clips ended on: of all, or in a long chain of the first, the last and some
    evenly between, so that memory stays flat."""

    def __init__(self) -> None:
        self.pictures: dict[int, Image.Image] = {}
        self._every = 1

    def add(self, index: int, picture: Image.Image) -> None:
        """Clips come in order, from 0. `picture` is shrunk."""
        picture.thumbnail((_THUMB_WIDTH * _SCALE, _THUMB_WIDTH * _SCALE))
        self.pictures = {place: each for place, each in self.pictures.items() if place % self._every == 0}
        self.pictures[index] = picture
        if len(self.pictures) >= _MOST_ENDS:
            self._every *= 2

    def spread(self, count: int) -> dict[int, Image.Image]:
        """`count` of them at most, the first and the last among them."""
        places = sorted(self.pictures)
        count = min(count, len(places))
        chosen = {places[round(index * (len(places) - 1) / max(1, count - 1))] for index in range(count)}
        return {place: self.pictures[place] for place in sorted(chosen)}


def draw_drift(
    drift: Drift,
    ends: ClipEnds,
    *,
    reference: Image.Image | None = None,
    title: str = "Drift",
    notes: Sequence[str] = (),
    width: int = WIDTH,
) -> Image.Image:
    """reference: the original image, drawn before what the clips ended on. notes: lines below the title. width: in
    pixels."""
    thumbs = [("reference", reference)] if reference is not None else []
    room = (width - 2 * _MARGIN + _THUMB_GAP) // (_THUMB_WIDTH + _THUMB_GAP) - len(thumbs)
    thumbs += [(f"end of clip {place + 1}", picture) for place, picture in ends.spread(room).items()]
    return _Plot(drift, thumbs, title, notes, width).draw()


class _Plot:
    """Measures in pixels of the picture; `_at` gives those of the canvas."""

    def __init__(
        self, drift: Drift, thumbs: list[tuple[str, Image.Image]], title: str, notes: Sequence[str], width: int
    ) -> None:
        self.drift, self.thumbs, self.width = drift, thumbs, width
        self.count = len(drift.clips)
        self.large, self.small = (ImageFont.load_default(size=size * _SCALE) for size in (20, 14))
        self.title = self._wrapped(f"{title}: {drift.summary()}", self.large)
        self.notes = [line for note in notes for line in self._wrapped(note, self.small)]
        self.legend = self._legend_lines()
        self.curves = 12 + len(self.title) * _TITLE_LINE + len(self.notes) * _LEGEND_LINE + 12
        self.seams = self.curves + _CURVES + _GAP
        self.names = self.seams + _SEAMS + _GAP
        self.pictures = self.names + len(self.legend) * _LEGEND_LINE + 12
        self.row = max((round(each.height * _THUMB_WIDTH / each.width) for _, each in thumbs), default=-40)

    def draw(self) -> Image.Image:
        height = self.pictures + self.row + 40
        self.picture = Image.new("RGB", (self.width * _SCALE, height * _SCALE), _BACKGROUND)
        self.pen = ImageDraw.Draw(self.picture)
        for index, line in enumerate(self.title):
            self.pen.text(_at(_MARGIN, 12 + index * _TITLE_LINE), line, font=self.large, fill=_TEXT)
        below = 12 + len(self.title) * _TITLE_LINE
        for index, line in enumerate(self.notes):
            self.pen.text(_at(_MARGIN, below + index * _LEGEND_LINE), line, font=self.small, fill=_DIM)
        self._draw_curves()
        self._draw_seams()
        self._draw_legend()
        self._draw_thumbs()
        return self.picture.resize((self.width, height), Image.Resampling.LANCZOS)

    def _wrapped(self, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
        room = (self.width - 2 * _MARGIN) * _SCALE
        lines = [""]
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and font.getlength(longer) > room:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines

    def _legend_lines(self) -> list[list[tuple[str, str, float]]]:
        """Name, text and x of each entry, line by line; the figures are those of the clip that drifted most."""
        worst = self.drift.change(self.drift.worst)
        lines: list[list[tuple[str, str, float]]] = [[]]
        x = float(_LEFT)
        for name in UNITS:
            text = f"{name} {getattr(worst, name):+.1f}"
            length = self.small.getlength(text) / _SCALE + 36
            if x + length > self.width - _RIGHT:
                lines.append([])
                x = float(_LEFT)
            lines[-1].append((name, text, x))
            x += length
        return lines

    def _x(self, index: float) -> float:
        return _LEFT + (self.width - _LEFT - _RIGHT) * (index + 0.5) / self.count

    def _draw_curves(self) -> None:
        changes = [self.drift.change(index).as_dict() for index in range(self.count)]
        reach = max(2.0, *(abs(value) for change in changes for value in change.values())) * 1.08

        def y(value: float) -> float:
            return self.curves + _CURVES / 2 - value / reach * _CURVES / 2

        left, right = _LEFT, self.width - _RIGHT
        self.pen.rectangle((*_at(left, y(1)), *_at(right, y(-1))), fill=_BAND)
        self.pen.text(_at(right - 4, y(1) + 2), "not visible", font=self.small, fill=_DIM, anchor="ra")
        step = 1 if reach <= 4 else 2 if reach <= 9 else 5 if reach <= 25 else 20
        for value in range(-int(reach // step) * step, int(reach) + 1, step):
            self.pen.line((*_at(left, y(value)), *_at(right, y(value))), fill=_GRID, width=_SCALE)
            text = f"{value:+d}" if value else "0"
            self.pen.text(_at(left - 8, y(value)), text, font=self.small, fill=_DIM, anchor="rm")
        for name in UNITS:
            points = [_at(self._x(index), y(change[name])) for index, change in enumerate(changes)]
            for scene in self._scenes(points):
                if len(scene) > 1:
                    self.pen.line(scene, fill=_COLOURS[name], width=3 * _SCALE, joint="curve")
            radius = (3 if self.count <= 40 else 1) * _SCALE
            for px, py in points:
                self.pen.ellipse((px - radius, py - radius, px + radius, py + radius), fill=_COLOURS[name])

    def _scenes(self, points: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
        """Points of clips, split where a new scene begins."""
        scenes = [points[:1]]
        for point, seam in zip(points[1:], self.drift.seams, strict=True):
            if seam is None:
                scenes.append([])
            scenes[-1].append(point)
        return scenes

    def _draw_seams(self) -> None:
        base, highest = self.seams + _SEAMS, max(3.0, self.drift.seam)
        left, right = _LEFT, self.width - _RIGHT
        self.pen.text(_at(left, self.seams - 2), "seams, 1 is none", font=self.small, fill=_DIM,
                      anchor="ld")  # fmt: skip

        def y(ratio: float) -> float:
            return base - ratio / highest * _SEAMS

        self.pen.line((*_at(left, y(1)), *_at(right, y(1))), fill=_DIM, width=_SCALE)
        self.pen.text(_at(left - 8, y(1)), "1", font=self.small, fill=_DIM, anchor="rm")
        half = min(12.0, (right - left) / self.count / 4)
        for index, seam in enumerate(self.drift.seams):
            middle = (self._x(index) + self._x(index + 1)) / 2
            if seam is None:  # a new scene
                self.pen.line((*_at(middle, self.curves), *_at(middle, base)), fill=_DIM, width=_SCALE)
                continue
            colour = _BAD if seam.ratio >= 2 else _DIM
            self.pen.rectangle((*_at(middle - half, y(seam.ratio)), *_at(middle + half, base)), fill=colour)
        for index in range(0, self.count, 1 + (self.count - 1) // 20):
            self.pen.text(_at(self._x(index), base + 4), str(index + 1), font=self.small, fill=_DIM, anchor="ma")

    def _draw_legend(self) -> None:
        for index, line in enumerate(self.legend):
            y = self.names + index * _LEGEND_LINE
            for name, text, x in line:
                self.pen.rectangle((*_at(x, y + 5), *_at(x + 14, y + 9)), fill=_COLOURS[name])
                self.pen.text(_at(x + 20, y), text, font=self.small, fill=_TEXT)

    def _draw_thumbs(self) -> None:
        for index, (label, thumb) in enumerate(self.thumbs):
            x = _MARGIN + index * (_THUMB_WIDTH + _THUMB_GAP)
            size = (_THUMB_WIDTH * _SCALE, round(thumb.height * _THUMB_WIDTH * _SCALE / thumb.width))
            self.picture.paste(thumb.convert("RGB").resize(size), (x * _SCALE, self.pictures * _SCALE))
            self.pen.text(_at(x, self.pictures + self.row + 6), label, font=self.small, fill=_DIM)


def _at(x: float, y: float) -> tuple[float, float]:
    return x * _SCALE, y * _SCALE
