"""The inside of a product: a tile of the result in registers, summed over the depth from first to last.

The kernel for tiles down the rows of the left operand is one function for all layers and all models; it leaves its rows
where its caller says, sixteen columns each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from chainrule.backends.native.indices import number, times
from chainrule.backends.native.ir import HELD, I64, POINTER, Builder, Module, Value
from chainrule.backends.native.layout import LANES
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.tiles import TileShape
from chainrule.graph.tensor_type import DType

LOW: Final = 4  # rows below which a tile waits for its sums, so that longer code gains nothing
NAMELESS: Final = "cr_rows"
NAME_DIGITS: Final = 16

Tile: TypeAlias = list[list[Value]]  # by row, then by vector


class TileWriter:
    """Writes the sums of one tile.

    Attributes:
        shape: lanes, vectors and rows.
        next_right: elements from one step of the right operand to the next.
        stretch: steps that are written out one after the other.
    """

    def __init__(self, b: Builder, dtype: DType, shape: TileShape, next_right: int, stretch: int) -> None:
        self.b = b
        self.element = HELD[dtype]
        self.wide = self.element.of(shape.lanes)
        self.shape = shape
        self.next_right = next_right
        self.stretch = stretch

    def nothing(self, height: int) -> Tile:
        """A tile before the first step."""
        return [[self.b.constant(self.wide, 0.0)] * self.shape.vectors for _ in range(height)]

    def loop(self, start: Value, stop: Value, step: int, tile: Tile, write: Callable[[Value, Tile], Tile]) -> Tile:
        """A loop that carries a tile."""
        width = self.shape.vectors

        def once(index: Value, flat: tuple[Value, ...]) -> Sequence[Value]:
            return [v for row in write(index, _rows_of(flat, width)) for v in row]

        done = self.b.loop(start, stop, step, [v for row in tile for v in row], once)
        return _rows_of(done, width)

    def stretches(self, tile: Tile, stop: Value, steps: Callable[[Tile, Value, int], Tile]) -> Tile:
        """Steps from 0 to a number, some written out at a time, then the rest; low tiles wait for sums anyway."""
        done = number(0)
        if len(tile) >= LOW:
            done = self.b.subtract(stop, self.b.remainder(stop, self.stretch))
            tile = self.loop(number(0), done, self.stretch, tile, lambda k, now: steps(now, k, self.stretch))
        return self.loop(done, stop, 1, tile, lambda k, now: steps(now, k, 1))

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
        for k in range(count):
            vectors = [
                b.load(self.wide, b.at(right, k * self.next_right + v * lanes, self.element))
                for v in range(self.shape.vectors)
            ]
            result: Tile = []
            for i, row in enumerate(tile):
                x = b.load(self.element, b.at(left, i * down + k * along, self.element))
                spread = b.splat(x, lanes)
                result.append([b.fma(spread, w, total) for w, total in zip(vectors, row, strict=True)])
            tile = result
        return tile

    def joined(self, row: list[Value]) -> Value:
        """Sixteen lanes; those of a half that was not computed are 0."""
        parts = list(row)
        while len(parts) * self.shape.lanes < LANES:
            parts.append(self.b.constant(self.wide, 0.0))
        while len(parts) > 1:
            parts = [self.b.joined(parts[k], parts[k + 1]) for k in range(0, len(parts), 2)]
        return parts[0]

    def along_panels(self, left: Value, right: Value, stride: Value, depth: Value, down: int, height: int) -> Tile:
        """A whole tile where the left operand's panels run along the depth.

        Args:
            left: the first row in the first panel.
            right: the right operand's panel.
            stride: elements from one panel of the left operand to the next.
            depth: how many steps.
            down: elements from one row of the left operand to the next.
            height: rows of the tile.
        """
        b = self.b
        panels = b.shift_right(b.add(depth, LANES - 1), 4)

        def sixteen(group: Value, tile: Tile) -> Tile:
            from_left = b.at(left, times(b, group, stride), self.element)
            from_right = self.right_at(right, times(b, group, LANES))
            rest = b.subtract(depth, times(b, group, LANES))
            stop = b.select(b.compare("slt", rest, LANES), rest, number(LANES))

            def some(now: Tile, k: Value, count: int) -> Tile:
                at = b.at(from_left, k, self.element)
                return self.steps(now, at, down, 1, self.right_at(from_right, k), count)

            return self.stretches(tile, stop, some)

        return self.loop(number(0), panels, 1, self.nothing(height), sixteen)


@lru_cache(maxsize=64)
def row_kernel(isa: Isa, dtype: DType, shape: TileShape, down: int, next_right: int) -> tuple[str, str]:
    """The name and the text of the kernel: void (height, left, right, stride, depth, target).

    `target` receives `height` rows of sixteen; of a result with one column, one number after the other.
    """
    module = Module(isa)
    names = [("height", I64), ("left", POINTER), ("right", POINTER), ("stride", I64), ("depth", I64)]
    b = module.function(NAMELESS, None, [*names, ("target", POINTER)])
    height, left, right, stride, depth, target = b.arguments
    writer = TileWriter(b, dtype, shape, next_right, 4)
    after = b.label("done")
    labels = {rows: b.label("rows") for rows in range(1, shape.most + 1)}
    cases = " ".join(f"i64 {rows}, label %{label}" for rows, label in labels.items())
    b.do(f"switch i64 {height.text}, label %{after} [ {cases} ]")
    for rows, label in labels.items():
        b.begin(label)
        for i, row in enumerate(writer.along_panels(left, right, stride, depth, down, rows)):
            value = row[0] if shape.lanes == 1 else writer.joined(row)
            b.store(value, b.at(target, i * value.type.lanes, writer.element))
        b.jump(after)
    b.begin(after)
    b.give()
    text = module.text()
    name = f"{NAMELESS}_{hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]}"
    return name, text.replace(f"@{NAMELESS}(", f"@{name}(", 1)


def _rows_of(flat: Sequence[Value], width: int) -> Tile:
    return [list(flat[k : k + width]) for k in range(0, len(flat), width)]
