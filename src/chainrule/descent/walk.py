"""The way that weights walked, measured update by update in the same graph that trains them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from chainrule.autodiff.tidy import tidy
from chainrule.backends.protocol import Step
from chainrule.data.dataset import Array
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, make_graph
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.history import History
from chainrule.train.prepare import Prepared
from chainrule.train.replay import replay
from chainrule.train.state import parameters_of

Floats = npt.NDArray[np.float64]

WALK: Final = "walk/"  # begins the names of what is kept as state while an update goes by
LENGTH, TURNS, COUNTED = f"{WALK}length", f"{WALK}turns", f"{WALK}counted"
WIDE: Final = "float64"


PLACES: Final = 120  # at which a way is looked at, beside the ends of the epochs
MOST_NUMBERS: Final = 12_000_000  # that the places of a way may hold: 100 MB


@dataclass(frozen=True, eq=False, slots=True)
class Path:
    """Where a run stood in the space of its trained weights.

    Attributes:
        steps: at which it was looked at, rising.
        places: the trained weights there, one after the other as one row, float64 (points, weights).
    """

    steps: tuple[int, ...]
    places: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Walk:
    """The way of a run, measured update by update.

    Attributes:
        path: where it was looked at; the first place is where the walk begins.
        lengths: Σ‖Δw‖ over every update up to there.
        turns: Σ cos of the angle between an update and the one before, up to there.
        counted: how many such angles there were; an update of length 0 has none.
    """

    path: Path
    lengths: tuple[float, ...]
    turns: tuple[float, ...]
    counted: tuple[float, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """At which the run was looked at."""
        return self.path.steps

    @property
    def places(self) -> Floats:
        """The trained weights there, (points, weights)."""
        return self.path.places

    @property
    def length(self) -> float:
        """Of the whole way, Σ‖Δw‖."""
        return self.lengths[-1]

    @property
    def net(self) -> float:
        """From the first place to the last in a straight line, ‖w − w₀‖."""
        return float(np.linalg.norm(np.asarray(self.places[-1] - self.places[0], np.float64)))

    @property
    def detour(self) -> float:
        """How many times longer the way is than the straight line; NaN where it leads nowhere."""
        return self.length / self.net if self.net else float("nan")

    @property
    def cosine(self) -> float:
        """The mean cosine of the angle between an update and the one before; NaN for fewer than two updates.

        1 goes straight on, 0 turns at random, −1 goes back.
        """
        return self.turns[-1] / self.counted[-1] if self.counted[-1] else float("nan")


def walked(
    prepared: Prepared,
    history: History,
    steps: Sequence[int],
    start: Checkpoint,
    look: Callable[[Checkpoint], None] = lambda _: None,
) -> Walk:
    """Walk a run's way again.

    Args:
        prepared: experiment, data and graphs of the run.
        history: of the run.
        steps: where to look, rising, none before the start.
        start: where the walk begins; its state is the first place.
        look: shown every state that is looked at.

    Raises: RunError for a step that the run has not done.
    """
    step = measured(prepared.graphs.train)
    measuring = replace(prepared, graphs=prepared.graphs.trained_by(step))
    at = replace(start, state={**start.state, **_nothing(step)})
    looked: list[Checkpoint] = [at]
    look(at)
    for number in steps:
        if number > at.step:
            at = replay(measuring, at, history, number)
            looked.append(at)
            look(at)
    return Walk(
        path=_path(prepared, looked),
        lengths=tuple(float(each.state[LENGTH]) for each in looked),
        turns=tuple(float(each.state[TURNS]) for each in looked),
        counted=tuple(float(each.state[COUNTED]) for each in looked),
    )


def path_of(prepared: Prepared, history: History, steps: Sequence[int], before: Callable[[int], Checkpoint]) -> Path:
    """Where a run stood at some of its steps.

    Args:
        prepared: experiment, data and graphs of the run.
        history: of the run.
        steps: rising.
        before: gives the last state at or before a step that is at hand.

    Raises: RunError for a step that the run has not done, or where no checkpoint is whole.
    """
    looked: list[Checkpoint] = []
    for step in steps:
        known = before(step)
        start = looked[-1] if looked and looked[-1].step > known.step else known
        looked.append(replay(prepared, start, history, step))
    return _path(prepared, looked)


def looks(prepared: Prepared, steps: int, per_epoch: int) -> list[int]:
    """The steps at which to look: evenly, and at the end of every epoch as far as the memory allows."""
    trained = set(prepared.graphs.trainable)
    size = sum(math.prod(each.shape) for each in prepared.graphs.parameters if each.name in trained)
    room = max(MOST_NUMBERS // max(size, 1), 2)
    count = max(min(PLACES, steps, room), 1)
    evenly = {round(k * steps / count) for k in range(count + 1)}
    ends = range(0, steps + 1, per_epoch)
    return sorted(evenly | set(ends) if len(ends) + count <= room else evenly)


def _path(prepared: Prepared, looked: Sequence[Checkpoint]) -> Path:
    trained = prepared.graphs.trainable
    places = [place_of(parameters_of(prepared.graphs, each.state), trained) for each in looked]
    return Path(tuple(each.step for each in looked), np.stack(places))


def place_of(parameters: Mapping[str, Array], trained: Sequence[str]) -> Floats:
    """The trained weights one after the other, as float64 (weights,)."""
    return np.concatenate([np.asarray(parameters[name], np.float64).reshape(-1) for name in trained])


def measured(step: Step) -> Step:
    """The same step that also sums up how far it goes and how far it turns.

    With Δw of all updated weights together: length + ‖Δw‖, and turns + Δw·Δw′/(‖Δw‖ ‖Δw′‖), where Δw′ is the update
    before. The update itself is the same node, so its bits stay as they are.
    """
    graph = step.graph
    moved = _moved(step)
    before = {name: e.variable(_before(name), WIDE, each.shape) for name, each in moved.items()}
    length, turns, counted = (e.variable(name, WIDE) for name in (LENGTH, TURNS, COUNTED))
    size, size_before = e.sqrt(_dot(moved, moved)), e.sqrt(_dot(before, before))
    is_turn = e.logical_and(size > 0.0, size_before > 0.0)
    cosine = _dot(moved, before) / e.select(is_turn, size * size_before, 1.0)
    sums = {
        LENGTH: length + size,
        TURNS: turns + e.select(is_turn, cosine, 0.0),
        COUNTED: counted + e.select(is_turn, e.like(1.0, counted), 0.0),
        **{_before(name): each for name, each in moved.items()},
    }
    outputs = {**dict(graph.outputs), **{name: value.node for name, value in sums.items()}}
    added: tuple[Node, ...] = tuple(each.node for each in (length, turns, counted, *before.values()))
    return Step(
        graph=tidy(make_graph(outputs, (*graph.inputs, *added), dict(graph.facts))),
        state=(*step.state, *sums),
        columns=step.columns,
        rates=step.rates,
        clock=step.clock,
    )


def _moved(step: Step) -> dict[str, Expr]:
    """Δw of each updated parameter, in float64; the optimizer's slots are no weights."""
    graph = step.graph
    names = [name for name in step.updated if "/" not in name]
    return {name: e.cast(Expr(graph[name]), WIDE) - e.cast(Expr(graph.input(name)), WIDE) for name in names}


def _dot(left: Mapping[str, Expr], right: Mapping[str, Expr]) -> Expr:
    """Σ over all weights of the products."""
    parts = [e.sum(left[name] * right[name]) for name in left]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _before(name: str) -> str:
    return f"{WALK}{name}"


def _nothing(step: Step) -> dict[str, Array]:
    """The sums before the first update."""
    inputs = [step.graph.input(name) for name in step.state if name.startswith(WALK)]
    return {each.label: np.zeros([dim for dim in each.tensor.shape if isinstance(dim, int)]) for each in inputs}
