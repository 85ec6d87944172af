"""Draws a landscape with characters: the higher a place, the darker its block; paths as marks on top."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from chainrule.document.drawn import Landscape, Series
from chainrule.document.levels import Levels, levels_of
from chainrule.document.numbers import NumberStyle
from chainrule.document.text import boxes
from chainrule.document.text.breaking import side_by_side, wrap
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.charts import ASCII_MARKS, MARKS, NARROWEST_PLOT, Range, y_axis
from chainrule.document.text.spans import Pen

HEIGHT: Final = 16  # rows
WIDEST: Final = 64  # columns; a character is about twice as high as wide
SHADES: Final = " ░▒▓█"
ASCII_SHADES: Final = " .:=#"
END, ASCII_END = "◉", "@"
_NUMBER: Final = NumberStyle(digits=3)


def landscape_lines(of: Landscape, width: int, pen: Pen) -> list[str]:
    """The landscape, what its shades and marks mean, and its sentence, no wider than the width."""
    title = pen.wrapped(of.title, width, style="strong") if of.title else []
    levels = levels_of(of, len(SHADES))
    below = pen.wrapped(of.alternative, width)
    if levels is None or min(len(of.x), len(of.y)) < 2:
        return [*title, *wrap("(no values)", width), *below]
    ends = [pen.display.number(value, _NUMBER) for value in (of.y[-1], of.y[0])]
    margin = min(max(map(columns_of, ends)), width // 3)
    columns = max(min(width - margin - 2, WIDEST), NARROWEST_PLOT)
    labels = {0: ends[0], HEIGHT - 1: ends[1]}
    rows = _rows(of, levels, columns, pen)
    return [
        *title,
        *(pen.wrapped(of.y_label, width, style="quiet") if of.y_label else []),
        *(y_axis(labels.get(row, ""), margin, pen) + text.rstrip() for row, text in enumerate(rows)),
        *_axis(of, margin, columns, width, pen),
        *_key(of, levels, width, pen),
        *below,
    ]


def _rows(of: Landscape, levels: Levels, columns: int, pen: Pen) -> list[str]:
    """The plane from top to bottom."""
    across, up = Range(of.x[0], of.x[-1]), Range(of.y[0], of.y[-1])
    shades = ASCII_SHADES if pen.ascii else SHADES
    nearest_x = [_nearest(of.x, across, column, columns) for column in range(columns)]
    nearest_y = [_nearest(of.y, up, row, HEIGHT) for row in reversed(range(HEIGHT))]
    canvas = [[_shade(levels.band(of.values[y][x]), shades) for x in nearest_x] for y in nearest_y]
    for place, path in reversed(list(enumerate(of.paths))):
        sign, end = _sign(place, pen), ASCII_END if pen.ascii else END
        cells = [
            (across.place(x, columns), HEIGHT - 1 - up.place(y, HEIGHT))
            for x, y in zip(path.x, path.y, strict=True)
            if math.isfinite(x) and math.isfinite(y)
        ]
        for x, y in _walked(cells):
            canvas[y][x] = sign
        if cells:
            x, y = cells[-1]
            canvas[y][x] = end
    return ["".join(row) for row in canvas]


def _nearest(places: tuple[float, ...], span: Range, cell: int, cells: int) -> int:
    """The place that stands nearest to a cell."""
    return min(range(len(places)), key=lambda place: abs(span.place(places[place], cells) - cell))


def _shade(band: int | None, shades: str) -> str:
    return "?" if band is None else shades[band]


def _sign(place: int, pen: Pen) -> str:
    signs = ASCII_MARKS if pen.ascii else MARKS
    return signs[place % len(signs)]


def _walked(cells: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Every cell on the straight lines from each to the next."""
    yield from cells[:1]
    for (x0, y0), (x1, y1) in pairwise(cells):
        steps = max(abs(x1 - x0), abs(y1 - y0))
        for step in range(1, steps + 1):
            yield x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps)


def _axis(of: Landscape, margin: int, columns: int, width: int, pen: Pen) -> list[str]:
    low, high = (pen.display.number(value, _NUMBER) for value in (of.x[0], of.x[-1]))
    name = pen.plain(of.x_label)
    line = " " * (margin + 1) + pen.plain("└" + "─" * columns)
    room = columns - columns_of(low) - columns_of(high)
    if room < 2:
        return [line, *wrap(f"{name} {low} {'..' if pen.ascii else '…'} {high}", width)]
    inside = columns_of(name) <= room - 2
    numbers = " " * (margin + 2) + low + boxes.center(name if inside else "", room) + high
    return [line, numbers, *([] if inside else wrap(name, width))]


def _key(of: Landscape, levels: Levels, width: int, pen: Pen) -> list[str]:
    """What each shade and each mark stands for."""
    shades = ASCII_SHADES if pen.ascii else SHADES
    style = NumberStyle(digits=levels.digits)
    numbers = [pen.display.number(value, style) for value in (levels.low, *levels.edges, levels.high)]
    entries = [f"{shades[0]} from {numbers[0]}"]
    entries += [f"{shade} from {number}" for shade, number in zip(shades[1:], numbers[1:-1], strict=False)]
    label = f"{pen.plain(of.value_label)}: " if of.value_label else ""
    said = side_by_side([f"{label}{entries[0]}", *entries[1:], f"up to {numbers[-1]}"], width)
    return [*said, *side_by_side([*_paths(of.paths, pen)], width)] if of.paths else said


def _paths(paths: tuple[Series, ...], pen: Pen) -> Iterator[str]:
    for place, path in enumerate(paths):
        yield f"{_sign(place, pen)} {pen.plain(path.name)}"
    yield f"{ASCII_END if pen.ascii else END} {'its end' if len(paths) == 1 else 'where they end'}"
