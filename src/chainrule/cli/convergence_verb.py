"""`chainrule convergence`: whether a run has come to rest, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule convergence`."""
    return call("convergence", convergence, words)


def convergence(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    shown: AsWanted = USUAL,
) -> int:
    """Say whether the updates have become almost 0, the loss lies on a plateau, swings, rises, or still falls."""
    from chainrule.runs.opening import open_run

    show(open_run(which).convergence().document, shown)
    return 0
