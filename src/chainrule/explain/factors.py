"""The chain of one weight in factors: each ∂u/∂v on the way from the loss, in symbols, as a formula, in numbers."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chainrule.document import Formula, Number, Product, Sum, Symbol, partial, plus, times
from chainrule.document.formula import Joint
from chainrule.explain.chain import is_elementwise
from chainrule.explain.derivation import ADJOINT, LOSSES, Piece
from chainrule.explain.derived import FILLED, Derived
from chainrule.explain.formulas import Labels, Writer
from chainrule.explain.notation import SAMPLES, Index, Notation, at, subscripted
from chainrule.explain.scope import Weight
from chainrule.explain.textbook import textbook
from chainrule.graph.node import Node

MARKER: Final = "\N{REPLACEMENT CHARACTER}"  # names the adjoint that a factor is multiplied with, until it is left out
FEW: Final = 3  # paths that are written out with their numbers
MOST_TERMS: Final = 64  # paths that are handed to programs one by one
K: Final = "k"


class Factor(msgspec.Struct, frozen=True):
    """One factor of a chain.

    Attributes:
        symbols: ∂u/∂v; with the loss as u where the chain starts.
        formula: what it is.
        filled: the same with its numbers; where they are too many, the value.
        of: the name of u, "loss" where the chain starts.
        by: the name of v.
        value: the number; of a sum over paths their total.
    """

    symbols: Formula
    formula: Formula
    filled: Formula
    of: str
    by: str
    value: float


class Chain(msgspec.Struct, frozen=True):
    """A weight's gradient on one sample as a product.

    Attributes:
        weight: which.
        factors: from the loss to the weight.
        terms: the paths carried through to the weight; they add up to the gradient.
        gradient: ∂L/∂w.
    """

    weight: Weight
    factors: tuple[Factor, ...]
    terms: tuple[float, ...]
    gradient: float


def chain_of(derived: Derived, weight: Weight, position: int = 0) -> Chain:
    """The chain of a weight on the sample at this position of the batch."""
    return _Walk(derived, weight, position).chain()


class _Walk:
    """The way from a weight up to where its chain starts."""

    def __init__(self, derived: Derived, weight: Weight, position: int) -> None:
        self._derived, self._weight, self._position = derived, weight, position
        self._unit = weight[1][-1]
        self._z = derived.derivation.readers(weight[0])[0]

    def chain(self) -> Chain:
        """All factors, the loss first."""
        inner = self._innermost()
        slopes, top = self._slopes()
        outer, paths = self._start(top)
        rest = inner.value * float(np.prod([slope.value for slope in slopes]))
        gradient = self._adjoint(self._z, self._unit) * inner.value
        return Chain(self._weight, (outer, *reversed(slopes), inner), tuple(path * rest for path in paths), gradient)

    # ---- from the weight upward ----

    def _innermost(self) -> Factor:
        """∂z/∂w: what the weight multiplies, 1 of a bias."""
        derived, (name, index) = self._derived, self._weight
        labels = at(*index)
        symbols = partial(self._symbol(self._z), subscripted(derived.book.symbol_of(name), labels))
        found = self._without_adjoint(derived.sample_gradient(name), self._z, labels)
        assert found is not None  # a layer is linear in its weights
        formula, filled, _ = found
        return Factor(symbols, formula, filled, self._z, name, _value(filled))

    def _slopes(self) -> tuple[list[Factor], str]:
        """The elementwise steps from z upward, and the value that the last of them leads to."""
        derivation, found, current = self._derived.derivation, list[Factor](), self._z
        while (upper := self._reader(current)) is not None:
            if not is_elementwise(derivation.values[current], derivation.values[upper]):
                break
            form = textbook(derivation.subject, upper, current, (upper,))
            piece = Piece(upper, form.raw, form.whole, form.names, form.trail)
            slope = np.asarray(self._derived.evaluated({"slope": form.whole})["slope"])
            formula, filled = self._both(piece, at(self._derived.sample, self._unit))
            symbols = partial(self._symbol(upper), self._symbol(current))
            value = float(slope[self._position, self._unit])
            shown = filled if filled is not None and form.is_brief else Number(value, FILLED)
            found.append(Factor(symbols, formula, shown, upper, current, value))
            current = upper
        return found, current

    def _reader(self, name: str) -> str | None:
        """The one value that reads this one; None at the end, and where δ of the last layer is told at once."""
        derivation = self._derived.derivation
        readers = derivation.readers(name)
        is_closed = name == derivation.last_z and derivation.closes_up
        return readers[0] if len(readers) == 1 and readers[0] != LOSSES and not is_closed else None

    # ---- where the chain starts ----

    def _start(self, top: str) -> tuple[Factor, list[float]]:
        """∂L/∂v of the value where the chain starts, or the sum of its paths through the next layer."""
        upper = self._reader(top)
        total = self._adjoint(top, self._unit)
        through = None if upper is None else self._through(top, upper)
        if through is not None:
            return through
        symbols = self._by_loss(top, self._unit)
        formula, filled = self._told(top, self._unit)
        return Factor(symbols, formula, filled or Number(total, FILLED), "loss", top, total), [total]

    def _through(self, top: str, upper: str) -> tuple[Factor, list[float]] | None:
        """Σₖ ∂L/∂uₖ · ∂uₖ/∂v; None where the next value is no sum of paths."""
        derived = self._derived
        units = derived.derivation.values[upper].tensor.shape[-1]
        piece = derived.piece(top)
        found = self._without_adjoint(piece, upper, at(derived.sample, self._unit))
        if found is None or not isinstance(units, int):
            return None
        formula, filled, is_sum = found
        k = K if is_sum else 0
        symbols = times(self._by_loss(upper, k), partial(self._symbol(upper, k), self._symbol(top)))
        outer, outer_filled = self._told(upper, k)
        product, total = times(outer, formula), self._adjoint(top, self._unit)
        if not is_sum:
            numbers = times(outer_filled or Number(self._adjoint(upper, 0), FILLED), filled)
            return Factor(symbols, product, numbers, "loss", top, total), [total]
        each = [self._path(piece, upper, place) for place in range(units)] if units <= MOST_TERMS else []
        shown = plus(*(formula for formula, _ in each)) if 0 < len(each) <= FEW else Number(total, FILLED)
        factor = Factor(Sum(symbols, at(K)[0]), Sum(product, at(K)[0]), shown, "loss", top, total)
        return factor, [value for _, value in each] or [total]

    def _path(self, piece: Piece, upper: str, place: int) -> tuple[Formula, float]:
        """One path in numbers, and its value."""
        adjoint = self._adjoint(upper, place)
        seed = np.zeros_like(self._derived.numbers[ADJOINT + upper])
        seed[self._position, place] = adjoint
        found = self._derived.evaluated({"path": piece.whole}, {ADJOINT + upper: seed})["path"]
        value = float(found[self._position, self._unit])
        slope = value / adjoint if adjoint else 0.0
        return times(Number(adjoint, FILLED), Number(slope, FILLED)), value

    # ---- symbols, formulas, numbers ----

    def _symbol(self, name: str, label: int | str | None = None) -> Formula:
        """One unit of a value, the weight's own where none is said."""
        chosen = self._unit if label is None else label
        derived = self._derived
        return derived.book.notation.name(derived.derivation.values[name], at(derived.sample, chosen))

    def _by_loss(self, name: str, label: int | str) -> Formula:
        return partial(self._derived.loss_of_sample, self._symbol(name, label))

    def _told(self, name: str, label: int | str) -> tuple[Formula, Formula | None]:
        """∂L/∂v: ŷ − y and its like where the loss is next, else δ or ∂L/∂v itself."""
        derivation, labels = self._derived.derivation, at(self._derived.sample, label)
        if (name == derivation.last_z and derivation.closes_up) or derivation.readers(name) == [LOSSES]:
            return self._both(self._derived.piece(name), labels)
        return self._derived.left(name, labels), None

    def _adjoint(self, name: str, unit: int) -> float:
        return float(self._derived.numbers[ADJOINT + name][self._position, unit])

    def _both(self, piece: Piece, labels: Labels) -> tuple[Formula, Formula | None]:
        """A piece as a formula, and filled in; None where it has a letter."""
        derived = self._derived
        taken = derived.taken(labels)
        formula = Writer(derived.notation(piece), taken).write(piece.whole, labels)
        try:
            return formula, Writer(self._in_numbers(piece), taken).write(piece.whole, labels)
        except _LetterError:
            return formula, None

    def _without_adjoint(self, piece: Piece, reader: str, labels: Labels) -> tuple[Formula, Formula, bool] | None:
        """A piece without the adjoint that it is multiplied with, as a formula and filled in; and whether it is a sum.

        None where it is no product with that adjoint.
        """
        seed = ADJOINT + reader
        notation, derived = self._derived.notation(piece), self._derived
        marked = {
            node: Symbol(MARKER) if piece.names.get(node) == seed else each for node, each in notation.symbols.items()
        }
        taken = derived.taken(labels)
        factor = _stripped(Writer(replace_symbols(notation, marked), taken).write(piece.whole, labels))
        if factor is None:
            return None
        formula, is_sum = factor
        if is_sum:
            return formula, Number(0), True
        filled = _stripped(Writer(self._in_numbers(piece, seed), taken).write(piece.whole, labels))
        return formula, filled[0] if filled else formula, False

    def _in_numbers(self, piece: Piece, marked: str = "") -> Notation:
        """A notation in which every element is its number, and the marked adjoint its mark."""
        numbers, position = self._derived.numbers, self._position

        def number(node: Node, index: Index | None) -> Formula:
            name = piece.names[node]
            if name == marked:
                return Symbol(MARKER)
            array = numbers[name]
            labels = list(index or [])
            places = [position if each in (None, Symbol(SAMPLES)) else each for each in labels]
            if len(places) != array.ndim or any(isinstance(each, Symbol) for each in places):
                raise _LetterError
            there = tuple(int(each.value) if isinstance(each, Number) else position for each in places)
            return Number(float(array[there]), FILLED)

        return Notation(self._derived.notation(piece).symbols, self._derived.alone, brief=True, number=number)


class _LetterError(Exception):
    """A formula that is filled in has a letter where a place is needed."""


def _value(filled: Formula) -> float:
    assert isinstance(filled, Number)
    return float(filled.value)


def replace_symbols(notation: Notation, symbols: dict[Node, Formula]) -> Notation:
    """The same notation with other symbols."""
    return Notation(symbols, notation.alone, notation.brief)


def _stripped(formula: Formula) -> tuple[Formula, bool] | None:
    """The formula without the marked factor, and whether it was summed over; None where the mark is no factor."""
    match formula:
        case Symbol(name) if name == MARKER:
            return Number(1), False
        case Sum(body):
            inner = _stripped(body)
            return None if inner is None or inner[1] else (inner[0], True)
        case Product(factors, joint):
            return _of_product(factors, joint)
        case _:
            return None


def _of_product(factors: tuple[Formula, ...], joint: Joint) -> tuple[Formula, bool] | None:
    found = [(place, inner) for place, each in enumerate(factors) if (inner := _stripped(each)) is not None]
    if len(found) != 1:
        return None
    place, (rest, is_sum) = found[0]
    kept = [*factors[:place], *([] if rest == Number(1) else [rest]), *factors[place + 1 :]]
    return (kept[0] if len(kept) == 1 else Product(tuple(kept), joint)), is_sum
