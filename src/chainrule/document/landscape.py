"""Where everything stands on a landscape: shades, contour lines, axes, paths, and what the shades mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from chainrule.document.axes import axis_of
from chainrule.document.chart import Frame, fitted, lines, margin_of
from chainrule.document.drawn import Landscape
from chainrule.document.formula import Number
from chainrule.document.levels import Levels, contour, levels_of
from chainrule.document.numbers import NumberStyle
from chainrule.document.shapes import (
    LETTER,
    LINE,
    WIDTH,
    Box,
    Chart,
    Curve,
    Disk,
    Mark,
    Rule,
    Shape,
    Strands,
    Tiles,
    Words,
)
from chainrule.document.text.characters import visible
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.spans import Pen

BANDS: Final = 8
DARKEST: Final = 0.4  # of the ink: on more, a path would not be seen
HEIGHT: Final = 250.0  # of what the axes enclose
_GRAY: Final = 5  # the series in whose color contour lines are drawn
_EDGE: Final = 8.0
_SWATCH: Final = 24.0
_PEN: Final = Pen()


def landscape(of: Landscape, *, titled: bool) -> Chart:
    """The landscape with everything in its place."""
    head = list(_head(of, titled=titled))
    top = max((shape.y for shape in head if isinstance(shape, Words)), default=0.0) + _EDGE
    levels = levels_of(of, BANDS)
    if levels is None or min(len(of.x), len(of.y)) < 2:
        return Chart(top + LINE + _EDGE, (*head, Words(0, top + LINE - 4, "no values", "start", "label")))
    across, up = axis_of((of.x[0], of.x[-1])), axis_of((of.y[0], of.y[-1]))
    frame = Frame(across, up, margin_of(up), top + 4, HEIGHT)
    shapes = [*head, *_shades(of, levels, frame), *_contours(of, levels, frame)]
    shapes += [shape for shape in frame.axes(of.x_label) if not (isinstance(shape, Rule) and shape.grid)]
    for place, path in reversed(list(enumerate(of.paths))):
        points = [frame.point(point) for point in zip(path.x, path.y, strict=True) if _is_finite(point)]
        if points:
            shapes += [*lines([points], place, marked=True), Disk(points[0], 4.0)]
    bottom = frame.bottom + LINE * (2 if of.x_label else 1) + 10
    return Chart(round(bottom + LINE + 22, 1), (*shapes, *_key(of, levels, frame, bottom)))


def _is_finite(point: tuple[float, float]) -> bool:
    return all(abs(part) < float("inf") for part in point)


def _head(of: Landscape, *, titled: bool) -> Iterator[Shape]:
    """Title, the names of the paths, and the name of the y axis, under one another."""
    y = LINE - 4
    if titled and of.title:
        yield Words(0, y, fitted(_PEN.line(of.title), WIDTH), "start", "title")
        y += LINE + 4
    x = 0.0
    for place, path in enumerate(of.paths):
        name = fitted(visible(path.name), WIDTH - _SWATCH)
        needed = _SWATCH + columns_of(name) * LETTER + 20
        if x and x + needed > WIDTH:
            x, y = 0.0, y + LINE
        yield Curve(((x, y - 4), (x + _SWATCH - 5, y - 4)), place)
        yield Mark((x + (_SWATCH - 5) / 2, y - 4), place)
        yield Words(x + _SWATCH, y, name, "start", "legend")
        x += needed
    y += LINE if of.paths else 0.0
    if of.y_label:
        yield Words(0, y, fitted(visible(of.y_label), WIDTH), "start", "label")


def _shades(of: Landscape, levels: Levels, frame: Frame) -> Iterator[Shape]:
    """Each place as far as halfway to its neighbors, those of one band in a row as one box."""
    xs = [frame.point((x, of.y[0]))[0] for x in _borders(of.x)]
    ys = [frame.point((of.x[0], y))[1] for y in _borders(of.y)]
    boxes: dict[int, list[Box]] = {}
    for row, values in enumerate(of.values):
        bands = [levels.band(value) for value in values]
        start = 0
        for column in range(1, len(bands) + 1):
            if column == len(bands) or bands[column] != bands[start]:
                band = bands[start]
                if band:
                    left, top = xs[start], ys[row + 1]
                    box = (left, top, round(xs[column] - left, 1), round(ys[row] - top, 1))
                    boxes.setdefault(band, []).append(box)
                start = column
    for band, parts in sorted(boxes.items()):
        yield Tiles(tuple(parts), _shade(band))


def _borders(places: Sequence[float]) -> list[float]:
    """Halfway from each place to the next, between the first and the last."""
    between = [a / 2 + b / 2 for a, b in pairwise(places)]
    return [places[0], *between, places[-1]]


def _shade(band: int) -> float:
    return round(DARKEST * band / (BANDS - 1), 2)


def _contours(of: Landscape, levels: Levels, frame: Frame) -> Iterator[Shape]:
    for edge in levels.edges:
        pieces = tuple((frame.point(start), frame.point(end)) for start, end in contour(of, edge))
        seen = tuple(piece for piece in pieces if piece[0] != piece[1])
        if seen:
            yield Strands(seen, 0.7, _GRAY)


def _key(of: Landscape, levels: Levels, frame: Frame, top: float) -> Iterator[Shape]:
    """The shades beside one another with the values between them."""
    room = columns_of(visible(of.value_label)) * LETTER + _EDGE if of.value_label else 0.0
    left = min(max(room, frame.left), WIDTH * 0.4)
    if of.value_label:
        yield Words(0, top + 11, fitted(visible(of.value_label), left - 4), "start", "label")
    count = len(levels.edges) + 1
    wide = (frame.right - left) / count
    for band in range(count):
        yield Tiles(((round(left + band * wide, 1), top, round(wide, 1), 14.0),), _shade(band))
    corners = [(left, top), (frame.right, top), (frame.right, top + 14), (left, top + 14)]
    yield from (Rule(start, end) for start, end in zip(corners, [*corners[1:], corners[0]], strict=True))
    style = NumberStyle("significant", levels.digits)
    marked = [levels.low, *levels.edges, levels.high]
    for place in range(0, len(marked), 2):
        x = round(left + place * wide, 1) if count > 1 else round(left + wide / 2, 1)
        yield Words(
            min(x, WIDTH - (levels.digits + 2) * LETTER / 2),
            top + 14 + LINE - 2,
            Number(marked[place], style),
            "middle",
            "tick",
        )
