"""The state of a run at any of its steps again, bit for bit: the steps since an earlier checkpoint, run once more."""

from __future__ import annotations

from chainrule.errors import RunError
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.history import History
from chainrule.train.keeper import Keeper
from chainrule.train.loop import Loop
from chainrule.train.prepare import Prepared
from chainrule.train.stopping import Stopper


def replay(prepared: Prepared, start: Checkpoint, history: History, step: int) -> Checkpoint:
    """Run the steps between a checkpoint and a later step, by the backend that made the checkpoint.

    Nothing is written, and nobody is told. A step depends on the state, its rows and its number alone, so the bits are
    those of the run, in whatever slices it was trained and however often it was interrupted.

    Args:
        prepared: experiment, data and graphs of the run.
        start: at or before the step.
        history: of the run; at least the epochs that were over at the start.
        step: one that the run has done.

    Returns: all that is needed to go on from that step.
    Raises: RunError when the step lies before the start, or beyond the epochs of the experiment.
    """
    if step < start.step:
        raise RunError(f"step {step} lies before step {start.step}: start from an earlier checkpoint")
    if step == start.step:
        return start
    known = History(history.entries[: start.epoch])
    keeper = Keeper(None, known)
    loop = Loop(prepared, start, known, keeper, (), Stopper(), start.backend, until=step)
    loop.run()
    if loop.step != step or keeper.last is None:
        raise RunError(f"there is no step {step}: the {prepared.experiment.epochs} epochs end at step {loop.step}")
    return keeper.last
