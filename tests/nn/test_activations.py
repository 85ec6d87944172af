"""Activations have the values and slopes that PyTorch, the stated derivatives and their papers give them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.errors import UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr, variable
from chainrule.graph.tensor_type import named
from chainrule.nn.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE, activation_named
from tests.absent import require
from tests.nn.values import array

GRID = np.concatenate((np.linspace(-6.0, 6.0, 49), [-30.0, -1e-3, 1e-3, 30.0]))  # 0 among them
z = variable("z", "float64", (named("n"), named("k")))


def slope(name: str, points: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """(seed · a)'s gradient over z."""
    start = variable("seed", "float64", z.shape)
    found = gradients(ACTIVATIONS[name].formula(z).node, [z.node], start.node)[0]
    return array(Expr(found), z=points, seed=seed)


def stated(name: str, x: np.ndarray) -> np.ndarray:
    """The derivative as the docstring of the activation has it."""
    a = array(ACTIVATIONS[name].formula(z), z=x)
    sigma = 1 / (1 + np.exp(-x))
    normal = 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return {
        "linear": np.ones_like(x),
        "relu": np.where(x > 0, 1.0, 0.0),
        "leaky_relu": np.where(x > 0, 1.0, 0.01),
        "elu": np.where(x > 0, 1.0, a + 1),
        "selu": np.where(x > 0, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA),
        "gelu": normal + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
        "silu": sigma + x * sigma * (1 - sigma),
        "softplus": sigma,
        "sigmoid": a * (1 - a),
        "tanh": 1 - a * a,
    }[name]


ELEMENTWISE = [name for name, row in ACTIVATIONS.items() if not row.rowwise]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_derivative_is_the_stated_one_also_at_the_kink(name: str) -> None:
    points = GRID.reshape(1, -1)
    found = slope(name, points, np.ones_like(points))
    np.testing.assert_allclose(found, stated(name, points), rtol=0, atol=1e-14)


def test_the_derivative_of_softmax_is_the_stated_one() -> None:
    points, seed = np.array([[0.0, math.log(3.0), -1.0]]), np.array([[0.3, -2.0, 0.7]])
    (a,) = array(ACTIVATIONS["softmax"].formula(z), z=points)
    jacobian = np.diag(a) - np.outer(a, a)
    np.testing.assert_allclose(slope("softmax", points, seed)[0], jacobian @ seed[0], rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes_are_those_of_pytorch(name: str) -> None:
    torch = require("torch", "pip install 'chainrule[oracles]'")
    referee = {"linear": lambda x: x, "softmax": lambda x: torch.softmax(x, -1)}.get(name)
    referee = referee or getattr(torch.nn.functional, name, None) or getattr(torch, name)
    points, seed = GRID.reshape(1, -1), np.cos(GRID).reshape(1, -1)
    x = torch.tensor(points, requires_grad=True)
    y = referee(x)
    (expected,) = torch.autograd.grad(y, x, torch.tensor(seed))
    np.testing.assert_allclose(array(ACTIVATIONS[name].formula(z), z=points), y.detach(), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(slope(name, points, seed), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_fill_the_stated_range(name: str) -> None:
    row = ACTIVATIONS[name]
    points = np.linspace(-40, 40, 80_001).reshape(-1, 1)  # a grid fine enough to meet each minimum to 1e-7
    if row.rowwise:
        points = np.hstack((points, np.zeros_like(points)))
    values = array(row.formula(z), z=points)
    low, high = row.range
    slack = 1e-9
    assert values.min() >= low - slack
    assert values.max() <= high + slack
    assert values.min() <= low + 1e-7 if math.isfinite(low) else values.min() < -0.3
    assert values.max() >= high - 1e-7 if math.isfinite(high) else values.max() >= 40.0


def test_only_softmax_reads_a_whole_row() -> None:
    for name, row in ACTIVATIONS.items():
        alone, beside = np.array([[0.5]]), np.array([[0.5, 2.0]])
        same = array(row.formula(z), z=alone)[0, 0] == array(row.formula(z), z=beside)[0, 0]
        assert same != row.rowwise, name


def test_selu_keeps_mean_zero_and_variance_one() -> None:
    edges = np.linspace(-12, 12, 240_001)
    density = np.exp(-(edges**2) / 2) / math.sqrt(2 * math.pi) * (edges[1] - edges[0])
    a = array(ACTIVATIONS["selu"].formula(z), z=edges.reshape(1, -1))[0]
    assert abs(float(density @ a)) < 1e-9
    assert float(density @ a**2) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("name", ["elu", "selu"])
def test_exponentials_that_are_not_used_do_not_overflow(name: str) -> None:
    single = variable("z", "float32", (named("n"),))
    found = gradients(e.sum(ACTIVATIONS[name].formula(single)).node, [single.node])[0]
    points = np.array([1e4, -1e4], np.float32)
    assert array(Expr(found), z=points).tolist() == pytest.approx([1.0 if name == "elu" else SELU_SCALE, 0.0])


def test_the_largest_slope_of_a_sigmoid_is_a_quarter() -> None:
    points = np.linspace(-5, 5, 1001).reshape(1, -1)
    slopes = slope("sigmoid", points, np.ones_like(points))
    assert slopes.max() == 0.25
    assert points[0, slopes.argmax()] == 0.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_type_is_kept(name: str, dtype: str) -> None:
    x = variable("x", "float32" if dtype == "float32" else "float64", (named("n"), 3))
    assert ACTIVATIONS[name].formula(x).type == x.type


def test_an_unknown_activation_gets_a_guess() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown activation 'rleu': did you mean 'relu'\?"):
        activation_named("rleu")


def test_names_and_symbols_are_distinct() -> None:
    assert len({row.symbol for row in ACTIVATIONS.values()}) == len(ACTIVATIONS)
    assert all(name == row.name for name, row in ACTIVATIONS.items())
