"""What listeners are told while a run goes on: plain, frozen, and nothing they do flows back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

StopReason: TypeAlias = Literal["completed", "interrupted", "terminated", "non-finite"]


class TrainingStarted(msgspec.Struct, frozen=True):
    """The first step is about to run.

    Attributes:
        name: of the experiment.
        folder: of the run; None when nothing is written.
        backend: which one runs it.
        epochs: how many the run will have had at its end.
        first_epoch: the epoch it begins in, counted from 0; above 0 when it goes on.
        first_step: updates done before.
        steps_per_epoch: updates in an epoch, the last smaller batch included.
        rows: how many train, validate, test.
        parameters: how many numbers are trained, and how many are held frozen.
        note: a sentence on why another backend than the preferred one runs it; "" where that one does.
    """

    name: str
    folder: Path | None
    backend: str
    epochs: int
    first_epoch: int
    first_step: int
    steps_per_epoch: int
    rows: tuple[int, int, int]
    parameters: tuple[int, int]
    note: str = ""


class SliceDone(msgspec.Struct, frozen=True):
    """A slice of an epoch has run.

    Attributes:
        epoch: counted from 0.
        step: updates done since the beginning of the run.
        steps_of_epoch: updates done of this epoch.
        steps_per_epoch: updates the epoch has.
        losses: mean loss of each batch of the slice before its update, in the loss's unit.
        samples: samples visited in the slice.
        seconds: the slice took.
    """

    epoch: int
    step: int
    steps_of_epoch: int
    steps_per_epoch: int
    losses: tuple[float, ...]
    samples: int
    seconds: float


class EpochDone(msgspec.Struct, frozen=True):
    """An epoch is over, and validated where there is a validation part.

    Attributes:
        epoch: counted from 0.
        step: updates done since the beginning of the run.
        metrics: "loss", and where they exist "accuracy", "val_loss", "val_accuracy".
        seconds: the epoch took, validation included.
    """

    epoch: int
    step: int
    metrics: dict[str, float]
    seconds: float


class CheckpointWritten(msgspec.Struct, frozen=True):
    """The state of this step is on the disk."""

    step: int
    path: Path


class TrainingStopped(msgspec.Struct, frozen=True):
    """The last step has run, and what there is to save is saved.

    Attributes:
        reason: "completed", "interrupted" (Ctrl-C), "terminated" (SIGTERM) or "non-finite".
        epoch: epochs completed.
        step: updates done since the beginning of the run.
        seconds: since it started or went on.
    """

    reason: StopReason
    epoch: int
    step: int
    seconds: float


Event: TypeAlias = TrainingStarted | SliceDone | EpochDone | CheckpointWritten | TrainingStopped
Listener: TypeAlias = Callable[[Event], None]
