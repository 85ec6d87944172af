"""Paints whatever is drawn as a PNG file, from the same shapes as its SVG, black on white."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING, Final, assert_never

from chainrule.document.drawn import Drawn
from chainrule.document.figure_svg import DASHES, FILLS, HOLLOW, LIGHT
from chainrule.document.formula import Number
from chainrule.document.numbers import PLAIN_STYLE, format_number
from chainrule.document.pictures import sheet_of
from chainrule.document.shapes import Bar, Curve, Disk, Mark, Point, Role, Rule, Shape, Strands, Tiles, Words
from chainrule.document.text.characters import to_ascii

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

SCALE: Final = 2  # pixels a unit
FINER: Final = 2  # painted so many times larger, then reduced, so that edges are smooth
COLORS: Final = 128  # of the six series, in as many shades as smooth edges need
_BORDER: Final = 8.0
_ZOOM: Final = SCALE * FINER
_INK: Final = (27, 31, 36)
_GROUND: Final = (255, 255, 255)
_GRID: Final = 0.15
_STRAND: Final = 0.75
_SIZES: Final[dict[Role, float]] = {"title": 14.0, "label": 13.0, "tick": 13.0, "legend": 13.0, "value": 13.0}
_ANCHORS: Final = {"start": "ls", "middle": "ms", "end": "rs"}
# What Pillow's own font lacks is looked for in fonts that most systems have; what these lack is said in ASCII.
_FONTS: Final = ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf", "NotoSans-Regular.ttf")
_UNKNOWN: Final = "\ufffe"  # which no font has
# Around the origin, as in SVG: closed outlines, or lines. The first, a circle, is painted as one.
_OUTLINES: Final[tuple[tuple[tuple[Point, ...], ...], ...]] = (
    (),
    (((-3, -3), (3, -3), (3, 3), (-3, 3), (-3, -3)),),
    (((0, -4), (4, 3), (-4, 3), (0, -4)),),
    (((0, -4.4), (4.4, 0), (0, 4.4), (-4.4, 0), (0, -4.4)),),
    (((-3.2, -3.2), (3.2, 3.2)), ((3.2, -3.2), (-3.2, 3.2))),
    (((-4, 0), (4, 0)), ((0, -4), (0, 4))),
)
_CIRCLE: Final = 3.5

Color = tuple[int, int, int]


def render_png(drawn: Drawn) -> bytes:
    """Whatever is drawn as a PNG file of 832 pixels width (a wide drawing has more), titled.

    Numbers are written without raised exponents (4.4e-10), and words in ASCII where no font has their letters.
    """
    from PIL import Image, ImageDraw, PngImagePlugin

    chart = sheet_of(drawn, titled=True)
    size = round((chart.width + 2 * _BORDER) * SCALE), round((chart.height + 2 * _BORDER) * SCALE)
    large = Image.new("RGB", (size[0] * FINER, size[1] * FINER), _GROUND)
    painter = _Painter(ImageDraw.Draw(large))
    for shape in chart.shapes:
        painter.paint(shape)
    told = PngImagePlugin.PngInfo()
    told.add_itxt("Description", drawn.alternative.encode("utf-8", "replace").decode())
    stream = io.BytesIO()
    painted = large.resize(size, Image.Resampling.LANCZOS).quantize(COLORS)
    painted.save(stream, "PNG", optimize=True, pnginfo=told)
    return stream.getvalue()


class _Painter:
    """Paints one shape after the other on a sheet."""

    def __init__(self, draw: ImageDraw) -> None:
        self._draw = draw
        self._fonts: dict[float, list[FreeTypeFont | ImageFont]] = {}

    def paint(self, shape: Shape) -> None:  # noqa: C901 - one case a kind of shape
        """Put the shape on the sheet."""
        match shape:
            case Words():
                self._words(shape)
            case Rule(start, end, grid):
                self._line((start, end), _mixed(_INK, _GRID) if grid else _INK, 1.0)
            case Curve(points, series):
                for stroke in _dashed(points, DASHES[_turn(series)]):
                    self._line(stroke, _color(series), 2.0)
            case Mark():
                self._mark(shape)
            case Bar(corner, width, height, series):
                self._box((*corner, width, height), _mixed(_color(series), FILLS[_turn(series)]), _color(series))
            case Tiles(boxes, shade, series):
                for box in boxes:
                    self._box(box, _mixed(_INK if series is None else _color(series), shade))
            case Strands(lines, width, series, dashed):
                for line in lines:
                    for stroke in _dashed(line, DASHES[1] if dashed else ""):
                        self._line(stroke, _mixed(_color(series), _STRAND), width)
            case Disk(at, radius):
                self._draw.ellipse(_around(at, radius), fill=_GROUND, outline=_INK, width=_thick(1.2))
            case _:
                assert_never(shape)

    def _line(self, points: Sequence[Point], color: Color, width: float) -> None:
        self._draw.line([_zoomed(point) for point in points], fill=color, width=_thick(width), joint="curve")

    def _box(self, box: tuple[float, float, float, float], fill: Color, outline: Color | None = None) -> None:
        left, top, width, height = box
        if width > 0 and height > 0:
            (x, y), (right, bottom) = _zoomed((left, top)), _zoomed((left + width, top + height))
            end = max(right - 1, x), max(bottom - 1, y)  # Pillow paints the last pixel too
            self._draw.rectangle(((x, y), end), fill=fill, outline=outline, width=_thick(1.0) if outline else 0)

    def _mark(self, mark: Mark) -> None:
        turn, color = _turn(mark.series), _color(mark.series)
        if not _OUTLINES[turn]:
            self._draw.ellipse(_around(mark.at, _CIRCLE), fill=color)
        for outline in _OUTLINES[turn]:
            points = [(mark.at[0] + x, mark.at[1] + y) for x, y in outline]
            if points[0] == points[-1] and turn not in HOLLOW:
                self._draw.polygon([_zoomed(point) for point in points], fill=color)
            self._line(points, color, 1.5)

    def _words(self, words: Words) -> None:
        said = (
            format_number(words.said.value, words.said.style or PLAIN_STYLE)
            if isinstance(words.said, Number)
            else words.said
        )
        size = _SIZES[words.role]
        font = next((font for font in self._known(size) if _can_write(font, said)), None)
        weight = 1 if words.role == "title" else 0
        self._draw.text(
            _zoomed((words.x, words.y)),
            said if font else to_ascii(said),
            fill=_INK,
            font=font or self._known(size)[0],
            anchor=_ANCHORS[words.anchor],
            stroke_width=weight,
        )

    def _known(self, size: float) -> list[FreeTypeFont | ImageFont]:
        from PIL import ImageFont

        if size not in self._fonts:
            self._fonts[size] = [ImageFont.load_default(size * _ZOOM)]
            for name in _FONTS:
                try:
                    self._fonts[size].append(ImageFont.truetype(name, round(size * _ZOOM)))
                except OSError:  # not on this system
                    continue
        return self._fonts[size]


def _can_write(font: FreeTypeFont | ImageFont, said: str) -> bool:
    """Whether the font has every letter: one that it lacks looks as one that no font has."""
    return all(letter.isascii() or _look(font, letter) != _look(font, _UNKNOWN) for letter in set(said))


def _look(font: FreeTypeFont | ImageFont, letter: str) -> bytes:
    from PIL import Image, ImageDraw

    sheet = Image.new("L", (100, 100))
    ImageDraw.Draw(sheet).text((20, 20), letter, fill=255, font=font)
    return sheet.tobytes()


def _dashed(points: Sequence[Point], dashes: str) -> Iterator[Sequence[Point]]:
    """The line in strokes: lengths drawn and left out by turns, going on around its corners."""
    if not dashes:
        yield points
        return
    lengths = [float(length) for length in dashes.split()]
    place, left = 0, lengths[0]
    for start, end in pairwise(points):
        whole = hypot(end[0] - start[0], end[1] - start[1])
        done = 0.0
        while done < whole:
            part = min(left, whole - done)
            if place % 2 == 0:
                yield _between(start, end, done / whole), _between(start, end, (done + part) / whole)
            done, left = done + part, left - part
            if left <= 0:
                place += 1
                left = lengths[place % len(lengths)]


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _zoomed(point: Point) -> tuple[int, int]:
    return round((point[0] + _BORDER) * _ZOOM), round((point[1] + _BORDER) * _ZOOM)


def _around(at: Point, radius: float) -> tuple[tuple[int, int], tuple[int, int]]:
    return _zoomed((at[0] - radius, at[1] - radius)), _zoomed((at[0] + radius, at[1] + radius))


def _thick(width: float) -> int:
    return max(round(width * _ZOOM), 1)


def _turn(series: int) -> int:
    return series % len(LIGHT)


def _color(series: int) -> Color:
    code = LIGHT[_turn(series)]
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def _mixed(color: Color, share: float) -> Color:
    """The color over the ground, as opaque as the share."""
    red, green, blue = (round(share * ink + (1 - share) * ground) for ink, ground in zip(color, _GROUND, strict=True))
    return red, green, blue
