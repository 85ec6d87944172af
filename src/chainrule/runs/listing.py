"""The list of runs as a page, and each line as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from chainrule.document import COUNT, Code, Column, Content, Document, Number, NumberStyle, Paragraph, Row, Table
from chainrule.runs.opening import Listed

METRIC: Final = NumberStyle("fixed", 4)
SHOWN: Final = {"accuracy": "accuracy ", "r2": "R² "}  # the one score of a run that its line has room for


def listing_of(found: Sequence[Listed], runs: Path) -> Document:
    """A row a run, or what to do where there is none."""
    if not found:
        nothing = (f"There is no run in {runs} yet. Make one with ", Code("chainrule train digits"), ".")
        return Document("Runs", (Paragraph(nothing),))
    columns = (
        Column("run", heading=True),
        Column("changed"),
        Column("state"),
        Column("epochs", style=COUNT),
        Column("test"),
    )
    table = Table(columns, tuple(_row(each) for each in found), name="runs")
    problems = tuple(Paragraph(each.problem) for each in found if each.problem)
    return Document("Runs", (table, *problems), subtitle=f"in {runs}")


def listing_data(each: Listed) -> dict[str, Any]:
    """A run's line as plain values; `changed` in seconds since 1970."""
    return {
        "name": each.path.name, "path": str(each.path), "state": each.state, "epochs": each.epochs,
        "test": each.test, "changed": each.changed, "problem": each.problem,
    }  # fmt: skip


def _row(each: Listed) -> Row:
    changed = datetime.fromtimestamp(each.changed).astimezone().strftime("%Y-%m-%d %H:%M")
    return Row((each.path.name, changed, each.state, Number(each.epochs), _score(each)))


def _score(each: Listed) -> Content:
    for name, words in SHOWN.items():
        if name in each.test:
            return (words, Number(each.test[name], METRIC))
    return ""
