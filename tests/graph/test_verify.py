"""A graph that is not well formed is refused, with the node and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from chainrule.draws import Purpose
from chainrule.errors import GraphError
from chainrule.graph import expr as e
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, Node, intern, make_graph
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import Size, TensorType, named
from chainrule.graph.verify import verify
from tests.laws.random_graphs import Example, examples

N = named("n")
X = e.variable("x", "float32", (N, 3))
S = e.variable("s", "float32")
F3 = TensorType("float32", (3,))


@given(examples(steps=6))
def test_what_formulas_make_is_well_formed(example: Example) -> None:
    assert verify(example.graph) is example.graph


def forged(primitive: str, *inputs: Node, type_: Any = X.type, **attributes: Any) -> Node:
    """A node made without the type rule."""
    return intern(primitive, inputs, tuple(attributes.items()), type_)


BROKEN: list[tuple[Node, str]] = [
    (forged("sine", X.node), "is of no known primitive"),
    (forged("exp", X.node, type_=S.type), r"exp of type float32\[\] should have the type float32\[n, 3\]"),
    (forged("exp", X.node, X.node), "takes 1 inputs, and got 2"),
    (forged("sum", X.node), r"has the attributes \(\), and \('axes',\) are wanted"),
    (forged("pad", X.node, after=0, before=0, axis=1), r"has the attributes \('after', 'before', 'axis'\)"),
    (forged("add", X.node, S.node), "works element by element on one shape"),
    (forged("sum", X.node, axes=Purpose.SPLIT), "only plain values may be"),
    (forged("reshape", X.node, shape=(Size(1, ("t", "n")),)), "is not in its one form"),
    (forged("reshape", X.node, shape=(Size(3, ()),)), "is not in its one form"),
    (Node("exp", (X.node,), (), X.type), "second copy"),
]


@pytest.mark.parametrize(("node", "sentence"), BROKEN)
def test_a_broken_node_is_named(node: Node, sentence: str) -> None:
    graph = Graph((X.node, S.node), (("y", node),))
    with pytest.raises(GraphError, match=sentence) as caught:
        verify(graph)
    assert node.primitive in str(caught.value)


def test_a_node_that_depends_on_itself_is_refused() -> None:
    node = Node("exp", (X.node,), (), X.type)
    around = Node("negate", (node,), (), X.type)
    object.__setattr__(node, "inputs", (around,))
    with pytest.raises(GraphError, match="depends on itself through"):
        verify(Graph((X.node,), (("y", node),)))
    object.__setattr__(node, "inputs", ())


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (Graph((), (("y", e.exp(X).node),)), "input x of type .* is used and not listed"),
        (Graph((e.exp(X).node, X.node), ()), "is listed as an input, and is none|has the attributes"),
        (Graph((X.node,), (("y", X.node), ("y", X.node))), "2 outputs are named y"),
        (Graph((X.node, e.variable("x", "int32").node), ()), "2 inputs are named x"),
        (Graph((X.node,), (("", X.node),)), "one of the outputs has an empty name"),
        (Graph((e.variable("", "int32").node,), ()), "one of the inputs has an empty name"),
    ],
)
def test_names_and_inputs_must_fit(graph: Graph, sentence: str) -> None:
    with pytest.raises(GraphError, match=sentence):
        verify(graph)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ((("z", (Fact.POSITIVE,)),), "facts are assumed of z, which is no input; known are x, s, u"),
        ((("x", (Fact.POSITIVE,)), ("x", (Fact.BINARY,))), "the facts of x are given 2 times"),
        ((("s", (Fact.ROWS_SUM_TO_ONE,)),), "which has no rows"),
        ((("u", (Fact.NEGATIVE,)),), "which cannot be negative"),
        ((("x", (Fact.NEGATIVE, Fact.BINARY)),), "which cannot be"),
        ((("x", ("positive",)),), "is no fact"),
    ],
)
def test_facts_must_fit_their_inputs(facts: Any, sentence: str) -> None:
    graph = Graph((X.node, S.node, e.variable("u", "uint32").node), (), facts)
    with pytest.raises(GraphError, match=sentence):
        verify(graph)


def test_labels_are_no_bools() -> None:
    graph = Graph((e.variable("b", "bool", (N,)).node,), (), (("b", (Fact.LABELS,)),))
    with pytest.raises(GraphError, match="labels are whole numbers"):
        verify(graph)


def loop(result: Node, body_inputs: list[Node]) -> Graph:
    """A graph whose loop has a body with this carried value."""
    body = Graph(tuple(body_inputs), (("h", result),))
    init, xs = e.variable("init", "float32", (3,)).node, e.variable("xs", "float32", (N, 3)).node
    scan = apply("scan", init, xs, body=body, carries=1, xs=1)
    return make_graph({"h": apply("item", scan, index=0)})


def test_bodies_of_loops_are_looked_at() -> None:
    h, x = apply("input", name="h", type=F3), apply("input", name="x", type=F3)
    good = loop(apply("add", h, x), [h, x])
    assert verify(good) is good
    with pytest.raises(GraphError, match="sine of type"):
        verify(loop(forged("sine", h, type_=F3), [h, x]))
    outside = apply("add", h, e.variable("other", "float32", (3,)).node)
    with pytest.raises(GraphError, match=r"input other .* is used and not listed"):
        verify(loop(outside, [h, x]))


def test_several_values_are_no_output() -> None:
    h, x = apply("input", name="h", type=F3), apply("input", name="x", type=F3)
    scan = loop(apply("add", h, x), [h, x]).nodes[-1].inputs[0]
    with pytest.raises(GraphError, match="several values; read one of them with item"):
        verify(make_graph({"y": scan}))
