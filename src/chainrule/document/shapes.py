"""What a chart is made of: lines, marks, bars, tiles, strands, disks and words, each in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from chainrule.document.formula import Number

WIDTH: Final = 400.0  # of a chart, in its own units; a character is about 7.7 wide, a line of words 16 high
LETTER: Final = 7.7
LINE: Final = 16.0

Anchor = Literal["start", "middle", "end"]
Role = Literal["title", "label", "tick", "legend", "value"]
Point: TypeAlias = "tuple[float, float]"
Box: TypeAlias = "tuple[float, float, float, float]"


@dataclass(frozen=True, slots=True)
class Words:
    """Text, or a number, on the line `y`."""

    x: float
    y: float
    said: str | Number
    anchor: Anchor
    role: Role


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the axes or of the grid."""

    start: Point
    end: Point
    grid: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points, belonging to the series of that number."""

    points: tuple[Point, ...]
    series: int


@dataclass(frozen=True, slots=True)
class Mark:
    """One point of the series of that number."""

    at: Point
    series: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from its left upper corner, belonging to the series of that number."""

    corner: Point
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True)
class Tiles:
    """Rectangles (left, top, width, height) of one shade, 0 clear and 1 full, of the ink or of a series' color."""

    boxes: tuple[Box, ...]
    shade: float
    series: int | None = None


@dataclass(frozen=True, slots=True)
class Strands:
    """Straight lines of one width, in the color of a series, dashed or not."""

    lines: tuple[tuple[Point, Point], ...]
    width: float
    series: int
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Disk:
    """A circle around a unit, its inside as clear as the page."""

    at: Point
    radius: float


Shape: TypeAlias = "Words | Rule | Curve | Mark | Bar | Tiles | Strands | Disk"


@dataclass(frozen=True, slots=True)
class Chart:
    """Shapes on a sheet whose origin is the left upper corner."""

    height: float
    shapes: tuple[Shape, ...]
    width: float = WIDTH
