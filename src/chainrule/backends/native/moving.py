"""THE TABLE of what only moves: where in its inputs a broadcast, a slice, a transpose and the like look."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from chainrule.backends.native.indices import (
    ZERO,
    Index,
    Indices,
    Neighbors,
    Uniform,
    is_inside,
    linear,
    number,
    shifted,
    unlinear,
    vector,
    within,
)
from chainrule.backends.native.ir import HELD, I32, Value
from chainrule.backends.native.layout import LANES, Extent
from chainrule.backends.native.vocabulary import axes_of, integer, integers, keeps_index
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import Size, TensorType

if TYPE_CHECKING:
    from chainrule.backends.native.body import Body

Move: TypeAlias = "Callable[[Body, Node, Indices], Value]"


def _constant(body: Body, node: Node, _: Indices) -> Value:
    type_, value = node["type"], node["value"]
    assert isinstance(type_, TensorType)
    assert isinstance(value, (int, float))
    return body.b.constant(HELD[type_.dtype].of(body.lanes), value)


def _size(body: Body, node: Node, _: Indices) -> Value:
    size = node["of"]
    assert isinstance(size, Size)
    extent = body.plan.sizes.size(size)
    value = body.parameters.size(extent, str(size))
    return body.splat(body.b.convert("trunc", value, I32))


def _iota(body: Body, node: Node, indices: Indices) -> Value:
    index = indices[integer(node, "axis")]
    if isinstance(index, Uniform):
        return body.splat(body.b.convert("trunc", index.value, I32))
    if isinstance(index, Neighbors):
        start = body.b.convert("trunc", body.b.shift_left(index.panel, 4), I32)
        return body.b.add(body.b.splat(start, LANES), body.b.constants(I32.of(LANES), range(LANES)))
    return body.b.convert("trunc", index.value, I32)


def _broadcast(body: Body, node: Node, indices: Indices) -> Value:
    new = integers(node, "axes")
    return _read(body, node.inputs[0], tuple(i for axis, i in enumerate(indices) if axis not in new))


def _transpose(body: Body, node: Node, indices: Indices) -> Value:
    order = integers(node, "permutation")
    inner: list[Index] = [ZERO] * len(order)
    for axis, source in enumerate(order):
        inner[source] = indices[axis]
    return _read(body, node.inputs[0], tuple(inner))


def _stop_gradient(body: Body, node: Node, indices: Indices) -> Value:
    return body.value(node.inputs[0], indices)


def _trivial(body: Body, node: Node, indices: Indices) -> Value:
    """A reduction along axes of length 1."""
    rest = iter(indices)
    axes = axes_of(node)
    inner = tuple(ZERO if axis in axes else next(rest) for axis in range(node.inputs[0].tensor.rank))
    if node.primitive == "argmax":
        return body.b.constant(I32.of(body.lanes), 0)
    return _read(body, node.inputs[0], inner)


def _reshape(body: Body, node: Node, indices: Indices) -> Value:
    (source,) = node.inputs
    sizes = body.plan.sizes
    outer, inner = sizes.extents(node.tensor.shape), sizes.extents(source.tensor.shape)
    if keeps_index(node, sizes):
        kept = iter([index for index, extent in zip(indices, outer, strict=True) if not extent.is_one])
        return _read(body, source, tuple(ZERO if extent.is_one else next(kept) for extent in inner))
    if source in body.plan.columns and outer and outer[0] == inner[0]:
        lengths = _lengths(body, node, outer)
        place = linear(body.b, indices[1:], lengths[1:])
        width = 1
        for extent in inner[1:]:
            width *= extent.most
        return body.row_element(source, indices[0], place, Extent(width, 0, width))
    place = linear(body.b, indices, _lengths(body, node, outer))
    return _read(body, source, unlinear(body.b, place, _lengths(body, source, inner), inner))


def _lengths(body: Body, node: Node, extents: tuple[Extent, ...]) -> list[Value]:
    return [
        number(e.factor) if e.is_fixed else body.parameters.extent(e, "length", axis, body.parameters.place(node))
        for axis, e in enumerate(extents)
    ]


def _slice(body: Body, node: Node, indices: Indices) -> Value:
    axis = integer(node, "axis")
    moved = shifted(body.b, indices[axis], integer(node, "start"))
    return _read(body, node.inputs[0], (*indices[:axis], moved, *indices[axis + 1 :]))


def _pad(body: Body, node: Node, indices: Indices) -> Value:
    axis, (source,) = integer(node, "axis"), node.inputs
    before, along = integer(node, "before"), source.tensor.shape[axis]
    assert isinstance(along, int)
    zero = body.b.constant(body.type_of(node), 0)
    if along == 0:
        return zero
    return _if_inside(body, source, indices, axis, before, along, zero)


def _concatenate(body: Body, node: Node, indices: Indices) -> Value:
    axis = integer(node, "axis")
    result = body.b.constant(body.type_of(node), 0)
    start = 0
    for source in node.inputs:
        along = source.tensor.shape[axis]
        assert isinstance(along, int)
        if along:
            result = _if_inside(body, source, indices, axis, start, along, result)
        start += along
    return result


def _if_inside(
    body: Body, source: Node, indices: Indices, axis: int, start: int, along: int, otherwise: Value
) -> Value:
    """The source's element where the place along an axis is one of its own, else another value."""
    b, here = body.b, indices[axis]
    condition = is_inside(b, here, start, start + along)
    moved = within(b, shifted(b, here, -start), along - 1)
    value = _read(body, source, (*indices[:axis], moved, *indices[axis + 1 :]))
    if condition.type.lanes == 1 and value.type.lanes > 1:
        condition = b.splat(condition, value.type.lanes)
    return b.select(condition, value, otherwise)


def _read(body: Body, source: Node, indices: Indices) -> Value:
    """The source at other indices, all lanes filled."""
    return body.splat(body.value(source, indices))


MOVES: Final[dict[str, Move]] = {
    "constant": _constant,
    "size": _size,
    "iota": _iota,
    "broadcast": _broadcast,
    "transpose": _transpose,
    "stop_gradient": _stop_gradient,
    "reshape": _reshape,
    "slice": _slice,
    "pad": _pad,
    "concatenate": _concatenate,
    "sum": _trivial,
    "max": _trivial,
    "argmax": _trivial,
}

__all__ = ["MOVES", "vector"]
