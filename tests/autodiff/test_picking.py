"""A row that is 1 at one place picks: the derivative of a softmax along one logit, as the book prints it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from chainrule.autodiff.forward import jvp
from chainrule.autodiff.picking import one_place
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import named
from chainrule.nn.activations import softmax
from tests.graphs import assert_same_graph, simplified

N: Final = named("n")
X, Y = e.variable("x", "float64", (N, 4)), e.variable("y", "float64", (N, 4))


def picked(x: Expr, place: int) -> Expr:
    """x at one place of each row, repeated along the row."""
    one = e.reshape(e.slice_axis(x, 1, place, place + 1), (N,))
    return e.broadcast(one, (N, 4), (1,))


@pytest.mark.parametrize("place", [0, 3])
def test_softmax_along_one_logit(place: int) -> None:
    """∂ŷₖ/∂zⱼ = (1[k = j] − ŷⱼ) ŷₖ."""
    y_hat, direction = softmax(X), one_place(X, place)
    found, trail = simplified(Expr(jvp(y_hat.node, {X.node: direction.node})))
    assert_same_graph(found, (direction - picked(y_hat, place)) * y_hat)
    assert "Σₘ 1[m = j] xₘ -> xⱼ" in [step.rule for step in trail]


def test_it_is_the_row_of_the_jacobian() -> None:
    """The simplified form, in numbers, against the Jacobian diag(ŷ) − ŷ ŷᵀ."""
    found, _ = simplified(Expr(jvp(softmax(X).node, {X.node: one_place(X, 2).node})))
    x = np.array([[0.3, -1.0, 2.0, 0.1], [4.0, 0.0, -0.5, 1.5]])
    (values,) = ReferenceBackend().evaluate(make_graph({"it": found.node}), {"x": x}).values()
    y_hat = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    jacobian = np.stack([np.diag(row) - np.outer(row, row) for row in y_hat])
    np.testing.assert_allclose(values, jacobian[:, :, 2], rtol=1e-14, atol=1e-16)


def test_a_sum_over_products_picks_their_product() -> None:
    found, _ = simplified(e.sum(X * one_place(X, 1) * Y, 1))
    assert_same_graph(found, e.reshape(e.slice_axis(X * Y, 1, 1, 2), (N,)))


def test_a_place_off_the_row_picks_nothing() -> None:
    formula = e.sum(one_place(X, 4) * X, 1)
    assert_same_graph(simplified(formula)[0], formula)


def test_a_sum_along_another_axis_stays() -> None:
    square = e.variable("s", "float64", (4, 4))
    formula = e.sum(one_place(square, 1) * square, 0)
    assert_same_graph(simplified(formula)[0], formula)


def test_a_divisor_that_varies_with_the_place_stays() -> None:
    """xⱼ / yₖ is not (x / y)ⱼ."""
    formula = make_graph({"whole": (X / Y).node, "part": (picked(X, 1) / Y).node})
    values = {"x": np.arange(1.0, 9.0).reshape(2, 4), "y": np.arange(2.0, 10.0).reshape(2, 4)}
    found, _ = simplified(picked(X, 1) / Y + X / Y)
    (result,) = ReferenceBackend().evaluate(make_graph({"it": found.node}), values).values()
    expected = ReferenceBackend().evaluate(formula, values)
    np.testing.assert_allclose(result, expected["whole"] + expected["part"], rtol=1e-15)
