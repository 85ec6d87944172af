"""The state of a run at any of its steps again, bit for bit: the steps since an earlier checkpoint, run once more."""

from __future__ import annotations

import math

import numpy as np

from chainrule.errors import RunError
from chainrule.train.again import Again, Ran
from chainrule.train.checkpoint import Best, Checkpoint
from chainrule.train.data_record import Array
from chainrule.train.evaluate import measure
from chainrule.train.finite import check_finite, check_losses
from chainrule.train.history import History
from chainrule.train.prepare import Prepared
from chainrule.train.tally import Tally


def replay(prepared: Prepared, start: Checkpoint, history: History, step: int) -> Checkpoint:
    """Run the steps between a checkpoint and a later step, by the backend that made the checkpoint.

    Args:
        prepared: experiment, data and graphs of the run.
        start: at or before the step.
        history: of the run; epochs that it holds are not validated again.
        step: one that the run has done.

    Returns: all that is needed to go on from that step.
    Raises: RunError when the step lies before the start, or beyond the epochs of the experiment; NonFiniteError when
        the loss or a parameter leaves the numbers.
    """
    if step < start.step:
        raise RunError(f"step {step} lies before step {start.step}: start from an earlier checkpoint")
    if step == start.step:
        return start
    again = Again(prepared, prepared.graphs.train, start)
    epoch, done = divmod(step, again.steps_per_epoch)
    tally, best = start.tally if start.epoch == epoch else Tally(), start.best
    for over in range(start.epoch, epoch if len(prepared.split.validation) else start.epoch):
        last = (over + 1) * again.steps_per_epoch
        if over < history.epochs:
            loss = history.entries[over].metrics["val_loss"]
        else:
            _run(prepared, again, last, Tally())
            loss = _validated(prepared, again.read(), start.backend)
        best = Best(over, last, loss) if loss < (math.inf if best is None else best.val_loss) else best
    tally = _run(prepared, again, step, tally)
    found = Checkpoint(
        step=step,
        epoch=epoch,
        steps_of_epoch=done,
        lineage=start.lineage,
        backend=start.backend,
        state=again.read(),
        tally=tally,
        best=best,
        seconds=start.seconds,
        cost=start.cost,
    )
    check_finite(found)
    return found


def _run(prepared: Prepared, again: Again, last: int, tally: Tally) -> Tally:
    """Run on to a step, and add up what is measured in the epoch that it lies in."""
    begins = last - last % again.steps_per_epoch  # the first step of that epoch
    for ran in again.until(last):
        check_losses(ran.measurements["loss"], ran.first, again.steps_per_epoch)
        tally = _added(tally, ran, max(begins - ran.first, 0), prepared.weights)
    return tally


def _added(tally: Tally, ran: Ran, first: int, row_weights: Array) -> Tally:
    """The sums with those of the steps of a slice from its first-th on, each batch by the weight of its rows."""
    bounds = ran.bounds[first:]
    if len(bounds) < 2:
        return tally
    weights = np.add.reduceat(row_weights[ran.order[bounds[0] : bounds[-1]]], bounds[:-1] - bounds[0])
    return tally.add_means({name: values[first:] for name, values in ran.measurements.items()}, weights)


def _validated(prepared: Prepared, state: dict[str, Array], backend: str) -> float:
    return measure(prepared.graphs, state, prepared.columns, prepared.split.validation, backend)["loss"]
