"""What gradients are worth: against the closed forms, and against plain loops in which one gradient is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DerivativeError
from chainrule.explain.credit import Credit, credit_of
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import named
from chainrule.runs.subject import rule_of

STEPS = 30
GRADIENTS = np.random.default_rng(5).normal(size=STEPS)
SHAPE = (named("s"),)


def credit(optimizer: Any, weights: list[float], slots: dict[str, list[float]], first: int = 0) -> Credit:
    given = {
        "parameter": np.array(weights[:-1]),
        "gradient": GRADIENTS,
        "rate": np.array(optimizer.learning_rate),
        "step": (first + np.arange(STEPS)).astype(np.uint32),
        **{name: np.array(values[:-1]) for name, values in slots.items()},
    }
    return credit_of(rule_of(optimizer, SHAPE), given)


def with_momentum(rate: float, mu: float, gradients: Any, *, nesterov: bool, v: float = 0.0) -> Any:
    """Weights and velocities, in a plain loop."""
    w, weights, velocities = 0.4, [0.4], [v]
    for g in gradients:
        v = mu * v - rate * g
        w += mu * v - rate * g if nesterov else v
        weights.append(w)
        velocities.append(v)
    return weights, velocities


def test_without_memory_a_gradient_is_worth_minus_the_rate() -> None:
    weights = np.cumsum([0.4, *(-0.1 * GRADIENTS)]).tolist()
    found = credit(cr.SGD(0.1), weights, {})
    assert found.factors == pytest.approx(-0.1, rel=1e-15)
    assert np.array_equal(found.factors, found.at_once)
    assert (found.carried, found.held) == (0.0, ())


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("v", [0.0, 0.7])
def test_with_momentum_it_goes_on_moving_the_weight(nesterov: bool, v: float) -> None:
    """Closed forms: -η (1 - μ^k) / (1 - μ) with k steps left, this one included; Nesterov's looks one step ahead."""
    rate, mu = 0.05, 0.9
    weights, velocities = with_momentum(rate, mu, GRADIENTS, nesterov=nesterov, v=v)
    found = credit(cr.SGD(rate, momentum=mu, nesterov=nesterov), weights, {"velocity": velocities})
    left = STEPS - np.arange(STEPS) + nesterov
    assert found.factors == pytest.approx(-rate * (1 - mu**left) / (1 - mu), rel=1e-12)
    assert found.at_once == pytest.approx(-rate * (1 + mu if nesterov else 1), rel=1e-12)
    assert found.held == ()
    assert float(found.factors @ GRADIENTS) + found.carried == pytest.approx(weights[-1] - weights[0], rel=1e-12)
    assert (found.carried == 0.0) == (v == 0.0)
    for step in (0, 7, STEPS - 1):
        other = GRADIENTS.copy()
        other[step] += 1.0
        moved = with_momentum(rate, mu, other, nesterov=nesterov, v=v)[0][-1] - weights[-1]
        assert found.factors[step] == pytest.approx(moved, rel=1e-9)


def with_adam(gradients: Any, squares: Any = None, m: float = 0.0, first: int = 0) -> Any:
    """Weights, m and v, in a plain loop; v as given where it is."""
    rate, b1, b2, eps = 0.01, 0.9, 0.999, 1e-7
    w, v, found = 0.4, 0.0, [(0.4, m, 0.0)]
    for place, g in enumerate(gradients):
        t = first + place + 1
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g if squares is None else squares[place + 1]
        w -= rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        found.append((w, m, v))
    return [list(column) for column in zip(*found, strict=True)]


def test_adams_mean_square_is_taken_as_it_was_and_the_rest_adds_up() -> None:
    weights, m, v = with_adam(GRADIENTS)
    found = credit(cr.Adam(0.01), weights, {"m": m, "v": v})
    assert found.held == ("v",)
    assert float(found.factors @ GRADIENTS) + found.carried == pytest.approx(weights[-1] - weights[0], rel=1e-9)
    for step in (0, 7, STEPS - 1):
        other = GRADIENTS.copy()
        other[step] += 1.0
        moved = with_adam(other, squares=v)[0][-1] - weights[-1]
        assert found.factors[step] == pytest.approx(moved, rel=1e-7)
    free = GRADIENTS.copy()
    free[7] += 1.0
    assert found.factors[7] != pytest.approx(with_adam(free)[0][-1] - weights[-1], rel=1e-3)


def test_what_was_there_before_is_carried() -> None:
    whole, m, v = with_adam(np.concatenate((GRADIENTS[:4], GRADIENTS)))
    found = credit(cr.Adam(0.01), whole[4:], {"m": m[4:], "v": v[4:]}, first=4)
    assert found.carried != 0.0
    assert float(found.factors @ GRADIENTS) + found.carried == pytest.approx(whole[-1] - whole[4], rel=1e-9)


def test_a_rule_that_is_no_sum_over_gradients_is_refused() -> None:
    w, g = e.variable("parameter", "float64", SHAPE), e.variable("gradient", "float64", SHAPE)
    signs = make_graph({"parameter": (w - e.tanh(g)).node})
    with pytest.raises(DerivativeError, match="the next parameter is no sum over the gradients"):
        credit_of(signs, {"parameter": np.ones(2), "gradient": np.ones(2)})
