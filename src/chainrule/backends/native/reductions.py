"""How elements along axes are combined: in an order that is part of the meaning, whatever the processor or its threads.

Elements are visited in the usual order, sixteen neighbors at a time where the last axis is reduced. A sum is kept in
four partial sums that take turns, (a + b) + (c + d) at the end, c and d being the last two served. Sixteen lanes fold
in halves: lane i with lane i + 8, then 4, 2, 1. Missing lanes are -0, which changes no sum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from chainrule.backends.native.ir import HELD, I32, Builder, Value
from chainrule.backends.native.lanes import larger
from chainrule.backends.native.layout import LANES
from chainrule.backends.native.vocabulary import TURNS
from chainrule.graph.node import Node

NOWHERE: Final = 2**31 - 1  # later than any place


class Reduction(ABC):
    """One reduction while its loop runs.

    Attributes:
        node: the sum, max or argmax.
    """

    def __init__(self, node: Node, b: Builder, *, across: bool) -> None:
        self.node = node
        self.b = b
        self.across = across  # whether the lanes are combined too
        self.type = HELD[node.inputs[0].tensor.dtype].of(LANES)

    @abstractmethod
    def initial(self) -> list[Value]:
        """What is carried into the loop."""

    @abstractmethod
    def step(self, carried: Sequence[Value], x: Value, place: Value, inside: Value | None) -> list[Value]:
        """What is carried on after an element.

        Args:
            carried: from before.
            x: the element in each lane.
            place: where along the reduced axis, i32, in each lane.
            inside: the lanes that exist; None for all.
        """

    @abstractmethod
    def final(self, carried: Sequence[Value]) -> Value:
        """The result, a vector or, where the lanes are combined, a scalar."""


class Sum(Reduction):
    """x₀ + x₁ + …, in four turns."""

    def initial(self) -> list[Value]:
        """Nothing yet: -0, or 0 of integers."""
        return [self.b.constant(self.type, -0.0 if self.type.is_float else 0)] * TURNS

    def step(self, carried: Sequence[Value], x: Value, place: Value, inside: Value | None) -> list[Value]:
        """The sum whose turn it is takes the element."""
        del place
        if inside is not None:
            x = self.b.select(inside, x, self.initial()[0])
        first, *rest = carried
        return [*rest, self.b.add(first, x)]

    def final(self, carried: Sequence[Value]) -> Value:
        """All four together."""
        a, b, c, d = carried
        total = self.b.add(self.b.add(a, b), self.b.add(c, d))
        return self.b.add_lanes(total) if self.across else total


class Max(Reduction):
    """The largest; NaN if there is one."""

    def _unsigned(self) -> bool:
        return self.node.inputs[0].tensor.dtype in ("uint32", "bool")

    def initial(self) -> list[Value]:
        """The least there is."""
        least = float("-inf") if self.type.is_float else 0 if self._unsigned() else -(2**31)
        return [self.b.constant(self.type, least)]

    def step(self, carried: Sequence[Value], x: Value, place: Value, inside: Value | None) -> list[Value]:
        """The larger one."""
        del place
        if inside is not None:
            x = self.b.select(inside, x, self.initial()[0])
        return [x] if self._is_first(carried) else [self._larger(carried[0], x)]

    def _is_first(self, carried: Sequence[Value]) -> bool:
        """Whether it is known that no element came before."""
        return carried[0].number is not None

    def _larger(self, x: Value, y: Value) -> Value:
        return larger(self.b, x, y, unsigned=self._unsigned())

    def final(self, carried: Sequence[Value]) -> Value:
        """The largest of the lanes."""
        return self.b.fold_lanes(carried[0], self._larger) if self.across else carried[0]


class Argmax(Max):
    """Where the largest is, the first of equals; the first NaN if there is one."""

    def initial(self) -> list[Value]:
        """The least there is, nowhere."""
        return [*super().initial(), self.b.constant(I32.of(LANES), NOWHERE)]

    def step(self, carried: Sequence[Value], x: Value, place: Value, inside: Value | None) -> list[Value]:
        """The better of the best and the element."""
        if inside is not None:
            x = self.b.select(inside, x, super().initial()[0])
            place = self.b.select(inside, place, NOWHERE)
        return [x, place] if self._is_first(carried) else self._better(carried, (x, place))

    def _better(self, left: Sequence[Value], right: Sequence[Value]) -> list[Value]:
        b = self.b
        (x, i), (y, j) = left, right
        if x.type.is_float:
            x_nan, y_nan = b.compare("uno", x, x), b.compare("uno", y, y)
            both = b.bit_or(b.compare("oeq", x, y), b.bit_and(x_nan, y_nan))
            above = b.bit_or(b.compare("ogt", y, x), b.bit_and(y_nan, b.bit_xor(x_nan, b.constant(x_nan.type, 1))))
        else:
            both, above = b.compare("eq", x, y), b.compare("ugt" if self._unsigned() else "sgt", y, x)
        takes = b.bit_or(above, b.bit_and(both, b.compare("slt", j, i)))
        return [b.select(takes, y, x), b.select(takes, j, i)]

    def final(self, carried: Sequence[Value]) -> Value:
        """The place of the best of the lanes: the first that holds the largest, or NaN."""
        b, (x, place) = self.b, carried
        if not self.across:
            return place
        best = b.compare("oeq" if x.type.is_float else "eq", x, b.splat(b.fold_lanes(x, self._larger), LANES))
        if x.type.is_float:
            best = b.bit_or(best, b.compare("uno", x, x))
        return b.fold_lanes(b.select(best, place, NOWHERE), lambda i, j: b.select(b.compare("slt", i, j), i, j))


KINDS: Final[dict[str, type[Reduction]]] = {"sum": Sum, "max": Max, "argmax": Argmax}
