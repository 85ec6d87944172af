"""`chainrule gradcheck`: derivatives of a run's weights, held against independent witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import Format, Output, show
from chainrule.errors import EXIT_FAILED, InputError


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule gradcheck`."""
    return call("gradcheck", gradcheck, words)


def gradcheck(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    weights: Annotated[int, Parameter(help="How many to pick; half of them alive.")] = 10,
    seed: Annotated[int, Parameter(help="Of the pick.")] = 0,
    batch: Annotated[int, Parameter(help="On which batch of the epoch to come, from 0.")] = 0,
    json: Annotated[bool, Parameter(negative=(), show_default=False, help="The same as --format json.")] = False,
    format: Format = None,
    output: Output = None,
    width: Annotated[int | None, Parameter(help="Columns; those of the terminal where not said.")] = None,
    ascii: Annotated[bool, Parameter(negative=(), show_default=False, help="Only ASCII characters.")] = False,
) -> int:
    """Check derivatives of random weights by central differences, complex steps and forward mode."""
    from chainrule.runs.opening import open_run

    if json and format not in (None, "json"):
        raise InputError(f"--json is --format json, and --format {format} came beside it: give one of them")
    verdicts = open_run(which).check_gradients(weights, seed=seed, batch=batch)
    show(verdicts.page.document, "json" if json else format, output=output, width=width, ascii=ascii)
    return 0 if verdicts.agree else EXIT_FAILED
