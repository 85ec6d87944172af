"""Random graphs, differentiated by the package and by the naive referee."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, assume, given, settings

from chainrule.autodiff.reverse import adjoints, gradients
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.node import Graph, make_graph
from chainrule.graph.primitives import PRIMITIVES
from tests.laws.naive import SCALAR, TENSOR, Referee, UndecidedError
from tests.laws.random_graphs import Example, examples

RELATIVE = 1e-9
ROUNDING = 1e-12  # of the sum of absolute values over all paths, which may cancel


def sizes_of(graph: Graph, inputs: dict[str, npt.NDArray[Any]]) -> dict[str, int]:
    pairs = [(d, s) for x in graph.inputs for d, s in zip(x.tensor.shape, inputs[x.label].shape, strict=True)]
    return {str(dim): length for dim, length in pairs if not isinstance(dim, int)}


def differentiable(example: Example) -> dict[str, Any]:
    return {node.label: node for node in example.graph.inputs if node.tensor.is_float}


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(examples())
def test_values_and_gradients_agree_with_the_naive_referee(example: Example) -> None:
    loss, wrt = example.graph["loss"], differentiable(example)
    sizes = sizes_of(example.graph, example.inputs)
    assume("n" in sizes or not any(node.primitive == "size" for node in example.graph.nodes))
    try:
        referee = Referee(example.graph, example.inputs, sizes)
    except UndecidedError:
        assume(False)
        return
    referee.backward(loss)
    named = dict(zip(wrt, gradients(loss, list(wrt.values())), strict=True))
    graph = make_graph({"y": example.graph["y"], "loss": loss, **named}, example.graph.inputs)
    ours = ReferenceBackend().evaluate(graph, example.inputs)
    expected = referee.read(example.graph["y"], lambda number: number.value)
    assert np.all(np.abs(ours["y"] - expected) <= RELATIVE * np.maximum(1.0, np.abs(expected)))
    for name, node in wrt.items():
        expected = referee.read(node, lambda number: number.adjoint)
        weight = referee.read(node, lambda number: number.weight)
        bound = RELATIVE * np.maximum(1.0, np.abs(expected)) + ROUNDING * weight
        assert np.all(np.abs(ours[name] - expected) <= bound), (name, ours[name], expected)


def test_the_referee_knows_every_primitive_that_random_graphs_have() -> None:
    assert set(SCALAR) | set(TENSOR) | {"input"} == set(PRIMITIVES) - {"random_bits", "scan", "item"}


@given(examples(steps=5))
def test_every_adjoint_has_the_type_of_its_node(example: Example) -> None:
    for node, adjoint in adjoints(example.graph["loss"], list(differentiable(example).values())).items():
        assert adjoint.type == node.type


def test_a_wrong_gradient_is_told_from_the_right_one() -> None:
    """The referee itself, on numbers worked by hand: d/dx of x² + 3 x at 2 is 7."""
    x = e.variable("x", "float64")
    loss = x**2 + 3.0 * x
    referee = Referee(make_graph({"loss": loss.node}), {"x": np.asarray(2.0)}, {})
    referee.backward(loss.node)
    assert referee.read(x.node, lambda number: number.adjoint) == 7.0
