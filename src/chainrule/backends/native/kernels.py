"""The inside of a product: a tile of the result in registers, summed over the depth from first to last.

A kernel is one function for all layers and all models; it leaves its rows where its caller says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from chainrule.backends.native.indices import number, times
from chainrule.backends.native.ir import HELD, I1, I8, I64, POINTER, Builder, Module, Type, Value
from chainrule.backends.native.layout import LANES, LINE
from chainrule.backends.native.machine import BYTES, KIB, Isa
from chainrule.backends.native.tiles import MOST_ROWS, Left, TileShape
from chainrule.graph.tensor_type import DType

LOW: Final = 4  # rows below which a tile waits for its sums, so that longer code gains nothing
NEAR: Final = 16 * KIB  # of the right operand, which stays in the nearest cache while tiles pass by
NAMELESS: Final = "cr_rows"
NAME_DIGITS: Final = 16

Tile: TypeAlias = list[list[Value]]  # by row, then by vector


class Part(msgspec.Struct, frozen=True):
    """A part of the depth.

    Attributes:
        right: the right operand where the part begins.
        stride: elements from one panel of the left operand to the next.
        depth: how many steps.
        is_first: whether nothing was summed before.
        by_panel: bytes between the lines to be fetched in two panels of the left operand.
        ahead_on: bytes between those in two panels of the right operand.
    """

    right: Value
    stride: Value
    depth: Value
    is_first: Value
    by_panel: Value
    ahead_on: Value


class KernelForm(msgspec.Struct, frozen=True):
    """What a kernel's code depends on.

    Attributes:
        shape: of its tiles.
        left_is: whether the left operand's rows or its columns are the rows of the result.
        down: elements from one row of the left operand to the next.
        next_right: elements from one step of the right operand to the next.
        stretch: steps that are written out one after the other.
        resumes: whether it may go on from sums that wait at the target.
        depth: the steps of a sum where they are few and known; 0 where the caller says.
    """

    shape: TileShape
    left_is: Left
    down: int
    next_right: int
    stretch: int
    resumes: bool = False
    depth: int = 0


class TileWriter:
    """Writes the sums of one tile.

    Attributes:
        shape: lanes, vectors, rows and panels.
        next_right: elements from one step of the right operand to the next.
        stretch: steps that are written out one after the other.
        next_panel: elements from one panel of the right operand to the next; asked for where a tile spans several.
    """

    def __init__(self, b: Builder, dtype: DType, shape: TileShape, next_right: int, stretch: int) -> None:
        self.b = b
        self.element = HELD[dtype]
        self.wide = self.element.of(shape.lanes)
        self.shape = shape
        self.next_right = next_right
        self.stretch = stretch
        self.next_panel = number(0)

    def nothing(self, height: int) -> Tile:
        """A tile before the first step."""
        return [[self.b.constant(self.wide, 0.0)] * self.shape.width for _ in range(height)]

    def loop(
        self,
        start: Value,
        stop: Value,
        step: int,
        tile: Tile,
        write: Callable[[Value, Tile], Tile],
        *,
        at_least_once: bool = False,
    ) -> Tile:
        """A loop that carries a tile."""
        width = self.shape.width

        def once(index: Value, flat: tuple[Value, ...]) -> Sequence[Value]:
            return [v for row in write(index, _rows_of(flat, width)) for v in row]

        flat = [v for row in tile for v in row]
        done = self.b.loop(start, stop, step, flat, once, at_least_once=at_least_once)
        return _rows_of(done, width)

    def stretches(self, tile: Tile, stop: Value, steps: Callable[[Tile, Value, int], Tile]) -> Tile:
        """Steps from 0 to a number, some written out at a time, then the rest; low tiles wait for sums anyway."""
        if stop.number is not None:
            return self._known(tile, int(stop.number), steps)
        done = number(0)
        if len(tile) >= LOW and self.stretch > 1:
            done = self.b.subtract(stop, self.b.remainder(stop, self.stretch))
            tile = self.loop(number(0), done, self.stretch, tile, lambda k, now: steps(now, k, self.stretch))
        return self.loop(done, stop, 1, tile, lambda k, now: steps(now, k, 1))

    def _known(self, tile: Tile, count: int, steps: Callable[[Tile, Value, int], Tile]) -> Tile:
        """So many steps: a loop over stretches, and what is left."""
        whole = count - count % self.stretch

        def stretch(k: Value, now: Tile) -> Tile:
            return steps(now, k, self.stretch)

        if whole > self.stretch:
            tile = self.loop(number(0), number(whole), self.stretch, tile, stretch, at_least_once=True)
        elif whole:
            tile = steps(tile, number(0), whole)
        return steps(tile, number(whole), count - whole)

    def right_at(self, right: Value, depth: Value) -> Value:
        """Where the right operand is at a step."""
        return self.b.at(right, times(self.b, depth, self.next_right), self.element)

    def steps(self, tile: Tile, left: Value, down: int, along: int, right: Value, count: int) -> Tile:
        """Some steps of the depth, written out.

        Args:
            tile: what was summed before.
            left: the left operand's element of the first row at the first step.
            down: elements from one row to the next.
            along: elements from one step to the next.
            right: the right operand at the first step.
            count: how many steps.
        """
        b, lanes = self.b, self.shape.lanes
        begins = self.panels(right, self.next_panel, self.element)
        if self.shape.width == 1 and self.shape.lanes == LANES:
            left = b.settled(left)  # the instruction that multiplies reads it, and would be two with an index
        for k in range(count):
            vectors = [
                b.load(self.wide, b.at(begin, k * self.next_right + v * lanes, self.element))
                for begin in begins
                for v in range(self.shape.vectors)
            ]
            result: Tile = []
            for i, row in enumerate(tile):
                x = b.load(self.element, b.at(left, i * down + k * along, self.element))
                spread = b.splat(x, lanes)
                result.append([b.fma(spread, w, total) for w, total in zip(vectors, row, strict=True)])
            tile = result
        return tile

    def panels(self, first: Value, step: Value, element: Type) -> list[Value]:
        """Where something is for each panel that the tile spans, from where it is for the first."""
        return [first, *(self.b.at(first, times(self.b, step, p), element) for p in range(1, self.shape.panels))]

    def joined(self, row: list[Value], panel: int = 0) -> Value:
        """The sixteen lanes of one panel; those of a half that was not computed are 0."""
        first = panel * self.shape.vectors
        parts = row[first : first + self.shape.vectors]
        while len(parts) * self.shape.lanes < LANES:
            parts.append(self.b.constant(self.wide, 0.0))
        while len(parts) > 1:
            parts = [self.b.joined(parts[k], parts[k + 1]) for k in range(0, len(parts), 2)]
        return parts[0]

    def along_panels(self, tile: Tile, part: Part, left: Value, down: int, ahead: Value) -> Tile:
        """A tile where the left operand's panels run along the depth.

        Args:
            tile: what was summed before.
            part: of the depth.
            left: the first row in the first panel.
            down: elements from one row of the left operand to the next.
            ahead: a line that will be read soon; one is fetched for each panel of the left operand.
        """
        b, width = self.b, self.shape.width
        panels = b.shift_right(b.add(part.depth, LANES - 1), 4)

        def sixteen(_: Value, carried: tuple[Value, ...]) -> Sequence[Value]:
            from_left, from_right, soon, rest, *flat = carried
            for line in self.panels(soon, part.ahead_on, I8):
                b.prefetch(line, locality=2)
            stop = b.intrinsic("llvm.smin", rest, number(LANES))

            def some(now: Tile, k: Value, count: int) -> Tile:
                return self.steps(now, b.at(from_left, k, self.element), down, 1, self.right_at(from_right, k), count)

            done = self.stretches(_rows_of(flat, width), stop, some)
            following = b.at(from_left, part.stride, self.element), self.right_at(from_right, number(LANES))
            following = *following, b.at(soon, part.by_panel, I8)
            return [*following, b.subtract(rest, LANES), *(v for row in done for v in row)]

        flat = [v for row in tile for v in row]
        _, _, _, _, *sums = b.loop(number(0), panels, 1, [left, part.right, ahead, part.depth, *flat], sixteen)
        return _rows_of(sums, width)

    def along_panel(self, tile: Tile, left: Value, right: Value, depth: Value, down: int) -> Tile:
        """A tile where the left operand's one panel runs along the depth; arguments as of `along_rows`."""

        def some(now: Tile, k: Value, count: int) -> Tile:
            return self.steps(now, self.b.at(left, k, self.element), down, 1, self.right_at(right, k), count)

        return self.stretches(tile, depth, some)

    def along_rows(self, tile: Tile, left: Value, right: Value, depth: Value, down: int) -> Tile:
        """A tile where the left operand's columns are the rows of the result.

        Args:
            tile: what was summed before.
            left: the first column in the first row.
            right: the right operand's panel.
            depth: how many steps.
            down: elements from one row of the left operand to the next.
        """

        def some(now: Tile, k: Value, count: int) -> Tile:
            at = self.b.at(left, times(self.b, k, down), self.element)
            return self.steps(now, at, 1, down, self.right_at(right, k), count)

        return self.stretches(tile, depth, some)


class KernelWriter:
    """Writes a kernel: void (rows, left, right, stride, depth, target, ahead, by panel, ...).

    It computes up to `MOST_ROWS` rows of one panel, in tiles, and leaves them at `target`, sixteen columns each; of a
    result with one column, one number after the other. If it resumes it also takes `done`; if its tiles span two
    panels, how far it is to the second one: at the right operand, at the target, and ahead.

    The depth is taken in blocks for which the right operand stays in the nearest cache; between them the sums wait at
    `target`, so that each is still a chain from first to last; one that resumes goes on from there if steps were done
    before. Meanwhile what comes `ahead` is fetched into the second-level cache, line by line.
    """

    def __init__(self, isa: Isa, dtype: DType, form: KernelForm) -> None:
        self.module = Module(isa)
        names = [("rows", I64), ("left", POINTER), ("right", POINTER), ("stride", I64), ("depth", I64)]
        names += [("target", POINTER), ("ahead", POINTER), ("by_panel", I64)]
        names += [("done", I64)] if form.resumes else []
        names += [("next_right", I64), ("next_target", I64), ("ahead_on", I64)] if form.shape.panels > 1 else []
        self.b = self.module.function(NAMELESS, None, names)
        self.form = form
        self.block = NEAR // (LANES * BYTES[dtype] * form.shape.panels)
        self.tiles = TileWriter(self.b, dtype, form.shape, form.next_right, form.stretch)
        self.element = HELD[dtype]
        self._next_target = self._ahead_on = number(0)
        if form.shape.panels > 1:
            self.tiles.next_panel, self._next_target, self._ahead_on = self.b.arguments[-3:]

    def write(self) -> str:
        """The whole module."""
        b = self.b
        rows, left, right, stride, depth, target, ahead, by_panel, *rest = b.arguments
        done = rest[:1] if self.form.resumes else []
        if self.form.depth:
            part = Part(right, stride, number(self.form.depth), b.constant(I1, 1), by_panel, self._ahead_on)
            self._rows(part, rows, left, target, ahead)
            b.give()
            return self.module.text()
        count = b.divide(b.add(depth, self.block - 1), self.block)
        last = self._last_part(depth, count)

        def each_part(number_: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            begin = b.intrinsic("llvm.smin", times(b, number_, self.block), last)
            following = b.intrinsic("llvm.smin", times(b, b.add(number_, 1), self.block), last)
            end = b.select(b.compare("eq", b.add(number_, 1), count), depth, following)
            panels = b.shift_right(begin, 4)
            skipped = b.multiply(panels, stride) if self._runs_along else times(b, begin, self.form.down)
            first = self.tiles.right_at(right, begin)
            before = b.bit_or(number_, done[0]) if done else number_
            part = Part(first, stride, b.subtract(end, begin), b.compare("eq", before, 0), by_panel, self._ahead_on)
            lines = b.at(ahead, b.multiply(panels, by_panel), I8)
            self._rows(part, rows, b.at(left, skipped, self.element), target, lines)
            return ()

        b.loop(number(0), b.intrinsic("llvm.smax", count, number(1)), 1, (), each_part, at_least_once=True)
        b.give()
        return self.module.text()

    @property
    def _runs_along(self) -> bool:
        """Whether the left operand's panels run along the depth."""
        return self.form.left_is == "rows"

    def _last_part(self, depth: Value, count: Value) -> Value:
        """Where the last part of the depth begins: the last two are about as long, all others full."""
        b = self.b
        before = b.add(times(b, b.subtract(count, 2), self.block), depth)
        halved = times(b, b.shift_right(b.add(b.shift_right(before, 1), LANES - 1), 4), LANES)
        return b.select(b.compare("sgt", count, 1), halved, number(0))

    def _rows(self, part: Part, rows: Value, left: Value, target: Value, ahead: Value) -> None:
        """All rows in tiles of two heights, the higher ones first."""
        b = self.b
        dealt = [self.form.shape.dealt(count) for count in range(MOST_ROWS + 1)]
        tiles = self._looked_up([len(heights) for heights in dealt], rows)
        high = self._looked_up([max(heights, default=1) for heights in dealt], rows)
        many = b.subtract(rows, b.multiply(tiles, b.subtract(high, 1)))
        step = self.form.down if self._runs_along else 1

        def each_height(_: Value, now: tuple[Value, ...]) -> Sequence[Value]:
            height, count, row, done = now
            at = (
                b.at(left, times(b, row, step), self.element),
                b.at(target, times(b, row, self._width), self.element),
                b.at(ahead, times(b, done, LINE), I8),
            )
            self._tiles(part, height, count, at)
            return [b.subtract(high, 1), b.subtract(tiles, many), b.multiply(high, many), many]

        b.loop(number(0), number(2), 1, [high, many, number(0), number(0)], each_height, at_least_once=True)

    def _looked_up(self, numbers: Sequence[int], place: Value) -> Value:
        """One of some small numbers."""
        table = self.module.table(I8, numbers)
        return self.b.convert("zext", self.b.load(I8, self.b.at(table, place, I8)), I64)

    @property
    def _width(self) -> int:
        return 1 if self.form.shape.lanes == 1 else LANES

    def _tiles(self, part: Part, height: Value, count: Value, start: Sequence[Value]) -> None:
        """Tiles of one height, whatever it is: each height has its code."""
        b, form = self.b, self.form
        after = b.label("done")
        labels = {rows: b.label("rows") for rows in reversed(form.shape.heights)}
        cases = " ".join(f"i64 {rows}, label %{label}" for rows, label in labels.items())
        b.do(f"switch i64 {height.text}, label %{after} [ {cases} ]")
        for rows, label in labels.items():
            b.begin(label)
            down = rows * (form.down if self._runs_along else 1)

            def each(_: Value, at: tuple[Value, ...], rows: int = rows, down: int = down) -> Sequence[Value]:
                left, to, ahead = at
                self._tile(part, rows, left, to, ahead)
                return [
                    b.at(left, down, self.element),
                    b.at(to, rows * self._width, self.element),
                    b.at(ahead, LINE, I8),
                ]

            b.loop(number(0), count, 1, start, each)
            b.jump(after)
        b.begin(after)

    def _tile(self, part: Part, rows: int, left: Value, to: Value, ahead: Value) -> None:
        b, form = self.b, self.form
        tile = self.tiles.nothing(rows) if form.depth else self._begun(rows, to, part.is_first)
        if form.depth:
            tile = self.tiles.along_panel(tile, left, part.right, part.depth, form.down)
        elif self._runs_along:
            tile = self.tiles.along_panels(tile, part, left, form.down, ahead)
        else:
            tile = self.tiles.along_rows(tile, left, part.right, part.depth, form.down)
        for panel, target in enumerate(self.tiles.panels(to, self._next_target, self.element)):
            for i, row in enumerate(tile):
                value = row[0] if form.shape.lanes == 1 else self.tiles.joined(row, panel)
                b.store(value, b.at(target, i * self._width, self.element))

    def _begun(self, height: int, to: Value, is_first: Value) -> Tile:
        """What was summed in the blocks before."""
        b, shape = self.b, self.form.shape

        def nothing() -> list[Value]:
            return [value for row in self.tiles.nothing(height) for value in row]

        def waiting() -> list[Value]:
            targets = self.tiles.panels(to, self._next_target, self.element)
            places = [
                b.at(target, i * self._width + v * shape.lanes, self.element)
                for i in range(height)
                for target in targets
                for v in range(shape.vectors)
            ]
            return [b.load(self.tiles.wide, place) for place in places]

        return _rows_of(b.choose(is_first, nothing, waiting), shape.width)


@lru_cache(maxsize=64)
def kernel(isa: Isa, dtype: DType, form: KernelForm) -> tuple[str, str]:
    """The name of a kernel, which is made of its text, and the text."""
    text = KernelWriter(isa, dtype, form).write()
    name = f"{NAMELESS}_{hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]}"
    return name, text.replace(f"@{NAMELESS}(", f"@{name}(", 1)


def _rows_of(flat: Sequence[Value], width: int) -> Tile:
    return [list(flat[k : k + width]) for k in range(0, len(flat), width)]
