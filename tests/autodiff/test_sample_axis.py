"""Where the samples lie in a value, and at which node rows mix: by hand, and against numbers on random graphs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given

from chainrule.autodiff.per_sample import row_separable
from chainrule.autodiff.sample_axis import FOLLOW, Rows, follow, quotient
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, make_graph
from chainrule.graph.primitives import PRIMITIVES, apply
from chainrule.graph.tensor_type import Dim, Size, named, product
from tests.autodiff.networks import LOSSES, Loss, dense, relu
from tests.laws.random_graphs import Example, examples

N, T = named("n"), named("t")


def data(*shape: Dim, name: str = "x") -> Expr:
    return e.variable(name, "float64", shape)


def test_each_primitive_has_a_rule() -> None:
    assert set(FOLLOW) == set(PRIMITIVES)


# ---- separable ----


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_dense_networks_are_separable(loss: Loss) -> None:
    assert row_separable(dense((3, 5, 4, 2), loss, (e.tanh, relu)).per_sample_loss.node) is None


def test_the_number_of_samples_is_no_mixing() -> None:
    x = data(N, 3)
    assert row_separable((e.sum(x, 1) / e.count(N, "float64")).node) is None


def test_masks_and_positions_are_no_mixing() -> None:
    x, seed, step = data(N, 3), e.variable("seed", "uint32", (2,)), e.variable("step", "uint32")
    mask = e.cast(e.random_bits(seed, step, 1, (N, 3)), "float64")
    assert row_separable(e.sum(x * mask * e.cast(e.iota((N, 3), 0), "float64"), 1).node) is None


SEPARABLE: dict[str, Callable[[Expr], Expr]] = {
    "transposed and back": lambda x: (x.T * 2.0).T,
    "features joined": lambda x: e.concatenate([x, x**2], 1),
    "features cut and padded": lambda x: e.pad(e.slice_axis(x, 1, 1, 3), 1, 0, 2),
    "largest feature": lambda x: e.max(x, 1),
    "position of the largest feature": lambda x: e.cast(e.argmax(x, 1), "float64"),
    "softmax over features": lambda x: e.exp(x) / e.sum(e.exp(x), 1, keepdims=True),
    "weights on the left": lambda x: e.variable("W", "float64", (2, 4)) @ x.T,
    "one axis more, one less": lambda x: e.reshape(e.reshape(x, (N, 2, 1, 2)), (N, 4)),
    "all in one axis and back": lambda x: e.reshape(e.tanh(e.reshape(x, (product((N, 4)),))), (N, 4)),
    "products within each sample": lambda x: e.reshape(x, (N, 2, 2)) @ e.reshape(x, (N, 2, 2)).T,
    "a copy for each class": lambda x: e.broadcast(x, (3, N, 4), (0,)),
    "a branch": lambda x: e.select(x > 0.0, x, e.stop_gradient(x)),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_what_stays_within_a_row_is_separable(name: str) -> None:
    assert row_separable(SEPARABLE[name](data(N, 4)).node) is None


# ---- mixing ----

MIXING: dict[str, tuple[str, Callable[[Expr], Expr]]] = {
    "mean over the samples": ("sum", lambda x: x - e.mean(x, 0, keepdims=True)),
    "sum of everything": ("sum", lambda x: x - e.sum(x)),
    "largest over the samples": ("max", lambda x: x - e.max(x, 0, keepdims=True)),
    "which sample is largest": ("argmax", lambda x: x * e.cast(e.argmax(x, 0), "float64")),
    "product over the samples": ("matmul", lambda x: x @ (x.T @ x)),
    "a sum written as a product": ("matmul", lambda x: x - e.constant(1.0, data(1, N).type) @ x),
    "the same from the right": ("matmul", lambda x: x.T - x.T @ e.constant(1.0, data(N, 1).type)),
    "every pair of samples": ("matmul", lambda x: e.sum(x @ x.T, 1)),
    "pairs by broadcasting": ("add", lambda x: e.reshape(x, (N, 1, 4)) + x),
    "largest of samples and features together": ("max", lambda x: x / e.max(x)),
    "shapes that cut samples apart": ("reshape", lambda x: e.sum(e.reshape(x, (4, N)), 1)),
}


@pytest.mark.parametrize("name", MIXING)
def test_where_rows_mix_is_found(name: str) -> None:
    primitive, formula = MIXING[name]
    found = row_separable(formula(data(N, 4)).node)
    assert found is not None
    assert found.primitive == primitive


def test_the_first_of_several_is_named() -> None:
    x = data(N, 4)
    centered = x - e.mean(x, 0, keepdims=True)
    scaled = centered / e.max(centered, 0, keepdims=True)
    found = row_separable(e.sum(scaled, 1).node)
    assert found is e.sum(x, 0).node


def test_batch_normalization_is_not_separable() -> None:
    x, W = data(N, 4), e.variable("W", "float64", (4, 3))
    z = x @ W
    centered = z - e.mean(z, 0, keepdims=True)
    normal = centered / e.sqrt(e.mean(centered**2, 0, keepdims=True) + 1e-3)
    found = row_separable(e.sum(e.maximum(normal, 0.0), 1).node)
    assert found is e.sum(z, 0).node


def test_normalization_within_a_sample_is_separable() -> None:
    z = data(N, 4)
    centered = z - e.mean(z, 1, keepdims=True)
    assert row_separable(e.sum(centered / e.sqrt(e.mean(centered**2, 1, keepdims=True)), 1).node) is None


def test_weights_divided_by_their_sum_mix_rows() -> None:
    w = data(N, name="w")
    found = row_separable((w / e.sum(w)).node)
    assert found is e.sum(w).node


# ---- loops ----


def loop(xs: Expr, h: Expr, step: Callable[[Expr, Expr], Expr]) -> tuple[Expr, Expr]:
    state = e.variable("state", "float64", h.shape)
    at = e.variable("at", "float64", xs.shape[1:])
    new = step(state, at)
    body = make_graph({"state": new.node, "out": (2.0 * new).node}, [state.node, at.node])
    node = apply("scan", h.node, xs.node, body=body, carries=1, xs=1)
    return Expr(apply("item", node, index=0)), Expr(apply("item", node, index=1))


def test_a_loop_over_time_keeps_rows_apart() -> None:
    start = e.constant(0.0, data(N, 3).type)
    last, every = loop(data(T, N, 3), start, lambda h, x: e.tanh(h + x))
    followed = follow([last.node, every.node], "n")
    assert followed.mixing == ()
    assert followed.of(last.node) == Rows(0)
    assert followed.of(every.node) == Rows(1)


def test_a_loop_whose_body_mixes_is_found() -> None:
    start = e.constant(0.0, data(N, 3).type)
    last, _ = loop(data(T, N, 3), start, lambda h, x: h + x - e.mean(h, 0, keepdims=True))
    found = row_separable(last.node)
    assert found is not None
    assert found.primitive == "scan"


def test_a_loop_over_the_samples_mixes() -> None:
    last, _ = loop(data(N, 3), e.constant(0.0, data(3).type), lambda h, x: h + x)
    found = row_separable(last.node)
    assert found is not None
    assert found.primitive == "scan"


# ---- layouts ----


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (data(N, 3), Rows(0)),
        (data(2, N, 3), Rows(1)),
        (data(N, 3).T, Rows(1)),
        (e.reshape(data(N, T, 3), (product((N, T)), 3)), Rows(0, T)),
        (e.reshape(data(T, N, 3), (product((N, T)), 3)), Rows(0)),
        (e.reshape(data(N, 3), (product((N, 3)),)), Rows(0, 3)),
        (e.reshape(e.reshape(data(N, T, 6), (product((N, T)), 2, 3)), (N, T, 6)), Rows(0)),
        (e.sum(data(2, N, 3), 0), Rows(0)),
        (e.broadcast(data(N, 3), (2, N, 5, 3), (0, 2)), Rows(1)),
        (e.variable("W", "float64", (3, 3)), None),
        (e.broadcast(e.variable("b", "float64", (3,)), (N, 3), (0,)), None),
    ],
    ids=repr,
)
def test_layouts_by_hand(value: Expr, rows: Rows | None) -> None:
    followed = follow([value.node], "n")
    assert followed.of(value.node) == rows
    assert not followed.mixing


@pytest.mark.parametrize(
    ("whole", "part", "expected"),
    [
        (6, 2, 3),
        (6, 4, None),
        (Size(6, ("n",)), 2, Size(3, ("n",))),
        (Size(6, ("n",)), N, 6),
        (N, 2, None),
        (N, T, None),
        (product((N, T)), T, N),
        (product((N, N)), N, N),
        (4, 0, None),
    ],
)
def test_quotients(whole: Dim, part: Dim, expected: Dim | None) -> None:
    assert quotient(whole, part) == expected


# ---- against numbers ----


@given(examples(steps=6))
def test_a_change_in_one_row_stays_in_its_row(example: Example) -> None:
    """Where no mixing is found, changing sample 0 of the data changes nothing of the other samples."""
    y = example.graph["y"]
    followed = follow([y], "n")
    rows = followed.of(y)
    batches = {node.label: rows_of(node) for node in example.graph.inputs}
    assume(not followed.mixing and any(axis is not None for axis in batches.values()))
    changed = {name: moved(array, batches[name]) for name, array in example.inputs.items()}
    before, after = (ReferenceBackend().evaluate(example.graph, x)["y"] for x in (example.inputs, changed))
    if rows is None:
        assert np.array_equal(before, after)
        return
    samples = next(len(np.moveaxis(example.inputs[k], a, 0)) for k, a in batches.items() if a is not None)
    for each in (before, after):
        assert each.shape[rows.axis] % samples == 0
    rest = [others(each, rows, samples) for each in (before, after)]
    assert np.allclose(rest[0], rest[1], rtol=1e-12, atol=1e-12)


def rows_of(node: Node) -> int | None:
    return next((axis for axis, dim in enumerate(node.tensor.shape) if dim == N), None)


def moved(array: np.ndarray, axis: int | None) -> np.ndarray:
    """The array with sample 0 replaced by half of it."""
    if axis is None:
        return array
    result = np.moveaxis(array.copy(), axis, 0)
    result[0] = result[0] / 2
    return np.ascontiguousarray(np.moveaxis(result, 0, axis))


def others(array: np.ndarray, rows: Rows, samples: int) -> np.ndarray:
    """All but sample 0."""
    factor = rows.inner if isinstance(rows.inner, int) else 1
    split = np.moveaxis(array, rows.axis, 0).reshape(-1, samples, factor, array.size // array.shape[rows.axis])
    return split[:, 1:]
