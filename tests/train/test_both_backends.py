"""Every activation, loss, optimizer, layer and kind of weight, trained by both backends to the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends.choose import compiled
from chainrule.backends.protocol import StopFlag
from chainrule.data.arrays import from_arrays
from chainrule.data.batches import epoch_order, offsets
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.losses import LOSSES
from chainrule.nn.optimizers import OPTIMIZERS
from tests.absent import require

require("llvmlite", "pip install llvmlite")

ROWS = 43  # by 10: the last batch has three
CLOSE = {"float32": 2e-4, "float64": 1e-11}  # of the largest weight, after three epochs
RNG = np.random.default_rng(11)
X = RNG.normal(size=(ROWS, 6)).astype(np.float32)
LABELS = (X[:, 0] + X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 0.5)
NUMBERS = np.stack([X[:, 0] - X[:, 1], X[:, 2] * X[:, 3]], axis=1)


def trained(backend: str, y: Any, network: Any = None, **options: Any) -> cr.Run:
    settings: dict[str, Any] = {"optimizer": cr.SGD(0.05), "batch_size": 10, "epochs": 3, "test_fraction": 0.0}
    outputs = int(y.max()) + 1 if y.ndim == 1 else y.shape[1]
    network = network or [cr.Dense(17, "tanh"), cr.Dense(outputs)]
    return cr.train(network, X, y, backend=backend, runs=None, **{**settings, **options})


def agree(y: Any, network: Any = None, *, dtype: str = "float32", **options: Any) -> None:
    ours, wanted = (trained(backend, y, network, dtype=dtype, **options) for backend in ("native", "reference"))
    assert (ours.checkpoint.backend, wanted.checkpoint.backend) == ("native", "reference")
    assert any(not np.array_equal(ours.weights[name], ours.at(0).weights[name]) for name in ours.weights)
    for name, value in wanted.checkpoint.state.items():
        largest = max(1.0, float(np.abs(value).max(initial=0.0)))
        apart = np.abs(ours.checkpoint.state[name].astype(np.float64) - value)
        assert float(apart.max(initial=0.0)) <= CLOSE[dtype] * largest, name
    assert ours.history["loss"] == pytest.approx(wanted.history["loss"], rel=10 * CLOSE[dtype])


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name: str, dtype: str) -> None:
    agree(NUMBERS, [cr.Dense(9, name), cr.Dense(2)], dtype=dtype)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str, dtype: str) -> None:
    agree(LABELS, optimizer=name, dtype=dtype)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name: str, dtype: str) -> None:
    targets = LOSSES[name].targets
    if targets == "binary":
        agree((LABELS > 0).astype(np.int64), [cr.Dense(7, "tanh"), cr.Dense(1)], loss=name, dtype=dtype)
    elif targets == "numbers":
        agree(NUMBERS, loss=name, dtype=dtype)
    else:
        agree(LABELS, loss=name, dtype=dtype)


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 32, 33, ROWS])
def test_every_batch_size(batch: int) -> None:
    agree(LABELS, batch_size=batch)


def test_scaled_frozen_and_stacked() -> None:
    layers = [cr.Dense(5), cr.ActivationLayer("relu"), cr.Dense(4, "sigmoid", use_bias=False), cr.Dense(2)]
    agree(NUMBERS, layers, frozen=("dense_2.*",), scale_features="standardize", scale_targets="standardize")


def test_weighted_samples() -> None:
    weighted = from_arrays(X, NUMBERS, sample_weight=RNG.uniform(0.1, 2.0, ROWS))
    ours, wanted = (
        cr.train([cr.Dense(7, "relu"), cr.Dense(2)], weighted, optimizer=cr.SGD(0.05), batch_size=10, epochs=3,
                 test_fraction=0.0, backend=backend, runs=None)
        for backend in ("native", "reference")
    )  # fmt: skip
    for name, value in wanted.weights.items():
        assert ours.weights[name] == pytest.approx(value, abs=1e-4)


def test_validation_between_epochs_leaves_the_bits_alone() -> None:
    run = trained("native", NUMBERS, validation_split=0.25)
    start, train = run.at(0), run.prepared.split.train
    assert 0 < len(train) < ROWS
    program = compiled(run.graphs.train, "native")
    state, columns = program.start(start.checkpoint.state), {name: run.prepared.columns[name] for name in ("x", "y")}
    for epoch in range(3):
        order = epoch_order(run.prepared.rows, run.experiment.seed, epoch, True)
        cuts = offsets(len(order), 10)
        rates = {"learning_rate": np.full(len(cuts) - 1, 0.05)}
        state = program.run(state, columns, order, cuts, rates, epoch * (len(cuts) - 1), StopFlag()).state
    for name, value in run.weights.items():
        assert program.read(state)[name].tobytes() == value.tobytes()
