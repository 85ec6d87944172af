"""How the cells of a table's column stand: alike in every renderer."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.document.content import Cell
from chainrule.document.formula import Number
from chainrule.document.table import Align, Column, Row, Summary, Table


def lines_of(table: Table) -> tuple[Row | Summary, ...]:
    """Rows, then what was left out, then the total."""
    return (*table.rows, *(summary for summary in (table.remainder, table.total) if summary))


def contents_of(table: Table, place: int) -> list[Cell]:
    """The cells of one column from top to bottom, those of the summaries last."""
    return [line.cells[place] for line in lines_of(table)]


def alignment(column: Column, contents: Sequence[Cell]) -> Align:
    """The alignment asked for; else names stand left, and numbers under one another's points."""
    if column.align or column.heading:
        return column.align or "left"
    filled = [cell for cell in contents if cell is not None]
    return "point" if filled and all(isinstance(cell, Number) for cell in filled) else "left"
