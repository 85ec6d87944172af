"""From an experiment and its data to everything a run needs: rows divided, scaling fitted, columns laid out, graphs."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Dataset
from chainrule.data.load import check_source
from chainrule.data.quoting import quoted
from chainrule.data.scaling import Scaling, fit_scaling
from chainrule.data.splits import Rows, Split, split
from chainrule.errors import DataError, RunError, ShapeError
from chainrule.errors.counts import counted
from chainrule.graph.tensor_type import Size, show_shape
from chainrule.train.data_record import Array, DataRecord, record_of, stored
from chainrule.train.experiment import Experiment
from chainrule.train.resolve import resolve
from chainrule.train.step import WEIGHT, Graphs, X, Y, build


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """An experiment ready to run on its data.

    Attributes:
        experiment: resolved.
        dataset: all rows.
        split: source row indices of the three parts.
        record: what a run remembers of its data.
        graphs: everything that is run.
        columns: x, y and, where there are weights, w, all rows, as the graphs take them.
        rows: the training rows that count: those whose weight is not 0.
    """

    experiment: Experiment
    dataset: Dataset
    split: Split
    record: DataRecord
    graphs: Graphs
    columns: dict[str, Array]
    rows: Rows

    @property
    def weights(self) -> Array:
        """The weight of every row, float64 (n,); 1 each where there are none."""
        given = self.dataset.sample_weight
        return np.ones(self.dataset.row_count) if given is None else given.astype(np.float64)


def prepare(experiment: Experiment, dataset: Dataset) -> Prepared:
    """Resolve the experiment, divide the rows, fit the scaling on the training rows and build the graphs.

    Raises: ExperimentError, DataError, ShapeError, UnknownNameError when the experiment and the data do not fit.
    """
    _check_classes(dataset)
    resolved = resolve(experiment, check_source(dataset, experiment.data))
    parts = split(
        dataset,
        test_fraction=_number(resolved.split.test_fraction),
        validation_fraction=resolved.split.validation_fraction,
        seed=resolved.seed,
        stratify=resolved.split.stratify,
    )
    kinds = resolved.preprocessing
    features = fit_scaling(dataset.x, kinds.features, rows=parts.train, value_range=dataset.value_range)
    targets = Scaling()
    if dataset.task == "regression":
        targets = fit_scaling(dataset.y, kinds.targets, rows=parts.train)
    record = record_of(dataset, parts, features, targets)
    return Prepared(
        experiment=resolved,
        dataset=dataset,
        split=parts,
        record=record,
        graphs=build(resolved, record),
        columns=columns(resolved, record, dataset),
        rows=_counted(dataset, parts.train),
    )


def _check_classes(dataset: Dataset) -> None:
    """That there is something to tell apart; to score a classifier, rows of one class will do."""
    if dataset.task != "classification":
        return
    if dataset.y.min() == dataset.y.max():
        only = quoted(dataset.class_names[int(dataset.y[0])])
        raise DataError(f"{dataset.name}: one class only ({only}): a classifier needs rows of at least two classes")


def columns(experiment: Experiment, record: DataRecord, dataset: Dataset) -> dict[str, Array]:
    """The rows of a data set as the graphs take them: x, y and, where the run has weights, w.

    Raises: ShapeError when its samples have another shape; RunError when it has other classes or targets.
    """
    x = samples(record, dataset.x)
    _check_same_kind(record, dataset)
    laid = {X: x, Y: stored(dataset.y, record.y_dtype)}
    if record.weighted:
        weight = np.ones(dataset.row_count) if dataset.sample_weight is None else dataset.sample_weight
        laid[WEIGHT] = stored(weight, experiment.dtype)
    return laid


def samples(record: DataRecord, x: npt.ArrayLike) -> Array:
    """Samples (n, *features) in the dtype in which the run takes them.

    Raises: ShapeError for another shape; RunError for values that this dtype cannot hold, such as 0.5 among pixels.
    """
    given = np.asarray(x)
    if given.ndim == 0 or tuple(given.shape[1:]) != record.feature_shape:
        raise ShapeError(_other_shape(record, given))
    if given.dtype.kind not in "buif":
        raise RunError(f"the run was trained on numbers, and these samples have dtype {given.dtype}: convert them")
    with np.errstate(invalid="ignore", over="ignore"):
        laid = stored(given, record.x_dtype)
    floats = [array for array in (given, laid) if array.dtype.kind == "f"]
    if not all(np.isfinite(array).all() for array in floats):
        raise RunError("a sample holds NaN or infinity, or a number too large: correct it, or leave it out")
    is_rounding = given.dtype.kind == "f" and laid.dtype.kind == "f"
    if not is_rounding and laid is not given and not np.array_equal(laid, given):
        raise RunError(
            f"the run was trained on samples of {record.x_dtype}, and these hold other values, from {given.min()} to "
            f"{given.max()}: give them as they were before any scaling"
        )
    return laid


def _other_shape(record: DataRecord, given: Array) -> str:
    """What is wanted and what came, both with the axis of the samples, and how to get from one to the other."""
    wanted = record.feature_shape
    if given.shape in (wanted, record.image_shape):
        remedy = "one sample is written x[None]"
    elif given.ndim > 1 and len(given) and (math.prod(given.shape[1:]),) == wanted:
        remedy = "write x.reshape(len(x), -1)"
    else:
        remedy = "give the features that the run was trained on"
    shape = show_shape((Size(1, ("n",)), *wanted))
    return f"samples of shape {shape} are wanted, and {show_shape(given.shape)} came: {remedy}"


def _check_same_kind(record: DataRecord, dataset: Dataset) -> None:
    if (dataset.task, dataset.class_names) != (record.task, record.class_names):
        trained, given = (", ".join(names) or "numbers" for names in (record.class_names, dataset.class_names))
        raise RunError(f"the run was trained on {trained}, and the target of {dataset.name} is {given}: give the same")
    if dataset.output_count != record.output_count:
        raise RunError(
            f"the run has {counted(record.output_count, 'target')}, and {dataset.name} has {dataset.output_count}: "
            "give the same"
        )


def _number(fraction: float | str) -> float:
    assert isinstance(fraction, float)  # resolved
    return fraction


def _counted(dataset: Dataset, rows: Rows) -> Rows:
    """The rows whose weight is not 0: a batch of weights 0 would have no mean."""
    if dataset.sample_weight is None:
        return rows
    kept = rows[dataset.sample_weight[rows] > 0]
    if not kept.size:
        raise DataError(f"{dataset.name}: every training row has the sample_weight 0: at least one must count")
    return kept
