"""A step says the role of each input; one that contradicts itself is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chainrule.backends.protocol import Step
from chainrule.errors import GraphError, UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import named
from tests.backends.networks import softmax_step

N = named("n")
X = e.variable("x", "float32", (N, 2))
W = e.variable("w", "float32", (2,))
RATE = e.variable("rate", "float32")
CLOCK = e.variable("clock", "int32")
OUTPUTS = {"w": W - RATE * e.sum(X, 0), "loss": e.mean(X)}
ROLES: dict[str, Any] = {"state": ("w",), "columns": ("x",), "rates": ("rate",), "clock": "clock"}


def step(outputs: dict[str, e.Expr] = OUTPUTS, more: tuple[e.Expr, ...] = (), **roles: Any) -> Step:
    inputs = [each.node for each in (X, W, RATE, CLOCK, *more)]
    graph = make_graph({name: each.node for name, each in outputs.items()}, inputs)
    return Step(graph, **(ROLES | roles))


def test_a_step_knows_its_parts() -> None:
    made = step()
    assert made.measurements == ("loss",)
    assert made.updated == ("w",)
    assert made.size == "n"
    assert made == step()
    assert hash(made) == hash(step())
    assert softmax_step().measurements == ("loss",)


def test_a_step_needs_no_data() -> None:
    graph = make_graph({"w": (W * 2).node})
    made = Step(graph, ("w",), ())
    assert made.size is None


WIDE = e.variable("wide", "float32", (2, N))
FIXED = e.variable("fixed", "float32", (5, 2))
SCALAR = e.variable("scalar", "float32")
TIME = e.variable("time", "float32", (named("t"),))


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ({"state": ()}, "input w has none of the roles"),
        ({"rates": ("rate", "w")}, "input w has 2 of the roles"),
        ({"more": (FIXED,), "columns": ("x", "fixed")}, "all begin with one named size"),
        ({"more": (SCALAR,), "columns": ("x", "scalar")}, "all begin with one named size"),
        ({"more": (TIME,), "columns": ("x", "time")}, "all begin with one named size"),
        ({"more": (WIDE,), "state": ("w", "wide")}, "whose shape would change with the batch size n"),
        ({"more": (FIXED,), "rates": ("rate", "fixed")}, "a rate or a clock is one number a step"),
        ({"outputs": {"w": e.cast(W, "float64")}}, r"next value of w is float64\[2\], and the state is float32\[2\]"),
        ({"outputs": {"w": e.sum(W)}}, "they must agree"),
        ({"outputs": OUTPUTS | {"all": X}}, "the measurement all is .* whose shape changes with the batch; reduce it"),
    ],
)
def test_a_step_that_contradicts_itself_is_refused(made: dict[str, Any], sentence: str) -> None:
    with pytest.raises(GraphError, match=sentence):
        step(**made)


def test_a_role_of_no_input_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown input 'ratio': did you mean 'rate'"):
        step(rates=("rate", "ratio"))


def test_outputs_of_one_name_are_refused() -> None:
    from chainrule.graph.node import Graph

    graph = step().graph
    twice = Graph(graph.inputs, (*graph.outputs, ("loss", e.mean(X).node)))
    with pytest.raises(GraphError, match="two outputs are named loss"):
        Step(twice, **ROLES)
