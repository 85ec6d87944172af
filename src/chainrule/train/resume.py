"""Going on where a run stopped, to the bits it would have had."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from chainrule.data.dataset import Dataset
from chainrule.data.load import load_source
from chainrule.errors import RunError
from chainrule.errors.counts import all_of, counted, verb_of
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import read_record
from chainrule.train.events import Listener
from chainrule.train.experiment import Experiment
from chainrule.train.fit import Fit, run_from
from chainrule.train.folder import RunFolder, open_folder, tidy_folder
from chainrule.train.history import History, read_history
from chainrule.train.keeper import check_disk
from chainrule.train.prepare import Prepared, prepare
from chainrule.train.serialize import read_experiment, write_experiment
from chainrule.train.stopping import Stopper


def resume(
    path: Path,
    *,
    epochs: int | None = None,
    dataset: Dataset | None = None,
    listeners: Iterable[Listener] = (),
    stopper: Stopper | None = None,
    disk: float | None = None,
) -> Fit:
    """Go on from the last checkpoint of a run: interrupted, killed, or complete and to have more epochs.

    One that was killed after its last step, before its weights and scores were written, is brought to its end.

    Weights, optimizer state and history come out as if the run had never stopped.

    Args:
        path: the run's folder.
        epochs: how many it shall have in all; None for as many as the experiment says.
        dataset: the data where they were in memory; else they are loaded again and checked.
        listeners: told what happens, between slices.
        stopper: asked from outside to stop.
        disk: gigabytes that checkpoints may take; None for a tenth of what is free.

    Raises:
        DataError: the data changed.
        RunError: no run is there, it is damaged or in use, or it is complete and no more epochs were asked for.
        NonFiniteError, WriteError: as in `fit`.
    """
    check_disk(disk)
    folder = open_folder(path)
    with folder.lock:
        recorded = read_experiment(folder.experiment)
        last = folder.checkpoints.latest_whole()
        experiment = _longer(recorded, last, epochs, folder)
        prepared = prepare_again(folder, experiment, dataset)
        _check_lineage(prepared, last, path)
        tidy_folder(folder)
        if experiment != recorded:
            write_experiment(folder.experiment, experiment)
        return run_from(prepared, last, history_until(folder, last), folder, listeners, stopper, disk=disk)


def prepare_again(folder: RunFolder, experiment: Experiment, dataset: Dataset | None = None) -> Prepared:
    """The run's experiment on its data, which must be divided and scaled as they were.

    Raises: DataError when the data changed; RunError when they are divided or scaled otherwise than recorded.
    """
    prepared = prepare(experiment, load_source(experiment.data) if dataset is None else dataset)
    if prepared.record != read_record(folder.data):
        raise RunError(
            f"{folder.data} does not say what {folder.experiment} makes of the data: restore the one that changed"
        )
    return prepared


def history_until(folder: RunFolder, checkpoint: Checkpoint) -> History:
    """The epochs that were over at a checkpoint.

    Raises: RunError when some are missing.
    """
    history = read_history(folder.history)
    if history.epochs < checkpoint.epoch:
        raise RunError(
            f"{folder.history} holds {counted(history.epochs, 'epoch')}, and {checkpoint.epoch} "
            f"{verb_of(checkpoint.epoch, 'was', 'were')} over at step {checkpoint.step}: restore the file"
        )
    return History(history.entries[: checkpoint.epoch])


def _longer(experiment: Experiment, last: Checkpoint, epochs: int | None, folder: RunFolder) -> Experiment:
    wanted = experiment if epochs is None else experiment.but(epochs=epochs)
    if last.epoch >= wanted.epochs and not (last.epoch == wanted.epochs and _is_open(folder, last)):
        path, done = folder.path, counted(last.epoch, "epoch")
        raise RunError(
            f"the run in {path} has done {all_of(last.epoch, 'epoch')}: ask for more than {done} to go on"
            if epochs is None
            else f"the run in {path} has {done} already, and {epochs} in all were asked for: ask for more "
            f"than {done} to go on"
        )
    return wanted


def _is_open(folder: RunFolder, last: Checkpoint) -> bool:
    """Whether the run has done its last step, and has not said so."""
    summary = folder.read_summary()
    return summary is None or (summary.reason, summary.step) != ("completed", last.step)


def _check_lineage(prepared: Prepared, last: Checkpoint, path: Path) -> None:
    if prepared.experiment.lineage != last.lineage:
        raise RunError(
            f"the experiment in {path} is not the one its checkpoint of step {last.step} was made with: restore "
            "experiment.toml, or train again"
        )
