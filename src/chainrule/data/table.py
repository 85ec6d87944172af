"""Named columns of cells as a data set: which columns are features, which is the target, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Dataset
from chainrule.data.labels import label
from chainrule.data.quoting import listed, printable, quoted
from chainrule.data.source import Source, Task
from chainrule.errors import DataError, UnknownNameError

MOST_ABSENT = 3  # columns named in a message


class Column(msgspec.Struct, frozen=True, eq=False):
    """A named column, read as numbers as far as it can be.

    Attributes:
        name: as in the header.
        numbers: float64 (n,), NaN where a cell is no number; false and true are 0 and 1.
        missing: bool (n,), where a cell is empty or says that it is.
        boolean: whether every cell that is not missing is true or false.
        text: the cell of a row as text.
    """

    name: str
    numbers: npt.NDArray[np.float64]
    missing: npt.NDArray[np.bool_]
    boolean: bool
    text: Callable[[int], str]

    def textual(self) -> npt.NDArray[np.intp]:
        """The rows whose cell is neither missing nor a number."""
        return np.flatnonzero(np.isnan(self.numbers) & ~self.missing)


class Table(msgspec.Struct, frozen=True, eq=False):
    """Columns of equal length from one place.

    Attributes:
        origin: the file or what else they came from, for messages.
        columns: in order, with distinct names.
        rows: how many.
        place: where a row stands in its origin, for messages ("line 17").
        in_code: whether the table came from Python, so that messages name arguments rather than flags.
    """

    origin: str
    columns: tuple[Column, ...]
    rows: int
    place: Callable[[int], str]
    in_code: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)


class Choice(msgspec.Struct, frozen=True):
    """Which columns are used for what.

    Attributes:
        target: the column to predict; None is refused with the list of columns.
        features: the columns to predict from; empty means all but the target.
        drop: columns left out.
        task: None derives it: a target of numbers is regression, of names or booleans classification.
    """

    target: str | None = None
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    task: Task | None = None


def from_columns(table: Table, choice: Choice, *, name: str, source: Source) -> Dataset:
    """A data set of a table: numeric features, and a target of numbers, names or booleans.

    Raises:
        DataError: no target, no features, no rows, a missing value, or text where numbers are needed.
        UnknownNameError: a column that does not exist.
    """
    target = _target(table, choice)
    features = _features(table, choice, target)
    if table.rows == 0:
        raise DataError(f"{table.origin} has a header but no rows: at least one row of values is needed")
    _check_features(table, features)
    _check_target(table, target)
    x = np.stack([column.numbers for column in features], axis=1)
    feature_names = tuple(column.name for column in features)
    if _task(table, target, choice.task) == "regression":
        y = target.numbers[:, None]
        return Dataset(
            name=name, x=x, y=y, task="regression", source=source, feature_names=feature_names,
            target_names=(target.name,),
        )  # fmt: skip
    labels, class_names = label(name, _classes(target, table.rows))
    return Dataset(
        name=name, x=x, y=labels, task="classification", source=source, feature_names=feature_names,
        class_names=class_names,
    )  # fmt: skip


def samples_of(table: Table, features: Sequence[str]) -> npt.NDArray[np.float64]:
    """The columns of these names as samples, (n, features); other columns are passed over.

    Raises:
        DataError: columns that do not exist, no rows, a missing value, or text where numbers are needed.
    """
    absent = [name for name in features if name not in table.names]
    if absent:
        shown = listed(absent[:MOST_ABSENT]) + (f" and {len(absent) - MOST_ABSENT} more" * (len(absent) > MOST_ABSENT))
        raise DataError(
            f"{table.origin} lacks {shown}, which the run was trained on: give its columns these names; it has "
            f"{listed(table.names[:MOST_ABSENT])}{', …' * (len(table.names) > MOST_ABSENT)}"
        )
    columns = [_named(table, name) for name in features]
    if table.rows == 0:
        raise DataError(f"{table.origin} has a header but no rows: at least one row of values is needed")
    for column in columns:
        unfit = np.flatnonzero(~np.isfinite(column.numbers))
        if unfit.size:
            raise _no_number(table, column, int(unfit[0]), "correct it, or leave the row out")
    return np.stack([column.numbers for column in columns], axis=1)


def _named(table: Table, name: str) -> Column:
    for column in table.columns:
        if column.name == name:
            return column
    raise UnknownNameError(f"column in {table.origin}", printable(name), map(printable, table.names))


def _target(table: Table, choice: Choice) -> Column:
    if choice.target is None:
        option = "target=" if table.in_code else "--target"
        raise DataError(
            f"{table.origin} needs a target, the column to predict: name one of {listed(table.names)} with {option}"
        )
    return _named(table, choice.target)


def _features(table: Table, choice: Choice, target: Column) -> tuple[Column, ...]:
    dropped = {_named(table, name).name for name in choice.drop}
    chosen = [_named(table, name) for name in dict.fromkeys(choice.features or table.names)]
    if target.name in dropped:
        raise DataError(f"{table.origin}: column {quoted(target.name)} is the target and cannot be dropped too")
    if target.name in choice.features:
        raise DataError(f"{table.origin}: column {quoted(target.name)} is the target and cannot be a feature too")
    features = tuple(column for column in chosen if column.name != target.name and column.name not in dropped)
    if not features:
        raise DataError(f"{table.origin}: no feature columns are left beside the target {quoted(target.name)}")
    return features


def _check_features(table: Table, features: tuple[Column, ...]) -> None:
    """Refuse the first feature that is not all finite numbers, and say which columns would have to go."""
    unfit = [column for column in features if not bool(np.isfinite(column.numbers).all())]
    if not unfit:
        return
    remedy = (
        f"leave columns out with {_drop_option(table, unfit)}" if len(unfit) < len(features) else "choose other columns"
    )
    row = int(np.flatnonzero(~np.isfinite(unfit[0].numbers))[0])
    raise _no_number(table, unfit[0], row, f"correct it, or {remedy}")


def _no_number(table: Table, column: Column, row: int, remedy: str) -> DataError:
    found = "a missing value" if column.missing[row] else quoted(column.text(row))
    return DataError(
        f"{table.origin}, {table.place(row)}, column {quoted(column.name)}: {found} where a finite number is needed"
        f"{_decimal_comma(column, row)}; {remedy}"
    )


def _decimal_comma(column: Column, row: int) -> str:
    text = "" if column.missing[row] else column.text(row)
    digits = text.replace(",", "", 1).lstrip("+-")
    return " (write decimals with a point)" if "," in text and digits.isdigit() else ""


def _drop_option(table: Table, columns: Sequence[Column]) -> str:
    if table.in_code:
        return f"drop=[{listed(column.name for column in columns)}]"
    names = ",".join(column.name for column in columns)
    return f"--drop {names}" if names.replace(",", "").replace("_", "").isalnum() else f"--drop {quoted(names)}"


def _check_target(table: Table, target: Column) -> None:
    rows = np.flatnonzero(target.missing)
    if rows.size:
        many = "" if rows.size == 1 else f" (and {rows.size - 1} more rows)"
        raise DataError(
            f"{table.origin}, {table.place(int(rows[0]))}, column {quoted(target.name)}: the target is missing{many}; "
            "fill it in or remove the row"
        )


def _task(table: Table, target: Column, task: Task | None) -> Task:
    text = target.textual()
    if task is None and target.boolean:
        return "classification"
    if task == "classification" or (task is None and text.size == table.rows):
        return "classification"
    if text.size:
        row = int(text[0])
        reason = (
            "is text, and regression, which is asked for, predicts numbers"
            if task
            else "is text, and the other rows hold numbers, so it is read as a number to predict"
        )
        option = "task='classification'" if table.in_code else "--task classification"
        raise DataError(
            f"{table.origin}, {table.place(row)}, column {quoted(target.name)}: {quoted(target.text(row))} "
            f"{reason}; correct it, or predict classes with {option}"
        )
    infinite = np.flatnonzero(~np.isfinite(target.numbers))
    if infinite.size:
        place = table.place(int(infinite[0]))
        raise DataError(f"{table.origin}, {place}, column {quoted(target.name)}: the target must be finite")
    return "regression"


def _classes(target: Column, rows: int) -> npt.NDArray[np.bool_ | np.int64 | np.str_]:
    """The target as booleans, as whole numbers where all are, or as text."""
    numbers = target.numbers
    if target.boolean:
        return numbers.astype(np.bool_)
    if bool((np.abs(numbers) < 2.0**53).all()) and bool((numbers == np.trunc(numbers)).all()):
        return numbers.astype(np.int64)
    return np.array([target.text(row) for row in range(rows)], dtype=np.str_)
