"""Going on with a run that has no folder."""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.data.dataset import Dataset
from chainrule.errors import RunError
from chainrule.errors.counts import all_of, counted
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.events import Listener
from chainrule.train.experiment import Experiment
from chainrule.train.fit import Fit, run_from
from chainrule.train.history import History
from chainrule.train.prepare import prepare
from chainrule.train.stopping import Stopper


def resume_in_memory(
    name: str,
    experiment: Experiment,
    dataset: Dataset,
    last: tuple[Checkpoint, History],
    epochs: int | None,
    listeners: Iterable[Listener],
    stopper: Stopper | None,
) -> Fit:
    """Train from the last state on, and write nothing.

    Raises: RunError when all epochs are done.
    """
    checkpoint, history = last
    wanted = experiment if epochs is None else experiment.but(epochs=epochs)
    done = checkpoint.epoch
    if done >= wanted.epochs:
        raise RunError(f"{name} has done {all_of(done, 'epoch')}: ask for more than {counted(done, 'epoch')} to go on")
    return run_from(prepare(wanted, dataset), checkpoint, History(history.entries[:]), None, listeners, stopper)
