"""What is drawn, as data: charts, maps of counts, networks, small pictures, landscapes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec

from chainrule.document.content import Content, Named
from chainrule.document.formula import Number
from chainrule.errors import ShapeError, ValueRangeError

FigureKind = Literal["line", "scatter", "bar"]


class Series(msgspec.Struct, frozen=True):
    """Named points of a figure; x and y have equal length, and a point that is not finite is a gap."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ShapeError(f"series '{self.name}' has {len(self.x)} x and {len(self.y)} y: give one y per x")
        for axis in ("x", "y"):
            msgspec.structs.force_setattr(self, axis, tuple(Number(value).value for value in getattr(self, axis)))


class Figure(Named, frozen=True):
    """A chart as data, with the sentence that says what it shows to those who do not see it.

    Args:
        kind: line, scatter, or bar (then `categories` names the places of every series' y).
        alternative: the sentence; also shown under the chart.
        logarithmic: the y axis is logarithmic; values that are not positive are gaps.
        logarithmic_x: the same of the x axis, of lines and points.
    """

    kind: FigureKind
    series: tuple[Series, ...]
    alternative: str
    title: Content = ""
    x_label: str = ""
    y_label: str = ""
    categories: tuple[str, ...] = ()
    logarithmic: bool = False
    logarithmic_x: bool = False

    def __post_init__(self) -> None:
        for series in self.series if self.kind == "bar" else ():
            if len(series.y) != len(self.categories):
                raise ShapeError(
                    f"bars '{series.name}' have {len(series.y)} values for {len(self.categories)} categories: "
                    "give one value per category"
                )


class Heatmap(Named, frozen=True):
    """Counts in rows and columns under the same names: how often what is [i] was called [j], the diagonal right.

    Args:
        names: of rows and columns.
        counts: not negative, a row each.
        alternative: the sentence for those who do not see it; also shown under the map.
        row_label, column_label: what rows and columns are.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    alternative: str
    title: Content = ""
    row_label: str = ""
    column_label: str = ""

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.counts) != count or any(len(row) != count for row in self.counts):
            raise ShapeError(f"a map of {count} names has other counts: give {count} rows of {count} counts")


class Stage(msgspec.Struct, frozen=True):
    """What stands in one column of a diagram: some of the units of a layer, or a box where `shown` is empty.

    Args:
        title: the layer's name.
        remark: what is said under it: its units, its activation.
        units: how many there are.
        shown: which of them are drawn, rising.
        labels: beside those, or none.
    """

    title: str
    remark: str
    units: int
    shown: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()


class Link(msgspec.Struct, frozen=True):
    """A connection from a unit of one stage to a unit of the next, both by their index; None is no known weight."""

    source: int
    target: int
    weight: float | None = None


class Diagram(Named, frozen=True):
    """A network as stages from left to right, with the connections between each and the next.

    Args:
        stages: at least one.
        links: a group for each pair of neighbors; weights that are not finite are left out.
        alternative: the sentence for those who do not see it; also shown under the drawing.
    """

    stages: tuple[Stage, ...]
    links: tuple[tuple[Link, ...], ...]
    alternative: str
    title: Content = ""

    def __post_init__(self) -> None:
        if len(self.links) != len(self.stages) - 1:
            raise ShapeError(f"{len(self.stages)} stages have {len(self.links)} groups of links: give one a gap")


class Picture(msgspec.Struct, frozen=True):
    """A gray picture, 0 the ground and 1 the ink, row by row, with words or numbers to be read under it."""

    shades: tuple[tuple[float, ...], ...]
    lines: tuple[str | Number, ...] = ()


class Pictures(Named, frozen=True):
    """Small pictures beside one another.

    Args:
        pictures: of any sizes.
        headers: what each line under a picture is; said before a number.
        alternative: the sentence for those who do not see them; also shown under them.
    """

    pictures: tuple[Picture, ...]
    headers: tuple[str, ...]
    alternative: str
    title: Content = ""

    def __post_init__(self) -> None:
        for picture in self.pictures:
            if len(picture.lines) != len(self.headers):
                raise ShapeError(f"a picture has {len(picture.lines)} lines for {len(self.headers)} headers: give each")


class Landscape(Named, frozen=True):
    """Values over a plane, higher ones darker, with the paths that were walked on it.

    Args:
        x, y: coordinates of the columns and of the rows, finite and rising.
        values: a row for each y; those that are not finite are gaps.
        paths: places in the plane, one after the other.
        alternative: the sentence for those who do not see it; also shown under it.
        value_label: what the values are.
        logarithmic: levels lie at equal ratios; values that are not positive are gaps.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    alternative: str
    paths: tuple[Series, ...] = ()
    title: Content = ""
    x_label: str = ""
    y_label: str = ""
    value_label: str = ""
    logarithmic: bool = False

    def __post_init__(self) -> None:
        if len(self.values) != len(self.y) or any(len(row) != len(self.x) for row in self.values):
            raise ShapeError(
                f"a plane of {len(self.x)} by {len(self.y)} places has other values: give a row for each y"
            )
        for places in (self.x, self.y):
            if not all(map(math.isfinite, places)) or any(a >= b for a, b in pairwise(places)):
                raise ValueRangeError(
                    "the coordinates of a landscape do not rise: give finite ones in order, each once"
                )


Drawn: TypeAlias = Figure | Heatmap | Diagram | Pictures | Landscape
