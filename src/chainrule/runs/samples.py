"""Rows that are handed to a trained network: samples to predict on, and rows with targets to score it on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data.dataset import Array, Dataset
from chainrule.data.load import CSV_ENDINGS, load
from chainrule.data.unlabeled import load_samples
from chainrule.errors import RunError
from chainrule.train.data_record import DataRecord
from chainrule.train.prepare import samples


def samples_as(what: object, record: DataRecord) -> Array:
    """Samples (n, *features) as a run of this record takes them; images that have their axes are flattened.

    Raises: RunError for another shape or other values; what `load_samples` raises.
    """
    given = load_samples(what, record.feature_names)
    if record.image_shape is not None and given.shape[1:] == record.image_shape:
        given = given.reshape(len(given), *record.feature_shape)
    laid = samples(record, given)
    if not len(laid):
        raise RunError("there are zero samples to predict on: give at least one")
    return laid


def labeled(what: object, record: DataRecord) -> Dataset:
    """Rows with their targets, labeled as in the run of this record.

    Raises: RunError for a class that the run does not know; what `load` raises.
    """
    return _relabeled(what if isinstance(what, Dataset) else load(what, **_columns(what, record)), record)


def _columns(what: object, record: DataRecord) -> dict[str, Any]:  # Any: the options of `load`
    """Which columns of a table the run was trained on."""
    source = record.source
    is_path = isinstance(what, str | Path)
    if source.target is None or (is_path and not str(what).lower().endswith(CSV_ENDINGS)):
        return {"task": record.task} if isinstance(what, tuple) else {}
    if not is_path and isinstance(what, tuple | np.ndarray):
        return {"task": record.task} if isinstance(what, tuple) else {"target": source.target, "task": record.task}
    return {"target": source.target, "features": record.feature_names, "task": record.task}


def _relabeled(dataset: Dataset, record: DataRecord) -> Dataset:
    """The same rows, each class at its number in the run."""
    if record.task != "classification" or dataset.task != "classification":
        return dataset
    if dataset.class_names == record.class_names:
        return dataset
    unknown = [name for name in dataset.class_names if name not in record.class_names]
    if unknown:
        raise RunError(
            f"{dataset.name} has the class '{unknown[0]}', and the run was trained on {', '.join(record.class_names)}: "
            "leave these rows out"
        )
    places = np.array([record.class_names.index(name) for name in dataset.class_names], dtype=np.int32)
    return replace(dataset, y=places[dataset.y], class_names=record.class_names)


def labels_as(names: tuple[str, ...]) -> Array:
    """Class names as an array: of whole numbers where all are."""
    try:
        numbers = [int(name) for name in names]
    except ValueError:
        return np.array(names, dtype=np.str_)
    return np.array(numbers, dtype=np.int64) if [str(number) for number in numbers] == list(names) else np.array(names)
