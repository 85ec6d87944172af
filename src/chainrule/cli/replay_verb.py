"""`chainrule replay`: a run at any of its steps, beside another step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule replay`."""
    return call("replay", replay, words)


def replay(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    step: Annotated[int, Parameter(help="How many updates were done.")],
    compare: Annotated[
        int | None, Parameter(help="The step to compare with; the last power of two before where not said.")
    ] = None,
    shown: AsWanted = USUAL,
) -> int:
    """Bring a step back, bit for bit, and set it beside another: loss, weights, gradients, updates."""
    from chainrule.runs.opening import open_run
    from chainrule.runs.replaying import replayed

    page = replayed(open_run(which), step, compare)
    show(page.document, shown)
    return 0
