"""CSV files: a header line with the names of the columns, then one line per sample. Polars reads the cells."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.data.dataset import Dataset
from chainrule.data.files import read_bytes, unpacked
from chainrule.data.fingerprint import fingerprint_bytes
from chainrule.data.quoting import listed, quoted
from chainrule.data.source import Source
from chainrule.data.table import Choice, Column, Table, from_columns
from chainrule.errors import DataError, UnreadableFileError
from chainrule.errors.counts import counted

if TYPE_CHECKING:
    import polars as pl

SEPARATORS: Final = (",", ";", "\t")
MISSING: Final = ("", "na", "n/a", "nan", "null", "?")  # lower case; "none" can be the name of a class
BOOLEANS: Final = ("false", "true")


def read_csv(path: Path, choice: Choice) -> Dataset:
    """A data set of a CSV file. The separator is a comma, a semicolon or a tab, whichever divides the header most.

    Cells are stripped of spaces; empty cells and NA, N/A, NaN, null and ? are missing. A line without a single filled
    cell is passed over. A column of true and false counts as numbers 0 and 1, and as classes where it is the target.

    Args:
        path: of the file, UTF-8, packed with gzip or not.
        choice: which columns are the target and the features.

    Raises:
        DataError: what `from_columns` refuses, columns of one name, or a line with more cells than the header.
        UnknownNameError: a column that does not exist.
        UnreadableFileError: no such file, no text in UTF-8, or nothing in it.
    """
    content = read_bytes(path)
    source = Source(
        kind="file", name=str(path), sha256=fingerprint_bytes([content]), target=choice.target,
        features=choice.features, drop=choice.drop, task=choice.task,
    )  # fmt: skip
    return from_columns(
        _table(path, _text(path, content)), choice, name=Path(path.name.removesuffix(".gz")).stem, source=source
    )


def read_table(path: Path) -> Table:
    """The columns of a CSV file, whatever they are for.

    Raises: as `read_csv`.
    """
    return _table(path, _text(path, read_bytes(path)))


def _text(path: Path, content: bytes) -> str:
    plain = unpacked(path, content)
    if b"\0" in plain[:4096]:
        raise UnreadableFileError(f"{path} is not a text file: a CSV file in UTF-8 is needed")
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = plain.count(b"\n", 0, error.start) + 1
        raise UnreadableFileError(f"{path}, line {line}, is not UTF-8: save the file in that encoding") from error
    if not text.strip():
        raise UnreadableFileError(f"{path} is empty: a header line and rows are needed")
    return text


def _table(path: Path, text: str) -> Table:
    separator, names = _header(path, text)
    frame = _frame(path, text, separator, names)
    filled = np.flatnonzero(_filled(frame))
    columns = tuple(_column(name, frame[name][filled]) for name in names)
    return Table(
        origin=path.name,
        columns=columns,
        rows=len(filled),
        place=lambda row: f"line {_line(text, separator, int(filled[row]))}",
    )


def _header(path: Path, text: str) -> tuple[str, tuple[str, ...]]:
    """The separator and the names of the columns."""
    headers = {separator: _first_line(text, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda candidate: len(headers[candidate]))
    names = tuple(name.strip() or f"column_{place}" for place, name in enumerate(headers[separator], 1))
    hint = _header_hint(names)
    if len(names) < 2:
        raise DataError(f"{path}, line 1, names {len(names)} columns: at least two, separated by commas, are needed")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}, line 1: more than one column is named {listed(twice)}: give each its own name{hint}")
    return separator, names


def _first_line(text: str, separator: str) -> list[str]:
    for cells in csv.reader(io.StringIO(text), delimiter=separator):
        return cells
    return []


def _header_hint(names: tuple[str, ...]) -> str:
    numbers = [name for name in names if _is_number(name)]
    return f" (is line 1 data? it holds {quoted(numbers[0])}: a header line is needed)" if numbers else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _frame(path: Path, text: str, separator: str, names: tuple[str, ...]) -> pl.DataFrame:
    """Every cell as stripped text or null."""
    import polars as pl

    try:
        frame = pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False, raise_if_empty=False)
    except pl.exceptions.PolarsError as error:
        raise _irregular(path, text, separator, len(names)) from error
    if frame.width != len(names):
        raise _irregular(path, text, separator, len(names))
    frame.columns = list(names)
    return frame.select(pl.all().str.strip_chars())


def _filled(frame: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows have a cell that is filled in."""
    import polars as pl

    filled = pl.any_horizontal((pl.all().is_not_null()) & (pl.all() != ""))
    return frame.select(filled.fill_null(value=False).alias("filled"))["filled"].to_numpy().astype(np.bool_)


def _column(name: str, cells: pl.Series) -> Column:
    import polars as pl

    lower = cells.fill_null("").str.to_lowercase()
    missing = lower.is_in(MISSING).to_numpy()
    present = lower.filter(~lower.is_in(MISSING))
    boolean = bool(present.len()) and bool(present.is_in(BOOLEANS).all())
    if boolean:
        numbers = lower.replace_strict({"false": 0.0, "true": 1.0}, default=None, return_dtype=pl.Float64)
    else:
        numbers = lower.cast(pl.Float64, strict=False)
    values = numbers.fill_null(float("nan")).to_numpy().astype(np.float64)
    return Column(name, np.where(missing, np.nan, values), missing, boolean, lambda row: str(cells[row] or ""))


def _line(text: str, separator: str, row: int) -> int:
    """The line, counted from 1 as in an editor, where a row begins; quoted cells may hold line breaks."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for _ in range(row + 1):  # the header and the rows before
            next(reader)
    except (csv.Error, StopIteration):
        return row + 2
    return reader.line_num + 1


def _irregular(path: Path, text: str, separator: str, width: int) -> DataError:
    """The error for a file whose lines do not fit its header: the first line with too many cells, if one is found."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for cells in reader:
            if len(cells) > width:
                found = f"{path}, line {reader.line_num}: {counted(len(cells), 'cell')}"
                named = f"the header names {counted(width, 'column')}"
                return DataError(f"{found}, but {named}: quote cells that hold the separator {quoted(separator)}")
    except csv.Error:
        pass
    return DataError(f"{path} cannot be divided into cells: check for a quote that is never closed")
