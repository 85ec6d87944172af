"""Whatever is known of a value is true of it: facts against numbers, on random graphs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Graph, make_graph
from chainrule.graph.tensor_type import product
from tests.laws.random_graphs import ASSUMED, Example, N, examples, values

Array = npt.NDArray[Any]

# For each fact, what it says of an array. Rows may be off by rounding; nothing else may.
HOLDS: Final[dict[Fact, Callable[[Array], bool]]] = {
    Fact.NONNEGATIVE: lambda x: bool((x >= 0).all()),
    Fact.POSITIVE: lambda x: bool((x > 0).all()),
    Fact.NEGATIVE: lambda x: bool((x < 0).all()),
    Fact.BELOW_ONE: lambda x: bool((x < 1).all()),
    Fact.BINARY: lambda x: bool(((x == 0) | (x == 1)).all()),
    Fact.LABELS: lambda x: bool((x == np.floor(x)).all() and (x >= 0).all()),
    Fact.ROWS_SUM_TO_ONE: lambda x: bool(np.allclose(x.sum(-1, dtype=np.float64), 1.0, rtol=1e-12)),
    Fact.ONE_HOT: lambda x: bool(((x != 0).sum(-1) == 1).all() and ((x == 0) | (x == 1)).all()),
}


def test_every_fact_can_be_checked() -> None:
    assert set(HOLDS) == set(Fact)


# Formulas of two values x and y of shape (n, 3): every rule of the table is met with every pair of assumptions.
FORMULAS: Final[dict[str, Callable[[Expr, Expr], Expr]]] = {
    "add": Expr.__add__,
    "subtract": Expr.__sub__,
    "from one": lambda x, _: 1 - x,
    "multiply": Expr.__mul__,
    "divide": Expr.__truediv__,
    "share": lambda x, _: x / e.sum(x, -1, keepdims=True),
    "share of another": lambda x, y: x / e.sum(y, -1, keepdims=True),
    "share of columns": lambda x, _: x / e.sum(x, 0, keepdims=True),
    "negate": lambda x, _: -x,
    "square": lambda x, _: x**2,
    "cube": lambda x, _: x**3,
    "root": lambda x, _: x**0.5,
    "inverse": lambda x, _: x**-1,
    "maximum": e.maximum,
    "minimum": e.minimum,
    "exp": lambda x, _: e.exp(x),
    "log": lambda x, _: e.log(x),
    "expm1": lambda x, _: e.expm1(x),
    "log1p": lambda x, _: e.log1p(x),
    "sqrt": lambda x, _: e.sqrt(x),
    "tanh": lambda x, _: e.tanh(x),
    "sigmoid": lambda x, _: e.sigmoid(x),
    "softplus": lambda x, _: e.softplus(x),
    "erf": lambda x, _: e.erf(x),
    "abs": lambda x, _: e.absolute(x),
    "sign": lambda x, _: e.sign(x),
    "greater": lambda x, y: e.cast(x > y, "float64"),
    "select": lambda x, y: e.select(e.iota((N, 3), 1) > 0, x, y),
    "cast": lambda x, _: e.cast(e.cast(x, "int32"), "float64"),
    "cast unsigned": lambda x, y: e.cast(e.cast(x, "uint32") - e.cast(y, "uint32"), "float64"),
    "cast to bool": lambda x, _: e.cast(e.cast(x, "bool"), "float64"),
    "stop_gradient": lambda x, _: e.stop_gradient(x),
    "reshape": lambda x, _: e.reshape(x, (product((3, N)),)),
    "reshape rows": lambda x, _: e.reshape(x, (1, N, 3)),
    "transpose": lambda x, _: e.transpose(x, (1, 0)),
    "broadcast": lambda x, _: e.broadcast(x, (2, N, 3), (0,)),
    "broadcast columns": lambda x, _: e.broadcast(x, (N, 3, 2), (2,)),
    "concatenate": lambda x, y: e.concatenate([x, y], 1),
    "slice": lambda x, _: e.slice_axis(x, 1, 0, 2),
    "pad": lambda x, _: e.pad(x, 1, 1, 0),
    "sum": lambda x, _: e.sum(x, 1),
    "sum of columns": lambda x, _: e.sum(x, 0),
    "max": lambda x, _: e.max(x, 0),
    "argmax": lambda x, _: e.cast(e.argmax(x), "float64"),
    "matmul": lambda x, y: e.transpose(x, (1, 0)) @ y,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_each_rule_under_each_assumption(name: str) -> None:
    rng = np.random.default_rng(11)
    x, y = e.variable("x", "float64", (N, 3)), e.variable("y", "float64", (N, 3))
    z = FORMULAS[name](x, y)
    for (facts_x, *ends_x), (facts_y, *ends_y) in itertools.product(ASSUMED, ASSUMED):
        given_x = values(rng, x.type, facts_x, ends_x[0], ends_x[1], {"n": 4})
        given_y = values(rng, y.type, facts_y, ends_y[0], ends_y[1], {"n": 4})
        graph = make_graph({"z": z.node}, [x.node, y.node], {"x": facts_x, "y": facts_y})
        hold(graph, {"x": given_x, "y": given_y})


@given(examples(bound=5.0))
def test_what_is_known_is_true(example: Example) -> None:
    """The bound keeps values where functions do not round to their limits: a fact is about exact numbers."""
    hold(example.graph, example.inputs)


def hold(graph: Graph, inputs: dict[str, Array]) -> None:
    """Every fact of every node holds, where the node's value is a number at all."""
    named = {f"v{k}": node for k, node in enumerate(graph.nodes)}
    computed = ReferenceBackend().evaluate(graph.with_outputs(named), inputs)
    facts = Facts(graph.assumed())
    for name, node in named.items():
        for fact in facts.of(node) if np.isfinite(computed[name]).all() else ():
            assert HOLDS[fact](computed[name]), f"{node!r} is not {fact}: {computed[name]}"
