"""Which rows train, which validate, which test: a function of a seed, with every class present in training."""

from __future__ import annotations

import math
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Dataset
from chainrule.draws import Purpose, permutation
from chainrule.errors import DataError, ValueRangeError

Rows: TypeAlias = npt.NDArray[np.int64]

TEST_DRAW, VALIDATION_DRAW = 0, 1  # the `step` of the two draws


class Split(msgspec.Struct, frozen=True, eq=False):
    """Source row indices of the three parts, each sorted; validation and test may be empty."""

    train: Rows
    validation: Rows
    test: Rows


def split(
    dataset: Dataset, *, test_fraction: float, validation_fraction: float = 0.0, seed: int, stratify: bool = True
) -> Split:
    """Divide the rows of a data set into training, validation and test.

    Where the source declares its own test rows, those are the test and `test_fraction` is not used. Otherwise the
    nearest whole number of rows is held out, at least one where the fraction is not 0. A class is held out in
    proportion to its size (largest remainder) and always keeps a row for training.

    Args:
        dataset: what to divide.
        test_fraction: share of all rows held out for the test, 0 <= fraction < 1.
        validation_fraction: share of the rows left after the test, 0 <= fraction < 1.
        seed: of the experiment.
        stratify: hold out in proportion to the classes; without meaning for regression.

    Raises:
        DataError: too few rows to hold out any and still train.
        ValueRangeError: a fraction outside 0 <= fraction < 1.
    """
    _check_fraction("test_fraction", test_fraction)
    _check_fraction("validation_fraction", validation_fraction)
    labels = dataset.y if stratify and dataset.task == "classification" else np.zeros(dataset.row_count, dtype=np.int32)
    every = np.arange(dataset.row_count, dtype=np.int64)
    if dataset.test_rows is None:
        rest, test = _hold_out(dataset.name, "test", every, labels, test_fraction, (seed, TEST_DRAW))
    else:
        test = dataset.test_rows.copy()
        rest = np.setdiff1d(every, test, assume_unique=True)
    train, validation = _hold_out(
        dataset.name, "validation", rest, labels, validation_fraction, (seed, VALIDATION_DRAW)
    )
    return Split(train=train, validation=validation, test=test)


def _check_fraction(what: str, fraction: float) -> None:
    if not (math.isfinite(fraction) and 0.0 <= fraction < 1.0):
        raise ValueRangeError(f"{what} {fraction} leaves nothing to train on: give a number from 0 to below 1")


def _hold_out(
    name: str, part: str, rows: Rows, labels: npt.NDArray[np.int32], fraction: float, draw: tuple[int, int]
) -> tuple[Rows, Rows]:
    """The rows that stay and the rows held out, both sorted."""
    if fraction == 0.0:
        return rows, rows[:0]
    seed, step = draw
    shuffled = rows[permutation(seed, Purpose.SPLIT, step, len(rows))]
    classes = labels[shuffled]
    sizes = np.bincount(classes)
    total = max(1, math.floor(fraction * len(rows) + 0.5))
    shares = _shares(sizes, total)
    if not shares.any():
        count = "1 row is" if len(rows) == 1 else f"{len(rows)} rows are"
        reason = "every class needs a row" if len(sizes) > 1 else "at least one is needed"
        raise DataError(
            f"{name}: {count} too few to hold out a {part} part, as {reason} to train on: hold out none, with "
            f"--{part}-fraction 0 or {part}_fraction=0"
        )
    held = _rank_in_class(classes, sizes) < shares[classes]
    return np.sort(shuffled[~held]), np.sort(shuffled[held])


def _shares(sizes: npt.NDArray[np.int64], total: int) -> npt.NDArray[np.int64]:
    """How many rows of each class are held out: `total` in all if every class can keep one, by largest remainder."""
    room = np.maximum(sizes - 1, 0)
    total = min(total, int(room.sum()))
    quota = sizes * (total / sizes.sum())
    shares = np.minimum(np.floor(quota).astype(np.int64), room)
    by_remainder = np.argsort(shares - quota, kind="stable")
    missing = total - int(shares.sum())
    while missing > 0:  # ends: total <= sum of room, and every round fills at least one place
        takers = by_remainder[(shares < room)[by_remainder]][:missing]
        shares[takers] += 1
        missing -= len(takers)
    return shares


def _rank_in_class(classes: npt.NDArray[np.int32], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each row's place among the rows of its class, in the given order."""
    by_class = np.argsort(classes, kind="stable")
    first = np.cumsum(sizes) - sizes
    rank = np.empty(len(classes), dtype=np.int64)
    rank[by_class] = np.arange(len(classes)) - first[classes[by_class]]
    return rank
