"""Sets a table as LaTeX that fits the page: words wrap, and too many columns become several tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from chainrule.document.cells import alignment, contents_of
from chainrule.document.content import Cell, Content
from chainrule.document.formula import Number
from chainrule.document.latex.spans import columns_of, content
from chainrule.document.latex.typeset import number_column
from chainrule.document.numbers import PLAIN_STYLE, format_number
from chainrule.document.table import Column, Summary, Table

PAGE: Final = 80  # columns in characters that stand beside one another on a page
GAP: Final = 3
NARROWEST_WORDS: Final = 18  # a column of words is not squeezed below this
ROWS_PER_PAGE: Final = 28  # a longer table may break across pages and repeats its head


class _Set(msgspec.Struct, frozen=True):
    """One column as LaTeX: header lines, one text per line of the table, and how wide it is in characters."""

    headers: tuple[Cell, Cell]
    cells: tuple[str, ...]
    kind: str  # l, c, r
    width: int
    wordy: bool = False
    heading: bool = False

    @property
    def specification(self) -> str:
        """How the column is declared; a squeezed column of words wraps, half an em a character."""
        return rf">{{\raggedright\arraybackslash}}p{{{self.width / 2:g}em}}" if self.wordy else self.kind


def table_latex(table: Table) -> str:
    """The table, in several parts where its columns find no room beside one another."""
    caption = rf"\textbf{{{content(table.caption)}}}\par\nopagebreak" if table.caption else ""
    if not table.columns:
        return caption
    sets = [_set_column(table, place) for place in range(len(table.columns))]
    parts = [_part(table, chosen, sets) for chosen in _chunks(sets)]
    return "\n".join([caption, *parts] if caption else parts)


def _set_column(table: Table, place: int) -> _Set:
    column, contents = table.columns[place], contents_of(table, place)
    align = alignment(column, contents)
    numbers = [(cell.value, cell.style or column.style or PLAIN_STYLE) for cell in contents if isinstance(cell, Number)]
    texts = iter(number_column(numbers) if align == "point" else [_plain(*number) for number in numbers])
    cells = tuple(f"${next(texts)}$" if isinstance(cell, Number) else _cell(cell) for cell in contents)
    kind = {"left": "l", "center": "c"}.get(align, "r")
    wordy = kind == "l" and not numbers and _width(table, place) > NARROWEST_WORDS
    return _Set((column.header, column.second), cells, kind, _width(table, place), wordy, column.heading)


def _plain(value: float, style: object) -> str:
    return number_column([(value, style)])[0]  # pyright: ignore[reportArgumentType]


def _cell(cell: Cell) -> str:
    return "" if cell is None else content(cell)


def _width(table: Table, place: int) -> int:
    column = table.columns[place]
    widths = [_cell_width(cell, column) for cell in contents_of(table, place)]
    return max(*widths, *(columns_of(header) for header in (column.header, column.second) if header is not None), 1, 1)


def _cell_width(cell: Cell, column: Column) -> int:
    if isinstance(cell, Number):
        return len(format_number(cell.value, cell.style or column.style or PLAIN_STYLE))
    return 0 if cell is None else columns_of(cell)


def _chunks(sets: Sequence[_Set]) -> Iterator[list[int]]:
    """Columns that stand beside one another; the columns that name the rows stand in each part."""
    names = [place for place, column in enumerate(sets) if column.heading]
    room = PAGE - sum(_least(sets[place]) + GAP for place in names)
    chosen: list[int] = []
    used = 0
    for place in (place for place in range(len(sets)) if place not in names):
        needed = _least(sets[place]) + GAP
        if chosen and used + needed > room:
            yield sorted([*names, *chosen])
            chosen, used = [], 0
        chosen.append(place)
        used += needed
    if chosen or names:
        yield sorted([*names, *chosen])


def _least(column: _Set) -> int:
    return min(column.width, NARROWEST_WORDS) if column.wordy else column.width


def _part(table: Table, chosen: Sequence[int], sets: Sequence[_Set]) -> str:
    last = max(chosen) == len(table.columns) - 1
    columns, remarks = [sets[place] for place in chosen], dict[int, str]()
    if last and any(row.note for row in table.rows):
        notes = _notes(table)
        if _total([*columns, notes]) <= PAGE:
            columns.append(notes)
        else:
            remarks = {place: cell for place, cell in enumerate(notes.cells) if cell}
    columns = _squeezed(columns)
    head = [_line(_header(column, level) for column in columns) for level in (0, 1) if _has_header(columns, level)]
    body = [line for place in range(len(table.rows)) for line in _row(columns, place, remarks.get(place))]
    lengths = [columns_of(table.rows[place].note) // _broad(columns) + 1 for place in remarks]
    environment = "longtable" if len(table.rows) + sum(lengths) > ROWS_PER_PAGE else "tabular"
    opening = rf"\begin{{{environment}}}{{{''.join(column.specification for column in columns)}}}"
    top = [r"\toprule", *head, *([r"\midrule"] if head else []), *([r"\endhead"] if environment == "longtable" else [])]
    lines = [opening, *top, *body, *_summaries(table, chosen, columns), r"\bottomrule", rf"\end{{{environment}}}"]
    joined = "\n".join(lines)
    return joined if environment == "longtable" else rf"\begin{{flushleft}}{joined}\end{{flushleft}}"


def _row(columns: Sequence[_Set], place: int, remark: str | None) -> Iterator[str]:
    """A row, and under it a remark that finds no room beside it."""
    line = _line([column.cells[place] for column in columns])
    if remark is None:
        yield line
        return
    yield line + "*"  # no page ends between them
    paragraph = rf">{{\raggedright\arraybackslash}}p{{{_broad(columns) / 2:g}em}}"
    yield rf"\multicolumn{{{len(columns)}}}{{{paragraph}}}{{{remark}}} \\[3pt]"


def _broad(columns: Sequence[_Set]) -> int:
    """How wide a remark under these columns is set, in characters: as they are, and at least half a page."""
    return min(max(_total(columns), PAGE // 2), PAGE)


def _total(columns: Sequence[_Set]) -> int:
    """How wide columns are beside one another, in characters."""
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _notes(table: Table) -> _Set:
    """The remarks on the rows, as a column of their own."""
    width = max(columns_of(row.note) for row in table.rows)
    cells = [content(row.note) for row in table.rows]
    summaries = [""] * (len(contents_of(table, 0)) - len(cells))
    return _Set((None, None), (*cells, *summaries), "l", width, wordy=width > NARROWEST_WORDS)


def _squeezed(columns: Sequence[_Set]) -> list[_Set]:
    """The columns, those of words narrowed until all fit; one that keeps its width need not wrap."""
    widths = [column.width for column in columns]
    excess = _total(columns) - PAGE
    while excess > 0:
        wordy = [place for place, column in enumerate(columns) if column.wordy and widths[place] > NARROWEST_WORDS]
        if not wordy:
            break
        widths[max(wordy, key=widths.__getitem__)] -= 1
        excess -= 1
    return [
        replace(column, width=width, wordy=width < column.width) for column, width in zip(columns, widths, strict=True)
    ]


def _has_header(columns: Sequence[_Set], level: int) -> bool:
    return any(column.headers[level] is not None for column in columns)


def _header(column: _Set, level: int) -> str:
    header = column.headers[level]
    if header is None:
        return ""
    shown = content(header)
    return shown if column.wordy else rf"\multicolumn{{1}}{{{column.kind}}}{{{shown}}}"


def _summaries(table: Table, chosen: Sequence[int], columns: Sequence[_Set]) -> Iterator[str]:
    place = len(table.rows)
    for summary, rule in ((table.remainder, False), (table.total, True)):
        if summary:
            if rule:
                yield r"\midrule"
            yield from _summary(summary, chosen, [column.cells[place] for column in columns])
            place += 1


def _summary(summary: Summary, chosen: Sequence[int], cells: Sequence[str]) -> Iterator[str]:
    """The label spans the empty cells before the first filled one; where there is none it has a line of its own."""
    filled = [spot for spot, place in enumerate(chosen) if summary.cells[place] is not None]
    first = filled[0] if filled else 0
    if first:
        yield _line([_spanning(first, "r", summary.label), *cells[first:]])
        return
    yield _line([_spanning(len(cells), "l", summary.label)])
    if filled:
        yield _line(cells)


def _spanning(columns: int, kind: str, label: Content) -> str:
    return rf"\multicolumn{{{columns}}}{{{kind}}}{{{content(label)}}}"


def _line(cells: Iterator[str] | Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
