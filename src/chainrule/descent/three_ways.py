"""Batch, mini-batch and stochastic descent: the same experiment with three sizes of batch, walked side by side."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.data.batches import offsets
from chainrule.data.dataset import Dataset
from chainrule.descent.walk import Walk, looks, walked
from chainrule.errors import NonFiniteError
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.evaluate import measure
from chainrule.train.events import Listener, StopReason
from chainrule.train.experiment import Experiment
from chainrule.train.fit import Fit, fit
from chainrule.train.prepare import Prepared, prepare

WayName: TypeAlias = Literal["batch", "mini-batch", "stochastic"]
WalkName: TypeAlias = Literal["steady walk", "zig-zag", "drunkard's walk"]

STEADY: Final = 1.5  # straight lines: a shorter way whose updates go on as before is a steady walk
ZIGZAG: Final = 10.0  # a shorter way is a zig-zag, and so is one
BACK: Final = -0.1  # whose updates turn back more than this, as a mean cosine; the others are a drunkard's walk


@dataclass(frozen=True, eq=False, slots=True)
class Way:
    """One of the three ways down.

    Attributes:
        name: what the books call it.
        batch_size: rows an update.
        updates_per_epoch: the last smaller batch counted.
        last_batch: rows of the last batch of an epoch.
        losses: the mean loss over all training rows, before the first update and after every epoch.
        fit: the trained network; None where the loss left the numbers.
        walk: the way of the weights; None likewise.
        problem: what then happened, in words.
    """

    name: WayName
    batch_size: int
    updates_per_epoch: int
    last_batch: int
    losses: tuple[float, ...]
    fit: Fit | None
    walk: Walk | None
    problem: str = ""

    @property
    def updates(self) -> int:
        """All that were made."""
        return self.fit.step if self.fit else 0

    @property
    def seconds(self) -> float:
        """The median time of an epoch; NaN where none was completed."""
        entries = self.fit.history.entries if self.fit else ()
        return float(np.median([entry.seconds for entry in entries])) if entries else float("nan")

    @property
    def kind(self) -> WalkName | None:
        """What the way looks like, by its detour and its turns; None where it leads nowhere."""
        if self.walk is None or not np.isfinite(self.walk.detour):
            return None
        detour, cosine = self.walk.detour, self.walk.cosine
        if detour < STEADY and not cosine < 0.0:  # of a single update there is no cosine
            return "steady walk"
        return "zig-zag" if detour < ZIGZAG or cosine < BACK else "drunkard's walk"


def three_ways(
    experiment: Experiment,
    dataset: Dataset,
    *,
    weights: Mapping[str, npt.ArrayLike] | None = None,
    listeners: Iterable[Listener] = (),
) -> tuple[Way, ...]:
    """Train the experiment with all rows in a batch, with its own batch size, and with one row.

    All else is the same: data, split, initial weights, optimizer, epochs, seed. Where two sizes are equal, as on a
    single row, the way appears once.

    Args:
        experiment: its batch size is that of the mini-batches; where it holds all rows, a quarter of them.
        dataset: the data it names.
        weights: initial weights by name, where they are set by hand.
        listeners: told what happens in each training.

    Raises: DataError, ExperimentError, ShapeError, UnknownNameError: experiment, data and weights do not fit.
    """
    count = len(prepare(experiment, dataset).rows)
    told = tuple(listeners)

    def train(size: int) -> Fit:
        done = fit(experiment.but(batch_size=size), dataset, weights=weights, listeners=told)
        _pass_on(done.reason)
        return done

    return tuple(_way(name, size, count, train) for name, size in sizes(count, experiment.batch_size))


def sizes(rows: int, batch_size: int) -> Iterator[tuple[WayName, int]]:
    """The batch sizes of the three ways on so many training rows."""
    mini = batch_size if 1 < batch_size < rows else rows // 4 or 1
    mini = max(mini, 2) if rows > 2 else 1
    yield "batch", rows
    if 1 < mini < rows:
        yield "mini-batch", mini
    if rows > 1:
        yield "stochastic", 1


def _way(name: WayName, size: int, rows: int, train: Callable[[int], Fit]) -> Way:
    cuts = offsets(rows, size)
    updates, last = len(cuts) - 1, int(cuts[-1] - cuts[-2])
    try:
        done = train(size)
    except NonFiniteError as error:
        return Way(name, size, updates, last, (), None, None, str(error))
    losses: list[float] = []

    def look(at: Checkpoint) -> None:
        if at.step % updates == 0:
            losses.append(loss_of(done.prepared, at))

    start = done.held[0]  # before the first update
    walk = walked(
        done.prepared,
        done.history,
        sorted({*looks(done.prepared, done.step, updates), *range(0, done.step + 1, updates)}),
        start,
        look,
    )
    return Way(name, size, updates, last, tuple(losses), done, walk)


def _pass_on(reason: StopReason) -> None:
    """A signal that ended one training ends them all: training took it, and hands it on."""
    if reason == "interrupted":
        signal.raise_signal(signal.SIGINT)
    elif reason == "terminated":
        signal.raise_signal(signal.SIGTERM)


def loss_of(prepared: Prepared, at: Checkpoint) -> float:
    """The mean loss over all training rows, in the loss's unit."""
    return measure(prepared.graphs, at.state, prepared.columns, prepared.rows, at.backend)["loss"]
