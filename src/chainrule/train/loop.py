"""The training loop: steps in slices of about a tenth of a second, and everything else between them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from chainrule.backends.choose import compiled
from chainrule.train.ahead import Ahead, Stretch, next_length, rows_of
from chainrule.train.checkpoint import Best, Checkpoint
from chainrule.train.data_record import Array
from chainrule.train.evaluate import measure
from chainrule.train.events import CheckpointWritten, EpochDone, Event, Listener, SliceDone, StopReason
from chainrule.train.finite import check_losses
from chainrule.train.history import Entry, History
from chainrule.train.keeper import Keeper
from chainrule.train.prepare import Prepared
from chainrule.train.state import parameters_of
from chainrule.train.step import RATE
from chainrule.train.stopping import Stopper
from chainrule.train.tally import Tally
from chainrule.train.thinning import next_kept

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
        self._ahead, self._length = Ahead(prepared), 1
        self._earlier, self._began = start.seconds, time.perf_counter()
        self._epoch_seconds, self._aside = 0.0, 0.0  # of the epoch under way; of validation in all
        self._lineage, self._cost = start.lineage, start.cost

    @property
    def seconds(self) -> float:
        """Spent training, over all sittings."""
        return self._earlier + time.perf_counter() - self._began

    def run(self) -> StopReason:
        """Train to the end, or until asked to stop; in each case the last state is saved.

        Raises: NonFiniteError when the loss or a parameter leaves the numbers; the last checkpoint is from before.
        """
        self._save_if_due()
        while self.epoch < self._prepared.experiment.epochs:
            if self._stopper.flag.is_set():
                self._save()
                return self._stopper.reason or "interrupted"
            self._run_slice()
            self._save_if_due()
        self._save()
        return "completed"

    def read(self) -> dict[str, Array]:
        """A copy of the state as it is now."""
        return self._program.read(self._state)

    def tell(self, event: Event) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener(event)

    def _run_slice(self) -> None:
        """Run some steps, and do what is due at the end of each epoch among them."""
        started, aside, clock = time.perf_counter(), self._aside, time.thread_time()
        steps = min(self._length, self._next_stop() - self.step)
        validated = len(self._prepared.split.validation) > 0
        stretches = self._ahead.plan(self.epoch, self._done, steps, within=validated)
        order, bounds = rows_of(stretches)
        planned = len(bounds) - 1
        rates = {RATE: np.full(planned, self._prepared.experiment.optimizer.learning_rate)}
        began = time.perf_counter()
        done = self._program.run(self._state, self._columns, order, bounds, rates, self.step, self._stopper.flag)
        seconds = time.perf_counter() - began
        self._cost += time.thread_time() - clock  # what a replay does too; it counts as little of what else runs here
        self._state = done.state
        at = 0
        for stretch in stretches:
            steps = min(stretch.steps, done.steps_done - at)
            if steps:
                measured = {name: values[at : at + steps] for name, values in done.measurements.items()}
                self._count(stretch, steps, measured, seconds * steps / done.steps_done)
            at += steps
        if done.steps_done:  # what ending many short epochs takes counts too, or nothing would act for seconds
            whole = time.perf_counter() - started - (self._aside - aside)
            self._length = next_length(done.steps_done, whole, planned, lasting=SLICE_SECONDS, growth=GROWTH)

    def _next_stop(self) -> int:
        """The step after which something is due at the latest: that of the next checkpoint that stays in any case."""
        return self.step + self._length if self._keeper.folder is None else next_kept(self.step)

    def _count(self, stretch: Stretch, steps: int, measured: dict[str, Array], seconds: float) -> None:
        """Add what was measured to the epoch's sums, each batch by the weight of its rows."""
        losses, bounds = measured["loss"], stretch.bounds[: steps + 1]
        check_losses(losses, self.step, self._ahead.steps_per_epoch)
        weights = np.add.reduceat(self._weights[stretch.rows[: bounds[-1]]], bounds[:-1])
        self._tally = self._tally.add_means(measured, weights)
        self._epoch_seconds += seconds
        self.step += steps
        self._done += steps
        self.tell(
            SliceDone(
                epoch=stretch.epoch,
                step=self.step,
                steps_of_epoch=self._done,
                steps_per_epoch=self._ahead.steps_per_epoch,
                losses=tuple(losses.tolist()),
                samples=int(bounds[-1]),
                seconds=seconds,
            )
        )
        if self._done == self._ahead.steps_per_epoch:
            self._end_epoch()

    def _end_epoch(self) -> None:
        prepared = self._prepared
        metrics = self._tally.means()
        if len(prepared.split.validation):
            began, state = time.perf_counter(), self.read()
            validated = measure(prepared.graphs, state, prepared.columns, prepared.split.validation, self._backend)
            metrics.update({f"val_{name}": value for name, value in validated.items()})
            self._keep_best(validated["loss"], state)
            took = time.perf_counter() - began
            self._epoch_seconds, self._aside = self._epoch_seconds + took, self._aside + took
        entry = Entry(self.epoch, self.step, metrics, self._epoch_seconds)
        self.history.entries.append(entry)
        self._keeper.epoch(entry)
        self.epoch, self._done, self._tally, self._epoch_seconds = self.epoch + 1, 0, Tally(), 0.0
        self.tell(EpochDone(entry.epoch, entry.step, metrics, entry.seconds))

    def _keep_best(self, val_loss: float, state: dict[str, Array]) -> None:
        if val_loss < (math.inf if self.best is None else self.best.val_loss):
            self.best = Best(self.epoch, self.step, val_loss)
            self.best_parameters = parameters_of(self._prepared.graphs, state)
            self._keeper.best(self.best_parameters)

    def _save_if_due(self) -> None:
        if self._keeper.is_due(self.step, self.seconds, self._cost):
            self._save()

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
                cost=self._cost,
            )
        )
        if path is not None:
            self.tell(CheckpointWritten(self.step, path))
