"""The worked examples come out digit by digit: a network of one weight, and two layers of two units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.graph.expr import Expr, variable
from chainrule.nn.initializers import Constant, initial_value
from chainrule.nn.layers import Dense
from chainrule.nn.losses import LOSSES, weighted_mean
from chainrule.nn.network import Network
from chainrule.nn.optimizers import SGD
from tests.absent import require
from tests.nn.values import evaluate

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"


def golden(name: str) -> dict[str, Any]:
    path = require(GOLDEN / name, "put the folder of known answers beside the project, as ../shared/golden")
    return json.loads(path.read_text(encoding="utf-8"))


def step_of(network: Network, loss: str, inputs: int, trained: list[str]) -> dict[str, Expr]:
    """The output, the loss, the gradient and the next value of each trained parameter."""
    parameters = {each.name: variable(each.name, "float64", each.shape) for each in network.parameters((inputs,))}
    output = network.forward(variable("x", "float64", (1, inputs)), parameters).output
    y = variable("y", "float64", output.shape)
    total = weighted_mean(LOSSES[loss].per_sample(output, y))
    slopes = [Expr(node) for node in gradients(total.node, [parameters[name].node for name in trained])]
    rate, clock = variable("rate", "float64"), variable("step", "uint32")
    after = {
        f"{t} after": SGD().update(parameters[t], g, {}, rate, clock)[0] for t, g in zip(trained, slopes, strict=True)
    }
    return {"output": output, "loss": total, **dict(zip(trained, slopes, strict=True)), **after}


def test_the_one_weight_network_repeats_its_trace() -> None:
    known = golden("one_weight_trace.json")
    network = Network([Dense(1, use_bias=False, kernel_initializer=Constant(known["w0"]))])
    (kernel,) = network.parameters((1,))
    weight = initial_value(kernel.initializer, kernel.shape, seed=0, index=0)
    step = step_of(network, "mean_squared_error", 1, ["dense_1.W"])
    distances: list[float] = []
    for row in known["rows"]:
        given = {"x": [[known["x"]]], "y": [[known["target"]]], "rate": known["learning_rate"], "step": 0}
        found = evaluate(step, {"dense_1.W": weight, **given})
        weight = found["dense_1.W after"]
        came = {"loss": float(found["loss"]), "output": found["output"].item(), "weight": weight.item()}
        distances += [abs(came[name] - row[name]) for name in row]
    assert len(distances) == 33
    assert sum(distance > 0 for distance in distances) <= 1
    assert max(distances) < 1e-15


NETWORK = Network([Dense(2, "sigmoid"), Dense(2, "sigmoid")])
KERNELS = ["dense_1.W", "dense_2.W"]


def two_two_two(known: dict[str, Any]) -> dict[str, Any]:
    return {
        "x": [known["inputs"]],
        "y": [known["targets"]],
        "rate": known["learning_rate"],
        "step": 0,
        "dense_1.W": known["W1"],
        "dense_1.b": known["b1"],
        "dense_2.W": known["W2"],
        "dense_2.b": known["b2"],
    }


def test_the_two_layer_network_has_the_worked_gradients_and_weights() -> None:
    known = golden("two_two_two.json")
    found = evaluate(step_of(NETWORK, "half_squared_error", 2, KERNELS), two_two_two(known))
    assert float(found["loss"]) == pytest.approx(known["loss_before"], abs=5e-10)
    for ours, theirs in (
        ("dense_1.W", "dW1"),
        ("dense_2.W", "dW2"),
        ("dense_1.W after", "W1_after"),
        ("dense_2.W after", "W2_after"),
    ):
        np.testing.assert_allclose(found[ours], known[theirs], rtol=0, atol=5.1e-9, err_msg=theirs)  # 8 digits given


def loss_after(known: dict[str, Any], hidden: np.ndarray) -> float:
    """The loss once the output weights have moved as they should, and the hidden ones to `hidden`."""
    step, given = step_of(NETWORK, "half_squared_error", 2, KERNELS), two_two_two(known)
    moved = evaluate(step, given)["dense_2.W after"]
    return float(evaluate(step, {**given, "dense_1.W": hidden, "dense_2.W": moved})["loss"])


def test_all_gradients_are_taken_before_any_weight_moves() -> None:
    known = golden("two_two_two.json")
    right = evaluate(step_of(NETWORK, "half_squared_error", 2, KERNELS), two_two_two(known))["dense_1.W after"]
    assert loss_after(known, right) == pytest.approx(known["loss_after"], rel=1e-14)


def test_hidden_deltas_by_moved_output_weights_are_told_apart() -> None:
    known = golden("two_two_two.json")
    step, given = step_of(NETWORK, "half_squared_error", 2, KERNELS), two_two_two(known)
    found = evaluate(step, given)
    hidden = 1 / (1 + np.exp(-(np.array(known["inputs"]) @ known["W1"] + known["b1"])))
    delta = found["dense_2.W"][0] / hidden[0]  # ∂L/∂W = a δ
    stale = (delta @ found["dense_2.W after"].T) * hidden * (1 - hidden)
    wrong = known["W1"] - known["learning_rate"] * np.outer(known["inputs"], stale)
    assert loss_after(known, wrong) == pytest.approx(known["wrong_order_of_update"], abs=5.1e-11)
    assert abs(known["wrong_order_of_update"] - known["loss_after"]) > 1e-10
