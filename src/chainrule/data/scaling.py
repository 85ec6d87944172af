"""Shifting and scaling columns, fitted on training rows, saved as plain numbers, undone when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Array, Dataset, ScalingKind
from chainrule.errors import DataError, ShapeError, UnknownNameError, ValueRangeError

Floats = npt.NDArray[np.float64]

BLOCK: Final = 2**22  # numbers widened to float64 at a time: 32 MiB
SMALLEST_SCALE: Final = float(np.finfo(np.float32).tiny)  # below it a float32 has no full precision; taken as constant


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """x' = (x - shift) / scale, column by column, or with one pair of numbers for all columns.

    Attributes:
        kind: how it was fitted: "none", "standardize", "minmax" or "unit".
        shift: in the columns' own units; one number, or one per column.
        scale: in the columns' own units, positive; one number, or one per column.
    """

    kind: ScalingKind = "none"
    shift: float | tuple[float, ...] = 0.0
    scale: float | tuple[float, ...] = 1.0

    def __post_init__(self) -> None:
        shift, scale = self.shift_array, self.scale_array
        if shift.shape != scale.shape:
            raise ShapeError(f"scaling needs as many shifts as scales, but has {shift.size} and {scale.size}")
        if not bool((np.isfinite(shift) & np.isfinite(scale) & (scale > 0)).all()):
            raise ValueRangeError("scaling needs a finite shift and a finite scale above 0 in every column")

    @property
    def shift_array(self) -> Floats:
        """The shift, float64: () or (d,)."""
        return np.array(self.shift, dtype=np.float64)

    @property
    def scale_array(self) -> Floats:
        """The scale, float64: () or (d,)."""
        return np.array(self.scale, dtype=np.float64)

    def apply(self, values: Array) -> Floats:
        """The scaled values, float64, of the shape of `values` (n, *features)."""
        return ((self._columns(values) - self.shift_array) / self.scale_array).reshape(values.shape)

    def invert(self, scaled: Array) -> Floats:
        """The values in their own units, float64, from scaled ones (n, *features)."""
        return (self._columns(scaled) * self.scale_array + self.shift_array).reshape(scaled.shape)

    def _columns(self, values: Array) -> Floats:
        columns = _flat(values).astype(np.float64)  # (n, d)
        if self.shift_array.ndim and columns.shape[1] != self.shift_array.size:
            raise ShapeError(
                f"values of shape {values.shape} have {columns.shape[1]} columns, "
                f"but the scaling was fitted on {self.shift_array.size}"
            )
        return columns


def resolve_scaling(dataset: Dataset, kind: str = "auto") -> ScalingKind:
    """The kind of scaling that "auto" means for the features of this data set; any other kind is returned as it is.

    Raises:
        UnknownNameError: a kind that does not exist.
    """
    known = _known(kind)
    if known != "auto":
        return known
    if dataset.default_scaling != "auto":
        return dataset.default_scaling
    return "standardize" if dataset.value_range is None else "unit"


def resolve_target_scaling(dataset: Dataset, kind: str = "auto") -> ScalingKind:
    """The kind of scaling that "auto" means for the targets: none for classes and for sets that say so.

    Raises:
        UnknownNameError: a kind that does not exist.
    """
    known = _known(kind)
    if known != "auto":
        return known
    return "none" if dataset.task == "classification" or dataset.default_scaling == "none" else "standardize"


def fit_scaling(
    values: Array, kind: str, *, rows: Array | None = None, value_range: tuple[float, float] | None = None
) -> Scaling:
    """Fit a scaling, on training rows only.

    - none: the values as they are.
    - standardize: mean 0 and standard deviation 1 (of the population: divided by n).
    - minmax: smallest value 0, largest 1.
    - unit: the declared range to 0 to 1, the same for all columns; nothing is learned from the rows.

    A constant column, or one whose spread is below the smallest normal float32, is only shifted: its scale is 1.

    Args:
        values: (n, *features), finite.
        kind: "none", "standardize", "minmax" or "unit"; see `resolve_scaling` for "auto".
        rows: indices of the training rows, at least one; None where all are.
        value_range: smallest and largest value as the data set declares them; needed for "unit".

    Raises:
        DataError: a column whose spread is too large for float64, or "unit" without a declared range.
        ShapeError: no rows.
        UnknownNameError: a kind that does not exist, "auto" among them.
    """
    known = _known(kind, fitted=True)
    if values.ndim < 2 or len(values if rows is None else rows) == 0:
        raise ShapeError(f"a scaling is fitted on at least one row of (n, features), but the values are {values.shape}")
    if known == "unit":
        return _unit(value_range)
    if known == "none":
        return Scaling()
    columns = _flat(values if rows is None else values[rows])
    low, high = columns.min(axis=0).astype(np.float64), columns.max(axis=0).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # told below, with the column
        shift, scale = (low, high - low) if known == "minmax" else _mean_and_deviation(columns)
    shift = np.where(low == high, low, shift)  # exactly, where a mean would carry rounding
    scale = np.where((low == high) | (scale < SMALLEST_SCALE), 1.0, scale)
    wide = np.flatnonzero(~(np.isfinite(shift) & np.isfinite(scale)))
    if wide.size:
        raise DataError(f"column {wide[0]} runs from {low[wide[0]]} to {high[wide[0]]}: too wide to scale in float64")
    return Scaling(kind=known, shift=tuple(shift.tolist()), scale=tuple(scale.tolist()))


def _known(kind: str, *, fitted: bool = False) -> ScalingKind:
    for known in get_args(ScalingKind):
        if kind == known and not (fitted and known == "auto"):
            return known
    raise UnknownNameError(
        "scaling", kind, [known for known in get_args(ScalingKind) if not (fitted and known == "auto")]
    )


def _unit(value_range: tuple[float, float] | None) -> Scaling:
    if value_range is None:
        raise DataError("scaling 'unit' needs a declared value range, such as images have: use 'minmax' instead")
    low, high = value_range
    return Scaling(kind="unit", shift=low, scale=high - low)


def _mean_and_deviation(columns: Array) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column, in two passes: the differences are squared, not the values."""
    mean = columns.sum(axis=0, dtype=np.float64) / len(columns)
    squares = np.zeros_like(mean)
    for block in _blocks(columns):
        squares += ((block - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(squares / len(columns))


def _blocks(columns: Array) -> Iterator[Floats]:
    rows = max(1, BLOCK // columns.shape[1])
    for start in range(0, len(columns), rows):
        yield columns[start : start + rows].astype(np.float64)


def _flat(values: Array) -> Array:
    return values.reshape(len(values), -1)
