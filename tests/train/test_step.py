"""A training step is the one that PyTorch takes, and its graphs have the names and roles that others rely on."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from chainrule.data.batches import epoch_order, offsets
from chainrule.data.dataset import Dataset
from chainrule.data.load import load
from chainrule.errors import ExperimentError
from chainrule.graph.facts import Fact
from chainrule.graph.verify import verify
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD, Adam, Optimizer
from chainrule.train import step as step_module
from chainrule.train.evaluate import predict
from chainrule.train.experiment import Preprocessing, SplitPlan
from chainrule.train.fit import fit
from chainrule.train.prepare import Prepared, prepare
from chainrule.train.resolve import design
from chainrule.train.state import initial_state
from tests.absent import require

TORCH = "pip install 'chainrule[oracles]'"
ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "gelu": "GELU", "softplus": "Softplus"}


def moons(weighted: bool) -> Dataset:
    made = load("moons", rows=90)
    if not weighted:
        return made
    return load((made.x, made.y), sample_weight=np.linspace(0.2, 3.0, 90))


def in_torch(torch: Any, prepared: Prepared, loss: str, optimizer: Any) -> dict[str, np.ndarray]:
    """The same training, written in PyTorch from the same start and in the same order."""
    experiment = prepared.experiment
    start = initial_state(experiment, prepared.record, prepared.graphs)
    named = {name: torch.tensor(start[name], requires_grad=True) for name in prepared.graphs.trainable}
    x = torch.tensor(prepared.record.features.apply(prepared.dataset.x))
    y = torch.tensor(prepared.dataset.y, dtype=torch.int64)
    weight = torch.tensor(prepared.weights)
    steps = optimizer(named.values())
    for epoch in range(experiment.epochs):
        order = epoch_order(prepared.rows, experiment.seed, epoch, experiment.shuffle)
        cuts = offsets(len(order), experiment.batch_size)
        for begin, end in itertools.pairwise(cuts):
            rows = torch.tensor(order[begin:end])
            a = x[rows]
            for number, layer in enumerate(experiment.network, start=1):
                assert isinstance(layer, Dense)
                a = a @ named[f"dense_{number}.W"] + named[f"dense_{number}.b"]
                if layer.activation != "linear":
                    a = getattr(torch.nn, ACTIVATIONS[layer.activation])()(a)
            per_sample = torch_loss(torch, loss, a, y[rows])
            value = (weight[rows] * per_sample).sum() / weight[rows].sum()
            steps.zero_grad()
            value.backward()
            steps.step()
    return {name: value.detach().numpy() for name, value in named.items()}


def torch_loss(torch: Any, loss: str, logits: Any, labels: Any) -> Any:
    functional = torch.nn.functional
    target = functional.one_hot(labels, 2).double()
    if loss == "categorical_cross_entropy":
        return functional.cross_entropy(logits, labels, reduction="none")
    if loss == "binary_cross_entropy":
        return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)
    squares = (logits - target) ** 2
    return squares.mean(1) if loss == "mean_squared_error" else 0.5 * squares.sum(1)


OPTIMIZERS: dict[str, tuple[Optimizer, dict[str, Any]]] = {
    "sgd": (SGD(0.3), {"lr": 0.3}),
    "momentum": (SGD(0.1, momentum=0.9), {"lr": 0.1, "momentum": 0.9}),
    "nesterov": (SGD(0.1, momentum=0.9, nesterov=True), {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": (Adam(0.01), {"lr": 0.01, "eps": 1e-7}),
}


@pytest.mark.oracle
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "loss", ["categorical_cross_entropy", "binary_cross_entropy", "mean_squared_error", "half_squared_error"]
)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_is_what_pytorch_does(name: str, loss: str, weighted: bool) -> None:
    torch = require("torch", TORCH)
    ours, options = OPTIMIZERS[name]
    data = moons(weighted)
    layers = [Dense(6, "tanh"), Dense(5, "gelu"), Dense(4, "relu"), Dense(2)]
    experiment = design(data, layers, loss=loss, optimizer=ours, dtype="float64", epochs=3, batch_size=16)
    result = fit(experiment, data)
    kind = torch.optim.Adam if name == "adam" else torch.optim.SGD
    theirs = in_torch(torch, result.prepared, loss, lambda parameters: kind(list(parameters), **options))
    for parameter, value in theirs.items():
        np.testing.assert_allclose(result.parameters[parameter], value, rtol=1e-10, atol=1e-12, err_msg=parameter)


def digits(**fields: Any) -> Prepared:
    data = load("digits")
    return prepare(design(data, [Dense(16, "relu"), Dense(10)], **fields), data)


def test_names_and_roles() -> None:
    prepared = digits(frozen=("dense_1.W",))
    graphs = prepared.graphs
    values = ("dense_1.z", "dense_1.a", "dense_2.z", "dense_2.a")
    assert graphs.book.output_names == ("input", *values, "y_hat", "target", "loss_n", "loss")
    assert dict(graphs.book.facts) == {"y": (Fact.LABELS,)}
    assert graphs.predict.output_names == ("y_hat", "prediction")
    step = graphs.train
    assert (step.columns, step.rates, step.clock) == (("x", "y"), ("learning_rate",), "step")
    assert step.measurements == ("loss", "accuracy")
    moved = ("dense_1.b", "dense_2.W", "dense_2.b")
    assert set(step.updated) == {f"{name}{slot}" for name in moved for slot in ("", "/m", "/v")}
    assert set(step.state) - set(step.updated) == {"dense_1.W", "input.shift", "input.scale"}
    assert graphs.evaluate.measurements == ("loss", "weight", "correct")
    assert graphs.evaluate.updated == ()
    for graph in (graphs.book, graphs.predict, step.graph, graphs.evaluate.graph):
        verify(graph)
    assert digits(optimizer=SGD()).graphs.train.clock is None, "plain descent does not count its steps"
    assert digits(preprocessing=Preprocessing(features="none")).graphs.constants == {}


def test_numbers_are_measured_in_their_own_units() -> None:
    data = load((np.eye(9), np.arange(18.0).reshape(9, 2)), sample_weight=np.ones(9))
    graphs = prepare(design(data, [Dense(2)]), data).graphs
    assert graphs.train.columns == ("x", "y", "w")
    assert graphs.train.measurements == ("loss",)
    assert graphs.evaluate.measurements == ("loss", "weight", "squared")
    assert set(graphs.constants) == {"input.shift", "input.scale", "target.shift", "target.scale"}


def test_the_last_activation_may_be_said_or_left_to_the_loss() -> None:
    data = load("digits")
    left, right = (
        prepare(design(data, [Dense(10, activation)]), data).graphs.train for activation in ("linear", "softmax")
    )
    assert left.graph["loss"] is right.graph["loss"]
    assert left.graph["dense_1.W"] is right.graph["dense_1.W"]
    with pytest.raises(ExperimentError, match="ends in relu"):
        prepare(design(data, [Dense(10, "relu")]), data)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stored", ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"])
def test_every_stored_type_trains(stored: str, dtype: Any) -> None:
    x, y = (np.arange(24).reshape(12, 2) % 2).astype(stored), np.arange(12) % 2
    fields: dict[str, Any] = {"dtype": dtype, "epochs": 1, "split": SplitPlan(test_fraction=0.0)}
    result, wide = (fit(design(data, [Dense(2)], **fields), data) for data in (load((x, y)), load((x + 0.0, y))))
    for name, value in result.parameters.items():
        np.testing.assert_allclose(value, wide.parameters[name], rtol=1e-6 if dtype == "float32" else 1e-14)
    said = predict(result.prepared.graphs, result.state, result.prepared.columns["x"])
    np.testing.assert_allclose(said["y_hat"].sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("field", "value", "same"),
    [
        ("seed", 7, True),
        ("epochs", 9, True),
        ("batch_size", 3, True),
        ("name", "another", True),
        ("optimizer", SGD(0.5), False),
        ("loss", "mse", False),
        ("dtype", "float64", False),
        ("frozen", ("*.b",), False),
        ("network", (Dense(3, "tanh"), Dense(2)), False),
        ("preprocessing", Preprocessing(features="standardize"), False),
    ],
)
def test_graphs_are_built_once_for_all_seeds_and_again_for_all_else(field: str, value: Any, same: bool) -> None:
    moons = load("moons", rows=40)
    experiment = design(moons, (Dense(3, "relu"), Dense(2)), preprocessing=Preprocessing(features="none"))
    one, other = prepare(experiment, moons), prepare(experiment.but(**{field: value}), moons)
    assert (one.graphs is other.graphs) == same


def test_rows_scaled_by_other_numbers_share_their_graphs() -> None:
    few, many = load("moons", rows=40), load("moons", rows=80)
    graphs = [
        prepare(design(data, (Dense(2),), preprocessing=Preprocessing(features="standardize")), data).graphs
        for data in (few, many)
    ]
    assert graphs[0] is graphs[1]


def test_a_graph_is_built_once_and_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another step may stand in place of the one that trains; all else stays what it is."""
    built: list[str] = []

    def counting(name: str, make: Any) -> Any:
        return lambda *given: (built.append(name), make(*given))[1]

    for name in ("_predict", "training_step", "_evaluation_step"):
        monkeypatch.setattr(step_module, name, counting(name, getattr(step_module, name)))
    data = moons(weighted=False)
    graphs = prepare(design(data, [Dense(11), Dense(2)]), data).graphs
    assert not built
    assert graphs.predict is graphs.predict
    other = graphs.trained_by(graphs.evaluate)
    assert (other.train, other.book) == (graphs.evaluate, graphs.book)
    assert built == ["_predict", "_evaluation_step"]
    assert graphs.train != graphs.evaluate
