"""How the weights of a run stand at two of its steps: sizes, changes, gradients and the loss, on the same rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.backends.choose import ONCE
from chainrule.backends.given import NUMPY
from chainrule.data.dataset import Array
from chainrule.data.splits import Rows
from chainrule.explain.numbers import evaluate
from chainrule.explain.subject import show_weight
from chainrule.graph.node import make_graph
from chainrule.graph.retype import retype
from chainrule.train.evaluate import measure

if TYPE_CHECKING:
    from chainrule.runs.run import Run

MOST_ROWS: Final = 4096  # that loss and gradients are taken on: all the training rows of most sets
FEWEST_ROWS: Final = 256  # however large the network is
MOST_WORK: Final = 2**27  # rows times parameters: about 0.05 s for the gradients in float64, on one core


class Standing(msgspec.Struct, frozen=True):
    """One parameter at a step; sizes are Euclidean norms ‖w‖ over all its numbers, computed in float64.

    Attributes:
        name: of the parameter.
        norm: ‖w‖.
        change: ‖w − w′‖, with w′ at the step compared with.
        ratio: ‖Δw‖ / ‖w‖ of the update that led to the step, ‖w‖ before it; None before the first, and where ‖w‖ is 0.
        gradient: ‖∂L/∂w‖ at the step, of the mean loss over the rows; 0 where the loss does not depend on it.
        gradient_then: the same at the step compared with.
    """

    name: str
    norm: float
    change: float
    ratio: float | None
    gradient: float
    gradient_then: float


class MovedWeight(msgspec.Struct, frozen=True):
    """One weight at both steps."""

    name: str
    then: float
    now: float


def training_rows(run: Run) -> Rows:
    """The rows that two steps are compared on: those of training, or the first of them; fewer of a large network."""
    parameters = sum(math.prod(each.shape) for each in run.prepared.graphs.parameters)
    return run.prepared.rows[: min(MOST_ROWS, max(FEWEST_ROWS, MOST_WORK // parameters))]


def scores_at(moment: Run, rows: Rows) -> dict[str, float]:
    """The scores on these rows with the weights of that moment: "loss", and "accuracy" or "rmse"."""
    prepared = moment.prepared
    return measure(prepared.graphs, moment.checkpoint.state, prepared.columns, rows, ONCE)


def standings(moment: Run, earlier: Run, before: Run | None, rows: Rows) -> list[Standing]:
    """Every parameter.

    Args:
        moment: the run at the step.
        earlier: the run at the step compared with.
        before: the run one step before the step; None before the first.
        rows: that the gradients are taken on.
    """
    then, last = earlier.weights, before.weights if before else None
    sloping, sloped = gradient_norms(moment, rows), gradient_norms(earlier, rows)
    found: list[Standing] = []
    for name, weight in moment.weights.items():
        ratio = None
        if last is not None and (size := _norm(last[name])) > 0.0:
            ratio = _norm(_minus(weight, last[name])) / size
        change = _norm(_minus(weight, then[name]))
        found.append(Standing(name, _norm(weight), change, ratio, sloping[name], sloped[name]))
    return found


def gradient_norms(moment: Run, rows: Rows) -> dict[str, float]:
    """‖∂L/∂w‖ of every parameter, with L the mean loss over the rows, computed in float64."""
    prepared = moment.prepared
    book = retype(prepared.graphs.book, "float64")
    safe = stabilize(make_graph({"loss": book["loss"]}, facts=dict(book.facts)))
    names = [each.name for each in prepared.graphs.parameters]
    reached = [name for name in names if name in safe.input_names]
    slopes = dict(zip(reached, gradients(safe["loss"], [safe.input(name) for name in reached]), strict=True))
    columns = {name: column[rows] for name, column in prepared.columns.items()}
    given = {**moment.checkpoint.state, **columns}
    inputs = {node.label: np.asarray(given[node.label], dtype=NUMPY[node.tensor.dtype]) for node in safe.inputs}
    found = evaluate(slopes, inputs)
    return {name: _norm(found[name]) if name in found else 0.0 for name in names}


def most_moved(moment: Run, earlier: Run, count: int) -> list[MovedWeight]:
    """The weights that are farthest from where they were, the farthest first; none that did not move."""
    then, found = earlier.weights, list[tuple[float, MovedWeight]]()
    for name, weight in moment.weights.items():
        moves = np.abs(_minus(weight, then[name]))
        for flat in _largest(moves, count):
            index = tuple(int(axis) for axis in np.unravel_index(int(flat), moves.shape))
            if moves[index] > 0.0:
                pair = MovedWeight(show_weight(name, index), float(then[name][index]), float(weight[index]))
                found.append((float(moves[index]), pair))
    return [pair for _, pair in sorted(found, key=lambda each: -each[0])[:count]]


def _largest(values: Array, count: int) -> Array:
    """The places of the largest values, the largest first, of equal ones the first; without sorting all of them."""
    flat = values.reshape(-1)
    least = np.partition(flat, -count)[-count] if count < flat.size else 0.0
    places = np.flatnonzero(flat >= least)
    return places[np.argsort(-flat[places], kind="stable")][:count]


def _minus(left: Array, right: Array) -> Array:
    return left.astype(np.float64) - right.astype(np.float64)


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))
