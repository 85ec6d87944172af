"""Memory that lives as long as a run: one block for the state, in the order in which the step names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from chainrule.backends.native.layout import LINE, Layout, Sizes, pack, unpack
from chainrule.backends.protocol import Array
from chainrule.graph.node import Graph

SLACK: Final = 8192  # bytes after an arena: rows beyond the last one are read while a panel is turned, and not used
NORMAL: Final = {"float32": 2.0**-126, "float64": 2.0**-1022}  # the smallest that are normal


class Buffer(msgspec.Struct, frozen=True):
    """A place in memory for one value.

    Attributes:
        name: the value it holds, for people.
        arena: "state", which lives as long as the run, or "work", which is used again every step.
        offset: bytes from the beginning of the arena.
        layout: where in it the elements lie.
        first, last: the groups between which it is needed.
    """

    name: str
    arena: str
    offset: int
    layout: Layout
    first: int = 0
    last: int = 0


def arena(size: int) -> Array:
    """So many bytes, all 0, on a cache line's boundary, with slack behind them."""
    raw = np.zeros(size + SLACK + LINE, np.uint8)
    start = -int(raw.ctypes.data) % LINE
    return raw[start : start + size + SLACK]


class StatePlaces:
    """Where each value of a state lies.

    Attributes:
        buffers: by name, in order.
        bytes: all together.
    """

    def __init__(self, graph: Graph, names: Sequence[str], sizes: Sizes) -> None:
        self.buffers: dict[str, Buffer] = {}
        self.bytes = 0
        for name in names:
            layout = Layout.of(graph.input(name).tensor, sizes)
            self.buffers[name] = Buffer(name, "state", self.bytes, layout)
            self.bytes += layout.bytes

    def pack(self, arrays: Mapping[str, Array], *, flushes: bool) -> Array:
        """A new arena that holds these values.

        Args:
            arrays: of all names.
            flushes: whether numbers too small to be normal become 0: not all instructions flush what they pass on.
        """
        memory = arena(self.bytes)
        for name, buffer in self.buffers.items():
            array = flushed(arrays[name]) if flushes else arrays[name]
            pack(array, buffer.layout, self._part(memory, buffer))
        return memory

    def unpack(self, memory: Array) -> dict[str, Array]:
        """A copy of every value in an arena."""
        return {name: unpack(self._part(memory, buffer), buffer.layout) for name, buffer in self.buffers.items()}

    def _part(self, memory: Array, buffer: Buffer) -> Array:
        return memory[buffer.offset : buffer.offset + buffer.layout.bytes]


def flushed(array: Array) -> Array:
    """The array, with 0 of the same sign for numbers too small to be normal."""
    normal = NORMAL.get(array.dtype.name)
    if normal is None:
        return array
    is_tiny = (np.abs(array) < normal) & (array != 0)
    return np.where(is_tiny, np.copysign(array.dtype.type(0), array), array) if is_tiny.any() else array
