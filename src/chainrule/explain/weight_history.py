"""The whole history of one weight: its moves, and what each sample has had in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.explain.credit import Credit
from chainrule.explain.nudges import Floats

Ints: TypeAlias = npt.NDArray[np.int64]
EPSILON: Final = {"float32": 2.0**-23, "float64": 2.0**-52}
TERMS: Final = 16.0  # roundings on the way of a term from sample to weight, which are taken to add up


class SampleShare(msgspec.Struct, frozen=True):
    """What one sample has had in the change of the weight.

    Attributes:
        row: its index in the source.
        target: its class or numbers, in words.
        moved: the weight by so much, over all its visits.
        visits: how often it was in a batch.
    """

    row: int
    target: str
    moved: float
    visits: int


class ClassShare(msgspec.Struct, frozen=True):
    """What the samples of one class have had together."""

    name: str
    moved: float
    samples: int


class Move(msgspec.Struct, frozen=True):
    """One step.

    Attributes:
        step: updates done before it.
        epoch: counted from 1.
        before: the weight.
        after: the weight one step later.
        gradient: ∂L/∂w on its batch.
        at_once: what its own batch has moved the weight by in this very step; the rest comes from earlier steps.
        samples: the rows of the batch that had most in that, with their parts, the largest first.
    """

    step: int
    epoch: int
    before: float
    after: float
    gradient: float
    at_once: float
    samples: tuple[tuple[int, str, float], ...]


class Past(msgspec.Struct, frozen=True, eq=False):
    """What was measured of a weight in s steps with v visits of samples.

    Attributes:
        name: "dense_1.W[3, 7]".
        first: updates done before the first step.
        values: the weight, (s + 1,).
        gradients: ∂L/∂w of each step, (s,).
        epochs: the epoch of each step, counted from 1, (s,).
        rows: the samples of the batches, one after the other, (v,).
        bounds: where each step's batch begins and ends among them, (s + 1,).
        own: each visit's own term of the gradient, (v,); None where samples were not told apart.
        credit: what the gradients are worth.
        dtype: in which it was trained.
    """

    name: str
    first: int
    values: Floats
    gradients: Floats
    epochs: Ints
    rows: Ints
    bounds: Ints
    own: Floats | None
    credit: Credit
    dtype: str

    @property
    def steps(self) -> int:
        """How many they are."""
        return len(self.gradients)

    @property
    def change(self) -> float:
        """How far the weight has come."""
        return float(self.values[-1] - self.values[0])

    @property
    def terms(self) -> Floats:
        """What each step's gradient is worth in the change, (s,)."""
        return self.credit.factors * self.gradients

    @property
    def parts(self) -> Floats:
        """What each visit is worth in the change, (v,); nothing where samples were not told apart."""
        if self.own is None:
            return np.zeros(0)
        return self.own * np.repeat(self.credit.factors, np.diff(self.bounds))

    @property
    def remainder(self) -> float:
        """What the sum over all visits (or gradients) and what was carried over leave of the change."""
        terms = self.terms if self.own is None else self.parts
        return self.change - float(np.sum(terms)) - self.credit.carried

    @property
    def rounding(self) -> float:
        """How large the remainder may be: each step rounds the weight, and each term some times on its way."""
        terms = self.terms if self.own is None else self.parts
        sizes = float(np.sum(np.abs(self.values))) + TERMS * (float(np.sum(np.abs(terms))) + abs(self.credit.carried))
        return EPSILON[self.dtype] * sizes


def samples_of(past: Past, targets: Sequence[str]) -> list[SampleShare]:
    """Every sample that was visited, the one that moved the weight most first.

    Args:
        past: the weight's.
        targets: of every row of the source, in words.
    """
    if past.own is None:
        return []
    count = len(targets)
    moved = np.bincount(past.rows, weights=past.parts, minlength=count)
    visits = np.bincount(past.rows, minlength=count)
    seen = np.flatnonzero(visits)
    order = seen[np.argsort(-np.abs(moved[seen]), kind="stable")]
    return [SampleShare(row, targets[row], float(moved[row]), int(visits[row])) for row in map(int, order)]


def classes_of(samples: Sequence[SampleShare]) -> list[ClassShare]:
    """The samples by their class, the class that moved the weight most first."""
    moved: dict[str, float] = {}
    counts: dict[str, int] = {}
    for each in samples:
        moved[each.target] = moved.get(each.target, 0.0) + each.moved
        counts[each.target] = counts.get(each.target, 0) + 1
    return sorted((ClassShare(name, moved[name], counts[name]) for name in moved), key=lambda each: -abs(each.moved))


def moves_of(past: Past, targets: Sequence[str], count: int, samples: int = 3) -> list[Move]:
    """The largest steps, the largest first.

    Args:
        past: the weight's.
        targets: of every row of the source, in words.
        count: how many moves at most; those of 0 are none.
        samples: how many of each batch are told.
    """
    sizes = np.abs(np.diff(past.values))
    order = [int(step) for step in np.argsort(-sizes, kind="stable")[:count] if sizes[step] > 0.0]
    return [_move(past, targets, step, samples) for step in order]


def _move(past: Past, targets: Sequence[str], step: int, samples: int) -> Move:
    factor = float(past.credit.at_once[step])
    told: list[tuple[int, str, float]] = []
    if past.own is not None:
        start, stop = past.bounds[step], past.bounds[step + 1]
        parts, rows = factor * past.own[start:stop], past.rows[start:stop]
        loud = [place for place in np.argsort(-np.abs(parts), kind="stable")[:samples] if parts[place] != 0.0]
        told = [(int(rows[place]), targets[int(rows[place])], float(parts[place])) for place in loud]
    return Move(
        step=past.first + step,
        epoch=int(past.epochs[step]),
        before=float(past.values[step]),
        after=float(past.values[step + 1]),
        gradient=float(past.gradients[step]),
        at_once=factor * float(past.gradients[step]),
        samples=tuple(told),
    )
