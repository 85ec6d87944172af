"""`chainrule lesson`: the list of lessons, or one of them, run here and now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.cli.showing import USUAL, AsWanted, show
from chainrule.errors import EXIT_FAILED, InputError


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule lesson`."""
    return call("lesson", lesson, words)


def lesson(
    name: Annotated[str | None, Parameter(help="Which; all are listed where none is named.")] = None,
    /,
    *,
    seed: Annotated[int, Parameter(help="Of everything that is drawn: another seed is another run.")] = 0,
    shown: AsWanted = USUAL,
) -> int:
    """List the lessons, or run one: real experiments, told from the top down, its statements held against them."""
    from chainrule.lessons.overview import overview
    from chainrule.lessons.shelf import named

    if name is None:
        show(overview(), shown)
        return 0
    if name.endswith(".py"):
        raise InputError(f"a lesson in a file of its own is a program: run it with python {name}")
    taught = named(name).run(seed)
    show(taught.page.document, shown)
    return 0 if taught.holds else EXIT_FAILED
