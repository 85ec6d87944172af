"""Dataframes of any library that narwhals knows (pandas, Polars, PyArrow, ...) as a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from chainrule.data.dataset import Dataset
from chainrule.data.fingerprint import fingerprint
from chainrule.data.source import Source
from chainrule.data.table import Choice, Column, Table, from_columns
from chainrule.errors import DataError

if TYPE_CHECKING:
    import narwhals as nw

    Frame = nw.DataFrame[Any]  # of whichever library
    Series = nw.Series[Any]


def as_frame(what: object) -> Frame | None:
    """The dataframe as narwhals sees it, or None for anything else.

    Raises:
        DataError: a dataframe that is not computed yet, or has columns of one name.
    """
    import narwhals as nw

    try:
        frame: object = nw.from_native(what, pass_through=True)
    except (nw.exceptions.NarwhalsError, ValueError) as error:
        raise DataError("the dataframe cannot be read: its columns need distinct names") from error
    if isinstance(frame, nw.LazyFrame):
        raise DataError("the dataframe is lazy: call its collect() first")
    return cast("Frame", frame) if isinstance(frame, nw.DataFrame) else None


def read_frame(frame: Frame, choice: Choice, *, name: str = "dataframe") -> Dataset:
    """A data set of a dataframe: numbers and booleans are features; the target is one column.

    Raises:
        DataError: what `from_columns` refuses.
        UnknownNameError: a column that does not exist.
    """
    table = table_of(frame)
    source = Source(
        kind="memory", name=name, target=choice.target, features=choice.features, drop=choice.drop, task=choice.task,
        sha256=fingerprint(*(_digestible(column, len(frame)) for column in table.columns)),
    )  # fmt: skip
    return from_columns(table, choice, name=name, source=source)


def table_of(frame: Frame) -> Table:
    """The columns of a dataframe, whatever they are for.

    Raises: DataError for columns of one name.
    """
    columns = tuple(_column(series) for series in frame.iter_columns())
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise DataError("the dataframe has columns of one name: give each its own")
    return Table(origin="the dataframe", columns=columns, rows=len(frame), place=lambda row: f"row {row}", in_code=True)


def _column(series: Series) -> Column:
    import narwhals as nw

    missing = series.is_null().to_numpy().astype(np.bool_)
    boolean = series.dtype == nw.Boolean or _all_booleans(series, missing)
    if boolean or series.dtype.is_numeric():
        numbers = series.cast(nw.Float64).to_numpy().astype(np.float64)
        missing = missing | np.isnan(numbers)
    else:
        numbers = np.full(len(series), np.nan)
    return Column(str(series.name), numbers, missing, boolean, lambda row: str(series[row]))


def _all_booleans(series: Series, missing: np.ndarray[Any, np.dtype[np.bool_]]) -> bool:
    """Whether a column of boxed values holds booleans only, as pandas has them beside missing values."""
    import narwhals as nw

    return series.dtype == nw.Object and all(
        isinstance(value, bool) for value, absent in zip(series.to_list(), missing, strict=True) if not absent
    )


def _digestible(column: Column, rows: int) -> np.ndarray[Any, np.dtype[Any]]:
    """The column as an array whose bytes stand for its content: numbers, or UTF-8 where there is text."""
    if not column.textual().size:
        return column.numbers
    text = "\0".join(column.text(row) for row in range(rows))
    return np.frombuffer(text.encode(), dtype=np.uint8)
