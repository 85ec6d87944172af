"""`chainrule nudges`: what each sample of a batch wants of some weights, and what comes of it on average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call, moment, numbers
from chainrule.cli.showing import USUAL, AsWanted, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule nudges`."""
    return call("nudges", nudges, words)


def nudges(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    weight: Annotated[
        tuple[str, ...],
        Parameter(negative=(), show_default=False, help="Such as 'dense_1.W[28, 3]'; give it again for more."),
    ] = (),
    top: Annotated[int, Parameter(help="How many, where no weight is named: those with the largest gradients.")] = 8,
    layer: Annotated[str | None, Parameter(help="Only of that layer: dense_1, or dense_1.W.")] = None,
    unit: Annotated[
        str | None, Parameter(help="Only what feeds it, and the three ways to change it: dense_1[3].")
    ] = None,
    samples: Annotated[str | None, Parameter(help="Rows as one batch: 1,2,3.")] = None,
    batch: Annotated[
        int | None, Parameter(help="A batch of the epoch then under way, from 0; the next one where not said.")
    ] = None,
    at: Annotated[
        str, Parameter(name=("--at", "--step"), help="The weights now, at the start, or at any step: --at 1342.")
    ] = "now",
    shown: AsWanted = USUAL,
) -> int:
    """Show what each sample wants of some weights, who outvotes whom, and that the average is the batch gradient."""
    from chainrule.runs.opening import open_run

    rows = None if samples is None else numbers("--samples", samples)
    run = open_run(which)
    page = run.nudges(weight, top=top, layer=layer, unit=unit, samples=rows, batch=batch, at=moment(at))
    show(page.document, shown)
    return 0
