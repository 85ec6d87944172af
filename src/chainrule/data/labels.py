"""Class labels: from the values of a target to numbers 0, 1, ... and their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.data.quoting import quoted
from chainrule.errors import DataError, DTypeError


def label(name: str, values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """Labels and class names of a target of names, whole numbers or booleans.

    Classes are sorted: numbers by size, text by code point, false before true. A whole number is named without its
    decimal point, so 1 and 1.0 are one class.

    Args:
        name: of the data set, for messages.
        values: (n,).

    Returns: labels, int32 (n,), and the class names.

    Raises:
        DataError: a number that is not whole, or a missing value.
        DTypeError: values that are neither text, numbers nor booleans.
    """
    kind = values.dtype.kind
    if kind == "f":
        values = _whole(name, values)
    elif kind not in "biuU":
        raise DTypeError(f"{name}: the target has dtype {values.dtype}: classes are names, whole numbers or booleans")
    if values.dtype == np.uint8:  # labels of images: counted rather than sorted
        classes = np.flatnonzero(np.bincount(values))
        labels = np.searchsorted(classes, values)
    else:
        classes, labels = np.unique(values, return_inverse=True)
    names = (str(value).lower() if kind == "b" else str(value) for value in classes.tolist())
    return labels.reshape(-1).astype(np.int32), tuple(names)


def _whole(name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    fractional = np.flatnonzero(~(np.isfinite(values) & (values == np.trunc(values)) & (np.abs(values) < 2.0**63)))
    if fractional.size:
        row = int(fractional[0])
        raise DataError(
            f"{name}: the target is {quoted(values[row])} at row {row}, but classes are names or whole numbers: "
            "for numbers that measure something the task is regression"
        )
    return values.astype(np.int64)
