"""The bound on rounding holds: float64 against sixty digits, on random graphs and hard cases."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.explain.numbers import evaluate
from chainrule.explain.rounding import rounding_bound
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, topological

DIGITS = 60
Draw = Callable[[st.SearchStrategy[Any]], Any]


def exact(result: Node, inputs: dict[str, Any]) -> Decimal:
    """The value of a scalar graph on arrays of Decimals, to sixty digits."""
    with localcontext() as context:
        context.prec = DIGITS
        values: dict[Node, Any] = {}
        for node in topological([result]):
            values[node] = _exactly(node, [values[each] for each in node.inputs], inputs)
        return Decimal(values[result].item())


def _exactly(node: Node, x: list[Any], inputs: dict[str, Any]) -> Any:
    shape = tuple(dim for dim in node.tensor.shape if isinstance(dim, int))
    match node.primitive:
        case "input":
            return np.vectorize(lambda v: Decimal(float(v)), otypes=[object])(np.asarray(inputs[node.label]))
        case "constant":
            return np.full(shape, Decimal(float(node["value"])), dtype=object)  # type: ignore[arg-type]
        case "sum":
            return np.asarray(np.sum(x[0], axis=node["axes"]), dtype=object)  # type: ignore[call-overload]
        case "broadcast":
            return np.broadcast_to(np.expand_dims(x[0], node["axes"]), shape)  # type: ignore[arg-type]
        case primitive if primitive in BETWEEN:
            return np.asarray(BETWEEN[primitive](*x), dtype=object)
        case primitive:
            return np.vectorize(EACH[primitive], otypes=[object])(x[0])


def _sigmoid(v: Decimal) -> Decimal:
    """With an exponential that cannot overflow."""
    small = (-abs(v)).exp()
    return 1 / (1 + small) if v >= 0 else small / (1 + small)


BETWEEN: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.true_divide,
    "matmul": np.dot,
}
EACH: dict[str, Callable[[Decimal], Decimal]] = {
    "negate": Decimal.__neg__,
    "exp": Decimal.exp,
    "log": Decimal.ln,
    "sqrt": Decimal.sqrt,
    "sigmoid": _sigmoid,
    "tanh": lambda v: 2 * _sigmoid(2 * v) - 1,
}


def check(result: Expr, inputs: dict[str, Any]) -> float:
    """Holds the error to the bound, which is returned."""
    found = float(evaluate({"it": result.node}, inputs)["it"])
    bound = rounding_bound(result.node, inputs)
    error = abs(Decimal(found) - exact(result.node, inputs))
    assert error <= Decimal(bound), (found, float(error), bound)
    return bound


@st.composite
def random_sums(draw: Draw) -> tuple[Expr, dict[str, Any]]:
    """A scalar made of a few matrices by sums, products, quotients and functions, of sizes that cancel."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    size = draw(st.sampled_from([1, 3, 20]))
    inputs = {name: rng.normal(size=(size, size)) * 10.0 ** rng.integers(-3, 4) for name in "abc"}
    pool = [e.variable(name, "float64", (size, size)) for name in inputs]
    for _ in range(draw(st.integers(1, 6))):
        left, right = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        made = draw(st.sampled_from(OPERATIONS))(left, right)
        pool.append(made)
    return e.sum(pool[-1] - draw(st.sampled_from(pool))), inputs


OPERATIONS: list[Callable[[Expr, Expr], Expr]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a @ b,
    lambda a, b: a / (1.0 + b * b),
    lambda a, b: e.sigmoid(a),
    lambda a, b: e.tanh(b),
    lambda a, b: e.log(1.0 + a * a),
    lambda a, b: e.sqrt(1.0 + a * a),
    lambda a, b: e.exp(e.tanh(a)),
    lambda a, b: a - e.broadcast(e.sum(b, 1), b.shape, (1,)),
]


@settings(max_examples=60, deadline=None)
@given(random_sums())
def test_random_graphs_stay_within_the_bound(example: tuple[Expr, dict[str, Any]]) -> None:
    result, inputs = example
    if math.isfinite(float(evaluate({"it": result.node}, inputs)["it"])):
        check(result, inputs)


def test_cancellation_is_seen() -> None:
    """(1 + 1e-9) - 1 has lost seven digits; the bound says so, and is not far from the truth."""
    x = e.variable("x", "float64")
    bound = check((1.0 + x) - 1.0, {"x": np.array(1e-9)})
    assert 1e-17 < bound < 1e-14


def test_a_number_that_is_not_rounded_has_a_small_bound() -> None:
    x = e.variable("x", "float64")
    assert check(2.0 * x, {"x": np.array(0.5)}) <= 16 * 2.0**-52


@pytest.mark.parametrize("count", [10, 1000])
def test_a_long_sum_grows_with_its_root(count: int) -> None:
    x = e.variable("x", "float64", (count,))
    values = 1.0 / np.arange(1, count + 1)
    bound = check(e.sum(x), {"x": values})
    assert bound <= 16 * math.sqrt(count) * 2.0**-52 * float(np.sum(values))


def test_a_constant_has_none() -> None:
    assert rounding_bound(e.constant(3.0, e.variable("x", "float64").type).node, {}) == 0.0
