"""The levels of a landscape: between which values a place lies, and where its contour lines run."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from chainrule.document.drawn import Landscape
from chainrule.document.numbers import MOST_DIGITS
from chainrule.document.shapes import Point


class Levels(msgspec.Struct, frozen=True):
    """Bands of values.

    Attributes:
        low: the smallest value that is shown.
        high: the largest.
        edges: what lies between one band and the next, rising; one fewer than there are bands.
        logarithmic: whether bands are equally wide as ratios.
    """

    low: float
    high: float
    edges: tuple[float, ...]
    logarithmic: bool

    def band(self, value: float) -> int | None:
        """The band of a value, from 0; None for a gap."""
        return bisect_right(self.edges, value) if _is_shown(value, logarithmic=self.logarithmic) else None

    @property
    def digits(self) -> int:
        """Significant digits that tell neighboring edges apart."""
        span, largest = self.high / 2 - self.low / 2, max(abs(self.low), abs(self.high)) / 2
        return (
            3 if self.logarithmic or not span else min(3 + max(math.ceil(math.log10(largest / span)), 0), MOST_DIGITS)
        )


def levels_of(landscape: Landscape, bands: int) -> Levels | None:
    """So many bands from the smallest value to the largest; None where there is nothing to show."""
    logarithmic = landscape.logarithmic
    shown = [value for row in landscape.values for value in row if _is_shown(value, logarithmic=logarithmic)]
    if not shown:
        return None
    low, high = min(shown), max(shown)
    shares = [count / bands for count in range(1, bands)]
    if logarithmic:
        edges = [math.exp(math.log(low) * (1 - share) + math.log(high) * share) for share in shares]
    else:
        edges = [low * (1 - share) + high * share for share in shares]
    return Levels(low, high, tuple(edges) if low < high else (), logarithmic)


def _is_shown(value: float, *, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0.0 or not logarithmic)


def contour(landscape: Landscape, level: float) -> Iterator[tuple[Point, Point]]:
    """The straight pieces of the line along which the values are `level`, in the coordinates of the plane.

    Each cell between four places is cut where its sides cross the level, linearly (of a logarithmic landscape, in the
    logarithms). Where all four sides do, the two pieces go around the places that lie lower.

    Source: Lorensen, Cline, "Marching cubes", 1987, in two dimensions.
    """
    for row in range(len(landscape.y) - 1):
        for column in range(len(landscape.x) - 1):
            corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
            if all(_is_shown(_value(landscape, *at), logarithmic=landscape.logarithmic) for at in corners):
                yield from _pieces(landscape, corners, level)


def _pieces(landscape: Landscape, corners: list[tuple[int, int]], level: float) -> Iterator[tuple[Point, Point]]:
    below = [_value(landscape, *at) < level for at in corners]
    cuts = [
        _cut(landscape, corners[side], corners[(side + 1) % 4], level)
        for side in range(4)
        if below[side] != below[(side + 1) % 4]
    ]
    if len(cuts) == 2:
        yield cuts[0], cuts[1]
    elif len(cuts) == 4:  # a saddle
        first = 0 if below[1] else 1
        yield cuts[first], cuts[first + 1]
        yield cuts[(first + 2) % 4], cuts[(first + 3) % 4]


def _cut(landscape: Landscape, start: tuple[int, int], end: tuple[int, int], level: float) -> Point:
    """Where the side of a cell crosses the level."""
    low, high, wanted = _value(landscape, *start), _value(landscape, *end), level
    if landscape.logarithmic:
        low, high, wanted = math.log(low), math.log(high), math.log(wanted)
    span = high / 2 - low / 2  # halves: the whole may be more than a float holds
    share = (wanted / 2 - low / 2) / span if span else 0.5
    (x0, y0), (x1, y1) = ((landscape.x[column], landscape.y[row]) for column, row in (start, end))
    return x0 * (1 - share) + x1 * share, y0 * (1 - share) + y1 * share


def _value(landscape: Landscape, column: int, row: int) -> float:
    return landscape.values[row][column]
