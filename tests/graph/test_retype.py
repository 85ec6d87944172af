"""The same computation in another float dtype."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from chainrule.backends.reference import ReferenceBackend
from chainrule.errors import DTypeError
from chainrule.graph import expr as e
from chainrule.graph.node import Graph, make_graph
from chainrule.graph.primitives import apply
from chainrule.graph.retype import retype
from chainrule.graph.tensor_type import named
from chainrule.graph.verify import verify
from tests.laws.random_graphs import Example, examples

N = named("n")


def float_dtypes(graph: Graph) -> set[str]:
    return {node.tensor.dtype for node in (*graph.inputs, *graph.nodes) if node.tensor.is_float}


@given(examples(dtype="float32", steps=6))
def test_every_float_changes_and_nothing_else(example: Example) -> None:
    graph = example.graph
    wide = verify(retype(graph, "float64"))
    assert float_dtypes(wide) == {"float64"}
    assert wide.input_names == graph.input_names
    assert wide.output_names == graph.output_names
    assert wide.facts == graph.facts
    assert retype(wide, "float32") == graph
    assert retype(graph, "float32") == graph


@given(examples(dtype="float32", steps=6, bound=5.0, without=frozenset({"argmax", "sign", "equal", "greater"})))
def test_the_wide_graph_computes_the_same_more_precisely(example: Example) -> None:
    backend = ReferenceBackend()
    wide = {name: x.astype(np.float64) for name, x in example.inputs.items()}
    near = backend.evaluate(example.graph, example.inputs)["loss"]
    exact = backend.evaluate(retype(example.graph, "float64"), wide)["loss"]
    assert exact.dtype == np.float64
    assert abs(near - exact) <= 1e-3 * max(1.0, abs(float(exact)))


def test_a_constant_keeps_the_number_that_was_written() -> None:
    x = e.variable("x", "float32")
    wide = retype(make_graph({"y": (x * 0.1).node}), "float64")
    assert ReferenceBackend().evaluate(wide, {"x": 1.0})["y"] == 0.1


def test_casts_between_floats_go_and_others_stay() -> None:
    bytes_ = e.variable("bytes", "uint8", (N,))
    pixels = e.cast(bytes_, "float32")
    graph = make_graph({"y": e.cast(pixels, "float64").node, "i": e.cast(pixels, "int32").node})
    wide = retype(graph, "float64")
    assert wide["y"] is e.cast(bytes_, "float64").node
    assert wide["i"] is e.cast(e.cast(bytes_, "float64"), "int32").node
    assert wide.inputs == graph.inputs


def test_inputs_nobody_reads_are_retyped_too() -> None:
    x = e.variable("x", "float32", (N,))
    assert retype(make_graph({}, [x.node]), "float64").inputs[0] is e.variable("x", "float64", (N,)).node


def test_bodies_of_loops_are_retyped() -> None:
    h, x = e.variable("h", "float32"), e.variable("x", "float32")
    body = make_graph({"h": (h + x * 0.5).node}, [h.node, x.node])
    scan = apply("scan", h.node, e.variable("xs", "float32", (N,)).node, body=body, carries=1, xs=1)
    graph = make_graph({"y": apply("item", scan, index=0)})
    wide = verify(retype(graph, "float64"))
    assert str(wide["y"].type) == "float64[]"
    assert retype(wide, "float32") == graph


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(DTypeError, match="float32 or float64, not in int32"):
        retype(make_graph({}), "int32")
