"""Evaluating a graph once: what may be given, what comes back, and that nothing else is kept."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from chainrule.backends.reference import ReferenceBackend
from chainrule.errors import BackendError, ChainruleError, DTypeError, InputError, ShapeError, ValueRangeError
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import TensorType, named
from tests.laws.random_graphs import Example, examples

BACKEND = ReferenceBackend()
N = named("n")
X = e.variable("x", "float32", (N, 2))
K = e.variable("k", "int32")
GRAPH = make_graph({"y": (X * 2).node, "k": (K + 1).node}, [X.node, K.node])
ONES = np.ones((3, 2), np.float32)


def test_one_graph_serves_any_number_of_rows() -> None:
    for rows in (1, 7, 1, 100, 3, 2, 5, 7):
        result = BACKEND.evaluate(GRAPH, {"x": np.ones((rows, 2), np.float32), "k": 1})
        assert result["y"].shape == (rows, 2)
        assert result["k"] == 2


@pytest.mark.parametrize("value", [[[1, 2.5]], ((True, 2.5),), np.array([[1, 2.5]], np.float32)])
def test_python_numbers_take_the_dtype(value: Any) -> None:
    result = BACKEND.evaluate(GRAPH, {"x": value, "k": True})
    assert result["y"].tolist() == [[2.0, 5.0]]
    assert result["y"].dtype == np.float32


@pytest.mark.parametrize(
    ("inputs", "error", "sentence"),
    [
        ({"x": ONES}, InputError, "the input k is missing: given are x; give it too"),
        ({"x": ONES, "k": 1, "z": 2}, InputError, "unknown input 'z'"),
        ({"x": ONES.astype(np.float64), "k": 1}, DTypeError, "x has dtype float64, and float32 is wanted; convert it"),
        ({"x": ONES, "k": np.int64(1)}, DTypeError, "k has dtype int64, and int32 is wanted"),
        ({"x": ONES, "k": 1.0}, DTypeError, "k has dtype float64, and int32 is wanted"),
        ({"x": ONES, "k": 2**40}, ValueRangeError, "k holds a number outside -2147483648 to 2147483647"),
        ({"x": ONES, "k": "1"}, DTypeError, "k has dtype <U1"),
        ({"x": [[1.0, 2.0], [3.0]], "k": 1}, ShapeError, "x is no array: its rows differ in length"),
        ({"x": ONES[0], "k": 1}, ShapeError, r"x has shape \(2,\), and \(n, 2\) is wanted"),
        ({"x": ONES[:, :1], "k": 1}, ShapeError, r"x has shape \(3, 1\), and \(n, 2\) is wanted"),
        ({"x": ONES[:0], "k": 1}, ShapeError, "so n is 0; give at least one"),
        ({"x": ONES + 0j, "k": 1}, DTypeError, "x has dtype complex64"),
    ],
)
def test_what_does_not_fit_is_refused(inputs: Any, error: type[ChainruleError], sentence: str) -> None:
    with pytest.raises(error, match=sentence) as caught:
        BACKEND.evaluate(GRAPH, inputs)
    assert "\n" not in str(caught.value)


def test_the_caller_owns_what_comes_back() -> None:
    given = np.ones((3, 2), np.float32)
    outputs = {"x": X, "same": e.stop_gradient(X), "view": e.reshape(X, (2, N)), "fixed": e.like(1, X)}
    graph = make_graph({name: each.node for name, each in outputs.items()})
    first = BACKEND.evaluate(graph, {"x": given})
    for array in first.values():
        array[:] = 9.0
    assert np.array_equal(given, ONES)
    second = BACKEND.evaluate(graph, {"x": given})
    assert all((array == 1).all() for array in second.values())


def test_results_are_arrays_in_c_order_even_when_scalar() -> None:
    outputs = {"turned": X.T, "repeated": e.broadcast_to(X, (2, N, 2)), "total": e.sum(X), "n": e.size("n")}
    result = BACKEND.evaluate(make_graph({name: each.node for name, each in outputs.items()}), {"x": ONES})
    for array in result.values():
        assert type(array) is np.ndarray
        assert array.flags.c_contiguous
        assert array.flags.writeable


@given(examples())
def test_asking_for_more_leaves_the_bits_alone(example: Example) -> None:
    graph = example.graph
    everything = {f"v{k}": node for k, node in enumerate(graph.nodes)} | dict(graph.outputs)
    alone = BACKEND.evaluate(graph, example.inputs)
    together = BACKEND.evaluate(graph.with_outputs(everything), example.inputs)
    for name, array in alone.items():
        assert array.tobytes() == together[name].tobytes()
    for name, node in everything.items():
        kind = node.tensor
        assert together[name].dtype == kind.dtype
        assert together[name].ndim == kind.rank


@given(examples(dtype="float32"))
def test_float32_stays_float32_everywhere(example: Example) -> None:
    graph = example.graph
    named_nodes = {f"v{k}": node for k, node in enumerate(graph.nodes)}
    values = BACKEND.evaluate(graph.with_outputs(named_nodes), example.inputs)
    assert all(values[name].dtype == node.tensor.dtype for name, node in named_nodes.items())


def test_the_layout_of_what_is_given_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(50, 60)), rng.normal(size=(60, 40))
    graph = make_graph({"y": (e.variable("x", "float64", (50, 60)) @ e.variable("w", "float64", (60, 40))).node})
    plain = BACKEND.evaluate(graph, {"x": x, "w": w})["y"]
    turned = BACKEND.evaluate(graph, {"x": np.asfortranarray(x), "w": np.repeat(w, 2, axis=1)[:, ::2]})["y"]
    assert plain.tobytes() == turned.tobytes()


def test_values_between_are_let_go() -> None:
    long = e.variable("x", "float64", (N,))
    value = long
    for _ in range(50):
        value = e.tanh(value) * 1.5
    graph = make_graph({"y": value.node})
    x = np.ones(100_000)
    BACKEND.evaluate(graph, {"x": x[:1]})  # the schedule itself is kept
    tracemalloc.start()
    BACKEND.evaluate(graph, {"x": x})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * x.nbytes


def test_a_loop_is_refused_with_its_reason() -> None:
    h, x = e.variable("h", "float32"), e.variable("v", "float32")
    body = make_graph({"h": (h + x).node}, [h.node, x.node])
    scan = apply("scan", h.node, e.variable("xs", "float32", (N,)).node, body=body, carries=1, xs=1)
    graph = make_graph({"y": apply("item", scan, index=0)})
    with pytest.raises(BackendError, match="cannot run scan: loops are reserved; they arrive with recurrent layers"):
        BACKEND.evaluate(graph, {"h": 0.0, "xs": np.ones(3, np.float32)})


def test_a_size_nobody_has_is_refused() -> None:
    with pytest.raises(InputError, match="unknown size 'n'"):
        BACKEND.evaluate(make_graph({"y": e.size("n").node}), {})


def test_an_empty_graph_gives_nothing() -> None:
    assert BACKEND.evaluate(make_graph({}), {}) == {}
    constant = make_graph({"y": e.constant(2.0, TensorType("float64")).node})
    assert BACKEND.evaluate(constant, {})["y"] == 2.0
