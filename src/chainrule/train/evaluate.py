"""How good a network is on some rows: loss, and what people ask of classes and of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.backends.choose import AUTO, ONCE, choose, compiled
from chainrule.backends.protocol import StopFlag
from chainrule.data.batches import offsets
from chainrule.data.splits import Rows
from chainrule.errors import DataError, NonFiniteError
from chainrule.train.data_record import Array, DataRecord
from chainrule.train.step import WEIGHT, Graphs, X, Y

ROWS_AT_ONCE: Final = 1024  # so that a large data set does not fill the memory with activations
WIDTH: Final = 80  # columns of what is printed

Floats = npt.NDArray[np.float64]


class ClassScore(msgspec.Struct, frozen=True):
    """How one class fares.

    Attributes:
        name: of the class.
        precision: of what was called so, the share that is; NaN where nothing was called so.
        recall: of what is so, the share that was called so; NaN where nothing is.
        f1: the harmonic mean of both, 2 · right / (called so + is so); NaN where nothing is or was called so.
        rows: how many are of the class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    rows: int


class Classified(msgspec.Struct, frozen=True, eq=False):
    """Scores on classes; printed or in a notebook, a table of them.

    Attributes:
        rows: how many were looked at.
        loss: mean over the rows, weighted where they have weights.
        accuracy: share that is right, weighted likewise.
        classes: how each class fares, each row counted once.
        confusion: int64 (k, k): how many rows of class [i] were called [j].
    """

    rows: int
    loss: float
    accuracy: float
    classes: tuple[ClassScore, ...]
    confusion: npt.NDArray[np.int64]

    @property
    def metrics(self) -> dict[str, float]:
        """The scores that are one number."""
        return {"loss": self.loss, "accuracy": self.accuracy}

    def __repr__(self) -> str:
        return _text(self)

    def _repr_html_(self) -> str:
        return _html(self)


class TargetScore(msgspec.Struct, frozen=True):
    """How one target fares, in its own units.

    Attributes:
        name: of the target.
        rmse: root of the mean squared error.
        mae: mean absolute error.
        r2: share of the variance that is explained: 1 - Σ(ŷ - y)² / Σ(y - mean)²; NaN for a constant target.
    """

    name: str
    rmse: float
    mae: float
    r2: float


class Regressed(msgspec.Struct, frozen=True):
    """Scores on numbers, weighted where rows have weights; printed or in a notebook, a table of them.

    Attributes:
        rows: how many were looked at.
        loss: mean over the rows, of scaled targets.
        targets: how each target fares.
    """

    rows: int
    loss: float
    targets: tuple[TargetScore, ...]

    @property
    def metrics(self) -> dict[str, float]:
        """The scores that are one number; of several targets the mean."""
        named = {"rmse": [t.rmse for t in self.targets], "mae": [t.mae for t in self.targets]}
        named["r2"] = [t.r2 for t in self.targets]
        return {"loss": self.loss, **{name: float(np.mean(values)) for name, values in named.items()}}

    def __repr__(self) -> str:
        return _text(self)

    def _repr_html_(self) -> str:
        return _html(self)


Scores = Classified | Regressed


def _text(scores: Scores) -> str:
    """What is printed."""
    from chainrule.document import render_text
    from chainrule.train.scores import scores_document

    return render_text(scores_document(scores), WIDTH).rstrip("\n")


def _html(scores: Scores) -> str:
    """What a notebook shows."""
    from chainrule.document import render_notebook
    from chainrule.train.scores import scores_document

    return render_notebook(scores_document(scores))


def tally_rows(
    graphs: Graphs, state: Mapping[str, Array], columns: Mapping[str, Array], rows: Rows, backend: str = AUTO
) -> dict[str, Array]:
    """The weighted means over some rows: "loss", and "correct" of classes or "squared" of numbers.

    Args:
        graphs: of the experiment.
        state: parameters and constants; slots are not looked at.
        columns: x, y and, where there are weights, w.
        rows: which of them, at least one.
        backend: what runs it.

    Raises: DataError when there are no rows, or their weights sum to 0.
    """
    if not len(rows):
        raise DataError("there are zero rows to evaluate; give at least one")
    step = graphs.evaluate
    program = compiled(step, backend)
    done = program.run(
        program.start({name: state[name] for name in step.state}),
        {name: columns[name] for name in step.columns},
        rows,
        offsets(len(rows), ROWS_AT_ONCE),
        {},
        0,
        StopFlag(),
    )
    sums = {name: np.cumsum(values, axis=0)[-1] for name, values in done.measurements.items()}
    weight = float(sums.pop("weight"))
    if weight == 0.0:
        raise DataError("the weights of the rows to evaluate sum to 0: at least one must count")
    return {name: total / weight for name, total in sums.items()}


def measure(
    graphs: Graphs, state: Mapping[str, Array], columns: Mapping[str, Array], rows: Rows, backend: str = AUTO
) -> dict[str, float]:
    """The scores that are looked at after every epoch: "loss", and "accuracy" of classes or "rmse" of numbers."""
    means = tally_rows(graphs, state, columns, rows, backend)
    if "correct" in means:
        return {"loss": float(means["loss"]), "accuracy": float(means["correct"])}
    return {"loss": float(means["loss"]), "rmse": float(np.sqrt(means["squared"]).mean())}


def predict(graphs: Graphs, state: Mapping[str, Array], x: Array) -> dict[str, Array]:
    """What the network says of samples, whatever backend trained it.

    Args:
        graphs: of the experiment.
        state: parameters and constants.
        x: (n, *features), as `prepare.samples` gives them; at least one row.

    Returns: "y_hat" of shape (n, k): probabilities of classes, or scaled targets; and "prediction": labels, int32 (n,),
        or targets in their own units, float64 (n, k).

    Raises: DataError when there are no rows.
    """
    if not len(x):
        raise DataError("there are zero rows to predict; give at least one")
    runner, inputs = choose(ONCE), [name for name in graphs.predict.input_names if name != X]
    given = {name: state[name] for name in inputs}
    blocks = [x[start : start + ROWS_AT_ONCE] for start in range(0, len(x), ROWS_AT_ONCE)]
    parts = [runner.evaluate(graphs.predict, {**given, X: block}) for block in blocks]
    return {name: np.concatenate([part[name] for part in parts]) for name in graphs.predict.output_names}


def evaluate(
    graphs: Graphs,
    record: DataRecord,
    state: Mapping[str, Array],
    columns: Mapping[str, Array],
    rows: Rows,
) -> Scores:
    """Everything that is asked of a network on some rows, whatever backend trained it.

    Raises: DataError when there are no rows; NonFiniteError when the network's output is not a number.
    """
    means = tally_rows(graphs, state, columns, rows, ONCE)
    said = predict(graphs, state, columns[X][rows])["prediction"]
    y = columns[Y][rows]
    if record.task == "classification":
        table = confusion(y, said, len(record.class_names))
        scores = class_scores(table, record.class_names)
        return Classified(len(rows), float(means["loss"]), float(means["correct"]), scores, table)
    if not np.isfinite(said).all():
        raise NonFiniteError("the network's output is not finite: its weights are too large; train with a smaller rate")
    weight = columns[WEIGHT][rows].astype(np.float64) if record.weighted else np.ones(len(rows))
    errors = [
        _target_score(name, y[:, k].astype(np.float64), said[:, k], weight)
        for k, name in enumerate(record.target_names)
    ]
    return Regressed(len(rows), float(means["loss"]), tuple(errors))


def confusion(labels: Array, said: Array, classes: int) -> npt.NDArray[np.int64]:
    """How many rows of class [i] were called [j], (k, k)."""
    cells = labels.astype(np.int64) * classes + said.astype(np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def class_scores(table: npt.NDArray[np.int64], names: tuple[str, ...]) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each class, from how many of class [i] were called [j]."""
    right, called, real = np.diag(table), table.sum(axis=0), table.sum(axis=1)
    return tuple(
        ClassScore(
            name,
            precision=_share(right[k], called[k]),
            recall=_share(right[k], real[k]),
            f1=_share(2 * right[k], called[k] + real[k]),
            rows=int(real[k]),
        )
        for k, name in enumerate(names)
    )


def _share(part: int, whole: int) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _target_score(name: str, y: Floats, said: Floats, weight: Floats) -> TargetScore:
    """Scores of one target, each array (n,)."""
    error, total = said - y, weight.sum()
    squared = float((weight * error**2).sum())
    spread = float((weight * (y - (weight * y).sum() / total) ** 2).sum())
    return TargetScore(
        name,
        rmse=float(np.sqrt(squared / total)),
        mae=float((weight * np.abs(error)).sum() / total),
        r2=1.0 - squared / spread if spread else float("nan"),
    )
