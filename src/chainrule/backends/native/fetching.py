"""The rows of the next batch are fetched while this one is worked on, a few cache lines between a product's pieces.

Asked for all at once they would fill the processor's list of what it waits for, and everything else would wait too. Of
a few rows each first line is asked for beforehand: what stops a processor there is to find the row's page, and several
pages are found side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from chainrule.backends.native.body import Body, Given, in_memory
from chainrule.backends.native.indices import number, plus, times
from chainrule.backends.native.ir import I8, I64, Value
from chainrule.backends.native.layout import LANES, LINE
from chainrule.backends.native.machine import BYTES
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.tiles import form_of, pieces_of
from chainrule.graph.node import Node

MOST_LINES: Final = 32  # of a stretch, which is written out
AT_ONCE: Final = 16  # rows that are begun beforehand: about as many lines as a processor waits for
FEW_ROWS: Final = 256  # up to which rows shorter than a few lanes are fetched; more of them are read in their order


class Fetch(msgspec.Struct, frozen=True):
    """What one product fetches of one column, stretch by stretch.

    Attributes:
        column: the input.
        lines: of each row.
        stretch: lines of a row that are fetched one after the other.
        each: stretches between two pieces.
        begins: whether the first line of every row is fetched before the first piece.
        is_idle: whether nothing is fetched, so that a product of the same form shares the code of one that does.
    """

    column: Node
    lines: int
    stretch: int
    each: int
    begins: bool = False
    is_idle: bool = False

    @property
    def stretches(self) -> int:
        """Of each row."""
        return -(-self.lines // self.stretch)


def fetches(plan: Schedule) -> dict[int, list[Fetch]]:
    """By the number of its group, what a product fetches: of the largest ones, that of the most pieces does."""
    costs = {
        n: _flops(plan, g.head) for n, g in enumerate(plan.groups) if g.head is not None and g.head.tensor.rank == 2
    }
    if not any(costs.values()):
        return {}
    large = [number for number, cost in costs.items() if 2 * cost >= max(costs.values())]
    pieces = {number: _pieces(plan, number) for number in large}
    chosen = max(large, key=lambda number: pieces[number])
    found = [_fetch(plan, plan.graph.input(name), pieces[chosen]) for name in plan.roles.columns]
    return {chosen: [each for each in found if each is not None]}


def idle(plan: Schedule, fetched: dict[int, list[Fetch]]) -> dict[int, list[Fetch]]:
    """The same for the other products that go down the columns, where the one that fetches does so too."""
    found: dict[int, list[Fetch]] = {}
    for other in range(len(plan.groups)):
        for chosen, each in fetched.items():
            if other != chosen and _goes_down(plan, other) and _goes_down(plan, chosen):
                found[other] = [msgspec.structs.replace(fetch, is_idle=True) for fetch in each]
    return found


def _goes_down(plan: Schedule, number_: int) -> bool:
    head = plan.groups[number_].head
    return head is not None and head.tensor.rank == 2 and form_of(head, plan.sizes).left_is == "columns"


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
    if elements == 0 or (elements <= LANES and rows.most > FEW_ROWS):
        return None
    lines = -(-elements * BYTES[column.tensor.dtype] // LINE)
    stretch = min(-(-lines * rows.most // pieces), lines, MOST_LINES)
    while stretch < min(lines, MOST_LINES) and -(-lines // stretch) * rows.most > pieces:
        stretch += 1
    each = -(-(-(-lines // stretch) * rows.most) // pieces)
    return Fetch(column, lines, stretch, each, begins=rows.most <= AT_ONCE)


class FetchWriter:
    """Writes what a product fetches: row after row, line after line, so many stretches for each of its pieces."""

    def __init__(self, body: Body, fetch: Fetch) -> None:
        self.body = body
        self.b = body.b
        self.fetch = fetch

    def begin(self) -> None:
        """The first line of every row, where they are few."""
        if self.fetch.begins:
            self.b.loop(number(0), plus(self.b, self._last(), 1), 1, (), lambda row, _: self._begin(row))

    def _begin(self, row: Value) -> Sequence[Value]:
        self.b.prefetch(self._row(row))
        return ()

    def some(self, piece: Value) -> None:
        """The stretches of a piece, which are known by its number."""
        each = self.fetch.each
        if self.fetch.begins and self.fetch.lines == 1:
            return
        if each == 1:
            self._stretch(piece)
            return
        first = times(self.b, piece, each)
        self.b.loop(number(0), number(each), 1, (), lambda k, _: self._stretch(plus(self.b, first, k)))

    def _stretch(self, at: Value) -> Sequence[Value]:
        """One stretch, unless all rows are fetched; the last one of a row ends where the row does."""
        b, fetch = self.b, self.fetch
        row = at if fetch.stretches == 1 else b.divide(at, fetch.stretches)

        def fetched() -> Sequence[Value]:
            start = b.at(self._row(row), times(b, self._line(at), LINE), I8)
            for k in range(fetch.stretch):
                b.prefetch(b.at(start, k * LINE, I8))
            return ()

        b.choose(b.compare("sle", row, self._last()), fetched)
        return ()

    def _last(self) -> Value:
        """The number of the last row to be fetched."""
        none = Given("number", number=-1)
        return self.body.parameters.ask(("last ahead",), none if self.fetch.is_idle else Given("last ahead"))

    def _row(self, row: Value) -> Value:
        """Where a row of the next batch begins."""
        b, column, parameters = self.b, self.fetch.column, self.body.parameters
        place = parameters.place(column)
        ahead = parameters.ask(("ahead",), Given("ahead"))
        pointer = parameters.ask(("column", place), Given("column", name=column.label))
        width = math.prod(extent.most for extent in self.body.plan.sizes.extents(column.tensor.shape)[1:])
        length = parameters.number(width * in_memory(column).bits // 8, "bytes of a row", place)
        return b.at(pointer, times(b, b.load(I64, b.at(ahead, row, I64)), length), I8)

    def _line(self, at: Value) -> Value:
        """Where in its row a stretch begins."""
        b, fetch = self.b, self.fetch
        if fetch.stretches == 1:
            return number(0)
        line = times(b, b.remainder(at, fetch.stretches), fetch.stretch)
        if fetch.lines % fetch.stretch == 0:
            return line
        return b.intrinsic("llvm.smin", line, number(fetch.lines - fetch.stretch))
