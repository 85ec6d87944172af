"""The loss as a function of one or two coordinates through the space of weights, with its slopes, as a program.

The weights become w + t · d inside the graph, with t a coordinate and d a direction: so a slope ∂L/∂t is what
differentiation makes of that graph, and a whole grid of places is one slice of steps that returns to Python once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.choose import compiled
from chainrule.backends.given import NUMPY
from chainrule.backends.protocol import Step, StopFlag
from chainrule.data.batches import offsets
from chainrule.data.dataset import Array
from chainrule.data.splits import Rows
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph, Node, make_graph, transform
from chainrule.graph.primitives import apply
from chainrule.graph.retype import retype
from chainrule.train.prepare import Prepared

Floats = npt.NDArray[np.float64]

WIDE: Final = "float64"
ROWS_AT_ONCE: Final = 1024  # rows of a step
MOST_ROWS: Final = 10_000  # of more, so many evenly chosen: a grid of 25 by 25 places visits each of them 625 times
PLACES_AT_ONCE: Final = 64  # so that the order of the rows of many places does not fill the memory


@dataclass(frozen=True, eq=False)
class Field:
    """The mean loss over some rows at the weights w + t₁ d₁ (+ t₂ d₂), computed in float64.

    Attributes:
        prepared: experiment, data and graphs of the run.
        state: the weights w by name, and what else the loss reads; what no direction moves stays as it is.
        directions: one or two, each by the parameter's name and in its shape; what a direction leaves out it leaves.
        rows: that the loss is the mean of.
        backend: what runs it.
        order: 0 for the loss; 1 with its slopes; 2 with the bend ∂²L/∂t₁² too.
    """

    prepared: Prepared
    state: Mapping[str, Array]
    directions: Sequence[Mapping[str, Array]]
    rows: Rows
    backend: str
    order: int = 0

    def at(self, places: npt.ArrayLike) -> dict[str, Floats]:
        """What is measured at some places.

        Args: places: coordinates (m, k), with k the number of directions.
        Returns: "loss" and, as far as they are wanted, "slope_0", "slope_1" and "bend", float64 (m,) each.
        """
        spots = np.atleast_2d(np.asarray(places, np.float64))
        parts = [self._measured(spots[at : at + PLACES_AT_ONCE]) for at in range(0, len(spots), PLACES_AT_ONCE)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _measured(self, places: Floats) -> dict[str, Floats]:
        step = self.step
        program = compiled(step, self.backend)
        cuts = offsets(len(self.rows), ROWS_AT_ONCE)
        sizes, count = np.diff(cuts), len(places)
        coordinates = {_coordinate(k): np.repeat(places[:, k], len(sizes)) for k in range(places.shape[1])}
        used = np.arange(len(self.rows), dtype=np.int64)
        done = program.run(
            program.start({name: self._state(step, name) for name in step.state}),
            {name: self._column(step, name) for name in step.columns},
            np.tile(used, count),
            np.concatenate(([0], np.cumsum(np.tile(sizes, count)))).astype(np.int64),
            {name: coordinates[name] for name in step.rates},
            0,
            StopFlag(),
        )
        shares = self._shares(cuts)
        return {
            name: values.reshape(count, len(sizes)).astype(np.float64) @ shares
            for name, values in done.measurements.items()
        }

    def _shares(self, cuts: Rows) -> Floats:
        """The share that each batch of rows has in the mean, by the weight of its rows."""
        total = np.add.reduceat(self.prepared.weights[self.rows], cuts[:-1])
        return total / total.sum()

    def _state(self, step: Step, name: str) -> Array:
        kind = NUMPY[step.graph.input(name).tensor.dtype]
        for place, direction in enumerate(self.directions):
            if name.startswith(_prefix(place)):
                return np.asarray(direction[name.removeprefix(_prefix(place))], kind)
        return np.asarray(self.state[name], kind)

    def _column(self, step: Step, name: str) -> Array:
        kind = NUMPY[step.graph.input(name).tensor.dtype]
        return np.asarray(self.prepared.columns[name][self.rows], kind)

    @cached_property
    def step(self) -> Step:
        """One place on one batch of rows."""
        book = self.prepared.graphs.book
        graph = field_graph(book, [tuple(direction) for direction in self.directions], self.order)
        columns = tuple(name for name in graph.input_names if name in self.prepared.columns)
        rates = tuple(_coordinate(k) for k in range(len(self.directions)) if _coordinate(k) in graph.input_names)
        state = tuple(name for name in graph.input_names if name not in (*columns, *rates))
        return Step(graph, state, columns, rates)


def field_graph(book: Graph, directions: Sequence[Sequence[str]], order: int) -> Graph:
    """The loss with its weights moved along directions, and what is asked about it.

    Args:
        book: the loss as the book writes it; its output "loss" is taken.
        directions: the parameters that each of them moves.
        order: as in `Field`.
    """
    facts = dict(book.facts)
    safe = retype(stabilize(make_graph({"loss": book["loss"]}, facts=facts)), WIDE)
    coordinates = [e.variable(_coordinate(k), WIDE) for k in range(len(directions))]
    moved: dict[Node, Expr] = {}
    for place, (names, t) in enumerate(zip(directions, coordinates, strict=True)):
        for name in names:
            weight = safe.input(name)
            direction = e.variable(_prefix(place) + name, WIDE, weight.tensor.shape)
            moved[weight] = moved.get(weight, Expr(weight)) + t * direction
    loss = _with(safe["loss"], moved)
    outputs = {"loss": loss}
    if order > 0:
        slopes = gradients(loss, [t.node for t in coordinates])
        outputs |= {f"slope_{k}": slope for k, slope in enumerate(slopes)}
    if order > 1:
        outputs["bend"] = gradients(outputs["slope_0"], [coordinates[0].node])[0]
    return tidy(make_graph(outputs, facts=facts))


def _with(node: Node, moved: Mapping[Node, Expr]) -> Node:
    """The node with some inputs replaced by formulas of them."""

    def change(old: Node, inputs: tuple[Node, ...]) -> Node:
        if old in moved:
            return moved[old].node
        return old if inputs == old.inputs else apply(old.primitive, *inputs, **dict(old.attributes))

    return transform([node], change)[node]


def rows_of(prepared: Prepared, most: int = MOST_ROWS) -> Rows:
    """The training rows, or so many of them, evenly chosen."""
    rows = prepared.rows
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _coordinate(place: int) -> str:
    return f"t_{place}"


def _prefix(place: int) -> str:
    return f"d_{place}/"
