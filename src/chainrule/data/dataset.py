"""A data set: samples, targets, and the names of their columns, checked where they enter."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.data.quoting import quoted
from chainrule.data.source import Source, Task
from chainrule.errors import DataError, DTypeError, ShapeError
from chainrule.errors.counts import counted, plural

Array: TypeAlias = npt.NDArray[Any]  # samples keep the dtype they are stored in
ScalingKind: TypeAlias = Literal["auto", "none", "standardize", "minmax", "unit"]

TEST_FRACTION: Final = 0.2  # a fifth is held out, unless the set says otherwise
FLOATS: Final = ("float32", "float64")
WIDEST: Final = 8  # bytes per number: float128 has no meaning elsewhere


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Dataset:
    """Samples and what is known of them. The arrays are read-only.

    Attributes:
        name: what a person calls it.
        x: samples, (n, *features), in their storage dtype (uint8, float32, ...), finite.
        y: class labels, int32 (n,), 0 to classes - 1; or regression targets, float (n, k), finite.
        task: "classification" or "regression".
        source: where it came from, with the SHA-256 of its content.
        feature_names: one for each number of a sample, row by row where a sample has several axes.
        class_names: by label; empty for regression.
        target_names: by column of y; empty for classification.
        sample_weight: weight of each sample, (n,), not negative; or None, which means 1 each.
        test_rows: rows the source itself declares as test, sorted; or None. They follow the training rows: in MNIST
            index 60,017 is row 17 of the t10k files.
        image_shape: (h, w) or (h, w, c) where a sample is an image flattened row by row; or None.
        value_range: smallest and largest value a feature can have, as declared by the format; or None.
        default_scaling: what the scaling "auto" means here; "auto" itself is "unit" where a value range is declared and
            "standardize" elsewhere.
        default_test_fraction: share of rows to hold out where nobody says otherwise; 0 for sets of a few rows.

    Raises:
        DataError: no rows, a value that is not finite, a label out of range.
        DTypeError: x holds something other than numbers.
        ShapeError: row counts or shapes that do not fit.
    """

    name: str
    x: Array
    y: Array
    task: Task
    source: Source
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    sample_weight: Array | None = None
    test_rows: npt.NDArray[np.int64] | None = None
    image_shape: tuple[int, ...] | None = None
    value_range: tuple[float, float] | None = None
    default_scaling: ScalingKind = "auto"
    default_test_fraction: float = TEST_FRACTION

    def __post_init__(self) -> None:
        for field in ("x", "y", "sample_weight", "test_rows"):
            array = getattr(self, field)
            if array is not None:
                object.__setattr__(self, field, _read_only(array))
        _check_samples(self)
        if self.task == "classification":
            _check_labels(self)
        else:
            _check_targets(self)
        _check_weights(self)
        _check_test_rows(self)

    @property
    def row_count(self) -> int:
        """How many samples there are, n."""
        return int(self.x.shape[0])

    @property
    def feature_count(self) -> int:
        """How many numbers a sample has."""
        return math.prod(self.x.shape[1:])

    @property
    def output_count(self) -> int:
        """How many classes there are, or how many targets a sample has, k."""
        return len(self.class_names) if self.task == "classification" else int(self.y.shape[1])

    def __len__(self) -> int:
        """How many samples there are, n."""
        return self.row_count

    def __getitem__(self, rows: int | slice | Array) -> tuple[Array, Array]:
        """The samples and the targets of a row or of several: `x, y = dataset[0]`, `dataset[:100]`.

        Raises: IndexError for a row that does not exist, so that a loop over the rows ends.
        """
        return self.x[rows], self.y[rows]

    def __repr__(self) -> str:
        outputs = "classes" if self.task == "classification" else plural(self.output_count, "target")
        size = (
            f"{counted(self.row_count, 'row')}, {counted(self.feature_count, 'feature')}, {self.output_count} {outputs}"
        )
        return f"Dataset({self.name!r}, {size})"


def indexed_names(prefix: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Names by position, row by row: x[0], x[1], ... or pixel[0, 0], pixel[0, 1], ..."""
    positions = itertools.product(*(range(size) for size in shape))
    return tuple(f"{prefix}[{', '.join(map(str, position))}]" for position in positions)


def _read_only(array: Array) -> Array:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _check_samples(data: Dataset) -> None:
    x, name = data.x, data.name
    if x.dtype.kind not in "buif" or x.dtype.itemsize > WIDEST:
        raise DTypeError(f"{name}: x has dtype {x.dtype}, but samples are numbers of up to 64 bits, or booleans")
    if x.ndim < 2:
        raise ShapeError(f"{name}: x has shape {x.shape}, but a row per sample is needed: reshape it to (n, features)")
    if x.shape[0] == 0:
        raise DataError(f"{name}: there are zero rows; at least one sample is needed")
    if data.feature_count == 0:
        raise ShapeError(f"{name}: x has shape {x.shape}: there are no features to learn from")
    if len(data.feature_names) != data.feature_count:
        raise ShapeError(f"{name}: {len(data.feature_names)} feature names for {data.feature_count} features")
    if data.image_shape is not None and math.prod(data.image_shape) != data.feature_count:
        raise ShapeError(f"{name}: images of shape {data.image_shape} do not have {data.feature_count} pixels")
    _check_finite(name, "x", x.reshape(x.shape[0], -1), data.feature_names)


def _check_finite(name: str, what: str, values: Array, columns: tuple[str, ...]) -> None:
    """Values (n, columns) without NaN and infinity, or the first place that has one."""
    if values.dtype.kind != "f" or bool(np.isfinite(values).all()):
        return
    row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
    raise DataError(
        f"{name}: {what} is {values[row, column]} at row {row}, column {quoted(columns[column])}, "
        "but every value must be finite: correct or remove the row"
    )


def _check_rows(data: Dataset, what: str, array: Array) -> None:
    if array.ndim == 0 or array.shape[0] != data.row_count:
        count = array.shape[0] if array.ndim else "no"
        raise ShapeError(f"{data.name}: x has {data.row_count} rows but {what} has {count}: one is needed per sample")


def _check_labels(data: Dataset) -> None:
    y, name = data.y, data.name
    _check_rows(data, "y", y)
    if y.ndim != 1 or y.dtype != np.int32:
        raise ShapeError(f"{name}: class labels are int32 of shape (n,), but y is {y.dtype} of shape {y.shape}")
    count = len(data.class_names)
    outside = np.flatnonzero((y < 0) | (y >= count))
    if outside.size:
        row = int(outside[0])
        raise DataError(
            f"{name}: label {y[row]} at row {row} is out of range: give 0 to {count - 1} for {count} classes"
        )


def _check_targets(data: Dataset) -> None:
    y, name = data.y, data.name
    _check_rows(data, "y", y)
    if y.ndim != 2 or y.shape[1] == 0 or y.dtype.name not in FLOATS:
        raise ShapeError(f"{name}: targets are floats of shape (n, k), but y is {y.dtype} of shape {y.shape}")
    if len(data.target_names) != y.shape[1]:
        raise ShapeError(f"{name}: {len(data.target_names)} target names for {y.shape[1]} targets")
    _check_finite(name, "y", y, data.target_names)


def _check_weights(data: Dataset) -> None:
    weight = data.sample_weight
    if weight is None:
        return
    _check_rows(data, "sample_weight", weight)
    if weight.ndim != 1 or weight.dtype.name not in FLOATS:
        raise ShapeError(f"{data.name}: sample_weight is floats of shape (n,), not {weight.dtype} of {weight.shape}")
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if bad.size:
        row = int(bad[0])
        raise DataError(f"{data.name}: sample_weight {weight[row]} at row {row}: give finite weights of 0 or more")
    if not bool(weight.any()):
        raise DataError(f"{data.name}: every sample_weight is 0: at least one sample must count")


def _check_test_rows(data: Dataset) -> None:
    rows = data.test_rows
    if rows is None:
        return
    if rows.ndim != 1 or rows.dtype != np.int64 or bool((np.diff(rows) <= 0).any()):
        raise ShapeError(f"{data.name}: test_rows is a sorted int64 array (rows,) without repetition")
    if rows.size and not (rows[0] >= 0 and rows[-1] < data.row_count):
        raise DataError(f"{data.name}: test_rows names a row outside 0 to {data.row_count - 1}")
    if rows.size == data.row_count:
        raise DataError(f"{data.name}: test_rows names every row: none is left to train on")
