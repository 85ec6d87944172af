"""The known answers come out through the public interface."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.absent import require

SHARED = Path(__file__).resolve().parents[3] / "shared"
HOW = "it is shared beside the repository, and the values are public teaching material"


def golden(name: str) -> dict[str, Any]:
    return json.loads(require(SHARED / "golden" / name, HOW).read_text())


def one_weight(epochs: int) -> cr.Run:
    return cr.train(
        [cr.Dense(1, use_bias=False)], cr.load("one_weight"), loss="mse", optimizer=cr.SGD(0.1), epochs=epochs,
        dtype="float64", weights={"dense_1.W": [[0.7]]}, runs=None,
    )  # fmt: skip


def test_the_one_weight_trace_step_by_step() -> None:
    known = golden("one_weight_trace.json")
    x = np.array([[known["x"]]])
    run = one_weight(1)
    weights, outputs = [float(run.weights["dense_1.W"][0, 0])], [known["w0"] * known["x"]]
    for epochs in range(2, len(known["rows"]) + 1):
        outputs.append(float(run.predict(x)[0]))
        run = run.resume(epochs)
        weights.append(float(run.weights["dense_1.W"][0, 0]))
    off = [
        abs(ours - theirs[key])
        for ours_of_key, key in ((run.history["loss"], "loss"), (weights, "weight"), (outputs, "output"))
        for ours, theirs in zip(ours_of_key, known["rows"], strict=True)
    ]
    assert len(off) == 33
    assert sum(each != 0.0 for each in off) <= 1
    assert max(off) < 1e-15


def test_one_sitting_is_the_same_as_eleven() -> None:
    run = one_weight(1)
    for epochs in range(2, 12):
        run = run.resume(epochs)
    assert one_weight(11).history == run.history


@pytest.fixture(scope="module")
def two_two_two() -> cr.Run:
    """Ten thousand updates with biases that stay; its first are looked at too."""
    known = golden("two_two_two.json")
    net = cr.Network([cr.Dense(2, "sigmoid"), cr.Dense(2, "sigmoid")])
    weights = {"dense_1.W": known["W1"], "dense_1.b": known["b1"], "dense_2.W": known["W2"], "dense_2.b": known["b2"]}
    data = (np.array([known["inputs"]]), np.array([known["targets"]]))
    return cr.train(
        net, data, loss="half_squared_error", optimizer=cr.SGD(known["learning_rate"]), frozen="*.b", weights=weights,
        scale_features="none", scale_targets="none", test_fraction=0.0, dtype="float64", epochs=10_000, runs=None,
    )  # fmt: skip


def test_the_two_two_two_network_learns_as_computed_by_hand(two_two_two: cr.Run) -> None:
    known = golden("two_two_two.json")
    losses = two_two_two.history["loss"]  # entry k is the loss before update k
    assert losses[0] == pytest.approx(known["loss_before"], abs=5e-10)
    assert losses[1] == pytest.approx(known["loss_after"], abs=1e-16)
    assert abs(losses[1] - known["wrong_order_of_update"]) > 1e-8
    assert losses[9_999] == pytest.approx(known["loss_after_9999_updates"], rel=1e-6)


def test_its_biases_stay_and_its_gradients_are_those_of_the_book(two_two_two: cr.Run) -> None:
    known = golden("two_two_two.json")
    assert two_two_two.weights["dense_1.b"].tolist() == known["b1"]
    for parameter, key in (("dense_1.W", "dW1"), ("dense_2.W", "dW2")):
        for i in range(2):
            for o in range(2):
                page = two_two_two.explain(f"{parameter}[{i}, {o}]", sample=0, at="start")
                assert page.data["gradient"] == pytest.approx(known[key][i][o], abs=5.1e-9)


def test_deltas_decay_in_deep_sigmoid_networks() -> None:
    """A bias's gradient is the mean delta; one full-batch step of rate 1 from biases 0 shows it as minus the bias."""
    known = golden("deep_sigmoid_delta_norms.json")
    mnist = cr.load(str(require(SHARED / "data" / "mnist", HOW)))
    data = (mnist.x[:1000].reshape(1000, 28, 28), mnist.y[:1000])
    factors: list[float] = []
    for seed in range(10):
        ratios = [_last_to_first(sizes, data, seed) for sizes in known["sizes"]]
        factors += [deeper / shallower for shallower, deeper in pairwise(ratios)]
    low, high = known["ratio_per_layer_median_range"]
    assert low <= float(np.median(factors)) <= high


def _last_to_first(sizes: list[int], data: tuple[Any, Any], seed: int) -> float:
    layers = [cr.Dense(units, "sigmoid", kernel_initializer="lecun_normal") for units in sizes[1:]]
    run = cr.train(
        layers, data, loss="binary_cross_entropy", optimizer=cr.SGD(1.0), batch_size=1000, epochs=1, seed=seed,
        test_fraction=0.0, dtype="float64", runs=None,
    )  # fmt: skip
    norms = [float(np.linalg.norm(run.weights[f"dense_{layer}.b"])) for layer in (1, len(layers) - 1)]
    return norms[1] / norms[0]


def test_a_set_of_a_lesson_brings_its_own_network_epochs_and_dtype() -> None:
    """Nobody chose, so the one-weight network of the book is trained: as `chainrule train one_weight` does it."""
    run = cr.train(None, "one_weight", runs=None)
    assert (run.experiment.epochs, run.experiment.dtype) == (11, "float64")
    assert run.history == one_weight(11).history
    assert cr.train(None, "one_weight", epochs=2, dtype="float32", runs=None).experiment.epochs == 2
