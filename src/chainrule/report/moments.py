"""The inside of a network before chosen updates: how large its activations, deltas, gradients and updates were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.choose import ONCE, choose
from chainrule.data.splits import Rows
from chainrule.document import Plain
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph, make_graph
from chainrule.runs.run import Run
from chainrule.train.data_record import Array
from chainrule.train.replay import replay

PROBED: Final = 256  # rows on which the inside is measured: the norms of more differ by a few percent
FAR: Final = 200  # updates: to replay more of them, for each of some thirty moments, would keep a person waiting


@dataclass(frozen=True, slots=True)
class Inside:
    """What was measured before one update; root mean squares over the probed rows and all units, in float64.

    Attributes:
        update: the number of the update that followed, from 1.
        activations: of each layer, of its a.
        zeros: of each layer, the share of its a that is exactly 0.
        deltas: of each layer, of ∂ℓₙ/∂z.
        gradients: of each parameter, ‖∂L/∂w‖ of the mean loss of the probed rows.
        ratios: of each trained parameter, ‖Δw‖/‖w‖ of the update that followed, where ‖w‖ is not 0.
    """

    update: int
    activations: Mapping[str, float]
    zeros: Mapping[str, float]
    deltas: Mapping[str, float]
    gradients: Mapping[str, float]
    ratios: Mapping[str, float]


def probed_rows(run: Run) -> Rows:
    """The rows on which the inside is measured: at most 256 of the training rows, evenly chosen."""
    return run.prepared.rows[:: probed_every(run)]


def probed_every(run: Run) -> int:
    """One of so many training rows is measured, from the first on."""
    return -(-len(run.prepared.rows) // PROBED)


def moments_of(run: Run) -> tuple[Inside, ...]:
    """The inside before updates 1, 2, 3, 4, 5, 7, 9, 13, 17, …, two in each doubling, and before the last.

    Where such a step is far from the checkpoint before it, that checkpoint is looked at instead.

    Raises: RunError for a checkpoint that is missing, and none before it; DataError when the data changed.
    """
    if not run.step:
        return ()
    graph, rows = _graph(run), probed_rows(run)
    return tuple(_inside(run, graph, rows, step) for step in _near(run, chosen_steps(run.step)))


def chosen_steps(last: int) -> tuple[int, ...]:
    """The steps before which updates were done that are looked at, of so many."""
    doubled = [1 << power for power in range(last.bit_length())]
    between = [3 * step // 2 for step in doubled[1:]]
    return tuple(sorted(step for step in {0, *doubled, *between, last - 1} if step < last))


def _near(run: Run, steps: tuple[int, ...]) -> list[int]:
    """The steps that are soon reached, and of the others the checkpoints before them; the last one in any case."""
    found = {step: run.checkpoint_before(step).step for step in steps}
    return sorted({step if step - at <= FAR or step == steps[-1] else at for step, at in found.items()})


def _graph(run: Run) -> Graph:
    """One graph with every value, every delta and every gradient as an output."""
    graphs = run.graphs
    book = graphs.book
    asked = {name: node for name, node in book.outputs if name.endswith((".z", ".a"))}
    safe = stabilize(make_graph({**asked, "loss": book["loss"], "loss_n": book["loss_n"]}, facts=dict(book.facts)))
    layers = [name for name in asked if name.endswith(".z")]
    deltas = gradients(e.sum(Expr(safe["loss_n"])).node, [safe[name] for name in layers])
    found = gradients(safe["loss"], [safe.input(name) for name in graphs.trainable])
    outputs = {
        **{name: safe[name] for name in asked if name.endswith(".a")},
        **{f"delta {name}": node for name, node in zip(layers, deltas, strict=True)},
        **{f"gradient {name}": node for name, node in zip(graphs.trainable, found, strict=True)},
    }
    return tidy(make_graph(outputs, facts=dict(safe.facts)))


def _inside(run: Run, graph: Graph, rows: Rows, step: int) -> Inside:
    before = replay(run.prepared, run.checkpoint_before(step), run.history, step)
    after = replay(run.prepared, before, run.history, step + 1).state
    columns = {name: column[rows] for name, column in run.prepared.columns.items()}
    given = {**before.state, **columns}
    found = choose(ONCE).evaluate(graph, {name: given[name] for name in graph.input_names})
    return Inside(
        update=step + 1,
        activations={_layer(name): _size(value) for name, value in found.items() if name.endswith(".a")},
        zeros={_layer(name): float((value == 0).mean()) for name, value in found.items() if name.endswith(".a")},
        deltas={_layer(name[6:]): _size(value) for name, value in found.items() if name.startswith("delta ")},
        gradients={name[9:]: _norm(value) for name, value in found.items() if name.startswith("gradient ")},
        ratios={
            name: _norm(after[name].astype(np.float64) - before.state[name].astype(np.float64)) / size
            for name in run.graphs.trainable
            if (size := _norm(before.state[name])) > 0
        },
    )


def moments_data(moments: tuple[Inside, ...]) -> list[Plain]:
    """The same as plain values."""
    return [
        {
            "update": each.update, "activations": dict(each.activations), "zeros": dict(each.zeros),
            "deltas": dict(each.deltas), "gradients": dict(each.gradients), "update_to_weight": dict(each.ratios),
        }
        for each in moments
    ]  # fmt: skip


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _size(values: Array) -> float:
    return float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))
