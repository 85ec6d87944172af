"""`chainrule surface`: the loss over one weight as a curve, over two directions as a surface with the path on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import Parameter

from chainrule.cli.parse import call, given
from chainrule.cli.showing import USUAL, AsWanted, show
from chainrule.errors import InputError


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule surface`."""
    return call("surface", surface, words)


def surface(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    weight: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(), show_default=False, help="Such as 'dense_1.W[28, 3]': one for its curve, two for a surface."
        ),
    ] = (),
    directions: Annotated[
        Literal["principal", "random"] | None,
        Parameter(help="Where no weight is named: those of the path, which it is unless said, or random ones."),
    ] = None,
    points: Annotated[int | None, Parameter(help="Of each side of a surface; 25 where not said.")] = None,
    seed: Annotated[int | None, Parameter(help="Of random directions; 0 where not said.")] = None,
    low: Annotated[float | None, Parameter(help="Where a curve begins.")] = None,
    high: Annotated[float | None, Parameter(help="Where it ends.")] = None,
    shown: AsWanted = USUAL,
) -> int:
    """Show the loss around the weights: of one its curve, slope and minimum; of two directions the path's surface."""
    from chainrule.runs.opening import open_run

    if len(weight) != 1 and (low is not None or high is not None):
        raise InputError("--low and --high are the ends of a curve: name one --weight, or leave them out")
    of_surface = given(directions=directions, points=points, seed=seed)
    if len(weight) == 1 and of_surface:
        raise InputError(f"--{next(iter(of_surface))} is of a surface: name two weights or none, or leave it out")
    opened = open_run(which)
    page = opened.surface(weight, **of_surface) if len(weight) != 1 else opened.curve(weight[0], low=low, high=high)
    show(page.document, shown)
    return 0
