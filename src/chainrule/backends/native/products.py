"""A product of two matrices with what follows it, as a function: tiles in registers, each summed first to last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from chainrule.backends.native.body import Body, Given
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.indices import Index, Neighbors, Uniform, number, plus, times
from chainrule.backends.native.ir import HELD, Value
from chainrule.backends.native.kernels import Tile, TileWriter, row_kernel
from chainrule.backends.native.layout import LANES, Extent
from chainrule.backends.native.loops import LoopWriter
from chainrule.backends.native.machine import BYTES, Isa
from chainrule.backends.native.tiles import Form, blocks, form_of, row_stride, shares_panels, steps_of, tile_of
from chainrule.backends.native.turning import turn_panel
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import DType

FEW: Final = 2  # members up to which what follows is written out for each row of a tile
DEAR: Final = frozenset(
    {"divide", "sqrt", "exp", "log", "expm1", "log1p", "tanh", "sigmoid", "softplus", "erf", "power"}
)


class ProductWriter(LoopWriter):
    """Writes a group that begins with a product of two matrices."""

    def __init__(self, body: Body, group: Group, isa: Isa) -> None:
        super().__init__(body, group)
        assert group.head is not None
        self.head: Node = group.head
        self.form: Form = form_of(self.head, body.plan.sizes)
        self.dtype: DType = self.head.tensor.dtype
        self.isa = isa
        self.tile = tile_of(self.form, self.dtype, isa)
        self.element = HELD[self.dtype]
        next_right = 1 if self.form.right_is == "numbers" else LANES
        self.tiles = TileWriter(self.b, self.dtype, self.tile, next_right, steps_of(self.form))
        self.kernels: dict[str, str] = {}
        followers = [node for node in group.members if node is not self.head]
        self.unrolled = len(followers) <= FEW and not any(node.primitive in DEAR for node in followers)
        self.is_bare = not followers
        self._scratch: Value | None = None

    @property
    def counted(self) -> tuple[str, Extent, int]:
        """What threads share: (panels, blocks or groups of sixteen rows, of which extent, by how many)."""
        form = self.form
        if shares_panels(form):
            return "panels", form.columns, LANES
        if form.left_is == "columns":
            return "panels", form.rows, LANES
        return "blocks", form.rows, self.tile.most

    @property
    def scratch(self) -> int:
        """Bytes of scratch each thread needs, for a panel that is turned."""
        if self.form.right_is != "turned":
            return 0
        return -(-self.form.depth.most // LANES) * LANES * LANES * BYTES[self.dtype]

    # ---- the loops around the tiles ----

    def write(self) -> None:
        """The whole function but its last line."""
        b, parameters = self.b, self.body.parameters
        if not self.is_bare and (self.form.left_is == "rows" or not self.unrolled):
            self._scratch = b.local(self.element.of(LANES), self.tile.most)
        self.body.hold(self._numbers())
        low = parameters.ask(("low",), Given("low"))
        high = parameters.ask(("high",), Given("high"))
        panels = parameters.panels(self.form.columns, "columns")
        outer = (low, high) if shares_panels(self.form) else (number(0), panels)

        def each_panel(panel: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            right = self._right(panel)
            if self.form.left_is == "columns":
                self._columns(panel, right, low, high)
            else:
                self._rows(panel, right, low, high)
            return ()

        b.loop(*outer, 1, (), each_panel)

    def _right(self, panel: Value) -> Value:
        """Where the panel of the right operand begins."""
        b, form = self.b, self.form
        pointer = self.body.pointer(form.right)
        if form.right_is == "numbers":
            return pointer
        if form.right_is == "turned":
            scratch = self.body.parameters.ask(("scratch",), Given("scratch"))
            turn_panel(self.body, form, panel, scratch)
            return scratch
        layout = self.body.plan.layout(form.right)
        stride = number(LANES)
        if len(layout.axes) > 1:
            stride = self.body.parameters.number(layout.panel_stride, "right panel")
        return b.at(pointer, times(b, panel, stride), self.element)

    def _rows(self, panel: Value, right: Value, low: Value, high: Value) -> None:
        """Tiles down the rows of the left operand."""
        b, most = self.b, self.tile.most
        rows = self.body.parameters.extent(self.form.rows, "rows of the result")
        count = self.body.parameters.ask(("blocks",), Given("blocks", extent=self.form.rows, number=most))
        base, extra = b.divide(rows, count), b.remainder(rows, count)
        first, last = (number(0), count) if shares_panels(self.form) else (low, high)

        def each_block(block: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            is_larger = b.compare("slt", block, extra)
            begin = plus(b, times(b, block, base), b.select(is_larger, block, extra))
            size = b.add(base, b.convert("zext", is_larger, number(0).type))
            self._row_tile(panel, right, begin, size)
            return ()

        b.loop(first, last, 1, (), each_block)

    def _row_tile(self, panel: Value, right: Value, begin: Value, height: Value) -> None:
        """A tile for which panels of the left operand run along the depth, by the kernel that all share."""
        b, down = self.b, row_stride(self.form)
        name, text = row_kernel(self.isa, self.dtype, self.tile, down, self.tiles.next_right)
        self.kernels[name] = text
        left = b.at(self.body.pointer(self.form.left), times(b, begin, down), self.element)
        depth = self.body.parameters.extent(self.form.depth, "depth")
        target = self._scratch or self._result_at(panel, begin)
        given = (height, left, right, self._left_stride(), depth, target)
        b.module.declare(name, None, *(value.type for value in given))
        b.call(name, None, *given)
        if self._scratch is not None:
            self._follow_scratch(panel, begin, height)

    def _result_at(self, panel: Value, begin: Value) -> Value:
        """Where a row of the result lies, in one panel."""
        if self.form.right_is == "numbers":
            return self.b.at(self.body.pointer(self.head), begin, self.element)
        layout = self.body.plan.layout(self.head)
        indices = self._indices(self.head, self._at(panel, begin))
        return self.body.address(self.head, layout, indices)

    def _left_stride(self) -> Value:
        """Elements from one panel of the left operand to the next."""
        layout = self.body.plan.layout(self.form.left)
        if len(layout.axes) < 2:
            return number(LANES)
        return self.body.parameters.number(layout.panel_stride, "left panel")

    def _columns(self, panel: Value, right: Value, low: Value, high: Value) -> None:
        """Tiles along the columns of the left operand, which are the rows of the result."""
        b, parameters = self.b, self.body.parameters
        whole, rest = divmod(self.form.rows.most, LANES)
        if not self.form.rows.is_fixed:
            whole, rest = -1, 0
        full = parameters.number(whole, "whole panels of rows") if whole >= 0 else None
        groups = parameters.panels(self.form.rows, "rows of the result")
        first, last = (number(0), groups) if shares_panels(self.form) else (low, high)

        def sixteen(group: Value) -> None:
            begin = 0
            for height in blocks(LANES, self.tile.most):
                self._column_tile(panel, right, group, begin, height)
                begin += height

        def remaining(group: Value) -> None:
            begin = 0
            for height in blocks(rest, self.tile.most):
                self._column_tile(panel, right, group, begin, height)
                begin += height

        def each_group(group: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            if full is None:
                self._dynamic_columns(panel, right, group)
            elif rest == 0:
                sixteen(group)
            elif whole == 0:
                remaining(group)
            else:
                b.choose(b.compare("slt", group, full), _nothing_of(sixteen, group), _nothing_of(remaining, group))
            return ()

        b.loop(first, last, 1, (), each_group)

    def _dynamic_columns(self, panel: Value, right: Value, group: Value) -> None:
        """Row after row, where the batch says how many there are."""
        b = self.b
        rows = self.body.parameters.extent(self.form.rows, "rows of the result")
        left = b.subtract(rows, times(b, group, LANES))
        stop = b.select(b.compare("slt", left, LANES), left, number(LANES))

        def each(row: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            self._column_tile(panel, right, group, row, 1)
            return ()

        b.loop(number(0), stop, 1, (), each)

    def _column_tile(self, panel: Value, right: Value, group: Value, begin: int | Value, height: int) -> None:
        b = self.b
        down = row_stride(self.form)
        start = plus(b, times(b, group, self._left_stride()), begin)
        left = b.at(self.body.pointer(self.form.left), start, self.element)
        length = self.body.parameters.extent(self.form.depth, "depth")

        def steps(tile: Tile, depth: Value, count: int) -> Tile:
            at = b.at(left, times(b, depth, down), self.element)
            return self.tiles.steps(tile, at, 1, down, self.tiles.right_at(right, depth), count)

        tile = self.tiles.stretches(self.tiles.nothing(height), length, steps)
        self._finish(panel, plus(b, times(b, group, LANES), begin), tile)

    # ---- what follows ----

    def _finish(self, panel: Value, begin: Value, tile: Tile) -> None:
        b = self.b
        if self.form.right_is == "numbers":
            pointer = self.body.pointer(self.head)
            for i, (value,) in enumerate(tile):
                b.store(value, b.at(pointer, plus(b, begin, i), self.element))
            return
        rows = [self.tiles.joined(row) for row in tile]
        if self.is_bare or self.unrolled:
            for i, row in enumerate(rows):
                self._follow(panel, plus(b, begin, i), row)
            return
        assert self._scratch is not None
        scratch = self._scratch
        for i, row in enumerate(rows):
            b.store(row, b.at(scratch, i * LANES, self.element))

        self._follow_scratch(panel, begin, number(len(rows)))

    def _follow_scratch(self, panel: Value, begin: Value, height: Value) -> None:
        """What follows, for rows that were left in the scratch of this call."""
        b, scratch = self.b, self._scratch
        assert scratch is not None

        def each(i: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            row = b.load(self.element.of(LANES), b.at(scratch, times(b, i, LANES), self.element))
            self._follow(panel, plus(b, begin, i), row)
            return ()

        b.loop(number(0), height, 1, (), each, at_least_once=True)

    def _follow(self, panel: Value, row: Value, value: Value) -> None:
        """One row of the result: what follows is computed, what is needed later is stored."""
        self.body.begin()
        at = self._at(panel, row)
        self.body.preset(self.head, self._indices(self.head, at), value)
        self._compute(at)

    def _at(self, panel: Value, row: Value) -> dict[int, Index]:
        if len(self.group.space) == 2:
            return {0: Uniform(row), 1: Neighbors(panel)}
        return {0: Neighbors(panel)}  # one row


def _nothing_of(write: Callable[[Value], None], group: Value) -> Callable[[], Sequence[Value]]:
    def arm() -> Sequence[Value]:
        write(group)
        return ()

    return arm


class PlainProductWriter(LoopWriter):
    """Writes a product with axes before the matrices: element by element over the depth, sixteen columns at a time."""

    def _compute(self, at: dict[int, Index]) -> None:
        b, body, (node,) = self.b, self.body, self.group.members
        x, w = node.inputs
        indices = self._indices(node, at)
        depth = body.plan.sizes.extent(x.tensor.shape[-1])

        def once(k: Value, values: tuple[Value, ...]) -> Sequence[Value]:
            body.begin()
            left = body.splat(body.value(x, (*indices[:-1], Uniform(k))))
            right = body.splat(body.value(w, (*indices[:-2], Uniform(k), indices[-1])))
            return [b.fma(left, right, values[0])]

        zero = b.constant(body.type_of(node), 0.0)
        length = body.parameters.extent(depth, "depth")
        (total,) = b.loop(number(0), length, 1, [zero], once)
        body.begin()
        self.store(node, total, indices)
