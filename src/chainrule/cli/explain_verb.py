"""`chainrule explain`: a weight, a unit, a layer or the network on a sample or batch, in symbols and in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import Parameter

from chainrule.cli.parse import call, moment, numbers
from chainrule.cli.showing import USUAL, AsWanted, show
from chainrule.errors import InputError


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule explain`."""
    return call("explain", explain, words)


def explain(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")],
    /,
    *,
    weight: Annotated[
        str | None, Parameter(help="Such as 'dense_1.W[28, 3]', from input 28 to unit 3; or 'dense_1.b[3]'.")
    ] = None,
    unit: Annotated[str | None, Parameter(help="Such as 'dense_1[3]': all that feeds it.")] = None,
    layer: Annotated[str | None, Parameter(help="Such as dense_1.")] = None,
    network: Annotated[bool, Parameter(negative=(), show_default=False, help="Every layer.")] = False,
    depth: Annotated[
        Literal["scalar", "layer", "matrix"] | None,
        Parameter(help="Weight by weight, element by element, or in matrices."),
    ] = None,
    sample: Annotated[int | None, Parameter(help="A row of the data, by its index from 0.")] = None,
    samples: Annotated[str | None, Parameter(help="Several rows as one batch: 1,2,3.")] = None,
    batch: Annotated[
        int | None, Parameter(help="A batch of the epoch then under way, from 0; the next one where not said.")
    ] = None,
    at: Annotated[
        str, Parameter(name=("--at", "--step"), help="The weights now, at the start, or at any step: --at 1342.")
    ] = "now",
    shown: AsWanted = USUAL,
) -> int:
    """Open a weight, or derive a unit, a layer or the network: formulas, numbers, the update, and witnesses."""
    from chainrule.runs.opening import open_run

    if (sample is not None) + (samples is not None) + (batch is not None) > 1:
        raise InputError("--sample, --samples and --batch exclude one another: give one of them")
    if (weight is not None) + (unit is not None) + (layer is not None) + network != 1:
        raise InputError("name one thing to explain: --weight, --unit, --layer or --network")
    rows = None if samples is None else numbers("--samples", samples)
    page = open_run(which).explain(
        weight, unit=unit, layer=layer, network=network, depth=depth,
        sample=sample, samples=rows, batch=batch, at=moment(at),
    )  # fmt: skip
    show(page.document, shown)
    return 0
