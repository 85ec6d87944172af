"""`chainrule plan`: how the native backend does a run's step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule plan`."""
    return call("plan", plan, words)


def plan(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    batch_size: Annotated[int | None, Parameter(help="Rows of the largest batch; the run's where not said.")] = None,
    shown: AsWanted = USUAL,
) -> int:
    """What is computed together, which kernel runs each product, where values lie, and the time at the limits."""
    from chainrule.runs.opening import open_run

    page = open_run(which).plan(batch_size)
    show(page.document, shown)
    return 0
