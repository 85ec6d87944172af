"""`chainrule predict`: what a run says of the rows of a file, as CSV or JSON lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.errors.counts import counted

if TYPE_CHECKING:
    from chainrule.runs.run import Run


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule predict`."""
    return call("predict", predict, words)


def predict(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")],
    file: Annotated[str, Parameter(help="Rows with the run's features; a target is not needed.")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"), help="A file to write; else stdout.")] = None,
    format: Annotated[Literal["csv", "json"], Parameter(help="A table, or a JSON line a row.")] = "csv",
    probabilities: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Also the probability of each class.")
    ] = False,
) -> int:
    """Predict: a line a row, in the file's order."""
    from chainrule.cli.screen import stderr, stdout
    from chainrule.runs.opening import open_run
    from chainrule.train.durable import write_named

    opened = open_run(which)
    columns = _columns(opened, file, probabilities)
    text = _csv(columns) if format == "csv" else _json(columns)
    if output is None:
        stdout().stream.write(text)
    else:
        write_named(output, text.encode())
        count = len(next(iter(columns.values())))
        stderr().say(f"{counted(count, 'prediction')} written to {output}")
    return 0


def _columns(opened: Run, file: str, probabilities: bool) -> dict[str, list[Any]]:
    """What is written, by column."""
    record = opened.record
    said = opened.predict(file)
    if record.task == "regression":
        table = said.reshape(len(said), -1)
        return {f"predicted_{name}": table[:, k].tolist() for k, name in enumerate(record.target_names)}
    columns: dict[str, list[Any]] = {"predicted": said.tolist()}
    if probabilities:
        shares = opened.predict_proba(file)
        columns |= {f"p_{name}": shares[:, k].tolist() for k, name in enumerate(record.class_names)}
    return columns


def _rows(columns: dict[str, list[Any]]) -> Iterator[tuple[Any, ...]]:
    yield from zip(*columns.values(), strict=True)


def _csv(columns: dict[str, list[Any]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(_rows(columns))
    return written.getvalue()


def _json(columns: dict[str, list[Any]]) -> str:
    from chainrule.cli.screen import json_line

    return "".join(json_line(dict(zip(columns, row, strict=True))) for row in _rows(columns))
