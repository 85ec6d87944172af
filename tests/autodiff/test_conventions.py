"""Where the derivative does not exist: kinks and ties, exactly as the table states them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph

INF = float("inf")


def slopes(function: Callable[..., Expr], *at: object) -> list[list[float]]:
    """The gradient of Σ f with respect to each argument."""
    arrays = [np.asarray(x, np.float64) for x in at]
    xs = [e.variable(f"x{i}", "float64", array.shape) for i, array in enumerate(arrays)]
    found = gradients(e.sum(function(*xs)).node, [x.node for x in xs])
    graph = make_graph({str(i): node for i, node in enumerate(found)}, [x.node for x in xs])
    results = ReferenceBackend().evaluate(graph, {f"x{i}": array for i, array in enumerate(arrays)})
    return [results[str(i)].tolist() for i in range(len(xs))]


def test_relu_has_slope_zero_at_zero() -> None:
    assert slopes(lambda x: e.maximum(x, 0.0), [-1.0, -0.0, 0.0, 1.0]) == [[0.0, 0.0, 0.0, 1.0]]


def test_a_tie_of_maximum_goes_to_the_second() -> None:
    assert slopes(e.maximum, [1.0, 2.0, 2.0], [2.0, 2.0, 1.0]) == [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]


def test_a_tie_of_minimum_goes_to_the_second() -> None:
    assert slopes(e.minimum, [1.0, 2.0, 2.0], [2.0, 2.0, 1.0]) == [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]


def test_a_maximum_of_a_value_with_itself_has_slope_one() -> None:
    assert slopes(lambda x: e.maximum(x, x), [-1.0, 3.0]) == [[1.0, 1.0]]


def test_the_largest_along_an_axis_share() -> None:
    assert slopes(lambda x: e.max(x, 1), [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]) == [
        [[0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    ]


def test_the_largest_of_all_share() -> None:
    assert slopes(e.max, [[4.0, 1.0], [4.0, 4.0], [0.0, 4.0]]) == [[[0.25, 0.0], [0.25, 0.25], [0.0, 0.25]]]


def test_abs_and_sign_have_slope_zero_at_zero() -> None:
    assert slopes(e.absolute, [-2.0, -0.0, 0.0, 2.0]) == [[-1.0, 0.0, 0.0, 1.0]]
    assert slopes(e.sign, [-2.0, 0.0, 2.0]) == [[0.0, 0.0, 0.0]]


def test_roots_are_infinitely_steep_at_zero() -> None:
    assert slopes(e.sqrt, [0.0, 4.0]) == [[INF, 0.25]]
    assert slopes(lambda x: x**0.5, [0.0, 4.0]) == [[INF, 0.25]]


def test_whole_powers_are_flat_or_straight_at_zero() -> None:
    at = [0.0, -3.0]
    assert slopes(lambda x: x**0, at) == [[0.0, 0.0]]
    assert slopes(lambda x: x**1, at) == [[1.0, 1.0]]
    assert slopes(lambda x: x**2, at) == [[0.0, -6.0]]
    assert slopes(lambda x: x**3, at) == [[0.0, 27.0]]


@pytest.mark.parametrize("compare", [Expr.__gt__, Expr.__ge__, Expr.__lt__, Expr.__le__, e.equal])
def test_a_condition_is_not_differentiated(compare: Callable[[Expr, Expr], Expr]) -> None:
    def chosen(x: Expr, y: Expr) -> Expr:
        return e.select(compare(x, y), 2.0 * x, 3.0 * x)

    assert slopes(chosen, [1.0], [2.0])[1] == [0.0]


def test_the_branch_not_taken_gets_zero_even_where_it_is_infinite() -> None:
    def safe_log(x: Expr) -> Expr:
        return e.select(x > 0.0, e.log(e.select(x > 0.0, x, 1.0)), 0.0)

    assert slopes(safe_log, [0.0, 2.0]) == [[0.0, 0.5]]


def test_stop_gradient_holds_its_value_constant() -> None:
    assert slopes(lambda x: x * e.stop_gradient(x), [3.0]) == [[3.0]]


def test_a_way_through_integers_carries_nothing() -> None:
    assert slopes(lambda x: x * e.cast(e.cast(x, "int32"), "float64"), [3.7]) == [[3.0]]


def test_a_cast_between_floats_carries_the_adjoint_in_the_dtype_of_its_input() -> None:
    x = e.variable("x", "float32", (2,))
    y = e.cast(x, "float64")
    (gradient,) = gradients(e.sum(3.0 * y).node, [x.node])
    assert gradient.tensor == x.type
    assert gradient.primitive == "cast"


def test_safe_functions_are_smooth_at_the_kink_of_their_safe_form() -> None:
    assert slopes(e.softplus, [0.0]) == [[0.5]]
    assert slopes(e.sigmoid, [0.0]) == [[0.25]]
    assert slopes(e.softplus, [-800.0, 800.0]) == [[0.0, 1.0]]
    assert slopes(e.sigmoid, [-800.0, 800.0]) == [[0.0, 0.0]]
