"""What was measured at the end of every epoch: in memory as columns, on disk as one JSON line each."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import IO, Final, overload

import msgspec

from chainrule.errors import RunError, UnknownNameError, WriteError
from chainrule.errors.counts import counted
from chainrule.train.durable import gone, write_durably
from chainrule.train.missing import unreadable

ROW: Final = msgspec.json.Decoder(dict[str, float | str])
FINITE_ROW: Final = msgspec.json.Decoder(dict[str, float])
SHOWN: Final = 10  # epochs of a history that is shown; of more, the first and the last five


class Entry(msgspec.Struct, frozen=True):
    """One epoch: its number from 0, the updates done by its end, its measurements, and the seconds it took."""

    epoch: int
    step: int
    metrics: Mapping[str, float]
    seconds: float


class Lines(Sequence[Entry]):
    """Epochs as they were read: what a line holds becomes an entry when it is asked for, and most never are."""

    def __init__(self, rows: Sequence[Entry | dict[str, float]]) -> None:
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Lines: ...
    def __getitem__(self, index: int | slice) -> Entry | Lines:
        """An epoch, or some of them."""
        if isinstance(index, slice):
            return Lines(self._rows[index])
        row = self._rows[index]
        if not isinstance(row, Entry):
            row = self._rows[index] = _entry(row, int(row["epoch"]))
        return row

    def append(self, entry: Entry) -> None:
        """Add the epoch that is over."""
        self._rows.append(entry)


@dataclass(eq=False, slots=True)
class History(Mapping[str, list[float]]):
    """The measurements of all epochs, by name: `history["val_loss"][3]` is that of the fourth epoch.

    Two histories are equal when their measurements are; when they were taken and how long that took is in `entries`.
    """

    entries: list[Entry] | Lines = field(default_factory=list[Entry])

    def __getitem__(self, name: str) -> list[float]:
        """The measurement of every epoch.

        Raises: UnknownNameError for a measurement that was not taken.
        """
        if name not in self._names():
            raise UnknownNameError("measurement", name, self._names())
        return [entry.metrics.get(name, math.nan) for entry in self.entries]

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    @property
    def epochs(self) -> int:
        """How many epochs are complete."""
        return len(self.entries)

    def __repr__(self) -> str:
        """A table of the epochs, counted from 1 as people count them; of many, the first and the last."""
        names = self._names()
        rows = [[str(e.epoch + 1), *(f"{e.metrics.get(name, math.nan):.6g}" for name in names)] for e in self.entries]
        left_out = len(rows) - SHOWN
        if left_out > 0:
            rows[SHOWN // 2 : -SHOWN // 2] = [["…", *("" for _ in names)]]
        return "\n".join([f"History of {counted(self.epochs, 'epoch')}", *_lines([["epoch", *names], *rows])])

    def _repr_html_(self) -> str:
        """What a notebook shows: the curves, and the numbers behind them."""
        from chainrule.document import render_notebook
        from chainrule.train.curves import history_document

        return render_notebook(history_document(self))

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry.metrics))


def _lines(rows: list[list[str]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell, aligned at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.rjust, row, widths)).rstrip() for row in rows]


class HistoryFile:
    """Appends epochs to a file of JSON lines; a line torn by a sudden end is dropped when the file is read."""

    def __init__(self, path: Path, kept: History | None = None) -> None:
        """Begin the file with the epochs already done, or empty."""
        self._path = path
        write_durably(path, b"".join(_line(entry) for entry in (kept or History()).entries))
        try:
            self._file: IO[bytes] = path.open("ab")
        except OSError as error:
            raise self._failed(error) from error

    def append(self, entry: Entry) -> None:
        """Hand the epoch's line to the system; it is on the disk after `flush`."""
        try:
            self._file.write(_line(entry))
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from error

    def flush(self) -> None:
        """Bring all lines to the disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def _failed(self, error: OSError) -> WriteError:
        return WriteError(
            gone(self._path)
            or f"{self._path} could not be written ({error.strerror or error}): the epochs before are intact; "
            "free some space, then go on with resume"
        )


def read_history(path: Path) -> History:
    """The epochs in the file; a torn last line is left out.

    Raises: RunError for a file that is missing or damaged before its last line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    lines = content[: content.rfind(b"\n") + 1]  # what follows the last line feed is empty or torn
    if rows := _finite_rows(lines):
        return History(Lines(rows))
    entries: list[Entry] = []
    for number, line in enumerate(lines.split(b"\n")[:-1], start=1):
        try:
            entries.append(_entry(ROW.decode(line), expected=len(entries)))
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            raise RunError(f"{path}, line {number}, is damaged: restore the file, or delete it and resume") from error
    return History(entries)


def _line(entry: Entry) -> bytes:
    measured = {name: value if math.isfinite(value) else str(value) for name, value in entry.metrics.items()}
    row = {"epoch": entry.epoch, "step": entry.step, **measured, "seconds": round(entry.seconds, 6)}
    return json.dumps(row, allow_nan=False).encode() + b"\n"


def _finite_rows(lines: bytes) -> list[dict[str, float]] | None:
    """The lines of epochs in order, all at once, where every value is a finite number; None where one is not."""
    try:
        rows = FINITE_ROW.decode_lines(lines)
        epochs, whole = map(itemgetter("epoch", "step", "seconds"), rows), lines.count(b"\n")
        return rows if [epoch for epoch, _, _ in epochs] == list(range(whole)) else None
    except (msgspec.MsgspecError, ValueError, KeyError):
        return None


def _entry(row: Mapping[str, float | str], expected: int) -> Entry:
    measured = {name: float(value) for name, value in row.items()}
    epoch, step, seconds = int(measured.pop("epoch")), int(measured.pop("step")), measured.pop("seconds")
    if epoch != expected:
        raise ValueError(f"epoch {epoch} where {expected} was due")
    return Entry(epoch, step, measured, seconds)
