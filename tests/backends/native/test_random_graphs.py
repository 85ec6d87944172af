"""Random graphs and their gradients, in native code and in the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from chainrule.autodiff.reverse import gradients
from chainrule.backends.native import NativeBackend
from chainrule.backends.native.machine import runnable
from chainrule.graph.node import make_graph
from tests.backends.native.agreement import REFERENCE, bits_of
from tests.laws.random_graphs import Example, examples
from tests.laws.test_random_graphs import sizes_of

ROUNDING = {"float32": 2e-3, "float64": 1e-9}  # of the largest element; sums may cancel, gradients grow


def compare(example: Example, dtype: Any) -> None:
    wrt = {node.label: node for node in example.graph.inputs}
    slopes = dict(zip(wrt, gradients(example.graph["loss"], list(wrt.values())), strict=True))
    graph = make_graph({"y": example.graph["y"], "loss": example.graph["loss"], **slopes}, example.graph.inputs)
    sizes = sizes_of(graph, example.inputs)
    assume("n" in sizes or not any(node.primitive == "size" for node in graph.nodes))
    isa = runnable()[len(graph.nodes) % 2 if len(runnable()) > 1 else 0]
    ours, hasty, wanted = (
        each.evaluate(graph, example.inputs)
        for each in (NativeBackend(isa, hasty=False), NativeBackend(isa), REFERENCE)
    )
    for name, array in wanted.items():
        assert bits_of(hasty[name]) == bits_of(ours[name]), name
        assert ours[name].shape == array.shape
        bound = ROUNDING[dtype] * max(1.0, float(np.abs(array).max(initial=0.0)))
        assert np.all(np.abs(ours[name] - array) <= bound), name


@settings(max_examples=15, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.data())
def test_values_and_gradients_agree(data: st.DataObject) -> None:
    compare(data.draw(examples()), "float64")


@settings(max_examples=15, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.data())
def test_smooth_values_and_gradients_agree_in_single_precision(data: st.DataObject) -> None:
    jumps = frozenset({"select", "greater", "sign", "argmax", "max", "maximum", "minimum", "abs"})
    compare(data.draw(examples(dtype="float32", without=jumps)), "float32")
