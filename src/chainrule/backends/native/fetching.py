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

MOST_LINES: Final = 32  # of a stretch, which is written out
FEW_ROWS: Final = 256  # up to which rows shorter than a few lanes are fetched; more of them are read in their order


@dataclass(frozen=True, slots=True)
class Fetch:
    """What one product fetches of one column, stretch by stretch.

    Attributes:
        column: the input.
        lines: of each row.
        stretch: lines of a row that are fetched one after the other.
        each: stretches between two pieces.
    """

    column: Node
    lines: int
    stretch: int
    each: int

    @property
    def stretches(self) -> int:
        """Of each row."""
        return -(-self.lines // self.stretch)


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
    stretch = min(-(-lines * rows.most // pieces), lines, MOST_LINES)
    while stretch < min(lines, MOST_LINES) and -(-lines // stretch) * rows.most > pieces:
        stretch += 1
    return Fetch(column, lines, stretch, -(-(-(-lines // stretch) * rows.most) // pieces))


class FetchWriter:
    """Writes what a product fetches: row after row, line after line."""

    def __init__(self, body: Body, fetch: Fetch) -> None:
        self.body = body
        self.b = body.b
        self.fetch = fetch
        self._place = self.b.local(I64, 2)  # the row and its line that come next

    def begin(self, piece: Value) -> None:
        """Go on where the pieces before this one end."""
        b = self.b
        done = times(b, piece, self.fetch.each)
        b.store(b.divide(done, self.fetch.stretches), self._place)
        first = times(b, b.remainder(done, self.fetch.stretches), self.fetch.stretch)
        b.store(first, b.at(self._place, 1, I64))

    def some(self) -> None:
        """The stretches between two pieces."""
        if self.fetch.each == 1:
            self._stretch()
            return
        self.b.loop(number(0), number(self.fetch.each), 1, (), lambda _, __: self._stretch())

    def _stretch(self) -> Sequence[Value]:
        """The next stretch, unless all rows are fetched; the last one of a row ends where the row does."""
        b, parameters, fetch = self.b, self.body.parameters, self.fetch
        second = b.at(self._place, 1, I64)
        row, line = b.load(I64, self._place), b.load(I64, second)
        last = parameters.ask(("last ahead",), Given("last ahead"))
        place = parameters.place(fetch.column)
        ahead = parameters.ask(("ahead",), Given("ahead"))
        pointer = parameters.ask(("column", place), Given("column", name=fetch.column.label))
        width = math.prod(extent.most for extent in self.body.plan.sizes.extents(fetch.column.tensor.shape)[1:])
        length = parameters.number(width * in_memory(fetch.column).bits // 8, "bytes of a row", place)

        def fetched() -> Sequence[Value]:
            begin = b.at(pointer, times(b, b.load(I64, b.at(ahead, row, I64)), length), I8)
            first = b.intrinsic("llvm.smin", line, number(fetch.lines - fetch.stretch))
            start = b.at(begin, times(b, first, LINE), I8)
            for k in range(fetch.stretch):
                b.prefetch(b.at(start, k * LINE, I8))
            following = plus(b, line, fetch.stretch)
            is_last = b.compare("sge", following, fetch.lines)
            b.store(b.add(row, b.convert("zext", is_last, I64)), self._place)
            b.store(b.select(is_last, number(0), following), second)
            return ()

        b.choose(b.compare("sle", row, last), fetched)
        return ()
