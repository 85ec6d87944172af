"""Formulas read as in the book: operators, numbers, broadcasting, and the nodes they become."""

from __future__ import annotations

from types import FunctionType

import pytest

from chainrule.draws import Purpose
from chainrule.errors import DTypeError, ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.tensor_type import TensorType, named

N = named("n")
X = e.variable("x", "float32", (N, 3))
ROW = e.variable("row", "float32", (3,))
LABELS = e.variable("y", "int32", (N,))


@pytest.mark.parametrize(
    ("formula", "primitive"),
    [
        (X + 1, "add"),
        (1 + X, "add"),
        (X - 1, "subtract"),
        (1 - X, "subtract"),
        (X * 2, "multiply"),
        (2 * X, "multiply"),
        (X / 2, "divide"),
        (2 / X, "divide"),
        (X**2, "power"),
        (-X, "negate"),
        (X > 0, "greater"),
        (X < 0, "greater"),
        (X >= 0, "greater_equal"),
        (X <= 0, "greater_equal"),
        (X.T, "transpose"),
        (X @ X.T, "matmul"),
    ],
)
def test_operators_make_primitives(formula: Expr, primitive: str) -> None:
    assert formula.node.primitive == primitive


def test_the_order_of_operands_is_kept() -> None:
    one = e.like(1, X)
    assert (1 - X).node.inputs == (one.node, X.node)
    assert (X - 1).node.inputs == (X.node, one.node)
    assert (X < 1).node.inputs == (one.node, X.node)
    assert (X <= 1).node.inputs == (one.node, X.node)


def test_a_number_takes_the_dtype_of_the_other_operand() -> None:
    assert (X + 1).node.inputs[1]["value"] == 1.0
    assert type((LABELS + 2.0).node.inputs[1]["value"]) is int
    with pytest.raises(DTypeError, match=r"2.5 is not a whole number"):
        _ = LABELS + 2.5


def test_operands_are_broadcast_where_a_person_leaves_it_out() -> None:
    total = X + ROW
    assert total.shape == (N, 3)
    assert total.node.inputs[1] is e.broadcast(ROW, (N, 3), (0,)).node
    column = e.reshape(LABELS, (N, 1))
    compared = e.equal(column, e.iota((N, 3), 1))
    assert compared.shape == (N, 3)
    assert compared.node.inputs[0] is e.broadcast(LABELS, (N, 3), (1,)).node


def test_nothing_is_made_where_nothing_changes() -> None:
    assert e.reshape(X, (N, 3)).node is X.node
    assert e.reshape(e.reshape(X, (3, N)), (N, 3)).node is X.node
    assert e.transpose(X, (0, 1)).node is X.node
    assert e.cast(X, "float32").node is X.node
    assert e.broadcast_to(X, (N, 3)).node is X.node
    assert e.sum(X, ()).node is X.node


def test_reductions_keep_axes_where_asked() -> None:
    assert e.sum(X).shape == ()
    assert e.sum(X, -1).shape == (N,)
    assert e.sum(X, 0, keepdims=True).shape == (1, 3)
    assert e.max(X, (0, 1), keepdims=True).shape == (1, 1)


def test_a_mean_over_named_sizes_divides_by_them() -> None:
    size = e.mean(X, 0).node.inputs[1].inputs[0]
    assert size is e.cast(e.size("n"), "float32").node
    assert e.mean(X, 1).node.inputs[1].inputs[0] is e.constant(3.0, TensorType("float32")).node
    both = e.mean(X).node.inputs[1]
    assert str(both.inputs[0]["of"]) == "3*n"


def test_select_broadcasts_its_condition() -> None:
    chosen = e.select(ROW > 0, X, 0.0)
    assert chosen.shape == (N, 3)
    with pytest.raises(DTypeError, match="to know the dtype"):
        e.select(ROW > 0, 1.0, 0.0)
    with pytest.raises(DTypeError, match="must be a formula"):
        e.maximum(1.0, 2.0)


def test_axes_may_be_counted_from_the_end() -> None:
    assert e.argmax(X).node["axis"] == 1
    assert e.concatenate([X, X], -1).shape == (N, 6)
    for wrong in (lambda: e.argmax(X, 2), lambda: e.concatenate([X], 5), lambda: e.argmax(e.sum(X))):
        with pytest.raises(ShapeError, match="does not exist"):
            wrong()


def test_slices_and_padding_name_their_axis() -> None:
    assert e.slice_axis(X, 1, 1, 3).shape == (N, 2)
    assert e.pad(X, 1, 1, 0).shape == (N, 4)


def test_a_purpose_becomes_a_plain_number() -> None:
    seed, step = e.variable("seed", "uint32", (2,)), e.variable("step", "uint32")
    drawn = e.random_bits(seed, step, Purpose.DROPOUT, (N,))
    assert type(drawn.node["purpose"]) is int
    assert drawn.node is e.random_bits(seed, step, 4, (N,)).node


def test_a_vector_has_no_transpose() -> None:
    with pytest.raises(ShapeError, match=r"at least two axes, and got shape \(3,\)"):
        _ = ROW.T


@pytest.mark.parametrize(
    "function", [e.exp, e.log, e.expm1, e.log1p, e.sqrt, e.tanh, e.sigmoid, e.softplus, e.erf, e.sign]
)
def test_functions_bear_their_primitives_names(function: FunctionType) -> None:
    assert function(X).node.primitive == function.__name__
    assert function(X).type == X.type


def test_a_formula_shows_its_primitive_and_type() -> None:
    assert repr(X + ROW) == "Expr(add(x, broadcast): float32[n, 3])"
