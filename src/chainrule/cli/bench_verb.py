"""`chainrule bench`: training measured against other systems and against what the processor can do."""

from __future__ import annotations

import functools
import json as json_text
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from chainrule.backends.native.machine import VARIABLE
from chainrule.bench.chart import chart
from chainrule.bench.markdown import markdown
from chainrule.bench.measure import SECONDS, WINDOWS, Plan, measure
from chainrule.bench.page import page
from chainrule.bench.peers import OURS, peers_named
from chainrule.bench.row import Row
from chainrule.bench.workloads import WORKLOADS, cases, workload_named
from chainrule.cli.parse import call, names
from chainrule.cli.screen import Screen, stderr, stdout
from chainrule.document.plain import plain_value
from chainrule.errors import EXIT_FAILED
from chainrule.train.durable import make_folder, write_named

ROWS, PAGE, PICTURE = "rows.jsonl", "page.md", "chart.svg"
DEFAULT_PEERS: Final = ("numpy",)


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule bench`."""
    held = [f"{VARIABLE}={os.environ[VARIABLE]}"] if os.environ.get(VARIABLE) else []
    typed = shlex.join([*held, "chainrule", "bench", *words])

    return call("bench", functools.partial(bench, typed=typed), words)


def bench(
    *workloads: Annotated[str, Parameter(help="W1, W2, W3, W4, W9; all where none is named.")],
    peers: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="Compared with: numpy, torch, jax, keras, sklearn, tinygrad, all."),
    ] = DEFAULT_PEERS,
    cores: Annotated[int, Parameter(help="Each system may use.")] = 1,
    optimizers: Annotated[tuple[str, ...], Parameter(negative=(), help="Only these: sgd, adam.")] = (),
    storages: Annotated[tuple[str, ...], Parameter(negative=(), help="Of MNIST's pixels: uint8, float32.")] = (),
    data: Annotated[Path | None, Parameter(help="Folder of MNIST's IDX files.")] = None,
    windows: Annotated[int, Parameter(help="Turns of each system.")] = WINDOWS,
    seconds: Annotated[float, Parameter(help="Of work after which a system needs no more turns.")] = SECONDS,
    window: Annotated[float, Parameter(help="ms of work in a turn, 1 to 20; short where others use the core.")] = 20.0,
    report: Annotated[Path | None, Parameter(help="Folder for the rows, a page and a chart.")] = None,
    json: Annotated[bool, Parameter(negative=(), help="A JSON object a row.")] = False,
    typed: Annotated[str, Parameter(parse=False)] = "chainrule bench",
) -> int:
    """Train the benchmark's networks in turns with other systems, each in a process of its own."""
    plan = Plan(cores=cores, windows=windows, seconds=seconds, window=window / 1e3, folder=data)
    chosen = peers_named((OURS, *names(peers)))
    named = [workload_named(name) for name in names(workloads) or tuple(WORKLOADS)]
    screen, progress = stdout(), stderr()
    if report is not None:
        make_folder(report)  # before minutes of measuring
    rows: list[Row] = []
    for case in cases(named, names(optimizers), names(storages)):
        found = measure(case, chosen, plan, progress.say)
        rows += found
        _show(screen, found, json or not screen.person)
        if report is not None:
            _write(report, rows, typed)
    return 0 if any(row.void is None for row in rows) else EXIT_FAILED


def _show(screen: Screen, rows: list[Row], is_json: bool) -> None:
    if not is_json:
        screen.show(page(rows))
        return
    for row in rows:
        screen.json(row.data())


def _write(folder: Path, rows: list[Row], typed: str) -> None:
    """The rows so far as lines of JSON, as Markdown and as a picture.

    Raises: WriteError.
    """
    lines = "".join(json_text.dumps(plain_value(row.data())) + "\n" for row in rows)
    write_named(folder / ROWS, lines.encode())
    write_named(folder / PAGE, markdown(rows, typed).encode())
    write_named(folder / PICTURE, chart(rows).encode())
