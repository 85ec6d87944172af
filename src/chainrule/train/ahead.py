"""Which rows the next steps take: the order of each epoch, cut into batches."""

from __future__ import annotations

import msgspec
import numpy as np

from chainrule.data.batches import epoch_order, offsets
from chainrule.data.splits import Rows
from chainrule.train.prepare import Prepared


class Stretch(msgspec.Struct, frozen=True, eq=False):
    """Some steps of one epoch: their rows one after the other, and where each batch begins and ends among them."""

    epoch: int
    rows: Rows
    bounds: Rows

    @property
    def steps(self) -> int:
        """How many they are."""
        return len(self.bounds) - 1


class Ahead:
    """The steps to come of a run, wherever it stands.

    Attributes: steps_per_epoch: updates of a whole epoch.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._cuts = offsets(len(prepared.rows), prepared.experiment.batch_size)
        self._known_order = (-1, prepared.rows)
        self.steps_per_epoch = len(self._cuts) - 1

    def plan(self, epoch: int, done: int, steps: int, *, within: bool = False) -> list[Stretch]:
        """The next steps, epoch by epoch, fewer where the experiment ends.

        Args:
            epoch: the one under way, from 0.
            done: its steps that are over.
            steps: how many are wanted.
            within: whether to go only up to the end of this epoch.
        """
        stretches: list[Stretch] = []
        while steps > 0 and epoch < self._prepared.experiment.epochs:
            last = min(done + steps, len(self._cuts) - 1)
            order, cuts = self._order(epoch), self._cuts[done : last + 1]
            stretches.append(Stretch(epoch, order[cuts[0] : cuts[-1]], cuts - cuts[0]))
            if within:
                break
            steps -= last - done
            epoch, done = epoch + 1, 0
        return stretches

    def _order(self, epoch: int) -> Rows:
        """The rows in the order of an epoch; the last one is kept, as most epochs take many slices."""
        if self._known_order[0] != epoch:
            experiment, rows = self._prepared.experiment, self._prepared.rows
            order = epoch_order(rows, experiment.seed, epoch, experiment.shuffle and len(rows) > 1)
            self._known_order = (epoch, order)
        return self._known_order[1]


def rows_of(stretches: list[Stretch]) -> tuple[Rows, Rows]:
    """The rows of several stretches one after the other, and where each batch begins and ends among them."""
    sizes = np.concatenate([np.diff(stretch.bounds) for stretch in stretches])
    bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return np.concatenate([stretch.rows for stretch in stretches]), bounds


def next_length(done: int, seconds: float, planned: int, *, lasting: float, growth: int) -> int:
    """How many steps the next slice takes, so that it lasts about so long.

    Args:
        done: steps of the slice before.
        seconds: that they took.
        planned: steps that it was to take.
        lasting: seconds wanted.
        growth: times longer than the one before at most.
    """
    fitting = int(lasting * done / max(seconds, 1e-9))
    return max(1, min(fitting, growth * planned))
