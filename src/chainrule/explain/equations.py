"""The equations of a derivation, forward and back, layer by layer: in matrices, or for one element with its letters.

Layers that are alike are written once, for layer l; the numbers of each stand apart.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import Block, Code, Equation, Equations, Formula, Labeled, Relation, equals
from chainrule.document.formula import Relator
from chainrule.explain.alike import Stretch, stretches
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


class Line(msgspec.Struct, frozen=True):
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


class Passage(msgspec.Struct, frozen=True):
    """Equations of the way back that stand together: those of one layer, or of layers that are alike.

    Attributes:
        stretch: the layers, and the formulas as they are written.
        first: the number of the first equation.
        lines: what each layer's own equations are, in order.
    """

    stretch: Stretch
    first: int
    lines: tuple[Line, ...]

    @property
    def is_repeated(self) -> bool:
        """Whether it is written once for several layers."""
        return len(self.stretch.layers) > 1

    def place(self, position: int) -> int:
        """The number of the equation that the line at this position is."""
        return self.first + position % len(self.stretch.formulas)

    @property
    def name(self) -> str:
        """Of its block: "dense_2", or "dense_5 to dense_1"."""
        layers = self.stretch.layers
        return f"{layers[0]} to {layers[-1]}" if self.is_repeated else layers[0]


def passages(derived: Derived, *, whole: bool) -> list[Passage]:
    """The equations of the way back in order; layers that are alike are told once."""
    found = lines(derived, whole=whole)
    own = {
        layer: [line for line in found if line.layer == layer] for layer in dict.fromkeys(each.layer for each in found)
    }
    told: list[Passage] = []
    first = 1
    for stretch in stretches([(layer, [line.formula for line in each]) for layer, each in own.items()]):
        told.append(Passage(stretch, first, tuple(line for layer in stretch.layers for line in own[layer])))
        first += len(stretch.formulas)
    return told


def repeated_names(derived: Derived) -> list[str]:
    """Of what the equations are that are written once for several layers."""
    return [line.name for passage in passages(derived, whole=False) if passage.is_repeated for line in passage.lines]


def back_blocks(derived: Derived, *, whole: bool) -> list[Block]:
    """The equations of the way back under their layers' names, each with its number at the margin."""
    return [block for passage in passages(derived, whole=whole) for block in _told(derived, passage, whole=whole)]


def _told(derived: Derived, passage: Passage, *, whole: bool) -> list[Block]:
    stretch, name = passage.stretch, f"back {passage.name}"
    if not passage.is_repeated:
        own = [_back(derived, line, whole=whole) for line in passage.lines]
        return [Labeled(Code(passage.name), (_numbered(own, passage.first),), name=name)]
    head = Labeled(stretch.range, (stretch.words, _numbered(stretch.formulas, passage.first)), name=name)
    return [head, *(_in_numbers(derived, passage) if whole else [])]


def _numbered(formulas: Sequence[Relation], first: int) -> Equations:
    return Equations(tuple(Equation(each, value=f"({place})") for place, each in enumerate(formulas, start=first)))


def _in_numbers(derived: Derived, passage: Passage) -> list[Block]:
    """Each layer's numbers in the equations that are written once, where they are few."""
    found: dict[str, list[Equation]] = {}
    for position, line in enumerate(passage.lines):
        sides = _back(derived, line, whole=True).rest[len(line.formula.rest) :]
        if sides:
            said = f"by ({passage.place(position)})"
            found.setdefault(line.layer, []).append(Equation(Relation(line.formula.left, sides), value=said))
    return [Labeled(Code(layer), (Equations(tuple(own)),), name=f"numbers {layer}") for layer, own in found.items()]


def forward_blocks(derived: Derived, *, whole: bool) -> list[Block]:
    """How the values of the layers that are meant come about; nothing where they only pass on what they read.

    The formulas of a network in matrices stand on its page already, so that only those with their numbers come again.
    """
    own: dict[str, list[Relation]] = {}
    for name in derived.made:
        own.setdefault(derived.layer_of(name), []).append(_element(derived, name, whole=whole))
    if whole:
        made = [_made(derived, name) for name in derived.made]
        told = derived.scope.kind == "network"
        bare = [formula for formulas in own.values() for formula in formulas]
        shown = [Equation(each) for each, formula in zip(made, bare, strict=True) if not told or each != formula]
    else:
        shown = [line for stretch in stretches(list(own.items())) for line in _forward(stretch)]
    return [Labeled("Forward", (Equations(tuple(shown), inline=not whole),), name="forward")] if shown else []


def _forward(stretch: Stretch) -> list[Equation]:
    """The formulas of layers; of those that are alike once, with the numbers for which they hold at the margin."""
    *before, last = stretch.formulas
    return [*map(Equation, before), Equation(last, value=stretch.validity)]


def deltas_block(derived: Derived, layers: Container[str]) -> list[Block]:
    """How the deltas come about that the chains of these layers' weights start with.

    Nothing where they start at the output, whose own delta stands apart.
    """
    own: dict[str, list[Relation]] = {}
    lowest = max((place for place, name in enumerate(derived.passed) if derived.layer_of(name) in layers), default=-1)
    of_lowest = derived.layer_of(derived.passed[lowest]) if lowest >= 0 else ""
    names = [name for name in derived.passed[:lowest] if derived.layer_of(name) != of_lowest]
    for name in names if names[1:] else []:
        layer = derived.layer_of(name)
        own.setdefault(layer, []).append(_line(derived, name, layer, whole=False).formula)
    shown = [line for stretch in stretches(list(own.items())) for line in _forward(stretch)]
    return [Labeled("The way back", (Equations(tuple(shown)),), name="deltas")] if shown else []


# ---- numbers in formulas ----


def _element(derived: Derived, name: str, *, whole: bool) -> Relation:
    """How a value comes about, in letters."""
    node, labels = derived.derivation.values[name], _labels(derived, name, whole=whole)
    return derived.book.element(node, labels) if labels is not None else derived.book.definition(node)


def _made(derived: Derived, name: str) -> Relation:
    """The same of a whole value, with its numbers where they are few."""
    formula, labels = _element(derived, name, whole=True), _labels(derived, name, whole=True)
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
    if root.primitive not in _TERMS and root.tensor.rank == 2 and any(array.ndim == 1 for array in arrays):
        return None  # a row would stand for what is repeated along the other axis
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
