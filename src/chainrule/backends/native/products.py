"""A product of two matrices with what follows it, as a function: tiles in registers, each summed first to last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.backends.native.body import Body, Given
from chainrule.backends.native.fetching import Fetch, FetchWriter
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.indices import Index, Neighbors, Uniform, number, plus, times
from chainrule.backends.native.ir import HELD, I8, Value
from chainrule.backends.native.kernels import LOW, NEAR, KernelForm, TileWriter, kernel
from chainrule.backends.native.layout import LANES, LINE, Extent
from chainrule.backends.native.loops import LoopWriter
from chainrule.backends.native.machine import BYTES, Isa
from chainrule.backends.native.tiles import (
    MOST_ROWS,
    Form,
    blocks,
    form_of,
    pieces_of,
    row_stride,
    shares_panels,
    steps_of,
    tile_of,
)
from chainrule.backends.native.turning import turn_panel
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import DType

FEW_STEPS: Final = LANES  # steps of the depth up to which a product is written for the largest batch
FEW: Final = 2  # members up to which what follows is written out for each row of a tile
DEAR: Final = frozenset(
    {"divide", "sqrt", "exp", "log", "expm1", "log1p", "tanh", "sigmoid", "softplus", "erf", "power"}
)


class ProductWriter(LoopWriter):
    """Writes a group that begins with a product of two matrices."""

    def __init__(self, body: Body, group: Group, isa: Isa, fetched: Sequence[Fetch] = ()) -> None:
        super().__init__(body, group)
        assert group.head is not None
        self._fetched = fetched
        self._fetches: list[FetchWriter] = []
        self.head: Node = group.head
        self.form: Form = form_of(self.head, body.plan.sizes)
        self.dtype: DType = self.head.tensor.dtype
        self.isa = isa
        self.tile = tile_of(self.form, self.dtype, isa)
        self.element = HELD[self.dtype]
        next_right = 1 if self.form.right_is == "numbers" else LANES
        self.tiles = TileWriter(self.b, self.dtype, self.tile, next_right, steps_of(self.form))
        self.kernels: dict[str, str] = {}
        self.piece = pieces_of(self.form)
        followers = [node for node in group.members if node is not self.head]
        few = len(followers) <= FEW and not any(node.primitive in DEAR for node in followers)
        is_short = self.form.depth.most * LANES * BYTES[self.dtype] <= NEAR
        self.is_bare = not followers
        in_one = self._is_in_one
        is_wide = self.form.right_is != "numbers" and not isa.brief
        self.is_inline = is_wide and few and is_short and (in_one or self._runs_down) and not self.is_bare
        if self.is_inline and in_one:
            self.piece -= self.piece % self._height
        self._scratch: Value | None = None
        self._depth = number(0)

    @property
    def _is_in_one(self) -> bool:
        """Whether the left operand has one panel, as is known here; where the right one is turned, if rows are many."""
        form = self.form
        is_few = form.depth.is_fixed and form.depth.most <= FEW_STEPS
        pays = form.right_is != "turned" or form.rows.most > MOST_ROWS
        return form.left_is == "rows" and is_few and pays

    @property
    def _runs_down(self) -> bool:
        """Whether the columns of the left operand are the rows of the result."""
        return self.form.left_is == "columns"

    @property
    def _height(self) -> int:
        """Rows of a tile where the batch decides how many there are: so many that the largest is dealt out evenly."""
        most, rows = self.tile.most, self.form.rows.most
        return next((height for height in range(most, LOW - 1, -1) if rows % height == 0), min(most, rows))

    @property
    def counted(self) -> tuple[str, Extent, int]:
        """What threads share: (panels, or pieces of so many rows, of which extent, by how many)."""
        form = self.form
        if shares_panels(form):
            return "panels", form.columns, LANES
        return "blocks", form.rows, self.piece

    @property
    def scratch(self) -> int:
        """Bytes of scratch each thread needs, for panels that are turned."""
        return self._turned * (1 if shares_panels(self.form) else -(-self.form.columns.most // LANES))

    @property
    def _turned(self) -> int:
        """Bytes of one panel that is turned."""
        if self.form.right_is != "turned":
            return 0
        return -(-self.form.depth.most // LANES) * LANES * LANES * BYTES[self.dtype]

    # ---- the loops around the tiles ----

    def write(self) -> None:
        """The whole function but its last line."""
        b, parameters = self.b, self.body.parameters
        if not self.is_bare and not self.is_inline:
            self._scratch = b.local(self.element.of(LANES), self.piece)
        self._fetches = [FetchWriter(self.body, each) for each in self._fetched]
        for fetch in self._fetches:
            fetch.begin()
        self.body.hold(self._numbers())
        low = parameters.ask(("low",), Given("low"))
        high = parameters.ask(("high",), Given("high"))
        panels = parameters.panels(self.form.columns, "columns")
        self._depth = parameters.extent(self.form.depth, "depth")

        def pieces() -> Sequence[Value]:
            if shares_panels(self.form):
                self._panel_by_panel(low, high)
            else:
                self._piece_by_piece(low, high, panels)
            return ()

        def pieces_of_few_steps() -> Sequence[Value]:
            self._depth = number(self.form.depth.most)
            self.tiles.stretch = steps_of(self.form)
            return pieces()

        if self.is_inline and self._runs_down and self.form.depth.most <= FEW_STEPS:
            self.tiles.stretch = 1
            b.choose(b.compare("ne", self._depth, self.form.depth.most), pieces, pieces_of_few_steps, rarely=True)
        else:
            pieces()

    def _panel_by_panel(self, low: Value, high: Value) -> None:
        """A panel of the right operand stays near while all rows pass by."""
        rows = self.body.parameters.ask(("blocks",), Given("blocks", extent=self.form.rows, number=self.piece))

        def each_panel(panel: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            right = self._right(panel, number(0))
            before = times(self.b, panel, rows)

            def each(piece: Value, _: tuple[Value, ...]) -> Sequence[Value]:
                self._fetch(plus(self.b, before, piece))
                return self._write_piece(panel, right, piece)

            self.b.loop(number(0), rows, 1, (), each)
            return ()

        self.b.loop(low, high, 1, (), each_panel)

    def _piece_by_piece(self, low: Value, high: Value, panels: Value) -> None:
        """Rows of the left operand stay near while the few panels of the right operand pass by."""
        b = self.b
        if self.form.right_is == "turned":

            def each(panel: Value, _: tuple[Value, ...]) -> Sequence[Value]:
                self._right(panel, panel)
                return ()

            b.loop(number(0), panels, 1, (), each)

        def each_piece(piece: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            before = times(b, piece, panels)

            def each(panel: Value, _: tuple[Value, ...]) -> Sequence[Value]:
                self._fetch(plus(b, before, panel))
                return self._write_piece(panel, self._ready(panel), piece)

            return b.loop(number(0), panels, 1, (), each)

        b.loop(low, high, 1, (), each_piece)

    def _fetch(self, piece: Value) -> None:
        """What comes nearer with a piece: of all pieces the one of this number."""
        for fetch in self._fetches:
            fetch.some(piece)

    def _right(self, panel: Value, place: Value) -> Value:
        """Where the panel of the right operand begins, turned into this place of the scratch where it must be."""
        if self.form.right_is != "turned":
            return self._ready(panel)
        at = self._turned_at(place)
        turn_panel(self.body, self.form, panel, at)
        return at

    def _turned_at(self, place: Value) -> Value:
        scratch = self.body.parameters.ask(("scratch",), Given("scratch"))
        if place.number == 0:
            return scratch
        stride = self.body.parameters.number(self._turned // BYTES[self.dtype], "turned panel")
        return self.b.at(scratch, times(self.b, place, stride), self.element)

    def _ready(self, panel: Value) -> Value:
        """Where a panel of the right operand lies, or was left."""
        form = self.form
        if form.right_is == "turned":
            return self._turned_at(panel)
        pointer = self.body.pointer(form.right)
        if form.right_is == "numbers":
            return pointer
        layout = self.body.plan.layout(form.right)
        stride = number(LANES)
        if len(layout.axes) > 1:
            stride = self.body.parameters.number(layout.panel_stride, "right panel")
        return self.b.at(pointer, times(self.b, panel, stride), self.element)

    def _write_piece(self, panel: Value, right: Value, piece: Value) -> Sequence[Value]:
        """Some rows of a panel of the result."""
        b, down = self.b, row_stride(self.form)
        begin = times(b, piece, self.piece)
        left = times(b, begin, down) if self.form.left_is == "rows" else times(b, piece, self._left_stride())
        left = b.at(self.body.pointer(self.form.left), left, self.element)
        rest = b.subtract(self.body.parameters.extent(self.form.rows, "rows of the result"), begin)
        height = b.intrinsic("llvm.smin", rest, number(self.piece))
        if self.is_inline:
            tiles = self._inline_tiles if self._runs_down else self._inline_rows
            tiles(panel, right, left, begin, height)
            return ()
        resumes = self.body.plan.resumes(self.head)
        known = self.form.depth.most if self._is_in_one else 0
        form = KernelForm(self.tile, self.form.left_is, down, self.tiles.next_right, self.tiles.stretch, resumes, known)
        name, text = kernel(self.isa, self.dtype, form)
        self.kernels[name] = text
        depth = self.body.parameters.extent(self.form.depth, "depth")
        target = self._scratch or self._result_at(panel, begin)
        done = (self.body.parameters.ask(("done",), Given("done")),) if resumes else ()
        given = (height, left, right, self._left_stride(), depth, target, *self._ahead(panel, right, piece), *done)
        b.module.declare(name, None, *(value.type for value in given))
        b.call(name, None, *given)
        if self._scratch is not None:
            self._follow_scratch(panel, begin, height)
        return ()

    def _ahead(self, panel: Value, right: Value, piece: Value) -> tuple[Value, Value]:
        """The panel of the right operand that comes next: a line of it, and how far it is to that sixteen steps on."""
        b, form = self.b, self.form
        if not shares_panels(form):
            return right, number(0)
        stride = self.body.parameters.number(self.body.plan.layout(form.right).panel_stride, "right panel")
        sixteen = number(LANES * LANES)
        by_panel, on = (stride, sixteen) if form.right_is == "turned" else (sixteen, stride)
        first = b.at(self.body.pointer(form.right), times(b, plus(b, panel, 1), on), self.element)
        tiles = times(b, piece, self.piece // self.tile.most)
        return b.at(first, times(b, tiles, LINE), I8), times(b, by_panel, BYTES[self.dtype])

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

    def _inline_tiles(self, panel: Value, right: Value, left: Value, begin: Value, height: Value) -> None:
        """Tiles with what follows in registers; where the batch says how many rows are left, one after the other."""
        b, rows = self.b, self.form.rows

        def tile(row: int | Value, height: int) -> None:
            at = b.at(left, row, self.element)
            sums = self.tiles.along_rows(self.tiles.nothing(height), at, right, self._depth, row_stride(self.form))
            for i, each in enumerate(sums):
                self._follow(panel, plus(b, plus(b, begin, row), i), self.tiles.joined(each))

        def fixed(count: int) -> Sequence[Value]:
            row = 0
            for each in blocks(count, self.tile.most):
                tile(row, each)
                row += each
            return ()

        def each_row(row: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            tile(row, 1)
            return ()

        def rest() -> Sequence[Value]:
            return fixed(rows.most % LANES) if rows.is_fixed else b.loop(number(0), height, 1, (), each_row)

        if rows.is_fixed and rows.most % LANES == 0:
            fixed(LANES)
        elif rows.is_fixed and rows.most < LANES:
            rest()
        else:
            b.choose(b.compare("eq", height, LANES), lambda: fixed(LANES), rest)

    def _inline_rows(self, panel: Value, right: Value, left: Value, begin: Value, height: Value) -> None:
        """Tiles of some rows with what follows in registers, and what rows are left one after the other."""
        b, down = self.b, row_stride(self.form)
        depth = number(self.form.depth.most)

        def tile(row: Value, height: int) -> Sequence[Value]:
            at = b.at(left, times(b, row, down), self.element)
            sums = self.tiles.along_panel(self.tiles.nothing(height), at, right, depth, down)
            for i, each in enumerate(sums):
                self._follow(panel, plus(b, plus(b, begin, row), i), self.tiles.joined(each))
            return ()

        whole = b.subtract(height, b.remainder(height, self._height))
        b.loop(number(0), whole, self._height, (), lambda row, _: tile(row, self._height))
        b.loop(whole, height, 1, (), lambda row, _: tile(row, 1))

    # ---- what follows ----

    def _follow_scratch(self, panel: Value, begin: Value, height: Value) -> None:
        """What follows, for rows that were left in the scratch of this call."""
        b, scratch = self.b, self._scratch
        assert scratch is not None

        def each(i: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            at = b.at(scratch, times(b, i, LANES), self.element)
            lanes = range(0, self.tile.vectors * self.tile.lanes, self.tile.lanes)
            row = [b.load(self.tiles.wide, b.at(at, lane, self.element)) for lane in lanes]
            self._follow(panel, plus(b, begin, i), self.tiles.joined(row))
            return ()

        b.loop(number(0), height, 1, (), each, at_least_once=True)

    def _follow(self, panel: Value, row: Value, value: Value) -> None:
        """One row of the result: what follows is computed, what is needed later is stored."""
        self._reach_ahead(panel, row)
        self.body.begin()
        at = self._at(panel, row)
        self.body.preset(self.head, self._indices(self.head, at), value)
        self._compute(at)

    def _reach_ahead(self, panel: Value, row: Value) -> None:
        """Have what the next panel of rows is to be joined with come nearer, where it is read for the first time."""
        if self.form.left_is == "rows":
            return
        plan = self.body.plan
        reads = [read for node in self.group.members for read in plan.grouping.reads(node)]
        for node in dict.fromkeys(read.node for read in reads if read.same and read.node in plan.buffers):
            at = self._at(panel, plus(self.b, row, LANES))
            self.b.prefetch(self.body.address(node, plan.layout(node), self._indices(node, at)))

    def _at(self, panel: Value, row: Value) -> dict[int, Index]:
        if len(self.group.space) == 2:
            return {0: Uniform(row), 1: Neighbors(panel)}
        return {0: Neighbors(panel)}  # one row


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
