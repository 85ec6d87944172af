"""Which symbol a node bears: z¹ for the first layer's pre-activation, ŷ for the prediction, δ for an adjoint of z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chainrule.document import Formula, Indices, Symbol, symbol
from chainrule.document.formula import Number
from chainrule.graph.node import Node

Index = Sequence["Formula | None"]  # one label per axis; None leaves the axis unsaid, as the sample of a batch


@dataclass(frozen=True, slots=True)
class Notation:
    """Symbols of nodes.

    Attributes:
        symbols: the symbol of each named node, without subscripts.
    """

    symbols: Mapping[Node, Symbol]

    def knows(self, node: Node) -> bool:
        """Whether the node has a symbol of its own."""
        return node in self.symbols

    def name(self, node: Node, index: Index | None = None) -> Symbol:
        """The node's symbol, with subscripts for the axes that are said."""
        return subscripted(self.symbols[node], index)


def subscripted(base: Symbol, index: Index | None) -> Symbol:
    """The symbol with subscripts for the axes that are said: W and (0, 3) give W₀₃."""
    said = tuple(label for label in index or () if label is not None)
    if not said:
        return base
    return Symbol(base.name, said[0] if len(said) == 1 else Indices(said), base.sup, base.accent, base.bold)


def at(*positions: int | str | None) -> list[Formula | None]:
    """Labels of axes from numbers and letters; None leaves an axis unsaid."""
    return [None if p is None else Number(p) if isinstance(p, int) else symbol(p) for p in positions]


def layered(letter: str, layer: int) -> Symbol:
    """A letter with its layer above: z¹."""
    return symbol(letter, None, layer)


X = symbol("x")
Y = symbol("y")
Y_HAT = symbol("y", accent="hat")
LOSS = symbol("L")
SAMPLE_LOSS = symbol("ℓ")
RATE = symbol("η")
DELTA = "δ"
