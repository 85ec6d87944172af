"""Where the elements of a value lie in memory: panels of 16 columns, each row of a panel next to the one before.

A value of shape (…, rows, columns) is kept as (…, panels, rows, 16), so that every product reads memory in order and
every stride inside a panel is a constant. Axes of length 1 take no part: (n, 1) and (1, n) lie as (n,) does. The lanes
of the last panel beyond the last column are padding: they are written, and never read into an element.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from chainrule.backends.given import NUMPY
from chainrule.backends.native.machine import BYTES
from chainrule.backends.protocol import Array
from chainrule.graph.tensor_type import Dim, DType, Shape, Size, TensorType

LANES: Final = 16
HALF: Final = 8  # columns up to which half a panel is computed
LINE: Final = 64  # bytes; every buffer begins on a cache line
SAME: Final = 2048  # bytes; what lies multiples of this apart competes for a few places in the nearest cache


class Extent(msgspec.Struct, frozen=True):
    """The length of an axis: factor · n^power, where n is the number of rows in the batch.

    Attributes:
        factor: the number itself where power is 0.
        power: how often n is a factor.
        most: its value for the largest batch.
    """

    factor: int
    power: int
    most: int

    @property
    def is_fixed(self) -> bool:
        """Whether the batch does not matter."""
        return self.power == 0

    @property
    def is_one(self) -> bool:
        """Whether the axis takes no part."""
        return self.power == 0 and self.factor == 1

    @property
    def is_batch(self) -> bool:
        """Whether it is the number of rows in the batch."""
        return self.power == 1 and self.factor == 1

    def at(self, rows: int) -> int:
        """Its value for a batch of so many rows."""
        return self.factor * rows**self.power


class Sizes(msgspec.Struct, frozen=True):
    """The values of named sizes: numbers, but for the batch, which has a largest value only.

    Attributes:
        fixed: (symbol, number) pairs.
        batch: the symbol of the batch, None where there is none.
        most: the rows of the largest batch.
    """

    fixed: tuple[tuple[str, int], ...]
    batch: str | None = None
    most: int = 1

    @staticmethod
    def of(numbers: Mapping[str, int], batch: str | None = None, most: int = 1) -> Sizes:
        """From a mapping of symbols to numbers."""
        return Sizes(tuple(sorted((s, v) for s, v in numbers.items() if s != batch)), batch, most)

    def extent(self, dim: Dim) -> Extent:
        """The length of an axis."""
        if isinstance(dim, int):
            return Extent(dim, 0, dim)
        numbers = dict(self.fixed)
        factor = dim.factor * math.prod(numbers[s] for s in dim.symbols if s != self.batch)
        power = sum(s == self.batch for s in dim.symbols)
        return Extent(factor, power, factor * self.most**power)

    def extents(self, shape: Shape) -> tuple[Extent, ...]:
        """The lengths of all axes."""
        return tuple(self.extent(dim) for dim in shape)

    def size(self, size: Size) -> Extent:
        """The value of a named size."""
        return self.extent(size)


class Layout(msgspec.Struct, frozen=True):
    """Where the elements of one value lie.

    Attributes:
        dtype: of the elements; a bool is a byte.
        extents: the lengths of all axes.
    """

    dtype: DType
    extents: tuple[Extent, ...]

    @staticmethod
    def of(type_: TensorType, sizes: Sizes) -> Layout:
        """The layout of a value of this type."""
        return Layout(type_.dtype, sizes.extents(type_.shape))

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that take part: the last one runs along the lanes, the one before it along the rows."""
        return tuple(axis for axis, extent in enumerate(self.extents) if not extent.is_one)

    @property
    def lane_axis(self) -> int | None:
        """The axis along the lanes; None for a single number."""
        return self.axes[-1] if self.axes else None

    @property
    def is_narrow(self) -> bool:
        """Whether the columns fill but half a panel."""
        last = self.lane_axis
        return last is not None and self.extents[last].is_fixed and self.extents[last].most <= HALF

    @property
    def panel_stride(self) -> int:
        """Elements from one panel to the next: rows in panels side by side shall not fall on the same cache lines."""
        rows = self.extents[self.axes[-2]].most if len(self.axes) > 1 else 1
        is_even = rows > 0 and rows * LANES * BYTES[self.dtype] % SAME == 0
        return LANES * (rows + is_even)

    def stride(self, axis: int) -> int:
        """Elements from one index to the next along an axis other than that of the lanes; 0 where it takes no part."""
        axes = self.axes
        if axis not in axes:
            return 0
        place = axes.index(axis)
        if place == len(axes) - 2:
            return LANES
        inner = math.prod(self.extents[a].most for a in axes[place + 1 : -2])
        return inner * self.panel_stride * self.panels

    @property
    def row_bytes(self) -> int:
        """Bytes from one index of the first axis to the next, where that axis takes part."""
        return (1 if self.lane_axis == 0 else self.stride(0)) * BYTES[self.dtype]

    def cut(self, rows: int) -> Layout:
        """The layout of so many rows of the batch at most, which is the first axis."""
        first, *inner = self.extents
        return Layout(self.dtype, (Extent(first.factor, first.power, rows), *inner))

    @property
    def panels(self) -> int:
        """Panels side by side, at most."""
        return -(-self.extents[self.axes[-1]].most // LANES) if self.axes else 1

    @property
    def elements(self) -> int:
        """Elements taken up, padding included."""
        outer = math.prod(self.extents[a].most for a in self.axes[:-2])
        return outer * self.panels * self.panel_stride

    @property
    def bytes(self) -> int:
        """Bytes taken up, a whole number of cache lines."""
        return -(-max(self.elements, LANES) * BYTES[self.dtype] // LINE) * LINE


def pack(array: Array, layout: Layout, memory: Array) -> None:
    """Write an array's elements where the layout has them.

    Args:
        array: of the layout's shape for the largest batch.
        layout: where the elements go.
        memory: the bytes of the buffer, uint8, layout.bytes of them; padding becomes 0.
    """
    memory[:] = 0
    _panels(layout, memory)[...] = _padded(np.asarray(array).reshape(_lengths(layout)), layout)


def unpack(memory: Array, layout: Layout) -> Array:
    """The elements as an array in the usual order; a copy."""
    panels = _panels(layout, memory)
    lengths = _lengths(layout)
    columns = lengths[-1] if lengths else 1
    joined = np.moveaxis(panels, -3, -2)
    flat = joined.reshape(*joined.shape[:-2], layout.panels * LANES)[..., :columns]
    return np.array(flat.reshape([e.most for e in layout.extents]), order="C")


def _lengths(layout: Layout) -> list[int]:
    return [layout.extents[a].most for a in layout.axes]


def _panels(layout: Layout, memory: Array) -> Array:
    """The buffer as (…, panels, rows, 16)."""
    lengths = _lengths(layout)
    rows = lengths[-2] if len(lengths) > 1 else 1
    shape = (*lengths[:-2], layout.panels, layout.panel_stride // LANES, LANES)
    dtype = NUMPY[layout.dtype]
    return memory[: layout.elements * dtype.itemsize].view(dtype).reshape(shape)[..., :rows, :]


def _padded(array: Array, layout: Layout) -> Array:
    """The array as (…, panels, rows, 16), zeros where there is padding."""
    rows = np.atleast_2d(array) if array.ndim else array.reshape(1, 1)
    wide = np.zeros((*rows.shape[:-1], layout.panels * LANES), rows.dtype)
    wide[..., : rows.shape[-1]] = rows
    return np.moveaxis(wide.reshape(*rows.shape[:-1], layout.panels, LANES), -2, -3)
