"""A step so small that all of it stays in registers: each value is one vector of all its elements, in the usual order.

The order in which elements are combined is that of the loops (`reductions`, `products`), so the bits are the same; only
what lies between is gone: memory, loops and calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.backends.native.ir import HELD, I32, Builder, Value
from chainrule.backends.native.lanes import ROWS, larger
from chainrule.backends.native.layout import LANES, Sizes
from chainrule.backends.native.reductions import TURNS
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.vocabulary import axes_of, integer, integers, is_product, is_reduction
from chainrule.graph.node import Node, topological
from chainrule.graph.tensor_type import Shape, Size, TensorType

MOST_ELEMENTS: Final = 32  # of a value
MOST_NODES: Final = 200
LACKING: Final = frozenset({"argmax", "random_bits", "pad", "concatenate"})  # these keep to the loops

Places: TypeAlias = npt.NDArray[np.int64]


def fits(plan: Schedule) -> bool:
    """Whether the largest batch of a step is so small that it stays in registers: a matter of shapes alone."""
    nodes = topological(plan.graph.results)
    if len(nodes) > MOST_NODES or not plan.roles.columns:
        return False
    sizes = whole(plan.sizes)
    return all(
        node.primitive not in LACKING and 0 < elements(node, sizes) <= MOST_ELEMENTS and node.tensor.rank <= 2
        for node in nodes
    )


def whole(sizes: Sizes) -> Sizes:
    """The sizes with the largest batch as a number."""
    numbers = dict(sizes.fixed)
    return Sizes.of(numbers if sizes.batch is None else {**numbers, sizes.batch: sizes.most})


def elements(node: Node, sizes: Sizes) -> int:
    """How many elements a value has."""
    return int(np.prod(lengths(node.tensor.shape, sizes), dtype=np.int64))


def lengths(shape: Shape, sizes: Sizes) -> tuple[int, ...]:
    """A shape in numbers."""
    return tuple(extent.most for extent in sizes.extents(shape))


def lanes_for(count: int) -> int:
    """Lanes of the vector that holds so many elements: a power of 2."""
    return 1 << (count - 1).bit_length()


class Registers:
    """Writes the values of nodes as vectors; inputs are given."""

    def __init__(self, b: Builder, sizes: Sizes, given: dict[Node, Value]) -> None:
        self.b = b
        self.sizes = sizes
        self._values = dict(given)

    def value(self, node: Node) -> Value:
        """All elements of a node."""
        for each in topological([node]):
            if each not in self._values:
                self._values[each] = self._made(each)
        return self._values[node]

    def _made(self, node: Node) -> Value:
        if node.primitive in _SOURCES:
            return _SOURCES[node.primitive](self, node)
        if node.primitive in _MOVES:
            base, places = self._places(node)
            return self._picked(base, places)
        if is_reduction(node):
            return self._reduced(node)
        if is_product(node):
            return self._product(node)
        return ROWS[node.primitive](self.b, node, *(self._values[source] for source in node.inputs))

    def shape(self, node: Node) -> tuple[int, ...]:
        """The lengths of a node's axes."""
        return lengths(node.tensor.shape, self.sizes)

    # ---- elements in other places ----

    def _places(self, node: Node) -> tuple[Node, Places]:
        """The node that is moved about, and for each element which of its elements it is."""
        if node.primitive not in _MOVES:
            return node, np.arange(elements(node, self.sizes), dtype=np.int64).reshape(self.shape(node))
        base, places = self._places(node.inputs[0])
        return base, _MOVES[node.primitive](places, node, self.shape(node))

    def _picked(self, base: Node, places: Places) -> Value:
        """Elements of a value, by number."""
        value = self._values[base]
        flat = [int(place) for place in places.ravel()]
        wanted = lanes_for(len(flat))
        if value.type.lanes == 1:
            return self.b.splat(value, wanted)
        flat += [flat[0]] * (wanted - len(flat))
        if wanted == 1:
            return self.b.extract(value, flat[0])
        return value if flat == list(range(value.type.lanes)) else self.b.shuffle(value, value, flat)

    # ---- sums and products, in the order of the loops ----

    def _reduced(self, node: Node) -> Value:
        base, places = self._places(node.inputs[0])
        axes = axes_of(node)
        kept = [axis for axis in range(places.ndim) if axis not in axes]
        taking_part = [axis for axis in range(places.ndim) if places.shape[axis] != 1]
        across = bool(taking_part) and taking_part[-1] in axes
        inner = [axis for axis in axes if axis in taking_part]
        if not inner:
            return self._picked(base, places)
        ordered = places.transpose([*kept, *inner, *(a for a in axes if a not in inner)])
        ordered = ordered.reshape([places.shape[a] for a in kept] + [places.shape[a] for a in inner])
        flat = ordered.reshape(int(np.prod(ordered.shape[: len(kept)], dtype=np.int64)), -1, places.shape[inner[-1]])
        combine = self.b.add if node.primitive == "sum" else self._larger_of(node)
        turns = TURNS if node.primitive == "sum" else 1
        if not across:
            all_of_them = [self._picked(base, column) for column in flat.reshape(len(flat), -1).T]
            result = _in_turns(all_of_them, combine, turns)
            assert result is not None
            return result
        by_lane: list[Value | None] = []
        for lane in range(LANES):
            starts = range(lane, LANES * -(-flat.shape[2] // LANES), LANES)
            visits = [
                self._picked(base, flat[:, row, k]) if k < flat.shape[2] else None
                for row in range(flat.shape[1])
                for k in starts
            ]
            by_lane.append(_in_turns(visits, combine, turns))
        result = _folded(by_lane, combine)
        assert result is not None
        return result

    def _larger_of(self, node: Node) -> Callable[[Value, Value], Value]:
        return partial(larger, self.b, unsigned=node.tensor.dtype == "uint32")

    def _product(self, node: Node) -> Value:
        (x, at_x), (w, at_w) = (self._places(source) for source in node.inputs)
        rows, columns = at_x.shape[0], at_w.shape[1]
        total = self.b.constant(HELD[node.tensor.dtype].of(lanes_for(rows * columns)), 0.0)
        for k in range(at_x.shape[1]):
            left = self._picked(x, np.repeat(at_x[:, k], columns))
            right = self._picked(w, np.tile(at_w[k], rows))
            total = self.b.fma(left, right, total)
        return total


def _in_turns(visits: Sequence[Value | None], combine: Callable[[Value, Value], Value], turns: int) -> Value | None:
    """Partial results that take turns, then all together; what is missing changes nothing but whose turn it is."""
    carried: list[Value | None] = [None] * turns
    for x in visits:
        first, *rest = carried
        carried = [*rest, _joined(first, x, combine)]
    while len(carried) > 1:
        carried = [_joined(carried[k], carried[k + 1], combine) for k in range(0, len(carried), 2)]
    return carried[0]


def _folded(by_lane: Sequence[Value | None], combine: Callable[[Value, Value], Value]) -> Value | None:
    """Sixteen lanes folded in halves."""
    left = list(by_lane)
    while len(left) > 1:
        half = len(left) // 2
        left = [_joined(left[k], left[k + half], combine) for k in range(half)]
    return left[0]


def _joined(x: Value | None, y: Value | None, combine: Callable[[Value, Value], Value]) -> Value | None:
    if x is None or y is None:
        return x if y is None else y
    return combine(x, y)


# ---- sources and moves ----


def _constant(registers: Registers, node: Node) -> Value:
    type_, value = node["type"], node["value"]
    assert isinstance(type_, TensorType)
    assert isinstance(value, (int, float))
    return registers.b.constant(HELD[type_.dtype].of(lanes_for(elements(node, registers.sizes))), value)


def _size(registers: Registers, node: Node) -> Value:
    size = node["of"]
    assert isinstance(size, Size)
    return registers.b.constant(I32, registers.sizes.size(size).most)


def _iota(registers: Registers, node: Node) -> Value:
    shape, axis = registers.shape(node), integer(node, "axis")
    along = np.broadcast_to(np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))]), shape)
    flat = [int(k) for k in along.ravel()]
    lanes = lanes_for(len(flat))
    if lanes == 1:
        return registers.b.constant(I32, flat[0])
    return registers.b.constants(I32.of(lanes), flat + [0] * (lanes - len(flat)))


_SOURCES: Final[dict[str, Callable[[Registers, Node], Value]]] = {"constant": _constant, "size": _size, "iota": _iota}


def _broadcast(places: Places, node: Node, shape: tuple[int, ...]) -> Places:
    new = integers(node, "axes")
    inner = [1 if axis in new else length for axis, length in enumerate(shape)]
    return np.broadcast_to(places.reshape(inner), shape)


def _slice(places: Places, node: Node, _: tuple[int, ...]) -> Places:
    axis = integer(node, "axis")
    return np.take(places, range(integer(node, "start"), integer(node, "stop")), axis)


_MOVES: Final[dict[str, Callable[[Places, Node, tuple[int, ...]], Any]]] = {
    "broadcast": _broadcast,
    "reshape": lambda places, _, shape: places.reshape(shape),
    "transpose": lambda places, node, _: places.transpose(integers(node, "permutation")),
    "slice": _slice,
    "stop_gradient": lambda places, _, __: places,
}
