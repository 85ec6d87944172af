"""The training loop: epochs in slices of about a tenth of a second, and everything else between them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from chainrule.backends.choose import compiled
from chainrule.backends.protocol import Slice
from chainrule.data.batches import epoch_order, offsets
from chainrule.data.splits import Rows
from chainrule.errors import NonFiniteError
from chainrule.train.checkpoint import Best, Checkpoint, next_kept
from chainrule.train.data_record import Array
from chainrule.train.evaluate import measure
from chainrule.train.events import CheckpointWritten, EpochDone, Event, Listener, SliceDone, StopReason
from chainrule.train.history import Entry, History
from chainrule.train.keeper import Keeper
from chainrule.train.prepare import Prepared
from chainrule.train.state import parameters_of
from chainrule.train.step import RATE
from chainrule.train.stopping import Stopper
from chainrule.train.tally import Tally

SLICE_SECONDS: Final = 0.1
GROWTH: Final = 4  # a slice is at most so many times longer than the one before


class Loop:
    """A run under way, from a checkpoint to its end or until it is asked to stop.

    However the steps fall into slices, the bits are the same: a step depends on the state, its rows and its number, and
    the sums of an epoch are added batch by batch.

    Attributes:
        step: updates done.
        epoch: the epoch under way, or the one to come.
        best: where validation exists and an epoch is over.
        best_parameters: those of that epoch.
    """

    def __init__(
        self,
        prepared: Prepared,
        start: Checkpoint,
        history: History,
        keeper: Keeper,
        listeners: Sequence[Listener],
        stopper: Stopper,
        backend: str,
    ) -> None:
        self.step, self.epoch, self.best = start.step, start.epoch, start.best
        self.best_parameters: dict[str, Array] | None = None
        self.history = history
        self._prepared, self._keeper, self._listeners, self._stopper = prepared, keeper, listeners, stopper
        self._backend = backend
        self._program = compiled(prepared.graphs.train, backend)
        self._state = self._program.start(start.state)
        self._columns = {name: prepared.columns[name] for name in prepared.graphs.train.columns}
        self._weights = prepared.weights
        self._done, self._tally = start.steps_of_epoch, start.tally
        self._ahead = 1
        self._earlier, self._began = start.seconds, time.perf_counter()
        self._epoch_began = self._began
        self._lineage = start.lineage

    @property
    def seconds(self) -> float:
        """Spent training, over all sittings."""
        return self._earlier + time.perf_counter() - self._began

    def run(self) -> StopReason:
        """Train to the end, or until asked to stop; either way the last state is saved.

        Raises: NonFiniteError when the loss or a parameter leaves the numbers; the last checkpoint is from before.
        """
        experiment = self._prepared.experiment
        if self._keeper.is_due(self.step):
            self._save()
        while self.epoch < experiment.epochs:
            if self._stopper.flag.is_set() or not self._run_epoch():
                self._save()
                return self._stopper.reason or "interrupted"
        self._save()
        return "completed"

    def read(self) -> dict[str, Array]:
        """A copy of the state as it is now."""
        return self._program.read(self._state)

    def tell(self, event: Event) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener(event)

    def _run_epoch(self) -> bool:
        """Run what is left of the epoch; whether it came to its end."""
        experiment = self._prepared.experiment
        self._epoch_began = time.perf_counter()
        order = epoch_order(self._prepared.rows, experiment.seed, self.epoch, experiment.shuffle)
        cuts = offsets(len(order), experiment.batch_size)
        while self._done < len(cuts) - 1:
            self._run_slice(order, cuts)
            if self._stopper.flag.is_set() and self._done < len(cuts) - 1:
                return False
            if self._keeper.is_due(self.step):
                self._save()
        self._end_epoch()
        return True

    def _run_slice(self, order: Rows, cuts: Rows) -> None:
        steps = min(self._ahead, len(cuts) - 1 - self._done, next_kept(self.step) - self.step)
        bounds = cuts[self._done : self._done + steps + 1]
        rates = {RATE: np.full(steps, self._prepared.experiment.optimizer.learning_rate)}
        began = time.perf_counter()
        done = self._program.run(self._state, self._columns, order, bounds, rates, self.step, self._stopper.flag)
        seconds = time.perf_counter() - began
        self._state = done.state
        self._check_losses(done, len(cuts) - 1)
        self._count(done, order, bounds[: done.steps_done + 1])
        if done.steps_done:
            self._ahead = _ahead(done.steps_done, seconds, steps)
        self.tell(
            SliceDone(
                epoch=self.epoch,
                step=self.step,
                steps_of_epoch=self._done,
                steps_per_epoch=len(cuts) - 1,
                losses=tuple(done.measurements["loss"].tolist()),
                samples=int(bounds[done.steps_done] - bounds[0]),
                seconds=seconds,
            )
        )

    def _count(self, done: Slice, order: Rows, bounds: Rows) -> None:
        """Add what was measured to the epoch's sums, each batch by the weight of its rows."""
        if done.steps_done:
            rows = order[bounds[0] : bounds[-1]]
            weights = np.add.reduceat(self._weights[rows], bounds[:-1] - bounds[0])
            self._tally = self._tally.add_means(done.measurements, weights)
        self.step += done.steps_done
        self._done += done.steps_done

    def _check_losses(self, done: Slice, steps_per_epoch: int) -> None:
        losses = done.measurements["loss"]
        bad = np.flatnonzero(~np.isfinite(losses))
        if not bad.size:
            return
        first = int(bad[0])
        raise NonFiniteError(
            f"the loss became {losses[first]} in epoch {self.epoch + 1}, at step {self.step + first} "
            f"(batch {self._done + first + 1} of {steps_per_epoch})"
        )

    def _end_epoch(self) -> None:
        prepared = self._prepared
        metrics = self._tally.means()
        if len(prepared.split.validation):
            state = self.read()
            validated = measure(prepared.graphs, state, prepared.columns, prepared.split.validation, self._backend)
            metrics.update({f"val_{name}": value for name, value in validated.items()})
            self._keep_best(validated["loss"], state)
        seconds = time.perf_counter() - self._epoch_began
        entry = Entry(self.epoch, self.step, metrics, seconds)
        self.history.entries.append(entry)
        self._keeper.epoch(entry)
        self.epoch, self._done, self._tally = self.epoch + 1, 0, Tally()
        self.tell(EpochDone(entry.epoch, entry.step, metrics, seconds))

    def _keep_best(self, val_loss: float, state: dict[str, Array]) -> None:
        if val_loss < (math.inf if self.best is None else self.best.val_loss):
            self.best = Best(self.epoch, self.step, val_loss)
            self.best_parameters = parameters_of(self._prepared.graphs, state)
            self._keeper.best(self.best_parameters)

    def _save(self) -> None:
        path = self._keeper.save(
            Checkpoint(
                step=self.step,
                epoch=self.epoch,
                steps_of_epoch=self._done,
                lineage=self._lineage,
                backend=self._backend,
                state=self.read(),
                tally=self._tally,
                best=self.best,
                seconds=self.seconds,
            )
        )
        if path is not None:
            self.tell(CheckpointWritten(self.step, path))


def _ahead(done: int, seconds: float, planned: int) -> int:
    """How many steps the next slice takes, so that it lasts about `SLICE_SECONDS`."""
    fitting = int(SLICE_SECONDS * done / max(seconds, 1e-9))
    return max(1, min(fitting, GROWTH * planned))
