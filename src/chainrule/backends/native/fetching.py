"""The rows of the next batch are fetched while this one is worked on, a few cache lines between a product's pieces.

Asked for all at once they would fill the processor's list of what it waits for, and everything else would wait too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chainrule.backends.native.body import Body, Given, in_memory
from chainrule.backends.native.indices import number, plus, times
from chainrule.backends.native.ir import I8, I64, Value
from chainrule.backends.native.layout import LANES, LINE
from chainrule.backends.native.machine import BYTES
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.tiles import form_of, pieces_of
from chainrule.graph.node import Node

FEW_ROWS: Final = 256  # up to which rows shorter than a few lanes are fetched; more of them are read in their order


@dataclass(frozen=True, slots=True)
class Fetch:
    """What one product fetches of one column.

    Attributes:
        column: the input.
        lines: of each row.
        each: lines between two pieces.
    """

    column: Node
    lines: int
    each: int


def fetches(plan: Schedule) -> dict[int, list[Fetch]]:
    """By the number of its group, what a product fetches: of the largest ones, that of the most pieces does."""
    costs = {
        n: _flops(plan, g.head) for n, g in enumerate(plan.groups) if g.head is not None and g.head.tensor.rank == 2
    }
    if not costs:
        return {}
    large = [number for number, cost in costs.items() if 2 * cost >= max(costs.values())]
    pieces = {number: _pieces(plan, number) for number in large}
    chosen = max(large, key=lambda number: pieces[number])
    found = [_fetch(plan, plan.graph.input(name), pieces[chosen]) for name in plan.roles.columns]
    return {chosen: [each for each in found if each is not None]}


def _flops(plan: Schedule, head: Node) -> int:
    form = form_of(head, plan.sizes)
    return form.rows.most * form.columns.most * form.depth.most


def _pieces(plan: Schedule, number_: int) -> int:
    head = plan.groups[number_].head
    assert head is not None
    form = form_of(head, plan.sizes)
    return -(-form.columns.most // LANES) * -(-form.rows.most // pieces_of(form))


def _fetch(plan: Schedule, column: Node, pieces: int) -> Fetch | None:
    rows, *inner = plan.sizes.extents(column.tensor.shape)
    elements = math.prod(extent.most for extent in inner)
    if elements <= LANES and rows.most > FEW_ROWS:
        return None
    lines = -(-elements * BYTES[column.tensor.dtype] // LINE)
    return Fetch(column, lines, -(-lines * rows.most // pieces))


class FetchWriter:
    """Writes what a product fetches: line after line of all rows."""

    def __init__(self, body: Body, fetch: Fetch) -> None:
        self.body = body
        self.b = body.b
        self.fetch = fetch
        self._place = self.b.local(I64, 2)  # row and line that come next

    def begin(self, piece: Value) -> None:
        """Go on where the pieces before this one end."""
        b = self.b
        done = times(b, piece, self.fetch.each)
        b.store(b.remainder(done, self._rows), self._place)
        b.store(b.divide(done, self._rows), b.at(self._place, 1, I64))

    @property
    def _rows(self) -> Value:
        return plus(self.b, self.body.parameters.ask(("last ahead",), Given("last ahead")), 1)

    def some(self) -> None:
        """The lines between two pieces."""
        b, parameters, column = self.b, self.body.parameters, self.fetch.column
        place, rows = parameters.place(column), self._rows
        ahead = parameters.ask(("ahead",), Given("ahead"))
        pointer = parameters.ask(("column", place), Given("column", name=column.label))
        width = math.prod(extent.most for extent in self.body.plan.sizes.extents(column.tensor.shape)[1:])
        length = parameters.number(width * in_memory(column).bits // 8, "bytes of a row", place)

        def line(_: Value, at: tuple[Value, ...]) -> Sequence[Value]:
            row, here = at
            begin = times(b, b.load(I64, b.at(ahead, row, I64)), length)
            b.prefetch(b.at(pointer, b.add(begin, times(b, here, LINE)), I8))
            is_last = b.compare("sge", b.add(row, 1), rows)
            return [b.select(is_last, number(0), b.add(row, 1)), b.add(here, b.convert("zext", is_last, I64))]

        second = b.at(self._place, 1, I64)
        here = b.load(I64, second)

        def several() -> Sequence[Value]:
            row, after = b.loop(number(0), number(self.fetch.each), 1, [b.load(I64, self._place), here], line)
            b.store(row, self._place)
            b.store(after, second)
            return ()

        b.choose(b.compare("slt", here, self.fetch.lines), several)
