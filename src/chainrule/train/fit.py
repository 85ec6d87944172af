"""From an experiment and its data to a trained network: prepare, run the loop, save, score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import numpy.typing as npt

from chainrule.backends.choose import chosen_for
from chainrule.data.dataset import Dataset
from chainrule.errors import NonFiniteError
from chainrule.train.checkpoint import Best, Checkpoint
from chainrule.train.data_record import Array, write_record
from chainrule.train.evaluate import Scores, evaluate
from chainrule.train.events import Listener, StopReason, TrainingStarted, TrainingStopped
from chainrule.train.experiment import Experiment
from chainrule.train.folder import RunFolder, Summary, create_folder
from chainrule.train.history import History
from chainrule.train.keeper import Keeper, check_disk, machine, versions
from chainrule.train.loop import Loop
from chainrule.train.prepare import Prepared, prepare
from chainrule.train.state import checked_weights, initial_state, parameters_of, weights_sha256
from chainrule.train.stopping import Stopper, signals_stop
from chainrule.train.tally import Tally


class Fit(msgspec.Struct, frozen=True, eq=False):
    """A run that has stopped, in memory.

    Attributes:
        prepared: the experiment as resolved, its data, its graphs.
        checkpoint: all that is needed to go on.
        history: every complete epoch.
        reason: why it stopped: "completed", "interrupted" or "terminated".
        step: updates done.
        epoch: epochs completed.
        seconds: spent training, over all sittings.
        backend: what ran it.
        best: where validation exists, the epoch of the smallest validation loss.
        best_parameters: those of that epoch, where it was in this sitting.
        scores: on the test part, where the run is complete and has one.
        folder: where it was written; None where nothing was.
        held: where nothing was written, checkpoints of this sitting, rising.
    """

    prepared: Prepared
    checkpoint: Checkpoint
    history: History
    reason: StopReason
    step: int
    epoch: int
    seconds: float
    backend: str
    best: Best | None
    best_parameters: dict[str, Array] | None
    scores: Scores | None
    folder: RunFolder | None
    held: tuple[Checkpoint, ...] = ()

    @property
    def state(self) -> Mapping[str, Array]:
        """Parameters, optimizer slots and constants after the last step."""
        return self.checkpoint.state

    @property
    def parameters(self) -> dict[str, Array]:
        """The parameters after the last step, by name and in order."""
        return parameters_of(self.prepared.graphs, self.state)


def fit(
    experiment: Experiment,
    dataset: Dataset,
    *,
    weights: Mapping[str, npt.ArrayLike] | None = None,
    parent: Path | None = None,
    listeners: Iterable[Listener] = (),
    stopper: Stopper | None = None,
    disk: float | None = None,
) -> Fit:
    """Train.

    The first Ctrl-C finishes the slice, saves and returns; the second raises KeyboardInterrupt; SIGTERM does as the
    first Ctrl-C and says so in `reason`.

    Args:
        experiment: what to do.
        dataset: the data it names.
        weights: parameters set by hand, by name; the others are drawn from the seed.
        parent: the folder in which to make the run's; None writes nothing.
        listeners: told what happens, between slices.
        stopper: asked from outside to stop, for instance by a listener.
        disk: gigabytes that checkpoints may take; None for a tenth of what is free.

    Raises:
        DataError, ExperimentError, ShapeError, UnknownNameError: experiment, data and weights do not fit.
        NonFiniteError: the loss left the numbers; what was good is saved.
        ValueRangeError: less than nothing on the disk.
        WriteError: the folder cannot be written; what was saved before is intact.
    """
    check_disk(disk)
    prepared = prepare(experiment, dataset)
    if weights:
        given = weights_sha256(checked_weights(prepared.graphs.parameters, weights))
        prepared = prepare(experiment.but(initial_weights=experiment.initial_weights or given), dataset)
    state = initial_state(prepared.experiment, prepared.record, prepared.graphs, weights)
    chosen = chosen_for(prepared.graphs.train, prepared.experiment.backend)
    start = Checkpoint(
        step=0,
        epoch=0,
        steps_of_epoch=0,
        lineage=prepared.experiment.lineage,
        backend=chosen.name,
        state=state,
        tally=Tally(),
    )
    if parent is None:
        return run_from(prepared, start, History(), None, listeners, stopper, chosen.note)
    folder = create_folder(parent, prepared.experiment)
    with folder.lock:
        folder.begin(prepared.experiment)
        write_record(folder.data, prepared.record)
        return run_from(prepared, start, History(), folder, listeners, stopper, chosen.note, disk)


def run_from(
    prepared: Prepared,
    start: Checkpoint,
    history: History,
    folder: RunFolder | None,
    listeners: Iterable[Listener] = (),
    stopper: Stopper | None = None,
    note: str = "",
    disk: float | None = None,
) -> Fit:
    """Train from a checkpoint on, the folder's lock held where there is one; see `fit` and `TrainingStarted`."""
    stopper = stopper or Stopper()
    keeper = Keeper(folder, history, disk)
    loop = Loop(prepared, start, history, keeper, tuple(listeners), stopper, start.backend)
    with signals_stop(stopper):
        try:
            loop.tell(_started(prepared, start, folder, note))
            reason = loop.run()
            result = _finished(loop, prepared, reason, start.backend, keeper)
            keeper.finish(result.parameters, _summary(loop, prepared, reason, start.backend, result.scores, None))
        except NonFiniteError as error:
            raise _gone(error, loop, prepared, start.backend, keeper) from None
        finally:
            keeper.close()
        loop.tell(TrainingStopped(reason, result.epoch, result.step, result.seconds))
    return result


def parameter_counts(prepared: Prepared) -> tuple[int, int]:
    """How many numbers are trained, and how many are held frozen."""
    sizes = {parameter.name: math.prod(parameter.shape) for parameter in prepared.graphs.parameters}
    trained = sum(sizes[name] for name in prepared.graphs.trainable)
    return trained, sum(sizes.values()) - trained


def _started(prepared: Prepared, start: Checkpoint, folder: RunFolder | None, note: str) -> TrainingStarted:
    experiment = prepared.experiment
    return TrainingStarted(
        name=experiment.name,
        folder=folder.path if folder else None,
        backend=start.backend,
        epochs=experiment.epochs,
        first_epoch=start.epoch,
        first_step=start.step,
        steps_per_epoch=-(-len(prepared.rows) // experiment.batch_size),
        rows=prepared.record.rows,
        parameters=parameter_counts(prepared),
        note=note,
    )


def _finished(loop: Loop, prepared: Prepared, reason: StopReason, backend: str, keeper: Keeper) -> Fit:
    checkpoint = keeper.last
    assert checkpoint is not None  # the loop saves before it ends
    state, scores = checkpoint.state, None
    if reason == "completed" and len(prepared.split.test):
        scores = evaluate(prepared.graphs, prepared.record, state, prepared.columns, prepared.split.test)
    return Fit(
        prepared=prepared,
        checkpoint=checkpoint,
        history=loop.history,
        reason=reason,
        step=loop.step,
        epoch=loop.epoch,
        seconds=loop.seconds,
        backend=backend,
        best=loop.best,
        best_parameters=loop.best_parameters,
        scores=scores,
        folder=keeper.folder,
        held=keeper.held.checkpoints if keeper.held else (),
    )


def _gone(error: NonFiniteError, loop: Loop, prepared: Prepared, backend: str, keeper: Keeper) -> NonFiniteError:
    """Save what is good, and say what happened, where, and what to try."""
    kept = ""
    if keeper.folder is not None:
        last = keeper.folder.checkpoints.latest()
        summary = _summary(loop, prepared, "non-finite", backend, None, str(error))
        keeper.finish(parameters_of(prepared.graphs, last.state), summary)
        kept = f"; the state of step {last.step}, which was good, is kept in {keeper.folder.path}"
    loop.tell(TrainingStopped("non-finite", loop.epoch, loop.step, loop.seconds))
    return NonFiniteError(f"{error}: {_advice(prepared.experiment)}{kept}")


def _advice(experiment: Experiment) -> str:
    rate = f"try a smaller learning rate than {experiment.optimizer.learning_rate:g}"
    if experiment.preprocessing.features == "none":
        return f"{rate}, or scale the features (preprocessing.features = 'standardize')"
    return rate


def _summary(
    loop: Loop, prepared: Prepared, reason: StopReason, backend: str, scores: Scores | None, problem: str | None
) -> Summary:
    entries = loop.history.entries
    return Summary(
        reason=reason,
        epochs=loop.epoch,
        step=loop.step,
        seconds=loop.seconds,
        metrics=dict(entries[-1].metrics) if entries else {},
        test=scores.metrics if scores else None,
        problem=problem,
        backend=backend,
        versions=versions(),
        machine=machine(backend),
        parameters=parameter_counts(prepared),
    )
