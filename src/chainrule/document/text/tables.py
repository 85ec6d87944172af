"""Sets a table in a width: fewer digits, wrapped words, elided middle columns, at last one line per cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from chainrule.document.cells import alignment, contents_of
from chainrule.document.content import Cell, Content, spans
from chainrule.document.formula import Number
from chainrule.document.numbers import PLAIN_STYLE, align_points
from chainrule.document.table import Align, Column, Row, Summary, Table
from chainrule.document.text import boxes
from chainrule.document.text.breaking import loosened, wrap
from chainrule.document.text.characters import HELD
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.spans import Pen
from chainrule.errors.counts import verb_of

GAPS: Final = (3, 2)  # columns between columns: airy where there is room
NARROWEST_WORDS: Final = 10  # a column of words is not squeezed below this, nor below its longest word
NARROWEST_NAMES: Final = 24  # a column that names its rows is not squeezed below this, and no word must be longer
MANY_COLUMNS: Final = 7  # beyond this the middle is elided; up to it rows are stacked, which loses nothing
FEWER_DIGITS: Final = (5, 4, 3, 2)


class _Set(msgspec.Struct, frozen=True):
    """One column as texts: header lines, then one text per row, remainder and total.

    `least` is how narrow a column of words may become, None for a column that cannot be wrapped.
    """

    headers: tuple[str, ...]
    cells: tuple[str, ...]
    align: Align
    heading: bool
    least: int | None

    @property
    def width(self) -> int:
        return max(columns_of(text) for text in (*self.headers, *self.cells, ""))


class _Plan(msgspec.Struct, frozen=True):
    """One way to set the table: columns between columns, digits at most, notes beside or below, columns at most."""

    gap: int = GAPS[-1]
    digits: int | None = None
    notes_below: bool = False
    columns: int | None = None


def table_lines(table: Table, width: int, pen: Pen, stub: int = 0) -> list[str]:
    """The table as lines no wider than the width.

    `stub` is the least width of a first column that names its rows, so that tables stand under labels.
    """
    caption = pen.wrapped(table.caption, width, style="strong") if table.caption else []
    for plan in _plans(table) if table.columns else ():
        lines = _planned(table, plan, width, pen, stub)
        if lines is not None:
            return caption + lines
    return caption + _stacked(table, width, pen)


def _plans(table: Table) -> Iterator[_Plan]:
    noted = any(row.note for row in table.rows)
    yield from (_Plan(gap, notes_below=below) for below in ((False, True) if noted else (False,)) for gap in GAPS)
    yield from (_Plan(digits=digits, notes_below=noted) for digits in FEWER_DIGITS)
    if len(table.columns) > MANY_COLUMNS:
        fewer = range(len(table.columns) - 1, 3, -1)
        yield from (_Plan(digits=4, notes_below=noted, columns=columns) for columns in fewer)


def _planned(table: Table, plan: _Plan, width: int, pen: Pen, stub: int) -> list[str] | None:
    """The table under the plan, or None where it is too wide."""
    places, gap_at = _shown(table.columns, plan.columns)
    sets = [_set_column(table, place, plan.digits, pen) for place in places]
    if gap_at is not None:
        sets.insert(gap_at, _ellipsis(table, pen))
    widths = [column.width for column in sets]
    if sets and sets[0].heading:
        widths[0] = max(widths[0], stub - plan.gap)
    beside = 0 if plan.notes_below else max((columns_of(pen.line(row.note)) for row in table.rows), default=0)
    if not _squeeze(sets, widths, width - (beside + plan.gap) * (beside > 0), plan.gap):
        return None
    kept = places if gap_at is None else (*places[:gap_at], None, *places[gap_at:])
    lines = _Grid(table, pen, sets, widths, kept, width, plan).lines()
    if gap_at is not None:
        gone = len(table.columns) - len(places)
        hidden = f"… {gone} of {len(table.columns)} columns {verb_of(gone, 'is', 'are')} not shown at this width"
        lines += pen.wrapped(hidden, width, style="quiet")
    return [line.replace(HELD, " ") for line in lines]


def _shown(columns: Sequence[Column], most: int | None) -> tuple[tuple[int, ...], int | None]:
    """Which columns are shown, and where among them the ellipsis stands."""
    everything = tuple(range(len(columns)))
    if most is None or most >= len(columns):
        return everything, None
    first = max(most - 2, 1)  # one for the ellipsis, one for the last column
    return (*everything[:first], everything[-1]), first


def _squeeze(sets: Sequence[_Set], widths: list[int], room: int, gap: int) -> bool:
    """Narrows the widest columns of words, in place, until all fits; whether it does."""
    excess = sum(widths) + gap * (len(widths) - 1) - room
    while excess > 0:
        wordy = [place for place, column in enumerate(sets) if column.least and widths[place] > column.least]
        if not wordy:
            return False
        widths[max(wordy, key=lambda place: widths[place])] -= 1
        excess -= 1
    return True


def _set_column(table: Table, place: int, digits: int | None, pen: Pen) -> _Set:
    column = table.columns[place]
    contents = contents_of(table, place)
    numeric = [isinstance(cell, Number) for cell in contents]
    texts = [_cell_text(cell, column, digits, pen) for cell in contents]
    align = alignment(column, contents)
    if align == "point":
        points = iter(align_points([text for text, is_number in zip(texts, numeric, strict=True) if is_number]))
        texts = [next(points) if is_number else text for text, is_number in zip(texts, numeric, strict=True)]
    headers = tuple("" if header is None else pen.line(header) for header in (column.header, column.second))
    least = (
        _least(texts, (*headers, *texts[len(table.rows) :]), column) if align == "left" and not any(numeric) else None
    )
    return _Set(headers, tuple(texts), align, column.heading, least)


def _least(texts: Sequence[str], whole: Sequence[str], column: Column) -> int:
    """How narrow a column of words may become; what is not wrapped (headers, sums) stays `whole`."""
    longest = max((columns_of(word) for text in texts for word in text.split(" ")), default=0)
    words = NARROWEST_NAMES if column.heading else min(max(longest, NARROWEST_WORDS), NARROWEST_NAMES)
    return max(words, *map(columns_of, whole))


def _cell_text(cell: Cell, column: Column, digits: int | None, pen: Pen) -> str:
    if isinstance(cell, Number):
        return pen.display.number(cell.value, cell.style or column.style or PLAIN_STYLE, digits)
    return "" if cell is None else pen.held(cell)


def _ellipsis(table: Table, pen: Pen) -> _Set:
    sign = pen.plain("…")
    lines = len(table.rows) + (table.remainder is not None) + (table.total is not None)
    return _Set((sign, ""), (sign,) * len(table.rows) + ("",) * (lines - len(table.rows)), "center", False, None)


class _Grid(msgspec.Struct, frozen=True):
    """The table's lines, once columns and widths are decided."""

    table: Table
    pen: Pen
    sets: Sequence[_Set]
    widths: Sequence[int]
    places: Sequence[int | None]
    width: int
    plan: _Plan

    def lines(self) -> list[str]:
        """Header, rows, remainder, a short rule under what is summed, total."""
        lines = [self._header(level) for level in (0, 1) if any(column.headers[level] for column in self.sets)]
        for place, row in enumerate(self.table.rows):
            lines += self._row(place, row)
        place = len(self.table.rows)
        if self.table.remainder:
            lines += self._summary(self.table.remainder, place)
            place += 1
        if self.table.total:
            lines += [self._rule(self.table.total), *self._summary(self.table.total, place)]
        return lines

    def _header(self, level: int) -> str:
        cells = [
            self._aligned(column.headers[level], column, columns)
            for column, columns in zip(self.sets, self.widths, strict=True)
        ]
        return self.pen.styled((" " * self.plan.gap).join(cells).rstrip(), "label")

    def _row(self, place: int, row: Row) -> list[str]:
        cells = [
            _wrapped(column.cells[place], columns) if column.least else [column.cells[place]]
            for column, columns in zip(self.sets, self.widths, strict=True)
        ]
        levels = range(max(map(len, cells), default=0))
        lines = [self._line([cell[level] if level < len(cell) else "" for cell in cells]) for level in levels]
        if not row.note:
            return lines
        gap = self.plan.gap
        if self.plan.notes_below:
            indent = min(self.widths[0] + gap, self.width // 3) if self.sets and self.sets[0].heading else gap
            return lines + [" " * indent + note for note in self.pen.wrapped(row.note, self.width - indent)]
        full = sum(self.widths) + gap * len(self.widths)
        return [boxes.pad(lines[0], full) + self.pen.line(row.note), *lines[1:]]

    def _summary(self, summary: Summary, place: int) -> list[str]:
        """The label, right before the first filled cell, then the cells."""
        filled = [spot for spot, kept in enumerate(self.places) if kept is not None and summary.cells[kept] is not None]
        first = filled[0] if filled else len(self.sets)
        label = self.pen.line(summary.label)
        cells = [column.cells[place] for column in self.sets]
        room = sum(self.widths[:first]) + self.plan.gap * (first - 1)
        if first == len(self.sets) or columns_of(label) > room:
            return [*self.pen.wrapped(summary.label, self.width), *([self._line(cells)] if filled else [])]
        rest = self._line(["" for _ in cells[:first]] + cells[first:])
        return [boxes.pad_left(label, room) + rest[room:]]

    def _rule(self, total: Summary) -> str:
        """A short line above every number that sums the numbers over it."""
        sign = self.pen.plain("─")
        summed = [kept is not None and isinstance(total.cells[kept], Number) for kept in self.places]
        cells = [
            boxes.pad_left(sign * column.width, columns) if drawn and column.align != "left" else ""
            for drawn, column, columns in zip(summed, self.sets, self.widths, strict=True)
        ]
        return self._line(cells)

    def _line(self, cells: Sequence[str]) -> str:
        parts = [
            self._aligned(cell, column, columns)
            for cell, column, columns in zip(cells, self.sets, self.widths, strict=True)
        ]
        return (" " * self.plan.gap).join(parts).rstrip()

    def _aligned(self, text: str, column: _Set, columns: int) -> str:
        if column.align == "left":
            return boxes.pad(text, columns)
        return boxes.center(text, columns) if column.align == "center" else boxes.pad_left(text, columns)


def _wrapped(text: str, columns: int) -> list[str]:
    """A cell of words; a formula in it is broken only where it alone is too wide."""
    return wrap(loosened(text, columns), columns)


def _stacked(table: Table, width: int, pen: Pen) -> list[str]:
    """Every row as its name, then one line per cell: for pages too narrow for columns."""
    lines: list[str] = []
    for row in table.rows:
        lines += _stacked_row(table.columns, row.cells, width, pen)
        lines += ["  " + note for note in pen.wrapped(row.note, width - 2)] if row.note else []
    for summary in (table.remainder, table.total):
        if summary:
            lines += pen.wrapped(summary.label, width)
            lines += _stacked_row(table.columns, summary.cells, width, pen)
    return lines


def _stacked_row(columns: Sequence[Column], cells: Sequence[Cell], width: int, pen: Pen) -> list[str]:
    names = [column for column in columns if column.heading]
    pairs = [(column, _styled(cell, column)) for column, cell in zip(columns, cells, strict=True) if cell is not None]
    if all(column.header is None and column.second is None for column in columns):
        flow = [span for _, cell in pairs for span in (*spans(cell), HELD + " ")]
        return pen.wrapped(tuple(flow), width, hang=2)
    heads = [_head(column, cell, pen) for column, cell in pairs if column in names]
    lines = [line for head in heads for line in pen.wrapped(head, width, style="strong")]
    labels = [_label(column, pen) for column, _ in pairs if column not in names]
    widest = max(map(columns_of, labels), default=0)
    for label, (_, cell) in zip(labels, (pair for pair in pairs if pair[0] not in names), strict=True):
        value = pen.line(cell)
        if widest + columns_of(value) + 4 <= width:
            lines.append("  " + boxes.pad(label, widest) + "  " + value)
        else:
            lines += ["  " + line for line in wrap(f"{label} {value}".strip(), width - 2, hang=2)]
    return lines


def _head(column: Column, cell: Content, pen: Pen) -> Content:
    """What names a row; a bare number says of what: sample 17, i = 3."""
    if column.header is None or not pen.line(cell).strip().replace(",", "").isdigit():
        return cell
    between = " " if isinstance(column.header, str) else " = "
    return (*spans(column.header), between, *spans(cell))


def _styled(cell: Content, column: Column) -> Content:
    return replace(cell, style=cell.style or column.style) if isinstance(cell, Number) else cell


def _label(column: Column, pen: Pen) -> str:
    return " ".join(pen.line(part) for part in (column.header, column.second) if part is not None)
