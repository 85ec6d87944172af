"""Where every line, mark, bar and word of a figure stands, for whoever paints it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from chainrule.document.axes import Axis, axis_of
from chainrule.document.drawn import Figure, Series
from chainrule.document.formula import Number
from chainrule.document.numbers import NumberStyle, format_number, written_parts
from chainrule.document.shapes import LETTER, LINE, WIDTH, Bar, Chart, Curve, Mark, Point, Rule, Shape, Words
from chainrule.document.text.characters import split_at, visible
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.scripts import superscript
from chainrule.document.text.spans import Pen

PLOT: Final = 190.0  # the height of what the axes enclose
MOST_MARKS: Final = 12  # marks on a line tell it from another: more would hide it
_EDGE: Final = 8.0
_SWATCH: Final = 24.0
_VALUE: Final = NumberStyle(digits=4)
_PEN: Final = Pen()


def chart_of(figure: Figure, *, titled: bool) -> Chart:
    """The figure with everything in its place; points that are not finite are gaps."""
    head = list(_head(figure, titled=titled))
    top = max((shape.y for shape in head if isinstance(shape, Words)), default=0.0) + _EDGE
    body, bottom = _bars(figure, top) if figure.kind == "bar" else _plot(figure, top)
    return Chart(round(bottom + _EDGE, 1), (*head, *body))


def _head(figure: Figure, *, titled: bool) -> Iterator[Shape]:
    """Title, legend and the name of the y axis, under one another."""
    y = LINE - 4
    if titled and figure.title:
        yield Words(0, y, fitted(_PEN.line(figure.title), WIDTH), "start", "title")
        y += LINE + 4
    if len(figure.series) > 1:
        x = 0.0
        for place, series in enumerate(figure.series):
            name = fitted(visible(series.name), WIDTH - _SWATCH)
            needed = _SWATCH + columns_of(name) * LETTER + 20
            if x and x + needed > WIDTH:
                x, y = 0.0, y + LINE
            yield from _swatch(figure, x, y - 4, place)
            yield Words(x + _SWATCH, y, name, "start", "legend")
            x += needed
        y += LINE
    if figure.y_label:
        yield Words(0, y, fitted(visible(figure.y_label), WIDTH), "start", "label")


def _swatch(figure: Figure, x: float, y: float, place: int) -> Iterator[Shape]:
    if figure.kind == "bar":
        yield Bar((x + 4, y - 5), 14, 10, place)
        return
    if figure.kind == "line":
        yield Curve(((x, y), (x + _SWATCH - 5, y)), place)
    yield Mark((x + (_SWATCH - 5) / 2, y), place)


def _plot(figure: Figure, top: float) -> tuple[list[Shape], float]:
    parts = [_segments(series, figure) for series in figure.series]
    points = [point for segments in parts for segment in segments for point in segment]
    if not points:
        return [Words(0, top + LINE, "no finite points", "start", "label")], top + LINE
    across = axis_of([x for x, _ in points], logarithmic=figure.logarithmic_x, tight=True)
    up = axis_of([y for _, y in points], logarithmic=figure.logarithmic, rounded=True)
    frame = Frame(across, up, margin_of(up), top + 4)
    shapes = [*frame.axes(figure.x_label)]
    for place, segments in reversed(list(enumerate(parts))):
        placed = [[frame.point(point) for point in segment] for segment in segments]
        marked = len(figure.series) > 1
        shapes += _dots(placed, place) if figure.kind == "scatter" else lines(placed, place, marked=marked)
    return shapes, frame.bottom + LINE * (2 if figure.x_label else 1) + 2


def _segments(series: Series, figure: Figure) -> list[list[Point]]:
    """Runs of points that can be shown."""
    segments: list[list[Point]] = [[]]
    for x, y in zip(series.x, series.y, strict=True):
        seen = (y > 0 or not figure.logarithmic) and (x > 0 or not figure.logarithmic_x)
        if seen and math.isfinite(x) and math.isfinite(y):
            segments[-1].append((x, y))
        elif segments[-1]:
            segments.append([])
    return [segment for segment in segments if segment]


def margin_of(up: Axis) -> float:
    """What the numbers beside the vertical axis need."""
    texts = [number_text(tick.number) for tick in up.ticks]
    columns = max((columns_of(text) + 0.5 * text.startswith("−") for text in texts), default=0)  # − is wide
    return round(columns * LETTER + _EDGE, 1)


def number_text(number: Number) -> str:
    """A number on one line, its exponent as a power of ten."""
    mantissa, exponent, percent = written_parts(format_number(number.value, number.style or _VALUE, minus="−"))
    return mantissa + (f" × 10{superscript(exponent)}" if exponent else "") + percent


class Frame(msgspec.Struct, frozen=True):
    """The rectangle that the axes span."""

    across: Axis
    up: Axis
    left: float
    top: float
    height: float = PLOT

    @property
    def right(self) -> float:
        return WIDTH - _EDGE - 4

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def point(self, value: Point) -> Point:
        """Where a value stands on the sheet, to a tenth."""
        x = self.left + self.across.place(value[0]) * (self.right - self.left)
        return round(x, 1), round(self.bottom - self.up.place(value[1]) * self.height, 1)

    def axes(self, name: str) -> Iterator[Shape]:
        """The grid with its numbers, the horizontal axis with its numbers and its name."""
        for tick in self.up.ticks:
            y = round(self.bottom - tick.place * self.height, 1)
            yield Rule((self.left, y), (self.right, y), grid=True)
            yield Words(self.left - _EDGE + 2, y + 4, tick.number, "end", "tick")
        yield Rule((self.left, self.bottom), (self.right, self.bottom))
        for tick in self.across.ticks:
            x = round(self.left + tick.place * (self.right - self.left), 1)
            yield Rule((x, self.bottom), (x, self.bottom + 4))
            half = columns_of(number_text(tick.number)) * LETTER / 2
            yield Words(round(min(x, WIDTH - half), 1), self.bottom + LINE, tick.number, "middle", "tick")
        if name:
            center = (self.left + self.right) / 2
            shown = fitted(visible(name), WIDTH)
            yield Words(max(center, columns_of(shown) * LETTER / 2), self.bottom + 2 * LINE, shown, "middle", "label")


def _dots(segments: Sequence[Sequence[Point]], place: int) -> list[Shape]:
    """Each place once, however many points stand there."""
    return [Mark(point, place) for point in dict.fromkeys(point for segment in segments for point in segment)]


def lines(segments: Sequence[Sequence[Point]], place: int, *, marked: bool) -> list[Shape]:
    """Lines through points, and on them, if they are to be told from others, marks."""
    every = [point for segment in segments for point in segment]
    shapes: list[Shape] = [
        Curve(_thinned(segment), place) if len(segment) > 1 else Mark(segment[0], place) for segment in segments
    ]
    if marked:
        shapes += [Mark(every[round(spot)], place) for spot in _spread(len(every))]
    return shapes


def _spread(count: int) -> list[float]:
    """Places of the marks among so many points, evenly, from the first to the last."""
    if count <= MOST_MARKS:
        return [float(spot) for spot in range(count)]
    return [spot * (count - 1) / (MOST_MARKS - 1) for spot in range(MOST_MARKS)]


def _thinned(points: Sequence[Point]) -> tuple[Point, ...]:
    """The same drawn line in fewer points: of each half unit of width the first, lowest, highest and last."""
    if len(points) <= 4 * WIDTH:
        return tuple(points)
    runs: dict[int, list[Point]] = {}
    for point in points:
        runs.setdefault(int(2 * point[0]), []).append(point)
    kept: list[Point] = []
    for run in runs.values():
        lowest, highest = (choose(range(len(run)), key=lambda spot: run[spot][1]) for choose in (min, max))
        kept += [run[spot] for spot in sorted({0, lowest, highest, len(run) - 1})]
    return tuple(kept)


def _bars(figure: Figure, top: float) -> tuple[list[Shape], float]:
    """Horizontal bars: the names before them, however long, and the values after them."""
    values = [[series.y[place] for series in figure.series] for place in range(len(figure.categories))]
    shown = [value for row in values for value in row if _has_bar(value, figure)]
    if not any(values):
        return [Words(0, top + LINE, "no bars", "start", "label")], top + LINE
    names = [fitted(visible(category), WIDTH * 0.42) for category in figure.categories]
    left = max(columns_of(name) for name in names) * LETTER + _EDGE
    texts = [number_text(Number(value, _VALUE)) for row in values for value in row]
    right = WIDTH - max(map(columns_of, texts)) * LETTER - _EDGE
    base = [] if figure.logarithmic else [0.0]
    axis = axis_of([*base, *shown], logarithmic=figure.logarithmic) if shown or base else None
    zero = left + (axis.place(0.0) if axis and base else 0.0) * (right - left)
    thick = 14.0 if len(figure.series) == 1 else 11.0
    shapes: list[Shape] = []
    y = top + 4
    for name, row in zip(names, values, strict=True):
        shapes.append(Words(0, y + len(row) * thick / 2 + 4, name, "start", "tick"))
        for place, value in enumerate(row):
            if axis is not None and _has_bar(value, figure):
                end = left + axis.place(value) * (right - left)
                corner = (round(min(zero, end), 1), round(y, 1))
                shapes.append(Bar(corner, round(abs(end - zero), 1), thick - 2, place))
            shapes.append(Words(WIDTH, y + thick / 2 + 3, Number(value, _VALUE), "end", "value"))
            y += thick
        y += 7
    shapes.append(Rule((round(zero, 1), top), (round(zero, 1), y - 3)))
    return shapes, y - 3


def _has_bar(value: float, figure: Figure) -> bool:
    return math.isfinite(value) and (value > 0 or not figure.logarithmic)


def fitted(text: str, room: float) -> str:
    """The text, its end left out where it finds no room."""
    columns = max(int(room / LETTER), 2)
    return text if columns_of(text) <= columns else split_at(text, columns - 1)[0] + "…"
