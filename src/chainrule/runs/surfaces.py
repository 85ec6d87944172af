"""What a run looks like from outside: the loss around its weights, and the map that its layers come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING

from chainrule.data.batches import offsets
from chainrule.descent.collapse import collapse_of
from chainrule.descent.collapse_page import collapse_page
from chainrule.descent.curve import curve_of
from chainrule.descent.curve_page import curve_page
from chainrule.descent.surface import POINTS, Directions, plane_at_random, plane_of_path, plane_of_weights, surface_of
from chainrule.descent.surface_page import surface_page
from chainrule.descent.walk import Path, looks, path_of
from chainrule.errors import RunError, UnknownNameError, ValueRangeError
from chainrule.errors.calls import check_kind
from chainrule.explain.subject import parse_weight, show_weight
from chainrule.nn.optimizers import SGD
from chainrule.runs.page import Page
from chainrule.runs.subject import symbols_of

if TYPE_CHECKING:
    from chainrule.runs.run import Run

DIRECTIONS: tuple[Directions, ...] = ("principal", "random")


def curve(run: Run, weight: str, low: float | None = None, high: float | None = None) -> Page:
    """The loss over one weight of a run; see `Run.curve`.

    Raises: UnknownNameError, ShapeError for a weight that does not exist; RunError for a span without extent;
        ArgumentError, ValueRangeError for an end that is no finite number.
    """
    prepared = run.prepared
    name, index = _named(run, weight)
    for end, value in (("low", low), ("high", high)):
        if value is not None:
            check_kind(end, value, Real, "a number, such as 0.5")
            if not math.isfinite(value):
                raise ValueRangeError(f"{end} is {value}: give a finite number, such as 0.5")
    if low is not None and high is not None and not low < high:
        raise RunError(f"a curve from {low:g} to {high:g} came: give the smaller end first")
    alone = prepared.graphs.trainable == (name,) and run.weights[name].size == 1
    optimizer = run.experiment.optimizer
    plain = isinstance(optimizer, SGD) and not optimizer.momentum
    all_rows = run.experiment.batch_size >= len(prepared.rows)
    found = curve_of(
        prepared, run.checkpoint.state, (name, index), show_weight(name, index), run.checkpoint.backend,
        path=_path(run) if alone else None, low=low, high=high,
        rate=optimizer.learning_rate if alone and plain and all_rows else None,
    )  # fmt: skip
    return Page(curve_page(found, run.name, f"step {run.step:,}"))


def surface(
    run: Run, weights: Sequence[str] = (), directions: Directions = "principal", points: int = POINTS, seed: int = 0
) -> Page:
    """The loss over two directions through the weights of a run; see `Run.surface`.

    Raises: UnknownNameError, ShapeError for a weight that does not exist; ValueRangeError for fewer than 2 points a
        side; RunError where there is no such plane.
    """
    check_kind("weights", weights, (list, tuple), "two of them, such as ['dense_1.W[3, 7]', 'dense_1.b[0]']")
    check_kind("points", points, Integral, "how many a side, a whole number such as 25")
    check_kind("seed", seed, Integral, "a whole number, such as 0")
    if len(weights) not in (0, 2):
        raise RunError(f"a surface is of two weights, and {len(weights)} came: name two, or none; curve is of one")
    if directions not in DIRECTIONS:
        raise UnknownNameError("directions", str(directions), DIRECTIONS)
    path = _path(run)
    if weights:
        chosen = [_named(run, weight) for weight in weights]
        first, second = (show_weight(*each) for each in chosen)
        plane = plane_of_weights(run.prepared, path, chosen, (first, second))
    elif directions == "random":
        plane = plane_at_random(run.prepared, path, seed)
    else:
        plane = plane_of_path(path)
    found = surface_of(run.prepared, run.checkpoint.state, plane, path, run.checkpoint.backend, points)
    return Page(surface_page(found, run.name, f"steps 0 to {run.step:,}"))


def collapse(run: Run) -> Page:
    """The layers of a run multiplied out; see `Run.collapse`.

    Raises: RunError for a network without a dense layer; DataError when the data changed.
    """
    found = collapse_of(run.prepared, run.checkpoint.state, run.checkpoint.backend)
    return Page(collapse_page(found, symbols_of(run.prepared.graphs), run.name, f"step {run.step:,}"))


def _named(run: Run, weight: str) -> tuple[str, tuple[int, ...]]:
    book = run.prepared.graphs.book
    return parse_weight(weight, {each.name: book.input(each.name) for each in run.prepared.graphs.parameters})


def _path(run: Run) -> Path:
    """Where the run stood from its first step to its last."""
    per_epoch = len(offsets(len(run.prepared.rows), run.experiment.batch_size)) - 1
    steps = looks(run.prepared, run.step, per_epoch)
    return path_of(run.prepared, run.history, steps, run.checkpoint_before)
