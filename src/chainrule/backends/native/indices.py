"""Where in a value one step of a loop looks: along each axis one place, sixteen neighbors, or any sixteen places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import msgspec

from chainrule.backends.native.ir import I64, Builder, Value, constant, constants
from chainrule.backends.native.layout import LANES, Extent


class Uniform(msgspec.Struct, frozen=True):
    """The same place in every lane."""

    value: Value


class Neighbors(msgspec.Struct, frozen=True):
    """The sixteen places of one panel: 16 · panel + lane."""

    panel: Value


class Scattered(msgspec.Struct, frozen=True):
    """A place of its own for each lane."""

    value: Value


Index: TypeAlias = Uniform | Neighbors | Scattered
Indices: TypeAlias = tuple[Index, ...]

ZERO = Uniform(constant(I64, 0))


def is_uniform(indices: Sequence[Index]) -> bool:
    """Whether every lane looks at the same place."""
    return all(isinstance(index, Uniform) for index in indices)


def number(value: int) -> Value:
    """A constant i64."""
    return constant(I64, value)


def plus(b: Builder, x: Value, y: Value | int) -> Value:
    """x + y, done here where both are constants or one is 0."""
    other = y if isinstance(y, Value) else number(y)
    if x.number is not None and other.number is not None:
        return number(int(x.number) + int(other.number))
    if x.number is not None:
        x, other = other, x
    if other.number == 0:
        return x
    if other.number is None:
        return b.add(x, other)
    rest, before = x.beyond or (x, 0)
    return replace(b.add(x, other), beyond=(rest, before + int(other.number)))


def times(b: Builder, x: Value, y: Value | int) -> Value:
    """x · y, done here where both are constants or one is 0 or 1; by a shift where y is a power of 2."""
    other = y if isinstance(y, Value) else number(y)
    if x.number is not None and other.number is not None:
        return number(int(x.number) * int(other.number))
    if x.number == 0 or other.number == 0:
        return number(0)
    if other.number == 1:
        return x
    if x.number == 1:
        return other
    if other.number is not None and (power := int(other.number)).bit_count() == 1:
        return b.shift_left(x, power.bit_length() - 1)
    return b.multiply(x, other)


def lane_numbers(lanes: int) -> Value:
    """0, 1, 2, … as i64."""
    return constants(I64.of(lanes), range(lanes)) if lanes > 1 else number(0)


def vector(b: Builder, index: Index, lanes: int = LANES) -> Value:
    """The place in each lane."""
    if isinstance(index, Scattered):
        return index.value
    if isinstance(index, Uniform):
        return b.splat(index.value, lanes)
    return b.add(b.splat(times(b, index.panel, LANES), lanes), lane_numbers(lanes))


def shifted(b: Builder, index: Index, by: int) -> Index:
    """The place so many further on."""
    if by == 0:
        return index
    if isinstance(index, Uniform):
        return Uniform(plus(b, index.value, by))
    if isinstance(index, Neighbors) and by % LANES == 0:
        return Neighbors(plus(b, index.panel, by // LANES))
    return Scattered(b.add(vector(b, index), number_like(by)))


def number_like(value: int) -> Value:
    """A constant i64 in every lane."""
    return constant(I64.of(LANES), value)


def within(b: Builder, index: Index, most: Value | int) -> Index:
    """The place, or the nearest one from 0 to most."""
    if isinstance(index, Uniform):
        top = most if isinstance(most, Value) else number(most)
        low = b.intrinsic("llvm.smax", index.value, number(0))
        return Uniform(b.intrinsic("llvm.smin", low, top))
    places = vector(b, index)
    top = b.splat(most if isinstance(most, Value) else number(most), LANES)
    return Scattered(b.intrinsic("llvm.smin", b.intrinsic("llvm.smax", places, number_like(0)), top))


def is_inside(b: Builder, index: Index, start: int, stop: int) -> Value:
    """Whether start <= place < stop, in each lane or for all."""
    place = index.value if isinstance(index, Uniform) else vector(b, index)
    return b.bit_and(b.compare("sge", place, start), b.compare("slt", place, stop))


def linear(b: Builder, indices: Sequence[Index], extents: Sequence[Value]) -> Index:
    """The place counted in the usual order: the last axis fastest."""
    if is_uniform(indices):
        total = number(0)
        for index, extent in zip(indices, extents, strict=True):
            assert isinstance(index, Uniform)
            total = plus(b, times(b, total, extent), index.value)
        return Uniform(total)
    last = indices[-1] if indices else ZERO
    if isinstance(last, Neighbors) and is_uniform(indices[:-1]):
        before = linear(b, indices[:-1], extents[:-1])
        assert isinstance(before, Uniform)
        if before.value.number == 0:
            return last
        return Scattered(b.add(b.splat(times(b, before.value, extents[-1]), LANES), vector(b, last)))
    places = number_like(0)
    for index, extent in zip(indices, extents, strict=True):
        places = b.add(b.multiply(places, b.splat(extent, LANES)), vector(b, index))
    return Scattered(places)


def unlinear(b: Builder, place: Index, extents: Sequence[Value], kept: Sequence[Extent]) -> Indices:
    """The place along each axis, from the place counted in the usual order.

    Args:
        b: where the arithmetic is written.
        place: counted with the last axis fastest.
        extents: the length of each axis.
        kept: the same as the plan has them; an axis of length 1 has place 0.
    """
    result: list[Index] = []
    rest: Value = place.value if isinstance(place, Uniform) else vector(b, place)
    uniform = isinstance(place, Uniform)
    wanted = [axis for axis, extent in enumerate(kept) if not extent.is_one]
    for axis in reversed(range(len(kept))):
        if axis not in wanted:
            result.append(ZERO)
            continue
        length = extents[axis] if uniform else b.splat(extents[axis], LANES)
        is_first = axis == wanted[0]
        here = rest if is_first else b.remainder(rest, length)
        rest = rest if is_first else b.divide(rest, length)
        result.append(Uniform(here) if uniform else Scattered(here))
    return tuple(reversed(result))
