"""What a table is: rows under columns, what was left out, the total."""

from __future__ import annotations

from typing import Literal

import msgspec

from chainrule.document.content import Cell, Content, Named
from chainrule.document.numbers import NumberStyle
from chainrule.errors import ShapeError

Align = Literal["left", "center", "right", "point"]


class Column(msgspec.Struct, frozen=True):
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


class Row(msgspec.Struct, frozen=True):
    """A row of cells, with a remark after it."""

    cells: tuple[Cell, ...]
    note: Content = ""


class Summary(msgspec.Struct, frozen=True):
    """A line under the rows: its label spans the empty cells before the first filled one."""

    label: Content
    cells: tuple[Cell, ...]


class Table(Named, frozen=True):
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
