"""Each rule of `tidy` on its pattern, and on something that looks like it and must stay."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from chainrule.autodiff.tidy import TIDY_RULES, repeated, tidy
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Attribute, make_graph
from chainrule.graph.primitives import apply
from chainrule.graph.rewrite import rewrite
from chainrule.graph.tensor_type import TensorType, named
from chainrule.graph.verify import verify
from tests.graphs import Given, assert_same_graph, graph_of

N: Final = named("n")
X, Y, Z = e.variable("x", "float64", (N, 3)), e.variable("y", "float64", (N, 3)), e.variable("z", "float64", (2, 6))
ROW, COLUMN, SCALAR = e.variable("r", "float64", (3,)), e.variable("c", "float64", (N,)), e.variable("s", "float32")
WHOLE = e.variable("k", "int32", (N, 3))
NEGATED_X, NEGATED_Y = -X, -Y
UNSIGNED = TensorType("uint32", (2,))


def raw(primitive: str, *inputs: Expr, **attributes: Attribute) -> Expr:
    """A node as it stands, without what the functions of `expr` merge on the way."""
    return Expr(apply(primitive, *(x.node for x in inputs), **attributes))


def number(value: float, *shape: int) -> Expr:
    return e.constant(value, TensorType("float64", shape))


# A rule, a formula it changes, and what becomes of it.
FIRES: Final[list[tuple[str, Expr, Expr]]] = [
    ("x + 0 -> x", X + 0.0, X),
    ("x + 0 -> x", 0.0 + X, X),
    ("x + 0 -> x", WHOLE + 0, WHOLE),
    ("x - 0 -> x", X - 0.0, X),
    ("0 - x -> -x", 0.0 - X, -X),
    ("x * 1 -> x", X * 1.0, X),
    ("x * 1 -> x", 1 * WHOLE, WHOLE),
    ("x * -1 -> -x", X * -1.0, -X),
    ("x / 1 -> x", X / 1.0, X),
    ("-(-x) -> x", -NEGATED_X, X),
    ("x + (-y) -> x - y", X + NEGATED_Y, X - Y),
    ("x + (-y) -> x - y", NEGATED_Y + X, X - Y),
    ("x - (-y) -> x + y", X - NEGATED_Y, X + Y),
    ("(-x) * y -> -(x * y)", NEGATED_X * Y, -(X * Y)),
    ("(-x) * y -> -(x * y)", Y * NEGATED_X, -(X * Y)),
    ("(-x) / y -> -(x / y)", NEGATED_X / Y, -(X / Y)),
    ("x / (-y) -> -(x / y)", X / NEGATED_Y, -(X / Y)),
    ("x if c else x -> x", raw("select", X > Y, X, X), X),
    ("-(number) -> number", -number(2.5, 3), number(-2.5, 3)),
    ("a repeated number is a number", raw("broadcast", number(2.0), shape=(2, 3), axes=(0, 1)), number(2.0, 2, 3)),
    ("a repeated number is a number", raw("reshape", number(2.0, 6), shape=(2, 3)), number(2.0, 2, 3)),
    ("a repeated number is a number", raw("transpose", number(2.0, 2, 3), permutation=(1, 0)), number(2.0, 3, 2)),
    ("x ** 1 -> x", X**1.0, X),
    ("cast to its own dtype -> x", raw("cast", SCALAR, dtype="float32"), SCALAR),
    (
        "reshape of reshape -> reshape",
        raw("reshape", raw("reshape", Z, shape=(12,)), shape=(4, 3)),
        e.reshape(Z, (4, 3)),
    ),
    ("reshape of reshape -> reshape", raw("reshape", raw("reshape", Z, shape=(12,)), shape=(2, 6)), Z),
    ("reshape of reshape -> reshape", raw("reshape", Z, shape=(2, 6)), Z),
    ("transpose of transpose -> transpose", e.transpose(e.transpose(X, (1, 0)), (1, 0)), X),
    ("transpose of transpose -> transpose", raw("transpose", X, permutation=(0, 1)), X),
    (
        "broadcast of broadcast -> broadcast",
        e.broadcast(e.broadcast(ROW, (N, 3), (0,)), (2, N, 3), (0,)),
        e.broadcast(ROW, (2, N, 3), (0, 1)),
    ),
    (
        "broadcast of broadcast -> broadcast",
        e.broadcast(e.broadcast(ROW, (3, N), (1,)), (3, 2, N), (1,)),
        e.broadcast(ROW, (3, 2, N), (1, 2)),
    ),
    ("all of an axis -> x", e.slice_axis(X, 1, 0, 3), X),
    ("all of an axis -> x", e.pad(X, 1, 0, 0), X),
    ("one part joined -> x", e.concatenate([X], 1), X),
]

STAYS: Final[list[tuple[str, Expr]]] = [
    ("x + 0 -> x", X + 1.0),
    ("x + 0 -> x", X - 0.0),
    ("x - 0 -> x", 0.0 - X),
    ("0 - x -> -x", 1.0 - X),
    ("0 - x -> -x", X - 0.0),
    ("x * 1 -> x", X * 2.0),
    ("x * 1 -> x", X * 0.0),
    ("x * -1 -> -x", X * 1.0),
    ("x / 1 -> x", 1.0 / X),
    ("-(-x) -> x", NEGATED_X),
    ("x + (-y) -> x - y", X + Y),
    ("x - (-y) -> x + y", NEGATED_X - Y),
    ("(-x) * y -> -(x * y)", X * Y),
    ("(-x) / y -> -(x / y)", X / Y),
    ("x / (-y) -> -(x / y)", NEGATED_X / Y),
    ("x if c else x -> x", e.select(X > Y, X, Y)),
    ("-(number) -> number", NEGATED_X),
    ("-(number) -> number", -e.constant(5, UNSIGNED)),
    ("-(number) -> number", -e.constant(-(2**31), TensorType("int32"))),
    ("a repeated number is a number", e.broadcast(ROW, (2, 3), (0,))),
    ("x ** 1 -> x", X**2.0),
    ("x ** 1 -> x", X**-1.0),
    ("cast to its own dtype -> x", e.cast(SCALAR, "float64")),
    ("cast to its own dtype -> x", e.cast(e.cast(SCALAR, "float64"), "float32")),
    ("reshape of reshape -> reshape", e.reshape(Z, (4, 3))),
    ("transpose of transpose -> transpose", e.transpose(X, (1, 0))),
    ("broadcast of broadcast -> broadcast", e.broadcast(ROW, (2, 3), (0,))),
    ("all of an axis -> x", e.slice_axis(X, 1, 0, 2)),
    ("all of an axis -> x", e.pad(X, 1, 0, 1)),
    ("one part joined -> x", e.concatenate([X, Y], 1)),
]

RULES: Final = {rule.name: rule for rule in TIDY_RULES}


def by(name: str, formula: Expr, facts: Given | None = None) -> Expr:
    """The formula after this rule alone."""
    return Expr(verify(rewrite(graph_of(formula, facts), [RULES[name]])[0])["out"])


def named_cases(cases: list[tuple[str, Expr]]) -> list[str]:
    return [f"{name}: {formula.node!r}" for name, formula in cases]


@pytest.mark.parametrize(("name", "before", "after"), FIRES, ids=named_cases([case[:2] for case in FIRES]))
def test_a_rule_fires_on_its_pattern(name: str, before: Expr, after: Expr) -> None:
    assert_same_graph(by(name, before), after)


@pytest.mark.parametrize(("name", "formula"), STAYS, ids=named_cases(STAYS))
def test_a_rule_rests_on_what_only_looks_like_it(name: str, formula: Expr) -> None:
    assert_same_graph(by(name, formula), formula)


def test_every_rule_has_its_rows_here() -> None:
    tested = {name for name, *_ in FIRES} & {name for name, _ in STAYS}
    assert set(RULES) - tested == {"the rows of y sum to 1"}  # below


def test_tidy_applies_all_rules() -> None:
    formula = (X * 1.0 + 0.0) / 1.0 - (NEGATED_Y * 1.0)
    assert_same_graph(verify(tidy(graph_of(formula))), graph_of(X + Y))


def test_nothing_is_regrouped() -> None:
    for formula in (
        (X + Y) + X,
        X * (Y * X),
        X / Y * Y,
        X * Y / Y,
        2.0 * (3.0 * X),
        X + X,
        (X - Y) + Y,
        e.log(e.exp(X)),
    ):
        assert_same_graph(tidy(graph_of(formula)), graph_of(formula))


def test_inputs_and_facts_stay() -> None:
    graph = make_graph({"out": (X * 1.0).node}, [Y.node], {"y": [Fact.POSITIVE]})
    after = tidy(graph)
    assert (after.inputs, after.facts) == (graph.inputs, graph.facts)


def test_only_the_sign_of_a_zero_may_change() -> None:
    x = e.variable("x", "float64")
    given = {"x": np.asarray(-0.0)}
    before, after = (ReferenceBackend().evaluate(g, given)["out"] for g in (graph_of(x + 0.0), tidy(graph_of(x + 0.0))))
    assert before == after == 0.0
    assert (np.signbit(before), np.signbit(after)) == (False, True)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (0, 1, 2), ()])
def test_a_repetition_has_one_form(axes: tuple[int, ...]) -> None:
    """However many broadcasts it is written in, and with the same numbers."""
    inner = e.broadcast(ROW, (3, 2), (1,))
    shape = [5] * (2 + len(axes))
    for axis, length in zip([a for a in range(len(shape)) if a not in axes], (3, 2), strict=True):
        shape[axis] = length
    once, twice = repeated(inner.node, tuple(shape), axes), e.broadcast(inner, shape, axes)
    assert once.primitive == "broadcast"
    assert once.inputs == (ROW.node,)
    found = ReferenceBackend().evaluate(make_graph({"once": once, "twice": twice.node}), {"r": np.arange(3.0)})
    assert np.array_equal(found["once"], found["twice"])


# ---- Σ y = 1 ----

ROWS: Final = {"y": [Fact.ROWS_SUM_TO_ONE]}
ONES: Final = "the rows of y sum to 1"
G: Final = e.broadcast(COLUMN, (N, 3), (1,))
Q: Final = e.variable("q", "float64", (2, 6))
T: Final = e.variable("t", "float64", (4, 2, 3))

ROWS_FIRE: Final[list[tuple[Expr, Expr]]] = [
    (e.sum(Y, 1), e.constant(1.0, TensorType("float64", (N,)))),
    (e.sum(G * Y, 1), COLUMN),
    (e.sum(Y * G, 1), COLUMN),
    (e.sum(2.0 * Y, 1), e.constant(2.0, TensorType("float64", (N,)))),
    (e.sum(e.reshape(Y, (1, N, 3)), 2), e.constant(1.0, TensorType("float64", (1, N)))),
    (e.sum(e.broadcast(Y, (2, N, 3), (0,)), 2), e.constant(1.0, TensorType("float64", (2, N)))),
    (e.sum(e.broadcast(e.sum(X), (N, 3), (0, 1)) * Y, 1), e.broadcast(e.sum(X), (N,), (0,))),
]

# What looks like Σ y with rows that sum to 1, and is not.
ROWS_STAY: Final[list[tuple[str, Expr]]] = [
    ("along the other axis", e.sum(Y, 0)),
    ("along both axes", e.sum(Y)),
    ("of another value", e.sum(X, 1)),
    ("of a product with what varies along the row", e.sum(X * Y, 1)),
    ("of a product with what varies along the row by itself", e.sum(e.broadcast(ROW, (N, 3), (0,)) * Y, 1)),
    ("of squares", e.sum(Y * Y, 1)),
    ("of powers", e.sum(Y**2, 1)),
    ("transposed", e.sum(e.transpose(Y, (1, 0)), 1)),
    ("transposed, along what were the rows", e.sum(e.transpose(Y, (1, 0)), 0)),
    ("a part of each row", e.sum(e.slice_axis(Y, 1, 0, 2), 1)),
    ("repeated along a new last axis", e.sum(e.broadcast(Y, (N, 3, 2), (2,)), 2)),
    ("rows of other lengths", e.sum(e.reshape(Q, (4, 3)), 1)),
    ("shares of a column", e.sum(e.exp(X) / e.sum(e.exp(X), 0, keepdims=True), 1)),
    ("shares of another sum", e.sum(e.exp(X) / e.sum(e.exp(Y), 1, keepdims=True), 1)),
    ("shares of what may be 0", e.sum(X / e.sum(X, 1, keepdims=True), 1)),
    ("shares of two axes together", e.sum(e.exp(T) / e.sum(e.exp(T), (1, 2), keepdims=True), 2)),
    ("labels compared along the other axis", e.sum(e.cast(e.equal(WHOLE, e.iota((N, 3), 0)), "float64"), 1)),
    (
        "labels not repeated along the row",
        e.sum(e.cast(e.equal(e.broadcast(e.argmax(X, 0), (N, 3), (0,)), e.iota((N, 3), 1)), "float64"), 1),
    ),
]


@pytest.mark.parametrize(("before", "after"), ROWS_FIRE, ids=[repr(before.node) for before, _ in ROWS_FIRE])
def test_rows_that_sum_to_one(before: Expr, after: Expr) -> None:
    graph, (step,) = rewrite(graph_of(before, ROWS), [RULES[ONES]])
    assert_same_graph(Expr(verify(graph)["out"]), after)
    assert [fact for fact, _ in step.facts] == [Fact.ROWS_SUM_TO_ONE]


@pytest.mark.parametrize("before", [before for before, _ in ROWS_FIRE], ids=[repr(x.node) for x, _ in ROWS_FIRE])
def test_without_the_fact_they_stay(before: Expr) -> None:
    for facts in ({}, {"y": [Fact.POSITIVE]}, {"y": [Fact.BINARY]}, {"x": [Fact.ROWS_SUM_TO_ONE]}):
        assert_same_graph(by(ONES, before, facts), before)


@pytest.mark.parametrize("formula", [formula for _, formula in ROWS_STAY], ids=[name for name, _ in ROWS_STAY])
def test_facts_that_look_alike_are_not_used(formula: Expr) -> None:
    facts = {"y": [Fact.ROWS_SUM_TO_ONE], "q": [Fact.ROWS_SUM_TO_ONE], "k": [Fact.LABELS], "r": [Fact.ROWS_SUM_TO_ONE]}
    assert_same_graph(by(ONES, formula, facts), formula)


def test_shares_of_something_positive_sum_to_one() -> None:
    softmax = e.exp(X) / e.sum(e.exp(X), -1, keepdims=True)
    assert_same_graph(by(ONES, e.sum(softmax, 1)), e.constant(1.0, TensorType("float64", (N,))))


def test_one_hot_rows_of_whole_numbers_add_up_to_a_whole_one() -> None:
    k = e.variable("k", "int32", (N,))
    rows = e.cast(e.equal(e.broadcast(k, (N, 3), (1,)), e.iota((N, 3), 1)), "int32")
    kind = TensorType("int32", (N,))
    assert_same_graph(by(ONES, e.sum(rows, 1)), e.sum(rows, 1))
    assert_same_graph(by(ONES, e.sum(rows, 1), {"k": [Fact.LABELS]}), e.constant(1, kind))
    assert_same_graph(by(ONES, e.sum(rows * 4, 1), {"k": [Fact.LABELS]}), e.constant(4, kind))
