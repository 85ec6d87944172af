"""`chainrule descent`: batch, mini-batch and stochastic descent on the same data, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.flags import NO_DATA_FLAGS, NO_FLAGS, DataFlags, ExperimentFlags
from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule descent`."""
    return call("descent", descent, words)


def descent(
    what: Annotated[
        str, Parameter(help="digits, xor, moons, circles, spirals, one_weight; a file or folder; an experiment.toml.")
    ],
    /,
    *,
    data: Annotated[DataFlags, Parameter(name="*")] = NO_DATA_FLAGS,
    flags: Annotated[ExperimentFlags, Parameter(name="*")] = NO_FLAGS,
    shown: AsWanted = USUAL,
) -> int:
    """Train three ways: with all rows in a batch, with mini-batches, with one row; compare loss, time and path."""
    from chainrule.cli.design_from_flags import experiment_of
    from chainrule.cli.progress import Progress
    from chainrule.cli.screen import stderr
    from chainrule.runs.descents import descents_of

    experiment, dataset = experiment_of(what, data, flags if _is_file(what) else _plain(flags))
    with Progress(stderr()) as progress:
        found = descents_of(experiment, dataset, listeners=(progress,))
    show(found.page.document, shown)
    return 0


def _is_file(what: str) -> bool:
    """Whether an experiment.toml was named, which says everything itself."""
    return Path(what).suffix in (".toml", ".json")


def _plain(flags: ExperimentFlags) -> ExperimentFlags:
    """Plain gradient descent for a few epochs, where nothing else was typed."""
    from chainrule.runs.descents import EPOCHS, PLAIN

    if flags.optimizer is None:
        rate = PLAIN.learning_rate if flags.learning_rate is None else flags.learning_rate
        flags = replace(flags, optimizer="sgd", learning_rate=rate)
    return replace(flags, epochs=EPOCHS if flags.epochs is None else flags.epochs)
