"""The known answers come out of training, and each classic mistake, planted on purpose, makes them fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.autodiff.reverse import adjoints, gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.backends.choose import choose
from chainrule.backends.protocol import Step, StopFlag
from chainrule.data.dataset import Dataset
from chainrule.data.load import load
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph, Node, make_graph, transform
from chainrule.graph.primitives import rebuild
from chainrule.nn.layers import Dense, Flatten
from chainrule.nn.optimizers import SGD
from chainrule.train.data_record import Array, DataRecord
from chainrule.train.evaluate import measure, predict
from chainrule.train.experiment import Experiment, Preprocessing, SplitPlan
from chainrule.train.fit import Fit, fit
from chainrule.train.prepare import Prepared, prepare
from chainrule.train.resolve import design
from chainrule.train.state import initial_state
from chainrule.train.step import RATE, Graphs, step_of, training_step
from tests.absent import require

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
HOW = "the known answers are kept beside the repository, in ../shared/golden"

WORKED = 0.29102777369359933  # loss of the 2-2-2 network after one update
WRONG_ORDER = 0.2910279239  # the same, if hidden deltas are computed with output weights already updated


def golden(name: str) -> dict[str, Any]:
    return json.loads(require(GOLDEN / name, HOW).read_text())


# ---- one weight: x = 1.2, w = 0.7, target 0.4 ----


def one_weight(epochs: int) -> Fit:
    data = load("one_weight")
    experiment = design(
        data, [Dense(1, use_bias=False)], loss="mse", optimizer=SGD(0.1), dtype="float64", epochs=epochs
    )
    return fit(experiment, data, weights={"dense_1.W": [[0.7]]})


def test_the_one_weight_trace() -> None:
    rows = golden("one_weight_trace.json")["rows"]
    history = one_weight(len(rows)).history["loss"]
    off: list[float] = []
    before = None
    for done, row in enumerate(rows, start=1):
        after = one_weight(done)
        x = after.prepared.columns["x"]
        start = before or initial_state(*_parts(after.prepared), {"dense_1.W": [[0.7]]})
        output = predict(after.prepared.graphs, start, x)["y_hat"]
        came = {
            "loss": history[done - 1],
            "weight": float(after.parameters["dense_1.W"][0, 0]),
            "output": float(output[0, 0]),
        }
        off += [abs(came[name] - row[name]) for name in row if came[name] != row[name]]
        before = after.state
    assert len(off) <= 1, off
    assert all(each < 1e-15 for each in off), off


def _parts(prepared: Prepared) -> tuple[Experiment, DataRecord, Graphs]:
    return prepared.experiment, prepared.record, prepared.graphs


# ---- two inputs, two hidden units, two outputs ----

WEIGHTS = {"dense_1.W": "W1", "dense_1.b": "b1", "dense_2.W": "W2", "dense_2.b": "b2"}


def two_two_two(**fields: Any) -> tuple[Experiment, Dataset, dict[str, Any]]:
    known = golden("two_two_two.json")
    data = load((np.array([known["inputs"]]), np.array([known["targets"]])))
    experiment = design(
        data,
        [Dense(2, "sigmoid"), Dense(2, "sigmoid")],
        loss="half_squared_error",
        optimizer=SGD(0.5),
        preprocessing=Preprocessing(features="none", targets="none"),
        split=SplitPlan(test_fraction=0.0),
        dtype="float64",
        **{"frozen": ("*.b",), **fields},
    )
    return experiment, data, {name: known[key] for name, key in WEIGHTS.items()}


def test_the_worked_example_after_one_update() -> None:
    experiment, data, weights = two_two_two(epochs=2)
    known = golden("two_two_two.json")
    after = fit(experiment.but(epochs=1), data, weights=weights)
    assert after.history["loss"][0] == pytest.approx(known["loss_before"], abs=5e-10)
    for name, key in WEIGHTS.items():
        expected = known[f"{key}_after"] if key.startswith("W") else known[key]  # biases are frozen
        np.testing.assert_allclose(after.parameters[name], expected, atol=5e-9, rtol=0)
    assert np.array_equal(after.parameters["dense_1.b"], known["b1"])
    assert fit(experiment, data, weights=weights).history["loss"][1] == pytest.approx(WORKED, abs=1e-16)


def test_the_worked_example_after_many_updates() -> None:
    experiment, data, weights = two_two_two(epochs=10_000)
    done = fit(experiment, data, weights=weights)
    assert done.history["loss"][9_999] == pytest.approx(3.510855e-05, abs=5e-12)


def test_frozen_biases_matter() -> None:
    experiment, data, weights = two_two_two(epochs=2, frozen=())
    assert abs(fit(experiment, data, weights=weights).history["loss"][1] - WORKED) > 1e-3


# ---- mistakes, planted ----


def loss_after_one_update(step: Step, prepared: Prepared, state: dict[str, Array]) -> float:
    """Run the step once on every row, then measure with the evaluation that no mistake was planted in."""
    program = choose("reference").compile(step)
    rows = prepared.rows
    given = {name: state[name] if name in state else zeros(step.graph.input(name)) for name in step.state}
    done = program.run(
        program.start(given),
        {name: prepared.columns[name] for name in step.columns},
        rows,
        np.array([0, len(rows)]),
        {RATE: np.array([prepared.experiment.optimizer.learning_rate])},
        0,
        StopFlag(),
    )
    after = program.read(done.state)
    return measure(prepared.graphs, after, prepared.columns, rows)["loss"]


def zeros(node: Node) -> Array:
    return np.zeros([dim for dim in node.tensor.shape if isinstance(dim, int)])


def check_worked(step: Step) -> None:
    experiment, data, weights = two_two_two()
    prepared = prepare(experiment, data)
    state = initial_state(*_parts(prepared), weights)
    assert loss_after_one_update(step, prepared, state) == pytest.approx(WORKED, abs=1e-15)


def worked_loss_graph() -> tuple[Experiment, Graph, tuple[str, ...]]:
    experiment, data, _ = two_two_two()
    prepared = prepare(experiment, data)
    book = prepared.graphs.book
    return prepared.experiment, book.with_outputs({"loss": book["loss"]}), prepared.graphs.trainable


def worked_gradients() -> tuple[Experiment, Graph, dict[str, Node]]:
    experiment, graph, trainable = worked_loss_graph()
    safe = stabilize(graph)
    found = gradients(safe["loss"], [safe.input(name) for name in trainable])
    return experiment, safe, dict(zip(trainable, found, strict=True))


def test_the_check_passes_without_a_mistake() -> None:
    experiment, graph, trainable = worked_loss_graph()
    check_worked(training_step(experiment, graph, trainable))
    check_worked(step_of(*worked_gradients()))


def test_hidden_deltas_with_updated_output_weights_are_caught() -> None:
    experiment, graph, found = worked_gradients()
    output = Expr(graph.input("dense_2.W"))
    updated = output - 0.5 * Expr(found["dense_2.W"])

    def too_early(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.primitive == "transpose" and node.inputs[0] is output.node:
            return updated.T.node
        return rebuild(node, inputs)

    wrong = transform([found["dense_1.W"]], too_early)[found["dense_1.W"]]
    assert wrong is not found["dense_1.W"]
    step = step_of(experiment, graph, {**found, "dense_1.W": wrong})
    with pytest.raises(AssertionError):
        check_worked(step)
    experiment, data, weights = two_two_two()
    prepared = prepare(experiment, data)
    state = initial_state(*_parts(prepared), weights)
    assert loss_after_one_update(step, prepared, state) == pytest.approx(WRONG_ORDER, abs=1e-10)


def with_old_gradients(experiment: Experiment, graph: Graph, found: dict[str, Node]) -> Step:
    """Each update moves along the gradient of the step before."""
    kept = {name: e.variable(f"{name}/old", "float64", node.tensor.shape) for name, node in found.items()}
    stale = step_of(experiment, graph, {name: value.node for name, value in kept.items()})
    outputs = {**dict(stale.graph.outputs), **{f"{name}/old": node for name, node in found.items()}}
    return Step(make_graph(outputs, stale.graph.inputs), stale.state, columns=stale.columns, rates=stale.rates)


def test_a_gradient_of_the_step_before_is_caught() -> None:
    with pytest.raises(AssertionError):
        check_worked(with_old_gradients(*worked_gradients()))


def test_a_delta_of_the_step_before_is_caught() -> None:
    experiment, graph, found = worked_gradients()
    deltas = adjoints(graph["loss"], [graph.input("dense_1.W")])
    z = next(node for node in graph.nodes if node.primitive == "add" and graph.input("dense_1.b") in reach(node))
    delta = deltas[z]
    old = e.variable("old", "float64", (1, 2))

    def one_step_late(node: Node, inputs: tuple[Node, ...]) -> Node:
        return (
            e.broadcast(e.reshape(old, (2,)), node.tensor.shape, (0,)).node if node is delta else rebuild(node, inputs)
        )

    wrong = transform([found["dense_1.W"]], one_step_late)[found["dense_1.W"]]
    step = step_of(experiment, graph, {**found, "dense_1.W": wrong})
    outputs = {**dict(step.graph.outputs), "old": e.sum(Expr(delta), 0, keepdims=True).node}
    late = Step(make_graph(outputs, step.graph.inputs), step.state, columns=step.columns, rates=step.rates)
    with pytest.raises(AssertionError):
        check_worked(late)


def reach(node: Node) -> set[Node]:
    """The inputs that a node reads within two steps."""
    return {source for near in node.inputs for source in (near, *near.inputs)}


def check_mean(reduce: Callable[[Expr], Expr]) -> None:
    """The one-weight sample twice: the mean is that of one, and so is the weight after an update."""
    x, y = np.full((2, 1), 1.2), np.full((2, 1), 0.4)
    experiment = design(
        load((x, y)),
        [Dense(1, use_bias=False)],
        loss="mse",
        optimizer=SGD(0.1),
        preprocessing=Preprocessing(features="none", targets="none"),
        split=SplitPlan(test_fraction=0.0),
        dtype="float64",
    )
    prepared = prepare(experiment, load((x, y)))
    book = prepared.graphs.book
    graph = book.with_outputs({"loss": reduce(Expr(book["loss_n"])).node})
    state = initial_state(*_parts(prepared), {"dense_1.W": [[0.7]]})
    after = loss_after_one_update(training_step(prepared.experiment, graph, ("dense_1.W",)), prepared, state)
    assert after == pytest.approx(golden("one_weight_trace.json")["rows"][1]["loss"], abs=1e-15)


def test_a_missing_mean_is_caught() -> None:
    check_mean(e.mean)
    with pytest.raises(AssertionError):
        check_mean(e.sum)


# ---- deep sigmoid networks ----


def test_deltas_decay_from_layer_to_layer_in_deep_sigmoid_networks() -> None:
    known = golden("deep_sigmoid_delta_norms.json")
    mnist = load(require(GOLDEN.parent / "data" / "mnist", "the digits are kept beside the repository, in ../shared"))
    data = load((mnist.x[:1000].reshape(-1, 28, 28), mnist.y[:1000]))
    ratios = np.array([[_last_over_first(data, sizes, seed) for sizes in known["sizes"]] for seed in range(10)])
    growth = ratios[:, 1:] / ratios[:, :-1]  # per extra layer
    low, high = known["ratio_per_layer_median_range"]
    assert low <= np.median(growth) <= high, np.median(growth)


def _last_over_first(data: Dataset, sizes: list[int], seed: int) -> float:
    """The norm of the mean delta of the last hidden layer over that of the first, before any update."""
    hidden = [Dense(units, "sigmoid", kernel_initializer="lecun_normal") for units in sizes[1:-1]]
    layers = [Flatten(), *hidden, Dense(sizes[-1], "sigmoid", kernel_initializer="lecun_normal")]
    experiment = design(
        data,
        layers,
        loss="binary_cross_entropy",
        optimizer=SGD(),
        seed=seed,
        dtype="float64",
        split=SplitPlan(test_fraction=0.0),
    )
    prepared = prepare(experiment, data)
    graph = stabilize(prepared.graphs.book)
    deltas = adjoints(graph["loss"], [graph.input("dense_1.W")])
    means = {
        str(layer): e.sum(Expr(deltas[graph[f"dense_{layer}.z"]]), 0).node  # Σ over n of δ / n
        for layer in (1, len(hidden))
    }
    values = choose("reference").evaluate(
        graph.with_outputs(means), {**initial_state(*_parts(prepared)), **prepared.columns}
    )
    return float(np.linalg.norm(values[str(len(hidden))]) / np.linalg.norm(values["1"]))
