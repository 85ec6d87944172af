"""What a document is: blocks in reading order, each with an optional stable name and machine-readable data.

A block says what it is, never how it looks. `data` holds plain JSON values (the terms of a sum, a gradient, a bound)
so that a program reading the document needs no text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeAlias

from chainrule.document.formula import Formula, Number
from chainrule.document.numbers import NumberStyle
from chainrule.errors import ShapeError, UnknownNameError, ValueRangeError

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
Align = Literal["left", "center", "right", "point"]
NoteKind = Literal["info", "warning", "evidence"]
Tone = Literal["plain", "evidence", "warning"]
FigureKind = Literal["line", "scatter", "bar"]


WARNING_MARK = "× "


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that matter more than their neighbors."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something to be typed or found literally: a command, a parameter's name."""

    text: str


Span: TypeAlias = str | Strong | Code | Formula
Content: TypeAlias = Span | tuple[Span, ...]
Cell: TypeAlias = Content | None


def spans(content: Content) -> tuple[Span, ...]:
    """The pieces of a content, whether it was one piece or many."""
    return content if isinstance(content, tuple) else (content,)


def _no_data() -> Mapping[str, Plain]:
    return {}


@dataclass(frozen=True, kw_only=True)
class _Named:
    name: str = ""
    data: Mapping[str, Plain] = field(default_factory=_no_data, hash=False)


@dataclass(frozen=True)
class Heading(_Named):
    """A title inside the document; level 1 is the highest."""

    text: Content
    level: int = 1

    def __post_init__(self) -> None:
        if self.level < 1:
            raise ValueRangeError(f"a heading got level {self.level}: give 1 for the highest, 2 below it, and so on")


@dataclass(frozen=True)
class Paragraph(_Named):
    """Running text with formulas and numbers in it."""

    content: Content


@dataclass(frozen=True)
class Equation:
    """One displayed formula, with a label at its left and a remark or value at the right margin."""

    formula: Formula
    label: Content = ""
    value: Content = ""


@dataclass(frozen=True)
class Equations(_Named):
    """Displayed formulas under one another, aligned on their first relation.

    Args:
        inline: set in one line each (a/b), as inside running text, rather than with stacked fractions.
    """

    lines: tuple[Equation, ...]
    inline: bool = False


@dataclass(frozen=True)
class Labeled(_Named):
    """A label in the left column, what it names beside it; its tone has a color, and of a warning a mark too."""

    label: Content
    blocks: tuple[Block, ...]
    tone: Tone = "plain"

    @property
    def marked(self) -> Content:
        """The label as it is shown: that of a warning with a mark, which needs no color."""
        return (WARNING_MARK, *spans(self.label)) if self.tone == "warning" else self.label


@dataclass(frozen=True)
class Group(_Named):
    """Blocks that belong together, set close."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Items(_Named):
    """A list, numbered or not."""

    items: tuple[Content, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Listing(_Named):
    """Lines to be read or typed exactly as they stand."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        header: what the column holds; None leaves it blank.
        second: a second line of the header, such as a label under a sample's number.
        align: left, center, right, or point (decimal points under one another); None decides by the cells.
        style: how numbers without their own style are shown.
        heading: the cells name their rows.
    """

    header: Cell = None
    second: Cell = None
    align: Align | None = None
    style: NumberStyle | None = None
    heading: bool = False


@dataclass(frozen=True)
class Row:
    """A row of cells, with a remark after it."""

    cells: tuple[Cell, ...]
    note: Content = ""


@dataclass(frozen=True)
class Summary:
    """A line under the rows: its label spans the empty cells before the first filled one."""

    label: Content
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table(_Named):
    """Rows under columns, then what was left out ("and 13 more, together"), then the total.

    Raises:
        ShapeError: a row, the remainder or the total has not one cell per column.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    remainder: Summary | None = None
    total: Summary | None = None
    caption: Content = ""

    def __post_init__(self) -> None:
        for line in (*self.rows, *(summary for summary in (self.remainder, self.total) if summary)):
            if len(line.cells) != len(self.columns):
                raise ShapeError(
                    f"a table line has {len(line.cells)} cells under {len(self.columns)} columns: give one per column"
                )


@dataclass(frozen=True)
class Series:
    """Named points of a figure; x and y have equal length, and a point that is not finite is a gap."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ShapeError(f"series '{self.name}' has {len(self.x)} x and {len(self.y)} y: give one y per x")
        for axis in ("x", "y"):
            object.__setattr__(self, axis, tuple(Number(value).value for value in getattr(self, axis)))


@dataclass(frozen=True)
class Figure(_Named):
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


@dataclass(frozen=True)
class Heatmap(_Named):
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


@dataclass(frozen=True, slots=True)
class Stage:
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


@dataclass(frozen=True, slots=True)
class Link:
    """A connection from a unit of one stage to a unit of the next, both by their index; None is no known weight."""

    source: int
    target: int
    weight: float | None = None


@dataclass(frozen=True)
class Diagram(_Named):
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


@dataclass(frozen=True, slots=True)
class Picture:
    """A gray picture, 0 the ground and 1 the ink, row by row, with words or numbers to be read under it."""

    shades: tuple[tuple[float, ...], ...]
    lines: tuple[str | Number, ...] = ()


@dataclass(frozen=True)
class Pictures(_Named):
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


@dataclass(frozen=True)
class Landscape(_Named):
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


@dataclass(frozen=True)
class Step(_Named):
    """A numbered step with a title and what belongs to it."""

    number: int
    title: Content
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Note(_Named):
    """A remark beside the matter: information, a warning, or evidence."""

    blocks: tuple[Block, ...]
    kind: NoteKind = "info"


@dataclass(frozen=True)
class Rule(_Named):
    """A line across the page."""


@dataclass(frozen=True)
class Document(_Named):
    """A page: the question first (title, subtitle, and at the right where and when), then the blocks."""

    title: Content
    blocks: tuple[Block, ...]
    subtitle: Content = ""
    context: Content = ""


Block: TypeAlias = (
    Heading
    | Paragraph
    | Equations
    | Labeled
    | Group
    | Items
    | Listing
    | Table
    | Figure
    | Heatmap
    | Diagram
    | Pictures
    | Landscape
    | Step
    | Note
    | Rule
)


def walk(block: Document | Block) -> Iterator[Document | Block]:
    """The block and everything inside it, in reading order."""
    yield block
    if isinstance(block, Document | Labeled | Group | Step | Note):
        for child in block.blocks:
            yield from walk(child)


def find(document: Document, name: str) -> Document | Block:
    """The first block of that name.

    Raises:
        UnknownNameError: no block bears it.
    """
    for block in walk(document):
        if block.name == name:
            return block
    raise UnknownNameError("block", name, sorted({block.name for block in walk(document) if block.name}))
