"""Steps of a run once more, in slices: the step of training, or one that measures more, on the rows it had."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from chainrule.backends.choose import compiled
from chainrule.backends.protocol import Step, StopFlag
from chainrule.data.splits import Rows
from chainrule.errors import RunError
from chainrule.train.ahead import Ahead, next_length, rows_of
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import Array
from chainrule.train.prepare import Prepared
from chainrule.train.step import RATE

SLICE_SECONDS: Final = 0.1
GROWTH: Final = 4  # a slice is at most so many times longer than the one before


class Ran(msgspec.Struct, frozen=True, eq=False):
    """Some steps that have run.

    Attributes:
        first: updates done before.
        order: the rows of their batches, one after the other, (visits,).
        bounds: where each batch begins and ends among them, (steps + 1,).
        measurements: what the step measures, (steps, …) each.
    """

    first: int
    order: Rows
    bounds: Rows
    measurements: dict[str, Array]


class Again:
    """A run at one of its steps, going on to later ones while nobody is told and nothing is written.

    A step depends on the state, its rows and its number alone, so the bits are those of the run, in whatever slices it
    was trained and however often it was interrupted.

    Attributes:
        step: updates done.
        steps_per_epoch: updates of a whole epoch.
    """

    def __init__(self, prepared: Prepared, step: Step, start: Checkpoint) -> None:
        """Begin at a checkpoint, with the backend that made it."""
        self.step = start.step
        self._epochs, self._rate = prepared.experiment.epochs, prepared.experiment.optimizer.learning_rate
        self._columns = {name: prepared.columns[name] for name in step.columns}
        self._ahead, self._stop, self._length = Ahead(prepared), StopFlag(), 1
        self._program = compiled(step, start.backend)
        self._state = self._program.start(start.state)
        self.steps_per_epoch = self._ahead.steps_per_epoch

    def until(self, last: int) -> Iterator[Ran]:
        """Run on to a step, slice by slice.

        Raises: RunError when the experiment ends before it.
        """
        while self.step < last:
            began = time.perf_counter()
            stretches = self._ahead.plan(*divmod(self.step, self.steps_per_epoch), min(self._length, last - self.step))
            if not stretches:
                raise RunError(f"there is no step {last}: the {self._epochs} epochs end at step {self.step}")
            order, bounds = rows_of(stretches)
            first, planned = self.step, len(bounds) - 1
            rates = {RATE: np.full(planned, self._rate)}
            piece = self._program.run(self._state, self._columns, order, bounds, rates, first, self._stop)
            self._state, self.step = piece.state, first + planned
            took = time.perf_counter() - began
            self._length = next_length(planned, took, planned, lasting=SLICE_SECONDS, growth=GROWTH)
            yield Ran(first, order, bounds, piece.measurements)

    def read(self) -> dict[str, Array]:
        """A copy of the state as it is now."""
        return self._program.read(self._state)
