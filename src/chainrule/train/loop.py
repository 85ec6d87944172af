"""The training loop: steps in slices of about a tenth of a second, and everything else between them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.backends.choose import compiled
from chainrule.data.batches import epoch_order, offsets
from chainrule.data.splits import Rows
from chainrule.errors import NonFiniteError
from chainrule.train.checkpoint import Best, Checkpoint
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
from chainrule.train.thinning import next_kept

SLICE_SECONDS: Final = 0.1
GROWTH: Final = 4  # a slice is at most so many times longer than the one before


@dataclass(frozen=True, eq=False, slots=True)
class _Stretch:
    """Some steps of one epoch: their rows one after the other, and where each batch begins and ends among them."""

    epoch: int
    rows: Rows
    bounds: Rows

    @property
    def steps(self) -> int:
        return len(self.bounds) - 1


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
        until: int | None = None,
    ) -> None:
        self.step, self.epoch, self.best = start.step, start.epoch, start.best
        self.best_parameters: dict[str, Array] | None = None
        self.history = history
        self._prepared, self._keeper, self._listeners, self._stopper = prepared, keeper, listeners, stopper
        self._backend, self._until = backend, until
        self._program = compiled(prepared.graphs.train, backend)
        self._state = self._program.start(start.state)
        self._columns = {name: prepared.columns[name] for name in prepared.graphs.train.columns}
        self._weights = prepared.weights
        self._done, self._tally = start.steps_of_epoch, start.tally
        self._ahead = 1
        self._earlier, self._began = start.seconds, time.perf_counter()
        self._epoch_seconds = 0.0
        self._known_order = (-1, prepared.rows)
        self._steps_per_epoch = len(offsets(len(prepared.rows), prepared.experiment.batch_size)) - 1
        self._lineage = start.lineage

    @property
    def seconds(self) -> float:
        """Spent training, over all sittings."""
        return self._earlier + time.perf_counter() - self._began

    def run(self) -> StopReason:
        """Train to the end, or until asked to stop, or up to the step given; in each case the last state is saved.

        Raises: NonFiniteError when the loss or a parameter leaves the numbers; the last checkpoint is from before.
        """
        if self._keeper.is_due(self.step, self.seconds):
            self._save()
        while self.epoch < self._prepared.experiment.epochs and self.step != self._until:
            if self._stopper.flag.is_set():
                self._save()
                return self._stopper.reason or "interrupted"
            self._run_slice()
            if self._keeper.is_due(self.step, self.seconds):
                self._save()
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
        stretches = self._plan(min(self._ahead, self._next_stop() - self.step))
        order = np.concatenate([stretch.rows for stretch in stretches])
        sizes = np.concatenate([np.diff(stretch.bounds) for stretch in stretches])
        rates = {RATE: np.full(len(sizes), self._prepared.experiment.optimizer.learning_rate)}
        began = time.perf_counter()
        done = self._program.run(
            self._state, self._columns, order, _bounds(sizes), rates, self.step, self._stopper.flag
        )
        seconds = time.perf_counter() - began
        self._state = done.state
        if done.steps_done:
            self._ahead = _ahead(done.steps_done, seconds, len(sizes))
        at = 0
        for stretch in stretches:
            steps = min(stretch.steps, done.steps_done - at)
            if steps:
                measured = {name: values[at : at + steps] for name, values in done.measurements.items()}
                self._count(stretch, steps, measured, seconds * steps / done.steps_done)
            at += steps

    def _next_stop(self) -> int:
        """The step after which something is due at the latest: its checkpoint stays, or it is the last one wanted."""
        kept = next_kept(self.step)
        return kept if self._until is None else min(kept, self._until)

    def _plan(self, steps: int) -> list[_Stretch]:
        """The next steps, epoch by epoch; only up to the end of this one where it is then validated."""
        experiment = self._prepared.experiment
        cuts = offsets(len(self._prepared.rows), experiment.batch_size)
        stretches: list[_Stretch] = []
        epoch, first = self.epoch, self._done
        while steps > 0 and epoch < experiment.epochs:
            last = min(first + steps, len(cuts) - 1)
            order = self._order(epoch)
            stretches.append(_Stretch(epoch, order[cuts[first] : cuts[last]], cuts[first : last + 1] - cuts[first]))
            if len(self._prepared.split.validation):
                break
            steps -= last - first
            epoch, first = epoch + 1, 0
        return stretches

    def _order(self, epoch: int) -> Rows:
        """The rows in the order of an epoch; the last one is kept, as most epochs take many slices."""
        if self._known_order[0] != epoch:
            experiment, rows = self._prepared.experiment, self._prepared.rows
            order = epoch_order(rows, experiment.seed, epoch, experiment.shuffle and len(rows) > 1)
            self._known_order = (epoch, order)
        return self._known_order[1]

    def _count(self, stretch: _Stretch, steps: int, measured: dict[str, Array], seconds: float) -> None:
        """Add what was measured to the epoch's sums, each batch by the weight of its rows."""
        losses, bounds = measured["loss"], stretch.bounds[: steps + 1]
        self._check_losses(losses)
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
                steps_per_epoch=self._steps_per_epoch,
                losses=tuple(losses.tolist()),
                samples=int(bounds[-1]),
                seconds=seconds,
            )
        )
        if self._done == self._steps_per_epoch:
            self._end_epoch()

    def _check_losses(self, losses: Array) -> None:
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            first = int(bad[0])
            raise NonFiniteError(
                f"the loss became {losses[first]} in epoch {self.epoch + 1}, at step {self.step + first} "
                f"(batch {self._done + first + 1} of {self._steps_per_epoch})"
            )

    def _end_epoch(self) -> None:
        prepared = self._prepared
        metrics = self._tally.means()
        if len(prepared.split.validation):
            began, state = time.perf_counter(), self.read()
            validated = measure(prepared.graphs, state, prepared.columns, prepared.split.validation, self._backend)
            metrics.update({f"val_{name}": value for name, value in validated.items()})
            self._keep_best(validated["loss"], state)
            self._epoch_seconds += time.perf_counter() - began
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


def _bounds(sizes: Rows) -> Rows:
    """Where batches of these sizes begin and end."""
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def _ahead(done: int, seconds: float, planned: int) -> int:
    """How many steps the next slice takes, so that it lasts about `SLICE_SECONDS`."""
    fitting = int(SLICE_SECONDS * done / max(seconds, 1e-9))
    return max(1, min(fitting, GROWTH * planned))
