"""A product of two matrices with what follows it, as a function: tiles in registers, each summed first to last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from chainrule.backends.native.body import Body, Given
from chainrule.backends.native.fetching import Fetch, FetchWriter
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.indices import Index, Neighbors, Uniform, number, plus, times
from chainrule.backends.native.ir import HELD, I8, Value
from chainrule.backends.native.kernels import LOW, NEAR, KernelForm, Tile, TileWriter, kernel
from chainrule.backends.native.layout import LANES, LINE, Extent
from chainrule.backends.native.loops import LoopWriter
from chainrule.backends.native.machine import BYTES, Isa
from chainrule.backends.native.tiles import (
    MOST_ROWS,
    Form,
    form_of,
    kernel_steps,
    panels_at_once,
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
        self.element = HELD[self.dtype]
        next_right = 1 if self.form.right_is == "numbers" else LANES
        self.at_once = panels_at_once(self.form, self.dtype, isa)
        shapes = [tile_of(self.form, self.dtype, isa, panels) for panels in range(1, self.at_once + 1)]
        self.tiles = [TileWriter(self.b, self.dtype, shape, next_right, steps_of(self.form)) for shape in shapes]
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
        shape, rows = self.tiles[0].shape, self.form.rows.most
        even = (height for height in shape.heights if height >= LOW and rows % height == 0)
        return next(even, min(shape.most, rows))

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
        return self._turned * (self.at_once if shares_panels(self.form) else -(-self.form.columns.most // LANES))

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
            self._scratch = b.local(self.element.of(LANES), self.piece * self.at_once)
        self._fetches = [FetchWriter(self.body, each) for each in self._fetched]
        for fetch in self._fetches:
            fetch.begin()
        self.body.hold(self._numbers())
        low = parameters.ask(("low",), Given("low"))
        high = parameters.ask(("high",), Given("high"))
        panels = parameters.panels(self.form.columns, "columns")
        self._depth = parameters.extent(self.form.depth, "depth")
        for tiles in self.tiles[1:]:
            tiles.next_panel = self._next_right()

        def pieces() -> Sequence[Value]:
            if shares_panels(self.form):
                self._panel_by_panel(low, high)
            else:
                self._piece_by_piece(low, high, panels)
            return ()

        def pieces_of_few_steps() -> Sequence[Value]:
            self._depth = number(self.form.depth.most)
            for tiles in self.tiles:
                tiles.stretch = steps_of(self.form)
            return pieces()

        if self.is_inline and self._runs_down and self.form.depth.most <= FEW_STEPS:
            for tiles in self.tiles:
                tiles.stretch = 1
            b.choose(b.compare("ne", self._depth, self.form.depth.most), pieces, pieces_of_few_steps, rarely=True)
        else:
            pieces()

    def _panel_by_panel(self, low: Value, high: Value) -> None:
        """One or two panels of the right operand stay near while all rows pass by."""
        rows = self.body.parameters.ask(("blocks",), Given("blocks", extent=self.form.rows, number=self.piece))

        def each_panels(panel: Value, count: Value) -> None:
            right = self._right(panel, count)
            before = times(self.b, panel, rows)

            def each(piece: Value, _: tuple[Value, ...]) -> Sequence[Value]:
                self._fetch(plus(self.b, before, piece), rows)
                return self._write_piece(panel, count, right, piece)

            self.b.loop(number(0), rows, 1, (), each)

        self._panels(low, high, each_panels)

    def _panels(self, low: Value, high: Value, write: Callable[[Value, Value], None]) -> None:
        """Panels one after the other, or as many at once as tiles span, at last as many as there are."""
        b, most = self.b, self.at_once

        def each(panel: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            left = number(1) if most == 1 else b.intrinsic("llvm.smin", b.subtract(high, panel), number(most))
            write(panel, left)
            return ()

        b.loop(low, high, most, (), each)

    def _with_tiles(self, count: Value, write: Callable[[TileWriter], object]) -> None:
        """Write what is done for so many panels at once."""

        def arm(tiles: TileWriter) -> Sequence[Value]:
            write(tiles)
            return ()

        alone, *several = self.tiles
        if several:
            self.b.choose(self.b.compare("eq", count, 1), lambda: arm(alone), lambda: arm(several[0]))
        else:
            arm(alone)

    def _for_each(self, count: Value, write: Callable[[Value], None]) -> None:
        """Do something for each of so many panels."""

        def each(place: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            write(place)
            return ()

        if self.at_once == 1:
            write(number(0))
        else:
            self.b.loop(number(0), count, 1, (), each, at_least_once=True)

    def _piece_by_piece(self, low: Value, high: Value, panels: Value) -> None:
        """Rows of the left operand stay near while the few panels of the right operand pass by."""
        b = self.b
        if self.form.right_is == "turned":

            def each(panel: Value, _: tuple[Value, ...]) -> Sequence[Value]:
                turn_panel(self.body, self.form, panel, self._turned_at(panel))
                return ()

            b.loop(number(0), panels, 1, (), each)

        def each_piece(piece: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            before = times(b, piece, panels)

            def each(panel: Value, count: Value) -> None:
                self._fetch(plus(b, before, panel), number(1))
                self._write_piece(panel, count, self._ready(panel), piece)

            self._panels(number(0), panels, each)
            return ()

        b.loop(low, high, 1, (), each_piece)

    def _fetch(self, piece: Value, apart: Value) -> None:
        """What comes nearer with a piece: of all pieces the one of this number, and those of the panels beside it."""
        for fetch in self._fetches:
            for panel in range(self.at_once):
                fetch.some(plus(self.b, piece, times(self.b, apart, panel)))

    def _right(self, panel: Value, count: Value) -> Value:
        """Where some panels of the right operand begin, turned into the scratch where they must be."""
        if self.form.right_is != "turned":
            return self._ready(panel)

        def turn(place: Value) -> None:
            turn_panel(self.body, self.form, plus(self.b, panel, place), self._turned_at(place))

        self._for_each(count, turn)
        return self._turned_at(number(0))

    def _next_right(self) -> Value:
        """Elements from one panel of the right operand to the next, as it is read."""
        if self.form.right_is == "turned":
            return self.body.parameters.number(self._turned // BYTES[self.dtype], "turned panel")
        layout = self.body.plan.layout(self.form.right)
        if len(layout.axes) < 2:
            return number(LANES)
        return self.body.parameters.number(layout.panel_stride, "right panel")

    def _turned_at(self, place: Value) -> Value:
        scratch = self.body.parameters.ask(("scratch",), Given("scratch"))
        if place.number == 0:
            return scratch
        return self.b.at(scratch, times(self.b, place, self._next_right()), self.element)

    def _ready(self, panel: Value) -> Value:
        """Where a panel of the right operand lies, or was left."""
        form = self.form
        if form.right_is == "turned":
            return self._turned_at(panel)
        pointer = self.body.pointer(form.right)
        if form.right_is == "numbers":
            return pointer
        return self.b.at(pointer, times(self.b, panel, self._next_right()), self.element)

    def _write_piece(self, panel: Value, count: Value, right: Value, piece: Value) -> Sequence[Value]:
        """Some rows of one panel of the result, or of several."""
        b, down = self.b, row_stride(self.form)
        begin = times(b, piece, self.piece)
        left = times(b, begin, down) if self.form.left_is == "rows" else times(b, piece, self._left_stride())
        left = b.at(self.body.pointer(self.form.left), left, self.element)
        rest = b.subtract(self.body.parameters.extent(self.form.rows, "rows of the result"), begin)
        height = b.intrinsic("llvm.smin", rest, number(self.piece))
        if self.is_inline:
            inline = self._inline_tiles if self._runs_down else self._inline_rows
            self._with_tiles(count, lambda tiles: inline(tiles, panel, right, left, begin, height))
            return ()
        target = self._scratch or self._result_at(panel, begin)
        self._with_tiles(count, lambda tiles: self._call(tiles, panel, right, piece, (height, left, target)))
        if self._scratch is not None:
            self._for_each(count, lambda place: self._follow_scratch(panel, place, begin, height))
        return ()

    def _call(
        self, tiles: TileWriter, panel: Value, right: Value, piece: Value, at: tuple[Value, Value, Value]
    ) -> None:
        """Call the kernel for some panels; `at` is how many rows there are, the left operand and the target."""
        b, parameters, plan = self.b, self.body.parameters, self.body.plan
        height, left, target = at
        resumes = plan.resumes(self.head)
        known = self.form.depth.most if self._is_in_one else 0
        down = row_stride(self.form)
        stretch = kernel_steps(tiles.shape, tiles.stretch)
        form = KernelForm(tiles.shape, self.form.left_is, down, tiles.next_right, stretch, resumes, known)
        name, text = kernel(self.isa, self.dtype, form)
        self.kernels[name] = text
        depth = parameters.extent(self.form.depth, "depth")
        line, by_panel, on = self._ahead(panel, right, piece)
        given = [height, left, right, self._left_stride(), depth, target, line, by_panel]
        given += [parameters.ask(("done",), Given("done"))] if resumes else []
        given += [tiles.next_panel, self._next_target(), on] if tiles.shape.panels > 1 else []
        b.module.declare(name, None, *(value.type for value in given))
        b.call(name, None, *given)

    def _next_target(self) -> Value:
        """Elements from where the sums of one panel are left to where those of the next are."""
        if self._scratch is not None:
            return number(self.piece * LANES)
        return self.body.parameters.number(self.body.plan.layout(self.head).panel_stride, "result panel")

    def _ahead(self, panel: Value, right: Value, piece: Value) -> tuple[Value, Value, Value]:
        """The panel of the right operand that comes next: a line, how far to that sixteen steps on, and a panel on."""
        b, form = self.b, self.form
        if not shares_panels(form):
            return right, number(0), number(0)
        stride = self.body.parameters.number(self.body.plan.layout(form.right).panel_stride, "right panel")
        sixteen = number(LANES * LANES)
        by_panel, on = (stride, sixteen) if form.right_is == "turned" else (sixteen, stride)
        first = b.at(self.body.pointer(form.right), times(b, plus(b, panel, self.at_once), on), self.element)
        lines = times(b, piece, self.piece // self.tiles[-1].shape.most)
        size = BYTES[self.dtype]
        return b.at(first, times(b, lines, LINE), I8), times(b, by_panel, size), times(b, on, size)

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

    def _inline_tiles(
        self, tiles: TileWriter, panel: Value, right: Value, left: Value, begin: Value, height: Value
    ) -> None:
        """Tiles with what follows in registers; where the batch says how many rows are left, one after the other."""
        b, rows = self.b, self.form.rows

        def tile(row: int | Value, height: int) -> None:
            at = b.at(left, row, self.element)
            sums = tiles.along_rows(tiles.nothing(height), at, right, self._depth, row_stride(self.form))
            self._follow_tile(tiles, panel, plus(b, begin, row), sums)

        def fixed(count: int) -> Sequence[Value]:
            row = 0
            for each in tiles.shape.dealt(count):
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

    def _inline_rows(
        self, tiles: TileWriter, panel: Value, right: Value, left: Value, begin: Value, height: Value
    ) -> None:
        """Tiles of some rows with what follows in registers, and what rows are left one after the other."""
        b, down = self.b, row_stride(self.form)
        depth = number(self.form.depth.most)

        def tile(row: Value, height: int) -> Sequence[Value]:
            at = b.at(left, times(b, row, down), self.element)
            sums = tiles.along_panel(tiles.nothing(height), at, right, depth, down)
            self._follow_tile(tiles, panel, plus(b, begin, row), sums)
            return ()

        whole = b.subtract(height, b.remainder(height, self._height))
        b.loop(number(0), whole, self._height, (), lambda row, _: tile(row, self._height))
        b.loop(whole, height, 1, (), lambda row, _: tile(row, 1))

    # ---- what follows ----

    def _follow_tile(self, tiles: TileWriter, panel: Value, begin: Value, sums: Tile) -> None:
        """What follows, for the rows of a tile in registers."""
        for k in range(tiles.shape.panels):
            at = plus(self.b, panel, k)
            with self.body.neighbors():
                for i, row in enumerate(sums):
                    self._follow(at, plus(self.b, begin, i), tiles.joined(row, k))

    def _follow_scratch(self, panel: Value, place: Value, begin: Value, height: Value) -> None:
        """What follows, for the rows of one of the panels that were left in the scratch of this call."""
        b, tiles = self.b, self.tiles[0]
        assert self._scratch is not None
        scratch = b.at(self._scratch, times(b, place, self.piece * LANES), self.element)

        def each(i: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            at = b.at(scratch, times(b, i, LANES), self.element)
            lanes = range(0, tiles.shape.vectors * tiles.shape.lanes, tiles.shape.lanes)
            row = [b.load(tiles.wide, b.at(at, lane, self.element)) for lane in lanes]
            self._follow(plus(b, panel, place), plus(b, begin, i), tiles.joined(row))
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
