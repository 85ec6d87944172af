"""The inside of a loop: the value of a node at an index, in as many lanes as the loop takes at once."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from chainrule.backends.native.arenas import Buffer
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.indices import (
    Index,
    Indices,
    Neighbors,
    Scattered,
    Uniform,
    is_uniform,
    linear,
    number,
    number_like,
    plus,
    times,
    vector,
    within,
)
from chainrule.backends.native.ir import HELD, I1, I8, I32, I64, POINTER, Builder, Type, Value
from chainrule.backends.native.lanes import ROWS
from chainrule.backends.native.layout import HALF, LANES, Extent, Layout
from chainrule.backends.native.moving import MOVES
from chainrule.backends.native.random_words import random_words
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.vocabulary import is_moved, is_reduction
from chainrule.graph.node import Node


class Given(msgspec.Struct, frozen=True):
    """Something the driver hands to a function.

    Attributes:
        kind: buffer, column, order, ahead, rate, clock, report, scratch: a pointer; extent, size, panels, number, low,
            high, last ahead, done: an i64. Ahead is the order of the next batch, last ahead the number of its last
            row, done the number of rows that earlier strips added up.
        buffer: of a buffer.
        name: of a column, rate or report.
        extent: of an extent or the panels it takes.
        number: of a number.
    """

    kind: str
    buffer: Buffer | None = None
    name: str = ""
    extent: Extent | None = None
    number: int = 0


POINTERS: Final = frozenset({"buffer", "column", "order", "ahead", "rate", "clock", "report", "scratch"})
Key: TypeAlias = tuple[object, ...]


@dataclass(slots=True)
class Parameters:
    """What a function is given, in the order in which it first asked.

    A parameter is named by the part it plays, never by its value, so that two groups of one form give one text.
    """

    given: dict[Key, Given] = field(default_factory=dict[Key, Given])
    places: dict[Node, int] = field(default_factory=dict[Node, int])

    def ask(self, key: Key, given: Given) -> Value:
        """The parameter that plays this part."""
        self.given.setdefault(key, given)
        return Value(self.type_of(given), f"%a{list(self.given).index(key)}")

    @staticmethod
    def type_of(given: Given) -> Type:
        """A pointer or an i64."""
        return POINTER if given.kind in POINTERS else I64

    def place(self, node: Node) -> int:
        """A number for a node, in the order in which nodes are met."""
        return self.places.setdefault(node, len(self.places))

    def extent(self, extent: Extent, *key: object) -> Value:
        """The length of an axis."""
        return self.ask((*key, "extent"), Given("extent", extent=extent))

    def size(self, extent: Extent, *key: object) -> Value:
        """The length of an axis of the whole batch, wherever a part of it is worked on."""
        return self.ask((*key, "size"), Given("size", extent=extent))

    def panels(self, extent: Extent, *key: object) -> Value:
        """The panels an axis takes."""
        return self.ask((*key, "panels"), Given("panels", extent=extent))

    def number(self, value: int, *key: object) -> Value:
        """A number that is known, and may differ between groups of one form."""
        return self.ask(key, Given("number", number=value))


class Body:
    """Writes the values of nodes at indices; what was written once is used again."""

    def __init__(self, plan: Schedule, group: Group, number_: int, b: Builder, parameters: Parameters) -> None:
        self.plan = plan
        self.group = group
        self.b = b
        self.parameters = parameters
        self.lanes = LANES if group.space else 1
        self._number = number_
        self._held: dict[Node, Value] = {}
        self._memo: dict[tuple[Node, Indices], Value] = {}
        self._begins: dict[tuple[Node, str], Value] = {}
        self._starts: dict[tuple[Node, Indices], Value] | None = None

    # ---- values ----

    def begin(self) -> None:
        """Forget what was written: another block begins, where it may not be known."""
        self._memo.clear()

    def preset(self, node: Node, indices: Indices, value: Value) -> None:
        """Say what a node is at an index."""
        self._memo[node, indices] = value

    def hold(self, nodes: Iterable[Node]) -> None:
        """Read single numbers before the loop."""
        for node in nodes:
            at = tuple(Uniform(number(0)) for _ in node.tensor.shape)
            self._held[node] = self._input(node, at) if node.primitive == "input" else self._kept(node, at)

    def value(self, node: Node, indices: Indices) -> Value:
        """The node at an index; a single number may be the same scalar in every lane."""
        if node in self._held:
            return self._held[node]
        key = (node, indices)
        if key not in self._memo:
            self._memo[key] = self._made(node, indices)
        return self._memo[key]

    def _made(self, node: Node, indices: Indices) -> Value:
        place = self.plan.grouping.place.get(node)
        if place is not None and (place != self._number or self._is_finished(node)):
            return self._kept(node, indices)
        if node.primitive == "input":
            return self._input(node, indices)
        if is_moved(node, self.plan.sizes):
            return MOVES[node.primitive](self, node, indices)
        if node.primitive == "random_bits":
            return random_words(self, node, indices)
        operands = [self.value(source, indices) for source in node.inputs]
        return ROWS[node.primitive](self.b, node, *operands)

    def _is_finished(self, node: Node) -> bool:
        return is_reduction(node) and node not in self.plan.grouping.copied

    def begin_row(self, node: Node, row: Value) -> None:
        """Find a column's row before the loop over its elements begins."""
        b, place = self.b, self.parameters.place(node)
        pointer = self.parameters.ask(("column", place), Given("column", name=node.label))
        width = _product(self.plan.sizes.extents(node.tensor.shape)[1:])
        length = self.parameters.number(width, "width", place)
        self._begins[node, row.text] = b.at(pointer, times(b, self._row(row), length), in_memory(node))

    def type_of(self, node: Node) -> Type:
        """How a node is held in this loop."""
        return HELD[node.tensor.dtype].of(self.lanes)

    # ---- reading memory ----

    def _input(self, node: Node, indices: Indices) -> Value:
        if node in self.plan.buffers:
            return self._kept(node, indices)
        if node in self.plan.columns:
            return self.column(node, indices[0], indices[1:])
        kind = "clock" if node.label == self.plan.roles.clock else "rate"
        pointer = self.parameters.ask((kind, self.parameters.place(node)), Given(kind, name=node.label))
        return self.splat(self.b.load(HELD[node.tensor.dtype], pointer))

    def pointer(self, node: Node) -> Value:
        """Where a kept node lies."""
        buffer = self.plan.buffers[node]
        return self.parameters.ask(("buffer", self._part(node)), Given("buffer", buffer=buffer))

    def _part(self, node: Node) -> int:
        """The number of a kept node; a next value that takes the place of its state has the number of that."""
        buffers = self.plan.buffers
        same = (n for n in self.parameters.places if buffers.get(n) is buffers[node])
        return self.parameters.place(next(same, node))

    def _kept(self, node: Node, indices: Indices) -> Value:
        layout = self.plan.layout(node)
        lane_axis = layout.lane_axis
        others = [indices[a] for a in layout.axes if a != lane_axis]
        if is_uniform(others) and (lane_axis is None or not isinstance(indices[lane_axis], Scattered)):
            at = self.address(node, layout, indices)
            if lane_axis is None or isinstance(indices[lane_axis], Uniform):
                return self.splat(self._load(node, at, 1))
            return self._panel_row(node, at, layout)
        return self._gathered(node, layout, indices)

    def _panel_row(self, node: Node, at: Value, layout: Layout) -> Value:
        """The lanes of one row of a panel; of a narrow one only half is read, the rest is padding."""
        if not layout.is_narrow:
            return self._load(node, at, LANES)
        near = self._load(node, at, HALF)
        return self.b.joined(near, self.b.constant(near.type, 0))

    def address(self, node: Node, layout: Layout, indices: Indices) -> Value:
        """The address of the element, or of the panel's row, at an index."""
        element, rows = in_memory(node), 0
        if len(layout.axes) > 1:
            indices, rows = _known_rows(indices, layout.axes[-2])
        start = self._start(node, layout, indices, element)
        return self.b.at(start, rows * LANES, element) if rows else start

    def _start(self, node: Node, layout: Layout, indices: Indices, element: Type) -> Value:
        """The address at an index; that of neighboring rows is found once."""
        key = (node, indices)
        if self._starts is None or key not in self._starts:
            start = self.b.at(self.pointer(node), self._offset(node, layout, indices), element)
            if self._starts is None:
                return start
            self._starts[key] = self.b.settled(start)
        return self._starts[key]

    @contextmanager
    def neighbors(self) -> Generator[None]:
        """Inside, the rows of a tile are written one after the other, and where they lie is found once."""
        self._starts = {}
        yield
        self._starts = None

    def _offset(self, node: Node, layout: Layout, indices: Indices) -> Value:
        """Elements from the beginning of the buffer."""
        total = number(0)
        for axis in layout.axes[:-1]:
            index = indices[axis]
            assert isinstance(index, Uniform)
            total = plus(self.b, total, times(self.b, index.value, self._stride(node, layout, axis)))
        if layout.lane_axis is None:
            return total
        last = indices[layout.lane_axis]
        stride = self._panel_stride(node, layout)
        if isinstance(last, Neighbors):
            return plus(self.b, total, times(self.b, last.panel, stride))
        assert isinstance(last, Uniform)
        if stride.number == LANES:
            return plus(self.b, total, last.value)
        panel = self.b.shift_right(last.value, 4)
        total = plus(self.b, total, times(self.b, panel, stride))
        return plus(self.b, total, self.b.bit_and(last.value, LANES - 1))

    def _stride(self, node: Node, layout: Layout, axis: int) -> Value:
        if axis == layout.axes[-2]:
            return number(LANES)
        return self.parameters.number(layout.stride(axis), "stride", axis, self._part(node))

    def _panel_stride(self, node: Node, layout: Layout) -> Value:
        if len(layout.axes) < 2:
            return number(LANES)
        return self.parameters.number(layout.panel_stride, "panel stride", self._part(node))

    def _load(self, node: Node, at: Value, lanes: int) -> Value:
        raw = self.b.load(in_memory(node).of(lanes), at)
        return self.b.convert("trunc", raw, I1) if node.tensor.dtype == "bool" else raw

    def _gathered(self, node: Node, layout: Layout, indices: Indices) -> Value:
        """Lane by lane, from anywhere."""
        b = self.b
        total = number_like(0)
        for axis in layout.axes:
            index = indices[axis]
            if not isinstance(index, Uniform):
                last = plus(b, self.parameters.extent(layout.extents[axis], axis, self.parameters.place(node)), -1)
                index = within(b, index, last)
            place = vector(b, index)
            if axis != layout.lane_axis:
                part = b.multiply(place, b.splat(self._stride(node, layout, axis), LANES))
            else:
                stride = b.splat(self._panel_stride(node, layout), LANES)
                panel = b.multiply(b.shift_right(place, 4), stride)
                part = b.add(panel, b.bit_and(place, LANES - 1))
            total = b.add(total, part)
        return self._each(node, self.pointer(node), total, LANES)

    def _each(self, node: Node, pointer: Value, offsets: Value, lanes: int) -> Value:
        """One element for each of the first lanes, 0 in the others."""
        b = self.b
        result = b.constant(in_memory(node).of(LANES), 0)
        for lane in range(lanes):
            at = b.at(pointer, b.extract(offsets, lane), in_memory(node))
            result = b.insert(result, lane, b.load(in_memory(node), at))
        return b.convert("trunc", result, I1) if node.tensor.dtype == "bool" else result

    def splat(self, x: Value) -> Value:
        """A scalar in every lane of this loop."""
        return b_splat(self.b, x, self.lanes)

    # ---- columns of data: rows in the order of the batch, elements in the usual order ----

    def column(self, node: Node, row: Index, inner: Indices) -> Value:
        """An element of a column, or sixteen neighbors of one row."""
        extents = self.plan.sizes.extents(node.tensor.shape)[1:]
        lengths = [self.parameters.extent(e, "column", k, self.parameters.place(node)) for k, e in enumerate(extents)]
        width = Extent(_product(extents), 0, _product(extents))
        return self.row_element(node, row, linear(self.b, inner, lengths), width)

    def row_element(self, node: Node, row: Index, place: Index, width: Extent) -> Value:
        """The element of a row at a place counted in the usual order, sixteen of them where they are neighbors."""
        b, place_of = self.b, self.parameters.place(node)
        pointer = self.parameters.ask(("column", place_of), Given("column", name=node.label))
        length = self.parameters.number(width.most, "width", place_of)
        if isinstance(row, Uniform):
            key = (node, row.value.text)
            begin = self._begins.get(key) or b.at(pointer, times(b, self._row(row.value), length), in_memory(node))
            if isinstance(place, Uniform):
                return self.splat(self._load(node, b.at(begin, place.value, in_memory(node)), 1))
            if isinstance(place, Neighbors):
                return self._stretch(node, begin, place, width)
            inside = vector(b, within(b, place, plus(b, length, -1)))
            return self._each(node, begin, inside, LANES)
        most = plus(b, self.parameters.extent(self._rows(node), "rows"), -1)
        rows = vector(b, within(b, row, most))
        total = b.constant(I64.of(LANES), 0)
        for lane in range(LANES):
            total = b.insert(total, lane, times(b, self._row(b.extract(rows, lane)), length))
        return self._each(node, pointer, b.add(total, vector(b, within(b, place, plus(b, length, -1)))), LANES)

    def _rows(self, node: Node) -> Extent:
        return self.plan.sizes.extents(node.tensor.shape)[0]

    def _row(self, index: Value) -> Value:
        """Which row of the data is the batch's row of this number."""
        order = self.parameters.ask(("order",), Given("order"))
        return self.b.load(I64, self.b.at(order, index, I64))

    def _stretch(self, node: Node, begin: Value, place: Neighbors, width: Extent) -> Value:
        """Sixteen neighbors; at the end of the row as many as there are, so that nothing beyond is touched."""
        b = self.b
        element = in_memory(node)
        left = width.most % LANES

        def whole() -> list[Value]:
            return [b.load(element.of(LANES), b.at(begin, times(b, place.panel, LANES), element))]

        def rest() -> list[Value]:
            start = times(b, place.panel, LANES)
            value, first = b.constant(element.of(LANES), 0), 0
            for count in (8, 4, 2, 1):
                if left & count:
                    part = b.load(element.of(count), b.at(begin, plus(b, start, first), element))
                    value, first = b.placed(value, part, first), first + count
            return [value]

        if left == 0:
            (raw,) = whole()
        elif width.most < LANES:
            (raw,) = rest()
        else:
            last = self.parameters.number(width.most // LANES, "last panel", self.parameters.place(node))
            (raw,) = b.choose(b.compare("slt", place.panel, last), whole, rest)
        return b.convert("trunc", raw, I1) if node.tensor.dtype == "bool" else raw


def in_memory(node: Node) -> Type:
    """The type of one element where it is kept: a bool is a byte."""
    return I8 if node.tensor.dtype == "bool" else HELD[node.tensor.dtype]


def _known_rows(indices: Indices, axis: int) -> tuple[Indices, int]:
    """The indices without the rows that are known when the code is written, and how many those are."""
    index = indices[axis]
    if not isinstance(index, Uniform) or index.value.beyond is None:
        return indices, 0
    rest, rows = index.value.beyond
    return (*indices[:axis], Uniform(rest), *indices[axis + 1 :]), rows


def b_splat(b: Builder, x: Value, lanes: int) -> Value:
    """A scalar in so many lanes; a vector stays."""
    return x if x.type.lanes == lanes else b.splat(x, lanes)


def _product(extents: Iterable[Extent]) -> int:
    result = 1
    for extent in extents:
        result *= extent.most
    return result


__all__ = ["I32", "Body", "Given", "Parameters", "b_splat", "in_memory"]
