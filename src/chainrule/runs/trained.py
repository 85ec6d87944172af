"""A trained network with everything that led to it, ready to predict."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Array, Dataset
from chainrule.data.load import load_source
from chainrule.document.numbers import short
from chainrule.errors import RunError
from chainrule.errors.calls import checked_call
from chainrule.errors.counts import counted
from chainrule.runs.kept_data import kept_data
from chainrule.runs.samples import labeled, labels_as, samples_as
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import DataRecord
from chainrule.train.evaluate import Scores, evaluate, predict
from chainrule.train.experiment import Experiment
from chainrule.train.folder import RunFolder
from chainrule.train.history import History
from chainrule.train.prepare import Prepared, columns, prepare
from chainrule.train.resume import prepare_again
from chainrule.train.state import parameters_of
from chainrule.train.step import Graphs, build


@dataclass(frozen=True, eq=False, repr=False)
class Trained(ABC):
    """A trained network with everything that led to it.

    Attributes:
        experiment: what was done, every "auto" resolved.
        record: what is known of its data without loading them.
        checkpoint: weights, optimizer slots and counters after the last step.
        history: what was measured after every epoch: `run.history["loss"]`.
        reason: why it stopped: "completed", "interrupted", "terminated", "non-finite"; "unfinished" where it was
            killed, or is still under way; "replayed" of an earlier step.
        seconds: spent training, over all sittings.
        test: scores on the held-out rows, where the run is complete and has some: "loss" and "accuracy", or "rmse",
            "mae" and "r2".
        path: its folder; None where it is in memory only.
        scores: the same in full, of each class or target, where this sitting ended the run.
    """

    experiment: Experiment
    record: DataRecord
    checkpoint: Checkpoint
    history: History
    reason: str
    seconds: float
    test: Mapping[str, float] | None
    path: Path | None
    scores: Scores | None = None
    _given: Dataset | None = None
    _prepared: Prepared | None = None

    @property
    def name(self) -> str:
        """The name of its folder, or of its experiment where it has none."""
        return self.path.name if self.path else self.experiment.name

    @property
    def step(self) -> int:
        """Updates done."""
        return self.checkpoint.step

    @property
    def epochs(self) -> int:
        """Complete epochs."""
        return self.history.epochs

    @cached_property
    def graphs(self) -> Graphs:
        """Everything that is run: loss, prediction, training step."""
        return self._prepared.graphs if self._prepared else build(self.experiment, self.record)

    @property
    def weights(self) -> dict[str, Array]:
        """A copy of every weight and bias by name, in order: `run.weights["dense_1.W"]`."""
        return {name: np.array(value) for name, value in parameters_of(self.graphs, self.checkpoint.state).items()}

    @cached_property
    def dataset(self) -> Dataset:
        """The data it was trained on, loaded again and checked where they are not at hand.

        Raises: DataError when they changed, or were in memory and are gone; UnreadableFileError when they cannot be
            read.
        """
        if self._given is not None:
            return self._given
        kept = kept_data(self.path, self.record) if self.path else None
        return load_source(self.experiment.data) if kept is None else kept

    @cached_property
    def prepared(self) -> Prepared:
        """Experiment, data and graphs: the rows divided and scaled as in training."""
        if self._prepared is not None:
            return self._prepared
        if self.path is None:
            return prepare(self.experiment, self.dataset)
        return prepare_again(RunFolder(self.path), self.experiment, self.dataset)

    @checked_call
    def predict(self, x: object) -> npt.NDArray[Any]:
        """What the network says of samples.

        Args: x: samples (n, *features) in the units of the training data; or a `Dataset`, a file or a dataframe with
            the same features.

        Returns: of classes their names, text (n,), or numbers where all names are whole numbers; of regression the
            targets in their own units, float64 (n,), or (n, k) of several.
        Raises: ShapeError, DTypeError, ValueRangeError, DataError, UnreadableFileError: samples that do not fit.
        """
        said = self._said(x)["prediction"]
        if self.record.task == "regression":
            return said[:, 0] if said.shape[1] == 1 else said
        return labels_as(self.record.class_names)[said]

    @checked_call
    def predict_proba(self, x: object) -> npt.NDArray[Any]:
        """The probability of each class, float (n, k), in the order of `run.record.class_names`.

        Raises: RunError for a run that predicts numbers, or whose outputs are no probabilities; what `predict` raises.
        """
        if self.record.task == "regression" or "cross_entropy" not in self.experiment.loss:
            raise RunError(f"{self.name} does not predict probabilities: use predict")
        y_hat = self._said(x)["y_hat"]
        return np.hstack((1 - y_hat, y_hat)) if y_hat.shape[1] == 1 else y_hat

    @checked_call
    def evaluate(self, data: object = None, y: object = None) -> Scores:
        """How good the network is.

        Args:
            data: rows with their targets, as `load` takes them: a `Dataset`, (x, y), a file; or the samples x alone;
                None for the rows held out from the run's own data.
            y: the targets, where `data` are the samples x.

        Returns: `Classified` or `Regressed`; their `metrics` are a dict.
        Raises: RunError when the run has held out no rows, or the data are of another kind; DataError.
        """
        if data is None:
            prepared = self.prepared
            if not len(prepared.split.test):
                raise RunError(f"{self.name} has held out no rows: give data to evaluate on")
            return evaluate(self.graphs, self.record, self.checkpoint.state, prepared.columns, prepared.split.test)
        dataset = labeled(data if y is None else (data, y), self.record)
        laid = columns(self.experiment, self.record, dataset)
        rows = np.arange(dataset.row_count, dtype=np.int64)
        return evaluate(self.graphs, self.record, self.checkpoint.state, laid, rows)

    def __repr__(self) -> str:
        test = "".join(f", test {name} {short(value)}" for name, value in (self.test or {}).items() if name != "loss")
        return f"{type(self).__name__}({self.name!r}, {self.reason}, {counted(self.epochs, 'epoch')}{test})"

    def _said(self, x: object) -> dict[str, Array]:
        return predict(self.graphs, self.checkpoint.state, samples_as(x, self.record))
