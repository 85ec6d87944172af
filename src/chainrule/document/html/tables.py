"""Sets a table as HTML: on a narrow page its rows become lists, or it scrolls by itself, never the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from chainrule.document.cells import alignment, contents_of
from chainrule.document.content import Cell, Content
from chainrule.document.formula import Number
from chainrule.document.html.elements import element, text
from chainrule.document.html.spans import columns_of, content, number, plain
from chainrule.document.numbers import PLAIN_STYLE, decimals_lacking, format_number
from chainrule.document.table import Column, Row, Summary, Table
from chainrule.document.text.tables import MANY_COLUMNS

NARROW: Final = 36  # columns of characters that a telephone shows beside one another
WIDE: Final = 80  # columns that the narrowest page shows on which rows do not become lists
SHORT: Final = 8  # characters of a word that is never broken
_WRAPPED: Final = 16  # about how narrow a column of words becomes by wrapping
_FIGURE_SPACE, _POINT_SPACE = "&#x2007;", "&#x2008;"  # as wide as a digit, as wide as a point


class _Set(msgspec.Struct, frozen=True):
    """One column: how it is aligned, and its cells' markup from top to bottom."""

    column: Column
    align: str
    cells: tuple[str, ...]


def table_html(table: Table, room: int = WIDE) -> str:
    """The table with its caption, its headers tied to columns and rows.

    Args:
        table: what to show.
        room: columns of characters that it has on a wide page; one that needs more scrolls by itself.
    """
    caption = element("caption", element("div", content(table.caption))) if table.caption else ""
    if not table.columns:
        return element("p", content(table.caption), class_="caption") if table.caption else ""
    layout = _layout(table, room)
    sets = [_set_column(table, place) for place in range(len(table.columns))]
    noted = layout != "scrolls" and any(row.note for row in table.rows)
    body = element("tbody", *_rows(table, sets, noted=noted, named=layout == "stacks"), role="rowgroup")
    foot = "".join(_foot(table, sets, noted=noted))
    markup = element(
        "table", caption, _head(sets, noted=noted), body,
        element("tfoot", foot, role="rowgroup") if foot else "", class_=layout, role="table",
    )  # fmt: skip
    if layout != "scrolls":
        return markup
    label = plain(table.caption) if table.caption else "Table"
    return element("div", markup, class_="scroll", tabindex="0", role="region", aria_label=label)


def _layout(table: Table, room: int) -> str:
    """What becomes of the table on a narrow page: it stays, its rows become lists or lines, or it scrolls."""
    width = sum(_least(table, place) + 3 for place in range(len(table.columns)))
    width += min(max((columns_of(row.note) for row in table.rows), default=0), _WRAPPED)
    if width <= NARROW:
        return "stays"
    if len(table.columns) > MANY_COLUMNS or width > room:
        return "scrolls"
    return "stacks" if any(column.header is not None for column in table.columns) else "flows"


def _least(table: Table, place: int) -> int:
    column = table.columns[place]
    cells = [_cell_columns(cell, column) for cell in contents_of(table, place)]
    headers = [columns_of(header) for header in (column.header, column.second) if header is not None]
    return max([*cells, *headers], default=0)


def _cell_columns(cell: Cell, column: Column) -> int:
    if isinstance(cell, Number):
        return len(format_number(cell.value, cell.style or column.style or PLAIN_STYLE))
    if cell is None:
        return 0
    return min(columns_of(cell), _WRAPPED) if isinstance(cell, str | tuple) else columns_of(cell)


def _set_column(table: Table, place: int) -> _Set:
    column, contents = table.columns[place], contents_of(table, place)
    align = alignment(column, contents)
    styles = [(cell.value, cell.style or column.style or PLAIN_STYLE) for cell in contents if isinstance(cell, Number)]
    lacking = decimals_lacking([format_number(*style) for style in styles]) if align == "point" else None
    padding = iter(lacking or [""] * len(styles))
    cells = tuple(
        number(cell.value, cell.style or column.style or PLAIN_STYLE) + _padding(next(padding))
        if isinstance(cell, Number)
        else ("" if cell is None else content(cell))
        for cell in contents
    )
    return _Set(column, {"left": "", "center": "center"}.get(align, "right"), cells)


def _padding(lacking: str) -> str:
    """Invisible digits, so that the points of a column stand under one another."""
    spaces = "".join(_POINT_SPACE if sign == "." else _FIGURE_SPACE for sign in lacking)
    return f'<span class="padding" aria-hidden="true">{spaces}</span>' if spaces else ""


def _head(sets: Sequence[_Set], *, noted: bool) -> str:
    levels = [[part.column.header for part in sets], [part.column.second for part in sets]]
    rows = [
        _row([_header(header, part.align) for header, part in zip(level, sets, strict=True)] + [_cell("", "")] * noted)
        for level in levels
        if any(header is not None for header in level)
    ]
    return element("thead", *rows, role="rowgroup") if rows else ""


def _header(header: Cell, align: str) -> str:
    if header is None:
        return _cell("", align)
    return element("th", content(header), scope="col", class_=align, role="columnheader")


def _rows(table: Table, sets: Sequence[_Set], *, noted: bool, named: bool) -> Iterator[str]:
    for place, row in enumerate(table.rows):
        yield _row([*_cells(sets, row, place, named=named), *_note(row, noted=noted)])
        if row.note and not noted:
            remark = element("div", content(row.note))
            yield _row([element("td", remark, class_="note", colspan=str(len(sets)), role="cell")])


def _note(row: Row, *, noted: bool) -> list[str]:
    """The remark in a column of its own, where remarks have one; else it has a line of its own."""
    if not noted:
        return []
    return [_cell(content(row.note), "note") if row.note else _cell("", "")]


def _cells(sets: Sequence[_Set], row: Row | Summary, place: int, *, named: bool) -> Iterator[str]:
    """One row; where rows become lists, each cell holds its column's name."""
    for part, cell in zip(sets, row.cells, strict=True):
        if part.column.heading and cell is not None:
            name = f"{_column_name(part.column)} " if named and _is_number(cell) else ""
            yield element("th", name + part.cells[place], scope="row", class_=part.align, role="rowheader")
        else:
            name = _column_name(part.column) if named and cell is not None else ""
            short = "short" if isinstance(cell, str) and len(cell) <= SHORT else ""
            yield _cell(name + part.cells[place], " ".join(filter(None, (part.align, short))))


def _is_number(cell: Cell) -> bool:
    """Whether a heading is a number, which says nothing without the name of its column."""
    return isinstance(cell, Number) or (isinstance(cell, str) and cell[:1].isdigit())


def _column_name(column: Column) -> str:
    names = [content(header) for header in (column.header, column.second) if header is not None]
    return f'<span class="of" aria-hidden="true">{" ".join(names)}</span>' if names else ""


def _foot(table: Table, sets: Sequence[_Set], *, noted: bool) -> Iterator[str]:
    place = len(table.rows)
    for summary, kind in ((table.remainder, "remainder"), (table.total, "total")):
        if summary:
            yield from _summary(summary, sets, place, kind, noted=noted)
            place += 1


def _summary(summary: Summary, sets: Sequence[_Set], place: int, kind: str, *, noted: bool) -> Iterator[str]:
    """The label spans the empty cells before the first filled one; where there is none it has a line of its own."""
    filled = [spot for spot, cell in enumerate(summary.cells) if cell is not None]
    first = filled[0] if filled else 0
    blank = [_cell("", "")] * noted
    cells = [_cell(part.cells[place], part.align) for part in sets]
    if first:
        yield _row([_label(summary.label, first, "right"), *cells[first:], *blank], kind)
        return
    yield _row([_label(summary.label, len(sets) + noted, "")], kind)
    if filled:
        yield _row([*cells, *blank], "" if kind == "remainder" else "summed")


def _label(label: Content, columns: int, align: str) -> str:
    span = str(columns) if columns > 1 else ""
    return element("th", content(label), scope="row", colspan=span, class_=align, role="rowheader")


def _cell(markup: str, class_: str) -> str:
    return element("td", markup, class_=class_, role="cell")


def _row(cells: Sequence[str], class_: str = "") -> str:
    return element("tr", *cells, class_=text(class_), role="row")
