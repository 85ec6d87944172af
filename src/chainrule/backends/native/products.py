"""A product of two matrices with what follows it, as a function: tiles in registers, each summed first to last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from chainrule.backends.native.body import Body, Given
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.indices import Index, Neighbors, Uniform, number, plus, times
from chainrule.backends.native.ir import HELD, Value
from chainrule.backends.native.layout import LANES, Extent
from chainrule.backends.native.loops import LoopWriter
from chainrule.backends.native.machine import BYTES, Isa
from chainrule.backends.native.tiles import Form, blocks, form_of, row_stride, shares_panels, tile_of
from chainrule.backends.native.turning import turn_panel
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import DType

STEPS: Final = 4  # of the depth written out one after the other
LOW: Final = 4  # rows below which a tile waits for its sums, so that longer code gains nothing
FEW: Final = 2  # members up to which what follows is written out for each row of a tile
DEAR: Final = frozenset(
    {"divide", "sqrt", "exp", "log", "expm1", "log1p", "tanh", "sigmoid", "softplus", "erf", "power"}
)

Tile: TypeAlias = list[list[Value]]  # by row, then by vector


class ProductWriter(LoopWriter):
    """Writes a group that begins with a product of two matrices."""

    def __init__(self, body: Body, group: Group, isa: Isa) -> None:
        super().__init__(body, group)
        assert group.head is not None
        self.head: Node = group.head
        self.form: Form = form_of(self.head, body.plan.sizes)
        self.dtype: DType = self.head.tensor.dtype
        self.tile = tile_of(self.form, self.dtype, isa)
        self.element = HELD[self.dtype]
        self.wide = self.element.of(self.tile.lanes)
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
        if not self.is_bare and not self.unrolled:
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
            self._by_size(size, lambda height: self._row_tile(panel, right, begin, height))
            return ()

        b.loop(first, last, 1, (), each_block)

    def _by_size(self, size: Value, write: Callable[[int], None]) -> None:
        """The code for each number of rows that can occur."""
        b = self.b
        sizes = range(1, self.tile.most + 1)
        if self.form.rows.is_fixed:
            sizes = sorted(set(blocks(self.form.rows.most, self.tile.most)))
        after = b.label("sized")
        labels = {height: b.label("rows") for height in sizes}
        cases = " ".join(f"i64 {height}, label %{label}" for height, label in labels.items())
        b.do(f"switch i64 {size.text}, label %{after} [ {cases} ]")
        for height, label in labels.items():
            b.begin(label)
            write(height)
            b.jump(after)
        b.begin(after)

    def _row_tile(self, panel: Value, right: Value, begin: Value, height: int) -> None:
        """A tile for which panels of the left operand run along the depth."""
        b = self.b
        down = row_stride(self.form)
        left = b.at(self.body.pointer(self.form.left), times(b, begin, down), self.element)
        stride = self._left_stride()
        depth = self.body.parameters.extent(self.form.depth, "depth")
        panels = self.body.parameters.panels(self.form.depth, "depth")

        def sixteen(group: Value, tile: Tile) -> Tile:
            from_left = b.at(left, times(b, group, stride), self.element)
            from_right = self._right_at(right, times(b, group, LANES))
            rest = b.subtract(depth, times(b, group, LANES))
            stop = b.select(b.compare("slt", rest, LANES), rest, number(LANES))

            def steps(now: Tile, k: Value, count: int) -> Tile:
                at = b.at(from_left, k, self.element)
                return self._steps(now, at, down, 1, self._right_at(from_right, k), count)

            return self._in_quads(tile, stop, steps)

        self._finish(panel, begin, self._loop(number(0), panels, 1, self._nothing(height), sixteen))

    def _left_stride(self) -> Value:
        """Elements from one panel of the left operand to the next."""
        layout = self.body.plan.layout(self.form.left)
        if len(layout.axes) < 2:
            return number(LANES)
        return self.body.parameters.number(layout.panel_stride, "left panel")

    def _in_quads(self, tile: Tile, stop: Value, steps: Callable[[Tile, Value, int], Tile]) -> Tile:
        """Steps from 0 to a number, four written out at a time, then the rest; low tiles wait for sums anyway."""
        done = number(0)
        if len(tile) >= LOW:
            done = self.b.bit_and(stop, ~(STEPS - 1))
            tile = self._loop(number(0), done, STEPS, tile, lambda k, now: steps(now, k, STEPS))
        return self._loop(done, stop, 1, tile, lambda k, now: steps(now, k, 1))

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
            return self._steps(tile, at, 1, down, self._right_at(right, depth), count)

        tile = self._in_quads(self._nothing(height), length, steps)
        self._finish(panel, plus(b, times(b, group, LANES), begin), tile)

    # ---- inside a tile ----

    def _nothing(self, height: int) -> Tile:
        zero = self.b.constant(self.wide, 0.0)
        return [[zero] * self.tile.vectors for _ in range(height)]

    def _loop(self, start: Value, stop: Value, step: int, tile: Tile, write: Callable[[Value, Tile], Tile]) -> Tile:
        """A loop that carries a tile."""
        width = self.tile.vectors

        def once(index: Value, flat: tuple[Value, ...]) -> Sequence[Value]:
            return [v for row in write(index, _rows_of(flat, width)) for v in row]

        done = self.b.loop(start, stop, step, [v for row in tile for v in row], once)
        return _rows_of(done, width)

    def _right_at(self, right: Value, depth: Value) -> Value:
        return self.b.at(right, times(self.b, depth, 1 if self.form.right_is == "numbers" else LANES), self.element)

    def _steps(self, tile: Tile, left: Value, down: int, along: int, right: Value, count: int) -> Tile:
        """Some steps of the depth, written out."""
        b, lanes = self.b, self.tile.lanes
        next_right = 1 if self.form.right_is == "numbers" else LANES
        for k in range(count):
            vectors = [
                b.load(self.wide, b.at(right, k * next_right + v * lanes, self.element))
                for v in range(self.tile.vectors)
            ]
            result: Tile = []
            for i, row in enumerate(tile):
                x = b.load(self.element, b.at(left, i * down + k * along, self.element))
                spread = b.splat(x, lanes)
                result.append([b.fma(spread, w, total) for w, total in zip(vectors, row, strict=True)])
            tile = result
        return tile

    # ---- what follows ----

    def _finish(self, panel: Value, begin: Value, tile: Tile) -> None:
        b = self.b
        if self.form.right_is == "numbers":
            pointer = self.body.pointer(self.head)
            for i, (value,) in enumerate(tile):
                b.store(value, b.at(pointer, plus(b, begin, i), self.element))
            return
        rows = [self._joined(row) for row in tile]
        if self.is_bare or self.unrolled:
            for i, row in enumerate(rows):
                self._follow(panel, plus(b, begin, i), row)
            return
        assert self._scratch is not None
        scratch = self._scratch
        for i, row in enumerate(rows):
            b.store(row, b.at(scratch, i * LANES, self.element))

        def each(i: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            row = b.load(self.element.of(LANES), b.at(scratch, times(b, i, LANES), self.element))
            self._follow(panel, plus(b, begin, i), row)
            return ()

        b.loop(number(0), number(len(rows)), 1, (), each, at_least_once=True)

    def _joined(self, row: list[Value]) -> Value:
        """Sixteen lanes; those of a half that was not computed are 0."""
        parts = list(row)
        while len(parts) * self.tile.lanes < LANES:
            parts.append(self.b.constant(self.wide, 0.0))
        while len(parts) > 1:
            parts = [self.b.joined(parts[k], parts[k + 1]) for k in range(0, len(parts), 2)]
        return parts[0]

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


def _rows_of(flat: Sequence[Value], width: int) -> Tile:
    return [list(flat[k : k + width]) for k in range(0, len(flat), width)]


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
