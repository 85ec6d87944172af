"""Draws a figure with characters: curves in braille, points as marks, bars in eighths of a block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from chainrule.document.drawn import Figure, Series
from chainrule.document.numbers import NumberStyle
from chainrule.document.text import boxes
from chainrule.document.text.breaking import side_by_side, wrap
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.spans import Pen

HEIGHT: Final = 10  # rows of a plot; with the axis and its numbers it stays under a third of a common terminal
LARGEST_EXPONENT: Final = 308.25  # of a float64, a little rounded down
NARROWEST_PLOT: Final = 6
LONGEST_BAR: Final = 48  # columns; longer bars compare no better
MARKS: Final = "●○×+△□◇"
ASCII_MARKS: Final = "*ox+^#%"
_BLANK_BRAILLE: Final = 0x2800
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # rows of two dots in a braille cell
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_AXIS: Final = NumberStyle(digits=3)
_VALUE: Final = NumberStyle(digits=4)


class Range(msgspec.Struct, frozen=True):
    """The values an axis spans, and where a value stands on it."""

    low: float
    high: float

    def place(self, value: float, cells: int) -> int:
        """The cell of a value, 0 to cells - 1."""
        span = self.high / 4 - self.low / 4  # a quarter: the whole may be more than a float holds
        share = (value / 4 - self.low / 4) / span if span > 0 else 0.5
        return round(min(max(share, 0.0), 1.0) * (cells - 1))


def figure_lines(figure: Figure, width: int, pen: Pen) -> list[str]:
    """The chart, its legend and its sentence, no wider than the width."""
    title = pen.wrapped(figure.title, width, style="strong") if figure.title else []
    chart = _bars(figure, width, pen) if figure.kind == "bar" else _plot(figure, width, pen)
    return title + chart + pen.wrapped(figure.alternative, width)


def _plot(figure: Figure, width: int, pen: Pen) -> list[str]:
    points = [_points(series, figure) for series in figure.series]
    every = [point for part in points for point in part]
    if not every:
        return wrap("(no finite points)", width)
    across = Range(min(x for x, _ in every), max(x for x, _ in every))
    up = Range(min(y for _, y in every), max(y for _, y in every))
    heights = (up.high, up.high / 2 + up.low / 2, up.low)
    numbers = [_axis_number(value, pen, logarithmic=figure.logarithmic) for value in heights]
    margin = min(max(map(columns_of, numbers)), width // 3)
    columns = max(width - margin - 2, NARROWEST_PLOT)
    canvas = _Canvas(across, up, columns, ascii=pen.ascii)
    for place, part in reversed(list(enumerate(points))):
        curve = figure.kind == "line" and place == 0
        canvas.curve(part) if curve else canvas.marks(part, canvas.mark(place))
    labels = {0: numbers[0], (HEIGHT - 1) // 2: numbers[1], HEIGHT - 1: numbers[2]}
    rows = [y_axis(labels.get(row, ""), margin, pen) + text.rstrip() for row, text in enumerate(canvas.rows())]
    return [
        *([] if not figure.y_label else pen.wrapped(figure.y_label, width, style="quiet")),
        *rows,
        *_x_axis(figure, across, margin, columns, pen),
        *_legend(figure, canvas, width, pen),
    ]


def _points(series: Series, figure: Figure) -> list[tuple[float, float]]:
    """The points that can be shown, as decades along a logarithmic axis."""
    pairs = [(x, y) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(x) and math.isfinite(y)]
    if figure.logarithmic:
        pairs = [(x, math.log10(y)) for x, y in pairs if y > 0]
    return [(math.log10(x), y) for x, y in pairs if x > 0] if figure.logarithmic_x else pairs


def _axis_number(value: float, pen: Pen, *, logarithmic: bool) -> str:
    shown = 10.0 ** min(value, LARGEST_EXPONENT) if logarithmic else value
    return pen.display.number(shown, _AXIS)


def y_axis(label: str, margin: int, pen: Pen) -> str:
    """The vertical axis in one row, its number before it."""
    return boxes.pad_left(pen.clipped(label, margin), margin) + pen.plain(" ┤" if label else " │")


def _x_axis(figure: Figure, across: Range, margin: int, columns: int, pen: Pen) -> list[str]:
    line = " " * (margin + 1) + pen.plain("└" + "─" * columns)
    ends = (across.low, across.high)
    low, high = (_axis_number(value, pen, logarithmic=figure.logarithmic_x) for value in ends)
    name = pen.plain(figure.x_label)
    room = columns - columns_of(low) - columns_of(high)
    if room < 2:
        return [
            line,
            *wrap(f"{name} {low} … {high}" if not pen.ascii else f"{name} {low} .. {high}", margin + 2 + columns),
        ]
    middle = name if columns_of(name) <= room - 2 else ""
    numbers = low + boxes.center(middle, room) + high
    below = [] if middle == name else wrap(name, margin + 2 + columns)
    return [line, " " * (margin + 2) + numbers, *below]


def _legend(figure: Figure, canvas: _Canvas, width: int, pen: Pen) -> list[str]:
    if len(figure.series) < 2:
        return []
    signs = [canvas.mark(place) for place in range(len(figure.series))]
    if figure.kind == "line" and not pen.ascii:
        signs[0] = "⠤⠤"
    entries = [f"{sign} {pen.plain(series.name)}" for sign, series in zip(signs, figure.series, strict=True)]
    return side_by_side(entries, width)


class _Canvas:
    """A plot of HEIGHT rows: marks stand over dots, and what is drawn last stands on top."""

    def __init__(self, across: Range, up: Range, columns: int, *, ascii: bool) -> None:
        self.across, self.up, self.columns, self.ascii = across, up, columns, ascii
        self._dots: dict[tuple[int, int], int] = {}
        self._signs: dict[tuple[int, int], str] = {}

    def mark(self, place: int) -> str:
        """The mark of the series at that place."""
        signs = ASCII_MARKS if self.ascii else MARKS
        return signs[place % len(signs)]

    def marks(self, points: Sequence[tuple[float, float]], sign: str) -> None:
        """One mark per point."""
        for x, y in points:
            self._signs[self._cell(x, y)] = sign

    def curve(self, points: Sequence[tuple[float, float]]) -> None:
        """A line through the points; in ASCII one mark per column."""
        wide, tall = (1, 1) if self.ascii else (2, 4)
        spots = [
            (self.across.place(x, self.columns * wide), HEIGHT * tall - 1 - self.up.place(y, HEIGHT * tall))
            for x, y in points
        ]
        for (x0, y0), (x1, y1) in zip(spots, spots[1:] or spots, strict=False):
            steps = max(abs(x1 - x0), abs(y1 - y0), 1)
            for step in range(steps + 1):
                self._dot(x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps))

    def rows(self) -> list[str]:
        """The plot from top to bottom."""
        return ["".join(self._sign(column, row) for column in range(self.columns)) for row in range(HEIGHT)]

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        return self.across.place(x, self.columns), HEIGHT - 1 - self.up.place(y, HEIGHT)

    def _dot(self, x: int, y: int) -> None:
        if self.ascii:
            self._signs.setdefault((x, y), ASCII_MARKS[0])
            return
        cell = (x // 2, y // 4)
        self._dots[cell] = self._dots.get(cell, 0) | _DOTS[y % 4][x % 2]

    def _sign(self, column: int, row: int) -> str:
        dots = self._dots.get((column, row))
        return self._signs.get((column, row)) or (chr(_BLANK_BRAILLE + dots) if dots else " ")


def _bars(figure: Figure, width: int, pen: Pen) -> list[str]:
    names = _bar_names(figure, pen)
    values = [series.y[place] for place in range(len(figure.categories)) for series in figure.series]
    texts = [pen.display.number(value, _VALUE) for value in values]
    label = pen.wrapped(figure.y_label, width, style="quiet") if figure.y_label else []
    margin = min(max(map(columns_of, names), default=0), width // 3)
    room = min(width - margin - max(map(columns_of, texts), default=0) - 2, LONGEST_BAR)
    if room < NARROWEST_PLOT:
        return label + [line for name, text in zip(names, texts, strict=True) for line in wrap(f"{name} {text}", width)]
    finite = [value if math.isfinite(value) else 0.0 for value in values]
    left, right = _sides(min(*finite, 0.0, 0.0), max(*finite, 0.0, 0.0), room)
    scale = max(*map(abs, finite), 0.0, 0.0) or 1.0
    lengths = [value / scale * max(left, right) for value in finite]
    return label + [
        f"{boxes.pad(pen.clipped(name, margin), margin)} {_bar(length, left, right, pen)} {text}"
        for name, length, text in zip(names, lengths, texts, strict=True)
    ]


def _bar_names(figure: Figure, pen: Pen) -> list[str]:
    if len(figure.series) == 1:
        return [pen.plain(category) for category in figure.categories]
    return [pen.plain(f"{category} {series.name}") for category in figure.categories for series in figure.series]


def _sides(low: float, high: float, room: int) -> tuple[int, int]:
    """Columns for negative and for positive bars, on one scale."""
    if low >= 0:
        return 0, room
    if high <= 0:
        return room, 0
    left = min(max(round(room / (1 - high / low)), 1), room - 1)
    return left, room - left


def _bar(length: float, left: int, right: int, pen: Pen) -> str:
    if length < 0:
        return boxes.pad_left(_half_blocks(-length, left, pen), left) + " " * right
    return " " * left + boxes.pad(_eighths(length, right, pen), right)


def _half_blocks(length: float, most: int, pen: Pen) -> str:
    if pen.ascii:
        return "#" * min(round(length), most)
    halves = min(round(length * 2), 2 * most)
    return "▐" * (halves % 2) + "█" * (halves // 2)


def _eighths(length: float, most: int, pen: Pen) -> str:
    if pen.ascii:
        return "#" * min(round(length), most)
    parts = min(round(length * 8), 8 * most)
    return "█" * (parts // 8) + (_EIGHTHS[parts % 8] if parts % 8 else "")
