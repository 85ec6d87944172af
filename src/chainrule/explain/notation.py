"""Which symbol a node bears: z¹ for the first layer's pre-activation, ŷ for the prediction, δ for an adjoint of z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chainrule.document import Formula, Indices, Number, Symbol, symbol
from chainrule.graph.node import Node

Index = Sequence["Formula | None"]  # one label per axis; None leaves the axis unsaid, as the sample of a batch


@dataclass(frozen=True, slots=True)
class Notation:
    """How named nodes are written.

    Attributes:
        symbols: the symbol of each named node, without subscripts; or a number, where a formula is filled in.
    """

    symbols: Mapping[Node, Formula]

    def knows(self, node: Node) -> bool:
        """Whether the node is written by a name of its own."""
        return node in self.symbols

    def name(self, node: Node, index: Index | None = None) -> Formula:
        """The node's symbol, with subscripts for the axes that are said; one that has its subscripts keeps them."""
        base = self.symbols[node]
        return subscripted(base, index) if isinstance(base, Symbol) and base.sub is None else base


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
