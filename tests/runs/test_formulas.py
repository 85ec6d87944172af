"""Bare formulas: gradients in their textbook form, and numbers."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr

a, t = cr.expr.variable("a", "float64"), cr.expr.variable("t", "float64")


def test_the_gradient_of_a_square_is_two_times_the_difference() -> None:
    slope = cr.gradient((a - t) ** 2, a)
    assert slope.node is (2.0 * (a - t)).node
    assert cr.evaluate(slope, a=0.84, t=0.4) == 2.0 * (0.84 - 0.4)


def test_several_gradients_at_once_and_gradients_of_gradients() -> None:
    by_a, by_t = cr.gradient((a - t) ** 3, [a, t])
    values = {"a": 2.0, "t": 0.5}
    assert cr.evaluate(by_a, **values) == pytest.approx(3 * 1.5**2)
    assert cr.evaluate(by_t, **values) == pytest.approx(-3 * 1.5**2)
    assert cr.evaluate(cr.gradient(by_a, a), **values) == pytest.approx(6 * 1.5)


def test_a_formula_is_evaluated_in_the_form_that_survives() -> None:
    z = cr.expr.variable("z", "float32", (2,))
    e = cr.expr
    log_softmax = e.log(e.exp(z) / e.sum(e.exp(z), -1, keepdims=True))
    assert cr.evaluate(log_softmax, z=np.array([1000.0, -1000.0], np.float32)).tolist() == [0.0, -2000.0]


def test_only_one_number_has_a_gradient() -> None:
    x = cr.expr.variable("x", "float64", (3,))
    with pytest.raises(cr.errors.DerivativeError):
        cr.gradient(x * 2.0, x)
    with pytest.raises(cr.errors.InputError, match="missing"):
        cr.evaluate(x)
