"""What of a run goes to its folder while it runs; nothing where there is no folder."""

from __future__ import annotations

import platform
import shutil
import sys
import time
from collections.abc import Mapping
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.backends.choose import choose
from chainrule.data.paths import kind_at
from chainrule.errors import ValueRangeError
from chainrule.errors.calls import check_kind
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.finite import check_finite
from chainrule.train.folder import RunFolder, Summary
from chainrule.train.held import Held
from chainrule.train.history import Entry, History, HistoryFile
from chainrule.train.tensors import write_tensors
from chainrule.train.thinning import LONGEST_SECONDS, Room, is_kept, stretch_length, stretch_of

COST: Final = 0.04  # of the training time that saving takes where checkpoints are large
MOST_COST: Final = 0.125  # that it may take where a step would else be too far from a checkpoint
SHARE: Final = 10  # so much of the free disk do checkpoints take at most where nothing else is said: a tenth
GIGABYTE: Final = 10**9  # bytes


class Keeper:
    """Writes history, checkpoints and weights of one sitting.

    Attributes:
        folder: of the run; None when nothing is written.
        held: takes the checkpoints of a run without a folder; None when they are not wanted.
        last: the checkpoint saved last in this sitting, whether it was written or not.
    """

    def __init__(self, folder: RunFolder | None, history: History, disk: float | None = None) -> None:
        """Begin the history's file.

        Args:
            folder: of the run; None for a run in memory.
            history: the epochs before this sitting.
            disk: gigabytes that the checkpoints may take; None for a tenth of what is free.

        Raises: WriteError.
        """
        self.folder, self.held = folder, Held() if folder is None else None
        self.last: Checkpoint | None = None
        self._file = HistoryFile(folder.history, history) if folder else None
        self._took, self._most = 0.0, room_for(folder, disk) if folder else 0.0
        self._room = Room(0, self._most)

    def is_due(self, step: int, seconds: float, cost: float) -> bool:
        """Whether a checkpoint of this step is wanted: it would stay, or be the first of its stretch of training.

        Args:
            step: updates done.
            seconds: of training, over all sittings.
            cost: of running all steps so far again.
        """
        if self.last is None:
            return True
        if is_kept(step) and self.folder is not None:
            return step != self.last.step
        if seconds - self.last.seconds < pause(self._took):
            return False
        length = stretch_length(cost, self._room)
        return stretch_of(cost, length) > stretch_of(self.last.cost, length)

    def epoch(self, entry: Entry) -> None:
        """Write down an epoch that is over."""
        if self._file is not None:
            self._file.append(entry)

    def save(self, checkpoint: Checkpoint) -> Path | None:
        """Write a checkpoint, and the history before it to the disk.

        Returns: its path; None where there is no folder.

        Raises: NonFiniteError when the state holds NaN or infinity: the checkpoint before stays the last.
        """
        check_finite(checkpoint)
        self.last = checkpoint
        if self.held is not None:
            self._room = self.held.add(checkpoint)
        if self.folder is None or self._file is None:
            return None
        began = time.perf_counter()
        self._file.flush()
        path = self.folder.checkpoints.write(checkpoint, self._most)
        took = time.perf_counter() - began
        self._took = min(self._took or took, took)  # the quickest: others wait for a busy disk
        self._room = Room(self.folder.checkpoints.size(checkpoint.step), self._most)
        return path

    def best(self, parameters: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write the parameters of the best epoch so far."""
        if self.folder is not None:
            write_tensors(self.folder.best, parameters)

    def finish(self, parameters: Mapping[str, npt.NDArray[Any]], summary: Summary) -> None:
        """Write the last parameters and how the run stands."""
        if self.folder is not None:
            write_tensors(self.folder.weights, parameters)
            self.folder.write_summary(summary)

    def close(self) -> None:
        """End the history's file."""
        if self._file is not None:
            self._file.close()


def pause(took: float) -> float:
    """The seconds of training before the next checkpoint, where one took so many seconds to save."""
    return max(min(took / COST, LONGEST_SECONDS), took / MOST_COST)


def check_disk(disk: float | None) -> None:
    """Refuse what is no size, before anything is written.

    Raises: ArgumentError for what is no number; ValueRangeError for less than nothing.
    """
    if disk is None:
        return
    check_kind("disk", disk, Real, "gigabytes, such as 0.5")
    if not disk >= 0.0:
        raise ValueRangeError(f"checkpoints cannot take {disk} GB of the disk: give 0 or more")


def room_for(folder: RunFolder, disk: float | None) -> float:
    """The bytes that the checkpoints of a run may take.

    Args:
        folder: of the run.
        disk: gigabytes; None for a tenth of what is free, of which they take some already.
    """
    return room_at(folder.path, disk, sum(map(folder.checkpoints.size, folder.checkpoints.steps)))


def room_at(path: Path, disk: float | None, taken: float = 0.0) -> float:
    """The same of a run that will be made in a folder, which need not exist, or has taken so many bytes there."""
    if disk is not None:
        return disk * GIGABYTE
    place = next(each for each in (path, *path.absolute().parents) if kind_at(each))
    return (shutil.disk_usage(place).free + taken) / SHARE


def versions() -> dict[str, str]:
    """What the bits of a run depend on beside the experiment."""
    return {"chainrule": _own_version(), "python": sys.version.split()[0], "numpy": np.__version__}


@cache
def _own_version() -> str:
    """Read from the disk once."""
    from importlib import metadata  # takes a while, and only who writes a run's folder needs it

    try:
        return metadata.version("chainrule")
    except metadata.PackageNotFoundError:  # run from its source, not installed
        return "source"


def machine(backend: str) -> str:
    """The system and the kind of processor, and what else of it that backend's bits depend on.

    Raises: as `choose`.
    """
    arithmetic = choose(backend).arithmetic
    return f"{platform.system()} {platform.machine()}{arithmetic and f', {arithmetic}'}"
