"""Losses have the values, deltas and means that hand, PyTorch and the notation give them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.errors import ExperimentError, ShapeError, UnknownNameError
from chainrule.graph.expr import Expr, variable
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.tensor_type import named
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.losses import ALIASES, LOSSES, loss_named, one_hot, prediction, weighted_mean
from tests.absent import require
from tests.nn.values import array, value

n, k = named("n"), named("k")
z = variable("z", "float64", (n, k))
y = variable("y", "float64", (n, k))
w = variable("w", "float64", (n,))

LOGITS = np.array([[0.2, -1.3, 0.7], [2.0, 0.1, -0.4], [-0.6, 0.0, 1.1], [0.3, 0.3, 0.3]])
TARGETS: dict[str, np.ndarray] = {
    "numbers": np.array([[0.0, 1.5, -2.0], [1.0, 0.0, 0.5], [0.25, -1.0, 3.0], [0.0, 0.0, 0.0]]),
    "binary": np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]),
    "classes": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.3, 0.5]]),
}


def y_hat(name: str) -> Expr:
    return prediction(LOSSES[name], z, "linear")


def delta(name: str) -> np.ndarray:
    """∂ℓₙ/∂z of each sample."""
    found = gradients(LOSSES[name].per_sample(y_hat(name), y).node, [z.node])[0]
    return array(Expr(found), z=LOGITS, y=TARGETS[LOSSES[name].targets])


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_is_that_of_the_formula_in_plain_python(name: str) -> None:
    targets = TARGETS[LOSSES[name].targets]
    predicted = array(y_hat(name), z=LOGITS, y=targets)
    per_sample = {
        "half_squared_error": lambda p, t: sum((a - b) ** 2 for a, b in zip(p, t, strict=True)) / 2,
        "mean_squared_error": lambda p, t: sum((a - b) ** 2 for a, b in zip(p, t, strict=True)) / len(p),
        "binary_cross_entropy": lambda p, t: (
            -sum(b * math.log(a) + (1 - b) * math.log(1 - a) for a, b in zip(p, t, strict=True))
        ),
        "categorical_cross_entropy": lambda p, t: -sum(b * math.log(a) for a, b in zip(p, t, strict=True)),
    }[name]
    expected = [per_sample(p, t) for p, t in zip(predicted.tolist(), targets.tolist(), strict=True)]
    found = array(LOSSES[name].per_sample(y_hat(name), y), z=LOGITS, y=targets)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("half_squared_error", 1.0),
        ("mean_squared_error", 2 / 3),  # 2 / k
        ("binary_cross_entropy", 1.0),
        ("categorical_cross_entropy", 1.0),
    ],
)
def test_the_delta_is_prediction_less_target(name: str, factor: float) -> None:
    targets = TARGETS[LOSSES[name].targets]
    expected = factor * (array(y_hat(name), z=LOGITS, y=targets) - targets)
    np.testing.assert_allclose(delta(name), expected, rtol=0, atol=1e-14)


def test_the_delta_of_softmax_needs_targets_that_sum_to_one() -> None:
    found = gradients(
        LOSSES["categorical_cross_entropy"].per_sample(ACTIVATIONS["softmax"].formula(z), y).node, [z.node]
    )
    targets = 2.0 * TARGETS["classes"]
    predicted = array(ACTIVATIONS["softmax"].formula(z), z=LOGITS)
    np.testing.assert_allclose(array(Expr(found[0]), z=LOGITS, y=targets), 2.0 * predicted - targets, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_batch_losses_are_those_of_pytorch(name: str) -> None:
    torch = require("torch", "pip install 'chainrule[oracles]'")
    f: Any = torch.nn.functional
    targets = TARGETS[LOSSES[name].targets]
    logits, t = torch.tensor(LOGITS), torch.tensor(targets)
    expected = {
        "half_squared_error": lambda: f.mse_loss(logits, t, reduction="sum") / 2 / len(t),
        "mean_squared_error": lambda: f.mse_loss(logits, t),
        "binary_cross_entropy": lambda: f.binary_cross_entropy_with_logits(logits, t, reduction="sum") / len(t),
        "categorical_cross_entropy": lambda: f.cross_entropy(logits, t),
    }[name]()
    loss = weighted_mean(LOSSES[name].per_sample(y_hat(name), y))
    assert value(loss, z=LOGITS, y=targets) == pytest.approx(float(expected), rel=1e-13)


# ---- means ----


def test_a_weight_of_two_is_a_sample_met_twice() -> None:
    losses = variable("losses", "float64", (n,))
    assert value(weighted_mean(losses, w), losses=[1.0, 4.0], w=[2.0, 1.0]) == 2.0
    assert value(weighted_mean(losses), losses=[1.0, 1.0, 4.0]) == 2.0


def test_the_scale_of_weights_does_not_matter() -> None:
    losses = variable("losses", "float64", (n,))
    once, doubled = (value(weighted_mean(losses, w), losses=[1.0, 5.0], w=np.multiply(s, [0.5, 1.5])) for s in (1, 2))
    assert once == doubled == 4.0


def test_a_missing_weight_is_noticed() -> None:
    losses = variable("losses", "float64", (n,))
    with pytest.raises(ShapeError, match="one weight a sample"):
        weighted_mean(losses, variable("w", "float64", (n, 1)))


# ---- labels and predictions ----


def test_labels_become_rows_that_are_known_to_sum_to_one() -> None:
    labels = variable("labels", "int32", (n,))
    rows = one_hot(labels, 4, "float32")
    assert value(rows, labels=[3, 0]) == [[0, 0, 0, 1], [1, 0, 0, 0]]
    known = Facts({labels.node: (Fact.LABELS,)}).of(rows.node)
    assert {Fact.ONE_HOT, Fact.ROWS_SUM_TO_ONE} <= known


@pytest.mark.parametrize("name", ["binary_cross_entropy", "categorical_cross_entropy"])
def test_a_last_layer_with_its_link_is_the_same_formula(name: str) -> None:
    link = LOSSES[name].link
    ended = ACTIVATIONS[link].formula(z)
    assert prediction(LOSSES[name], ended, link).node is prediction(LOSSES[name], z, "linear").node


@pytest.mark.parametrize("name", ["half_squared_error", "mean_squared_error"])
@pytest.mark.parametrize("last", ["linear", "sigmoid", "tanh"])
def test_a_squared_error_takes_any_output(name: str, last: str) -> None:
    assert prediction(LOSSES[name], z, last) is z


@pytest.mark.parametrize(("name", "last"), [("binary_cross_entropy", "softmax"), ("categorical_cross_entropy", "relu")])
def test_an_activation_that_is_no_probability_is_refused(name: str, last: str) -> None:
    with pytest.raises(ExperimentError, match=f"ends linear or in {LOSSES[name].link}, and this one ends in {last}"):
        prediction(LOSSES[name], z, last)


@pytest.mark.parametrize("last", ["linear", "softmax"])
def test_a_softmax_over_one_output_is_refused(last: str) -> None:
    with pytest.raises(ExperimentError, match="use binary_cross_entropy"):
        prediction(LOSSES["categorical_cross_entropy"], variable("z", "float64", (n, 1)), last)


@pytest.mark.parametrize("name", LOSSES)
def test_a_target_without_its_axis_is_refused(name: str) -> None:
    """Shapes (n, 1) and (n,) would broadcast to (n, n), and a wrong loss would train."""
    with pytest.raises(ShapeError, match=r"\(n, 1\) and targets of shape \(n,\)"):
        LOSSES[name].per_sample(variable("z", "float64", (n, 1)), variable("y", "float64", (n,)))


def test_names_and_aliases() -> None:
    assert loss_named("mse") is LOSSES["mean_squared_error"]
    assert loss_named("cross_entropy") is LOSSES["categorical_cross_entropy"]
    assert not set(ALIASES) & set(LOSSES)
    with pytest.raises(UnknownNameError, match="did you mean 'cross_entropy'"):
        loss_named("crossentropy")


def test_every_link_is_an_activation() -> None:
    assert all(loss.link in ACTIVATIONS for loss in LOSSES.values())
