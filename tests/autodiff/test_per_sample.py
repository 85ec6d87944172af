"""A sample's own term: it adds up to the gradient, and is the gradient of that sample alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from chainrule.autodiff.per_sample import contributions, row_separable
from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.simplify import simplify
from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.errors import DerivativeError, ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, Node, make_graph, topological
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import Dim, named
from tests.autodiff.networks import LOSSES, Array, Loss, dense, evaluate, half_squared_error, relu, row, values

N, T = named("n"), named("t")
SAMPLES = 5
SIZES = {"n": SAMPLES, "t": 3}


def entries(gradient: Node) -> list[tuple[int, ...]]:
    return list(product(*(range(dim) for dim in gradient.tensor.shape if isinstance(dim, int))))


def check_sums(gradient: Node, inputs: list[Node], given: dict[str, Array], only: int = 12) -> list[Array]:
    """The terms of each entry (of a few, evenly chosen); they add up to the gradient within 1e-12 of Σ |terms|."""
    chosen = entries(gradient)[:: max(1, len(entries(gradient)) // only)]
    terms = [contributions(gradient, index) for index in chosen]
    assert all(term.tensor.shape == (N,) for term in terms)
    whole, *columns = evaluate([gradient, *terms], inputs, given)
    for index, column in zip(chosen, columns, strict=True):
        assert abs(column.sum() - whole[index]) <= 1e-12 * np.abs(column).sum(), index
    return columns


# ---- networks ----


@pytest.mark.parametrize("weighted", [False, True], ids=["mean", "weighted"])
@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2), (3, 5, 4, 2)], ids=["1 layer", "2 layers", "3 layers"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_a_term_is_the_gradient_of_its_row_alone_times_its_weight(
    loss: Loss, widths: tuple[int, ...], weighted: bool
) -> None:
    network = dense(widths, loss, (e.tanh, relu))
    batch = values(network, SAMPLES, seed=len(widths))
    shares = batch["w"] / batch["w"].sum() if weighted else np.full(SAMPLES, 1.0 / SAMPLES)
    found = gradients(network.loss(weighted).node, [p.node for p in network.parameters.values()])
    alone = [evaluate(found, network.inputs, row(batch, n)) for n in range(SAMPLES)]
    for place, gradient in enumerate(found):
        columns = check_sums(gradient, network.inputs, batch)
        chosen = entries(gradient)[:: max(1, len(entries(gradient)) // 12)]
        for index, column in zip(chosen, columns, strict=True):
            expected = np.array([each[place][index] for each in alone]) * shares
            assert np.abs(column - expected).max() <= 1e-12 * np.abs(expected).max()


PASSES: dict[str, Callable[[Graph], Graph]] = {
    "simplify": lambda graph: simplify(graph)[0],
    "stabilize": stabilize,
    "tidy": tidy,
    "all": lambda graph: tidy(stabilize(simplify(graph)[0])),
}


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_rewritten_gradients_keep_the_form_of_a_sum(loss: Loss, name: str) -> None:
    network = dense((3, 5, 4, 2), loss, (e.tanh, relu))
    batch = values(network, SAMPLES, seed=1)
    found = gradients(network.weighted.node, [p.node for p in network.parameters.values()])
    named_outputs = {**dict(zip(network.parameters, found, strict=True)), "losses": network.per_sample_loss.node}
    facts = {"y": [Fact.ONE_HOT], "w": [Fact.POSITIVE]}
    graph = PASSES[name](make_graph(named_outputs, network.inputs, facts))
    assert row_separable(graph["losses"]) is None
    for parameter in network.parameters:
        check_sums(graph[parameter], network.inputs, batch, only=4)


def test_a_term_of_a_dense_layer_is_activation_times_delta() -> None:
    """The columns i of x and j of δ, not all products of them."""
    network = dense((64, 32, 10), half_squared_error)
    (gradient,) = gradients(network.mean.node, [network.parameters["W1"].node])
    column = contributions(gradient, (28, 3))
    assert gradient.primitive == "matmul"
    new = set(topological([column])) - set(topological([gradient]))
    assert {node.primitive for node in new} == {"slice", "reshape", "multiply"}
    assert all(node.tensor.shape in ((N,), (N, 1), (N, 1, 1)) for node in new)
    delta = gradient.inputs[1]
    cuts = {(node.inputs[0], node["start"]) for node in new if node.primitive == "slice"}
    assert cuts == {(network.inputs[0], 28), (delta, 3)}


def test_a_batch_of_one_has_one_term() -> None:
    network = dense((3, 4, 2), half_squared_error)
    batch = row(values(network, SAMPLES, seed=1), 2)
    (gradient,) = gradients(network.weighted.node, [network.parameters["W2"].node])
    assert all(column.shape == (1,) for column in check_sums(gradient, network.inputs, batch))


def test_a_parameter_used_in_two_layers_collects_both() -> None:
    x, W = e.variable("x", "float64", (N, 3)), e.variable("W", "float64", (3, 3))
    loss = e.mean(e.sum(e.tanh(e.tanh(x @ W) @ W), -1))
    rng = np.random.default_rng(2)
    given = {"x": rng.normal(size=(SAMPLES, 3)), "W": rng.normal(size=(3, 3))}
    (gradient,) = gradients(loss.node, [W.node])
    assert gradient.primitive == "add"
    columns = check_sums(gradient, [x.node, W.node], given)
    assert all(np.any(column != 0.0) for column in columns)


def test_what_is_frozen_or_unused_has_terms_of_zero() -> None:
    unused = e.variable("unused", "float64", (2, 2))
    network = dense((3, 2), half_squared_error)
    (gradient,) = gradients(network.mean.node, [unused.node])
    (column,) = evaluate([contributions(gradient, (1, 1))], network.inputs, values(network, SAMPLES, seed=1))
    assert column.tolist() == [0.0] * SAMPLES


def test_terms_survive_infinities_elsewhere() -> None:
    """An entry is cut out, not multiplied out: an overflow in another column does not reach it."""
    x, W = e.variable("x", "float64", (N, 2)), e.variable("W", "float64", (2, 1))
    (gradient,) = gradients(e.sum(x @ W).node, [W.node])
    given = {"x": np.array([[np.inf, 1.0], [np.nan, 2.0]]), "W": np.ones((2, 1))}
    (column,) = evaluate([contributions(gradient, (1, 0))], [x.node, W.node], given)
    assert column.tolist() == [1.0, 2.0]


def test_ten_thousand_uses_of_a_parameter_need_no_recursion() -> None:
    x, b = e.variable("x", "float64", (N,)), e.variable("b", "float64")
    loss = x
    for _ in range(5_000):
        loss = e.sigmoid(loss + b)
    (gradient,) = gradients(e.sum(loss).node, [b.node])
    (column,) = evaluate([contributions(gradient, ())], [x.node, b.node], {"x": np.arange(3.0), "b": np.asarray(0.5)})
    assert column.shape == (3,)


# ---- other ways to write a sum over the samples ----


def weights_as_sum_of_products(x: Expr, W: Expr) -> Expr:
    """x W written out: Σᵢ xₙᵢ Wᵢₒ."""
    return e.sum(e.reshape(x, (N, 4, 1)) * W, 1)


def weights_repeated_for_each_sample(x: Expr, W: Expr) -> Expr:
    repeated = e.broadcast(W, (N, 4, 3), (0,))
    return e.reshape(e.reshape(x, (N, 1, 4)) @ repeated, (N, 3))


def weights_on_the_left(x: Expr, W: Expr) -> Expr:
    return (W.T @ x.T).T


def weights_joined(x: Expr, W: Expr) -> Expr:
    return x @ e.concatenate([e.slice_axis(W, 0, 2, 4), e.slice_axis(W, 0, 0, 2)], 0)


def weights_padded(x: Expr, W: Expr) -> Expr:
    return x @ e.pad(e.slice_axis(W, 1, 1, 3), 1, 1, 0)


def weights_reshaped(x: Expr, W: Expr) -> Expr:
    return x @ e.transpose(e.reshape(W, (3, 4)), (1, 0))


def weights_factored(x: Expr, W: Expr) -> Expr:
    return x @ (W @ (W.T @ W))


def weights_scaled(x: Expr, W: Expr) -> Expr:
    return x @ (W / e.sum(W**2, 0, keepdims=True))


def weights_rectified(x: Expr, W: Expr) -> Expr:
    return x @ (-e.maximum(W, 0.0) - 0.1 * W)


def weights_shared_by_columns(x: Expr, W: Expr) -> Expr:
    return x @ e.broadcast(e.sum(W, 1), (4, 3), (1,))


def weights_in_float32(x: Expr, W: Expr) -> Expr:
    return e.cast(x, "float32") @ e.cast(W, "float32")


WAYS: tuple[Callable[[Expr, Expr], Expr], ...] = (
    weights_as_sum_of_products,
    weights_repeated_for_each_sample,
    weights_on_the_left,
    weights_joined,
    weights_padded,
    weights_reshaped,
    weights_factored,
    weights_scaled,
    weights_rectified,
    weights_shared_by_columns,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_terms_do_not_depend_on_how_the_layer_is_written(way: Callable[[Expr, Expr], Expr]) -> None:
    x, W = e.variable("x", "float64", (N, 4)), e.variable("W", "float64", (4, 3))
    (gradient,) = gradients(e.mean(e.sum(e.tanh(way(x, W)), 1)).node, [W.node])
    rng = np.random.default_rng(3)
    given = {"x": rng.normal(size=(SAMPLES, 4)), "W": rng.normal(size=(4, 3))}
    columns = check_sums(gradient, [x.node, W.node], given)
    for n in range(SAMPLES):
        (alone,) = evaluate([gradient], [x.node, W.node], {**given, "x": given["x"][n : n + 1]})
        for index, column in zip(entries(gradient), columns, strict=True):
            assert abs(column[n] * SAMPLES - alone[index]) <= 1e-12 * max(1.0, abs(alone[index]))


# What may follow the sum over the samples: s and r are such sums of shape (2, 3, 4), f is a value that all share.
AFTER: dict[str, Callable[[Expr, Expr, Expr], Expr]] = {
    "difference": lambda s, r, f: s - r,
    "nothing minus a sum": lambda s, r, f: 0.0 - s,
    "nothing plus a sum": lambda s, r, f: 0.0 + s,
    "a sum minus nothing": lambda s, r, f: s - 0.0,
    "negative": lambda s, r, f: -(s + r),
    "factor from the left": lambda s, r, f: f * s,
    "factor from the right": lambda s, r, f: s * f,
    "divisor": lambda s, r, f: s / (1.0 + f**2),
    "choice": lambda s, r, f: e.select(f > 0.0, s, r),
    "choice of nothing": lambda s, r, f: e.select(f > 0.0, 0.0, r),
    "axes round": lambda s, r, f: e.transpose(s, (2, 0, 1)),
    "axes round twice": lambda s, r, f: e.transpose(e.tanh(f).T * e.transpose(s, (0, 2, 1)), (1, 2, 0)),
    "axes round, in parts": lambda s, r, f: e.transpose(e.transpose(s, (1, 2, 0)), (0, 2, 1)),
    "axes round, weighed": lambda s, r, f: e.sum(
        e.transpose(e.transpose(s, (1, 2, 0)), (0, 2, 1)) * e.cast(e.iota((3, 2, 4), 2), "float64"), 2
    ),
    "reshape": lambda s, r, f: e.reshape(s, (4, 6)),
    "reshape of a part": lambda s, r, f: e.sum(e.reshape(s, (6, 4)), 1),
    "slice": lambda s, r, f: e.slice_axis(s, 1, 1, 3),
    "slice of a sum": lambda s, r, f: e.slice_axis(e.sum(s, 2), 1, 1, 2),
    "pad": lambda s, r, f: e.pad(s, 2, 1, 2),
    "pad, weighed": lambda s, r, f: e.sum(e.pad(s, 2, 1, 2) * e.cast(e.iota((2, 3, 7), 2), "float64"), 2),
    "concatenate": lambda s, r, f: e.concatenate([s, r, s], 1),
    "concatenate, weighed": lambda s, r, f: e.sum(
        e.concatenate([r, s], 1) * e.cast(e.iota((2, 6, 4), 1), "float64"), 1
    ),
    "nothing before": lambda s, r, f: e.concatenate([e.like(0.0, s), s], 2),
    "sum": lambda s, r, f: e.sum(s, (0, 2)),
    "sum of everything": lambda s, r, f: e.sum(s),
    "broadcast": lambda s, r, f: e.broadcast(s, (2, 5, 3, 4), (1,)),
    "matrix from the left": lambda s, r, f: e.transpose(f, (0, 2, 1)) @ s,
    "matrix from the right": lambda s, r, f: s @ e.transpose(f, (0, 2, 1)),
    "same dtype": lambda s, r, f: Expr(apply("cast", s.node, dtype="float64")),
    "held": lambda s, r, f: e.stop_gradient(s),
}


@pytest.mark.parametrize("name", AFTER)
def test_what_may_follow_the_sum(name: str) -> None:
    """All of it is linear, so a batch of one row alone has the row's term as its value."""
    x, f = e.variable("x", "float64", (N, 2, 3, 4)), e.variable("f", "float64", (2, 3, 4))
    value = AFTER[name](e.sum(x, 0), e.sum(x**2, 0), f).node
    rng = np.random.default_rng(8)
    given = {"x": rng.normal(size=(SAMPLES, 2, 3, 4)), "f": rng.normal(size=(2, 3, 4))}
    terms = [contributions(value, index) for index in entries(value)]
    columns = evaluate(terms, [x.node, f.node], given)
    for n in range(SAMPLES):
        (alone,) = evaluate([value], [x.node, f.node], {**given, "x": given["x"][n : n + 1]})
        found = np.array([column[n] for column in columns]).reshape(alone.shape)
        assert np.allclose(found, alone, rtol=1e-12, atol=1e-14)


def test_only_one_factor_varies_and_time_comes_first() -> None:
    """Σ over t·n of shared rows times columns that vary: the columns tell which place belongs to which sample."""
    x, f = e.variable("x", "float64", (T, N, 2)), e.variable("f", "float64", (3,))
    both = e.product((N, T))
    value = (e.broadcast(f, (3, both), (1,)) @ e.reshape(x, (both, 2))).node
    rng = np.random.default_rng(9)
    given = {"x": rng.normal(size=(2, SAMPLES, 2)), "f": rng.normal(size=3)}
    (column,) = evaluate([contributions(value, (2, 1))], [x.node, f.node], given)
    assert np.allclose(column, given["f"][2] * given["x"][:, :, 1].sum(0), rtol=1e-13)


def test_a_layer_in_float32_has_terms_in_float64_where_the_parameter_is() -> None:
    x, W = e.variable("x", "float64", (N, 4)), e.variable("W", "float64", (4, 3))
    (gradient,) = gradients(e.cast(e.sum(weights_in_float32(x, W)), "float64").node, [W.node])
    assert contributions(gradient, (0, 0)).tensor.dtype == "float64"


@pytest.mark.parametrize("way", [weights_as_sum_of_products, weights_repeated_for_each_sample])
def test_outer_products_are_never_written_out(way: Callable[[Expr, Expr], Expr]) -> None:
    x, W = e.variable("x", "float64", (N, 4)), e.variable("W", "float64", (4, 3))
    z = way(x, W)
    seed = e.variable("delta", "float64", (N, 3))
    (gradient,) = gradients(z.node, [W.node], seed=seed.node)
    column = contributions(gradient, (2, 1))
    assert (N, 4, 3) not in {node.tensor.shape for node in topological([column])}


@pytest.mark.parametrize(
    ("shape", "flat"),
    [((N, T, 4), (e.product((N, T)), 4)), ((T, N, 4), (e.product((N, T)), 4)), ((2, N, 4), (e.product((2, N)), 4))],
    ids=["samples first", "time first", "two blocks"],
)
def test_samples_that_share_an_axis_with_time_are_told_apart(shape: tuple[Dim, ...], flat: tuple[Dim, ...]) -> None:
    x, W, b = e.variable("x", "float64", shape), e.variable("W", "float64", (4, 3)), e.variable("b", "float64", (3,))
    z = e.tanh(e.reshape(x, flat) @ W + b)
    found = gradients(e.sum(z).node, [W.node, b.node])
    rng = np.random.default_rng(4)
    numbers = tuple(d if isinstance(d, int) else SIZES[str(d)] for d in shape)
    given = {"x": rng.normal(size=numbers), "W": rng.normal(size=(4, 3)), "b": rng.normal(size=3)}
    inputs = [x.node, W.node, b.node]
    axis = shape.index(N)
    for gradient in found:
        columns = check_sums(gradient, inputs, given)
        for n in range(SAMPLES):
            (alone,) = evaluate([gradient], inputs, {**given, "x": given["x"].take([n], axis)})
            for index, column in zip(entries(gradient), columns, strict=True):
                assert abs(column[n] - alone[index]) <= 1e-12 * max(1.0, abs(alone[index]))


def test_a_constant_delta_is_the_same_for_all() -> None:
    """The gradient of a bias under a mean of a linear network: each sample adds 1 / n."""
    network_bias = e.variable("b", "float64", (2,))
    x = e.variable("x", "float64", (N, 2))
    (gradient,) = gradients(e.mean(e.sum(x + network_bias, 1)).node, [network_bias.node])
    given = {"x": np.zeros((4, 2)), "b": np.zeros(2)}
    (column,) = evaluate([contributions(gradient, (1,))], [x.node, network_bias.node], given)
    assert column.tolist() == [0.25] * 4


def test_another_name_for_the_samples() -> None:
    x, w = e.variable("x", "float64", (T, 2)), e.variable("w", "float64", (2,))
    (gradient,) = gradients(e.sum(x * w).node, [w.node])
    column = contributions(gradient, (1,), samples="t")
    given = {"x": np.array([[1.0, 2.0], [3.0, 4.0]]), "w": np.ones(2)}
    assert evaluate([column], [x.node, w.node], given)[0].tolist() == [2.0, 4.0]


def test_batch_statistics_still_have_terms_that_add_up() -> None:
    """They are no gradients of single samples, which `row_separable` tells."""
    x, W = e.variable("x", "float64", (N, 4)), e.variable("W", "float64", (4, 3))
    z = x @ W
    centered = z - e.mean(z, 0, keepdims=True)
    normal = centered / e.sqrt(e.mean(centered**2, 0, keepdims=True) + 1e-3)
    (gradient,) = gradients(e.mean(e.sum(normal**3, 1)).node, [W.node])
    rng = np.random.default_rng(6)
    given = {"x": rng.normal(size=(SAMPLES, 4)), "W": rng.normal(size=(4, 3))}
    check_sums(gradient, [x.node, W.node], given)


# ---- what is refused ----


def linear_gradient() -> tuple[Node, Expr]:
    x, W = e.variable("x", "float64", (N, 4)), e.variable("W", "float64", (4, 3))
    return gradients(e.sum(x @ W).node, [W.node])[0], W


def test_a_penalty_is_named() -> None:
    gradient, W = linear_gradient()
    with pytest.raises(DerivativeError, match=r"multiply of type float64\[4, 3\] is no sum over n.*before penalties"):
        contributions((Expr(gradient) + 0.1 * W).node, (0, 0))


def test_a_function_of_the_sum_is_named() -> None:
    gradient, _ = linear_gradient()
    with pytest.raises(DerivativeError, match=r"tanh of type float64\[4, 3\] is no sum over n"):
        contributions(e.tanh(Expr(gradient)).node, (0, 0))


def test_a_product_of_two_sums_is_named() -> None:
    gradient, _ = linear_gradient()
    with pytest.raises(DerivativeError, match=r"multiply of type float64\[4, 3\] multiplies two sums over n"):
        contributions((Expr(gradient) * Expr(gradient)).node, (0, 0))


def test_a_factor_that_depends_on_the_sum_is_a_factor() -> None:
    """Clipping by the norm scales every term alike."""
    gradient, W = linear_gradient()
    x = next(node for node in topological([gradient]) if node.label == "x")
    clipped = Expr(gradient) / e.sqrt(e.sum(Expr(gradient) ** 2))
    given = {"x": np.random.default_rng(7).normal(size=(SAMPLES, 4)), "W": np.zeros((4, 3))}
    check_sums(clipped.node, [x, W.node], given)


def test_products_that_pair_different_orders_of_samples_are_named() -> None:
    both = e.product((N, T))
    x, d = e.variable("x", "float64", (N, T, 4)), e.variable("d", "float64", (T, N, 3))
    with pytest.raises(DerivativeError, match=r"matmul of type float64\[4, 3\] is no sum over n"):
        contributions((e.reshape(x, (both, 4)).T @ e.reshape(d, (both, 3))).node, (0, 0))


def test_a_sum_over_pairs_of_samples_belongs_to_no_sample() -> None:
    s = e.sum(e.variable("x", "float64", (N,)))
    with pytest.raises(DerivativeError, match=r"sum of type float64\[\] is no sum over n"):
        contributions(e.sum(e.broadcast(s, (N, N), (0, 1))).node, ())


def test_a_value_of_each_sample_is_no_gradient_of_a_parameter() -> None:
    x = e.variable("x", "float64", (N, 4))
    with pytest.raises(DerivativeError, match=r"a value of shape \(n, 4\) is not summed over n yet"):
        contributions(x.node, (0, 0))


@pytest.mark.parametrize("index", [(4, 0), (0, -1), (0,), (0, 0, 0)])
def test_an_entry_outside_is_refused(index: tuple[int, ...]) -> None:
    gradient, _ = linear_gradient()
    with pytest.raises(ShapeError, match=r"lies outside a gradient of shape \(4, 3\); count from 0"):
        contributions(gradient, index)
