"""Updates are those of the papers: by hand, against PyTorch over twenty steps, and where Keras differs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chainrule.draws import Purpose, normal
from chainrule.errors import ExperimentError
from chainrule.graph.expr import variable
from chainrule.graph.tensor_type import DType
from chainrule.nn.optimizers import OPTIMIZERS, SGD, Adam, Optimizer
from tests.absent import require
from tests.nn.values import evaluate

STEPS, SHAPE = 20, (3, 2)
START = normal(1, Purpose.EXPLAIN, 0, SHAPE)
GRADIENTS = [normal(1, Purpose.EXPLAIN, step + 1, SHAPE) * 10.0 ** (step % 5 - 2) for step in range(STEPS)]


def step_of(optimizer: Optimizer, dtype: DType = "float64") -> Any:
    """One update in the reference backend: (W, slots, gradient, rate, step) to (W, slots)."""
    W, g = variable("W", dtype, SHAPE), variable("g", dtype, SHAPE)
    slots = {name: variable(name, dtype, SHAPE) for name in optimizer.slots}
    after, moved = optimizer.update(W, g, slots, variable("rate", dtype), variable("step", "uint32"))
    assert tuple(moved) == optimizer.slots

    def run(weights: np.ndarray, state: dict[str, np.ndarray], gradient: np.ndarray, rate: float, step: int) -> Any:
        found = evaluate({"W": after, **moved}, {"W": weights, "g": gradient, "rate": rate, "step": step, **state})
        return found.pop("W"), found

    return run


def zeros(optimizer: Optimizer) -> dict[str, np.ndarray]:
    return {name: np.zeros(SHAPE) for name in optimizer.slots}


REFEREES = {
    "sgd": (SGD(0.1), lambda t, p: t.optim.SGD(p, lr=0.1)),
    "momentum": (SGD(0.1, 0.9), lambda t, p: t.optim.SGD(p, lr=0.1, momentum=0.9)),
    "nesterov": (SGD(0.1, 0.9, nesterov=True), lambda t, p: t.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    "adam": (Adam(0.1), lambda t, p: t.optim.Adam(p, lr=0.1, eps=1e-7)),
    "adam, other numbers": (
        Adam(0.02, 0.5, 0.9, 1e-3),
        lambda t, p: t.optim.Adam(p, lr=0.02, betas=(0.5, 0.9), eps=1e-3),
    ),
    "adam, no mean": (Adam(0.02, 0.0, 0.9), lambda t, p: t.optim.Adam(p, lr=0.02, betas=(0.0, 0.9), eps=1e-7)),
}


@pytest.mark.parametrize("name", REFEREES)
def test_twenty_steps_are_those_of_pytorch(name: str) -> None:
    torch = require("torch", "pip install 'chainrule[oracles]'")
    ours, make = REFEREES[name]
    parameter = torch.tensor(START, requires_grad=True)
    theirs = make(torch, [parameter])
    run, weights, state = step_of(ours), START, zeros(ours)
    for step, gradient in enumerate(GRADIENTS):
        parameter.grad = torch.tensor(gradient)
        theirs.step()
        weights, state = run(weights, state, gradient, ours.learning_rate, step)
        np.testing.assert_allclose(weights, parameter.detach().numpy(), rtol=0, atol=1e-10)
    assert np.abs(weights - START).max() > 0.05


# ---- the papers' formulas, in plain Python ----


def test_plain_descent_is_rounded_as_it_is_written() -> None:
    after, _ = step_of(SGD())(START, {}, GRADIENTS[0], 0.3, 0)
    assert after.tobytes() == (START - np.float64(0.3) * GRADIENTS[0]).tobytes()


def test_the_rate_enters_the_velocity() -> None:
    """A rate that falls slows what comes, not what already moves; PyTorch multiplies by the rate afterwards."""
    run, v = step_of(SGD(0.1, 0.5)), np.ones(SHAPE)
    weights, state = run(np.zeros(SHAPE), {"velocity": v}, np.full(SHAPE, 2.0), 0.0, 7)
    assert weights[0, 0] == state["velocity"][0, 0] == 0.5


def test_nesterov_steps_from_the_point_looked_ahead_to() -> None:
    """The paper keeps the plain point θ and takes the gradient at θ + μ v; we keep that point itself."""
    slope = lambda at: 3.0 * (at - 1.0)  # noqa: E731 - the gradient of 3/2 (at - 1)²
    theta, v, eta, mu = np.full(SHAPE, 4.0), np.zeros(SHAPE), 0.1, 0.8
    ahead, state = theta, {"velocity": v}
    run = step_of(SGD(eta, mu, nesterov=True))
    for step in range(5):
        v = mu * v - eta * slope(theta + mu * v)
        theta = theta + v
        ahead, state = run(ahead, state, slope(ahead), eta, step)
        np.testing.assert_allclose(ahead, theta + mu * v, rtol=0, atol=1e-13)


def test_adam_is_algorithm_1() -> None:
    run, weights, state = step_of(Adam()), START, zeros(Adam())
    m, v, theta = np.zeros(SHAPE), np.zeros(SHAPE), START
    for t, g in enumerate(GRADIENTS, start=1):
        m, v = 0.9 * m + (1 - 0.9) * g, 0.999 * v + (1 - 0.999) * g * g
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        weights, state = run(weights, state, g, 0.01, t - 1)
        np.testing.assert_allclose(weights, theta, rtol=0, atol=1e-12)


def test_epsilon_stands_beside_the_corrected_root() -> None:
    """With ε = 1 and g = 2 the first step is η · 2 / (2 + 1); Keras's is η √0.001 · 2 / (√0.001 · 2 + 1)."""
    after, _ = step_of(Adam(epsilon=1.0))(np.zeros(SHAPE), zeros(Adam()), np.full(SHAPE, 2.0), 0.3, 0)
    assert after[0, 0] == pytest.approx(-0.2, rel=1e-12)
    root = math.sqrt(0.001)
    assert abs(after[0, 0] + 0.3 * root * 2 / (root * 2 + 1)) > 0.1


def test_the_first_step_of_adam_is_the_rate_in_float32_too() -> None:
    run, none = step_of(Adam(epsilon=1e-30), "float32"), {name: np.zeros(SHAPE, np.float32) for name in ("m", "v")}
    after, _ = run(np.zeros(SHAPE, np.float32), none, GRADIENTS[0].astype(np.float32), 1.0, 0)
    assert after.dtype == np.float32
    np.testing.assert_allclose(np.abs(after), 1.0, rtol=4 * 2.0**-23)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_of_zero_moves_nothing_at_rest(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    after, _ = step_of(optimizer)(START, zeros(optimizer), np.zeros(SHAPE), 0.1, 0)
    assert after.tobytes() == START.tobytes()


# ---- numbers ----


def test_slots() -> None:
    assert {name: each.slots for name, each in OPTIMIZERS.items()} == {
        "sgd": (),
        "momentum": ("velocity",),
        "nesterov": ("velocity",),
        "adam": ("m", "v"),
    }


def test_defaults_are_the_documented_ones() -> None:
    assert SGD() == SGD(learning_rate=0.01, momentum=0.0, nesterov=False)
    assert Adam() == Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    assert OPTIMIZERS["momentum"] == SGD(0.01, 0.9)


def test_whole_numbers_are_the_same_experiment() -> None:
    rate = SGD(1).learning_rate
    assert isinstance(rate, float)
    assert repr(SGD(1)) == repr(SGD(1.0))


sgd: Any = SGD  # as code without types calls it


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SGD(0.0), "sgd needs a number above 0 as learning_rate, and got 0.0"),
        (lambda: SGD(-0.1), "got -0.1"),
        (lambda: SGD(math.nan), "got nan"),
        (lambda: SGD(math.inf), "got inf"),
        (lambda: SGD(10**400), "sgd needs a number above 0"),
        (lambda: sgd("0.1"), "got '0.1'"),
        (lambda: SGD(True), "got True"),
        (lambda: SGD(momentum=1.0), "a number from 0 to below 1 as momentum, and got 1.0"),
        (lambda: SGD(nesterov=True), "nesterov needs a momentum above 0"),
        (lambda: sgd(nesterov=1), "true or false as nesterov"),
        (lambda: Adam(beta_1=-0.1), "adam needs a number from 0 to below 1 as beta_1"),
        (lambda: Adam(beta_2=1), "beta_2, and got 1"),
        (lambda: Adam(epsilon=0), "a number above 0 as epsilon"),
    ],
)
def test_numbers_outside_their_range_are_refused(make: Any, sentence: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        make()
    assert sentence in str(caught.value)
