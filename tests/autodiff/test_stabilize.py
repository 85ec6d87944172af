"""The safe forms: each rule on its pattern, the same derivatives, and finite, correct numbers where logits are huge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import STABLE_RULES, stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.graph.rewrite import rewrite
from chainrule.graph.tensor_type import DType, named
from chainrule.graph.verify import verify
from chainrule.nn.activations import softmax
from chainrule.nn.losses import binary_cross_entropy, categorical_cross_entropy
from tests.graphs import assert_same_graph, graph_of

Array = npt.NDArray[Any]

N: Final = named("n")
X, Y, Z = (e.variable(name, "float64", (N, 3)) for name in "xyz")
NEGATED = -X
RULES: Final = {rule.name: rule for rule in STABLE_RULES}


def less_largest(z: Expr, axes: int = -1) -> Expr:
    return z - e.broadcast(e.stop_gradient(e.max(z, axes)), z.shape, [axes % 2])


def share(z: Expr, axes: int = -1) -> Expr:
    return e.exp(z) / e.sum(e.exp(z), axes, keepdims=True)


def log_sum_exp(z: Expr, axes: int = -1) -> Expr:
    return e.log(e.sum(e.exp(z), axes))


SAFE_LOG_SUM_EXP: Final = e.stop_gradient(e.max(Z, 1)) + log_sum_exp(less_largest(Z))

FIRES: Final[list[tuple[str, Expr, Expr]]] = [
    ("softmax with its largest score taken off", share(Z), share(less_largest(Z))),
    ("softmax with its largest score taken off", share(Z, 0), share(less_largest(Z, 0), 0)),
    ("log of a sum of exponentials with the largest taken off", log_sum_exp(Z), SAFE_LOG_SUM_EXP),
    ("log of a repeated value", e.log(e.broadcast(X, (2, N, 3), (0,))), e.broadcast(e.log(X), (2, N, 3), (0,))),
    ("log(exp(x) / y) -> x - log y", e.log(e.exp(X) / Y), X - e.log(Y)),
    ("log(exp x) -> x", e.log(e.exp(X)), X),
    ("log(sigmoid x) -> -softplus(-x)", e.log(e.sigmoid(X)), -e.softplus(-X)),
    ("log(1 - sigmoid x) -> -softplus(x)", e.log(1.0 - e.sigmoid(X)), -e.softplus(X)),
    ("log(1 + exp x) -> softplus x", e.log(1.0 + e.exp(X)), e.softplus(X)),
    ("log(1 + exp x) -> softplus x", e.log(e.exp(X) + 1.0), e.softplus(X)),
    ("log1p(exp x) -> softplus x", e.log1p(e.exp(X)), e.softplus(X)),
    ("1 / (1 + exp(-x)) -> sigmoid x", 1.0 / (1.0 + e.exp(-X)), e.sigmoid(X)),
    ("exp(x) - 1 -> expm1 x", e.exp(X) - 1.0, e.expm1(X)),
    ("log(1 + x) -> log1p x", e.log(1.0 + X), e.log1p(X)),
]

STAYS: Final[list[tuple[str, Expr]]] = [
    ("softmax with its largest score taken off", share(less_largest(Z))),
    ("softmax with its largest score taken off", e.exp(Z) / e.sum(e.exp(X), -1, keepdims=True)),
    ("softmax with its largest score taken off", Z / e.sum(Z, -1, keepdims=True)),
    ("softmax with its largest score taken off", e.exp(Z) / Y),
    ("log of a sum of exponentials with the largest taken off", log_sum_exp(less_largest(Z))),
    ("log of a sum of exponentials with the largest taken off", e.log(e.sum(Z, 1))),
    ("log of a repeated value", e.log(X)),
    ("log(exp(x) / y) -> x - log y", e.log(Y / e.exp(X))),
    ("log(exp x) -> x", e.exp(e.log(X))),
    ("log(sigmoid x) -> -softplus(-x)", e.log(e.tanh(X))),
    ("log(1 - sigmoid x) -> -softplus(x)", e.log(2.0 - e.sigmoid(X))),
    ("log(1 - sigmoid x) -> -softplus(x)", e.log(e.sigmoid(X) - 1.0)),
    ("log(1 + exp x) -> softplus x", e.log(2.0 + e.exp(X))),
    ("log1p(exp x) -> softplus x", e.log1p(X)),
    ("1 / (1 + exp(-x)) -> sigmoid x", 2.0 / (1.0 + e.exp(-X))),
    ("1 / (1 + exp(-x)) -> sigmoid x", 1.0 / (1.0 + e.exp(X))),
    ("exp(x) - 1 -> expm1 x", 1.0 - e.exp(X)),
    ("exp(x) - 1 -> expm1 x", e.exp(X) - 2.0),
    ("log(1 + x) -> log1p x", e.log(2.0 + X)),
]


def by(name: str, formula: Expr) -> Expr:
    return Expr(verify(rewrite(graph_of(formula), [RULES[name]])[0])["out"])


@pytest.mark.parametrize(("name", "before", "after"), FIRES, ids=[f"{n}: {f.node!r}" for n, f, _ in FIRES])
def test_a_rule_fires_on_its_pattern(name: str, before: Expr, after: Expr) -> None:
    assert_same_graph(by(name, before), after)


@pytest.mark.parametrize(("name", "formula"), STAYS, ids=[f"{n}: {f.node!r}" for n, f in STAYS])
def test_a_rule_rests_on_what_only_looks_like_it(name: str, formula: Expr) -> None:
    assert_same_graph(by(name, formula), formula)


def test_every_rule_has_its_rows_here() -> None:
    assert {name for name, *_ in FIRES} == {name for name, _ in STAYS} == set(RULES)


def test_cross_entropy_of_a_softmax_becomes_log_softmax() -> None:
    found = stabilize(graph_of(e.log(softmax(Z))))
    shifted = less_largest(Z)
    assert_same_graph(verify(found), graph_of(shifted - e.broadcast(e.log(e.sum(e.exp(shifted), 1)), (N, 3), (1,))))


def test_what_is_safe_stays_as_it_is() -> None:
    loss = categorical_cross_entropy(softmax(Z), Y) + binary_cross_entropy(e.sigmoid(X), Y) + log_sum_exp(X)
    once = stabilize(graph_of(loss))
    assert_same_graph(stabilize(once), once)


# ---- the same function ----

PLAIN: Final[dict[str, Callable[[Expr, Expr], Expr]]] = {
    "softmax": lambda z, y: e.sum(softmax(z) * y, -1),
    "softmax and cross-entropy": lambda z, y: categorical_cross_entropy(softmax(z), y),
    "sigmoid and cross-entropy": lambda z, y: binary_cross_entropy(e.sigmoid(z), y),
    "log-sum-exp": lambda z, _: log_sum_exp(z),
    "log-sum-exp of columns": lambda z, y: log_sum_exp(z * y, 0),
    "softplus": lambda z, _: e.sum(e.log(1.0 + e.exp(z)), -1),
    "log(1 - sigmoid)": lambda z, _: e.sum(e.log(1.0 - e.sigmoid(z)), -1),
    "logistic": lambda z, y: e.sum(y / (1.0 + e.exp(-z)), -1),  # not the pattern: y instead of 1
    "1 / (1 + exp(-x))": lambda z, y: e.sum(y * (1.0 / (1.0 + e.exp(-z))), -1),
    "expm1 and log1p": lambda z, y: e.sum((e.exp(z) - 1.0) * e.log(1.0 + y), -1),
}


def derivatives(formula: Callable[[Expr, Expr], Expr], dtype: DType, order: int, safe: bool) -> tuple[Any, list[Expr]]:
    """The value and its derivatives; of order 2 that of Σ c · first derivative, with c = 1, 2, 3."""
    z, y = (e.variable(name, dtype, (N, 3)) for name in "zy")
    graph = make_graph({"value": formula(z, y).node}, [z.node, y.node])
    graph = verify(stabilize(graph)) if safe else graph
    found = [Expr(graph["value"])]
    for k in range(order):
        weighted = found[-1] * e.cast(e.iota((N, 3), 1) + 1, dtype) if k else found[-1]
        found.append(Expr(gradients(weighted.node, [z.node])[0]))
    return graph, found


def numbers(graph: Any, wanted: list[Expr], **values: Array) -> list[Array]:
    named_ = {str(k): each.node for k, each in enumerate(wanted)}
    found = ReferenceBackend().evaluate(verify(tidy(graph.with_outputs(named_))), values)
    return [found[str(k)] for k in range(len(wanted))]


@pytest.mark.parametrize("name", PLAIN)
def test_derivatives_of_the_safe_form_are_those_of_the_plain_one(name: str) -> None:
    rng = np.random.default_rng(5)
    z, y = rng.uniform(-3.0, 3.0, (6, 3)), rng.dirichlet(np.ones(3), 6)
    plain, safe = (numbers(*derivatives(PLAIN[name], "float64", 2, made), z=z, y=y) for made in (False, True))
    for order, (expected, found) in enumerate(zip(plain, safe, strict=True)):
        assert np.abs(found - expected).max() <= 1e-12 * max(1.0, np.abs(expected).max()), order


@pytest.mark.parametrize("name", ["softmax", "softmax and cross-entropy", "log-sum-exp"])
def test_the_shift_changes_no_derivative_where_scores_tie(name: str) -> None:
    """The largest is held constant, so which of several equals it is does not matter."""
    z, y = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, -1.0]]), np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    plain, safe = (numbers(*derivatives(PLAIN[name], "float64", 2, made), z=z, y=y) for made in (False, True))
    for expected, found in zip(plain, safe, strict=True):
        assert np.abs(found - expected).max() <= 1e-14


# ---- huge logits ----

ROWS: Final = [
    [1.0, 0.0, -1.0],
    [-1.0, 1.0, 1.0],
    [-1.0, -1.0, -1.0],
    [0.0, 0.0, 1.0],
    [1.0, 0.5, 0.25],
    [1.0, 0.9999, 0.9998],
    [1e-3, -1e-3, 2e-3],
]
LABELS: Final = np.eye(3)[[0, 0, 1, 2, 1, 2, 0]]


def softmax64(z: Array) -> Array:
    shifted = np.exp(z - z.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def log_sum_exp64(z: Array) -> Array:
    return z.max(-1) + np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1))


def softplus64(z: Array) -> Array:
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def sigmoid64(z: Array) -> Array:
    return np.exp(-softplus64(-z))


# The value and its gradient with respect to z, in float64, in closed form.
CLOSED: Final[dict[str, Callable[[Array, Array], tuple[Array, Array]]]] = {
    "softmax": lambda z, y: (
        (softmax64(z) * y).sum(-1),
        softmax64(z) * (y - (softmax64(z) * y).sum(-1, keepdims=True)),
    ),
    "softmax and cross-entropy": lambda z, y: (log_sum_exp64(z) - (y * z).sum(-1), softmax64(z) - y),
    "sigmoid and cross-entropy": lambda z, y: ((softplus64(z) - y * z).sum(-1), sigmoid64(z) - y),
    "log-sum-exp": lambda z, _: (log_sum_exp64(z), softmax64(z)),
    "softplus": lambda z, _: (softplus64(z).sum(-1), sigmoid64(z)),
    "log(1 - sigmoid)": lambda z, _: (-softplus64(z).sum(-1), -sigmoid64(z)),
}


@pytest.mark.parametrize("scale", [10.0, 1000.0, 1e4])
@pytest.mark.parametrize("name", CLOSED)
def test_huge_logits_in_float32(name: str, scale: float) -> None:
    """Finite and right: within rounding of the numbers met on the way, which are as large as the logits."""
    z = (np.array(ROWS) * scale).astype(np.float32)
    value, slope = numbers(*derivatives(PLAIN[name], "float32", 1, True), z=z, y=LABELS.astype(np.float32))
    expected, expected_slope = CLOSED[name](z.astype(np.float64), LABELS)
    unit = float(np.finfo(np.float32).eps)
    assert value.dtype == slope.dtype == np.float32
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    assert np.abs(value - expected).max() <= 8 * unit * max(1.0, np.abs(z).max())
    assert np.abs(slope - expected_slope).max() <= 8 * unit


@pytest.mark.parametrize("name", CLOSED)
def test_the_plain_form_would_not_survive(name: str) -> None:
    """Else the tests above would say nothing."""
    z = (np.array(ROWS) * 1000.0).astype(np.float32)
    value, slope = numbers(*derivatives(PLAIN[name], "float32", 1, False), z=z, y=LABELS.astype(np.float32))
    assert not (np.isfinite(value).all() and np.isfinite(slope).all())
