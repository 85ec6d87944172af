"""`chainrule gradcheck`: derivatives of a run's weights, held against independent witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show
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
    shown: AsWanted = USUAL,
) -> int:
    """Check derivatives of random weights by central differences, complex steps and forward mode."""
    from chainrule.cli.countdown import Countdown
    from chainrule.cli.screen import stderr
    from chainrule.runs.check_gradients import check_gradients
    from chainrule.runs.opening import open_run

    if json and shown.format not in (None, "json"):
        raise InputError(f"--json is --format json, and --format {shown.format} came beside it: give one of them")
    run = open_run(which)
    with Countdown(stderr(), "checking weight") as told:
        verdicts = check_gradients(run, weights, seed=seed, batch=batch, told=told)
    show(verdicts.page.document, replace(shown, format="json") if json else shown)
    return 0 if verdicts.agree else EXIT_FAILED
