"""Gradients of whole networks, with every activation and loss at depths 1 to 4, equal PyTorch's to 1e-10."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.draws import Purpose, uniform
from chainrule.graph.expr import Expr, variable
from chainrule.graph.tensor_type import named
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.initializers import initial_value
from chainrule.nn.layers import Dense
from chainrule.nn.losses import LOSSES, one_hot, prediction, weighted_mean
from chainrule.nn.network import Network
from tests.absent import require
from tests.nn.values import evaluate

TOLERANCE = 1e-10  # in float64, of the largest value or 1
ROWS, INPUTS, WIDTH, OUTPUTS = 7, 5, 6, 3


def network_of(activation: str, depth: int) -> Network:
    return Network([*(Dense(WIDTH, activation) for _ in range(depth - 1)), Dense(OUTPUTS)])


def first_values(network: Network) -> dict[str, np.ndarray]:
    """Weights as drawn; biases too, so that each has something to say."""
    return {
        each.name: initial_value("glorot_normal", each.shape, 11, index)
        for index, each in enumerate(network.parameters((INPUTS,)))
    }


def batch(loss: str) -> dict[str, np.ndarray]:
    x, y, w = (uniform(11, Purpose.EXPLAIN, step, (ROWS, size)) for step, size in enumerate((INPUTS, OUTPUTS, 1)))
    targets = {
        "numbers": 4 * y - 2,
        "binary": np.round(y),
        "classes": y.argmax(axis=-1).astype(np.int32),
    }[LOSSES[loss].targets]
    return {"x": 4 * x - 2, "y": targets, "w": w[:, 0] + 0.5}


def ours(network: Network, loss: str, weighted: bool) -> tuple[float, dict[str, np.ndarray]]:
    """The loss of a batch and its gradient, as training has them."""
    n = named("n")
    kind = LOSSES[loss]
    parameters = {each.name: variable(each.name, "float64", each.shape) for each in network.parameters((INPUTS,))}
    output = network.forward(variable("x", "float64", (n, INPUTS)), parameters).output
    if kind.targets == "classes":
        y = one_hot(variable("y", "int32", (n,)), OUTPUTS, "float64")
    else:
        y = variable("y", "float64", (n, OUTPUTS))
    per_sample = kind.per_sample(prediction(kind, output, network.last_activation), y)
    total = weighted_mean(per_sample, variable("w", "float64", (n,)) if weighted else None)
    slopes = gradients(total.node, [each.node for each in parameters.values()])
    wanted = {"loss": total, **{name: Expr(slope) for name, slope in zip(parameters, slopes, strict=True)}}
    found = evaluate(wanted, {**first_values(network), **batch(loss)})
    return float(found.pop("loss")), found


def theirs(torch: Any, network: Network, loss: str, weighted: bool) -> tuple[float, dict[str, np.ndarray]]:
    f = torch.nn.functional
    referees = {"linear": lambda z: z, "softmax": lambda z: torch.softmax(z, -1)}
    given = {name: torch.tensor(each) for name, each in batch(loss).items()}
    weights = {name: torch.tensor(each, requires_grad=True) for name, each in first_values(network).items()}
    a = given["x"]
    for name, layer in zip(network.names, network.layers, strict=True):
        assert isinstance(layer, Dense)
        act = referees.get(layer.activation) or getattr(f, layer.activation, None) or getattr(torch, layer.activation)
        a = act(a @ weights[f"{name}.W"] + weights[f"{name}.b"])
    y = given["y"]
    per_sample = {
        "half_squared_error": lambda: f.mse_loss(a, y, reduction="none").sum(1) / 2,
        "mean_squared_error": lambda: f.mse_loss(a, y, reduction="none").mean(1),
        "binary_cross_entropy": lambda: f.binary_cross_entropy_with_logits(a, y, reduction="none").sum(1),
        "categorical_cross_entropy": lambda: f.cross_entropy(a, y.long(), reduction="none"),
    }[loss]()
    w = given["w"]
    total = (w * per_sample).sum() / w.sum() if weighted else per_sample.mean()
    total.backward()
    return float(total.detach()), {name: each.grad.numpy() for name, each in weights.items()}


@pytest.mark.oracle
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_gradients_are_those_of_pytorch(depth: int, activation: str, loss: str) -> None:
    torch = require("torch", "pip install 'chainrule[oracles]'")
    network, weighted = network_of(activation, depth), depth % 2 == 0
    our_loss, our_gradients = ours(network, loss, weighted)
    their_loss, their_gradients = theirs(torch, network, loss, weighted)
    assert our_loss == pytest.approx(their_loss, rel=1e-12)
    assert our_gradients.keys() == their_gradients.keys()
    for name, expected in their_gradients.items():
        bound = TOLERANCE * max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(our_gradients[name], expected, rtol=0, atol=bound, err_msg=name)
        assert np.any(expected), f"{name} has no gradient to compare"


def test_the_gradient_of_a_batch_is_the_mean_of_its_samples() -> None:
    """A forgotten mean would make it n times as large."""
    network = network_of("tanh", 2)
    full, gradient = ours(network, "half_squared_error", weighted=False)
    hand = 0.0
    values, given = first_values(network), batch("half_squared_error")
    for x, y in zip(given["x"], given["y"], strict=True):
        a = np.tanh(x @ values["dense_1.W"] + values["dense_1.b"])
        hand = hand + (a @ values["dense_2.W"] + values["dense_2.b"] - y) / ROWS  # δ of each sample
    np.testing.assert_allclose(gradient["dense_2.b"], hand, rtol=1e-12)
    assert full > 0
