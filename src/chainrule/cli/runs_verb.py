"""`chainrule runs`: the list of runs, and removing one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.screen import stderr, stdout
from chainrule.document import Code, Column, Document, Group, Number, NumberStyle, Paragraph, Row, Table
from chainrule.errors import InputError, WriteError
from chainrule.runs.opening import LATEST, RUNS, Listed, find_run, list_runs

METRIC = NumberStyle("significant", 4)


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule runs`."""
    if words[:1] == ["remove"]:
        return call("runs remove", remove, words[1:])
    return call("runs", show_runs, words[1:] if words[:1] == ["list"] else words)


def show_runs(
    *,
    runs: Annotated[Path, Parameter(help="The folder they are in.")] = Path(RUNS),
    json: Annotated[bool, Parameter(negative=(), show_default=False, help="A JSON line a run; so is a pipe.")] = False,
) -> int:
    """List the runs, the one that changed last first; `chainrule runs remove RUN` deletes one."""
    found = list_runs(runs)
    screen = stdout()
    if json or not screen.person:
        for each in found:
            screen.json(
                {
                    "name": each.path.name, "path": str(each.path), "state": each.state, "epochs": each.epochs,
                    "test": each.test, "changed": each.changed, "problem": each.problem,
                }
            )  # fmt: skip
        return 0
    screen.show(_listing(found, runs))
    return 0


def _listing(found: list[Listed], runs: Path) -> Document:
    if not found:
        nothing = (f"There is no run in {runs} yet. Make one with ", Code("chainrule train digits"), ".")
        return Document("Runs", (Paragraph(nothing),))
    columns = (
        Column("run", heading=True),
        Column("changed"),
        Column("state"),
        Column("epochs", style=NumberStyle("count")),
        Column("test"),
    )
    table = Table(columns, tuple(_row(each) for each in found), name="runs")
    problems = [Paragraph(each.problem) for each in found if each.problem]
    return Document("Runs", (table, *([Group(tuple(problems))] if problems else [])), subtitle=f"in {runs}")


def _row(each: Listed) -> Row:
    changed = datetime.fromtimestamp(each.changed).astimezone().strftime("%Y-%m-%d %H:%M")
    name = next((name for name in ("accuracy", "r2") if name in each.test), None)
    test = "" if name is None else ({"r2": "R² "}.get(name, f"{name} "), Number(each.test[name], METRIC))
    return Row((each.path.name, changed, each.state, Number(each.epochs), test))


def remove(
    which: Annotated[str, Parameter(help="The run: its folder or its whole name.")],
    /,
    *,
    runs: Annotated[Path, Parameter(help="The folder it is in.")] = Path(RUNS),
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative=(), show_default=False, help="Do not ask.")] = False,
) -> int:
    """Delete a run with everything in its folder; this cannot be undone."""
    path = find_run(which, runs)
    if path.name != Path(which).name or which == LATEST:
        raise InputError(f"to delete a run takes its whole name: did you mean {path.name}?")
    if not yes and not _is_sure(path):
        stderr().say("nothing was deleted")
        return 0
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise WriteError(f"{path} could not be deleted ({error.strerror}): check its permissions") from error
    stderr().say(f"{path} is deleted")
    return 0


def _is_sure(path: Path) -> bool:
    if not sys.stdin.isatty():
        raise InputError("there is nobody to ask whether the run shall be deleted: add --yes")
    sys.stderr.write(f"delete {path} and everything in it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
