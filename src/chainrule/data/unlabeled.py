"""Samples without a target, to predict on: from a file, a dataframe, a data set or an array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from chainrule.data.arrays import as_array
from chainrule.data.csv_file import read_table
from chainrule.data.dataframe import as_frame, table_of
from chainrule.data.dataset import Array, Dataset
from chainrule.data.files import read_bytes
from chainrule.data.idx_file import is_idx_name, read_idx
from chainrule.data.load import CSV_ENDINGS, READABLE, load
from chainrule.data.numpy_file import read_arrays
from chainrule.data.paths import kind_at
from chainrule.data.quoting import listed
from chainrule.data.table import samples_of
from chainrule.errors import DataError, UnreadableFileError

SAMPLES = ("x", "X", "data")  # names under which an .npz file may hold them


def load_samples(what: object, features: Sequence[str]) -> Array:
    """The samples, (n, *features).

    Args:
        what: a path, as `load` takes it, whose target may be absent; the name of a built-in set; a `Dataset`; a
            dataframe; an array.
        features: the columns wanted of a table, in this order; other columns are passed over.

    Raises: what `load` raises.
    """
    if isinstance(what, Dataset):
        return what.x
    if isinstance(what, str | Path):
        if _is_file(str(what)):
            return _of_file(Path(what).expanduser().absolute(), features)
        return load(what).x  # a built-in set, a folder, or something that does not exist
    frame = None if isinstance(what, np.ndarray | list | tuple) else as_frame(what)
    return (
        as_array("the samples", "x", cast("object", what)) if frame is None else samples_of(table_of(frame), features)
    )


def _is_file(text: str) -> bool:
    return any(mark in text for mark in "/\\.") and kind_at(Path(text).expanduser()) != "folder"


def _of_file(path: Path, features: Sequence[str]) -> Array:
    name = path.name.lower()
    if name.endswith(CSV_ENDINGS):
        return samples_of(read_table(path), features)
    if name.endswith((".npy", ".npz")):
        return _of_numpy(path)
    if is_idx_name(path):
        images = read_idx(path, read_bytes(path))
        return images.reshape(len(images), -1)
    raise UnreadableFileError(f"{path} has an ending that is not known: known are {READABLE}")


def _of_numpy(path: Path) -> Array:
    arrays = read_arrays(path)
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    found = [arrays[name] for name in SAMPLES if name in arrays]
    if not found:
        raise DataError(f"{path} holds {listed(arrays) or 'no arrays'}, but samples named {listed(SAMPLES)} are needed")
    return found[0]
