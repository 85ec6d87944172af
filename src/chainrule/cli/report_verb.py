"""`chainrule report`: one HTML file that tells a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule report`."""
    return call("report", report, words)


def report(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    output: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="The file to write; report.html in the run's folder.")
    ] = None,
    charts: Annotated[Path | None, Parameter(help="A folder for every chart as SVG, PNG and CSV.")] = None,
    weight: Annotated[
        str | None, Parameter(help="The weight that is opened; that with the largest gradient where not said.")
    ] = None,
    sample: Annotated[
        int | None, Parameter(help="The row on which it is opened; one that is predicted wrong where not said.")
    ] = None,
) -> int:
    """Write one HTML file that needs nothing else: data, network, curves, activations and gradients, mistakes."""
    from chainrule.cli.screen import stdout
    from chainrule.report.charts import charts_of
    from chainrule.report.write import REPORT
    from chainrule.report.write import report as write
    from chainrule.runs.opening import open_run
    from chainrule.runs.summary import near

    found = open_run(which)
    assert found.path is not None  # it was opened from its folder
    path = output if output is not None else found.path / REPORT
    page = write(found, path, charts=charts, weight=weight, sample=sample)
    screen = stdout()
    screen.say(near(path))
    if charts is not None:
        count = len(charts_of(page.document))
        screen.say(f"{near(charts)}: {count} charts as SVG, PNG and CSV")
    return 0
