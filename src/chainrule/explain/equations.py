"""The equations of a derivation, forward and back, layer by layer: in matrices, or for one element with its letters."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import Block, Code, Equation, Equations, Formula, Labeled, Relation, equals
from chainrule.document.formula import Relator
from chainrule.explain.derivation import Piece
from chainrule.explain.derived import Derived, matrix
from chainrule.explain.formulas import Labels, Writer
from chainrule.explain.notation import Notation, at
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node
from chainrule.graph.rewrite import is_constant

SMALL: Final = 4  # rows and columns of a matrix whose numbers stand in the formula
_PARTS: Final = frozenset({"multiply", "matmul", "divide", "negate", "broadcast"})  # where a product is taken apart
_TERMS: Final = frozenset({"add", "subtract"})


@dataclass(frozen=True, slots=True)
class Line:
    """An equation of the way back.

    Attributes:
        name: of what the loss is differentiated by.
        layer: whose line it is.
        formula: the equation, without numbers.
    """

    name: str
    layer: str
    formula: Relation


def lines(derived: Derived, *, whole: bool) -> list[Line]:
    """Every equation in the order of the way back: of each layer the adjoints it passes, then its gradients.

    Args:
        derived: what is derived.
        whole: in matrices; else for one element, with letters.
    """
    return [_line(derived, name, layer, whole=whole) for layer, name in _ordered(derived)]


def _ordered(derived: Derived) -> Iterator[tuple[str, str]]:
    """Layers and names: of each layer the values passed, then the parameters that are meant."""
    passed = [(derived.layer_of(name), name) for name in derived.passed]
    for layer in dict.fromkeys(layer for layer, _ in passed):
        yield from ((layer, name) for own, name in passed if own == layer)
        yield from ((layer, name) for name in derived.gradients if name.rpartition(".")[0] == layer)


def _line(derived: Derived, name: str, layer: str, *, whole: bool) -> Line:
    labels = _labels(derived, name, whole=whole)
    return Line(name, layer, equals(derived.left(name, labels), derived.written(derived.piece(name), labels)))


def _labels(derived: Derived, name: str, *, whole: bool) -> Labels:
    """None for a whole value; its column where one unit is meant; letters for one element."""
    unit = derived.unit_of(name)
    if not whole:
        return derived.labels(name)
    if unit is None:
        return None
    is_value = name not in derived.subject.parameters
    rank = (derived.derivation.values if is_value else derived.subject.parameters)[name].tensor.rank
    return at(*[derived.sample if is_value else None] * (rank > 1), *[None] * (rank - 2), unit)


def back_blocks(derived: Derived, *, whole: bool) -> list[Block]:
    """The equations of the way back under their layers' names, each with its number at the margin."""
    found = lines(derived, whole=whole)
    blocks: list[Block] = []
    for layer in dict.fromkeys(line.layer for line in found):
        shown = tuple(
            Equation(_back(derived, line, whole=whole), value=f"({place})")
            for place, line in enumerate(found, start=1)
            if line.layer == layer
        )
        blocks.append(Labeled(Code(layer), (Equations(shown),), name=f"back {layer}"))
    return blocks


def forward_blocks(derived: Derived, *, whole: bool) -> list[Block]:
    """How the values of the layers that are meant come about; nothing where they only pass on what they read."""
    shown = tuple(Equation(_made(derived, name, whole=whole)) for name in derived.made)
    return [Labeled("Forward", (Equations(shown, inline=not whole),), name="forward")] if shown else []


# ---- numbers in formulas ----


def _made(derived: Derived, name: str, *, whole: bool) -> Relation:
    node, labels = derived.derivation.values[name], _labels(derived, name, whole=whole)
    formula = derived.book.element(node, labels) if labels is not None else derived.book.definition(node)
    if not whole:
        return formula
    unit, array = derived.unit_of(name), derived.numbers[name]
    return _completed(
        derived, derived.derivation.forward(name), formula, labels, array if unit is None else array[..., unit]
    )


def _back(derived: Derived, line: Line, *, whole: bool) -> Relation:
    if not whole:
        return line.formula
    labels = _labels(derived, line.name, whole=True)
    return _completed(derived, derived.piece(line.name), line.formula, labels, own_part(derived, line.name))


def own_part(derived: Derived, name: str) -> Array:
    """The numbers of a piece, those of the one unit where one is meant."""
    array, unit = derived.array(name), derived.unit_of(name)
    return array if unit is None else array[..., unit]


def _completed(derived: Derived, piece: Piece, formula: Relation, labels: Labels, value: Array) -> Relation:
    """The equation, filled in where its matrices are small, and its value."""
    if not is_small(value):
        return formula
    inside = None if labels is not None else _filled(derived, piece)
    sides: list[tuple[Relator, Formula]] = [("=", each) for each in (inside, matrix(value)) if each is not None]
    return Relation(formula.left, (*formula.rest, *sides))


def is_small(array: Array) -> bool:
    """Whether the numbers can stand in a formula."""
    return array.ndim <= 2 and all(dim <= SMALL for dim in array.shape)


def _filled(derived: Derived, piece: Piece) -> Formula | None:
    """The formula with each of its factors, or each of its terms, as numbers; None where one of them is large."""
    root = _as_product(piece.whole)
    parts = _parts(root, piece.names)
    if root in parts:
        return None
    found = derived.evaluated({str(place): part for place, part in enumerate(parts)})
    arrays = [np.asarray(found[str(place)], np.float64) for place in range(len(parts))]
    if not all(is_small(array) and np.all(np.isfinite(array)) for array in arrays):
        return None
    numbers: dict[Node, Formula] = {part: matrix(array) for part, array in zip(parts, arrays, strict=True)}
    return Writer(Notation(numbers, derived.alone)).write(root, named=False)


def _as_product(root: Node) -> Node:
    """What passes under a condition, as its product with 1 and 0."""
    if root.primitive != "select" or not is_constant(root.inputs[2], 0.0):
        return root
    condition, yes, _ = root.inputs
    return (Expr(yes) * e.cast(Expr(condition), yes.tensor.dtype)).node


def _parts(root: Node, named: Container[Node]) -> list[Node]:
    """The factors of a product or the terms of a sum, down to what has a name or is added up over the samples."""
    found: list[Node] = []
    pending = list(root.inputs) if root.primitive in _TERMS else [root]
    while pending:
        node = pending.pop(0)
        if node.primitive in _PARTS and node not in named:
            pending[:0] = node.inputs
        elif node not in found:
            found.append(node)
    return found
