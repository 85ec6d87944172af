"""What a textbook prints is derived: slopes of losses and activations, compared as graphs, with what they rest on."""

from __future__ import annotations

from typing import Final

import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.simplify import FUNCTION_RULES, simplify
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Node, make_graph
from chainrule.graph.rewrite import Rule, Trail, rewrite
from chainrule.graph.tensor_type import TensorType, named
from chainrule.graph.verify import verify
from chainrule.nn.activations import relu, softmax
from chainrule.nn.losses import (
    binary_cross_entropy,
    categorical_cross_entropy,
    half_squared_error,
    mean_squared_error,
    one_hot,
    weighted_mean,
)
from tests.graphs import assert_same_graph, graph_of, simplified, slope

N: Final = named("n")
Z, Y = e.variable("z", "float64", (N, 3)), e.variable("y", "float64", (N, 3))
W, LABELS = e.variable("w", "float64", (N,)), e.variable("k", "int32", (N,))
A, B, C = (e.variable(name, "float64") for name in "abc")
LEFT, RIGHT = e.variable("L", "float64", (N, 4)), e.variable("R", "float64", (4, 3))

ROWS: Final = {"y": [Fact.ROWS_SUM_TO_ONE]}
Y_HAT: Final = softmax(Z)
CROSS_ENTROPY: Final = categorical_cross_entropy(Y_HAT, Y)
COUNT: Final = e.broadcast(e.count(N, "float64"), (N, 3), (0, 1))
TOTAL_WEIGHT: Final = e.broadcast(e.sum(W), (N, 3), (0, 1))
OWN_WEIGHT: Final = e.broadcast(W, (N, 3), (1,))


def rules(trail: Trail) -> list[str]:
    return [step.rule for step in trail]


def rests_on(trail: Trail) -> set[tuple[Fact, Node]]:
    return {pair for step in trail for pair in step.facts}


# ---- the delta of softmax and cross-entropy ----


def test_softmax_and_cross_entropy_given_that_rows_of_y_sum_to_one() -> None:
    """δ = ŷ − y."""
    found, trail = slope(CROSS_ENTROPY, Z, ROWS)
    assert_same_graph(found, Y_HAT - Y)
    assert "the rows of y sum to 1" in rules(trail)
    assert (Fact.ROWS_SUM_TO_ONE, Y.node) in rests_on(trail)
    assert (Fact.POSITIVE, e.exp(Z).node) in rests_on(trail)


@pytest.mark.parametrize("fact", [None, Fact.NONNEGATIVE, Fact.POSITIVE, Fact.BELOW_ONE, Fact.BINARY])
def test_without_that_fact_the_sum_stays(fact: Fact | None) -> None:
    """δ = (Σ y) ŷ − y, which is all that can be said."""
    found, trail = slope(CROSS_ENTROPY, Z, {"y": [fact]} if fact else {})
    sums = e.broadcast(e.sum(Y, 1), (N, 3), (1,))
    assert_same_graph(found, sums * Y_HAT - Y)
    assert "the rows of y sum to 1" not in rules(trail)


def test_one_hot_rows_are_enough() -> None:
    assert_same_graph(slope(CROSS_ENTROPY, Z, {"y": [Fact.ONE_HOT]})[0], Y_HAT - Y)


def test_the_same_with_labels() -> None:
    y = one_hot(LABELS, 3, "float64")
    found, trail = slope(categorical_cross_entropy(Y_HAT, y), Z, {"k": [Fact.LABELS]})
    assert_same_graph(found, Y_HAT - y)
    assert (Fact.ROWS_SUM_TO_ONE, y.node) in rests_on(trail)


def test_numbers_that_nobody_calls_labels_are_no_labels() -> None:
    y = one_hot(LABELS, 3, "float64")
    found, _ = slope(categorical_cross_entropy(Y_HAT, y), Z, {"k": [Fact.NONNEGATIVE]})
    assert_same_graph(found, e.broadcast(e.sum(y, 1), (N, 3), (1,)) * Y_HAT - y)


def test_columns_that_sum_to_one_are_no_rows() -> None:
    """The softmax of each column, with y whose rows sum to 1: the sum that is left is of columns."""
    scores = e.exp(Z)
    y_hat = scores / e.sum(scores, 0, keepdims=True)
    found, _ = slope(-e.sum(Y * e.log(y_hat), 0), Z, ROWS)
    assert_same_graph(found, e.broadcast(e.sum(Y, 0), (N, 3), (0,)) * y_hat - Y)


def test_rows_of_another_shape_are_other_rows() -> None:
    q = e.variable("q", "float64", (2, 6))
    z = e.variable("z", "float64", (4, 3))
    y, y_hat = e.reshape(q, (4, 3)), softmax(z)
    found, _ = slope(categorical_cross_entropy(y_hat, y), z, {"q": [Fact.ROWS_SUM_TO_ONE]})
    assert_same_graph(found, e.broadcast(e.sum(y, 1), (4, 3), (1,)) * y_hat - y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_does_not_matter(dtype: str) -> None:
    z, y = (e.variable(name, dtype, (N, 5)) for name in "zy")  # type: ignore[arg-type] - each is a dtype
    assert_same_graph(slope(categorical_cross_entropy(softmax(z), y), z, ROWS)[0], softmax(z) - y)


def test_scores_of_a_layer_pass_the_delta_on() -> None:
    """∂L/∂W = xᵀ (ŷ − y) / n, with 1/n outside the product."""
    x, weights = e.variable("x", "float64", (N, 4)), e.variable("W", "float64", (4, 3))
    y_hat = softmax(x @ weights)
    found, _ = slope(e.mean(categorical_cross_entropy(y_hat, Y)), weights, ROWS)
    per_entry = e.broadcast(e.count(N, "float64"), (4, 3), (0, 1))
    assert_same_graph(found, (x.T @ (y_hat - Y)) / per_entry)


# ---- other losses ----


def test_sigmoid_and_binary_cross_entropy() -> None:
    """δ = a − y, whatever y is."""
    found, trail = slope(binary_cross_entropy(e.sigmoid(Z), Y), Z)
    assert_same_graph(found, e.sigmoid(Z) - Y)
    assert {node for _, node in rests_on(trail)} == {e.sigmoid(Z).node, (1.0 - e.sigmoid(Z)).node}


def test_squared_errors() -> None:
    assert_same_graph(slope((A - B) ** 2, A)[0], 2.0 * (A - B))
    assert_same_graph(slope(0.5 * (A - B) ** 2, A)[0], A - B)
    assert_same_graph(slope(half_squared_error(Z, Y), Z)[0], Z - Y)
    assert_same_graph(slope(mean_squared_error(Z, Y), Z)[0], 2.0 * (Z - Y) / 3.0)  # (n, 3)


def test_the_mean_over_the_samples_keeps_its_factor_outside() -> None:
    assert_same_graph(slope(weighted_mean(CROSS_ENTROPY), Z, ROWS)[0], (Y_HAT - Y) / COUNT)
    assert_same_graph(slope(weighted_mean(half_squared_error(Z, Y)), Z)[0], (Z - Y) / COUNT)
    binary = weighted_mean(binary_cross_entropy(e.sigmoid(Z), Y))
    assert_same_graph(slope(binary, Z)[0], (e.sigmoid(Z) - Y) / COUNT)


def test_the_weighted_mean_keeps_its_factors_outside() -> None:
    weights = {"w": [Fact.NONNEGATIVE]}
    found, _ = slope(weighted_mean(CROSS_ENTROPY, W), Z, {**ROWS, **weights})
    assert_same_graph(found, (Y_HAT - Y) * OWN_WEIGHT / TOTAL_WEIGHT)
    found, _ = slope(weighted_mean(half_squared_error(Z, Y), W), Z, weights)
    assert_same_graph(found, OWN_WEIGHT * (Z - Y) / TOTAL_WEIGHT)


def test_weights_that_may_sum_to_zero_do_not_cancel() -> None:
    formula = e.sum(W) * A / e.sum(W)
    assert_same_graph(simplified(formula, {"w": [Fact.NONNEGATIVE]})[0], formula)
    assert_same_graph(simplified(formula, {"w": [Fact.POSITIVE]})[0], A)


# ---- activations ----


def test_slopes_of_activations() -> None:
    assert_same_graph(slope(e.tanh(A), A)[0], 1.0 - e.tanh(A) * e.tanh(A))
    assert_same_graph(slope(e.sigmoid(A), A)[0], e.sigmoid(A) * (1.0 - e.sigmoid(A)))
    assert_same_graph(slope(e.softplus(A), A)[0], e.sigmoid(A))
    assert_same_graph(slope(relu(A), A)[0], e.select(A > 0.0, e.like(1.0, A), 0.0))
    assert_same_graph(slope(e.exp(-A), A)[0], -e.exp(-A))


def test_powers_and_quotients() -> None:
    assert_same_graph(slope(A**3, A)[0], 3.0 * A**2)
    assert_same_graph(slope(A / B, A)[0], 1.0 / B)
    assert_same_graph(slope(A * B + A * C, A)[0], C + B)


def test_the_one_weight_network_of_the_book() -> None:
    """L = (σ(w x) − y)², ∂L/∂w = 2 (a − y) · a (1 − a) · x."""
    a = e.sigmoid(A * B)
    found, _ = slope((a - C) ** 2, A)
    assert verify(graph_of(found))
    assert_same_graph(found, 2.0 * (a - C) * (a * (1.0 - a)) * B)


# ---- rule by rule ----


SQUARE: Final = A * A


def with_algebra(formula: Expr, facts: dict[str, list[Fact]] | None = None) -> tuple[Expr, list[str]]:
    found, trail = simplified(formula, facts)
    return found, rules(trail)


FUNCTIONS: Final[list[tuple[str, Expr, Expr]]] = [
    ("log(exp x) -> x", e.log(e.exp(A)), A),
    ("exp(log x) -> x, for x > 0", e.exp(e.log(A)), A),
    ("max(x, x) -> x", e.maximum(A, A), A),
    ("min(x, x) -> x", e.minimum(A, A), A),
    ("x > c x -> x > 0, for c < 1", A > 0.01 * A, e.like(0.0, A) < A),
    ("x > c x -> x > 0, for c < 1", A > A * -2.0, e.like(0.0, A) < A),
    ("0 W -> 0", e.matmul(e.like(0.0, LEFT), RIGHT), e.like(0.0, e.matmul(LEFT, RIGHT))),
    ("W 0 -> 0", e.matmul(LEFT, e.like(0.0, RIGHT)), e.like(0.0, e.matmul(LEFT, RIGHT))),
]

FUNCTIONS_STAY: Final[list[tuple[str, Expr]]] = [
    ("log(exp x) -> x", e.log(e.expm1(A))),
    ("exp(log x) -> x, for x > 0", e.exp(e.log1p(A))),
    ("max(x, x) -> x", e.maximum(A, B)),
    ("min(x, x) -> x", e.minimum(A, -A)),
    ("x > c x -> x > 0, for c < 1", A > 1.0 * A),
    ("x > c x -> x > 0, for c < 1", A > 0.01 * B),
    ("0 W -> 0", e.matmul(e.like(1.0, LEFT), RIGHT)),
    ("W 0 -> 0", e.matmul(LEFT, e.like(1.0, RIGHT))),
]

BY_NAME: Final[dict[str, Rule]] = {rule.name: rule for rule in FUNCTION_RULES}


@pytest.mark.parametrize(("name", "before", "after"), FUNCTIONS, ids=[name for name, *_ in FUNCTIONS])
def test_a_rule_of_functions_fires(name: str, before: Expr, after: Expr) -> None:
    assert_same_graph(Expr(rewrite(graph_of(before), [BY_NAME[name]])[0]["out"]), after)


@pytest.mark.parametrize(("name", "formula"), FUNCTIONS_STAY, ids=[name for name, _ in FUNCTIONS_STAY])
def test_a_rule_of_functions_rests(name: str, formula: Expr) -> None:
    assert_same_graph(Expr(rewrite(graph_of(formula), [BY_NAME[name]])[0]["out"]), formula)


def test_every_rule_of_functions_has_its_rows_here() -> None:
    assert {name for name, *_ in FUNCTIONS} == {name for name, _ in FUNCTIONS_STAY} == set(BY_NAME)


EXP: Final = e.exp(B)
ROW: Final = e.variable("r", "float64", (3,))
EVERYWHERE: Final = e.broadcast(A, (N, 3), (0, 1))

ALGEBRA: Final[list[tuple[str, Expr, Expr]]] = [
    ("cancel and collect", A * EXP / EXP, A),
    ("cancel and collect", A / EXP * EXP, A),
    ("cancel and collect", A + A + A, 3.0 * A),
    ("cancel and collect", (A + B) - A, B),
    ("cancel and collect", A * B - B * A, e.like(0.0, A)),
    ("cancel and collect", 2.0 * (3.0 * A), 6.0 * A),
    ("cancel and collect", 0.5 * (2.0 * A), A),
    ("cancel and collect", (A / 3.0) * 2.0 * B / 4.0, A * B / 6.0),
    ("cancel and collect", A * A * A, A**3),
    ("multiply out and cancel", (A / EXP + C) * EXP, A + C * EXP),
    ("multiply out and cancel", (A + B) * C - A * C, B * C),
    ("factor out", A * C + B * C, (A + B) * C),
    ("factor out", A / EXP - C / EXP, (A - C) / EXP),
    ("factor out", 2.0 * A + 2.0 * B, 2.0 * (A + B)),
    ("take constant factors out of a sum", e.sum(2.0 * Z), 2.0 * e.sum(Z)),
    ("take constant factors out of a sum", e.sum(e.broadcast(W, (N, 3), (1,)) * Z, 1), e.sum(Z, 1) * W),
    ("take constant factors out of a sum", e.sum(-Z, 1), -e.sum(Z, 1)),
    ("take a scalar out of a matrix product", LEFT @ (2.0 * RIGHT), 2.0 * (LEFT @ RIGHT)),
    ("take a scalar out of a matrix product", (-LEFT) @ RIGHT, -(LEFT @ RIGHT)),
    (
        "take a scalar out of a matrix product",
        (LEFT / e.broadcast(EXP, (N, 4), (0, 1))) @ RIGHT,
        (LEFT @ RIGHT) / e.broadcast(EXP, (N, 3), (0, 1)),
    ),
]


@pytest.mark.parametrize(("name", "before", "after"), ALGEBRA, ids=[f"{n}: {f.node!r}" for n, f, _ in ALGEBRA])
def test_algebra(name: str, before: Expr, after: Expr) -> None:
    found, fired = with_algebra(before)
    assert_same_graph(found, after)
    assert name in fired


STAYS: Final[dict[str, Expr]] = {
    "x / y * y where y may be 0": A / B * B,
    "x * y / y where y may be 0": A * B / B,
    "x / x where x may be 0": A / A,
    "x ** 2 / x where x may be 0": A**2 / A,
    "x / (x / y) where x may be 0": A / (A / EXP),
    "x + x, as short as 2 x": A + A,
    "x / 0": A / e.like(0.0, A),
    "a product that is already as short as can be": (A + B) * C,
    "a sum that is already as short as can be": A * B + C,
    "a root and a square": (A**0.5) ** 2,
    "an infinite number": A * e.like(float("inf"), A),
    "what would overflow if collected": 1e300 * (1e300 * A),
    "what would be lost if collected": 1e-300 * (1e-300 * A),
    "a factor that varies along the sum": e.sum(e.broadcast(ROW, (N, 3), (0,)) * Z, 1),
    "a sum of sums": e.sum(Z + Y, 1),
    "a factor that is no scalar in a product": (LEFT * e.broadcast(W, (N, 4), (1,))) @ RIGHT,
    "whole numbers": e.cast(LABELS + LABELS, "float64"),
}


@pytest.mark.parametrize("what", STAYS)
def test_what_stays(what: str) -> None:
    formula = STAYS[what]
    assert_same_graph(simplified(formula)[0], formula)


@pytest.mark.parametrize(
    ("fact", "cancels"),
    [(Fact.POSITIVE, True), (Fact.NEGATIVE, True), (Fact.NONNEGATIVE, False), (Fact.BINARY, False)],
)
def test_what_cancels_must_be_nowhere_zero(fact: Fact, cancels: bool) -> None:
    formula = A / B * B
    found, trail = simplified(formula, {"b": [fact]})
    assert_same_graph(found, A if cancels else formula)
    assert rests_on(trail) == ({(fact, B.node)} if cancels else set())


def test_numbers_out_of_range_of_float32_are_not_made() -> None:
    f = e.variable("f", "float32")
    formula = 1e30 * (1e30 * f)
    assert_same_graph(simplified(formula)[0], formula)
    assert_same_graph(simplified(1e3 * (1e3 * f))[0], 1e6 * f)


def test_a_factor_repeated_in_two_steps_is_not_lost() -> None:
    """x repeated at once and x repeated along each axis in turn are the same factor, twice."""
    weights = e.variable("v", "float64", (N, 3))
    in_steps = e.broadcast(e.broadcast(A, (3,), (0,)) * ROW, (N, 3), (0,))
    found, _ = simplified(e.sum(EVERYWHERE * in_steps * weights, 0))
    row = e.broadcast(A, (3,), (0,))
    assert_same_graph(found, e.sum(weights, 0) * row**2 * ROW)


# ---- the graph around it ----


def test_a_quotient_that_the_graph_has_is_found_again() -> None:
    """The loss and its delta share ŷ: nothing is computed twice for being cancelled."""
    (gradient,) = gradients(CROSS_ENTROPY.node, [Z.node])
    both, _ = simplify(make_graph({"y_hat": Y_HAT.node, "delta": gradient}, facts=ROWS))
    assert_same_graph(both, make_graph({"y_hat": Y_HAT.node, "delta": (Y_HAT - Y).node}))


def test_inputs_names_and_facts_stay() -> None:
    graph = make_graph({"p": (A * 1.0).node, "q": A.node}, [B.node, A.node], {"a": [Fact.POSITIVE], "b": [Fact.BINARY]})
    found, _ = simplify(graph)
    assert (found.inputs, found.facts, found.output_names) == (graph.inputs, graph.facts, ("p", "q"))
    assert found.results == (A.node, A.node)


def test_an_output_that_is_simple_already_has_no_trail() -> None:
    assert simplify(graph_of(A + B)) == (graph_of(A + B), ())


def test_what_would_make_the_whole_larger_is_not_done() -> None:
    """A scalar taken out of each of three products of one scaled matrix: 5 operations would be 7."""
    scaled = 2.0 * RIGHT
    lefts = [e.variable(name, "float64", (N, 4)) for name in ("l1", "l2", "l3")]
    graph = make_graph({f"p{k}": e.tanh(left @ scaled).node for k, left in enumerate(lefts)})
    found, _ = simplify(graph)
    assert len(found.nodes) <= len(graph.nodes)


def test_a_constant_of_a_graph_without_inputs() -> None:
    found, _ = simplified(e.constant(2.0, TensorType("float64")) * 3.0)
    assert_same_graph(found, e.constant(6.0, TensorType("float64")))
