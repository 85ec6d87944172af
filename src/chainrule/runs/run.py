"""One run, finished or stopped on the way, and all that can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Array, Dataset
from chainrule.data.load import load_source
from chainrule.document.html import render_notebook
from chainrule.errors import RunError
from chainrule.errors.calls import check_kind, checked_call
from chainrule.runs.asking import When, moment_of, rows_of_batch, what_is_asked
from chainrule.runs.earlier import NONE_EARLIER, Earlier
from chainrule.runs.kept_data import kept_data
from chainrule.runs.page import Page
from chainrule.runs.resuming import resume_in_memory
from chainrule.runs.samples import labeled, labels_as, samples_as
from chainrule.runs.subject import Moment
from chainrule.runs.summary import summary_of
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import DataRecord
from chainrule.train.evaluate import Scores, evaluate, predict
from chainrule.train.events import Listener
from chainrule.train.experiment import Experiment
from chainrule.train.fit import Fit
from chainrule.train.folder import RunFolder
from chainrule.train.history import History
from chainrule.train.prepare import Prepared, columns, prepare
from chainrule.train.replay import replay
from chainrule.train.resume import prepare_again, resume
from chainrule.train.state import parameters_of
from chainrule.train.step import Graphs, build
from chainrule.train.stopping import Stopper

if TYPE_CHECKING:
    from chainrule.explain.scope import Depth
    from chainrule.runs.check_gradients import Verdicts
    from chainrule.runs.surfaces import Directions

REPLAYED: Final = "replayed"


@dataclass(frozen=True, eq=False, repr=False)
class Run:
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
    _earlier: Earlier = NONE_EARLIER

    @staticmethod
    def of_fit(fit: Fit, earlier: Earlier = NONE_EARLIER) -> Run:
        """The run that has just been trained.

        Args:
            fit: what training left.
            earlier: the states before this sitting.
        """
        return Run(
            experiment=fit.prepared.experiment,
            record=fit.prepared.record,
            checkpoint=fit.checkpoint,
            history=fit.history,
            reason=fit.reason,
            seconds=fit.seconds,
            test=fit.scores.metrics if fit.scores else None,
            path=fit.folder.path if fit.folder else None,
            scores=fit.scores,
            _given=fit.prepared.dataset,
            _prepared=fit.prepared,
            _earlier=earlier.and_of(fit),
        )

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

    # ---- using it ----

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

    @checked_call
    def resume(
        self, epochs: int | None = None, *, listeners: Iterable[Listener] = (), stopper: Stopper | None = None
    ) -> Run:
        """Go on from the last step, to the bits of a run that was never interrupted.

        Args:
            epochs: how many the run shall have in all; None for as many as the experiment says.
            listeners: told what happens, between slices.
            stopper: asked from outside to stop.

        Returns: the run as it is then; this one stays as it was.
        Raises: RunError when it is complete and no more epochs are asked for; DataError when the data changed.
        """
        if self.path is not None:
            fit = resume(self.path, epochs=epochs, dataset=self.dataset, listeners=listeners, stopper=stopper)
        else:
            last = (self.checkpoint, self.history)
            fit = resume_in_memory(self.name, self.experiment, self.dataset, last, epochs, listeners, stopper)
        return Run.of_fit(fit, self._earlier)

    # ---- any of its steps ----

    @checked_call
    def at(self, step: int) -> Run:
        """The run as it was after so many updates, bit for bit, replayed from the checkpoint before by what trained it.

        It has the weights, slots, counters and history of that step, explains and predicts with them, and
        `run.at(step).resume()` goes on from there in memory; nothing of this run changes. The bits are those of the
        training on a processor of the same kind with the same versions, and equal within rounding elsewhere.

        Where a checkpoint is damaged an earlier one serves, with a `Notice`.

        Raises: ArgumentError for what is no whole number; RunError for a step that the run has not done, or where no
            checkpoint is whole; DataError when the data changed.
        """
        check_kind("step", step, Integral, "the whole number of updates that were done, such as 1342")
        if not 0 <= step <= self.step:
            raise RunError(f"there is no step {step}: {self.name} has steps 0 to {self.step}")
        checkpoint = self.checkpoint
        if step < self.step:
            checkpoint = replay(self.prepared, self.checkpoint_before(step), self.history, int(step))
        return self._as_of(checkpoint)

    def one_step_on(self) -> Run:
        """The run one update later, in memory.

        Raises: RunError after the last step of the last epoch.
        """
        return self._as_of(replay(self.prepared, self.checkpoint, self.history, self.step + 1))

    def checkpoint_before(self, step: int) -> Checkpoint:
        """The last state at or before a step that is at hand without running anything.

        Raises: RunError where there is none, or it is damaged.
        """
        if self.checkpoint.step <= step:
            return self.checkpoint
        return self._earlier.before(step)

    # ---- understanding it ----

    @checked_call
    def explain(
        self,
        weight: str | None = None,
        *,
        unit: str | None = None,
        layer: str | None = None,
        network: bool = False,
        depth: Depth | None = None,
        sample: int | None = None,
        samples: Sequence[int] | None = None,
        batch: int | None = None,
        at: When = "now",
    ) -> Page:
        """Why weights move: of one its gradient as a chain of factors, of more the derivation of all of them.

        One of `weight`, `unit`, `layer` and `network` says what; at most one of `sample`, `samples` and `batch` on
        what, the batch that comes next where none does.

        Args:
            weight: "dense_1.W[3, 7]", the weight from input 3 to unit 7, or "dense_1.b[7]".
            unit: "dense_1[7]": the weights and the bias that feed it.
            layer: "dense_1": what it computes, what flows back through it, the gradients of all its weights.
            network: every layer.
            depth: "scalar", an equation a weight; "layer", for one element, such as aᵢ δⱼ; "matrix", whole, such as
                aᵀ δ. Where it is not said, scalar of a weight and a unit, layer of a layer, matrix of the network.
            sample: the index of one row in the source.
            samples: the indices of several rows, taken as one batch.
            batch: the number of a batch, from 0, in the order of the epoch that begins or goes on at that moment.
            at: "now", with the weights as they are; "start", before the first step; or the number of any step: then the
                batch is the one that the next step took, where nothing else is said.

        Raises: ArgumentError for an argument of another kind; UnknownNameError for a weight, a layer or a depth that
            does not exist; ShapeError for a position outside it; RunError for a row, a batch or a step that does not
            exist, and unless one thing is named; DataError when the data changed.
        """
        from chainrule.runs.explaining import Asked, explain

        asked = Asked(weight, unit, layer, network, depth).checked()
        if not isinstance(at, str) and at != self.step:
            return self.at(at).explain(
                weight, unit=unit, layer=layer, network=network, depth=depth,
                sample=sample, samples=samples, batch=batch,
            )  # fmt: skip
        moment, rows = what_is_asked(self, sample, samples, batch, at)
        return explain(self.prepared, moment, rows, asked, self.checkpoint.backend, one=sample is not None)

    @checked_call
    def nudges(
        self,
        weights: Sequence[str] = (),
        *,
        top: int = 8,
        layer: str | None = None,
        unit: str | None = None,
        samples: Sequence[int] | None = None,
        batch: int | None = None,
        at: When = "now",
    ) -> Page:
        """What each sample of a batch wants of some weights, their average, and who agrees with whom.

        A nudge is minus the sample's own gradient, −∂ℓₙ/∂w; averaged over the batch they are −∂L/∂w, which is shown
        beside a gradient computed apart.

        Args:
            weights: such as ["dense_1.W[3, 7]"]; none for those with the largest |∂L/∂w|.
            top: how many of these.
            layer: "dense_1" or "dense_1.W": the loudest of it only.
            unit: "dense_1[3]": the loudest that feed it, and the three ways to change its activation.
            samples: the indices of rows in the source, taken as one batch.
            batch: as in `explain`.
            at: as in `explain`.

        Raises: UnknownNameError for a name that does not exist; ShapeError for a position outside a parameter; RunError
            for rows, a batch or a step that do not exist, and for more than one of weights, layer and unit.
        """
        if not isinstance(at, str) and at != self.step:
            return self.at(at).nudges(weights, top=top, layer=layer, unit=unit, samples=samples, batch=batch)
        moment, rows = what_is_asked(self, None, samples, batch, at)
        from chainrule.runs.nudging import nudges

        return nudges(
            self.prepared, moment, rows, self.checkpoint.backend, weights=weights, top=top, layer=layer, unit=unit
        )

    @checked_call
    def weight_history(
        self, weight: str, *, first: int = 0, last: int | None = None, top: int = 8, every: int | None = None
    ) -> Page:
        """A weight at every step, its largest moves, and how far each sample has moved it, which adds up exactly.

        Args:
            weight: "dense_1.W[3, 7]".
            first: the step to begin at.
            last: the step to end at; None for the last one.
            top: how many of the largest moves are told.
            every: steps between two values in the data; None for about a thousand values.

        Raises: as `explain`; RunError for steps that the run has not done, and a weight that is not trained.
        """
        from chainrule.runs.remembering import weight_history

        return weight_history(self, weight, first=first, last=last, top=top, every=every)

    @checked_call
    def check_gradients(self, weights: int = 10, *, seed: int = 0, batch: int = 0) -> Verdicts:
        """Hold the gradients of weights picked at random against witnesses that know nothing of the chain rule.

        Args:
            weights: how many; half of them with a gradient that is not 0, as far as there are any.
            seed: of the pick.
            batch: on which rows, as in `explain`.

        Raises: RunError for a batch that does not exist; ValueRangeError for fewer than one weight.
        """
        moment, epoch = moment_of(self, "now")
        rows, said = rows_of_batch(self.prepared, epoch, batch)
        moment = Moment(moment.state, moment.step, f"{moment.said} · {said}")
        from chainrule.runs.check_gradients import check_gradients

        return check_gradients(self.prepared, moment, rows, self.checkpoint.backend, weights, seed)

    @checked_call
    def plan(self, batch_size: int | None = None) -> Page:
        """How the native backend does a step: what it fuses, which kernels run, where values lie, how fast it can be.

        Args: batch_size: rows of the largest batch; None for that of the experiment.
        Raises: BackendError when llvmlite is missing, or the backend lacks what the network needs; ValueRangeError.
        """
        from chainrule.runs.planning import plan_page

        return plan_page(self.name, self.prepared, batch_size)

    @checked_call
    def curve(self, weight: str, *, low: float | None = None, high: float | None = None) -> Page:
        """The loss over one weight from `low` to `high`, its slope by the graph, its minimum where the slope is 0."""
        from chainrule.runs.surfaces import curve

        return curve(self, weight, low, high)

    @checked_call
    def surface(
        self, weights: Sequence[str] = (), *, directions: Directions = "principal", points: int = 25, seed: int = 0
    ) -> Page:
        """The loss over two weights, or over the path's "principal" directions or "random" ones, with the path."""
        from chainrule.runs.surfaces import surface

        return surface(self, weights, directions, points, seed)

    def collapse(self) -> Page:
        """The layers multiplied out to one linear map where they come to one; else what the activations change."""
        from chainrule.runs.surfaces import collapse

        return collapse(self)

    def summary(self) -> Page:
        """What the run is: its data, the layers with their counts, how it was trained, how good it is."""
        return summary_of(self)

    # ---- inside ----

    def __repr__(self) -> str:
        test = "".join(f", test {name} {value:.4g}" for name, value in (self.test or {}).items() if name != "loss")
        return f"Run({self.name!r}, {self.reason}, {self.epochs} epochs{test})"

    def _repr_html_(self) -> str:  # what a notebook shows
        return render_notebook(self.summary().document)

    def _said(self, x: object) -> dict[str, Array]:
        return predict(self.graphs, self.checkpoint.state, samples_as(x, self.record))

    def _as_of(self, checkpoint: Checkpoint) -> Run:
        """The same run in memory, with the state of another step."""
        return Run(
            experiment=self.experiment,
            record=self.record,
            checkpoint=checkpoint,
            history=History(self.history.entries[: checkpoint.epoch]),
            reason=REPLAYED,
            seconds=checkpoint.seconds,
            test=None,
            path=None,
            _given=self.dataset,
            _prepared=self.prepared,
            _earlier=self._earlier,
        )
