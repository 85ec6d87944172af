"""Writing a file so that, whatever happens, either the old content or the new is there, whole."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from chainrule.data.paths import kind_at
from chainrule.errors import UnreadableFileError, WriteError


def write_durably(path: Path, content: bytes) -> None:
    """Replace the file by this content, durably.

    The content goes to a sibling file that is flushed to the disk and renamed over the old one; then the folder is
    flushed. A process killed at any moment, a full disk or a failing write leave the previous file as it was.

    Raises: WriteError when the content cannot be written; the previous file is intact and the sibling is gone.
    """
    try:
        _replace(path, content)
    except OSError as error:
        raise _write_error(path, error) from error


def write_named(path: Path, content: bytes) -> None:
    """The same for a file outside of runs, that somebody named; a link stays, and what it points to is written.

    What is no file but can be written, such as /dev/stdout or a pipe, is written to and never replaced.

    Raises: WriteError, which says what is in the way; the previous file is intact.
    """
    try:
        if path.is_dir():
            raise WriteError(f"{path} is a folder, and a file is wanted: name one in it")
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise WriteError(_in_the_way(path, error)) from error


def _in_the_way(path: Path, error: OSError) -> str:
    """What is to be said of a file that somebody named and that cannot be written."""
    if isinstance(error, FileNotFoundError) and (missing := _missing_above(path)):
        return f"{path} cannot be written, as there is no folder {missing}: make it, or name another place"
    return f"{path} cannot be written ({error.strerror or error}): name another place"


def _replace(path: Path, content: bytes) -> None:
    sibling = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        _write_through(sibling, content)
        sibling.replace(path)
        flush_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            sibling.unlink(missing_ok=True)
        raise


def make_folder(path: Path, *, new: bool = False) -> None:
    """Make the folder and those above it; with `new`, it must not exist yet.

    Raises:
        WriteError: it cannot be made.
        FileExistsError: it exists and `new` is asked for.
    """
    try:
        path.mkdir(parents=True, exist_ok=not new)
        flush_folder(path.parent)
    except FileExistsError:
        if new:
            raise
        raise WriteError(f"{path} is a file, and a folder of that name is needed: move it or choose another") from None
    except OSError as error:
        raise WriteError(f"the folder {path} cannot be made ({error.strerror}): choose another place") from error


def remove(path: Path) -> None:
    """Remove a file if it is there.

    Raises: WriteError when it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{path} cannot be removed ({error.strerror}): check the folder's permissions") from error


def sweep(folder: Path) -> None:
    """Remove the siblings that writers killed in the middle left behind."""
    for part in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            part.unlink()


def gone(path: Path) -> str:
    """What to say of a file that cannot be written because a folder above it has vanished; empty where none has."""
    missing = _missing_above(path)
    if missing is None:
        return ""
    return (
        f"{path.name} could not be written, as the folder {missing} is gone: somebody moved or deleted it; put it "
        "back and go on with resume, or train again"
    )


def _missing_above(path: Path) -> Path | None:
    """The topmost folder above it that is not there; None where all are, or where the system does not say."""
    with contextlib.suppress(UnreadableFileError):
        return next((folder for folder in reversed(path.absolute().parents) if kind_at(folder) is None), None)
    return None


def flush_folder(folder: Path) -> None:
    """Bring the folder's list of names to the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except (PermissionError, IsADirectoryError):  # Windows opens no folders; its renames are journaled
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _write_error(path: Path, error: OSError) -> WriteError:
    return WriteError(
        gone(path)
        or f"{path} could not be written ({error.strerror or error}): what was there before is intact; "
        "free some space or check the folder's permissions, then go on with resume"
    )
