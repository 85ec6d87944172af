"""What a chart is made of: lines, marks, bars, tiles, strands, disks and words, each in its place."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from chainrule.document.formula import Number

WIDTH: Final = 400.0  # of a chart, in its own units; a character is about 7.7 wide, a line of words 16 high
LETTER: Final = 7.7
LINE: Final = 16.0

Anchor = Literal["start", "middle", "end"]
Role = Literal["title", "label", "tick", "legend", "value"]
Point: TypeAlias = "tuple[float, float]"
Box: TypeAlias = "tuple[float, float, float, float]"


class Words(msgspec.Struct, frozen=True):
    """Text, or a number, on the line `y`."""

    x: float
    y: float
    said: str | Number
    anchor: Anchor
    role: Role


class Rule(msgspec.Struct, frozen=True):
    """A line of the axes or of the grid."""

    start: Point
    end: Point
    grid: bool = False


class Curve(msgspec.Struct, frozen=True):
    """A line through points, belonging to the series of that number."""

    points: tuple[Point, ...]
    series: int


class Mark(msgspec.Struct, frozen=True):
    """One point of the series of that number."""

    at: Point
    series: int


class Bar(msgspec.Struct, frozen=True):
    """A bar from its left upper corner, belonging to the series of that number."""

    corner: Point
    width: float
    height: float
    series: int


class Tiles(msgspec.Struct, frozen=True):
    """Rectangles (left, top, width, height) of one shade, 0 clear and 1 full, of the ink or of a series' color."""

    boxes: tuple[Box, ...]
    shade: float
    series: int | None = None


class Strands(msgspec.Struct, frozen=True):
    """Straight lines of one width, in the color of a series, dashed or not."""

    lines: tuple[tuple[Point, Point], ...]
    width: float
    series: int
    dashed: bool = False


class Disk(msgspec.Struct, frozen=True):
    """A circle around a unit, its inside as clear as the page."""

    at: Point
    radius: float


Shape: TypeAlias = "Words | Rule | Curve | Mark | Bar | Tiles | Strands | Disk"


class Chart(msgspec.Struct, frozen=True):
    """Shapes on a sheet whose origin is the left upper corner."""

    height: float
    shapes: tuple[Shape, ...]
    width: float = WIDTH
