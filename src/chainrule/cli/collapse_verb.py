"""`chainrule collapse`: the layers of a run multiplied out to one linear map, or why they are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule collapse`."""
    return call("collapse", collapse, words)


def collapse(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    shown: AsWanted = USUAL,
) -> int:
    """Multiply the layers out: to one map where they are linear; else count the patterns, and the best map's error."""
    from chainrule.runs.opening import open_run

    show(open_run(which).collapse().document, shown)
    return 0
