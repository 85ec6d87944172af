"""Reverse mode: each adjoint once, nothing visited in vain, and a sentence where there is no derivative."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.autodiff.reverse import adjoints, gradients, is_differentiable
from chainrule.errors import DerivativeError, ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, make_graph, topological
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import TensorType, named
from tests.absent import require
from tests.autodiff.networks import cross_entropy, dense, evaluate, half_squared_error, relu, row, values
from tests.laws.in_torch import run


def size_of(*nodes: Node) -> int:
    return len(topological(nodes))


def squared(times: int) -> tuple[Expr, Expr]:
    x = e.variable("x", "float64")
    y = x
    for _ in range(times):
        y = y * y
    return x, y


# ---- size ----


def test_a_value_used_twice_is_differentiated_once() -> None:
    """x ↦ x·x repeated 200 times has 2²⁰⁰ paths, and a gradient of a few nodes for each square."""
    x, y = squared(200)
    (gradient,) = gradients(y.node, [x.node])
    assert size_of(gradient) <= 200 * 5 + 5


def test_gradients_grow_in_proportion_to_the_network() -> None:
    def nodes(layers: int) -> int:
        network = dense([4] * (layers + 1), half_squared_error)
        loss = network.mean.node
        return size_of(loss, *gradients(loss, [p.node for p in network.parameters.values()]))

    ten, twenty, fifty = nodes(10), nodes(20), nodes(50)
    assert fifty - ten == 4 * (twenty - ten)
    assert fifty <= 50 * 30


def test_second_derivatives_grow_in_proportion_too() -> None:
    def nodes(times: int) -> int:
        x, y = squared(times)
        (first,) = gradients(y.node, [x.node])
        return size_of(*gradients(first, [x.node]))

    assert nodes(80) - nodes(40) == 2 * (nodes(40) - nodes(20))


def test_a_chain_of_ten_thousand_nodes_needs_no_recursion() -> None:
    x = e.variable("x", "float64")
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    (gradient,) = gradients(y.node, [x.node])
    (found,) = evaluate([gradient], [x.node], {"x": np.asarray(1.0)})
    assert found == pytest.approx(1.0001**10_000, rel=1e-11)


def test_what_the_parameters_cannot_change_is_not_visited() -> None:
    network = dense([3, 4, 4, 2], half_squared_error)
    found = adjoints(network.mean.node, [network.parameters["b3"].node])
    data = {node for node in network.inputs if node.label != "b3"}
    assert not data & set(found)
    assert {node.label for node in found if node.primitive == "input"} == {"b3"}


def test_an_adjoint_is_computed_once_for_all_who_ask() -> None:
    network = dense([3, 4, 4, 2], half_squared_error)
    loss, wrt = network.mean.node, [p.node for p in network.parameters.values()]
    together = gradients(loss, wrt)
    assert together == [gradients(loss, [each])[0] for each in wrt]  # the same nodes, by identity


# ---- values by hand ----


def test_the_worked_example() -> None:
    """y = x² + x z at x = 3, z = 4: ∂y/∂x = 2·3 + 4 = 10 and ∂y/∂z = 3."""
    x, z = e.variable("x", "float64"), e.variable("z", "float64")
    found = gradients((x**2 + x * z).node, [x.node, z.node])
    assert evaluate(found, [x.node, z.node], {"x": np.asarray(3.0), "z": np.asarray(4.0)}) == [10.0, 3.0]


def test_gradients_of_gradients() -> None:
    """x⁴ at 2: 32, 48, 48, 24, 0."""
    x = e.variable("x", "float64")
    at = (x**4).node
    found: list[float] = []
    for _ in range(5):
        (at,) = gradients(at, [x.node])
        found += [float(value) for value in evaluate([at], [x.node], {"x": np.asarray(2.0)})]
    assert found == [32.0, 48.0, 48.0, 24.0, 0.0]


def test_a_value_with_respect_to_itself_is_one() -> None:
    x = e.variable("x", "float64", (2,))
    assert gradients(x.node, [x.node]) == [e.like(1.0, x).node]


def test_an_inner_node_can_be_asked_for() -> None:
    x = e.variable("x", "float64")
    z = x**2
    found = gradients((3.0 * z).node, [z.node, x.node])
    assert evaluate(found, [x.node], {"x": np.asarray(5.0)}) == [3.0, 30.0]


def test_what_changes_nothing_gets_zero() -> None:
    x, unused = e.variable("x", "float64", (2,)), e.variable("unused", "float32", (3, 1))
    frozen = e.variable("frozen", "float64", (2,))
    loss = e.sum(x * e.stop_gradient(frozen))
    found = gradients(loss.node, [unused.node, frozen.node])
    assert found == [e.like(0.0, unused).node, e.like(0.0, frozen).node]
    assert unused.node not in adjoints(loss.node, [unused.node])


def test_a_seed_weighs_the_rows() -> None:
    x, u = e.variable("x", "float64", (3,)), e.variable("u", "float64", (3,))
    (found,) = gradients((x**2).node, [x.node], seed=u.node)
    given = {"x": np.array([1.0, 2.0, 3.0]), "u": np.array([1.0, 10.0, 100.0])}
    assert evaluate([found], [x.node, u.node], given)[0].tolist() == [2.0, 40.0, 600.0]


def test_rows_of_the_loss_give_each_samples_own_adjoint() -> None:
    """Seeded with ones, the adjoint of a pre-activation is the sample's delta, not its share of the mean."""
    network = dense([3, 4, 2], cross_entropy)
    batch = values(network, 5, seed=3)
    z = next(node for node in topological([network.per_sample_loss.node]) if node.primitive == "add")
    delta = adjoints(network.per_sample_loss.node, [p.node for p in network.parameters.values()])[z]
    (together,) = evaluate([delta], network.inputs, batch)
    alone = [evaluate([delta], network.inputs, row(batch, n))[0][0] for n in range(5)]
    assert np.allclose(together, alone, rtol=1e-13, atol=1e-15)


def test_one_graph_serves_every_batch() -> None:
    network = dense([3, 4, 2], half_squared_error)
    (gradient,) = gradients(network.mean.node, [network.parameters["W1"].node])
    batch = values(network, 6, seed=4)
    (whole,) = evaluate([gradient], network.inputs, batch)
    alone = [evaluate([gradient], network.inputs, row(batch, n))[0] for n in range(6)]
    assert np.allclose(whole, np.mean(alone, axis=0), rtol=1e-12, atol=1e-15)


@pytest.mark.oracle
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradients_of_a_network_agree_with_pytorch(weighted: bool) -> None:
    torch = require("torch", "pip install 'chainrule[oracles]'")
    network = dense([6, 8, 7, 4], cross_entropy, (e.tanh, relu))
    batch = values(network, 5, seed=5)
    loss = network.loss(weighted).node
    mine = evaluate(gradients(loss, [p.node for p in network.parameters.values()]), network.inputs, batch)
    theirs = {name: torch.tensor(v, requires_grad=name in network.parameters) for name, v in batch.items()}
    run([loss], theirs, {"n": 5})[0].backward()
    for name, gradient in zip(network.parameters, mine, strict=True):
        assert np.abs(gradient - theirs[name].grad.numpy()).max() <= 1e-10, name


# ---- where there is none ----


@pytest.mark.parametrize("dtype", ["int32", "uint32", "bool"])
def test_whole_numbers_have_no_derivative(dtype: str) -> None:
    k = apply("input", name="k", type=TensorType(dtype, (2,)))  # type: ignore[arg-type] - each is a dtype
    loss = e.sum(e.cast(Expr(k), "float64")).node
    with pytest.raises(DerivativeError, match=rf"k is {dtype}\[2\], which has no derivative; ask for a float value"):
        gradients(loss, [k])
    with pytest.raises(DerivativeError, match=r"the output is .*differentiate a float value"):
        gradients(k, [loss])


def test_a_seed_of_another_type_is_refused() -> None:
    x = e.variable("x", "float64", (2,))
    with pytest.raises(ShapeError, match=r"the seed is float64\[\], and the output is float64\[2\]"):
        gradients((x * 2.0).node, [x.node], seed=e.constant(1.0, TensorType("float64")).node)


def test_a_loop_has_no_derivative_yet_and_says_so() -> None:
    h, x = e.variable("h", "float64", (2,)), e.variable("x_t", "float64", (2,))
    body = make_graph({"h": e.tanh(h + x).node}, [h.node, x.node])
    xs = e.variable("xs", "float64", (named("t"), 2))
    loop = apply("scan", h.node, xs.node, body=body, carries=1, xs=1)
    last = apply("item", loop, index=0)
    with pytest.raises(DerivativeError, match=r"item has no derivative yet"):
        gradients(e.sum(Expr(last)).node, [h.node])


def test_which_inputs_can_be_differentiated() -> None:
    x, y = e.variable("x", "float64", (2,)), e.variable("y", "float64", (2,))
    chosen = e.select(x > y, x, y).node
    assert [is_differentiable(chosen, i) for i in range(3)] == [False, True, True]
    assert not is_differentiable((x > y).node, 0)
    assert not is_differentiable(e.argmax(x).node, 0)
