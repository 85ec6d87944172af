"""The bounds that native code is held to: the true values lie inside them, and they are no wider than they need be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.backends.reference.table import TABLE
from chainrule.graph import expr as e
from chainrule.graph.retype import retype
from tests.backends.native.agreement import REFERENCE, formula
from tests.backends.native.rounding import FUNCTION_ULPS, ROWS, Known, bounds, is_right
from tests.laws.random_graphs import Example, examples

EPS = float(np.finfo(np.float32).eps)


def test_every_primitive_has_a_bound() -> None:
    assert set(ROWS) == {*TABLE, "input"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.data())
def test_what_is_near_lies_within_the_bounds(data: st.DataObject) -> None:
    """What float64 says of a graph in float32 and of inputs that are not quite the same."""
    example: Example = data.draw(examples(dtype="float32"))
    given_ = {node.label: example.inputs[node.label] for node in example.graph.inputs}
    rng = np.random.default_rng(1)
    near = {name: array + rng.uniform(-1e-4, 1e-4, array.shape) for name, array in given_.items()}
    exact = REFERENCE.evaluate(retype(example.graph, "float64"), near)
    for name, (value, off) in bounds(example.graph, given_, off=1e-4).items():
        assert np.all((np.abs(exact[name] - value) <= off) | np.isinf(off)), name


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda x: -x + x * x, [0, 0, 0]),
        (e.exp, [FUNCTION_ULPS * EPS * np.exp(v) for v in (-1, 0, 2)]),
        (e.sum, 3 * EPS * 3),
        (lambda x: e.cast(e.sum(x) > 1.0, "int32"), np.inf),
        (lambda x: e.cast(e.sum(x) > 1.1, "int32"), 0),
        (lambda x: e.equal(x, 2.0), [0, 0, 0]),
        (lambda x: e.equal(e.sqrt(e.absolute(x)), 1.0), [np.inf, 0, 0]),
        (lambda x: e.argmax(x, 0), 0),
        (lambda x: e.argmax(e.exp(x * 0.0), 0), np.inf),
        (lambda x: 1e38 * (e.sum(x) * 20.0), np.inf),
        (lambda x: e.reshape(x, (1, 3)).T @ e.reshape(x, (1, 3)), 2 * EPS * np.outer([1, 0, 2], [1, 0, 2])),
    ],
)
def test_bounds_worked_by_hand(make: Any, wanted: Any) -> None:
    found = bounds(formula(y=make(e.variable("x", "float32", (3,)))), {"x": np.array([-1, 0, 2], "f4")})["y"]
    assert np.allclose(found.off, wanted, rtol=1e-3)


def test_what_lies_outside_its_bound_is_wrong() -> None:
    wanted = Known(np.array([1, np.nan, np.inf], "f4"), np.array([1e-6, 0, 0]))
    assert is_right(np.array([1 + 5e-7, np.nan, np.inf], "f4"), wanted)
    for wrong in ([1 + 1e-5, np.nan, np.inf], [1, 0, np.inf], [1, np.nan, -np.inf], [1, np.nan, np.nan]):
        assert not is_right(np.array(wrong, "f4"), wanted)
    assert not is_right(np.array([1, np.nan, np.inf]), wanted)
    assert not is_right(np.array([1, 2]), Known(np.array([1, 3]), np.zeros(2)))
    assert is_right(np.array([1, 2]), Known(np.array([1, 3]), np.array([0, np.inf])))
