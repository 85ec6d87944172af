"""A stretch of a run once more with one weight asked for: its value, its gradient and each sample's part in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.autodiff.per_sample import contributions
from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.backends.protocol import Step
from chainrule.data.splits import Rows
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, make_graph
from chainrule.graph.verify import verify
from chainrule.train.again import Again
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import Array
from chainrule.train.prepare import Prepared
from chainrule.train.step import SAMPLES, slot_name, step_of

Floats = npt.NDArray[np.float64]
Told = Callable[[int, int], None]

MOST_IN_BATCH: Final = 2048  # samples that are told apart: telling n apart takes n² comparisons a step
VALUE, GRADIENT, OWN = "value", "gradient", "own"


@dataclass(frozen=True, eq=False, slots=True)
class Watched:
    """One weight over s steps; step k is the update from values[k] to values[k + 1].

    Attributes:
        first: updates done before the first of these steps.
        values: the weight, (s + 1,).
        gradients: ∂L/∂w on each step's batch, as training computed it, (s,).
        slots: each optimizer slot of the weight before each step, (s,).
        rows: the samples of the batches, one after the other, (visits,).
        bounds: where each step's batch begins and ends among them, (s + 1,).
        own: each visit's own term of the gradient, (visits,); None where batches are too large to tell samples apart.
        end: the state after the last step.
    """

    first: int
    values: Floats
    gradients: Floats
    slots: Mapping[str, Floats]
    rows: Rows
    bounds: Rows
    own: Floats | None
    end: Mapping[str, Array]


def watch(
    prepared: Prepared, start: Checkpoint, last: int, parameter: str, index: tuple[int, ...], told: Told | None = None
) -> Watched:
    """Run the steps from a checkpoint to a later step again, by the backend that trained.

    The step is the one of training with more outputs, so its bits are those of training.

    Args:
        prepared: experiment, data and graphs of the run.
        start: the first state.
        last: the step to end at.
        parameter: one that is trained.
        index: a position in it.
        told: called with the steps done and those to do, now and then.

    Raises: RunError when the experiment ends before the last step.
    """
    tells_apart = prepared.experiment.batch_size <= MOST_IN_BATCH
    step = watched_step(prepared, parameter, index, samples=tells_apart)
    again = Again(prepared, step, start)
    found: dict[str, list[Array]] = {name: [] for name in step.measurements}
    rows: list[Rows] = []
    sizes: list[Rows] = []
    for ran in again.until(last):
        for name, measured in ran.measurements.items():
            found[name].append(_visits(measured, ran.bounds) if name == OWN else measured)
        rows.append(ran.order)
        sizes.append(np.diff(ran.bounds))
        if told is not None:
            told(again.step - start.step, last - start.step)
    end = again.read()
    joined = {name: np.concatenate(pieces).astype(np.float64) for name, pieces in found.items() if pieces}
    return Watched(
        first=start.step,
        values=np.append(joined.get(VALUE, np.zeros(0)), float(end[parameter][index])),
        gradients=joined.get(GRADIENT, np.zeros(0)),
        slots={slot: joined.get(_measured(slot), np.zeros(0)) for slot in prepared.experiment.optimizer.slots},
        rows=np.concatenate([np.zeros(0, np.int64), *rows]),
        bounds=np.concatenate(([0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *sizes])))).astype(np.int64),
        own=joined.get(OWN, np.zeros(0)) if tells_apart else None,
        end=end,
    )


def watched_step(prepared: Prepared, parameter: str, index: tuple[int, ...], *, samples: bool) -> Step:
    """The training step that also measures one weight: "value", "gradient", "slot …" and, by place, "own"."""
    experiment, graphs = prepared.experiment, prepared.graphs
    loss = make_graph({"loss": graphs.book["loss"]}, graphs.book.inputs, dict(graphs.book.facts))
    safe = verify(stabilize(loss))
    found = dict(zip(graphs.trainable, gradients(safe["loss"], [safe.input(n) for n in graphs.trainable]), strict=True))
    weight = safe.input(parameter)
    asked = {VALUE: _element(weight, index), GRADIENT: _element(found[parameter], index)}
    for slot in experiment.optimizer.slots:
        kept = e.variable(slot_name(parameter, slot), experiment.dtype, Expr(weight).shape)
        asked[_measured(slot)] = _element(kept.node, index)
    if samples:
        asked[OWN] = _by_place(contributions(found[parameter], index), experiment.batch_size)
    outputs = {**{name: value.node for name, value in asked.items()}, "loss": safe["loss"]}
    return step_of(experiment, make_graph(outputs, safe.inputs, dict(safe.facts)), found)


def _measured(slot: str) -> str:
    return f"slot {slot}"


def _element(node: Node, index: tuple[int, ...]) -> Expr:
    """One number of an array, as a scalar."""
    value = Expr(node)
    for axis, place in enumerate(index):
        value = e.slice_axis(value, axis, place, place + 1)
    return e.reshape(value, ())


def _by_place(own: Node, most: int) -> Expr:
    """The terms of a batch by their place in it, 0 where the batch is smaller: (n,) -> (most,)."""
    shape = (SAMPLES, most)
    here = e.equal(e.iota(shape, 0), e.iota(shape, 1))
    terms = e.broadcast(Expr(own), shape, (1,))
    return e.sum(e.select(here, terms, e.like(0.0, terms)), 0)


def _visits(measured: Array, bounds: Rows) -> Array:
    """The terms of the batches one after the other: (steps, places) -> (visits,)."""
    return measured[np.arange(measured.shape[1]) < np.diff(bounds)[:, None]]
