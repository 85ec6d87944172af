"""What of a run goes to its folder while it runs; nothing where there is no folder."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.errors import NonFiniteError
from chainrule.train.checkpoint import Checkpoint, is_kept
from chainrule.train.folder import RunFolder, Summary
from chainrule.train.history import Entry, History, HistoryFile
from chainrule.train.tensors import write_tensors

SECONDS_AT_RISK: Final = 20.0  # training that a sudden end may cost


class Keeper:
    """Writes history, checkpoints and weights of one sitting.

    Attributes:
        folder: of the run; None when nothing is written.
        last: the checkpoint saved last in this sitting, whether it was written or not.
    """

    def __init__(self, folder: RunFolder | None, history: History) -> None:
        self.folder = folder
        self.last: Checkpoint | None = None
        self._file = HistoryFile(folder.history, history) if folder else None
        self._saved = time.monotonic()
        self._saved_step = -1

    def is_due(self, step: int) -> bool:
        """Whether a checkpoint of this step is wanted: its step is one that stays, or the last is long ago."""
        if self.folder is None or step == self._saved_step:
            return False
        return is_kept(step) or time.monotonic() - self._saved > SECONDS_AT_RISK

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
        if self.folder is None or self._file is None:
            return None
        self._file.flush()
        path = self.folder.checkpoints.write(checkpoint)
        self._saved, self._saved_step = time.monotonic(), checkpoint.step
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
    try:
        own = metadata.version("chainrule")
    except metadata.PackageNotFoundError:  # run from its source, not installed
        own = "source"
    return {"chainrule": own, "python": sys.version.split()[0], "numpy": np.__version__}


def machine() -> str:
    """The system and the kind of processor."""
    return f"{platform.system()} {platform.machine()}"
