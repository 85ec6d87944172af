"""`chainrule gradcheck`: derivatives of a run's weights, held against independent witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.errors import EXIT_FAILED


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
    json: Annotated[bool, Parameter(negative=(), show_default=False, help="The verdicts as JSON.")] = False,
) -> int:
    """Check derivatives of random weights by central differences, complex steps and forward mode."""
    from chainrule.cli.screen import stdout
    from chainrule.runs.opening import open_run

    verdicts = open_run(which).check_gradients(weights, seed=seed, batch=batch)
    screen = stdout()
    if json:
        screen.json(verdicts.data)
    else:
        screen.show(verdicts.page.document)
    return 0 if verdicts.agree else EXIT_FAILED
