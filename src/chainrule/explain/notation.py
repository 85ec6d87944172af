"""Which symbol a node bears: z¹ for the first layer's pre-activation, ŷ for the prediction, δ for an adjoint of z."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from chainrule.document import Differential, Formula, Fraction, Indices, Number, Symbol, partial, symbol
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import Dim

SAMPLES: Final = "n"  # the axis of the samples
Index = Sequence["Formula | None"]  # one label per axis; None leaves the axis unsaid, as the sample of a batch


class Notation(msgspec.Struct, frozen=True):
    """How named nodes are written.

    Attributes:
        symbols: the symbol of each named node, without subscripts; the adjoint ∂L/∂a of one; or a number, where a
            formula is filled in.
        alone: whether the batch is one sample, over which nothing is summed.
        brief: whether what a single unit makes needs no subscript.
        number: the number of an element by its labels, where a formula is filled in element by element.
    """

    symbols: Mapping[Node, Formula]
    alone: bool = False
    brief: bool = False
    number: Callable[[Node, Index | None], Formula] | None = None

    def knows(self, node: Node) -> bool:
        """Whether the node is written by a name of its own."""
        return node in self.symbols

    def name(self, node: Node, index: Index | None = None) -> Formula:
        """The node's symbol, with subscripts for the axes that are said; one that has its subscripts keeps them."""
        if self.number is not None:
            return self.number(node, index)
        base = self.symbols[node]
        if index and str(node.tensor.shape[0]) == SAMPLES:
            index = [
                None if self.is_single(dim) else label for label, dim in zip(index, node.tensor.shape, strict=True)
            ]
        match base:
            case Symbol(sub=None):
                return subscripted(base, index)
            case Fraction(Differential(Symbol() as of), Differential(Symbol(sub=None) as by)):
                return partial(subscripted(of, index[:1] if index else None), subscripted(by, index))
            case Differential(Symbol(sub=None) as of, sign):
                return Differential(subscripted(of, index), sign)
            case _:
                return base

    def is_single(self, dim: Dim) -> bool:
        """Whether an axis has one place only, so that nothing is summed along it."""
        return (self.brief and dim == 1) or (self.alone and str(dim) == SAMPLES)


def subscripted(base: Symbol, index: Index | None) -> Symbol:
    """The symbol with subscripts for the axes that are said: W and (0, 3) give W₀₃."""
    said = tuple(label for label in index or () if label is not None)
    if not said:
        return base
    return replace(base, sub=said[0] if len(said) == 1 else Indices(said))


def at(*positions: int | str | None) -> list[Formula | None]:
    """Labels of axes from numbers and letters; None leaves an axis unsaid."""
    return [None if p is None else Number(p) if isinstance(p, int) else symbol(p) for p in positions]


X = symbol("x")
Y = symbol("y")
Y_HAT = symbol("y", accent="hat")
LOSS = symbol("L")
SAMPLE_LOSS = symbol("ℓ")
RATE = symbol("η")
