"""A derivation with its numbers: every piece of it written, filled in and evaluated on the subject's batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec
import numpy as np

from chainrule.autodiff.reverse import adjoints
from chainrule.backends.protocol import Array
from chainrule.document import Formula, Matrix, Number, NumberStyle, Symbol, partial
from chainrule.errors import ValueRangeError
from chainrule.explain.book import Book
from chainrule.explain.chain import Way, way_of
from chainrule.explain.derivation import ADJOINT, LOSSES, Derivation, Piece
from chainrule.explain.formulas import Labels, Writer
from chainrule.explain.notation import LOSS, SAMPLE_LOSS, Notation, at, subscripted
from chainrule.explain.numbers import evaluate
from chainrule.explain.scope import Scope
from chainrule.explain.subject import Subject
from chainrule.graph.node import Node

FILLED = NumberStyle("significant", 4)  # of numbers that stand in a formula


class Extent(msgspec.Struct, frozen=True):
    """How large an array is: ‖v‖, its largest element in size and where it stands, how many are exactly 0."""

    shape: tuple[int, ...]
    norm: float
    largest: float
    place: tuple[int, ...]
    zeros: int


class Derived:
    """A scope of a subject, derived; each part is computed when it is first asked for.

    Args:
        subject: a loss on a batch.
        scope: what is meant.
        alone: whether the batch is one sample that is shown by itself; its gradients are those of its own loss.
    """

    def __init__(self, subject: Subject, scope: Scope, *, alone: bool) -> None:
        self.subject, self.scope, self.alone = subject, scope, alone
        self.derivation = Derivation(subject, mean=not alone)
        self.book = Book(subject, alone=alone, brief=True)

    @property
    def sample(self) -> str | None:
        """The letter of the sample; none where there is one alone."""
        return None if self.alone else "n"

    @property
    def loss_of_sample(self) -> Symbol:
        """The loss of one sample as it is written: L, or ℓₙ."""
        return LOSS if self.alone else subscripted(SAMPLE_LOSS, at("n"))

    @property
    def loss_symbol(self) -> Symbol:
        """What flows back: of one sample alone L, of a batch each sample's ℓ."""
        return LOSS if self.alone else SAMPLE_LOSS

    # ---- what is passed ----

    @cached_property
    def made(self) -> list[str]:
        """The values of the layers that are meant, in order; of the whole network also the prediction."""
        names = [name for name in self.derivation.values if name != LOSSES]
        return [name for name in names if self.scope.kind == "network" or self._belongs(name)]

    @cached_property
    def passed(self) -> list[str]:
        """The values that the loss flows back through to reach what is meant, the last first."""
        backward = self.derivation.backward
        own = [place for place, name in enumerate(backward) if self._belongs(name)]
        if not own:
            return []
        end = max(own)
        handed = self.scope.kind == "layer" and end + 1 < len(backward)
        return backward[: end + 1 + handed]

    def _belongs(self, name: str) -> bool:
        """Whether the value is made by a layer that is meant."""
        names = [name, *self._aliases(name)]
        return any(each.rpartition(".")[0] in self.scope.layers for each in names)

    def _aliases(self, name: str) -> list[str]:
        node = self.derivation.values[name]
        return [each for each, other in self.subject.values.items() if other is node]

    def layer_of(self, name: str) -> str:
        """The layer that makes a value; of the prediction that a loss adds, "ŷ"."""
        return name.rpartition(".")[0] or "ŷ"

    def unit_of(self, name: str) -> int | None:
        """The one unit that is meant of a value or a parameter; None for all of them."""
        own = name in self.scope.parameters or (name in self.derivation.values and self._belongs(name))
        return self.scope.unit if own else None

    @property
    def entry(self) -> Labels:
        """The place of the one weight that is meant."""
        return None if self.scope.weight is None else at(*self.scope.weight[1])

    # ---- numbers ----

    @cached_property
    def way(self) -> Way:
        """Everything in the forms that floating point survives."""
        return way_of(self.subject)

    @cached_property
    def numbers(self) -> dict[str, Array]:
        """By name: values, their adjoints ("∂ dense_1.z"), parameters, "y", "x", the losses and what each counts."""
        way, subject = self.way, self.subject
        asked = {name: way.nodes[name] for name in ("loss", "losses", "y_hat", "y", "x", *subject.values)}
        asked |= {ADJOINT + n: way.adjoints[v] for n in self.derivation.backward if (v := way.nodes[n]) in way.adjoints}
        asked |= {name: way.nodes[name] for name in subject.parameters}
        asked["shares"] = adjoints(way.nodes["loss"], [way.nodes["losses"]])[way.nodes["losses"]]
        found = evaluate(asked, subject.inputs)
        if np.isnan(found["shares"]).all() and not np.isnan(found["losses"]).any():
            raise ValueRangeError(
                "the weights of these samples sum to 0, so they have no mean loss to explain; choose one that counts"
            )
        return found

    @cached_property
    def gradients(self) -> dict[str, Array]:
        """∂L/∂w of every parameter that is meant and that the loss depends on."""
        asked = {name: self.way.gradients[name] for name in self.scope.parameters if name in self.way.gradients}
        return {name: np.asarray(value, np.float64) for name, value in evaluate(asked, self.subject.inputs).items()}

    def array(self, name: str) -> Array:
        """The numbers of a value, an adjoint or a gradient by the name of its piece."""
        return np.asarray(self.gradients[name] if name in self.gradients else self.numbers[ADJOINT + name])

    def evaluated(self, nodes: Mapping[str, Node], instead: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """The numbers of parts of pieces; with other numbers for some stand-ins."""
        return evaluate(nodes, {**self.subject.inputs, **self.numbers, **(instead or {})})

    # ---- writing ----

    def sample_gradient(self, parameter: str) -> Piece:
        """∂ℓₙ/∂w of a parameter, before it is averaged."""
        return self._single.gradient(parameter)

    @cached_property
    def _single(self) -> Derivation:
        return self.derivation if self.alone else Derivation(self.subject, mean=False)

    def piece(self, name: str) -> Piece:
        """The piece of a value or a parameter."""
        is_parameter = name in self.subject.parameters
        return self.derivation.gradient(name) if is_parameter else self.derivation.adjoint(name)

    def symbol(self, stand_in: str) -> Formula | None:
        """How a stand-in is written; None for one without a name, such as the weights of samples."""
        if stand_in.startswith(ADJOINT):
            return self.book.adjoint_of(stand_in.removeprefix(ADJOINT), self.loss_symbol)
        known = (*self.subject.parameters, *self.derivation.values, "x", "y", "y_hat")
        return self.book.symbol_of(stand_in) if stand_in in known else None

    def notation(self, piece: Piece) -> Notation:
        """The symbols of a piece."""
        symbols = {node: self.symbol(name) for node, name in piece.names.items()}
        return Notation({node: each for node, each in symbols.items() if each is not None}, self.alone, brief=True)

    def written(self, piece: Piece, labels: Labels = None) -> Formula:
        """A piece's formula, whole or for one element."""
        return Writer(self.notation(piece), self.taken(labels)).write(piece.whole, labels)

    def left(self, name: str, labels: Labels = None) -> Formula:
        """What a piece is: δ², ∂L/∂a¹ or ∂L/∂W²."""
        if name in self.subject.parameters:
            return partial(LOSS, subscripted(self.book.symbol_of(name), labels))
        node = self.derivation.values[name]
        symbol = self.book.adjoint_of(name, self.loss_symbol)
        return Notation({node: symbol}, self.alone, brief=True).name(node, labels)

    def labels(self, name: str) -> Labels:
        """Letters for the axes of a value or a parameter, or the unit that is meant; 0 where there is one place."""
        is_parameter = name in self.subject.parameters
        shape = (self.subject.parameters if is_parameter else self.derivation.values)[name].tensor.shape
        inner = shape if is_parameter else shape[1:]
        letters = "ij"[-len(inner) :] if len(inner) <= 2 else "hijkl"[-len(inner) :]
        chosen: list[int | str | None] = [0 if d == 1 else letter for d, letter in zip(inner, letters, strict=True)]
        unit = self.unit_of(name)
        chosen[-1] = chosen[-1] if unit is None else unit
        return at(*chosen) if is_parameter else at(self.sample, *chosen)

    @staticmethod
    def taken(labels: Labels) -> list[str]:
        """The letters that sums must not use."""
        return [each.name for each in labels or [] if isinstance(each, Symbol)]


def extent(array: Array) -> Extent:
    """The size of an array of at least one number."""
    sizes = np.abs(np.asarray(array, np.float64))
    flat = int(np.argmax(sizes))
    place = tuple(int(axis) for axis in np.unravel_index(flat, sizes.shape))
    return Extent(
        shape=tuple(int(dim) for dim in sizes.shape),
        norm=float(np.linalg.norm(sizes)),
        largest=float(np.asarray(array)[place]),
        place=place,
        zeros=int(np.count_nonzero(sizes == 0.0)),
    )


def matrix(array: Array, style: NumberStyle = FILLED) -> Formula:
    """An array of at most two axes in brackets; one number by itself."""
    rows: Sequence[Sequence[float]] = np.atleast_2d(np.asarray(array, np.float64)).tolist()
    if len(rows) == len(rows[0]) == 1:
        return Number(rows[0][0], style)
    return Matrix(tuple(tuple(Number(value, style) for value in row) for row in rows))
