"""Arrays in memory as a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.data.dataset import FLOATS, Array, Dataset, indexed_names
from chainrule.data.fingerprint import fingerprint
from chainrule.data.labels import label
from chainrule.data.source import Source, Task
from chainrule.errors import DTypeError, ShapeError

IMAGE_AXES = (3, 4)  # (n, h, w) and (n, h, w, c)


def from_arrays(
    x: object,
    y: object,
    *,
    task: Task | None = None,
    sample_weight: object = None,
    name: str = "arrays",
    source: Source | None = None,
    test_rows: Array | None = None,
) -> Dataset:
    """A data set of arrays, or of whatever NumPy can read as such.

    Whole numbers, booleans and text in y are class labels and floats are regression targets, unless `task` says
    otherwise. Samples of uint8 with two or three axes are images: they are flattened and their range is 0 to 255.

    Args:
        x: samples, (n, *features).
        y: labels (n,), or targets (n,) or (n, k).
        task: "classification" or "regression"; None derives it from the dtype of y.
        sample_weight: (n,), or None.
        name: of the data set.
        source: where the arrays came from; None means from memory.
        test_rows: rows that the source declares as test, or None.

    Raises:
        DataError: see `Dataset`.
        DTypeError: values that are not numbers, or labels that are neither text nor whole.
        ShapeError: rows or shapes that do not fit.
    """
    samples, target = as_array(name, "x", x), as_array(name, "y", y)
    weight = None if sample_weight is None else _weights(name, as_array(name, "sample_weight", sample_weight))
    source = source or Source(kind="memory", name=name, task=task, sha256=fingerprint(samples, target, weight))
    image = samples.shape[1:] if samples.dtype == np.uint8 and samples.ndim in IMAGE_AXES else None
    shape = samples.shape[1:]
    known: dict[str, Any] = {  # the fields of Dataset that do not depend on the task
        "name": name,
        "x": samples if image is None else samples.reshape(samples.shape[0], int(np.prod(shape))),
        "source": source,
        "feature_names": indexed_names("x" if image is None else "pixel", shape),
        "sample_weight": weight,
        "test_rows": test_rows,
        "image_shape": image,
        "value_range": None if image is None else (0.0, 255.0),
    }
    if _task(name, target, task) == "classification":
        labels, class_names = label(name, _one_column(name, target))
        return Dataset(y=labels, task="classification", class_names=class_names, **known)
    targets = _targets(name, target)
    return Dataset(y=targets, task="regression", target_names=target_names(targets.shape[1]), **known)


def target_names(count: int) -> tuple[str, ...]:
    """Names of targets that came without: y, or y[0], y[1], ..."""
    return ("y",) if count == 1 else indexed_names("y", (count,))


def as_array(name: str, what: str, values: object) -> Array:
    """The values as an array of numbers, booleans or text."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":  # text or numbers boxed one by one, as dataframes give them
            array = np.asarray(array.tolist())
    except ValueError as error:
        raise ShapeError(f"{name}: {what} is not a regular array: its rows have different lengths") from error
    if array.dtype.kind not in "buifU":
        raise DTypeError(f"{name}: {what} has dtype {array.dtype}: give numbers (or, for classes, names)")
    return array


def _task(name: str, target: Array, task: Task | None) -> Task:
    if task is not None:
        return task
    if target.dtype.kind == "f":
        return "regression"
    if target.ndim == 2 and target.shape[1] > 1:
        raise ShapeError(
            f"{name}: y of shape {target.shape} and dtype {target.dtype} could be one-hot classes or several targets: "
            "give labels of shape (n,), or say task='regression'"
        )
    return "classification"


def _one_column(name: str, target: Array) -> Array:
    if target.ndim == 2 and target.shape[1] == 1:
        return target[:, 0]
    if target.ndim != 1:
        raise ShapeError(f"{name}: class labels have shape (n,), but y has shape {target.shape}")
    return target


def _targets(name: str, target: Array) -> Array:
    if target.dtype.kind == "U":
        raise DTypeError(f"{name}: the target holds text, but regression needs numbers: use task='classification'")
    floats = _floats(target)
    return floats.reshape(-1, 1) if floats.ndim == 1 else floats


def _weights(name: str, weight: Array) -> Array:
    if weight.dtype.kind == "U":
        raise DTypeError(f"{name}: sample_weight holds text, but a weight is a number")
    return _floats(weight)


def _floats(array: Array) -> Array:
    return array if array.dtype.name in FLOATS else array.astype(np.float64)
