"""NumPy's own files: .npz with arrays named x and y, .npy with a table and the number of its target column.

Objects inside them are never unpickled.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np

from chainrule.data.arrays import from_arrays
from chainrule.data.dataset import Array, Dataset
from chainrule.data.files import read_bytes
from chainrule.data.fingerprint import fingerprint_bytes
from chainrule.data.quoting import listed, quoted
from chainrule.data.source import Source, Task
from chainrule.errors import DataError, ShapeError, UnreadableFileError

WHOLE = (("x", "y"), ("X", "y"), ("X", "Y"), ("data", "target"))
PARTS = (("x_train", "y_train", "x_test", "y_test"), ("X_train", "y_train", "X_test", "y_test"))


def read_npz(path: Path, *, task: Task | None = None) -> Dataset:
    """Arrays x and y of a .npz file, or x_train, y_train, x_test and y_test, whose test rows follow the training rows.

    Raises:
        DataError: other names, or rows that do not fit.
        UnreadableFileError: a damaged file, or objects in place of numbers.
    """
    content = read_bytes(path)
    arrays = _arrays(path, content)
    source = Source(kind="file", name=str(path), sha256=fingerprint_bytes([content]), task=task)
    for x, y in WHOLE:
        if x in arrays and y in arrays:
            return from_arrays(arrays[x], arrays[y], task=task, name=path.stem, source=source)
    for names in PARTS:
        if all(part in arrays for part in names):
            return _parts(path, [arrays[part] for part in names], task, source)
    raise DataError(
        f"{path} holds {listed(arrays) or 'no arrays'}, but x and y (or x_train, y_train, x_test and y_test) are needed"
    )


def read_npy(path: Path, *, target: int | str | None, task: Task | None = None) -> Dataset:
    """The table (n, columns) of a .npy file, one column of which is the target.

    Args:
        path: of the file.
        target: number of the target column from 0; negative numbers count from the end.
        task: None derives it: floats are regression targets, whole numbers classes.

    Raises:
        DataError: no such column.
        ShapeError: an array that is not a table.
        UnreadableFileError: a damaged file, or objects in place of numbers.
    """
    content = read_bytes(path)
    table = _loaded(path, content)
    if not isinstance(table, np.ndarray):
        raise UnreadableFileError(f"{path} is not one array: rename it to .npz if it holds several")
    return from_table(
        table,
        target=target,
        task=task,
        name=path.stem,
        source=Source(kind="file", name=str(path), sha256=fingerprint_bytes([content]), target=str(target), task=task),
    )


def from_table(
    table: Array, *, target: int | str | None, task: Task | None, name: str, source: Source | None = None
) -> Dataset:
    """A data set of a table (n, columns), one column of which is the target. See `read_npy`."""
    if table.ndim != 2:
        raise ShapeError(f"{name}: the array has shape {table.shape}, but a table of rows and columns is needed")
    if table.shape[1] < 2:
        raise ShapeError(f"{name}: the table has {table.shape[1]} column, but features and a target are needed")
    column = _column(name, target, table.shape[1])
    return from_arrays(np.delete(table, column, axis=1), table[:, column], task=task, name=name, source=source)


def _column(name: str, target: int | str | None, count: int) -> int:
    try:
        column = int(target if target is not None else "")
    except ValueError as error:
        came = "none is given" if target is None else f"{quoted(target)} came"
        raise DataError(
            f"{name}: the target is a column number from 0 to {count - 1} (or -1 for the last), but {came}: "
            "say it with --target, or target= in Python"
        ) from error
    if not -count <= column < count:
        raise DataError(f"{name}: there is no column {column}: the table has columns 0 to {count - 1} (-1 is the last)")
    return column % count


def _parts(path: Path, parts: list[Array], task: Task | None, source: Source) -> Dataset:
    x_train, y_train, x_test, y_test = parts
    if x_train.shape[1:] != x_test.shape[1:] or y_train.shape[1:] != y_test.shape[1:]:
        raise DataError(f"{path}: training and test samples differ in shape: {x_train.shape} and {x_test.shape}")
    if x_train.shape[:1] != y_train.shape[:1] or x_test.shape[:1] != y_test.shape[:1]:
        raise DataError(f"{path}: x and y differ in their number of rows, in the training or in the test part")
    x, y = np.concatenate((x_train, x_test)), np.concatenate((y_train, y_test))
    test_rows = np.arange(len(x_train), len(x), dtype=np.int64)
    return from_arrays(x, y, task=task, name=path.stem, source=source, test_rows=test_rows)


def read_arrays(path: Path) -> dict[str, Array]:
    """Every array of an .npz file by name, or the one of an .npy file.

    Raises: UnreadableFileError for a damaged file, or objects in place of numbers.
    """
    content = read_bytes(path)
    alone = _loaded(path, content)
    return {"x": alone} if isinstance(alone, np.ndarray) else _arrays(path, content)


def _arrays(path: Path, content: bytes) -> dict[str, Array]:
    archive = _loaded(path, content)
    if isinstance(archive, np.ndarray):
        raise UnreadableFileError(f"{path} is a single array: rename it to .npy and name its target column")
    try:
        return {name: archive[name] for name in archive.files}
    except Exception as error:  # as in _loaded
        raise _unreadable(path, error) from error


def _loaded(path: Path, content: bytes) -> Array | np.lib.npyio.NpzFile:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old headers, which are read all the same
            return np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # damaged bytes fail in as many ways as NumPy, zip, zlib and tokenize have errors
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UnreadableFileError:
    if "pickle" in str(error) and "Object arrays" in str(error):
        return UnreadableFileError(f"{path} holds Python objects, which are never loaded: save plain arrays of numbers")
    return UnreadableFileError(f"{path} is not a NumPy file, or it is damaged or cut short: save or fetch it again")
