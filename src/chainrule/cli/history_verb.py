"""`chainrule history`: one weight at every step of a run, and the samples that moved it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule history`."""
    return call("history", history, words)


def history(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    weight: Annotated[str, Parameter(help="Such as 'dense_1.W[28, 3]', from input 28 to unit 3; or 'dense_1.b[3]'.")],
    first: Annotated[int, Parameter(help="The step to begin at.")] = 0,
    last: Annotated[int | None, Parameter(help="The step to end at; that of the run where not said.")] = None,
    top: Annotated[int, Parameter(help="How many of the largest moves.")] = 8,
    every: Annotated[
        int | None, Parameter(help="Steps between two values in JSON; about a thousand values where not said.")
    ] = None,
    shown: AsWanted = USUAL,
) -> int:
    """Replay a run with one weight asked for: its way, its largest moves, and the samples that moved it most."""
    from chainrule.cli.countdown import Countdown
    from chainrule.cli.screen import stderr
    from chainrule.runs.opening import open_run
    from chainrule.runs.remembering import weight_history

    run = open_run(which)
    with Countdown(stderr(), "replaying step") as told:
        page = weight_history(run, weight, first=first, last=last, top=top, every=every, told=told)
    show(page.document, shown)
    return 0
