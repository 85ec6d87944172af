"""Finds layers whose formulas are the same but for the layer's number, and writes those once, for layer l.

Two stretches of layers are alike where each of their formulas, its numbers of layers counted from the stretch's own,
is the same tree. So what is written once says of every layer exactly what would be written of it alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from chainrule.document import (
    Code,
    Elided,
    Formula,
    Indices,
    Number,
    Paragraph,
    Relation,
    Span,
    Symbol,
    equals,
    minus,
    plus,
    symbol,
)
from chainrule.explain.notation import X

LAYER: Final = symbol("l")
FEWEST: Final = 3  # repetitions; what comes twice is read more easily with its own numbers
LONGEST: Final = 4  # layers that are repeated together, such as a dense layer with an activation of its own
FEW_NAMED: Final = 3  # layers of which each is named
ACTIVATION: Final = "a"  # what a layer reads; of the first layer it is x, so a⁰ = x

Layer = tuple[str, Sequence[Relation]]  # a name, and its formulas


class Stretch(msgspec.Struct, frozen=True):
    """Layers that follow one another and are written once, or one layer by itself.

    Attributes:
        layers: their names, in order.
        formulas: of one layer its own; of several those of one repetition, for layer l.
        numbers: the values of l, in order; none of one layer by itself.
        from_input: whether the first layer is among them, so that a⁰ is x.
    """

    layers: tuple[str, ...]
    formulas: tuple[Relation, ...]
    numbers: tuple[int, ...] = ()
    from_input: bool = False

    @property
    def range(self) -> Relation:
        """Which layers are meant: l = 5, …, 1."""
        first, *_, last = self.numbers
        return equals(LAYER, Indices((Number(first), Elided(), Number(last))))

    @property
    def beginning(self) -> tuple[Relation, ...]:
        """a⁰ = x, where that is needed."""
        return (equals(replace(X, name=ACTIVATION, sup=Number(0)), X),) if self.from_input else ()

    @property
    def validity(self) -> tuple[Span, ...]:
        """For which layers the formulas hold; nothing of one by itself."""
        return tuple(part for each in self.conditions for part in (", ", each))[1:]

    @property
    def conditions(self) -> tuple[Relation, ...]:
        """The same as formulas: l = 1, …, 5 and a⁰ = x."""
        return (self.range, *self.beginning) if self.numbers else ()

    @property
    def words(self) -> Paragraph:
        """Which layers are meant, by their names."""
        names = self.layers if len(self.layers) <= FEW_NAMED else (self.layers[0], "…", self.layers[-1])
        spans: list[Span] = ["the same in "]
        for place, name in enumerate(names):
            spans += [", " if place else "", name if name == "…" else Code(name)]
        return Paragraph((*spans, *(part for each in self.beginning for part in (", where ", each))))


def stretches(layers: Sequence[Layer]) -> list[Stretch]:
    """The layers in their order, those that are alike told once."""
    found: list[Stretch] = []
    place = 0
    while place < len(layers):
        length, count = _longest(layers[place:])
        own = layers[place : place + length * count]
        found.append(_together(own, length) if count > 1 else Stretch((own[0][0],), tuple(own[0][1])))
        place += len(own)
    return found


def _longest(layers: Sequence[Layer]) -> tuple[int, int]:
    """How many layers are repeated, and how often, so that most are told at once; (1, 1) where none are."""
    counts = [(length, _repeated(layers, length)) for length in range(1, min(LONGEST, len(layers) // FEWEST) + 1)]
    alike = [(length, count) for length, count in counts if count >= FEWEST]
    return max(alike, key=lambda each: (each[0] * each[1], -each[0]), default=(1, 1))


def _repeated(layers: Sequence[Layer], length: int) -> int:
    """How often the first so many layers come one after the other, each time counted one up or one down."""
    first, numbers = _general(layers[:length]), [_number(layers[0])]
    for start in range(length, len(layers) - length + 1, length):
        following = layers[start : start + length]
        numbers.append(_number(following[0]))
        if not _counts(numbers) or _general(following) != first:
            return len(numbers) - 1
    return len(numbers)


def _counts(numbers: Sequence[int | None]) -> bool:
    """Whether the numbers go up or down by one."""
    known = [each for each in numbers if each is not None]
    steps = {after - before for before, after in itertools.pairwise(known)}
    return len(known) == len(numbers) and steps in ({1}, {-1})


def _together(layers: Sequence[Layer], length: int) -> Stretch:
    """Layers that are alike, written for layer l."""
    every = [_number(layer) for layer in layers[::length]]
    return Stretch(
        tuple(name for name, _ in layers),
        tuple(formula for own in _general(layers[:length]) for formula in own),
        tuple(each for each in every if each is not None),
        from_input=any(part == X for _, own in layers for formula in own for part in _bare_symbols(formula)),
    )


def _general(layers: Sequence[Layer]) -> list[list[Relation]]:
    """The formulas of layers with the numbers of layers counted from the first one's, which is l."""
    base = _number(layers[0])
    return [[_changed(formula, lambda part: _counted(part, base)) for formula in formulas] for _, formulas in layers]


def _counted(part: Symbol, base: int | None) -> Symbol:
    """W⁵ as Wˡ⁺¹ where layer 4 is l; x of the first layer as aˡ⁻¹."""
    if base is None:
        return part
    if base == 1 and replace(part, sub=None) == X:
        return replace(part, name=ACTIVATION, sup=_shifted(-1))
    return replace(part, sup=_shifted(int(part.sup.value) - base)) if isinstance(part.sup, Number) else part


def _shifted(by: int) -> Formula:
    return LAYER if by == 0 else plus(LAYER, Number(by)) if by > 0 else minus(LAYER, Number(-by))


def _number(layer: Layer) -> int | None:
    """The number of a layer: that of the symbol which its first formula is of."""
    of = [each for formula in layer[1][:1] for each in _symbols(formula.left) if isinstance(each.sup, Number)]
    return int(of[0].sup.value) if of and isinstance(of[0].sup, Number) else None


# ---- formulas as trees ----


def _changed(formula: Relation, change: Callable[[Symbol], Symbol]) -> Relation:
    """The formula with every symbol changed."""
    return _rebuilt(formula, change)


def _rebuilt(part: Any, change: Callable[[Symbol], Symbol]) -> Any:  # Any: a part of a formula, of any kind
    if isinstance(part, tuple):
        return tuple(_rebuilt(each, change) for each in part)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(part, Number) or not isinstance(part, msgspec.Struct):
        return part
    inner = {name: _rebuilt(getattr(part, name), change) for name in part.__struct_fields__}
    made = replace(part, **inner)
    return change(made) if isinstance(made, Symbol) else made


def _symbols(formula: Formula) -> Iterable[Symbol]:
    """The symbols of a formula, in the order in which they are read."""
    found: list[Symbol] = []
    _rebuilt(formula, lambda each: found.append(each) or each)
    return found


def _bare_symbols(formula: Formula) -> Iterable[Symbol]:
    return (replace(each, sub=None) for each in _symbols(formula))
