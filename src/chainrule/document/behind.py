"""The numbers behind whatever is drawn, as tables: for those who do not see it, and for files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from msgspec.structs import replace

from chainrule.document.content import Cell
from chainrule.document.drawn import Diagram, Drawn, Figure, Heatmap, Landscape, Pictures, Series
from chainrule.document.formula import Number
from chainrule.document.numbers import COUNT, NumberStyle, format_number
from chainrule.document.table import Column, Row, Table
from chainrule.document.text.spans import Pen

EXACT: Final = NumberStyle("exact", 17)
_PEN: Final = Pen()


def tables_of(drawn: Drawn) -> tuple[Table, ...]:
    """Everything that is drawn as numbers: one table where all series share their places, else one a series."""
    match drawn:
        case Figure():
            return tuple(_points(drawn))
        case Heatmap():
            return _counts(drawn)
        case Diagram():
            return _links(drawn)
        case Pictures():
            return _lines(drawn)
        case Landscape():
            return tuple(_heights(drawn))


def stages_of(diagram: Diagram) -> Table:
    """The stages of a network, a row each."""
    rows = tuple(Row((each.title, each.remark.replace("\n", ", "), Number(each.units))) for each in diagram.stages)
    return Table((Column("layer", heading=True), Column("what"), Column("units")), rows)


def render_csv(drawn: Drawn) -> str:
    """The numbers behind it as CSV, floats exact; several tables stand beside one another."""
    columns = [column for table in tables_of(drawn) for column in _columns(table)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows(zip_longest(*columns, fillvalue=""))
    return stream.getvalue()


def thinned(table: Table, most: int) -> Table:
    """At most so many of its rows, evenly, the last one among them; its caption says so."""
    every = -(-len(table.rows) // most)
    if every <= 1:
        return table
    kept = [*range(0, len(table.rows), every)]
    kept += [len(table.rows) - 1] if kept[-1] != len(table.rows) - 1 else []
    said = f"every {every}{'nd' if every == 2 else 'rd' if every == 3 else 'th'} of {len(table.rows):,} rows"
    return replace(table, rows=tuple(table.rows[place] for place in kept), caption=said)


def _columns(table: Table) -> Iterator[list[str]]:
    for place, column in enumerate(table.columns):
        header = "" if column.header is None else _PEN.line(column.header)
        yield [header, *(_text(row.cells[place]) for row in table.rows)]


def _text(cell: Cell) -> str:
    if isinstance(cell, Number):
        return format_number(cell.value, EXACT)
    return "" if cell is None else _PEN.line(cell)


def _points(figure: Figure) -> Iterator[Table]:
    if figure.kind == "bar":
        yield from _table("", figure.categories, figure.series) if figure.series else ()
    elif len({series.x for series in figure.series}) == 1:
        yield from _table(figure.x_label or "x", figure.series[0].x, figure.series)
    else:
        for series in figure.series:
            yield from _table(figure.x_label or "x", series.x, (series,))


def _table(first: str, places: Sequence[str | float], series: Sequence[Series]) -> Iterator[Table]:
    if not places:
        return
    columns = (Column(first, heading=True), *(Column(one.name, style=EXACT) for one in series))
    names = [place if isinstance(place, str) else Number(place, EXACT) for place in places]
    rows = [Row((name, *(Number(one.y[spot]) for one in series))) for spot, name in enumerate(names)]
    yield Table(columns, tuple(rows))


def _counts(heatmap: Heatmap) -> tuple[Table, ...]:
    if not heatmap.names:
        return ()
    columns = (Column(heatmap.row_label, heading=True), *(Column(name, style=COUNT) for name in heatmap.names))
    lines = zip(heatmap.names, heatmap.counts, strict=True)
    return (Table(columns, tuple(Row((name, *map(Number, counts))) for name, counts in lines)),)


def _links(diagram: Diagram) -> tuple[Table, ...]:
    """The connections that are drawn; of a network without any, its stages."""
    rows = [
        Row((before.title, Number(link.source), after.title, Number(link.target), _weight(link.weight)))
        for links, before, after in zip(diagram.links, diagram.stages, diagram.stages[1:], strict=False)
        for link in links
    ]
    if rows:
        headers = ("from", "unit", "to", "unit", "weight")
        return (Table(tuple(Column(header) for header in headers), tuple(rows)),)
    return (stages_of(diagram),)


def _weight(weight: float | None) -> Cell:
    return None if weight is None else Number(weight, EXACT)


def _lines(pictures: Pictures) -> tuple[Table, ...]:
    """What is said under each picture."""
    if not pictures.headers or not pictures.pictures:
        return ()
    columns = tuple(Column(header, heading=place == 0) for place, header in enumerate(pictures.headers))
    return (Table(columns, tuple(Row(picture.lines) for picture in pictures.pictures)),)


def _heights(landscape: Landscape) -> Iterator[Table]:
    """The value at every place, then the places of each path."""
    across, up = landscape.x_label or "x", landscape.y_label or "y"
    rows = [
        Row((Number(x, EXACT), Number(y, EXACT), Number(value, EXACT)))
        for y, values in zip(landscape.y, landscape.values, strict=True)
        for x, value in zip(landscape.x, values, strict=True)
    ]
    if rows:
        names = (across, up, landscape.value_label or "value")
        yield Table(tuple(Column(name, style=EXACT) for name in names), tuple(rows))
    for path in landscape.paths:
        if path.x:
            columns = (Column(f"{path.name} {across}", style=EXACT), Column(f"{path.name} {up}", style=EXACT))
            yield Table(columns, tuple(Row((Number(x), Number(y))) for x, y in zip(path.x, path.y, strict=True)))
