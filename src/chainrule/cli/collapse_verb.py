"""`chainrule collapse`: the layers of a run multiplied out to one linear map, or why they are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import Format, Output, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule collapse`."""
    return call("collapse", collapse, words)


def collapse(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    format: Format = None,
    output: Output = None,
    width: Annotated[int | None, Parameter(help="Columns; those of the terminal where not said.")] = None,
    ascii: Annotated[bool, Parameter(negative=(), show_default=False, help="Only ASCII characters.")] = False,
) -> int:
    """Multiply the layers out: to one map where they are linear; else count the patterns, and the best map's error."""
    from chainrule.runs.opening import open_run

    show(open_run(which).collapse().document, format, output=output, width=width, ascii=ascii)
    return 0
