"""From a name, a file, a dataframe or arrays to a data set: the one place that chooses the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

import numpy as np

from chainrule.data.arrays import from_arrays
from chainrule.data.builtin import BUILTIN
from chainrule.data.csv_file import read_csv
from chainrule.data.dataframe import as_frame, read_frame
from chainrule.data.dataset import Array, Dataset
from chainrule.data.idx_file import is_idx_name, read_idx_file, read_idx_folder
from chainrule.data.numpy_file import from_table, read_npy, read_npz
from chainrule.data.paths import Kind, kind_at
from chainrule.data.quoting import listed, quoted
from chainrule.data.source import Source, Task
from chainrule.data.table import Choice
from chainrule.errors import ArgumentError, DataError, InputError, UnknownNameError, UnreadableFileError
from chainrule.errors.calls import checked_call

CSV_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
TABLE_OPTIONS = ("target", "features", "drop", "task")
READABLE = ".csv (or .tsv, .txt, packed with .gz), .npz, .npy, IDX files such as train-images-idx3-ubyte.gz"


@checked_call
def load(
    what: object,
    y: object = None,
    *,
    target: str | int | None = None,
    features: Sequence[str] = (),
    drop: Sequence[str] = (),
    task: Task | None = None,
    sample_weight: object = None,
    rows: int | None = None,
    noise: float | None = None,
    classes: int | None = None,
    seed: int | None = None,
) -> Dataset:
    """Load a data set.

    Args:
        what: the name of a built-in set ("digits", "xor", "moons", "circles", "spirals", "one_weight"); a path to a
            CSV, .npy or .npz file, to an IDX file or to a folder of IDX files; a tuple (x, y) of arrays, or the samples
            x alone; a dataframe; or a `Dataset`, which is returned as it is. A built-in name wins over a file: write
            ./digits for the file.
        y: the targets, where `what` are the samples x.
        target: for a table, the column to predict; for .npy and arrays, its number.
        features: for a table, the columns to predict from; empty means all but the target.
        drop: for a table, columns left out.
        task: "classification" or "regression", where it is not to be derived from the target.
        sample_weight: for arrays, a weight per sample.
        rows: for a generated set, how many rows.
        noise: for a generated set, the standard deviation of its noise.
        classes: for spirals, how many arms.
        seed: for a generated set, its seed, 0 unless given.

    Raises:
        ArgumentError: an argument that does not exist, or targets beside what has its own.
        DataError: data that cannot be used; the sentence says where and what to do.
        DTypeError: values that are not numbers.
        InputError: an option that does not apply.
        ShapeError: shapes that do not fit.
        UnknownNameError: a name or column that does not exist.
        UnreadableFileError: a file that is missing, damaged or of another format.
    """
    if y is not None:
        what = _pair(what, y)
    if task is not None and task not in get_args(Task):
        raise UnknownNameError("task", str(task), get_args(Task))
    given: dict[str, object] = {
        "target": target, "features": _names(features) or None, "drop": _names(drop) or None, "task": task,
        "sample_weight": sample_weight, "rows": rows, "noise": noise, "classes": classes, "seed": seed,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    if isinstance(what, str) and what in BUILTIN:
        return _builtin(what, options)
    if isinstance(what, (str, Path)):
        return _path(what, options)
    return _memory(what, options)


def _pair(x: object, y: object) -> tuple[object, object]:
    """Samples and targets that came one after the other."""
    if isinstance(x, (str, Path, Dataset, tuple)):
        named = f"target={y!r}" if isinstance(y, (str, int)) else "target="
        brings = quoted(x) if isinstance(x, (str, Path)) else "a Dataset" if isinstance(x, Dataset) else "a tuple"
        raise ArgumentError(
            f"targets came beside {brings}, which has its own: leave them out; a column is chosen with {named}"
        )
    return x, y


def load_source(source: Source) -> Dataset:
    """Load again what a source describes, and check that it is still the same.

    Raises:
        DataError: the content changed, or was in memory.
        ChainruleError: what `load` raises.
    """
    if source.kind == "memory":
        raise DataError(f"the data ({source.name}) were in memory and cannot be loaded again: pass them once more")
    what = source.name if source.kind == "builtin" else Path(source.name)
    if source.kind == "builtin" and source.name not in BUILTIN:
        raise UnknownNameError("data set", source.name, BUILTIN)
    loaded = load(
        what, target=source.target, features=source.features, drop=source.drop, task=source.task, rows=source.rows,
        noise=source.noise, classes=source.classes, seed=source.seed,
    )  # fmt: skip
    return check_source(loaded, source)


def check_source(dataset: Dataset, source: Source) -> Dataset:
    """The data set, if its content is what the source says. A source without a SHA-256 fits any.

    Raises:
        DataError: the content is another one.
    """
    if source.sha256 and dataset.source.sha256 != source.sha256:
        raise DataError(
            f"the data changed since they were recorded: {source.name} had SHA-256 {source.sha256[:12]}… "
            f"and now has {dataset.source.sha256[:12]}…: restore them, or start a new run"
        )
    return dataset


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _only(what: str, options: Mapping[str, object], accepted: Sequence[str]) -> None:
    for option in options:
        if option not in accepted:
            takes = ", ".join(accepted) or "no options"
            raise InputError(f"{what} does not take the option {option}: it takes {takes}")


def _builtin(name: str, options: Mapping[str, object]) -> Dataset:
    builtin = BUILTIN[name]
    _only(f"the built-in set {name}", options, builtin.options)
    return builtin.make(**options)


def _choice(options: Mapping[str, object]) -> Choice:
    target = options.get("target")
    return Choice(
        target=None if target is None else str(target),
        features=cast("tuple[str, ...]", options.get("features", ())),
        drop=cast("tuple[str, ...]", options.get("drop", ())),
        task=cast("Task | None", options.get("task")),
    )


def _path(what: str | Path, options: Mapping[str, object]) -> Dataset:
    path = Path(what).expanduser().absolute()
    kind = _kind(what, path)
    if kind == "folder":
        _only(f"a folder of IDX files ({path})", options, ())
        return read_idx_folder(path)
    ending = path.name.lower()
    choice = _choice(options)
    if ending.endswith(CSV_ENDINGS):
        _only(f"a table ({path})", options, TABLE_OPTIONS)
        return read_csv(path, choice)
    if ending.endswith(".npz"):
        _only(f"an .npz file ({path})", options, ("task",))
        return read_npz(path, task=choice.task)
    if ending.endswith(".npy"):
        _only(f"an .npy file ({path})", options, ("target", "task"))
        return read_npy(path, target=choice.target, task=choice.task)
    if is_idx_name(path):
        _only(f"an IDX file ({path})", options, ())
        return read_idx_file(path)
    raise UnreadableFileError(f"{path} has an ending that is not known: known are {READABLE}")


def _kind(what: str | Path, path: Path) -> Kind:
    """Whether the path is a folder or a file; a plain word that is neither was meant as the name of a set."""
    kind = kind_at(path)
    if kind is not None:
        return kind
    if isinstance(what, str) and not any(mark in what for mark in "/\\."):
        raise UnknownNameError("data set", what, BUILTIN)
    raise UnreadableFileError(f"there is no file {path}: check the path, or give one of {listed(BUILTIN)}")


def _memory(what: object, options: Mapping[str, object]) -> Dataset:
    choice = _choice(options)
    if isinstance(what, Dataset):
        _only("a Dataset", options, ())
        return what
    if isinstance(what, tuple):
        pair = cast("tuple[object, ...]", what)
        if len(pair) != 2:
            raise InputError(f"a tuple of {len(pair)} came, but (x, y) is needed: weights go into sample_weight")
        _only("a tuple of arrays", options, ("task", "sample_weight"))
        return from_arrays(*pair, task=choice.task, sample_weight=options.get("sample_weight"))
    if isinstance(what, np.ndarray):
        _only("an array", options, ("target", "task"))
        return from_table(cast("Array", what), target=choice.target, task=choice.task, name="array")
    frame = as_frame(what)
    if frame is None:
        raise InputError(
            f"data of type {type(what).__name__} came, but a built-in name, a path, (x, y) or a dataframe is needed"
        )
    _only("a dataframe", options, TABLE_OPTIONS)
    return read_frame(frame, choice)
