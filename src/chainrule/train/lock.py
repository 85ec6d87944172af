"""One process at a time writes into the folder of a run; the system lets go when that process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from chainrule.errors import RunError, WriteError

FILE: Final = "lock"  # stays in the folder; what counts is whether a process holds it
HELD_BYTE: Final = 1 << 30  # far behind the number of the process, which stays readable where locks forbid reading


class RunLock:
    """The right to write into a run's folder, held within a `with` block.

    The lock belongs to an open file, so a process that was killed holds none. On a file system that knows no locks
    nothing is held, and nothing is refused.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises: RunError when another process, or this one, is using the run; WriteError when the file cannot be made.
        """
        file = self._opened()
        try:
            _hold(file)
        except (BlockingIOError, PermissionError):
            holder = _number(file)
            os.close(file)
            raise RunError(
                f"the run {self._folder.name} is in use{_by(holder)}: wait until that has stopped, or stop it first"
            ) from None
        except OSError:  # no locks here
            pass
        self._file = file
        with contextlib.suppress(OSError):
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        path = self._folder / FILE
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise WriteError(
                f"{path} could not be written ({error.strerror}): the run is as it was; check the folder's permissions"
            ) from error


if sys.platform == "win32":
    import msvcrt

    def _hold(file: int) -> None:
        os.lseek(file, HELD_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _hold(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _number(file: int) -> int | None:
    """The process that holds it, as far as it has said so."""
    try:
        os.lseek(file, 0, os.SEEK_SET)
        return int(os.read(file, 32))
    except (OSError, ValueError):
        return None


def _by(holder: int | None) -> str:
    if holder is None:
        return ""
    return " by this process" if holder == os.getpid() else f" by process {holder}"
