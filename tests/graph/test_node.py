"""Nodes exist once, live as long as they are used, and are walked however deep they lie."""

from __future__ import annotations

import copy
import gc
import subprocess
import sys
import threading

import pytest

from chainrule.errors import GraphError, UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Graph, Node, _interned, depends_on, make_graph, topological, transform, users
from chainrule.graph.primitives import apply, rebuild
from chainrule.graph.tensor_type import TensorType
from chainrule.graph.text import parse, to_text
from chainrule.graph.verify import verify

DEEP = 20_000
SCALAR = TensorType("float64")
X = e.variable("x", "float64")
Y = e.variable("y", "float64")


def deep(base: e.Expr) -> e.Expr:
    """A chain far deeper than Python's stack."""
    result = base
    for _ in range(DEEP):
        result = result + base
    return result


def test_equal_nodes_are_one_object() -> None:
    assert (X + Y).node is (X + Y).node
    assert (X + Y).node is not (Y + X).node
    assert e.variable("x", "float64").node is X.node
    assert e.variable("x", "float32").node is not X.node


def test_numbers_that_python_holds_equal_are_told_apart() -> None:
    kinds = [(0.0, "float64"), (-0.0, "float64"), (1.0, "float64"), (1.0, "float32"), (1, "int32"), (True, "bool")]
    nodes = {apply("constant", value=value, type=TensorType(dtype)) for value, dtype in kinds}
    assert len(nodes) == len(kinds)
    assert str(e.constant(-0.0, SCALAR).node["value"]) == "-0.0"


def test_nan_is_one_constant() -> None:
    assert e.constant(float("nan"), SCALAR).node is e.constant(float("nan"), SCALAR).node


def test_a_node_nobody_holds_is_forgotten() -> None:
    gc.collect()
    before = len(_interned)
    value = e.variable("nobody else uses this name", "float64")
    for _ in range(100):
        value = e.tanh(value) * 2.0
    assert len(_interned) >= before + 200
    del value
    gc.collect()
    assert len(_interned) <= before


def test_a_deep_graph_is_freed_without_recursion() -> None:
    gc.collect()
    before = len(_interned)
    value = deep(e.variable("the base of a deep graph", "float64"))
    assert len(_interned) >= before + DEEP
    del value
    gc.collect()
    assert len(_interned) <= before


def test_threads_that_make_the_same_nodes_share_them() -> None:
    made: list[list[Node]] = []

    def make() -> None:
        made.append([(X * float(k) + Y).node for k in range(500)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(other[k] is made[0][k] for other in made for k in range(500))


def test_deep_graphs_pass_every_door() -> None:
    graph = make_graph({"y": deep(X).node})
    assert len(graph.nodes) == DEEP + 1
    assert len(depends_on(graph.results, [X.node])) == DEEP + 1
    image = transform(graph.results, rebuild)
    assert image[graph["y"]] is graph["y"]
    assert verify(graph) is graph
    assert parse(to_text(graph)) == graph
    assert Fact.POSITIVE in Facts({X.node: (Fact.POSITIVE,)}).of(graph["y"])


def test_inputs_come_before_their_users() -> None:
    z = X * Y
    graph = make_graph({"a": (z + X).node, "b": (Y - z).node})
    place = {node: k for k, node in enumerate(graph.nodes)}
    assert all(place[source] < place[node] for node in graph.nodes for source in node.inputs)
    assert len(place) == len(graph.nodes) == 5


def test_the_order_follows_from_the_structure_alone() -> None:
    script = (
        "from chainrule.graph import expr as e; from chainrule.graph.node import make_graph\n"
        "from chainrule.graph.text import to_text\n"
        "x, w, b = (e.variable(n, 'float64', (3,)) for n in ('x', 'w', 'b'))\n"
        "{waste}\n"
        "z = e.tanh(x * w + b)\n"
        "print(to_text(make_graph({{'y': (z * z).node, 'l': e.sum(z - x).node}})))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script.format(waste=waste)],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, waste in enumerate(["", "kept = [b - x, w * b, x * w + b]", "b / w"])
    }
    assert len(texts) == 1


def test_users_are_counted_once_for_each_reading() -> None:
    square = X * X
    total = square + X
    found = users(topological([total.node]))
    assert found[X.node] == [square.node, square.node, total.node]
    assert found[total.node] == []


def test_what_depends_on_a_source() -> None:
    z, other = X + 1.0, Y * 2.0
    reached = depends_on([(z * other).node], [X.node])
    assert X.node in reached
    assert z.node in reached
    assert other.node not in reached


def test_transform_replaces_from_the_inputs_up() -> None:
    def swap(node: Node, inputs: tuple[Node, ...]) -> Node:
        return Y.node if node is X.node else rebuild(node, inputs)

    z = e.exp(X) * X
    assert transform([z.node], swap)[z.node] is (e.exp(Y) * Y).node


def test_a_node_can_be_neither_changed_nor_copied() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        X.node.primitive = "add"
    with pytest.raises(GraphError, match="text"):
        copy.copy(X.node)


def test_a_graph_answers_by_name() -> None:
    graph = make_graph({"a": (X + Y).node}, [Y.node], {"x": [Fact.POSITIVE], "z": [Fact.NEGATIVE]})
    assert graph.input_names == ("y", "x")
    assert graph.facts == (("x", (Fact.POSITIVE,)),)
    assert graph.assumed() == {X.node: (Fact.POSITIVE,)}
    assert graph.input("x") is X.node
    assert graph.with_outputs({"b": X.node}) == Graph(graph.inputs, (("b", X.node),), graph.facts)
    for ask in (lambda: graph["c"], lambda: graph.input("c"), lambda: X.node["c"]):
        with pytest.raises(UnknownNameError):
            ask()


def test_two_inputs_of_one_name_are_refused() -> None:
    with pytest.raises(GraphError, match=r"two inputs are named x: float64\[\] and float32"):
        make_graph({"a": X.node, "b": e.variable("x", "float32").node})
