"""Results as a document: a table for each case, the floor on its first line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.bench.ranking import Ranked, conditions, ranked, remarks, versions
from chainrule.bench.row import Row
from chainrule.document import (
    Block,
    Cell,
    Column,
    Document,
    Heading,
    Items,
    Note,
    Number,
    NumberStyle,
    Paragraph,
    Table,
)
from chainrule.document import Row as Line

MICROSECONDS: Final = NumberStyle("significant", 3)
SHARE: Final = NumberStyle("percent", 0)
LEAST_SHARE: Final = 0.005  # of the peak: below it a percentage says nothing
WHOLE: Final = NumberStyle("fixed", 0)
COLUMNS: Final = (
    Column("system", heading=True),
    Column("use"),
    Column("best", "µs/step", "right"),
    Column("p25", "µs/step", "right"),
    Column("of peak", None, "right"),
    Column("× native", None, "right"),
    Column("compile", "ms", "right"),
)


def page(rows: Sequence[Row]) -> Document:
    """A page for people: each case, what was left out and why, where and when."""
    blocks: list[Block] = []
    for case in ranked(rows):
        blocks += _case(case)
    said = " ".join(each for each in (conditions(rows), versions(rows)) if each)
    if said:
        blocks.append(Paragraph(said))
    return Document("Benchmark", tuple(blocks), subtitle="time for a step of training, the shortest first")


def _case(case: Ranked) -> list[Block]:
    blocks: list[Block] = [Heading(case.title, 2), Paragraph(case.sentence)]
    if case.timed:
        blocks.append(Table(COLUMNS, (*_floor(case), *(_line(case, row) for row in case.timed))))
    without = [row for row in case.rows if row.best_us is None]
    if without:
        blocks.append(Items(tuple(f"{row.system}, {row.variant}: {row.void}" for row in without)))
    noted = remarks(case.rows)
    if noted:
        blocks.append(Note(tuple(Paragraph(each) for each in noted), "warning"))
    return blocks


def _floor(case: Ranked) -> tuple[Line, ...]:
    if case.floor_us is None:
        return ()
    return (Line(("physical floor", "nothing can be faster", Number(case.floor_us, MICROSECONDS), *[None] * 4)),)


def _line(case: Ranked, row: Row) -> Line:
    mark = " (void)" if row.void else ""
    cells: tuple[Cell, ...] = (
        f"{row.system}{mark}",
        row.variant,
        _shown(row.best_us, MICROSECONDS),
        _shown(row.p25_us, MICROSECONDS),
        None if row.share_of_peak is None or row.share_of_peak < LEAST_SHARE else Number(row.share_of_peak, SHARE),
        _shown(case.times_native(row), MICROSECONDS),
        None if row.compile_ms is None else Number(round(row.compile_ms), WHOLE),
    )
    return Line(cells)


def _shown(value: float | None, style: NumberStyle) -> Cell:
    return None if value is None else Number(value, style)
