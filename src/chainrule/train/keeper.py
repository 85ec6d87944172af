"""What of a run goes to its folder while it runs; nothing where there is no folder."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.errors import NonFiniteError
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.folder import RunFolder, Summary
from chainrule.train.held import Held
from chainrule.train.history import Entry, History, HistoryFile
from chainrule.train.tensors import write_tensors
from chainrule.train.thinning import is_kept, most_stretches, stretch_length, stretch_of

COST: Final = 0.04  # of the training time that saving may take where checkpoints are large


class Keeper:
    """Writes history, checkpoints and weights of one sitting.

    Attributes:
        folder: of the run; None when nothing is written.
        held: takes the checkpoints of a run without a folder; None when they are not wanted.
        last: the checkpoint saved last in this sitting, whether it was written or not.
    """

    def __init__(self, folder: RunFolder | None, history: History, held: Held | None = None) -> None:
        self.folder, self.held = folder, held
        self.last: Checkpoint | None = None
        self._file = HistoryFile(folder.history, history) if folder else None
        self._took, self._most = 0.0, most_stretches(0)

    def is_due(self, step: int, seconds: float) -> bool:
        """Whether a checkpoint of this step is wanted: it would stay, or be the first of its stretch of training.

        Args:
            step: updates done.
            seconds: of training, over all sittings.
        """
        if self.folder is None and self.held is None:
            return False
        if self.last is None:
            return True
        if is_kept(step) and self.folder is not None:
            return step != self.last.step
        if seconds - self.last.seconds < self._took / COST:
            return False
        length = stretch_length(seconds, self._most)
        return stretch_of(seconds, length) > stretch_of(self.last.seconds, length)

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
            self._most = self.held.add(checkpoint)
        if self.folder is None or self._file is None:
            return None
        began = time.perf_counter()
        self._file.flush()
        path = self.folder.checkpoints.write(checkpoint)
        took = time.perf_counter() - began
        self._took = min(self._took or took, took)  # the quickest: others wait for a busy disk
        self._most = most_stretches(self.folder.checkpoints.size(checkpoint.step))
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


def check_finite(checkpoint: Checkpoint) -> None:
    """Refuse a state that is no state to go on from.

    Raises: NonFiniteError naming the first parameter or slot that holds NaN or infinity.
    """
    for name, array in checkpoint.state.items():
        if not np.isfinite(array).all():
            raise NonFiniteError(f"{name} holds a number that is not finite after step {checkpoint.step}")


def versions() -> dict[str, str]:
    """What the bits of a run depend on beside the experiment."""
    return {"chainrule": _own_version(), "python": sys.version.split()[0], "numpy": np.__version__}


@cache
def _own_version() -> str:
    """Read from the disk once."""
    try:
        return metadata.version("chainrule")
    except metadata.PackageNotFoundError:  # run from its source, not installed
        return "source"


def machine() -> str:
    """The system and the kind of processor."""
    return f"{platform.system()} {platform.machine()}"
